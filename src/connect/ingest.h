/*
 * What the ingest counts: a plain struct of numbers and a const table that says how /metrics names them. Each I/O
 * thread counts in its own struct; a reader adds them up.
 */
#ifndef CONNECT_INGEST_H
#define CONNECT_INGEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ingest_counters {
#define INGEST(field, name, labels, gauge, help) uint64_t field;
#include "connect/ingest.def"
#undef INGEST
};

struct ingest_counter {
    const char *name, *labels; /* labels: inside the braces, "" none */
    const char *help;          /* "" when an earlier row of that name has it */
    bool gauge;
    size_t offset; /* of its uint64_t in struct ingest_counters */
};

extern const struct ingest_counter ingest_counter_table[];
extern const size_t ingest_counter_count;

uint64_t ingest_counter_value(const struct ingest_counters *counters, const struct ingest_counter *row);
/* One writer a struct; these make its numbers readable from another thread. */
void ingest_count(uint64_t *counter, uint64_t more);
void ingest_counters_add(struct ingest_counters *sum, const struct ingest_counters *more);

#endif
