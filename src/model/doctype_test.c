#include "model/doctype.h"

#include "tests/unit.h"

void doctype_test(void);

static const struct doc_state states[] = {{.name = "raised"}, {.name = "returned"}, {.name = "cleared", .final = true}};
static const struct transition transitions[] = {
    {.name = "acknowledge", .from = "raised", .to = "acknowledged"},
    {.name = "acknowledge", .from = "returned", .to = "cleared"},
    {.name = "note", .from = "*"},
    {.name = "reopen", .from = "cleared|returned", .to = "raised"},
};
static const struct doctype alarm = {
    .name = "alarm", .states = states, .n_states = 3, .transitions = transitions, .n_transitions = 4};

void doctype_test(void) {
    static const struct {
        const char *case_name, *name;
        int state, want; /* index of the row, -1: none */
    } cases[] = {
        {"the first row of a name", "acknowledge", 0, 0},
        {"the second, by its state", "acknowledge", 1, 1},
        {"none from a final state", "acknowledge", 2, -1},
        {"any state that is not final", "note", 1, 2},
        {"final is not any", "note", 2, -1},
        {"one of several", "reopen", 2, 3},
        {"an unknown name", "explode", 0, -1},
        {"part of a name", "acknowledg", 0, -1},
        {"no name", "", 0, -1},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        unit_case(cases[i].case_name);
        const struct transition *t = doctype_transition_from(&alarm, str_c(cases[i].name), cases[i].state);
        CHECK_INT(t ? t - transitions : -1, cases[i].want);
    }
    unit_case("by name alone, the first");
    CHECK(doctype_transition(&alarm, STR("acknowledge")) == &transitions[0]);
    CHECK(doctype_transition(&alarm, STR("explode")) == NULL);
}
