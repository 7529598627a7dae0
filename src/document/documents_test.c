#include <math.h>
#include <stdio.h>
#include <string.h>

#include "document/documents.h"
#include "os/thread.h"
#include "tests/lib/document_world.h"
#include "tests/lib/store_postgresql.h"
#include "tests/unit.h"
#include "trust/audit.h"
#include "trust/gate.h"

void documents_test(void);

static const struct doctype *const order = &document_world_order;
static const struct doctype *const part = &document_world_part;

/* ---- one call each, with JSON as it comes from outside */

struct outcome {
    Err err;
    struct doc *doc;
};

static struct outcome create(struct document_world *w, const struct principal *who, const struct doctype *type,
                             const char *text) {
    struct outcome o = {.doc = NULL};
    struct json *json;
    if (!CHECK_OK(json_parse(str_c(text), &json))) return o;
    struct doc_change change = {.json = json};
    o.err = documents_create(w->documents, who, type, &change, &w->arena, &o.doc);
    json_free(json);
    return o;
}

/* transition NULL: change */
static struct outcome move(struct document_world *w, const struct principal *who, int64_t id, const char *transition,
                           const char *text, int64_t if_version) {
    struct outcome o = {.doc = NULL};
    struct json *json;
    if (!CHECK_OK(json_parse(str_c(text), &json))) return o;
    struct doc_change change = {.json = json, .if_version = if_version};
    o.err = transition
                ? documents_transition(w->documents, who, order, id, str_c(transition), &change, &w->arena, &o.doc)
                : documents_change(w->documents, who, order, id, &change, &w->arena, &o.doc);
    json_free(json);
    return o;
}

static struct lens lens_of(const struct principal *who, const struct doctype *type) {
    struct lens lens;
    CHECK_OK(gate_lens(who, type, "test", &lens));
    return lens;
}

static void check_text(const char *text, const char *part_wanted) {
    if (str_find(str_c(text), str_c(part_wanted)) >= 0)
        CHECK(true);
    else
        CHECK_STR(str_c(text), str_c(part_wanted));
}

/* ---- input from outside */

static void validates(struct document_world *w) {
    static const struct {
        const char *json;
        enum err_code code;
        const char *says[3];
    } cases[] = {
        {"{}", ERR_INVALID, {"title: missing"}},
        {"[]", ERR_INVALID, {"an object of fields wanted"}},
        {"{\"title\":null}", ERR_INVALID, {"title: missing"}},
        {"{\"title\":5}", ERR_INVALID, {"title: text wanted, not a number"}},
        {"{\"title\":\"x\",\"nope\":1}", ERR_INVALID, {"nope: no such field"}},
        {"{\"title\":\"x\",\"state\":\"done\"}", ERR_INVALID, {"state: it changes by transitions only"}},
        {"{\"title\":\"x\",\"id\":7}", ERR_INVALID, {"id: it is not yours to set"}},
        {"{\"title\":\"x\",\"party\":2}", ERR_INVALID, {"party: no such field"}},
        {"{\"title\":\"x\",\"severity\":\"bad\"}", ERR_INVALID, {"severity: no choice 'bad'", "low, high, critical"}},
        {"{\"title\":\"x\",\"price\":12.5}", ERR_INVALID, {"price: a decimal travels as a string: write \"12.5\""}},
        {"{\"title\":\"x\",\"price\":12}", ERR_INVALID, {"write \"12\""}},
        {"{\"title\":\"x\",\"price\":\"12.345\"}", ERR_INVALID, {"price: '12.345' is no decimal with at most 2"}},
        {"{\"title\":\"x\",\"price\":\"1e5\"}", ERR_INVALID, {"price:"}},
        {"{\"title\":\"x\",\"price\":\"99999999999999999999\"}", ERR_INVALID, {"price:"}},
        {"{\"title\":\"x\",\"value\":\"3\"}", ERR_INVALID, {"value: a number wanted, not a text"}},
        {"{\"title\":\"x\",\"count\":1.5}", ERR_INVALID, {"count: a whole number wanted"}},
        {"{\"title\":\"x\",\"kept\":1}", ERR_INVALID, {"kept: true or false wanted, not a number"}},
        {"{\"title\":\"x\",\"due\":\"tomorrow\"}", ERR_INVALID, {"due: 'tomorrow' is not a time"}},
        {"{\"title\":\"x\",\"due\":1700000000}", ERR_INVALID, {"due: a time such as"}},
        {"{\"title\":\"x\",\"done_at\":\"2026-01-01T00:00:00Z\"}", ERR_INVALID, {"done_at: it is computed"}},
        {"{\"title\":\"x\",\"thing\":\"car-1\"}", ERR_INVALID, {"thing: no thing 'car-1'"}},
        {"{\"title\":\"x\",\"thing\":\"\"}", ERR_INVALID, {"thing: a thing's name is not empty"}},
        {"{\"title\":\"x\",\"parent\":999}", ERR_INVALID, {"parent: no order with id 999"}},
        {"{\"title\":\"x\",\"parent\":\"OR-999999\"}", ERR_INVALID, {"parent: no order 'OR-999999'"}},
        {"{\"title\":\"x\",\"parent\":{}}", ERR_INVALID, {"parent: an id or a number wanted"}},
        {"{\"title\":\"x\",\"parent\":[1]}", ERR_INVALID, {"parent: an id or a number wanted"}},
        {"{\"title\":\"x\",\"part\":\"' OR 1=1 --\"}", ERR_INVALID, {"part: no part"}},
        {"{\"severity\":\"bad\",\"price\":1,\"nope\":1}",
         ERR_INVALID,
         {"severity: no choice", "price: a decimal", "nope: no such"}},
        {"{\"title\":5,\"value\":\"x\"}", ERR_INVALID, {"title: text wanted", "; value: a number wanted"}},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        unit_case(cases[i].json);
        struct outcome o = create(w, &w->manager, order, cases[i].json);
        CHECK_ERR(o.err, cases[i].code);
        for (size_t k = 0; k < 3 && cases[i].says[k]; k++) check_text(o.err.text, cases[i].says[k]);
        CHECK(str_is_utf8(str_c(o.err.text)));
    }
    unit_case("a wrong value is one fault, not also a missing one");
    CHECK(str_find(str_c(create(w, &w->manager, order, "{\"title\":5}").err.text), STR("missing")) < 0);
    unit_case("more faults than fit are counted");
    struct buf many = {0};
    buf_c(&many, "{");
    for (int i = 0; i < 60; i++) buf_printf(&many, "%s\"field_without_any_meaning_%d\":1", i ? "," : "", i);
    buf_c(&many, "}");
    buf_byte(&many, 0);
    struct outcome o = create(w, &w->manager, order, many.ptr);
    CHECK_ERR(o.err, ERR_INVALID);
    check_text(o.err.text, " more");
    buf_fini(&many);
}

static void fills(struct document_world *w) {
    unit_case("every kind of field, there and back");
    CHECK_OK(create(w, &w->manager, part, "{\"code\":\"PN-1\"}").err);
    struct outcome first = create(w, &w->manager, order, "{\"title\":\"first\"}");
    CHECK_OK(first.err);
    struct outcome o =
        create(w, &w->manager, order,
               "{\"title\":\"轴承 \\\"x\\\"\",\"severity\":\"high\",\"price\":\"-12.5\",\"value\":1e3,\"parent\":"
               "{\"id\":1,\"number\":\"ignored\"},\"part\":\"PA-000001\",\"thing\":\"truck-1\",\"code\":\"c1\","
               "\"pin\":\"1234\",\"extra\":{\"a\":[1,null]},\"count\":-9007199254740993,\"kept\":false,"
               "\"due\":\"2026-01-02T03:04:05.678+08:00\"}");
    if (!CHECK_OK(o.err)) return;
    struct lens lens = lens_of(&w->manager, order);
    struct buf out = {0};
    struct jw jw;
    jw_init(&jw, &out);
    documents_json(w->documents, o.doc, &lens, &w->manager, &jw);
    buf_byte(&out, 0);
    check_text(out.ptr, "\"title\":\"轴承 \\\"x\\\"\",\"severity\":\"high\",\"price\":\"-12.50\",\"value\":1000,");
    check_text(out.ptr, "\"done_at\":null,\"parent\":{\"id\":1,\"number\":\"OR-000001\"},");
    check_text(out.ptr,
               "\"part\":{\"id\":1,\"number\":\"PA-000001\"},\"thing\":\"truck-1\",\"code\":\"c1\",\"pin\":\"1234\",");
    check_text(out.ptr, "\"extra\":{\"a\":[1,null]},\"count\":-9007199254740993,\"kept\":false,");
    check_text(out.ptr, "\"due\":\"2026-01-01T19:04:05.678Z\",\"can\":[\"finish\",\"wait\",\"touch\"]}");
    check_text(out.ptr, "{\"id\":2,\"number\":\"OR-000002\",\"state\":\"open\",\"version\":1,\"created\":\"");
    struct json *again;
    if (CHECK_OK(json_parse(str_n(out.ptr, out.len - 1), &again))) json_free(again);
    buf_fini(&out);
    unit_case("defaults, and what stands after reading again");
    struct doc *doc;
    CHECK_OK(documents_by_number(w->documents, &lens, order, STR("OR-000001"), &w->arena, &doc));
    CHECK_STR(doctype_get(doc, "severity").s, STR("low"));
    CHECK_INT(doctype_get(doc, "kept").kind, VALUE_NONE);
    CHECK_STR(doc->created_by, STR("li.wei"));
    CHECK_ERR(documents_by_number(w->documents, &lens, order, STR("OR-000009"), &w->arena, &doc), ERR_NOT_FOUND);
    CHECK_ERR(documents_get(w->documents, &lens, order, -1, &w->arena, &doc), ERR_NOT_FOUND);
    unit_case("a unique value is taken by somebody who is named");
    o = create(w, &w->manager, order, "{\"title\":\"x\",\"code\":\"c1\"}");
    CHECK_ERR(o.err, ERR_CONFLICT);
    check_text(o.err.text, "code: taken by OR-000002");
    unit_case("the failed ones left no gap in the numbers");
    o = create(w, &w->manager, order, "{\"title\":\"third\"}");
    if (CHECK_OK(o.err)) CHECK_STR(o.doc->number, STR("OR-000003"));
    unit_case("another party counts from one, and may use the same code");
    o = create(w, &w->stranger, order, "{\"title\":\"x\",\"code\":\"c1\"}");
    if (CHECK_OK(o.err)) CHECK_STR(o.doc->number, STR("OR-000001"));
    unit_case("a reference does not cross parties");
    CHECK_ERR(create(w, &w->stranger, order, "{\"title\":\"x\",\"parent\":1}").err, ERR_INVALID);
}

static void takes_code(struct document_world *w) {
    struct doc *doc;
    unit_case("values by code, beside JSON; code wins, and may set what is computed");
    struct json *json;
    if (!CHECK_OK(json_parse(STR("{\"title\":\"t\",\"count\":1}"), &json))) return;
    const struct doc_set set[] = {
        {"count", VALUE_I(2)}, {"done_at", VALUE_I(5)}, {"value", VALUE_I(3)}, {"due", {.kind = VALUE_NONE}}};
    struct doc_change change = {.set = set, .n = 4, .json = json};
    if (CHECK_OK(documents_create(w->documents, &w->manager, order, &change, &w->arena, &doc))) {
        CHECK_INT(doctype_get(doc, "count").i, 2);
        CHECK_INT(doctype_get(doc, "done_at").i, 5);
        CHECK_INT(doctype_get(doc, "value").kind, VALUE_FLOAT);
    }
    json_free(json);
    unit_case("a wrong kind or name by code is a fault too");
    static const struct doc_set wrong[] = {{"title", {.kind = VALUE_INT, .i = 1}}, {"nope", {.kind = VALUE_NONE}}};
    struct doc_change bad = {.set = wrong, .n = 2};
    Err err = documents_create(w->documents, &w->system, order, &bad, &w->arena, &doc);
    CHECK_ERR(err, ERR_INVALID);
    check_text(err.text, "title: text wanted");
    check_text(err.text, "nope: no such field");
    const struct doc_set broken[] = {{"title", VALUE_S(STR("x"))}, {"extra", VALUE_S(STR("{broken"))}};
    CHECK_ERR(
        documents_create(w->documents, &w->system, order, &(struct doc_change){.set = broken, .n = 2}, &w->arena, &doc),
        ERR_INVALID);
    unit_case("the system of no party cannot create");
    struct principal nobody = principal_system(0, "nobody");
    CHECK_ERR(create(w, &nobody, order, "{\"title\":\"x\"}").err, ERR_INVALID);
}

/* ---- who may */

static void checks_roles(struct document_world *w) {
    struct outcome o = create(w, &w->technician, order, "{\"title\":\"mine\",\"count\":1}");
    unit_case("roles of create, change and transitions");
    if (!CHECK_OK(o.err)) return;
    int64_t id = o.doc->id;
    CHECK_ERR(create(w, &w->viewer, order, "{\"title\":\"x\"}").err, ERR_FORBIDDEN);
    CHECK_ERR(create(w, &w->technician, part, "{\"code\":\"x\"}").err, ERR_FORBIDDEN);
    CHECK_ERR(move(w, &w->technician, id, NULL, "{\"count\":2}", 0).err, ERR_FORBIDDEN);
    o = move(w, &w->technician, id, "finish", "{}", 0);
    CHECK_ERR(o.err, ERR_FORBIDDEN);
    check_text(o.err.text, "operator, manager");
    CHECK_ERR(move(w, &w->viewer, id, "wait", "{}", 0).err, ERR_FORBIDDEN);
    CHECK_ERR(move(w, &w->manager, id, "expire", "{}", 0).err, ERR_FORBIDDEN);
    unit_case("another party's document does not exist");
    CHECK_ERR(move(w, &w->stranger, id, NULL, "{\"count\":2}", 0).err, ERR_NOT_FOUND);
    CHECK_ERR(move(w, &w->stranger, id, "finish", "{}", 0).err, ERR_NOT_FOUND);
    struct lens theirs = lens_of(&w->stranger, order);
    CHECK_ERR(documents_get(w->documents, &theirs, order, id, &w->arena, &o.doc), ERR_NOT_FOUND);
    unit_case("a type may be closed to a role");
    struct lens lens;
    CHECK_ERR(gate_lens(&w->technician, part, "test", &lens), ERR_FORBIDDEN);
    unit_case("the system of no party works on every party's documents");
    struct principal anywhere = principal_system(0, "sweep");
    o = move(w, &anywhere, id, NULL, "{\"count\":3}", 0);
    if (CHECK_OK(o.err)) CHECK_INT(o.doc->party, w->acme);
    unit_case("a secret is the staff's to write");
    o = create(w, &w->technician, order, "{\"title\":\"x\",\"pin\":\"1\"}");
    CHECK_ERR(o.err, ERR_INVALID);
}

static void hides_fields(struct document_world *w) {
    struct outcome o = create(w, &w->manager, order, "{\"title\":\"hidden\",\"pin\":\"zebra-9\"}");
    struct lens lens = lens_of(&w->technician, order);
    struct doc *doc;
    unit_case("a hidden field is not in the answer");
    if (!CHECK_OK(o.err) || !CHECK_OK(documents_get(w->documents, &lens, order, o.doc->id, &w->arena, &doc))) return;
    CHECK_INT(doctype_get(doc, "pin").kind, VALUE_NONE);
    struct buf out = {0};
    struct jw jw;
    jw_init(&jw, &out);
    documents_json(w->documents, o.doc, &lens, &w->technician, &jw); /* even from a document read by somebody else */
    CHECK(str_find(buf_view(&out), STR("zebra")) < 0);
    CHECK(str_find(buf_view(&out), STR("\"pin\"")) < 0);
    buf_fini(&out);
    unit_case("nor in filter, order and counts; refused as if it were not there");
    const struct doc_filter guess = {.field = "pin", .value = VALUE_S(STR("zebra-9"))};
    const struct doc_filter unknown = {.field = "pim", .value = VALUE_S(STR("zebra-9"))};
    struct doc_page page;
    struct doc_count *counts;
    size_t n;
    Err hidden = documents_list(w->documents, &lens, order, &(struct doc_query){.filters = &guess, .n_filters = 1},
                                &w->arena, &page);
    Err absent = documents_list(w->documents, &lens, order, &(struct doc_query){.filters = &unknown, .n_filters = 1},
                                &w->arena, &page);
    CHECK_ERR(hidden, ERR_INVALID);
    CHECK_STR(str_c(hidden.text), STR("no field 'pin' of 'order'"));
    CHECK_STR(str_c(absent.text), STR("no field 'pim' of 'order'"));
    CHECK_ERR(documents_list(w->documents, &lens, order, &(struct doc_query){.sort = "-pin"}, &w->arena, &page),
              ERR_INVALID);
    CHECK_ERR(documents_count(w->documents, &lens, order, NULL, "pin", &w->arena, &counts, &n), ERR_INVALID);
}

/* ---- states */

static void moves(struct document_world *w) {
    struct outcome o = create(w, &w->manager, order, "{\"title\":\"moving\"}");
    unit_case("one name, two rows: the state chooses");
    if (!CHECK_OK(o.err)) return;
    int64_t first = o.doc->id, second = create(w, &w->manager, order, "{\"title\":\"moving\"}").doc->id;
    o = move(w, &w->manager, first, "finish", "{\"value\":2.5}", 0);
    if (CHECK_OK(o.err)) {
        CHECK(doctype_in_state(o.doc, "done"));
        CHECK_NUM(doctype_get(o.doc, "value").f, 2.5, 0);
        CHECK_INT(doctype_get(o.doc, "done_at").i, o.doc->changed);
        CHECK_INT(o.doc->version, 2);
    }
    CHECK_OK(move(w, &w->technician, second, "wait", "{}", 0).err);
    o = move(w, &w->manager, second, "finish", "{\"value\":1}", 0);
    CHECK_ERR(o.err, ERR_INVALID);
    CHECK_STR(str_c(o.err.text), STR("title: 'finish' needs it"));
    o = move(w, &w->manager, second, "finish", "{\"value\":null,\"title\":\"t\",\"count\":1}", 0);
    CHECK_ERR(o.err, ERR_INVALID);
    check_text(o.err.text, "value: 'finish' needs it");
    check_text(o.err.text, "count: 'finish' does not take it");
    CHECK_OK(move(w, &w->manager, second, "finish", "{\"value\":1,\"title\":\"t\"}", 0).err);
    unit_case("from a wrong state, the error says what is possible");
    o = move(w, &w->manager, first, "finish", "{}", 0);
    CHECK_ERR(o.err, ERR_STATE);
    check_text(o.err.text, "is done: 'finish' needs open, waiting; possible now: nothing");
    int64_t third = create(w, &w->manager, order, "{\"title\":\"x\"}").doc->id;
    CHECK_OK(move(w, &w->manager, third, "wait", "{}", 0).err);
    o = move(w, &w->manager, third, "wait", "{}", 0);
    CHECK_ERR(o.err, ERR_STATE);
    check_text(o.err.text, "possible now: finish, touch");
    unit_case("an unknown transition");
    o = move(w, &w->manager, third, "explode", "{}", 0);
    CHECK_ERR(o.err, ERR_NOT_FOUND);
    check_text(o.err.text, "there is finish, wait, touch, expire");
    CHECK_ERR(move(w, &w->manager, third, "", "{}", 0).err, ERR_INVALID);
    CHECK_ERR(move(w, &w->manager, 99999, "wait", "{}", 0).err, ERR_NOT_FOUND);
    unit_case("a transition that stays");
    o = move(w, &w->manager, third, "touch", "{\"count\":4}", 0);
    if (CHECK_OK(o.err)) CHECK(doctype_in_state(o.doc, "waiting"));
}

static void changes(struct document_world *w) {
    struct outcome o = create(w, &w->manager, order, "{\"title\":\"v1\",\"count\":1,\"code\":\"chg\"}");
    unit_case("versions");
    if (!CHECK_OK(o.err)) return;
    int64_t id = o.doc->id;
    o = move(w, &w->manager, id, NULL, "{\"title\":\"v2\",\"count\":null}", 1);
    if (CHECK_OK(o.err)) {
        CHECK_INT(o.doc->version, 2);
        CHECK_INT(doctype_get(o.doc, "count").kind, VALUE_NONE);
        CHECK_STR(doctype_get(o.doc, "code").s, STR("chg"));
    }
    o = move(w, &w->manager, id, NULL, "{\"title\":\"v3\"}", 1);
    CHECK_ERR(o.err, ERR_PRECONDITION);
    check_text(o.err.text, "is at version 2, not 1");
    CHECK_ERR(move(w, &w->manager, id, "wait", "{}", 1).err, ERR_PRECONDITION);
    unit_case("what changes nothing writes nothing");
    o = move(w, &w->manager, id, NULL, "{\"title\":\"v2\",\"code\":\"chg\"}", 2);
    if (CHECK_OK(o.err)) CHECK_INT(o.doc->version, 2);
    o = move(w, &w->manager, id, NULL, "{}", 0);
    if (CHECK_OK(o.err)) CHECK_INT(o.doc->version, 2);
    unit_case("required stays, unique stays");
    CHECK_ERR(move(w, &w->manager, id, NULL, "{\"title\":null}", 0).err, ERR_INVALID);
    CHECK_ERR(move(w, &w->manager, id, NULL, "{\"code\":\"c1\"}", 0).err, ERR_CONFLICT);
    CHECK_ERR(move(w, &w->manager, 99999, NULL, "{}", 0).err, ERR_NOT_FOUND);
}

/* ---- asking */

static void parses_filters(struct document_world *w) {
    static const struct {
        const char *key, *text;
        enum err_code code;
        enum doc_op op;
        enum value_kind kind;
    } cases[] = {
        {"severity", "high", ERR_NONE, DOC_EQ, VALUE_STRING},
        {"severity", "worst", ERR_INVALID, 0, 0},
        {"state", "open", ERR_NONE, DOC_EQ, VALUE_STRING},
        {"state", "opened", ERR_INVALID, 0, 0},
        {"state!=", "done", ERR_NONE, DOC_NE, VALUE_STRING},
        {"created>=", "2026-01-01", ERR_NONE, DOC_GE, VALUE_INT},
        {"created>", "2026-01-01", ERR_NONE, DOC_GE, VALUE_INT},
        {"due<", "2026-01-01T00:00:00Z", ERR_NONE, DOC_LE, VALUE_INT},
        {"due", "never", ERR_INVALID, 0, 0},
        {"price<=", "12.5", ERR_NONE, DOC_LE, VALUE_INT},
        {"price", "12,5", ERR_INVALID, 0, 0},
        {"value", "1e3", ERR_NONE, DOC_EQ, VALUE_FLOAT},
        {"value", "nan", ERR_INVALID, 0, 0},
        {"count", "7", ERR_NONE, DOC_EQ, VALUE_INT},
        {"count", "7.5", ERR_INVALID, 0, 0},
        {"kept", "true", ERR_NONE, DOC_EQ, VALUE_BOOL},
        {"kept", "yes", ERR_INVALID, 0, 0},
        {"parent", "OR-000001", ERR_NONE, DOC_EQ, VALUE_STRING},
        {"parent", "1", ERR_NONE, DOC_EQ, VALUE_INT},
        {"title~", "AX", ERR_NONE, DOC_CONTAINS, VALUE_STRING},
        {"due?", "false", ERR_NONE, DOC_IS_SET, VALUE_BOOL},
        {"due?", "maybe", ERR_INVALID, 0, 0},
        {"nope", "1", ERR_INVALID, 0, 0},
        {"party", "2", ERR_INVALID, 0, 0},
        {"", "1", ERR_INVALID, 0, 0},
        {"id", "1", ERR_NONE, DOC_EQ, VALUE_INT},
        {"created_by", "li.wei", ERR_NONE, DOC_EQ, VALUE_STRING},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct doc_filter filter;
        unit_case(cases[i].key);
        Err err = documents_parse_filter(order, str_c(cases[i].key), str_c(cases[i].text), &w->arena, &filter);
        CHECK_INT(err.code, cases[i].code);
        if (err.code != ERR_NONE || cases[i].code != ERR_NONE) continue;
        CHECK_INT(filter.op, cases[i].op);
        CHECK_INT(filter.value.kind, cases[i].kind);
    }
}

/* A world of its own: ten orders whose count is 0…9, severity by thirds, the odd ones waiting. */
static bool fill_ten(struct document_world *w) {
    for (int i = 0; i < 10; i++) {
        char text[200];
        snprintf(text, sizeof text,
                 "{\"title\":\"Order %d\",\"count\":%d,\"severity\":\"%s\",\"price\":\"%d.25\"%s%d%s}", i, i,
                 i % 3 == 0   ? "low"
                 : i % 3 == 1 ? "high"
                              : "critical",
                 i, i > 0 ? ",\"parent\":" : ",\"kept\":true,\"value\":", i ? 1 : 0,
                 i % 2 ? ",\"thing\":\"truck-1\"" : "");
        struct outcome o = create(w, &w->manager, order, text);
        if (!CHECK_OK(o.err)) return false;
        if (i % 2) CHECK_OK(move(w, &w->manager, o.doc->id, "wait", "{}", 0).err);
    }
    return true;
}

static void check_list(struct document_world *w, const struct doc_filter *filters, size_t n, const char *sort,
                       const char *want) {
    struct lens lens = lens_of(&w->manager, order);
    struct doc_query query = {.filters = filters, .n_filters = n, .sort = sort};
    struct doc_page page;
    char got[64] = "";
    if (!CHECK_OK(documents_list(w->documents, &lens, order, &query, &w->arena, &page))) return;
    for (size_t i = 0; i < page.n; i++)
        snprintf(got + strlen(got), sizeof got - strlen(got), "%lld", (long long)doctype_get(page.docs[i], "count").i);
    CHECK_STR(str_c(got), str_c(want));
    CHECK_INT(page.total, strlen(want));
}

static void lists(void) {
    struct document_world w = {.dir = NULL};
    if (!document_world_open(&w) || !fill_ten(&w)) return;
    const struct {
        const char *name, *sort, *want;
        struct doc_filter filters[3];
        size_t n;
    } cases[] = {
        {"newest first by itself", NULL, "9876543210", {{0}}, 0},
        {"by a field", "count", "0123456789", {{0}}, 0},
        {"by a choice, then id", "-severity", "9630741852", {{0}}, 0},
        {"state", "id", "13579", {{"state", DOC_EQ, VALUE_S(STR("waiting"))}}, 1},
        {"equals on one field are alternatives",
         "id",
         "124578",
         {{"severity", DOC_EQ, VALUE_S(STR("high"))},
          {"severity", DOC_EQ, VALUE_S(STR("critical"))},
          {"state", DOC_IS_SET, {0}}},
         2},
        {"with another filter",
         "id",
         "17",
         {{"severity", DOC_EQ, VALUE_S(STR("high"))}, {"state", DOC_EQ, VALUE_S(STR("waiting"))}},
         2},
        {"a range", "id", "345", {{"count", DOC_GE, VALUE_I(3)}, {"count", DOC_LT, VALUE_I(6)}}, 2},
        {"a decimal", "id", "89", {{"price", DOC_GT, VALUE_I(725)}}, 1},
        {"a reference by number", "id", "123456789", {{"parent", DOC_EQ, VALUE_S(STR("OR-000001"))}}, 1},
        {"a reference that leads nowhere", "id", "", {{"parent", DOC_EQ, VALUE_S(STR("OR-000099"))}}, 1},
        {"a thing", "-id", "97531", {{"thing", DOC_EQ, VALUE_S(STR("truck-1"))}}, 1},
        {"not set", "id", "0", {{"parent", DOC_IS_SET, VALUE_B(false)}}, 1},
        {"contains", "id", "7", {{"title", DOC_CONTAINS, VALUE_S(STR("ORDER 7"))}}, 1},
        {"a number", "id", "4", {{"number", DOC_EQ, VALUE_S(STR("OR-000005"))}}, 1},
        {"not", "id", "02468", {{"thing", DOC_NE, VALUE_S(STR("truck-1"))}}, 1},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        unit_case(cases[i].name);
        check_list(&w, cases[i].filters, cases[i].n, cases[i].sort, cases[i].want);
    }
    unit_case("pages");
    struct lens lens = lens_of(&w.manager, order);
    struct doc_query query = {.sort = "-severity", .limit = 3};
    struct doc_page page;
    size_t seen = 0, pages = 0;
    do {
        if (!CHECK_OK(documents_list(w.documents, &lens, order, &query, &w.arena, &page))) break;
        CHECK_INT(page.total, 10);
        seen += page.n;
        query.cursor = page.next;
    } while (page.next.len > 0 && ++pages < 10);
    CHECK_INT(seen, 10);
    CHECK_INT(pages, 3);
    query.sort = "count";
    query.cursor = STR("2d.1.n");
    CHECK_ERR(documents_list(w.documents, &lens, order, &query, &w.arena, &page), ERR_INVALID);
    unit_case("counts by state and by choice");
    struct doc_count *counts;
    size_t n;
    CHECK_OK(documents_count(w.documents, &lens, order, NULL, "severity", &w.arena, &counts, &n));
    if (CHECK_INT(n, 3)) {
        CHECK_STR(counts[0].key.s, STR("critical"));
        CHECK_INT(counts[0].count, 3);
        CHECK_INT(counts[2].count, 4);
    }
    const struct doc_filter waiting = {.field = "state", .value = VALUE_S(STR("waiting"))};
    CHECK_OK(documents_count(w.documents, &lens, order, &(struct doc_query){.filters = &waiting, .n_filters = 1},
                             "state", &w.arena, &counts, &n));
    if (CHECK_INT(n, 1)) CHECK_INT(counts[0].count, 5);
    unit_case("filters of a wrong kind or name");
    const struct doc_filter bad[] = {
        {"count", DOC_EQ, VALUE_S(STR("x"))},    {"state", DOC_EQ, VALUE_S(STR("x"))},
        {"created", DOC_EQ, VALUE_S(STR("x"))},  {"count", DOC_CONTAINS, VALUE_S(STR("1"))},
        {"severity", DOC_EQ, VALUE_S(STR("x"))}, {"title", DOC_CONTAINS, VALUE_I(1)}};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        CHECK_ERR(documents_list(w.documents, &lens, order, &(struct doc_query){.filters = &bad[i], .n_filters = 1},
                                 &w.arena, &page),
                  ERR_INVALID);
    document_world_close(&w);
}

/* ---- what is left behind */

static void audits(void) {
    struct document_world w = {.dir = NULL};
    struct audit_row *rows;
    size_t n;
    if (!document_world_open(&w)) return;
    unit_case("every write is in the audit, with before and after, secrets masked");
    struct outcome o = create(&w, &w.manager, order, "{\"title\":\"t\",\"pin\":\"zebra\"}");
    if (!CHECK_OK(o.err)) return;
    CHECK_OK(move(&w, &w.manager, o.doc->id, NULL, "{\"title\":\"u\",\"pin\":\"yak\"}", 0).err);
    CHECK_OK(move(&w, &w.technician, o.doc->id, "wait", "{}", 0).err);
    CHECK_ERR(move(&w, &w.technician, o.doc->id, "wait", "{}", 0).err, ERR_STATE);
    struct lens lens = lens_of(&w.manager, NULL);
    CHECK_OK(audit_list(w.records, &lens, STR("order"), STR("OR-000001"), 0, 10, &w.arena, &rows, &n));
    if (CHECK_INT(n, 3)) {
        CHECK_STR(rows[0].action, STR("transition:wait"));
        CHECK_STR(rows[0].who, STR("chen"));
        CHECK_STR(rows[0].before, STR("{\"state\":\"open\"}"));
        CHECK_STR(rows[0].after, STR("{\"state\":\"waiting\"}"));
        CHECK_STR(rows[1].before, STR("{\"title\":\"t\",\"pin\":\"***\"}"));
        CHECK_STR(rows[1].after, STR("{\"title\":\"u\",\"pin\":\"***\"}"));
        CHECK_STR(rows[2].action, STR("create"));
        CHECK_STR(rows[2].before, STR(""));
        CHECK_STR(rows[2].after, STR("{\"state\":\"open\",\"title\":\"t\",\"severity\":\"low\",\"pin\":\"***\"}"));
    }
    unit_case("older ones by id, of one party");
    CHECK_OK(audit_list(w.records, &lens, STR("order"), STR(""), rows[1].id, 10, &w.arena, &rows, &n));
    CHECK_INT(n, 1);
    struct lens theirs = lens_of(&w.stranger, NULL);
    CHECK_OK(audit_list(w.records, &theirs, STR("order"), STR(""), 0, 10, &w.arena, &rows, &n));
    CHECK_INT(n, 0);
    document_world_close(&w);
}

static void count_commits(void *ctx) { __atomic_add_fetch((int *)ctx, 1, __ATOMIC_RELAXED); }

static void check_outbox(struct document_world *w, const char *reader, const char *want) {
    struct outbox_row *rows;
    size_t n;
    char got[200] = "";
    CHECK_OK(documents_outbox(w->documents, reader, 100, &w->arena, &rows, &n));
    for (size_t i = 0; i < n; i++)
        snprintf(got + strlen(got), sizeof got - strlen(got), STR_FMT "%lld ", STR_ARG(rows[i].what),
                 (long long)rows[i].version);
    CHECK_STR(str_c(got), str_c(want));
}

static void leaves_outbox(void) {
    struct document_world w = {.dir = NULL};
    struct outbox_row *rows;
    int woken = 0;
    size_t n;
    if (!document_world_open(&w)) return;
    documents_on_commit(w.documents, count_commits, &woken);
    unit_case("each reader has its own place; rows stay until all have passed");
    struct outcome o = create(&w, &w.manager, order, "{\"title\":\"t\"}");
    CHECK_OK(move(&w, &w.manager, o.doc->id, NULL, "{\"count\":1}", 0).err);
    CHECK_OK(move(&w, &w.manager, o.doc->id, NULL, "{\"count\":1}", 0).err); /* nothing */
    CHECK_OK(move(&w, &w.manager, o.doc->id, "wait", "{}", 0).err);
    CHECK_ERR(create(&w, &w.manager, order, "{}").err, ERR_INVALID);
    check_outbox(&w, "react", "create1 change2 wait3 ");
    check_outbox(&w, "live", "create1 change2 wait3 ");
    CHECK_OK(documents_outbox(w.documents, "react", 2, &w.arena, &rows, &n));
    if (CHECK_INT(n, 2)) CHECK_STR(rows[1].type, STR("order"));
    CHECK_OK(documents_outbox_done(w.documents, "react", rows[1].seq));
    check_outbox(&w, "react", "wait3 ");
    check_outbox(&w, "live", "create1 change2 wait3 ");
    CHECK_OK(documents_outbox_done(w.documents, "live", rows[1].seq + 1));
    check_outbox(&w, "live", "");
    check_outbox(&w, "react", "wait3 ");
    unit_case("a place never goes back");
    CHECK_OK(documents_outbox_done(w.documents, "live", 1));
    check_outbox(&w, "live", "");
    unit_case("a commit that changed documents wakes, one that did not does not");
    CHECK_INT(__atomic_load_n(&woken, __ATOMIC_RELAXED), 3);
    unit_case("after a restart the places stand and numbers go on");
    int64_t last = rows[1].seq + 1;
    CHECK_OK(documents_outbox_done(w.documents, "react", last));
    document_world_close(&w);
    if (!document_world_open(&w)) return;
    check_outbox(&w, "react", "");
    CHECK_OK(create(&w, &w.manager, order, "{\"title\":\"t\"}").err);
    CHECK_OK(documents_outbox(w.documents, "react", 100, &w.arena, &rows, &n));
    if (CHECK_INT(n, 1)) CHECK_INT(rows[0].seq, last + 1);
    document_world_close(&w);
}

/* ---- many at once */

#define WRITERS 8
#define EACH 40

struct writer {
    struct document_world *w;
    const struct principal *who;
    int64_t shared; /* a document that all of them count up */
    int failed, lost;
};

/* Reads, adds one, writes if nobody did meanwhile; again until it went through. */
static void count_up(struct writer *writer, struct arena *arena) {
    struct lens lens;
    for (;;) {
        struct doc *doc;
        if (gate_lens(writer->who, order, "test", &lens).code != ERR_NONE ||
            documents_get(writer->w->documents, &lens, order, writer->shared, arena, &doc).code != ERR_NONE)
            break;
        const struct doc_set set = {"count", VALUE_I(doctype_get(doc, "count").i + 1)};
        struct doc_change change = {.set = &set, .n = 1, .if_version = doc->version};
        Err err = documents_change(writer->w->documents, writer->who, order, doc->id, &change, arena, &doc);
        if (err.code == ERR_NONE) return;
        if (err.code != ERR_PRECONDITION) break;
        writer->lost++;
    }
    writer->failed++;
}

static void write_many(void *ctx) {
    struct writer *writer = ctx;
    struct arena arena;
    arena_init(&arena, 0);
    for (int i = 0; i < EACH; i++) {
        const struct doc_set set = {"title", VALUE_S(STR("at once"))};
        struct doc_change change = {.set = &set, .n = 1};
        struct doc *doc;
        arena_reset(&arena);
        Err err = documents_create(writer->w->documents, writer->who, order, &change, &arena, &doc);
        if (err.code == ERR_NONE && i % 2)
            err = documents_transition(writer->w->documents, writer->who, order, doc->id, STR("wait"), NULL, &arena,
                                       &doc);
        writer->failed += err.code != ERR_NONE;
        count_up(writer, &arena);
    }
    arena_fini(&arena);
}

static void loses_nothing(void) {
    struct document_world w = {.dir = NULL};
    struct writer writers[WRITERS];
    struct thread *threads[WRITERS];
    if (!document_world_open(&w)) return;
    unit_case("eight writers: no update is lost, no number given twice or left out");
    struct outcome o = create(&w, &w.manager, order, "{\"title\":\"counter\",\"count\":0}");
    if (!CHECK_OK(o.err)) return;
    for (int i = 0; i < WRITERS; i++) {
        writers[i] = (struct writer){.w = &w, .who = &w.manager, .shared = o.doc->id};
        if (!CHECK_OK(thread_start(&threads[i], "writer", write_many, &writers[i]))) return;
    }
    for (int i = 0; i < WRITERS; i++) thread_join(threads[i]);
    for (int i = 0; i < WRITERS; i++) CHECK_INT(writers[i].failed, 0);
    struct lens lens = lens_of(&w.manager, order);
    struct doc *doc;
    CHECK_OK(documents_get(w.documents, &lens, order, o.doc->id, &w.arena, &doc));
    CHECK_INT(doctype_get(doc, "count").i, WRITERS * EACH);
    CHECK_INT(doc->version, 1 + WRITERS * EACH);
    char last[16];
    snprintf(last, sizeof last, "OR-%06d", WRITERS * EACH + 1);
    struct doc_page page;
    CHECK_OK(
        documents_list(w.documents, &lens, order, &(struct doc_query){.sort = "-number", .limit = 1}, &w.arena, &page));
    CHECK_INT(page.total, WRITERS * EACH + 1);
    if (CHECK_INT(page.n, 1)) CHECK_STR(page.docs[0]->number, str_c(last));
    struct outbox_row *rows;
    size_t n;
    CHECK_OK(documents_outbox(w.documents, "all", 1000, &w.arena, &rows, &n));
    CHECK_INT(n, 1 + WRITERS * EACH * 5 / 2);
    document_world_close(&w);
}

/* ---- types */

static void refuses_types(void) {
    static const struct doc_state states[] = {{"a", "A", "A", false, "info"}};
    static const struct field time = {.name = "t", .kind = FIELD_TIME}, text = {.name = "t", .kind = FIELD_TEXT};
    static const struct field number = {.name = "number"}, choice = {.name = "c", .kind = FIELD_CHOICE};
    static const struct field ref = {.name = "r", .kind = FIELD_REF, .ref = "nobody"};
    static const struct field fallback = {.name = "n", .kind = FIELD_INT, .fallback = "x"};
    static const struct transition from = {.name = "x", .from = "b"}, to = {.name = "x", .from = "a", .to = "b"},
                                   needs = {.name = "x", .from = "a", .needs = "t|u"},
                                   stamps = {.name = "x", .from = "a", .stamps = "t"};
    static const struct {
        const char *says;
        const struct field *field;
        const struct transition *transition;
    } cases[] = {
        {"every document has 'number' already", &number, NULL},
        {"field 'c' has no choices", &choice, NULL},
        {"field 'r' refers to no type", &ref, NULL},
        {"default of n: a whole number wanted", &fallback, NULL},
        {"leaves no state 'b'", &time, &from},
        {"leads to no state 'b'", &time, &to},
        {"names no field 'u'", &time, &needs},
        {"stamps no time 't'", &text, &stamps},
    };
    struct records *records;
    if (!CHECK_OK(
            records_open(&(struct records_options){.dir = unit_temp_dir(), .url = store_postgresql_url()}, &records)))
        return;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        unit_case(cases[i].says);
        struct doctype type = {.name = "bad",
                               .fields = cases[i].field,
                               .n_fields = 1,
                               .states = states,
                               .n_states = 1,
                               .transitions = cases[i].transition,
                               .n_transitions = cases[i].transition != NULL};
        const struct doctype *const types[] = {&type, NULL};
        struct documents *d;
        Err err = documents_open(&(struct documents_options){.records = records, .types = types}, &d);
        CHECK_ERR(err, ERR_INVALID);
        check_text(err.text, cases[i].says);
    }
    records_close(records);
}

static void describes(void) {
    struct buf out = {0};
    struct jw jw;
    unit_case("a type as JSON");
    jw_init(&jw, &out);
    documents_type_json(order, NULL, &jw);
    buf_byte(&out, 0);
    check_text(out.ptr,
               "{\"name\":\"order\",\"title_en\":\"Order\",\"title_zh\":\"单\",\"prefix\":\"OR\",\"fields\":[");
    check_text(out.ptr, "{\"name\":\"price\",\"title_en\":null,\"title_zh\":null,\"kind\":\"decimal\",\"scale\":2,");
    check_text(out.ptr, "\"kind\":\"choice\",\"required\":false,\"unique\":false,\"computed\":false,\"unit\":null,"
                        "\"choices\":[{\"name\":\"low\",");
    check_text(out.ptr, "\"from\":[\"waiting\"],\"to\":\"done\",\"roles\":[\"operator\",\"manager\"],\"needs\":["
                        "\"value\",\"title\"],\"takes\":[]}");
    check_text(out.ptr,
               "\"name\":\"touch\",\"title_en\":null,\"title_zh\":null,\"from\":[\"open\",\"waiting\"],\"to\":null,");
    struct json *json;
    if (CHECK_OK(json_parse(str_n(out.ptr, out.len - 1), &json))) json_free(json);
    buf_fini(&out);
}

static const struct field wide_fields[] = {{.name = "code", .kind = FIELD_TEXT, .required = true, .unique = true},
                                           {.name = "grown", .kind = FIELD_INT, .indexed = true}};

static void widens(void) {
    struct document_world w = {.dir = NULL};
    unit_case("a type that got a field: old documents stand, new ones have it");
    if (!document_world_open(&w)) return;
    CHECK_OK(create(&w, &w.manager, part, "{\"code\":\"old\"}").err);
    document_world_close(&w);
    struct doctype wide = *part;
    wide.fields = wide_fields;
    wide.n_fields = 2;
    const struct doctype *const types[] = {&wide, NULL};
    struct records *records;
    struct documents *d;
    struct arena arena;
    if (!CHECK_OK(records_open(&(struct records_options){.dir = w.dir, .url = store_postgresql_for(w.dir)}, &records)))
        return;
    arena_init(&arena, 0);
    CHECK_OK(documents_open(&(struct documents_options){.records = records, .types = types}, &d));
    struct doc *doc;
    struct lens lens = lens_of(&w.manager, &wide);
    if (CHECK_OK(documents_by_number(d, &lens, &wide, STR("PA-000001"), &arena, &doc)))
        CHECK_INT(doctype_get(doc, "grown").kind, VALUE_NONE);
    const struct doc_set set = {"grown", VALUE_I(5)};
    CHECK_OK(documents_change(d, &w.manager, &wide, 1, &(struct doc_change){.set = &set, .n = 1}, &arena, &doc));
    CHECK_INT(doctype_get(doc, "grown").i, 5);
    documents_close(d);
    records_close(records);
    arena_fini(&arena);
}

void documents_test(void) {
    struct document_world w = {.dir = NULL};
    if (!document_world_open(&w)) return;
    validates(&w);
    fills(&w);
    takes_code(&w);
    checks_roles(&w);
    hides_fields(&w);
    moves(&w);
    changes(&w);
    parses_filters(&w);
    document_world_close(&w);
    lists();
    audits();
    leaves_outbox();
    loses_nothing();
    refuses_types();
    describes();
    widens();
}
