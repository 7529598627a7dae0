#include "serve/fleet_order.h"

#include <math.h>

#include "tests/unit.h"

void fleet_order_test(void);

static struct fleet_item item(const char *name, enum view_state state, double health, Nanos seen) {
    struct fleet_item i = {0};
    i.thing.row.name = str_c(name);
    i.thing.state = state;
    i.thing.health = health;
    i.thing.last_seen = seen;
    return i;
}

static void check_order(const char *order, const char *want) {
    struct fleet_item items[] = {item("b", VIEW_OK, 90, 30), item("a", VIEW_OK, NAN, 10), item("e", VIEW_ALARM, 40, 20),
                                 item("d", VIEW_ALARM, 40, 30), item("c", VIEW_OFFLINE, 10, 0)};
    char got[6] = {0};
    fleet_order_sort(str_c(order), items, 5);
    for (int i = 0; i < 5; i++) got[i] = items[i].thing.row.name.ptr[0];
    CHECK_STR(str_c(got), str_c(want));
}

void fleet_order_test(void) {
    static const struct {
        const char *order, *want;
    } cases[] = {
        {"name", "abcde"}, {"state", "decba"}, {"health", "cdeba"}, {"seen", "bdeac"}, {"probability", "abcde"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        unit_case(cases[i].order);
        check_order(cases[i].order, cases[i].want);
    }
    unit_case("the likeliest failure first, machines without a prediction last");
    static const struct field fields[] = {{.name = "probability", .kind = FIELD_NUMBER}};
    static const struct doctype type = {.name = "prediction", .fields = fields, .n_fields = 1};
    Value low = {.kind = VALUE_FLOAT, .f = 0.2}, high = {.kind = VALUE_FLOAT, .f = 0.9};
    struct doc unlikely = {.type = &type, .values = &low}, likely = {.type = &type, .values = &high};
    struct fleet_item three[] = {item("a", VIEW_OK, 90, 1), item("b", VIEW_OK, 90, 1), item("c", VIEW_OK, 90, 1)};
    three[1].prediction = &unlikely;
    three[2].prediction = &likely;
    fleet_order_sort(STR("probability"), three, 3);
    CHECK_STR(three[0].thing.row.name, STR("c"));
    CHECK_STR(three[1].thing.row.name, STR("b"));
    unit_case("an order that does not exist is named with those that do");
    CHECK_OK(fleet_order_check(STR("")));
    CHECK_OK(fleet_order_check(STR("seen")));
    CHECK_ERR(fleet_order_check(STR("colour")), ERR_INVALID);
}
