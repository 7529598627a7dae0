/* How long what a thing measures is kept: samples, and roll-ups over windows of a minute, an hour, a day. */
#ifndef MODEL_THING_KEEP_H
#define MODEL_THING_KEEP_H

#include "base/err.h"
#include "base/time.h"

#define THING_KEEP_WINDOWS 3u
#define THING_KEEP_FOREVER INT64_MAX

struct thing_keep { /* each: 0: nothing is said */
    Nanos raw, rolled[THING_KEEP_WINDOWS];
};

extern const char *const thing_keep_words[]; /* "raw" "1m" "1h" "1d" NULL: in the order of the struct */
Nanos *thing_keep_at(struct thing_keep *keep, size_t word);

/* "90d", "5y" (of 365 days), "8w", "36h", "forever". ERR_INVALID says what is possible. */
Err thing_keep_span(Str text, Nanos *out);
/* "90d", or "90d, 1h 5y": a span without a word before it is that of samples. Empty: nothing is said. */
Err thing_keep_parse(Str text, struct thing_keep *out);
/* What is said by `own`, and where it says nothing, by `other`. */
struct thing_keep thing_keep_over(struct thing_keep own, struct thing_keep other);

#endif
