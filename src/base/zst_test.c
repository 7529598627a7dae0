#include "base/zst.h"

#include "tests/unit.h"

void zst_test(void);

void zst_test(void) {
    struct buf plain = {0}, packed = {0}, back = {0};
    for (unsigned i = 0; i < 300000; i++) buf_byte(&plain, (uint8_t)(i * i >> 7));

    unit_case("what is packed comes back");
    zst_compress(buf_view(&plain), 3, &packed);
    CHECK(packed.len < plain.len);
    CHECK_OK(zst_decompress(buf_view(&packed), plain.len, &back));
    CHECK(str_eq(buf_view(&back), buf_view(&plain)));

    unit_case("two frames are one text");
    buf_clear(&back);
    size_t one = packed.len;
    zst_compress(STR("tail"), 3, &packed);
    CHECK_OK(zst_decompress(buf_view(&packed), plain.len + 4, &back));
    CHECK_INT(back.len, plain.len + 4);

    unit_case("more than the bound");
    buf_clear(&back);
    CHECK_ERR(zst_decompress(buf_view(&packed), plain.len - 1, &back), ERR_TOO_LARGE);

    unit_case("cut short, damaged, empty, something else");
    CHECK_ERR(zst_decompress(str_n(packed.ptr, one - 1), plain.len, &back), ERR_CORRUPT);
    packed.ptr[one / 2] ^= 1;
    CHECK(zst_decompress(str_n(packed.ptr, one), plain.len, &back).code != ERR_NONE);
    CHECK_ERR(zst_decompress(STR(""), 10, &back), ERR_CORRUPT);
    CHECK_ERR(zst_decompress(STR("time,machine\n"), 10, &back), ERR_CORRUPT);

    buf_fini(&plain), buf_fini(&packed), buf_fini(&back);
}
