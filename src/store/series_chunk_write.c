#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/map.h"
#include "store/series_chunk.h"
#include "store/series_chunk_form.h"

_Static_assert(sizeof(struct series_chunk_head) == 88, "form of the chunk");
_Static_assert(sizeof(struct series_chunk_column) == 80, "form of the chunk");

struct writer {
    struct compress *scratch;
    const struct series_table *table;
    bool cold;
    struct buf *out;
    /* of one column: */
    int64_t *ints;
    double *floats;
    bool *bits;
};

/* Room before a section for its size, filled in by end_section. */
static size_t begin_section(struct buf *out) {
    buf_u32le(out, 0);
    return out->len;
}

static void end_section(struct buf *out, size_t from) {
    uint32_t size = (uint32_t)(out->len - from);
    memcpy(out->ptr + from - 4, &size, 4);
}

/* ---- numbers */

/* How a column of numbers is stored: which kinds it has, and whether its integers are exact as doubles. */
static enum series_chunk_numbers numbers_form(const struct series_column *c) {
    bool ints = false, floats = false, large = false;
    for (size_t i = 0; i < c->n; i++) {
        if (c->values[i].kind == VALUE_FLOAT) {
            floats = true;
            continue;
        }
        ints = true;
        large |= c->values[i].i > SERIES_CHUNK_EXACT || c->values[i].i < -SERIES_CHUNK_EXACT;
    }
    return !floats ? SERIES_CHUNK_INTS : !ints ? SERIES_CHUNK_FLOATS : large ? SERIES_CHUNK_WORDS : SERIES_CHUNK_MIXED;
}

static void put_kinds(const struct writer *w, const struct series_column *c) {
    for (size_t i = 0; i < c->n; i++) w->bits[i] = c->values[i].kind == VALUE_INT;
    size_t from = begin_section(w->out);
    compress_bits(w->scratch, w->bits, c->n, w->cold, w->out);
    end_section(w->out, from);
}

static void put_as_ints(const struct writer *w, const struct series_column *c) {
    for (size_t i = 0; i < c->n; i++) {
        w->ints[i] = c->values[i].i; /* the bits of a float, when the kinds say so */
        if (c->values[i].kind == VALUE_FLOAT) memcpy(&w->ints[i], &c->values[i].f, 8);
    }
    compress_ints(w->scratch, w->ints, c->n, w->cold, w->out);
}

static void put_as_floats(const struct writer *w, const struct series_column *c) {
    for (size_t i = 0; i < c->n; i++)
        w->floats[i] = c->values[i].kind == VALUE_INT ? (double)c->values[i].i : c->values[i].f;
    compress_floats(w->scratch, w->floats, c->n, w->cold, w->out);
}

static void put_numbers(const struct writer *w, const struct series_column *c) {
    enum series_chunk_numbers form = numbers_form(c);
    buf_byte(w->out, (uint8_t)form);
    if (form == SERIES_CHUNK_MIXED || form == SERIES_CHUNK_WORDS) put_kinds(w, c);
    if (form == SERIES_CHUNK_INTS || form == SERIES_CHUNK_WORDS)
        put_as_ints(w, c);
    else
        put_as_floats(w, c);
}

/* ---- strings: each different one once, then its number for every row */

static void put_strings(const struct writer *w, const struct series_column *c) {
    struct map seen;
    struct buf text = {0};
    int64_t *lengths = malloc((c->n + 1) * sizeof *lengths);
    ASSERT(lengths != NULL);
    map_init(&seen);
    for (size_t i = 0; i < c->n; i++) {
        uint64_t number;
        Str s = c->values[i].s;
        if (!map_get(&seen, s, &number)) {
            number = seen.count;
            lengths[number] = (int64_t)s.len;
            map_put(&seen, s, number);
            buf_str(&text, s);
        }
        w->ints[i] = (int64_t)number;
    }
    buf_u32le(w->out, (uint32_t)seen.count);
    buf_u32le(w->out, (uint32_t)text.len);
    size_t from = begin_section(w->out);
    compress_ints(w->scratch, w->ints, c->n, w->cold, w->out);
    end_section(w->out, from);
    from = begin_section(w->out);
    compress_ints(w->scratch, lengths, seen.count, w->cold, w->out);
    end_section(w->out, from);
    compress_bytes(w->scratch, buf_view(&text), w->cold, w->out);
    map_fini(&seen);
    buf_fini(&text);
    free(lengths);
}

static void put_bools(const struct writer *w, const struct series_column *c) {
    for (size_t i = 0; i < c->n; i++) w->bits[i] = c->values[i].b;
    compress_bits(w->scratch, w->bits, c->n, w->cold, w->out);
}

/* ---- columns */

static uint64_t bits_of(Value v) {
    uint64_t bits = 0;
    if (v.kind == VALUE_INT || v.kind == VALUE_FLOAT) memcpy(&bits, &v.i, 8);
    if (v.kind == VALUE_BOOL) bits = v.b;
    return bits;
}

static void summarise(struct series_chunk_column *d, const struct series_table *t, const struct series_column *c) {
    Value first = c->values[0], last = c->values[c->n - 1];
    d->min = d->max = NAN;
    d->first_kind = (uint8_t)first.kind, d->last_kind = (uint8_t)last.kind;
    d->first = bits_of(first), d->last = bits_of(last);
    d->last_time = t->times[c->rows[c->n - 1]];
    for (size_t i = 0; i < c->n && c->family != SERIES_STRINGS; i++) {
        double v = value_as_num(c->values[i]);
        d->sum += v;
        if (!(d->min <= v)) d->min = v;
        if (!(d->max >= v)) d->max = v;
    }
}

static void put_presence(const struct writer *w, const struct series_column *c) {
    memset(w->bits, 0, w->table->n_rows);
    for (size_t i = 0; i < c->n; i++) w->bits[c->rows[i]] = true;
    compress_bits(w->scratch, w->bits, w->table->n_rows, w->cold, w->out);
}

static struct series_chunk_column put_column(const struct writer *w, const struct series_column *c) {
    struct series_chunk_column d = {.metric = c->metric, .family = (uint8_t)c->family, .n = (uint32_t)c->n};
    size_t from = w->out->len;
    d.whole = c->n == w->table->n_rows;
    if (!d.whole) put_presence(w, c);
    d.presence_bytes = (uint32_t)(w->out->len - from);
    switch (c->family) {
    case SERIES_NUMBERS: put_numbers(w, c); break;
    case SERIES_BOOLS: put_bools(w, c); break;
    case SERIES_STRINGS: put_strings(w, c); break;
    }
    d.value_bytes = (uint32_t)(w->out->len - from) - d.presence_bytes;
    d.checksum = hash_bytes(w->out->ptr + from, w->out->len - from);
    summarise(&d, w->table, c);
    return d;
}

/* ---- parts and times */

static void put_parts(const struct writer *w, struct series_chunk_head *head) {
    const struct series_table *t = w->table;
    size_t from = w->out->len;
    for (int field = 0; field < 4 && t->n_parts > 1; field++) {
        for (size_t i = 0; i < t->n_parts; i++) {
            const struct series_part *p = &t->parts[i];
            w->ints[i] = field == 0 ? p->party : field == 1 ? p->thing : field == 2 ? p->rows : p->stamped;
        }
        size_t section = begin_section(w->out);
        compress_ints(w->scratch, w->ints, t->n_parts, w->cold, w->out);
        end_section(w->out, section);
    }
    head->parts_bytes = (uint32_t)(w->out->len - from);
    head->parts_checksum = hash_bytes(w->out->ptr + from, head->parts_bytes);
}

static void put_times(const struct writer *w, struct series_chunk_head *head) {
    const struct series_table *t = w->table;
    size_t from = w->out->len;
    compress_ints(w->scratch, t->times, t->n_rows, w->cold, w->out);
    head->times_bytes = (uint32_t)(w->out->len - from);
    head->times_checksum = hash_bytes(w->out->ptr + from, head->times_bytes);
    head->least = head->greatest = t->times[0];
    for (size_t i = 1; i < t->n_rows; i++) {
        if (t->times[i] < head->least) head->least = t->times[i];
        if (t->times[i] > head->greatest) head->greatest = t->times[i];
    }
}

void series_chunk_write(struct compress *scratch, const struct series_table *t, bool cold, struct buf *out,
                        uint32_t *head_bytes) {
    ASSERT(t->n_rows > 0 && t->n_columns <= SERIES_CHUNK_COLUMNS_MAX);
    struct writer w = {.scratch = scratch, .table = t, .cold = cold, .out = out};
    w.ints = malloc(t->n_rows * (sizeof *w.ints + sizeof *w.floats + sizeof *w.bits));
    ASSERT(w.ints != NULL);
    w.floats = (double *)(w.ints + t->n_rows), w.bits = (bool *)(w.floats + t->n_rows);
    size_t from = out->len;
    *head_bytes = (uint32_t)(sizeof(struct series_chunk_head) + t->n_columns * sizeof(struct series_chunk_column));
    buf_reserve(out, *head_bytes);
    memset(out->ptr + from, 0, *head_bytes);
    out->len += *head_bytes;
    struct series_chunk_head head = {.magic = SERIES_CHUNK_MAGIC,
                                     .head_bytes = *head_bytes,
                                     .n_rows = (uint32_t)t->n_rows,
                                     .n_parts = (uint32_t)t->n_parts,
                                     .n_columns = (uint32_t)t->n_columns,
                                     .party = t->parts[0].party,
                                     .thing = t->parts[0].thing,
                                     .stamped = t->parts[0].stamped};
    put_parts(&w, &head);
    put_times(&w, &head);
    for (size_t i = 0; i < t->n_columns; i++) {
        struct series_chunk_column d = put_column(&w, &t->columns[i]);
        memcpy(out->ptr + from + sizeof head + i * sizeof d, &d, sizeof d);
    }
    memcpy(out->ptr + from, &head, sizeof head);
    head.checksum = series_chunk_checksum(out->ptr + from, *head_bytes);
    memcpy(out->ptr + from + offsetof(struct series_chunk_head, checksum), &head.checksum, 8);
    free(w.ints);
}
