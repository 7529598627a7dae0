#include "connect/telemetry_json.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/jw.h"
#include "connect/telemetry_number.h"
#include "tests/unit.h"

/* What a scan found, as one text: "thing@time name=value …; …". States other than OK are marks behind the name. */
static Str summary(const struct telemetry_json *json, struct buf *out) {
    static const char *const marks[] = {"", "?nested", "?range", "?stray", "?replaced"};
    buf_clear(out);
    for (size_t i = 0; i < json->n_rows; i++) {
        const struct telemetry_row *row = &json->rows[i];
        buf_printf(out, "%s" STR_FMT "@", i ? "; " : "", STR_ARG(row->thing));
        if (row->refuse)
            buf_c(out, "refused");
        else if (row->timed)
            buf_printf(out, "%lld", (long long)row->time);
        for (size_t k = row->first; k < row->first + row->n; k++) {
            const struct telemetry_sample *s = &json->samples[k];
            buf_printf(out, " " STR_FMT "%s=", STR_ARG(s->name), marks[s->state]);
            switch (s->value.kind) {
            case VALUE_NONE: buf_c(out, "-"); break;
            case VALUE_INT: buf_printf(out, "%lldi", (long long)s->value.i); break;
            case VALUE_FLOAT: buf_printf(out, "%.17g", s->value.f); break;
            case VALUE_BOOL: buf_c(out, s->value.b ? "true" : "false"); break;
            case VALUE_STRING: buf_printf(out, "'" STR_FMT "'", STR_ARG(s->value.s)); break;
            }
        }
    }
    return buf_view(out);
}

static const struct {
    const char *name, *payload, *want; /* want: NULL is not valid JSON of telemetry */
    bool gateway;
} messages[] = {
    {"timed", "{\"ts\":1700000000000,\"values\":{\"rpm\":1480,\"t\":21.5,\"on\":true,\"s\":\"run\"}}",
     "@1700000000000000000 rpm=1480i t=21.5 on=true s='run'", false},
    {"an array", "[{\"ts\":1,\"values\":{\"a\":1}},{\"ts\":2,\"values\":{\"a\":2}}]", "@1000000 a=1i; @2000000 a=2i",
     false},
    {"untimed", "{\"a\":1,\"b\":null}", "@ a=1i b=-", false},
    {"blanks everywhere", " [ { \"values\" : { \"a\" :\t1 } ,\r\n \"ts\" : 5 } ] ", "@5000000 a=1i", false},
    {"values before ts", "{\"values\":{\"a\":1},\"ts\":7}", "@7000000 a=1i", false},
    {"values without ts", "{\"values\":{\"a\":1}}", "@ a=1i", false},
    {"ts is null", "{\"ts\":null,\"values\":{\"a\":1}}", "@ a=1i", false},
    {"empty things", "{}", "@", false},
    {"an empty array", "[]", "", false},
    {"no values", "{\"ts\":1,\"values\":{}}", "@1000000", false},
    {"a plain metric called values", "{\"values\":3}", "@ values=3i", false},
    {"ts alone", "{\"ts\":1,\"a\":2}", "@refused a=2i", false},
    {"beside values", "{\"ts\":1,\"x\":5,\"values\":{\"a\":1},\"y\":{}}", "@1000000 x?stray=5i a=1i y?nested=-", false},
    {"values twice", "{\"ts\":1,\"values\":{\"a\":1},\"values\":{\"b\":2}}", "@1000000 a?replaced=1i b=2i", false},
    {"ts twice", "{\"ts\":\"x\",\"ts\":2,\"values\":{\"b\":2}}", "@2000000 b=2i", false},
    {"ts is text", "{\"ts\":\"1\",\"values\":{\"a\":1}}", "@refused a=1i", false},
    {"ts with an exponent", "{\"ts\":1e3,\"values\":{\"a\":1}}", "@refused a=1i", false},
    {"ts to the nanosecond", "{\"ts\":1700000000000.123456,\"values\":{\"a\":1}}", "@1700000000000123456 a=1i", false},
    {"ts too precise", "{\"ts\":1.1234567,\"values\":{\"a\":1}}", "@refused a=1i", false},
    {"ts before 1970", "{\"ts\":-1.5,\"values\":{\"a\":1}}", "@-1500000 a=1i", false},
    {"ts at its end", "{\"ts\":9223372036854.775807,\"values\":{\"a\":1}}", "@9223372036854775807 a=1i", false},
    {"ts beyond", "{\"ts\":9223372036854.775808,\"values\":{\"a\":1}}", "@refused a=1i", false},
    {"a nested value", "{\"a\":{\"b\":[1,{}]},\"c\":[],\"d\":1}", "@ a?nested=- c?nested=- d=1i", false},
    {"a number beyond a double", "{\"a\":1e999,\"b\":-1e999,\"c\":1e-999}", "@ a?range=- b?range=- c=0", false},
    {"integers at their ends", "{\"a\":9223372036854775807,\"b\":-9223372036854775808,\"c\":9223372036854775808}",
     "@ a=9223372036854775807i b=-9223372036854775808i c=9.2233720368547758e+18", false},
    {"a float that is whole", "{\"a\":1.0,\"b\":1e0,\"c\":-0,\"d\":-0.0}", "@ a=1 b=1 c=0i d=-0", false},
    {"escapes", "{\"\\u00e9\\\"\\\\\\/\\b\\f\\n\\r\\t\":\"\\ud83d\\ude00\"}", "@ é\"\\/\b\f\n\r\t='😀'", false},
    {"Chinese", "{\"温度\":\"高\"}", "@ 温度='高'", false},
    {"gateway", "{\"p1\":[{\"ts\":1,\"values\":{\"a\":1}},{\"a\":2}],\"p2\":{\"ts\":3,\"values\":{\"b\":3}}}",
     "p1@1000000 a=1i; p1@ a=2i; p2@3000000 b=3i", true},
    {"gateway, nothing", "{}", "", true},
    {"gateway, no things", "{\"p1\":[]}", "", true},
    {"gateway, a value for a thing", "{\"p1\":5}", NULL, true},
    {"gateway, an array", "[]", NULL, true},
    {"nothing", "", NULL, false},
    {"a number", "5", NULL, false},
    {"an array of numbers", "[1]", NULL, false},
    {"something behind", "{} {}", NULL, false},
    {"a comma too many", "{\"a\":1,}", NULL, false},
    {"a comma too many in an array", "[{},]", NULL, false},
    {"a name without quotes", "{a:1}", NULL, false},
    {"single quotes", "{'a':1}", NULL, false},
    {"no colon", "{\"a\" 1}", NULL, false},
    {"cut short", "{\"a\":1", NULL, false},
    {"cut in a text", "{\"a\":\"x", NULL, false},
    {"cut in an escape", "{\"a\":\"x\\", NULL, false},
    {"cut in a number", "{\"a\":1.5", NULL, false},
    {"leading zero", "{\"a\":01}", NULL, false},
    {"leading plus", "{\"a\":+1}", NULL, false},
    {"no digits behind the point", "{\"a\":1.}", NULL, false},
    {"no digits before the point", "{\"a\":.5}", NULL, false},
    {"no digits in the exponent", "{\"a\":1e}", NULL, false},
    {"minus alone", "{\"a\":-}", NULL, false},
    {"hexadecimal", "{\"a\":0x10}", NULL, false},
    {"NaN", "{\"a\":NaN}", NULL, false},
    {"Infinity", "{\"a\":Infinity}", NULL, false},
    {"True", "{\"a\":True}", NULL, false},
    {"a comment", "{\"a\":1/*x*/}", NULL, false},
    {"a control character", "{\"a\":\"\t\"}", NULL, false},
    {"an unknown escape", "{\"a\":\"\\x41\"}", NULL, false},
    {"NUL escaped", "{\"a\":\"\\u0000\"}", NULL, false},
    {"a lone high surrogate", "{\"a\":\"\\ud83d\"}", NULL, false},
    {"a lone low surrogate", "{\"a\":\"\\ude00\"}", NULL, false},
    {"a surrogate and another character", "{\"a\":\"\\ud83d\\u0041\"}", NULL, false},
    {"bad UTF-8", "{\"a\":\"\xff\"}", NULL, false},
    {"bad UTF-8 in a name", "{\"\xc0\xaf\":1}", NULL, false},
    {"mismatched brackets", "{\"a\":[1}", NULL, false},
    {"a byte order mark", "\xef\xbb\xbf{}", NULL, false},
};

static void tables(void) {
    struct telemetry_json json = {0};
    struct buf out = {0};
    for (size_t i = 0; i < sizeof messages / sizeof *messages; i++) {
        unit_case(messages[i].name);
        bool ok = telemetry_json_scan(&json, str_c(messages[i].payload), messages[i].gateway);
        CHECK_INT(ok, messages[i].want != NULL);
        if (ok) CHECK_STR(summary(&json, &out), str_c(messages[i].want));
        if (!ok) CHECK(json.why != NULL && json.at <= strlen(messages[i].payload));
    }
    buf_fini(&out);
    telemetry_json_fini(&json);
}

static void depth(void) {
    unit_case("depth");
    struct telemetry_json json = {0};
    for (size_t deep = TELEMETRY_JSON_DEPTH_MAX - 3; deep < TELEMETRY_JSON_DEPTH_MAX + 2; deep++) {
        struct buf text = {0};
        buf_c(&text, "{\"a\":");
        for (size_t i = 0; i < deep; i++) buf_byte(&text, '[');
        for (size_t i = 0; i < deep; i++) buf_byte(&text, ']');
        buf_byte(&text, '}');
        CHECK_INT(telemetry_json_scan(&json, buf_view(&text), false), deep <= TELEMETRY_JSON_DEPTH_MAX - 2);
        buf_fini(&text);
    }
    telemetry_json_fini(&json);
}

/* Many numbers against strtod, the reference for rounding. */
static void numbers(void) {
    unit_case("numbers are correctly rounded");
    static const char *const hard[] = {
        "0.1",
        "1e22",
        "1e23",
        "9007199254740993.0",
        "9007199254740992.5",
        "2.2250738585072011e-308",
        "5e-324",
        "2e-324",
        "1.7976931348623157e308",
        "123456789012345678901234567890",
        "0.000001234567890123456789",
        "1e-22",
        "3.0e-23",
        "179769313486231570000000000000.5",
        "4.35",
        "100000000000000016777215.0",
        "8.5e15",
        "12345678901234567890.5e-5",
        "0.00000000000000000000000000000000000000000000000000000000000001",
        "6.02214076e23",
        "176.217853015625",
    };
    char text[80];
    Value v;
    for (size_t i = 0; i < sizeof hard / sizeof *hard; i++) {
        snprintf(text, sizeof text, "%s,", hard[i]);
        const char *next = telemetry_number_parse(text, text + strlen(text), &v);
        CHECK(next && *next == ',');
        double got = v.kind == VALUE_INT ? (double)v.i : v.f, want = strtod(hard[i], NULL);
        if (memcmp(&got, &want, sizeof got) != 0) CHECK_STR(str_c("rounded wrongly"), str_c(hard[i]));
    }
    uint64_t seed = 88172645463325252;
    for (int i = 0; i < 200000; i++) {
        seed ^= seed << 13, seed ^= seed >> 7, seed ^= seed << 17;
        double want;
        uint64_t bits = i % 2 ? seed : (seed & 0x000FFFFFFFFFFFFF) | (UINT64_C(0x3FF) + seed % 40 - 20) << 52;
        memcpy(&want, &bits, sizeof want);
        if (!isfinite(want)) continue;
        snprintf(text, sizeof text, "%.*g]", 1 + (int)(seed % 17), want);
        if (i % 3 == 0 && fabs(want) < 1e18 && fabs(want) > 1e-9) /* near the middle between two doubles */
            snprintf(text, sizeof text, "%.*g]", 17 + (int)(seed % 3), want + (nextafter(want, HUGE_VAL) - want) / 2);
        want = strtod(text, NULL);
        if (!isfinite(want)) continue;
        if (!telemetry_number_parse(text, text + strlen(text), &v)) CHECK_STR(str_c("refused"), str_c(text));
        double got = v.kind == VALUE_INT ? (double)v.i : v.f;
        if (got != want) CHECK_STR(str_c("rounded wrongly"), str_c(text));
    }
}

/* ---- against jansson: what it reads as an object of values, the scanner reads alike, and the other way round */

static uint32_t random_below(uint64_t *seed, uint32_t n) {
    *seed = *seed * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(*seed >> 33) % n;
}

static void random_value(struct buf *out, uint64_t *seed, unsigned deep) {
    static const char *const pieces[] = {"true",
                                         "false",
                                         "null",
                                         "0",
                                         "-0",
                                         "12",
                                         "-7",
                                         "1.5",
                                         "1e3",
                                         "2E-2",
                                         "0.1e+1",
                                         "9223372036854775807",
                                         "\"\"",
                                         "\"a\"",
                                         "\"\\u00e9\\n\"",
                                         "\"温\"",
                                         "9007199254740993",
                                         "123456.789012345678"};
    uint32_t which = random_below(seed, 22);
    if (which < sizeof pieces / sizeof *pieces || deep > 4) {
        buf_c(out, pieces[which % (sizeof pieces / sizeof *pieces)]);
        return;
    }
    bool object = which & 1;
    uint32_t n = random_below(seed, 4);
    buf_byte(out, object ? '{' : '[');
    for (uint32_t i = 0; i < n; i++) {
        if (i) buf_c(out, random_below(seed, 2) ? "," : " , ");
        if (object) buf_printf(out, "\"k%u\":", i);
        random_value(out, seed, deep + 1);
    }
    buf_byte(out, object ? '}' : ']');
}

static void random_message(struct buf *out, uint64_t *seed) {
    uint32_t n = random_below(seed, 6);
    buf_clear(out);
    buf_byte(out, '{');
    for (uint32_t i = 0; i < n; i++) {
        buf_printf(out, "%s\"m%u\"%s:", i ? "," : "", i, random_below(seed, 2) ? " " : "");
        random_value(out, seed, 0);
    }
    buf_byte(out, '}');
    if (random_below(seed, 2) == 0 || out->len == 0) return;
    size_t at = random_below(seed, (uint32_t)out->len); /* break it somewhere */
    static const char dirt[] = "{}[],:\"\\ 0-+.eE\nx\x80";
    out->ptr[at] = dirt[random_below(seed, sizeof dirt - 1)];
}

static bool same_value(const struct telemetry_sample *s, const struct json *v) {
    switch (json_kind(v)) {
    case JSON_NULL: return s->state == TELEMETRY_SAMPLE_OK && s->value.kind == VALUE_NONE;
    case JSON_BOOL: return s->value.kind == VALUE_BOOL && s->value.b == json_bool(v);
    case JSON_INT: return s->value.kind == VALUE_INT && s->value.i == json_int(v);
    case JSON_REAL: return s->value.kind == VALUE_FLOAT && s->value.f == json_num(v);
    case JSON_STRING: return s->value.kind == VALUE_STRING && str_eq(s->value.s, json_str(v));
    default: return s->state == TELEMETRY_SAMPLE_NESTED;
    }
}

static bool same_message(const struct telemetry_json *json, const struct json *root) {
    void *at = NULL;
    Str key;
    const struct json *value;
    size_t i = 0;
    if (json->n_rows != 1) return false;
    for (; json_next(root, &at, &key, &value); i++)
        if (i >= json->n_samples || !str_eq(json->samples[i].name, key) || !same_value(&json->samples[i], value))
            return false;
    return i == json->n_samples;
}

static void against_jansson(void) {
    unit_case("agrees with jansson");
    struct telemetry_json json = {0};
    struct buf text = {0};
    uint64_t seed = 20240229;
    unsigned valid = 0, broken = 0;
    for (int i = 0; i < 60000; i++) {
        random_message(&text, &seed);
        struct json *root = NULL;
        Err err = json_parse(buf_view(&text), &root);
        bool theirs = err.code == ERR_NONE;
        bool object = theirs && json_kind(root) == JSON_OBJECT;
        bool ours = telemetry_json_scan(&json, buf_view(&text), false);
        theirs ? valid++ : broken++;
        if (ours != object || (ours && !same_message(&json, root))) {
            /* Its own limits: a name twice, where the last counts here, and numbers out of range, which go alone here.
             */
            bool limit = strstr(err.text, "duplicate") || strstr(err.text, "overflow") || strstr(err.text, "too big");
            bool known = ours && !theirs && limit;
            if (!known) CHECK_STR(buf_view(&text), STR("read alike"));
        }
        json_free(root);
    }
    CHECK(valid > 20000 && broken > 5000);
    buf_fini(&text);
    telemetry_json_fini(&json);
}

void telemetry_json_test(void) {
    tables();
    depth();
    numbers();
    against_jansson();
}
