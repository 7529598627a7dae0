/* Growth for plain arrays: VEC_PUSH(list.items, list.count, list.cap, item). Out of memory stops the process. */
#ifndef BASE_VEC_H
#define BASE_VEC_H

#include <stddef.h>

void *vec_grow(void *items, size_t *cap, size_t need, size_t item_size); /* realloc to at least need items, doubling */

#ifdef __clang_analyzer__ /* it does not know that room for more means memory */
#define VEC_HAS_ITEMS(items) ((items) ? (void)0 : __builtin_unreachable())
#else
#define VEC_HAS_ITEMS(items) ((void)0)
#endif

#define VEC_PUSH(items, count, cap, item)                                                                              \
    do {                                                                                                               \
        if ((count) == (cap)) (items) = vec_grow((items), &(cap), (count) + 1, sizeof *(items));                       \
        VEC_HAS_ITEMS(items);                                                                                          \
        (items)[(count)++] = (item);                                                                                   \
    } while (0)

#endif
