#include "model/unit.h"

#include <string.h>

#include "tests/unit.h"

static const struct {
    const char *from, *to;
    unsigned char scale;
    int64_t value, want;
} exact[] = {
    {"TNE", "KGM", 1, 15, 15000},   {"KGM", "TNE", 3, 2000, 2},
    {"kg", "g", 3, 1, 1000},        {"LBR", "KGM", 8, 100000000, 45359237},
    {"INH", "MMT", 1, 10, 254},     {"HUR", "MIN", 0, 2, 120},
    {"DAY", "SEC", 0, 3, 259200},   {"KMH", "MTS", 1, 360, 100},
    {"CEL", "KEL", 2, 2500, 29815}, {"FAH", "CEL", 0, 212, 100},
    {"CEL", "FAH", 0, -40, -40},    {"KWH", "MJ", 1, 10, 36},
    {"BAR", "KPA", 0, 7, 700},      {"LTR", "MTQ", 3, 1500000, 1500},
    {"DZN", "C62", 0, 3, 36},       {"59", "P1", 4, 500000, 50},

    {"KGM", "KGM", 2, -7, -7},      {"MTK", "HAR", 4, 100000000, 10000},
    {"MU", "MTK", 1, 30, 20000},    {"JIN", "KGM", 1, 1000, 500},
};

void unit_test(void) {
    for (size_t i = 0; i < sizeof exact / sizeof *exact; i++) {
        const struct unit *from = unit_find(str_c(exact[i].from)), *to = unit_find(str_c(exact[i].to));
        int64_t got = -1;
        unit_case(exact[i].from);
        if (!CHECK(from && to)) continue;
        CHECK_OK(unit_convert(exact[i].value, exact[i].scale, from, to, &got));
        CHECK_INT(got, exact[i].want);
    }
    int64_t got;
    unit_case("what cannot be exact is refused");
    CHECK_ERR(unit_convert(1, 0, unit_find(STR("g")), unit_find(STR("kg")), &got), ERR_INVALID);
    Err err = unit_convert(15, 1, unit_find(STR("g")), unit_find(STR("kg")), &got);
    CHECK(strstr(err.text, "4 digits") != NULL);
    err = unit_convert(1, 2, unit_find(STR("FAH")), unit_find(STR("CEL")), &got);
    CHECK(err.code == ERR_INVALID && strstr(err.text, "never exact"));
    err = unit_convert(1, 0, unit_find(STR("KGM")), unit_find(STR("LTR")), &got);
    CHECK(err.code == ERR_INVALID && strstr(err.text, "mass") && strstr(err.text, "volume"));
    CHECK_ERR(unit_convert(INT64_MAX, 0, unit_find(STR("TNE")), unit_find(STR("MGM")), &got), ERR_LIMIT);
    unit_case("the table is sound");
    for (size_t i = 0; unit_at(i); i++) {
        const struct unit *u = unit_at(i);
        CHECK(unit_find(str_c(u->code)) == u && u->num > 0 && u->den > 0 && u->offset_den > 0);
        for (size_t j = 0; j < i; j++) CHECK(strcmp(unit_at(j)->code, u->code) != 0);
    }
    CHECK(!unit_find(STR("nothing")) && !unit_find((Str){0}));
}
