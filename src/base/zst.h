/* Zstandard, whole pieces at a time: the only file that speaks to the library for the rooms on the left. */
#ifndef BASE_ZST_H
#define BASE_ZST_H

#include "base/buf.h"
#include "base/err.h"

void zst_compress(Str bytes, int level, struct buf *out); /* appends one frame with its content size and checksum */
/* Appends what one or more frames hold. ERR_TOO_LARGE past max bytes, ERR_CORRUPT for anything that is not whole. */
Err zst_decompress(Str frames, size_t max, struct buf *out);

/* ---- with contexts that are kept between calls, for many small pieces */
struct zst;

struct zst *zst_new(void);
void zst_free(struct zst *zstd);
/* Appends the frame and says true when it is shorter than at_most; else leaves out as it was. */
bool zst_write(struct zst *zstd, Str bytes, int level, size_t at_most, struct buf *out);
/* Fills exactly n bytes; false: it is no frame of that size. */
bool zst_read(struct zst *zstd, Str frame, void *into, size_t n);

#endif
