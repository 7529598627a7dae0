#include "kernel/compress_zstd.h"

#include <stdlib.h>
#include <zstd.h>

#include "base/err.h"

struct compress_zstd {
    ZSTD_CCtx *writing; /* made when first needed: each is large */
    ZSTD_DCtx *reading;
};

struct compress_zstd *compress_zstd_new(void) {
    struct compress_zstd *zstd = calloc(1, sizeof *zstd);
    ASSERT(zstd != NULL);
    return zstd;
}

void compress_zstd_free(struct compress_zstd *zstd) {
    if (!zstd) return;
    ZSTD_freeCCtx(zstd->writing);
    ZSTD_freeDCtx(zstd->reading);
    free(zstd);
}

bool compress_zstd_write(struct compress_zstd *zstd, Str bytes, int level, size_t at_most, struct buf *out) {
    if (!zstd->writing) zstd->writing = ZSTD_createCCtx();
    ASSERT(zstd->writing != NULL);
    size_t bound = ZSTD_compressBound(bytes.len);
    buf_reserve(out, bound);
    size_t n = ZSTD_compressCCtx(zstd->writing, out->ptr + out->len, bound, bytes.ptr, bytes.len, level);
    if (ZSTD_isError(n) || n >= at_most) return false;
    out->len += n;
    return true;
}

bool compress_zstd_read(struct compress_zstd *zstd, Str frame, void *into, size_t n) {
    if (!zstd->reading) zstd->reading = ZSTD_createDCtx();
    ASSERT(zstd->reading != NULL);
    size_t got = ZSTD_decompressDCtx(zstd->reading, into, n, frame.ptr, frame.len);
    return !ZSTD_isError(got) && got == n;
}
