#include "base/buf.h"

#include "tests/unit.h"

static void test_add(void) {
    unit_case("adding");
    struct buf buf = {0};
    CHECK_STR(buf_view(&buf), STR(""));
    buf_str(&buf, (Str){NULL, 0});
    buf_c(&buf, "abc"), buf_byte(&buf, 'd');
    buf_printf(&buf, "-%d-", 12);
    CHECK_STR(buf_view(&buf), STR("abcd-12-"));
    buf_consume(&buf, 3);
    CHECK_STR(buf_view(&buf), STR("d-12-"));
    buf_consume(&buf, 5);
    buf_consume(&buf, 0);
    CHECK_INT(buf.len, 0);
    buf_printf(&buf, "%*d", 5000, 1);
    CHECK_INT(buf.len, 5000);
    buf_clear(&buf);
    for (int i = 0; i < 1000; i++) buf_add(&buf, "0123456789", 10);
    CHECK(buf.len == 10000 && buf.ptr[9999] == '9');
    buf_fini(&buf);
    CHECK(buf.ptr == NULL && buf.len == 0 && buf.cap == 0);
}

/* A printf that fills the room to its last byte must not lose that byte to the terminator. */
static void test_printf_edge(void) {
    unit_case("printf at the edge of the room");
    for (int n = 60; n < 70; n++) {
        struct buf buf = {0};
        buf_printf(&buf, "%0*d", n, 7);
        CHECK_INT(buf.len, n);
        CHECK(buf.ptr[n - 1] == '7');
        buf_fini(&buf);
    }
}

static void test_binary(void) {
    unit_case("little-endian and varint");
    struct buf buf = {0};
    buf_u16le(&buf, 0x0102), buf_u32le(&buf, 0x03040506), buf_u64le(&buf, UINT64_C(0x0708090a0b0c0d0e));
    CHECK_STR(buf_view(&buf), STR("\x02\x01\x06\x05\x04\x03\x0e\x0d\x0c\x0b\x0a\x09\x08\x07"));
    static const struct {
        uint64_t value;
        Str bytes;
    } cases[] = {
        {0, STR_INIT("\0")},
        {127, STR_INIT("\x7f")},
        {128, STR_INIT("\x80\x01")},
        {16384, STR_INIT("\x80\x80\x01")},
        {UINT64_MAX, STR_INIT("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01")},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        buf_clear(&buf);
        buf_varint(&buf, cases[i].value);
        CHECK_STR(buf_view(&buf), cases[i].bytes);
    }
    buf_fini(&buf);
}

void buf_test(void) {
    test_add();
    test_printf_edge();
    test_binary();
}
