#include "kernel/compress.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

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

static const struct {
    const char *name;
    int64_t (*at)(size_t i, uint64_t r);
    double bytes_a_value; /* at most, cold, of many values */
} int_shapes[] = {
    {"constant", int_constant, 0.01}, {"counter", int_counter, 0.01}, {"walk", int_walk, 0.6},
    {"noise", int_noise, 1.3},        {"any", int_any, 8.02},         {"ends", int_ends, 0.3},
    {"time", int_time, 0.6},          {"regular", int_regular, 0.01}, {"spike", int_spike, 0.5},
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

static const struct {
    const char *name;
    double (*at)(size_t i, uint64_t r);
    double bytes_a_value;
} float_shapes[] = {
    {"decimal", float_decimal, 0.8}, {"fine", float_fine, 3.5}, {"true", float_true, 6.6},  {"any", float_any, 8.02},
    {"odd", float_odd, 4.0},         {"rare", float_rare, 1.5}, {"huge", float_huge, 8.02},
};

static const size_t lengths[] = {0, 1, 2, 3, 31, 32, 33, 100, 1000, N_MAX};
#define COUNT(table) (sizeof(table) / sizeof *(table))

static void check_ints(struct compress *c, size_t shape, size_t n, bool cold) {
    int64_t *in = calloc(n + 1, 8), *back = calloc(n + 1, 8);
    struct buf out = {0};
    uint64_t state = 42;
    for (size_t i = 0; i < n; i++) in[i] = int_shapes[shape].at(i, draw(&state));
    compress_ints(c, in, n, cold, &out);
    CHECK(compress_read_ints(c, buf_view(&out), back, n) && memcmp(in, back, n * 8) == 0);
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
    CHECK(compress_read_floats(c, buf_view(&out), back, n) && memcmp(in, back, n * 8) == 0);
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
    buf_clear(&out);
    compress_bytes(c, (Str){(char *)in, n}, cold, &out);
    CHECK(compress_read_bytes(c, buf_view(&out), n, &text) && text.len == n && (n == 0 || !memcmp(text.ptr, in, n)));
    CHECK(n == 0 || !compress_read_bytes(c, buf_view(&out), n - 1, &text));
    buf_fini(&out);
    buf_fini(&text);
    free(in);
    free(back);
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
    unit_case("what is not well-formed");
    check_refusals(c);
    compress_free(c);
}
