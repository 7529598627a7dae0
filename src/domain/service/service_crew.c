#include "domain/service/service_crew.h"

#include <math.h>
#include <stdlib.h>

#include "domain/service/service_dispatch.h"
#include "domain/service/service_stock.h"

#define ORDER service_doc_type(s, WORK_ORDER_TYPE)
#define TECHNICIAN service_doc_type(s, TECHNICIAN_TYPE)
#define PART service_doc_type(s, PART_TYPE)
#define LATELY (7 * NANOS_PER_DAY)
#define RESERVE_TRIES 3 /* somebody else took the last piece between the choice and the reservation */

static const struct doc_filter in_hand[] = {SERVICE_DOC_STATE(WORK_ORDER_STATE_DISPATCHED),
                                            SERVICE_DOC_STATE(WORK_ORDER_STATE_TRAVELLING),
                                            SERVICE_DOC_STATE(WORK_ORDER_STATE_ON_SITE)};
#define IN_HAND (sizeof in_hand / sizeof *in_hand)

/* ---- what stands */
struct crew {
    struct doc_page docs;
    struct dispatch_technician *technicians; /* [docs.n] */
};

/* How many orders each technician has that fit the filters. */
static Err count_orders(struct service *s, PartyId party, const struct doc_filter *filters, size_t n,
                        struct arena *arena, struct doc_count **counts, size_t *n_counts) {
    struct lens lens;
    TRY(service_doc_lens(party, ORDER, &lens));
    struct doc_query query = {.filters = filters, .n_filters = n};
    return documents_count(s->options.documents, &lens, ORDER, &query, WORK_ORDER_TECHNICIAN, arena, counts, n_counts);
}

static unsigned count_of(int64_t id, const struct doc_count *counts, size_t n) {
    for (size_t i = 0; i < n; i++)
        if (counts[i].key.kind == VALUE_INT && counts[i].key.i == id) return (unsigned)counts[i].count;
    return 0;
}

static Err load_crew(struct service *s, PartyId party, Nanos now, struct arena *arena, struct crew *out) {
    struct doc_filter recent = {WORK_ORDER_DISPATCHED_AT, DOC_GE, VALUE_I(now - LATELY)};
    struct doc_count *busy, *lately;
    size_t n_busy, n_lately;
    TRY(service_doc_find(s, party, TECHNICIAN, NULL, 0, "id", 0, arena, &out->docs));
    TRY(count_orders(s, party, in_hand, IN_HAND, arena, &busy, &n_busy));
    TRY(count_orders(s, party, &recent, 1, arena, &lately, &n_lately));
    out->technicians = arena_zero(arena, out->docs.n + 1, sizeof *out->technicians);
    for (size_t i = 0; i < out->docs.n; i++) {
        const struct doc *d = out->docs.docs[i];
        out->technicians[i] =
            (struct dispatch_technician){.id = d->id,
                                         .skills = service_doc_text(d, TECHNICIAN_SKILLS),
                                         .latitude = service_doc_num(d, TECHNICIAN_LATITUDE),
                                         .longitude = service_doc_num(d, TECHNICIAN_LONGITUDE),
                                         .available = !doctype_in_state(d, TECHNICIAN_STATE_OFF_SHIFT),
                                         .in_hand = count_of(d->id, busy, n_busy),
                                         .lately = count_of(d->id, lately, n_lately)};
    }
    return err_none();
}

static Err load_parts(struct service *s, PartyId party, Str component, struct arena *arena, struct dispatch_part **out,
                      size_t *n) {
    struct doc_filter filters[] = {SERVICE_DOC_TEXT(PART_COMPONENT, component), SERVICE_DOC_STATE(PART_STATE_ACTIVE)};
    struct doc_page page;
    TRY(service_doc_find(s, party, PART, filters, 2, "id", 0, arena, &page));
    *out = arena_zero(arena, page.n + 1, sizeof **out);
    *n = page.n;
    for (size_t i = 0; i < page.n; i++) {
        const struct doc *d = page.docs[i];
        (*out)[i] = (struct dispatch_part){.id = d->id,
                                           .component = service_doc_text(d, PART_COMPONENT),
                                           .latitude = service_doc_num(d, PART_LATITUDE),
                                           .longitude = service_doc_num(d, PART_LONGITUDE),
                                           .on_hand = service_doc_int(d, PART_ON_HAND),
                                           .reserved = service_doc_int(d, PART_RESERVED)};
    }
    return err_none();
}

static struct dispatch_need need_of(struct service *s, const struct doc *order, struct arena *arena) {
    struct dispatch_need need = {
        .component = service_doc_text(order, WORK_ORDER_COMPONENT), .latitude = NAN, .longitude = NAN};
    struct thing_row row;
    if (!things_get(s->options.things, order->party, service_doc_text(order, WORK_ORDER_THING), arena, &row))
        return need;
    need.latitude = row.latitude;
    need.longitude = row.longitude;
    const struct thing_model *model = service_model_of(s->options.things, order->party, row.name);
    const struct thing_component *c = model ? thing_model_component(model, need.component) : NULL;
    if (c && c->skill) need.skill = str_c(c->skill);
    return need;
}

/* ---- sending somebody */
static Str lack_text(struct arena *arena, enum dispatch_lack lack, Str skill) {
    if (lack == DISPATCH_NOBODY) return STR("waiting: no technician is registered / 等待：尚未登记服务工程师");
    if (lack == DISPATCH_NO_SKILL)
        return arena_printf(
            arena, "waiting: no technician has the skill '" STR_FMT "' / 等待：没有具备“" STR_FMT "”技能的工程师",
            STR_ARG(skill), STR_ARG(skill));
    return STR("waiting: every technician who could go is busy or off shift / 等待：合适的工程师均在作业或休班");
}

/* Notes a reason once, not at every try. */
static Err note(struct service *s, struct doc **order, const char *field, Str text, struct arena *arena) {
    if (str_eq(service_doc_text(*order, field), text)) return err_none();
    struct service_sets sets = {.n = 0};
    service_doc_put_text(&sets, field, text);
    return service_doc_change(s, order, &sets, false, arena);
}

static Err dispatch_from(struct service *s, struct crew *crew, struct doc **order, Nanos now, struct arena *arena) {
    struct dispatch_need need = need_of(s, *order, arena);
    struct dispatch_choice choice = service_dispatch_choose(&need, crew->technicians, crew->docs.n, NULL, 0);
    if (choice.technician < 0) return note(s, order, WORK_ORDER_NOTE, lack_text(arena, choice.lack, need.skill), arena);
    struct dispatch_technician *chosen = &crew->technicians[choice.technician];
    struct service_sets sets = {.n = 0};
    service_doc_put_int(&sets, WORK_ORDER_TECHNICIAN, chosen->id);
    service_doc_put_int(&sets, WORK_ORDER_PLANNED_ARRIVAL, now + choice.travel);
    service_doc_put_num(&sets, WORK_ORDER_TRAVEL_KM, round(choice.travel_km * 10) / 10);
    Err err = service_doc_move(s, order, WORK_ORDER_STEP_DISPATCH, &sets, arena);
    if (err.code == ERR_NONE) chosen->in_hand++;
    return err.code == ERR_STATE ? err_none() : err; /* a person was quicker */
}

Err service_crew_dispatch(struct service *s, struct doc **order, Nanos now, struct arena *arena) {
    struct crew crew;
    TRY(load_crew(s, (*order)->party, now, arena, &crew));
    return dispatch_from(s, &crew, order, now, arena);
}

Err service_crew_plan(struct service *s, struct doc **order, struct arena *arena) {
    if (service_doc_has(*order, WORK_ORDER_PLANNED_ARRIVAL) || !service_doc_has(*order, WORK_ORDER_TECHNICIAN))
        return err_none();
    struct doc *technician;
    TRY(service_doc_get(s, (*order)->party, TECHNICIAN, service_doc_int(*order, WORK_ORDER_TECHNICIAN), arena,
                        &technician));
    struct dispatch_need need = need_of(s, *order, arena);
    double km;
    Nanos travel =
        service_dispatch_travel(service_doc_num(technician, TECHNICIAN_LATITUDE),
                                service_doc_num(technician, TECHNICIAN_LONGITUDE), need.latitude, need.longitude, &km);
    struct service_sets sets = {.n = 0};
    service_doc_put_int(&sets, WORK_ORDER_PLANNED_ARRIVAL, service_doc_int(*order, WORK_ORDER_DISPATCHED_AT) + travel);
    service_doc_put_num(&sets, WORK_ORDER_TRAVEL_KM, round(km * 10) / 10);
    return service_doc_change(s, order, &sets, false, arena);
}

/* ---- parts */
static Str missing_part_text(struct service *s, const struct doc *order, struct arena *arena) {
    Str component = service_doc_text(order, WORK_ORDER_COMPONENT);
    const struct thing_model *model =
        service_model_of(s->options.things, order->party, service_doc_text(order, WORK_ORDER_THING));
    const struct thing_component *c = model ? thing_model_component(model, component) : NULL;
    Str part = c && c->part ? str_c(c->part) : component;
    return arena_printf(arena, "part " STR_FMT " is not in stock, to be ordered / 备件 " STR_FMT " 无库存，需采购",
                        STR_ARG(part), STR_ARG(part));
}

static Err note_part(struct service *s, struct doc **order, int64_t part, struct arena *arena) {
    if (service_doc_int(*order, WORK_ORDER_PART) == part) return err_none();
    struct service_sets sets = {.n = 0};
    service_doc_put_int(&sets, WORK_ORDER_PART, part);
    if (str_eq(service_doc_text(*order, WORK_ORDER_FINDING), missing_part_text(s, *order, arena)))
        service_doc_put_nothing(&sets, WORK_ORDER_FINDING);
    return service_doc_change(s, order, &sets, false, arena);
}

Err service_crew_part(struct service *s, struct doc **order, struct arena *arena) {
    PartyId party = (*order)->party;
    struct dispatch_need need = need_of(s, *order, arena);
    struct doc *reservation;
    if (need.component.len == 0) return err_none();
    TRY(service_stock_of_order(s, party, (*order)->id, arena, &reservation));
    for (int i = 0; i < RESERVE_TRIES && !reservation; i++) {
        struct dispatch_part *parts;
        size_t n;
        TRY(load_parts(s, party, need.component, arena, &parts, &n));
        struct dispatch_choice choice = service_dispatch_choose(&need, NULL, 0, parts, n);
        if (choice.part < 0) break;
        TRY(service_stock_reserve(s, party, parts[choice.part].id, (*order)->id, arena, &reservation));
    }
    if (reservation) return note_part(s, order, service_doc_int(reservation, RESERVATION_PART), arena);
    if (service_doc_has(*order, WORK_ORDER_FINDING)) return err_none(); /* a technician's words stay */
    return note(s, order, WORK_ORDER_FINDING, missing_part_text(s, *order, arena), arena);
}

Err service_crew_parts_waiting(struct service *s, PartyId party, Str component, struct arena *arena) {
    struct doc_filter filters[IN_HAND + 3];
    for (size_t i = 0; i < IN_HAND; i++) filters[i] = in_hand[i];
    filters[IN_HAND] = (struct doc_filter)SERVICE_DOC_STATE(WORK_ORDER_STATE_REQUESTED);
    filters[IN_HAND + 1] = (struct doc_filter)SERVICE_DOC_TEXT(WORK_ORDER_COMPONENT, component);
    filters[IN_HAND + 2] = (struct doc_filter){WORK_ORDER_PART, DOC_IS_SET, VALUE_B(false)};
    struct doc_page page;
    TRY(service_doc_find(s, party, ORDER, filters, IN_HAND + 3, WORK_ORDER_REQUESTED_AT, 0, arena, &page));
    for (size_t i = 0; i < page.n; i++) TRY(service_crew_part(s, &page.docs[i], arena));
    return err_none();
}

/* ---- states of technicians */
static Err sync_one(struct service *s, struct doc *technician, unsigned orders, struct arena *arena) {
    const char *transition = NULL;
    if (orders > 0 && doctype_in_state(technician, TECHNICIAN_STATE_AVAILABLE)) transition = TECHNICIAN_STEP_ASSIGN;
    if (orders == 0 && doctype_in_state(technician, TECHNICIAN_STATE_BUSY)) transition = TECHNICIAN_STEP_RELEASE;
    if (!transition) return err_none();
    Err err = service_doc_move(s, &technician, transition, NULL, arena);
    return err.code == ERR_STATE ? err_none() : err; /* he ended his shift this moment */
}

Err service_crew_sync(struct service *s, PartyId party, struct arena *arena) {
    struct doc_page page;
    struct doc_count *counts;
    size_t n;
    TRY(service_doc_find(s, party, TECHNICIAN, NULL, 0, "id", 0, arena, &page));
    TRY(count_orders(s, party, in_hand, IN_HAND, arena, &counts, &n));
    for (size_t i = 0; i < page.n; i++) TRY(sync_one(s, page.docs[i], count_of(page.docs[i]->id, counts, n), arena));
    return err_none();
}

Err service_crew_arrived(struct service *s, const struct doc *order, struct arena *arena) {
    if (!service_doc_has(order, WORK_ORDER_TECHNICIAN)) return err_none();
    struct thing_row row;
    struct doc *technician;
    if (!things_get(s->options.things, order->party, service_doc_text(order, WORK_ORDER_THING), arena, &row))
        return err_none();
    TRY(service_doc_get(s, order->party, TECHNICIAN, service_doc_int(order, WORK_ORDER_TECHNICIAN), arena,
                        &technician));
    struct service_sets sets = {.n = 0};
    service_doc_put_num(&sets, TECHNICIAN_LATITUDE, row.latitude);
    service_doc_put_num(&sets, TECHNICIAN_LONGITUDE, row.longitude);
    return service_doc_change(s, &technician, &sets, false, arena);
}

/* ---- orders that wait */
static int urgency(const struct doc *order) {
    static const char *const order_of[] = {"urgent", "high", "normal", "low"};
    Str priority = service_doc_text(order, WORK_ORDER_PRIORITY);
    int i = 0;
    while (i < 4 && !str_eq_c(priority, order_of[i])) i++;
    return i;
}

static int more_urgent(const void *x, const void *y) {
    const struct doc *a = *(struct doc *const *)x, *b = *(struct doc *const *)y;
    if (urgency(a) != urgency(b)) return urgency(a) - urgency(b);
    int64_t ta = service_doc_int(a, WORK_ORDER_REQUESTED_AT), tb = service_doc_int(b, WORK_ORDER_REQUESTED_AT);
    if (ta != tb) return ta < tb ? -1 : 1;
    return a->id < b->id ? -1 : a->id > b->id;
}

Err service_crew_waiting(struct service *s, PartyId party, Nanos now, struct arena *arena) {
    struct doc_filter waiting = SERVICE_DOC_STATE(WORK_ORDER_STATE_REQUESTED);
    struct doc_page page;
    TRY(service_doc_find(s, party, ORDER, &waiting, 1, WORK_ORDER_REQUESTED_AT, 0, arena, &page));
    if (page.n == 0) return err_none();
    struct crew crew;
    TRY(load_crew(s, party, now, arena, &crew));
    qsort(page.docs, page.n, sizeof *page.docs, more_urgent);
    for (size_t i = 0; i < page.n; i++) TRY(dispatch_from(s, &crew, &page.docs[i], now, arena));
    return err_none();
}
