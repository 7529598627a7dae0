#include "trust/attempts.h"

#include "base/hash.h"

static size_t slot_of(const struct attempts *a, Str name) {
    return (size_t)(hash_seeded(name.ptr ? name.ptr : "", name.len, a->seed) % ATTEMPTS_SLOTS);
}

bool attempts_exceeded(const struct attempts *a, Str name, Nanos now) {
    size_t i = slot_of(a, name);
    return a->slots[i].count >= (a->most ? a->most : ATTEMPTS_MAX) && now - a->slots[i].since < ATTEMPTS_WINDOW;
}

void attempts_failed(struct attempts *a, Str name, Nanos now) {
    size_t i = slot_of(a, name);
    if (a->slots[i].count == 0 || now - a->slots[i].since >= ATTEMPTS_WINDOW) {
        a->slots[i].since = now;
        a->slots[i].count = 0;
    }
    a->slots[i].count++;
}

void attempts_forget(struct attempts *a, Str name) { a->slots[slot_of(a, name)].count = 0; }
