#include "model/thing_keep.h"

#include "tests/unit.h"

void thing_keep_test(void);

void thing_keep_test(void) {
    static const struct {
        const char *text;
        Nanos want; /* 0: refused */
    } spans[] = {{"90d", 90 * NANOS_PER_DAY},
                 {"36h", 36 * NANOS_PER_HOUR},
                 {"8w", 56 * NANOS_PER_DAY},
                 {"5y", 1825 * NANOS_PER_DAY},
                 {"forever", THING_KEEP_FOREVER},
                 {" 1d ", NANOS_PER_DAY},
                 {"0d", 0},
                 {"-1d", 0},
                 {"d", 0},
                 {"", 0},
                 {"90", 0},
                 {"1.5d", 0},
                 {"999999999999y", 0}};
    for (size_t i = 0; i < sizeof spans / sizeof *spans; i++) {
        Nanos got = 0;
        unit_case(spans[i].text);
        Err err = thing_keep_span(str_c(spans[i].text), &got);
        CHECK_INT(err.code, spans[i].want ? ERR_NONE : ERR_INVALID);
        if (spans[i].want) CHECK(got == spans[i].want);
    }
    struct thing_keep keep, other = {.raw = 1, .rolled = {2, 3, 4}};
    unit_case("what is said, and what else is");
    CHECK_OK(thing_keep_parse(STR("90d, 1h 5y"), &keep));
    CHECK(keep.raw == 90 * NANOS_PER_DAY && keep.rolled[0] == 0 && keep.rolled[1] == 1825 * NANOS_PER_DAY);
    keep = thing_keep_over(keep, other);
    CHECK(keep.raw == 90 * NANOS_PER_DAY && keep.rolled[0] == 2 && keep.rolled[2] == 4);
    CHECK_OK(thing_keep_parse(STR(""), &keep));
    CHECK(keep.raw == 0);
    CHECK_OK(thing_keep_parse(STR("raw forever,1d 10y"), &keep));
    CHECK(keep.raw == THING_KEEP_FOREVER);
    CHECK_ERR(thing_keep_parse(STR("2h 5y"), &keep), ERR_INVALID);
    CHECK_ERR(thing_keep_parse(STR("90d, 1h"), &keep), ERR_INVALID);
}
