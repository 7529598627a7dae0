#include "model/script.h"

#include <string.h>

#include "os/thread.h"
#include "tests/unit.h"

static const struct script_row empty;

/* A busy machine must not turn one limit into another. */
static const struct script_limits patient = {.time = 60 * NANOS_PER_S};

/* The value of function f of the text, over one record. */
static Err call(const char *text, const struct script_row *record, unsigned char scale, struct arena *arena,
                Value *out) {
    struct script *script;
    TRY(script_compile(STR("t.lua"), str_c(text), &patient, &script));
    Err err = script_call(script, "f", record, 1000, scale, arena, out);
    script_free(script);
    return err;
}

static void check_value(Value got, Value want) {
    CHECK_INT(got.kind, want.kind);
    CHECK(value_eq(got, want) || (got.kind == VALUE_NONE && want.kind == VALUE_NONE));
}

static void test_values(void) {
    static const struct {
        const char *text;
        unsigned char scale;
        Value want;
    } cases[] = {
        {"function f(d) return nil end", 0, {.kind = VALUE_NONE}},
        {"function f(d) return d.name .. '!' end", 0, {VALUE_STRING, {.s = STR_INIT("ann!")}}},
        {"function f(d) return d.count + 1 end", 0, {VALUE_INT, {.i = 8}}},
        {"function f(d) return d.weight * 2 end", 0, {VALUE_FLOAT, {.f = 3.0}}},
        {"function f(d) return d.price end", 2, {VALUE_INT, {.i = 1250}}},
        {"function f(d) return d.price * 3 + decimal('0.05') end", 2, {VALUE_INT, {.i = 3755}}},
        {"function f(d) return (decimal('0.1') + decimal('0.2')) == decimal('0.3') end", 0, {VALUE_BOOL, {.b = true}}},
        {"function f(d) return d.price:div(3, 4) end", 4, {VALUE_INT, {.i = 41667}}},
        {"function f(d) return decimal('2.5'):round(0) end", 0, {VALUE_INT, {.i = 2}}},
        {"function f(d) return decimal('-3.5'):round(0) end", 0, {VALUE_INT, {.i = -4}}},
        {"function f(d) return decimal('1') < 2 and 2 <= decimal('2.0') end", 0, {VALUE_BOOL, {.b = true}}},
        {"function f(d) return tostring(decimal('-0.050')) end", 0, {VALUE_STRING, {.s = STR_INIT("-0.05")}}},
        {"function f(d) local s = decimal(0) for _, l in ipairs(d.lines) do s = s + l.qty end return s end",
         1,
         {VALUE_INT, {.i = 35}}},
        {"function f(d) return now end", 0, {VALUE_INT, {.i = 1000}}},
        {"function f(d) return #split('a,b,c', ',') + find_plain('abc', 'c') end", 0, {VALUE_INT, {.i = 6}}},
        {"function f(d) return ('ab'):upper() .. string.format('%03d', 7) end",
         0,
         {VALUE_STRING, {.s = STR_INIT("AB007")}}},
        {"local function helper(x) return x * 2 end function f(d) return helper(d.count) end",
         0,
         {VALUE_INT, {.i = 14}}},
    };
    const struct script_field line_a[] = {{"qty", VALUE_I(15), 1, true, NULL, 0}};
    const struct script_field line_b[] = {{"qty", VALUE_I(20), 1, true, NULL, 0}};
    const struct script_row lines[] = {{line_a, 1}, {line_b, 1}};
    const struct script_field fields[] = {{"name", VALUE_S(STR("ann")), 0, false, NULL, 0},
                                          {"count", VALUE_I(7), 0, false, NULL, 0},
                                          {"weight", VALUE_F(1.5), 0, false, NULL, 0},
                                          {"price", VALUE_I(1250), 2, true, NULL, 0},
                                          {"lines", {.kind = VALUE_NONE}, 0, false, lines, 2}};
    const struct script_row record = {fields, sizeof fields / sizeof *fields};
    struct arena arena = {0};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        Value got = VALUE_I(-99);
        unit_case(cases[i].text);
        if (CHECK_OK(call(cases[i].text, &record, cases[i].scale, &arena, &got))) check_value(got, cases[i].want);
    }
    arena_fini(&arena);
}

/* Whatever is tried, the call returns with an error that says what and where. */
static void test_escapes(void) {
    static const struct {
        const char *text;
        enum err_code code;
        const char *says;
    } cases[] = {
        {"function f() while true do end end", ERR_LIMIT, "instructions"},
        {"function f() local s = 'x' while true do s = s .. s end end", ERR_LIMIT, "memory"},
        {"function f() return ('x'):rep(1e9) end", ERR_LIMIT, "memory"},
        {"function f() local t = {} for i = 1, 1e9 do t[i] = {} end end", ERR_LIMIT, NULL},
        {"function f() return f() + 1 end", ERR_LIMIT, NULL},
        {"while true do end", ERR_LIMIT, "instructions"},
        {"function f() x = 1 end", ERR_INVALID, "t.lua:1"},
        {"function f() math.pi = 3 end", ERR_INVALID, "'pi'"},
        {"function f() _ENV.f = nil end", ERR_INVALID, "'f'"},
        {"function f() return os.time() end", ERR_INVALID, "os"},
        {"function f() return io.open('/etc/passwd') end", ERR_INVALID, "io"},
        {"function f() return load('return 1')() end", ERR_INVALID, "load"},
        {"function f() return require('os') end", ERR_INVALID, "require"},
        {"function f() return debug.getregistry() end", ERR_INVALID, "debug"},
        {"function f() return getmetatable('').__index.dump end", ERR_INVALID, "getmetatable"},
        {"function f() return setmetatable({}, {}) end", ERR_INVALID, "setmetatable"},
        {"function f() return rawset(math, 'x', 1) end", ERR_INVALID, "rawset"},
        {"function f() return pcall(error) end", ERR_INVALID, "pcall"},
        {"function f() return coroutine.wrap(f) end", ERR_INVALID, "coroutine"},
        {"function f() return collectgarbage('count') end", ERR_INVALID, "collectgarbage"},
        {"function f() return ('x'):find('x') end", ERR_INVALID, "find"},
        {"function f() return ('x'):gsub('x', 'y') end", ERR_INVALID, "gsub"},
        {"function f() return string.dump(f) end", ERR_INVALID, "dump"},
        {"function f() return math.random() end", ERR_INVALID, "random"},
        {"function f() return string.format('%p', f) end", ERR_INVALID, "addresses"},
        {"function f() return {} end", ERR_INVALID, "table"},
        {"function f() return decimal(0.1) end", ERR_INVALID, "float"},
        {"function f() return decimal('1e5') end", ERR_INVALID, "1e5"},
        {"function f() return decimal(1) / 3 end", ERR_INVALID, "div"},
        {"function f() return decimal('1.234') end", ERR_INVALID, "round"},
        {"function f() return decimal(1):div(0, 2) end", ERR_INVALID, "zero"},
        {"function f() local d = decimal(10) for i = 1, 100 do d = d * 10 end return d end", ERR_INVALID, "large"},
        {"function f() return decimal('99999999999999999999') end", ERR_LIMIT, "large"},
        {"function f(", ERR_INVALID, "t.lua:1"},
        {"\x1bLua", ERR_INVALID, NULL},
        {"function g() end", ERR_INVALID, "'f'"},
        {"function f() error({}) end", ERR_INVALID, NULL},
        {"function f() return table.unpack({}, 1, 1e8) end", ERR_INVALID, NULL},
    };
    struct arena arena = {0};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        Value got;
        unit_case(cases[i].text);
        Err err = call(cases[i].text, &empty, 2, &arena, &got);
        if (!CHECK_INT(err.code, cases[i].code) || (cases[i].says && !CHECK(strstr(err.text, cases[i].says) != NULL)))
            CHECK_STR(str_c(err.text), str_c(cases[i].says));
    }
    arena_fini(&arena);
}

static void test_time(void) {
    unit_case("out of time");
    const struct script_limits hasty = {.instructions = UINT32_MAX, .time = NANOS_PER_MS};
    struct script *script;
    struct arena arena = {0};
    Value got;
    CHECK_OK(script_compile(STR("t.lua"), STR("function f() while true do end end"), &hasty, &script));
    Err err = script_call(script, "f", &empty, 0, 0, &arena, &got);
    CHECK(err.code == ERR_LIMIT && strstr(err.text, "time"));
    script_free(script);
    arena_fini(&arena);
}

static void test_reuse(void) {
    unit_case("a script that broke a limit works again");
    struct script *script;
    struct arena arena = {0};
    struct script_field on = {"on", VALUE_B(true), 0, false, NULL, 0};
    Value got;
    CHECK_OK(script_compile(STR("t.lua"), STR("function f(d) while d.on do end return 5 end"), &patient, &script));
    CHECK(script_has(script, "f") && !script_has(script, "g") && !script_has(script, "math"));
    for (int i = 0; i < 20; i++) {
        CHECK_ERR(script_call(script, "f", &(struct script_row){&on, 1}, 0, 0, &arena, &got), ERR_LIMIT);
        CHECK_OK(script_call(script, "f", &empty, 0, 0, &arena, &got));
        CHECK_INT(got.i, 5);
    }
    script_free(script);
    arena_fini(&arena);
}

struct caller {
    const struct script *script;
    struct thread *thread;
    int right;
};

static void many_calls(void *ctx) {
    struct caller *caller = ctx;
    struct arena arena = {0};
    Value got = {0};
    for (int i = 0; i < 500; i++) {
        Err err = script_call(caller->script, "f", &empty, i, 0, &arena, &got);
        caller->right += err.code == ERR_NONE && got.i == i;
        arena_reset(&arena);
    }
    arena_fini(&arena);
}

static void test_threads(void) {
    unit_case("many threads share a script");
    struct script *script;
    struct caller callers[4] = {0};
    CHECK_OK(script_compile(STR("t.lua"), STR("function f() return now end"), &patient, &script));
    for (size_t i = 0; i < 4; i++) {
        callers[i].script = script;
        CHECK_OK(thread_start(&callers[i].thread, "script", many_calls, &callers[i]));
    }
    for (size_t i = 0; i < 4; i++) {
        thread_join(callers[i].thread);
        CHECK_INT(callers[i].right, 500);
    }
    script_free(script);
}

void script_test(void) {
    test_values();
    test_escapes();
    test_time();
    test_reuse();
    test_threads();
}
