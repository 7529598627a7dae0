#include "model/pack_fault.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WORD_MAX 48 /* longer words are compared by nothing but equality */

static void put(struct pack_faults *faults, struct pack_place at, bool warning, const char *suggestion, const char *fmt,
                va_list args) {
    *(warning ? &faults->warnings : &faults->errors) += 1;
    if (faults->n == PACK_FAULTS_MAX) return;
    if (faults->n == faults->cap) {
        size_t cap = faults->cap ? faults->cap * 2 : 16;
        struct pack_fault *items = arena_zero(faults->arena, cap, sizeof *items);
        if (faults->n) memcpy(items, faults->items, faults->n * sizeof *items);
        faults->items = items;
        faults->cap = cap;
    }
    char text[400];
    vsnprintf(text, sizeof text, fmt, args);
    faults->items[faults->n++] = (struct pack_fault){.file = at.file ? at.file : "",
                                                     .line = at.line,
                                                     .column = at.column,
                                                     .warning = warning,
                                                     .message = arena_c(faults->arena, str_c(text)),
                                                     .suggestion = suggestion};
}

void pack_fault_add(struct pack_faults *faults, struct pack_place at, const char *suggestion, const char *fmt, ...) {
    va_list args;
    va_start(args, fmt);
    put(faults, at, false, suggestion, fmt, args);
    va_end(args);
}

void pack_fault_warn(struct pack_faults *faults, struct pack_place at, const char *suggestion, const char *fmt, ...) {
    va_list args;
    va_start(args, fmt);
    put(faults, at, true, suggestion, fmt, args);
    va_end(args);
}

static int by_place(const void *a, const void *b) {
    const struct pack_fault *x = a, *y = b;
    int file = strcmp(x->file, y->file);
    if (file) return file;
    if (x->line != y->line) return x->line < y->line ? -1 : 1;
    return (x->column > y->column) - (x->column < y->column);
}

void pack_fault_sort(struct pack_faults *faults) {
    if (faults->n > 1) qsort(faults->items, faults->n, sizeof *faults->items, by_place);
}

/* ---- did you mean: the distance of Damerau and Levenshtein (swapped neighbours count as one change) */
static unsigned least(unsigned a, unsigned b) { return a < b ? a : b; }

static char folded(char c) { return c >= 'A' && c <= 'Z' ? (char)(c + 32) : c == '-' || c == ' ' ? '_' : c; }

static unsigned distance(Str a, Str b) {
    unsigned rows[3][WORD_MAX + 1];
    for (size_t j = 0; j <= b.len; j++) rows[0][j] = (unsigned)j;
    unsigned *before = rows[2], *last = rows[0], *now = rows[1];
    for (size_t i = 1; i <= a.len; i++) {
        now[0] = (unsigned)i;
        for (size_t j = 1; j <= b.len; j++) {
            char x = folded(a.ptr[i - 1]), y = folded(b.ptr[j - 1]);
            unsigned best = least(least(last[j] + 1, now[j - 1] + 1), last[j - 1] + (x != y));
            if (i > 1 && j > 1 && x == folded(b.ptr[j - 2]) && folded(a.ptr[i - 2]) == y)
                best = least(best, before[j - 2] + 1);
            now[j] = best;
        }
        unsigned *free_row = before;
        before = last;
        last = now;
        now = free_row;
    }
    return last[b.len];
}

struct pack_near pack_fault_near(Str word) {
    return (struct pack_near){.word = word, .distance = word.len <= 3 ? 2 : (unsigned)(word.len / 3) + 1};
}

void pack_fault_try(struct pack_near *near, Str candidate) {
    if (near->word.len == 0 || near->word.len > WORD_MAX || candidate.len > WORD_MAX || candidate.len == 0) return;
    unsigned d = distance(near->word, candidate);
    /* "integer" for "int", "qty" no: a word that begins as the other is near, too */
    bool begins = near->word.len >= 3 && candidate.len >= 3 &&
                  (str_starts(near->word, candidate) || str_starts(candidate, near->word));
    if (begins && d > 1) d = 1;
    if (d >= near->distance) return;
    near->distance = d;
    near->best = candidate;
}

const char *pack_fault_mean(const struct pack_near *near, struct arena *arena) {
    return near->best.len ? arena_printf(arena, "did you mean '" STR_FMT "'?", STR_ARG(near->best)).ptr : NULL;
}
