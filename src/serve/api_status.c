/* What the platform is and how it stands: status, models, dashboard. */
#include "serve/status.h"

#include <math.h>
#include <string.h>

#include "domain/service/service_board.h"
#include "model/catalog.h"
#include "serve/api.h"
#include "serve/fleet.h"
#include "serve/serve_state.h"

static Err get_status(struct api_call *call) {
    return status_write(call->serve, &call->who, call->arena, api_json(call));
}

/* ---- models */

static void write_metric(struct jw *w, const struct thing_metric *m) {
    jw_object(w);
    jw_kc(w, "name", m->name);
    jw_kc(w, "title_en", m->title_en);
    jw_kc(w, "title_zh", m->title_zh);
    jw_kc(w, "unit", m->unit);
    jw_knum(w, "low", m->low);
    jw_knum(w, "high", m->high);
    jw_kc(w, "component", m->component);
    jw_object_end(w);
}

static void write_component(struct jw *w, const struct thing_component *c) {
    jw_object(w);
    jw_kc(w, "name", c->name);
    jw_kc(w, "title_en", c->title_en);
    jw_kc(w, "title_zh", c->title_zh);
    jw_knum(w, "life_hours", c->life_hours);
    jw_kc(w, "part", c->part);
    jw_kc(w, "skill", c->skill);
    jw_object_end(w);
}

static void write_model(struct jw *w, const struct thing_model *model) {
    jw_object(w);
    jw_kc(w, "name", model->name);
    jw_kc(w, "title_en", model->title_en);
    jw_kc(w, "title_zh", model->title_zh);
    jw_key(w, "metrics");
    jw_array(w);
    for (size_t i = 0; i < model->n_metrics; i++) write_metric(w, &model->metrics[i]);
    jw_array_end(w);
    jw_key(w, "components");
    jw_array(w);
    for (size_t i = 0; i < model->n_components; i++) write_component(w, &model->components[i]);
    jw_array_end(w);
    jw_object_end(w);
}

static Err get_models(struct api_call *call) {
    struct jw *w = api_json(call);
    jw_object(w);
    jw_key(w, "items");
    jw_array(w);
    const struct catalog *catalog = catalog_get(call->serve->options.catalog);
    for (const struct thing_model *const *m = catalog->models; *m; m++) write_model(w, *m);
    jw_array_end(w);
    jw_object_end(w);
    return err_none();
}

/* ---- dashboard */

static Err write_fleet_states(struct api_call *call, struct jw *w) {
    struct view_fleet_ask all = {.state = VIEW_ANY_STATE};
    size_t counts[VIEW_OFFLINE + 1];
    struct lens lens;
    TRY(gate_lens(&call->who, NULL, "dashboard", &lens));
    TRY(view_fleet_counts(call->serve->options.view, &lens, &all, counts));
    jw_key(w, "fleet");
    jw_object(w);
    for (int s = VIEW_OK; s <= VIEW_OFFLINE; s++) jw_kint(w, view_state_name((enum view_state)s), (int64_t)counts[s]);
    jw_object_end(w);
    return err_none();
}

static void write_counts(struct jw *w, const char *key, const struct service_board_count *counts, size_t n) {
    jw_key(w, key);
    jw_object(w);
    for (size_t i = 0; i < n; i++)
        if (counts[i].name) jw_kint(w, counts[i].name, (int64_t)counts[i].count);
    jw_object_end(w);
}

static void write_promise(struct jw *w, const char *key, uint64_t kept, uint64_t missed) {
    jw_key(w, key);
    jw_object(w);
    jw_kint(w, "kept", (int64_t)kept);
    jw_kint(w, "missed", (int64_t)missed);
    jw_object_end(w);
}

static void write_board(struct jw *w, const struct service_board *board) {
    write_counts(w, "open_alarms", board->open_alarms, sizeof board->open_alarms / sizeof *board->open_alarms);
    write_counts(w, "work_orders", board->work_orders, board->n_work_orders);
    jw_key(w, "promises");
    jw_object(w);
    write_promise(w, "arrival", board->arrivals_kept, board->arrivals_missed);
    write_promise(w, "completion", board->completions_kept, board->completions_missed);
    jw_object_end(w);
    jw_key(w, "predictions");
    jw_object(w);
    jw_kint(w, "open", (int64_t)board->predictions_open);
    jw_kint(w, "confirmed", (int64_t)board->predictions_confirmed);
    jw_kint(w, "expired", (int64_t)board->predictions_expired);
    jw_kint(w, "faults", (int64_t)board->faults);
    jw_kint(w, "foreseen", (int64_t)board->faults_foreseen);
    jw_kint(w, "foreseen_24h", (int64_t)board->faults_foreseen_24h);
    jw_knum(w, "precision", board->precision);
    jw_knum(w, "recall", board->recall);
    jw_knum(w, "recall_24h", board->recall_24h);
    jw_object_end(w);
}

/* "failure-48h model3 2015-02-16": the last word is the date, what stands before it names the model. */
static Str family(const struct watch_model *model) {
    const char *last = strrchr(model->name, ' ');
    return last ? str_n(model->name, (size_t)(last - model->name)) : str_c(model->name);
}

/* The newest model of each family, added up: how those that speak now did on the past. */
static void write_backtest(struct jw *w, const struct watch_model *models, size_t n) {
    struct watch_model sum = {0};
    size_t used = 0;
    for (size_t i = 0; i < n; i++) {
        bool newer = false;
        for (size_t k = 0; k < i; k++) newer = newer || str_eq(family(&models[k]), family(&models[i]));
        if (newer) continue;
        used++;
        sum.trained_at = models[i].trained_at > sum.trained_at ? models[i].trained_at : sum.trained_at;
        sum.things += models[i].things;
        sum.failures += models[i].failures;
        sum.tested += models[i].tested;
        sum.foreseen += models[i].foreseen;
        sum.foreseen_24h += models[i].foreseen_24h;
        sum.false_alarms += models[i].false_alarms;
        sum.machine_months += models[i].machine_months;
    }
    jw_key(w, "backtest");
    if (used == 0) {
        jw_null(w);
        return;
    }
    jw_object(w);
    jw_ktime(w, "trained_at", sum.trained_at);
    jw_kint(w, "models", (int64_t)used);
    jw_kint(w, "things", sum.things);
    jw_kint(w, "failures", sum.failures);
    jw_kint(w, "tested", sum.tested);
    jw_kint(w, "foreseen", sum.foreseen);
    jw_kint(w, "foreseen_24h", sum.foreseen_24h);
    jw_kint(w, "false_alarms", sum.false_alarms);
    jw_knum(w, "machine_months", sum.machine_months);
    jw_knum(w, "recall", sum.tested ? (double)sum.foreseen / sum.tested : (double)NAN);
    jw_knum(w, "recall_24h", sum.tested ? (double)sum.foreseen_24h / sum.tested : (double)NAN);
    jw_knum(w, "false_alarms_per_machine_month",
            sum.machine_months > 0 ? sum.false_alarms / sum.machine_months : (double)NAN);
    jw_object_end(w);
}

/* When the first prediction on record was made; 0: there is none, or none that may be seen. */
static Err first_prediction(struct api_call *call, Nanos *out) {
    struct documents *d = call->serve->options.documents;
    const struct doctype *type = documents_type(d, STR("prediction"));
    int field = type ? doctype_field(type, STR("predicted_at")) : -1;
    struct lens lens;
    struct doc_page page;
    *out = 0;
    if (field < 0 || gate_lens(&call->who, type, "dashboard", &lens).code != ERR_NONE) return err_none();
    TRY(documents_list(d, &lens, type, &(struct doc_query){.sort = "predicted_at", .limit = 1}, call->arena, &page));
    if (page.n > 0 && page.docs[0]->values[field].kind == VALUE_INT) *out = page.docs[0]->values[field].i;
    return err_none();
}

/* Predicting began with the oldest model; the registry may have let it go, but never what it said. */
static Err began_predicting(struct api_call *call, const struct watch_model *models, size_t n, Nanos *out) {
    Nanos first;
    TRY(first_prediction(call, &first));
    *out = n > 0 ? models[n - 1].trained_at : 0;
    if (first != 0 && (*out == 0 || first < *out)) *out = first;
    return err_none();
}

static Err get_dashboard(struct api_call *call) {
    const struct serve_options *o = &call->serve->options;
    struct watch_model *models = NULL;
    size_t n_models = 0;
    struct service_board board = {0};
    struct lens lens;
    TRY(gate_lens(&call->who, NULL, "dashboard", &lens));
    if (o->watch) TRY(view_models(o->view, &lens, call->arena, &models, &n_models));
    Nanos since;
    TRY(began_predicting(call, models, n_models, &since));
    TRY(service_board_read(o->documents, &call->who, since, call->arena, &board));
    struct jw *w = api_json(call);
    jw_object(w);
    jw_ktime(w, "now", clock_now(o->clock));
    TRY(write_fleet_states(call, w));
    write_board(w, &board);
    write_backtest(w, models, n_models);
    jw_object_end(w);
    return err_none();
}

const struct route api_status_routes[] = {
    {HTTP_GET, "/api/v1/status", "getStatus", "meta", "What runs, and its time", ROLE_PEOPLE | ROLE_BIT(ROLE_DEVICE),
     NULL, NULL, "Status", 0, 0, 0, get_status},
    {HTTP_GET, "/api/v1/models", "listModels", "things", "Models of machines: metrics and components", ROLE_PEOPLE,
     NULL, NULL, "ModelList", 0, 0, 0, get_models},
    {HTTP_GET, "/api/v1/dashboard", "getDashboard", "meta", "The service business at a glance", ROLE_PEOPLE, NULL, NULL,
     "Dashboard", 0, 0, 0, get_dashboard},
    {.handler = NULL},
};
