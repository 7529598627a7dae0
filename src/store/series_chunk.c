#include "store/series_chunk.h"

#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "store/series_chunk_form.h"

uint64_t series_chunk_checksum(const char *chunk, size_t head_bytes) {
    size_t at = offsetof(struct series_chunk_head, checksum), after = at + sizeof(uint64_t);
    return hash_seeded(chunk + after, head_bytes - after, hash_bytes(chunk, at));
}

Err series_chunk_parse(Str bytes, struct series_chunk *out) {
    struct series_chunk_head *h = &out->head;
    if (bytes.len < sizeof *h) return err_make(ERR_CORRUPT, "a chunk's head is cut off");
    memcpy(h, bytes.ptr, sizeof *h);
    if (h->magic != SERIES_CHUNK_MAGIC) return err_make(ERR_CORRUPT, "no chunk begins here");
    size_t want = sizeof *h + (size_t)h->n_columns * sizeof(struct series_chunk_column);
    if (h->n_columns > SERIES_CHUNK_COLUMNS_MAX || h->head_bytes != want || bytes.len < want)
        return err_make(ERR_CORRUPT, "a chunk's directory is cut off");
    if (h->checksum != series_chunk_checksum(bytes.ptr, want))
        return err_make(ERR_CORRUPT, "a chunk's head fails its checksum");
    if (h->n_rows == 0 || h->n_rows > COMPRESS_VALUES_MAX || h->n_parts == 0 || h->n_parts > h->n_rows)
        return err_make(ERR_CORRUPT, "a chunk of %u rows and %u things", h->n_rows, h->n_parts);
    out->columns = bytes.ptr + sizeof *h;
    return err_none();
}

struct series_chunk_column series_chunk_column_at(const struct series_chunk *chunk, uint32_t i) {
    struct series_chunk_column column;
    ASSERT(i < chunk->head.n_columns);
    memcpy(&column, chunk->columns + i * sizeof column, sizeof column);
    return column;
}

uint64_t series_chunk_column_offset(const struct series_chunk *chunk, uint32_t i) {
    uint64_t at = (uint64_t)chunk->head.head_bytes + chunk->head.parts_bytes + chunk->head.times_bytes;
    for (uint32_t k = 0; k < i; k++) {
        struct series_chunk_column c = series_chunk_column_at(chunk, k);
        at += (uint64_t)c.presence_bytes + c.value_bytes;
    }
    return at;
}

uint64_t series_chunk_bytes(const struct series_chunk *chunk) {
    return series_chunk_column_offset(chunk, chunk->head.n_columns);
}

/* Takes a section with its size in front off the bytes. */
static bool take_section(Str *bytes, Str *section) {
    uint32_t size;
    if (bytes->len < 4) return false;
    memcpy(&size, bytes->ptr, 4);
    if (size > bytes->len - 4) return false;
    *section = str_slice(*bytes, 4, 4 + (size_t)size);
    *bytes = str_slice(*bytes, 4 + (size_t)size, bytes->len);
    return true;
}

/* ---- parts and times */

static void set_part(struct series_part *p, int field, int64_t v) {
    if (field == 0)
        p->party = (PartyId)v;
    else if (field == 1)
        p->thing = (ThingId)v;
    else if (field == 2)
        p->rows = (uint32_t)v;
    else
        p->stamped = v;
}

static bool read_part_fields(struct compress *scratch, Str section, struct series_part *parts, size_t n,
                             int64_t *numbers) {
    for (int field = 0; field < 4; field++) {
        Str piece;
        if (!take_section(&section, &piece) || !compress_read_ints(scratch, piece, numbers, n)) return false;
        for (size_t i = 0; i < n; i++) set_part(&parts[i], field, numbers[i]);
    }
    return section.len == 0;
}

bool series_chunk_read_parts(struct compress *scratch, const struct series_chunk *chunk, Str section,
                             struct series_part *parts) {
    const struct series_chunk_head *h = &chunk->head;
    if (h->n_parts == 1) {
        parts[0] = (struct series_part){h->party, h->thing, h->n_rows, h->stamped};
        return section.len == 0;
    }
    if (section.len != h->parts_bytes || hash_bytes(section.ptr, section.len) != h->parts_checksum) return false;
    int64_t *numbers = malloc(h->n_parts * sizeof *numbers);
    ASSERT(numbers != NULL);
    bool ok = read_part_fields(scratch, section, parts, h->n_parts, numbers);
    free(numbers);
    uint64_t rows = 0;
    for (uint32_t i = 0; ok && i < h->n_parts; i++) rows += parts[i].rows;
    return ok && rows == h->n_rows;
}

bool series_chunk_read_times(struct compress *scratch, const struct series_chunk *chunk, Str section, Nanos *times) {
    if (section.len != chunk->head.times_bytes || hash_bytes(section.ptr, section.len) != chunk->head.times_checksum)
        return false;
    return compress_read_ints(scratch, section, times, chunk->head.n_rows);
}

/* ---- columns */

/* Room for one column's decoding, freed as one. */
struct room {
    int64_t *ints;
    double *floats;
    bool *bits;
};

static bool read_kinds(struct compress *scratch, Str *section, bool *bits, size_t n) {
    Str piece;
    return take_section(section, &piece) && compress_read_bits(scratch, piece, bits, n);
}

static bool read_as_floats(struct compress *scratch, Str section, const struct room *room, bool mixed, size_t n,
                           Value *values) {
    if (mixed && !read_kinds(scratch, &section, room->bits, n)) return false;
    if (!compress_read_floats(scratch, section, room->floats, n)) return false;
    for (size_t i = 0; i < n; i++) {
        double v = room->floats[i];
        bool whole = mixed && room->bits[i] && v >= -0x1p53 && v <= 0x1p53;
        values[i] = whole ? VALUE_I((int64_t)v) : VALUE_F(v);
    }
    return true;
}

static bool read_as_ints(struct compress *scratch, Str section, const struct room *room, bool mixed, size_t n,
                         Value *values) {
    if (mixed && !read_kinds(scratch, &section, room->bits, n)) return false;
    if (!compress_read_ints(scratch, section, room->ints, n)) return false;
    for (size_t i = 0; i < n; i++) {
        values[i] = VALUE_I(room->ints[i]);
        if (!mixed || room->bits[i]) continue;
        values[i].kind = VALUE_FLOAT;
        memcpy(&values[i].f, &room->ints[i], 8);
    }
    return true;
}

static bool read_numbers(struct compress *scratch, Str section, const struct room *room, size_t n, Value *values) {
    if (section.len == 0) return false;
    Str rest = str_slice(section, 1, section.len);
    switch (section.ptr[0]) {
    case SERIES_CHUNK_INTS: return read_as_ints(scratch, rest, room, false, n, values);
    case SERIES_CHUNK_WORDS: return read_as_ints(scratch, rest, room, true, n, values);
    case SERIES_CHUNK_FLOATS: return read_as_floats(scratch, rest, room, false, n, values);
    case SERIES_CHUNK_MIXED: return read_as_floats(scratch, rest, room, true, n, values);
    default: return false;
    }
}

static bool read_bools(struct compress *scratch, Str section, const struct room *room, size_t n, Value *values) {
    if (!compress_read_bits(scratch, section, room->bits, n)) return false;
    for (size_t i = 0; i < n; i++) values[i] = VALUE_B(room->bits[i]);
    return true;
}

/* The dictionary's strings, into `words`; they must fill the text exactly. */
static bool cut_text(const int64_t *lengths, size_t n, const struct buf *text, Str *words) {
    size_t at = 0;
    for (size_t i = 0; i < n; i++) {
        if (lengths[i] < 0 || (uint64_t)lengths[i] > text->len - at) return false;
        words[i] = (Str){text->ptr ? text->ptr + at : "", (size_t)lengths[i]};
        at += words[i].len;
    }
    return at == text->len;
}

static bool read_dictionary(struct compress *scratch, Str lengths, Str bytes, uint32_t n_words, uint32_t n_bytes,
                            struct buf *text, Str *words) {
    int64_t *numbers = malloc(n_words * sizeof *numbers + 1);
    ASSERT(numbers != NULL);
    bool ok = compress_read_ints(scratch, lengths, numbers, n_words) &&
              compress_read_bytes(scratch, bytes, n_bytes, text) && text->len == n_bytes &&
              cut_text(numbers, n_words, text, words);
    free(numbers);
    return ok;
}

static bool read_strings(struct compress *scratch, Str section, const struct room *room, size_t n, Value *values,
                         struct buf *text) {
    uint32_t n_words, n_bytes;
    Str indexes, lengths;
    if (section.len < 8) return false;
    memcpy(&n_words, section.ptr, 4);
    memcpy(&n_bytes, section.ptr + 4, 4);
    section = str_slice(section, 8, section.len);
    if (n_words > n || n_bytes > SERIES_CHUNK_BYTES_MAX || !take_section(&section, &indexes) ||
        !take_section(&section, &lengths) || !compress_read_ints(scratch, indexes, room->ints, n))
        return false;
    Str *words = malloc(n_words * sizeof *words + 1);
    ASSERT(words != NULL);
    buf_clear(text);
    bool ok = read_dictionary(scratch, lengths, section, n_words, n_bytes, text, words);
    for (size_t i = 0; i < n && ok; i++) {
        ok = room->ints[i] >= 0 && room->ints[i] < n_words;
        if (ok) values[i] = VALUE_S(words[room->ints[i]]);
    }
    free(words);
    return ok;
}

static bool read_presence(struct compress *scratch, const struct series_chunk *chunk,
                          const struct series_chunk_column *c, Str section, bool *bits, uint32_t *rows) {
    uint32_t n_rows = chunk->head.n_rows, n = 0;
    if (c->whole) {
        for (uint32_t i = 0; i < n_rows; i++) rows[i] = i;
        return c->n == n_rows && section.len == 0;
    }
    if (!compress_read_bits(scratch, section, bits, n_rows)) return false;
    for (uint32_t i = 0; i < n_rows; i++) {
        if (bits[i] && n == c->n) return false;
        if (bits[i]) rows[n++] = i;
    }
    return n == c->n;
}

static bool read_values(struct compress *scratch, const struct series_chunk_column *c, Str section,
                        const struct room *room, Value *values, struct buf *text) {
    switch (c->family) {
    case SERIES_NUMBERS: return read_numbers(scratch, section, room, c->n, values);
    case SERIES_BOOLS: return read_bools(scratch, section, room, c->n, values);
    case SERIES_STRINGS: return read_strings(scratch, section, room, c->n, values, text);
    default: return false;
    }
}

bool series_chunk_read_column(struct compress *scratch, const struct series_chunk *chunk,
                              const struct series_chunk_column *c, Str section, uint32_t *rows, Value *values,
                              struct buf *text) {
    size_t n_rows = chunk->head.n_rows;
    if (c->n == 0 || c->n > n_rows || section.len != (size_t)c->presence_bytes + c->value_bytes ||
        hash_bytes(section.ptr, section.len) != c->checksum)
        return false;
    struct room room;
    room.ints = malloc(n_rows * (sizeof *room.ints + sizeof *room.floats + sizeof *room.bits));
    ASSERT(room.ints != NULL);
    room.floats = (double *)(room.ints + n_rows), room.bits = (bool *)(room.floats + n_rows);
    bool ok = read_presence(scratch, chunk, c, str_slice(section, 0, c->presence_bytes), room.bits, rows) &&
              read_values(scratch, c, str_slice(section, c->presence_bytes, section.len), &room, values, text);
    free(room.ints);
    return ok;
}

/* ---- columns as doubles */

void series_chunk_room_fini(struct series_chunk_room *room) {
    free(room->ints);
    free(room->bits);
    *room = (struct series_chunk_room){0};
}

static void make_room(struct series_chunk_room *room, size_t n) {
    if (room->cap >= n) return;
    series_chunk_room_fini(room);
    room->cap = n < SERIES_CHUNK_ROWS_MAX ? SERIES_CHUNK_ROWS_MAX : n;
    room->ints = malloc(room->cap * sizeof *room->ints);
    room->bits = malloc(room->cap * sizeof *room->bits);
    ASSERT(room->ints != NULL && room->bits != NULL);
}

bool series_chunk_is_plain(const struct series_chunk_column *c, Str section) {
    if (c->family == SERIES_BOOLS) return true;
    if (c->family != SERIES_NUMBERS || section.len <= c->presence_bytes) return false;
    switch (section.ptr[c->presence_bytes]) {
    case SERIES_CHUNK_INTS: return c->min > -(double)SERIES_CHUNK_EXACT && c->max < (double)SERIES_CHUNK_EXACT;
    case SERIES_CHUNK_FLOATS: return true;
    case SERIES_CHUNK_MIXED: return true;
    default: return false;
    }
}

bool series_chunk_is_sound(const struct series_chunk_column *c, Str section) {
    return section.len == (size_t)c->presence_bytes + c->value_bytes &&
           hash_bytes(section.ptr, section.len) == c->checksum;
}

bool series_chunk_read_present(struct compress *scratch, const struct series_chunk *chunk,
                               const struct series_chunk_column *c, Str section, uint64_t *present) {
    size_t n = chunk->head.n_rows, count = 0;
    if (!compress_read_bit_words(scratch, str_slice(section, 0, c->presence_bytes), present, n)) return false;
    for (size_t i = 0; i < (n + 63) / 64; i++) count += (size_t)__builtin_popcountll(present[i]);
    return count == c->n;
}

static bool read_plain_bools(struct compress *scratch, struct series_chunk_room *room, Str section, size_t n,
                             double *values) {
    make_room(room, n);
    if (!compress_read_bits(scratch, section, room->bits, n)) return false;
    for (size_t i = 0; i < n; i++) values[i] = room->bits[i];
    return true;
}

static bool read_plain_ints(struct compress *scratch, struct series_chunk_room *room, Str section, size_t n,
                            size_t from, size_t to, double *values) {
    size_t first = from * COMPRESS_BLOCK, end = to * COMPRESS_BLOCK < n ? to * COMPRESS_BLOCK : n;
    make_room(room, n);
    if (!compress_read_ints_part(scratch, section, n, from, to, room->ints)) return false;
    for (size_t i = first; i < end; i++) values[i] = (double)room->ints[i - first];
    return true;
}

bool series_chunk_read_numbers(struct compress *scratch, struct series_chunk_room *room,
                               const struct series_chunk_column *c, Str section, size_t from, size_t to, double *values,
                               uint8_t *kind) {
    Str rest = str_slice(section, c->presence_bytes, section.len), kinds;
    *kind = VALUE_BOOL;
    if (c->family == SERIES_BOOLS) return read_plain_bools(scratch, room, rest, c->n, values);
    uint8_t form = (uint8_t)rest.ptr[0];
    rest = str_slice(rest, 1, rest.len);
    *kind = form == SERIES_CHUNK_INTS ? VALUE_INT : VALUE_FLOAT;
    if (form == SERIES_CHUNK_INTS) return read_plain_ints(scratch, room, rest, c->n, from, to, values);
    if (form == SERIES_CHUNK_MIXED && !take_section(&rest, &kinds)) return false;
    return compress_read_floats_part(scratch, rest, c->n, from, to, values + from * COMPRESS_BLOCK);
}

Value series_chunk_value(uint8_t kind, uint64_t bits) {
    Value v = {.kind = VALUE_NONE};
    if (kind == VALUE_BOOL) return VALUE_B(bits != 0);
    if (kind != VALUE_INT && kind != VALUE_FLOAT) return v;
    v.kind = (enum value_kind)kind;
    memcpy(&v.i, &bits, 8);
    return v;
}
