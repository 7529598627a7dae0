#include "base/buf.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"

#define FIRST_CAP ((size_t)64)

void buf_fini(struct buf *buf) {
    free(buf->ptr);
    *buf = (struct buf){0};
}

void buf_clear(struct buf *buf) { buf->len = 0; }

void buf_reserve(struct buf *buf, size_t extra) {
    if (buf->cap - buf->len >= extra) return;
    size_t need, cap = buf->cap < FIRST_CAP ? FIRST_CAP : buf->cap;
    ASSERT(!__builtin_add_overflow(buf->len, extra, &need) && need <= SIZE_MAX / 2);
    while (cap < need) cap *= 2;
    char *grown = realloc(buf->ptr, cap);
    ASSERT(grown != NULL);
    buf->ptr = grown, buf->cap = cap;
}

void buf_add(struct buf *buf, const void *bytes, size_t n) {
    if (n == 0) return;
    buf_reserve(buf, n);
    memcpy(buf->ptr + buf->len, bytes, n);
    buf->len += n;
}

void buf_str(struct buf *buf, Str text) { buf_add(buf, text.ptr, text.len); }

void buf_c(struct buf *buf, const char *text) { buf_str(buf, str_c(text)); }

void buf_byte(struct buf *buf, uint8_t byte) {
    buf_reserve(buf, 1);
    buf->ptr[buf->len++] = (char)byte;
}

void buf_printf(struct buf *buf, const char *fmt, ...) {
    va_list args, again;
    va_start(args, fmt);
    va_copy(again, args);
    buf_reserve(buf, 1);
    int n = vsnprintf(buf->ptr + buf->len, buf->cap - buf->len, fmt, args);
    va_end(args);
    ASSERT(n >= 0);
    if ((size_t)n >= buf->cap - buf->len) {
        buf_reserve(buf, (size_t)n + 1);
        vsnprintf(buf->ptr + buf->len, buf->cap - buf->len, fmt, again);
    }
    va_end(again);
    buf->len += (size_t)n;
}

static void add_le(struct buf *buf, uint64_t v, size_t n) {
    buf_reserve(buf, n);
    for (size_t i = 0; i < n; i++) buf->ptr[buf->len++] = (char)(uint8_t)(v >> (8 * i));
}

void buf_u16le(struct buf *buf, uint16_t v) { add_le(buf, v, 2); }

void buf_u32le(struct buf *buf, uint32_t v) { add_le(buf, v, 4); }

void buf_u64le(struct buf *buf, uint64_t v) { add_le(buf, v, 8); }

void buf_varint(struct buf *buf, uint64_t v) {
    for (; v >= 0x80; v >>= 7) buf_byte(buf, (uint8_t)(v | 0x80));
    buf_byte(buf, (uint8_t)v);
}

void buf_consume(struct buf *buf, size_t n) {
    ASSERT(n <= buf->len);
    buf->len -= n;
    if (buf->len && n) memmove(buf->ptr, buf->ptr + n, buf->len);
}

Str buf_view(const struct buf *buf) { return (Str){buf->ptr ? buf->ptr : "", buf->len}; }
