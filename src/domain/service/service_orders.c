#include "domain/service/service_orders.h"

#include "base/log.h"
#include "domain/service/service_crew.h"
#include "domain/service/service_stock.h"

#define ORDER service_doc_type(s, WORK_ORDER_TYPE)
#define MAINTENANCE service_doc_type(s, MAINTENANCE_TYPE)
#define FAULT service_doc_type(s, FAULT_TYPE)

/* ---- making them */
Err service_orders_of(struct service *s, PartyId party, const char *cause, int64_t id, struct arena *arena,
                      struct doc **out) {
    struct doc_filter filter = SERVICE_DOC_ID(cause, id);
    struct doc_page page;
    TRY(service_doc_find(s, party, ORDER, &filter, 1, "id", 1, arena, &page));
    *out = page.n ? page.docs[0] : NULL;
    return err_none();
}

/* The open order of the machine and component. An order without a component stands for the whole machine. */
static Err find_open(struct service *s, const struct order_wish *wish, struct arena *arena, struct doc **out) {
    struct doc_filter filters[] = {
        SERVICE_DOC_TEXT(WORK_ORDER_THING, wish->thing), SERVICE_DOC_STATE(WORK_ORDER_STATE_REQUESTED),
        SERVICE_DOC_STATE(WORK_ORDER_STATE_DISPATCHED),  SERVICE_DOC_STATE(WORK_ORDER_STATE_TRAVELLING),
        SERVICE_DOC_STATE(WORK_ORDER_STATE_ON_SITE),     SERVICE_DOC_TEXT(WORK_ORDER_COMPONENT, wish->component)};
    if (wish->component.len == 0) filters[5] = (struct doc_filter){WORK_ORDER_COMPONENT, DOC_IS_SET, VALUE_B(false)};
    struct doc_page page;
    TRY(service_doc_find(s, wish->party, ORDER, filters, 6, "id", 1, arena, &page));
    *out = page.n ? page.docs[0] : NULL;
    return err_none();
}

static int priority_rank(Str name) {
    static const char *const ranks[] = {"low", "normal", "high", "urgent"};
    for (int i = 0; i < 4; i++)
        if (str_eq_c(name, ranks[i])) return i;
    return -1;
}

static Err take_on(struct service *s, struct doc **order, const struct order_wish *wish, struct arena *arena) {
    struct service_sets sets = {.n = 0};
    if (!service_doc_has(*order, wish->cause)) service_doc_put_int(&sets, wish->cause, wish->cause_id);
    if (priority_rank(str_c(wish->priority)) > priority_rank(service_doc_text(*order, WORK_ORDER_PRIORITY)))
        service_doc_put_text(&sets, WORK_ORDER_PRIORITY, str_c(wish->priority));
    return service_doc_change(s, order, &sets, false, arena);
}

Err service_orders_wish(struct service *s, const struct order_wish *wish, struct arena *arena, struct doc **out) {
    TRY(service_orders_of(s, wish->party, wish->cause, wish->cause_id, arena, out));
    if (*out) return err_none();
    TRY(find_open(s, wish, arena, out));
    if (*out) return take_on(s, out, wish, arena);
    struct service_sets sets = {.n = 0};
    service_doc_put_text(&sets, WORK_ORDER_THING, wish->thing);
    service_doc_put_text(&sets, WORK_ORDER_KIND, str_c(wish->kind));
    service_doc_put_text(&sets, WORK_ORDER_COMPONENT, wish->component);
    service_doc_put_text(&sets, WORK_ORDER_PRIORITY, str_c(wish->priority));
    service_doc_put_text(&sets, WORK_ORDER_TITLE_EN, wish->title_en);
    service_doc_put_text(&sets, WORK_ORDER_TITLE_ZH, wish->title_zh);
    service_doc_put_int(&sets, wish->cause, wish->cause_id);
    return service_doc_create(s, wish->party, ORDER, &sets, arena, out);
}

/* ---- what follows their moves */
/* The promise starts when the order is made, by whomever. */
static Err start_promise(struct service *s, struct doc **order, Nanos at, struct arena *arena) {
    if (service_doc_has(*order, WORK_ORDER_REQUESTED_AT)) return err_none();
    Str thing = service_doc_text(*order, WORK_ORDER_THING);
    struct service_sets sets = {.n = 0};
    service_doc_put_int(&sets, WORK_ORDER_REQUESTED_AT, at);
    service_doc_put_int(&sets, WORK_ORDER_ARRIVE_BY, at + SERVICE_DOC_ARRIVE_HOURS * NANOS_PER_HOUR);
    service_doc_put_int(&sets, WORK_ORDER_FINISH_BY, at + SERVICE_DOC_FINISH_HOURS * NANOS_PER_HOUR);
    Str en = service_doc_text(*order, WORK_ORDER_TITLE_EN), zh = service_doc_text(*order, WORK_ORDER_TITLE_ZH);
    if (en.len == 0)
        service_doc_put_text(&sets, WORK_ORDER_TITLE_EN,
                             zh.len ? zh : arena_printf(arena, "Service of " STR_FMT, STR_ARG(thing)));
    if (zh.len == 0)
        service_doc_put_text(&sets, WORK_ORDER_TITLE_ZH,
                             en.len ? en : arena_printf(arena, STR_FMT " 现场服务", STR_ARG(thing)));
    return service_doc_change(s, order, &sets, false, arena);
}

Err service_orders_created(struct service *s, struct doc *order, Nanos at, struct arena *arena) {
    TRY(start_promise(s, &order, at, arena));
    if (!doctype_in_state(order, WORK_ORDER_STATE_REQUESTED)) return err_none();
    return service_crew_dispatch(s, &order, at, arena);
}

Err service_orders_dispatched(struct service *s, struct doc *order, struct arena *arena) {
    if (order->type->states[order->state].final || doctype_in_state(order, WORK_ORDER_STATE_DONE)) return err_none();
    TRY(service_crew_plan(s, &order, arena));
    TRY(service_crew_part(s, &order, arena));
    return service_crew_sync(s, order->party, arena);
}

static Err judge(struct service *s, struct doc **order, const char *field, const char *done, const char *by,
                 struct arena *arena) {
    if (service_doc_has(*order, field) || !service_doc_has(*order, done)) return err_none();
    struct service_sets sets = {.n = 0};
    service_doc_put_flag(&sets, field, service_doc_int(*order, done) <= service_doc_int(*order, by));
    return service_doc_change(s, order, &sets, false, arena);
}

Err service_orders_arrived(struct service *s, struct doc *order, struct arena *arena) {
    TRY(judge(s, &order, WORK_ORDER_ARRIVAL_KEPT, WORK_ORDER_ARRIVED_AT, WORK_ORDER_ARRIVE_BY, arena));
    return service_crew_arrived(s, order, arena);
}

/* The reserved piece was used. A part that the technician names without a reservation is taken now. */
static Err use_part(struct service *s, const struct doc *order, struct arena *arena, struct doc **reservation) {
    TRY(service_stock_of_order(s, order->party, order->id, arena, reservation));
    int64_t part = service_doc_int(order, WORK_ORDER_PART);
    if (!*reservation && part) TRY(service_stock_reserve(s, order->party, part, order->id, arena, reservation));
    if (!*reservation || doctype_in_state(*reservation, RESERVATION_STATE_USED)) return err_none();
    return service_doc_move(s, reservation, RESERVATION_STEP_USE, NULL, arena);
}

static Str maintenance_kind(const struct doc *order) {
    Str kind = service_doc_text(order, WORK_ORDER_KIND);
    if (str_eq_c(kind, "predictive")) return STR("predictive");
    return str_eq_c(kind, "preventive") ? STR("planned") : STR("corrective");
}

/* The record of this replacement that exists already: made for this order, or noted by hand meanwhile without one. */
static Err find_maintenance(struct service *s, const struct doc *order, struct arena *arena, struct doc **out) {
    struct doc_filter own = SERVICE_DOC_ID(MAINTENANCE_WORK_ORDER, order->id);
    struct doc_filter noted[] = {
        SERVICE_DOC_TEXT(MAINTENANCE_THING, service_doc_text(order, WORK_ORDER_THING)),
        SERVICE_DOC_TEXT(MAINTENANCE_COMPONENT, service_doc_text(order, WORK_ORDER_COMPONENT)),
        {MAINTENANCE_DONE_AT, DOC_GE, VALUE_I(service_doc_int(order, WORK_ORDER_REQUESTED_AT))},
        {MAINTENANCE_DONE_AT, DOC_LE, VALUE_I(service_doc_int(order, WORK_ORDER_FINISHED_AT))},
        {MAINTENANCE_WORK_ORDER, DOC_IS_SET, VALUE_B(false)}};
    struct doc_page page;
    TRY(service_doc_find(s, order->party, MAINTENANCE, &own, 1, "id", 1, arena, &page));
    if (page.n == 0) TRY(service_doc_find(s, order->party, MAINTENANCE, noted, 5, "id", 1, arena, &page));
    *out = page.n ? page.docs[0] : NULL;
    return err_none();
}

/* A component that got a new part has history from now on. */
static Err record_maintenance(struct service *s, const struct doc *order, const struct doc *reservation,
                              struct arena *arena) {
    struct doc *record;
    if (service_doc_text(order, WORK_ORDER_COMPONENT).len == 0) return err_none();
    TRY(find_maintenance(s, order, arena, &record));
    if (record && service_doc_int(record, MAINTENANCE_WORK_ORDER) == order->id) return err_none();
    struct service_sets sets = {.n = 0};
    service_doc_put_int(&sets, MAINTENANCE_WORK_ORDER, order->id);
    service_doc_put_int(&sets, MAINTENANCE_PART, service_doc_int(reservation, RESERVATION_PART));
    if (record) return service_doc_change(s, &record, &sets, false, arena);
    service_doc_put_text(&sets, MAINTENANCE_THING, service_doc_text(order, WORK_ORDER_THING));
    service_doc_put_text(&sets, MAINTENANCE_COMPONENT, service_doc_text(order, WORK_ORDER_COMPONENT));
    service_doc_put_int(&sets, MAINTENANCE_DONE_AT, service_doc_int(order, WORK_ORDER_FINISHED_AT));
    service_doc_put_text(&sets, MAINTENANCE_KIND, maintenance_kind(order));
    service_doc_put_text(&sets, MAINTENANCE_TEXT, service_doc_text(order, WORK_ORDER_REMEDY));
    return service_doc_create(s, order->party, MAINTENANCE, &sets, arena, &record);
}

static Err repair_fault(struct service *s, const struct doc *order, struct arena *arena) {
    int64_t id = service_doc_int(order, WORK_ORDER_FAULT);
    struct doc *fault;
    if (id == 0) return err_none();
    TRY(service_doc_get(s, order->party, FAULT, id, arena, &fault));
    if (!doctype_in_state(fault, FAULT_STATE_REPORTED)) return err_none();
    return service_doc_move(s, &fault, FAULT_STEP_REPAIR, NULL, arena);
}

Err service_orders_finished(struct service *s, struct doc *order, Nanos at, struct arena *arena) {
    struct doc *reservation;
    TRY(judge(s, &order, WORK_ORDER_COMPLETION_KEPT, WORK_ORDER_FINISHED_AT, WORK_ORDER_FINISH_BY, arena));
    TRY(use_part(s, order, arena, &reservation));
    if (reservation) TRY(record_maintenance(s, order, reservation, arena));
    TRY(repair_fault(s, order, arena));
    TRY(service_crew_sync(s, order->party, arena));
    return service_crew_waiting(s, order->party, at, arena);
}

Err service_orders_cancelled(struct service *s, struct doc *order, Nanos at, struct arena *arena) {
    struct doc *reservation;
    TRY(service_stock_of_order(s, order->party, order->id, arena, &reservation));
    if (reservation && doctype_in_state(reservation, RESERVATION_STATE_RESERVED))
        TRY(service_doc_move(s, &reservation, RESERVATION_STEP_RELEASE, NULL, arena));
    TRY(service_crew_sync(s, order->party, arena));
    return service_crew_waiting(s, order->party, at, arena);
}

/* ---- the promise clock */
static Err escalate(struct service *s, struct doc *order, Nanos now, const char *what, struct arena *arena) {
    Str note = service_doc_text(order, WORK_ORDER_NOTE);
    struct service_sets sets = {.n = 0};
    service_doc_put_int(&sets, WORK_ORDER_ESCALATED_AT, now);
    service_doc_put_text(&sets, WORK_ORDER_PRIORITY, STR("urgent"));
    service_doc_put_text(&sets, WORK_ORDER_NOTE,
                         note.len ? arena_printf(arena, "%s; " STR_FMT, what, STR_ARG(note)) : str_c(what));
    LOG_INFO("service.order_overdue", LOG_S("order", order->number),
             LOG_S("thing", service_doc_text(order, WORK_ORDER_THING)));
    Err err = service_doc_change(s, &order, &sets, true, arena);
    return err.code == ERR_PRECONDITION ? err_none() : err; /* it moved this moment: the next round looks again */
}

static Err escalate_those(struct service *s, Nanos now, const struct doc_filter *filters, size_t n, const char *what,
                          struct arena *arena) {
    struct doc_page page;
    TRY(service_doc_find(s, 0, ORDER, filters, n, WORK_ORDER_REQUESTED_AT, 0, arena, &page));
    for (size_t i = 0; i < page.n; i++) TRY(escalate(s, page.docs[i], now, what, arena));
    return err_none();
}

Err service_orders_overdue(struct service *s, Nanos now, struct arena *arena) {
    struct doc_filter unreached[] = {SERVICE_DOC_STATE(WORK_ORDER_STATE_REQUESTED),
                                     SERVICE_DOC_STATE(WORK_ORDER_STATE_DISPATCHED),
                                     SERVICE_DOC_STATE(WORK_ORDER_STATE_TRAVELLING),
                                     {WORK_ORDER_ARRIVE_BY, DOC_LT, VALUE_I(now)},
                                     {WORK_ORDER_ESCALATED_AT, DOC_IS_SET, VALUE_B(false)}};
    struct doc_filter unfinished[] = {SERVICE_DOC_STATE(WORK_ORDER_STATE_ON_SITE),
                                      {WORK_ORDER_FINISH_BY, DOC_LT, VALUE_I(now)},
                                      {WORK_ORDER_ESCALATED_AT, DOC_IS_SET, VALUE_B(false)}};
    TRY(escalate_those(s, now, unreached, 5, "overdue: nobody on site in time / 超时：未按时到场", arena));
    return escalate_those(s, now, unfinished, 3, "overdue: not finished in time / 超时：未按时完工", arena);
}
