/* Zstandard, whole pieces at a time: the only file that speaks to the library for the rooms on the left. */
#ifndef BASE_ZST_H
#define BASE_ZST_H

#include "base/buf.h"
#include "base/err.h"

void zst_compress(Str bytes, int level, struct buf *out); /* appends one frame with its content size and checksum */
/* Appends what one or more frames hold. ERR_TOO_LARGE past max bytes, ERR_CORRUPT for anything that is not whole. */
Err zst_decompress(Str frames, size_t max, struct buf *out);

#endif
