/*
 * How an event is answered once: before its first action a rule notes, durably, which event it is at (`begun`). If it
 * comes to the same event again, it was interrupted, and each action first looks for what it did: a document made under
 * the name of this very action, a value that stands already, a state that is reached, a notification of this source.
 */
#include "act/rules.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "act/notify.h"
#include "act/rule_text.h"
#include "base/hash.h"
#include "base/log.h"
#include "os/thread.h"
#include "store/records_system.h"
#include "store/records_txn.h"
#include "trust/gate.h"

#define LOOK_EVERY (5 * NANOS_PER_S)
#define EACH_MAX 1000 /* documents that a schedule looks at in one page */
#define PARTIES_MAX 10000

enum {
    STATE_RULE = 2,
    STATE_DISABLED,
    STATE_BEGUN,
    STATE_RUNS,
    STATE_FAILURES,
    STATE_LAST,
    STATE_ERROR,
    STATE_COLUMNS
};
static const struct record_column state_columns[STATE_COLUMNS] = {
    {.name = "id", .kind = RECORD_INT},
    {.name = "party", .kind = RECORD_INT, .required = true}, /* 0: the place of a schedule, as `begun` */
    [STATE_RULE] = {.name = "rule", .kind = RECORD_TEXT, .required = true, .unique = RECORD_UNIQUE_IN_PARTY},
    [STATE_DISABLED] = {.name = "disabled", .kind = RECORD_BOOL},
    [STATE_BEGUN] = {.name = "begun", .kind = RECORD_TEXT},
    [STATE_RUNS] = {.name = "runs", .kind = RECORD_INT},
    [STATE_FAILURES] = {.name = "failures", .kind = RECORD_INT},
    [STATE_LAST] = {.name = "last", .kind = RECORD_INT},
    [STATE_ERROR] = {.name = "error", .kind = RECORD_TEXT},
};
static const struct record_table state_table = {
    .name = "rule_state", .columns = state_columns, .n_columns = STATE_COLUMNS};

struct rules {
    struct rules_options options;
    struct reaction reactions[2];
    struct reaction_timer timers[2];
    char unsent[128]; /* the command that failed last, in this process: it may be tried again */
};

/* One rule at one event. */
struct run {
    struct rules *rules;
    const struct rule *rule;
    PartyId party;
    Str event; /* "17" of the outbox, "s20521.44" of a schedule and a document */
    int depth;
    bool again; /* it was begun before */
    struct doc *doc;
    struct json *json; /* of doc */
    struct arena *arena;
    size_t action;
};

static Str text_of(Value v) { return v.kind == VALUE_STRING ? v.s : (Str){0}; }
static int64_t int_of(Value v) { return v.kind == VALUE_INT ? v.i : 0; }

const struct rule *rules_named(const struct catalog *catalog, Str name) {
    for (size_t i = 0; i < catalog->n_rules; i++)
        if (str_eq_c(name, catalog->rules[i].name)) return &catalog->rules[i];
    return NULL;
}

/* ---- what is kept of a rule and a party */
struct keeping {
    PartyId party;
    Str rule;
    unsigned columns[4];
    Value values[4];
    size_t n;
    int64_t runs, failures; /* added */
    struct arena *arena;
    Value *row;
};

static Err find_state(void *ctx, struct records_txn *txn) {
    struct keeping *k = ctx;
    struct lens lens = gate_lens_party(k->party, "rules");
    return records_txn_find(txn, &lens, &state_table, STATE_RULE, VALUE_S(k->rule), k->arena, &k->row);
}

static Err keep_state(void *ctx, struct records_txn *txn) {
    struct keeping *k = ctx;
    int64_t id;
    TRY(find_state(k, txn));
    Value fresh[STATE_COLUMNS] = {[RECORD_PARTY] = VALUE_I(k->party), [STATE_RULE] = VALUE_S(k->rule)};
    if (!k->row) TRY(records_txn_insert(txn, &state_table, fresh, &id));
    if (!k->row) TRY(find_state(k, txn));
    unsigned columns[6];
    Value values[6];
    memcpy(columns, k->columns, sizeof k->columns);
    memcpy(values, k->values, sizeof k->values);
    size_t n = k->n;
    columns[n] = STATE_RUNS, values[n++] = VALUE_I(int_of(k->row[STATE_RUNS]) + k->runs);
    columns[n] = STATE_FAILURES, values[n++] = VALUE_I(int_of(k->row[STATE_FAILURES]) + k->failures);
    return records_txn_update(txn, &state_table, k->row[RECORD_ID].i, columns, values, n);
}

static Err read_state(struct rules *r, PartyId party, Str rule, struct arena *arena, Value **row) {
    struct keeping k = {.party = party, .rule = rule, .arena = arena};
    TRY(records_read(r->options.records, find_state, &k));
    *row = k.row;
    return err_none();
}

static Err write_begun(struct rules *r, PartyId party, Str rule, Str event, struct arena *arena) {
    struct keeping k = {
        .party = party, .rule = rule, .columns = {STATE_BEGUN}, .values = {VALUE_S(event)}, .n = 1, .arena = arena};
    return records_write(r->options.records, keep_state, &k);
}

static Err write_end(const struct run *run, const Err *err) {
    bool failed = err->code != ERR_NONE;
    struct keeping k = {.party = run->party,
                        .rule = str_c(run->rule->name),
                        .columns = {STATE_LAST, STATE_ERROR},
                        .values = {VALUE_I(clock_now(run->rules->options.clock)),
                                   failed ? VALUE_S(str_c(err->text)) : (Value){.kind = VALUE_NONE}},
                        .n = 2,
                        .runs = 1,
                        .failures = failed,
                        .arena = run->arena};
    return records_write(run->rules->options.records, keep_state, &k);
}

Err rules_state(struct rules *r, PartyId party, Str rule, struct arena *arena, struct rules_state *out) {
    Value *row;
    TRY(read_state(r, party, rule, arena, &row));
    *out = (struct rules_state){.enabled = true};
    if (!row) return err_none();
    *out = (struct rules_state){.enabled = !(row[STATE_DISABLED].kind == VALUE_BOOL && row[STATE_DISABLED].b),
                                .runs = int_of(row[STATE_RUNS]),
                                .failures = int_of(row[STATE_FAILURES]),
                                .last = int_of(row[STATE_LAST]),
                                .error = text_of(row[STATE_ERROR])};
    return err_none();
}

Err rules_enable(struct rules *r, const struct principal *who, Str rule, bool enabled) {
    struct arena arena;
    if (!principal_may(who, ROLE_STAFF)) return err_make(ERR_FORBIDDEN, "rules are switched by operators and managers");
    if (!rules_named(catalog_get(r->options.catalog), rule))
        return err_make(ERR_NOT_FOUND, "no rule is called that: list them at /api/v1/rules");
    arena_init(&arena, 0);
    struct keeping k = {.party = who->party,
                        .rule = rule,
                        .columns = {STATE_DISABLED},
                        .values = {VALUE_B(!enabled)},
                        .n = 1,
                        .arena = &arena};
    Err err = records_write(r->options.records, keep_state, &k);
    arena_fini(&arena);
    return err;
}

/* ---- actions */

/* "system:rule:NAME#EVENT.ACTION~DEPTH": who made it, unique to this action at this event. */
static struct principal actor(const struct run *run) {
    char what[64];
    Str name = str_slice(str_c(run->rule->name), 0, 16);
    snprintf(what, sizeof what, "rule:" STR_FMT "-%04x#" STR_FMT ".%zu~%d", STR_ARG(name),
             (unsigned)(hash_str(str_c(run->rule->name)) & 0xffff), STR_ARG(run->event), run->action, run->depth);
    return principal_system(run->party, what);
}

static struct rule_text texts(const struct run *run) {
    return (struct rule_text){.doc = run->json, .now = clock_now(run->rules->options.clock), .arena = run->arena};
}

static struct lens whole(const struct run *run) { return gate_lens_party(run->party, "rules"); }

static Err no_type(const char *type) {
    return err_make(ERR_STATE, "document type '%s' is not installed any more", type ? type : "");
}

static Err made_before(const struct run *run, const struct doctype *type, const struct principal *who, bool *out) {
    struct lens lens = whole(run);
    struct doc_filter by = {.field = "created_by", .op = DOC_EQ, .value = VALUE_S(str_c(who->name))};
    struct doc_query query = {.filters = &by, .n_filters = 1, .limit = 1, .no_total = true};
    struct doc_page page;
    TRY(documents_list(run->rules->options.documents, &lens, type, &query, run->arena, &page));
    *out = page.n > 0;
    return err_none();
}

static Err parse_object(const struct run *run, const struct doctype *type, const struct rule_action *a,
                        struct json **out) {
    struct rule_text t = texts(run);
    return json_parse(rule_text_object(&t, type, a->sets, a->n_sets), out);
}

static Err create(const struct run *run, const struct rule_action *a) {
    struct documents *d = run->rules->options.documents;
    const struct doctype *type = a->type ? documents_type(d, str_c(a->type)) : NULL;
    struct principal who = actor(run);
    struct json *json = NULL;
    struct doc *made;
    bool before = false;
    if (!type) return no_type(a->type);
    if (run->again) TRY(made_before(run, type, &who, &before));
    if (before) return err_none();
    TRY(parse_object(run, type, a, &json));
    Err err = documents_create(d, &who, type, &(struct doc_change){.json = json}, run->arena, &made);
    json_free(json);
    return err;
}

/* The document that an action is done to: the rule's own, or the one its reference leads to; *out NULL: none. */
static Err target_of(const struct run *run, const struct rule_action *a, struct doc **out) {
    struct documents *d = run->rules->options.documents;
    struct lens lens = whole(run);
    *out = run->doc;
    if (!run->doc) return err_make(ERR_STATE, "there is no document that this rule is about");
    if (!a->target) return err_none();
    int at = doctype_field(run->doc->type, str_c(a->target));
    const struct doctype *type = a->type ? documents_type(d, str_c(a->type)) : NULL;
    if (at < 0 || !type) return no_type(a->type);
    *out = NULL;
    if (run->doc->values[at].kind != VALUE_INT) return err_none(); /* it refers to nothing */
    return documents_get(d, &lens, type, run->doc->values[at].i, run->arena, out);
}

/* Done again it gives the same values, which changes nothing. */
static Err update(const struct run *run, const struct rule_action *a) {
    struct documents *d = run->rules->options.documents;
    struct principal who = actor(run);
    struct json *json = NULL;
    struct doc *doc, *changed;
    TRY(target_of(run, a, &doc));
    if (!doc) return err_none();
    TRY(parse_object(run, doc->type, a, &json));
    Err err = documents_change(d, &who, doc->type, doc->id, &(struct doc_change){.json = json}, run->arena, &changed);
    json_free(json);
    return err;
}

static Err step(const struct run *run, const struct rule_action *a) {
    struct documents *d = run->rules->options.documents;
    struct principal who = actor(run);
    struct json *json = NULL;
    struct doc *doc, *moved;
    TRY(target_of(run, a, &doc));
    if (!doc) return err_none();
    if (a->n_sets > 0) TRY(parse_object(run, doc->type, a, &json));
    Err err = documents_transition(d, &who, doc->type, doc->id, str_c(a->name), &(struct doc_change){.json = json},
                                   run->arena, &moved);
    json_free(json);
    return err.code == ERR_STATE && run->again ? err_none() : err; /* it is there already */
}

static unsigned roles_of(Str name) {
    enum role role;
    if (str_eq_c(name, "staff")) return ROLE_STAFF;
    if (str_eq_c(name, "people")) return ROLE_PEOPLE;
    return principal_role_parse(name, &role) ? ROLE_BIT(role) : 0;
}

static Err tell(const struct run *run, const struct rule_action *a) {
    struct rule_text t = texts(run);
    Str kind, name, target = rule_text_expand(&t, str_c(a->target));
    if (!run->rules->options.notify) return err_make(ERR_STATE, "this server sends no notifications");
    str_cut(target, ':', &kind, &name);
    struct notify_message m = {.party = run->party,
                               .text_en = rule_text_expand(&t, str_c(a->name)),
                               .text_zh = rule_text_expand(&t, str_c(a->text_zh ? a->text_zh : a->name)),
                               .type = run->doc ? str_c(run->doc->type->name) : (Str){0},
                               .doc = run->doc ? run->doc->id : 0,
                               .rule = str_c(run->rule->name)};
    if (str_eq_c(kind, "role")) m.roles = roles_of(name);
    if (str_eq_c(kind, "user")) m.user = name;
    if (str_eq_c(kind, "channel")) m.channel = name, m.roles = ROLE_STAFF;
    m.source = arena_printf(run->arena, "%s#" STR_FMT ".%zu", run->rule->name, STR_ARG(run->event), run->action);
    return notify_post(run->rules->options.notify, &m);
}

static Err command(const struct run *run, const struct rule_action *a) {
    struct rule_text t = texts(run);
    if (!run->rules->options.command) return err_make(ERR_STATE, "things take no commands here");
    Str thing = rule_text_expand(&t, arena_printf(run->arena, "{%s}", a->target));
    if (thing.len == 0) return err_none(); /* none is named */
    struct principal who = actor(run);
    char *unsent = run->rules->unsent;
    if (run->again && strcmp(unsent, who.name) != 0) return err_none(); /* a machine is not told twice */
    Err err = run->rules->options.command(run->rules->options.ctx, run->party, thing, str_c(a->name),
                                          rule_text_object(&t, NULL, a->sets, a->n_sets));
    snprintf(unsent, sizeof run->rules->unsent, "%s", err.code == ERR_NONE ? "" : who.name);
    return err;
}

static Err no_kernel(const struct run *run, const struct rule_action *a) {
    (void)run;
    return err_make(ERR_STATE, "kernel '%s' works on files: run it by /api/v1/kernels or weft run, not by a rule",
                    a->name ? a->name : "");
}

static Err act(struct run *run) {
    static Err (*const actions[])(const struct run *, const struct rule_action *) = {
        [RULE_CREATE] = create,    [RULE_UPDATE] = update,   [RULE_STEP] = step,
        [RULE_KERNEL] = no_kernel, [RULE_COMMAND] = command, [RULE_NOTIFY] = tell};
    for (run->action = 0; run->action < run->rule->n_actions; run->action++)
        TRY(actions[run->rule->actions[run->action].what](run, &run->rule->actions[run->action]));
    return err_none();
}

static bool worth_another_try(enum err_code code) {
    return code == ERR_BUSY || code == ERR_PRECONDITION || code == ERR_IO || code == ERR_TIMEOUT || code == ERR_CLOSED;
}

/* The document as it is now; gone meanwhile: *run->doc stays NULL. */
static Err load(struct run *run, const char *type_name, int64_t id) {
    struct documents *d = run->rules->options.documents;
    const struct doctype *type = documents_type(d, str_c(type_name));
    struct lens lens = whole(run);
    if (!type) return no_type(type_name);
    Err err = documents_get(d, &lens, type, id, run->arena, &run->doc);
    return err.code == ERR_NOT_FOUND ? err_none() : err;
}

static Err to_json(struct run *run) {
    struct buf text = {0};
    struct jw w;
    struct lens lens = whole(run);
    struct principal who = principal_system(run->party, "rules");
    if (!run->doc) return err_none();
    jw_init(&w, &text);
    documents_json(run->rules->options.documents, run->doc, &lens, &who, &w);
    Err err = json_parse(buf_view(&text), &run->json);
    buf_fini(&text);
    return err;
}

/* From "does it hold?" to "it is done": doc and event are set. */
static Err run_rule(struct run *run) {
    struct rules *r = run->rules;
    Str name = str_c(run->rule->name);
    Value *state;
    if (run->doc && !rule_text_holds(run->rule, run->doc, clock_now(r->options.clock), run->arena)) return err_none();
    TRY(read_state(r, run->party, name, run->arena, &state));
    if (state && state[STATE_DISABLED].kind == VALUE_BOOL && state[STATE_DISABLED].b) return err_none();
    run->again = state && str_eq(text_of(state[STATE_BEGUN]), run->event);
    if (!run->again) TRY(write_begun(r, run->party, name, run->event, run->arena));
    Err err = to_json(run);
    if (err.code == ERR_NONE) err = act(run);
    json_free(run->json);
    run->json = NULL;
    if (worth_another_try(err.code)) return err;
    if (err.code != ERR_NONE)
        LOG_WARN("rules.failed", LOG_C("rule", run->rule->name), LOG_S("event", run->event), LOG_C("reason", err.text));
    return write_end(run, &err);
}

/* ---- events */

/* The depth of a rule's write, and whether this rule made it: from "system:rule:NAME-HASH#EVENT.ACTION~DEPTH". */
static int depth_of(Str who) {
    Str head, depth;
    int64_t n;
    if (!str_starts(who, STR("system:rule:")) || !str_cut(who, '~', &head, &depth) || !str_to_i64(depth, &n)) return 0;
    return (int)n;
}

static bool made_by(const struct rule *rule, Str who) {
    char own[64];
    Str name = str_slice(str_c(rule->name), 0, 16);
    int n = snprintf(own, sizeof own, "system:rule:" STR_FMT "-%04x#", STR_ARG(name),
                     (unsigned)(hash_str(str_c(rule->name)) & 0xffff));
    return str_starts(who, str_n(own, (size_t)n));
}

static bool set_off(const struct rule *rule, const struct outbox_row *row) {
    if (rule->when == RULE_SCHEDULE || !rule->type || !str_eq_c(row->type, rule->type)) return false;
    if (rule->when == RULE_EVENT) return str_eq_c(row->what, "create"); /* `what` is the kind: looked at later */
    if (rule->what) return str_eq_c(row->what, rule->what);
    return rule->when != RULE_ALARM || str_eq_c(row->what, "create");
}

static bool kind_fits(const struct rule *rule, const struct doc *doc) {
    if (rule->when != RULE_EVENT || !rule->what) return true;
    int at = doctype_field(doc->type, STR("kind"));
    return at >= 0 && str_eq_c(text_of(doc->values[at]), rule->what);
}

static Err on_event(void *ctx, const struct reaction_event *event) {
    struct rules *r = ctx;
    const struct catalog *catalog = catalog_get(r->options.catalog);
    int depth = depth_of(event->row->who);
    for (size_t i = 0; i < catalog->n_rules; i++) {
        const struct rule *rule = &catalog->rules[i];
        if (!set_off(rule, event->row) || made_by(rule, event->row->who)) continue;
        if (depth >= RULES_DEPTH_MAX) {
            LOG_WARN("rules.chain", LOG_C("rule", rule->name), LOG_S("who", event->row->who));
            continue;
        }
        struct run run = {.rules = r,
                          .rule = rule,
                          .party = event->row->party,
                          .event = arena_printf(event->arena, "%lld", (long long)event->row->seq),
                          .depth = depth + 1,
                          .arena = event->arena};
        TRY(load(&run, rule->type, event->row->id));
        if (run.doc && kind_fits(rule, run.doc)) TRY(run_rule(&run));
    }
    return err_none();
}

/* ---- schedules */

/* The number of the moment that a schedule is at; it runs once in each. Daily ones count local days. */
static int64_t slot_of(const struct rule *rule, Nanos now) {
    if (rule->at_minute < 0) return now / (rule->every > 0 ? rule->every : NANOS_PER_DAY);
    time_t seconds = (time_t)(now / NANOS_PER_S);
    struct tm local;
    if (!localtime_r(&seconds, &local)) return 0;
    int64_t day = ((int64_t)seconds + local.tm_gmtoff) / 86400;
    return local.tm_hour * 60 + local.tm_min >= rule->at_minute ? day : day - 1;
}

static Err run_each(struct rules *r, const struct rule *rule, int64_t slot, struct arena *arena) {
    const struct doctype *type = documents_type(r->options.documents, str_c(rule->type));
    struct lens lens = gate_lens_system("schedules look at the documents of every party");
    struct doc_query query = {.sort = "id", .limit = EACH_MAX, .no_total = true};
    struct doc_page page;
    if (!type) return no_type(rule->type);
    do {
        TRY(documents_list(r->options.documents, &lens, type, &query, arena, &page));
        for (size_t i = 0; i < page.n; i++) {
            struct run run = {.rules = r,
                              .rule = rule,
                              .party = page.docs[i]->party,
                              .depth = 1,
                              .doc = page.docs[i],
                              .arena = arena};
            run.event = arena_printf(arena, "s%lld.%lld", (long long)slot, (long long)run.doc->id);
            TRY(run_rule(&run));
        }
        query.cursor = page.next;
    } while (page.next.len > 0);
    return err_none();
}

struct parties {
    struct arena *arena;
    struct record_page page;
};

static Err read_parties(void *ctx, struct records_txn *txn) {
    struct parties *p = ctx;
    struct lens lens = gate_lens_system("schedules run for every party");
    struct record_query query = {.sort = RECORD_ID, .limit = PARTIES_MAX};
    return records_txn_select(txn, &lens, &records_system_party, &query, p->arena, &p->page);
}

static Err run_once(struct rules *r, const struct rule *rule, int64_t slot, struct arena *arena) {
    struct parties p = {.arena = arena};
    TRY(records_read(r->options.records, read_parties, &p));
    for (size_t i = 0; i < p.page.n; i++) {
        struct run run = {.rules = r,
                          .rule = rule,
                          .party = (PartyId)p.page.rows[i][RECORD_ID].i,
                          .event = arena_printf(arena, "s%lld", (long long)slot),
                          .depth = 1,
                          .arena = arena};
        TRY(run_rule(&run));
    }
    return err_none();
}

/* The slot that was finished stands under party 0. A rule that is new waits for its next moment. */
static Err run_schedule(struct rules *r, const struct rule *rule, Nanos now, struct arena *arena) {
    Value *place;
    int64_t slot = slot_of(rule, now), done;
    Str name = str_c(rule->name);
    TRY(read_state(r, 0, name, arena, &place));
    if (place && str_to_i64(text_of(place[STATE_BEGUN]), &done)) {
        if (done >= slot) return err_none();
        TRY(rule->type ? run_each(r, rule, slot, arena) : run_once(r, rule, slot, arena));
    }
    return write_begun(r, 0, name, arena_printf(arena, "%lld", (long long)slot), arena);
}

static Err on_time(void *ctx, Nanos now, struct arena *arena) {
    struct rules *r = ctx;
    const struct catalog *catalog = catalog_get(r->options.catalog);
    for (size_t i = 0; i < catalog->n_rules; i++) {
        if (catalog->rules[i].when != RULE_SCHEDULE) continue;
        Err err = run_schedule(r, &catalog->rules[i], now, arena);
        if (err.code != ERR_NONE)
            LOG_WARN("rules.schedule", LOG_C("rule", catalog->rules[i].name), LOG_C("reason", err.text));
    }
    return err_none();
}

/* ---- */
Err rules_open(const struct rules_options *options, struct rules **out) {
    const struct record_table *tables[] = {&state_table};
    *out = NULL;
    TRY(records_declare(options->records, tables, 1));
    struct rules *r = calloc(1, sizeof *r);
    ASSERT(r);
    r->options = *options;
    r->reactions[0] = (struct reaction){.run = on_event};
    r->timers[0] = (struct reaction_timer){.name = "rules", .period = LOOK_EVERY, .run = on_time};
    *out = r;
    return err_none();
}

void rules_close(struct rules *r) { free(r); }

struct act_domain rules_domain(struct rules *r) {
    return (struct act_domain){.name = "rules", .reactions = r->reactions, .timers = r->timers, .ctx = r};
}
