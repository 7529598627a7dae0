#include "domain/service/service_board.h"

#include <math.h>

#include "model/machinery.h"
#include "trust/gate.h"

struct reader {
    struct documents *documents;
    const struct principal *who;
    struct arena *arena;
};

/* NULL: its pack is not installed, and there is nothing to count. */
static const struct doctype *type_of(const struct reader *r, const char *name) {
    return documents_type(r->documents, str_c(name));
}

static Err count_by(const struct reader *r, const struct doctype *type, const struct doc_filter *filters, size_t n,
                    const char *by, struct doc_count **out, size_t *n_out) {
    struct lens lens;
    *n_out = 0;
    if (!type) return err_none();
    TRY(gate_lens(r->who, type, "dashboard", &lens));
    struct doc_query query = {.filters = filters, .n_filters = n};
    return documents_count(r->documents, &lens, type, &query, by, r->arena, out, n_out);
}

static Err count_all(const struct reader *r, const struct doctype *type, const struct doc_filter *filters, size_t n,
                     uint64_t *out) {
    struct doc_count *counts;
    size_t n_counts;
    *out = 0;
    TRY(count_by(r, type, filters, n, "state", &counts, &n_counts));
    for (size_t i = 0; i < n_counts; i++) *out += counts[i].count;
    return err_none();
}

static uint64_t count_of(const struct doc_count *counts, size_t n, const char *key) {
    for (size_t i = 0; i < n; i++)
        if (counts[i].key.kind == VALUE_STRING && str_eq_c(counts[i].key.s, key)) return counts[i].count;
    return 0;
}

static uint64_t count_flag(const struct doc_count *counts, size_t n, bool key) {
    for (size_t i = 0; i < n; i++)
        if (counts[i].key.kind == VALUE_BOOL && counts[i].key.b == key) return counts[i].count;
    return 0;
}

static Err read_alarms(const struct reader *r, struct service_board *out) {
    static const char *const severities[] = {"critical", "high", "medium", "low"};
    struct doc_filter open[] = {{"state", DOC_EQ, VALUE_S(STR(ALARM_STATE_RAISED))},
                                {"state", DOC_EQ, VALUE_S(STR(ALARM_STATE_ACKNOWLEDGED))}};
    struct doc_count *counts;
    size_t n;
    TRY(count_by(r, type_of(r, ALARM_TYPE), open, 2, ALARM_SEVERITY, &counts, &n));
    for (size_t i = 0; i < 4; i++)
        out->open_alarms[i] = (struct service_board_count){severities[i], count_of(counts, n, severities[i])};
    return err_none();
}

static Err read_orders(const struct reader *r, struct service_board *out) {
    const struct doctype *type = type_of(r, WORK_ORDER_TYPE);
    struct doc_count *counts;
    size_t n;
    if (!type) return err_none();
    TRY(count_by(r, type, NULL, 0, "state", &counts, &n));
    ASSERT(type->n_states <= SERVICE_BOARD_STATES_MAX);
    out->n_work_orders = type->n_states;
    for (size_t i = 0; i < type->n_states; i++)
        out->work_orders[i] =
            (struct service_board_count){type->states[i].name, count_of(counts, n, type->states[i].name)};
    TRY(count_by(r, type, NULL, 0, WORK_ORDER_ARRIVAL_KEPT, &counts, &n));
    out->arrivals_kept = count_flag(counts, n, true);
    out->arrivals_missed = count_flag(counts, n, false);
    TRY(count_by(r, type, NULL, 0, WORK_ORDER_COMPLETION_KEPT, &counts, &n));
    out->completions_kept = count_flag(counts, n, true);
    out->completions_missed = count_flag(counts, n, false);
    return err_none();
}

/* When predicting began, when nobody says: at the first prediction. */
static Err first_prediction(const struct reader *r, Nanos *out) {
    struct lens lens;
    struct doc_page page;
    *out = INT64_MAX;
    if (!type_of(r, PREDICTION_TYPE)) return err_none();
    TRY(gate_lens(r->who, type_of(r, PREDICTION_TYPE), "dashboard", &lens));
    struct doc_query query = {.sort = PREDICTION_PREDICTED_AT, .limit = 1};
    TRY(documents_list(r->documents, &lens, type_of(r, PREDICTION_TYPE), &query, r->arena, &page));
    *out = page.n ? doctype_get(page.docs[0], PREDICTION_PREDICTED_AT).i : INT64_MAX;
    return err_none();
}

static Err read_predictions(const struct reader *r, Nanos since, struct service_board *out) {
    struct doc_count *counts;
    size_t n;
    TRY(count_by(r, type_of(r, PREDICTION_TYPE), NULL, 0, "state", &counts, &n));
    out->predictions_open = count_of(counts, n, PREDICTION_STATE_OPEN);
    out->predictions_confirmed = count_of(counts, n, PREDICTION_STATE_CONFIRMED);
    out->predictions_expired = count_of(counts, n, PREDICTION_STATE_EXPIRED);
    if (since == 0) TRY(first_prediction(r, &since));
    struct doc_filter faults[] = {{FAULT_OCCURRED_AT, DOC_GE, VALUE_I(since)}, {FAULT_FORESEEN, DOC_EQ, VALUE_B(true)}};
    TRY(count_all(r, type_of(r, FAULT_TYPE), faults, 1, &out->faults));
    TRY(count_all(r, type_of(r, FAULT_TYPE), faults, 2, &out->faults_foreseen));
    struct doc_filter early[] = {{"state", DOC_EQ, VALUE_S(STR(PREDICTION_STATE_CONFIRMED))},
                                 {PREDICTION_LEAD_HOURS, DOC_GE, VALUE_F(24)}};
    TRY(count_all(r, type_of(r, PREDICTION_TYPE), early, 2, &out->faults_foreseen_24h));
    return err_none();
}

static double part(uint64_t of, uint64_t all) { return all ? (double)of / (double)all : NAN; }

Err service_board_read(struct documents *documents, const struct principal *who, Nanos since, struct arena *arena,
                       struct service_board *out) {
    struct reader r = {.documents = documents, .who = who, .arena = arena};
    *out = (struct service_board){.n_work_orders = 0};
    TRY(read_alarms(&r, out));
    TRY(read_orders(&r, out));
    TRY(read_predictions(&r, since, out));
    out->precision = part(out->predictions_confirmed, out->predictions_confirmed + out->predictions_expired);
    out->recall = part(out->faults_foreseen, out->faults);
    out->recall_24h = part(out->faults_foreseen_24h, out->faults);
    return err_none();
}
