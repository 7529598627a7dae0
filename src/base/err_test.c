#include "base/err.h"

#include <errno.h>
#include <string.h>

#include "tests/unit.h"

static Err fail_when(bool fail) { return fail ? err_make(ERR_STATE, "no") : err_none(); }

static Err pass_on(bool fail, bool *reached) {
    TRY(fail_when(fail));
    *reached = true;
    return err_none();
}

/* Slugs stand in URLs, so they are unique and plain; statuses are HTTP's. */
static void test_table(void) {
    unit_case("the table");
    for (int i = 0; i < ERR_COUNT; i++) {
        const char *slug = err_slug((enum err_code)i);
        CHECK_INT(strspn(slug, "abcdefghijklmnopqrstuvwxyz-"), strlen(slug));
        CHECK(strlen(err_title((enum err_code)i)) > 0);
        int status = err_http_status((enum err_code)i);
        CHECK(i == 0 ? status == 200 : status >= 400 && status <= 599);
        for (int j = 0; j < i; j++) CHECK(strcmp(slug, err_slug((enum err_code)j)) != 0);
    }
    CHECK_INT(err_http_status(ERR_COUNT), 500);
    CHECK_STR(str_c(err_slug(ERR_NOT_FOUND)), STR("not-found"));
}

static void test_text(void) {
    unit_case("texts");
    Err err = err_make(ERR_INVALID, "no part '%s': %d", "bolt", 3);
    CHECK_ERR(err, ERR_INVALID);
    CHECK_STR(str_c(err.text), STR("no part 'bolt': 3"));
    err = err_errno(ERR_IO, ENOENT, "cannot open '%s'", "x");
    CHECK_STR(str_c(err.text), STR("cannot open 'x': No such file or directory"));
    CHECK_STR(str_c(err_none().text), STR(""));
}

static void test_cut_text(void) {
    unit_case("a long text is cut between characters");
    char name[301];
    for (size_t shift = 0; shift < 3; shift++) {
        memset(name, 'x', shift);
        for (size_t i = shift; i + 3 <= 300; i += 3) memcpy(name + i, "\xE5\x8E\x8B", 3);
        name[shift + (300 - shift) / 3 * 3] = '\0';
        Err err = err_make(ERR_INVALID, "%s", name);
        CHECK(str_is_utf8(str_c(err.text)));
        CHECK(strlen(err.text) >= sizeof err.text - 4);
        err = err_errno(ERR_IO, ENOENT, "%s", name);
        CHECK(str_is_utf8(str_c(err.text)));
    }
    memset(name, 'x', 300), name[300] = '\0';
    CHECK_INT(strlen(err_make(ERR_INVALID, "%s", name).text), sizeof(Err){0}.text - 1);
}

void err_test(void) {
    test_table();
    test_text();
    test_cut_text();
    unit_case("TRY");
    bool reached = false;
    CHECK_ERR(pass_on(true, &reached), ERR_STATE);
    CHECK(!reached);
    CHECK_OK(pass_on(false, &reached));
    CHECK(reached);
}
