#include "tests/lib/serve_gate_model.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *const gate_model_things[GATE_MODEL_THINGS] = {"m-1", "m-2", "odd/名 1"};
const char *const gate_model_thing_models[GATE_MODEL_THINGS] = {"model3", "model3", "open"};
const char *const gate_model_metrics[GATE_MODEL_METRICS] = {"volt", "rotate"};
const char *const gate_model_base[6] = {"number", "state", "version", "created", "changed", "created_by"};

/* ---- columns */

size_t gate_model_columns(const struct gate_model *m, size_t type) { return 6 + m->types[type]->n_fields; }

const char *gate_model_column_name(const struct gate_model *m, size_t type, int column) {
    return column < 6 ? gate_model_base[column] : m->types[type]->fields[column - 6].name;
}

int gate_model_column(const struct gate_model *m, size_t type, Str name) {
    for (size_t i = 0; i < gate_model_columns(m, type); i++)
        if (str_eq_c(name, gate_model_column_name(m, type, (int)i))) return (int)i;
    return -1;
}

enum field_kind gate_model_kind(const struct gate_model *m, size_t type, int column) {
    static const enum field_kind base[6] = {FIELD_TEXT, FIELD_TEXT, FIELD_INT, FIELD_TIME, FIELD_TIME, FIELD_TEXT};
    return column < 6 ? base[column] : m->types[type]->fields[column - 6].kind;
}

/* ---- values */

bool gate_model_text(const struct json *doc, const char *name, char out[64]) {
    const struct json *v = json_get(doc, name);
    out[0] = '\0';
    if (!v) return false;
    if (json_kind(v) == JSON_OBJECT) v = json_get(v, "id") ? json_get(v, "id") : v;
    switch (json_kind(v)) {
    case JSON_NULL: return false;
    case JSON_BOOL: snprintf(out, 64, "%s", json_bool(v) ? "true" : "false"); return true;
    case JSON_INT: snprintf(out, 64, "%lld", (long long)json_int(v)); return true;
    case JSON_REAL: snprintf(out, 64, "%.17g", json_num(v)); return true;
    case JSON_STRING: snprintf(out, 64, STR_FMT, STR_ARG(json_str(v))); return true;
    default: break;
    }
    struct buf whole = {0};
    json_dump(v, &whole);
    snprintf(out, 64, STR_FMT, STR_ARG(buf_view(&whole)));
    buf_fini(&whole);
    return true;
}

static bool numeric(enum field_kind kind) {
    return kind == FIELD_INT || kind == FIELD_NUMBER || kind == FIELD_DECIMAL || kind == FIELD_REF;
}

static int compare_texts(enum field_kind kind, const char *a, const char *b) {
    if (!numeric(kind)) return strcmp(a, b);
    double x = strtod(a, NULL), y = strtod(b, NULL);
    return (x > y) - (x < y);
}

int gate_model_compare(enum field_kind kind, const struct json *a, const struct json *b, const char *name) {
    char x[64], y[64];
    bool has_a = gate_model_text(a, name, x), has_b = gate_model_text(b, name, y);
    if (!has_a || !has_b) return has_a - has_b;
    return compare_texts(kind, x, y);
}

static bool contains(const char *text, const char *part) {
    for (; *text; text++) {
        size_t i = 0;
        while (part[i] && (text[i] | 0x20) == (part[i] | 0x20)) i++;
        if (!part[i]) return true;
    }
    return !*part;
}

bool gate_model_holds(enum field_kind kind, const struct json *doc, const char *name, const char *op,
                      const char *value) {
    char text[64];
    bool has = gate_model_text(doc, name, text);
    if (strcmp(op, "?=") == 0) return has == (strcmp(value, "true") == 0);
    if (strcmp(op, "!=") == 0) return !has || compare_texts(kind, text, value) != 0;
    if (!has) return false;
    if (strcmp(op, "~=") == 0) return contains(text, value);
    int c = compare_texts(kind, text, value);
    if (strcmp(op, "=") == 0) return c == 0;
    return strcmp(op, ">=") == 0 ? c >= 0 : c <= 0;
}

/* ---- rows: what has no value fails, whatever is asked */

static bool row_holds(enum field_kind kind, const struct json *doc, const struct gate_model_row *row) {
    char text[64];
    if (!gate_model_text(doc, row->field, text)) return false;
    int c = compare_texts(kind, text, row->value);
    switch (row->op[0]) {
    case 'e': return c == 0;
    case 'n': return c != 0;
    case 'l': return row->op[1] == 't' ? c < 0 : c <= 0;
    default: return row->op[1] == 't' ? c > 0 : c >= 0;
    }
}

bool gate_model_shows(const struct gate_model *m, size_t type, const struct json *doc) {
    const struct gate_model_type *t = &m->terms[type];
    if (!t->given) return false;
    for (size_t i = 0; i < t->n_rows; i++) {
        int column = gate_model_column(m, type, str_c(t->rows[i].field));
        if (!row_holds(gate_model_kind(m, type, column), doc, &t->rows[i])) return false;
    }
    return true;
}

/* ---- series */

static int coarseness(const struct gate_model_series *s) {
    return strcmp(s->resolution, "raw") == 0 ? 0 : strcmp(s->resolution, "hourly") == 0 ? 1 : 2;
}

const struct gate_model_series *gate_model_grant(const struct gate_model *m, size_t thing, int metric) {
    const struct gate_model_series *best = NULL;
    for (size_t i = 0; i < m->n_series; i++) {
        const struct gate_model_series *s = &m->series[i];
        if (!s->every_thing && !s->things[thing]) continue;
        if (s->model && strcmp(s->model, gate_model_thing_models[thing]) != 0) continue;
        if (metric >= 0 && !s->every_metric && !s->metrics[metric]) continue;
        if (!best || coarseness(s) < coarseness(best)) best = s;
    }
    return best;
}
