/*
 * A file system in memory whose power can be cut. It knows, per file, what was synced and what was only written (each
 * write apart), and per directory which entries were synced; a cut throws away everything that was not, or keeps a
 * random part of it, down to single sectors of 512 bytes. It does not forgive: a new file whose directory was not
 * synced may be gone although its content was synced, and a write that a failed sync covered is never durable
 * afterwards.
 *
 *     struct store_cutfs *disk = store_cutfs_new(seed);
 *     series_open(&(struct series_options){.fs = store_cutfs_fs(disk), .dir = "/data"}, &series);
 *     store_cutfs_cut_at(disk, 250);            // the 250th change to the disk from now does not happen, nor any later
 *     … work; calls fail with ERR_IO once the power is off …
 *     series_close(series);                     // close what was open: its files are dead
 *     store_cutfs_power_on(disk, STORE_CUTFS_SOME);
 *     … open again and look …
 *
 * Deterministic for a seed when one thread uses it. Safe for several threads. Paths are split at '/'; both "/a" and "a"
 * start at the root. The folder of file_lock is not part of it: that lock is on the real disk.
 */
#ifndef TESTS_STORE_CUTFS_H
#define TESTS_STORE_CUTFS_H

#include "os/file.h"

struct store_cutfs;

/* What is left after the power was off. */
enum store_cutfs_left {
    STORE_CUTFS_SYNCED, /* what was synced, nothing else */
    STORE_CUTFS_SOME,   /* and a random part of the writes, whole or torn, and of the directories' changes */
    STORE_CUTFS_ALL,    /* and everything else too, now durable */
    STORE_CUTFS_KILLED, /* as after a process's death: all is visible, what was not synced is still not durable */
};

enum store_cutfs_failure {
    STORE_CUTFS_EIO,
    STORE_CUTFS_ENOSPC,
    STORE_CUTFS_SHORT, /* a write does half and fails; anything else as EIO */
};

struct store_cutfs *store_cutfs_new(uint64_t seed);
void store_cutfs_free(struct store_cutfs *disk);
struct file_system *store_cutfs_fs(struct store_cutfs *disk);

/* Changes are writes, syncs, truncates, renames, removals and creations; calls are those and reads, opens, lists. */
uint64_t store_cutfs_changes(const struct store_cutfs *disk);
uint64_t store_cutfs_calls(const struct store_cutfs *disk);
void store_cutfs_cut_at(struct store_cutfs *disk, uint64_t changes_from_now);          /* 0: now */
void store_cutfs_cut_before(struct store_cutfs *disk, const char *site, uint64_t nth); /* its nth sync from now; 1… */
bool store_cutfs_is_off(const struct store_cutfs *disk);
void store_cutfs_power_on(struct store_cutfs *disk, enum store_cutfs_left left); /* cuts first when still on */

/* Calls from calls_from_now on fail, `times` of them (UINT64_MAX: for good; 0 ends it). */
void store_cutfs_fail(struct store_cutfs *disk, enum store_cutfs_failure how, uint64_t calls_from_now, uint64_t times);

/* The names of sync sites seen so far; a site that is ignored says it synced and does nothing. */
size_t store_cutfs_sites(const struct store_cutfs *disk, const char *const **names);
uint64_t store_cutfs_site_count(const struct store_cutfs *disk, const char *site);
void store_cutfs_ignore(struct store_cutfs *disk, const char *site);

/* Flips one bit of a file, now and for good; false: there is no such byte. */
bool store_cutfs_flip(struct store_cutfs *disk, const char *path, uint64_t at);
/* Files and bytes as they are now, as one number: two equal numbers mean nothing was changed. */
uint64_t store_cutfs_digest(const struct store_cutfs *disk);

#endif
