/*
 * A chunk's columns as batches have them: numbers as doubles without gaps and presence as bits, each decoded when it is
 * first asked for and kept until another chunk is loaded, so that a chunk that many things share is decoded once.
 */
#ifndef STORE_SERIES_BATCH_CHUNK_H
#define STORE_SERIES_BATCH_CHUNK_H

#include "store/series_batch_part.h"
#include "store/series_run.h"

/* What decoding needs; one a thread. */
struct series_batch_tools {
    struct compress *scratch;
    struct series_chunk_room room;
    struct arena arena; /* of the batch at hand */
};

struct series_batch_numbers {
    enum { SERIES_BATCH_UNREAD, SERIES_BATCH_PLAIN, SERIES_BATCH_OTHER, SERIES_BATCH_DAMAGED } state;
    uint8_t kind;
    double *values;    /* [form.n], of which [first, end) are decoded */
    size_t first, end; /* in blocks of COMPRESS_BLOCK */
    uint64_t *present; /* of all rows, unless the column is whole */
    uint32_t *before;  /* values before each word of it */
    size_t cap;        /* rows */
};

/* Zeroed to begin with; may be loaded again and again. */
struct series_batch_chunk {
    struct series_run_chunk chunk;
    struct series_batch_numbers *columns;
    size_t cap_columns;
    uint64_t used; /* the owner's: when it was asked for last */
};
void series_batch_chunk_fini(struct series_batch_chunk *c);
/* Its directory. */
Err series_batch_chunk_load(struct series_batch_chunk *c, struct series_run *run, const struct series_run_entry *entry);
/* The rows of one thing with from <= time < to; begin == end: there are none. */
struct series_batch_rows {
    uint32_t begin, end;
};
Err series_batch_chunk_find(struct series_batch_chunk *c, struct series_batch_tools *tools, PartyId party,
                            ThingId thing, Nanos from, Nanos to, struct series_batch_rows *out);
/* Rows of one thing as columns. One that cannot be read is left out, and told. */
Err series_batch_chunk_cut(struct series_batch_chunk *c, struct series_batch_tools *tools,
                           struct series_batch_rows rows, const MetricId *metrics, size_t n_metrics,
                           struct series_batch_part *part);
/* What the directory says of each metric; false: not all that is asked. For chunks of one thing. */
bool series_batch_chunk_summarise(const struct series_batch_chunk *c, const MetricId *metrics, size_t n_metrics,
                                  struct series_batch_summary *out);

#endif
