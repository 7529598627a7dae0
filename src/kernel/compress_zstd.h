/* zstd, the only file that speaks to it. A context is scratch for one thread. */
#ifndef KERNEL_COMPRESS_ZSTD_H
#define KERNEL_COMPRESS_ZSTD_H

#include "base/buf.h"

struct compress_zstd;

struct compress_zstd *compress_zstd_new(void);
void compress_zstd_free(struct compress_zstd *zstd);
/* Appends the frame and says true when it is shorter than at_most; else leaves out as it was. */
bool compress_zstd_write(struct compress_zstd *zstd, Str bytes, int level, size_t at_most, struct buf *out);
/* Fills exactly n bytes; false: it is no frame of that size. */
bool compress_zstd_read(struct compress_zstd *zstd, Str frame, void *into, size_t n);

#endif
