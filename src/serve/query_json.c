#include "serve/query_json.h"

#include <string.h>

struct reader {
    struct arena *arena;
    Nanos now;
    struct query_json *out;
};

/* ---- members, by tables */

struct member {
    const char *name;
    Err (*read)(struct reader *r, const struct json *v, void *into);
};

static Err read_members(struct reader *r, const struct json *object, const char *what, const struct member *members,
                        void *into) {
    void *at = NULL;
    Str key;
    const struct json *value;
    if (json_kind(object) != JSON_OBJECT) return err_make(ERR_INVALID, "'%s' is no object: send {\"member\": …}", what);
    while (json_next(object, &at, &key, &value)) {
        const struct member *m = members;
        while (m->name && !str_eq_c(key, m->name)) m++;
        if (!m->name) {
            Str shown = str_slice(key, 0, 40);
            char known[160];
            size_t n = 0;
            known[0] = '\0';
            for (m = members; m->name && n + strlen(m->name) + 3 < sizeof known; m++) {
                if (n) memcpy(known + n, ", ", 3), n += 2;
                memcpy(known + n, m->name, strlen(m->name) + 1), n += strlen(m->name);
            }
            return err_make(ERR_INVALID, "'%s' has no member '" STR_FMT "': it has %s", what, STR_ARG(shown), known);
        }
        if (json_kind(value) != JSON_NULL) TRY(m->read(r, value, into));
    }
    return err_none();
}

static Err want_text(const struct json *v, const char *what, Str *out) {
    if (json_kind(v) != JSON_STRING) return err_make(ERR_INVALID, "'%s' is a text: send it in quotes", what);
    *out = json_str(v);
    return err_none();
}

static Err want_count(const struct json *v, const char *what, int64_t most, int64_t *out) {
    *out = json_kind(v) == JSON_INT ? json_int(v) : -1;
    if (*out > 0 && *out <= most) return err_none();
    return err_make(ERR_INVALID, "'%s' is a whole number from 1 to %lld", what, (long long)most);
}

/* A list of texts, or one text. */
static Err want_texts(struct reader *r, const struct json *v, const char *what, const Str **out, size_t *n) {
    bool list = json_kind(v) == JSON_ARRAY;
    *n = list ? json_len(v) : 1;
    Str *texts = arena_zero(r->arena, *n + 1, sizeof *texts);
    for (size_t i = 0; i < *n; i++) TRY(want_text(list ? json_at(v, i) : v, what, &texts[i]));
    *out = texts;
    return err_none();
}

/* ---- times */

Err query_json_time(Str text, Nanos now, Nanos *out) {
    struct query_window span;
    Str rest = str_starts(text, STR("now")) ? str_slice(text, 3, text.len) : text;
    if (rest.len < text.len && rest.len == 0) {
        *out = now;
        return err_none();
    }
    if (rest.len > 1 && rest.ptr[0] == '-' && rest.len < text.len) {
        TRY(query_window_parse(str_slice(rest, 1, rest.len), &span));
        static const Nanos units[] = {1, NANOS_PER_DAY, 7 * NANOS_PER_DAY, 30 * NANOS_PER_DAY, 365 * NANOS_PER_DAY};
        *out = now - span.n * units[span.unit];
        return err_none();
    }
    return time_parse(text, out);
}

static Err want_time(struct reader *r, const struct json *v, const char *what, Nanos *out) {
    if (json_kind(v) == JSON_INT && json_int(v) < INT64_C(9000000000000) && json_int(v) > -INT64_C(9000000000000)) {
        *out = json_int(v) * NANOS_PER_MS;
        return err_none();
    }
    if (json_kind(v) == JSON_STRING && query_json_time(json_str(v), r->now, out).code == ERR_NONE) return err_none();
    return err_make(ERR_INVALID, "'%s' is a time: \"2026-01-31T08:00:00Z\", ms since 1970, or \"now-6h\"", what);
}

/* ---- things */

static Err add_pick(struct reader *r, Str what, const struct json *v, const char *name, bool except) {
    struct query *q = &r->out->query;
    struct query_pick *picks = arena_zero(r->arena, q->n_picks + 1, sizeof *picks);
    for (size_t i = 0; i < q->n_picks; i++) picks[i] = q->picks[i];
    struct query_pick *p = &picks[q->n_picks];
    *p = (struct query_pick){.what = what, .except = except};
    TRY(want_texts(r, v, name, &p->values, &p->n));
    q->picks = picks;
    q->n_picks++;
    return err_none();
}

static Err read_names(struct reader *r, const struct json *v, void *into) {
    return add_pick(r, STR("thing"), v, "names", *(bool *)into);
}
static Err read_model(struct reader *r, const struct json *v, void *into) {
    return add_pick(r, STR("model"), v, "model", *(bool *)into);
}
static Err read_tags(struct reader *r, const struct json *v, void *into) {
    void *at = NULL;
    Str key;
    const struct json *value;
    if (json_kind(v) != JSON_OBJECT) return err_make(ERR_INVALID, "'tags' is an object: {\"fleet\": [\"South\"]}");
    if (json_len(v) > 32) return err_make(ERR_INVALID, "'tags' names more than 32 tags");
    while (json_next(v, &at, &key, &value)) {
        bool marked = key.len > 0 && key.ptr[0] == '@';
        Str what = marked ? key : arena_printf(r->arena, "@" STR_FMT, STR_ARG(key));
        TRY(add_pick(r, what, value, "tags", *(bool *)into));
    }
    return err_none();
}

static const struct member except_members[] = {
    {"names", read_names}, {"model", read_model}, {"tags", read_tags}, {NULL, NULL}};

static Err read_except(struct reader *r, const struct json *v, void *into) {
    bool except = true;
    (void)into;
    return read_members(r, v, "except", except_members, &except);
}

static const struct member thing_members[] = {
    {"names", read_names}, {"model", read_model}, {"tags", read_tags}, {"except", read_except}, {NULL, NULL}};

static Err read_things(struct reader *r, const struct json *v, void *into) {
    bool except = false;
    (void)into;
    if (json_kind(v) == JSON_STRING || json_kind(v) == JSON_ARRAY) return read_names(r, v, &except);
    return read_members(r, v, "things", thing_members, &except);
}

/* ---- a stage */

static Err read_where(struct reader *r, const struct json *v, void *into) {
    (void)r;
    return want_text(v, "where", &((struct query_stage *)into)->where);
}
static Err read_having(struct reader *r, const struct json *v, void *into) {
    (void)r;
    return want_text(v, "having", &((struct query_stage *)into)->having);
}
static Err read_window(struct reader *r, const struct json *v, void *into) {
    Str text;
    (void)r;
    TRY(want_text(v, "window", &text));
    return query_window_parse(text, &((struct query_stage *)into)->window);
}
static Err read_by(struct reader *r, const struct json *v, void *into) {
    struct query_stage *s = into;
    return want_texts(r, v, "by", &s->by, &s->n_by);
}
static Err read_order(struct reader *r, const struct json *v, void *into) {
    struct query_stage *s = into;
    return want_texts(r, v, "order", &s->order, &s->n_order);
}
static Err read_limit_by(struct reader *r, const struct json *v, void *into) {
    struct query_stage *s = into;
    return want_texts(r, v, "limit_by", &s->limit_by, &s->n_limit_by);
}
static Err read_limit(struct reader *r, const struct json *v, void *into) {
    int64_t n;
    (void)r;
    TRY(want_count(v, "limit", INT64_C(1) << 40, &n));
    ((struct query_stage *)into)->limit = (size_t)n;
    return err_none();
}

static Err read_select(struct reader *r, const struct json *v, void *into) {
    struct query_stage *s = into;
    void *at = NULL;
    Str key;
    const struct json *value;
    if (json_kind(v) != JSON_OBJECT) return err_make(ERR_INVALID, "'select' is an object: {\"v\": \"avg(speed)\"}");
    struct query_select *select = arena_zero(r->arena, json_len(v) + 1, sizeof *select);
    while (json_next(v, &at, &key, &value)) {
        select[s->n_select].name = key;
        TRY(want_text(value, "select", &select[s->n_select].expr));
        s->n_select++;
    }
    s->select = select;
    return err_none();
}

static const struct {
    const char *name;
    enum query_fill fill;
} fills[] = {{"none", QUERY_FILL_NONE},
             {"null", QUERY_FILL_NULL},
             {"previous", QUERY_FILL_PREVIOUS},
             {"linear", QUERY_FILL_LINEAR}};

Err query_json_fill(Str text, enum query_fill *out, double *value) {
    for (size_t i = 0; i < sizeof fills / sizeof *fills; i++) {
        if (!str_eq_c(text, fills[i].name)) continue;
        *out = fills[i].fill;
        return err_none();
    }
    *out = QUERY_FILL_VALUE;
    if (str_to_f64(text, value)) return err_none();
    return err_make(ERR_INVALID, "'fill' is none, null, previous, linear or a number");
}

static Err read_fill(struct reader *r, const struct json *v, void *into) {
    struct query_stage *s = into;
    (void)r;
    if (json_kind(v) == JSON_STRING) return query_json_fill(json_str(v), &s->fill, &s->fill_value);
    if (json_kind(v) != JSON_INT && json_kind(v) != JSON_REAL)
        return err_make(ERR_INVALID, "'fill' is \"none\", \"null\", \"previous\", \"linear\" or a number");
    s->fill = QUERY_FILL_VALUE;
    s->fill_value = json_num(v);
    return err_none();
}

#define STAGE_MEMBERS                                                                                                  \
    {"where", read_where}, {"window", read_window}, {"by", read_by}, {"select", read_select}, {"having", read_having}, \
        {"fill", read_fill}, {"order", read_order}, {"limit", read_limit}, {                                           \
        "limit_by", read_limit_by                                                                                      \
    }
static const struct member stage_members[] = {STAGE_MEMBERS, {NULL, NULL}};

static Err read_stages(struct reader *r, const struct json *v, void *into) {
    struct query *q = &r->out->query;
    (void)into;
    if (json_kind(v) != JSON_ARRAY) return err_make(ERR_INVALID, "'stages' is a list of objects");
    if (json_len(v) > QUERY_STAGES_MAX)
        return err_make(ERR_INVALID, "%zu stages: at most %u", json_len(v), QUERY_STAGES_MAX);
    struct query_stage *stages = arena_zero(r->arena, json_len(v) + 1, sizeof *stages);
    for (size_t i = 0; i < json_len(v); i++) TRY(read_members(r, json_at(v, i), "a stage", stage_members, &stages[i]));
    q->stages = stages;
    q->n_stages = json_len(v);
    return err_none();
}

/* ---- the whole */

static Err read_from(struct reader *r, const struct json *v, void *into) {
    (void)into;
    return want_time(r, v, "from", &r->out->query.from);
}
static Err read_to(struct reader *r, const struct json *v, void *into) {
    (void)into;
    return want_time(r, v, "to", &r->out->query.to);
}
static Err read_zone(struct reader *r, const struct json *v, void *into) {
    (void)into;
    return want_text(v, "zone", &r->out->query.zone);
}
static Err read_latest(struct reader *r, const struct json *v, void *into) {
    (void)into;
    if (json_kind(v) != JSON_BOOL) return err_make(ERR_INVALID, "'latest' is true or false");
    r->out->query.latest = json_bool(v);
    return err_none();
}
static Err read_time_format(struct reader *r, const struct json *v, void *into) {
    Str text;
    (void)into;
    TRY(want_text(v, "time_format", &text));
    r->out->times_ms = str_eq_c(text, "ms");
    if (r->out->times_ms || str_eq_c(text, "rfc3339")) return err_none();
    return err_make(ERR_INVALID, "'time_format' is rfc3339 or ms");
}

/* A question may allow itself less than the server does, not more. */
static Err read_limit_rows(struct reader *r, const struct json *v, void *into) {
    int64_t n;
    (void)into;
    TRY(want_count(v, "rows", 10000000, &n));
    r->out->query.limits.rows = (size_t)n;
    return err_none();
}
static Err read_limit_bytes(struct reader *r, const struct json *v, void *into) {
    int64_t n;
    (void)into;
    TRY(want_count(v, "bytes", INT64_C(1) << 30, &n));
    r->out->query.limits.bytes = (size_t)n;
    return err_none();
}
static Err read_limit_time(struct reader *r, const struct json *v, void *into) {
    int64_t n;
    (void)into;
    TRY(want_count(v, "time_ms", 300000, &n));
    r->out->query.limits.time = n * NANOS_PER_MS;
    return err_none();
}
static const struct member limit_members[] = {
    {"rows", read_limit_rows}, {"bytes", read_limit_bytes}, {"time_ms", read_limit_time}, {NULL, NULL}};
static Err read_limits(struct reader *r, const struct json *v, void *into) {
    (void)into;
    return read_members(r, v, "limits", limit_members, NULL);
}

static const struct member query_members[] = {{"from", read_from},     {"to", read_to},
                                              {"zone", read_zone},     {"things", read_things},
                                              {"latest", read_latest}, {"stages", read_stages},
                                              {"limits", read_limits}, {"time_format", read_time_format},
                                              STAGE_MEMBERS,           {NULL, NULL}};

Err query_json_read(const struct json *json, Nanos now, struct arena *arena, struct query_json *out) {
    struct reader r = {arena, now, out};
    struct query_stage *only = arena_zero(arena, 1, sizeof *only);
    static const struct query_stage none;
    *out = (struct query_json){0};
    TRY(read_members(&r, json, "the question", query_members, only));
    bool alone = memcmp(only, &none, sizeof none) != 0;
    if (alone && out->query.n_stages > 0)
        return err_make(ERR_INVALID, "'stages' stands beside a stage's own members: put them into the list");
    if (!alone) return err_none();
    out->query.stages = only;
    out->query.n_stages = 1;
    return err_none();
}
