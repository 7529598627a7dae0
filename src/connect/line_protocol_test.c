#include "connect/line_protocol.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit.h"

struct world {
    struct series *series;
    struct line_protocol *lines;
    struct rows rows;
    struct arena arena;
    struct telemetry_batch batch;
    struct line_outcome outcome;
    int seen;
};

static void thing_seen(void *ctx, PartyId party, Str thing) {
    (void)party, (void)thing;
    ((struct world *)ctx)->seen++;
}

static void open_world(struct world *w, size_t keys_max) {
    static int number;
    char dir[300];
    *w = (struct world){0};
    snprintf(dir, sizeof dir, "%s/lines-%d", unit_temp_dir(), number++);
    CHECK_OK(series_open(&(struct series_options){.dir = dir}, &w->series));
    w->lines = line_protocol_new(
        &(struct line_protocol_options){.series = w->series, .thing_seen = thing_seen, .ctx = w, .keys_max = keys_max});
    arena_init(&w->arena, 0);
    w->batch = (struct telemetry_batch){.rows = &w->rows, .arena = &w->arena};
    rows_clear(&w->rows);
}

static void close_world(struct world *w) {
    line_protocol_free(w->lines);
    rows_fini(&w->rows);
    arena_fini(&w->arena);
    free(w->batch.letters);
    series_close(w->series);
}

static void put_value(struct buf *out, Value v) {
    switch (v.kind) {
    case VALUE_INT: buf_printf(out, "%lldi", (long long)v.i); break;
    case VALUE_FLOAT: buf_printf(out, "%g", v.f); break;
    case VALUE_BOOL: buf_c(out, v.b ? "true" : "false"); break;
    default: buf_printf(out, "'" STR_FMT "'", STR_ARG(v.s));
    }
}

/* "thing@time metric=value …; …", then "!reason" of each letter. Lines without a time are at "now". */
static Str take(struct world *w, Str text, Str only, enum line_precision precision, struct buf *out) {
    struct line_message message = {
        .party = 1, .device = STR("gate"), .only = only, .text = text, .precision = precision, .now = 5 * NANOS_PER_S};
    rows_clear(&w->rows);
    w->batch.n_letters = 0;
    buf_clear(out);
    line_protocol_take(w->lines, &message, &w->batch, &w->outcome);
    struct rows_cursor at = rows_start(&w->rows);
    for (struct row row; rows_next(&at, &row);) {
        PartyId party;
        Str name = {0};
        CHECK(series_thing_name(w->series, row.thing, &party, &name));
        buf_printf(out, "%s" STR_FMT "@", out->len ? "; " : "", STR_ARG(name));
        buf_printf(out, row.flags & ROWS_SERVER_TIME ? "now" : "%lld", (long long)row.time);
        for (struct row_value v = {0}; rows_next_value(&row, &v);) {
            buf_printf(out, " " STR_FMT "=", STR_ARG(series_metric_name(w->series, v.metric)));
            put_value(out, v.value);
        }
    }
    for (size_t i = 0; i < w->batch.n_letters; i++)
        buf_printf(out, "%s!" STR_FMT, out->len ? " " : "", STR_ARG(w->batch.letters[i].reason));
    return buf_view(out);
}

/* Each case in a fresh store. */
static const struct {
    const char *text, *want;
} cases[] = {
    {"readings,name=t1 velocity=58.5,heading=7i 1700", "t1@1700 readings.velocity=58.5 readings.heading=7i"},
    {"readings,name=t1 velocity=58", "t1@now readings.velocity=58"},
    {"m,host=a f=1 1\nm,host=b f=2 2\r\n\n# a remark\n  m,host=a f=3 3\n", "a@1 m.f=1; b@2 m.f=2; a@3 m.f=3"},
    {"m,host=a a=t,b=F,c=True,d=\"x y,z=1\",e=\"say \\\"hi\\\" \\\\\" 9",
     "a@9 m.a=true m.b=false m.c=true m.d='x y,z=1' m.e='say \"hi\" \\'"},
    {"m,host=a a=-1.5e3,b=.5,c=5.,d=+2,e=-0.0,f=9223372036854775807i,g=007u 1",
     "a@1 m.a=-1500 m.b=0.5 m.c=5 m.d=2 m.e=-0 m.f=9223372036854775807i m.g=7i"},
    {"my\\ room\\,1,host=press\\ 7,k\\=1=v\\,w fi\\ eld\\=x=1 1", "press 7@1 my room,1.fi eld=x=1 @k=1='v,w'"},
    {"cpu,host=a,cpu=cpu0 idle=1 1", "a@1 cpu.idle{cpu=cpu0}=1"},
    {"disk,host=a,device=sda,path=/ used=1 1", "sda@1 disk.used{path=/}=1 @host='a'"},
    {"m,host=a,thing=b f=1 1", "b@1 m.f=1 @host='a'"},
    {"m,host=,name=t f=1 1", "t@1 m.f=1"},
    {"m,name=t,fleet=East f=1 1\nm,name=t,fleet=East f=2 2\nm,name=t,fleet= f=3 3\nm,name=t,fleet=West f=4 4\n"
     "m,name=t,fleet=East f=5 5\nm,name=t,fleet=East f=6 6",
     "t@1 m.f=1 @fleet='East'; t@2 m.f=2; t@3 m.f=3; t@4 m.f=4 @fleet='West'; t@5 m.f=5 @fleet='East'; t@6 "
     "m.f=6"},
    {"m,host=a f=\"two\nlines\" 1", "a@1 m.f='two\nlines'"},
    {"m,host=a f=1 1\nm,host=a f=\"x\" 2", "a@1 m.f=1 !'m.f' of 'a' is a number, but a text was sent"},
    {"m,host=a f=\"x\",g=2 2", "a@2 m.f='x' m.g=2"},
    {"m f=1", "!no tag names the thing: add one of the tags of the setting ingest.thing_tags"},
    {"m,x=1 f=1", "!no tag names the thing: add one of the tags of the setting ingest.thing_tags"},
    {"nothing", "!byte 1: a line is measurement,tags fields timestamp"},
    {"m,host=a  1", "!byte 11: a field is name=value"},
    {"m,host=a f", "!byte 10: a field is name=value"},
    {"m,host=a =1", "!byte 10: a field is name=value"},
    {"m,host=a f=", "!byte 12: a value is a number, a \"text\", true or false"},
    {"m,host=a f=yes", "!byte 12: a value is a number, a \"text\", true or false"},
    {"m,host=a f=1.5i", "!byte 12: a value is a number, a \"text\", true or false"},
    {"m,host=a f=0x1F", "!byte 12: a value is a number, a \"text\", true or false"},
    {"m,host=a f=NaN 1", "!byte 12: a value is a number, a \"text\", true or false"},
    {"m,host=a f=99999999999999999999i,g=+18446744073709551615u,h=9223372036854775807i 1",
     "a@1 m.f=1e+20 m.g=1.84467e+19 m.h=9223372036854775807i"},
    {"m,host=a f=1e3i 1", "!byte 12: a value is a number, a \"text\", true or false"},
    {"m,host=a f=1e999 1", "!'f': the number is too large for a double"},
    {"m,host=a f=\"open", "!byte 12: a value is a number, a \"text\", true or false"},
    {"m,host=a f=1 1.5", "!byte 14: a timestamp is a whole number"},
    {"m,host=a f=1 x", "!byte 14: a timestamp is a whole number"},
    {"m,host=a f=1 1 1", "!byte 16: something follows where the line should end"},
    {"m,host=a,=x f=1", "!a tag is name=value"},
    {"m,host=a,b f=1", "!a tag is name=value"},
    {",host=a f=1", "!the measurement has no name"},
    {"bad\nm,host=a f=1 1\nworse", "a@1 m.f=1 !byte 1: a line is measurement,tags fields timestamp !byte 1: a line is "
                                   "measurement,tags fields timestamp"},
    {"m,host=a f=\"\xff\" 1", "!'f': the text is not UTF-8"},
    {"", ""},
};

static void test_lines(void) {
    struct buf out = {0};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct world w;
        unit_case(cases[i].text);
        open_world(&w, 0);
        CHECK_STR(take(&w, str_c(cases[i].text), (Str){0}, LINE_NS, &out), str_c(cases[i].want));
        close_world(&w);
    }
    buf_fini(&out);
}

static void test_precision(void) {
    static const struct {
        const char *name;
        Nanos factor;
    } rows[] = {{"ns", 1}, {"u", NANOS_PER_US}, {"ms", NANOS_PER_MS}, {"s", NANOS_PER_S}, {"h", NANOS_PER_HOUR}};
    struct world w;
    struct buf out = {0};
    char want[80];
    enum line_precision precision = LINE_NS;
    unit_case("precision of timestamps");
    open_world(&w, 0);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        CHECK(line_protocol_precision(str_c(rows[i].name), &precision));
        snprintf(want, sizeof want, "a@%lld m.f=1", (long long)(7 * rows[i].factor));
        CHECK_STR(take(&w, STR("m,host=a f=1 7"), (Str){0}, precision, &out), str_c(want));
    }
    CHECK(!line_protocol_precision(STR("fortnight"), &precision));
    CHECK_STR(take(&w, STR("m,host=a f=1 9999999999999"), (Str){0}, LINE_HOUR, &out),
              STR("!the timestamp is out of range: is the precision right?"));
    close_world(&w);
    buf_fini(&out);
}

static void test_rights(void) {
    struct world w;
    struct buf out = {0};
    unit_case("a device speaks for itself; things are told of once; letters say who");
    open_world(&w, 0);
    take(&w, STR("m,host=a f=1 1\nm,host=b f=1 1\nm,host=a f=2 2"), STR("a"), LINE_NS, &out);
    CHECK_INT(w.rows.n_rows, 2);
    CHECK(w.batch.n_letters == 1 && w.outcome.refused == 1 && w.outcome.lines == 3);
    CHECK_STR(w.batch.letters[0].device, STR("b"));
    CHECK_STR(w.batch.letters[0].payload, STR("m,host=b f=1 1"));
    CHECK(strstr(w.outcome.first, "gateway") != NULL);
    CHECK_INT(w.seen, 2);
    close_world(&w);
    buf_fini(&out);
}

/* More keys than are remembered: forgetting changes nothing but speed. */
static void test_many_keys(void) {
    struct world w;
    struct buf text = {0}, out = {0};
    unit_case("more keys than are remembered");
    open_world(&w, 50);
    for (int round = 0; round < 3; round++) {
        buf_clear(&text);
        for (int i = 0; i < 4000; i++) buf_printf(&text, "m,host=h%d,site=s f=%d %d\n", i % 700, i, i + 1);
        take(&w, buf_view(&text), (Str){0}, LINE_NS, &out);
        CHECK_INT(w.rows.n_rows, 4000);
        CHECK_INT(w.outcome.refused, 0);
    }
    CHECK_INT(w.seen, 700);
    close_world(&w);
    buf_fini(&text);
    buf_fini(&out);
}

void line_protocol_test(void) {
    test_lines();
    test_precision();
    test_rights();
    test_many_keys();
}
