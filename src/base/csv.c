#include "base/csv.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void csv_open(struct csv *csv, Str name, Str text, struct arena *arena) {
    *csv = (struct csv){.name = name, .rest = text, .arena = arena};
    if (str_starts(text, STR("\xEF\xBB\xBF"))) csv->rest = str_slice(text, 3, text.len); /* spreadsheets write it */
}

Err csv_fault(const struct csv *csv, size_t i, const char *fmt, ...) {
    char what[180];
    va_list args;
    va_start(args, fmt);
    vsnprintf(what, sizeof what, fmt, args);
    va_end(args);
    Str name = str_slice(csv->name, csv->name.len > 60 ? csv->name.len - 60 : 0, csv->name.len);
    return err_make(ERR_INVALID, STR_FMT ":%zu:%zu: %s", STR_ARG(name), csv->line, i < csv->n ? csv->columns[i] : 1,
                    what);
}

/* At most this much of a field in a message. */
static Str shown(Str field) { return str_slice(field, 0, 40); }

/* A quoted field begins behind its first quote; *p moves behind its last one. False: it never ends. */
static bool take_quoted(struct csv *csv, const char **p, const char *end, Str *field) {
    const char *from = *p;
    size_t doubled = 0;
    for (; *p < end; (*p)++) {
        if (**p == '\n') csv->lines_read++;
        if (**p != '"') continue;
        if (*p + 1 == end || (*p)[1] != '"') break;
        doubled++, (*p)++;
    }
    if (*p == end) return false;
    *field = (Str){from, (size_t)(*p - from)};
    (*p)++;
    if (!doubled) return true;
    char *copy = arena_alloc(csv->arena, field->len), *to = copy;
    for (size_t i = 0; i < field->len; i++) {
        *to++ = field->ptr[i];
        if (field->ptr[i] == '"') i++;
    }
    *field = (Str){copy, (size_t)(to - copy)};
    return true;
}

/* One field at *p, which then stands on what ends it. */
static Err take_field(struct csv *csv, const char **p, const char *line, const char *end) {
    if (csv->n == CSV_FIELDS_MAX) return csv_fault(csv, csv->n - 1, "more than %d fields in a row", CSV_FIELDS_MAX);
    size_t i = csv->n++;
    csv->columns[i] = (size_t)(*p - line) + 1;
    if (*p < end && **p == '"') {
        (*p)++;
        if (!take_quoted(csv, p, end, &csv->fields[i])) return csv_fault(csv, i, "a quoted field does not end");
        if (*p < end && **p != ',' && **p != '\n' && **p != '\r')
            return csv_fault(csv, i, "text follows a quoted field: put a comma or the end of the row there");
        return err_none();
    }
    const char *from = *p;
    while (*p < end && **p != ',' && **p != '\n' && **p != '\r') {
        if (**p == '"') return csv_fault(csv, i, "a quote inside a field: quote the whole field and double the quote");
        (*p)++;
    }
    csv->fields[i] = (Str){from, (size_t)(*p - from)};
    return err_none();
}

static void skip_empty_rows(struct csv *csv) {
    size_t i = 0;
    for (; i < csv->rest.len; i++) {
        if (csv->rest.ptr[i] == '\n')
            csv->lines_read++;
        else if (csv->rest.ptr[i] != '\r' || i + 1 == csv->rest.len || csv->rest.ptr[i + 1] != '\n')
            break;
    }
    csv->rest = str_slice(csv->rest, i, csv->rest.len);
}

Err csv_next(struct csv *csv, bool *more) {
    skip_empty_rows(csv);
    *more = csv->rest.len > 0;
    csv->n = 0;
    if (!*more) return err_none();
    csv->line = ++csv->lines_read;
    const char *line = csv->rest.ptr, *p = line, *end = line + csv->rest.len;
    for (;;) {
        TRY(take_field(csv, &p, line, end));
        if (p == end || *p != ',') break;
        p++;
    }
    if (p < end && *p == '\r') {
        p++;
        if (p < end && *p != '\n') return csv_fault(csv, csv->n - 1, "a carriage return inside a row");
    }
    if (p < end) p++;
    csv->rest = (Str){p, (size_t)(end - p)};
    if (!csv->width) csv->width = csv->n;
    if (csv->n != csv->width)
        return csv_fault(csv, csv->n - 1, "%zu fields, but the first row has %zu", csv->n, csv->width);
    return err_none();
}

Err csv_header(struct csv *csv, const char *joined) {
    bool more;
    TRY(csv_next(csv, &more));
    if (!more) {
        csv->line = 1;
        return csv_fault(csv, 0, "empty: the first row must be '%s'", joined);
    }
    Str want = str_c(joined), name;
    for (size_t i = 0; i < csv->n; i++) {
        bool last = !str_cut(want, ',', &name, &want);
        if (!str_eq(csv->fields[i], name))
            return csv_fault(csv, i, "column '" STR_FMT "' where '" STR_FMT "' belongs: the first row must be '%s'",
                             STR_ARG(shown(csv->fields[i])), STR_ARG(name), joined);
        if (last != (i + 1 == csv->n))
            return csv_fault(csv, i, "%s columns: the first row must be '%s'", last ? "too many" : "too few", joined);
    }
    return err_none();
}

Err csv_time(const struct csv *csv, size_t i, Nanos *out) {
    ASSERT(i < csv->n);
    if (time_parse(csv->fields[i], out).code == ERR_NONE) return err_none();
    return csv_fault(csv, i, "not a time: '" STR_FMT "'; write it like 2015-01-01T06:00:00Z",
                     STR_ARG(shown(csv->fields[i])));
}

Err csv_num(const struct csv *csv, size_t i, double *out) {
    ASSERT(i < csv->n);
    if (str_to_f64(csv->fields[i], out)) return err_none();
    return csv_fault(csv, i, "not a number: '" STR_FMT "'", STR_ARG(shown(csv->fields[i])));
}

Err csv_int(const struct csv *csv, size_t i, int64_t *out) {
    ASSERT(i < csv->n);
    if (str_to_i64(csv->fields[i], out)) return err_none();
    return csv_fault(csv, i, "not a whole number: '" STR_FMT "'", STR_ARG(shown(csv->fields[i])));
}

Err csv_text(const struct csv *csv, size_t i, size_t max, Str *out) {
    ASSERT(i < csv->n);
    *out = csv->fields[i];
    if (!out->len) return csv_fault(csv, i, "empty: a text of 1 to %zu bytes belongs here", max);
    if (out->len > max) return csv_fault(csv, i, "%zu bytes long: at most %zu", out->len, max);
    if (!str_is_utf8(*out)) return csv_fault(csv, i, "not UTF-8");
    for (size_t k = 0; k < out->len; k++)
        if ((unsigned char)out->ptr[k] < 0x20 || out->ptr[k] == 0x7F) return csv_fault(csv, i, "a control character");
    return err_none();
}
