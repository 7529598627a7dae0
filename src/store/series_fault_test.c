/*
 * A disk that fails at its nth call, for every n: once, or from then on until it is well again; a full one, a broken
 * one, one that writes half. What was acknowledged is there after the next start, what failed said why, and when the
 * disk is well writing goes on without a start, unless it was said that it needs one (a failed sync).
 *
 * WEFT_SEED=n and WEFT_ROUNDS=n: so many seeds from n on, and every call; without, every few calls of one.
 * WEFT_SEED=n WEFT_FAULT=kind:call repeats one failure, with what the store logs.
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"
#include "tests/lib/store_model.h"
#include "tests/unit.h"

void series_fault_test(void);

#define BEFORE 12 /* steps on a good disk */
#define AFTER 16  /* steps while it fails */
#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
#define STRIDE 23
#else
#define STRIDE 5
#endif

static const struct {
    const char *name;
    enum store_cutfs_failure how;
    uint64_t times;
} kinds[] = {
    {"one call fails", STORE_CUTFS_EIO, 1},         {"the disk fails", STORE_CUTFS_EIO, UINT64_MAX},
    {"full for one call", STORE_CUTFS_ENOSPC, 1},   {"full", STORE_CUTFS_ENOSPC, UINT64_MAX},
    {"one write is short", STORE_CUTFS_SHORT, 1},   {"writes are short", STORE_CUTFS_SHORT, UINT64_MAX},
    {"full for some time", STORE_CUTFS_ENOSPC, 20},
};

/* The calls of the steps in which the disk may fail, when it does not. */
static uint64_t count_calls(uint64_t seed) {
    struct store_model_counts counts = {0};
    struct store_model *m = store_model_new(seed);
    for (int i = 0; i < BEFORE; i++) store_model_step(m);
    uint64_t before = store_model_calls(m);
    store_model_fail(m, STORE_CUTFS_EIO, UINT64_MAX / 2, 0);
    for (int i = 0; i < AFTER; i++) store_model_step(m);
    uint64_t calls = store_model_calls(m) - before;
    store_model_heal(m);
    return store_model_end(m, &counts) ? calls : 0;
}

static bool live(uint64_t seed, size_t kind, uint64_t nth, struct store_model_counts *counts) {
    struct store_model *m = store_model_new(seed);
    for (int i = 0; i < BEFORE; i++) store_model_step(m);
    store_model_fail(m, kinds[kind].how, nth, kinds[kind].times);
    for (int i = 0; i < AFTER; i++) store_model_step(m);
    store_model_heal(m);
    return store_model_end(m, counts);
}

static void sweep(uint64_t seed, uint64_t stride, struct store_model_counts *counts, uint64_t *lives) {
    char name[96];
    uint64_t calls = count_calls(seed);
    if (!CHECK(calls > 0)) return;
    for (size_t kind = 0; kind < sizeof kinds / sizeof *kinds; kind++) {
        snprintf(name, sizeof name, "%s, seed %llu", kinds[kind].name, (unsigned long long)seed);
        unit_case(name);
        for (uint64_t nth = 1 + kind % stride; nth <= calls; nth += stride, ++*lives)
            if (!CHECK(live(seed, kind, nth, counts)))
                printf("  WEFT_SEED=%llu WEFT_FAULT=%zu:%llu\n", (unsigned long long)seed, kind,
                       (unsigned long long)nth);
    }
}

static uint64_t from_environment(const char *name, uint64_t otherwise) {
    const char *text = getenv(name);
    int64_t n;
    return text && str_to_i64(str_c(text), &n) && n >= 0 ? (uint64_t)n : otherwise;
}

void series_fault_test(void) {
    uint64_t seed = from_environment("WEFT_SEED", 4), rounds = from_environment("WEFT_ROUNDS", 1), lives = 0;
    struct store_model_counts counts = {0};
    unsigned kind, nth;
    if (getenv("WEFT_FAULT") && sscanf(getenv("WEFT_FAULT"), "%u:%u", &kind, &nth) == 2) {
        CHECK(live(seed, kind, nth, &counts));
        return;
    }
    log_set_level((enum log_level)(LOG_LEVEL_ERROR + 1)); /* the failures are meant */
    for (uint64_t i = 0; i < rounds; i++) sweep(seed + i, getenv("WEFT_ROUNDS") ? 1 : STRIDE, &counts, &lives);
    unit_case("failures were met, and many healed without a start");
    CHECK(counts.failures > lives && counts.healed * 3 > lives);
    log_set_level(LOG_LEVEL_INFO);
    if (getenv("WEFT_ROUNDS"))
        printf("faults: %llu lives, %llu steps, %llu failures told, %llu healed without a start\n",
               (unsigned long long)lives, (unsigned long long)counts.steps, (unsigned long long)counts.failures,
               (unsigned long long)counts.healed);
}
