#include "tests/lib/serve_gate_world.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store/series.h"
#include "trust/disclosures.h"
#include "trust/people.h"

/* Few words of each failure; a broken gate would print thousands. */
void gate_world_fault(struct world *w, const char *target, const char *what, Str body) {
    if (w->faults++ < FAULTS_MAX)
        printf("  agreement %lld, %s: %s\n    " STR_FMT "\n", w->agreement, target, what,
               STR_ARG(str_slice(body, 0, 600)));
}

/* ---- asking */

const char *gate_world_escape(const char *text, char *out, size_t size) {
    size_t n = 0;
    for (const unsigned char *c = (const unsigned char *)text; *c && n + 4 < size; c++) {
        bool plain = (*c >= '0' && *c <= '9') || ((*c | 0x20) >= 'a' && (*c | 0x20) <= 'z');
        n += (size_t)snprintf(out + n, size - n, plain ? "%c" : "%%%02X", *c);
    }
    out[n] = '\0';
    return out;
}

/* No text of a document or field that is not given occurs in the answer. */
void gate_world_secrets(struct world *w, const char *target, Str body) {
    for (size_t i = 0; i < w->n_secrets; i++) {
        const struct secret *s = &w->secrets[i];
        const struct gate_model_type *t = &w->model.terms[s->type];
        const struct json *doc = json_at(json_get(w->model.docs[s->type], "items"), s->doc);
        bool given = t->given && !t->aggregates && t->fields[s->column] && gate_model_shows(&w->model, s->type, doc);
        if (!given && str_find(body, str_c(s->text)) >= 0) gate_world_fault(w, target, s->text, body);
    }
}

static uint64_t noted(struct world *w) {
    struct disclosures_stats stats;
    disclosures_stats(w->rig.disclosures, &stats);
    return stats.noted;
}

/* Under the round's agreement. tree: of a 200; json_free it. A success is in the owner's log, a refusal is not. */
int gate_world_ask(struct world *w, const char *target, struct json **tree, char detail[256]) {
    char whole[1200];
    struct json *problem = NULL;
    w->asked++;
    snprintf(whole, sizeof whole, "%s%cagreement=%lld", target, strchr(target, '?') ? '&' : '?', w->agreement);
    struct http_answer a = serve_rig_ask(&w->rig, w->reader, "GET", whole, NULL);
    w->last = a.body;
    uint64_t before = w->noted;
    w->noted = noted(w);
    if (w->noted - before != (a.status == 200 ? 1 + w->also : 0))
        gate_world_fault(w, whole, "not once in the owner's log", a.body);
    if (a.status == 200 && !w->adds) gate_world_secrets(w, whole, a.body);
    if (a.status == 200 && tree && json_parse(a.body, tree).code != ERR_NONE)
        gate_world_fault(w, whole, "no JSON", a.body);
    w->also = 0;
    w->adds = false;
    detail[0] = '\0';
    if (a.status != 200 && json_parse(a.body, &problem).code == ERR_NONE)
        snprintf(detail, 256, STR_FMT, STR_ARG(json_get_str(problem, "detail", (Str){0})));
    json_free(problem);
    return a.status;
}

void gate_world_refused(struct world *w, const char *target, int status, const char *text) {
    struct json *tree = NULL;
    char detail[256];
    int got = gate_world_ask(w, target, &tree, detail);
    json_free(tree);
    if (got != status || (text && strcmp(detail, text) != 0))
        gate_world_fault(w, target, text ? text : "refused", str_c(detail));
}

/* ---- the agreement of a round */

struct text {
    char at[3900];
    size_t n;
};
__attribute__((format(printf, 2, 3))) static void add(struct text *t, const char *fmt, ...) {
    va_list args;
    va_start(args, fmt);
    int n = vsnprintf(t->at + t->n, sizeof t->at - t->n, fmt, args);
    va_end(args);
    ASSERT(n >= 0 && t->n + (size_t)n < sizeof t->at);
    t->n += (size_t)n;
}

static bool may_give(const struct field *f) {
    return (f->share == SHARE_PARTNERS || f->share == SHARE_PUBLIC) && f->custom_of != 2;
}

static void draw_rows(struct world *w, size_t type) {
    static const char *const ops[] = {"eq", "ne", "lt", "le", "gt", "ge"};
    struct gate_model_type *t = &w->model.terms[type];
    for (size_t tries = below(w, GATE_MODEL_ROWS + 1); tries > 0; tries--) {
        struct gate_model_row row = {.op = ops[below(w, 2)]};
        const struct doctype *dt = w->model.types[type];
        size_t i = below(w, dt->n_fields + 1);
        const struct json *from = json_at(docs_of(w, type), below(w, json_len(docs_of(w, type))));
        row.field = i == dt->n_fields ? "state" : dt->fields[i].name;
        enum field_kind kind = i == dt->n_fields ? FIELD_TEXT : dt->fields[i].kind;
        bool ordered = kind == FIELD_INT || kind == FIELD_NUMBER || kind == FIELD_DECIMAL || kind == FIELD_TIME;
        if (kind == FIELD_JSON || !gate_model_text(from, row.field, row.value)) continue;
        if (i < dt->n_fields && (dt->fields[i].custom_of == 2 || dt->fields[i].share == SHARE_SECRET)) continue;
        if (ordered) row.op = ops[2 + below(w, 4)];
        t->rows[t->n_rows++] = row;
    }
}

static void draw_type(struct world *w, size_t type) {
    struct gate_model_type *t = &w->model.terms[type];
    const struct doctype *dt = w->model.types[type];
    unsigned percent = chance(w, 20) ? 100 : 45;
    size_t n = 0;
    *t = (struct gate_model_type){.given = chance(w, 75)};
    if (!t->given) return;
    for (size_t c = 0; c < gate_model_columns(&w->model, type); c++) {
        if (c >= 6 && !may_give(&dt->fields[c - 6])) continue;
        t->fields[c] = chance(w, percent);
        n += t->fields[c];
    }
    if (n == 0) t->fields[6] = true;
    t->aggregates = chance(w, 20);
    draw_rows(w, type);
}

static void draw_series(struct world *w) {
    static const char *const resolutions[] = {"raw", "hourly", "index"};
    w->model.n_series = below(w, GATE_MODEL_SERIES + 1);
    for (size_t i = 0; i < w->model.n_series; i++) {
        struct gate_model_series *s = &w->model.series[i];
        *s = (struct gate_model_series){.every_thing = chance(w, 30),
                                        .every_metric = chance(w, 40),
                                        .model = chance(w, 40) ? "model3" : NULL,
                                        .resolution = resolutions[below(w, 3)]};
        for (size_t k = 0; k < GATE_MODEL_THINGS; k++) s->things[k] = chance(w, 40);
        s->things[below(w, GATE_MODEL_THINGS)] = true;
        s->metrics[below(w, GATE_MODEL_METRICS)] = true;
    }
}

static void draw_terms(struct world *w) {
    bool groups = false;
    for (size_t type = 0; type < GATE_MODEL_TYPES; type++) {
        draw_type(w, type);
        groups = groups || (w->model.terms[type].given && w->model.terms[type].aggregates);
    }
    draw_series(w);
    w->model.min_group = groups ? 2 + (int64_t)below(w, 5) : chance(w, 60) ? 0 : (int64_t)below(w, 6);
    w->model.from = chance(w, 50) ? INT64_MIN : SERVE_RIG_START + (Nanos)below(w, 269) * NANOS_PER_MIN;
    w->model.to = INT64_MAX;
    for (size_t type = 0; type < GATE_MODEL_TYPES; type++)
        if (w->model.terms[type].given) return;
    if (w->model.n_series == 0) draw_terms(w); /* nothing at all is no agreement */
}

static void write_type(const struct world *w, size_t type, struct text *t) {
    const struct gate_model_type *m = &w->model.terms[type];
    const char *comma = "";
    add(t, "%s{'type':'%s','aggregates':%s,'fields':[", t->at[t->n - 1] == '}' ? "," : "", serve_types[type]->name,
        m->aggregates ? "true" : "false");
    for (size_t c = 0; c < gate_model_columns(&w->model, type); c++) {
        if (!m->fields[c]) continue;
        add(t, "%s'%s'", comma, gate_model_column_name(&w->model, type, (int)c));
        comma = ",";
    }
    add(t, "],'rows':[");
    for (size_t i = 0; i < m->n_rows; i++)
        add(t, "%s{'field':'%s','op':'%s','value':'%s'}", i ? "," : "", m->rows[i].field, m->rows[i].op,
            m->rows[i].value);
    add(t, "]}");
}

static void write_series(const struct gate_model_series *s, struct text *t) {
    const char *comma = "";
    add(t, "%s{'resolution':'%s'", t->at[t->n - 1] == '}' ? "," : "", s->resolution);
    if (s->model) add(t, ",'model':'%s'", s->model);
    if (!s->every_metric) add(t, ",'metrics':[");
    for (size_t i = 0; i < GATE_MODEL_METRICS && !s->every_metric; i++)
        if (s->metrics[i]) add(t, "%s'%s'", comma, gate_model_metrics[i]), comma = ",";
    if (!s->every_metric) add(t, "]");
    comma = "";
    if (!s->every_thing) add(t, ",'things':[");
    for (size_t i = 0; i < GATE_MODEL_THINGS && !s->every_thing; i++)
        if (s->things[i]) add(t, "%s'%s'", comma, gate_model_things[i]), comma = ",";
    add(t, s->every_thing ? "}" : "]}");
}

bool gate_world_agree(struct world *w) {
    struct text t = {.n = 0};
    char target[80], time[TIME_TEXT_MAX];
    struct serve_rig *rig = &w->rig;
    draw_terms(w);
    add(&t, "{'owner':'acme','title':'Round','terms':{'purpose':'a test','min_group':%lld",
        (long long)w->model.min_group);
    if (w->model.from != INT64_MIN) {
        Str from = time_format(w->model.from, time);
        add(&t, ",'from':'" STR_FMT "'", STR_ARG(from));
    }
    add(&t, ",'types':[");
    for (size_t i = 0; i < GATE_MODEL_TYPES; i++)
        if (w->model.terms[i].given) write_type(w, i, &t);
    add(&t, "],'series':[");
    for (size_t i = 0; i < w->model.n_series; i++) write_series(&w->model.series[i], &t);
    add(&t, "]}}");
    const struct json *v = serve_rig_json(rig, rig->stranger, "POST", "/api/v1/agreements", t.at, 201);
    w->agreement = json_get_int(v, "id", 0);
    snprintf(target, sizeof target, "/api/v1/agreements/%lld/accept", w->agreement);
    v = serve_rig_json(rig, rig->manager, "POST", target, NULL, 200);
    if (CHECK_AT(v, "state", "active")) return true;
    printf("  %s\n", t.at);
    return false;
}

/* ---- acme's data */

static bool unset(struct world *w, const struct field *f) { return !f->required && chance(w, 20); }

/* A value that occurs once: letters and place for texts, eleven digits for numbers. */
static void add_value(struct world *w, struct text *t, const struct field *f, size_t type, size_t doc, size_t field) {
    unsigned long long mark = 10000 * (type + 1) + 100 * doc + field;
    add(t, "%s'%s':", t->at[t->n - 1] == '{' ? "" : ",", f->name);
    switch (f->kind) {
    case FIELD_INT: add(t, "710000%llu", mark); break;
    case FIELD_NUMBER: add(t, "720000%llu.5", mark); break;
    case FIELD_DECIMAL: add(t, "'730000%llu.25'", mark); break;
    case FIELD_BOOL: add(t, chance(w, 50) ? "true" : "false"); break;
    case FIELD_CHOICE: add(t, "'%s'", f->choices[below(w, f->choices[2].name ? 3 : 2)].name); break;
    case FIELD_TIME: add(t, "'2013-%02zu-%02zuT07:%02zu:41Z'", 1 + doc % 12, 1 + doc / 12, field); break;
    case FIELD_REF: add(t, "%zu", 1 + below(w, CUSTOMERS)); break;
    case FIELD_THING: add(t, "'%s'", gate_model_things[below(w, GATE_MODEL_THINGS)]); break;
    case FIELD_JSON: add(t, "{'k':'json%lluq'}", mark); break;
    default: add(t, "'%c%c%lluq'", f->name[0], (char)('a' + below(w, 3)), mark); break;
    }
}

static void make_docs(struct world *w, size_t type, size_t n, const char *token, PartyId party) {
    char target[80];
    snprintf(target, sizeof target, "/api/v1/docs/%s", serve_types[type]->name);
    for (size_t doc = 0; doc < n; doc++) {
        struct text t = {.at = "{", .n = 1};
        const struct doctype *dt = serve_types[type];
        for (size_t i = 0; i < dt->n_fields; i++) {
            bool elsewhere = party == 2 && (dt->fields[i].kind == FIELD_REF || dt->fields[i].kind == FIELD_THING);
            bool stranger = dt->fields[i].custom_of && dt->fields[i].custom_of != party;
            if (!elsewhere && !stranger && !unset(w, &dt->fields[i]))
                add_value(w, &t, &dt->fields[i], type, party == 2 ? 50 + doc : doc, i);
        }
        add(&t, "}");
        atomic_fetch_add(&w->rig.now, NANOS_PER_S);
        const struct json *v = serve_rig_json(&w->rig, token, "POST", target, t.at, 201);
        char close[120];
        snprintf(close, sizeof close, "%s/%lld/close", target, (long long)json_get_int(v, "id", 0));
        atomic_fetch_add(&w->rig.now, NANOS_PER_S);
        if (chance(w, 40)) serve_rig_json(&w->rig, token, "POST", close, NULL, 200);
    }
}

static void make_samples(struct world *w) {
    struct series_commit commit = {0};
    rows_clear(&commit.rows);
    for (size_t thing = 0; thing < GATE_MODEL_THINGS; thing++) {
        ThingId id;
        CHECK_OK(series_thing(w->rig.series, w->rig.acme, str_c(gate_model_things[thing]), &id));
        for (int i = 0; i < GATE_MODEL_MINUTES; i++) {
            rows_begin(&commit.rows, id, SERVE_RIG_START + i * NANOS_PER_MIN, 0);
            for (int k = 0; k < GATE_MODEL_METRICS; k++) {
                MetricId metric;
                CHECK_OK(series_metric(w->rig.series, str_c(gate_model_metrics[k]), &metric));
                double v = 100 * (double)(thing + 1) + 10 * k + (double)below(w, 1000) / 8;
                w->model.samples[thing][k][i] = v;
                rows_value(&commit.rows, metric, VALUE_F(v));
            }
            rows_end(&commit.rows);
        }
    }
    CHECK_OK(series_write(w->rig.series, &commit));
    rows_fini(&commit.rows);
}

static void keep_secret(struct world *w, const char *text, size_t type, size_t doc, int column) {
    for (size_t i = 0; i < w->n_secrets; i++)
        if (strstr(w->secrets[i].text, text) || strstr(text, w->secrets[i].text)) { /* not once: it proves nothing */
            w->secrets[i] = w->secrets[--w->n_secrets];
            return;
        }
    ASSERT(w->n_secrets < SECRETS_MAX);
    struct secret *s = &w->secrets[w->n_secrets++];
    *s = (struct secret){.type = type, .doc = doc, .column = column};
    snprintf(s->text, sizeof s->text, "%s", text);
}

static void learn_docs(struct world *w, size_t type) {
    char target[80], text[64];
    snprintf(target, sizeof target, "/api/v1/docs/%s?limit=1000", serve_types[type]->name);
    struct http_answer a = serve_rig_ask(&w->rig, w->rig.manager, "GET", target, NULL);
    CHECK_INT(a.status, 200);
    CHECK_OK(json_parse(a.body, &w->model.docs[type]));
    for (size_t doc = 0; doc < json_len(docs_of(w, type)); doc++)
        for (size_t c = 0; c < gate_model_columns(&w->model, type); c++) {
            enum field_kind kind = gate_model_kind(&w->model, type, (int)c);
            const char *name = gate_model_column_name(&w->model, type, (int)c);
            const struct json *item = json_at(docs_of(w, type), doc);
            bool once = kind != FIELD_BOOL && kind != FIELD_CHOICE && kind != FIELD_REF && kind != FIELD_THING;
            if (!once || c == 1 || c == 2 || c == 5) continue;
            if (kind == FIELD_JSON && json_get(item, name) && json_kind(json_get(item, name)) == JSON_OBJECT)
                snprintf(text, sizeof text, STR_FMT, STR_ARG(json_get_str(json_get(item, name), "k", (Str){0})));
            else if (!gate_model_text(item, name, text))
                continue;
            bool theirs_too = c == 0 && strcmp(text + 3, "000003") <= 0; /* other has these numbers of its own */
            if (text[0] && !theirs_too) keep_secret(w, text, type, doc, (int)c);
        }
}

bool gate_world_touch(struct world *w, size_t type, size_t doc) {
    char target[80], body[160];
    const struct json *item = json_at(docs_of(w, type), doc);
    const char *field = serve_types[type]->fields[0].name;
    Str text = json_get_str(item, field, (Str){0});
    if (!str_eq_c(json_get_str(item, "state", (Str){0}), "open") || text.len == 0) return false;
    snprintf(target, sizeof target, "/api/v1/docs/%s/%lld", serve_types[type]->name,
             (long long)json_get_int(item, "id", 0));
    snprintf(body, sizeof body, "{'%s':'" STR_FMT "~'}", field, STR_ARG(text));
    serve_rig_json(&w->rig, w->rig.manager, "PATCH", target, body, 200);
    snprintf(target, sizeof target, "/api/v1/docs/%s?limit=1000", serve_types[type]->name);
    struct http_answer a = serve_rig_ask(&w->rig, w->rig.manager, "GET", target, NULL);
    json_free(w->model.docs[type]);
    CHECK_OK(json_parse(a.body, &w->model.docs[type]));
    return true;
}

bool gate_world_noted(struct world *w, uint64_t n) {
    uint64_t before = w->noted;
    w->noted = noted(w);
    return w->noted - before == n;
}

bool gate_world_open(struct world *w) {
    static const size_t sizes[] = {ORDERS, CUSTOMERS, MEMOS};
    PartyId third;
    if (!serve_rig_open_types(&w->rig, 0, serve_types)) return false;
    struct serve_rig *rig = &w->rig;
    struct principal other = principal_system(rig->other, "test");
    w->model.types = serve_types;
    CHECK_INT(rig->acme, 1);
    CHECK_INT(rig->other, 2);
    if (!CHECK_OK(people_party(rig->people, STR("third"), &third))) return false;
    struct principal last = principal_system(third, "test");
    CHECK_OK(people_token(rig->people, &other, rig->other, STR("vera"), ROLE_VIEWER, w->viewer));
    CHECK_OK(people_token(rig->people, &last, third, STR("theo"), ROLE_MANAGER, w->third));
    for (size_t type = GATE_MODEL_TYPES; type-- > 0;) make_docs(w, type, sizes[type], rig->manager, 1);
    for (size_t type = 0; type < GATE_MODEL_TYPES; type++) make_docs(w, type, 3, rig->stranger, 2);
    for (size_t type = 0; type < GATE_MODEL_TYPES; type++) learn_docs(w, type);
    atomic_store(&rig->now, SERVE_RIG_START + GATE_MODEL_MINUTES * NANOS_PER_MIN);
    make_samples(w);
    CHECK_OK(documents_search_now(rig->documents));
    w->noted = noted(w);
    return true;
}

void gate_world_close(struct world *w) {
    for (size_t i = 0; i < GATE_MODEL_TYPES; i++) json_free(w->model.docs[i]);
    serve_rig_close(&w->rig);
}
