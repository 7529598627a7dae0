#include "serve/sql_write.h"

#include <math.h>
#include <string.h>

#include "base/num.h"

static Str of_bool(const struct sql_value *v) { return v->value.i ? STR("true") : STR("false"); }

void sql_write_value(struct jw *w, const struct sql_value *v) {
    switch (v->value.kind) {
    case VALUE_NONE: jw_null(w); break;
    case VALUE_BOOL: jw_bool(w, v->value.b); break;
    case VALUE_FLOAT: jw_num(w, v->value.f); break;
    case VALUE_INT:
        if (v->kind == SQL_BOOL)
            jw_bool(w, v->value.i != 0);
        else
            jw_int(w, v->value.i);
        break;
    case VALUE_STRING:
        if (v->kind == SQL_JSON && v->value.s.len > 0)
            jw_raw(w, v->value.s); /* from a column that holds nothing else */
        else
            jw_str(w, v->value.s);
    }
}

void sql_write_text(struct buf *out, const struct sql_value *v) {
    char number[NUM_TEXT_MAX];
    switch (v->value.kind) {
    case VALUE_NONE: break;
    case VALUE_BOOL: buf_c(out, v->value.b ? "true" : "false"); break;
    case VALUE_FLOAT:
        if (isfinite(v->value.f)) buf_str(out, num_format(v->value.f, number));
        break;
    case VALUE_INT:
        if (v->kind == SQL_BOOL)
            buf_str(out, of_bool(v));
        else
            buf_printf(out, "%lld", (long long)v->value.i);
        break;
    case VALUE_STRING: buf_str(out, v->value.s);
    }
}

/* ---- CSV (RFC 4180): NULL is nothing, an empty text is "" */

static void add_field(struct buf *out, Str s) {
    bool plain = s.len > 0;
    for (size_t i = 0; i < s.len && plain; i++) plain = !memchr(",\"\r\n", s.ptr[i], 4);
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

static void csv_row(struct buf *out, const struct sql_value *row, size_t n) {
    for (size_t i = 0; i < n; i++) {
        if (i > 0) buf_byte(out, ',');
        if (row[i].value.kind == VALUE_STRING)
            add_field(out, row[i].value.s);
        else
            sql_write_text(out, &row[i]);
    }
    buf_c(out, "\r\n");
}

/* ---- JSON */

static void write_column(struct jw *w, const struct sql_column *c) {
    jw_object(w);
    jw_kc(w, "name", c->name);
    jw_kc(w, "type", sql_kind_name(c->kind));
    if (c->kind == SQL_DECIMAL) jw_kint(w, "scale", c->scale);
    jw_object_end(w);
}

static Err take_columns(void *ctx, const struct sql_column *columns, size_t n) {
    struct sql_write *x = ctx;
    x->columns = columns;
    x->n = n;
    if (x->form == SQL_FORM_CSV) {
        for (size_t i = 0; i < n; i++) {
            if (i > 0) buf_byte(x->out, ',');
            add_field(x->out, str_c(columns[i].name));
        }
        buf_c(x->out, "\r\n");
    }
    if (x->form != SQL_FORM_JSON) return err_none();
    jw_key(x->w, "columns");
    jw_array(x->w);
    for (size_t i = 0; i < n; i++) write_column(x->w, &columns[i]);
    jw_array_end(x->w);
    jw_key(x->w, "rows");
    jw_array(x->w);
    x->open = true;
    return err_none();
}

static void json_row(struct sql_write *x, const struct sql_value *row, size_t n) {
    jw_array(x->w);
    for (size_t i = 0; i < n; i++) sql_write_value(x->w, &row[i]);
    jw_array_end(x->w);
}

static void ndjson_row(struct sql_write *x, const struct sql_value *row, size_t n) {
    struct jw w;
    jw_init(&w, x->out);
    jw_object(&w);
    for (size_t i = 0; i < n; i++) {
        jw_key_str(&w, str_c(x->columns[i].name));
        sql_write_value(&w, &row[i]);
    }
    jw_object_end(&w);
    buf_byte(x->out, '\n');
}

static Err take_row(void *ctx, const struct sql_value *row, size_t n) {
    struct sql_write *x = ctx;
    switch (x->form) {
    case SQL_FORM_JSON: json_row(x, row, n); break;
    case SQL_FORM_NDJSON: ndjson_row(x, row, n); break;
    case SQL_FORM_CSV: csv_row(x->out, row, n); break;
    }
    size_t bytes = x->form == SQL_FORM_JSON ? x->w->out->len : x->out->len;
    if (x->most == 0 || bytes <= x->most) return err_none();
    return err_make(ERR_LIMIT, "an answer of more than %zu MiB: add LIMIT, name fewer columns, or group",
                    x->most >> 20);
}

struct sql_sink sql_write_sink(struct sql_write *write) {
    return (struct sql_sink){take_columns, take_row, write};
}

void sql_write_end(struct sql_write *x) {
    if (x->open) jw_array_end(x->w);
    x->open = false;
}

/* ---- the tables */

static void write_table_column(struct jw *w, const struct sql_table_column *c) {
    jw_object(w);
    jw_kc(w, "name", c->name);
    jw_kc(w, "type", sql_kind_name(c->kind));
    if (c->kind == SQL_DECIMAL) jw_kint(w, "scale", c->scale);
    jw_kc(w, "title_en", c->title_en ? c->title_en : c->name);
    jw_kc(w, "title_zh", c->title_zh ? c->title_zh : c->name);
    if (c->unit) jw_kc(w, "unit", c->unit);
    if (c->refers) jw_kc(w, "refers", c->refers);
    if (c->input) jw_kbool(w, "input", true);
    jw_object_end(w);
}

void sql_write_tables(struct jw *w, const struct sql_table_about *tables, size_t n) {
    jw_array(w);
    for (size_t i = 0; i < n; i++) {
        const struct sql_table_about *t = &tables[i];
        jw_object(w);
        jw_kc(w, "name", t->name);
        jw_kc(w, "title_en", t->title_en ? t->title_en : t->name);
        jw_kc(w, "title_zh", t->title_zh ? t->title_zh : t->name);
        jw_kc(w, "about_en", t->about_en ? t->about_en : "");
        jw_kc(w, "about_zh", t->about_zh ? t->about_zh : "");
        jw_key(w, "columns");
        jw_array(w);
        for (size_t k = 0; k < t->n_columns; k++) write_table_column(w, &t->columns[k]);
        jw_array_end(w);
        jw_object_end(w);
    }
    jw_array_end(w);
}
