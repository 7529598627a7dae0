#include "app/demo_crew.h"

#include "act/act.h"
#include "base/hash.h"
#include "document/documents.h"
#include "trust/gate.h"

#define PREPARE (10 * NANOS_PER_MIN)        /* from the call to the van */
#define DESK_EVERY (4 * NANOS_PER_HOUR)     /* the desk's rounds */
#define DESK_PATIENCE (6 * NANOS_PER_HOUR)  /* alarms older than this are acknowledged */
#define PART_PATIENCE (72 * NANOS_PER_HOUR) /* waits this long on site for a part, then closes without it */

static const struct principal technician_who = {.roles = ROLE_BIT(ROLE_TECHNICIAN), .name = "simulated technician"};
static const struct principal desk_who = {.roles = ROLE_BIT(ROLE_OPERATOR), .name = "simulated desk"};
static const struct principal store_who = {.roles = ROLE_BIT(ROLE_OPERATOR), .name = "simulated store keeper"};

static int64_t int_of(const struct doc *doc, const char *field) {
    Value v = doctype_get(doc, field);
    return v.kind == VALUE_INT ? v.i : 0;
}

/* A number in [0, 1) that belongs to the order and the question, the same at every run. */
static double chance(const struct doc *order, const char *question) {
    uint64_t h = hash_seeded(question, str_c(question).len, (uint64_t)order->id);
    return (double)(h >> 11) * 0x1p-53;
}

static Nanos scaled(Nanos span, double factor) {
    return (Nanos)((double)(span / NANOS_PER_S) * factor) * NANOS_PER_S; /* people count whole seconds */
}

/* ---- the steps of an order: when is it due, what is said with it */
static Nanos departs(const struct doc *o) { return int_of(o, "dispatched_at") + PREPARE; }

/* Roads are sometimes slower than planned. */
static Nanos arrives(const struct doc *o) {
    Nanos planned = int_of(o, "planned_arrival") - int_of(o, "dispatched_at");
    return departs(o) + scaled(planned, 0.85 + 0.6 * chance(o, "road"));
}

static Nanos finishes(const struct doc *o) {
    return int_of(o, "arrived_at") + NANOS_PER_HOUR + scaled(4 * NANOS_PER_HOUR, chance(o, "work"));
}

static Nanos confirms(const struct doc *o) {
    return int_of(o, "finished_at") + NANOS_PER_HOUR + scaled(10 * NANOS_PER_HOUR, chance(o, "desk"));
}

struct step {
    const char *state, *transition;
    Nanos (*due)(const struct doc *order);
    const struct principal *who;
};

static const struct step steps[] = {
    {"dispatched", "depart", departs, &technician_who},
    {"travelling", "arrive", arrives, &technician_who},
    {"on_site", "finish", finishes, &technician_who},
    {"done", "confirm", confirms, &desk_who},
};
#define STEPS (sizeof steps / sizeof *steps)

static const struct step *step_of(const struct doc *order) {
    for (size_t i = 0; i < STEPS; i++)
        if (doctype_in_state(order, steps[i].state)) return &steps[i];
    return NULL;
}

/* Without its part a repair waits for the store keeper, hour by hour. */
static bool lacks_part(const struct doc *order, Nanos now) {
    return doctype_in_state(order, "on_site") && doctype_get(order, "component").kind != VALUE_NONE &&
           doctype_get(order, "part").kind == VALUE_NONE && now - int_of(order, "arrived_at") < PART_PATIENCE;
}

static Nanos due(const struct demo_crew *c, const struct doc *order, Nanos now) {
    if (doctype_in_state(order, "on_site") && int_of(order, "requested_at") >= c->leave) return INT64_MAX;
    Nanos at = step_of(order)->due(order);
    return lacks_part(order, now) && at <= now ? now + NANOS_PER_HOUR : at;
}

/* ---- reading */
static Err list(struct demo_crew *c, const char *type_name, const struct doc_filter *filters, size_t n,
                const char *sort, struct arena *arena, struct doc_page *out) {
    struct documents *d = c->flow->workspace.documents;
    struct lens lens;
    const struct doctype *type = documents_type(d, str_c(type_name));
    struct principal who = principal_system(c->flow->party, "demo");
    TRY(gate_lens(&who, type, "demo", &lens));
    struct doc_query query = {.filters = filters, .n_filters = n, .sort = sort, .limit = 1000};
    return documents_list(d, &lens, type, &query, arena, out);
}

static Err open_orders(struct demo_crew *c, struct arena *arena, struct doc_page *out) {
    struct doc_filter filters[STEPS];
    for (size_t i = 0; i < STEPS; i++)
        filters[i] = (struct doc_filter){"state", DOC_EQ, VALUE_S(str_c(steps[i].state))};
    return list(c, "work_order", filters, STEPS, "id", arena, out);
}

void demo_crew_init(struct demo_crew *crew, struct flow *flow, Nanos now, Nanos end) {
    *crew = (struct demo_crew){.flow = flow, .leave = end - DEMO_CREW_LEAVE, .next = INT64_MAX, .seen = UINT64_MAX};
    crew->desk_next = now - now % DESK_EVERY + DESK_EVERY;
}

Err demo_crew_look(struct demo_crew *c) {
    struct act_stats stats;
    act_stats(c->flow->act, &stats);
    if (stats.reactions.events == c->seen) return err_none();
    c->seen = stats.reactions.events;
    struct arena arena;
    struct doc_page page;
    arena_init(&arena, 0);
    Err err = open_orders(c, &arena, &page);
    Nanos now = clock_now(c->flow->workspace.clock);
    c->next = INT64_MAX;
    for (size_t i = 0; err.code == ERR_NONE && i < page.n; i++) {
        Nanos at = due(c, page.docs[i], now);
        if (at < c->next) c->next = at;
    }
    arena_fini(&arena);
    if (c->desk_next < c->next) c->next = c->desk_next;
    return err;
}

/* ---- doing */
/* Somebody else may have moved it this moment: then there is nothing to do. */
static Err settle(Err err) { return err.code == ERR_STATE || err.code == ERR_PRECONDITION ? err_none() : err; }

static Err move(struct demo_crew *c, const struct principal *who, const struct doc *doc, const char *transition,
                const struct doc_set *set, size_t n, struct arena *arena) {
    struct principal somebody = *who;
    struct doc *moved;
    somebody.party = c->flow->party;
    struct doc_change change = {.set = set, .n = n, .if_version = doc->version};
    return settle(documents_transition(c->flow->workspace.documents, &somebody, doc->type, doc->id, str_c(transition),
                                       &change, arena, &moved));
}

static Err finish(struct demo_crew *c, const struct doc *order, struct arena *arena) {
    bool part = doctype_get(order, "part").kind != VALUE_NONE;
    struct doc_set set[] = {
        {"finding", VALUE_S(STR("simulated: component inspected / 模拟：已检查部件"))},
        {"remedy", VALUE_S(part ? STR("simulated: component replaced / 模拟：已更换部件")
                                : STR("simulated: adjusted, nothing replaced / 模拟：已调整，未更换"))},
        {"signature", VALUE_S(STR("simulated"))}};
    return move(c, &technician_who, order, "finish", set, 3, arena);
}

static Err act_on(struct demo_crew *c, const struct doc *order, Nanos now, struct arena *arena) {
    if (due(c, order, now) > now) return err_none();
    const struct step *step = step_of(order);
    if (str_eq_c(str_c(step->transition), "finish")) return finish(c, order, arena);
    return move(c, step->who, order, step->transition, NULL, 0, arena);
}

static Err acknowledge_alarms(struct demo_crew *c, Nanos now, struct arena *arena) {
    Nanos until = now - DESK_PATIENCE < c->leave ? now - DESK_PATIENCE : c->leave;
    struct doc_filter filters[] = {{"state", DOC_EQ, VALUE_S(STR("raised"))},
                                   {"state", DOC_EQ, VALUE_S(STR("returned"))},
                                   {"raised_at", DOC_LT, VALUE_I(until)}};
    struct doc_page page;
    TRY(list(c, "alarm", filters, 3, "id", arena, &page));
    for (size_t i = 0; i < page.n; i++) TRY(move(c, &desk_who, page.docs[i], "acknowledge", NULL, 0, arena));
    return err_none();
}

/* What falls to its reorder point is filled up again; the supplier takes a round. */
static Err restock(struct demo_crew *c, struct arena *arena) {
    struct doc_page page;
    TRY(list(c, "part", NULL, 0, "id", arena, &page));
    for (size_t i = 0; i < page.n; i++) {
        const struct doc *part = page.docs[i];
        int64_t on_hand = int_of(part, "on_hand"), reorder = int_of(part, "reorder_point");
        if (on_hand - int_of(part, "reserved") > reorder) continue;
        struct principal who = store_who;
        who.party = c->flow->party;
        struct doc_set set = {"on_hand", VALUE_I(on_hand + reorder)};
        struct doc_change change = {.set = &set, .n = 1, .if_version = part->version};
        struct doc *changed;
        TRY(settle(
            documents_change(c->flow->workspace.documents, &who, part->type, part->id, &change, arena, &changed)));
    }
    return err_none();
}

static Err do_rounds(struct demo_crew *c, Nanos now, struct arena *arena) {
    if (now < c->desk_next) return err_none();
    c->desk_next = now - now % DESK_EVERY + DESK_EVERY;
    TRY(acknowledge_alarms(c, now, arena));
    return restock(c, arena);
}

Err demo_crew_act(struct demo_crew *c, Nanos now) {
    struct arena arena;
    struct doc_page page;
    arena_init(&arena, 0);
    Err err = open_orders(c, &arena, &page);
    for (size_t i = 0; err.code == ERR_NONE && i < page.n; i++) err = act_on(c, page.docs[i], now, &arena);
    if (err.code == ERR_NONE) err = do_rounds(c, now, &arena);
    arena_fini(&arena);
    c->seen = UINT64_MAX; /* look again, also when nothing moved */
    return err;
}
