#include <string.h>

#include "document/doc_engine.h"
#include "document/doc_value.h"

#define KEYS_MAX 2

struct grouping {
    struct doc_query_where where;
    const char *const *by;
    size_t n_by;
    const struct doc_measure *asked;
    size_t n_asked;
    struct record_key keys[KEYS_MAX];
    struct record_measure measures[RECORD_MEASURES_MAX];
    int place[RECORD_MEASURES_MAX]; /* of an asked one in measures; -1: the count */
    size_t n_measures;
    struct record_aggregate *list;
    size_t n, withheld;
};

static const struct field *field_at(const struct doc_table *table, unsigned column) {
    return column < DOC_FIELDS ? NULL : &table->type->fields[column - DOC_FIELDS];
}

/* ---- keys */

static Err cut_of(const struct doc_table *table, const char *by, Str name, Str cut, struct record_key *out) {
    const struct field *f = field_at(table, out->column);
    bool time = f ? f->kind == FIELD_TIME : out->column == DOC_CREATED || out->column == DOC_CHANGED;
    bool date = f && f->kind == FIELD_DATE;
    bool plain = f && (f->kind == FIELD_JSON || f->kind == FIELD_GEOMETRY || f->kind == FIELD_FILE);
    if (plain || out->column == RECORD_ID || out->column == DOC_NUMBER)
        return err_make(ERR_INVALID, "'" STR_FMT "' is nothing to group by", STR_ARG(name));
    if (cut.len == 0) return err_none();
    if (str_eq_c(cut, "month") && (time || date)) {
        out->cut = date ? RECORD_DATE_MONTH : RECORD_MONTH;
        return err_none();
    }
    if (str_eq_c(cut, "day") && date) return err_none();
    if (!str_eq_c(cut, "day") || !time)
        return err_make(ERR_INVALID, "'%.60s': times and dates are cut with ':day' and ':month'", by);
    out->cut = RECORD_DAY;
    return err_none();
}

static Err find_keys(struct grouping *g) {
    const struct doc_query_where *q = &g->where;
    if (g->n_by > KEYS_MAX) return err_make(ERR_INVALID, "groups by at most %d fields", KEYS_MAX);
    for (size_t i = 0; i < g->n_by; i++) {
        Str name, cut;
        str_cut(str_c(g->by[i]), ':', &name, &cut);
        TRY(doc_query_column(q->table, q->lens, name, &g->keys[i].column));
        TRY(cut_of(q->table, g->by[i], name, cut, &g->keys[i]));
    }
    return err_none();
}

/* ---- measures */

/* Amounts are added within one currency: it is fixed, a key, or filtered by. */
static Err check_currency(const struct grouping *g, const struct field *f) {
    if (f->kind != FIELD_MONEY || f->currency) return err_none();
    unsigned column = DOC_FIELDS + f->companion - 1u;
    for (size_t i = 0; i < g->n_by; i++)
        if (g->keys[i].column == column) return err_none();
    size_t n = 0;
    for (size_t i = 0; i < g->where.asked->n_filters; i++) {
        const struct doc_filter *filter = &g->where.asked->filters[i];
        Str head, tail;
        if (filter->op == DOC_EQ && str_cut(str_c(filter->field), '.', &head, &tail) && str_eq_c(head, f->name)) n++;
    }
    if (n == 1) return err_none();
    return err_make(ERR_INVALID, "'%s' is in several currencies: group by %s.currency, or filter by one", f->name,
                    f->name);
}

static Err find_measure(struct grouping *g, size_t i) {
    static const enum record_measure_kind whats[] = {
        [DOC_SUM] = RECORD_SUM, [DOC_MIN] = RECORD_MIN, [DOC_MAX] = RECORD_MAX, [DOC_AVG] = RECORD_SUM};
    const struct doc_measure *asked = &g->asked[i];
    unsigned column;
    g->place[i] = -1;
    if (asked->what == DOC_COUNT) return err_none();
    TRY(doc_query_column(g->where.table, g->where.lens, str_c(asked->field), &column));
    const struct field *f = field_at(g->where.table, column);
    bool adds = f && (f->kind == FIELD_INT || f->kind == FIELD_NUMBER || f->kind == FIELD_DECIMAL ||
                      f->kind == FIELD_MONEY || f->kind == FIELD_LINES);
    bool ranks =
        adds || (f ? f->kind == FIELD_TIME || f->kind == FIELD_DATE : column == DOC_CREATED || column == DOC_CHANGED);
    bool sum = asked->what == DOC_SUM || asked->what == DOC_AVG;
    if (sum ? !adds : !ranks)
        return err_make(ERR_INVALID, "'%s' is no %s", asked->field, sum ? "number to add up" : "number or time");
    if (f) TRY(check_currency(g, f));
    g->place[i] = (int)g->n_measures;
    g->measures[g->n_measures++] = (struct record_measure){.what = whats[asked->what], .column = column};
    return err_none();
}

static Err run(void *ctx, struct records_txn *txn) {
    struct grouping *g = ctx;
    struct doc_query_where *q = &g->where;
    q->txn = txn;
    if (g->n_asked > RECORD_MEASURES_MAX)
        return err_make(ERR_INVALID, "%zu measures: at most %d", g->n_asked, RECORD_MEASURES_MAX);
    TRY(doc_query_build(q));
    TRY(find_keys(g));
    g->n_measures = 0;
    for (size_t i = 0; i < g->n_asked; i++) TRY(find_measure(g, i));
    return records_txn_aggregate(txn, &q->read.lens, &q->table->records, &q->where, g->keys, g->n_by, g->measures,
                                 g->n_measures, q->arena, &g->list, &g->n, &g->withheld);
}

/* ---- answers */

/* Half to even, exactly. */
static int64_t divide(int64_t sum, int64_t n) {
    int64_t whole = sum / n, rest = sum % n;
    int64_t twice = rest < 0 ? -rest : rest, step = sum < 0 ? -1 : 1;
    if (twice > n - twice || (twice == n - twice && whole % 2 != 0)) whole += step;
    return whole;
}

static Value average(Value sum, uint64_t n) {
    if (n == 0 || sum.kind == VALUE_NONE) return (Value){.kind = VALUE_NONE};
    return sum.kind == VALUE_FLOAT ? VALUE_F(sum.f / (double)n) : VALUE_I(divide(sum.i, (int64_t)n));
}

static struct doc_group answer_of(const struct grouping *g, const struct record_aggregate *from) {
    struct doc_group out = {.count = from->count};
    memcpy(out.keys, from->keys, sizeof out.keys);
    out.measures = arena_zero(g->where.arena, g->n_asked, sizeof *out.measures);
    for (size_t i = 0; i < g->n_asked; i++) {
        int at = g->place[i];
        if (at < 0)
            out.measures[i] = VALUE_I((int64_t)from->count);
        else if (g->asked[i].what == DOC_AVG)
            out.measures[i] = average(from->measures[at], from->counted[at]);
        else
            out.measures[i] = from->measures[at];
    }
    return out;
}

Err doc_group_run(struct documents *d, const struct lens *lens, const struct doctype *type,
                  const struct doc_query *query, const char *const *by, size_t n_by, const struct doc_measure *measures,
                  size_t n_measures, struct arena *arena, struct doc_group **out, size_t *n, size_t *withheld) {
    static const struct doc_query everything = {0};
    struct doc_query asked;
    *out = NULL;
    *n = *withheld = 0;
    TRY(doc_query_prepare(d, type, query ? query : &everything, arena, &asked));
    struct grouping g = {
        .where = {.d = d, .table = doc_engine_table(d, type), .lens = lens, .asked = &asked, .arena = arena},
        .by = by,
        .n_by = n_by,
        .asked = measures,
        .n_asked = n_measures};
    TRY(records_read(d->options.records, run, &g));
    *out = arena_zero(arena, g.n, sizeof **out);
    for (size_t i = 0; i < g.n; i++) (*out)[i] = answer_of(&g, &g.list[i]);
    *n = g.n;
    *withheld = g.withheld;
    return err_none();
}

static void write_key(struct documents *d, const struct lens *lens, const struct doc_table *table, Str by, Value key,
                      struct jw *w) {
    static const struct field time = {.name = "time", .kind = FIELD_TIME}, text = {.name = "text", .kind = FIELD_TEXT},
                              whole = {.name = "whole", .kind = FIELD_INT};
    Str name, cut, label = {0};
    char number[32];
    unsigned shown_by;
    str_cut(by, ':', &name, &cut);
    int column = doc_table_column(table, name, &shown_by);
    const struct field *f = column < DOC_FIELDS ? NULL : field_at(table, (unsigned)column);
    if (!f)
        f = column == DOC_CREATED || column == DOC_CHANGED ? &time : key.kind == VALUE_STRING ? &text : &whole;
    else if (f->kind == FIELD_LINES)
        f = &whole;
    if (f->kind == FIELD_REF && key.kind == VALUE_INT && lens->agreement == 0)
        label = doc_engine_number(d, doc_engine_referred(table, f->ref), key.i, number);
    doc_value_json(f, key, label, w);
}

static void write_measure(const struct doc_table *table, const struct doc_measure *m, Value v, struct jw *w) {
    unsigned shown_by;
    int column = m->field ? doc_table_column(table, str_c(m->field), &shown_by) : -1;
    const struct field *f = column >= DOC_FIELDS ? field_at(table, (unsigned)column) : NULL;
    struct field as = {.name = "measure", .kind = FIELD_INT};
    if (f && f->kind != FIELD_LINES) as = *f;
    if (!f && (column == DOC_CREATED || column == DOC_CHANGED)) as.kind = FIELD_TIME;
    if (as.kind == FIELD_MONEY) as.kind = FIELD_DECIMAL; /* the currency is a key, or known */
    doc_value_json(&as, v, (Str){0}, w);
}

void doc_group_json(struct documents *d, const struct lens *lens, const struct doctype *type, const char *const *by,
                    size_t n_by, const struct doc_measure *measures, size_t n_measures, const struct doc_group *group,
                    struct jw *w) {
    const struct doc_table *table = doc_engine_table(d, type);
    jw_object(w);
    jw_key(w, "keys");
    jw_array(w);
    for (size_t i = 0; i < n_by; i++) write_key(d, lens, table, str_c(by[i]), group->keys[i], w);
    jw_array_end(w);
    jw_kint(w, "count", (int64_t)group->count);
    jw_key(w, "measures");
    jw_array(w);
    for (size_t i = 0; i < n_measures; i++) write_measure(table, &measures[i], group->measures[i], w);
    jw_array_end(w);
    jw_object_end(w);
}
