/* The tables of the business: what it listens to, what follows what, what the clock brings. */
#include "domain/service/service.h"

#include <stdlib.h>

#include "domain/service/service_crew.h"
#include "domain/service/service_orders.h"
#include "domain/service/service_predictions.h"
#include "domain/service/service_stock.h"

static Err read_event(struct service *s, const struct reaction_event *e, const char *type, struct doc **out) {
    return service_doc_get(s, e->row->party, service_doc_type(s, type), e->row->id, e->arena, out);
}

/* ---- findings */
static Err take_prediction(void *ctx, const struct finding *finding, struct arena *arena) {
    return service_predictions_take(ctx, finding, arena);
}

static const struct act_listener listeners[] = {{FINDING_PREDICTION, take_prediction}, {.run = NULL}};

/* ---- machines */
static Err on_prediction(void *ctx, const struct reaction_event *e) {
    struct doc *doc;
    TRY(read_event(ctx, e, PREDICTION_TYPE, &doc));
    return service_predictions_created(ctx, doc, e->arena);
}

/* A critical alarm that still stands needs somebody on site. */
static Err on_alarm(void *ctx, const struct reaction_event *e) {
    struct service *s = ctx;
    struct doc *alarm, *order;
    TRY(read_event(s, e, ALARM_TYPE, &alarm));
    bool stands = doctype_in_state(alarm, ALARM_STATE_RAISED) || doctype_in_state(alarm, ALARM_STATE_ACKNOWLEDGED);
    if (!stands || !str_eq_c(service_doc_text(alarm, ALARM_SEVERITY), "critical")) return err_none();
    struct order_wish wish = {.party = alarm->party,
                              .kind = "alarm",
                              .priority = "high",
                              .cause = WORK_ORDER_ALARM,
                              .cause_id = alarm->id,
                              .thing = service_doc_text(alarm, ALARM_THING),
                              .component = service_doc_text(alarm, ALARM_COMPONENT)};
    const struct thing_model *model = service_model_of(s->options.things, alarm->party, wish.thing);
    const struct thing_metric *metric = model ? thing_model_metric(model, service_doc_text(alarm, ALARM_METRIC)) : NULL;
    if (wish.component.len == 0 && metric) wish.component = str_c(metric->component);
    wish.title_en = arena_printf(e->arena, STR_FMT ": " STR_FMT, STR_ARG(wish.thing),
                                 STR_ARG(service_doc_text(alarm, ALARM_TEXT_EN)));
    wish.title_zh = arena_printf(e->arena, STR_FMT "：" STR_FMT, STR_ARG(wish.thing),
                                 STR_ARG(service_doc_text(alarm, ALARM_TEXT_ZH)));
    return service_orders_wish(s, &wish, e->arena, &order);
}

/* A replayed failure happens although the work its prediction brought is done: the recording knows nothing of our
 * repair. Such a fault is closed as foreseen instead of sending somebody a second time. */
static Err close_foreseen(struct service *s, struct doc *fault, const struct doc *prediction, struct arena *arena,
                          bool *closed) {
    struct doc *order = NULL;
    *closed = false;
    if (!prediction || !str_eq_c(service_doc_text(fault, FAULT_SOURCE), "recording")) return err_none();
    TRY(service_orders_of(s, fault->party, WORK_ORDER_PREDICTION, prediction->id, arena, &order));
    if (!order || !service_doc_has(order, WORK_ORDER_FINISHED_AT)) return err_none();
    *closed = true;
    if (!doctype_in_state(fault, FAULT_STATE_REPORTED)) return err_none();
    double lead = service_doc_num(prediction, PREDICTION_LEAD_HOURS);
    struct service_sets sets = {.n = 0};
    service_doc_put_text(&sets, FAULT_TEXT,
                         arena_printf(arena,
                                      "in the recording the component failed; " STR_FMT
                                      " foresaw it %.0f h ahead and " STR_FMT
                                      " was done before / 历史记录中的故障：" STR_FMT
                                      " 提前 %.0f 小时预测，工单 " STR_FMT " 已在故障前完成",
                                      STR_ARG(prediction->number), lead, STR_ARG(order->number),
                                      STR_ARG(prediction->number), lead, STR_ARG(order->number)));
    return service_doc_move(s, &fault, FAULT_STEP_REPAIR, &sets, arena);
}

static void fault_titles(struct service *s, struct order_wish *wish, struct arena *arena) {
    const struct thing_model *model = service_model_of(s->options.things, wish->party, wish->thing);
    const struct thing_component *c = model ? thing_model_component(model, wish->component) : NULL;
    Str en = c ? str_c(c->title_en) : wish->component, zh = c ? str_c(c->title_zh) : wish->component;
    if (en.len == 0) en = STR("machine");
    if (zh.len == 0) zh = STR("设备");
    wish->title_en = arena_printf(arena, STR_FMT ": " STR_FMT " has failed", STR_ARG(wish->thing), STR_ARG(en));
    wish->title_zh = arena_printf(arena, STR_FMT "：" STR_FMT "故障", STR_ARG(wish->thing), STR_ARG(zh));
}

static Err on_fault(void *ctx, const struct reaction_event *e) {
    struct service *s = ctx;
    struct doc *fault, *prediction, *order;
    TRY(read_event(s, e, FAULT_TYPE, &fault));
    struct order_wish wish = {.party = fault->party,
                              .kind = "breakdown",
                              .priority = "urgent",
                              .cause = WORK_ORDER_FAULT,
                              .cause_id = fault->id,
                              .thing = service_doc_text(fault, FAULT_THING),
                              .component = service_doc_text(fault, FAULT_COMPONENT)};
    if (wish.component.len && s->options.failed)
        s->options.failed(s->options.ctx, wish.party, wish.thing, wish.component,
                          service_doc_int(fault, FAULT_OCCURRED_AT));
    TRY(service_predictions_judge(s, &fault, e->arena, &prediction));
    bool closed;
    TRY(close_foreseen(s, fault, prediction, e->arena, &closed));
    if (closed || !doctype_in_state(fault, FAULT_STATE_REPORTED)) return err_none();
    fault_titles(s, &wish, e->arena);
    return service_orders_wish(s, &wish, e->arena, &order);
}

static Err on_maintenance(void *ctx, const struct reaction_event *e) {
    struct service *s = ctx;
    struct doc *doc;
    TRY(read_event(s, e, MAINTENANCE_TYPE, &doc));
    Str component = service_doc_text(doc, MAINTENANCE_COMPONENT);
    if (component.len && s->options.replaced && service_doc_really_happened(s, doc))
        s->options.replaced(s->options.ctx, doc->party, service_doc_text(doc, MAINTENANCE_THING), component,
                            service_doc_int(doc, MAINTENANCE_DONE_AT));
    return err_none();
}

/* ---- work */
static Err on_order_created(void *ctx, const struct reaction_event *e) {
    struct doc *doc;
    TRY(read_event(ctx, e, WORK_ORDER_TYPE, &doc));
    return service_orders_created(ctx, doc, e->row->at, e->arena);
}

static Err on_order_dispatched(void *ctx, const struct reaction_event *e) {
    struct doc *doc;
    TRY(read_event(ctx, e, WORK_ORDER_TYPE, &doc));
    return service_orders_dispatched(ctx, doc, e->arena);
}

static Err on_order_arrived(void *ctx, const struct reaction_event *e) {
    struct doc *doc;
    TRY(read_event(ctx, e, WORK_ORDER_TYPE, &doc));
    return service_orders_arrived(ctx, doc, e->arena);
}

static Err on_order_finished(void *ctx, const struct reaction_event *e) {
    struct doc *doc;
    TRY(read_event(ctx, e, WORK_ORDER_TYPE, &doc));
    return service_orders_finished(ctx, doc, e->row->at, e->arena);
}

static Err on_order_cancelled(void *ctx, const struct reaction_event *e) {
    struct doc *doc;
    TRY(read_event(ctx, e, WORK_ORDER_TYPE, &doc));
    return service_orders_cancelled(ctx, doc, e->row->at, e->arena);
}

/* Somebody became free, or can do more than before. */
static Err on_technician(void *ctx, const struct reaction_event *e) {
    return service_crew_waiting(ctx, e->row->party, e->row->at, e->arena);
}

static Err on_part(void *ctx, const struct reaction_event *e) {
    struct doc *part;
    TRY(read_event(ctx, e, PART_TYPE, &part));
    if (service_doc_int(part, PART_ON_HAND) <= service_doc_int(part, PART_RESERVED)) return err_none();
    Str component = service_doc_text(part, PART_COMPONENT);
    return component.len ? service_crew_parts_waiting(ctx, part->party, component, e->arena) : err_none();
}

static Err on_reserved(void *ctx, const struct reaction_event *e) {
    return service_stock_made(ctx, e->row->party, e->row->id, e->arena);
}

static Err on_used(void *ctx, const struct reaction_event *e) {
    return service_stock_used(ctx, e->row->party, e->row->id, e->arena);
}

static Err on_released(void *ctx, const struct reaction_event *e) {
    return service_stock_released(ctx, e->row->party, e->row->id, e->arena);
}

static const struct reaction reactions[] = {
    {PREDICTION_TYPE, "create", on_prediction},
    {ALARM_TYPE, "create", on_alarm},
    {ALARM_TYPE, "change", on_alarm},
    {ALARM_TYPE, ALARM_STEP_REPEAT, on_alarm},
    {FAULT_TYPE, "create", on_fault},
    {MAINTENANCE_TYPE, "create", on_maintenance},
    {WORK_ORDER_TYPE, "create", on_order_created},
    {WORK_ORDER_TYPE, WORK_ORDER_STEP_DISPATCH, on_order_dispatched},
    {WORK_ORDER_TYPE, WORK_ORDER_STEP_REASSIGN, on_order_dispatched},
    {WORK_ORDER_TYPE, WORK_ORDER_STEP_ARRIVE, on_order_arrived},
    {WORK_ORDER_TYPE, WORK_ORDER_STEP_FINISH, on_order_finished},
    {WORK_ORDER_TYPE, WORK_ORDER_STEP_CANCEL, on_order_cancelled},
    {TECHNICIAN_TYPE, "create", on_technician},
    {TECHNICIAN_TYPE, "change", on_technician},
    {TECHNICIAN_TYPE, TECHNICIAN_STEP_START_SHIFT, on_technician},
    {PART_TYPE, "create", on_part},
    {PART_TYPE, "change", on_part},
    {PART_TYPE, PART_STEP_RESTORE, on_part},
    {RESERVATION_TYPE, "create", on_reserved},
    {RESERVATION_TYPE, RESERVATION_STEP_USE, on_used},
    {RESERVATION_TYPE, RESERVATION_STEP_RELEASE, on_released},
    {.run = NULL},
};

/* ---- the clock */
static Err promise_clock(void *ctx, Nanos now, struct arena *arena) { return service_orders_overdue(ctx, now, arena); }

static Err prediction_clock(void *ctx, Nanos now, struct arena *arena) {
    return service_predictions_expire(ctx, now, arena);
}

static const struct reaction_timer timers[] = {
    {"promises", 5 * NANOS_PER_MIN, promise_clock}, {"predictions", NANOS_PER_HOUR, prediction_clock}, {.run = NULL}};

/* ---- the service itself */
Err service_open(const struct service_options *options, struct service **out) {
    struct service *s = calloc(1, sizeof *s);
    ASSERT(s != NULL);
    s->options = *options;
    *out = s;
    return err_none();
}

void service_close(struct service *s) { free(s); }

struct act_domain service_domain(struct service *s) {
    return (struct act_domain){
        .name = "service", .listeners = listeners, .reactions = reactions, .timers = timers, .ctx = s};
}

const struct thing_model *service_model_of(void *things, PartyId party, Str thing) {
    return things_model_of(things, party, thing);
}
