#include "base/qr.h"

#include <string.h>

#include "tests/unit.h"

void qr_test(void);

static bool dark(const struct qr *qr, unsigned x, unsigned y) { return qr->modules[(size_t)y * qr->size + x]; }

/* A finder pattern: 7 × 7, its ring dark, then light, then a dark core of 3 × 3. */
static bool has_finder(const struct qr *qr, unsigned left, unsigned top) {
    for (unsigned y = 0; y < 7; y++)
        for (unsigned x = 0; x < 7; x++) {
            unsigned edge = x < y ? x : y, far = 6 - (x > y ? x : y);
            unsigned ring = edge < far ? edge : far;
            if (dark(qr, left + x, top + y) != (ring != 1)) return false;
        }
    return true;
}

void qr_test(void) {
    struct qr qr;
    struct buf svg = {0};
    unit_case("a short text is a code of version 1, with its three finders");
    if (!CHECK_OK(qr_make(STR("WEFT"), &qr))) return;
    CHECK_INT(qr.size, 21);
    CHECK(has_finder(&qr, 0, 0) && has_finder(&qr, 14, 0) && has_finder(&qr, 0, 14));
    CHECK(!has_finder(&qr, 14, 14));
    for (unsigned i = 8; i < 13; i++) CHECK(dark(&qr, i, 6) == (i % 2 == 0)); /* the timing pattern */
    CHECK(dark(&qr, 8, 13));                                                  /* the one that is always dark */
    qr_fini(&qr);
    unit_case("a link as SVG");
    CHECK_OK(qr_svg(STR("https://weft.example/#/join/abcdefghijklmnopqrstuvwxyz234567abcdefghijklmnopqrst"), &svg));
    CHECK(str_starts(buf_view(&svg), STR("<svg xmlns=")) && str_ends(buf_view(&svg), STR("z\"/></svg>")));
    CHECK(svg.len < 20000);
    buf_fini(&svg);
    unit_case("no text, and too much");
    static char big[QR_TEXT_MAX + 1];
    memset(big, 'x', sizeof big);
    CHECK_ERR(qr_make(STR(""), &qr), ERR_INVALID);
    CHECK_ERR(qr_make(str_n(big, sizeof big), &qr), ERR_TOO_LARGE);
    CHECK_OK(qr_make(str_n(big, QR_TEXT_MAX), &qr));
    qr_fini(&qr);
}
