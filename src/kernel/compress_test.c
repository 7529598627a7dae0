#include "kernel/compress.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "kernel/bitpack.h"
#include "kernel/codec_lanes.h"
#include "tests/unit.h"

void compress_test(void);

#define N_MAX 5000

static uint64_t draw(uint64_t *state) {
    *state ^= *state << 13, *state ^= *state >> 7, *state ^= *state << 17;
    return *state * UINT64_C(0x9e3779b97f4a7c15);
}

/* Shapes of columns. i: place, r: a random word. */
static int64_t int_constant(size_t i, uint64_t r) { return (void)i, (void)r, -7; }
static int64_t int_counter(size_t i, uint64_t r) { return (void)r, (int64_t)i * 3; }
static int64_t int_walk(size_t i, uint64_t r) { return (int64_t)i * 10 + (int64_t)(r % 7); }
static int64_t int_noise(size_t i, uint64_t r) { return (void)i, (int64_t)(r % 1000); }
static int64_t int_any(size_t i, uint64_t r) { return (void)i, (int64_t)r; }
static int64_t int_ends(size_t i, uint64_t r) { return (void)r, i % 2 ? INT64_MIN : INT64_MAX; }
static int64_t int_time(size_t i, uint64_t r) { return (int64_t)i * 10000000000 + (int64_t)(r % 5) * 1000000; }
static int64_t int_regular(size_t i, uint64_t r) {
    return (void)r, INT64_C(1700000000000000000) + (int64_t)i * 60000000000;
}
static int64_t int_spike(size_t i, uint64_t r) { return i == 77 ? INT64_MIN : (int64_t)(r % 3); }

static int64_t int_steps(size_t i, uint64_t r) { return (void)r, (int64_t)(i / 37) * 1250; }
static int64_t int_far(size_t i, uint64_t r) { return (i % 90 == 5 ? -1 : 1) * (int64_t)(r >> (i % 90 == 5 ? 3 : 58)); }
static int64_t int_unit(size_t i, uint64_t r) { return (void)i, INT64_MIN + 625 + (int64_t)(r % 300) * 625; }
static int64_t int_ends_unit(size_t i, uint64_t r) { return (void)i, r % 2 ? INT64_MIN : r % 4 ? INT64_MAX : -1; }
static int64_t int_few(size_t i, uint64_t r) { return (void)i, (int64_t)(r % 23 * r % 23) * INT64_C(0x1234567890123); }

static const struct {
    const char *name;
    int64_t (*at)(size_t i, uint64_t r);
    double bytes_a_value; /* at most, cold, of many values */
} int_shapes[] = {
    {"constant", int_constant, 0.01},
    {"counter", int_counter, 0.01},
    {"walk", int_walk, 0.6},
    {"noise", int_noise, 1.3},
    {"any", int_any, 8.02},
    {"ends", int_ends, 0.3},
    {"time", int_time, 0.6},
    {"regular", int_regular, 0.01},
    {"spike", int_spike, 0.5},
    {"stairs", int_steps, 0.1},
    {"far ones", int_far, 1.2},
    {"unit", int_unit, 1.3},
    {"ends and unit", int_ends_unit, 0.7},
    {"few", int_few, 1.0},
};

static double float_decimal(size_t i, uint64_t r) { return (double)(1700 + (int64_t)i % 9 + (int64_t)(r % 40)) / 10; }
static double float_fine(size_t i, uint64_t r) { return (void)i, (double)(int64_t)(r % 100000000) / 1e6; }
static double float_true(size_t i, uint64_t r) { return sin((double)i / 100) + (double)(r >> 40) * 1e-12; }
static double float_any(size_t i, uint64_t r) {
    double out;
    (void)i;
    memcpy(&out, &r, 8);
    return out;
}
static double float_odd(size_t i, uint64_t r) {
    static const double odd[] = {0.0, -0.0, INFINITY, -INFINITY, NAN, 5e-324, 1.7976931348623157e308, 0.1};
    return (void)i, odd[r % 8];
}
static double float_rare(size_t i, uint64_t r) { return i % 100 == 50 ? NAN : (double)(r % 500) / 100; }
static double float_huge(size_t i, uint64_t r) { return (void)i, (double)(r >> 1) * 1e10; }

/* NaN of every sign and payload, none of which may be touched. */
static double float_nans(size_t i, uint64_t r) {
    uint64_t bits = UINT64_C(0x7ff0000000000001) | (r & UINT64_C(0x800fffffffffffff));
    double out;
    memcpy(&out, &bits, 8);
    return i % 3 ? out : 1.5;
}
static double float_denormal(size_t i, uint64_t r) { return (double)(int64_t)(r % 1000 * (i % 2 ? 1 : 0)) * 5e-324; }
static double float_single(size_t i, uint64_t r) { return (void)i, (double)(float)((double)(r % 100000) / 1000); }
static double float_mixed(size_t i, uint64_t r) {
    return (double)(r % 10000) / (double[]){1, 10, 100, 1000}[i / 7 % 4];
}
static double float_repeated(size_t i, uint64_t r) { return (void)i, sin((double)(r % 50)); }
static double float_signs(size_t i, uint64_t r) { return (i % 2 ? 1 : -1) * (1 + (double)(r >> 12) * 0x1p-52); }
static double float_zeros(size_t i, uint64_t r) { return (void)i, r % 2 ? 0.0 : -0.0; }

static const struct {
    const char *name;
    double (*at)(size_t i, uint64_t r);
    double bytes_a_value;
} float_shapes[] = {
    {"decimal", float_decimal, 0.8},
    {"fine", float_fine, 3.5},
    {"true", float_true, 6.6},
    {"any", float_any, 8.02},
    {"odd", float_odd, 4.0},
    {"rare", float_rare, 1.5},
    {"huge", float_huge, 8.02},
    {"nans", float_nans, 8.02},
    {"denormal", float_denormal, 1.4},
    {"single", float_single, 2.3},
    {"mixed decimals", float_mixed, 3.1},
    {"repeated", float_repeated, 1.0},
    {"signs", float_signs, 6.8},
    {"zeros", float_zeros, 0.3},
};

static const size_t lengths[] = {0, 1, 2, 3, 31, 32, 33, 100, 1000, 1023, 1024, 1025, 2049, N_MAX};
#define COUNT(table) (sizeof(table) / sizeof *(table))

static void check_ints(struct compress *c, size_t shape, size_t n, bool cold) {
    int64_t *in = calloc(n + 1, 8), *back = calloc(n + 1, 8);
    struct buf out = {0};
    uint64_t state = 42;
    for (size_t i = 0; i < n; i++) in[i] = int_shapes[shape].at(i, draw(&state));
    compress_ints(c, in, n, cold, &out);
    for (int isa = 0; isa < CODEC_ISAS; isa++) {
        if (!codec_isa_has((enum codec_isa)isa)) continue;
        compress_use(c, (enum codec_isa)isa);
        memset(back, 0x55, n * 8);
        CHECK(compress_read_ints(c, buf_view(&out), back, n) && memcmp(in, back, n * 8) == 0);
    }
    if (n > COMPRESS_BLOCK) {
        memset(back, 0x55, n * 8);
        CHECK(compress_read_ints_part(c, buf_view(&out), n, 1, 2, back));
        CHECK(memcmp(in + COMPRESS_BLOCK, back, (n < 2048 ? n - COMPRESS_BLOCK : COMPRESS_BLOCK) * 8) == 0);
        CHECK(!compress_read_ints_part(c, buf_view(&out), n, 0, 9, back));
    }
    if (cold && n == N_MAX) CHECK((double)out.len / (double)n <= int_shapes[shape].bytes_a_value);
    buf_fini(&out);
    free(in);
    free(back);
}

static void check_floats(struct compress *c, size_t shape, size_t n, bool cold) {
    double *in = calloc(n + 1, 8), *back = calloc(n + 1, 8);
    struct buf out = {0};
    uint64_t state = 43;
    for (size_t i = 0; i < n; i++) in[i] = float_shapes[shape].at(i, draw(&state));
    compress_floats(c, in, n, cold, &out);
    for (int isa = 0; isa < CODEC_ISAS; isa++) {
        if (!codec_isa_has((enum codec_isa)isa)) continue;
        compress_use(c, (enum codec_isa)isa);
        memset(back, 0x55, n * 8);
        CHECK(compress_read_floats(c, buf_view(&out), back, n) && memcmp(in, back, n * 8) == 0);
    }
    if (n > COMPRESS_BLOCK) {
        memset(back, 0x55, n * 8);
        CHECK(compress_read_floats_part(c, buf_view(&out), n, 1, 2, back));
        CHECK(memcmp(in + COMPRESS_BLOCK, back, (n < 2048 ? n - COMPRESS_BLOCK : COMPRESS_BLOCK) * 8) == 0);
    }
    if (cold && n == N_MAX) CHECK((double)out.len / (double)n <= float_shapes[shape].bytes_a_value);
    buf_fini(&out);
    free(in);
    free(back);
}

static void check_bits(struct compress *c, size_t n, bool cold) {
    bool *in = calloc(n + 1, 1), *back = calloc(n + 1, 1);
    struct buf out = {0}, text = {0};
    uint64_t state = 44;
    for (size_t i = 0; i < n; i++) in[i] = draw(&state) >> 60 == 0;
    compress_bits(c, in, n, cold, &out);
    CHECK(compress_read_bits(c, buf_view(&out), back, n) && memcmp(in, back, n) == 0);
    uint64_t words[(N_MAX + 63) / 64];
    CHECK(compress_read_bit_words(c, buf_view(&out), words, n));
    for (size_t i = 0; i < n; i++) CHECK((words[i / 64] >> i % 64 & 1) == in[i]);
    if (n % 64) CHECK(words[n / 64] >> n % 64 == 0);
    buf_clear(&out);
    compress_bytes(c, (Str){(char *)in, n}, cold, &out);
    CHECK(compress_read_bytes(c, buf_view(&out), n, &text) && text.len == n && (n == 0 || !memcmp(text.ptr, in, n)));
    CHECK(n == 0 || !compress_read_bytes(c, buf_view(&out), n - 1, &text));
    buf_fini(&out);
    buf_fini(&text);
    free(in);
    free(back);
}

/* Every width, at every length about a group of eight, by every set of instructions, with nothing behind the bytes. */
static void check_widths(void) {
    uint64_t in[77], back[77], state = 45;
    for (unsigned width = 0; width <= 64; width++)
        for (size_t n = 60; n <= 77; n++) {
            uint8_t room[77 * 8 + 16];
            for (size_t i = 0; i < n; i++) in[i] = width ? draw(&state) >> (64 - width) : 0;
            bitpack_write(in, n, width, room);
            uint8_t *bytes = malloc(bitpack_bytes(n, width) + 1); /* a sanitizer sees a read past it */
            memcpy(bytes, room, bitpack_bytes(n, width));
            for (int isa = 0; isa < CODEC_ISAS; isa++) {
                if (!codec_isa_has((enum codec_isa)isa)) continue;
                bitpack_read((enum codec_isa)isa, bytes, bitpack_bytes(n, width), n, width, back);
                CHECK(memcmp(in, back, n * 8) == 0);
            }
            free(bytes);
        }
}

/* The loops that have a variant for each set of instructions, on words of every size. */
static void check_lanes(void) {
    uint64_t words[200], state = 46;
    int64_t want[200], got[200];
    double real[200], back[200];
    for (size_t i = 0; i < 200; i++) words[i] = draw(&state) >> i % 64;
    for (int isa = 1; isa < CODEC_ISAS; isa++) {
        if (!codec_isa_has((enum codec_isa)isa)) continue;
        const struct codec_lanes *plain = codec_lanes_of(CODEC_PLAIN), *lanes = codec_lanes_of((enum codec_isa)isa);
        for (size_t n = 0; n <= 200; n += n < 40 ? 1 : 7) {
            plain->sum(words, n, 1, 5, 77, want), lanes->sum(words, n, 1, 5, 77, got);
            CHECK(memcmp(want, got, n * 8) == 0);
            plain->scale(words, n, 3, 5, want), lanes->scale(words, n, 3, 5, got);
            CHECK(memcmp(want, got, n * 8) == 0);
            plain->decimals((int64_t *)words, n, 1e3, real), lanes->decimals((int64_t *)words, n, 1e3, back);
            CHECK(memcmp(real, back, n * 8) == 0);
            plain->singles((int64_t *)words, n, 1e3, real), lanes->singles((int64_t *)words, n, 1e3, back);
            CHECK(memcmp(real, back, n * 8) == 0);
            for (size_t i = 0; i < n; i++) real[i] = (double)(int64_t)words[i] / 1e3;
            lanes->decimals((int64_t *)words, n, 1e3, back);
            CHECK(memcmp(real, back, n * 8) == 0);
        }
    }
}

/* Integers as doubles: exact, or refused. */
static void check_exact(struct compress *c) {
    int64_t in[3] = {-(INT64_C(1) << 53), 7, INT64_C(1) << 53};
    double back[3];
    struct buf out = {0};
    compress_ints(c, in, 3, false, &out);
    CHECK(compress_read_ints_as_floats(c, buf_view(&out), back, 3));
    CHECK(back[0] == -0x1p53 && back[1] == 7 && back[2] == 0x1p53);
    in[1] = (INT64_C(1) << 53) + 1;
    buf_clear(&out);
    compress_ints(c, in, 3, false, &out);
    CHECK(!compress_read_ints_as_floats(c, buf_view(&out), back, 3));
    buf_fini(&out);
}

/* Wrong lengths and cut bytes are refused, never read past. */
static void check_refusals(struct compress *c) {
    int64_t in[100], back[101];
    double floats[101];
    struct buf out = {0};
    for (int i = 0; i < 100; i++) in[i] = i * i;
    compress_ints(c, in, 100, false, &out);
    CHECK(!compress_read_ints(c, buf_view(&out), back, 40));
    for (size_t n = 0; n < out.len; n++) CHECK(!compress_read_ints(c, str_slice(buf_view(&out), 0, n), back, 100));
    CHECK(!compress_read_floats(c, STR("\7abc"), floats, 2));
    CHECK(!compress_read_floats(c, STR("\0\0\xff\xff\xff\xff"), floats, 2));
    CHECK(!compress_read_bits(c, STR("\0a"), (bool[64]){0}, 64));
    buf_fini(&out);
}

void compress_test(void) {
    struct compress *c = compress_new();
    for (size_t shape = 0; shape < COUNT(int_shapes); shape++) {
        unit_case(int_shapes[shape].name);
        for (size_t i = 0; i < COUNT(lengths); i++)
            for (int cold = 0; cold < 2; cold++) check_ints(c, shape, lengths[i], cold);
    }
    for (size_t shape = 0; shape < COUNT(float_shapes); shape++) {
        unit_case(float_shapes[shape].name);
        for (size_t i = 0; i < COUNT(lengths); i++)
            for (int cold = 0; cold < 2; cold++) check_floats(c, shape, lengths[i], cold);
    }
    unit_case("bits and bytes");
    for (size_t i = 0; i < COUNT(lengths); i++)
        for (int cold = 0; cold < 2; cold++) check_bits(c, lengths[i], cold);
    unit_case("every width, every set of instructions");
    check_widths();
    check_lanes();
    unit_case("integers as doubles");
    check_exact(c);
    unit_case("what is not well-formed");
    check_refusals(c);
    compress_free(c);
}
