#include "os/gzip.h"

#include <string.h>

#include "tests/unit.h"

static void round_trip(size_t n, int level) {
    struct buf plain = {0}, packed = {0}, again = {0};
    for (size_t i = 0; i < n; i++) buf_byte(&plain, (uint8_t)(i * i >> 7));
    gzip_pack(buf_view(&plain), level, &packed);
    CHECK_OK(gzip_unpack(buf_view(&packed), n, &again));
    CHECK_STR(buf_view(&again), buf_view(&plain));
    buf_fini(&plain), buf_fini(&packed), buf_fini(&again);
}

void gzip_test(void) {
    unit_case("what was packed comes back");
    static const size_t sizes[] = {0, 1, 4095, 4096, 4097, 300000};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        for (int level = 1; level <= 9; level += 4) round_trip(sizes[i], level);

    unit_case("two members in a row are one text");
    struct buf two = {0}, out = {0};
    gzip_pack(STR("warp and "), 1, &two);
    gzip_pack(STR("weft"), 9, &two);
    CHECK_OK(gzip_unpack(buf_view(&two), 100, &out));
    CHECK_STR(buf_view(&out), STR("warp and weft"));

    unit_case("more than the limit is refused before it fills the memory");
    struct buf zeros = {0}, bomb = {0};
    buf_reserve(&zeros, 8 * 1024 * 1024);
    memset(zeros.ptr, 0, 8 * 1024 * 1024);
    zeros.len = 8 * 1024 * 1024;
    gzip_pack(buf_view(&zeros), 9, &bomb);
    buf_clear(&out);
    CHECK_ERR(gzip_unpack(buf_view(&bomb), 100000, &out), ERR_TOO_LARGE);
    CHECK(out.cap < 1024 * 1024);

    unit_case("what is cut off or no gzip is refused");
    for (size_t n = 0; n < two.len; n++) {
        buf_clear(&out);
        Err err = gzip_unpack(str_slice(buf_view(&two), 0, n), 100, &out);
        bool first_member = err.code == ERR_NONE && str_eq(buf_view(&out), STR("warp and "));
        CHECK(err.code == ERR_INVALID || first_member);
    }
    CHECK_ERR(gzip_unpack(STR("{\"plain\":true}"), 100, &out), ERR_INVALID);
    buf_fini(&two), buf_fini(&out), buf_fini(&zeros), buf_fini(&bomb);
}
