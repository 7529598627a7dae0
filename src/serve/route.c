#include "serve/route.h"

/* The text up to the next '/', which is taken off too. */
static Str take_part(Str *rest) {
    Str part, tail;
    str_cut(*rest, '/', &part, &tail);
    *rest = tail;
    return part;
}

static size_t count_slashes(Str text) {
    size_t n = 0;
    for (size_t i = 0; i < text.len; i++) n += text.ptr[i] == '/';
    return n;
}

bool route_match(const struct route *route, Str path, struct arena *arena, Str segments[ROUTE_SEGMENTS_MAX]) {
    Str template = str_c(route->path);
    if (count_slashes(template) != count_slashes(path)) return false;
    for (size_t n = 0; template.len > 0 || path.len > 0;) {
        Str want = take_part(&template), got = take_part(&path);
        if (want.len == 0 || want.ptr[0] != '{') {
            if (!str_eq(want, got)) return false;
            continue;
        }
        if (got.len == 0) return false;
        if (!segments) continue;
        ASSERT(n < ROUTE_SEGMENTS_MAX);
        if (!http_text_decode(got, false, arena, &segments[n++])) return false;
    }
    return true;
}

const struct route_param route_shared_params[] = {
    {"agreement", ROUTE_TEXT, false, "an active agreement, by id or number: the owner's data instead of one's own"},
    {"owner", ROUTE_TEXT, false, "the party whose only active agreement is meant"},
    {.name = NULL},
};

static const struct route_param *find_param(const struct route *route, Str name) {
    for (const struct route_param *p = route_shared_params; route->flags & ROUTE_SHARED && p->name; p++)
        if (str_eq_c(name, p->name)) return p;
    for (const struct route_param *p = route->params; p && p->name; p++)
        if (str_eq_c(name, p->name)) return p;
    return NULL;
}

static Err check_kind(const struct route_param *param, Str text) {
    int64_t n;
    Nanos t;
    if (param->kind == ROUTE_INT && !str_to_i64(text, &n))
        return err_make(ERR_INVALID, "query parameter '%s' is no whole number: %s", param->name, param->help);
    if (param->kind == ROUTE_TIME) {
        Err err = time_parse(text, &t);
        if (err.code != ERR_NONE) return err_make(ERR_INVALID, "query parameter '%s': %.180s", param->name, err.text);
    }
    return err_none();
}

Err route_check_params(const struct route *route, const struct http_pair *params, size_t n) {
    for (size_t i = 0; i < n; i++) {
        const struct route_param *param = find_param(route, params[i].name);
        if (param) {
            TRY(check_kind(param, params[i].value));
        } else if (!(route->flags & ROUTE_ANY_PARAMS)) {
            return err_make(ERR_INVALID, "query parameter '%.*s' is not known here: see /api/v1/openapi.json",
                            (int)(params[i].name.len < 60 ? params[i].name.len : 60), params[i].name.ptr);
        }
    }
    for (const struct route_param *p = route->params; p && p->name; p++) {
        bool given = false;
        for (size_t i = 0; i < n; i++) given = given || str_eq_c(params[i].name, p->name);
        if (p->required && !given)
            return err_make(ERR_INVALID, "query parameter '%s' is missing: %s", p->name, p->help);
    }
    return err_none();
}
