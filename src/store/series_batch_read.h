/* One thread's reading of batches: thing after thing, from memory and from the runs. */
#ifndef STORE_SERIES_BATCH_READ_H
#define STORE_SERIES_BATCH_READ_H

#include "store/series_engine.h"

/* What the threads of one reading share. */
struct series_batch_work {
    struct series_engine *engine;
    struct series_gather_picture now;
    const struct series_asked *asked;
    series_batch_sink *sink;
    void *ctx;
    _Atomic size_t next; /* the first thing that no thread has taken yet */
    atomic_bool stopped; /* the sink has enough */
    atomic_bool cancelled;
};

struct series_batch_reader;
struct series_batch_reader *series_batch_read_open(struct series_batch_work *work, unsigned worker);
void series_batch_read_close(struct series_batch_reader *reader);
/* Everything of one thing; nothing of one that is not shown. */
void series_batch_read_thing(struct series_batch_reader *reader, ThingId thing);
/* The first thing that could not be read; it was passed over. */
Err series_batch_read_failure(const struct series_batch_reader *reader);

#endif
