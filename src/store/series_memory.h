/*
 * Rows in memory: blocks that the committer fills and the log writes as they are, and per thing a chain through the
 * rows, newest arrival first. One thread adds; any thread that holds a reference reads at the same time.
 */
#ifndef STORE_SERIES_MEMORY_H
#define STORE_SERIES_MEMORY_H

#include <stdatomic.h>

#include "base/arena.h"
#include "store/rows_form.h"

struct series_block {
    struct series_block *next;
    size_t used, cap;
    char *bytes; /* 16-byte aligned */
};

/* Blocks that serve again. Owned by the engine; any thread. */
struct series_pool;
struct series_pool *series_memory_pool_new(void);
void series_memory_pool_free(struct series_pool *pool);

struct series_memory;

struct series_memory *series_memory_new(struct series_pool *pool); /* with one reference */
void series_memory_ref(struct series_memory *memory);
void series_memory_unref(struct series_memory *memory); /* the last gives the blocks back */

/* Room for n bytes in one piece at bytes + used; the caller raises `used` by what it takes, and lowers it to give that
 * back. */
struct series_block *series_memory_reserve(struct series_memory *memory, size_t n);
/* Makes the rows in these bytes visible. They lie in a block of this memory. */
void series_memory_index(struct series_memory *memory, char *rows, size_t n);

size_t series_memory_bytes(const struct series_memory *memory);
uint64_t series_memory_rows(const struct series_memory *memory);
void series_memory_times(const struct series_memory *memory, Nanos *least,
                         Nanos *greatest); /* while nothing is added */
const struct row_head *series_memory_newest(const struct series_memory *memory, ThingId thing); /* NULL: none */
const struct row_head *series_memory_older(const struct row_head *row);                         /* NULL: no more */
/* The things with rows, in order of first arrival. Only while nothing is added. */
const ThingId *series_memory_things(const struct series_memory *memory, size_t *n);
void series_memory_prefetch(const struct series_memory *memory, ThingId thing);

#endif
