#include "os/charset.h"

#include "tests/unit.h"

static void converts(const char *name, Str text, Str want, size_t want_used) {
    struct charset *c;
    struct buf out = {0};
    size_t used = 0;
    unit_case(name);
    if (!CHECK_OK(charset_open(name, &c))) return;
    CHECK_OK(charset_convert(c, text, &out, &used));
    CHECK_STR(buf_view(&out), want);
    CHECK_INT(used, want_used);
    buf_fini(&out);
    charset_close(c);
}

void charset_test(void) {
    converts("GB18030", STR("a\xD6\xD0\xB9\xFA"), STR("a中国"), 5);
    converts("GB18030", STR("\xD6\xD0\xB9"), STR("中"), 2);
    converts("UTF-16LE", STR("A\0-N"), STR("A中"), 4);
    converts("UTF-16BE", STR("\0A\0"), STR("A"), 2);

    unit_case("what is no character is refused where it stands");
    struct charset *c;
    struct buf out = {0};
    size_t used = 0;
    if (!CHECK_OK(charset_open("GB18030", &c))) return;
    CHECK_ERR(charset_convert(c, STR("ab\xFF\xFF"), &out, &used), ERR_INVALID);
    CHECK_INT(used, 2);
    buf_fini(&out);
    charset_close(c);

    unit_case("an unknown encoding is named");
    CHECK_ERR(charset_open("KLINGON", &c), ERR_INVALID);
}
