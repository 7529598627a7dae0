/* First light of the store as a whole. */
#include "store/series.h"

#include <string.h>

#include "tests/unit.h"

void series_test(void);

static const struct lens all = {.every_party = true, .from = INT64_MIN, .to = INT64_MAX};

static struct series *open_at(const char *dir, bool read_only) {
    struct series *s = NULL;
    CHECK_OK(series_open(&(struct series_options){.dir = dir, .read_only = read_only}, &s));
    return s;
}

struct seen {
    size_t n;
    struct series_point points[64];
    char text[64][32];
};

static bool note(void *ctx, const struct series_point *p) {
    struct seen *seen = ctx;
    if (seen->n == 64) return false;
    struct series_point *q = &seen->points[seen->n];
    *q = *p;
    if (p->value.kind == VALUE_STRING) {
        memcpy(seen->text[seen->n], p->value.s.ptr, p->value.s.len);
        q->value.s.ptr = seen->text[seen->n];
    }
    seen->n++;
    return true;
}

static void write_some(struct series *s) {
    ThingId thing;
    MetricId rpm = 0, state = 0;
    CHECK_OK(series_thing(s, 1, STR("truck-7"), &thing));
    CHECK_OK(series_metric(s, STR("rpm"), &rpm));
    CHECK_OK(series_metric(s, STR("state"), &state));
    struct series_commit c = {0};
    rows_clear(&c.rows);
    for (int i = 0; i < 10; i++) {
        rows_begin(&c.rows, thing, i * NANOS_PER_MIN, 0);
        rows_value(&c.rows, rpm, VALUE_I(1000 + i));
        rows_value(&c.rows, state, VALUE_S(i % 2 ? STR("run") : STR("idle")));
        rows_value(&c.rows, rpm, VALUE_F(1000.5 + i)); /* the last counts */
        rows_end(&c.rows);
    }
    struct dead_letter letter = {1, 5, STR("dev"), STR("t"), STR("why"), STR("{}")};
    c.dead_letters = &letter, c.n_dead_letters = 1;
    CHECK_OK(series_write(s, &c));
    rows_fini(&c.rows);
}

static void read_some(struct series *s) {
    struct seen seen = {0};
    ThingId thing;
    MetricId rpm = 0, state = 0;
    if (!CHECK(series_find_thing(s, 1, STR("truck-7"), &thing))) return;
    CHECK(series_find_metric(s, STR("rpm"), &rpm) && series_find_metric(s, STR("state"), &state));
    CHECK_OK(series_read(s, &all, &(struct series_query){.metric = rpm}, note, &seen));
    CHECK_INT(seen.n, 10);
    CHECK_NUM(seen.points[3].value.f, 1003.5, 0);
    seen.n = 0;
    CHECK_OK(series_read(s, &all,
                         &(struct series_query){.thing = thing, .metric = state, .newest_first = true, .limit = 3},
                         note, &seen));
    CHECK_INT(seen.n, 3);
    CHECK_STR(seen.points[0].value.s, STR("run"));
    CHECK_INT(seen.points[2].time, 7 * NANOS_PER_MIN);
    seen.n = 0;
    CHECK_OK(series_read(s, &all, &(struct series_query){.window = 4 * NANOS_PER_MIN}, note, &seen));
    CHECK_INT(seen.n, 6);
    CHECK_INT(seen.points[0].count, 4);
    CHECK_NUM(seen.points[0].sum, 4008, 0);
    CHECK_NUM(seen.points[2].last.f, 1009.5, 0);
    struct arena arena;
    arena_init(&arena, 0);
    struct series_latest *latest;
    size_t n;
    CHECK_OK(series_latest(s, &all, thing, &arena, &latest, &n));
    CHECK_INT(n, 2);
    CHECK_STR(latest[1].value.s, STR("run"));
    struct dead_letter_row *letters;
    CHECK_OK(series_dead_letters(s, &all, 0, 10, &arena, &letters, &n));
    CHECK_INT(n, 1);
    CHECK_STR(letters[0].letter.reason, STR("why"));
    arena_fini(&arena);
}

void series_test(void) {
    const char *dir = unit_temp_dir();
    unit_case("written, read, and read again after reopening");
    struct series *s = open_at(dir, false);
    if (!s) return;
    write_some(s);
    read_some(s);
    series_close(s);
    if ((s = open_at(dir, true))) read_some(s);
    series_close(s);
    if ((s = open_at(dir, false))) read_some(s);
    series_close(s);
}
