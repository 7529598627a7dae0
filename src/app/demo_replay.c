#include "app/demo_replay.h"

#include <math.h>
#include <stdlib.h>

#include "act/act.h"
#include "base/jw.h"
#include "base/vec.h"
#include "connect/mqtt_client.h"
#include "document/documents.h"
#include "domain/service/service.h"
#include "os/process.h"
#include "store/series.h"
#include "trust/gate.h"

#define TOPIC STR("v1/devices/me/telemetry")
#define POLL_EVERY (10 * NANOS_PER_S) /* keeps idle connections alive at slow speeds */

static const struct principal recording_who = {.roles = ROLE_BIT(ROLE_OPERATOR), .name = SERVICE_RECORDING};

static const struct recording_event *event_at(const struct recording *r, size_t i) { return &r->events[i]; }

/* ---- where to go on */
size_t demo_replay_start_of(const struct recording *r) {
    size_t i = 0;
    while (i < r->n_events && r->events[i].time < r->from) i++;
    return i;
}

static Nanos last_seen(const struct workspace *w, PartyId party, const struct recording *r) {
    Nanos last = 0;
    for (size_t i = 0; i < r->n_machines; i++) {
        ThingId thing;
        if (!series_find_thing(w->series, party, r->machines[i].name, &thing)) continue;
        Nanos seen = series_last_seen(w->series, thing);
        if (seen > last) last = seen;
    }
    return last - last % NANOS_PER_S; /* codes carry milliseconds */
}

/* Asked before the server starts, because its clock must not stand before what is kept. */
Err demo_replay_position(const char *dir, const struct recording *r, Nanos *out) {
    struct workspace workspace;
    PartyId party;
    *out = r->from;
    Err err = workspace_open(&(struct workspace_options){.dir = dir, .must_exist = true}, &workspace);
    if (err.code == ERR_NOT_FOUND) return err_none();
    TRY(err);
    err = workspace_party(&workspace, STR(DEMO_COMPANY_NAME), false, &party);
    if (err.code == ERR_NONE) {
        Nanos last = last_seen(&workspace, party, r);
        if (last > r->from) *out = last;
    }
    workspace_close(&workspace);
    return err.code == ERR_NOT_FOUND ? err_none() : err;
}

/* ---- documents */
/* Is there a document of the recording for this machine, component and moment? */
static Err recorded(struct flow *flow, const struct doctype *type, const char *time_field, Str thing, Str component,
                    Nanos at, struct arena *arena, bool *yes) {
    struct principal who = principal_system(flow->party, "demo");
    struct lens lens;
    struct doc_page page;
    TRY(gate_lens(&who, type, "demo", &lens));
    struct doc_filter filters[] = {{"thing", DOC_EQ, VALUE_S(thing)},
                                   {"component", DOC_EQ, VALUE_S(component)},
                                   {time_field, DOC_EQ, VALUE_I(at)},
                                   {"created_by", DOC_EQ, VALUE_S(str_c(recording_who.name))}};
    struct doc_query query = {.filters = filters, .n_filters = 4, .limit = 1};
    TRY(documents_list(flow->workspace.documents, &lens, type, &query, arena, &page));
    *yes = page.n > 0;
    return err_none();
}

static bool failed_then(const struct recording *r, const struct recording_event *replacement) {
    for (size_t i = 0; i < r->n_events; i++)
        if (r->events[i].kind == RECORDING_FAILURE && r->events[i].time == replacement->time &&
            r->events[i].machine == replacement->machine && str_eq(r->events[i].what, replacement->what))
            return true;
    return false;
}

/* A failure or a replacement of the recording, as somebody on the spot would have entered it. */
static Err write_document(struct flow *flow, const struct recording *r, const struct recording_event *e, bool check,
                          struct arena *arena) {
    bool failure = e->kind == RECORDING_FAILURE, there = false;
    const struct doctype *type = documents_type(flow->workspace.documents, failure ? STR("fault") : STR("maintenance"));
    const char *time_field = failure ? "occurred_at" : "done_at";
    Str thing = r->machines[e->machine].name;
    if (check) TRY(recorded(flow, type, time_field, thing, e->what, e->time, arena, &there));
    if (there) return err_none();
    struct doc_set set[] = {{"thing", VALUE_S(thing)},
                            {"component", VALUE_S(e->what)},
                            {time_field, VALUE_I(e->time)},
                            {"source", VALUE_S(STR("recording"))}};
    if (!failure) set[3] = (struct doc_set){"kind", VALUE_S(failed_then(r, e) ? STR("corrective") : STR("planned"))};
    struct principal who = recording_who;
    struct doc *doc;
    who.party = flow->party;
    return documents_create(flow->workspace.documents, &who, type, &(struct doc_change){.set = set, .n = 4}, arena,
                            &doc);
}

Err demo_replay_history(struct flow *flow, const struct recording *r) {
    size_t n = demo_replay_start_of(r);
    struct arena arena;
    arena_init(&arena, 0);
    Err err = err_none();
    for (size_t i = 0; i < n && err.code == ERR_NONE; i++) {
        err = write_document(flow, r, event_at(r, i), true, &arena);
        arena_reset(&arena);
    }
    arena_fini(&arena);
    return err;
}

/* ---- messages: what a machine reports at one moment is one message, its codes joined by '|' in the code metric */
static bool same_moment(const struct recording_event *a, const struct recording_event *b, enum recording_kind kind) {
    return a->time == b->time && a->machine == b->machine && a->kind == kind;
}

/* The moment's first event. */
static size_t moment_of(const struct recording *r, size_t at) {
    while (at > 0 && event_at(r, at - 1)->time == event_at(r, at)->time) at--;
    return at;
}

/* A row is a message; of codes without a row the first is. */
static bool is_message(const struct recording *r, size_t at) {
    const struct recording_event *e = event_at(r, at);
    if (e->kind != RECORDING_CODE) return e->kind == RECORDING_ROW;
    bool first = true, row = false;
    for (size_t i = moment_of(r, at); i < r->n_events && event_at(r, i)->time == e->time; i++) {
        first &= i >= at || !same_moment(event_at(r, i), e, RECORDING_CODE);
        row |= same_moment(event_at(r, i), e, RECORDING_ROW);
    }
    return first && !row;
}

static void add_codes(const struct recording *r, size_t at, struct jw *w) {
    const struct recording_event *e = event_at(r, at);
    struct buf joined = {0};
    for (size_t i = moment_of(r, at); i < r->n_events && event_at(r, i)->time == e->time; i++) {
        if (!same_moment(event_at(r, i), e, RECORDING_CODE)) continue;
        if (joined.len > 0) buf_byte(&joined, '|');
        buf_str(&joined, event_at(r, i)->what);
    }
    if (joined.len > 0) jw_kstr(w, "error", buf_view(&joined));
    buf_fini(&joined);
}

static Err publish(struct demo_replay *p, size_t at) {
    const struct recording *r = p->recording;
    const struct recording_event *e = event_at(r, at);
    struct buf text = {0};
    struct jw w;
    jw_init(&w, &text);
    jw_object(&w);
    jw_kint(&w, "ts", e->time / NANOS_PER_MS);
    jw_key(&w, "values");
    jw_object(&w);
    add_codes(r, at, &w);
    for (size_t i = 0; e->kind == RECORDING_ROW && i < r->n_metrics; i++) {
        if (isnan(e->values[i])) continue;
        jw_key_str(&w, r->metrics[i]);
        jw_num(&w, e->values[i]);
    }
    jw_object_end(&w);
    jw_object_end(&w);
    Err err = mqtt_client_publish(p->clients[e->machine], TOPIC, buf_view(&text), 1, false);
    buf_fini(&text);
    if (err.code == ERR_NONE) p->rows_sent++;
    return err;
}

static Err poll_all(struct demo_replay *p) {
    for (size_t i = 0; i < p->recording->n_machines; i++) TRY(mqtt_client_poll(p->clients[i], 0));
    return err_none();
}

/* All are sent before the first answer is waited for, so that their rows share a commit. */
static Err flush_all(struct demo_replay *p) {
    TRY(poll_all(p));
    for (size_t i = 0; i < p->recording->n_machines; i++) TRY(mqtt_client_flush(p->clients[i]));
    return err_none();
}

/* Everything of one moment: first what machines say, then, when that is kept, what people note. */
static Err play_step(struct demo_replay *p, Nanos at) {
    const struct recording *r = p->recording;
    size_t end = p->next;
    while (end < r->n_events && r->events[end].time == at) end++;
    for (size_t i = p->next; i < end; i++)
        if (is_message(r, i)) TRY(publish(p, i));
    TRY(flush_all(p));
    struct arena arena;
    arena_init(&arena, 0);
    Err err = err_none();
    for (size_t i = p->next; i < end && err.code == ERR_NONE; i++) {
        enum recording_kind kind = event_at(r, i)->kind;
        if (kind == RECORDING_FAILURE || kind == RECORDING_REPLACEMENT)
            err = write_document(p->flow, r, event_at(r, i), p->again, &arena);
    }
    arena_fini(&arena);
    p->next = end;
    p->again = false;
    return err;
}

/* ---- the run */
static Nanos next_time(const struct demo_replay *p) {
    Nanos event = event_at(p->recording, p->next)->time;
    return p->crew.next < event ? p->crew.next : event;
}

/* Lets the clock run to `until`, unless somebody asks to stop. */
static Err wait_until(struct demo_replay *p, Nanos until, bool *stopped) {
    demo_clock_run(p->clock, until);
    for (;;) {
        Nanos wait = demo_clock_wait(p->clock, until);
        *stopped = process_signals_wait(wait < POLL_EVERY ? wait : POLL_EVERY);
        if (*stopped || wait <= POLL_EVERY) return err_none();
        TRY(poll_all(p));
    }
}

static Err step(struct demo_replay *p, Nanos at) {
    demo_clock_set(p->clock, at);
    if (p->crew.next <= at) {
        TRY(demo_crew_act(&p->crew, at));
        act_drain(p->flow->act);
    }
    if (event_at(p->recording, p->next)->time <= at) {
        TRY(play_step(p, event_at(p->recording, p->next)->time));
        flow_drain(p->flow);
        atomic_store(&p->at, at);
    }
    return demo_crew_look(&p->crew);
}

Err demo_replay_open(struct demo_replay *p, struct flow *flow, const struct recording *r, struct demo_clock *clock,
                     const struct demo_device *devices) {
    Nanos now = clock_now(&clock->clock);
    *p = (struct demo_replay){.flow = flow, .recording = r, .clock = clock, .again = true, .at = now};
    demo_crew_init(&p->crew, flow, now, r->to);
    p->next = demo_replay_start_of(r);
    while (p->next < r->n_events && event_at(r, p->next)->time < now) p->next++;
    p->clients = calloc(r->n_machines, sizeof(struct mqtt_client *));
    ASSERT(p->clients != NULL);
    Err err = err_none();
    for (size_t i = 0; i < r->n_machines && err.code == ERR_NONE; i++) {
        struct mqtt_client_options options = {.address = flow_mqtt_address(flow),
                                              .client_id = r->machines[i].name,
                                              .user = str_c(devices[i].user),
                                              .password = str_c(devices[i].password)};
        err = mqtt_client_open(&options, &p->clients[i]);
    }
    if (err.code != ERR_NONE) demo_replay_close(p);
    return err;
}

Err demo_replay_run(struct demo_replay *p, void (*progress)(void *ctx, const struct demo_replay *replay), void *ctx,
                    bool *stopped) {
    *stopped = false;
    TRY(demo_crew_look(&p->crew));
    while (p->next < p->recording->n_events) {
        Nanos at = next_time(p);
        TRY(wait_until(p, at, stopped));
        if (*stopped) return err_none();
        TRY(step(p, at));
        progress(ctx, p);
    }
    atomic_store(&p->done, true);
    return err_none();
}

void demo_replay_close(struct demo_replay *p) {
    for (size_t i = 0; p->clients && i < p->recording->n_machines; i++)
        if (p->clients[i]) mqtt_client_close(p->clients[i]);
    free(p->clients);
    p->clients = NULL;
}

/* ---- counting */
uint64_t demo_replay_rows_until(const struct recording *r, Nanos until) {
    uint64_t n = 0;
    for (size_t i = demo_replay_start_of(r); i < r->n_events && r->events[i].time < until; i++) n += is_message(r, i);
    return n;
}

struct times {
    Nanos *items;
    size_t count, cap;
};

static bool take_time(void *ctx, const struct series_point *point) {
    struct times *t = ctx;
    VEC_PUSH(t->items, t->count, t->cap, point->time);
    return true;
}

static int by_time(const void *x, const void *y) {
    Nanos a = *(const Nanos *)x, b = *(const Nanos *)y;
    return a < b ? -1 : a > b;
}

/* A row is a moment at which the thing has any value. */
static uint64_t distinct(struct times *t) {
    uint64_t n = 0;
    if (t->count) qsort(t->items, t->count, sizeof *t->items, by_time);
    for (size_t i = 0; i < t->count; i++) n += i == 0 || t->items[i] != t->items[i - 1];
    return n;
}

Err demo_replay_rows_kept(struct flow *flow, const struct recording *r, uint64_t *out) {
    struct principal who = principal_system(flow->party, "demo");
    struct lens lens;
    TRY(gate_lens(&who, NULL, "demo", &lens));
    struct times times = {0};
    Err err = err_none();
    *out = 0;
    for (size_t i = 0; i < r->n_machines && err.code == ERR_NONE; i++) {
        ThingId thing;
        if (!series_find_thing(flow->workspace.series, flow->party, r->machines[i].name, &thing)) continue;
        times.count = 0;
        err = series_read(flow->workspace.series, &lens, &(struct series_query){.thing = thing}, take_time, &times);
        *out += distinct(&times);
    }
    free(times.items);
    return err;
}
