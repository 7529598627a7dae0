#include "model/principal.h"

#include <stdio.h>

#include "base/err.h"

static const char *const role_names[ROLE_COUNT] = {
    [ROLE_OPERATOR] = "operator", [ROLE_MANAGER] = "manager", [ROLE_TECHNICIAN] = "technician",
    [ROLE_WORKER] = "worker",     [ROLE_VIEWER] = "viewer",   [ROLE_DEVICE] = "device",
    [ROLE_SYSTEM] = "system",
};

const char *principal_role_name(enum role role) {
    ASSERT((unsigned)role < ROLE_COUNT);
    return role_names[role];
}

bool principal_role_parse(Str text, enum role *out) {
    for (int i = 0; i < ROLE_SYSTEM; i++) {
        if (!str_eq_c(text, role_names[i])) continue;
        *out = (enum role)i;
        return true;
    }
    return false;
}

bool principal_may(const struct principal *who, unsigned roles) {
    return (who->roles & (roles | ROLE_BIT(ROLE_SYSTEM))) != 0;
}

struct principal principal_system(PartyId party, const char *what) {
    struct principal who = {.party = party, .roles = ROLE_BIT(ROLE_SYSTEM)};
    snprintf(who.name, sizeof who.name, "system:%s", what);
    return who;
}
