#include "serve/fleet.h"

#include <math.h>

#include "base/hash.h"
#include "base/map.h"

/* Work under way is listed at most so far; a fleet with more has other worries than a mark missing on its list. */
enum { JOIN_PAGE = 1000, JOIN_PAGES = 20, STATES_MAX = 16 };

/* How the documents that stand on a machine are called. A server whose types lack one shows nothing of it. */
static const char alarm_type[] = "alarm", prediction_type[] = "prediction", work_order_type[] = "work_order";
static const char *const standing_alarms[] = {"raised", "acknowledged", NULL};

struct join {
    const struct fleet_sources *from;
    const struct principal *who;
    Str thing; /* empty: all */
    struct arena *arena;
    struct map index; /* of items by the thing's name */
    struct fleet_item *items;
    size_t n;
};

static Value get(const struct doc *doc, const char *field) {
    int i = doctype_field(doc->type, str_c(field));
    return i < 0 ? (Value){.kind = VALUE_NONE} : doc->values[i];
}

static struct fleet_item *item_of(struct join *join, Value thing) {
    uint64_t i;
    if (thing.kind != VALUE_STRING || !map_get(&join->index, thing.s, &i)) return NULL;
    return &join->items[i];
}

/* Filters for the states named (NULL: every state that is not final), and for the one thing. */
static size_t make_filters(const struct join *join, const struct doctype *type, const char *const *states,
                           struct doc_filter *out) {
    size_t n = 0;
    for (size_t i = 0; i < type->n_states && n < STATES_MAX; i++) {
        bool named = states == NULL && !type->states[i].final;
        for (const char *const *s = states; s && *s; s++) named = named || str_eq_c(str_c(*s), type->states[i].name);
        if (named) out[n++] = (struct doc_filter){"state", DOC_EQ, VALUE_S(str_c(type->states[i].name))};
    }
    if (join->thing.len > 0) out[n++] = (struct doc_filter){"thing", DOC_EQ, VALUE_S(join->thing)};
    return n;
}

/* The type, when there is one that speaks of things and the reader may see it. */
static const struct doctype *usable(const struct join *join, const char *name, struct lens *lens) {
    const struct doctype *type = documents_type(join->from->documents, str_c(name));
    if (!type || doctype_field(type, STR("thing")) < 0) return NULL;
    return gate_lens(join->who, type, "fleet", lens).code == ERR_NONE ? type : NULL;
}

static Err count_one(struct join *join, const struct lens *lens, const struct doctype *type) {
    struct doc_filter filters[STATES_MAX + 1];
    struct doc_query query = {.filters = filters, .n_filters = make_filters(join, type, standing_alarms, filters)};
    struct doc_count *counts;
    size_t n;
    TRY(documents_count(join->from->documents, lens, type, &query, "thing", join->arena, &counts, &n));
    for (size_t i = 0; i < n; i++) {
        struct fleet_item *item = item_of(join, counts[i].key);
        if (item) item->open_alarms = counts[i].count;
    }
    return err_none();
}

/* Where more machines stand in alarm than are counted at once, those of the page are counted one by one. */
static Err count_alarms(struct join *join) {
    struct lens lens;
    const struct doctype *type = usable(join, alarm_type, &lens);
    if (!type) return err_none();
    Err err = count_one(join, &lens, type);
    if (err.code != ERR_LIMIT || join->n > JOIN_PAGE) return err;
    for (size_t i = 0; i < join->n; i++) {
        join->thing = join->items[i].thing.row.name;
        TRY(count_one(join, &lens, type));
    }
    join->thing = (Str){0};
    return err_none();
}

static Err join_open(struct join *join, const char *name, void (*put)(struct fleet_item *, const struct doc *)) {
    struct lens lens;
    struct doc_filter filters[STATES_MAX + 1];
    const struct doctype *type = usable(join, name, &lens);
    if (!type) return err_none();
    struct doc_query query = {
        .filters = filters, .n_filters = make_filters(join, type, NULL, filters), .limit = JOIN_PAGE};
    for (int page = 0; page < JOIN_PAGES; page++) {
        struct doc_page docs;
        TRY(documents_list(join->from->documents, &lens, type, &query, join->arena, &docs));
        for (size_t i = 0; i < docs.n; i++) {
            struct fleet_item *item = item_of(join, get(docs.docs[i], "thing"));
            if (item) put(item, docs.docs[i]);
        }
        if (docs.next.len == 0) break;
        query.cursor = docs.next;
    }
    return err_none();
}

/* Newest first, so the first one stays. */
static void put_prediction(struct fleet_item *item, const struct doc *doc) {
    if (!item->prediction) item->prediction = doc;
}

static void put_work_order(struct fleet_item *item, const struct doc *doc) {
    if (!item->work_order) item->work_order = doc;
}

static Err join_all(struct join *join) {
    TRY(count_alarms(join));
    TRY(join_open(join, prediction_type, put_prediction));
    return join_open(join, work_order_type, put_work_order);
}

static Err run_join(struct join *join, struct fleet_item *items, size_t n) {
    join->items = items, join->n = n;
    map_init(&join->index);
    for (size_t i = 0; i < n; i++) map_put(&join->index, items[i].thing.row.name, i);
    Err err = n > 0 ? join_all(join) : err_none();
    map_fini(&join->index);
    return err;
}

Err fleet_list(const struct fleet_sources *from, const struct principal *who, Str model, struct arena *arena,
               struct fleet_item **out, size_t *n) {
    struct view_thing *things;
    struct lens lens;
    *n = 0;
    TRY(gate_lens(who, NULL, "fleet", &lens));
    TRY(view_fleet(from->view, &lens, model, arena, &things, n));
    *out = arena_zero(arena, *n, sizeof **out);
    for (size_t i = 0; i < *n; i++) (*out)[i].thing = things[i];
    struct join join = {.from = from, .who = who, .arena = arena};
    return run_join(&join, *out, *n);
}

Err fleet_page(const struct fleet_sources *from, const struct principal *who, const struct view_fleet_ask *ask,
               struct arena *arena, struct fleet_item **out, size_t *n, bool *more) {
    struct view_thing *things;
    struct lens lens;
    *n = 0;
    TRY(gate_lens(who, NULL, "fleet", &lens));
    TRY(view_fleet_page(from->view, &lens, ask, arena, &things, n, more));
    *out = arena_zero(arena, *n + 1, sizeof **out);
    for (size_t i = 0; i < *n; i++) (*out)[i].thing = things[i];
    struct join join = {.from = from, .who = who, .arena = arena};
    return run_join(&join, *out, *n);
}

Err fleet_get(const struct fleet_sources *from, const struct principal *who, Str name, struct arena *arena,
              struct fleet_item *out) {
    *out = (struct fleet_item){0};
    struct lens lens;
    TRY(gate_lens(who, NULL, "fleet", &lens));
    TRY(view_thing(from->view, &lens, name, arena, &out->thing));
    struct join join = {.from = from, .who = who, .thing = name, .arena = arena};
    return run_join(&join, out, 1);
}

/* ---- writing */

static void write_time(struct jw *w, const char *key, Nanos t) {
    jw_key(w, key);
    if (t == 0)
        jw_null(w);
    else
        jw_time(w, t);
}

static void write_prediction(const struct doc *doc, struct jw *w) {
    Value probability = get(doc, "probability"), component = get(doc, "component"), by = get(doc, "expected_by");
    jw_object(w);
    jw_kint(w, "id", doc->id);
    jw_kstr(w, "number", doc->number);
    jw_key(w, "component");
    if (component.kind == VALUE_STRING)
        jw_str(w, component.s);
    else
        jw_null(w);
    jw_knum(w, "probability", value_as_num(probability));
    write_time(w, "expected_by", by.kind == VALUE_INT ? by.i : 0);
    jw_object_end(w);
}

static void write_work_order(const struct doc *doc, struct jw *w) {
    jw_object(w);
    jw_kint(w, "id", doc->id);
    jw_kstr(w, "number", doc->number);
    jw_kc(w, "state", doctype_state_name(doc));
    jw_object_end(w);
}

static void write_doc(struct jw *w, const char *key, const struct doc *doc,
                      void (*write)(const struct doc *, struct jw *)) {
    jw_key(w, key);
    if (doc)
        write(doc, w);
    else
        jw_null(w);
}

void fleet_write(const struct fleet_item *item, bool health, struct jw *w) {
    const struct view_thing *t = &item->thing;
    jw_kstr(w, "name", t->row.name);
    jw_kstr(w, "model", t->row.model);
    jw_kc(w, "state", view_state_name(t->state));
    if (health) jw_knum(w, "health", t->health);
    jw_knum(w, "latitude", t->row.latitude);
    jw_knum(w, "longitude", t->row.longitude);
    write_time(w, "last_seen", t->last_seen);
    jw_kint(w, "open_alarms", (int64_t)item->open_alarms);
    write_doc(w, "prediction", item->prediction, write_prediction);
    write_doc(w, "work_order", item->work_order, write_work_order);
}

uint64_t fleet_fingerprint(const struct fleet_item *item, bool seen) {
    const struct view_thing *t = &item->thing;
    const struct {
        double health, latitude, longitude;
        Nanos last_seen;
        uint64_t model, state, alarms;
        int64_t prediction, prediction_version, order, order_version;
    } facts = {.health = isnan(t->health) ? -1 : round(t->health * 10),
               .latitude = isnan(t->row.latitude) ? -1000 : t->row.latitude,
               .longitude = isnan(t->row.longitude) ? -1000 : t->row.longitude,
               .last_seen = seen ? t->last_seen : 0,
               .model = hash_str(t->row.model),
               .state = t->state,
               .alarms = item->open_alarms,
               .prediction = item->prediction ? item->prediction->id : 0,
               .prediction_version = item->prediction ? item->prediction->version : 0,
               .order = item->work_order ? item->work_order->id : 0,
               .order_version = item->work_order ? item->work_order->version : 0};
    return hash_bytes(&facts, sizeof facts);
}
