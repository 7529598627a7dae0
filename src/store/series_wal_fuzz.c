/*
 * A log segment of any bytes, read as a start reads it. The bytes are taken as a list of records, whose heads and
 * checksums are put right, then broken again at one place: what is found are whole records, in order, and all of them
 * when nothing was broken. With the first byte odd they are read as they are.
 */
#include <stdlib.h>
#include <string.h>

#include "store/rows_form.h"
#include "store/series_names.h"
#include "store/series_wal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static size_t walk(Str bytes, uint32_t number) {
    struct series_wal_record record;
    uint64_t first;
    size_t n = 0;
    if (!series_wal_segment(bytes, number, &first)) return 0;
    struct series_names *names = series_names_new();
    for (size_t at = SERIES_WAL_SEGMENT_HEAD; series_wal_record(bytes, at, number, &record); at = record.end, n++) {
        uint32_t n_rows, n_values;
        ASSERT(record.end > at && record.end <= bytes.len);
        ASSERT(record.payload.ptr + record.payload.len <= bytes.ptr + bytes.len);
        if (record.kind == SERIES_WAL_NAMES) (void)series_names_load(names, record.payload);
        if (record.kind == SERIES_WAL_ROWS) (void)rows_check(record.payload, &n_rows, &n_values);
    }
    series_names_free(names);
    return n;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct buf segment = {0};
    if (size < 4) return 0;
    if (data[0] & 1) {
        char *copy = malloc(size - 1); /* its end is watched */
        ASSERT(copy);
        memcpy(copy, data + 1, size - 1);
        walk((Str){copy, size - 1}, 1);
        free(copy);
        return 0;
    }
    size_t n = 0, flip = (size_t)data[1] << 8 | data[2];
    series_wal_put_segment(&segment, 1, 5);
    for (size_t at = 3; at < size; n++) {
        size_t len = (size_t)data[at] % 64 * 8, kind = 1 + data[at] / 128;
        if (len > size - at - 1) len = (size - at - 1) & ~(size_t)7;
        char payload[512]; /* aligned as in a block of memory */
        memcpy(payload, data + at + 1, len);
        series_wal_put_record(&segment, 1, 5 + n, (enum series_wal_kind)kind, (Str){payload, len});
        at += 1 + len;
    }
    ASSERT(walk(buf_view(&segment), 1) == n);
    segment.ptr[flip % segment.len] ^= 1;
    ASSERT(n == 0 || walk(buf_view(&segment), 1) < n);
    buf_fini(&segment);
    return 0;
}
