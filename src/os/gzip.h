/* gzip (RFC 1952) by zlib. */
#ifndef OS_GZIP_H
#define OS_GZIP_H

#include "base/buf.h"
#include "base/err.h"

/* Appends. ERR_INVALID: not gzip or cut off; ERR_TOO_LARGE: more than max bytes come out. */
Err gzip_unpack(Str packed, size_t max, struct buf *out);
void gzip_pack(Str plain, int level, struct buf *out); /* appends; level 1 fast … 9 small */

#endif
