#include "base/time.h"

#include <string.h>

#include "tests/unit.h"

static const struct {
    const char *text;
    Nanos t;
} good[] = {
    {"1970-01-01T00:00:00Z", 0},
    {"1970-01-01", 0},
    {"0", 0},
    {"1420092000000", 1420092000 * NANOS_PER_S},
    {"-1", -NANOS_PER_MS},
    {"2015-01-01T06:00:00Z", 1420092000 * NANOS_PER_S},
    {"2015-01-01t06:00:00z", 1420092000 * NANOS_PER_S},
    {"2015-01-01 06:00:00", 1420092000 * NANOS_PER_S},
    {"2015-01-01 06:00", 1420092000 * NANOS_PER_S},
    {"2015-01-01T06:00:00", 1420092000 * NANOS_PER_S},
    {"2015-01-01T14:00:00+08:00", 1420092000 * NANOS_PER_S},
    {"2015-01-01T00:30:00-05:30", 1420092000 * NANOS_PER_S},
    {"2014-12-31T22:00:00.25-08:00", 1420092000 * NANOS_PER_S + 250 * NANOS_PER_MS},
    {"2015-01-01T06:00:00.000000001Z", 1420092000 * NANOS_PER_S + 1},
    {"2015-01-01T06:00:00.1234567899Z", 1420092000 * NANOS_PER_S + 123456789},
    {"2016-12-31T23:59:60Z", 1483228800 * NANOS_PER_S},
    {"2000-02-29T00:00:00Z", 951782400 * NANOS_PER_S},
    {"1969-12-31T23:59:59.999999999Z", -1},
    {"1900-03-01", -2203891200 * NANOS_PER_S},
};

static const char *const bad[] = {
    "",
    "now",
    "2015",
    "2015-1-1",
    "2015-13-01",
    "2015-00-01",
    "2015-01-32",
    "2015-01-00",
    "2015-02-29",
    "1900-02-29",
    "2015-04-31",
    "2015-01-01T",
    "2015-01-01T06",
    "2015-01-01T06:00Zx",
    "2015-01-01T24:00:00Z",
    "2015-01-01T06:60:00Z",
    "2015-01-01T06:00:61Z",
    "2015-01-01T06:00:00.Z",
    "2015-01-01T06:00:00,5Z",
    "2015-01-01T06:00:00+8",
    "2015-01-01T06:00:00+0800",
    "2015-01-01T06:00:00+24:00",
    "2015-01-01T06:00:00+08:60",
    "2015-01-01T06:00:00ZZ",
    "2015-01-01T06:00:00Z ",
    "20150101T060000Z",
    "+2015-01-01",
    "1677-12-31T00:00:00Z",
    "2262-01-01T00:00:00Z",
    "9223372036855",
    "-9223372036855",
    "99999999999999999999",
};

static void test_parse(void) {
    unit_case("reading");
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        Nanos t = 1;
        if (!CHECK_OK(time_parse(str_c(good[i].text), &t)) || !CHECK_INT(t, good[i].t))
            CHECK_STR(STR("as above"), str_c(good[i].text));
    }
    unit_case("refusing");
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        Nanos t;
        bool year_alone = str_eq_c(STR("2015"), bad[i]); /* a plain integer: milliseconds */
        Err err = time_parse(str_c(bad[i]), &t);
        if (year_alone)
            CHECK(err.code == ERR_NONE && t == 2015 * NANOS_PER_MS);
        else if (!CHECK_ERR(err, ERR_INVALID))
            CHECK_STR(STR("as above"), str_c(bad[i]));
    }
    Nanos t;
    char text[500];
    memset(text, 'x', sizeof text);
    CHECK_ERR(time_parse(str_n(text, sizeof text), &t), ERR_INVALID);
}

static void test_format(void) {
    static const struct {
        Nanos t;
        const char *text;
    } cases[] = {
        {0, "1970-01-01T00:00:00Z"},
        {1420092000 * NANOS_PER_S, "2015-01-01T06:00:00Z"},
        {1, "1970-01-01T00:00:00.000000001Z"},
        {NANOS_PER_US, "1970-01-01T00:00:00.000001Z"},
        {NANOS_PER_MS * 20, "1970-01-01T00:00:00.020Z"},
        {-1, "1969-12-31T23:59:59.999999999Z"},
        {-NANOS_PER_S, "1969-12-31T23:59:59Z"},
        {INT64_MIN, "1677-09-21T00:12:43.145224192Z"},
        {INT64_MAX, "2262-04-11T23:47:16.854775807Z"},
    };
    unit_case("writing");
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[TIME_TEXT_MAX];
        CHECK_STR(time_format(cases[i].t, text), str_c(cases[i].text));
    }
}

/* Every day of the range, counted one by one beside the formula. */
static void test_calendar(void) {
    static const int lengths[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    unit_case("the calendar from 1678 to 2261, day by day");
    int64_t day = time_from_civil(1678, 1, 1, 0, 0, 0) / NANOS_PER_DAY;
    long wrong = 0;
    for (int y = 1678; y <= 2261; y++)
        for (int m = 1; m <= 12; m++) {
            bool leap = (y % 4 == 0 && y % 100 != 0) || y % 400 == 0;
            for (int d = 1; d <= lengths[m - 1] + (m == 2 && leap); d++, day++) {
                int got[6];
                wrong += time_from_civil(y, m, d, 0, 0, 0) != day * NANOS_PER_DAY;
                time_civil(day * NANOS_PER_DAY + 86399 * NANOS_PER_S, &got[0], &got[1], &got[2], &got[3], &got[4],
                           &got[5]);
                wrong += got[0] != y || got[1] != m || got[2] != d || got[3] != 23 || got[4] != 59 || got[5] != 59;
            }
        }
    CHECK_INT(wrong, 0);
}

static void test_round_trip(void) {
    unit_case("100,000 random moments there and back");
    uint64_t seed = 7;
    long wrong = 0;
    for (int i = 0; i < 100000; i++) {
        seed = seed * UINT64_C(6364136223846793005) + 1442695040888963407;
        Nanos t = (Nanos)seed / 4 * 3, back = 0; /* inside the years that are read */
        char text[TIME_TEXT_MAX];
        Err err = time_parse(time_format(t, text), &back);
        wrong += err.code != ERR_NONE || back != t;
    }
    CHECK_INT(wrong, 0);
}

void time_test(void) {
    test_parse();
    test_format();
    test_calendar();
    test_round_trip();
}
