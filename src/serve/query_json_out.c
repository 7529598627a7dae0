/*
 * CSV quotes a text where the syntax needs it, and where a reader would take it for a number, a bool or nothing; times
 * are RFC 3339, nothing is nothing.
 */
#include "serve/query_json_out.h"

#include <math.h>
#include <string.h>

#include "base/num.h"

static const char *const kinds[] = {"number", "string", "time", "any"};

static const struct {
    const char *type, *short_type;
} forms[] = {{"application/json", "application/json"},
             {"text/csv; charset=utf-8", "text/csv"},
             {"application/x-ndjson", "application/x-ndjson"}};

const char *query_json_out_type(enum query_json_out_form form) { return forms[form].type; }

/* The first of them that the header names; JSON when it names none. */
bool query_json_out_accept(Str accept, enum query_json_out_form *form) {
    *form = QUERY_JSON_OUT_JSON;
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        if (str_find(accept, str_c(forms[i].short_type)) < 0) continue;
        *form = (enum query_json_out_form)i;
        return true;
    }
    return false;
}

/* ---- CSV */

static bool reads_as_other_kind(Str s) {
    double number;
    return s.len == 0 || str_eq_c(s, "true") || str_eq_c(s, "false") || str_to_f64(s, &number);
}

static void csv_text(struct buf *out, Str s) {
    bool plain = !reads_as_other_kind(s);
    for (size_t i = 0; i < s.len && plain; i++) plain = !strchr(",\"\r\n", s.ptr[i]);
    if (plain) {
        buf_str(out, s);
        return;
    }
    buf_byte(out, '"');
    for (size_t i = 0; i < s.len; i++) {
        if (s.ptr[i] == '"') buf_byte(out, '"');
        buf_byte(out, (uint8_t)s.ptr[i]);
    }
    buf_byte(out, '"');
}

static void csv_value(struct query_json_out *o, Value v, enum query_kind kind) {
    char room[NUM_TEXT_MAX > TIME_TEXT_MAX ? NUM_TEXT_MAX : TIME_TEXT_MAX];
    switch (v.kind) {
    case VALUE_INT:
        if (kind == QUERY_KIND_TIME && !o->times_ms)
            buf_str(o->out, time_format(v.i, room));
        else
            buf_printf(o->out, "%lld", (long long)(kind == QUERY_KIND_TIME ? v.i / NANOS_PER_MS : v.i));
        break;
    case VALUE_FLOAT:
        if (isfinite(v.f)) buf_str(o->out, num_format(v.f, room));
        break;
    case VALUE_BOOL: buf_c(o->out, v.b ? "true" : "false"); break;
    case VALUE_STRING: csv_text(o->out, v.s); break;
    case VALUE_NONE: break;
    }
}

static void csv_row(struct query_json_out *o, const Value *row, size_t n) {
    for (size_t i = 0; i < n; i++) {
        if (i) buf_byte(o->out, ',');
        csv_value(o, row[i], o->columns[i].kind);
    }
    buf_byte(o->out, '\n');
}

/* ---- JSON */

static void json_value(struct query_json_out *o, Value v, enum query_kind kind) {
    struct jw *w = &o->w;
    switch (v.kind) {
    case VALUE_INT:
        if (kind != QUERY_KIND_TIME)
            jw_int(w, v.i);
        else if (!o->times_ms)
            jw_time(w, v.i);
        else if (v.i % NANOS_PER_MS == 0)
            jw_int(w, v.i / NANOS_PER_MS);
        else
            jw_num(w, (double)v.i / (double)NANOS_PER_MS);
        break;
    case VALUE_FLOAT: jw_num(w, v.f); break;
    case VALUE_BOOL: jw_bool(w, v.b); break;
    case VALUE_STRING: jw_str(w, v.s); break;
    case VALUE_NONE: jw_null(w); break;
    }
}

static void json_head(struct query_json_out *o) {
    struct jw *w = &o->w;
    jw_object(w);
    jw_key(w, "columns");
    jw_array(w);
    for (size_t i = 0; i < o->n; i++) {
        jw_object(w);
        jw_kstr(w, "name", o->columns[i].name);
        jw_kc(w, "kind", kinds[o->columns[i].kind]);
        jw_object_end(w);
    }
    jw_array_end(w);
    jw_key(w, "rows");
    jw_array(w);
}

static void lines_row(struct query_json_out *o, const Value *row, size_t n) {
    jw_init(&o->w, o->out);
    jw_object(&o->w);
    for (size_t i = 0; i < n; i++) {
        jw_key_str(&o->w, o->columns[i].name);
        json_value(o, row[i], o->columns[i].kind);
    }
    jw_object_end(&o->w);
    buf_byte(o->out, '\n');
}

/* ---- the sink */

static bool take_columns(void *ctx, const struct query_column *columns, size_t n) {
    struct query_json_out *o = ctx;
    ASSERT(n <= sizeof o->columns / sizeof *o->columns);
    o->n = n;
    for (size_t i = 0; i < n; i++) {
        o->columns[i] = columns[i];
        o->columns[i].name = arena_str(o->arena, columns[i].name);
    }
    jw_init(&o->w, o->out);
    if (o->form == QUERY_JSON_OUT_JSON) json_head(o);
    for (size_t i = 0; i < n && o->form == QUERY_JSON_OUT_CSV; i++) {
        if (i) buf_byte(o->out, ',');
        csv_text(o->out, columns[i].name);
    }
    if (o->form == QUERY_JSON_OUT_CSV) buf_byte(o->out, '\n');
    return true;
}

static bool take_row(void *ctx, const Value *row, size_t n) {
    struct query_json_out *o = ctx;
    o->rows++;
    if (o->form == QUERY_JSON_OUT_CSV) {
        csv_row(o, row, n);
    } else if (o->form == QUERY_JSON_OUT_LINES) {
        lines_row(o, row, n);
    } else {
        jw_array(&o->w);
        for (size_t i = 0; i < n; i++) json_value(o, row[i], o->columns[i].kind);
        jw_array_end(&o->w);
    }
    return !o->flush || o->out->len < o->flush_at || o->flush(o->ctx, o->out);
}

struct query_sink query_json_out_sink(struct query_json_out *o) {
    return (struct query_sink){take_columns, take_row, o};
}

static void write_stats(struct jw *w, const struct query_stats *stats) {
    jw_key(w, "stats");
    jw_object(w);
    jw_kint(w, "things", (int64_t)stats->things);
    jw_kint(w, "rows_read", (int64_t)stats->rows_read);
    jw_kint(w, "rows", (int64_t)stats->rows_out);
    jw_knum(w, "seconds", stats->seconds);
    jw_object_end(w);
}

void query_json_out_end(struct query_json_out *o, const struct query_stats *stats, Err err) {
    if (o->form == QUERY_JSON_OUT_LINES && err.code != ERR_NONE) jw_init(&o->w, o->out), jw_object(&o->w);
    if (o->form == QUERY_JSON_OUT_JSON) jw_array_end(&o->w);
    if (o->form != QUERY_JSON_OUT_CSV && err.code != ERR_NONE) jw_kc(&o->w, "error", err.text);
    if (o->form == QUERY_JSON_OUT_JSON) write_stats(&o->w, stats);
    if (o->form == QUERY_JSON_OUT_JSON || (o->form == QUERY_JSON_OUT_LINES && err.code != ERR_NONE))
        jw_object_end(&o->w);
    if (o->form == QUERY_JSON_OUT_CSV && err.code != ERR_NONE) buf_printf(o->out, "# error: %s\n", err.text);
    if (o->form == QUERY_JSON_OUT_LINES && err.code != ERR_NONE) buf_byte(o->out, '\n');
}
