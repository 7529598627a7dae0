/*
 * The manifest: which runs there are, from where on the log is needed, where names and latest values stand. One small
 * text file, replaced as a whole; whatever it does not name does not exist. docs/format-series.md shows one.
 */
#ifndef STORE_SERIES_MANIFEST_H
#define STORE_SERIES_MANIFEST_H

#include "store/series_keep.h"
#include "store/series_run.h"

struct series_manifest_class {
    uint32_t number;
    struct series_keep keep;
};

struct series_manifest {
    uint64_t version;   /* how often it was written */
    uint64_t next_file; /* id of the next run, catalogue or snapshot */
    uint64_t next_flush;
    uint32_t log_first;                 /* segments before it are not needed */
    uint64_t names_file, names_bytes;   /* 0: none */
    uint32_t names[2];                  /* how many things and metrics are in it */
    uint64_t latest_file, latest_flush; /* snapshot of latest values, and the flushes it covers; 0: none */
    struct series_run_info *runs;
    size_t n_runs, cap_runs;
    struct series_manifest_class *classes; /* of retention; those that runs have, and class 0 */
    size_t n_classes, cap_classes;
};

void series_manifest_init(struct series_manifest *manifest); /* of an empty store */
void series_manifest_fini(struct series_manifest *manifest);
void series_manifest_write(const struct series_manifest *manifest, struct buf *out);
Err series_manifest_parse(Str text, struct series_manifest *out); /* out initialised; ERR_CORRUPT names the line */

struct series_keep series_manifest_keep(const struct series_manifest *manifest, uint32_t class);
/* When a run is dropped; SERIES_KEEP_FOREVER: never. */
Nanos series_manifest_due(const struct series_manifest *manifest, const struct series_run_info *info);

/* ERR_NOT_FOUND: there is none yet. */
Err series_manifest_load(struct file_system *fs, const char *dir, struct series_manifest *out);
/* *unsure: after a failure either the old or the new one may be there after a power cut; else the old one stands. */
Err series_manifest_save(struct file_system *fs, const char *dir, const struct series_manifest *manifest, bool *unsure);

#endif
