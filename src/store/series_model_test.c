/*
 * The series store against a plain model of it (tests/lib/store_model.h). WEFT_SEED=n repeats one seed; WEFT_ROUNDS=n
 * tries so many, counting on from WEFT_SEED, as `make long` does.
 */
#include "tests/lib/store_model.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"
#include "tests/unit.h"

void series_model_test(void);

#define STEPS 300
#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
#define ROUNDS 4
#else
#define ROUNDS 24
#endif

static uint64_t from_environment(const char *name, uint64_t otherwise) {
    const char *text = getenv(name);
    int64_t n;
    return text && str_to_i64(str_c(text), &n) && n >= 0 ? (uint64_t)n : otherwise;
}

static bool live(uint64_t seed, struct store_model_counts *counts) {
    struct store_model *m = store_model_new(seed);
    for (int i = 0; i < STEPS && !store_model_wrong(m); i++) store_model_step(m);
    return store_model_end(m, counts);
}

void series_model_test(void) {
    uint64_t seed = from_environment("WEFT_SEED", 1);
    uint64_t rounds = from_environment("WEFT_ROUNDS", getenv("WEFT_SEED") ? 1 : ROUNDS);
    struct store_model_counts counts = {0};
    char name[64];
    log_set_level((enum log_level)(LOG_LEVEL_ERROR + 1)); /* the cuts are meant */
    for (uint64_t i = 0; i < rounds; i++) {
        snprintf(name, sizeof name, "against the plain model: WEFT_SEED=%llu", (unsigned long long)(seed + i));
        unit_case(name);
        if (!CHECK(live(seed + i, &counts))) printf("  WEFT_SEED=%llu\n", (unsigned long long)(seed + i));
    }
    log_set_level(LOG_LEVEL_INFO);
    if (getenv("WEFT_ROUNDS"))
        printf("model: %llu seeds, %llu steps, %llu rows, %llu values, %llu reads, %llu starts, %llu cuts\n",
               (unsigned long long)rounds, (unsigned long long)counts.steps, (unsigned long long)counts.rows,
               (unsigned long long)counts.values, (unsigned long long)counts.reads, (unsigned long long)counts.opens,
               (unsigned long long)counts.cuts);
}
