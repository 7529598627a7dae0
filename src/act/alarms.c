#include "act/alarms.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/map.h"
#include "trust/gate.h"

/* A lasting condition's count and value reach its document at least this often. */
#define REWRITE_EVERY NANOS_PER_HOUR
#define SETS_MAX 12

enum phase {
    WAITING,  /* the rule's delay has not passed; no document yet */
    STANDING, /* the document is raised or acknowledged */
    OVER,     /* ended; a return within the rule's settle time reopens the document */
};

struct alarm {
    enum phase phase;
    const struct alarm_rule *rule;
    struct arena arena;     /* the finding's texts */
    struct finding finding; /* the newest report; reasons are not kept */
    Str key, text_en, text_zh;
    int64_t id;
    int64_t occurrences;
    Nanos since, ended, written_at;
    double written_score;
};

/* How many alarms a machine raised within the hour from `start`. */
struct flood {
    Nanos start;
    unsigned raised;
    bool said;
};

struct alarms {
    struct alarms_options options;
    const struct doctype *type;
    struct map by_key, floods; /* key → struct alarm *, thing → struct flood * */
    struct arena arena;        /* of the call */
    struct alarms_stats stats;
};

static const struct thing_model *model_of(const struct alarms *a, PartyId party, Str thing) {
    return a->options.model_of ? a->options.model_of(a->options.ctx, party, thing) : NULL;
}

/* ---- identity */
static Str make_key(struct arena *arena, PartyId party, Str thing, const char *kind, Str what) {
    return arena_printf(arena, "%u\x1f" STR_FMT "\x1f%s\x1f" STR_FMT, (unsigned)party, STR_ARG(thing), kind,
                        STR_ARG(what));
}

static Str what_of(const struct finding *f, enum finding_kind kind) {
    if (kind == FINDING_CODE) return f->text;
    return f->metric.len ? f->metric : f->component;
}

/* What a map of pointers holds. */
static void *pointer(uint64_t stored) { return (void *)(uintptr_t)stored; }

static struct alarm *find(const struct alarms *a, Str key) {
    uint64_t at;
    return map_get(&a->by_key, key, &at) ? pointer(at) : NULL;
}

static struct alarm *add(struct alarms *a, Str key) {
    struct alarm *alarm = calloc(1, sizeof *alarm);
    ASSERT(alarm != NULL);
    arena_init(&alarm->arena, 512);
    alarm->key = arena_str(&alarm->arena, key);
    map_put(&a->by_key, key, (uint64_t)(uintptr_t)alarm);
    return alarm;
}

static void drop(struct alarms *a, struct alarm *alarm) {
    map_del(&a->by_key, alarm->key);
    arena_fini(&alarm->arena);
    free(alarm);
}

/* The newest report replaces the one before. */
static void keep_finding(struct alarms *a, struct alarm *alarm, const struct finding *f) {
    struct arena fresh;
    arena_init(&fresh, 512);
    alarm->key = arena_str(&fresh, alarm->key);
    alarm->finding = *f;
    alarm->finding.thing_name = arena_str(&fresh, f->thing_name);
    alarm->finding.metric = arena_str(&fresh, f->metric);
    alarm->finding.component = arena_str(&fresh, f->component);
    alarm->finding.text = arena_str(&fresh, f->text);
    alarm->finding.n_reasons = 0;
    const struct thing_model *model = model_of(a, f->party, f->thing_name);
    struct buf text = {0};
    alarm_rules_text(&text, alarm->rule, false, f, model);
    alarm->text_en = arena_str(&fresh, buf_view(&text));
    buf_clear(&text);
    alarm_rules_text(&text, alarm->rule, true, f, model);
    alarm->text_zh = arena_str(&fresh, buf_view(&text));
    buf_fini(&text);
    arena_fini(&alarm->arena);
    alarm->arena = fresh;
}

/* ---- documents */
static void failed(struct alarms *a, const struct alarm *alarm, const char *what, Err err) {
    a->stats.failed++;
    LOG_ERROR("alarm.not_written", LOG_C("what", what), LOG_S("thing", alarm->finding.thing_name),
              LOG_C("error", err.text));
}

static void set_text(struct doc_set *set, size_t *n, const char *field, Str text) {
    if (text.len) set[(*n)++] = (struct doc_set){field, VALUE_S(text)};
}

/* What a report says; the same for a new alarm and for a repeat. */
static size_t set_report(const struct alarm *alarm, struct doc_set *set) {
    size_t n = 0;
    set[n++] = (struct doc_set){"severity", VALUE_S(str_c(alarm->rule->severity))};
    set_text(set, &n, "text_en", alarm->text_en);
    set_text(set, &n, "text_zh", alarm->text_zh);
    if (isfinite(alarm->finding.score)) set[n++] = (struct doc_set){"value", VALUE_F(alarm->finding.score)};
    set[n++] = (struct doc_set){"occurrences", VALUE_I(alarm->occurrences)};
    return n;
}

static bool create(struct alarms *a, struct alarm *alarm, Nanos raised_at) {
    const struct finding *f = &alarm->finding;
    struct doc_set set[SETS_MAX];
    size_t n = set_report(alarm, set);
    set_text(set, &n, "thing", f->thing_name);
    set_text(set, &n, "kind", str_c(alarm_rules_kind(f->kind)));
    set_text(set, &n, "metric", f->metric);
    set_text(set, &n, "component", f->component);
    if (f->kind == FINDING_CODE) set_text(set, &n, "code", f->text);
    set[n++] = (struct doc_set){"raised_at", VALUE_I(raised_at)};
    ASSERT(n <= SETS_MAX);
    struct principal who = principal_system(f->party, "alarms");
    struct doc *doc;
    Err err = documents_create(a->options.documents, &who, a->type, &(struct doc_change){.set = set, .n = n}, &a->arena,
                               &doc);
    if (err.code != ERR_NONE) {
        failed(a, alarm, "raise", err);
        return false;
    }
    a->stats.raised++;
    alarm->phase = STANDING;
    alarm->id = doc->id;
    alarm->written_at = f->at;
    alarm->written_score = f->score;
    return true;
}

/* Moves the document, or changes it where it stands when transition is NULL. */
static Err write(struct alarms *a, const struct alarm *alarm, const char *transition, const struct doc_set *set,
                 size_t n) {
    struct principal who = principal_system(alarm->finding.party, "alarms");
    struct doc_change change = {.set = set, .n = n};
    struct doc *doc;
    if (!transition) return documents_change(a->options.documents, &who, a->type, alarm->id, &change, &a->arena, &doc);
    return documents_transition(a->options.documents, &who, a->type, alarm->id, str_c(transition), &change, &a->arena,
                                &doc);
}

/* ---- flood */
static bool in_flood(struct alarms *a, const struct alarm *alarm) {
    const struct finding *f = &alarm->finding;
    Str key = make_key(&a->arena, f->party, f->thing_name, "", STR(""));
    uint64_t at;
    struct flood *flood;
    if (map_get(&a->floods, key, &at)) {
        flood = pointer(at);
    } else {
        flood = calloc(1, sizeof *flood);
        ASSERT(flood != NULL);
        flood->start = f->at;
        map_put(&a->floods, key, (uint64_t)(uintptr_t)flood);
    }
    if (f->at - flood->start >= NANOS_PER_HOUR || f->at < flood->start) *flood = (struct flood){.start = f->at};
    if (flood->raised < alarm->rule->most_per_hour) {
        flood->raised++;
        return false;
    }
    a->stats.flooded++;
    if (!flood->said) LOG_INFO("alarm.flood", LOG_S("thing", f->thing_name), LOG_I("within_the_hour", flood->raised));
    flood->said = true;
    return true;
}

/* ---- the life cycle */
/* After a crash a finding may come a second time, when its alarm has long been dealt with. */
static bool raised_before(struct alarms *a, const struct alarm *alarm, Nanos raised_at) {
    const struct finding *f = &alarm->finding;
    struct principal who = principal_system(f->party, "alarms");
    struct lens lens;
    struct doc_page page;
    struct doc_filter filters[] = {{"thing", DOC_EQ, VALUE_S(f->thing_name)},
                                   {"kind", DOC_EQ, VALUE_S(str_c(alarm_rules_kind(f->kind)))},
                                   {"raised_at", DOC_EQ, VALUE_I(raised_at)},
                                   {f->kind == FINDING_CODE ? "code"
                                    : f->metric.len         ? "metric"
                                                            : "component",
                                    DOC_EQ, VALUE_S(what_of(f, f->kind))}};
    struct doc_query query = {.filters = filters, .n_filters = 4, .limit = 1};
    if (gate_lens(&who, a->type, "alarms", &lens).code != ERR_NONE) return false;
    Err err = documents_list(a->options.documents, &lens, a->type, &query, &a->arena, &page);
    return err.code == ERR_NONE && page.n > 0;
}

/* False: the alarm was dropped. */
static bool raise_alarm(struct alarms *a, struct alarm *alarm, Nanos raised_at) {
    if (!raised_before(a, alarm, raised_at) && !in_flood(a, alarm) && create(a, alarm, raised_at)) return true;
    drop(a, alarm);
    return false;
}

static void begin(struct alarms *a, Str key, const struct alarm_rule *rule, const struct finding *f) {
    struct alarm *alarm = add(a, key);
    alarm->rule = rule;
    alarm->since = f->at;
    alarm->occurrences = 1;
    keep_finding(a, alarm, f);
    if (rule->delay == 0) raise_alarm(a, alarm, f->at);
}

static bool graver(const struct alarm_rule *one, const struct alarm_rule *other) {
    return alarm_rules_severity(str_c(one->severity)) > alarm_rules_severity(str_c(other->severity));
}

/* A report of a condition that stands. The document follows when it matters, not on every reading. */
static void repeat(struct alarms *a, struct alarm *alarm, const struct alarm_rule *rule, const struct finding *f) {
    bool rose = graver(rule, alarm->rule);
    if (rose) alarm->rule = rule;
    alarm->occurrences++;
    a->stats.repeated++;
    keep_finding(a, alarm, f);
    double moved = fabs(f->score - alarm->written_score);
    if (!rose && !(moved > rule->deadband * fabs(alarm->written_score)) && f->at - alarm->written_at < REWRITE_EVERY)
        return;
    struct doc_set set[SETS_MAX];
    size_t n = set_report(alarm, set);
    Err err = write(a, alarm, NULL, set, n);
    if (err.code != ERR_NONE) failed(a, alarm, "repeat", err);
    alarm->written_at = f->at;
    alarm->written_score = f->score;
}

/* The condition came back soon after its end. Somebody may have acknowledged the end meanwhile: then it is a new one.
 */
static void come_back(struct alarms *a, struct alarm *alarm, const struct alarm_rule *rule, const struct finding *f) {
    alarm->rule = rule;
    alarm->occurrences++;
    keep_finding(a, alarm, f);
    struct doc_set set[SETS_MAX];
    size_t n = set_report(alarm, set);
    Err err = write(a, alarm, "repeat", set, n);
    if (err.code == ERR_STATE) {
        alarm->occurrences = 1;
        alarm->since = f->at;
        raise_alarm(a, alarm, f->at);
        return;
    }
    if (err.code != ERR_NONE) failed(a, alarm, "repeat", err);
    a->stats.repeated++;
    alarm->phase = STANDING;
    alarm->written_at = f->at;
    alarm->written_score = f->score;
}

static void end(struct alarms *a, struct alarm *alarm, Nanos at) {
    struct doc_set set[] = {{"cleared_at", VALUE_I(at)}, {"occurrences", VALUE_I(alarm->occurrences)}};
    Err err = write(a, alarm, "clear", set, 2);
    if (err.code != ERR_NONE && err.code != ERR_STATE) failed(a, alarm, "clear", err);
    a->stats.ended++;
    alarm->phase = OVER;
    alarm->ended = at;
    if (alarm->rule->settle == 0) drop(a, alarm);
}

static void take_report(struct alarms *a, Str key, const struct finding *f) {
    const struct alarm_rule *rule = alarm_rules_find(a->options.rules, f, model_of(a, f->party, f->thing_name));
    if (!rule) return;
    struct alarm *alarm = find(a, key);
    if (alarm && alarm->phase == OVER && f->at > alarm->ended + alarm->rule->settle) {
        drop(a, alarm);
        alarm = NULL;
    }
    if (alarm && f->at <= (alarm->phase == OVER ? alarm->ended : alarm->finding.at)) return; /* heard of already */
    if (!alarm)
        begin(a, key, rule, f);
    else if (alarm->phase == STANDING)
        repeat(a, alarm, rule, f);
    else if (alarm->phase == OVER)
        come_back(a, alarm, rule, f);
    else if (f->at - alarm->since >= alarm->rule->delay) {
        keep_finding(a, alarm, f);
        raise_alarm(a, alarm, alarm->since + alarm->rule->delay);
    }
}

static void take_end(struct alarms *a, Str key, const struct finding *f) {
    struct alarm *alarm = find(a, key);
    if (!alarm || alarm->phase == OVER) return;
    if (alarm->phase == WAITING) {
        Nanos due = alarm->since + alarm->rule->delay;
        if (f->at < due) drop(a, alarm);
        if (f->at < due || !raise_alarm(a, alarm, due)) return;
    }
    end(a, alarm, f->at);
}

void alarms_take(struct alarms *a, const struct finding *f) {
    enum finding_kind kind = f->kind == FINDING_CLEAR ? f->clears : f->kind;
    const char *name = alarm_rules_kind(kind);
    if (!name) return;
    Str key = make_key(&a->arena, f->party, f->thing_name, name, what_of(f, kind));
    if (f->kind == FINDING_CLEAR)
        take_end(a, key, f);
    else
        take_report(a, key, f);
    arena_reset(&a->arena);
}

/* When the clock alone moves the alarm on. */
static Nanos due(const struct alarm *alarm) {
    switch (alarm->phase) {
    case WAITING: return alarm->since + alarm->rule->delay;
    case STANDING: return alarm->rule->hold ? alarm->finding.at + alarm->rule->hold : INT64_MAX;
    case OVER: return alarm->ended + alarm->rule->settle;
    }
    return INT64_MAX;
}

static void tick_one(struct alarms *a, struct alarm *alarm) {
    if (alarm->phase == WAITING)
        raise_alarm(a, alarm, due(alarm));
    else if (alarm->phase == STANDING)
        end(a, alarm, due(alarm));
    else
        drop(a, alarm);
}

/* Oldest first: the order must not depend on the map's. */
static int by_since(const void *x, const void *y) {
    const struct alarm *a = *(struct alarm *const *)x, *b = *(struct alarm *const *)y;
    if (a->since != b->since) return a->since < b->since ? -1 : 1;
    return str_cmp(a->key, b->key);
}

void alarms_tick(struct alarms *a, Nanos now) {
    struct alarm **all = arena_alloc(&a->arena, (a->by_key.count + 1) * sizeof(struct alarm *));
    size_t n = 0, at = 0;
    Str key;
    for (uint64_t value; map_next(&a->by_key, &at, &key, &value);) {
        struct alarm *alarm = pointer(value);
        if (due(alarm) < now) all[n++] = alarm;
    }
    qsort(all, n, sizeof(struct alarm *), by_since);
    for (size_t i = 0; i < n; i++) tick_one(a, all[i]);
    arena_reset(&a->arena);
}

/* ---- reading back what stood at the last stop */
static Str text_of(const struct doc *doc, const char *field) {
    Value v = doctype_get(doc, field);
    return v.kind == VALUE_STRING ? v.s : STR("");
}

static int64_t int_of(const struct doc *doc, const char *field) {
    Value v = doctype_get(doc, field);
    return v.kind == VALUE_INT ? v.i : 0;
}

static enum finding_kind kind_of(Str name) {
    return str_eq_c(name, "code") ? FINDING_CODE : str_eq_c(name, "limit") ? FINDING_LIMIT : FINDING_ANOMALY;
}

static void restore(struct alarms *a, const struct doc *doc) {
    struct finding f = {.kind = kind_of(text_of(doc, "kind")),
                        .party = doc->party,
                        .thing_name = text_of(doc, "thing"),
                        .metric = text_of(doc, "metric"),
                        .component = text_of(doc, "component"),
                        .text = text_of(doc, "code"),
                        .at = doc->changed,
                        .score = value_as_num(doctype_get(doc, "value"))};
    const struct alarm_rule *rule = alarm_rules_find(a->options.rules, &f, model_of(a, f.party, f.thing_name));
    if (!rule) return; /* its rule is gone: people will finish it */
    struct alarm *alarm =
        add(a, make_key(&a->arena, f.party, f.thing_name, alarm_rules_kind(f.kind), what_of(&f, f.kind)));
    alarm->rule = rule;
    keep_finding(a, alarm, &f);
    alarm->id = doc->id;
    alarm->since = int_of(doc, "raised_at");
    alarm->occurrences = int_of(doc, "occurrences");
    alarm->ended = int_of(doc, "cleared_at");
    alarm->phase = doctype_in_state(doc, "returned") ? OVER : STANDING;
    alarm->written_at = f.at;
    alarm->written_score = f.score;
}

static Err restore_all(struct alarms *a) {
    static const char *const states[] = {"raised", "acknowledged", "returned"};
    struct doc_filter filters[3];
    for (size_t i = 0; i < 3; i++) filters[i] = (struct doc_filter){"state", DOC_EQ, VALUE_S(str_c(states[i]))};
    struct lens lens = gate_lens_system("alarms that still stand");
    struct doc_page page = {.next = STR("")};
    do {
        struct doc_query query = {.filters = filters, .n_filters = 3, .sort = "id", .limit = 1000, .cursor = page.next};
        TRY(documents_list(a->options.documents, &lens, a->type, &query, &a->arena, &page));
        for (size_t i = 0; i < page.n; i++) restore(a, page.docs[i]);
    } while (page.next.len);
    arena_reset(&a->arena);
    return err_none();
}

Err alarms_open(const struct alarms_options *options, struct alarms **out) {
    struct alarms *a = calloc(1, sizeof *a);
    ASSERT(a != NULL);
    a->options = *options;
    if (!a->options.rules) a->options.rules = alarm_rules_default;
    a->type = documents_type(options->documents, STR("alarm"));
    ASSERT(a->type != NULL);
    map_init(&a->by_key);
    map_init(&a->floods);
    arena_init(&a->arena, 0);
    Err err = restore_all(a);
    if (err.code != ERR_NONE)
        alarms_close(a);
    else
        *out = a;
    return err;
}

void alarms_close(struct alarms *a) {
    if (!a) return;
    size_t at = 0;
    Str key;
    for (uint64_t value; map_next(&a->by_key, &at, &key, &value);) {
        struct alarm *alarm = pointer(value);
        arena_fini(&alarm->arena);
        free(alarm);
    }
    at = 0;
    for (uint64_t value; map_next(&a->floods, &at, &key, &value);) free(pointer(value));
    map_fini(&a->by_key);
    map_fini(&a->floods);
    arena_fini(&a->arena);
    free(a);
}

void alarms_stats(const struct alarms *a, struct alarms_stats *out) {
    *out = a->stats;
    out->standing = a->by_key.count;
}

/* ---- who acknowledged */
static Err note_who(void *ctx, const struct reaction_event *event) {
    struct alarms *a = ctx;
    struct lens lens = gate_lens_system("who acknowledged an alarm");
    struct doc *doc;
    TRY(documents_get(a->options.documents, &lens, a->type, event->row->id, event->arena, &doc));
    if (text_of(doc, "acknowledged_by").len) return err_none();
    struct principal who = principal_system(event->row->party, "alarms");
    struct doc_set set = {"acknowledged_by", VALUE_S(event->row->who)};
    return documents_change(a->options.documents, &who, a->type, doc->id, &(struct doc_change){.set = &set, .n = 1},
                            event->arena, &doc);
}

const struct reaction alarms_reactions[] = {{"alarm", "acknowledge", note_who}, {.run = NULL}};
