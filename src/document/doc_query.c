/* Filters by outside names become the records' tree. A field the lens hides is answered exactly as one that is not. */
#include <string.h>

#include "document/doc_engine.h"
#include "document/doc_value.h"
#include "document/doc_words.h"
#include "model/gate_rules.h"

#define LIMIT_DEFAULT 50
#define LIMIT_MAX 1000
#define FILTERS_MAX 64

static Err no_field(const struct doctype *type, Str name) {
    return err_make(ERR_INVALID, "no field '" STR_FMT "' of '%s'", STR_ARG(str_slice(name, 0, 40)), type->name);
}

Err doc_query_column(const struct doc_table *table, const struct lens *lens, Str name, unsigned *out) {
    unsigned shown_by = 0;
    int column = doc_table_column(table, name, &shown_by);
    if (column < 0) return no_field(table->type, name);
    if (shown_by < DOC_FIELDS) {
        bool hidden = shown_by > RECORD_PARTY && lens->base_hidden >> shown_by & 1;
        if (hidden && GATE_RULE_ON(QUERY)) return no_field(table->type, name);
    } else {
        const struct field *f = &table->type->fields[shown_by - DOC_FIELDS];
        bool others = f->custom_of != 0 && f->custom_of != lens->party;
        bool hidden = !(lens->fields >> (shown_by - DOC_FIELDS) & 1);
        if (others || (hidden && GATE_RULE_ON(QUERY))) return no_field(table->type, name);
        if (f->share == SHARE_SECRET)
            return err_make(ERR_INVALID, "'%s' is secret: it is kept sealed, and cannot be looked for", f->name);
    }
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
static Err column_value(const struct doc_query_where *q, unsigned column, Value *v) {
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
        if (q->lens->agreement && GATE_RULE_ON(REF_NUMBER)) /* numbers of another type are not given with this one */
            return err_make(ERR_INVALID, "'%s' is compared with an id, not a number, under an agreement", field->name);
        int64_t id = 0;
        const struct doc_table *table = doc_engine_referred(q->table, field->ref);
        TRY(doc_engine_find_number(q->d, q->txn, q->lens, table, v->s, q->arena, &id));
        *v = VALUE_I(id);
        return err_none();
    }
    struct doc_faults faults = {0};
    doc_value_from_code(field, *v, v, &faults);
    return doc_faults_err(&faults);
}

/* Of lines, how many there are. */
static Err column_count(const struct doc_filter *f, struct record_filter *out) {
    if (f->op == DOC_CONTAINS || out->value.kind != VALUE_INT)
        return err_make(ERR_INVALID, "'%s' is compared with a number of lines", f->field);
    return err_none();
}

static Err column_filter(const struct doc_query_where *q, const struct doc_filter *f, struct record_filter *out) {
    static const enum record_op ops[] = {[DOC_EQ] = RECORD_EQ,
                                         [DOC_NE] = RECORD_NE,
                                         [DOC_LT] = RECORD_LT,
                                         [DOC_LE] = RECORD_LE,
                                         [DOC_GT] = RECORD_GT,
                                         [DOC_GE] = RECORD_GE,
                                         [DOC_CONTAINS] = RECORD_CONTAINS,
                                         [DOC_IS_SET] = RECORD_IS_SET};
    *out = (struct record_filter){.op = ops[f->op], .value = f->value};
    TRY(doc_query_column(q->table, q->lens, str_c(f->field), &out->column));
    enum field_kind kind =
        out->column < DOC_FIELDS ? FIELD_TEXT : q->table->type->fields[out->column - DOC_FIELDS].kind;
    if (kind == FIELD_LINES && f->op != DOC_IS_SET) return column_count(f, out);
    if (f->op == DOC_IS_SET) {
        if (f->value.kind != VALUE_BOOL) out->value = VALUE_B(true);
        return err_none();
    }
    if (f->op != DOC_CONTAINS) return column_value(q, out->column, &out->value);
    if (f->value.kind == VALUE_STRING) return err_none();
    return err_make(ERR_INVALID, "'%s' is searched for a text", f->field);
}

/* Parties by name are asked for before the transaction: whoever knows them may look into the store too. */
Err doc_query_prepare(struct documents *d, const struct doctype *type, const struct doc_query *query,
                      struct arena *arena, struct doc_query *out) {
    *out = *query;
    if (query->n_filters == 0) return err_none();
    if (query->n_filters > FILTERS_MAX)
        return err_make(ERR_LIMIT, "%zu filters: use at most %d", query->n_filters, FILTERS_MAX);
    struct doc_filter *filters = arena_zero(arena, query->n_filters, sizeof *filters);
    memcpy(filters, query->filters, query->n_filters * sizeof *filters);
    for (size_t i = 0; i < query->n_filters; i++) {
        int field = doctype_field(type, str_c(filters[i].field));
        PartyId party = 0;
        if (field < 0 || type->fields[field].kind != FIELD_PARTY || filters[i].value.kind != VALUE_STRING) continue;
        if (!d->options.find_party) return err_make(ERR_INVALID, "'%s': give the party's id", filters[i].field);
        TRY(d->options.find_party(d->options.party_ctx, filters[i].value.s, &party));
        filters[i].value = VALUE_I(party);
    }
    out->filters = filters;
    return err_none();
}

static Err search_filter(const struct doc_query_where *q, struct record_filter *out) {
    bool none;
    Str match;
    if (!q->d->search) return err_make(ERR_INVALID, "words are not kept here: search with FIELD~=");
    TRY(doc_words_match(q->table->words, q->lens, q->asked->search, q->arena, &none, &match));
    *out = none ? (struct record_filter){.op = RECORD_OR}
                : (struct record_filter){.op = RECORD_MATCH, .value = VALUE_S(match)};
    return err_none();
}

/* All filters hold; EQ filters on one field are alternatives. */
Err doc_query_build(struct doc_query_where *q) {
    size_t n = q->asked->n_filters;
    if (n > FILTERS_MAX) return err_make(ERR_LIMIT, "%zu filters: use at most %d", n, FILTERS_MAX);
    TRY(doc_read_begin(&q->read, q->d, q->txn, q->lens, q->table, q->arena));
    struct record_filter *flat = arena_zero(q->arena, n, sizeof *flat);
    struct record_filter *all = arena_zero(q->arena, n + 2, sizeof *all);
    bool used[FILTERS_MAX] = {false};
    size_t n_all = 0;
    for (size_t i = 0; i < n; i++) TRY(column_filter(q, &q->asked->filters[i], &flat[i]));
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
    if (q->asked->search.len > 0) TRY(search_filter(q, &all[n_all++]));
    if (q->read.hidden.n > 0) all[n_all++] = doc_read_filter(&q->read);
    q->where = (struct record_filter){.op = RECORD_AND, .parts = all, .n_parts = n_all};
    return err_none();
}

struct listing {
    struct doc_query_where where;
    const char *by; /* count */
    struct record_group *groups;
    size_t n_groups;
    struct doc_page *out;
};

static Err run_list(void *ctx, struct records_txn *txn) {
    struct listing *l = ctx;
    struct doc_query_where *q = &l->where;
    struct record_page page;
    q->txn = txn;
    TRY(doc_query_build(q));
    Str sort = str_c(q->asked->sort ? q->asked->sort : "-id");
    struct record_query query = {.filter = &q->where, .cursor = q->asked->cursor, .total = !q->asked->no_total};
    query.descending = str_starts(sort, STR("-"));
    TRY(doc_query_column(q->table, q->lens, str_slice(sort, query.descending, sort.len), &query.sort));
    query.limit = q->asked->limit == 0 ? LIMIT_DEFAULT : q->asked->limit > LIMIT_MAX ? LIMIT_MAX : q->asked->limit;
    TRY(records_txn_select(txn, &q->read.lens, &q->table->records, &query, q->arena, &page));
    if (q->asked->fields) q->read.fields = q->asked->fields;
    l->out->docs = arena_zero(q->arena, page.n, sizeof *l->out->docs);
    TRY(doc_read_rows(&q->read, page.rows, page.n, l->out->docs));
    l->out->n = page.n;
    l->out->total = page.total;
    l->out->next = page.next;
    return err_none();
}

static Err start(struct listing *l, struct documents *d, const struct lens *lens, const struct doctype *type,
                 const struct doc_query *query, struct arena *arena) {
    struct doc_query *asked = arena_zero(arena, 1, sizeof *asked);
    TRY(doc_query_prepare(d, type, query, arena, asked));
    l->where = (struct doc_query_where){
        .d = d, .table = doc_engine_table(d, type), .lens = lens, .asked = asked, .arena = arena};
    return err_none();
}

Err doc_query_list(struct documents *d, const struct lens *lens, const struct doctype *type,
                   const struct doc_query *query, struct arena *arena, struct doc_page *out) {
    struct listing l = {.out = out};
    *out = (struct doc_page){0};
    TRY(start(&l, d, lens, type, query, arena));
    return records_read(d->options.records, run_list, &l);
}

static Err run_count(void *ctx, struct records_txn *txn) {
    struct listing *l = ctx;
    struct doc_query_where *q = &l->where;
    unsigned by;
    q->txn = txn;
    TRY(doc_query_build(q));
    TRY(doc_query_column(q->table, q->lens, str_c(l->by), &by));
    if (by == RECORD_ID) return err_make(ERR_INVALID, "every document has another id: count by another field");
    return records_txn_group(txn, &q->read.lens, &q->table->records, &q->where, by, 0, q->arena, &l->groups,
                             &l->n_groups);
}

Err doc_query_count(struct documents *d, const struct lens *lens, const struct doctype *type,
                    const struct doc_query *query, const char *by, struct arena *arena, struct doc_count **out,
                    size_t *n) {
    static const struct doc_query everything = {0};
    struct listing l = {.by = by};
    *out = NULL;
    *n = 0;
    TRY(start(&l, d, lens, type, query ? query : &everything, arena));
    TRY(records_read(d->options.records, run_count, &l));
    *out = arena_zero(arena, l.n_groups, sizeof **out);
    for (size_t i = 0; i < l.n_groups; i++)
        (*out)[i] = (struct doc_count){.key = l.groups[i].key, .count = l.groups[i].count};
    *n = l.n_groups;
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

/* "price.currency" */
static const struct field *currency_named(const struct doctype *type, Str name) {
    static const struct field currency = {.name = "?", .kind = FIELD_TEXT};
    Str head, tail;
    if (!str_cut(name, '.', &head, &tail) || !str_eq_c(tail, "currency")) return NULL;
    int i = doctype_field(type, head);
    return i >= 0 && type->fields[i].kind == FIELD_MONEY && !type->fields[i].currency ? &currency : NULL;
}

static const struct field *field_named(const struct doctype *type, Str name) {
    for (size_t i = 0; i < sizeof base_fields / sizeof *base_fields; i++)
        if (str_eq_c(name, base_fields[i].name)) return &base_fields[i];
    int i = doctype_field(type, name);
    return i < 0 || type->fields[i].hidden ? currency_named(type, name) : &type->fields[i];
}

Err doc_query_parse(const struct doctype *type, Str key, Str text, struct arena *arena, struct doc_filter *out) {
    static const struct field yes_no = {.name = "?", .kind = FIELD_BOOL}, words = {.name = "~", .kind = FIELD_TEXT},
                              lines = {.name = "#", .kind = FIELD_INT};
    struct doc_faults faults = {0};
    Str name = cut_op(key, &out->op);
    const struct field *field = field_named(type, name);
    if (!field)
        return err_make(ERR_INVALID, "no field '" STR_FMT "' of '%s'", STR_ARG(str_slice(name, 0, 40)), type->name);
    out->field = field->name[0] == '?' ? arena_c(arena, name) : field->name;
    out->value = (Value){.kind = VALUE_NONE};
    const struct field *as = out->op == DOC_IS_SET        ? &yes_no
                             : out->op == DOC_CONTAINS    ? &words
                             : field->kind == FIELD_LINES ? &lines
                                                          : field;
    doc_value_parse(as, text, arena, &out->value, &faults);
    if (str_eq_c(name, "state") && out->op != DOC_CONTAINS && out->op != DOC_IS_SET) return check_state(type, text);
    return doc_faults_err(&faults);
}
