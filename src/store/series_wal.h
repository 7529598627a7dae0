/*
 * The write-ahead log: numbered segments of records, one writer. See docs/format-series.md for the form.
 *
 * A record is durable when series_wal_sync returned without failure after it was written. Segments are replaced by
 * series_wal_rotate, and files that are no longer needed serve again, because writing over blocks that exist makes a
 * sync twice as cheap.
 */
#ifndef STORE_SERIES_WAL_H
#define STORE_SERIES_WAL_H

#include "base/buf.h"
#include "base/err.h"
#include "os/file.h"

enum series_wal_kind { SERIES_WAL_NAMES = 1, SERIES_WAL_ROWS = 2 };

#define SERIES_WAL_HEAD 32 /* bytes that series_wal_write fills in before each payload */
#define SERIES_WAL_PAYLOAD_MAX (UINT32_C(1) << 30)

struct series_wal;

/* Called for each record in order; payload is 8-byte aligned and lives during the call. */
typedef Err series_wal_sink(void *ctx, enum series_wal_kind kind, Str payload);

/*
 * Reads segments from number `first` on, gives every record to the sink, and opens the log for writing in a new
 * segment (not when read_only). What follows the last whole record is dropped and logged.
 */
struct series_wal_options {
    struct file_system *fs;
    const char *dir;
    uint32_t first;
    bool read_only;
    series_wal_sink *sink;
    void *ctx;
};
Err series_wal_open(const struct series_wal_options *options, struct series_wal **out);
void series_wal_close(struct series_wal *wal);

/* Before the first seal of a group: mends what an earlier failure left. */
Err series_wal_ready(struct series_wal *wal);
/* Fills in a record's head; payload bytes lie behind it. n: payload, a multiple of 8. */
void series_wal_seal(struct series_wal *wal, char *head, enum series_wal_kind kind, size_t n);
/*
 * Writes sealed records that lie one behind the other. After a failure nothing sealed since the last sync is in the
 * log; the next series_wal_ready goes on in a fresh segment.
 */
Err series_wal_write(struct series_wal *wal, const char *records, size_t n);
/* A failure is final: every later call fails with it. */
Err series_wal_sync(struct series_wal *wal);
/* Goes on in a new segment; *last is the number of the one that ends here. */
Err series_wal_rotate(struct series_wal *wal, uint32_t *last);
/* Gives back the room of segments that wait to be used again, and of the present one behind its end. With the lock of
 * the writer held. */
void series_wal_drop_spares(struct series_wal *wal);
/* Segments up to `last` are no longer needed. Any thread. */
void series_wal_release(struct series_wal *wal, uint32_t last);
size_t series_wal_segments(const struct series_wal *wal); /* ended ones still needed */
uint64_t series_wal_bytes(const struct series_wal *wal);  /* in segments still needed */

/* ---- a segment's bytes, for who looks through them */
#define SERIES_WAL_SEGMENT_HEAD 64
struct series_wal_record {
    enum series_wal_kind kind;
    uint64_t seq;
    Str payload;
    size_t end; /* where the next may begin */
};
bool series_wal_segment(Str bytes, uint32_t number, uint64_t *first_seq); /* whether the segment's head is whole */
/* Whether a whole record of the segment stands at `at`. */
bool series_wal_record(Str bytes, size_t at, uint32_t number, struct series_wal_record *out);
void series_wal_put_segment(struct buf *out, uint32_t number, uint64_t first_seq);
void series_wal_put_record(struct buf *out, uint32_t number, uint64_t seq, enum series_wal_kind kind, Str payload);

#endif
