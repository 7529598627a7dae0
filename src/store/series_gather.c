/*
 * Reading: a consistent picture is taken (what is in memory, what is being written out, which runs there are), then
 * each metric of each thing is merged from memory and the lanes of runs. What cannot be read is passed over and told at
 * the end, so that a damaged file takes only its own rows away.
 */
#include <stdlib.h>

#include "store/series_engine.h"
#include "store/series_recent.h"
#include "store/series_scan.h"

struct reading {
    struct series_engine *engine;
    const struct series_scan *scan;
    struct series_scan_out out;
    struct series_gather_picture now;
    struct compress *scratch;
    struct series_recent recent;
    struct series_source_memory memory;
    struct series_source_lane *lanes;
    size_t n_lanes;
    struct series_source **sources; /* memory, then the lanes */
};

static Err read_metric(struct reading *r, ThingId thing, MetricId metric) {
    bool descending = r->scan->newest_first;
    series_source_memory_metric(&r->memory, &r->recent, metric, descending);
    for (size_t i = 0; i < r->n_lanes; i++) series_source_lane_metric(&r->lanes[i], metric, descending);
    struct series_merge merge = {r->sources, r->n_lanes + 1, descending};
    return series_scan_stream(&r->out, thing, metric, &merge);
}

static Err read_thing(struct reading *r, PartyId party, ThingId thing) {
    const struct series_scan *scan = r->scan;
    series_recent_clear(&r->recent);
    if (r->now.frozen) series_recent_add(&r->recent, r->now.frozen, thing, scan->from, scan->to);
    series_recent_add(&r->recent, r->now.active, thing, scan->from, scan->to);
    series_recent_sort(&r->recent);
    for (size_t i = 0; i < r->n_lanes; i++) series_source_lane_thing(&r->lanes[i], party, thing, scan->from, scan->to);
    for (size_t i = 0; i < r->n_lanes; i++) r->lanes[i].window = scan->window;
    if (scan->window) series_source_mark_alone(r->lanes, r->n_lanes, &r->recent);
    if (scan->metric) return read_metric(r, thing, scan->metric);
    for (size_t i = 0; r->engine->damaged && i < r->n_lanes; i++) series_source_lane_check(&r->lanes[i]);
    size_t n;
    MetricId *metrics = series_live_metrics(r->engine->front.live, thing, &n);
    Err err = err_none();
    for (size_t i = 0; i < n && err.code == ERR_NONE && !r->out.stopped; i++) err = read_metric(r, thing, metrics[i]);
    free(metrics);
    return err;
}

static Err read_if_shown(struct reading *r, ThingId thing) {
    PartyId party = series_names_party(r->engine->front.names, thing);
    if (party == 0 || !(r->scan->every_party || party == r->scan->party)) return err_none();
    return read_thing(r, party, thing);
}

static Err read_things(struct reading *r) {
    if (r->scan->thing) return read_if_shown(r, r->scan->thing);
    uint32_t count = series_names_count(r->engine->front.names, SERIES_NAME_THING);
    for (ThingId thing = 1; thing <= count && !r->out.stopped; thing++) TRY(read_if_shown(r, thing));
    return err_none();
}

struct series_gather_picture series_gather_hold(struct series_engine *e) {
    thread_lock(&e->lock);
    struct series_gather_picture now = {e->active, e->frozen, e->set};
    series_memory_ref(now.active);
    if (now.frozen) series_memory_ref(now.frozen);
    series_set_hold(now.set);
    thread_unlock(&e->lock);
    return now;
}

void series_gather_let_go(const struct series_gather_picture *now) {
    series_memory_unref(now->active);
    series_memory_unref(now->frozen);
    series_set_let_go(now->set);
}

static void let_go(struct reading *r) {
    series_set_close_lanes(r->lanes, r->n_lanes);
    series_gather_let_go(&r->now);
    series_source_memory_fini(&r->memory);
    series_recent_fini(&r->recent);
    compress_free(r->scratch);
    free(r->sources);
}

Err series_gather_read(struct series_engine *e, const struct series_scan *scan, series_sink *sink, void *ctx) {
    struct reading r = {.engine = e, .scan = scan, .out = {.scan = scan, .sink = sink, .ctx = ctx}};
    r.now = series_gather_hold(e);
    r.scratch = compress_new();
    r.lanes = series_set_open_lanes(r.now.set, r.scratch, scan->from, scan->to, &r.n_lanes);
    r.sources = malloc((r.n_lanes + 1) * sizeof *r.sources);
    ASSERT(r.sources != NULL);
    r.sources[0] = &r.memory.base;
    for (size_t i = 0; i < r.n_lanes; i++) r.sources[i + 1] = &r.lanes[i].base;
    Err err = read_things(&r);
    for (size_t i = 0; i < r.n_lanes && err.code == ERR_NONE; i++) err = series_source_lane_failure(&r.lanes[i]);
    let_go(&r);
    return err;
}
