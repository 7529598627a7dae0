/*
 * Values stand in a chunk without gaps. When the metrics asked for were reported together, as mostly, they go out as
 * they are and only the times of rows without them are dropped; a column that lacks some of the rows is spread out.
 */
#include "store/series_batch_chunk.h"

#include <stdlib.h>
#include <string.h>

#include "base/vec.h"

void series_batch_chunk_fini(struct series_batch_chunk *c) {
    series_run_chunk_fini(&c->chunk);
    for (size_t i = 0; i < c->cap_columns; i++) {
        free(c->columns[i].values);
        free(c->columns[i].present);
        free(c->columns[i].before);
    }
    free(c->columns);
    *c = (struct series_batch_chunk){0};
}

Err series_batch_chunk_load(struct series_batch_chunk *c, struct series_run *run,
                            const struct series_run_entry *entry) {
    if (c->chunk.loaded && c->chunk.run == run && c->chunk.entry.offset == entry->offset) return err_none();
    c->chunk.in_place = true;
    Err err = series_run_load(&c->chunk, run, entry);
    if (err.code) c->chunk.loaded = false;
    TRY(err);
    size_t n = c->chunk.chunk.head.n_columns, old = c->cap_columns;
    if (n > old) {
        c->columns = vec_grow(c->columns, &c->cap_columns, n, sizeof *c->columns);
        memset(c->columns + old, 0, (c->cap_columns - old) * sizeof *c->columns);
    }
    for (size_t i = 0; i < n; i++) c->columns[i].state = SERIES_BATCH_UNREAD;
    return err_none();
}

/* ---- decoding */

static void make_room(struct series_batch_numbers *column, size_t n) {
    if (column->cap >= n) return;
    free(column->values);
    free(column->present);
    free(column->before);
    column->cap = n < SERIES_CHUNK_ROWS_MAX ? SERIES_CHUNK_ROWS_MAX : n;
    column->values = malloc(column->cap * sizeof *column->values);
    column->present = malloc(series_batch_words(column->cap) * sizeof *column->present);
    column->before = malloc(series_batch_words(column->cap) * sizeof *column->before);
    ASSERT(column->values && column->present && column->before);
}

static void count_before(struct series_batch_numbers *column, size_t n_rows) {
    uint32_t count = 0;
    for (size_t i = 0; i < series_batch_words(n_rows); i++) {
        column->before[i] = count;
        count += (uint32_t)__builtin_popcountll(column->present[i]);
    }
}

static bool read_present(struct series_batch_chunk *c, struct series_batch_tools *tools, uint32_t i, Str section) {
    struct series_batch_numbers *column = &c->columns[i];
    const struct series_chunk_column *form = &c->chunk.columns[i].form;
    size_t n_rows = c->chunk.chunk.head.n_rows;
    if (form->n == 0 || form->n > n_rows) return false;
    make_room(column, n_rows);
    if (form->whole) return form->n == n_rows && form->presence_bytes == 0;
    if (!series_chunk_read_present(tools->scratch, &c->chunk.chunk, form, section, column->present)) return false;
    count_before(column, n_rows);
    return true;
}

/* What a column is and which rows have it; no values yet. */
static Err open_column(struct series_batch_chunk *c, struct series_batch_tools *tools, uint32_t i) {
    struct series_batch_numbers *column = &c->columns[i];
    Str section;
    if (column->state != SERIES_BATCH_UNREAD) return err_none();
    column->state = SERIES_BATCH_DAMAGED;
    TRY(series_run_load_section(&c->chunk, i, &section));
    if (!series_chunk_is_sound(&c->chunk.columns[i].form, section)) return series_run_column_damaged(&c->chunk, i);
    if (!series_chunk_is_plain(&c->chunk.columns[i].form, section)) {
        column->state = SERIES_BATCH_OTHER;
        return err_none();
    }
    if (!read_present(c, tools, i, section)) return series_run_column_damaged(&c->chunk, i);
    column->state = SERIES_BATCH_PLAIN;
    column->first = column->end = 0;
    return err_none();
}

/* Values [at, at + n) of an open column, and what was decoded before. */
static Err decode(struct series_batch_chunk *c, struct series_batch_tools *tools, uint32_t i, size_t at, size_t n) {
    struct series_batch_numbers *column = &c->columns[i];
    size_t first = at / COMPRESS_BLOCK, end = (at + n + COMPRESS_BLOCK - 1) / COMPRESS_BLOCK;
    Str section;
    if (column->end > 0 && column->first <= first && end <= column->end) return err_none();
    if (column->end > 0) {
        first = first < column->first ? first : column->first;
        end = end > column->end ? end : column->end;
    }
    TRY(series_run_load_section(&c->chunk, i, &section));
    if (!series_chunk_read_numbers(tools->scratch, &tools->room, &c->chunk.columns[i].form, section, first, end,
                                   column->values, &column->kind)) {
        column->state = SERIES_BATCH_DAMAGED;
        return series_run_column_damaged(&c->chunk, i);
    }
    column->first = first, column->end = end;
    return err_none();
}

/* ---- the rows of one thing */

/* A metric's values within a range, without gaps. */
struct view {
    bool numbers_only;
    uint8_t kind;
    const double *numbers;
    const Value *values;
    const uint64_t *present; /* from the range's first row on; NULL: every row */
    size_t n;
};

/* Bits begin .. end of words, moved to the front, zeroes behind. */
static uint64_t *cut_bits(const uint64_t *words, struct series_batch_rows r, struct arena *arena) {
    size_t n = r.end - r.begin, count = series_batch_words(n), first = r.begin / 64, last = (r.end - 1) / 64;
    unsigned shift = r.begin % 64;
    uint64_t *out = arena_alloc(arena, count * sizeof *out);
    for (size_t i = 0; i < count; i++) {
        out[i] = words[first + i] >> shift;
        if (shift && first + i < last) out[i] |= words[first + i + 1] << (64 - shift);
    }
    if (n % 64) out[count - 1] &= (UINT64_C(1) << n % 64) - 1;
    return out;
}

static size_t values_before(const struct series_batch_numbers *column, uint32_t row) {
    uint64_t below = row % 64 ? column->present[row / 64] & ((UINT64_C(1) << row % 64) - 1) : 0;
    return column->before[row / 64] + (size_t)__builtin_popcountll(below);
}

static Err view_numbers(struct series_batch_chunk *c, struct series_batch_tools *tools, uint32_t i,
                        struct series_batch_rows r, struct view *out) {
    struct series_batch_numbers *column = &c->columns[i];
    size_t n_rows = r.end - r.begin, at = r.begin;
    struct view v = {.numbers_only = true, .n = n_rows};
    if (!c->chunk.columns[i].form.whole) {
        at = values_before(column, r.begin);
        v.present = cut_bits(column->present, r, &tools->arena);
        v.n = series_batch_count(v.present, n_rows);
        if (v.n == n_rows) v.present = NULL;
    }
    if (v.n == 0) return err_none();
    TRY(decode(c, tools, i, at, v.n));
    v.numbers = column->values + at, v.kind = column->kind;
    *out = v;
    return err_none();
}

static size_t first_value(const struct series_run_column *column, uint32_t row) {
    size_t low = 0, high = column->form.n;
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        if (column->rows[mid] < row)
            low = mid + 1;
        else
            high = mid;
    }
    return low;
}

static Err view_values(struct series_batch_chunk *c, struct series_batch_tools *tools, uint32_t i,
                       struct series_batch_rows r, struct view *out) {
    const struct series_run_column *column;
    TRY(series_run_load_column(tools->scratch, &c->chunk, i, &column));
    size_t at = first_value(column, r.begin), n = r.end - r.begin;
    uint64_t *present = arena_zero(&tools->arena, series_batch_words(n), sizeof *present);
    *out = (struct view){.values = column->values + at, .present = present};
    for (; at < column->form.n && column->rows[at] < r.end; at++, out->n++)
        series_batch_set(present, column->rows[at] - r.begin);
    if (out->n == n) out->present = NULL;
    return err_none();
}

static Err view_column(struct series_batch_chunk *c, struct series_batch_tools *tools, uint32_t i,
                       struct series_batch_rows r, bool as_values, struct view *out) {
    *out = (struct view){0};
    if (as_values) return view_values(c, tools, i, r, out);
    TRY(open_column(c, tools, i));
    switch (c->columns[i].state) {
    case SERIES_BATCH_PLAIN: return view_numbers(c, tools, i, r, out);
    case SERIES_BATCH_OTHER: return view_values(c, tools, i, r, out);
    default: return err_none(); /* told already */
    }
}

/* A metric of several kinds stands in several columns, of which no two have a value in one row. */
static Err view_several(struct series_batch_chunk *c, struct series_batch_tools *tools, uint32_t first, uint32_t n,
                        struct series_batch_rows r, struct view *out) {
    size_t n_rows = r.end - r.begin;
    Value *values = arena_zero(&tools->arena, n_rows, sizeof *values);
    uint64_t *present = arena_zero(&tools->arena, series_batch_words(n_rows), sizeof *present);
    Err damage = err_none();
    for (uint32_t i = first; i < first + n; i++) {
        struct view one;
        Err err = view_column(c, tools, i, r, true, &one);
        if (err.code) damage = err;
        for (size_t row = 0, at = 0; err.code == ERR_NONE && row < n_rows; row++) {
            if (one.present && !series_batch_bit(one.present, row)) continue;
            series_batch_set(present, row);
            values[row] = one.values[at++];
        }
    }
    *out = (struct view){.values = values, .present = present};
    for (size_t row = 0; row < n_rows; row++)
        if (series_batch_bit(present, row)) values[out->n++] = values[row];
    return damage;
}

static Err view_metric(struct series_batch_chunk *c, struct series_batch_tools *tools, MetricId metric,
                       struct series_batch_rows r, struct view *out) {
    uint32_t first = series_run_first_column(&c->chunk, metric), n = 0, n_columns = c->chunk.chunk.head.n_columns;
    struct view one;
    size_t with_values = 0;
    Err damage = err_none();
    *out = (struct view){0};
    for (; first + n < n_columns && c->chunk.columns[first + n].form.metric == metric; n++) {
        Err err = view_column(c, tools, first + n, r, false, &one);
        if (err.code) damage = err;
        if (one.n == 0) continue;
        with_values++;
        *out = one;
    }
    return with_values > 1 ? view_several(c, tools, first, n, r, out) : damage;
}

/* ---- putting views side by side */

/* The rows that any view has; NULL: all. */
static const uint64_t *rows_of(const struct view *views, size_t n_views, size_t n, struct arena *arena) {
    size_t words = series_batch_words(n), only = SIZE_MAX;
    for (size_t k = 0; k < n_views; k++) {
        if (views[k].n == n) return NULL;
        if (views[k].n) only = only == SIZE_MAX ? k : n_views;
    }
    if (n_views == 0) return NULL;
    if (only < n_views) return views[only].present;
    uint64_t *rows = arena_zero(arena, words, sizeof *rows);
    for (size_t k = 0; k < n_views; k++)
        for (size_t i = 0; views[k].n && i < words; i++) rows[i] |= views[k].present[i];
    return rows;
}

static const Nanos *pick_times(const Nanos *times, const uint64_t *rows, size_t n, size_t picked, struct arena *arena) {
    Nanos *out = arena_alloc(arena, picked * sizeof *out), *at = out;
    for (size_t i = 0; i < series_batch_words(n); i++) {
        const Nanos *from = times + i * 64;
        uint64_t word = rows[i];
        if (word == UINT64_MAX) {
            memcpy(at, from, 64 * sizeof *at);
            at += 64;
            continue;
        }
        for (; word; word &= word - 1) *at++ = from[__builtin_ctzll(word)];
    }
    return out;
}

/* Bit k of the result: whether row k of the picked rows is one of the view's. */
static const uint64_t *pick_bits(const struct view *v, const uint64_t *rows, size_t n, size_t picked,
                                 struct arena *arena) {
    if (!rows) return v->present;
    uint64_t *out = arena_zero(arena, series_batch_words(picked), sizeof *out);
    size_t at = 0;
    for (size_t i = 0; i < series_batch_words(n); i++)
        for (uint64_t word = rows[i]; word; word &= word - 1, at++)
            out[at / 64] |= (v->present[i] >> __builtin_ctzll(word) & 1) << at % 64;
    return out;
}

static const double *spread(const double *dense, const uint64_t *bits, size_t n, struct arena *arena) {
    double *out = arena_alloc(arena, n * sizeof *out);
    for (size_t i = 0; i < series_batch_words(n); i++) {
        double *to = out + i * 64;
        if (bits[i] == UINT64_MAX) {
            memcpy(to, dense, 64 * sizeof *to);
            dense += 64;
            continue;
        }
        for (uint64_t word = bits[i]; word; word &= word - 1) to[__builtin_ctzll(word)] = *dense++;
    }
    return out;
}

static void lay_column(const struct view *v, const uint64_t *rows, size_t n, size_t picked, struct arena *arena,
                       struct series_batch_column *out) {
    *out = (struct series_batch_column){.numbers_only = v->n == 0 || v->numbers_only,
                                        .kind = v->kind,
                                        .numbers = v->numbers,
                                        .values = v->values,
                                        .n_present = v->n};
    if (v->n == 0 || v->n == picked) return; /* it is as long as the rows, so it has each of them */
    out->present = pick_bits(v, rows, n, picked, arena);
    if (v->numbers) {
        out->numbers = spread(v->numbers, out->present, picked, arena);
        return;
    }
    Value *values = arena_zero(arena, picked, sizeof *values);
    for (size_t i = 0, at = 0; i < picked; i++)
        if (series_batch_bit(out->present, i)) values[i] = v->values[at++];
    out->values = values;
}

static void lay_part(const struct view *views, size_t n_views, const Nanos *times, size_t n, struct arena *arena,
                     struct series_batch_part *part) {
    const uint64_t *rows = rows_of(views, n_views, n, arena);
    part->n = rows ? series_batch_count(rows, n) : n;
    part->times = part->n < n ? pick_times(times, rows, n, part->n, arena) : times;
    if (part->n == n) rows = NULL;
    for (size_t k = 0; k < n_views; k++) lay_column(&views[k], rows, n, part->n, arena, &part->columns[k]);
}

/* The first row of the range whose time is not below t. */
static uint32_t first_row(const Nanos *times, struct series_batch_rows r, Nanos t) {
    while (r.begin < r.end) {
        uint32_t mid = r.begin + (r.end - r.begin) / 2;
        if (times[mid] < t)
            r.begin = mid + 1;
        else
            r.end = mid;
    }
    return r.begin;
}

Err series_batch_chunk_find(struct series_batch_chunk *c, struct series_batch_tools *tools, PartyId party,
                            ThingId thing, Nanos from, Nanos to, struct series_batch_rows *out) {
    *out = (struct series_batch_rows){0};
    TRY(series_run_load_times(tools->scratch, &c->chunk));
    if (!series_run_part_rows(&c->chunk, party, thing, &out->begin, &out->end)) return err_none();
    out->begin = first_row(c->chunk.times, *out, from);
    out->end = first_row(c->chunk.times, *out, to);
    return err_none();
}

Err series_batch_chunk_cut(struct series_batch_chunk *c, struct series_batch_tools *tools,
                           struct series_batch_rows rows, const MetricId *metrics, size_t n_metrics,
                           struct series_batch_part *part) {
    struct view views[SERIES_ASK_METRICS_MAX];
    size_t values = 0;
    Err damage = err_none();
    part->n = 0;
    if (rows.begin == rows.end) return damage;
    for (size_t k = 0; k < n_metrics; k++) {
        Err err = view_metric(c, tools, metrics[k], rows, &views[k]);
        if (err.code) damage = err;
        values += views[k].n;
    }
    if (values > 0 || n_metrics == 0)
        lay_part(views, n_metrics, c->chunk.times + rows.begin, rows.end - rows.begin, &tools->arena, part);
    return damage;
}

/* ---- without decoding */

bool series_batch_chunk_summarise(const struct series_batch_chunk *c, const MetricId *metrics, size_t n_metrics,
                                  struct series_batch_summary *out) {
    for (size_t k = 0; k < n_metrics; k++) {
        uint32_t i = series_run_first_column(&c->chunk, metrics[k]), n = c->chunk.chunk.head.n_columns;
        out[k] = (struct series_batch_summary){0};
        if (i == n || c->chunk.columns[i].form.metric != metrics[k]) continue;
        const struct series_chunk_column *form = &c->chunk.columns[i].form;
        if (form->family == SERIES_STRINGS) return false;
        if (i + 1 < n && c->chunk.columns[i + 1].form.metric == metrics[k]) return false;
        out[k] = (struct series_batch_summary){.n = form->n,
                                               .min = form->min,
                                               .max = form->max,
                                               .sum = form->sum,
                                               .first = series_chunk_value(form->first_kind, form->first),
                                               .last = series_chunk_value(form->last_kind, form->last),
                                               .last_time = form->last_time};
    }
    return true;
}
