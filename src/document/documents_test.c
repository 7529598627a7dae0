#include <stdio.h>
#include <string.h>

#include "document/documents.h"
#include "document/things.h"
#include "store/records.h"
#include "tests/unit.h"
#include "trust/gate.h"
#include "trust/people.h"

void documents_test(void);

static const struct choice severities[] = {{"low", "Low", "低"}, {"high", "High", "高"}, {.name = NULL}};
static const struct field order_fields[] = {
    {.name = "title", .kind = FIELD_TEXT, .required = true},
    {.name = "severity", .kind = FIELD_CHOICE, .choices = severities, .fallback = "low", .indexed = true},
    {.name = "price", .kind = FIELD_DECIMAL, .scale = 2},
    {.name = "value", .kind = FIELD_NUMBER},
    {.name = "done_at", .kind = FIELD_TIME, .computed = true},
    {.name = "parent", .kind = FIELD_REF, .ref = "order"},
    {.name = "thing", .kind = FIELD_THING, .indexed = true},
    {.name = "code", .kind = FIELD_TEXT, .unique = true},
    {.name = "pin", .kind = FIELD_TEXT, .share = SHARE_SECRET},
    {.name = "extra", .kind = FIELD_JSON},
    {.name = "count", .kind = FIELD_INT},
    {.name = "kept", .kind = FIELD_BOOL},
};
static const struct doc_state order_states[] = {{"open", "Open", "开", false, "info"},
                                                {"waiting", "Waiting", "等", false, "warning"},
                                                {"done", "Done", "完", true, "good"}};
static const struct transition order_transitions[] = {
    {.name = "finish", .from = "open", .to = "done", .roles = ROLE_STAFF, .takes = "value", .stamps = "done_at"},
    {.name = "finish", .from = "waiting", .to = "done", .roles = ROLE_STAFF, .needs = "value", .stamps = "done_at"},
    {.name = "wait", .from = "open", .to = "waiting", .roles = ROLE_PEOPLE},
    {.name = "touch", .from = "*", .roles = ROLE_STAFF, .takes = "title"},
};
static const struct doctype order_type = {.name = "order",
                                          .title_en = "Order",
                                          .title_zh = "单",
                                          .prefix = "OR",
                                          .fields = order_fields,
                                          .n_fields = sizeof order_fields / sizeof *order_fields,
                                          .states = order_states,
                                          .n_states = 3,
                                          .transitions = order_transitions,
                                          .n_transitions = 4,
                                          .read_roles = ROLE_PEOPLE,
                                          .create_roles = ROLE_PEOPLE,
                                          .change_roles = ROLE_STAFF};
static const struct doctype *const types[] = {&order_type, NULL};

void documents_test(void) {
    struct records *r;
    struct documents *d;
    struct people *people;
    struct arena arena;
    struct doc *doc;
    PartyId party;
    unit_case("smoke");
    arena_init(&arena, 0);
    if (!CHECK_OK(records_open(&(struct records_options){.dir = unit_temp_dir()}, &r))) return;
    CHECK_OK(people_open(r, &clock_system, &people));
    CHECK_OK(people_party(people, STR("acme"), &party));
    CHECK_OK(documents_open(&(struct documents_options){.records = r, .types = types}, &d));
    struct principal who = principal_system(party, "test");
    struct doc_set set[] = {{"title", VALUE_S(STR("first"))}};
    CHECK_OK(documents_create(d, &who, &order_type, &(struct doc_change){.set = set, .n = 1}, &arena, &doc));
    CHECK_STR(doc->number, STR("OR-000001"));
    CHECK_OK(documents_transition(d, &who, &order_type, doc->id, STR("finish"), NULL, &arena, &doc));
    CHECK_ERR(documents_transition(d, &who, &order_type, doc->id, STR("finish"), NULL, &arena, &doc), ERR_STATE);
    struct lens lens;
    CHECK_OK(gate_lens(&who, &order_type, "test", &lens));
    struct doc_page page;
    CHECK_OK(documents_list(d, &lens, &order_type, &(struct doc_query){.sort = "title"}, &arena, &page));
    CHECK_INT(page.total, 1);
    struct buf out = {0};
    struct jw w;
    jw_init(&w, &out);
    documents_json(d, page.docs[0], &lens, &who, &w);
    printf("%.*s\n", (int)out.len, out.ptr);
    buf_fini(&out);
    documents_close(d);
    people_close(people);
    records_close(r);
    arena_fini(&arena);
}
