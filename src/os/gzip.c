#include "os/gzip.h"

#include <zlib.h>

enum { GZIP_WINDOW = 15 + 16 }; /* zlib's sign for a gzip frame around the largest window */

static Err unpack(z_stream *z, size_t max, struct buf *out) {
    size_t start = out->len;
    for (;;) {
        buf_reserve(out, 4096);
        size_t room = out->cap - out->len;
        if (room > UINT32_MAX) room = UINT32_MAX;
        z->next_out = (Bytef *)(out->ptr + out->len);
        z->avail_out = (uInt)room;
        int result = inflate(z, Z_NO_FLUSH);
        out->len += room - z->avail_out;
        if (out->len - start > max)
            return err_make(ERR_TOO_LARGE, "the gzip body unpacks to more than %zu bytes: send less at once", max);
        if (result == Z_STREAM_END && z->avail_in == 0) return err_none();
        if (result == Z_STREAM_END) {
            if (inflateReset(z) != Z_OK) break; /* a further member follows */
            continue;
        }
        ASSERT(result != Z_MEM_ERROR);
        if (result != Z_OK) break;
        if (z->avail_in == 0 && z->avail_out > 0) break;
    }
    return err_make(ERR_INVALID, "the body is not whole gzip: %s", z->msg ? z->msg : "it ends too early");
}

Err gzip_unpack(Str packed, size_t max, struct buf *out) {
    if (packed.len > UINT32_MAX) return err_make(ERR_TOO_LARGE, "a gzip body of %zu bytes: send less", packed.len);
    z_stream z = {.next_in = (z_const Bytef *)(uintptr_t)packed.ptr, .avail_in = (uInt)packed.len};
    ASSERT(inflateInit2(&z, GZIP_WINDOW) == Z_OK);
    Err err = unpack(&z, max, out);
    inflateEnd(&z);
    return err;
}

void gzip_pack(Str plain, int level, struct buf *out) {
    ASSERT(plain.len < UINT32_MAX / 2);
    z_stream z = {.next_in = (z_const Bytef *)(uintptr_t)plain.ptr, .avail_in = (uInt)plain.len};
    ASSERT(deflateInit2(&z, level, Z_DEFLATED, GZIP_WINDOW, 8, Z_DEFAULT_STRATEGY) == Z_OK);
    size_t bound = deflateBound(&z, (uLong)plain.len);
    buf_reserve(out, bound);
    z.next_out = (Bytef *)(out->ptr + out->len);
    z.avail_out = (uInt)bound;
    ASSERT(deflate(&z, Z_FINISH) == Z_STREAM_END);
    out->len += bound - z.avail_out;
    deflateEnd(&z);
}
