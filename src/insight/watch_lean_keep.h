/*
 * The leans' state on disk: "lean.state" in the watch's folder, written piece by piece while the watch goes on, since
 * it is large, and put in the place of the one before when it is whole. Each thing in it is as it was at one moment of
 * its own, which its last row tells. Private to the watch.
 *
 *     file    64 bytes: "WEFTLEAN"  u32 version 1  u32 0 ×13
 *     block   u32 bytes  u32 things  u64 checksum of what follows;  things.  The last block has no bytes, and in
 * `things` how many there are in all thing   u32 number  u32 hash of its name  u32 hash of its model's metrics  u16
 * metrics  u16 codes  i64 last  i64 hour f64 gap;  codes: i64 time  u32 length, bytes, 0 up to 8;  metrics: 64 bytes
 * each (kernel/baseline.h)
 */
#ifndef INSIGHT_WATCH_LEAN_KEEP_H
#define INSIGHT_WATCH_LEAN_KEEP_H

#include "insight/watch_lean.h"
#include "os/file.h"

struct watch_lean_keeper {
    struct file_system *fs;
    const char *dir;
    struct file *file; /* being written; NULL: none */
    size_t next;       /* the next lean to be written */
    uint64_t at, synced, written;
    struct buf block;
    Nanos began, ended, last; /* monotonic; of the last one, of its last piece */
    bool whole;               /* "lean.new" is complete and durable, and waits to take its place */
    uint64_t judged;          /* rows judged when the last one began */
};

/* The keeper's turn: writes a piece when it is time, at most a MiB. judged: how many rows ever, so that nothing is
 * written when nothing has changed. finish: all of it now. Failures are logged, and it begins again. */
void watch_lean_keep_turn(struct watch_lean_keeper *keeper, const struct watch_leans *leans, struct series *series,
                          uint64_t judged, bool finish);
/* How long until its next turn; negative: there is nothing to keep. */
Nanos watch_lean_keep_pause(const struct watch_lean_keeper *keeper, const struct watch_leans *leans, uint64_t judged);
void watch_lean_keep_fini(struct watch_lean_keeper *keeper);

/* Gives each thing that is on disk to `make`, which finds or makes it; NULL: passed over. What is not well-formed ends
 * the reading and is set aside: those things begin anew. */
typedef struct watch_lean *watch_lean_make(void *ctx, ThingId id, Str name);
Err watch_lean_keep_load(struct file_system *fs, const char *dir, struct series *series, watch_lean_make *make,
                         void *ctx);

#endif
