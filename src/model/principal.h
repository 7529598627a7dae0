/* Who asks: a person, a program with a token, a device, or the system itself. */
#ifndef MODEL_PRINCIPAL_H
#define MODEL_PRINCIPAL_H

#include "base/err.h"
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

#define PRINCIPAL_SCOPES_MAX 512 /* bytes, with the NUL */

/*
 * Scopes narrow what a token or a session may do below its roles. A list with blanks between: AREA:ACTION or
 * AREA:NAME:ACTION. AREA is the first word of the address behind /api/v1/ ("docs", "series", "things" …), NAME a
 * document type, ACTION "read" (GET, HEAD) or "write" (all else); "*" stands for any. "docs:work_order:read *:read".
 */
struct principal {
    PartyId party;
    int64_t user;   /* 0 for the system */
    unsigned roles; /* ROLE_BIT mask; the system has ROLE_SYSTEM and passes every role check */
    char name[64];  /* for the audit: "li.wei", "token:grafana", "link:line 3", "device:m-07", "system:dispatch" */
    char scopes[PRINCIPAL_SCOPES_MAX]; /* "": whatever the roles allow */
};

const char *principal_role_name(enum role role);
bool principal_role_parse(Str text, enum role *out); /* the system's role has no outside name */
bool principal_may(const struct principal *who, unsigned roles);
struct principal principal_system(PartyId party, const char *what); /* "system:what" */

Err principal_scopes_check(Str scopes); /* ERR_INVALID names the one that is none */
/* name: the document type, or empty. A list limited to some types may still read the area without a name. */
bool principal_scope(const struct principal *who, Str area, Str name, bool writes);

#endif
