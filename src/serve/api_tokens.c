/* Tokens of programs. */
#include "document/documents.h"
#include "serve/api_session.h"
#include "serve/serve_state.h"
#include "trust/people.h"

enum { DAYS_MAX = 3650, SCOPES_MAX = 64 };

static void write_time(struct jw *w, const char *key, Nanos at) {
    jw_key(w, key);
    if (at)
        jw_time(w, at);
    else
        jw_null(w);
}

static void write_scopes(struct jw *w, Str scopes) {
    jw_key(w, "scopes");
    jw_array(w);
    for (Str one; scopes.len > 0;) {
        str_cut(scopes, ' ', &one, &scopes);
        jw_str(w, one);
    }
    jw_array_end(w);
}

static Err list_tokens(struct api_call *call) {
    struct people_token_row *rows;
    size_t n;
    TRY(people_token_list(call->serve->options.people, call->who.party, call->arena, &rows, &n));
    struct jw *w = api_json(call);
    jw_object(w);
    jw_key(w, "items");
    jw_array(w);
    for (size_t i = 0; i < n; i++) {
        jw_object(w);
        jw_kint(w, "id", rows[i].id);
        jw_kstr(w, "user", rows[i].user);
        jw_kc(w, "role", principal_role_name(rows[i].role));
        write_scopes(w, rows[i].scopes);
        jw_ktime(w, "created", rows[i].created);
        write_time(w, "expires", rows[i].until);
        write_time(w, "last_used", rows[i].used);
        jw_object_end(w);
    }
    jw_array_end(w);
    jw_object_end(w);
    return err_none();
}

static bool is_area(Str area) {
    const struct route *r;
    for (size_t i = 0; (r = api_route(i)); i++) {
        Str rest = str_slice(str_c(r->path), sizeof "/api/v1/" - 1, (size_t)-1), first;
        str_cut(rest, '/', &first, &rest);
        if (str_eq(first, area)) return true;
    }
    return str_eq(area, STR("*"));
}

static Err add_scope(const struct api_call *call, Str scope, Str *scopes) {
    Str area, rest, name;
    TRY(principal_scopes_check(scope));
    str_cut(scope, ':', &area, &rest);
    bool named = str_cut(rest, ':', &name, &rest) && !str_eq(name, STR("*"));
    if (!is_area(area))
        return err_make(ERR_INVALID, "scope '" STR_FMT "': no address begins with /api/v1/" STR_FMT,
                        STR_ARG(str_slice(scope, 0, 60)), STR_ARG(str_slice(area, 0, 60)));
    if (named && (!str_eq(area, STR("docs")) || !documents_type(call->serve->options.documents, name)))
        return err_make(ERR_INVALID, "scope '" STR_FMT "': there is no document type '" STR_FMT "'",
                        STR_ARG(str_slice(scope, 0, 60)), STR_ARG(str_slice(name, 0, 60)));
    *scopes = arena_printf(call->arena, STR_FMT "%s" STR_FMT, STR_ARG(*scopes), scopes->len ? " " : "", STR_ARG(scope));
    return err_none();
}

static Err read_scopes(const struct api_call *call, Str *scopes) {
    const struct json *list = json_get(call->body, "scopes");
    *scopes = (Str){0};
    if (!list || json_kind(list) == JSON_NULL) return err_none();
    if (json_kind(list) != JSON_ARRAY || json_len(list) == 0 || json_len(list) > SCOPES_MAX)
        return err_make(ERR_INVALID,
                        "'scopes' is a list of 1 to %d texts such as \"docs:part:read\"; leave it out for "
                        "whatever the role allows",
                        SCOPES_MAX);
    for (size_t i = 0; i < json_len(list); i++) {
        const struct json *v = json_at(list, i);
        if (json_kind(v) != JSON_STRING) return err_make(ERR_INVALID, "'scopes' holds something that is no text");
        TRY(add_scope(call, json_str(v), scopes));
    }
    return err_none();
}

static Err read_end(const struct api_call *call, Nanos *until) {
    const struct json *days = json_get(call->body, "days");
    *until = 0;
    if (!days || json_kind(days) == JSON_NULL) return err_none();
    if (json_kind(days) != JSON_INT || json_int(days) < 1 || json_int(days) > DAYS_MAX)
        return err_make(ERR_INVALID, "'days' is 1 to %d, or left out for a token without an end", DAYS_MAX);
    *until = clock_now(&clock_system) + json_int(days) * NANOS_PER_DAY;
    return err_none();
}

static Err add_token(struct api_call *call) {
    struct people_token_options token = {.role = ROLE_VIEWER};
    char text[PEOPLE_SECRET_MAX];
    int64_t id;
    Str role;
    TRY(api_need_body(call));
    TRY(api_text(call, "user", NULL, &token.user));
    TRY(api_text(call, "role", NULL, &role));
    if (!principal_role_parse(role, &token.role))
        return err_make(ERR_INVALID, "'role' is one of operator, manager, technician, worker, viewer, device");
    TRY(read_scopes(call, &token.scopes));
    TRY(read_end(call, &token.until));
    TRY(people_token_make(call->serve->options.people, &call->who, call->who.party, &token, text, &id));
    struct jw *w = api_json(call);
    jw_object(w);
    jw_kint(w, "id", id);
    jw_kc(w, "token", text);
    jw_kstr(w, "user", token.user);
    jw_kstr(w, "role", role);
    write_scopes(w, token.scopes);
    write_time(w, "expires", token.until);
    jw_object_end(w);
    return err_none();
}

static Err revoke_token(struct api_call *call) {
    int64_t id;
    if (!str_to_i64(call->segments[0], &id)) id = 0;
    return people_token_revoke(call->serve->options.people, &call->who, call->who.party, id);
}

const struct route api_tokens_routes[] = {
    {HTTP_GET, "/api/v1/tokens", "listTokens", "people", "Tokens of the party, without their secrets", ROLE_STAFF, NULL,
     NULL, "TokenList", 0, 0, 0, list_tokens},
    {HTTP_POST, "/api/v1/tokens", "addToken", "people", "Make a bearer token; it is shown once", ROLE_STAFF, NULL,
     "TokenNew", "Token", 201, 0, 0, add_token},
    {HTTP_DELETE, "/api/v1/tokens/{id}", "revokeToken", "people", "End a token at once", ROLE_STAFF, NULL, NULL, NULL,
     204, 0, 0, revoke_token},
    {.handler = NULL},
};
