/* What is read, in its canonical form; what is not, and where it says so. */
#include "serve/prometheus_parse.h"

#include <stdio.h>

#include "serve/prometheus_functions.h"
#include "serve/prometheus_labels.h"
#include "serve/prometheus_print.h"
#include "serve/prometheus_regex.h"
#include "tests/unit.h"

static const struct {
    const char *query, *printed;
} good[] = {
    {"1+1", "1 + 1"},
    {"1 + 2 * 3 ^ 2 ^ 2", "1 + 2 * 3 ^ 2 ^ 2"},
    {"(1 + 2) * 3", "(1 + 2) * 3"},
    {"1 - (2 - 3)", "1 - (2 - 3)"},
    {"(2 ^ 3) ^ 2", "(2 ^ 3) ^ 2"},
    {"-1 ^ 2", "-1 ^ 2"},
    {"-x ^ 2", "-x ^ 2"},
    {"(-x) ^ 2", "(-x) ^ 2"},
    {"- - x", "-(-x)"},
    {"0x1F + 1e3 + .5 + Inf", "31 + 1000 + 0.5 + Inf"},
    {"5m", "300"},
    {"up", "up"},
    {"{\"readings.velocity\"}", "{__name__=\"readings.velocity\"}"},
    {"{\"up\", thing='a'}", "up{thing=\"a\"}"},
    {"up{thing=\"a\",fleet!='b', x=~\"c|d\" , y!~`e`,}", "up{thing=\"a\", fleet!=\"b\", x=~\"c|d\", y!~\"e\"}"},
    {"up{\"line no\"=\"3\"}", "up{\"line no\"=\"3\"}"},
    {"up{a=\"\\\"\\n\\u6e29\"}", "up{a=\"\\\"\\x0a\xe6\xb8\xa9\"}"},
    {"rate(up[5m])", "rate(up[5m])"},
    {"rate(up[1h30m] offset 1d)", "rate(up[1h30m] offset 1d)"},
    {"up offset -5m @ 1700000000.5", "up @ 1700000000.500 offset -5m"},
    {"up @ start()", "up @ start()"},
    {"max_over_time(rate(up[5m])[1h:1m])", "max_over_time(rate(up[5m])[1h:1m])"},
    {"(a + b)[1h:] @ end()", "(a + b)[1h:] @ end()"},
    {"sum by (a, b) (up)", "sum by (a, b) (up)"},
    {"sum(up) without (a)", "sum without (a) (up)"},
    {"sum by () (up)", "sum by () (up)"},
    {"topk(5, up)", "topk(5, up)"},
    {"count_values(\"v\", up)", "count_values(\"v\", up)"},
    {"a == bool 1", "a == bool 1"},
    {"a / on (thing) group_left (x) b", "a / on (thing) group_left (x) b"},
    {"a * ignoring(x) group_right b", "a * ignoring (x) group_right () b"},
    {"a and b or c unless d", "a and b or c unless d"},
    {"a or (b or c)", "a or (b or c)"},
    {"a # said\n + 1", "a + 1"},
    {"sum", "sum"},
    {"{__name__=\"on\"} + 1", "{__name__=\"on\"} + 1"},
    {"label_replace(up, \"a\", \"$1\", \"b\", \"(.*)\")", "label_replace(up, \"a\", \"$1\", \"b\", \"(.*)\")"},
    {"hour()", "hour()"},
    {"time() - timestamp(up)", "time() - timestamp(up)"},
    {"a % b atan2 c", "a % b atan2 c"},
};

static const struct {
    const char *query;
    size_t position;
    const char *says; /* part of it */
} bad[] = {
    {"", 1, "belongs here"},
    {"up{", 4, "a label belongs here"},
    {"up{a}", 5, "belongs behind a label"},
    {"up{a=1}", 6, "a value in quotes"},
    {"up{a=\"b\"", 9, "the query ends"},
    {"up{a=~\"(\"}", 7, "regular expression"},
    {"{}", 1, "every series there is"},
    {"{a=\"\"}", 1, "every series there is"},
    {"{a=~\".*\"}", 1, "every series there is"},
    {"sum(1)", 5, "argument 1 of sum() is a number"},
    {"rate(up)", 6, "give a range"},
    {"rate(up[5m], 1)", 1, "takes 1 to 1 arguments"},
    {"nosuch(up)", 1, "no function 'nosuch'"},
    {"up[5m", 6, "']' belongs"},
    {"up[5x]", 4, "neither a number nor a span"},
    {"up[0s]", 3, "longer than nothing"},
    {"(a + b)[5m]", 8, "[1h:5m]"},
    {"1 == 2", 1, "'bool'"},
    {"1 and 2", 1, "between vectors"},
    {"a + bool 1", 5, "belongs to a comparison"},
    {"1 + on (a) b", 1, "between vectors"},
    {"a and on (x) group_left b", 14, "takes no group_left"},
    {"-up[5m]", 1, "a sign stands before"},
    {"up[5m] + 1", 1, "between numbers and vectors"},
    {"(a + b) offset 5m", 9, "right behind a selector"},
    {"a offset 5m offset 5m", 13, "twice"},
    {"up \xe6\xb8\xa9", 4, "nothing in PromQL begins"},
    {"\"a\\q\"", 5, "escape"},
    {"'abc", 1, "not closed"},
    {"\"a\\x00\"", 7, "escape"},
    {"1 2", 3, "an operator or the end"},
    {"\"\xe6\xb8\xa9\" + ", 7, "belongs here"}, /* characters, not bytes */
    {"up{__name__=\"x\"}", 1, "named twice"},
};

static void reads(void) {
    unit_case("PromQL: what is read is what is meant, and reads the same again");
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        struct arena arena = {0};
        struct prometheus_node *node;
        struct buf text = {0}, again = {0};
        if (CHECK_OK(prometheus_parse(str_c(good[i].query), &arena, &node))) {
            prometheus_print(node, &text);
            CHECK_STR(buf_view(&text), str_c(good[i].printed));
            if (CHECK_OK(prometheus_parse(buf_view(&text), &arena, &node))) prometheus_print(node, &again);
            CHECK_STR(buf_view(&again), str_c(good[i].printed));
        }
        buf_fini(&text);
        buf_fini(&again);
        arena_fini(&arena);
    }
}

static void refuses(void) {
    unit_case("PromQL: a fault is named with its place");
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct arena arena = {0};
        struct prometheus_node *node;
        char begin[40];
        Err err = prometheus_parse(str_c(bad[i].query), &arena, &node);
        CHECK_INT(err.code, ERR_INVALID);
        Str said = str_c(err.text);
        snprintf(begin, sizeof begin, "position %zu: ", bad[i].position);
        if (!str_starts(said, str_c(begin)) || str_find(said, str_c(bad[i].says)) < 0)
            CHECK_STR(said, arena_printf(&arena, "%s: %s…%s", bad[i].query, begin, bad[i].says));
        arena_fini(&arena);
    }
}

static void holds_limits(void) {
    struct arena arena = {0};
    struct prometheus_node *node;
    struct buf text = {0};
    unit_case("PromQL: depth and length have limits");
    for (int i = 0; i < 5000; i++) buf_byte(&text, '(');
    CHECK_INT(prometheus_parse(buf_view(&text), &arena, &node).code, ERR_INVALID);
    buf_clear(&text);
    for (int i = 0; i < 5000; i++) buf_c(&text, "1+");
    buf_c(&text, "1");
    CHECK_INT(prometheus_parse(buf_view(&text), &arena, &node).code, ERR_INVALID);
    buf_clear(&text);
    for (int i = 0; i < 5000; i++) buf_byte(&text, '-');
    buf_c(&text, "1");
    CHECK_INT(prometheus_parse(buf_view(&text), &arena, &node).code, ERR_INVALID);
    buf_clear(&text);
    for (size_t i = 0; i <= PROMETHEUS_PARSE_BYTES_MAX; i++) buf_byte(&text, ' ');
    CHECK_INT(prometheus_parse(buf_view(&text), &arena, &node).code, ERR_INVALID);
    buf_fini(&text);
    arena_fini(&arena);
}

static void names(void) {
    static const struct {
        const char *metric, *shown;
    } cases[] = {{"readings.velocity", "readings_velocity"},
                 {"cpu.idle{cpu=cpu0}", "cpu_idle"},
                 {"9lives", "_9lives"},
                 {"a-b c", "a_b_c"},
                 {"\xe6\xb8\xa9\xe5\xba\xa6", "\xe6\xb8\xa9\xe5\xba\xa6"}};
    struct arena arena = {0};
    unit_case("PromQL: names of metrics and tags");
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        CHECK_STR(prometheus_labels_metric(str_c(cases[i].metric), &arena), str_c(cases[i].shown));
    CHECK_STR(prometheus_labels_tag(STR("line no"), &arena), STR("line_no"));
    CHECK_STR(prometheus_labels_tag(STR("thing"), &arena), STR("tag_thing"));
    struct prometheus_label split[4];
    CHECK_INT(prometheus_labels_split(STR("disk.used{device=sda,path=/}"), split, 4, &arena), 2);
    CHECK_STR(split[0].name, STR("device"));
    CHECK_STR(split[1].value, STR("/"));
    arena_fini(&arena);
}

static void expressions(void) {
    struct arena arena = {0};
    struct prometheus_regex *regex;
    unit_case("PromQL: regular expressions are whole, and give up rather than run for ever");
    CHECK_OK(prometheus_regex_make(&arena, STR("truck_(\\d+)"), &regex));
    CHECK(prometheus_regex_match(regex, STR("truck_17")));
    CHECK_STR(prometheus_regex_expand(regex, STR("truck_17"), STR("n$1-${1}x$$"), &arena), STR("n17-17x$"));
    CHECK(!prometheus_regex_match(regex, STR("truck_17 ")));
    CHECK(!prometheus_regex_match(regex, STR("a truck_17")));
    CHECK(!prometheus_regex_gave_up(regex));
    CHECK_OK(prometheus_regex_make(&arena, STR("(a|a)+c"), &regex));
    CHECK(!prometheus_regex_match(regex, STR("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaacd")));
    CHECK(prometheus_regex_gave_up(regex));
    arena_fini(&arena);
}

static void functions(void) {
    const struct prometheus_function *f;
    unit_case("PromQL: every function has one way to be computed");
    for (size_t i = 0; (f = prometheus_functions_at(i)); i++) {
        CHECK_INT((f->group != 0) + (f->window != NULL) + (f->math != NULL) + (f->date != NULL) + (f->call != NULL), 1);
        CHECK(f->least <= f->most && f->most <= PROMETHEUS_ARGS_MAX);
        CHECK(prometheus_functions_find(str_c(f->name)) == f);
    }
}

void prometheus_parse_test(void) {
    reads();
    refuses();
    holds_limits();
    names();
    expressions();
    functions();
}
