/*
 * Sources rarely overlap, so what is handed on is the longest piece of one source before any other has a say.
 * Descending sources hold their batches turned round, so both directions read forward.
 */
#include "store/series_merge.h"

#include <stdlib.h>

#include "base/vec.h"

void series_merge_reserve(struct series_samples *s, size_t extra) {
    if (s->cap - s->n >= extra) return;
    size_t cap = s->cap, need = s->n + extra;
    s->times = vec_grow(s->times, &cap, need, sizeof *s->times);
    s->values = realloc(s->values, cap * sizeof *s->values);
    ASSERT(s->values != NULL);
    s->cap = cap;
}

void series_merge_put(struct series_samples *s, Nanos time, Value value) {
    if (s->n == s->cap) series_merge_reserve(s, 1);
    s->times[s->n] = time;
    s->values[s->n++] = value;
}

void series_merge_fini(struct series_samples *s) {
    free(s->times);
    free(s->values);
    *s = (struct series_samples){0};
}

static bool before(const struct series_merge *merge, Nanos a, Nanos b) { return merge->descending ? a > b : a < b; }

/* Makes sure every source that has not ended has a sample. */
static Err refill(struct series_merge *merge) {
    for (size_t i = 0; i < merge->n; i++) {
        struct series_source *s = merge->sources[i];
        while (!s->ended && s->at == s->batch.n) {
            TRY(s->next(s, &s->batch));
            s->at = 0;
            s->ended = s->batch.n == 0;
        }
    }
    return err_none();
}

static Nanos head_time(const struct series_source *s) { return s->batch.times[s->at]; }

/* How many samples of `first` come before every other source's first. */
static size_t undisputed(const struct series_merge *merge, const struct series_source *first) {
    size_t end = first->batch.n;
    for (size_t i = 0; i < merge->n; i++) {
        const struct series_source *s = merge->sources[i];
        if (s == first || s->ended) continue;
        Nanos limit = head_time(s);
        size_t low = first->at + 1, high = end; /* the first sample itself has won already */
        while (low < high) {
            size_t mid = low + (high - low) / 2;
            if (before(merge, first->batch.times[mid], limit))
                low = mid + 1;
            else
                high = mid;
        }
        end = low;
    }
    return end - first->at;
}

Err series_merge_next(struct series_merge *merge, struct series_slice *out) {
    struct series_source *first = NULL;
    *out = (struct series_slice){0};
    TRY(refill(merge));
    for (size_t i = 0; i < merge->n; i++) {
        struct series_source *s = merge->sources[i];
        if (!s->ended && (!first || before(merge, head_time(s), head_time(first)))) first = s;
    }
    if (!first) return err_none();
    Nanos time = head_time(first);
    for (size_t i = 0; i < merge->n; i++) { /* the same moment elsewhere has lost */
        struct series_source *s = merge->sources[i];
        if (s != first && !s->ended && head_time(s) == time) s->at++;
    }
    TRY(refill(merge));
    size_t n = undisputed(merge, first);
    *out =
        (struct series_slice){first->batch.times + first->at, first->batch.values + first->at, n, first->batch.summary};
    first->at += n;
    return err_none();
}

Nanos series_merge_window_start(Nanos time, Nanos window) {
    Nanos rest = time % window;
    if (rest < 0) rest += window;
    return time < INT64_MIN + rest ? INT64_MIN : time - rest;
}
