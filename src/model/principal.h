/* Who asks: a person, a program with a token, a device, or the system itself. */
#ifndef MODEL_PRINCIPAL_H
#define MODEL_PRINCIPAL_H

#include "model/value.h"

enum role {
    ROLE_OPERATOR,
    ROLE_MANAGER,
    ROLE_TECHNICIAN,
    ROLE_WORKER,
    ROLE_VIEWER,
    ROLE_DEVICE,
    ROLE_SYSTEM,
    ROLE_COUNT
};
#define ROLE_BIT(role) (1u << (role))
#define ROLE_STAFF (ROLE_BIT(ROLE_OPERATOR) | ROLE_BIT(ROLE_MANAGER))
#define ROLE_PEOPLE (ROLE_STAFF | ROLE_BIT(ROLE_TECHNICIAN) | ROLE_BIT(ROLE_WORKER) | ROLE_BIT(ROLE_VIEWER))

struct principal {
    PartyId party;
    int64_t user;   /* 0 for the system */
    unsigned roles; /* ROLE_BIT mask; the system has ROLE_SYSTEM and passes every role check */
    char name[64];  /* for the audit: "li.wei", "token:grafana", "device:m-07", "system:dispatch" */
};

const char *principal_role_name(enum role role);
bool principal_role_parse(Str text, enum role *out); /* the system's role has no outside name */
bool principal_may(const struct principal *who, unsigned roles);
struct principal principal_system(PartyId party, const char *what); /* "system:what" */

#endif
