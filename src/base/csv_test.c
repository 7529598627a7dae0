#include "base/csv.h"

#include "base/buf.h"

#include "tests/unit.h"

void csv_test(void);

static const struct {
    const char *name, *text, *joined; /* rows as "a|b;c|d", or the failure */
    bool fails;
} cases[] = {
    {"plain", "a,b\n1,2\n", "a|b;1|2", false},
    {"last row without its end", "a,b\n1,2", "a|b;1|2", false},
    {"carriage returns", "a,b\r\n1,2\r\n", "a|b;1|2", false},
    {"empty rows are skipped", "\n\na,b\n\r\n1,2\n\n", "a|b;1|2", false},
    {"empty fields", "a,b,\n,,\n", "a|b|;||", false},
    {"quoted", "\"a,b\",\"c\"\"d\"\n\"x\ny\",\"\"\n", "a,b|c\"d;x\ny|", false},
    {"byte order mark",
     "\xEF\xBB\xBF"
     "a\n1\n",
     "a;1", false},
    {"nothing", "", "", false},
    {"uneven", "a,b\n1,2,3\n", "t.csv:2:5: 3 fields, but the first row has 2", true},
    {"no end", "a\n\"b\nc", "t.csv:2:1: a quoted field does not end", true},
    {"text behind a quote", "a,\"b\"c\n",
     "t.csv:1:3: text follows a quoted field: put a comma or the end of the row there", true},
    {"quote inside", "a\n\nb\"c\n", "t.csv:3:1: a quote inside a field: quote the whole field and double the quote",
     true},
    {"line after a field of two lines", "a,b\n\"x\ny\",1\n2\n", "t.csv:4:1: 1 fields, but the first row has 2", true},
};

static Err join(const char *text, struct arena *arena, struct buf *out) {
    struct csv csv;
    csv_open(&csv, STR("t.csv"), str_c(text), arena);
    for (bool more;;) {
        TRY(csv_next(&csv, &more));
        if (!more) return err_none();
        if (out->len) buf_byte(out, ';');
        for (size_t i = 0; i < csv.n; i++) {
            if (i) buf_byte(out, '|');
            buf_str(out, csv.fields[i]);
        }
    }
}

static void check_fields(struct arena *arena) {
    unit_case("fields and what is wrong with them");
    struct csv csv;
    bool more;
    Nanos at;
    double num;
    int64_t whole;
    Str text;
    csv_open(&csv, STR("t.csv"), STR("time,n\n2015-01-01T06:00:00Z,1.5\nx,\n"), arena);
    CHECK_OK(csv_header(&csv, "time,n"));
    CHECK_OK(csv_next(&csv, &more));
    CHECK_OK(csv_time(&csv, 0, &at));
    CHECK_INT(at, time_from_civil(2015, 1, 1, 6, 0, 0));
    CHECK_OK(csv_num(&csv, 1, &num));
    CHECK_NUM(num, 1.5, 0);
    CHECK_STR(str_c(csv_int(&csv, 1, &whole).text), STR("t.csv:2:22: not a whole number: '1.5'"));
    CHECK_OK(csv_next(&csv, &more));
    CHECK_STR(str_c(csv_time(&csv, 0, &at).text),
              STR("t.csv:3:1: not a time: 'x'; write it like 2015-01-01T06:00:00Z"));
    CHECK_STR(str_c(csv_text(&csv, 1, 9, &text).text), STR("t.csv:3:3: empty: a text of 1 to 9 bytes belongs here"));
    csv_open(&csv, STR("t.csv"), STR("time,m\n"), arena);
    CHECK_STR(str_c(csv_header(&csv, "time,n").text),
              STR("t.csv:1:6: column 'm' where 'n' belongs: the first row must be 'time,n'"));
    csv_open(&csv, STR("t.csv"), STR("time\n"), arena);
    CHECK_ERR(csv_header(&csv, "time,n"), ERR_INVALID);
    csv_open(&csv, STR("t.csv"), STR("time,n,o\n"), arena);
    CHECK_ERR(csv_header(&csv, "time,n"), ERR_INVALID);
}

void csv_test(void) {
    struct arena arena;
    arena_init(&arena, 0);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        unit_case(cases[i].name);
        struct buf out = {0};
        Err err = join(cases[i].text, &arena, &out);
        if (cases[i].fails) {
            CHECK_INT(err.code, ERR_INVALID);
            CHECK_STR(str_c(err.text), str_c(cases[i].joined));
        } else {
            CHECK_OK(err);
            CHECK_STR(buf_view(&out), str_c(cases[i].joined));
        }
        buf_fini(&out);
    }
    check_fields(&arena);
    arena_fini(&arena);
}
