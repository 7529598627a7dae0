#include "trust/odrl.h"

#include "tests/unit.h"
#include "trust/consent.h"

void odrl_test(void);

/* Every term without a prefix of ours stands in ODRL Vocabulary & Expression 2.2 (W3C, 2018-02-15), or is JSON-LD's. */
static const char *const vocabulary[] = {"@context",
                                         "@type",
                                         "@value",
                                         "uid",
                                         "profile",
                                         "assigner",
                                         "assignee",
                                         "permission",
                                         "prohibition",
                                         "duty",
                                         "target",
                                         "source",
                                         "refinement",
                                         "constraint",
                                         "leftOperand",
                                         "operator",
                                         "rightOperand",
                                         "action",
                                         "Offer",
                                         "Agreement",
                                         "read",
                                         "aggregate",
                                         "distribute",
                                         "isAnyOf",
                                         "acceptTracking",
                                         "reviewPolicy",
                                         "purpose",
                                         "dateTime",
                                         "resolution",
                                         "eq",
                                         "neq",
                                         "lt",
                                         "lteq",
                                         "gt",
                                         "gteq",
                                         "AssetCollection",
                                         NULL};
/* Members whose values are terms. */
static const char *const terms_in[] = {"@type", "leftOperand", "operator", "action", NULL};

static bool among(const char *const *list, Str name) {
    for (; *list; list++)
        if (str_eq_c(name, *list)) return true;
    return false;
}

static bool ours(Str name) { return str_starts(name, STR(ODRL_PROFILE)) || str_starts(name, STR("xsd:")); }

static void walk(const struct json *v) {
    void *at = NULL;
    Str key;
    const struct json *member;
    for (size_t i = 0; json_kind(v) == JSON_ARRAY && i < json_len(v); i++) walk(json_at(v, i));
    while (json_kind(v) == JSON_OBJECT && json_next(v, &at, &key, &member)) {
        if (!CHECK(among(vocabulary, key))) CHECK_STR(key, STR("a word of ODRL"));
        bool term = among(terms_in, key) && json_kind(member) == JSON_STRING;
        if (term && !ours(json_str(member)) && !CHECK(among(vocabulary, json_str(member))))
            CHECK_STR(json_str(member), STR("a word of ODRL"));
        walk(member);
    }
}

static void speaks_odrl(void) {
    static const char text[] =
        "{\"types\":[{\"type\":\"order\",\"fields\":[\"number\"],\"rows\":[{\"field\":\"due\",\"op\":\"ge\",\"value\":"
        "\"x\"}]},{\"type\":\"stock\",\"fields\":[\"on_hand\"],\"aggregates\":true}],\"series\":[{\"things\":[\"m-1\"],"
        "\"metrics\":[\"volt\"],\"resolution\":\"index\"}],\"purpose\":\"p\",\"from\":\"2026-01-01\",\"to\":"
        "\"2027-01-01\",\"min_group\":5,\"confidentiality\":\"between us\"}";
    struct arena arena;
    struct terms terms;
    struct buf out = {0};
    struct jw w;
    struct json *json;
    arena_init(&arena, 0);
    unit_case("an agreement as an ODRL policy uses the vocabulary's words");
    CHECK_OK(terms_parse_text(STR(text), &arena, &terms));
    struct agreement a = {.number = STR("AG-000001")};
    jw_init(&w, &out);
    odrl_write(&a, &terms, STR("acme"), STR("other"), &w);
    CHECK_OK(json_parse(buf_view(&out), &json));
    CHECK_STR(json_get_str(json, "@type", (Str){0}), STR("Offer"));
    CHECK_INT(json_len(json_get(json, "permission")), 3);
    CHECK_INT(json_len(json_get(json, "prohibition")), 1);
    walk(json);
    json_free(json);
    buf_fini(&out);
    arena_fini(&arena);
}

static void knows_what_tells(void) {
    static const struct {
        struct field field;
        enum reveals want;
    } cases[] = {
        {{.name = "a", .kind = FIELD_MONEY}, REVEALS_PRICE},
        {{.name = "b", .kind = FIELD_PARTY}, REVEALS_CUSTOMER},
        {{.name = "c", .kind = FIELD_TEXT, .format = "phone"}, REVEALS_PERSON},
        {{.name = "d", .kind = FIELD_TEXT, .format = "uscc"}, REVEALS_CUSTOMER},
        {{.name = "unit_price", .kind = FIELD_DECIMAL}, REVEALS_PRICE},
        {{.name = "e", .title_zh = "产量", .kind = FIELD_DECIMAL}, REVEALS_OUTPUT},
        {{.name = "f", .title_en = "Customer name", .kind = FIELD_TEXT}, REVEALS_CUSTOMER},
        {{.name = "unit_price", .kind = FIELD_DECIMAL, .reveals = REVEALS_OUTPUT}, REVEALS_OUTPUT},
        {{.name = "colour", .kind = FIELD_TEXT}, REVEALS_NOTHING},
    };
    unit_case("what a field tells: by the pack, its kind, its format, its words in both languages");
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        CHECK_INT(consent_reveals(&cases[i].field), cases[i].want);
    CHECK_INT(consent_metric_reveals(STR("Pieces_total")), REVEALS_OUTPUT);
}

void odrl_test(void) {
    speaks_odrl();
    knows_what_tells();
}
