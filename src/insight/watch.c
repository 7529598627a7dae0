/*
 * Intake: any thread hands in rows and labels under `intake`; the watch's thread takes them out in order. Rows of open
 * models are dropped before anything is copied: one byte a thing says so, read without a lock.
 *
 * Lock order: none is held while another is taken, none while model_of or the sink is called.
 */
#include "insight/watch.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/vec.h"
#include "insight/watch_fleet.h"
#include "os/clock.h"

#define QUEUE_DEFAULT ((size_t)16 << 20)
#define SAVE_EVERY (5 * NANOS_PER_S)
#define CHUNK ((size_t)1 << 16) /* things a chunk of the filter */
#define CHUNKS ((size_t)1 << 14)
#define SPARE_MAX 8

enum { FILTER_UNKNOWN, FILTER_OPEN, FILTER_WATCHED };

struct parcel {
    struct parcel *next;
    struct rows rows;
};

struct told {
    PartyId party;
    char *text; /* thing, component, each ended by NUL */
    Nanos at;
    bool failed;
};

struct watch {
    struct watch_options options; /* dir is our own copy */
    struct watch_fleet fleet;     /* the thread's */
    struct thread *thread;
    _Atomic(_Atomic uint8_t *) filter[CHUNKS];

    pthread_mutex_t intake;
    pthread_cond_t arrived, room, calm;
    struct parcel *head, *tail, *spare;
    size_t n_spare, queued;
    struct told *told;
    size_t n_told, told_cap;
    bool begun, stopping, forget;
    unsigned draining;
    struct watch_stats counts; /* what intake counts, and copies of what the thread counts */

    struct buf state, older_state; /* the thread's: what is saved lags one round, see keep_state */
    Nanos saved;
    bool dirty;
};

/* ---- the filter */
static _Atomic uint8_t *filter_cell(struct watch *w, ThingId thing) {
    size_t chunk = thing / CHUNK;
    ASSERT(chunk < CHUNKS);
    _Atomic uint8_t *cells = atomic_load(&w->filter[chunk]);
    if (!cells) {
        _Atomic uint8_t *made = calloc(CHUNK, sizeof *made);
        ASSERT(made);
        if (atomic_compare_exchange_strong(&w->filter[chunk], &cells, made))
            cells = made;
        else
            free(made); /* another thread was first */
    }
    return &cells[thing % CHUNK];
}

static bool is_watched(struct watch *w, ThingId thing) {
    _Atomic uint8_t *cell = filter_cell(w, thing);
    uint8_t is = atomic_load_explicit(cell, memory_order_relaxed);
    if (is == FILTER_UNKNOWN) {
        PartyId party;
        Str name;
        if (!series_thing_name(w->options.series, thing, &party, &name)) return false;
        bool open = !w->options.model_of || !w->options.model_of(w->options.model_ctx, party, name);
        is = open ? FILTER_OPEN : FILTER_WATCHED;
        atomic_store(cell, is);
    }
    return is == FILTER_WATCHED;
}

static void clear_filter(struct watch *w) {
    for (size_t c = 0; c < CHUNKS; c++) {
        _Atomic uint8_t *cells = atomic_load(&w->filter[c]);
        for (size_t i = 0; cells && i < CHUNK; i++)
            atomic_store_explicit(&cells[i], FILTER_UNKNOWN, memory_order_relaxed);
    }
}

/* ---- intake */
static struct parcel *take_spare(struct watch *w) {
    thread_lock(&w->intake);
    struct parcel *p = w->spare;
    if (p) w->spare = p->next, w->n_spare--;
    thread_unlock(&w->intake);
    if (p) return p;
    p = calloc(1, sizeof *p);
    ASSERT(p);
    rows_clear(&p->rows);
    return p;
}

static void parcel_free(struct parcel *p) {
    rows_fini(&p->rows);
    free(p);
}

/* With the intake locked. */
static void give_spare(struct watch *w, struct parcel *p) {
    rows_clear(&p->rows);
    if (w->n_spare == SPARE_MAX) {
        parcel_free(p);
        return;
    }
    p->next = w->spare, w->spare = p, w->n_spare++;
}

static void copy_row(struct rows *to, const struct row *row) {
    rows_begin(to, row->thing, row->time, row->flags);
    for (struct row_value v = {0}; rows_next_value(row, &v);) rows_value(to, v.metric, v.value);
    rows_end(to);
}

static void wait_for_room(struct watch *w) {
    size_t limit = w->options.queue_bytes;
    if (w->queued < limit || w->stopping) return;
    Nanos from = clock_monotonic();
    while (w->queued >= limit && !w->stopping) thread_wait(&w->room, &w->intake);
    w->counts.waited += clock_monotonic() - from;
}

static void hand_in(struct watch *w, struct parcel *p) {
    p->next = NULL;
    if (w->tail)
        w->tail->next = p;
    else
        w->head = p;
    w->tail = p;
    w->queued += p->rows.bytes.len;
    thread_signal(&w->arrived);
}

void watch_rows(struct watch *w, const struct rows *rows) {
    struct parcel *p = NULL;
    uint64_t open = 0;
    struct rows_cursor at = rows_start(rows);
    for (struct row row; rows_next(&at, &row);) {
        if (!is_watched(w, row.thing)) {
            open++;
            continue;
        }
        if (!p) p = take_spare(w);
        copy_row(&p->rows, &row);
    }
    thread_lock(&w->intake);
    w->counts.rows += rows->n_rows, w->counts.values += rows->n_values, w->counts.open_rows += open;
    if (p) {
        wait_for_room(w);
        if (w->begun)
            hand_in(w, p);
        else
            give_spare(w, p); /* the warm-up reads it from the store */
    }
    thread_unlock(&w->intake);
}

static void tell(struct watch *w, PartyId party, Str thing, Str component, Nanos at, bool failed) {
    struct told told = {party, malloc(thing.len + component.len + 2), at, failed};
    ASSERT(told.text);
    if (thing.len) memcpy(told.text, thing.ptr, thing.len);
    told.text[thing.len] = '\0';
    if (component.len) memcpy(told.text + thing.len + 1, component.ptr, component.len);
    told.text[thing.len + 1 + component.len] = '\0';
    thread_lock(&w->intake);
    VEC_PUSH(w->told, w->n_told, w->told_cap, told);
    thread_signal(&w->arrived);
    thread_unlock(&w->intake);
}

void watch_failed(struct watch *w, PartyId party, Str thing, Str component, Nanos at) {
    tell(w, party, thing, component, at, true);
}

void watch_replaced(struct watch *w, PartyId party, Str thing, Str component, Nanos at) {
    tell(w, party, thing, component, at, false);
}

void watch_forget_models(struct watch *w) {
    clear_filter(w);
    thread_lock(&w->intake);
    w->forget = true;
    thread_signal(&w->arrived);
    thread_unlock(&w->intake);
}

/* ---- the thread */
struct work {
    struct parcel *parcel;
    struct told *told;
    size_t n_told;
    bool forget, stop, drain;
};

/* Until there is something to save; negative: for ever. */
static Nanos patience_of(const struct watch *w) {
    const struct watch_fleet *f = &w->fleet;
    Nanos leans = watch_lean_keep_pause(&f->keeper, &f->leans, f->judged_rows);
    if (!w->dirty && !w->older_state.len) return leans;
    return leans >= 0 && leans < SAVE_EVERY ? leans : SAVE_EVERY;
}

static void take_work(struct watch *w, bool more, struct work *work) {
    *work = (struct work){0};
    thread_lock(&w->intake);
    while (!w->head && !w->n_told && !w->forget && !w->stopping && !w->draining && !more) {
        Nanos patience = patience_of(w);
        if (patience < 0)
            thread_wait(&w->arrived, &w->intake);
        else if (patience == 0 || !thread_wait_for(&w->arrived, &w->intake, patience))
            break;
    }
    work->parcel = w->head;
    if (w->head) w->head = w->head->next;
    if (!w->head) w->tail = NULL;
    work->told = w->told, work->n_told = w->n_told;
    w->told = NULL, w->n_told = w->told_cap = 0;
    work->forget = w->forget, w->forget = false;
    work->stop = w->stopping, work->drain = w->draining > 0;
    thread_unlock(&w->intake);
}

static void take_told(struct watch *w, struct work *work) {
    for (size_t i = 0; i < work->n_told; i++) {
        struct told *t = &work->told[i];
        watch_fleet_told(&w->fleet, t->party, str_c(t->text), str_c(t->text + strlen(t->text) + 1), t->at, t->failed);
        free(t->text);
    }
    free(work->told);
}

static void emit(struct watch *w, struct watch_findings *found) {
    for (size_t i = 0; i < found->n; i++) {
        w->fleet.findings++;
        w->fleet.predictions += found->items[i].kind == FINDING_PREDICTION;
        if (w->options.sink) w->options.sink(w->options.sink_ctx, &found->items[i]);
    }
    found->n = 0;
    arena_reset(&found->arena);
}

static void judge_parcel(struct watch *w, struct parcel *p, struct watch_findings *found) {
    struct rows_cursor at = rows_start(&p->rows);
    struct rows_cursor ahead = at;
    struct row row, next;
    bool more = rows_next(&ahead, &next);
    while (rows_next(&at, &row)) {
        if (more && (more = rows_next(&ahead, &next))) watch_fleet_prefetch(&w->fleet, next.thing);
        watch_fleet_row(&w->fleet, &row, found);
        if (found->n) emit(w, found);
    }
    w->dirty |= w->fleet.n_machines > 0;
}

static void done_with(struct watch *w, struct parcel *p) {
    struct watch_fleet *f = &w->fleet;
    thread_lock(&w->intake);
    if (p) {
        w->queued -= p->rows.bytes.len;
        give_spare(w, p);
        thread_broadcast(&w->room);
    }
    w->counts.judged_rows = f->judged_rows, w->counts.late_rows = f->late_rows;
    w->counts.findings = f->findings, w->counts.predictions = f->predictions, w->counts.trainings = f->trainings;
    w->counts.things = f->n_machines + f->leans.n;
    thread_unlock(&w->intake);
}

static void save_models(struct watch *w) {
    thread_lock(&w->fleet.lock);
    bool changed = w->fleet.models_changed;
    w->fleet.models_changed = false;
    thread_unlock(&w->fleet.lock);
    if (!changed || !w->options.dir) return;
    Err err = watch_keep_save_models(w->options.fs, w->options.dir, &w->fleet.registry);
    if (err.code != ERR_NONE) LOG_WARN("watch.not_saved", LOG_C("why", err.text));
}

static void save_state(struct watch *w, Str json) {
    Err err = watch_keep_save_state(w->options.fs, w->options.dir, json);
    if (err.code != ERR_NONE) LOG_WARN("watch.not_saved", LOG_C("why", err.text));
}

/*
 * What is written is the state of a round ago: whoever takes the findings may still have the last ones in memory, and
 * after a crash they are found again rather than lost.
 */
static void keep_state(struct watch *w, bool last) {
    save_models(w);
    watch_lean_keep_turn(&w->fleet.keeper, &w->fleet.leans, w->options.series, w->fleet.judged_rows, last);
    if (!w->options.dir || !(w->dirty || w->older_state.len)) return;
    if (!last && clock_monotonic() - w->saved < SAVE_EVERY) return;
    watch_fleet_state(&w->fleet, &w->state);
    if (last)
        save_state(w, buf_view(&w->state));
    else if (w->older_state.len)
        save_state(w, buf_view(&w->older_state));
    struct buf swap = w->older_state;
    w->older_state = w->state, w->state = swap;
    if (!w->dirty) buf_clear(&w->older_state); /* the newest is written: nothing to do until something happens */
    w->dirty = false;
    w->saved = clock_monotonic();
}

static void said(void *ctx, struct watch_findings *found) { emit(ctx, found); }

static void run(void *ctx) {
    struct watch *w = ctx;
    struct watch_findings found = {0};
    arena_init(&found.arena, 0);
    watch_fleet_catch_up(&w->fleet, said, w, &found);
    bool more = true;
    for (struct work work;;) {
        take_work(w, more, &work);
        take_told(w, &work);
        if (work.forget) watch_fleet_forget_models(&w->fleet);
        more = false;
        if (work.parcel) {
            judge_parcel(w, work.parcel, &found);
        } else if (watch_fleet_warm_one(&w->fleet, &found)) {
            emit(w, &found);
            more = true;
        } else if (work.drain) {
            watch_fleet_wait_learning(&w->fleet);
        }
        done_with(w, work.parcel);
        if (work.stop && !work.parcel && !more) break;
        keep_state(w, false);
        if (!work.drain || work.parcel || more || work.n_told) continue;
        thread_lock(&w->intake);
        if (!w->head && !w->n_told) w->draining = 0, thread_broadcast(&w->calm);
        thread_unlock(&w->intake);
    }
    keep_state(w, true);
    free(found.items);
    arena_fini(&found.arena);
}

/* ---- open and close */
Err watch_open(const struct watch_options *options, struct watch **out) {
    ASSERT(options->series);
    struct watch *w = calloc(1, sizeof *w);
    ASSERT(w);
    w->options = *options;
    if (!w->options.queue_bytes) w->options.queue_bytes = QUEUE_DEFAULT;
    if (!w->options.fs) w->options.fs = file_disk;
    if (options->dir) {
        w->options.dir = strdup(options->dir);
        ASSERT(w->options.dir);
    }
    thread_mutex_init(&w->intake);
    thread_cond_init(&w->arrived);
    thread_cond_init(&w->room);
    thread_cond_init(&w->calm);
    Err err = watch_fleet_init(&w->fleet, &w->options);
    if (err.code == ERR_NONE)
        *out = w;
    else
        watch_close(w);
    return err;
}

Err watch_start(struct watch *w) {
    ASSERT(!w->thread);
    w->saved = clock_monotonic();
    thread_lock(&w->intake);
    w->begun = true;
    thread_unlock(&w->intake);
    watch_fleet_meet(&w->fleet); /* while no thread judges */
    return thread_start(&w->thread, "watch", run, w);
}

void watch_close(struct watch *w) {
    if (!w) return;
    thread_lock(&w->intake);
    w->stopping = true;
    thread_broadcast(&w->arrived);
    thread_broadcast(&w->room);
    thread_unlock(&w->intake);
    if (w->thread) thread_join(w->thread);
    watch_fleet_fini(&w->fleet);
    for (struct parcel *p = w->head, *next; p; p = next) next = p->next, parcel_free(p);
    for (struct parcel *p = w->spare, *next; p; p = next) next = p->next, parcel_free(p);
    for (size_t i = 0; i < w->n_told; i++) free(w->told[i].text);
    free(w->told);
    for (size_t c = 0; c < CHUNKS; c++) free((void *)atomic_load(&w->filter[c]));
    buf_fini(&w->state), buf_fini(&w->older_state);
    thread_cond_fini(&w->arrived), thread_cond_fini(&w->room), thread_cond_fini(&w->calm);
    thread_mutex_fini(&w->intake);
    free((void *)(uintptr_t)w->options.dir);
    free(w);
}

void watch_drain(struct watch *w) {
    if (!w->thread) return;
    thread_lock(&w->intake);
    w->draining++;
    thread_signal(&w->arrived);
    while (w->draining) thread_wait(&w->calm, &w->intake);
    thread_unlock(&w->intake);
}

size_t watch_models(struct watch *w, PartyId party, struct watch_model *out, size_t max) {
    const struct watch_registry *r = &w->fleet.registry;
    size_t n = 0;
    thread_lock(&w->fleet.lock);
    for (size_t i = r->n; i-- > 0;) {
        if (party != 0 && r->items[i].party != party) continue;
        if (n < max) out[n] = r->items[i].row;
        n++;
    }
    thread_unlock(&w->fleet.lock);
    return n;
}

void watch_stats(struct watch *w, struct watch_stats *out) {
    thread_lock(&w->intake);
    *out = w->counts;
    out->queue_bytes = w->queued;
    thread_unlock(&w->intake);
    thread_lock(&w->fleet.lock);
    out->bytes = watch_fleet_bytes(&w->fleet);
    out->baseline_bytes = watch_fleet_baseline_bytes(&w->fleet);
    thread_unlock(&w->fleet.lock);
}

bool watch_look(struct watch *w, ThingId thing, struct watch_thing *out) {
    return watch_fleet_look(&w->fleet, thing, out);
}
