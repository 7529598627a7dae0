/* A growable byte buffer on the heap. Zero value is an empty buffer. Out of memory stops the process. */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include <stdarg.h>

#include "base/str.h"

struct buf {
    char *ptr;
    size_t len, cap;
};

void buf_fini(struct buf *buf);
void buf_clear(struct buf *buf);                 /* keeps the memory */
void buf_reserve(struct buf *buf, size_t extra); /* at least extra bytes free behind len */
void buf_add(struct buf *buf, const void *bytes, size_t n);
void buf_str(struct buf *buf, Str text);
void buf_c(struct buf *buf, const char *text);
void buf_byte(struct buf *buf, uint8_t byte);
void buf_printf(struct buf *buf, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void buf_u16le(struct buf *buf, uint16_t v);
void buf_u32le(struct buf *buf, uint32_t v);
void buf_u64le(struct buf *buf, uint64_t v);
void buf_varint(struct buf *buf, uint64_t v); /* LEB128 */
void buf_consume(struct buf *buf, size_t n);  /* drop n bytes at the front */
Str buf_view(const struct buf *buf);

#endif
