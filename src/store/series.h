/*
 * The series store: what things measure, kept. A sample's identity is (thing, metric, time); a second row for one
 * (thing, time) merges metric by metric and the later-arriving value wins. Identity is by number: things and metrics
 * are registered by name once, and the registration is durable no later than the first row that uses it.
 *
 * Writing is asynchronous: series_submit hands a commit to the group committer, which writes rows and dead letters to
 * their logs, syncs once for all commits that wait, makes them visible to readers and calls each `done`.
 * Acknowledge a message only in or after `done` with no error.
 */
#ifndef STORE_SERIES_H
#define STORE_SERIES_H

#include "base/arena.h"
#include "base/err.h"
#include "model/lens.h"
#include "os/clock.h"
#include "os/file.h"
#include "store/rows.h"
#include "store/series_keep.h"

struct series;

struct series_options {
    struct file_system *fs;    /* NULL: the disk */
    const char *dir;           /* its own folder, created */
    const struct clock *clock; /* NULL: system */
    size_t
        memory_bytes; /* rows kept in memory before a run is written; 0 = 64 MiB; grown into, not allocated at start */
    size_t dead_letter_bytes; /* bound of the dead-letter log; 0 = 64 MiB; oldest go first */
    bool read_only;           /* opens beside no owner: logs are read, nothing is written, cut or created */
    /* Called on the committer's thread after a commit is durable and visible, before its `done`; may block
     * (back-pressure). */
    void (*on_commit)(void *ctx, const struct rows *rows);
    void *on_commit_ctx;
    unsigned merge_runs;      /* runs of like size in a partition before they are merged into one; 0 = 8 */
    uint64_t snapshot_values; /* values in runs before the latest ones of all things are written to a file of their own;
                                 0 = 2^20, or twice the series there are */
    const char *backend;      /* NULL: "embedded", the default */
    const struct series_keep_policy *keep; /* NULL: everything for ever */
};

/* A message that could not be kept as samples, kept raw with its reason. All Str are borrowed until `done`. */
struct dead_letter {
    PartyId party;
    Nanos at;
    Str device, topic, reason, payload;
};

/*
 * One unit of durability, owned by the caller until `done`; the store only reads it until then. After done the caller
 * may reuse it: the store has taken or copied what it keeps (rows.bytes may have been swapped for another buffer).
 */
struct series_commit {
    struct rows rows;
    const struct dead_letter *dead_letters;
    size_t n_dead_letters;
    void (*done)(struct series_commit *commit, Err err); /* committer's thread; must not block */
    void *ctx;
    struct series_commit *next; /* the store's */
};

Err series_open(const struct series_options *options, struct series **out);
void series_close(struct series *series); /* commits what waits, then closes */

/* Registration; any thread; locks only for a name not seen before. Names: 1–255 bytes of UTF-8 without control
 * characters. */
Err series_thing(struct series *series, PartyId party, Str name, ThingId *out); /* found or made */
bool series_find_thing(const struct series *series, PartyId party, Str name, ThingId *out);
bool series_thing_name(const struct series *series, ThingId thing, PartyId *party,
                       Str *name); /* name lives as long as the store */
Err series_metric(struct series *series, Str name, MetricId *out);
bool series_find_metric(const struct series *series, Str name, MetricId *out);
Str series_metric_name(const struct series *series, MetricId metric); /* empty: unknown id */
uint32_t series_thing_count(const struct series *series);
/*
 * A metric of a thing is number, bool or string, fixed by its first value (INT and FLOAT are both numbers).
 * False: the kind clashes; *is then tells what it is. Lock-free for known pairs.
 */
bool series_accepts(struct series *series, ThingId thing, MetricId metric, enum value_kind kind, enum value_kind *is);
/* The time for an untimed row: now, but strictly greater than any time this thing was stamped with before. Any thread.
 */
Nanos series_stamp(struct series *series, ThingId thing, Nanos now);

void series_submit(struct series *series, struct series_commit *commit);
Err series_write(struct series *series,
                 struct series_commit *commit); /* submit and wait; for tests, imports and commands */

/* ---- reading */
struct series_query {
    ThingId thing;     /* 0: every thing the lens shows */
    MetricId metric;   /* 0: every metric */
    Nanos from, to;    /* from <= t < to; to 0 = no end */
    Nanos window;      /* 0: raw samples; else aggregates over [k·window, (k+1)·window) */
    bool newest_first; /* raw only, one thing and one metric */
    size_t limit;      /* samples or windows; 0 = no limit */
};
/* A sample, or one window's aggregates: strings and bools count, first and last hold them, min/max/sum are of numbers
 * and bools; with a NaN among them, which no way into the platform lets through, they say nothing. */
struct series_point {
    ThingId thing;
    MetricId metric;
    Nanos time;  /* of the sample, or the window's start */
    Value value; /* raw */
    uint64_t count;
    double min, max, sum;
    Value first, last;
};
/* Points come ordered by thing, then metric, then time; stop by returning false. Strings are borrowed for the call. */
typedef bool series_sink(void *ctx, const struct series_point *point);
Err series_read(struct series *series, const struct lens *lens, const struct series_query *query, series_sink *sink,
                void *ctx);

/* Newest value of each metric of a thing: the greatest time at most 10 minutes ahead of the clock. Strings copied to
 * the arena. */
struct series_latest {
    MetricId metric;
    Nanos time;
    Value value;
};
Err series_latest(struct series *series, const struct lens *lens, ThingId thing, struct arena *arena,
                  struct series_latest **out, size_t *n);
Nanos series_last_seen(const struct series *series, ThingId thing); /* 0: never */

/* Dead letters, newest first, at most limit, older than before_id (0: from the newest). ids rise by one and survive
 * restarts. */
struct dead_letter_row {
    uint64_t id;
    struct dead_letter letter;
};
Err series_dead_letters(struct series *series, const struct lens *lens, uint64_t before_id, size_t limit,
                        struct arena *arena, struct dead_letter_row **out, size_t *n);

struct series_stats {
    uint64_t rows, values, commits, syncs, dead_letters; /* since open */
    uint64_t memory_bytes, disk_bytes, log_bytes;
    uint64_t runs, chunks;
    uint64_t dropped_runs, dropped_bytes; /* because their time was over */
    uint32_t things, metrics;
    uint64_t latest;                    /* series with a latest value or a kind */
    uint64_t names_bytes, latest_bytes; /* memory of names, of latest values */
    uint64_t row_bytes;                 /* of rows kept since open, as they stand in memory */
    uint64_t flush_bytes, merge_bytes,
        latest_file_bytes;   /* written since open: runs at first, by merging, latest values */
    uint64_t latest_refused; /* files of latest values that could not be read */
};
void series_stats(const struct series *series, struct series_stats *out);
/* What is kept, by partition, class and level, and when it is dropped. In the arena. */
Err series_kept(struct series *series, struct arena *arena, struct series_kept **out, size_t *n);
/* Writes memory out as a run and cuts the log; for tests, commands and idle time. */
Err series_flush(struct series *series);
/* The same, and merges every partition into one run compressed for good; may take minutes. */
Err series_compact(struct series *series);

#endif
