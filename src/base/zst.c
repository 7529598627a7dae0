#include "base/zst.h"

#include <stdlib.h>
#include <zstd.h>

void zst_compress(Str bytes, int level, struct buf *out) {
    ZSTD_CCtx *ctx = ZSTD_createCCtx();
    ASSERT(ctx != NULL);
    ZSTD_CCtx_setParameter(ctx, ZSTD_c_compressionLevel, level);
    ZSTD_CCtx_setParameter(ctx, ZSTD_c_checksumFlag, 1);
    buf_reserve(out, ZSTD_compressBound(bytes.len));
    size_t n = ZSTD_compress2(ctx, out->ptr + out->len, out->cap - out->len, bytes.ptr, bytes.len);
    ASSERT(!ZSTD_isError(n)); /* the room is the library's own bound */
    out->len += n;
    ZSTD_freeCCtx(ctx);
}

/* Streams, because a frame's own word about its size is input too and must not decide how much is allocated. */
static Err decompress(ZSTD_DCtx *ctx, Str frames, size_t max, struct buf *out) {
    ZSTD_inBuffer in = {frames.ptr, frames.len, 0};
    size_t begin = out->len, left = 1;
    for (bool full = false; in.pos < in.size || full;) {
        buf_reserve(out, ZSTD_DStreamOutSize());
        ZSTD_outBuffer to = {out->ptr + out->len, out->cap - out->len, 0};
        left = ZSTD_decompressStream(ctx, &to, &in);
        if (ZSTD_isError(left))
            return err_make(ERR_CORRUPT, "not a whole zstd frame at byte %zu: %s", in.pos, ZSTD_getErrorName(left));
        out->len += to.pos;
        if (out->len - begin > max) return err_make(ERR_TOO_LARGE, "unpacks to more than %zu bytes", max);
        full = to.pos == to.size && left != 0;
    }
    return left ? err_make(ERR_CORRUPT, "zstd data ends in the middle of a frame") : err_none();
}

Err zst_decompress(Str frames, size_t max, struct buf *out) {
    ZSTD_DCtx *ctx = ZSTD_createDCtx();
    ASSERT(ctx != NULL);
    Err err = decompress(ctx, frames, max, out);
    ZSTD_freeDCtx(ctx);
    return err;
}

/* ---- kept contexts */
struct zst {
    ZSTD_CCtx *writing; /* made when first needed: each is large */
    ZSTD_DCtx *reading;
};

struct zst *zst_new(void) {
    struct zst *zstd = calloc(1, sizeof *zstd);
    ASSERT(zstd != NULL);
    return zstd;
}

void zst_free(struct zst *zstd) {
    if (!zstd) return;
    ZSTD_freeCCtx(zstd->writing);
    ZSTD_freeDCtx(zstd->reading);
    free(zstd);
}

bool zst_write(struct zst *zstd, Str bytes, int level, size_t at_most, struct buf *out) {
    if (!zstd->writing) zstd->writing = ZSTD_createCCtx();
    ASSERT(zstd->writing != NULL);
    size_t bound = ZSTD_compressBound(bytes.len);
    buf_reserve(out, bound);
    size_t n = ZSTD_compressCCtx(zstd->writing, out->ptr + out->len, bound, bytes.ptr, bytes.len, level);
    if (ZSTD_isError(n) || n >= at_most) return false;
    out->len += n;
    return true;
}

bool zst_read(struct zst *zstd, Str frame, void *into, size_t n) {
    if (!zstd->reading) zstd->reading = ZSTD_createDCtx();
    ASSERT(zstd->reading != NULL);
    size_t got = ZSTD_decompressDCtx(zstd->reading, into, n, frame.ptr, frame.len);
    return !ZSTD_isError(got) && got == n;
}
