/* Machines: the fleet, one of them with all that is known, and what may be changed by hand. */
#include <math.h>
#include <string.h>

#include "serve/api.h"
#include "serve/fleet.h"
#include "serve/fleet_order.h"
#include "serve/serve_state.h"
#include "trust/gate.h"

enum { LIMIT_DEFAULT = 100, LIMIT_MAX = 1000 };

static struct fleet_sources sources(const struct api_call *call) {
    return (struct fleet_sources){call->serve->options.view, call->serve->options.documents};
}

/* ---- the list */

static char lower(char c) { return c >= 'A' && c <= 'Z' ? (char)(c + 32) : c; }

static bool contains_nocase(Str text, Str part) {
    for (size_t i = 0; i + part.len <= text.len; i++) {
        size_t k = 0;
        while (k < part.len && lower(text.ptr[i + k]) == lower(part.ptr[k])) k++;
        if (k == part.len) return true;
    }
    return part.len == 0;
}

static bool wanted(const struct fleet_item *item, Str state, Str text) {
    if (state.len > 0 && !str_eq_c(state, view_state_name(item->thing.state))) return false;
    return contains_nocase(item->thing.row.name, text) || contains_nocase(item->thing.row.model, text);
}

static Err check_state(Str state) {
    if (state.len == 0) return err_none();
    for (int s = VIEW_OK; s <= VIEW_OFFLINE; s++)
        if (str_eq_c(state, view_state_name((enum view_state)s))) return err_none();
    return err_make(ERR_INVALID, "query parameter 'state' is one of ok, warning, alarm, offline");
}

static size_t keep_wanted(const struct api_call *call, struct fleet_item *items, size_t n) {
    Str state = api_query(call, "state"), text = api_query(call, "q");
    size_t kept = 0;
    for (size_t i = 0; i < n; i++)
        if (wanted(&items[i], state, text)) items[kept++] = items[i];
    return kept;
}

/* Under an agreement a machine is its name and its model; how it is and where it stands are the owner's own. */
static void write_given(struct jw *w, const struct thing_row *row) {
    jw_kstr(w, "name", row->name);
    jw_kstr(w, "model", row->model);
    if (!isnan(row->latitude)) jw_knum(w, "latitude", row->latitude); /* the view leaves it out */
}

static Str names_of(const struct api_call *call, const struct view_thing *things, size_t n) {
    Str names = {0};
    for (size_t i = 0; i < n && names.len < 1000; i++)
        names = arena_printf(call->arena, STR_FMT "%s" STR_FMT, STR_ARG(names), i ? "," : "list ",
                             STR_ARG(things[i].row.name));
    return names.len ? names : STR("list none");
}

static Err list_given(struct api_call *call) {
    struct lens lens;
    struct view_thing *things;
    size_t n, kept = 0, at = 0;
    Str cursor = api_query(call, "cursor"), part = api_query(call, "q");
    if (api_query(call, "state").len > 0 || api_query(call, "sort").len > 0)
        return err_make(ERR_INVALID, "query parameters 'state' and 'sort' are not known under an agreement");
    TRY(api_lens(call, NULL, &lens));
    TRY(view_fleet(call->serve->options.view, &lens, api_query(call, "model"), call->arena, &things, &n));
    for (size_t i = 0; i < n; i++)
        if (contains_nocase(things[i].row.name, part) || contains_nocase(things[i].row.model, part))
            things[kept++] = things[i];
    while (cursor.len > 0 && at < kept && str_cmp(things[at].row.name, cursor) <= 0) at++;
    size_t limit = (size_t)api_query_int(call, "limit", LIMIT_DEFAULT, 1, LIMIT_MAX);
    size_t shown = kept - at > limit ? limit : kept - at;
    TRY(api_disclose_what(call, &lens, NULL, "things", names_of(call, things + at, shown), shown));
    struct jw *w = api_json(call);
    jw_object(w);
    jw_key(w, "items");
    jw_array(w);
    for (size_t i = at; i < at + shown; i++) {
        jw_object(w);
        write_given(w, &things[i].row);
        jw_object_end(w);
    }
    jw_array_end(w);
    api_write_agreement(call, &lens, w);
    jw_kint(w, "total", (int64_t)kept);
    jw_key(w, "next");
    if (at + shown < kept)
        jw_str(w, things[at + shown - 1].row.name);
    else
        jw_null(w);
    jw_object_end(w);
    return err_none();
}

static bool ordered(Str sort) { return sort.len > 0 && !str_eq_c(sort, "name"); }

/* By name a page begins behind the last name shown; in another order, which moves as the machines do, behind so many.
 */
static size_t begin_at(const struct api_call *call, size_t n) {
    int64_t skip = 0;
    return str_to_i64(api_query(call, "cursor"), &skip) && skip > 0 ? (size_t)skip < n ? (size_t)skip : n : 0;
}

static void write_next(const struct api_call *call, size_t end, size_t n, struct jw *w) {
    jw_key(w, "next");
    if (end >= n)
        jw_null(w);
    else
        jw_str(w, arena_printf(call->arena, "%zu", end));
}

/* Ordered by anything but the name, a list needs the whole fleet looked at and held. */
#define ORDERED_MOST 50000

static int state_of(Str name) {
    for (int s = VIEW_OK; s <= VIEW_OFFLINE; s++)
        if (str_eq_c(name, view_state_name((enum view_state)s))) return s;
    return VIEW_ANY_STATE;
}

static Err count_wanted(struct api_call *call, const struct view_fleet_ask *ask, size_t *out) {
    size_t counts[VIEW_OFFLINE + 1];
    struct lens lens;
    TRY(gate_lens(&call->who, NULL, "fleet", &lens));
    if (!ask->model.len && !ask->part.len && ask->state == VIEW_ANY_STATE && !lens.every_party) {
        *out = things_count(call->serve->options.things, lens.party);
        return err_none();
    }
    TRY(view_fleet_counts(call->serve->options.view, &lens, ask, counts));
    *out = 0;
    for (int s = VIEW_OK; s <= VIEW_OFFLINE; s++)
        if (ask->state == VIEW_ANY_STATE || ask->state == s) *out += counts[s];
    return err_none();
}

static Err list_by_name(struct api_call *call) {
    struct fleet_sources from = sources(call);
    struct fleet_item *items;
    size_t n, total;
    bool more;
    struct view_fleet_ask ask = {.model = api_query(call, "model"),
                                 .part = api_query(call, "q"),
                                 .after = api_query(call, "cursor"),
                                 .state = state_of(api_query(call, "state")),
                                 .limit = (size_t)api_query_int(call, "limit", LIMIT_DEFAULT, 1, LIMIT_MAX)};
    TRY(fleet_page(&from, &call->who, &ask, call->arena, &items, &n, &more));
    TRY(count_wanted(call, &ask, &total));
    struct jw *w = api_json(call);
    jw_object(w);
    jw_key(w, "items");
    jw_array(w);
    for (size_t i = 0; i < n; i++) {
        jw_object(w);
        fleet_write(&items[i], true, w);
        jw_object_end(w);
    }
    jw_array_end(w);
    jw_kint(w, "total", (int64_t)total);
    jw_key(w, "next");
    if (more && n)
        jw_str(w, items[n - 1].thing.row.name);
    else
        jw_null(w);
    jw_object_end(w);
    return err_none();
}

static Err list_things(struct api_call *call) {
    if (api_is_shared(call)) return list_given(call);
    struct fleet_sources from = sources(call);
    struct fleet_item *items;
    size_t n;
    Str sort = api_query(call, "sort");
    TRY(check_state(api_query(call, "state")));
    TRY(fleet_order_check(sort));
    if (!ordered(sort)) return list_by_name(call);
    if (things_count(call->serve->options.things, call->who.party) > ORDERED_MOST)
        return err_make(ERR_INVALID,
                        "'sort' by anything but the name works in fleets of up to %d machines: leave it out, and ask "
                        "for a state instead",
                        ORDERED_MOST);
    TRY(fleet_list(&from, &call->who, api_query(call, "model"), call->arena, &items, &n));
    n = keep_wanted(call, items, n);
    fleet_order_sort(sort, items, n);
    size_t limit = (size_t)api_query_int(call, "limit", LIMIT_DEFAULT, 1, LIMIT_MAX);
    size_t at = begin_at(call, n);
    size_t end = n - at > limit ? at + limit : n;
    struct jw *w = api_json(call);
    jw_object(w);
    jw_key(w, "items");
    jw_array(w);
    for (size_t i = at; i < end; i++) {
        jw_object(w);
        fleet_write(&items[i], true, w);
        jw_object_end(w);
    }
    jw_array_end(w);
    jw_kint(w, "total", (int64_t)n);
    write_next(call, end, n, w);
    jw_object_end(w);
    return err_none();
}

/* ---- one machine */

static void write_value(struct jw *w, Value v) {
    switch (v.kind) {
    case VALUE_INT: jw_int(w, v.i); break;
    case VALUE_FLOAT: jw_num(w, v.f); break;
    case VALUE_BOOL: jw_bool(w, v.b); break;
    case VALUE_STRING: jw_str(w, v.s); break;
    case VALUE_NONE: jw_null(w); break;
    }
}

static void write_latest(const struct view_latest *latest, size_t n, struct jw *w) {
    jw_key(w, "latest");
    jw_array(w);
    for (size_t i = 0; i < n; i++) {
        jw_object(w);
        jw_kstr(w, "metric", latest[i].metric);
        jw_ktime(w, "time", latest[i].time);
        jw_key(w, "value");
        write_value(w, latest[i].value);
        jw_object_end(w);
    }
    jw_array_end(w);
}

static void write_contributors(const struct view_health *health, struct jw *w) {
    jw_key(w, "contributors");
    jw_array(w);
    for (size_t i = 0; i < health->n_contributors; i++) {
        const struct view_contributor *c = &health->contributors[i];
        jw_object(w);
        jw_kstr(w, "metric", c->metric);
        jw_knum(w, "points_lost", c->points_lost);
        jw_knum(w, "own_z", c->own_z);
        jw_knum(w, "peer_z", c->peer_z);
        jw_knum(w, "value", c->value);
        jw_knum(w, "own_median", c->own_median);
        jw_knum(w, "peer_median", c->peer_median);
        jw_kstr(w, "text_en", c->text_en);
        jw_kstr(w, "text_zh", c->text_zh);
        jw_object_end(w);
    }
    jw_array_end(w);
}

static void write_failure(const struct view_health *health, struct jw *w) {
    jw_key(w, "failure");
    jw_array(w);
    for (size_t i = 0; i < health->n_components; i++) {
        if (isnan(health->components[i].probability)) continue;
        jw_object(w);
        jw_kstr(w, "component", health->components[i].name);
        jw_knum(w, "probability", health->components[i].probability);
        jw_object_end(w);
    }
    jw_array_end(w);
}

static void write_components(const struct view_health *health, struct jw *w) {
    jw_key(w, "components");
    jw_array(w);
    for (size_t i = 0; i < health->n_components; i++) {
        const struct view_component *c = &health->components[i];
        jw_object(w);
        jw_kstr(w, "name", c->name);
        jw_kstr(w, "title_en", c->title_en);
        jw_kstr(w, "title_zh", c->title_zh);
        jw_knum(w, "age_hours", c->age_hours);
        jw_knum(w, "life_hours", c->life_hours);
        jw_knum(w, "wear", c->wear);
        jw_key(w, "replaced_at");
        if (c->replaced_at)
            jw_time(w, c->replaced_at);
        else
            jw_null(w);
        jw_object_end(w);
    }
    jw_array_end(w);
}

static void write_health(const struct view_health *health, struct jw *w) {
    jw_key(w, "health");
    jw_object(w);
    jw_knum(w, "index", health->known ? health->index : (double)NAN);
    write_contributors(health, w);
    jw_object_end(w);
    write_failure(health, w);
    write_components(health, w);
}

static Err write_thing(struct api_call *call, Str name) {
    struct fleet_sources from = sources(call);
    struct fleet_item item;
    struct view_health health;
    struct view_latest *latest;
    struct lens lens;
    size_t n_latest;
    TRY(gate_lens(&call->who, NULL, "things", &lens));
    TRY(fleet_get(&from, &call->who, name, call->arena, &item));
    TRY(view_health(from.view, &lens, name, call->arena, &health));
    TRY(view_latest(from.view, &lens, name, call->arena, &latest, &n_latest));
    const struct thing_row *row = &item.thing.row;
    struct jw *w = api_json(call);
    jw_object(w);
    fleet_write(&item, false, w);
    jw_key(w, "attributes");
    jw_raw(w, row->attributes.len ? row->attributes : STR("{}"));
    jw_key(w, "commissioned");
    if (row->commissioned)
        jw_time(w, row->commissioned);
    else
        jw_null(w);
    write_latest(latest, n_latest, w);
    write_health(&health, w);
    jw_object_end(w);
    return err_none();
}

static Err get_given(struct api_call *call, Str name) {
    struct view *view = call->serve->options.view;
    struct lens lens;
    struct view_thing thing;
    struct view_latest *latest;
    size_t n;
    TRY(api_lens(call, NULL, &lens));
    TRY(view_thing(view, &lens, name, call->arena, &thing));
    TRY(view_latest(view, &lens, name, call->arena, &latest, &n));
    TRY(api_disclose_what(call, &lens, NULL, "things", arena_printf(call->arena, "get " STR_FMT, STR_ARG(name)), n));
    struct jw *w = api_json(call);
    jw_object(w);
    write_given(w, &thing.row);
    write_latest(latest, n, w);
    api_write_agreement(call, &lens, w);
    jw_object_end(w);
    return err_none();
}

static Err get_thing(struct api_call *call) {
    return api_is_shared(call) ? get_given(call, call->segments[0]) : write_thing(call, call->segments[0]);
}

/* ---- changing one */

static Err read_degrees(const struct api_call *call, const char *name, double bound, double *out) {
    const struct json *v = json_get(call->body, name);
    *out = NAN;
    if (!v || json_kind(v) == JSON_NULL) return err_none();
    bool number = json_kind(v) == JSON_INT || json_kind(v) == JSON_REAL;
    *out = number ? json_num(v) : (double)NAN;
    if (number && *out >= -bound && *out <= bound) return err_none();
    return err_make(ERR_INVALID, "'%s' is no number of degrees between -%g and %g", name, bound, bound);
}

static Err read_change(struct api_call *call, struct thing_row *row) {
    static const char *const known[] = {"latitude", "longitude", "attributes", "model"};
    void *at = NULL;
    Str key;
    const struct json *v;
    while (json_next(call->body, &at, &key, &v)) {
        bool ok = false;
        for (size_t i = 0; i < sizeof known / sizeof *known; i++) ok = ok || str_eq_c(key, known[i]);
        if (!ok)
            return err_make(ERR_INVALID, "'%.60s' cannot be changed here: latitude, longitude, attributes, model",
                            arena_c(call->arena, key));
    }
    TRY(read_degrees(call, "latitude", 90, &row->latitude));
    TRY(read_degrees(call, "longitude", 180, &row->longitude));
    TRY(api_text(call, "model", "", &row->model));
    const struct json *attributes = json_get(call->body, "attributes");
    if (!attributes) return err_none();
    if (json_kind(attributes) != JSON_OBJECT) return err_make(ERR_INVALID, "'attributes' is no JSON object");
    struct buf text = {0};
    json_dump(attributes, &text);
    row->attributes = arena_str(call->arena, buf_view(&text));
    buf_fini(&text);
    return err_none();
}

static Err change_thing(struct api_call *call) {
    const struct serve_options *o = &call->serve->options;
    struct view_thing known;
    TRY(api_need_body(call));
    struct lens lens;
    TRY(gate_lens(&call->who, NULL, "things", &lens));
    TRY(view_thing(o->view, &lens, call->segments[0], call->arena, &known));
    struct thing_row row = {.party = call->who.party, .name = call->segments[0]};
    TRY(read_change(call, &row));
    TRY(things_put(o->things, &call->who, &row));
    if (row.model.len > 0 && !str_eq(row.model, known.row.model) && o->models_changed) o->models_changed(o->ctx);
    return write_thing(call, call->segments[0]);
}

static const struct route_param list_params[] = {
    {"model", ROUTE_TEXT, false, "only machines of this model"},
    {"state", ROUTE_TEXT, false, "ok, warning, alarm or offline"},
    {"q", ROUTE_TEXT, false, "part of a name or model"},
    {"sort", ROUTE_TEXT, false, "name, state (worst first), health, probability or seen"},
    {"limit", ROUTE_INT, false, "machines in one answer; 100, at most 1000"},
    {"cursor", ROUTE_TEXT, false, "`next` of the answer before"},
    {.name = NULL},
};

const struct route api_things_routes[] = {
    {HTTP_GET, "/api/v1/things", "listThings", "things", "The fleet, by name", ROLE_PEOPLE, list_params, NULL,
     "ThingPage", 0, ROUTE_SHARED, 0, list_things},
    {HTTP_GET, "/api/v1/things/{name}", "getThing", "things", "A machine with all that is known of it", ROLE_PEOPLE,
     NULL, NULL, "ThingDetail", 0, ROUTE_SHARED, 0, get_thing},
    {HTTP_PATCH, "/api/v1/things/{name}", "changeThing", "things", "Change position, attributes or model", ROLE_STAFF,
     NULL, "ThingChange", "ThingDetail", 0, 0, 0, change_thing},
    {.handler = NULL},
};
