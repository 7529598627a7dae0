/*
 * The embedded engine's own state, shared by its files alone: series_embedded.c (opening, writing), series_flush.c
 * (memory to runs), series_compact.c (runs to fewer runs), series_gather.c (reading), series_restore.c (what the disk
 * remembers of names and latest values).
 *
 * Locks, outermost first: writing, changing, lock. None is held while a reader reads.
 */
#ifndef STORE_SERIES_ENGINE_H
#define STORE_SERIES_ENGINE_H

#include "os/thread.h"
#include "store/series_manifest.h"
#include "store/series_memory.h"
#include "store/series_ops.h"
#include "store/series_set.h"
#include "store/series_wal.h"

/* Bytes of a block that one write call puts into the log: perhaps names, perhaps rows. */
struct series_piece {
    struct series_block *block;
    size_t from, rows, end; /* offsets; rows == end: it has none */
};

struct series_engine {
    struct series_options options;
    struct file_system *fs;
    const char *dir;
    struct series_front front;
    struct series_pool *pool;
    struct series_wal *wal;
    size_t memory_limit; /* when `active` is frozen */

    pthread_mutex_t writing; /* of the log and of adding to `active` */
    struct series_piece *pieces;
    size_t n_pieces, cap_pieces;

    pthread_mutex_t changing; /* of the manifest; one change at a time */
    struct series_manifest manifest;
    Err stuck;       /* the manifest's state on disk is not known: it is not changed again */
    bool names_anew; /* the catalogue cannot be added to: write a new one */

    pthread_mutex_t lock; /* of what follows */
    pthread_cond_t changed;
    struct series_memory *active, *frozen; /* being filled; being written out, or NULL */
    struct series_set *set;
    uint32_t frozen_log;              /* the last segment that holds rows of `frozen` */
    uint64_t flushes, first_flush;    /* done since the start; number of the last before it */
    Err flush_error;                  /* of the last try */
    bool stop, compact;               /* compact: there may be something to do */
    uint64_t whole_asked, whole_done; /* times that everything was, or is to be, merged for good */
    Err whole_error;                  /* of the last of them */
    struct thread *flusher, *compactor;

    bool damaged; /* at the start something of the runs could not be read: not every metric of a thing is known */
    _Atomic uint64_t syncs;
    uint64_t frozen_rows; /* under lock: of all memory that was ever frozen */
    uint64_t rows_before; /* given to the latest values before there was any memory */
    _Atomic uint64_t flush_written, merge_written, latest_written; /* bytes of files */
    _Atomic uint64_t latest_refused;                               /* snapshots that could not be read */
    _Atomic uint64_t dropped_runs, dropped_bytes;
    _Atomic bool stopping;
};

/* ---- series_flush.c */
void series_flush_run(void *engine); /* the thread */

/* ---- series_compact.c */
void series_compact_run(void *engine); /* the thread */
/* Everything that is in runs now, merged for good by the thread; waits for it. */
Err series_compact_whole(struct series_engine *engine);

/* ---- series_gather.c */
Err series_gather_read(struct series_engine *engine, const struct series_scan *scan, series_sink *sink, void *ctx);
/* All there is at this moment, held until it is let go. */
struct series_gather_picture {
    struct series_memory *active, *frozen; /* frozen: or NULL */
    struct series_set *set;
};
struct series_gather_picture series_gather_hold(struct series_engine *engine);
void series_gather_let_go(const struct series_gather_picture *picture);

/* ---- series_batch_crew.c */
Err series_batch_crew_read(struct series_engine *engine, const struct series_asked *asked, series_batch_sink *sink,
                           void *ctx);

/* ---- series_restore.c */
/* Loads the names and the latest values of the set's runs into the front. */
Err series_restore_names(struct series_engine *engine);
Err series_restore_latest(struct series_engine *engine);
/* Adds names that the catalogue lacks; the manifest is changed in memory. Durable once the folder
 * is synced too. */
Err series_restore_keep_names(struct series_engine *engine, struct series_manifest *manifest);
/* Removes files that the manifest does not name. */
void series_restore_clean(struct series_engine *engine);

/* ---- series_embedded.c, for the above */
/*
 * With `changing` held: makes the manifest durable and shows the runs it names, of which `fresh` are new (references
 * are taken over, in failure too), instead of the old. frozen_done: what was frozen is in them.
 */
Err series_embedded_change(struct series_engine *engine, const struct series_manifest *manifest,
                           struct series_run **fresh, size_t n_fresh, bool frozen_done);
void series_embedded_copy_manifest(const struct series_manifest *from, struct series_manifest *to);
void series_embedded_copy_classes(const struct series_manifest *from, struct series_manifest *to);

/* ---- series_keep_drop.c */
/* What the settings say now of class 0; before the threads start. */
void series_keep_drop_begin(struct series_engine *engine);
/* Drops what is too old; *dropped: something was. The compactor's thread. */
Err series_keep_drop_run(struct series_engine *engine, bool *dropped);
Err series_keep_drop_list(struct series_engine *engine, struct arena *arena, struct series_kept **out, size_t *n);

#endif
