#include "connect/mqtt_topic.h"

#include "tests/unit.h"

static const struct {
    const char *filter, *name;
    bool match;
} matches[] = {
    {"sport/tennis/player1/#", "sport/tennis/player1", true},
    {"sport/tennis/player1/#", "sport/tennis/player1/ranking", true},
    {"sport/tennis/player1/#", "sport/tennis/player1/score/wimbledon", true},
    {"sport/#", "sport", true},
    {"#", "a/b/c", true},
    {"sport/tennis/+", "sport/tennis/player1", true},
    {"sport/tennis/+", "sport/tennis/player1/ranking", false},
    {"sport/+", "sport", false},
    {"sport/+", "sport/", true},
    {"+/+", "/finance", true},
    {"/+", "/finance", true},
    {"+", "/finance", false},
    {"#", "$SYS/x", false},
    {"+/monitor/Clients", "$SYS/monitor/Clients", false},
    {"$SYS/#", "$SYS/x", true},
    {"$SYS/monitor/+", "$SYS/monitor/Clients", true},
    {"a/b", "a/b", true},
    {"a/b", "a/b/c", false},
    {"a/b/c", "a/b", false},
    {"a//b", "a//b", true},
    {"a/+/b", "a//b", true},
    {"A", "a", false},
};

static const struct {
    const char *text;
    bool name, filter;
} syntax[] = {
    {"a", true, true},
    {"", false, false},
    {"/", true, true},
    {"a/+", false, true},
    {"a+", false, false},
    {"+/tennis/#", false, true},
    {"sport+", false, false},
    {"sport/tennis#", false, false},
    {"sport/tennis/#/ranking", false, false},
    {"#", false, true},
    {"+", false, true},
    {"a/#b", false, false},
    {"$share/g/a/#", false, true},
    {"$share/g", true, false},
    {"$share//a", true, false},
    {"$share/g+/a", false, false},
    {"$share/g/", true, false},
    {"$share/g//", true, true},
};

static void utf8(void) {
    CHECK(mqtt_topic_utf8(STR("")));
    CHECK(mqtt_topic_utf8(STR("压缩机/温度")));
    CHECK(!mqtt_topic_utf8(STR("a\0b")));
    CHECK(!mqtt_topic_utf8(STR("\xed\xa0\x80"))); /* a surrogate */
    CHECK(!mqtt_topic_utf8(STR("\xc0\x80")));     /* NUL, overlong */
    CHECK(!mqtt_topic_utf8(STR("温\0")));
}

static void shared(void) {
    Str group, rest;
    CHECK(mqtt_topic_shared(STR("$share/g/a/#"), &group, &rest));
    CHECK_STR(group, STR("g"));
    CHECK_STR(rest, STR("a/#"));
    CHECK(!mqtt_topic_shared(STR("$shared/g/a"), &group, &rest));
}

static void deep(void) {
    char text[2 * MQTT_TOPIC_LEVELS_MAX + 2];
    for (size_t i = 0; i < sizeof text; i++) text[i] = i % 2 ? '/' : 'a';
    CHECK(mqtt_topic_name_ok(str_n(text, 2 * MQTT_TOPIC_LEVELS_MAX - 1)));
    CHECK(!mqtt_topic_name_ok(str_n(text, 2 * MQTT_TOPIC_LEVELS_MAX)));
    CHECK(mqtt_topic_filter_ok(str_n(text, 2 * MQTT_TOPIC_LEVELS_MAX - 1)));
    CHECK(!mqtt_topic_filter_ok(str_n(text, 2 * MQTT_TOPIC_LEVELS_MAX)));
}

void mqtt_topic_test(void) {
    for (size_t i = 0; i < sizeof matches / sizeof *matches; i++) {
        unit_case(matches[i].filter);
        CHECK_INT(mqtt_topic_match(str_c(matches[i].filter), str_c(matches[i].name)), matches[i].match);
    }
    for (size_t i = 0; i < sizeof syntax / sizeof *syntax; i++) {
        unit_case(syntax[i].text);
        CHECK_INT(mqtt_topic_name_ok(str_c(syntax[i].text)), syntax[i].name);
        CHECK_INT(mqtt_topic_filter_ok(str_c(syntax[i].text)), syntax[i].filter);
    }
    unit_case("utf-8");
    utf8();
    unit_case("shared filters");
    shared();
    unit_case("depth limit");
    deep();
}
