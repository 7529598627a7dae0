#include "trust/people_settings.h"

#include <string.h>

#include "base/jw.h"
#include "model/principal.h"

static Err read_roles(const struct json *list, unsigned *roles) {
    enum role role;
    *roles = 0;
    if (json_kind(list) != JSON_ARRAY)
        return err_make(ERR_INVALID, "'second_factor' is a list of the roles that need one");
    for (size_t i = 0; i < json_len(list); i++) {
        const struct json *v = json_at(list, i);
        if (json_kind(v) != JSON_STRING || !principal_role_parse(json_str(v), &role))
            return err_make(ERR_INVALID, "'second_factor' holds something that is no role");
        *roles |= ROLE_BIT(role);
    }
    return err_none();
}

Err people_settings_check(const struct json *settings) {
    void *at = NULL;
    Str key;
    const struct json *v;
    unsigned roles;
    if (json_kind(settings) != JSON_OBJECT) return err_make(ERR_INVALID, "'settings' is an object");
    while (json_next(settings, &at, &key, &v)) {
        if (str_eq_c(key, "worker_links")) {
            if (json_kind(v) != JSON_BOOL) return err_make(ERR_INVALID, "'worker_links' is true or false");
        } else if (str_eq_c(key, "second_factor")) {
            TRY(read_roles(v, &roles));
        } else {
            return err_make(ERR_INVALID, "there is no setting '" STR_FMT "': worker_links, second_factor",
                            STR_ARG(str_slice(key, 0, 60)));
        }
    }
    return err_none();
}

void people_settings_read(Str text, bool *worker_links, unsigned *factor_roles) {
    struct json *json = NULL;
    *worker_links = false;
    *factor_roles = 0;
    if (text.len == 0 || json_parse(text, &json).code != ERR_NONE) return;
    const struct json *factor = json_get(json, "second_factor");
    *worker_links = json_get_bool(json, "worker_links", false);
    if (factor) (void)read_roles(factor, factor_roles);
    json_free(json);
}

static void copy_members(const struct json *from, const struct json *unless, struct jw *w) {
    struct buf text = {0};
    void *at = NULL;
    Str key;
    const struct json *v;
    while (from && json_next(from, &at, &key, &v)) {
        char name[32];
        if (key.len >= sizeof name) continue;
        memcpy(name, key.ptr, key.len);
        name[key.len] = '\0';
        if (unless && json_get(unless, name)) continue;
        buf_clear(&text);
        json_dump(v, &text);
        jw_key_str(w, key);
        jw_raw(w, buf_view(&text));
    }
    buf_fini(&text);
}

void people_settings_merge(Str standing, const struct json *change, struct buf *out) {
    struct json *json = NULL;
    struct jw w;
    if (standing.len > 0) (void)json_parse(standing, &json);
    jw_init(&w, out);
    jw_object(&w);
    copy_members(json, change, &w);
    copy_members(change, NULL, &w);
    jw_object_end(&w);
    json_free(json);
}
