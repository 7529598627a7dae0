/*
 * A thing's chunks of all runs are put in order of time. Those that overlap no other, as mostly, go out as they are
 * decoded; the others are joined. Rows in memory between two chunks make a batch of their own, those within one are
 * joined to it, as are the ends of chunks that overlap.
 */
#include "store/series_batch_read.h"

#include <stdlib.h>
#include <string.h>

#include "base/vec.h"
#include "store/series_batch_chunk.h"

#define STRETCH_ROWS 8192 /* of a batch, at most; a multiple of 64 */
#define SHARED_KEPT 64    /* chunks that things share, kept decoded for the next thing */

/* Rows of the thing in one chunk. */
struct piece {
    Nanos least, greatest;
    size_t run; /* of a partition's runs the lower counts first */
    struct series_run_entry entry;
    struct series_batch_chunk *shared; /* loaded; NULL: a chunk of this thing alone */
};

struct shelf {
    struct series_batch_chunk **items;
    size_t n, cap;
};

struct series_batch_reader {
    struct series_batch_work *work;
    const struct series_ask *ask;
    unsigned worker;
    struct series_run **runs; /* those that overlap from .. to, by partition, then the newest first */
    struct series_run_place *places;
    size_t n_runs;
    struct series_run_entries found;
    struct piece *pieces; /* of the thing at hand, by their least time */
    size_t n_pieces, cap_pieces;
    struct shelf shared, own;
    uint64_t turn; /* counts things */
    struct series_recent recent;
    struct series_batch_index index;
    struct series_batch_tools tools;
    struct series_batch_summary summaries[SERIES_ASK_METRICS_MAX];
    PartyId party;
    ThingId thing;
    Err failure;
};

static void note(struct series_batch_reader *r, Err err) {
    if (err.code && !r->failure.code) r->failure = err;
}

struct series_batch_reader *series_batch_read_open(struct series_batch_work *work, unsigned worker) {
    struct series_batch_reader *r = calloc(1, sizeof *r);
    ASSERT(r != NULL);
    const struct series_set *set = work->now.set;
    r->work = work, r->ask = &work->asked->ask, r->worker = worker;
    r->runs = malloc((set->n + 1) * sizeof *r->runs);
    r->places = calloc(set->n + 1, sizeof *r->places);
    ASSERT(r->runs != NULL && r->places != NULL);
    for (size_t i = 0; i < set->n; i++) {
        const struct series_run_info *info = series_run_info(set->runs[i]);
        if (info->from >= r->ask->to || info->to <= r->ask->from) continue;
        r->places[r->n_runs].run = set->runs[i];
        r->runs[r->n_runs++] = set->runs[i];
    }
    series_batch_part_index(&r->index, r->ask->metrics, r->ask->n_metrics);
    r->tools.scratch = compress_new();
    return r;
}

static void free_shelf(struct shelf *s) {
    for (size_t i = 0; i < s->n; i++) {
        series_batch_chunk_fini(s->items[i]);
        free(s->items[i]);
    }
    free(s->items);
}

void series_batch_read_close(struct series_batch_reader *r) {
    for (size_t i = 0; i < r->n_runs; i++) series_run_place_fini(&r->places[i]);
    free_shelf(&r->shared);
    free_shelf(&r->own);
    series_recent_fini(&r->recent);
    compress_free(r->tools.scratch);
    series_chunk_room_fini(&r->tools.room);
    arena_fini(&r->tools.arena);
    free(r->found.items);
    free(r->pieces);
    free(r->places);
    free(r->runs);
    free(r);
}

Err series_batch_read_failure(const struct series_batch_reader *r) { return r->failure; }

/* ---- chunks at hand */

static struct series_batch_chunk *add_chunk(struct shelf *s) {
    struct series_batch_chunk *c = calloc(1, sizeof *c);
    ASSERT(c != NULL);
    VEC_PUSH(s->items, s->n, s->cap, c);
    return c;
}

/* The i-th of those that are only needed until their batch is given. */
static struct series_batch_chunk *own_chunk(struct series_batch_reader *r, size_t i) {
    return i < r->own.n ? r->own.items[i] : add_chunk(&r->own);
}

/* The chunk if it is kept, else the place of one that was not used for long, or a new one. */
static struct series_batch_chunk *shared_chunk(struct series_batch_reader *r, const struct series_run *run,
                                               uint64_t offset) {
    struct series_batch_chunk *oldest = NULL;
    for (size_t i = 0; i < r->shared.n; i++) {
        struct series_batch_chunk *c = r->shared.items[i];
        if (c->chunk.loaded && c->chunk.run == run && c->chunk.entry.offset == offset) return c;
        if (!oldest || c->used < oldest->used) oldest = c;
    }
    return r->shared.n < SHARED_KEPT || oldest->used == r->turn ? add_chunk(&r->shared) : oldest;
}

/* ---- the thing's pieces */

static Nanos later(Nanos a, Nanos b) { return a > b ? a : b; }
static Nanos sooner(Nanos a, Nanos b) { return a < b ? a : b; }

/* Pieces mostly come in order of time. */
static void add_piece(struct series_batch_reader *r, struct piece piece) {
    VEC_PUSH(r->pieces, r->n_pieces, r->cap_pieces, piece);
    size_t at = r->n_pieces - 1;
    for (; at > 0 && r->pieces[at - 1].least > piece.least; at--) r->pieces[at] = r->pieces[at - 1];
    r->pieces[at] = piece;
}

/* The thing's rows in a chunk that things share; what is between them is of no interest. */
static Err find_shared(struct series_batch_reader *r, struct piece *p, struct series_batch_rows *rows) {
    p->shared = shared_chunk(r, r->runs[p->run], p->entry.offset);
    p->shared->used = r->turn;
    TRY(series_batch_chunk_load(p->shared, r->runs[p->run], &p->entry));
    TRY(series_batch_chunk_find(p->shared, &r->tools, r->party, r->thing, r->ask->from, r->ask->to, rows));
    if (rows->begin == rows->end) return err_none();
    p->least = p->shared->chunk.times[rows->begin], p->greatest = p->shared->chunk.times[rows->end - 1];
    return err_none();
}

static void take_entry(struct series_batch_reader *r, size_t run, const struct series_run_entry *e) {
    struct piece piece = {later(e->least, r->ask->from), sooner(e->greatest, r->ask->to - 1), run, *e, NULL};
    struct series_batch_rows rows;
    if (e->first_key != e->last_key) {
        Err err = find_shared(r, &piece, &rows);
        if (err.code) piece.shared->chunk.loaded = false;
        note(r, err);
        if (err.code || rows.begin == rows.end) return;
    }
    add_piece(r, piece);
}

static void find_pieces(struct series_batch_reader *r) {
    uint64_t key = SERIES_RUN_KEY(r->party, r->thing);
    r->n_pieces = 0;
    for (size_t i = 0; i < r->n_runs; i++) {
        r->found.n = 0;
        note(r, series_run_find(&r->places[i], key, r->ask->from, r->ask->to, &r->found));
        for (size_t k = 0; k < r->found.n; k++) take_entry(r, i, &r->found.items[k]);
    }
}

/* ---- giving */

static bool is_over(struct series_batch_reader *r) {
    struct series_batch_work *w = r->work;
    if (atomic_load_explicit(&w->stopped, memory_order_relaxed)) return true;
    if (!r->ask->cancel || !atomic_load_explicit(r->ask->cancel, memory_order_relaxed)) return false;
    atomic_store(&w->cancelled, true);
    atomic_store(&w->stopped, true);
    return true;
}

static void give(struct series_batch_reader *r, struct series_batch *batch) {
    if (is_over(r)) return;
    batch->party = r->party, batch->thing = r->thing, batch->worker = r->worker;
    if (!r->work->sink(r->work->ctx, batch)) atomic_store(&r->work->stopped, true);
}

static void give_part(struct series_batch_reader *r, const struct series_batch_part *part) {
    struct series_batch batch = {.n = part->n, .times = part->times, .columns = part->columns};
    if (part->n > 0 && part->n <= STRETCH_ROWS) give(r, &batch);
    for (size_t at = 0; part->n > STRETCH_ROWS && at < part->n; at += STRETCH_ROWS) {
        struct series_batch_part stretch;
        size_t n = part->n - at < STRETCH_ROWS ? part->n - at : STRETCH_ROWS;
        series_batch_part_stretch(&stretch, part, r->ask->n_metrics, at, n);
        batch = (struct series_batch){.n = n, .times = stretch.times, .columns = stretch.columns};
        give(r, &batch);
    }
}

static void give_memory(struct series_batch_reader *r, size_t from, size_t n) {
    struct series_batch_part part;
    series_batch_part_memory(&part, &r->index, r->recent.rows + from, n, &r->tools.arena);
    give_part(r, &part);
}

/* The directory's word for a chunk that lies within one window and is not cut. */
static bool give_summary(struct series_batch_reader *r, const struct piece *p, const struct series_batch_chunk *c) {
    const struct series_ask *ask = r->ask;
    const struct series_run_entry *e = &p->entry;
    if (ask->window == 0 || p->shared || e->least < ask->from || e->greatest >= ask->to) return false;
    Nanos phase = ask->origin % ask->window, least, greatest;
    if (__builtin_sub_overflow(e->least, phase, &least) || __builtin_sub_overflow(e->greatest, phase, &greatest))
        return false;
    if (series_merge_window_start(least, ask->window) != series_merge_window_start(greatest, ask->window)) return false;
    if (!series_batch_chunk_summarise(c, ask->metrics, ask->n_metrics, r->summaries)) return false;
    uint64_t values = 0;
    for (size_t k = 0; k < ask->n_metrics; k++) values += r->summaries[k].n;
    struct series_batch batch = {.n = 1, .times = &e->least, .summaries = r->summaries};
    if (values > 0) give(r, &batch);
    return ask->n_metrics > 0;
}

static Err load_own(struct series_batch_reader *r, const struct piece *p, struct series_batch_chunk *c) {
    Err err = series_batch_chunk_load(c, r->runs[p->run], &p->entry);
    if (err.code) c->chunk.loaded = false;
    return err;
}

/* Its rows with from <= time < to. */
static Err cut(struct series_batch_reader *r, const struct piece *p, struct series_batch_chunk *c, Nanos from, Nanos to,
               struct series_batch_part *part) {
    struct series_batch_rows rows;
    part->n = 0;
    if (!p->shared) TRY(load_own(r, p, c));
    TRY(series_batch_chunk_find(c, &r->tools, r->party, r->thing, from, to, &rows));
    return series_batch_chunk_cut(c, &r->tools, rows, r->ask->metrics, r->ask->n_metrics, part);
}

static void give_alone(struct series_batch_reader *r, const struct piece *p) {
    struct series_batch_chunk *c = p->shared ? p->shared : own_chunk(r, 0);
    struct series_batch_part part;
    if (r->ask->window && !p->shared && load_own(r, p, c).code == ERR_NONE && give_summary(r, p, c)) return;
    note(r, cut(r, p, c, r->ask->from, r->ask->to, &part));
    give_part(r, &part);
}

/* ---- pieces that overlap */

#define CLUSTER_MAX 64 /* pieces that are cut where others begin and end; more are joined as a whole */

/* Pieces of which each overlaps another, by run, and memory's rows within their time. */
struct cluster {
    struct piece *pieces;
    size_t n;
    size_t memory, n_memory;
};

static int by_run(const void *a, const void *b) {
    const struct piece *x = a, *y = b;
    return x->run < y->run ? -1 : x->run > y->run;
}

static int by_time(const void *a, const void *b) {
    Nanos x = *(const Nanos *)a, y = *(const Nanos *)b;
    return x < y ? -1 : x > y;
}

/* What all of them have of from <= time < to. Memory counts before all runs, of which no two partitions overlap. */
static void give_between(struct series_batch_reader *r, const struct cluster *c, Nanos from, Nanos to, size_t memory,
                         size_t n_memory) {
    struct arena *arena = &r->tools.arena;
    struct series_batch_part *parts = arena_alloc(arena, (c->n + 2) * sizeof *parts), *joined = parts + c->n + 1;
    const struct series_batch_part **list = arena_alloc(arena, (c->n + 1) * sizeof *list);
    size_t n = 0;
    if (n_memory) {
        series_batch_part_memory(&parts[c->n], &r->index, r->recent.rows + memory, n_memory, arena);
        if (parts[c->n].n) list[n++] = &parts[c->n];
    }
    for (size_t i = 0; i < c->n; i++) {
        const struct piece *p = &c->pieces[i];
        if (p->least >= to || p->greatest < from) continue;
        note(r, cut(r, p, p->shared ? p->shared : own_chunk(r, i), from, to, &parts[i]));
        if (parts[i].n) list[n++] = &parts[i];
    }
    if (n > 1) series_batch_part_join(joined, list, n, r->ask->n_metrics, arena);
    if (n > 0) give_part(r, n > 1 ? joined : list[0]);
    arena_reset(arena);
}

/* Chunks overlap mostly at their ends, where rows came late: cut there, what is between goes out as it is. */
static void give_cluster(struct series_batch_reader *r, const struct cluster *c) {
    Nanos cuts[2 * CLUSTER_MAX + 2];
    size_t n = 0, memory = c->memory, end = c->memory + c->n_memory;
    if (c->n > 1) qsort(c->pieces, c->n, sizeof *c->pieces, by_run);
    if (c->n > CLUSTER_MAX) {
        give_between(r, c, r->ask->from, r->ask->to, memory, c->n_memory);
        return;
    }
    for (size_t i = 0; i < c->n; i++) cuts[n++] = c->pieces[i].least, cuts[n++] = c->pieces[i].greatest + 1;
    if (c->n_memory) cuts[n++] = r->recent.rows[memory]->time, cuts[n++] = r->recent.rows[end - 1]->time + 1;
    qsort(cuts, n, sizeof *cuts, by_time);
    for (size_t i = 0; i + 1 < n && !is_over(r); i++) {
        size_t first = memory;
        if (cuts[i] == cuts[i + 1]) continue;
        while (memory < end && r->recent.rows[memory]->time < cuts[i + 1]) memory++;
        give_between(r, c, cuts[i], cuts[i + 1], first, memory - first);
    }
}

/* Memory's rows from `at` on whose time is below t. */
static size_t rows_before(const struct series_recent *recent, size_t at, Nanos t) {
    size_t n = 0;
    while (at + n < recent->n && recent->rows[at + n]->time < t) n++;
    return n;
}

static void give_all(struct series_batch_reader *r) {
    size_t memory = 0;
    for (size_t i = 0, n; i < r->n_pieces && !is_over(r); i += n) {
        Nanos greatest = r->pieces[i].greatest;
        size_t between = rows_before(&r->recent, memory, r->pieces[i].least), within;
        if (between) give_memory(r, memory, between);
        memory += between;
        for (n = 1; i + n < r->n_pieces && r->pieces[i + n].least <= greatest; n++)
            greatest = later(greatest, r->pieces[i + n].greatest);
        within = rows_before(&r->recent, memory, greatest + 1);
        arena_reset(&r->tools.arena);
        if (n == 1 && within == 0)
            give_alone(r, &r->pieces[i]);
        else
            give_cluster(r, &(struct cluster){&r->pieces[i], n, memory, within});
        memory += within;
        arena_reset(&r->tools.arena);
    }
    if (memory < r->recent.n && !is_over(r)) give_memory(r, memory, r->recent.n - memory);
    arena_reset(&r->tools.arena);
}

void series_batch_read_thing(struct series_batch_reader *r, ThingId thing) {
    const struct series_asked *asked = r->work->asked;
    const struct series_gather_picture *now = &r->work->now;
    if (is_over(r)) return;
    PartyId party = series_names_party(r->work->engine->front.names, thing);
    if (party == 0 || !(asked->every_party || party == asked->party)) return;
    r->party = party, r->thing = thing, r->turn++;
    series_recent_clear(&r->recent);
    if (now->frozen) series_recent_add(&r->recent, now->frozen, thing, r->ask->from, r->ask->to);
    series_recent_add(&r->recent, now->active, thing, r->ask->from, r->ask->to);
    series_recent_sort(&r->recent);
    find_pieces(r);
    give_all(r);
}
