/* One comparison a row. */
#include "serve/fleet_order.h"

#include <math.h>
#include <stdlib.h>

static int by_name(const struct fleet_item *a, const struct fleet_item *b) {
    return str_cmp(a->thing.row.name, b->thing.row.name);
}

static int rank(enum view_state state) {
    static const int ranks[] = {[VIEW_ALARM] = 0, [VIEW_WARNING] = 1, [VIEW_OFFLINE] = 2, [VIEW_OK] = 3};
    return ranks[state];
}

/* Unknown health stands last. */
static double health(const struct fleet_item *i) { return isnan(i->thing.health) ? INFINITY : i->thing.health; }

static double probability(const struct fleet_item *i) {
    if (!i->prediction) return -1;
    Value v = doctype_get(i->prediction, "probability");
    return v.kind == VALUE_NONE ? -1 : value_as_num(v);
}

static int compare_num(double a, double b) { return (a > b) - (a < b); }

static int order_name(const void *a, const void *b) { return by_name(a, b); }

static int order_health(const void *a, const void *b) {
    int c = compare_num(health(a), health(b));
    return c ? c : by_name(a, b);
}

static int order_state(const void *a, const void *b) {
    const struct fleet_item *x = a, *y = b;
    int c = rank(x->thing.state) - rank(y->thing.state);
    return c ? c : order_health(a, b);
}

static int order_probability(const void *a, const void *b) {
    int c = compare_num(probability(b), probability(a));
    return c ? c : by_name(a, b);
}

static int order_seen(const void *a, const void *b) {
    const struct fleet_item *x = a, *y = b;
    int c = (y->thing.last_seen > x->thing.last_seen) - (y->thing.last_seen < x->thing.last_seen);
    return c ? c : by_name(x, y);
}

static const struct order {
    const char *name;
    int (*compare)(const void *, const void *);
} orders[] = {{"name", order_name},     {"state", order_state},
              {"health", order_health}, {"probability", order_probability},
              {"seen", order_seen},     {NULL, NULL}};

static const struct order *find(Str name) {
    const struct order *o = orders;
    while (o->name && !str_eq_c(name, o->name)) o++;
    return o->name ? o : NULL;
}

Err fleet_order_check(Str order) {
    if (order.len == 0 || find(order)) return err_none();
    return err_make(ERR_INVALID, "query parameter 'sort' is one of name, state, health, probability, seen");
}

void fleet_order_sort(Str order, struct fleet_item *items, size_t n) {
    const struct order *o = find(order);
    if (o && n > 1) qsort(items, n, sizeof *items, o->compare);
}
