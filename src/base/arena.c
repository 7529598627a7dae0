/* Blocks hang in a list, newest first; only the newest is allocated from. */
#include "base/arena.h"

#include <stdalign.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"

#define ALIGN ((size_t)16)
#define FIRST_BLOCK ((size_t)4096)
#define LARGEST_BLOCK ((size_t)1 << 20)

struct arena_block {
    struct arena_block *next;
    size_t used, cap;
    alignas(16) char bytes[];
};

void arena_init(struct arena *arena, size_t block_size) { *arena = (struct arena){.block_size = block_size}; }

void arena_fini(struct arena *arena) {
    for (struct arena_block *b = arena->head, *next; b; b = next) {
        next = b->next;
        free(b);
    }
    arena->head = NULL;
}

void arena_reset(struct arena *arena) {
    struct arena_block *keep = arena->head;
    for (struct arena_block *b = arena->head; b; b = b->next)
        if (b->cap > keep->cap) keep = b;
    for (struct arena_block *b = arena->head, *next; b; b = next) {
        next = b->next;
        if (b != keep) free(b);
    }
    arena->head = keep;
    if (keep) keep->next = NULL, keep->used = 0;
}

static size_t next_block_size(const struct arena *arena) {
    if (arena->block_size) return arena->block_size;
    if (!arena->head) return FIRST_BLOCK;
    size_t doubled = arena->head->cap * 2;
    return doubled < FIRST_BLOCK ? FIRST_BLOCK : doubled > LARGEST_BLOCK ? LARGEST_BLOCK : doubled;
}

static struct arena_block *add_block(struct arena *arena, size_t need) {
    size_t cap = next_block_size(arena);
    if (cap < need) cap = need;
    struct arena_block *b = malloc(sizeof *b + cap);
    ASSERT(b != NULL);
    b->next = arena->head, b->used = 0, b->cap = cap;
    arena->head = b;
    return b;
}

void *arena_alloc(struct arena *arena, size_t size) {
    ASSERT(size < SIZE_MAX / 2);
    size_t need = (size + ALIGN - 1) & ~(ALIGN - 1);
    struct arena_block *b = arena->head;
    if (!b || b->cap - b->used < need) b = add_block(arena, need);
    void *out = b->bytes + b->used;
    b->used += need;
    return out;
}

void *arena_zero(struct arena *arena, size_t count, size_t size) {
    size_t bytes;
    ASSERT(!__builtin_mul_overflow(count, size, &bytes));
    void *out = arena_alloc(arena, bytes);
    memset(out, 0, bytes);
    return out;
}

char *arena_c(struct arena *arena, Str text) {
    char *out = arena_alloc(arena, text.len + 1);
    if (text.len) memcpy(out, text.ptr, text.len);
    out[text.len] = '\0';
    return out;
}

Str arena_str(struct arena *arena, Str text) { return (Str){arena_c(arena, text), text.len}; }

Str arena_printf(struct arena *arena, const char *fmt, ...) {
    va_list args, again;
    va_start(args, fmt);
    va_copy(again, args);
    int n = vsnprintf(NULL, 0, fmt, args);
    va_end(args);
    ASSERT(n >= 0);
    char *out = arena_alloc(arena, (size_t)n + 1);
    vsnprintf(out, (size_t)n + 1, fmt, again);
    va_end(again);
    return (Str){out, (size_t)n};
}

size_t arena_used(const struct arena *arena) {
    size_t used = 0;
    for (const struct arena_block *b = arena->head; b; b = b->next) used += b->used;
    return used;
}
