/* Any bytes as any column: no reader may leave its output's bounds, and what was written must come back. */
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "kernel/compress.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The same bytes by every set of instructions, in whole and in part: the same answer, and the same values. */
static void read_alike(struct compress *c, Str bytes, size_t n) {
    size_t blocks = (n + COMPRESS_BLOCK - 1) / COMPRESS_BLOCK;
    double *first = malloc(n * 8 + 1), *other = malloc(n * 8 + 1);
    bool well = false;
    ASSERT(first != NULL && other != NULL);
    for (int isa = 0; isa < CODEC_ISAS; isa++) {
        if (!codec_isa_has((enum codec_isa)isa)) continue;
        compress_use(c, (enum codec_isa)isa);
        bool ok = compress_read_floats(c, bytes, isa ? other : first, n);
        if (isa) ASSERT(ok == well && (!ok || n == 0 || memcmp(first, other, n * 8) == 0));
        well = ok;
    }
    if (well && blocks > 0) {
        size_t from = (blocks - 1) * COMPRESS_BLOCK;
        ASSERT(compress_read_floats_part(c, bytes, n, blocks - 1, blocks, other));
        ASSERT(memcmp(first + from, other, (n - from) * 8) == 0);
    }
    compress_read_ints_as_floats(c, bytes, other, n);
    compress_read_ints_part(c, bytes, n, 0, blocks, (int64_t *)(void *)other);
    compress_read_bit_words(c, bytes, (uint64_t *)(void *)other, n);
    free(first);
    free(other);
}

static void read_as(struct compress *c, unsigned what, Str bytes, size_t n) {
    void *out = malloc(n * 8 + 1);
    struct buf text = {0};
    read_alike(c, bytes, n);
    ASSERT(out != NULL);
    switch (what) {
    case 0: compress_read_ints(c, bytes, out, n); break;
    case 1: compress_read_floats(c, bytes, out, n); break;
    case 2: compress_read_bits(c, bytes, out, n); break;
    default: compress_read_bytes(c, bytes, n, &text); break;
    }
    buf_fini(&text);
    free(out);
}

static void round_trip(struct compress *c, Str bytes, bool cold) {
    size_t n = bytes.len / 8;
    int64_t *in = malloc(n * 8 + 1), *back = malloc(n * 8 + 1);
    struct buf out = {0};
    ASSERT(in != NULL && back != NULL);
    if (n) memcpy(in, bytes.ptr, n * 8);
    compress_ints(c, in, n, cold, &out);
    ASSERT(compress_read_ints(c, buf_view(&out), back, n) && memcmp(in, back, n * 8) == 0);
    buf_clear(&out);
    compress_floats(c, (double *)in, n, cold, &out);
    ASSERT(compress_read_floats(c, buf_view(&out), (double *)back, n) && memcmp(in, back, n * 8) == 0);
    buf_fini(&out);
    free(in);
    free(back);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size < 3) return 0;
    struct compress *c = compress_new();
    size_t n = (size_t)data[1] | (size_t)(data[2] & 15) << 8;
    Str bytes = {(const char *)data + 3, size - 3};
    if (data[0] & 4)
        round_trip(c, bytes, data[0] & 1);
    else
        read_as(c, data[0] & 3, bytes, n);
    compress_free(c);
    return 0;
}
