/*
 * Everything the series store reads from its files, given any bytes at all. Checksums are put right first where they
 * would hide the parser behind them. The first byte says what the rest is.
 */
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "store/rows_form.h"
#include "store/series_chunk.h"
#include "store/series_chunk_form.h"
#include "store/series_letters.h"
#include "store/series_manifest.h"
#include "store/series_names.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define ROWS_FEW 8192u /* more only takes longer */

static void try_rows(char *bytes, size_t n) {
    uint32_t n_rows, n_values, seen = 0;
    if (!rows_check((Str){bytes, n}, &n_rows, &n_values)) return;
    struct rows rows = {.bytes = {bytes, n, n}, .open_at = SIZE_MAX};
    struct rows_cursor at = rows_start(&rows);
    for (struct row row; rows_next(&at, &row);)
        for (struct row_value v = {0}; rows_next_value(&row, &v); seen++)
            if (v.value.kind == VALUE_STRING && v.value.s.len) ASSERT(v.value.s.ptr + v.value.s.len <= row.end);
    ASSERT(seen <= n_values);
}

/* The checksums of a chunk's head, parts, times and columns, as far as their sections lie inside. */
static void mend_chunk(char *bytes, size_t n) {
    struct series_chunk_head h;
    if (n < sizeof h) return;
    memcpy(&h, bytes, sizeof h);
    h.magic = SERIES_CHUNK_MAGIC;
    h.n_rows = h.n_rows % ROWS_FEW + 1, h.n_columns %= 8, h.n_parts = h.n_parts % h.n_rows + 1;
    h.head_bytes = (uint32_t)(sizeof h + h.n_columns * sizeof(struct series_chunk_column));
    if (h.head_bytes > n) return;
    uint64_t at = h.head_bytes;
    if (at + h.parts_bytes <= n) h.parts_checksum = hash_bytes(bytes + at, h.parts_bytes);
    at += h.parts_bytes;
    if (at + h.times_bytes <= n) h.times_checksum = hash_bytes(bytes + at, h.times_bytes);
    at += h.times_bytes;
    for (uint32_t i = 0; i < h.n_columns; i++) {
        struct series_chunk_column c;
        memcpy(&c, bytes + sizeof h + i * sizeof c, sizeof c);
        uint64_t length = (uint64_t)c.presence_bytes + c.value_bytes;
        if (at + length <= n) c.checksum = hash_bytes(bytes + at, (size_t)length);
        memcpy(bytes + sizeof h + i * sizeof c, &c, sizeof c);
        at += length;
    }
    memcpy(bytes, &h, sizeof h);
    h.checksum = series_chunk_checksum(bytes, h.head_bytes);
    memcpy(bytes, &h, sizeof h);
}

static bool section_of(Str bytes, uint64_t at, uint64_t n, Str *out) {
    if (at > bytes.len || n > bytes.len - at) return false;
    *out = (Str){bytes.ptr + at, (size_t)n};
    return true;
}

static void try_columns(struct compress *scratch, const struct series_chunk *chunk, Str bytes) {
    size_t n_rows = chunk->head.n_rows;
    uint32_t *rows = malloc(n_rows * sizeof *rows);
    Value *values = malloc(n_rows * sizeof *values);
    struct buf text = {0};
    Str section;
    ASSERT(rows != NULL && values != NULL);
    for (uint32_t i = 0; i < chunk->head.n_columns; i++) {
        struct series_chunk_column c = series_chunk_column_at(chunk, i);
        uint64_t at = series_chunk_column_offset(chunk, i);
        if (!section_of(bytes, at, (uint64_t)c.presence_bytes + c.value_bytes, &section)) continue;
        if (!series_chunk_read_column(scratch, chunk, &c, section, rows, values, &text)) continue;
        for (uint32_t k = 0; k < c.n; k++) {
            ASSERT(rows[k] < n_rows);
            if (values[k].kind == VALUE_STRING && values[k].s.len)
                ASSERT(values[k].s.ptr >= text.ptr && values[k].s.ptr + values[k].s.len <= text.ptr + text.len);
        }
    }
    buf_fini(&text);
    free(rows);
    free(values);
}

static void try_chunk(char *bytes, size_t n) {
    struct series_chunk chunk;
    Str section, all = {bytes, n};
    mend_chunk(bytes, n);
    if (series_chunk_parse(all, &chunk).code) return;
    if (chunk.head.n_rows > ROWS_FEW) return;
    struct compress *scratch = compress_new();
    struct series_part *parts = malloc(chunk.head.n_parts * sizeof *parts);
    Nanos *times = malloc(chunk.head.n_rows * sizeof *times);
    ASSERT(parts != NULL && times != NULL);
    if (section_of(all, chunk.head.head_bytes, chunk.head.parts_bytes, &section))
        series_chunk_read_parts(scratch, &chunk, section, parts);
    if (section_of(all, (uint64_t)chunk.head.head_bytes + chunk.head.parts_bytes, chunk.head.times_bytes, &section))
        series_chunk_read_times(scratch, &chunk, section, times);
    try_columns(scratch, &chunk, all);
    free(parts);
    free(times);
    compress_free(scratch);
}

static void try_letters(char *bytes, size_t n) {
    struct dead_letter_row row;
    size_t size;
    uint64_t checksum;
    if (n > 8) {
        uint32_t claimed = 0;
        if (n >= 12) memcpy(&claimed, bytes + 8, 4);
        if (claimed > 8 && claimed <= n) {
            checksum = hash_bytes(bytes + 8, claimed - 8);
            memcpy(bytes, &checksum, 8);
        }
    }
    if (!series_letters_parse((Str){bytes, n}, &row, &size)) return;
    ASSERT(size <= n && row.letter.payload.ptr + row.letter.payload.len <= bytes + n);
}

static void try_manifest(Str text) {
    struct series_manifest m;
    struct buf whole = {0};
    buf_c(&whole, "weft series 1\n");
    buf_str(&whole, text);
    buf_c(&whole, "\n");
    uint64_t checksum = hash_bytes(whole.ptr, whole.len);
    buf_printf(&whole, "checksum %llu\n", (unsigned long long)checksum);
    series_manifest_init(&m);
    series_manifest_parse(buf_view(&whole), &m);
    series_manifest_fini(&m);
    series_manifest_init(&m);
    series_manifest_parse(text, &m);
    series_manifest_fini(&m);
    buf_fini(&whole);
}

static void try_names(Str stored) {
    struct series_names *names = series_names_new();
    series_names_load(names, stored);
    series_names_free(names);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size < 1) return 0;
    size_t n = size - 1;
    char *bytes = malloc(n + 1); /* aligned, and its end is watched */
    ASSERT(bytes != NULL);
    memcpy(bytes, data + 1, n);
    switch (data[0] % 5) {
    case 0: try_rows(bytes, n); break;
    case 1: try_chunk(bytes, n); break;
    case 2: try_letters(bytes, n); break;
    case 3: try_manifest((Str){bytes, n}); break;
    default: try_names((Str){bytes, n}); break;
    }
    free(bytes);
    return 0;
}
