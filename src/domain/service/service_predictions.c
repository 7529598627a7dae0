#include "domain/service/service_predictions.h"

#include <math.h>

#include "base/jw.h"
#include "domain/service/service_orders.h"

#define PREDICTION service_doc_type(s, PREDICTION_TYPE)

/* ---- from findings */
static Str reasons_json(const struct finding *f, struct arena *arena) {
    struct buf out = {0};
    struct jw w;
    jw_init(&w, &out);
    jw_array(&w);
    for (size_t i = 0; i < f->n_reasons; i++) {
        jw_object(&w);
        jw_kstr(&w, "metric", f->reasons[i].metric);
        jw_knum(&w, "weight", f->reasons[i].weight);
        jw_kstr(&w, "text_en", f->reasons[i].text_en);
        jw_kstr(&w, "text_zh", f->reasons[i].text_zh);
        jw_object_end(&w);
    }
    jw_array_end(&w);
    Str json = arena_str(arena, buf_view(&out));
    buf_fini(&out);
    return json;
}

/* The prediction this finding belongs to: the open one, or one made at that very moment (the finding came twice). */
static Err find_same(struct service *s, const struct finding *f, struct arena *arena, struct doc **out) {
    struct doc_filter filters[] = {SERVICE_DOC_TEXT(PREDICTION_THING, f->thing_name),
                                   SERVICE_DOC_TEXT(PREDICTION_COMPONENT, f->component),
                                   {PREDICTION_EXPECTED_BY, DOC_GE, VALUE_I(f->at)}};
    struct doc_page page;
    TRY(service_doc_find(s, f->party, PREDICTION, filters, 3, "-id", 20, arena, &page));
    *out = NULL;
    for (size_t i = 0; i < page.n && !*out; i++)
        if (doctype_in_state(page.docs[i], PREDICTION_STATE_OPEN) ||
            service_doc_int(page.docs[i], "predicted_at") == f->at)
            *out = page.docs[i];
    return err_none();
}

static Err raise_probability(struct service *s, struct doc *prediction, double probability, struct arena *arena) {
    if (!doctype_in_state(prediction, PREDICTION_STATE_OPEN) ||
        !(probability > service_doc_num(prediction, PREDICTION_PROBABILITY)))
        return err_none();
    struct service_sets sets = {.n = 0};
    service_doc_put_num(&sets, PREDICTION_PROBABILITY, probability);
    return service_doc_change(s, &prediction, &sets, false, arena);
}

Err service_predictions_take(struct service *s, const struct finding *f, struct arena *arena) {
    struct doc *doc;
    TRY(find_same(s, f, arena, &doc));
    if (doc) return raise_probability(s, doc, f->score, arena);
    struct service_sets sets = {.n = 0};
    service_doc_put_text(&sets, PREDICTION_THING, f->thing_name);
    service_doc_put_text(&sets, PREDICTION_COMPONENT, f->component);
    service_doc_put_num(&sets, PREDICTION_PROBABILITY, f->score);
    service_doc_put_num(&sets, PREDICTION_HORIZON_HOURS, (double)f->horizon / (double)NANOS_PER_HOUR);
    service_doc_put_int(&sets, PREDICTION_PREDICTED_AT, f->at);
    service_doc_put_int(&sets, PREDICTION_EXPECTED_BY, f->at + f->horizon);
    service_doc_put_text(&sets, PREDICTION_REASONS, reasons_json(f, arena));
    service_doc_put_text(&sets, PREDICTION_MODEL, f->text);
    return service_doc_create(s, f->party, PREDICTION, &sets, arena, &doc);
}

/* ---- to work orders */
static void titles(struct service *s, const struct doc *p, struct order_wish *wish, struct arena *arena) {
    const struct thing_model *model = service_model_of(s->options.things, p->party, wish->thing);
    const struct thing_component *c = model ? thing_model_component(model, wish->component) : NULL;
    Str en = c ? str_c(c->title_en) : wish->component, zh = c ? str_c(c->title_zh) : wish->component;
    double hours = service_doc_num(p, PREDICTION_HORIZON_HOURS),
           percent = round(100 * service_doc_num(p, PREDICTION_PROBABILITY));
    wish->title_en = arena_printf(arena, STR_FMT ": " STR_FMT " expected to fail within %.0f h (%.0f %%)",
                                  STR_ARG(wish->thing), STR_ARG(en), hours, percent);
    wish->title_zh = arena_printf(arena, STR_FMT "：" STR_FMT "预计 %.0f 小时内故障（%.0f%%）", STR_ARG(wish->thing),
                                  STR_ARG(zh), hours, percent);
}

Err service_predictions_created(struct service *s, struct doc *p, struct arena *arena) {
    if (service_doc_has(p, PREDICTION_WORK_ORDER) || !doctype_in_state(p, PREDICTION_STATE_OPEN)) return err_none();
    struct order_wish wish = {.party = p->party,
                              .kind = "predictive",
                              .priority = "high",
                              .cause = WORK_ORDER_PREDICTION,
                              .cause_id = p->id,
                              .thing = service_doc_text(p, PREDICTION_THING),
                              .component = service_doc_text(p, PREDICTION_COMPONENT)};
    titles(s, p, &wish, arena);
    struct doc *order;
    TRY(service_orders_wish(s, &wish, arena, &order));
    struct service_sets sets = {.n = 0};
    service_doc_put_int(&sets, PREDICTION_WORK_ORDER, order->id);
    return service_doc_change(s, &p, &sets, false, arena);
}

/* ---- how they turned out */
/* The earliest prediction whose horizon holds the fault and that nobody settled yet, or that this fault settled. */
static Err find_foretelling(struct service *s, const struct doc *fault, struct arena *arena, struct doc **out) {
    Nanos at = service_doc_int(fault, FAULT_OCCURRED_AT);
    struct doc_filter filters[] = {SERVICE_DOC_TEXT(PREDICTION_THING, service_doc_text(fault, FAULT_THING)),
                                   SERVICE_DOC_TEXT(PREDICTION_COMPONENT, service_doc_text(fault, FAULT_COMPONENT)),
                                   {PREDICTION_PREDICTED_AT, DOC_LE, VALUE_I(at)},
                                   {PREDICTION_EXPECTED_BY, DOC_GE, VALUE_I(at)}};
    struct doc_page page;
    TRY(service_doc_find(s, fault->party, PREDICTION, filters, 4, PREDICTION_PREDICTED_AT, 20, arena, &page));
    *out = NULL;
    for (size_t i = 0; i < page.n && !*out; i++)
        if (doctype_in_state(page.docs[i], PREDICTION_STATE_OPEN) ||
            service_doc_int(page.docs[i], "fault") == fault->id)
            *out = page.docs[i];
    return err_none();
}

static Err confirm(struct service *s, struct doc **prediction, const struct doc *fault, struct arena *arena) {
    if (!doctype_in_state(*prediction, PREDICTION_STATE_OPEN)) return err_none();
    Nanos lead = service_doc_int(fault, FAULT_OCCURRED_AT) - service_doc_int(*prediction, PREDICTION_PREDICTED_AT);
    struct service_sets sets = {.n = 0};
    service_doc_put_int(&sets, PREDICTION_FAULT, fault->id);
    service_doc_put_num(&sets, PREDICTION_LEAD_HOURS, (double)lead / (double)NANOS_PER_HOUR);
    return service_doc_move(s, prediction, PREDICTION_STEP_CONFIRM, &sets, arena);
}

Err service_predictions_judge(struct service *s, struct doc **fault, struct arena *arena, struct doc **prediction) {
    *prediction = NULL;
    if (service_doc_text(*fault, FAULT_COMPONENT).len) TRY(find_foretelling(s, *fault, arena, prediction));
    if (*prediction) TRY(confirm(s, prediction, *fault, arena));
    if (service_doc_has(*fault, FAULT_FORESEEN)) return err_none();
    struct service_sets sets = {.n = 0};
    service_doc_put_flag(&sets, FAULT_FORESEEN, *prediction != NULL);
    if (*prediction) service_doc_put_int(&sets, FAULT_PREDICTION, (*prediction)->id);
    return service_doc_change(s, fault, &sets, false, arena);
}

Err service_predictions_expire(struct service *s, Nanos now, struct arena *arena) {
    struct doc_filter filters[] = {SERVICE_DOC_STATE(PREDICTION_STATE_OPEN),
                                   {PREDICTION_EXPECTED_BY, DOC_LT, VALUE_I(now - PREDICTIONS_GRACE)}};
    struct doc_page page;
    TRY(service_doc_find(s, 0, PREDICTION, filters, 2, PREDICTION_EXPECTED_BY, 0, arena, &page));
    for (size_t i = 0; i < page.n; i++) {
        Err err = service_doc_move(s, &page.docs[i], PREDICTION_STEP_EXPIRE, NULL, arena);
        if (err.code != ERR_NONE && err.code != ERR_STATE) return err;
    }
    return err_none();
}
