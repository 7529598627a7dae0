#include "tests/lib/domain_rig.h"
#include "tests/lib/store_postgresql.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "base/num.h"
#include "store/records.h"
#include "tests/lib/model_machinery.h"
#include "trust/gate.h"

static Nanos now(void *ctx) { return atomic_load(&((struct domain_rig *)ctx)->now); }

static bool thing_exists(void *ctx, PartyId party, Str name) {
    char model[64];
    return things_model(ctx, party, name, model);
}

/* A commit's writer may still be on its way to call this when the caller has been answered. */
static void committed(void *ctx) {
    struct domain_rig *rig = ctx;
    thread_lock(&rig->guard);
    if (rig->act) act_wake(rig->act);
    thread_unlock(&rig->guard);
}

static void failed(void *ctx, PartyId party, Str thing, Str component, Nanos at) {
    (void)party, (void)thing, (void)component, (void)at;
    atomic_fetch_add(&((struct domain_rig *)ctx)->failed, 1);
}

void domain_rig_replaced(void *ctx, PartyId party, Str thing, Str component, Nanos at) {
    (void)party, (void)thing, (void)component;
    atomic_fetch_add(&((struct domain_rig *)ctx)->replaced, 1);
    atomic_store(&((struct domain_rig *)ctx)->replaced_at, at);
}

static bool open_act(struct domain_rig *rig) {
    struct service_options service = {.documents = rig->documents,
                                      .things = rig->things,
                                      .failed = failed,
                                      .replaced = domain_rig_replaced,
                                      .ctx = rig};
    if (!CHECK_OK(service_open(&service, &rig->service))) return false;
    struct act_domain domain = service_domain(rig->service);
    struct act_options options = {.documents = rig->documents,
                                  .clock = &rig->clock,
                                  .model_of = service_model_of,
                                  .ctx = rig->things,
                                  .domains = &domain,
                                  .n_domains = 1};
    documents_on_commit(rig->documents, committed, rig);
    struct act *act;
    if (!CHECK_OK(act_start(&options, &act))) return false;
    thread_lock(&rig->guard);
    rig->act = act;
    thread_unlock(&rig->guard);
    return true;
}

static bool open_all(struct domain_rig *rig) {
    struct documents_options options = {
        .types = model_machinery()->types, .clock = &rig->clock, .thing_exists = thing_exists};
    if (!CHECK_OK(records_open(
            &(struct records_options){.dir = rig->dir, .url = store_postgresql_for(rig->dir), .clock = &rig->clock},
            &rig->records)) ||
        !CHECK_OK(people_open(rig->records, &rig->clock, &rig->people)) ||
        !CHECK_OK(people_party(rig->people, STR("acme"), &rig->party)) ||
        !CHECK_OK(things_open(rig->records, &rig->clock, &rig->things)))
        return false;
    things_use(rig->things, model_machinery_cell());
    options.records = rig->records;
    options.thing_ctx = rig->things;
    return CHECK_OK(documents_open(&options, &rig->documents)) && open_act(rig);
}

static bool make_things(struct domain_rig *rig) {
    struct principal who = principal_system(rig->party, "test");
    struct thing_row rows[] = {
        {.name = STR("m-1"), .model = STR("model3"), .latitude = 31.0, .longitude = 121},
        {.name = STR("m-2"), .model = STR("model3"), .latitude = 31.2, .longitude = 121},
        {.name = STR("m-x"), .model = STR("open"), .latitude = NAN, .longitude = NAN},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        rows[i].party = rig->party;
        if (!CHECK_OK(things_put(rig->things, &who, &rows[i]))) return false;
    }
    return true;
}

bool domain_rig_open(struct domain_rig *rig) {
    *rig = (struct domain_rig){.now = DOMAIN_RIG_START};
    rig->clock = (struct clock){.now = now, .ctx = rig};
    arena_init(&rig->arena, 0);
    thread_mutex_init(&rig->guard);
    snprintf(rig->dir, sizeof rig->dir, "%s", unit_temp_dir());
    return open_all(rig) && make_things(rig);
}

static void close_all(struct domain_rig *rig) {
    struct act *act = rig->act;
    thread_lock(&rig->guard);
    rig->act = NULL;
    thread_unlock(&rig->guard);
    act_stop(act);
    service_close(rig->service);
    if (rig->documents) documents_close(rig->documents);
    if (rig->things) things_close(rig->things);
    if (rig->people) people_close(rig->people);
    if (rig->records) records_close(rig->records);
    rig->service = NULL;
    rig->documents = NULL;
    rig->things = NULL;
    rig->people = NULL;
    rig->records = NULL;
}

bool domain_rig_reopen(struct domain_rig *rig) {
    close_all(rig);
    return open_all(rig);
}

void domain_rig_close(struct domain_rig *rig) {
    close_all(rig);
    arena_fini(&rig->arena);
    thread_mutex_fini(&rig->guard);
}

void domain_rig_at(struct domain_rig *rig, double hours) {
    atomic_store(&rig->now, DOMAIN_RIG_START + (Nanos)(hours * (double)NANOS_PER_HOUR));
    act_drain(rig->act);
}

struct principal domain_rig_person(struct domain_rig *rig, const char *name, unsigned roles) {
    struct principal who = {.party = rig->party, .user = 1, .roles = roles};
    snprintf(who.name, sizeof who.name, "%s", name);
    return who;
}

/* ---- writing */
static Err write(struct domain_rig *rig, const struct doctype *type, int64_t id, const char *transition,
                 const char *text, struct doc **out) {
    struct principal who = domain_rig_person(rig, "li.wei", ROLE_STAFF | ROLE_BIT(ROLE_TECHNICIAN));
    struct json *json = NULL;
    char *quoted = arena_c(&rig->arena, str_c(text ? text : "{}"));
    for (char *c = quoted; *c; c++)
        if (*c == '\'') *c = '"';
    TRY(json_parse(str_c(quoted), &json));
    struct doc_change change = {.json = json};
    Err err = transition
                  ? documents_transition(rig->documents, &who, type, id, str_c(transition), &change, &rig->arena, out)
              : id ? documents_change(rig->documents, &who, type, id, &change, &rig->arena, out)
                   : documents_create(rig->documents, &who, type, &change, &rig->arena, out);
    json_free(json);
    act_drain(rig->act);
    return err;
}

int64_t domain_rig_make(struct domain_rig *rig, const struct doctype *type, const char *json) {
    struct doc *doc = NULL;
    CHECK_OK(write(rig, type, 0, NULL, json, &doc));
    return doc ? doc->id : 0;
}

Err domain_rig_move(struct domain_rig *rig, const struct doctype *type, int64_t id, const char *transition,
                    const char *json) {
    struct doc *doc;
    return write(rig, type, id, transition, json, &doc);
}

Err domain_rig_patch(struct domain_rig *rig, const struct doctype *type, int64_t id, const char *json) {
    struct doc *doc;
    return write(rig, type, id, NULL, json, &doc);
}

int64_t domain_rig_technician(struct domain_rig *rig, const char *name, const char *skills, double latitude) {
    char json[200];
    snprintf(json, sizeof json, "{'name':'%s','skills':'%s','latitude':%.4f,'longitude':121.0}", name, skills,
             latitude);
    return domain_rig_make(rig, model_machinery_type("technician"), json);
}

int64_t domain_rig_part(struct domain_rig *rig, const char *code, const char *component, int on_hand, double latitude) {
    char json[200];
    snprintf(json, sizeof json, "{'code':'%s','component':'%s','on_hand':'%d','latitude':%.4f,'longitude':121.0}", code,
             component, on_hand, latitude);
    return domain_rig_make(rig, model_machinery_type("part"), json);
}

void domain_rig_predict(struct domain_rig *rig, const char *thing, const char *component, double probability,
                        double hours) {
    struct finding f = {.kind = FINDING_PREDICTION,
                        .party = rig->party,
                        .thing = 1,
                        .thing_name = str_c(thing),
                        .component = str_c(component),
                        .at = DOMAIN_RIG_START + (Nanos)(hours * (double)NANOS_PER_HOUR),
                        .score = probability,
                        .horizon = 48 * NANOS_PER_HOUR,
                        .text = STR("failure-48h test"),
                        .n_reasons = 1};
    f.reasons[0] = (struct finding_reason){STR("rotate"), 2.5, STR("slower than \"usual\""), STR("低于平常")};
    act_finding(rig->act, &f);
    act_drain(rig->act);
}

/* ---- reading */
static struct doc_page list(struct domain_rig *rig, const struct doctype *type, const char *sort) {
    struct principal who = principal_system(rig->party, "test");
    struct lens lens;
    struct doc_page page = {.n = 0};
    CHECK_OK(gate_lens(&who, type, "test", &lens));
    CHECK_OK(documents_list(rig->documents, &lens, type, &(struct doc_query){.sort = sort, .limit = 1000}, &rig->arena,
                            &page));
    return page;
}

struct doc *domain_rig_get(struct domain_rig *rig, const struct doctype *type, int64_t id) {
    struct principal who = principal_system(rig->party, "test");
    struct lens lens;
    struct doc *doc = NULL;
    CHECK_OK(gate_lens(&who, type, "test", &lens));
    CHECK_OK(documents_get(rig->documents, &lens, type, id, &rig->arena, &doc));
    return doc;
}

size_t domain_rig_count(struct domain_rig *rig, const struct doctype *type) { return list(rig, type, "id").n; }

struct doc *domain_rig_newest(struct domain_rig *rig, const struct doctype *type) {
    struct doc_page page = list(rig, type, "-id");
    CHECK(page.n > 0);
    return page.n ? page.docs[0] : NULL;
}

Str domain_rig_show(struct domain_rig *rig, const struct doctype *type, int64_t id, const char *field) {
    struct doc *doc = domain_rig_get(rig, type, id);
    if (!doc) return STR("absent");
    if (strcmp(field, "state") == 0) return str_c(doctype_state_name(doc));
    Value v = doctype_get(doc, field);
    char text[NUM_TEXT_MAX];
    switch (v.kind) {
    case VALUE_NONE: return STR("");
    case VALUE_BOOL: return v.b ? STR("true") : STR("false");
    case VALUE_STRING: return v.s;
    case VALUE_INT: return arena_printf(&rig->arena, "%" PRId64, v.i);
    case VALUE_FLOAT: return arena_str(&rig->arena, num_format(v.f, text));
    }
    return STR("");
}
