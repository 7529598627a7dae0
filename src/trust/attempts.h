/*
 * Failed attempts by name, within a window of time. Names share counters by hash, so a flood of invented names cannot
 * push a count out of memory; a name may then be refused for another's failures, for at most the window.
 * Not thread-safe. Zero value with `seed` set is empty.
 */
#ifndef TRUST_ATTEMPTS_H
#define TRUST_ATTEMPTS_H

#include "base/str.h"
#include "base/time.h"

#define ATTEMPTS_SLOTS 4096
#define ATTEMPTS_MAX 5 /* unless `most` says otherwise */
#define ATTEMPTS_WINDOW NANOS_PER_MIN

struct attempts {
    uint64_t seed; /* random, so that nobody can choose whom to share with */
    unsigned most; /* 0: ATTEMPTS_MAX */
    struct {
        Nanos since;
        unsigned count;
    } slots[ATTEMPTS_SLOTS];
};

bool attempts_exceeded(const struct attempts *attempts, Str name, Nanos now);
void attempts_failed(struct attempts *attempts, Str name, Nanos now);
void attempts_forget(struct attempts *attempts, Str name); /* after a success */

#endif
