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

/* ---- scopes */

struct scope {
    Str area, name, action; /* name empty: any */
};

static bool is_word(Str word) {
    for (size_t i = 0; i < word.len; i++) {
        char c = word.ptr[i];
        if (!(c >= 'a' && c <= 'z') && !(c >= '0' && c <= '9') && c != '_' && c != '-') return false;
    }
    return word.len > 0;
}

static bool is_any(Str word) { return str_eq(word, STR("*")); }

static bool parse_scope(Str text, struct scope *out) {
    Str rest, last;
    *out = (struct scope){0};
    if (!str_cut(text, ':', &out->area, &rest)) return false;
    if (str_cut(rest, ':', &out->action, &last)) {
        out->name = out->action;
        out->action = last;
    }
    bool action = is_any(out->action) || str_eq(out->action, STR("read")) || str_eq(out->action, STR("write"));
    bool name = out->name.len == 0 || is_any(out->name) || is_word(out->name);
    if (is_any(out->name)) out->name = (Str){0};
    return action && name && (is_any(out->area) || is_word(out->area));
}

Err principal_scopes_check(Str scopes) {
    struct scope scope;
    if (scopes.len >= PRINCIPAL_SCOPES_MAX)
        return err_make(ERR_INVALID, "the scopes have %zu bytes together: at most %d", scopes.len,
                        PRINCIPAL_SCOPES_MAX - 1);
    for (Str rest = scopes, one; rest.len > 0;) {
        str_cut(rest, ' ', &one, &rest);
        if (!parse_scope(one, &scope))
            return err_make(ERR_INVALID, "'" STR_FMT "' is no scope: write AREA:read, AREA:write or docs:TYPE:read",
                            STR_ARG(str_slice(one, 0, 60)));
    }
    return err_none();
}

static bool scope_allows(const struct scope *s, Str area, Str name, bool writes) {
    if (!is_any(s->area) && !str_eq(s->area, area)) return false;
    if (!is_any(s->action) && !str_eq(s->action, writes ? STR("write") : STR("read")) &&
        !(name.len == 0 && !writes && s->name.len > 0)) /* who may write a type may know that it exists */
        return false;
    return s->name.len == 0 || str_eq(s->name, name) || (name.len == 0 && !writes);
}

bool principal_scope(const struct principal *who, Str area, Str name, bool writes) {
    struct scope scope;
    if (!who->scopes[0]) return true;
    for (Str rest = str_c(who->scopes), one; rest.len > 0;) {
        str_cut(rest, ' ', &one, &rest);
        if (parse_scope(one, &scope) && scope_allows(&scope, area, name, writes)) return true;
    }
    return false;
}
