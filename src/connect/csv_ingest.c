#include "connect/csv_ingest.h"

#include <string.h>

#include "base/csv.h"
#include "store/series.h"

#define NAME_MAX_BYTES 255u

struct reading {
    const struct csv_ingest_options *o;
    PartyId party;
    struct csv csv;
    struct arena arena;
    struct series_commit commit;
    bool narrow; /* thing,time,metric,value */
    MetricId metrics[CSV_FIELDS_MAX];
    Str last; /* the thing of the row before */
    ThingId thing;
    struct csv_ingest_outcome *out;
};

static Err read_head(struct reading *r) {
    bool more;
    TRY(csv_next(&r->csv, &more));
    const struct csv *c = &r->csv;
    if (!more || c->n < 3 || !str_eq_c(c->fields[0], "thing") || !str_eq_c(c->fields[1], "time"))
        return err_make(ERR_INVALID, "the first row names the columns: thing,time and then metrics, or metric,value");
    r->narrow = c->n == 4 && str_eq_c(c->fields[2], "metric") && str_eq_c(c->fields[3], "value");
    for (size_t i = 2; i < c->n && !r->narrow; i++) {
        Str name;
        TRY(csv_text(c, i, NAME_MAX_BYTES, &name));
        TRY(series_metric(r->o->series, name, &r->metrics[i]));
        for (size_t k = 2; k < i; k++)
            if (r->metrics[k] == r->metrics[i]) return csv_fault(c, i, "the metric is named twice");
    }
    return err_none();
}

/* A field that is a number, true or false is one; a text stands in quotes or is none of those. */
static Value value_of(Str field, bool quoted) {
    int64_t i;
    double f;
    if (quoted) return VALUE_S(field);
    if (str_eq_c(field, "true") || str_eq_c(field, "false")) return VALUE_B(field.ptr[0] == 't');
    if (str_to_i64(field, &i)) return VALUE_I(i);
    if (str_to_f64(field, &f)) return VALUE_F(f);
    return VALUE_S(field);
}

/* The reader unquotes: what was quoted does not lie in the body, or has a quote before it. */
static bool was_quoted(const struct reading *r, Str text, size_t i) {
    const char *p = r->csv.fields[i].ptr;
    return p < text.ptr || p >= text.ptr + text.len || (p > text.ptr && p[-1] == '"');
}

static Err add_value(struct reading *r, size_t i, MetricId metric, Value v) {
    static const char *const kinds[] = {"nothing", "a number", "a number", "true or false", "a text"};
    enum value_kind is;
    if (v.kind == VALUE_STRING && !str_is_utf8(v.s)) return csv_fault(&r->csv, i, "the text is not UTF-8");
    if (!series_accepts(r->o->series, r->thing, metric, v.kind, &is))
        return csv_fault(&r->csv, i, "this metric of this thing is %s, and the field is %s", kinds[is], kinds[v.kind]);
    rows_value(&r->commit.rows, metric, v);
    r->out->values++;
    return err_none();
}

static Err find_thing(struct reading *r, Str name) {
    if (r->thing && str_eq(name, r->last)) return err_none();
    TRY(series_thing(r->o->series, r->party, name, &r->thing));
    r->last = arena_str(&r->arena, name);
    if (r->o->thing_seen) r->o->thing_seen(r->o->ctx, r->party, name);
    return err_none();
}

static Err add_row(struct reading *r, Str text) {
    const struct csv *c = &r->csv;
    Str thing, metric;
    Nanos at;
    MetricId id;
    TRY(csv_text(c, 0, NAME_MAX_BYTES, &thing));
    TRY(csv_time(c, 1, &at));
    TRY(find_thing(r, thing));
    rows_begin(&r->commit.rows, r->thing, at, 0);
    Err err = err_none();
    if (r->narrow) {
        err = csv_text(c, 2, NAME_MAX_BYTES, &metric);
        if (err.code == ERR_NONE) err = series_metric(r->o->series, metric, &id);
        if (err.code == ERR_NONE && (c->fields[3].len > 0 || was_quoted(r, text, 3)))
            err = add_value(r, 3, id, value_of(c->fields[3], was_quoted(r, text, 3)));
    }
    for (size_t i = 2; i < c->n && !r->narrow && err.code == ERR_NONE; i++)
        if (c->fields[i].len > 0) err = add_value(r, i, r->metrics[i], value_of(c->fields[i], was_quoted(r, text, i)));
    if (err.code != ERR_NONE) {
        rows_cancel(&r->commit.rows);
        return err;
    }
    rows_end(&r->commit.rows);
    r->out->rows++;
    return err_none();
}

static Err read_all(struct reading *r, Str text) {
    TRY(read_head(r));
    for (bool more = true;;) {
        TRY(csv_next(&r->csv, &more));
        if (!more) break;
        TRY(add_row(r, text));
    }
    return r->commit.rows.n_rows > 0 ? series_write(r->o->series, &r->commit) : err_none();
}

Err csv_ingest_write(const struct csv_ingest_options *options, PartyId party, Str text,
                     struct csv_ingest_outcome *out) {
    struct reading r = {.o = options, .party = party, .out = out};
    *out = (struct csv_ingest_outcome){0};
    arena_init(&r.arena, 0);
    rows_clear(&r.commit.rows);
    csv_open(&r.csv, STR("row"), text, &r.arena);
    Err err = read_all(&r, text);
    rows_fini(&r.commit.rows);
    arena_fini(&r.arena);
    return err;
}
