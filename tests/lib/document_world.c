#include "tests/lib/document_world.h"

#include <stdio.h>
#include <string.h>

#include "tests/lib/store_postgresql.h"
#include "tests/unit.h"
#include "trust/seal.h"

static const struct choice severities[] = {
    {"low", "Low", "低"}, {"high", "High", "高"}, {"critical", "Critical", "危急"}, {.name = NULL}};
static const struct field order_fields[] = {
    {.name = "title", .title_en = "Title", .title_zh = "标题", .kind = FIELD_TEXT, .required = true},
    {.name = "severity", .kind = FIELD_CHOICE, .choices = severities, .fallback = "low", .indexed = true},
    {.name = "price", .kind = FIELD_DECIMAL, .scale = 2},
    {.name = "value", .kind = FIELD_NUMBER, .unit = "CEL"},
    {.name = "done_at", .kind = FIELD_TIME, .computed = true},
    {.name = "parent", .kind = FIELD_REF, .ref = "order", .indexed = true},
    {.name = "part", .kind = FIELD_REF, .ref = "part"},
    {.name = "thing", .kind = FIELD_THING, .indexed = true},
    {.name = "code", .kind = FIELD_TEXT, .unique = true},
    {.name = "pin", .kind = FIELD_TEXT, .share = SHARE_SECRET},
    {.name = "extra", .kind = FIELD_JSON},
    {.name = "count", .kind = FIELD_INT},
    {.name = "kept", .kind = FIELD_BOOL},
    {.name = "due", .kind = FIELD_TIME},
};
static const struct doc_state order_states[] = {{"open", "Open", "开", false, "info"},
                                                {"waiting", "Waiting", "等", false, "warning"},
                                                {"done", "Done", "完", true, "good"}};
static const struct transition order_transitions[] = {
    {.name = "finish", .from = "open", .to = "done", .roles = ROLE_STAFF, .takes = "value", .stamps = "done_at"},
    {.name = "finish",
     .from = "waiting",
     .to = "done",
     .roles = ROLE_STAFF,
     .needs = "value|title",
     .stamps = "done_at"},
    {.name = "wait", .from = "open", .to = "waiting", .roles = ROLE_PEOPLE & ~ROLE_BIT(ROLE_VIEWER)},
    {.name = "touch", .from = "*", .roles = ROLE_STAFF, .takes = "count"},
    {.name = "expire", .from = "open|waiting", .to = "done", .roles = ROLE_BIT(ROLE_SYSTEM)},
};
const struct doctype document_world_order = {.name = "order",
                                             .title_en = "Order",
                                             .title_zh = "单",
                                             .prefix = "OR",
                                             .fields = order_fields,
                                             .n_fields = sizeof order_fields / sizeof *order_fields,
                                             .states = order_states,
                                             .n_states = 3,
                                             .transitions = order_transitions,
                                             .n_transitions = 5,
                                             .read_roles = ROLE_PEOPLE,
                                             .create_roles = ROLE_STAFF | ROLE_BIT(ROLE_TECHNICIAN),
                                             .change_roles = ROLE_STAFF};

static const struct field part_fields[] = {{.name = "code", .kind = FIELD_TEXT, .required = true, .unique = true}};
static const struct doc_state part_states[] = {{"active", "Active", "在用", false, "good"}};
const struct doctype document_world_part = {.name = "part",
                                            .title_en = "Part",
                                            .title_zh = "备件",
                                            .prefix = "PA",
                                            .fields = part_fields,
                                            .n_fields = 1,
                                            .states = part_states,
                                            .n_states = 1,
                                            .read_roles = ROLE_STAFF,
                                            .create_roles = ROLE_STAFF,
                                            .change_roles = ROLE_STAFF};

static const struct doctype *const types[] = {&document_world_order, &document_world_part, NULL};

static Nanos tick(void *ctx) {
    struct document_world *w = ctx;
    return __atomic_add_fetch(&w->now, NANOS_PER_MS, __ATOMIC_RELAXED);
}

static bool thing_exists(void *ctx, PartyId party, Str name) {
    (void)ctx;
    return party == 1 && str_starts(name, STR("truck"));
}

static struct principal person(PartyId party, enum role role, const char *name) {
    struct principal who = {.party = party, .user = 7, .roles = ROLE_BIT(role)};
    snprintf(who.name, sizeof who.name, "%s", name);
    return who;
}

bool document_world_open(struct document_world *w) {
    if (!w->dir) w->dir = unit_temp_dir();
    if (!w->now) w->now = 1700000000 * NANOS_PER_S;
    w->clock = (struct clock){.now = tick, .ctx = w};
    arena_init(&w->arena, 0);
    if (!CHECK_OK(records_open(
            &(struct records_options){.dir = w->dir, .url = store_postgresql_for(w->dir), .clock = &w->clock},
            &w->records)))
        return false;
    if (!CHECK_OK(seal_open(&(struct seal_options){.dir = w->dir}, &w->seal))) return false;
    struct documents_options options = {
        .records = w->records, .types = types, .clock = &w->clock, .thing_exists = thing_exists, .seal = w->seal};
    if (!CHECK_OK(people_open(w->records, &w->clock, &w->people)) || !CHECK_OK(documents_open(&options, &w->documents)))
        return false;
    CHECK_OK(people_party(w->people, STR("acme"), &w->acme));
    CHECK_OK(people_party(w->people, STR("other"), &w->other));
    w->system = principal_system(w->acme, "test");
    w->manager = person(w->acme, ROLE_MANAGER, "li.wei");
    w->technician = person(w->acme, ROLE_TECHNICIAN, "chen");
    w->viewer = person(w->acme, ROLE_VIEWER, "guest");
    w->stranger = person(w->other, ROLE_MANAGER, "zoe");
    return true;
}

void document_world_close(struct document_world *w) {
    documents_close(w->documents);
    people_close(w->people);
    records_close(w->records);
    seal_close(w->seal);
    arena_fini(&w->arena);
    w->documents = NULL;
}
