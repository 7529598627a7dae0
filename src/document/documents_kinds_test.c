/* Every kind of field, lines, checks, computed fields, numbers, removal, other types at run time, groups and words. */
#include <stdio.h>
#include <string.h>

#include "document/documents.h"
#include "model/script.h"
#include "store/blobs.h"
#include "store/records.h"
#include "tests/unit.h"
#include "trust/audit.h"
#include "trust/gate.h"
#include "trust/people.h"
#include "trust/seal.h"

void documents_kinds_test(void);

/* ---- a purchase, with all there is */

static const struct field item_fields[] = {
    {.name = "part", .kind = FIELD_REF, .ref = "ware", .required = true},
    {.name = "quantity", .kind = FIELD_DECIMAL, .scale = 3, .unit = "KGM", .required = true},
    {.name = "price", .kind = FIELD_MONEY, .scale = 2, .currency = "CNY"},
    {.name = "sum", .kind = FIELD_MONEY, .scale = 2, .currency = "CNY", .compute = "line_sum"},
    {.name = "note", .kind = FIELD_TEXT, .fallback = "-"},
};
static struct doctype item = {.name = "item", .fields = item_fields, .n_fields = 5};
static const struct choice grades[] = {{"low", "Low", "低"}, {"high", "High", "高"}, {.name = NULL}};
static const struct field purchase_fields[] = {
    {.name = "title", .kind = FIELD_TEXT, .required = true},
    {.name = "budget", .kind = FIELD_MONEY, .scale = 2, .companion = 3},
    {.name = "budget_currency", .kind = FIELD_TEXT, .hidden = true},
    {.name = "due", .kind = FIELD_DATE},
    {.name = "begins", .kind = FIELD_DATE},
    {.name = "supplier", .kind = FIELD_PARTY},
    {.name = "place", .kind = FIELD_GEOMETRY},
    {.name = "items", .kind = FIELD_LINES, .lines = &item},
    {.name = "total", .kind = FIELD_MONEY, .scale = 2, .currency = "CNY", .compute = "total"},
    {.name = "uscc", .kind = FIELD_TEXT, .format = "uscc"},
    {.name = "drawing", .kind = FIELD_FILE},
    {.name = "margin", .kind = FIELD_DECIMAL, .scale = 2, .share = SHARE_SECRET},
    {.name = "grade", .kind = FIELD_CHOICE, .choices = grades, .fallback = "low"},
    {.name = "ware", .kind = FIELD_REF, .ref = "ware"},
    {.name = "x_own", .kind = FIELD_TEXT, .custom_of = 1},
};
static const struct doc_state purchase_states[] = {
    {.name = "draft", .title_en = "Draft"}, {.name = "sent", .title_en = "Sent"}, {.name = "done", .final = true}};
static const struct transition purchase_transitions[] = {
    {.name = "send", .title_en = "Send", .from = "draft", .to = "sent", .roles = ROLE_STAFF, .takes = "items"},
    {.name = "close", .from = "sent", .to = "done", .roles = ROLE_STAFF}};
static const struct doc_check purchase_checks[] = {
    {.field = "due", .op = DOC_GE, .other = "begins", .message_en = "due before it begins", .message_zh = "早于开始"},
    {.field = "items", .op = DOC_LE, .text = "3", .message_en = "too many lines"},
    {.transition = "send", .field = "due", .op = DOC_IS_SET, .text = "true", .message_en = "when is it due?"},
    {.transition = "send", .function = "sendable", .message_en = "nothing in it"},
};
static struct doctype purchase = {.name = "purchase",
                                  .title_en = "Purchase",
                                  .title_zh = "采购",
                                  .prefix = "PU",
                                  .number = "PU-{yyyy}{mm}-{0000}",
                                  .fields = purchase_fields,
                                  .n_fields = sizeof purchase_fields / sizeof *purchase_fields,
                                  .states = purchase_states,
                                  .n_states = 3,
                                  .transitions = purchase_transitions,
                                  .n_transitions = 2,
                                  .checks = purchase_checks,
                                  .n_checks = 4,
                                  .read_roles = ROLE_PEOPLE,
                                  .create_roles = ROLE_STAFF,
                                  .change_roles = ROLE_STAFF,
                                  .delete_roles = ROLE_STAFF};
static const struct field ware_fields[] = {{.name = "code", .kind = FIELD_TEXT, .required = true, .unique = true},
                                           {.name = "called", .kind = FIELD_TEXT}};
static const struct doc_state ware_states[] = {{.name = "active"}};
static const struct doctype ware = {.name = "ware",
                                    .prefix = "WA",
                                    .fields = ware_fields,
                                    .n_fields = 2,
                                    .states = ware_states,
                                    .n_states = 1,
                                    .read_roles = ROLE_PEOPLE,
                                    .create_roles = ROLE_STAFF,
                                    .change_roles = ROLE_STAFF,
                                    .delete_roles = ROLE_STAFF,
                                    .label = "called"};
static const struct doctype event = {.name = "event",
                                     .prefix = "EV",
                                     .fields = ware_fields,
                                     .n_fields = 2,
                                     .states = ware_states,
                                     .n_states = 1,
                                     .read_roles = ROLE_PEOPLE,
                                     .create_roles = ROLE_STAFF,
                                     .change_roles = ROLE_STAFF,
                                     .immutable = true};
static const struct doctype *const types[] = {&purchase, &ware, &event, NULL};

static const char script_text[] =
    "function line_sum(l) if l.price == nil then return nil end return l.quantity * l.price end\n"
    "function total(d) local s = decimal('0') for _, l in ipairs(d.items) do if l.sum then s = s + l.sum end end "
    "return "
    "s end\n"
    "function sendable(d) return #d.items > 0 end\n";

struct rig {
    const char *dir;
    Nanos now;
    struct clock clock;
    struct records *records;
    struct people *people;
    struct seal *seal;
    struct blobs *blobs;
    struct script *script;
    struct documents *documents;
    struct arena arena;
    PartyId acme, other;
    struct principal manager, worker, stranger;
};

static Nanos tick(void *ctx) {
    struct rig *r = ctx;
    return __atomic_add_fetch(&r->now, NANOS_PER_MS, __ATOMIC_RELAXED);
}

static Err find_party(void *ctx, Str name, PartyId *out) {
    struct rig *r = ctx;
    *out = str_eq_c(name, "acme") ? r->acme : r->other;
    return str_eq_c(name, "acme") || str_eq_c(name, "other") ? err_none() : err_make(ERR_NOT_FOUND, "no such party");
}

static Err party_name(void *ctx, PartyId party, struct arena *arena, Str *out) {
    struct rig *r = ctx;
    (void)arena;
    *out = str_c(party == r->acme ? "acme" : "other");
    return party == r->acme || party == r->other ? err_none() : err_make(ERR_NOT_FOUND, "no such party");
}

static bool open_documents(struct rig *r, const struct doctype *const *what) {
    struct documents_options options = {.records = r->records,
                                        .types = what,
                                        .clock = &r->clock,
                                        .seal = r->seal,
                                        .blobs = r->blobs,
                                        .search = true,
                                        .find_party = find_party,
                                        .party_name = party_name,
                                        .party_ctx = r};
    return CHECK_OK(documents_open(&options, &r->documents));
}

static struct principal person(PartyId party, enum role role, const char *name) {
    struct principal who = {.party = party, .user = 7, .roles = ROLE_BIT(role)};
    snprintf(who.name, sizeof who.name, "%s", name);
    return who;
}

static bool open_rig(struct rig *r) {
    *r = (struct rig){.dir = unit_temp_dir(), .now = 1772928000 * NANOS_PER_S}; /* 2026-03-08 */
    r->clock = (struct clock){.now = tick, .ctx = r};
    arena_init(&r->arena, 0);
    if (!CHECK_OK(script_compile(STR("test.lua"), str_c(script_text), NULL, &r->script)) ||
        !CHECK_OK(records_open(&(struct records_options){.dir = r->dir, .clock = &r->clock}, &r->records)) ||
        !CHECK_OK(people_open(r->records, &r->clock, &r->people)) ||
        !CHECK_OK(seal_open(&(struct seal_options){.dir = r->dir}, &r->seal)) ||
        !CHECK_OK(blobs_open(r->dir, NULL, &r->blobs)))
        return false;
    purchase.script = item.script = r->script;
    CHECK_OK(people_party(r->people, STR("acme"), &r->acme));
    CHECK_OK(people_party(r->people, STR("other"), &r->other));
    r->manager = person(r->acme, ROLE_MANAGER, "li.wei");
    r->worker = person(r->acme, ROLE_WORKER, "wang");
    r->stranger = person(r->other, ROLE_MANAGER, "zoe");
    return open_documents(r, types);
}

static void close_rig(struct rig *r) {
    documents_close(r->documents);
    blobs_close(r->blobs);
    seal_close(r->seal);
    people_close(r->people);
    records_close(r->records);
    script_free(r->script);
    arena_fini(&r->arena);
}

/* ---- one call each */

static Err create(struct rig *r, const struct principal *who, const struct doctype *type, const char *text,
                  struct doc **doc) {
    struct json *json;
    *doc = NULL;
    TRY(json_parse(str_c(text), &json));
    struct doc_change change = {.json = json};
    Err err = documents_create(r->documents, who, type, &change, &r->arena, doc);
    json_free(json);
    return err;
}

static Err change(struct rig *r, const struct principal *who, const struct doctype *type, int64_t id, const char *step,
                  const char *text, struct doc **doc) {
    struct json *json;
    TRY(json_parse(str_c(text), &json));
    struct doc_change c = {.json = json};
    Err err = step ? documents_transition(r->documents, who, type, id, str_c(step), &c, &r->arena, doc)
                   : documents_change(r->documents, who, type, id, &c, &r->arena, doc);
    json_free(json);
    return err;
}

static struct lens lens_of(const struct principal *who, const struct doctype *type) {
    struct lens lens;
    CHECK_OK(gate_lens(who, type, "test", &lens));
    return lens;
}

static Str json_of(struct rig *r, const struct doc *doc, const struct lens *lens) {
    struct buf out = {0};
    struct jw w;
    jw_init(&w, &out);
    documents_json(r->documents, doc, lens, NULL, &w);
    Str text = arena_str(&r->arena, buf_view(&out));
    buf_fini(&out);
    return text;
}

static void says(Str text, const char *part) {
    if (str_find(text, str_c(part)) >= 0)
        CHECK(true);
    else
        CHECK_STR(text, str_c(part));
}

/* ---- the kinds */

static void refuses(struct rig *r) {
    static const struct {
        const char *json, *says;
    } cases[] = {
        {"{\"title\":\"x\",\"budget\":{\"amount\":\"1\"}}", "budget: of which currency?"},
        {"{\"title\":\"x\",\"budget\":{\"amount\":\"1\",\"currency\":\"ZZZ\"}}", "budget: no currency 'ZZZ'"},
        {"{\"title\":\"x\",\"budget\":{\"amount\":1,\"currency\":\"CNY\"}}", "budget: a decimal travels as a string"},
        {"{\"title\":\"x\",\"budget\":{\"amount\":\"1.234\",\"currency\":\"CNY\"}}", "at most 2 digits"},
        {"{\"title\":\"x\",\"budget\":true}", "budget: money such as"},
        {"{\"title\":\"x\",\"budget_currency\":\"CNY\"}", "budget_currency: no such field"},
        {"{\"title\":\"x\",\"due\":\"2026-02-30\"}", "due: '2026-02-30' is not a date"},
        {"{\"title\":\"x\",\"due\":\"2026-02-03T00:00:00Z\"}", "due: '2026-02-03T00:00:00Z' is not a date"},
        {"{\"title\":\"x\",\"supplier\":\"nobody\"}", "supplier: no such party"},
        {"{\"title\":\"x\",\"supplier\":99}", "supplier: no such party"},
        {"{\"title\":\"x\",\"place\":{\"type\":\"Point\",\"coordinates\":[200,1]}}", "place: longitude 200 is beyond"},
        {"{\"title\":\"x\",\"place\":{\"type\":\"Polygon\",\"coordinates\":[[[0,0],[1,0],[1,1],[0,1]]]}}",
         "place: Polygon: a ring ends where it began"},
        {"{\"title\":\"x\",\"place\":{\"type\":\"Blob\"}}", "place: no geometry 'Blob'"},
        {"{\"title\":\"x\",\"place\":\"here\"}", "place: a GeoJSON geometry wanted"},
        {"{\"title\":\"x\",\"uscc\":\"123\"}", "uscc: "},
        {"{\"title\":\"x\",\"drawing\":1}", "drawing: no attachment 1 of this document"},
        {"{\"title\":\"x\",\"total\":\"1\"}", "total: it is computed"},
        {"{\"title\":\"x\",\"items\":{}}", "items: a list of objects wanted"},
        {"{\"title\":\"x\",\"items\":[1]}", "items[0].item: an object of fields wanted"},
        {"{\"title\":\"x\",\"items\":[{\"part\":\"WA-000001\"}]}", "items[0].quantity: missing"},
        {"{\"title\":\"x\",\"items\":[{\"part\":\"WA-000009\",\"quantity\":\"1\"}]}", "items[0].part: no ware"},
        {"{\"title\":\"x\",\"items\":[{\"part\":1,\"quantity\":\"1\",\"sum\":\"2\"}]}", "items[0].sum: it is computed"},
        {"{\"title\":\"x\",\"items\":[{\"part\":1,\"quantity\":\"1\",\"id\":2}]}", "items[0].id: no such field"},
        {"{\"title\":\"x\",\"items\":[{\"part\":1,\"quantity\":{\"value\":\"1\",\"unit\":\"MTR\"}}]}",
         "items[0].quantity: "},
        {"{\"title\":\"x\",\"items\":[{\"part\":1,\"quantity\":{\"value\":\"0.5\",\"unit\":\"GRM\"}}]}",
         "items[0].quantity: "},
        {"{\"title\":\"x\",\"begins\":\"2026-03-09\",\"due\":\"2026-03-08\"}", "due: due before it begins / 早于开始"},
        {"{\"title\":\"x\",\"items\":[{\"part\":1,\"quantity\":\"1\"},{\"part\":1,\"quantity\":\"1\"},"
         "{\"part\":1,\"quantity\":\"1\"},{\"part\":1,\"quantity\":\"1\"}]}",
         "items: too many lines"},
    };
    struct doc *doc;
    CHECK_OK(create(r, &r->manager, &ware, "{\"code\":\"B-1\",\"called\":\"滚动轴承 bearing\"}", &doc));
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        unit_case(cases[i].json);
        Err err = create(r, &r->manager, &purchase, cases[i].json, &doc);
        CHECK_ERR(err, ERR_INVALID);
        says(str_c(err.text), cases[i].says);
    }
}

static const char whole[] =
    "{\"title\":\"第一批 first\",\"budget\":{\"amount\":\"12.5\",\"currency\":\"USD\"},\"due\":\"2026-04-01\","
    "\"supplier\":\"other\",\"place\":{\"type\":\"Point\",\"coordinates\":[116.4,39.9]},\"margin\":\"0.25\","
    "\"x_own\":\"mine\",\"ware\":\"WA-000001\",\"items\":[{\"part\":\"WA-000001\",\"quantity\":{\"value\":\"1.5\","
    "\"unit\":\"TNE\"},\"price\":\"2.10\"},{\"part\":1,\"quantity\":\"0.250\",\"price\":{\"amount\":\"4\"},"
    "\"note\":\"螺栓\"}]}";

static void keeps(struct rig *r) {
    struct doc *doc, *again;
    struct lens lens = lens_of(&r->manager, &purchase);
    unit_case("every kind, there and back, computed and numbered");
    if (!CHECK_OK(create(r, &r->manager, &purchase, whole, &doc))) return;
    CHECK_STR(doc->number, STR("PU-202603-0001"));
    if (!CHECK_OK(documents_get(r->documents, &lens, &purchase, doc->id, &r->arena, &again))) return;
    Str text = json_of(r, again, &lens);
    says(text, "\"budget\":{\"amount\":\"12.50\",\"currency\":\"USD\"},\"due\":\"2026-04-01\",\"begins\":null,");
    says(text, "\"supplier\":{\"id\":2,\"name\":\"other\"},\"place\":{\"type\":\"Point\",\"coordinates\":[116.4");
    says(text, "\"items\":[{\"part\":{\"id\":1,\"number\":\"WA-000001\"},\"quantity\":\"1500.000\",\"price\":{"
               "\"amount\":\"2.10\",\"currency\":\"CNY\"},\"sum\":{\"amount\":\"3150.00\",\"currency\":\"CNY\"},"
               "\"note\":\"-\"},{\"part\":{\"id\":1,\"number\":\"WA-000001\"},\"quantity\":\"0.250\",");
    says(text, "\"total\":{\"amount\":\"3151.00\",\"currency\":\"CNY\"}");
    says(text, "\"margin\":\"0.25\",\"grade\":\"low\",");
    says(text, "\"x_own\":\"mine\"");
    CHECK(str_find(text, STR("budget_currency")) < 0);
    CHECK_STR(text, json_of(r, doc, &lens));

    unit_case("a reader without the right sees no secret, nor a masked field of a line");
    struct lens less = lens_of(&r->worker, &purchase);
    less.lines[0] &= ~UINT64_C(4);
    CHECK_OK(documents_get(r->documents, &less, &purchase, doc->id, &r->arena, &again));
    text = json_of(r, again, &less);
    CHECK(str_find(text, STR("margin")) < 0 && str_find(text, STR("\"price\"")) < 0);
    CHECK(again->values[11].kind == VALUE_NONE && again->lines[0].rows[0][2].kind == VALUE_NONE);
    says(text, "\"quantity\":\"1500.000\"");

    unit_case("lines are replaced whole, and only a change is written");
    CHECK_OK(change(r, &r->manager, &purchase, doc->id, NULL,
                    "{\"items\":[{\"part\":1,\"quantity\":\"2\",\"price\":\"1.00\"}]}", &again));
    CHECK_INT(again->version, 2);
    CHECK_INT((int64_t)again->lines[0].n, 1);
    CHECK_INT(doctype_get(again, "total").i, 200);
    CHECK_OK(change(r, &r->manager, &purchase, doc->id, NULL,
                    "{\"items\":[{\"part\":1,\"quantity\":\"2.0\",\"price\":\"1\"}]}", &again));
    CHECK_INT(again->version, 2);
    CHECK_OK(documents_get(r->documents, &lens, &purchase, doc->id, &r->arena, &again));
    CHECK_INT((int64_t)again->lines[0].n, 1);
    CHECK_INT(again->lines[0].rows[0][1].i, 2000);
    unit_case("what goes with an amount goes with it");
    CHECK_OK(change(r, &r->manager, &purchase, doc->id, NULL, "{\"budget\":null,\"margin\":\"0.30\"}", &again));
    CHECK(doctype_get(again, "budget_currency").kind == VALUE_NONE);
    CHECK_OK(documents_get(r->documents, &lens, &purchase, doc->id, &r->arena, &again));
    CHECK_INT(doctype_get(again, "margin").i, 30);
    unit_case("the audit tells lines and hides secrets");
    struct audit_row *rows;
    size_t n;
    CHECK_OK(audit_list(r->records, &lens, STR("purchase"), doc->number, 0, 10, &r->arena, &rows, &n));
    if (!CHECK_INT((int64_t)n, 3)) return;
    says(rows[0].after, "\"margin\":\"***\"");
    says(rows[1].before, "\"items\":[{\"part\":{\"id\":1},\"quantity\":\"1500.000\"");
    says(rows[1].after, "\"items\":[{\"part\":{\"id\":1},\"quantity\":\"2.000\"");
}

static void guards(struct rig *r) {
    struct doc *doc;
    unit_case("a step's own checks");
    if (!CHECK_OK(create(r, &r->manager, &purchase, "{\"title\":\"empty\"}", &doc))) return;
    int64_t id = doc->id;
    Err err = change(r, &r->manager, &purchase, id, "send", "{}", &doc);
    CHECK_ERR(err, ERR_INVALID);
    says(str_c(err.text), "due: when is it due?; purchase: nothing in it");
    CHECK_OK(change(r, &r->manager, &purchase, id, NULL, "{\"due\":\"2026-05-01\"}", &doc));
    CHECK_OK(change(r, &r->manager, &purchase, id, "send", "{\"items\":[{\"part\":1,\"quantity\":\"1\"}]}", &doc));
    CHECK_OK(change(r, &r->manager, &purchase, id, "close", "{}", &doc));
    unit_case("at its end nothing changes");
    CHECK_ERR(change(r, &r->manager, &purchase, id, NULL, "{\"title\":\"y\"}", &doc), ERR_STATE);
    unit_case("an event never changes");
    CHECK_OK(create(r, &r->manager, &event, "{\"code\":\"e\"}", &doc));
    CHECK_ERR(change(r, &r->manager, &event, doc->id, NULL, "{\"called\":\"y\"}", &doc), ERR_STATE);
    unit_case("another party's own field does not exist");
    CHECK_ERR(create(r, &r->stranger, &purchase, "{\"title\":\"x\",\"x_own\":\"1\"}", &doc), ERR_INVALID);
    unit_case("numbers start again with the month, in each party");
    CHECK_OK(create(r, &r->stranger, &purchase, "{\"title\":\"x\"}", &doc));
    CHECK_STR(doc->number, STR("PU-202603-0001"));
    r->now += 30 * NANOS_PER_DAY;
    CHECK_OK(create(r, &r->manager, &purchase, "{\"title\":\"april\"}", &doc));
    CHECK_STR(doc->number, STR("PU-202604-0001"));
}

static void removes(struct rig *r) {
    struct doc *doc, *left;
    struct lens lens = lens_of(&r->manager, &ware);
    unit_case("what is referred to stays, and who refers is named");
    Err err = documents_remove(r->documents, &r->manager, &ware, 1, 0, &r->arena);
    CHECK_ERR(err, ERR_CONFLICT);
    says(str_c(err.text), "PU-202603-0001 refers to WA-000001");
    CHECK_OK(create(r, &r->manager, &ware, "{\"code\":\"B-2\"}", &doc));
    CHECK_ERR(documents_remove(r->documents, &r->worker, &ware, doc->id, 0, &r->arena), ERR_FORBIDDEN);
    CHECK_ERR(documents_remove(r->documents, &r->stranger, &ware, doc->id, 0, &r->arena), ERR_NOT_FOUND);
    CHECK_ERR(documents_remove(r->documents, &r->manager, &ware, doc->id, 5, &r->arena), ERR_PRECONDITION);
    CHECK_OK(documents_remove(r->documents, &r->manager, &ware, doc->id, 1, &r->arena));
    CHECK_ERR(documents_get(r->documents, &lens, &ware, doc->id, &r->arena, &left), ERR_NOT_FOUND);
    unit_case("its id and number are not given again");
    int64_t id = doc->id;
    CHECK_OK(create(r, &r->manager, &ware, "{\"code\":\"B-2\"}", &doc));
    CHECK(doc->id > id);
    CHECK_STR(doc->number, STR("WA-000003"));
    unit_case("only in its first state, and never what has no roles for it");
    CHECK_ERR(documents_remove(r->documents, &r->manager, &purchase, 2, 0, &r->arena), ERR_STATE);
    CHECK_ERR(documents_remove(r->documents, &r->manager, &event, 1, 0, &r->arena), ERR_FORBIDDEN);
    unit_case("several at once: all or none");
    struct json *json;
    if (!CHECK_OK(json_parse(STR("{\"code\":\"B-9\"}"), &json))) return;
    struct doc_order orders[] = {{.type = &ware, .change.json = json},
                                 {.type = &ware, .id = doc->id, .remove = true},
                                 {.type = &ware, .id = 1, .remove = true}};
    struct doc *out[3];
    size_t bad;
    CHECK_ERR(documents_all(r->documents, &r->manager, orders, 3, &r->arena, out, &bad), ERR_CONFLICT);
    CHECK_INT((int64_t)bad, 2);
    CHECK_OK(documents_get(r->documents, &lens, &ware, doc->id, &r->arena, &left));
    CHECK_OK(documents_all(r->documents, &r->manager, orders, 2, &r->arena, out, &bad));
    CHECK_STR(out[0]->number, STR("WA-000004"));
    CHECK(out[1] == NULL);
    CHECK_ERR(documents_get(r->documents, &lens, &ware, doc->id, &r->arena, &left), ERR_NOT_FOUND);
    json_free(json);
}

/* ---- imports */

static size_t visible(struct rig *r, const struct principal *who) {
    struct lens lens = lens_of(who, &ware);
    struct doc_page page;
    CHECK_OK(documents_list(r->documents, &lens, &ware, &(struct doc_query){.limit = 1000}, &r->arena, &page));
    CHECK_INT((int64_t)page.n, (int64_t)page.total);
    return page.n;
}

static Err stage(struct rig *r, int64_t batch, const char *prefix, int n, struct doc **docs) {
    size_t bad;
    for (int i = 0; i < n; i++) {
        struct json *json;
        Str text = arena_printf(&r->arena, "{\"code\":\"%s-%d\",\"called\":\"imported %s\"}", prefix, i, prefix);
        TRY(json_parse(text, &json));
        struct doc_change c = {.json = json};
        Err err = documents_check(r->documents, &r->manager, &ware, &c, &r->arena, &docs[i]);
        json_free(json);
        TRY(err);
    }
    return documents_batch_add(r->documents, &r->manager, batch, docs, (size_t)n, &bad, &r->arena);
}

static size_t found(struct rig *r, const struct lens *lens, const struct doctype *type, const char *words) {
    struct doc_page page = {.n = 0};
    struct doc_query query = {.search = str_c(words), .limit = 100};
    CHECK_OK(documents_search_now(r->documents));
    CHECK_OK(documents_list(r->documents, lens, type, &query, &r->arena, &page));
    return page.n;
}

static void imports(struct rig *r) {
    struct doc *docs[40], *doc;
    int64_t first, second;
    struct lens lens = lens_of(&r->manager, &ware);
    size_t before = visible(r, &r->manager);
    unit_case("an import is seen by nobody until it is shown");
    CHECK_ERR(documents_batch_begin(r->documents, &r->worker, &ware, STR("x"), &first), ERR_FORBIDDEN);
    CHECK_OK(documents_batch_begin(r->documents, &r->manager, &ware, STR("wares.csv"), &first));
    if (!CHECK_OK(stage(r, first, "I", 40, docs))) return;
    int64_t hidden = docs[7]->id;
    CHECK_INT((int64_t)visible(r, &r->manager), (int64_t)before);
    CHECK_INT((int64_t)found(r, &lens, &ware, "imported"), 0);
    CHECK_ERR(documents_get(r->documents, &lens, &ware, hidden, &r->arena, &doc), ERR_NOT_FOUND);
    CHECK_ERR(documents_by_number(r->documents, &lens, &ware, docs[7]->number, &r->arena, &doc), ERR_NOT_FOUND);
    CHECK_ERR(change(r, &r->manager, &ware, hidden, NULL, "{\"called\":\"y\"}", &doc), ERR_NOT_FOUND);
    CHECK_ERR(documents_remove(r->documents, &r->manager, &ware, hidden, 0, &r->arena), ERR_NOT_FOUND);
    Str refers = arena_printf(&r->arena, "{\"title\":\"x\",\"ware\":%lld}", (long long)hidden);
    CHECK_ERR(create(r, &r->manager, &purchase, refers.ptr, &doc), ERR_INVALID);
    uint64_t groups;
    struct doc_count *counts;
    size_t n;
    CHECK_OK(documents_count(r->documents, &lens, &ware, NULL, "state", &r->arena, &counts, &n));
    groups = n ? counts[0].count : 0;
    CHECK_INT((int64_t)groups, (int64_t)before);
    unit_case("unique values of an open import are taken");
    CHECK_ERR(create(r, &r->manager, &ware, "{\"code\":\"I-3\"}", &doc), ERR_CONFLICT);
    unit_case("shown at once, also after a restart");
    documents_close(r->documents);
    if (!open_documents(r, types)) return;
    CHECK_INT((int64_t)visible(r, &r->manager), (int64_t)before);
    CHECK_OK(documents_batch_show(r->documents, &r->manager, first));
    CHECK_INT((int64_t)visible(r, &r->manager), (int64_t)before + 40);
    CHECK_INT((int64_t)found(r, &lens, &ware, "imported"), 40);
    CHECK_OK(create(r, &r->manager, &purchase, refers.ptr, &doc));
    unit_case("one that was worked with is not dropped; another goes without a trace");
    CHECK_ERR(documents_batch_drop(r->documents, &r->manager, first), ERR_CONFLICT);
    CHECK_INT((int64_t)visible(r, &r->manager), (int64_t)before + 40);
    CHECK_OK(documents_batch_begin(r->documents, &r->manager, &ware, STR("more.csv"), &second));
    CHECK_OK(stage(r, second, "J", 40, docs));
    CHECK_OK(documents_batch_show(r->documents, &r->manager, second));
    CHECK_INT((int64_t)found(r, &lens, &ware, "imported j"), 40);
    CHECK_ERR(documents_batch_drop(r->documents, &r->stranger, second), ERR_NOT_FOUND);
    CHECK_OK(documents_batch_drop(r->documents, &r->manager, second));
    CHECK_INT((int64_t)visible(r, &r->manager), (int64_t)before + 40);
    CHECK_INT((int64_t)found(r, &lens, &ware, "imported j"), 0);
    CHECK_OK(create(r, &r->manager, &ware, "{\"code\":\"J-3\"}", &doc));
}

/* ---- words */

static void searches(struct rig *r) {
    struct doc *doc;
    struct lens lens = lens_of(&r->manager, &purchase), less = lens;
    CHECK_OK(
        create(r, &r->manager, &purchase,
               "{\"title\":\"更换主轴承 Replace Bearing SN2024001\",\"grade\":\"high\",\"ware\":1,\"margin\":\"77.77\","
               "\"items\":[{\"part\":1,\"quantity\":\"5\",\"note\":\"密封圈 gasket\"}]}",
               &doc));
    static const struct {
        const char *words;
        size_t n;
    } cases[] = {
        {"轴承", 2},     {"主轴承 更换", 1},
        {"承", 2},       {"replace", 1},
        {"REPL", 1},     {"bearing sn2024001", 1},
        {"2024001", 1},  {"密封圈", 1},
        {"gasket", 1},   {"高", 1},
        {"螺栓", 0},     {"replace nothing", 0},
        {"77", 0},       {"轴瓦", 0},
        {"滚动轴承", 2}, {"ＲＥＰＬＡＣＥ", 1},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        unit_case(cases[i].words);
        CHECK_INT((int64_t)found(r, &lens, &purchase, cases[i].words), (int64_t)cases[i].n);
    }
    unit_case("a number of a document finds it");
    CHECK_INT((int64_t)found(r, &lens, &purchase, doc->number.ptr), 1);
    unit_case("a field that the lens hides is not searched, nor one of a line");
    less.fields &= ~UINT64_C(1);
    CHECK_INT((int64_t)found(r, &less, &purchase, "replace"), 0);
    CHECK_INT((int64_t)found(r, &less, &purchase, "gasket"), 1);
    less.lines[0] &= ~(UINT64_C(1) << 4);
    CHECK_INT((int64_t)found(r, &less, &purchase, "gasket"), 0);
    unit_case("a change changes the words, a removal removes them");
    CHECK_OK(change(r, &r->manager, &purchase, doc->id, NULL, "{\"title\":\"other words\"}", &doc));
    CHECK_INT((int64_t)found(r, &lens, &purchase, "replace"), 0);
    CHECK_INT((int64_t)found(r, &lens, &purchase, "other words"), 1);
    CHECK_OK(documents_remove(r->documents, &r->manager, &purchase, doc->id, 0, &r->arena));
    CHECK_INT((int64_t)found(r, &lens, &purchase, "other words"), 0);
    unit_case("another party finds nothing, and no word is no question");
    struct lens theirs = lens_of(&r->stranger, &purchase);
    CHECK_INT((int64_t)found(r, &theirs, &purchase, "first"), 0);
    struct doc_page page;
    CHECK_ERR(
        documents_list(r->documents, &lens, &purchase, &(struct doc_query){.search = STR(" ,.")}, &r->arena, &page),
        ERR_INVALID);
}

/* ---- groups */

static void groups(struct rig *r) {
    struct lens lens = lens_of(&r->stranger, &purchase);
    struct doc *doc;
    struct doc_group *list;
    size_t n, withheld;
    static const struct {
        const char *json;
    } rows[] = {{"{\"title\":\"a\",\"due\":\"2026-01-05\",\"budget\":{\"amount\":\"0.10\",\"currency\":\"CNY\"}}"},
                {"{\"title\":\"b\",\"due\":\"2026-01-31\",\"budget\":{\"amount\":\"0.25\",\"currency\":\"CNY\"}}"},
                {"{\"title\":\"c\",\"due\":\"2026-02-01\",\"budget\":{\"amount\":\"7\",\"currency\":\"EUR\"}}"}};
    for (size_t i = 0; i < 3; i++) CHECK_OK(create(r, &r->stranger, &purchase, rows[i].json, &doc));
    unit_case("groups by month and currency, with exact sums and averages");
    const char *const by[] = {"due:month", "budget.currency"};
    const struct doc_measure measures[] = {{.what = DOC_SUM, .field = "budget"}, {.what = DOC_AVG, .field = "budget"}};
    struct doc_filter set = {.field = "due", .op = DOC_IS_SET, .value = VALUE_B(true)};
    struct doc_query query = {.filters = &set, .n_filters = 1};
    if (!CHECK_OK(documents_group(r->documents, &lens, &purchase, &query, by, 2, measures, 2, &r->arena, &list, &n,
                                  &withheld)))
        return;
    CHECK_INT((int64_t)n, 2);
    struct buf out = {0};
    struct jw w;
    jw_init(&w, &out);
    documents_group_json(r->documents, &lens, &purchase, by, 2, measures, 2, &list[0], &w);
    CHECK_STR(buf_view(&out), STR("{\"keys\":[\"2026-01-01\",\"CNY\"],\"count\":2,\"measures\":[\"0.35\",\"0.18\"]}"));
    buf_fini(&out);
    unit_case("amounts of several currencies are not added up");
    CHECK_ERR(
        documents_group(r->documents, &lens, &purchase, &query, by, 1, measures, 1, &r->arena, &list, &n, &withheld),
        ERR_INVALID);
    unit_case("what is hidden is no key and no measure");
    lens.fields &= ~UINT64_C(2);
    Err err =
        documents_group(r->documents, &lens, &purchase, &query, by, 2, measures, 1, &r->arena, &list, &n, &withheld);
    CHECK_ERR(err, ERR_INVALID);
    says(str_c(err.text), "no field 'budget.currency'");
    unit_case("small groups are withheld");
    lens = lens_of(&r->stranger, &purchase);
    lens.min_group = 2;
    CHECK_OK(documents_group(r->documents, &lens, &purchase, &query, by, 1, NULL, 0, &r->arena, &list, &n, &withheld));
    CHECK(n == 1 && withheld == 1);
}

/* ---- notes */

static void notes(struct rig *r) {
    struct doc *doc;
    struct lens lens = lens_of(&r->manager, &purchase), given = lens;
    struct doc_comment *comments;
    struct doc_attachment *files, file = {.name = STR("图纸.pdf"), .media_type = STR("application/pdf")};
    int64_t id, sealed;
    size_t n;
    Str bytes;
    if (!CHECK_OK(create(r, &r->manager, &purchase, "{\"title\":\"noted\"}", &doc))) return;
    unit_case("comments and files");
    CHECK_OK(documents_comment(r->documents, &r->worker, &purchase, doc->id, STR(" 已到货 "), &r->arena, &id));
    CHECK_ERR(documents_comment(r->documents, &r->stranger, &purchase, doc->id, STR("x"), &r->arena, &id),
              ERR_NOT_FOUND);
    CHECK_OK(documents_comments(r->documents, &lens, &purchase, doc->id, &r->arena, &comments, &n));
    if (CHECK_INT((int64_t)n, 1)) CHECK_STR(comments[0].text, STR("已到货"));
    CHECK_OK(documents_attach(r->documents, &r->manager, &purchase, doc->id, &file, STR("%PDF"), &r->arena, &id));
    file.sealed = true;
    CHECK_OK(documents_attach(r->documents, &r->manager, &purchase, doc->id, &file, STR("%PDF"), &r->arena, &sealed));
    CHECK_OK(documents_attachments(r->documents, &lens, &purchase, doc->id, &r->arena, &files, &n));
    CHECK_INT((int64_t)n, 2);
    CHECK_OK(documents_attachment(r->documents, &lens, &purchase, doc->id, sealed, &r->arena, &file, &bytes));
    CHECK_STR(bytes, STR("%PDF"));
    CHECK(memcmp(files[0].hash, file.hash, 32) == 0 && file.sealed);
    CHECK_ERR(documents_attachment(r->documents, &lens, &purchase, 1, id, &r->arena, &file, &bytes), ERR_NOT_FOUND);
    unit_case("a field that holds one of its files");
    Str set = arena_printf(&r->arena, "{\"drawing\":%lld}", (long long)id);
    struct doc *changed;
    CHECK_OK(change(r, &r->manager, &purchase, doc->id, NULL, set.ptr, &changed));
    CHECK_ERR(change(r, &r->manager, &purchase, 1, NULL, set.ptr, &changed), ERR_INVALID);
    unit_case("under an agreement they are given with the whole alone");
    given.agreement = 7;
    given.fields = 1;
    CHECK_ERR(documents_comments(r->documents, &given, &purchase, doc->id, &r->arena, &comments, &n), ERR_FORBIDDEN);
    CHECK_ERR(documents_attachments(r->documents, &given, &purchase, doc->id, &r->arena, &files, &n), ERR_FORBIDDEN);
}

/* ---- other types at run time */

static void retypes(struct rig *r) {
    static const struct field wider[] = {{.name = "code", .kind = FIELD_TEXT, .required = true, .unique = true},
                                         {.name = "called", .kind = FIELD_TEXT},
                                         {.name = "weight", .kind = FIELD_DECIMAL, .scale = 3}};
    static const struct field misfit[] = {{.name = "code", .kind = FIELD_TEXT},
                                          {.name = "called", .kind = FIELD_TEXT},
                                          {.name = "weight", .kind = FIELD_DECIMAL, .scale = 2}};
    static struct doctype next, wrong;
    next = ware, next.fields = wider, next.n_fields = 3;
    wrong = ware, wrong.fields = misfit, wrong.n_fields = 3;
    const struct doctype *const more[] = {&purchase, &next, &event, NULL}, *const bad[] = {&purchase, &wrong, NULL},
                                *const fewer[] = {&event, NULL};
    struct doc *doc;
    unit_case("a type is widened while the engine works; the old one goes on");
    CHECK_OK(documents_retype(r->documents, more));
    CHECK(documents_type(r->documents, STR("ware")) == &next);
    CHECK_OK(create(r, &r->manager, &next, "{\"code\":\"W\",\"called\":\"n\",\"weight\":\"1.5\"}", &doc));
    CHECK_OK(create(r, &r->manager, &ware, "{\"code\":\"old\"}", &doc));
    struct lens lens = lens_of(&r->manager, &next);
    CHECK_OK(documents_get(r->documents, &lens, &next, 1, &r->arena, &doc));
    CHECK_INT((int64_t)found(r, &lens, &next, "bearing"), 1);
    unit_case("what would not fit is refused, and names it");
    Err err = documents_retype(r->documents, bad);
    CHECK_ERR(err, ERR_INVALID);
    says(str_c(err.text), "'ware.weight' is kept as decimal:3, not decimal:2");
    CHECK(documents_type(r->documents, STR("ware")) == &next);
    unit_case("a type that left is unseen, and stands when it comes back");
    CHECK_OK(documents_retype(r->documents, fewer));
    CHECK(documents_type(r->documents, STR("ware")) == NULL);
    CHECK_OK(documents_retype(r->documents, more));
    CHECK_OK(documents_get(r->documents, &lens, &next, 1, &r->arena, &doc));
}

void documents_kinds_test(void) {
    struct rig r;
    if (!open_rig(&r)) return;
    refuses(&r);
    keeps(&r);
    guards(&r);
    removes(&r);
    imports(&r);
    searches(&r);
    groups(&r);
    notes(&r);
    retypes(&r);
    close_rig(&r);
}
