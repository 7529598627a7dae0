/* What machines measured, for charts. */
#include "insight/view.h"
#include "serve/api.h"
#include "serve/serve_state.h"

static const struct {
    const char *name;
    Nanos unit;
} units[] = {
    {"ms", NANOS_PER_MS}, {"s", NANOS_PER_S}, {"m", NANOS_PER_MIN}, {"h", NANOS_PER_HOUR}, {"d", NANOS_PER_DAY}};

/* "auto", "0", or a number with a unit: "15m". */
static Err parse_window(Str text, Nanos *out) {
    *out = VIEW_WINDOW_AUTO;
    if (text.len == 0 || str_eq_c(text, "auto")) return err_none();
    *out = 0;
    if (str_eq_c(text, "0")) return err_none();
    size_t digits = 0;
    while (digits < text.len && text.ptr[digits] >= '0' && text.ptr[digits] <= '9') digits++;
    int64_t n;
    for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
        if (!str_eq_c(str_slice(text, digits, text.len), units[i].name)) continue;
        if (!str_to_i64(str_slice(text, 0, digits), &n) || n <= 0 || n > 366 * NANOS_PER_DAY / units[i].unit) break;
        *out = n * units[i].unit;
        return err_none();
    }
    return err_make(ERR_INVALID, "query parameter 'window' is auto, 0 for single samples, or a span such as 15m or 1h");
}

static void write_ms(struct jw *w, Nanos t) {
    if (t % NANOS_PER_MS == 0)
        jw_int(w, t / NANOS_PER_MS);
    else
        jw_num(w, (double)t / (double)NANOS_PER_MS);
}

static void write_raw(struct jw *w, Value v) {
    switch (v.kind) {
    case VALUE_INT: jw_int(w, v.i); break;
    case VALUE_FLOAT: jw_num(w, v.f); break;
    case VALUE_BOOL: jw_bool(w, v.b); break;
    case VALUE_STRING: jw_str(w, v.s); break;
    case VALUE_NONE: jw_null(w); break;
    }
}

static void write_point(struct jw *w, const struct view_point *p, bool raw) {
    jw_array(w);
    write_ms(w, p->time);
    if (raw) {
        write_raw(w, p->value);
    } else {
        jw_num(w, p->avg);
        jw_num(w, p->min);
        jw_num(w, p->max);
    }
    jw_array_end(w);
}

static void write_baseline(struct jw *w, const struct view_series *s) {
    jw_key(w, "baseline");
    if (!s->has_baseline) {
        jw_null(w);
        return;
    }
    jw_object(w);
    jw_knum(w, "own_median", s->baseline.own_median);
    jw_knum(w, "own_mad", s->baseline.own_mad);
    jw_knum(w, "peer_median", s->baseline.peer_median);
    jw_knum(w, "peer_mad", s->baseline.peer_mad);
    jw_object_end(w);
}

static void write_series(struct jw *w, const struct view_series *s) {
    jw_object(w);
    jw_kstr(w, "thing", s->thing);
    jw_kstr(w, "metric", s->metric);
    jw_kstr(w, "unit", s->unit);
    jw_ktime(w, "from", s->from);
    jw_ktime(w, "to", s->to);
    jw_knum(w, "window_s", (double)s->window / (double)NANOS_PER_S);
    jw_kbool(w, "cut", s->cut);
    jw_kbool(w, "index", s->index);
    jw_key(w, "points");
    jw_array(w);
    for (size_t i = 0; i < s->n; i++) write_point(w, &s->points[i], s->window == 0);
    jw_array_end(w);
    write_baseline(w, s);
    jw_object_end(w);
}

/* What was read, for the log of disclosures. */
static Str what_of(const struct api_call *call, const struct view_series *s) {
    char from[TIME_TEXT_MAX], to[TIME_TEXT_MAX];
    return arena_printf(call->arena, STR_FMT " " STR_FMT " " STR_FMT "/" STR_FMT " per %lld s%s", STR_ARG(s->thing),
                        STR_ARG(s->metric), STR_ARG(time_format(s->from, from)), STR_ARG(time_format(s->to, to)),
                        (long long)(s->window / NANOS_PER_S), s->index ? ", index" : "");
}

static Err get_series(struct api_call *call) {
    struct view_query query = {.thing = api_query(call, "thing"),
                               .metric = api_query(call, "metric"),
                               .from = api_query_time(call, "from"),
                               .to = api_query_time(call, "to"),
                               .limit = (size_t)api_query_int(call, "limit", 0, 1, VIEW_POINTS_MAX)};
    TRY(parse_window(api_query(call, "window"), &query.window));
    if (query.from && query.to && query.from >= query.to)
        return err_make(ERR_INVALID, "'from' is not before 'to': nothing lies between them");
    struct view_series series;
    struct lens lens;
    TRY(api_lens(call, NULL, &lens));
    TRY(view_series(call->serve->options.view, &lens, &query, call->arena, &series));
    TRY(api_disclose_what(call, &lens, NULL, "series", what_of(call, &series), series.n));
    write_series(api_json(call), &series);
    return err_none();
}

static const struct route_param params[] = {
    {"thing", ROUTE_TEXT, true, "the machine's name"},
    {"metric", ROUTE_TEXT, true, "the metric's name"},
    {"from", ROUTE_TIME, false, "RFC 3339 or ms since 1970; seven days before `to`"},
    {"to", ROUTE_TIME, false, "RFC 3339 or ms since 1970, not included; the newest sample"},
    {"window", ROUTE_TEXT, false, "auto, 0 for single samples, or a span: 15m, 1h, 1d"},
    {"limit", ROUTE_INT, false, "points; 2000, at most 20000; the newest are kept"},
    {.name = NULL},
};

const struct route api_series_routes[] = {
    {HTTP_GET, "/api/v1/series", "getSeries", "things", "One metric of one machine over time", ROLE_PEOPLE, params,
     NULL, "Series", 0, ROUTE_SHARED, 0, get_series},
    {.handler = NULL},
};
