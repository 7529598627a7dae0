/* SQL over HTTP: every table, what goes down to the stores, exact numbers, and statements that mean harm. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "document/documents.h"
#include "os/clock.h"
#include "tests/lib/serve_rig.h"
#include "tests/lib/serve_types.h"

void api_sql_test(void);

#define POST(target, body, status) serve_rig_json(rig, rig->manager, "POST", (target), (body), (status))

/* Percent-encoded whole, so that quotes need no care. */
static void target_of(struct buf *out, const char *sql, const char *more) {
    buf_clear(out);
    buf_c(out, "/api/v1/sql?sql=");
    for (const char *c = sql; *c; c++) buf_printf(out, "%%%02X", (unsigned char)*c);
    buf_c(out, more);
    buf_byte(out, 0);
}

static const struct json *ask(struct serve_rig *rig, const char *sql, const char *more, int status) {
    struct buf target = {0};
    target_of(&target, sql, more);
    const struct json *v = serve_rig_json(rig, rig->manager, "GET", target.ptr, NULL, status);
    buf_fini(&target);
    return v;
}

static void check_rows(const struct json *answer, const char *sql, const char *want) {
    struct buf got = {0};
    const struct json *rows = json_get(answer, "rows");
    if (rows) json_dump(rows, &got);
    if (!CHECK_STR(buf_view(&got), str_c(want))) printf("  %s\n", sql);
    buf_fini(&got);
}

/* A statement and its rows. */
struct row_case {
    const char *sql, *rows;
};

static void run_cases(struct serve_rig *rig, const struct row_case *cases, size_t n) {
    for (size_t i = 0; i < n; i++) {
        unit_case(cases[i].sql);
        check_rows(ask(rig, cases[i].sql, "", 200), cases[i].sql, cases[i].rows);
    }
}
#define RUN(cases) run_cases(rig, (cases), sizeof(cases) / sizeof *(cases))

static void make(struct serve_rig *rig) {
    static const char *const parts[] = {"{'code':'comp1','title_en':'Bearing kit','on_hand':'3'}",
                                        "{'code':'comp2','title_en':'Pump','title_zh':'泵','on_hand':'1'}",
                                        "{'code':'comp3','title_en':'Valve','on_hand':'2'}"};
    static const char *const faults[] = {
        "{'thing':'m-1','occurred_at':'2015-01-01T02:00:00Z','component':'comp1','text':'主轴承异响 bearing noise'}",
        "{'thing':'m-1','occurred_at':'2015-01-20','component':'comp2','text':'oil leak'}",
        "{'thing':'m-2','occurred_at':'2015-02-01','component':'comp1','text':'bearing hot'}"};
    for (size_t i = 0; i < 3; i++) POST("/api/v1/docs/part", parts[i], 201);
    for (size_t i = 0; i < 3; i++) POST("/api/v1/docs/fault", faults[i], 201);
    for (int i = 0; i < 240; i++)
        serve_rig_sample(rig, i % 2 ? "m-2" : "m-1", SERVE_RIG_START + i * NANOS_PER_MIN, 200 + i % 24);
    CHECK_OK(documents_search_now(rig->documents));
}

/* ---- documents */

static void documents_tables(struct serve_rig *rig) {
    static const struct row_case cases[] = {
        {"select id, number, state, thing, component from fault where id = 2",
         "[[2,\"FA-000002\",\"reported\",\"m-1\",\"comp2\"]]"},
        {"select number from fault where thing = 'm-1' order by id desc", "[[\"FA-000002\"],[\"FA-000001\"]]"},
        {"select number from fault where number in ('FA-000003', 'FA-000001', 'FA-9') order by 1",
         "[[\"FA-000001\"],[\"FA-000003\"]]"},
        {"select number from fault where state = 'no such state'", "[]"},
        {"select number from fault where thing = 'm-1' and thing = 'm-2'", "[]"},
        {"select number from fault where search = 'bearing' order by id", "[[\"FA-000001\"],[\"FA-000003\"]]"},
        {"select number from fault where search match '轴承'", "[[\"FA-000001\"]]"},
        {"select number, occurred_at from fault where occurred_at >= '2015-01-20' order by occurred_at",
         "[[\"FA-000002\",\"2015-01-20T00:00:00.000Z\"],[\"FA-000003\",\"2015-02-01T00:00:00.000Z\"]]"},
        {"select number from fault where occurred_at = '2015-01-20T08:00:00+08:00'", "[[\"FA-000002\"]]"},
        {"select number from fault where occurred_at between datetime('2015-01-19') and 1421712000000",
         "[[\"FA-000002\"]]"},
        {"select max(occurred_at) > '2015-01-31T23:59:59Z' from fault", "[[1]]"},
        {"select count(*) from fault", "[[3]]"},
        {"select component, count(*) from fault group by component order by 2 desc", "[[\"comp1\",2],[\"comp2\",1]]"},
        {"select f.number, p.title_en from fault f join part p on p.code = f.component order by f.id",
         "[[\"FA-000001\",\"Bearing kit\"],[\"FA-000002\",\"Pump\"],[\"FA-000003\",\"Bearing kit\"]]"},
        {"select number from fault where prediction is null order by id limit 1 offset 1", "[[\"FA-000002\"]]"},
        {"select * from fault where 0", "[]"},
        {"with a as (select * from fault) select count(*) from a, a as b", "[[9]]"},
        {"select number, row_number() over (partition by thing order by occurred_at desc) r from fault order by id",
         "[[\"FA-000001\",2],[\"FA-000002\",1],[\"FA-000003\",1]]"},
    };
    RUN(cases);
}

static void number_cases(struct serve_rig *rig) {
    static const struct row_case cases[] = {
        {"select title, price from \"order\" order by price",
         "[[\"comp2\",\"0.10\"],[\"comp3\",\"0.20\"],[\"comp1\",\"3.00\"]]"},
        {"select sum(price), sum(price) = 3.3, avg(price), decimal_sum(price) from \"order\"",
         "[[3.3,1,1.0999999999999999,\"3.3\"]]"},
        {"select title from \"order\" where price > 0.1 and price < 3 order by 1", "[[\"comp3\"]]"},
        {"select title from \"order\" where price = 0.1", "[[\"comp2\"]]"},
        {"select title from \"order\" where price >= 0.15 and price <= 2.9999", "[[\"comp3\"]]"},
        {"select title from \"order\" group by title having sum(price) > 1", "[[\"comp1\"]]"},
        {"select sum(x) from (select 0.1 as x union all select 0.2 union all select -0.3)", "[[0]]"},
        {"select sum(x), sum(x) over () from (select 9007199254740993 as x)", "[[9007199254740993,9007199254740993]]"},
        {"select sum(column1) over (order by column1 rows 1 preceding) from (values (0.1), (0.2), (0.7))",
         "[[0.1],[0.3],[0.9]]"},
        {"select decimal(2.5, 0), decimal(-1.005, 2), decimal(1e300, 2) is null", "400"},
        {"select decimal(2.5, 0), decimal(12.5, 2)", "[[\"2\",\"12.50\"]]"},
        {"select printf('%05.2f|%-6s|%+d|%x|%q|%.2s|%%', 3.14159, 'ab', 5, 255, 'it''s', '轴承'), format('%d', 'x')",
         "[[\"03.14|ab    |+5|ff|it''s|轴|%\",\"0\"]]"},
        {"select stddev(column1) from (values (2), (4), (4), (4), (5), (5), (7), (9))", "[[2.138089935299395]]"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        unit_case(cases[i].sql);
        bool fails = strcmp(cases[i].rows, "400") == 0;
        const struct json *v = ask(rig, cases[i].sql, "", fails ? 400 : 200);
        if (!fails) check_rows(v, cases[i].sql, cases[i].rows);
    }
}

static void numbers(void) {
    static const char *const orders[] = {"{'title':'comp1','price':'3','quantity':'1'}",
                                         "{'title':'comp2','price':'0.1','quantity':'90000000000000.01'}",
                                         "{'title':'comp3','price':'0.2','quantity':'2'}"};
    struct serve_rig rig = {0};
    if (serve_rig_open_types(&rig, 0, serve_types)) {
        for (size_t i = 0; i < 3; i++) serve_rig_json(&rig, rig.manager, "POST", "/api/v1/docs/order", orders[i], 201);
        number_cases(&rig);
        unit_case("a decimal of more digits than SQL counts exactly is refused by name");
        const struct json *v = ask(&rig, "select quantity from \"order\"", "", 400);
        CHECK(str_find(json_get_str(v, "detail", (Str){0}),
                       STR("90000000000000.01, which has more than the 15 digits")) >= 0);
        check_rows(ask(&rig, "select quantity from \"order\" where title = 'comp3'", "", 200), "", "[[\"2.00\"]]");
    }
    serve_rig_close(&rig);
}

/* ---- machines and series */

static void series_tables(struct serve_rig *rig) {
    static const struct row_case cases[] = {
        {"select name, model, latitude from things where name like 'm-%' order by name",
         "[[\"m-1\",\"model3\",31],[\"m-2\",\"model3\",null]]"},
        {"select name from things where name = 'm-9'", "[]"},
        {"select unit from metrics where model = 'model3' and name = 'volt'", "[[\"V\"]]"},
        {"select time, value from latest where thing = 'm-1' and metric = 'volt'",
         "[[\"2015-01-01T00:10:00.000Z\",210]]"},
        {"select count(*), min(value), max(value), min(time) from samples where thing = 'm-1' and metric = 'volt'",
         "[[120,200,222,\"2015-01-01T00:00:00.000Z\"]]"},
        {"select time, value from samples where thing = 'm-2' and metric = 'volt' order by time desc limit 2",
         "[[\"2015-01-01T03:59:00.000Z\",223],[\"2015-01-01T03:57:00.000Z\",221]]"},
        {"select count(*) from samples where time >= '2015-01-01T01:00:00Z' and time < '2015-01-01T02:00:00Z'",
         "[[60]]"},
        {"select count(*) from samples where thing = 'nobody' or metric = 'nothing'", "[[0]]"},
        {"select time_bucket('1h', time) h, thing, avg(value) from samples where metric = 'volt' and thing = 'm-1' "
         "group by 1, 2 limit 1",
         "[[\"2015-01-01T00:00:00.000Z\",\"m-1\",209.8]]"},
        {"select start, count, avg, min, max, first, last from windows where metric = 'volt' and width = '1h' and "
         "thing = "
         "'m-1' and start >= '2015-01-01T01:00:00Z' and start < '2015-01-01T02:00:00Z'",
         "[[\"2015-01-01T01:00:00.000Z\",30,212.2,200,222,212,222]]"},
        {"select thing, sum(count) from windows where metric = 'volt' and width = '15m' group by thing order by thing",
         "[[\"m-1\",120],[\"m-2\",120]]"},
        {"select count(*) from windows where metric = 'nothing' and width = '15m'", "[[0]]"},
        {"select time, volt from model3 where thing = 'm-1' and time < '2015-01-01T00:03:00Z' order by time",
         "[[\"2015-01-01T00:00:00.000Z\",200],[\"2015-01-01T00:02:00.000Z\",202]]"},
        {"select count(*), count(volt), count(rotate) from model3", "[[240,240,0]]"},
        {"select f.number, w.max from fault f join windows w on w.thing = f.thing and w.metric = 'volt' and w.width = "
         "'2h' "
         "and w.start = time_bucket('2h', time_add(f.occurred_at, '-1h'))",
         "[[\"FA-000001\",222]]"},
        /* what a machine measured in the hour before each of its faults */
        {"select f.number, count(s.value), max(s.value) from fault f left join samples s on s.thing = f.thing and "
         "s.metric = 'volt' and s.time >= time_add(f.occurred_at, '-1h') and s.time < f.occurred_at group by f.id "
         "order by f.id",
         "[[\"FA-000001\",30,222],[\"FA-000002\",0,null],[\"FA-000003\",0,null]]"},
    };
    RUN(cases);
}

static void times(struct serve_rig *rig) {
    static const struct row_case cases[] = {
        {"select ms('2015-01-01'), time_of(1420070400000), time_of('2015-01-01 08:00+08:00')",
         "[[1420070400000,\"2015-01-01T00:00:00.000Z\",\"2015-01-01T00:00:00.000Z\"]]"},
        {"select time_add('2015-01-01', '-1h30m'), time_bucket('15m', '2015-01-01T00:29:59Z')",
         "[[\"2014-12-31T22:30:00.000Z\",\"2015-01-01T00:15:00.000Z\"]]"},
        {"select seconds('2015-01-01', '2015-01-02'), time_of(null)", "[[86400,null]]"},
        {"select time_of('2015-01-01T00:00:00.000000001Z')", "[[\"2015-01-01T00:00:00.000000001Z\"]]"},
        {"select substr(datetime('now'), 1, 4) = substr(now(), 1, 4), now() > now('-1d')", "[[1,1]]"},
    };
    RUN(cases);
}

/* ---- forms */

static void forms(struct serve_rig *rig) {
    struct buf target = {0};
    unit_case("parameters, by place and by name");
    const struct json *v =
        POST("/api/v1/sql", "{'sql':'select number from fault where thing = ?1 and id < ?','params':['m-1',2]}", 200);
    CHECK_AT(v, "rows", "[1]");
    v = POST("/api/v1/sql", "{'sql':'select :a + 1 as b','params':{'a':41}}", 200);
    CHECK_AT(v, "rows.0.0", "42");
    CHECK_AT(v, "columns.0.name", "b");
    POST("/api/v1/sql", "{'sql':'select ?1','params':[]}", 400);
    POST("/api/v1/sql", "{'sql':'select 1','params':[1]}", 400);
    POST("/api/v1/sql", "{'params':[1]}", 400);
    unit_case("columns say what they hold");
    v = ask(rig, "select created, on_hand, title_zh, id, 1 from part limit 1", "", 200);
    CHECK_AT(v, "columns.0.type", "time");
    CHECK_AT(v, "columns.1.type", "decimal");
    CHECK_AT(v, "columns.2.type", "text");
    CHECK_AT(v, "columns.3.type", "integer");
    CHECK_AT(v, "columns.4.type", "any");
    unit_case("a limit of rows cuts, and says so");
    v = ask(rig, "select id from fault", "&limit=2", 200);
    CHECK_AT(v, "rows", "[2]");
    CHECK_AT(v, "cut", "true");
    CHECK_AT(ask(rig, "select id from fault", "&limit=3", 200), "cut", "false");
    unit_case("CSV and NDJSON");
    target_of(&target, "select code, title_zh, on_hand from part order by code limit 2", "&format=csv");
    struct http_answer a = serve_rig_ask(rig, rig->manager, "GET", target.ptr, NULL);
    CHECK_STR(a.body, STR("code,title_zh,on_hand\r\ncomp1,,3\r\ncomp2,泵,1\r\n"));
    target_of(&target, "select code, '' as e, 'a,\"b' as q from part order by code limit 1", "&format=csv");
    a = serve_rig_ask(rig, rig->manager, "GET", target.ptr, NULL);
    CHECK_STR(a.body, STR("code,e,q\r\ncomp1,\"\",\"a,\"\"b\"\r\n"));
    target_of(&target, "select code, on_hand from part order by code limit 2", "&format=ndjson");
    a = serve_rig_ask(rig, rig->manager, "GET", target.ptr, NULL);
    CHECK_STR(a.body, STR("{\"code\":\"comp1\",\"on_hand\":\"3\"}\n{\"code\":\"comp2\",\"on_hand\":\"1\"}\n"));
    ask(rig, "select 1", "&format=xml", 400);
    unit_case("the tables");
    v = serve_rig_json(rig, rig->manager, "GET", "/api/v1/sql/tables", NULL, 200);
    CHECK_AT(v, "items.0.name", "things");
    CHECK_AT(v, "items.0.title_zh", "设备");
    buf_fini(&target);
}

static bool plan_has(const struct json *v, const char *part) {
    struct buf text = {0};
    json_dump(json_get(v, "plan"), &text);
    bool has = str_find(buf_view(&text), str_c(part)) >= 0;
    if (!has) printf("  plan: " STR_FMT "\n", STR_ARG(buf_view(&text)));
    buf_fini(&text);
    return has;
}

static void pushed_down(struct serve_rig *rig) {
    static const struct {
        const char *sql, *plan;
    } cases[] = {
        {"select * from fault where thing = 1 and created > 2", "fault: thing = ? and created > ?"},
        {"select * from fault order by created desc", "fault: in order of created descending"},
        {"select * from fault where component is null", "fault: component is null"},
        {"select * from fault where text like 1", "fault: all rows"},
        {"select * from samples where thing = 1 and metric = 2 and time >= 3 and value > 4",
         "samples: thing = ? and metric = ? and time >= ?"},
        {"select * from fault f join samples s on s.thing = f.thing and s.metric = 1 and s.time < f.occurred_at",
         "  thing = ?"},
        {"select * from fault f join part p on p.id = f.id", "p: id = ?"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char body[400];
        unit_case(cases[i].sql);
        snprintf(body, sizeof body, "{'sql':'%s','explain':true}", cases[i].sql);
        const struct json *v = POST("/api/v1/sql", body, 200);
        if (i == 5)
            CHECK(plan_has(v, "s: ") && plan_has(v, "thing = ?") && plan_has(v, "time < ?"));
        else
            CHECK(plan_has(v, cases[i].plan));
    }
    unit_case("what goes down is not read");
    CHECK_AT(ask(rig, "select id from fault where id = 2", "", 200), "rows_read", "1");
    CHECK_AT(ask(rig, "select id from fault where component = 'comp2'", "", 200), "rows_read", "1");
    CHECK_AT(ask(rig, "select id from fault where component = 'comp2' and state = 'nothing'", "", 200), "rows_read",
             "0");
    CHECK_AT(ask(rig, "select * from samples where thing = 'm-1' and metric = 'volt' and time < '2015-01-01T00:10:00Z'",
                 "", 200),
             "rows_read", "5");
    CHECK_AT(ask(rig, "select * from samples where thing = 'm-1' order by time desc limit 1", "", 200), "rows", "[1]");
}

/* ---- harm */

static void refusals(struct serve_rig *rig) {
    static const struct {
        const char *sql, *detail;
    } cases[] = {
        {"select velocty from fault", "line 1, column 8: no column 'velocty'"},
        {"select componet from fault", "line 1, column 8: no column 'componet': did you mean 'component'?"},
        {"select *\nfrom falt", "no table 'falt': did you mean 'fault'?"},
        {"select \"comp1\" from fault", "no column 'comp1'"},
        {"selec 1", "line 1, column 1: near \"selec\": syntax error"},
        {"", "the statement is empty"},
        {" -- nothing", "the statement is empty"},
        {"select 1; select 2", "one statement at a time"},
        {"select 1; drop table fault", "one statement at a time"},
        {"delete from fault", "only SELECT is run here"},
        {"insert into fault (id) values (1)", "only SELECT is run here"},
        {"update fault set id = 1", "only SELECT is run here"},
        {"create table x (a)", "only SELECT is run here"},
        {"create temp table x as select 1", "only SELECT is run here"},
        {"attach ':memory:' as b", "only SELECT is run here"},
        {"attach '/etc/passwd' as b", "only SELECT is run here"},
        {"vacuum into '/tmp/x'", "only SELECT is run here"},
        {"pragma table_list", "only SELECT is run here"},
        {"begin", "only SELECT is run here"},
        {"explain select load_extension('x')", "no function 'load_extension' may be used here"},
        {"select load_extension('x.so')", "no function 'load_extension'"},
        {"select randomblob(100000000)", "no function 'randomblob'"},
        {"select zeroblob(1000000000)", "no function 'zeroblob'"},
        {"select sqlite_version()", "no function 'sqlite_version'"},
        {"select fts3_tokenizer('simple')", "no function 'fts3_tokenizer'"},
        {"select readfile('/etc/passwd')", "no function 'readfile'"},
        {"select * from pragma_table_list", "only SELECT is run here"},
        {"select * from dbstat", "only SELECT is run here"},
        {"select * from sqlite_stmt", "only SELECT is run here"},
        {"select printf('%.1000000000c', 'x')", "printf() writes up to"},
        {"select printf('%1000000000d', 1)", "printf() fills up to"},
        {"select printf('%*d', 1000000000, 1)", "printf() knows"},
        {"select * from sqlite_schema", "no table 'sqlite_master'"},
        {"select hex(replace(printf('%.900c', 'x'), 'x', printf('%.1000c', 'x')))", "longer than its limit"},
        {"select group_concat(replace(printf('%.100c', 'x'), 'x', printf('%.1000c', 'x'))) from samples",
         "longer than its limit"},
        {"select time_of('yesterday')", "'yesterday' is no time"},
        {"select time_bucket('ten', now())", "'ten' is no span"},
        {"select * from windows where metric = 'volt'", "'windows' needs its metric and width"},
        {"select * from windows where metric = 'volt' and width = 'ten'", "ten"},
        {"select text match 'x' from fault", "only the column 'search'"},
        {"select trim('x', printf('%.100c', 'x'))", "at most 64 bytes"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        unit_case(cases[i].sql);
        const struct json *v =
            ask(rig, cases[i].sql, "", str_find(str_c(cases[i].detail), STR("longer")) >= 0 ? 429 : 400);
        Str got = json_get_str(v, "detail", (Str){0});
        if (!CHECK(str_find(got, str_c(cases[i].detail)) >= 0)) printf("  " STR_FMT "\n", STR_ARG(got));
    }
    unit_case("an expression too deep");
    struct buf deep = {0};
    buf_c(&deep, "select ");
    for (int i = 0; i < 300; i++) buf_c(&deep, "(1+");
    buf_c(&deep, "1");
    for (int i = 0; i < 300; i++) buf_c(&deep, ")");
    buf_byte(&deep, 0);
    ask(rig, deep.ptr, "", 400);
    buf_fini(&deep);
}

#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
#define BOMBS false /* a sanitizer makes each of them many times slower */
#else
#define BOMBS true
#endif

/* Each would run for hours, or take all memory. */
static void bombs(struct serve_rig *rig) {
    static const struct {
        const char *sql;
        int status;
    } cases[] = {
        {"with recursive c(x) as (select 1 union all select x + 1 from c) select count(*) from c", 504},
        {"select count(*) from samples a, samples b, samples c, samples d", 504},
        {"with recursive c(x) as (select replace(printf('%.90c', 'x'), 'x', printf('%.100c', 'x')) union all select x "
         "|| '1' from c) select x from c "
         "order by 1",
         429},
        {"with recursive c(x, y) as (select 1, printf('%.1000c', 'x') union all select x + 1, y from c) select "
         "group_concat(x) from (select x, y from c order by y, x)",
         429},
        {"with recursive c(x) as (select 1 union select x + 1 from c) select count(distinct x || printf('%.900c', "
         "'x')) from c",
         429},
        {"select replace(replace(printf('%.500c', 'a'), 'a', printf('%.1000c', 'a')), replace(printf('%.250c', 'a'), "
         "'a', printf('%.1000c', 'a')) || 'b', '') like '%a%a%a%a%a%a%a%b' from "
         "samples limit 3",
         200},
        {"select instr(replace(printf('%.500c', 'a'), 'a', printf('%.1000c', 'a')), replace(printf('%.250c', 'a'), "
         "'a', printf('%.1000c', 'a')) || 'b')",
         200},
    };
    unit_case("bombs");
    if (!BOMBS) {
        unit_skip("the release build tries them");
        return;
    }
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        unit_case(cases[i].sql);
        ask(rig, cases[i].sql, cases[i].status == 504 ? "&time_s=1" : "&time_s=60", cases[i].status);
    }
    unit_case("a name that doubles thirty times");
    struct buf text = {0};
    buf_c(&text, "with a0 as (select 1 as x)");
    for (int i = 1; i < 30; i++) buf_printf(&text, ", a%d as (select l.x from a%d l, a%d r)", i, i - 1, i - 1);
    buf_c(&text, " select count(*) from a29");
    buf_byte(&text, 0);
    struct buf target = {0};
    target_of(&target, text.ptr, "&time_s=1");
    struct http_answer a = serve_rig_ask(rig, rig->manager, "GET", target.ptr, NULL);
    CHECK(a.status == 400 || a.status == 429 || a.status == 504);
    buf_fini(&target);
    buf_fini(&text);
    unit_case("and the records still answer");
    CHECK_AT(ask(rig, "select count(*) from fault", "", 200), "rows.0.0", "3");
}

/* Whoever closes the connection ends the statement: with one of two places free again at once. */
static void leaves(struct serve_rig *rig) {
    struct buf target = {0}, text = {0};
    unit_case("a client that leaves ends its statement");
    target_of(&target, "with recursive c(x) as (select 1 union all select x + 1 from c) select count(*) from c",
              "&time_s=120");
    Nanos began = clock_monotonic();
    for (int i = 0; i < 2; i++) {
        struct http_client c;
        http_client_open(&c, serve_address(rig->serve));
        buf_clear(&text);
        buf_printf(&text, "GET %s HTTP/1.1\r\nHost: t\r\nAuthorization: Bearer %s\r\n\r\n", target.ptr, rig->manager);
        http_client_send(&c, buf_view(&text));
        clock_sleep(200 * NANOS_PER_MS);
        http_client_close(&c);
    }
    int status = 503;
    target_of(&target, "select 1", "");
    while (status == 503 && clock_monotonic() - began < 60 * NANOS_PER_S) {
        status = serve_rig_ask(rig, rig->manager, "GET", target.ptr, NULL).status;
        if (status == 503) clock_sleep(50 * NANOS_PER_MS);
    }
    CHECK_INT(status, 200);
    buf_fini(&target);
    buf_fini(&text);
}

static void roles(struct serve_rig *rig) {
    struct buf target = {0};
    unit_case("nobody without a token, another party sees nothing");
    target_of(&target, "select count(*) from fault", "");
    CHECK_INT(serve_rig_ask(rig, NULL, "GET", target.ptr, NULL).status, 401);
    CHECK_AT(serve_rig_json(rig, rig->stranger, "GET", target.ptr, NULL, 200), "rows.0.0", "0");
    target_of(&target, "select count(*) from samples", "");
    CHECK_AT(serve_rig_json(rig, rig->stranger, "GET", target.ptr, NULL, 200), "rows.0.0", "0");
    buf_fini(&target);
}

void api_sql_test(void) {
    struct serve_rig rig = {0};
    numbers();
    if (serve_rig_open(&rig, 0)) {
        make(&rig);
        documents_tables(&rig);
        series_tables(&rig);
        times(&rig);
        forms(&rig);
        pushed_down(&rig);
        refusals(&rig);
        roles(&rig);
        bombs(&rig);
        leaves(&rig);
    }
    serve_rig_close(&rig);
}
