/*
 * A run: a file of chunks ordered by party, thing and time, that is written once and never changed. Shared by
 * reference; the last reference closes the file, and removes it when the run is doomed. docs/format-series.md draws it.
 */
#ifndef STORE_SERIES_RUN_H
#define STORE_SERIES_RUN_H

#include "os/file.h"
#include "store/series_chunk.h"

/* What the manifest knows of a run. */
struct series_run_info {
    uint64_t id;          /* never used twice */
    uint64_t first, last; /* the flushes it holds rows of: of one moment, the run with the larger counts */
    Nanos from, to;       /* its partition */
    uint64_t bytes, chunks, rows, values;
    bool cold;      /* compressed for good */
    uint32_t class; /* of retention: series_keep.h */
    uint32_t level; /* 0: rows; else roll-ups of this level: series_roll.h */
};

#define SERIES_LEVELS 4u /* the greatest level there is */

struct series_run;

void series_run_path(const char *dir, uint64_t id, char out[4096]);
/* Never fails: a run that cannot be read says so when it is read. */
struct series_run *series_run_open(struct file_system *fs, const char *dir, const struct series_run_info *info);
void series_run_ref(struct series_run *run);
void series_run_unref(struct series_run *run); /* NULL is fine */
void series_run_doom(struct series_run *run);  /* remove the file with the last reference */
const struct series_run_info *series_run_info(const struct series_run *run);
Err series_run_state(const struct series_run *run); /* why it cannot be read, if so */

/* One chunk of it, as the index has it. Keys are party << 32 | thing. */
struct series_run_entry {
    uint64_t first_key, last_key;
    Nanos least, greatest;
    uint64_t offset;
    uint32_t bytes, head_bytes, n_rows, zero;
};
#define SERIES_RUN_KEY(party, thing) ((uint64_t)(party) << 32 | (thing))

/* A reader's place in a run; for one thread. Zeroed but for the run. Finding in ascending order is cheap. */
struct series_run_place {
    struct series_run *run;
    uint32_t page; /* that `entries` holds, + 1 */
    struct series_run_entry *entries;
    uint32_t n_entries;
};
struct series_run_entries {
    struct series_run_entry *items;
    size_t n, cap;
};
void series_run_place_fini(struct series_run_place *place);
/* Appends the chunks that may hold rows of key with from <= time < to, in order. */
Err series_run_find(struct series_run_place *place, uint64_t key, Nanos from, Nanos to, struct series_run_entries *out);
/* The smallest key >= key that the run may have; false: none. */
Err series_run_next_key(struct series_run_place *place, uint64_t key, uint64_t *out, bool *found);
/* All chunks, in order. */
Err series_run_all(struct series_run_place *place, struct series_run_entries *out);

/* A column of a loaded chunk, as it was decoded: values[i] belongs to row rows[i]. */
struct series_run_column {
    struct series_chunk_column form;
    bool decoded;
    uint32_t *rows;
    Value *values;
    size_t cap;
    struct buf text; /* of its strings */
};

/*
 * One chunk, loaded as far as it was asked for; what was decoded stays until another is loaded, since who reads a chunk
 * that things share mostly reads the next thing next. Zeroed to begin with; may be loaded again and again.
 */
struct series_run_chunk {
    struct series_run *run;
    struct series_run_entry entry;
    bool in_place; /* set before the first loading: look at the file where the system holds it, if that can be */
    bool loaded, whole, has_times;
    Str view; /* all of it, when whole; else its head */
    struct buf bytes, section;
    struct series_chunk chunk;
    struct series_part *parts;         /* [n_parts], when has_times */
    Nanos *times;                      /* [n_rows], when has_times */
    struct series_run_column *columns; /* [n_columns] */
    size_t cap_parts, cap_rows, cap_columns;
    uint32_t part, part_row; /* where a thing's rows were looked for last */
};
void series_run_chunk_fini(struct series_run_chunk *chunk);
Err series_run_load(struct series_run_chunk *chunk, struct series_run *run, const struct series_run_entry *entry);
Err series_run_load_times(struct compress *scratch, struct series_run_chunk *chunk); /* and parts */
/* Column i of the chunk. */
Err series_run_load_column(struct compress *scratch, struct series_run_chunk *chunk, uint32_t i,
                           const struct series_run_column **out);
/* The bytes of column i, presence first; borrowed until the next section is asked for. */
Err series_run_load_section(struct series_run_chunk *chunk, uint32_t i, Str *out);
Err series_run_column_damaged(const struct series_run_chunk *chunk, uint32_t i); /* to be told when they are */
/* The first column of the metric, in a directory ordered by metric; n_columns: none is, nor any later. */
uint32_t series_run_first_column(const struct series_run_chunk *chunk, MetricId metric);
/* The rows of one thing: [*begin, *end). Needs the times loaded. Cheap for whoever asks in order of party and thing. */
bool series_run_part_rows(struct series_run_chunk *chunk, PartyId party, ThingId thing, uint32_t *begin, uint32_t *end);

#endif
