#include "app/cmd_bench_xor.h"

#include <string.h>

#define LEADING_MAX 31u /* five bits */

struct bits {
    uint64_t pending;
    unsigned count;
};

static void put(struct bits *b, struct buf *out, uint64_t v, unsigned n) {
    for (unsigned i = n; i-- > 0;) {
        b->pending = b->pending << 1 | (v >> i & 1);
        if (++b->count < 8) continue;
        buf_byte(out, (uint8_t)b->pending);
        b->pending = 0, b->count = 0;
    }
}

static unsigned leading(uint64_t x) {
    unsigned n = (unsigned)__builtin_clzll(x);
    return n < LEADING_MAX ? n : LEADING_MAX;
}

void cmd_bench_xor_write(const double *v, size_t n, struct buf *out) {
    struct bits b = {0, 0};
    uint64_t last, bits;
    unsigned lead = 65, trail = 0;
    if (n == 0) return;
    memcpy(&last, &v[0], 8);
    put(&b, out, last, 64);
    for (size_t i = 1; i < n; i++) {
        memcpy(&bits, &v[i], 8);
        uint64_t x = bits ^ last;
        last = bits;
        if (x == 0) {
            put(&b, out, 0, 1);
        } else if (lead <= 64 && leading(x) >= lead && (unsigned)__builtin_ctzll(x) >= trail) {
            put(&b, out, 2, 2);
            put(&b, out, x >> trail, 64 - lead - trail);
        } else {
            lead = leading(x), trail = (unsigned)__builtin_ctzll(x);
            unsigned length = 64 - lead - trail;
            put(&b, out, 3, 2);
            put(&b, out, lead, 5);
            put(&b, out, length - 1, 6);
            put(&b, out, x >> trail, length);
        }
    }
    if (b.count) put(&b, out, 0, 8 - b.count);
}

struct reader {
    Str bytes;
    size_t at; /* bit */
    bool short_of;
};

static uint64_t take(struct reader *r, unsigned n) {
    uint64_t v = 0;
    for (unsigned i = 0; i < n; i++, r->at++) {
        if (r->at / 8 >= r->bytes.len) {
            r->short_of = true;
            return 0;
        }
        v = v << 1 | ((uint8_t)r->bytes.ptr[r->at / 8] >> (7 - r->at % 8) & 1);
    }
    return v;
}

bool cmd_bench_xor_read(Str bytes, double *v, size_t n) {
    struct reader r = {bytes, 0, false};
    unsigned lead = 0, trail = 0;
    if (n == 0) return true;
    uint64_t bits = take(&r, 64);
    memcpy(&v[0], &bits, 8);
    for (size_t i = 1; i < n && !r.short_of; i++) {
        if (take(&r, 1)) {
            if (take(&r, 1)) {
                lead = (unsigned)take(&r, 5);
                unsigned length = (unsigned)take(&r, 6) + 1;
                if (lead + length > 64) return false;
                trail = 64 - lead - length;
            }
            bits ^= take(&r, 64 - lead - trail) << trail;
        }
        memcpy(&v[i], &bits, 8);
    }
    return !r.short_of;
}
