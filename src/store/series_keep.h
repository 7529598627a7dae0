/*
 * How long samples are kept. What is kept alike is a class: runs hold rows of one class alone, so that what is too old
 * goes as whole files. A class is a number that the manifest explains; 0 is what nothing else is said of.
 */
#ifndef STORE_SERIES_KEEP_H
#define STORE_SERIES_KEEP_H

#include "model/thing_keep.h"
#include "model/value.h"

#define SERIES_KEEP_LEVELS THING_KEEP_WINDOWS /* of roll-ups: windows of a minute, an hour, a day */
#define SERIES_KEEP_FOREVER THING_KEEP_FOREVER

extern const Nanos series_keep_windows[SERIES_KEEP_LEVELS];
extern const char *const series_keep_names[SERIES_KEEP_LEVELS]; /* "1m" "1h" "1d" */

struct series_keep {
    Nanos raw;                        /* samples themselves; 0: for ever */
    Nanos rolled[SERIES_KEEP_LEVELS]; /* roll-ups; 0: not asked for: made where it pays, and kept as long as samples */
};

/*
 * What is said about things and metrics, by who knows their models. In it 0 is: as usual, and FOREVER for ever, of
 * samples too. Called by the store's own threads; must not call the store. Owned by the caller, and must live as long
 * as the store.
 */
struct series_keep_policy {
    const struct series_keep *usual; /* of what nothing else is said of; NULL: as the folder remembers it */
    /* Things with the same model keep alike; NULL: as usual. Lives as long as the process. */
    const void *(*model_of)(void *ctx, PartyId party, Str thing);
    struct series_keep (*keep_of)(void *ctx, const void *model, Str metric);
    /* The i-th of all that keep_of may give now; false: there are no more. Kept otherwise, old rows are parted anew. */
    bool (*said)(void *ctx, size_t i, struct series_keep *out);
    void *ctx;
};

/* "raw 90d", with the roll-ups that are asked for: "raw 90d, 1h 5y". */
#define SERIES_KEEP_TEXT_MAX 128
const char *series_keep_text(const struct series_keep *keep, char out[SERIES_KEEP_TEXT_MAX]);

/* What there is of one class in one partition, in runs of one level (0: samples). */
struct series_kept {
    uint32_t class, level;
    struct series_keep keep;
    Nanos from, to;
    Nanos dropped_at; /* SERIES_KEEP_FOREVER: never */
    uint64_t runs, bytes, rows, values;
};

#endif
