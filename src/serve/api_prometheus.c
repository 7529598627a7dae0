/*
 * The HTTP API of Prometheus over the caller's own series, for Grafana and whatever else speaks it: see
 * docs/grafana.md. A program signs in with a token, as the password of Basic credentials (any user) or as a bearer
 * token; its role is one of people, its scopes if any hold series:read. Failures after that are in Prometheus's form.
 */
#include <stdlib.h>
#include <string.h>

#include "base/map.h"
#include "os/process.h"
#include "serve/api.h"
#include "serve/prometheus_json.h"
#include "serve/prometheus_lex.h"
#include "serve/prometheus_parse.h"
#include "serve/prometheus_print.h"
#include "serve/prometheus_select.h"
#include "serve/serve_state.h"
#include "trust/people.h"
#include "trust/secret.h"

#define BODY_MAX ((size_t)1 << 20)
#define MEMORY_MAX ((size_t)256 << 20)
#define TIME_LIMIT (30 * NANOS_PER_S)
#define TIME_MAX (INT64_C(4000000000) * NANOS_PER_S)
#define SERIES_MAX 100000
#define MATCHES_MAX 32u
#define WORKERS_MAX 4u
#define VERSION "3.0.0" /* of the Prometheus whose API this is; Grafana asks for it */

struct asking {
    struct api_call *call;
    const struct http_pair *form; /* of a POST */
    size_t n_form;
    struct lens lens;
};
typedef Err answerer(struct asking *a, struct jw *w); /* writes the value of "data" */

/* ---- who asks */

static Err sign_in(struct asking *a) {
    struct api_call *call = a->call;
    Str header = http_header(call->request, "Authorization"), scheme, rest, plain, user;
    str_cut(header, ' ', &scheme, &rest);
    Str token = str_trim(rest);
    if (str_eq_nocase(scheme, STR("Basic"))) {
        if (!secret_base64_read(call->arena, token, &plain) || !str_cut(plain, ':', &user, &token))
            return err_make(ERR_UNAUTHENTICATED, "the Basic credentials are not base64 of USER:TOKEN");
    } else if (!str_eq_nocase(scheme, STR("Bearer"))) {
        return err_make(ERR_UNAUTHENTICATED,
                        "nobody is signed in: send a token as the password of Basic credentials, or as bearer token");
    }
    TRY(people_token_check(call->serve->options.people, token, &call->who));
    if (!principal_may(&call->who, ROLE_PEOPLE) || !principal_scope(&call->who, STR("series"), (Str){0}, false))
        return err_make(ERR_FORBIDDEN,
                        "'%s' may not read series: ask for a token with the role viewer, and if it has scopes with "
                        "series:read",
                        call->who.name);
    return gate_lens(&call->who, NULL, "prometheus", &a->lens);
}

/* ---- what is asked */

static Err read_form(struct asking *a) {
    const struct http_request *request = a->call->request;
    if (request->method != HTTP_POST || request->body.len == 0) return err_none();
    Str type = http_text_media_type(http_header(request, "Content-Type"));
    if (!str_eq_nocase(type, STR("application/x-www-form-urlencoded")))
        return err_make(ERR_INVALID, "the body is no form: send application/x-www-form-urlencoded");
    struct http_pair *form;
    TRY(http_text_query(request->body, a->call->arena, &form, &a->n_form));
    a->form = form;
    return err_none();
}

static size_t params(const struct asking *a, const char *name, Str *out, size_t most) {
    const struct http_request *request = a->call->request;
    size_t n = 0;
    for (size_t i = 0; i < a->n_form && n < most; i++)
        if (str_eq_c(a->form[i].name, name)) out[n++] = a->form[i].value;
    for (size_t i = 0; i < request->n_params && n < most; i++)
        if (str_eq_c(request->params[i].name, name)) out[n++] = request->params[i].value;
    return n;
}

static Str param(const struct asking *a, const char *name) {
    Str value = {0};
    params(a, name, &value, 1);
    return value;
}

/* Seconds since 1970 with decimals, or RFC 3339; whole milliseconds, as in Prometheus. */
static Err read_time(const struct asking *a, const char *name, Nanos fallback, Nanos *out) {
    Str text = param(a, name);
    double seconds;
    *out = fallback;
    if (text.len == 0) return err_none();
    if (str_to_f64(text, &seconds)) {
        if (!(seconds > -4e9 && seconds < 4e9))
            return err_make(ERR_INVALID, "'%s' is beyond the year 2096: it is in seconds since 1970", name);
        *out = (Nanos)(seconds * 1000 + (seconds < 0 ? -0.5 : 0.5)) * NANOS_PER_MS;
        return err_none();
    }
    if (time_parse(text, out).code != ERR_NONE || *out > TIME_MAX || *out < -TIME_MAX)
        return err_make(ERR_INVALID, "'%s' is no time: send seconds since 1970 or RFC 3339", name);
    *out -= *out % NANOS_PER_MS;
    return err_none();
}

/* Seconds with decimals, or 1m30s. 0: not given. */
static Err read_span(const struct asking *a, const char *name, Nanos *out) {
    Str text = param(a, name);
    double seconds;
    *out = 0;
    if (text.len == 0) return err_none();
    if (!str_to_f64(text, &seconds) && !prometheus_lex_duration(text, &seconds))
        return err_make(ERR_INVALID, "'%s' is no span: send seconds, or 15s, 1m, 1h30m", name);
    if (!(seconds >= 0.001 && seconds < 1.6e9))
        return err_make(ERR_INVALID, "'%s' is not between a millisecond and 50 years", name);
    *out = (Nanos)(seconds * 1000 + 0.5) * NANOS_PER_MS;
    return err_none();
}

static size_t read_limit(const struct asking *a, size_t most) {
    int64_t n;
    return str_to_i64(param(a, "limit"), &n) && n > 0 && (uint64_t)n < most ? (size_t)n : most;
}

/* ---- query and query_range */

static Err begin(struct asking *a, struct prometheus_eval *eval, struct prometheus_budget *budget) {
    const struct serve_options *o = &a->call->serve->options;
    Nanos lookback, timeout;
    TRY(read_span(a, "lookback_delta", &lookback));
    if (lookback == 0) TRY(read_span(a, "lookback", &lookback));
    TRY(read_span(a, "timeout", &timeout));
    if (timeout == 0 || timeout > TIME_LIMIT) timeout = TIME_LIMIT;
    unsigned cores = process_cores();
    budget->bytes = MEMORY_MAX;
    budget->deadline = clock_monotonic() + timeout;
    *eval = (struct prometheus_eval){.view = o->view,
                                     .lens = &a->lens,
                                     .arena = a->call->arena,
                                     .n = 1,
                                     .lookback = lookback                 ? lookback
                                                 : o->prometheus_lookback ? o->prometheus_lookback
                                                                          : PROMETHEUS_LOOKBACK,
                                     .workers = cores < WORKERS_MAX ? cores : WORKERS_MAX,
                                     .budget = budget};
    return err_none();
}

static Err parse(struct asking *a, struct prometheus_node **out) {
    Str text = param(a, "query");
    if (text.len == 0) return err_make(ERR_INVALID, "'query' is missing: send a PromQL expression");
    return prometheus_parse(text, a->call->arena, out);
}

static Err answer_query(struct asking *a, struct jw *w) {
    struct prometheus_budget budget = {0};
    struct prometheus_eval eval;
    struct prometheus_node *node;
    struct prometheus_value value;
    struct prometheus_samples *samples;
    size_t n;
    TRY(begin(a, &eval, &budget));
    TRY(read_time(a, "time", clock_now(a->call->serve->options.clock), &eval.start));
    eval.start -= eval.start % NANOS_PER_MS;
    eval.query_start = eval.query_end = eval.start;
    eval.step = NANOS_PER_S;
    TRY(parse(a, &node));
    if (node->type == PROMETHEUS_RANGE) {
        TRY(prometheus_range_samples(&eval, node, &samples, &n));
        jw_object(w);
        prometheus_json_samples(w, samples, n);
    } else {
        TRY(prometheus_eval(&eval, node, &value));
        jw_object(w);
        prometheus_json_value(w, &eval, &value, false);
    }
    jw_object_end(w);
    return err_none();
}

static Err read_steps(struct asking *a, struct prometheus_eval *eval) {
    if (param(a, "start").len == 0 || param(a, "end").len == 0 || param(a, "step").len == 0)
        return err_make(ERR_INVALID, "'start', 'end' and 'step' belong to a query over a span");
    TRY(read_time(a, "start", 0, &eval->query_start));
    TRY(read_time(a, "end", 0, &eval->query_end));
    TRY(read_span(a, "step", &eval->step));
    if (eval->step <= 0) return err_make(ERR_INVALID, "'step' is a span of time above 0");
    if (eval->query_end < eval->query_start) return err_make(ERR_INVALID, "'end' is before 'start': swap them");
    int64_t n = (eval->query_end - eval->query_start) / eval->step + 1;
    if (n > (int64_t)PROMETHEUS_STEPS_MAX)
        return err_make(ERR_INVALID, "%lld points a series are more than %u: ask with a larger step or a shorter span",
                        (long long)n, PROMETHEUS_STEPS_MAX);
    eval->start = eval->query_start;
    eval->n = (size_t)n;
    return err_none();
}

static Err answer_range(struct asking *a, struct jw *w) {
    static const char *const kinds[] = {"", "", "a range", "a text"};
    struct prometheus_budget budget = {0};
    struct prometheus_eval eval;
    struct prometheus_node *node;
    struct prometheus_value value;
    TRY(begin(a, &eval, &budget));
    TRY(read_steps(a, &eval));
    TRY(parse(a, &node));
    if (node->type > PROMETHEUS_VECTOR)
        return err_make(ERR_INVALID, "over a span a number or a vector is asked for, this is %s", kinds[node->type]);
    TRY(prometheus_eval(&eval, node, &value));
    jw_object(w);
    prometheus_json_value(w, &eval, &value, true);
    jw_object_end(w);
    return err_none();
}

static Err answer_format(struct asking *a, struct jw *w) {
    struct prometheus_node *node;
    struct buf text = {0};
    TRY(parse(a, &node));
    prometheus_print(node, &text);
    jw_str(w, buf_view(&text));
    buf_fini(&text);
    return err_none();
}

/* ---- what there is */

struct listing {
    struct asking *asking;
    struct map seen;
    Str label;    /* whose values are wanted; empty: the names of labels */
    struct jw *w; /* of series: each is written as it comes */
    size_t n, most;
    bool cut;
};

static void list(struct listing *l, Str text) {
    uint64_t known;
    if (text.len == 0 || map_get(&l->seen, text, &known)) return;
    map_put(&l->seen, text, 1);
}

static bool list_labels(void *ctx, size_t thing, size_t metric, const struct prometheus_labels *labels) {
    struct listing *l = ctx;
    (void)thing, (void)metric;
    if (l->label.len > 0)
        list(l, prometheus_labels_get(labels, l->label));
    else
        for (size_t i = 0; i < labels->n; i++) list(l, labels->items[i].name);
    return l->seen.count < SERIES_MAX;
}

static bool list_series(void *ctx, size_t thing, size_t metric, const struct prometheus_labels *labels) {
    struct listing *l = ctx;
    struct buf key = {0};
    uint64_t known;
    (void)thing, (void)metric;
    l->cut = l->n == l->most;
    if (l->cut) return false;
    prometheus_labels_key(labels, &key);
    if (!map_get(&l->seen, buf_view(&key), &known)) { /* two match[] may mean the same */
        map_put(&l->seen, buf_view(&key), 1);
        prometheus_json_labels(l->w, labels);
        l->n++;
    }
    buf_fini(&key);
    return true;
}

/* One pass for each match[], or one over everything. */
static Err each_match(struct listing *l, bool sample, bool required, prometheus_select_sink *sink) {
    struct asking *a = l->asking;
    Str matches[MATCHES_MAX];
    size_t n = params(a, "match[]", matches, MATCHES_MAX);
    struct prometheus_selection selection;
    struct prometheus_select select = {.view = a->call->serve->options.view, .lens = &a->lens, .sample = sample};
    if (n == 0 && required) return err_make(ERR_INVALID, "'match[]' is missing: send a selector, as up{thing=\"a\"}");
    TRY(read_time(a, "start", 0, &select.since));
    for (size_t i = 0; i < (n ? n : 1); i++) {
        struct prometheus_node *node;
        if (n > 0) {
            TRY(prometheus_parse_selector(matches[i], a->call->arena, &node));
            select.matchers = node->matchers;
            select.n_matchers = node->n_matchers;
        }
        TRY(prometheus_select_each(&select, a->call->arena, &selection, sink, l));
    }
    return err_none();
}

static int by_text(const void *a, const void *b) { return str_cmp(*(const Str *)a, *(const Str *)b); }

static void write_seen(const struct listing *l, struct jw *w) {
    Str *all = arena_zero(l->asking->call->arena, l->seen.count + 1, sizeof *all), key;
    size_t n = 0, at = 0;
    uint64_t value;
    while (map_next(&l->seen, &at, &key, &value)) all[n++] = key;
    qsort(all, n, sizeof *all, by_text);
    size_t most = read_limit(l->asking, n);
    jw_array(w);
    for (size_t i = 0; i < n && i < most; i++) jw_str(w, all[i]);
    jw_array_end(w);
}

static Err answer_listing(struct asking *a, Str label, struct jw *w) {
    struct listing l = {.asking = a, .label = label};
    bool sample = !str_eq_c(label, "unit"); /* models may declare different units for one metric */
    map_init(&l.seen);
    Err err = each_match(&l, sample, false, list_labels);
    if (err.code == ERR_NONE) write_seen(&l, w);
    map_fini(&l.seen);
    return err;
}

static Err answer_labels(struct asking *a, struct jw *w) { return answer_listing(a, (Str){0}, w); }
static Err answer_values(struct asking *a, struct jw *w) { return answer_listing(a, a->call->segments[0], w); }

static Err answer_series(struct asking *a, struct jw *w) {
    struct listing l = {.asking = a, .w = w, .most = read_limit(a, SERIES_MAX)};
    bool asked = param(a, "limit").len > 0;
    map_init(&l.seen);
    jw_array(w);
    Err err = each_match(&l, false, true, list_series);
    jw_array_end(w);
    map_fini(&l.seen);
    if (err.code == ERR_NONE && l.cut && !asked)
        return err_make(ERR_LIMIT, "more than %d series: narrow match[], or send 'limit'", SERIES_MAX);
    return err;
}

/* ---- metadata: what the models declare */

struct describing {
    struct asking *asking;
    struct map seen;
    const struct prometheus_selection *selection;
    Str only;
    struct jw *w;
};

static bool describe(void *ctx, size_t thing, size_t metric, const struct prometheus_labels *labels) {
    struct describing *d = ctx;
    Str shown = prometheus_labels_get(labels, STR("__name__"));
    uint64_t known;
    if (map_get(&d->seen, shown, &known) || (d->only.len > 0 && !str_eq(d->only, shown))) return true;
    map_put(&d->seen, shown, 1);
    const struct thing_metric *declared =
        view_samples_declared(d->asking->call->serve->options.view, prometheus_labels_get(labels, STR("model")),
                              prometheus_labels_get(labels, STR("metric")));
    (void)thing, (void)metric;
    jw_key_str(d->w, shown);
    jw_array(d->w);
    jw_object(d->w);
    jw_kc(d->w, "type", "gauge");
    jw_kstr(d->w, "help", declared ? str_c(declared->title_en) : prometheus_labels_get(labels, STR("metric")));
    jw_kstr(d->w, "unit", declared ? str_c(declared->unit) : (Str){0});
    jw_object_end(d->w);
    jw_array_end(d->w);
    return d->seen.count < read_limit(d->asking, SERIES_MAX);
}

static Err answer_metadata(struct asking *a, struct jw *w) {
    struct describing d = {.asking = a, .only = param(a, "metric"), .w = w};
    struct prometheus_selection selection;
    struct prometheus_select select = {.view = a->call->serve->options.view, .lens = &a->lens, .sample = true};
    map_init(&d.seen);
    jw_object(w);
    Err err = prometheus_select_each(&select, a->call->arena, &selection, describe, &d);
    jw_object_end(w);
    map_fini(&d.seen);
    return err;
}

/* ---- what is the same for everybody */

static Err answer_build(struct asking *a, struct jw *w) {
    jw_object(w);
    jw_kc(w, "version", VERSION);
    jw_kc(w, "revision", a->call->serve->options.version);
    jw_kc(w, "branch", "weft");
    jw_kc(w, "buildUser", "");
    jw_kc(w, "buildDate", "");
    jw_kc(w, "goVersion", "");
    jw_object_end(w);
    return err_none();
}

static Err answer_rules(struct asking *a, struct jw *w) {
    (void)a;
    jw_object(w);
    jw_key(w, "groups");
    jw_array(w);
    jw_array_end(w);
    jw_object_end(w);
    return err_none();
}

static Err answer_alerts(struct asking *a, struct jw *w) {
    (void)a;
    jw_object(w);
    jw_key(w, "alerts");
    jw_array(w);
    jw_array_end(w);
    jw_object_end(w);
    return err_none();
}

static Err answer_exemplars(struct asking *a, struct jw *w) {
    (void)a;
    jw_array(w);
    jw_array_end(w);
    return err_none();
}

/* ---- failures in Prometheus's form */

static const struct {
    enum err_code code;
    const char *type;
    int status;
} failures[] = {
    {ERR_INVALID, "bad_data", 400},   {ERR_NOT_FOUND, "not_found", 404}, {ERR_LIMIT, "execution", 422},
    {ERR_STATE, "execution", 422},    {ERR_FORBIDDEN, "execution", 422}, {ERR_TIMEOUT, "timeout", 503},
    {ERR_CANCELLED, "canceled", 503}, {ERR_BUSY, "unavailable", 503},
};

static void answer_failure(struct api_call *call, Err err) {
    const char *type = "internal";
    int status = 500;
    for (size_t i = 0; i < sizeof failures / sizeof *failures; i++)
        if (failures[i].code == err.code) {
            type = failures[i].type;
            status = failures[i].status;
        }
    http_response_clear(call->response);
    struct jw *w = api_json(call);
    jw_object(w);
    jw_kc(w, "status", "error");
    jw_kc(w, "errorType", type);
    jw_kc(w, "error", err.text);
    jw_object_end(w);
    call->response->status = status;
}

static Err answer(struct api_call *call, answerer *data) {
    struct asking a = {.call = call};
    TRY(sign_in(&a));
    struct jw *w = api_json(call);
    jw_object(w);
    jw_kc(w, "status", "success");
    jw_key(w, "data");
    Err err = read_form(&a);
    if (err.code == ERR_NONE) err = data(&a, w);
    if (err.code == ERR_NONE)
        jw_object_end(w);
    else
        answer_failure(call, err);
    return err_none();
}

#define HANDLER(name)                                                                                                  \
    static Err get_##name(struct api_call *call) { return answer(call, answer_##name); }
HANDLER(query)
HANDLER(range)
HANDLER(format)
HANDLER(labels)
HANDLER(values)
HANDLER(series)
HANDLER(metadata)
HANDLER(build)
HANDLER(rules)
HANDLER(alerts)
HANDLER(exemplars)

/* Not in the description: Prometheus's own documents it. Who may is decided in sign_in, as Basic credentials are
 * known here alone. */
#define ROUTE(verb, address, name, said, fn)                                                                           \
    {                                                                                                                  \
        .method = verb, .path = "/prometheus/api/v1/" address, .id = name, .tag = "prometheus", .summary = said,       \
        .flags = ROUTE_RAW_BODY | ROUTE_HIDDEN | ROUTE_ANY_PARAMS, .max_body = BODY_MAX, .handler = get_##fn           \
    }
const struct route api_prometheus_routes[] = {
    ROUTE(HTTP_GET, "query", "prometheusQuery", "PromQL at one time", query),
    ROUTE(HTTP_POST, "query", "prometheusQueryByForm", "PromQL at one time", query),
    ROUTE(HTTP_GET, "query_range", "prometheusQueryRange", "PromQL over a span", range),
    ROUTE(HTTP_POST, "query_range", "prometheusQueryRangeByForm", "PromQL over a span", range),
    ROUTE(HTTP_GET, "format_query", "prometheusFormatQuery", "PromQL in its canonical form", format),
    ROUTE(HTTP_POST, "format_query", "prometheusFormatQueryByForm", "PromQL in its canonical form", format),
    ROUTE(HTTP_GET, "labels", "prometheusLabels", "Names of labels", labels),
    ROUTE(HTTP_POST, "labels", "prometheusLabelsByForm", "Names of labels", labels),
    ROUTE(HTTP_GET, "label/{name}/values", "prometheusLabelValues", "Values of a label", values),
    ROUTE(HTTP_GET, "series", "prometheusSeries", "Series by their labels", series),
    ROUTE(HTTP_POST, "series", "prometheusSeriesByForm", "Series by their labels", series),
    ROUTE(HTTP_GET, "metadata", "prometheusMetadata", "Units and titles of metrics", metadata),
    ROUTE(HTTP_GET, "status/buildinfo", "prometheusBuildInfo", "Whose API this is", build),
    ROUTE(HTTP_GET, "rules", "prometheusRules", "None: rules are Weft's own", rules),
    ROUTE(HTTP_GET, "alerts", "prometheusAlerts", "None: alarms are Weft's own", alerts),
    ROUTE(HTTP_GET, "query_exemplars", "prometheusExemplars", "None", exemplars),
    ROUTE(HTTP_POST, "query_exemplars", "prometheusExemplarsByForm", "None", exemplars),
    {.handler = NULL},
};
