#include "serve/metrics.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "act/act.h"
#include "base/num.h"
#include "document/things.h"
#include "insight/watch.h"
#include "os/process.h"
#include "serve/api.h"
#include "serve/live.h"
#include "serve/serve_state.h"

enum { CLASSES = 5, BUCKETS = 6 };
static const struct {
    Nanos limit;
    const char *label;
} buckets[BUCKETS] = {
    {5 * NANOS_PER_MS, "0.005"}, {25 * NANOS_PER_MS, "0.025"}, {100 * NANOS_PER_MS, "0.1"},
    {500 * NANOS_PER_MS, "0.5"}, {2500 * NANOS_PER_MS, "2.5"}, {INT64_MAX, "+Inf"},
};

struct route_numbers {
    atomic_uint_fast64_t answers[CLASSES], took[BUCKETS], nanos;
};

struct metrics {
    struct route_numbers routes[API_ROUTES_MAX + 1]; /* the last: no route */
};

struct metrics *metrics_new(void) {
    struct metrics *metrics = calloc(1, sizeof *metrics);
    ASSERT(metrics != NULL);
    return metrics;
}

void metrics_free(struct metrics *metrics) { free(metrics); }

void metrics_request(struct metrics *metrics, size_t place, int status, Nanos took) {
    ASSERT(place < API_ROUTES_MAX || place == METRICS_NO_ROUTE);
    struct route_numbers *n = &metrics->routes[place == METRICS_NO_ROUTE ? API_ROUTES_MAX : place];
    int class = status / 100 - 1, bucket = 0;
    if (class < 0 || class >= CLASSES) class = CLASSES - 1;
    while (took > buckets[bucket].limit) bucket++;
    atomic_fetch_add_explicit(&n->answers[class], 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&n->took[bucket], 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&n->nanos, (uint64_t)took, memory_order_relaxed);
}

/* ---- writing */

static void head(struct buf *out, const char *name, const char *help, const char *type) {
    buf_printf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static void number(struct buf *out, const char *name, const char *labels, uint64_t value) {
    bool some = labels && labels[0];
    buf_printf(out, "%s%s%s%s %llu\n", name, some ? "{" : "", some ? labels : "", some ? "}" : "",
               (unsigned long long)value);
}

static void real(struct buf *out, const char *name, const char *labels, double value) {
    char text[NUM_TEXT_MAX];
    buf_printf(out, "%s{%s} " STR_FMT "\n", name, labels, STR_ARG(num_format(value, text)));
}

static uint64_t at(const void *from, size_t offset) {
    return *(const uint64_t *)(const void *)((const char *)from + offset);
}

static void write_table(struct buf *out, const struct serve_number *rows, const void *from) {
    for (const struct serve_number *row = rows; row->name; row++) {
        if (row->help[0]) head(out, row->name, row->help, row->gauge ? "gauge" : "counter");
        number(out, row->name, row->labels, at(from, row->offset));
    }
}

static void route_label(const struct route *route, char out[160]) {
    snprintf(out, 160, "method=\"%s\",route=\"%s\"", route ? http_method_name(route->method) : "",
             route ? route->path : "");
}

static uint64_t load(atomic_uint_fast64_t *n) { return atomic_load_explicit(n, memory_order_relaxed); }

static void write_answers(struct metrics *metrics, struct buf *out) {
    char route[160], labels[200];
    head(out, "weft_http_requests_total", "requests answered, by route and class of status", "counter");
    for (size_t i = 0; i <= API_ROUTES_MAX; i++)
        for (int c = 0; c < CLASSES; c++) {
            uint64_t n = load(&metrics->routes[i].answers[c]);
            if (n == 0) continue;
            route_label(i < API_ROUTES_MAX ? api_route(i) : NULL, route);
            snprintf(labels, sizeof labels, "%s,status=\"%dxx\"", route, c + 1);
            number(out, "weft_http_requests_total", labels, n);
        }
}

static void write_duration(struct route_numbers *n, const struct route *route, struct buf *out) {
    char label[160], labels[200];
    route_label(route, label);
    uint64_t sum = 0;
    for (int b = 0; b < BUCKETS; b++) {
        sum += load(&n->took[b]);
        snprintf(labels, sizeof labels, "%s,le=\"%s\"", label, buckets[b].label);
        number(out, "weft_http_request_seconds_bucket", labels, sum);
    }
    real(out, "weft_http_request_seconds_sum", label, (double)load(&n->nanos) / (double)NANOS_PER_S);
    number(out, "weft_http_request_seconds_count", label, sum);
}

static void write_durations(struct metrics *metrics, struct buf *out) {
    head(out, "weft_http_request_seconds", "time from the request's first line to its answer, by route", "histogram");
    for (size_t i = 0; i <= API_ROUTES_MAX; i++) {
        uint64_t n = 0;
        for (int b = 0; b < BUCKETS; b++) n += load(&metrics->routes[i].took[b]);
        if (n > 0) write_duration(&metrics->routes[i], i < API_ROUTES_MAX ? api_route(i) : NULL, out);
    }
}

#define HTTP(field) offsetof(struct http_stats, field)
static const struct serve_number http_rows[] = {
    {"weft_http_connections", "", "HTTP connections open now", true, HTTP(connections)},
    {"weft_http_streams", "", "live clients now", true, HTTP(streams)},
    {"weft_http_waiting", "", "requests waiting for a worker now", true, HTTP(waiting)},
    {"weft_http_received_total", "", "requests received", false, HTTP(requests)},
    {"weft_http_refused_total", "reason=\"busy\"", "requests refused before a handler saw them", false,
     HTTP(refused_busy)},
    {"weft_http_refused_total", "reason=\"large\"", "", false, HTTP(refused_large)},
    {"weft_http_refused_total", "reason=\"slow\"", "", false, HTTP(refused_slow)},
    {"weft_http_refused_total", "reason=\"malformed\"", "", false, HTTP(refused_malformed)},
    {"weft_http_streams_dropped_total", "", "live clients dropped because they read too slowly", false,
     HTTP(streams_dropped)},
    {"weft_http_body_bytes_total", "direction=\"in\"", "bytes of HTTP bodies", false, HTTP(bytes_in)},
    {"weft_http_body_bytes_total", "direction=\"out\"", "", false, HTTP(bytes_out)},
    {.name = NULL},
};

#define WATCH(field) offsetof(struct watch_stats, field)
static const struct serve_number watch_rows_table[] = {
    {"weft_watch_rows_total", "", "rows handed to the watch", false, WATCH(rows)},
    {"weft_watch_judged_rows_total", "", "rows the watch judged", false, WATCH(judged_rows)},
    {"weft_watch_passed_rows_total", "reason=\"late\"", "rows the watch passed by", false, WATCH(late_rows)},
    {"weft_watch_passed_rows_total", "reason=\"open_model\"", "", false, WATCH(open_rows)},
    {"weft_watch_findings_total", "", "findings of the watch", false, WATCH(findings)},
    {"weft_watch_predictions_total", "", "failures predicted", false, WATCH(predictions)},
    {"weft_watch_trainings_total", "", "failure models trained", false, WATCH(trainings)},
    {"weft_watch_things", "", "things watched", true, WATCH(things)},
    {"weft_watch_memory_bytes", "", "memory of the watched things", true, WATCH(bytes)},
    {"weft_watch_baseline_bytes", "", "of it what is usual for their metrics", true, WATCH(baseline_bytes)},
    {"weft_watch_queue_bytes", "", "rows waiting for the watch", true, WATCH(queue_bytes)},
    {.name = NULL},
};

static void write_act(struct act *act, struct buf *out) {
    struct act_stats s;
    act_stats(act, &s);
    const struct {
        const char *name, *help;
        bool gauge;
        uint64_t value;
    } rows[] = {
        {"weft_alarms_raised_total", "alarms raised", false, s.alarms.raised},
        {"weft_alarms_repeated_total", "findings counted into an alarm that stands", false, s.alarms.repeated},
        {"weft_alarms_ended_total", "alarms whose condition ended", false, s.alarms.ended},
        {"weft_alarms_flooded_total", "findings not made alarms because too many came", false, s.alarms.flooded},
        {"weft_alarms_failed_total", "alarms that could not be written", false, s.alarms.failed},
        {"weft_alarms_standing", "conditions that last now or may come back", true, s.alarms.standing},
        {"weft_reactions_events_total", "document events looked at", false, s.reactions.events},
        {"weft_reactions_run_total", "reactions run", false, s.reactions.run},
        {"weft_reactions_failed_total", "reactions given up", false, s.reactions.failed},
        {"weft_reactions_timers_total", "timed steps run", false, s.reactions.timers},
        {"weft_findings_waiting", "findings waiting to be acted upon", true, s.findings_waiting},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        head(out, rows[i].name, rows[i].help, rows[i].gauge ? "gauge" : "counter");
        number(out, rows[i].name, "", rows[i].value);
    }
}

static void write_ingest(const struct serve_options *o, struct buf *out) {
    struct ingest_counters counters = {0};
    o->ingest(o->ctx, &counters);
    for (size_t i = 0; i < ingest_counter_count; i++) {
        const struct ingest_counter *row = &ingest_counter_table[i];
        if (row->help[0]) head(out, row->name, row->help, row->gauge ? "gauge" : "counter");
        number(out, row->name, row->labels, ingest_counter_value(&counters, row));
    }
}

static void write_numbers(const struct serve_numbers *numbers, struct buf *out) {
    void *values = calloc(1, numbers->size);
    ASSERT(values != NULL);
    numbers->read(numbers->ctx, values);
    write_table(out, numbers->rows, values);
    free(values);
}

static void write_process(const struct serve *serve, struct buf *out) {
    head(out, "weft_info", "the program", "gauge");
    buf_printf(out, "weft_info{version=\"%s\"} 1\n", serve->options.version);
    head(out, "process_cpu_seconds_total", "CPU time of the process", "counter");
    char text[NUM_TEXT_MAX];
    buf_printf(out, "process_cpu_seconds_total " STR_FMT "\n",
               STR_ARG(num_format((double)process_cpu_time() / (double)NANOS_PER_S, text)));
    head(out, "weft_uptime_seconds", "since the start", "gauge");
    number(out, "weft_uptime_seconds", "", (uint64_t)((clock_monotonic() - serve->started) / NANOS_PER_S));
}

void metrics_write(struct serve *serve, struct buf *out) {
    const struct serve_options *o = &serve->options;
    struct http_stats http;
    http_stats(serve->http, &http);
    write_process(serve, out);
    write_table(out, http_rows, &http);
    write_answers(serve->metrics, out);
    write_durations(serve->metrics, out);
    if (o->ingest) write_ingest(o, out);
    if (o->watch) {
        struct watch_stats watch;
        watch_stats(o->watch, &watch);
        write_table(out, watch_rows_table, &watch);
    }
    if (o->things) {
        head(out, "weft_things_memory_bytes", "memory of the registry of things", "gauge");
        number(out, "weft_things_memory_bytes", "", things_bytes(o->things));
    }
    if (o->act) write_act(o->act, out);
    for (size_t i = 0; i < o->n_numbers; i++) write_numbers(&o->numbers[i], out);
}
