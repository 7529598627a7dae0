#include "trust/gate.h"

#include "tests/unit.h"
#include "trust/attempts.h"

void gate_test(void);

static const struct field fields[] = {{.name = "open"}, {.name = "secret", .share = SHARE_SECRET}};
static const struct doctype type = {
    .name = "paper", .fields = fields, .n_fields = 2, .read_roles = ROLE_STAFF | ROLE_BIT(ROLE_WORKER)};

static struct principal with(PartyId party, unsigned roles) {
    return (struct principal){.party = party, .roles = roles, .name = "who"};
}

static void limits_attempts(void) {
    struct attempts a = {.seed = 1};
    Nanos now = 1000 * NANOS_PER_S;
    unit_case("five failures within a minute, and no more");
    for (int i = 0; i < ATTEMPTS_MAX; i++) {
        CHECK(!attempts_exceeded(&a, STR("x"), now));
        attempts_failed(&a, STR("x"), now + i);
    }
    CHECK(attempts_exceeded(&a, STR("x"), now + ATTEMPTS_WINDOW - 1));
    CHECK(!attempts_exceeded(&a, STR("x"), now + ATTEMPTS_WINDOW));
    attempts_failed(&a, STR("x"), now + ATTEMPTS_WINDOW); /* counting starts again */
    CHECK(!attempts_exceeded(&a, STR("x"), now + ATTEMPTS_WINDOW));
    unit_case("a success forgets, other names are untouched");
    for (int i = 0; i < ATTEMPTS_MAX; i++) attempts_failed(&a, STR("y"), now);
    CHECK(attempts_exceeded(&a, STR("y"), now));
    CHECK(!attempts_exceeded(&a, STR("z"), now));
    attempts_forget(&a, STR("y"));
    CHECK(!attempts_exceeded(&a, STR("y"), now));
    CHECK(!attempts_exceeded(&a, (Str){0}, now));
}

static void hides_additions(void) {
    static const struct field parts[] = {{.name = "sku"}, {.name = "x_other", .custom_of = 4}};
    static const struct doctype line = {.name = "line", .fields = parts, .n_fields = 2};
    static const struct field some[] = {{.name = "open"},
                                        {.name = "x_mine", .custom_of = 3},
                                        {.name = "x_other", .custom_of = 4},
                                        {.name = "lines", .kind = FIELD_LINES, .lines = &line}};
    static const struct doctype added = {.name = "added", .fields = some, .n_fields = 4, .read_roles = ROLE_STAFF};
    struct principal who = with(3, ROLE_BIT(ROLE_MANAGER)), system = with(3, ROLE_BIT(ROLE_SYSTEM));
    struct lens lens;
    unit_case("what another party added is not seen, in lines neither");
    CHECK_OK(gate_lens(&who, &added, "test", &lens));
    CHECK_INT(lens.fields, 1 | 2 | 8);
    CHECK_INT(lens.lines[0], 1);
    CHECK_OK(gate_lens(&system, &added, "test", &lens));
    CHECK_INT(lens.fields, 15);
}

void gate_test(void) {
    hides_additions();
    static const struct {
        const char *name;
        PartyId party;
        unsigned roles;
        enum err_code code;
        uint64_t fields;
        bool every_party;
    } cases[] = {
        {"staff see every field", 3, ROLE_BIT(ROLE_MANAGER), ERR_NONE, 3, false},
        {"a worker sees no secret", 3, ROLE_BIT(ROLE_WORKER), ERR_NONE, 1, false},
        {"one of two roles is enough", 3, ROLE_BIT(ROLE_WORKER) | ROLE_BIT(ROLE_OPERATOR), ERR_NONE, 3, false},
        {"a viewer sees nothing of it", 3, ROLE_BIT(ROLE_VIEWER), ERR_FORBIDDEN, 0, false},
        {"no role, nothing", 3, 0, ERR_FORBIDDEN, 0, false},
        {"the system for one party", 3, ROLE_BIT(ROLE_SYSTEM), ERR_NONE, 3, false},
        {"the system for all", 0, ROLE_BIT(ROLE_SYSTEM), ERR_NONE, 3, true},
        {"a person of no party sees no other's", 0, ROLE_BIT(ROLE_OPERATOR), ERR_NONE, 3, false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct principal who = with(cases[i].party, cases[i].roles);
        struct lens lens;
        unit_case(cases[i].name);
        Err err = gate_lens(&who, &type, "test", &lens);
        CHECK_INT(err.code, cases[i].code);
        CHECK_INT(lens.fields, cases[i].fields);
        CHECK_INT(lens.every_party, cases[i].every_party);
        if (err.code == ERR_NONE) CHECK_INT(lens.party, cases[i].party);
    }
    unit_case("things and series are for people, not for devices");
    struct lens lens;
    struct principal device = with(3, ROLE_BIT(ROLE_DEVICE)), viewer = with(3, ROLE_BIT(ROLE_VIEWER));
    CHECK_ERR(gate_lens(&device, NULL, "test", &lens), ERR_FORBIDDEN);
    CHECK_OK(gate_lens(&viewer, NULL, "test", &lens));
    CHECK(lens.from == INT64_MIN && lens.to == INT64_MAX && lens.resolution == 0);
    unit_case("narrowing");
    struct lens party = gate_lens_party(7, "test");
    CHECK(!party.every_party && party.party == 7 && party.fields == UINT64_MAX);
    struct lens masked = {.party = 4, .fields = 1};
    CHECK(gate_lens_rows(&masked).fields == UINT64_MAX && gate_lens_rows(&masked).party == 4);
    limits_attempts();
}
