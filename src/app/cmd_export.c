/* RFC 4180: fields that hold a comma, a quote or a line break are quoted and their quotes doubled; here every string
 * value is. */
#include "app/cmd_export.h"

#include <string.h>

#include "base/num.h"
#include "store/series.h"
#include "trust/gate.h"

#define FLUSH_AT ((size_t)64 * 1024)

struct export {
    struct series *series;
    struct control_out *out;
    struct buf text;
    bool gone; /* the reader went away */
};

static void add_quoted(struct buf *text, Str s) {
    buf_byte(text, '"');
    for (size_t i = 0; i < s.len; i++) {
        if (s.ptr[i] == '"') buf_byte(text, '"');
        buf_byte(text, (uint8_t)s.ptr[i]);
    }
    buf_byte(text, '"');
}

static bool reads_as_other_kind(Str s) {
    double number;
    return s.len == 0 || str_eq_c(s, "true") || str_eq_c(s, "false") || str_to_f64(s, &number);
}

/* Quoted where the syntax needs it, and where a reader would take the string for a number, a bool or nothing. */
static void add_text(struct buf *text, Str s) {
    bool plain = !reads_as_other_kind(s);
    for (size_t i = 0; i < s.len && plain; i++) plain = !strchr(",\"\r\n", s.ptr[i]);
    if (plain)
        buf_str(text, s);
    else
        add_quoted(text, s);
}

static void add_value(struct buf *text, Value v) {
    char number[NUM_TEXT_MAX];
    switch (v.kind) {
    case VALUE_INT: buf_printf(text, "%lld", (long long)v.i); break;
    case VALUE_FLOAT: buf_str(text, num_format(v.f, number)); break;
    case VALUE_BOOL: buf_c(text, v.b ? "true" : "false"); break;
    case VALUE_STRING: add_text(text, v.s); break;
    case VALUE_NONE: break;
    }
}

static bool flush(struct export *e) {
    e->gone = !e->out->write(e->out->ctx, 'o', buf_view(&e->text));
    buf_clear(&e->text);
    return !e->gone;
}

static bool add_point(void *ctx, const struct series_point *point) {
    struct export *e = ctx;
    PartyId party;
    Str name = {0};
    char time[TIME_TEXT_MAX];
    if (!series_thing_name(e->series, point->thing, &party, &name)) return true;
    add_text(&e->text, name);
    buf_byte(&e->text, ',');
    buf_str(&e->text, time_format(point->time, time));
    buf_byte(&e->text, ',');
    add_text(&e->text, series_metric_name(e->series, point->metric));
    buf_byte(&e->text, ',');
    add_value(&e->text, point->value);
    buf_c(&e->text, "\n");
    return e->text.len < FLUSH_AT || flush(e);
}

static Err parse_time(int argc, char **argv, const char *flag, Nanos fallback, Nanos *out) {
    Str text = control_flag(argc, argv, flag, (Str){0});
    *out = fallback;
    return text.len == 0 ? err_none() : time_parse(text, out);
}

static Err build_query(struct workspace *ws, PartyId party, int argc, char **argv, struct series_query *query) {
    Str thing = control_flag(argc, argv, "thing", (Str){0}), metric = control_flag(argc, argv, "metric", (Str){0});
    if (thing.len > 0 && !series_find_thing(ws->series, party, thing, &query->thing))
        return err_make(ERR_NOT_FOUND, "no samples of a thing '" STR_FMT "': see its name in the console's fleet",
                        STR_ARG(thing));
    if (metric.len > 0 && !series_find_metric(ws->series, metric, &query->metric))
        return err_make(ERR_NOT_FOUND, "no samples of a metric '" STR_FMT "'", STR_ARG(metric));
    TRY(parse_time(argc, argv, "from", INT64_MIN, &query->from));
    return parse_time(argc, argv, "to", 0, &query->to);
}

static Err export_series(struct workspace *ws, int argc, char **argv, struct control_out *out) {
    TRY(control_flags(argc, argv, "thing|metric|from|to|party", ""));
    PartyId party;
    TRY(workspace_party(ws, control_flag(argc, argv, "party", (Str){0}), false, &party));
    struct principal by = principal_system(party, "command");
    struct lens lens;
    TRY(gate_lens(&by, NULL, "export", &lens));
    struct series_query query = {0};
    TRY(build_query(ws, party, argc, argv, &query));
    struct export e = {.series = ws->series, .out = out};
    buf_c(&e.text, "thing,time,metric,value\n");
    Err err = series_read(ws->series, &lens, &query, add_point, &e);
    flush(&e);
    buf_fini(&e.text);
    return err;
}

const struct control_command cmd_export_series = {
    .name = "export",
    .verb = "series",
    .usage = "[--thing NAME] [--metric M] [--from TIME] [--to TIME] [--party NAME]",
    .must_exist = true,
    .reads_series_only = true,
    .run = export_series,
};
