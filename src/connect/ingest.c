#include "connect/ingest.h"

const struct ingest_counter ingest_counter_table[] = {
#define INGEST(field, name, labels, gauge, help) {name, labels, help, gauge, offsetof(struct ingest_counters, field)},
#include "connect/ingest.def"
#undef INGEST
};
const size_t ingest_counter_count = sizeof ingest_counter_table / sizeof *ingest_counter_table;

uint64_t ingest_counter_value(const struct ingest_counters *counters, const struct ingest_counter *row) {
    const uint64_t *at = (const uint64_t *)(const void *)((const char *)counters + row->offset);
    return __atomic_load_n(at, __ATOMIC_RELAXED);
}

/* A single writer needs no locked add: a plain load and an atomic store are enough for the readers. */
void ingest_count(uint64_t *counter, uint64_t more) {
    __atomic_store_n(counter, __atomic_load_n(counter, __ATOMIC_RELAXED) + more, __ATOMIC_RELAXED);
}

void ingest_counters_add(struct ingest_counters *sum, const struct ingest_counters *more) {
    for (size_t i = 0; i < ingest_counter_count; i++) {
        uint64_t *at = (uint64_t *)(void *)((char *)sum + ingest_counter_table[i].offset);
        *at += ingest_counter_value(more, &ingest_counter_table[i]);
    }
}
