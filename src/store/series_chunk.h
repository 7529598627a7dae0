/*
 * A chunk: a table of rows as compressed columns, each with its checksum and its least, greatest, sum, count, first and
 * last. One thing with many rows has chunks of its own; things with few rows share one. docs/format-series.md draws it.
 */
#ifndef STORE_SERIES_CHUNK_H
#define STORE_SERIES_CHUNK_H

#include "kernel/compress.h"
#include "store/series_merge.h"
#include "store/series_table.h"

#define SERIES_CHUNK_ROWS_MAX 8192u
#define SERIES_CHUNK_COLUMNS_MAX (1u << 20)
#define SERIES_CHUNK_BYTES_MAX (UINT32_C(1) << 30)

/* ---- writing */

/* Appends the table, which must be sorted and have rows. *head_bytes: how much of it a reader needs first. */
void series_chunk_write(struct compress *scratch, const struct series_table *table, bool cold, struct buf *out,
                        uint32_t *head_bytes);

/* ---- reading */

struct series_chunk_head {
    uint32_t magic, head_bytes; /* with the directory of columns */
    uint32_t n_rows, n_parts, n_columns;
    uint32_t parts_bytes, times_bytes, zero;
    Nanos least, greatest;
    PartyId party; /* of the first part, as the next two */
    ThingId thing;
    Nanos stamped;
    uint64_t parts_checksum, times_checksum;
    uint64_t checksum; /* of head_bytes without this field */
};

struct series_chunk_column {
    uint32_t metric;
    uint8_t family, first_kind, last_kind, whole; /* whole: every row has it, so there are no presence bits */
    uint32_t n, presence_bytes, value_bytes, zero;
    double min, max, sum; /* of numbers and bools */
    uint64_t first, last; /* bits of the values; of strings nothing */
    Nanos last_time;
    uint64_t checksum; /* of presence and values */
};

/* A chunk's directory, inside the bytes given to parse. */
struct series_chunk {
    struct series_chunk_head head;
    const char *columns; /* as stored, unaligned */
};

/* `bytes` begin at the chunk and hold at least its head. ERR_CORRUPT says what is wrong with it. */
Err series_chunk_parse(Str bytes, struct series_chunk *out);
struct series_chunk_column series_chunk_column_at(const struct series_chunk *chunk, uint32_t i);
/* Where sections stand, from the chunk's beginning. Parts come first, then times, then columns. */
uint64_t series_chunk_column_offset(const struct series_chunk *chunk, uint32_t i);
uint64_t series_chunk_bytes(const struct series_chunk *chunk);

/* Each takes one section's bytes; false: it fails its checksum or is not well-formed. */
bool series_chunk_read_parts(struct compress *scratch, const struct series_chunk *chunk, Str section,
                             struct series_part *parts); /* [n_parts] */
bool series_chunk_read_times(struct compress *scratch, const struct series_chunk *chunk, Str section, Nanos *times);
/*
 * values[i] belongs to row rows[i], for i < column->n. Strings lie in `text`, which is cleared first.
 */
bool series_chunk_read_column(struct compress *scratch, const struct series_chunk *chunk,
                              const struct series_chunk_column *column, Str section, uint32_t *rows, Value *values,
                              struct buf *text);
/* Whether doubles hold all of a column: it has no strings and no integers of 2^53 or more. */
bool series_chunk_is_plain(const struct series_chunk_column *column, Str section);
/* The first readings of a section hold it against its checksum; later ones need not. */
bool series_chunk_is_sound(const struct series_chunk_column *column, Str section);
/* Which rows have a value: bit i of word i / 64 for row i, [n_rows / 64, rounded up]. Of columns that are not whole. */
bool series_chunk_read_present(struct compress *scratch, const struct series_chunk *chunk,
                               const struct series_chunk_column *column, Str section, uint64_t *present);
/*
 * Of a plain column the values without gaps, [column->n]: of blocks [from, to) of COMPRESS_BLOCK alone, each to its
 * place in `values`. kind: VALUE_BOOL, VALUE_INT (all are whole) or VALUE_FLOAT.
 */
struct series_chunk_room { /* for decoding, one a thread; zeroed to begin with */
    int64_t *ints;
    bool *bits;
    size_t cap;
};
void series_chunk_room_fini(struct series_chunk_room *room);
bool series_chunk_read_numbers(struct compress *scratch, struct series_chunk_room *room,
                               const struct series_chunk_column *column, Str section, size_t from, size_t to,
                               double *values, uint8_t *kind);
Value series_chunk_value(uint8_t kind, uint64_t bits); /* of `first` and `last`; strings: NONE */

#endif
