#include "document/imports.h"

#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "document/export_sheet.h"
#include "os/file.h"
#include "tests/lib/document_world.h"
#include "tests/unit.h"
#include "trust/gate.h"

struct desk {
    struct document_world world;
    struct imports *imports;
    char dir[300];
    struct json *last;
    Str id;
    struct buf faults;
};

static bool open_imports(struct desk *desk) {
    struct imports_options options = {
        .dir = desk->dir, .documents = desk->world.documents, .clock = &desk->world.clock};
    return CHECK_OK(imports_open(&options, &desk->imports));
}

static const struct json *look(struct desk *desk) {
    struct buf text = {0};
    struct jw w;
    jw_init(&w, &text);
    json_free(desk->last);
    desk->last = NULL;
    CHECK_OK(imports_json(desk->imports, &desk->world.manager, desk->id, &w));
    CHECK_OK(json_parse(buf_view(&text), &desk->last));
    buf_fini(&text);
    return desk->last;
}

static Err send_as(struct desk *desk, const struct principal *who, const char *type, Str bytes) {
    char path[400];
    struct file *file;
    snprintf(path, sizeof path, "%s/upload-1", desk->dir);
    CHECK_OK(file_open(file_disk, path, FILE_WRITE | FILE_CREATE | FILE_TRUNCATE, &file));
    CHECK_OK(file_write(file, bytes.ptr, bytes.len, 0));
    file_close(file);
    return imports_add(desk->imports, who, str_c(type), STR("table.csv"), path, &desk->world.arena, &desk->id);
}

static Err order(struct desk *desk, const char *json) {
    struct json *parsed = NULL;
    CHECK_OK(json_parse(str_c(json), &parsed));
    Err err = imports_set(desk->imports, &desk->world.manager, desk->id, parsed);
    json_free(parsed);
    return err;
}

/* Sends, maps as proposed (or as `json` says), checks, and says how it stands: "checked 3 good 1 bad". */
static void check(struct desk *desk, const char *type, Str bytes, const char *json, const char *want) {
    char got[200];
    if (!CHECK_OK(send_as(desk, &desk->world.manager, type, bytes))) return;
    CHECK_OK(order(desk, json ? json : "{\"start\":true}"));
    imports_drain(desk->imports);
    const struct json *v = look(desk);
    snprintf(got, sizeof got, STR_FMT " %lld good %lld bad" STR_FMT, STR_ARG(json_get_str(v, "state", STR("?"))),
             (long long)json_get_int(v, "good", -1), (long long)json_get_int(v, "bad", -1),
             STR_ARG(json_get_str(v, "failure", (Str){0})));
    CHECK_STR(str_c(got), str_c(want));
}

/* Faults as "2 price[x]: message ~suggestion" lines. */
static Str faults(struct desk *desk) {
    struct buf lines = {0};
    uint64_t next;
    buf_clear(&desk->faults);
    CHECK_OK(imports_faults(desk->imports, &desk->world.manager, desk->id, 0, 1000, &lines, &next));
    Str rest = buf_view(&lines), line;
    while (rest.len > 0) {
        struct json *v = NULL;
        str_cut(rest, '\n', &line, &rest);
        if (!CHECK_OK(json_parse(line, &v))) break;
        Str suggestion = json_get_str(v, "suggestion", (Str){0});
        buf_printf(&desk->faults, "%lld " STR_FMT "[" STR_FMT "]: " STR_FMT "%s" STR_FMT "\n",
                   (long long)json_get_int(v, "row", 0), STR_ARG(json_get_str(v, "field", (Str){0})),
                   STR_ARG(json_get_str(v, "value", (Str){0})), STR_ARG(json_get_str(v, "message", (Str){0})),
                   suggestion.len ? " ~" : "", STR_ARG(suggestion));
        json_free(v);
    }
    buf_fini(&lines);
    return buf_view(&desk->faults);
}

static uint64_t count(struct desk *desk, const char *type) {
    struct lens lens;
    struct doc_page page = {0};
    struct doc_query query = {.limit = 1};
    const struct doctype *t = documents_type(desk->world.documents, str_c(type));
    CHECK_OK(gate_lens(&desk->world.manager, t, "test", &lens));
    CHECK_OK(documents_list(desk->world.documents, &lens, t, &query, &desk->world.arena, &page));
    return page.total;
}

static Err apply(struct desk *desk) {
    Err err = imports_apply(desk->imports, &desk->world.manager, desk->id);
    imports_drain(desk->imports);
    look(desk);
    return err;
}

/* ---- cases */

static void all_or_nothing(struct desk *desk) {
    unit_case("a table is checked, seen by nobody, applied, and there at once");
    check(desk, "part", STR("code\nP-1\nP-2\nP-3\n"), NULL, "checked 3 good 0 bad");
    CHECK_INT(count(desk, "part"), 0);
    CHECK_OK(apply(desk));
    CHECK_STR(json_get_str(desk->last, "state", STR("")), STR("done"));
    CHECK_INT(json_get_int(desk->last, "applied", 0), 3);
    CHECK_INT(count(desk, "part"), 3);
    CHECK_ERR(apply(desk), ERR_STATE);
    CHECK_ERR(order(desk, "{\"start\":true}"), ERR_STATE);

    unit_case("twice in the table, in the store already, missing: all named with their rows");
    check(desk, "part", STR("code\nP-4\nP-1\n\nP-4\n\"\",\n"), NULL, "checked 1 good 2 bad");
    CHECK_STR(faults(desk), STR("3 code[P-1]: taken by PA-000001\n5 code[P-4]: row 2 has the same value already\n"));
    CHECK_ERR(apply(desk), ERR_STATE);
    CHECK_INT(count(desk, "part"), 3);

    unit_case("mode skip leaves bad rows out");
    CHECK_OK(order(desk, "{\"mode\":\"skip\"}"));
    CHECK_OK(apply(desk));
    CHECK_INT(count(desk, "part"), 4);
}

static void every_kind(struct desk *desk) {
    unit_case("titles in two languages, a typo, references by unique field and number, choices by title, local times");
    check(desk, "order",
          STR("标题,Severity,price,vlue,part,thing,kept,due,count,ignored column\n"
              "first,危急,12.50,1.5,P-2,truck-1,是,2026/3/8 10:20,7,x\n"
              "second,high,-0.01,,PA-000003,,no,2026年3月8日,,\n"),
          "{\"start\":true,\"offset\":\"+08:00\"}", "checked 2 good 0 bad");
    CHECK_STR(faults(desk), STR(""));
    CHECK_OK(apply(desk));
    struct lens lens;
    struct doc *doc;
    const struct doctype *type = documents_type(desk->world.documents, STR("order"));
    CHECK_OK(gate_lens(&desk->world.manager, type, "test", &lens));
    if (!CHECK_OK(documents_by_number(desk->world.documents, &lens, type, STR("OR-000001"), &desk->world.arena, &doc)))
        return;
    CHECK_STR(doctype_get(doc, "title").s, STR("first"));
    CHECK_STR(doctype_get(doc, "severity").s, STR("critical"));
    CHECK_INT(doctype_get(doc, "price").i, 1250);
    CHECK_NUM(doctype_get(doc, "value").f, 1.5, 0);
    CHECK_INT(doctype_get(doc, "part").i, 2);
    CHECK(doctype_get(doc, "kept").b);
    CHECK_INT(doctype_get(doc, "due").i, INT64_C(1772936400) * NANOS_PER_S);
    CHECK_STR(doc->created_by, STR("li.wei"));
    CHECK_INT(doc->version, 1);

    unit_case("every fault of every cell, with what to write instead");
    check(desk, "order",
          STR("title,severity,price,value,part,thing,kept,due,count\n"
              ",hihg,\"1,234.50\",x,P-9,car-1,maybe,2026-02-30,1.5\n"
              "ok,low,1.234,1,P-1,truck-2,1,2026-03-08T10:20:00Z,3\n"),
          NULL, "checked 0 good 2 bad");
    CHECK_STR(faults(desk),
              STR("2 severity[hihg]: one of these belongs here: low, high, critical ~high\n"
                  "2 price[1,234.50]: a decimal is written without blanks and commas ~1234.50\n"
                  "2 value[x]: a number belongs here\n"
                  "2 part[P-9]: there is no part 'P-9'\n"
                  "2 kept[maybe]: true or false belongs here, or yes, no, 是, 否\n"
                  "2 due[2026-02-30]: a time belongs here, such as 2026-03-08 10:20 or 2026-03-08T10:20:00+08:00\n"
                  "2 count[1.5]: a whole number belongs here\n"
                  "3 price[1.234]: a decimal with at most 2 digits behind the point belongs here ~1.23\n"));
    check(desk, "order", STR("title,thing\n,car-1\n"), NULL, "checked 0 good 1 bad");
    CHECK_STR(faults(desk), STR("2 thing[car-1]: no thing 'car-1'\n2 title[]: missing\n"));
}

static void refusals(struct desk *desk) {
    struct document_world *w = &desk->world;
    unit_case("who may not, what is no table, what is no field");
    CHECK_ERR(send_as(desk, &w->viewer, "part", STR("code\nX\n")), ERR_FORBIDDEN);
    struct principal narrow = w->manager;
    snprintf(narrow.scopes, sizeof narrow.scopes, "imports:* docs:order:write");
    CHECK_ERR(send_as(desk, &narrow, "part", STR("code\nX\n")), ERR_FORBIDDEN);
    CHECK_ERR(send_as(desk, &w->manager, "nonsense", STR("code\nX\n")), ERR_NOT_FOUND);
    CHECK_ERR(send_as(desk, &w->manager, "part", STR("")), ERR_INVALID);
    CHECK_ERR(send_as(desk, &w->manager, "part", STR("PK\3\4 no zip")), ERR_INVALID);
    CHECK_OK(send_as(desk, &w->manager, "part", STR("code,b\nX,1\n")));
    CHECK_ERR(order(desk, "{\"mapping\":{\"b\":\"nonsense\"}}"), ERR_INVALID);
    CHECK_ERR(order(desk, "{\"mapping\":{\"nonsense\":\"code\"}}"), ERR_INVALID);
    CHECK_ERR(order(desk, "{\"mapping\":{\"code\":\"code\",\"b\":\"code\"},\"start\":true}"), ERR_INVALID);
    CHECK_ERR(order(desk, "{\"mode\":\"some\"}"), ERR_INVALID);
    CHECK_ERR(order(desk, "{\"offset\":\"noon\"}"), ERR_INVALID);
    CHECK_ERR(apply(desk), ERR_STATE);

    unit_case("another party's import does not exist; nor a colleague's who is no staff");
    CHECK_ERR(imports_drop(desk->imports, &w->stranger, desk->id, false), ERR_NOT_FOUND);
    CHECK_ERR(imports_apply(desk->imports, &w->technician, desk->id), ERR_NOT_FOUND);
    CHECK_OK(imports_drop(desk->imports, &w->manager, desk->id, false));
    CHECK_ERR(imports_apply(desk->imports, &w->manager, desk->id), ERR_NOT_FOUND);

    unit_case("a table that breaks in the middle fails as a whole, and says where");
    check(desk, "part", STR("code\nQ-1\nQ-2,Q-3\n"), NULL,
          "failed 0 good 0 badrow 3 has 2 cells, but there are 1 headings: is a quote or a delimiter missing?");
}

/* 3,000 rows, so that there are many chunks and transactions. */
static void fill(struct buf *text, const char *prefix, int n) {
    buf_clear(text);
    buf_c(text, "code\n");
    for (int i = 0; i < n; i++) buf_printf(text, "%s%d\n", prefix, i);
}

static void undone(struct desk *desk) {
    struct buf text = {0};
    uint64_t before = count(desk, "part");
    unit_case("a finished import is taken back whole, unless its documents are wanted");
    fill(&text, "U-", 3000);
    check(desk, "part", buf_view(&text), NULL, "checked 3000 good 0 bad");
    CHECK_OK(apply(desk));
    CHECK_INT(count(desk, "part"), before + 3000);
    CHECK_OK(imports_drop(desk->imports, &desk->world.manager, desk->id, false));
    CHECK_INT(count(desk, "part"), before);
    check(desk, "part", STR("code\nK-1\n"), NULL, "checked 1 good 0 bad");
    CHECK_OK(apply(desk));
    CHECK_OK(imports_drop(desk->imports, &desk->world.manager, desk->id, true));
    CHECK_INT(count(desk, "part"), before + 1);

    unit_case("somebody was quicker: the whole import is taken back, or the row is left out");
    fill(&text, "R-", 600);
    for (int skip = 0; skip < 2; skip++) {
        struct doc *doc;
        char code[20];
        snprintf(code, sizeof code, "R-%d", 400 + skip);
        struct doc_set set = {"code", VALUE_S(str_c(code))};
        struct doc_change change = {.set = &set, .n = 1};
        before = count(desk, "part");
        check(desk, "part", buf_view(&text), skip ? "{\"mode\":\"skip\",\"start\":true}" : NULL,
              skip ? "checked 599 good 1 bad" : "checked 600 good 0 bad");
        CHECK_OK(documents_create(desk->world.documents, &desk->world.manager,
                                  documents_type(desk->world.documents, STR("part")), &change, &desk->world.arena,
                                  &doc));
        CHECK_OK(apply(desk));
        CHECK_STR(json_get_str(desk->last, "state", STR("")), skip ? STR("done") : STR("failed"));
        CHECK_INT(count(desk, "part"), before + 1 + (skip ? 598 : 0));
    }
    buf_fini(&text);
}

static void restarts(struct desk *desk) {
    struct buf text = {0};
    uint64_t before = count(desk, "part");
    unit_case("stopped at any step, an import goes on, and nothing is there twice");
    fill(&text, "S-", 3000);
    CHECK_OK(send_as(desk, &desk->world.manager, "part", buf_view(&text)));
    CHECK_OK(order(desk, "{\"start\":true}"));
    for (int step = 0; step < 2; step++) {
        for (int i = 0; i < 3; i++) {
            clock_sleep(2 * NANOS_PER_MS);
            imports_close(desk->imports);
            uint64_t now = count(desk, "part");
            CHECK(now == before || now == before + 3000);
            if (!open_imports(desk)) return;
        }
        imports_drain(desk->imports);
        if (step == 0) CHECK_OK(imports_apply(desk->imports, &desk->world.manager, desk->id));
    }
    look(desk);
    CHECK_STR(json_get_str(desk->last, "state", STR("")), STR("done"));
    CHECK_INT(count(desk, "part"), before + 3000);
    buf_fini(&text);
}

static void round_trip(struct desk *desk) {
    unit_case("what is exported, in either form and language, is proposed and checked without a fault");
    const struct doctype *type = documents_type(desk->world.documents, STR("order"));
    static const Str fields[] = {STR_INIT("title"), STR_INIT("severity"), STR_INIT("price"), STR_INIT("value"),
                                 STR_INIT("part"),  STR_INIT("thing"),    STR_INIT("kept"),  STR_INIT("due")};
    for (int form = 0; form < 4; form++) {
        struct lens lens;
        struct buf bytes = {0};
        char path[400];
        uint64_t n;
        CHECK_OK(gate_lens(&desk->world.manager, type, "test", &lens));
        struct export_sheet sheet = {.documents = desk->world.documents,
                                     .lens = &lens,
                                     .type = type,
                                     .fields = fields,
                                     .n_fields = 8,
                                     .zh = form & 1,
                                     .xlsx = form & 2};
        snprintf(path, sizeof path, "%s/out", desk->dir);
        if (!CHECK_OK(export_sheet_write(&sheet, path, &n))) return;
        CHECK_INT(n, 2);
        CHECK_OK(file_load(file_disk, path, 100000, &bytes));
        check(desk, "order", buf_view(&bytes), NULL, "checked 2 good 0 bad");
        CHECK_STR(faults(desk), STR(""));
        CHECK_OK(imports_drop(desk->imports, &desk->world.manager, desk->id, false));
        CHECK_OK(file_remove(file_disk, path));
        CHECK_OK(export_sheet_template(&sheet, path));
        buf_clear(&bytes);
        CHECK_OK(file_load(file_disk, path, 100000, &bytes));
        check(desk, "order", buf_view(&bytes), NULL, "checked 0 good 0 bad");
        CHECK_OK(imports_drop(desk->imports, &desk->world.manager, desk->id, false));
        buf_fini(&bytes);
    }
}

void imports_test(void) {
    static struct desk desk;
    unit_case("a desk for tables");
    if (!document_world_open(&desk.world)) return;
    snprintf(desk.dir, sizeof desk.dir, "%s/imports", desk.world.dir);
    log_set_level(LOG_LEVEL_WARN);
    if (open_imports(&desk)) {
        all_or_nothing(&desk);
        every_kind(&desk);
        refusals(&desk);
        undone(&desk);
        restarts(&desk);
        round_trip(&desk);
    }
    imports_close(desk.imports);
    log_set_level(LOG_LEVEL_INFO);
    json_free(desk.last);
    buf_fini(&desk.faults);
    document_world_close(&desk.world);
}
