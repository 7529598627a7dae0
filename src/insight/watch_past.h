/*
 * The stored past of a thing, as the watch needs it: hour by hour for baselines and for learning, row by row for what
 * an earlier run did not judge. Private to the watch; any thread; blocks on the disk.
 */
#ifndef INSIGHT_WATCH_PAST_H
#define INSIGHT_WATCH_PAST_H

#include "insight/watch_judge.h"
#include "kernel/failure_trial.h"

struct watch_hour {
    double sum;
    uint32_t count;
};
struct watch_spoken { /* what the code metric said */
    Nanos at;
    Str text;
};
struct watch_past {
    int64_t first_hour; /* since 1970 */
    size_t n_hours, n_metrics;
    struct watch_hour *hours; /* [n_hours][n_metrics], metrics as in family->tracked */
    struct watch_spoken *codes;
    size_t n_codes, codes_cap;
};

/* from <= t < to. Codes are on the heap until watch_past_free, the rest in the arena. */
Err watch_past_read(struct series *series, const struct watch_family *family, ThingId thing, Nanos from, Nanos to,
                    struct arena *arena, struct watch_past *out);
void watch_past_free(struct watch_past *past);

/* Brings a cold machine to what it knew at `to`, without findings. */
void watch_past_warm(const struct watch_past *past, struct watch_machine *machine, Nanos to);

/* Rows with after < time <= through, oldest first, one call each; at most `max` values, the newest. */
typedef void watch_row_fn(void *ctx, Nanos at, const struct watch_value *values, size_t n);
Err watch_past_rows(struct series *series, struct watch_family *family, ThingId thing, Nanos after, Nanos through,
                    size_t max, watch_row_fn *fn, void *ctx);

/* As a kernel wants it: a moment an hour, and one for each code. codes: the dictionary, by place. */
struct failure_machine watch_past_history(const struct watch_past *past, const Str codes[], size_t n_codes,
                                          const struct watch_label labels[], size_t n_labels, struct arena *arena);

#endif
