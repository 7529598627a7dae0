#include "app/demo_report.h"

#include <math.h>
#include <stdio.h>

#include "app/demo_replay.h"
#include "base/jw.h"
#include "document/documents.h"
#include "domain/service/service_board.h"
#include "insight/watch.h"
#include "trust/gate.h"

#define MONTH (NANOS_PER_DAY * 365 / 12)
#define MODELS_MAX 64

static Err list(struct flow *flow, const char *type_name, const struct doc_filter *filters, size_t n, size_t limit,
                Str cursor, struct arena *arena, struct doc_page *out) {
    struct principal who = principal_system(flow->party, "demo");
    const struct doctype *type = documents_type(flow->workspace.documents, str_c(type_name));
    struct lens lens;
    TRY(gate_lens(&who, type, "demo", &lens));
    struct doc_query query = {.filters = filters, .n_filters = n, .sort = "id", .limit = limit, .cursor = cursor};
    return documents_list(flow->workspace.documents, &lens, type, &query, arena, out);
}

static Err count(struct flow *flow, const char *type, const struct doc_filter *filters, size_t n, struct arena *arena,
                 uint64_t *out) {
    struct doc_page page;
    TRY(list(flow, type, filters, n, 1, STR(""), arena, &page));
    *out = page.total;
    return err_none();
}

static Err count_documents(struct flow *flow, struct arena *arena, struct demo_report *out) {
    struct doc_filter taken[] = {{"state", DOC_EQ, VALUE_S(STR("reserved"))}, {"state", DOC_EQ, VALUE_S(STR("used"))}};
    struct doc_filter predictive = {"kind", DOC_EQ, VALUE_S(STR("predictive"))};
    TRY(count(flow, "alarm", NULL, 0, arena, &out->alarms));
    TRY(count(flow, "fault", NULL, 0, arena, &out->faults));
    TRY(count(flow, "prediction", NULL, 0, arena, &out->predictions));
    TRY(count(flow, "work_order", NULL, 0, arena, &out->work_orders));
    TRY(count(flow, "work_order", &predictive, 1, arena, &out->predictive_orders));
    return count(flow, "reservation", taken, 2, arena, &out->parts_reserved);
}

static Err count_promises(struct flow *flow, struct arena *arena, struct demo_report *out) {
    struct service_board board;
    struct principal who = principal_system(flow->party, "demo");
    TRY(service_board_read(flow->workspace.documents, &who, out->since, arena, &board));
    out->arrivals_kept = board.arrivals_kept;
    out->arrivals_missed = board.arrivals_missed;
    out->completions_kept = board.completions_kept;
    out->completions_missed = board.completions_missed;
    return err_none();
}

static Nanos first_training(struct flow *flow) {
    struct watch_model models[MODELS_MAX];
    size_t n = watch_models(flow->watch, 0, models, MODELS_MAX);
    Nanos first = 0;
    for (size_t i = 0; i < n && i < MODELS_MAX; i++)
        if (first == 0 || models[i].trained_at < first) first = models[i].trained_at;
    return first;
}

/* ---- predictions against failures */
static int64_t int_of(const struct doc *doc, const char *field) {
    Value v = doctype_get(doc, field);
    return v.kind == VALUE_INT ? v.i : 0;
}

static bool foretells(const struct recording *r, const struct doc *p, const struct recording_event *e) {
    return e->kind == RECORDING_FAILURE && str_eq(doctype_get(p, "thing").s, r->machines[e->machine].name) &&
           str_eq(doctype_get(p, "component").s, e->what) && int_of(p, "predicted_at") < e->time &&
           e->time <= int_of(p, "expected_by");
}

static void judge_predictions(const struct recording *r, const struct doc_page *page, struct demo_report *out) {
    for (size_t i = 0; i < page->n; i++) {
        bool right = false;
        for (size_t k = 0; k < r->n_events && !right; k++) right = foretells(r, page->docs[i], &r->events[k]);
        if (right)
            out->right++;
        else if (int_of(page->docs[i], "expected_by") <= r->to)
            out->wrong++;
        else
            out->undecided++;
    }
}

/* The longest lead any prediction gave; negative: none did. *before: its order was requested before the failure. */
static Err judge_failure(struct flow *flow, const struct recording *r, const struct recording_event *e,
                         const struct doc_page *page, struct arena *arena, Nanos *lead, bool *before) {
    *lead = -1;
    *before = false;
    for (size_t i = 0; i < page->n; i++) {
        const struct doc *p = page->docs[i];
        if (!foretells(r, p, e)) continue;
        Nanos ahead = e->time - int_of(p, "predicted_at");
        if (ahead > *lead) *lead = ahead;
        struct doc_filter filter = {"id", DOC_EQ, VALUE_I(int_of(p, "work_order"))};
        struct doc_page orders;
        TRY(list(flow, "work_order", &filter, 1, 1, STR(""), arena, &orders));
        if (orders.n && int_of(orders.docs[0], "requested_at") < e->time) *before = true;
    }
    return err_none();
}

static Err judge(struct flow *flow, const struct recording *r, struct arena *arena, struct demo_report *out) {
    struct doc_page page;
    TRY(list(flow, "prediction", NULL, 0, 1000, STR(""), arena, &page));
    judge_predictions(r, &page, out);
    for (size_t i = 0; i < r->n_events; i++) {
        const struct recording_event *e = &r->events[i];
        if (e->kind != RECORDING_FAILURE || out->since == 0 || e->time <= out->since) continue;
        Nanos lead;
        bool before;
        TRY(judge_failure(flow, r, e, &page, arena, &lead, &before));
        out->failures++;
        out->foreseen += lead >= 0;
        out->foreseen_24h += lead >= 24 * NANOS_PER_HOUR;
        out->orders_before_failure += before;
    }
    return err_none();
}

Err demo_report_read(struct flow *flow, const struct recording *r, struct demo_report *out) {
    struct arena arena;
    arena_init(&arena, 0);
    *out = (struct demo_report){.machines = r->n_machines, .since = first_training(flow)};
    if (out->since && out->since < r->to)
        out->machine_months = (double)r->n_machines * (double)(r->to - out->since) / (double)MONTH;
    Err err = demo_replay_rows_kept(flow, r, &out->rows_kept);
    if (err.code == ERR_NONE) err = count_documents(flow, &arena, out);
    if (err.code == ERR_NONE) err = count_promises(flow, &arena, out);
    if (err.code == ERR_NONE) err = judge(flow, r, &arena, out);
    arena_fini(&arena);
    return err;
}

/* ---- saying it */
static double part(uint64_t of, uint64_t all) { return all ? (double)of / (double)all : NAN; }

static void count_member(struct jw *w, const char *key, uint64_t v) { jw_kint(w, key, (int64_t)v); }

void demo_report_json(const struct demo_report *d) {
    struct buf out = {0};
    struct jw w;
    jw_init(&w, &out);
    jw_object(&w);
    count_member(&w, "machines", d->machines);
    count_member(&w, "rows_sent", d->rows_sent);
    count_member(&w, "rows_kept", d->rows_kept);
    count_member(&w, "alarms", d->alarms);
    count_member(&w, "faults", d->faults);
    count_member(&w, "predictions", d->predictions);
    jw_knum(&w, "precision", part(d->right, d->right + d->wrong));
    jw_knum(&w, "recall", part(d->foreseen, d->failures));
    jw_knum(&w, "recall_24h", part(d->foreseen_24h, d->failures));
    count_member(&w, "failures", d->failures);
    count_member(&w, "failures_foreseen", d->foreseen);
    count_member(&w, "failures_foreseen_24h", d->foreseen_24h);
    count_member(&w, "predictions_right", d->right);
    count_member(&w, "predictions_wrong", d->wrong);
    count_member(&w, "predictions_undecided", d->undecided);
    jw_knum(&w, "false_per_machine_month", d->machine_months > 0 ? (double)d->wrong / d->machine_months : NAN);
    jw_key(&w, "predicting_since");
    if (d->since)
        jw_time(&w, d->since);
    else
        jw_null(&w);
    count_member(&w, "work_orders", d->work_orders);
    count_member(&w, "work_orders_predictive", d->predictive_orders);
    count_member(&w, "work_orders_before_failure", d->orders_before_failure);
    count_member(&w, "parts_reserved", d->parts_reserved);
    count_member(&w, "promises_kept", d->arrivals_kept + d->completions_kept);
    count_member(&w, "promises_missed", d->arrivals_missed + d->completions_missed);
    jw_knum(&w, "seconds", round(d->seconds * 100) / 100);
    jw_object_end(&w);
    printf(STR_FMT "\n", STR_ARG(buf_view(&out)));
    fflush(stdout);
    buf_fini(&out);
}

void demo_report_text(const struct demo_report *d) {
    printf("  %llu rows kept, %llu alarms, %llu work orders, %llu parts reserved\n", (unsigned long long)d->rows_kept,
           (unsigned long long)d->alarms, (unsigned long long)d->work_orders, (unsigned long long)d->parts_reserved);
    printf("  %llu failures after the first model was learnt: %llu foreseen, %llu a day or more ahead; %llu false "
           "predictions\n",
           (unsigned long long)d->failures, (unsigned long long)d->foreseen, (unsigned long long)d->foreseen_24h,
           (unsigned long long)d->wrong);
    printf("  promises kept: arrival %llu of %llu, completion %llu of %llu\n", (unsigned long long)d->arrivals_kept,
           (unsigned long long)(d->arrivals_kept + d->arrivals_missed), (unsigned long long)d->completions_kept,
           (unsigned long long)(d->completions_kept + d->completions_missed));
    fflush(stdout);
}
