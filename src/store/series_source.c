#include "store/series_source.h"

#include <stdlib.h>
#include <string.h>

#include "base/vec.h"

static void turn_round(Nanos *times, Value *values, size_t n) {
    for (size_t i = 0, k = n; i + 1 < k; i++) {
        k--;
        Nanos time = times[i];
        times[i] = times[k], times[k] = time;
        Value value = values[i];
        values[i] = values[k], values[k] = value;
    }
}

#define ALONE_REFS_MAX 512 /* each is compared with each */

/* ---- memory: one batch */

static Err memory_next(struct series_source *self, struct series_samples *batch) {
    struct series_source_memory *m = (struct series_source_memory *)self;
    *batch = m->samples;
    m->samples.n = 0; /* the next is the end */
    return err_none();
}

void series_source_memory_metric(struct series_source_memory *m, const struct series_recent *recent, MetricId metric,
                                 bool descending) {
    m->base = (struct series_source){.next = memory_next};
    m->samples.n = 0;
    series_recent_metric(recent, metric, &m->samples);
    if (descending) turn_round(m->samples.times, m->samples.values, m->samples.n);
}

void series_source_memory_fini(struct series_source_memory *m) { series_merge_fini(&m->samples); }

/* ---- lanes */

void series_source_lane_open(struct series_source_lane *lane, struct compress *scratch, struct series_run *const *runs,
                             size_t n) {
    *lane = (struct series_source_lane){.scratch = scratch, .n_runs = n};
    lane->places = calloc(n + 1, sizeof *lane->places);
    ASSERT(lane->places != NULL);
    for (size_t i = 0; i < n; i++) lane->places[i].run = runs[i];
}

void series_source_lane_close(struct series_source_lane *lane) {
    for (size_t i = 0; i < lane->n_runs; i++) series_run_place_fini(&lane->places[i]);
    free(lane->places);
    free(lane->refs);
    free(lane->found.items);
    series_run_chunk_fini(&lane->chunk);
    series_merge_fini(&lane->samples);
}

static void note_failure(struct series_source_lane *lane, Err err) {
    if (err.code && !lane->failure.code) lane->failure = err;
}

Err series_source_lane_failure(const struct series_source_lane *lane) { return lane->failure; }

void series_source_lane_thing(struct series_source_lane *lane, PartyId party, ThingId thing, Nanos from, Nanos to) {
    lane->party = party, lane->thing = thing, lane->from = from, lane->to = to;
    lane->n_refs = 0;
    for (size_t i = 0; i < lane->n_runs; i++) {
        struct series_run_place *place = &lane->places[i];
        const struct series_run_info *info = series_run_info(place->run);
        if (info->from >= to || info->to <= from) continue;
        lane->found.n = 0;
        note_failure(lane, series_run_find(place, SERIES_RUN_KEY(party, thing), from, to, &lane->found));
        for (size_t k = 0; k < lane->found.n; k++)
            VEC_PUSH(lane->refs, lane->n_refs, lane->cap_refs,
                     ((struct series_source_ref){place->run, lane->found.items[k], false}));
    }
}

static Err check_chunk(struct series_source_lane *lane, const struct series_source_ref *ref) {
    struct series_run_chunk *c = &lane->chunk;
    const struct series_run_column *column;
    TRY(series_run_load(c, ref->run, &ref->entry));
    TRY(series_run_load_times(lane->scratch, c));
    for (uint32_t i = 0; i < c->chunk.head.n_columns; i++) TRY(series_run_load_column(lane->scratch, c, i, &column));
    return err_none();
}

void series_source_lane_check(struct series_source_lane *lane) {
    for (size_t i = 0; i < lane->n_refs; i++) {
        Err err = check_chunk(lane, &lane->refs[i]);
        if (err.code) lane->chunk.loaded = false;
        note_failure(lane, err);
    }
}

/* The rows [begin, end) narrowed to from <= time < to; times ascend within a thing. */
static void narrow(const struct series_source_lane *lane, uint32_t *begin, uint32_t *end) {
    const Nanos *times = lane->chunk.times;
    uint32_t low = *begin, high = *end;
    while (low < high) {
        uint32_t mid = low + (high - low) / 2;
        if (times[mid] < lane->from)
            low = mid + 1;
        else
            high = mid;
    }
    *begin = low, high = *end;
    while (low < high) {
        uint32_t mid = low + (high - low) / 2;
        if (times[mid] < lane->to)
            low = mid + 1;
        else
            high = mid;
    }
    *end = low;
}

/* The first of a column's values whose row is not below `row`. */
static size_t first_value(const struct series_run_column *column, uint32_t row) {
    size_t low = 0, high = column->form.n;
    if (column->form.whole) return row < high ? row : high;
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        if (column->rows[mid] < row)
            low = mid + 1;
        else
            high = mid;
    }
    return low;
}

static void add_column(struct series_source_lane *lane, const struct series_run_column *column, uint32_t begin,
                       uint32_t end) {
    const Nanos *times = lane->chunk.times;
    size_t i = first_value(column, begin), last = first_value(column, end);
    series_merge_reserve(&lane->samples, last - i);
    for (; i < last; i++) series_merge_put(&lane->samples, times[column->rows[i]], column->values[i]);
}

/* A metric of several kinds stands in several columns: their samples go into one order. Insertion: this is rare. */
static void sort_samples(struct series_samples *s) {
    for (size_t i = 1; i < s->n; i++) {
        Nanos time = s->times[i];
        Value value = s->values[i];
        size_t k = i;
        for (; k > 0 && s->times[k - 1] > time; k--) s->times[k] = s->times[k - 1], s->values[k] = s->values[k - 1];
        s->times[k] = time, s->values[k] = value;
    }
}

static Err read_chunk(struct series_source_lane *lane, const struct series_source_ref *ref) {
    struct series_run_chunk *c = &lane->chunk;
    uint32_t begin, end, columns = 0;
    TRY(series_run_load(c, ref->run, &ref->entry));
    uint32_t i = series_run_first_column(c, lane->metric);
    for (; i < c->chunk.head.n_columns; i++, columns++) {
        const struct series_run_column *column;
        if (c->columns[i].form.metric != lane->metric) break;
        TRY(series_run_load_times(lane->scratch, c));
        if (!series_run_part_rows(c, lane->party, lane->thing, &begin, &end)) break;
        narrow(lane, &begin, &end);
        if (begin == end) break;
        TRY(series_run_load_column(lane->scratch, c, i, &column));
        add_column(lane, column, begin, end);
    }
    if (columns > 1) sort_samples(&lane->samples);
    return err_none();
}

/* ---- chunks that need not be decoded */

static bool overlaps(const struct series_source_ref *a, const struct series_source_ref *b) {
    return a->entry.least <= b->entry.greatest && b->entry.least <= a->entry.greatest;
}

static bool is_alone(const struct series_source_lane *lanes, size_t n, const struct series_source_ref *ref,
                     const struct series_recent *memory) {
    if (ref->entry.first_key != ref->entry.last_key) return false;
    if (memory->n && memory->rows[0]->time <= ref->entry.greatest &&
        memory->rows[memory->n - 1]->time >= ref->entry.least)
        return false;
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < lanes[i].n_refs; k++)
            if (&lanes[i].refs[k] != ref && overlaps(&lanes[i].refs[k], ref)) return false;
    return true;
}

void series_source_mark_alone(struct series_source_lane *lanes, size_t n, const struct series_recent *memory) {
    size_t refs = 0;
    for (size_t i = 0; i < n; i++) refs += lanes[i].n_refs;
    if (refs > ALONE_REFS_MAX) return; /* looking would cost more than it saves */
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < lanes[i].n_refs; k++)
            lanes[i].refs[k].alone = is_alone(lanes, n, &lanes[i].refs[k], memory);
}

/* The only column of the metric, if it has the numbers a window needs. */
static const struct series_chunk_column *summed_column(const struct series_source_lane *lane) {
    const struct series_run_chunk *c = &lane->chunk;
    uint32_t i = series_run_first_column(c, lane->metric), n = c->chunk.head.n_columns;
    if (i == n || c->columns[i].form.metric != lane->metric || c->columns[i].form.family == SERIES_STRINGS) return NULL;
    return i + 1 < n && c->columns[i + 1].form.metric == lane->metric ? NULL : &c->columns[i].form;
}

static bool in_one_window(const struct series_source_lane *lane, const struct series_run_entry *e) {
    return e->least >= lane->from && e->greatest < lane->to &&
           series_merge_window_start(e->least, lane->window) == series_merge_window_start(e->greatest, lane->window);
}

/* Puts the chunk's summary into the batch instead of its samples; false: it must be decoded. */
static bool summarise(struct series_source_lane *lane, const struct series_source_ref *ref) {
    if (!lane->window || !ref->alone || !in_one_window(lane, &ref->entry)) return false;
    if (series_run_load(&lane->chunk, ref->run, &ref->entry).code) return false; /* decoding will say why */
    const struct series_chunk_column *column = summed_column(lane);
    if (!column) return false;
    lane->summary = (struct series_summary){.n = column->n,
                                            .min = column->min,
                                            .max = column->max,
                                            .sum = column->sum,
                                            .first = series_chunk_value(column->first_kind, column->first),
                                            .last = series_chunk_value(column->last_kind, column->last)};
    series_merge_put(&lane->samples, ref->entry.least, lane->summary.first);
    lane->samples.summary = &lane->summary;
    return true;
}

static Err lane_next(struct series_source *self, struct series_samples *batch) {
    struct series_source_lane *lane = (struct series_source_lane *)self;
    lane->samples.n = 0, lane->samples.summary = NULL;
    while (lane->samples.n == 0 && lane->next < lane->n_refs) {
        size_t i = lane->descending ? lane->n_refs - 1 - lane->next : lane->next;
        lane->next++;
        if (summarise(lane, &lane->refs[i])) break;
        Err err = read_chunk(lane, &lane->refs[i]);
        if (err.code) lane->samples.n = 0, lane->chunk.loaded = false;
        note_failure(lane, err);
    }
    if (lane->descending) turn_round(lane->samples.times, lane->samples.values, lane->samples.n);
    *batch = lane->samples;
    return err_none();
}

void series_source_lane_metric(struct series_source_lane *lane, MetricId metric, bool descending) {
    lane->base = (struct series_source){.next = lane_next};
    lane->metric = metric, lane->descending = descending, lane->next = 0;
}
