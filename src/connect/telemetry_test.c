#include "connect/telemetry.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit.h"
#include "trust/gate.h"

static const struct thing_metric press_metrics[] = {{.name = "rpm"}, {.name = "state"}};
static const struct thing_model press = {.name = "press", .metrics = press_metrics, .n_metrics = 2, .closed = true};

struct world {
    struct series *series;
    struct telemetry *telemetry;
    struct ingest_counters counters;
    struct rows rows;
    struct arena arena;
    struct telemetry_batch batch;
    struct telemetry_thing own;
    char seen[256];
    bool closed;
};

static const struct thing_model *model_of(void *ctx, PartyId party, Str thing) {
    const struct world *w = ctx;
    (void)party;
    return w->closed && str_starts(thing, STR("press")) ? &press : NULL;
}

static void thing_seen(void *ctx, PartyId party, Str thing) {
    struct world *w = ctx;
    (void)party;
    size_t n = strlen(w->seen);
    snprintf(w->seen + n, sizeof w->seen - n, STR_FMT ",", STR_ARG(thing));
}

static void open_world(struct world *w) {
    *w = (struct world){0};
    char dir[300];
    snprintf(dir, sizeof dir, "%s/telemetry", unit_temp_dir());
    struct series_options options = {.dir = dir};
    CHECK_OK(series_open(&options, &w->series));
    struct telemetry_options telemetry = {
        .series = w->series, .model_of = model_of, .thing_seen = thing_seen, .ctx = w, .counters = &w->counters};
    w->telemetry = telemetry_new(&telemetry);
    arena_init(&w->arena, 0);
    w->batch = (struct telemetry_batch){.rows = &w->rows, .arena = &w->arena};
    rows_clear(&w->rows);
}

static void close_world(struct world *w) {
    telemetry_free(w->telemetry);
    rows_fini(&w->rows);
    arena_fini(&w->arena);
    free(w->batch.letters);
    series_close(w->series);
}

static void put_value(struct buf *out, const struct world *w, const struct row_value *v) {
    buf_printf(out, " " STR_FMT "=", STR_ARG(series_metric_name(w->series, v->metric)));
    switch (v->value.kind) {
    case VALUE_INT: buf_printf(out, "%lldi", (long long)v->value.i); break;
    case VALUE_FLOAT: buf_printf(out, "%g", v->value.f); break;
    case VALUE_BOOL: buf_c(out, v->value.b ? "true" : "false"); break;
    default: buf_printf(out, "'" STR_FMT "'", STR_ARG(v->value.s));
    }
}

/* Rows as "thing@time name=value", dead letters as "!device: reason | payload". Server times are "now". */
static Str outcome(struct world *w, struct buf *out) {
    buf_clear(out);
    struct rows_cursor at = rows_start(&w->rows);
    for (struct row row; rows_next(&at, &row);) {
        PartyId party;
        Str name = {0};
        CHECK(series_thing_name(w->series, row.thing, &party, &name));
        buf_printf(out, "%s" STR_FMT "@", out->len ? "; " : "", STR_ARG(name));
        if (row.flags & ROWS_SERVER_TIME)
            buf_c(out, "now");
        else
            buf_printf(out, "%lld", (long long)row.time);
        for (struct row_value v = {0}; rows_next_value(&row, &v);) put_value(out, w, &v);
    }
    for (size_t i = 0; i < w->batch.n_letters; i++) {
        const struct dead_letter *l = &w->batch.letters[i];
        buf_printf(out, "%s!" STR_FMT ": " STR_FMT " | " STR_FMT, out->len ? "; " : "", STR_ARG(l->device),
                   STR_ARG(l->reason), STR_ARG(l->payload));
    }
    return buf_view(out);
}

static void take(struct world *w, const char *payload, bool gateway) {
    rows_clear(&w->rows);
    arena_reset(&w->arena);
    w->batch.n_letters = 0;
    struct telemetry_message message = {.party = 1,
                                        .device = STR("m1"),
                                        .own = &w->own,
                                        .gateway = gateway,
                                        .topic = STR("t"),
                                        .payload = str_c(payload),
                                        .now = 1700000000 * NANOS_PER_S};
    telemetry_take(w->telemetry, &message, &w->batch);
}

/* In this order: metrics get their kinds from the first value. */
static const struct {
    const char *name, *payload, *want;
    bool gateway;
} cases[] = {
    {"a row", "{\"ts\":1,\"values\":{\"t\":21.5,\"n\":3,\"on\":true,\"s\":\"x\"}}",
     "m1@1000000 t=21.5 n=3i on=true s='x'", false},
    {"the same shape", "{\"ts\":2,\"values\":{\"t\":22,\"n\":4,\"on\":false,\"s\":\"\"}}",
     "m1@2000000 t=22i n=4i on=false s=''", false},
    {"another order", "{\"ts\":3,\"values\":{\"s\":\"y\",\"t\":1,\"new\":7}}", "m1@3000000 s='y' t=1i new=7i", false},
    {"untimed", "{\"t\":1}", "m1@now t=1i", false},
    {"two rows", "[{\"ts\":1,\"values\":{\"t\":1}},{\"ts\":2,\"values\":{\"t\":2}}]",
     "m1@1000000 t=1i; m1@2000000 t=2i", false},
    {"null is not reported", "{\"ts\":1,\"values\":{\"t\":null,\"n\":1}}", "m1@1000000 n=1i", false},
    {"only null", "{\"ts\":1,\"values\":{\"t\":null}}", "", false},
    {"the last of a name counts", "{\"ts\":1,\"values\":{\"t\":1,\"n\":2,\"t\":3,\"t\":4}}", "m1@1000000 n=2i t=4i",
     false},
    {"the last of a name is null", "{\"ts\":1,\"values\":{\"t\":1,\"t\":null}}", "", false},
    {"a kind that clashes goes alone", "{\"ts\":1,\"values\":{\"t\":\"hot\",\"n\":1}}",
     "m1@1000000 n=1i; !m1: 't' is a number here, but a text was sent | {\"ts\":1,\"values\":{\"t\":\"hot\"}}", false},
    {"a nested value goes alone", "{\"ts\":1.5,\"values\":{\"t\":{\"a\":[1]},\"n\":1}}",
     "m1@1500000 n=1i; !m1: a value is a number, a text, true or false; this is an object or array | "
     "{\"ts\":1.500000,\"values\":{\"t\":{\"a\":[1]}}}",
     false},
    {"beside values", "{\"ts\":1,\"x\":1,\"values\":{\"n\":1}}",
     "m1@1000000 n=1i; !m1: it stands beside 'ts' and 'values': values belong inside 'values' | "
     "{\"ts\":1,\"values\":{\"x\":1}}",
     false},
    {"bad JSON goes whole", "{\"ts\":1,\"values\":{\"n\":1}",
     "!m1: bad JSON at byte 24: expected ',' or '}' | {\"ts\":1,\"values\":{\"n\":1}", false},
    {"bad JSON does not fix a kind", "{\"fresh\":\"text\"",
     "!m1: bad JSON at byte 15: expected ',' or '}' | {\"fresh\":\"text\"", false},
    {"so another kind is welcome", "{\"ts\":1,\"values\":{\"fresh\":1}}", "m1@1000000 fresh=1i", false},
    {"a bad row among good ones", "[{\"ts\":\"x\",\"values\":{\"n\":1}},{\"ts\":2,\"values\":{\"n\":2}}]",
     "m1@2000000 n=2i; !m1: 'ts' is not a number: give milliseconds since 1970 | {\"ts\":\"x\",\"values\":{\"n\":1}}",
     false},
    {"a gateway's things",
     "{\"g1\":[{\"ts\":1,\"values\":{\"n\":1}},{\"ts\":2,\"values\":{\"n\":2}}],\"g2\":[{\"ts\":1,\"values\":{\"n\":3}}"
     "]}",
     "g1@1000000 n=1i; g1@2000000 n=2i; g2@1000000 n=3i", true},
    {"a gateway's wrong value", "{\"g1\":[{\"ts\":1,\"values\":{\"n\":\"x\"}}]}",
     "!g1: 'n' is a number here, but a text was sent | {\"g1\":[{\"ts\":1,\"values\":{\"n\":\"x\"}}]}", true},
    {"a closed model",
     "{\"press1\":[{\"ts\":1,\"values\":{\"rpm\":1,\"n\":2,\"never\":3,\"never\":4,\"state\":\"run\"}}]}",
     "press1@1000000 rpm=1i state='run'; !press1: model 'press' is closed and has no metric 'n' | "
     "{\"press1\":[{\"ts\":1,\"values\":{\"n\":2}}]}; !press1: model 'press' is closed and has no metric 'never' | "
     "{\"press1\":[{\"ts\":1,\"values\":{\"never\":3}}]}; !press1: model 'press' is closed and has no metric 'never' | "
     "{\"press1\":[{\"ts\":1,\"values\":{\"never\":4}}]}",
     true},
};

static void take_cases(struct world *w) {
    struct buf out = {0};
    w->closed = true;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        unit_case(cases[i].name);
        take(w, cases[i].payload, cases[i].gateway);
        CHECK_STR(outcome(w, &out), str_c(cases[i].want));
    }
    unit_case("things are announced once");
    CHECK_STR(str_c(w->seen), STR("g1,g2,press1,"));
    unit_case("names that cannot be kept");
    take(w, "{\"ts\":1,\"values\":{\"\":1,\"n\":2}}", false);
    CHECK_INT(w->rows.n_values, 1);
    CHECK_INT(w->batch.n_letters, 1);
    take(w, "{\"\":[{\"ts\":1,\"values\":{\"n\":1}}]}", true);
    CHECK_INT(w->rows.n_rows, 0);
    CHECK_INT(w->batch.n_letters, 1);
    unit_case("counters");
    CHECK_INT(w->counters.refused_json, 2);
    CHECK_INT(w->counters.refused_type, 2);
    CHECK(w->counters.messages > 15 && w->counters.rows > 10);
    buf_fini(&out);
}

static void model_opens(struct world *w) {
    unit_case("a model that opens is asked again");
    w->closed = false;
    take(w, "{\"press1\":[{\"ts\":5,\"values\":{\"n\":2}}]}", true);
    CHECK_INT(w->rows.n_values, 0);
    telemetry_forget_models(w->telemetry);
    take(w, "{\"press1\":[{\"ts\":5,\"values\":{\"n\":2}}]}", true);
    CHECK_INT(w->rows.n_values, 1);
}

static void untimed_burst(struct world *w) {
    unit_case("a burst of untimed messages gets rising times");
    Nanos last = 0;
    for (int i = 0; i < 100; i++) {
        take(w, "[{\"n\":1},{\"n\":2}]", false);
        struct rows_cursor at = rows_start(&w->rows);
        int n = 0;
        for (struct row row; rows_next(&at, &row); n++) {
            CHECK(row.time > last);
            last = row.time;
        }
        CHECK_INT(n, 2);
    }
}

void telemetry_test(void) {
    struct world w;
    open_world(&w);
    take_cases(&w);
    model_opens(&w);
    untimed_burst(&w);
    close_world(&w);
}
