/*
 * What is wrong with a pack: every fault with its file, line, column, words, and what to write instead. Checking goes
 * on after a fault, so that one run names them all. Texts live in the arena.
 */
#ifndef MODEL_PACK_FAULT_H
#define MODEL_PACK_FAULT_H

#include "base/arena.h"
#include "base/err.h"

struct pack_fault {
    const char *file;
    unsigned line, column; /* from 1; 0: the file as a whole */
    bool warning;          /* the pack can be used */
    const char *message;
    const char *suggestion; /* or NULL */
};

#define PACK_FAULTS_MAX 500 /* later ones are counted only */

struct pack_faults {
    struct arena *arena;
    struct pack_fault *items;
    size_t n, cap;
    size_t errors, warnings; /* also those beyond PACK_FAULTS_MAX */
};

struct pack_place {
    const char *file;
    unsigned line, column;
};

void pack_fault_add(struct pack_faults *faults, struct pack_place at, const char *suggestion, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));
void pack_fault_warn(struct pack_faults *faults, struct pack_place at, const char *suggestion, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));
/* By file, line and column. */
void pack_fault_sort(struct pack_faults *faults);

/* The nearest of some words to one that was not found, to say "did you mean"; NULL when none is near. */
struct pack_near {
    Str word;
    Str best;
    unsigned distance;
};
struct pack_near pack_fault_near(Str word);
void pack_fault_try(struct pack_near *near, Str candidate);
/* "did you mean 'x'?", or NULL */
const char *pack_fault_mean(const struct pack_near *near, struct arena *arena);

#endif
