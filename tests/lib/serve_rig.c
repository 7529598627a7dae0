#include "tests/lib/serve_rig.h"
#include "tests/lib/store_postgresql.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/num.h"
#include "document/doc_terms.h"
#include "document/imports.h"
#include "insight/query.h"
#include "insight/view.h"
#include "store/blobs.h"
#include "store/records.h"
#include "store/series.h"
#include "tests/lib/model_machinery.h"
#include "trust/agreements.h"
#include "trust/device.h"
#include "trust/disclosures.h"
#include "trust/people.h"

static Nanos read_clock(void *ctx) { return atomic_load(&((struct serve_rig *)ctx)->now); }

static bool thing_exists(void *ctx, PartyId party, Str name) {
    char model[64];
    return things_model(((struct serve_rig *)ctx)->things, party, name, model);
}

static void committed(void *ctx) {
    struct serve_rig *rig = ctx;
    struct serve *serve = __atomic_load_n(&rig->serve, __ATOMIC_ACQUIRE);
    if (serve) serve_wake(serve);
}

static void models_changed(void *ctx) { atomic_fetch_add(&((struct serve_rig *)ctx)->models_changed, 1); }

static uint64_t rows_kept(void *ctx) {
    struct series_stats stats;
    series_stats(((struct serve_rig *)ctx)->series, &stats);
    return stats.rows;
}

static void ingest(void *ctx, struct ingest_counters *out) {
    (void)ctx;
    out->messages = 42;
}

static void read_series(void *ctx, void *into) { series_stats(((struct serve_rig *)ctx)->series, into); }

static Err check_health(void *ctx) {
    if (!atomic_load(&((struct serve_rig *)ctx)->sick)) return err_none();
    return err_make(ERR_IO, "the disk is full: make room");
}

static bool replay(void *ctx, struct serve_replay_now *out) {
    struct serve_rig *rig = ctx;
    *out = (struct serve_replay_now){
        .from = SERVE_RIG_START, .to = SERVE_RIG_START + NANOS_PER_DAY, .at = atomic_load(&rig->now), .speed = 3600};
    return true;
}

static const struct catalog *catalog(void *ctx) { return &((struct serve_rig *)ctx)->catalog; }

static bool is_operator(void *ctx, const struct principal *who) {
    return who->party == ((struct serve_rig *)ctx)->acme && (who->roles & ROLE_BIT(ROLE_OPERATOR)) != 0;
}

/* A ledger that only counts. */
static Err enter(void *ctx, const struct disclosures_entry *entries, size_t n, uint64_t *first) {
    struct serve_rig *rig = ctx;
    for (size_t i = 0; i < n; i++) CHECK(entries[i].text.len > 0);
    *first = atomic_fetch_add(&rig->entered, n);
    return err_none();
}

static bool open_sharing(struct serve_rig *rig) {
    atomic_store(&rig->cell.now, &rig->catalog);
    rig->catalog = (struct catalog){.types = rig->types, .models = model_machinery()->models};
    struct agreements_options agreements = {.records = rig->records,
                                            .clock = &rig->clock,
                                            .world = {.catalog = catalog, .value = doc_terms_value, .ctx = rig},
                                            .is_operator = is_operator,
                                            .ctx = rig};
    struct disclosures_options disclosures = {
        .records = rig->records, .clock = &rig->clock, .enter = enter, .ctx = rig, .every = NANOS_PER_MS};
    return CHECK_OK(agreements_open(&agreements, &rig->agreements)) &&
           CHECK_OK(disclosures_open(&disclosures, &rig->disclosures));
}

static bool open_stores(struct serve_rig *rig) {
    char dir[300];
    struct documents_options options = {
        .types = rig->types, .search = true, .clock = &rig->clock, .thing_exists = thing_exists, .thing_ctx = rig};
    if (!CHECK_OK(records_open(
            &(struct records_options){.dir = rig->dir, .url = store_postgresql_for(rig->dir), .clock = &rig->clock},
            &rig->records)) ||
        !CHECK_OK(people_open(rig->records, &rig->clock, &rig->people)) ||
        !CHECK_OK(device_open(rig->records, &rig->clock, &rig->devices)) ||
        !CHECK_OK(things_open(rig->records, &rig->clock, &rig->things)))
        return false;
    things_use(rig->things, &rig->cell);
    if (!CHECK_OK(blobs_open(rig->dir, NULL, &rig->blobs))) return false;
    options.records = rig->records;
    options.blobs = rig->blobs;
    options.search = true;
    snprintf(dir, sizeof dir, "%s/series", rig->dir);
    struct series_options series = {.dir = dir, .clock = &rig->clock};
    if (!CHECK_OK(documents_open(&options, &rig->documents)) || !CHECK_OK(series_open(&series, &rig->series)))
        return false;
    documents_on_commit(rig->documents, committed, rig);
    snprintf(dir, sizeof dir, "%s/imports", rig->dir);
    if (!CHECK_OK(imports_open(&(struct imports_options){.dir = dir, .documents = rig->documents, .clock = &rig->clock},
                               &rig->imports)))
        return false;
    struct view_options view = {.series = rig->series, .things = rig->things, .clock = &rig->clock};
    if (!open_sharing(rig) || !CHECK_OK(view_open(&view, &rig->view))) return false;
    struct query_engine_options query = {
        .view = rig->view, .series = rig->series, .things = rig->things, .clock = &rig->clock};
    return CHECK_OK(query_engine_open(&query, &rig->query));
}

static bool make_people(struct serve_rig *rig) {
    static const char password[] = "correct horse";
    if (!CHECK_OK(people_party(rig->people, STR("acme"), &rig->acme)) ||
        !CHECK_OK(people_party(rig->people, STR("other"), &rig->other)))
        return false;
    rig->system = principal_system(rig->acme, "test");
    struct principal other = principal_system(rig->other, "test");
    return CHECK_OK(people_add_user(rig->people, &rig->system, rig->acme, STR("ann"), str_c(password),
                                    ROLE_BIT(ROLE_MANAGER))) &&
           CHECK_OK(people_token(rig->people, &rig->system, rig->acme, STR("ann"), ROLE_MANAGER, rig->manager)) &&
           CHECK_OK(people_token(rig->people, &rig->system, rig->acme, STR("tim"), ROLE_TECHNICIAN, rig->technician)) &&
           CHECK_OK(people_token(rig->people, &rig->system, rig->acme, STR("vic"), ROLE_VIEWER, rig->viewer)) &&
           CHECK_OK(people_token(rig->people, &other, rig->other, STR("sam"), ROLE_MANAGER, rig->stranger));
}

static bool make_things(struct serve_rig *rig) {
    struct thing_row rows[] = {
        {.name = STR("m-1"), .model = STR("model3"), .latitude = 31, .longitude = 121},
        {.name = STR("m-2"), .model = STR("model3"), .latitude = NAN, .longitude = NAN},
        {.name = STR("odd/名 1"), .model = STR("open"), .latitude = NAN, .longitude = NAN},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        rows[i].party = rig->acme;
        if (!CHECK_OK(things_put(rig->things, &rig->system, &rows[i]))) return false;
    }
    return true;
}

static bool start(struct serve_rig *rig, size_t max_connections) {
    static const struct serve_number rows[] = {
        {"weft_series_rows_total", "", "rows kept", false, offsetof(struct series_stats, rows)}, {.name = NULL}};
    const struct serve_check check = {"disk", check_health, rig};
    static struct serve_check checks[1];
    static struct serve_numbers numbers[1];
    checks[0] = check;
    numbers[0] = (struct serve_numbers){rows, read_series, rig, sizeof(struct series_stats)};
    struct serve_options options = {.listen = "127.0.0.1:0",
                                    .max_connections = max_connections,
                                    .version = "0.0.test",
                                    .clock = &rig->clock,
                                    .people = rig->people,
                                    .devices = rig->devices,
                                    .things = rig->things,
                                    .documents = rig->documents,
                                    .records = rig->records,
                                    .imports = rig->imports,
                                    .spool = rig->dir,
                                    .agreements = rig->agreements,
                                    .disclosures = rig->disclosures,
                                    .view = rig->view,
                                    .query = rig->query,
                                    .catalog = &rig->cell,
                                    .rows_kept = rows_kept,
                                    .ingest = ingest,
                                    .models_changed = models_changed,
                                    .ctx = rig,
                                    .replay = {replay, rig},
                                    .checks = checks,
                                    .n_checks = 1,
                                    .numbers = numbers,
                                    .n_numbers = 1};
    struct serve *serve;
    if (!CHECK_OK(serve_start(&options, &serve))) return false;
    __atomic_store_n(&rig->serve, serve, __ATOMIC_RELEASE);
    return true;
}

bool serve_rig_open(struct serve_rig *rig, size_t max_connections) {
    return serve_rig_open_types(rig, max_connections, model_machinery()->types);
}

bool serve_rig_open_types(struct serve_rig *rig, size_t max_connections, const struct doctype *const *types) {
    *rig = (struct serve_rig){.types = types, .now = SERVE_RIG_START, .dir = unit_temp_dir(), .client = {.fd = -1}};
    rig->clock = (struct clock){.now = read_clock, .ctx = rig};
    if (!open_stores(rig) || !make_people(rig) || !make_things(rig) || !start(rig, max_connections)) return false;
    http_client_open(&rig->client, serve_address(rig->serve));
    return true;
}

void serve_rig_close(struct serve_rig *rig) {
    serve_rig_json(NULL, NULL, NULL, NULL, NULL, 0);
    http_client_close(&rig->client);
    serve_stop(__atomic_exchange_n(&rig->serve, NULL, __ATOMIC_ACQ_REL));
    if (rig->query) query_engine_close(rig->query);
    if (rig->view) view_close(rig->view);
    disclosures_close(rig->disclosures);
    agreements_close(rig->agreements);
    if (rig->series) series_close(rig->series);
    imports_close(rig->imports);
    if (rig->documents) documents_close(rig->documents);
    blobs_close(rig->blobs);
    if (rig->things) things_close(rig->things);
    if (rig->devices) device_close(rig->devices);
    if (rig->people) people_close(rig->people);
    if (rig->records) records_close(rig->records);
}

struct http_answer serve_rig_ask(struct serve_rig *rig, const char *token, const char *method, const char *target,
                                 const char *json) {
    char extra[256] = "", body[4096] = "";
    size_t n = 0;
    if (token) n = (size_t)snprintf(extra, sizeof extra, "Authorization: Bearer %s\r\n", token);
    if (json) snprintf(extra + n, sizeof extra - n, "Content-Type: application/json\r\n");
    if (json) snprintf(body, sizeof body, "%s", json);
    for (char *c = body; *c; c++)
        if (*c == '\'') *c = '"';
    return http_client_ask(&rig->client, method, target, extra, str_c(body));
}

/* The last tree is kept for whoever reads it; a call without a rig lets it go. */
const struct json *serve_rig_json(struct serve_rig *rig, const char *token, const char *method, const char *target,
                                  const char *json, int status) {
    static struct json *last;
    json_free(last);
    last = NULL;
    if (!rig) return NULL;
    struct http_answer a = serve_rig_ask(rig, token, method, target, json);
    if (!CHECK_INT(a.status, status)) CHECK_STR(a.body, str_c(target));
    if (json_parse(a.body, &last).code != ERR_NONE) json_parse(STR("{}"), &last);
    return last;
}

Str serve_rig_at(const struct json *root, const char *path) {
    static char text[8][512];
    static unsigned turn;
    char *out = text[turn++ % 8];
    const struct json *v = root;
    Str rest = str_c(path), part, tail;
    while (v && rest.len > 0) {
        int64_t i;
        str_cut(rest, '.', &part, &tail);
        rest = tail;
        snprintf(out, sizeof text[0], STR_FMT, STR_ARG(part));
        bool in_list = json_kind(v) == JSON_ARRAY && str_to_i64(part, &i);
        v = in_list ? ((size_t)i < json_len(v) ? json_at(v, (size_t)i) : NULL) : json_get(v, out);
    }
    if (!v) return STR("absent");
    switch (json_kind(v)) {
    case JSON_STRING: return json_str(v);
    case JSON_NULL: return STR("null");
    case JSON_BOOL: return json_bool(v) ? STR("true") : STR("false");
    case JSON_INT: snprintf(out, sizeof text[0], "%lld", (long long)json_int(v)); return str_c(out);
    case JSON_REAL: return num_format(json_num(v), out);
    case JSON_ARRAY: snprintf(out, sizeof text[0], "[%zu]", json_len(v)); return str_c(out);
    case JSON_OBJECT: return STR("{}");
    }
    return STR("?");
}

void serve_rig_sample(struct serve_rig *rig, const char *thing, Nanos at, double value) {
    struct series_commit commit = {0};
    ThingId id;
    MetricId metric;
    CHECK_OK(series_thing(rig->series, rig->acme, str_c(thing), &id));
    CHECK_OK(series_metric(rig->series, STR("volt"), &metric));
    rows_clear(&commit.rows);
    rows_begin(&commit.rows, id, at, 0);
    rows_value(&commit.rows, metric, VALUE_F(value));
    rows_end(&commit.rows);
    CHECK_OK(series_write(rig->series, &commit));
    rows_fini(&commit.rows);
}
