/* Filters by outside names become the records' tree. A field the lens hides is answered exactly as one that is not. */
#include <string.h>

#include "document/doc_engine.h"
#include "document/doc_value.h"

#define LIMIT_DEFAULT 50
#define LIMIT_MAX 1000
#define FILTERS_MAX 64

struct query {
    struct documents *d;
    const struct doc_table *table;
    const struct lens *lens;
    const struct doc_query *asked;
    const char *by; /* count */
    struct arena *arena;
    struct record_filter where;
    struct record_page page;
    struct record_group *groups;
    size_t n_groups;
};

static Err find_column(const struct query *q, Str name, unsigned *out) {
    int column = doc_table_column(q->table, name);
    bool hidden = column >= DOC_FIELDS && !(q->lens->fields >> (column - DOC_FIELDS) & 1);
    if (column < 0 || hidden)
        return err_make(ERR_INVALID, "no field '" STR_FMT "' of '%s'", STR_ARG(str_slice(name, 0, 40)),
                        q->table->type->name);
    *out = (unsigned)column;
    return err_none();
}

static Err check_state(const struct doctype *type, Str name) {
    char states[160] = "";
    if (doctype_state(type, name) >= 0) return err_none();
    for (size_t i = 0; i < type->n_states; i++) {
        size_t len = strlen(states);
        if (len + 32 < sizeof states) {
            strcat(states, len ? ", " : "");
            strncat(states, type->states[i].name, 28);
        }
    }
    return err_make(ERR_INVALID, "no state '" STR_FMT "' of '%s': use %s", STR_ARG(str_slice(name, 0, 40)), type->name,
                    states);
}

/* The value as its column keeps it; a reference by number is looked up, and one that leads nowhere matches nothing. */
static Err column_value(const struct query *q, struct records_txn *txn, unsigned column, Value *v) {
    static const enum value_kind base[DOC_FIELDS] = {
        [RECORD_ID] = VALUE_INT,        [DOC_NUMBER] = VALUE_STRING, [DOC_STATE] = VALUE_STRING,
        [DOC_VERSION] = VALUE_INT,      [DOC_CREATED] = VALUE_INT,   [DOC_CHANGED] = VALUE_INT,
        [DOC_CREATED_BY] = VALUE_STRING};
    if (v->kind == VALUE_NONE) return err_none();
    if (column < DOC_FIELDS) {
        if (v->kind != base[column])
            return err_make(ERR_INVALID, "'%s' is compared with another kind of value", q->table->columns[column].name);
        return column == DOC_STATE ? check_state(q->table->type, v->s) : err_none();
    }
    const struct field *field = &q->table->type->fields[column - DOC_FIELDS];
    if (field->kind == FIELD_REF && v->kind == VALUE_STRING) {
        int64_t id = 0;
        const struct doc_table *table = doc_engine_table_named(q->d, field->ref);
        TRY(doc_engine_find_number(txn, q->lens, table, v->s, q->arena, &id));
        *v = VALUE_I(id);
        return err_none();
    }
    struct doc_faults faults = {0};
    doc_value_from_code(field, *v, v, &faults);
    return doc_faults_err(&faults);
}

static Err column_filter(const struct query *q, struct records_txn *txn, const struct doc_filter *f,
                         struct record_filter *out) {
    static const enum record_op ops[] = {[DOC_EQ] = RECORD_EQ,
                                         [DOC_NE] = RECORD_NE,
                                         [DOC_LT] = RECORD_LT,
                                         [DOC_LE] = RECORD_LE,
                                         [DOC_GT] = RECORD_GT,
                                         [DOC_GE] = RECORD_GE,
                                         [DOC_CONTAINS] = RECORD_CONTAINS,
                                         [DOC_IS_SET] = RECORD_IS_SET};
    *out = (struct record_filter){.op = ops[f->op], .value = f->value};
    TRY(find_column(q, str_c(f->field), &out->column));
    if (f->op == DOC_IS_SET) {
        if (f->value.kind != VALUE_BOOL) out->value = VALUE_B(true);
        return err_none();
    }
    if (f->op != DOC_CONTAINS) return column_value(q, txn, out->column, &out->value);
    if (f->value.kind == VALUE_STRING) return err_none();
    return err_make(ERR_INVALID, "'%s' is searched for a text", f->field);
}

/* All filters hold; EQ filters on one field are alternatives. */
static Err build(struct query *q, struct records_txn *txn) {
    size_t n = q->asked->n_filters;
    if (n > FILTERS_MAX) return err_make(ERR_LIMIT, "%zu filters: use at most %d", n, FILTERS_MAX);
    struct record_filter *flat = arena_zero(q->arena, n, sizeof *flat);
    struct record_filter *all = arena_zero(q->arena, n, sizeof *all);
    bool used[FILTERS_MAX] = {false};
    size_t n_all = 0;
    for (size_t i = 0; i < n; i++) TRY(column_filter(q, txn, &q->asked->filters[i], &flat[i]));
    for (size_t i = 0; i < n; i++) {
        if (used[i]) continue;
        struct record_filter *any = arena_zero(q->arena, n, sizeof *any);
        size_t n_any = 0;
        any[n_any++] = flat[i];
        for (size_t k = i + 1; flat[i].op == RECORD_EQ && k < n; k++) {
            if (flat[k].op != RECORD_EQ || flat[k].column != flat[i].column) continue;
            any[n_any++] = flat[k];
            used[k] = true;
        }
        all[n_all++] = n_any == 1 ? flat[i] : (struct record_filter){.op = RECORD_OR, .parts = any, .n_parts = n_any};
    }
    q->where = (struct record_filter){.op = RECORD_AND, .parts = all, .n_parts = n_all};
    return err_none();
}

static Err run_list(void *ctx, struct records_txn *txn) {
    struct query *q = ctx;
    TRY(build(q, txn));
    Str sort = str_c(q->asked->sort ? q->asked->sort : "-id");
    struct record_query query = {.filter = &q->where, .cursor = q->asked->cursor, .total = true};
    query.descending = str_starts(sort, STR("-"));
    TRY(find_column(q, str_slice(sort, query.descending, sort.len), &query.sort));
    query.limit = q->asked->limit == 0 ? LIMIT_DEFAULT : q->asked->limit > LIMIT_MAX ? LIMIT_MAX : q->asked->limit;
    return records_txn_select(txn, q->lens, &q->table->records, &query, q->arena, &q->page);
}

Err doc_query_list(struct documents *d, const struct lens *lens, const struct doctype *type,
                   const struct doc_query *query, struct arena *arena, struct doc_page *out) {
    struct query q = {.d = d, .table = doc_engine_table(d, type), .lens = lens, .asked = query, .arena = arena};
    *out = (struct doc_page){0};
    TRY(records_read(d->options.records, run_list, &q));
    out->docs = arena_zero(arena, q.page.n, sizeof *out->docs);
    for (size_t i = 0; i < q.page.n; i++) TRY(doc_table_read(q.table, q.page.rows[i], arena, &out->docs[i]));
    out->n = q.page.n;
    out->total = q.page.total;
    out->next = q.page.next;
    return err_none();
}

static Err run_count(void *ctx, struct records_txn *txn) {
    struct query *q = ctx;
    unsigned by;
    TRY(build(q, txn));
    TRY(find_column(q, str_c(q->by), &by));
    return records_txn_group(txn, q->lens, &q->table->records, &q->where, by, 0, q->arena, &q->groups, &q->n_groups);
}

Err doc_query_count(struct documents *d, const struct lens *lens, const struct doctype *type,
                    const struct doc_query *query, const char *by, struct arena *arena, struct doc_count **out,
                    size_t *n) {
    static const struct doc_query everything = {0};
    struct query q = {.d = d,
                      .table = doc_engine_table(d, type),
                      .lens = lens,
                      .asked = query ? query : &everything,
                      .by = by,
                      .arena = arena};
    *out = NULL;
    *n = 0;
    TRY(records_read(d->options.records, run_count, &q));
    *out = arena_zero(arena, q.n_groups, sizeof **out);
    for (size_t i = 0; i < q.n_groups; i++)
        (*out)[i] = (struct doc_count){.key = q.groups[i].key, .count = q.groups[i].count};
    *n = q.n_groups;
    return err_none();
}

/* ---- from the address */

/* Longest first. '>' alone is what is left of "field>=" when the address was cut at its '='. */
static const struct {
    const char *text;
    enum doc_op op;
} suffixes[] = {{">=", DOC_GE},      {"<=", DOC_LE},    {"!=", DOC_NE}, {"~=", DOC_CONTAINS},
                {"?=", DOC_IS_SET},  {">", DOC_GE},     {"<", DOC_LE},  {"!", DOC_NE},
                {"~", DOC_CONTAINS}, {"?", DOC_IS_SET}, {"=", DOC_EQ}};

static Str cut_op(Str key, enum doc_op *op) {
    *op = DOC_EQ;
    for (size_t i = 0; i < sizeof suffixes / sizeof *suffixes; i++) {
        Str suffix = str_c(suffixes[i].text);
        if (!str_ends(key, suffix)) continue;
        *op = suffixes[i].op;
        return str_slice(key, 0, key.len - suffix.len);
    }
    return key;
}

/* The names every document has, as fields for reading their values. */
static const struct field base_fields[] = {
    {.name = "id", .kind = FIELD_INT},          {.name = "number", .kind = FIELD_TEXT},
    {.name = "state", .kind = FIELD_TEXT},      {.name = "version", .kind = FIELD_INT},
    {.name = "created", .kind = FIELD_TIME},    {.name = "changed", .kind = FIELD_TIME},
    {.name = "created_by", .kind = FIELD_TEXT},
};

static const struct field *field_named(const struct doctype *type, Str name) {
    for (size_t i = 0; i < sizeof base_fields / sizeof *base_fields; i++)
        if (str_eq_c(name, base_fields[i].name)) return &base_fields[i];
    int i = doctype_field(type, name);
    return i < 0 ? NULL : &type->fields[i];
}

Err doc_query_parse(const struct doctype *type, Str key, Str text, struct arena *arena, struct doc_filter *out) {
    static const struct field yes_no = {.name = "?", .kind = FIELD_BOOL}, words = {.name = "~", .kind = FIELD_TEXT};
    struct doc_faults faults = {0};
    Str name = cut_op(key, &out->op);
    const struct field *field = field_named(type, name);
    if (!field)
        return err_make(ERR_INVALID, "no field '" STR_FMT "' of '%s'", STR_ARG(str_slice(name, 0, 40)), type->name);
    out->field = field->name;
    out->value = (Value){.kind = VALUE_NONE};
    const struct field *as = out->op == DOC_IS_SET ? &yes_no : out->op == DOC_CONTAINS ? &words : field;
    doc_value_parse(as, text, arena, &out->value, &faults);
    if (str_eq_c(name, "state") && out->op != DOC_CONTAINS && out->op != DOC_IS_SET) return check_state(type, text);
    return doc_faults_err(&faults);
}
