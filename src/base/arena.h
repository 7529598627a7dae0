/*
 * An arena: everything allocated from it lives until it is reset or ended, all at once.
 * Not thread-safe. Out of memory stops the process (ASSERT), so allocation never fails for the caller.
 */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include "base/str.h"

struct arena_block;
struct arena {
    struct arena_block *head;
    size_t block_size; /* bytes; 0 = 4096 at first, doubling to 1 MiB */
};

void arena_init(struct arena *arena, size_t block_size);
void arena_fini(struct arena *arena);
void arena_reset(struct arena *arena);                            /* keeps the largest block */
void *arena_alloc(struct arena *arena, size_t size);              /* 16-byte aligned, not zeroed */
void *arena_zero(struct arena *arena, size_t count, size_t size); /* zeroed array; overflow is an ASSERT */
Str arena_str(struct arena *arena, Str text);                     /* copy, NUL added behind it */
char *arena_c(struct arena *arena, Str text);                     /* NUL-terminated copy */
Str arena_printf(struct arena *arena, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
size_t arena_used(const struct arena *arena); /* bytes handed out since reset */

#endif
