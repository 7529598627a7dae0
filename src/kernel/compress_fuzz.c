/* Any bytes as any column: no reader may leave its output's bounds, and what was written must come back. */
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "kernel/compress.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_as(struct compress *c, unsigned what, Str bytes, size_t n) {
    void *out = malloc(n * 8 + 1);
    struct buf text = {0};
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
