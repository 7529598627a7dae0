/*
 * A document type as a table, and each of its lists of lines as another. Conditions on what every document has and on
 * fields that hold plain values go down to the records' query, as does the order by one column; documents are read a
 * page at a time, the first page small, so that `limit 10` reads ten.
 *
 * What the lens hides is no column. Secret fields are none for anybody: an answer of SQL may go anywhere.
 */
#include <string.h>

#include "base/vec.h"
#include "document/doc_value.h"
#include "document/documents.h"
#include "serve/sql_inner.h"
#include "trust/gate.h"

enum { FIRST_PAGE = 50, PAGE = 1000 };

enum source {
    S_ID,
    S_NUMBER,
    S_STATE,
    S_VERSION,
    S_CREATED,
    S_CHANGED,
    S_BY,
    S_SEARCH,
    S_LINE,
    S_VALUE,
    S_REF_NUMBER,
    S_CURRENCY
};

struct column {
    enum source source;
    unsigned field; /* of the type, or of the lines */
    bool line;
};

struct doc_data {
    const struct doctype *type;
    int lines;     /* index of the field of kind FIELD_LINES, -1: the documents themselves */
    unsigned list; /* the k-th of its kind */
    const struct column *columns;
};

struct doc_scan {
    struct sql_scan scan;
    struct doc_query query;
    struct doc_page page;
    struct buf cursor;
    size_t at, line;
};

static const struct doc_data *data_of(const struct sql_table *t) { return t->data; }

static const struct field *field_of(const struct doc_data *d, const struct column *c) {
    return c->line ? &d->type->fields[d->lines].lines->fields[c->field] : &d->type->fields[c->field];
}

/* ---- columns */

struct making {
    struct sql_session *s;
    const struct lens *lens;
    struct doc_data *data;
    struct column *columns;
    struct sql_table_column *shown;
    size_t n;
};

static bool is_taken(const struct making *m, const char *name) {
    for (size_t i = 0; i < m->n; i++)
        if (sqlite3_stricmp(m->shown[i].name, name) == 0) return true;
    return false;
}

static void add(struct making *m, struct column column, struct sql_table_column shown) {
    if (m->n == SQL_COLUMNS_MAX || is_taken(m, shown.name)) return;
    m->columns[m->n] = column;
    m->shown[m->n++] = shown;
}

static const char *with(const struct making *m, const char *name, const char *tail) {
    return arena_printf(m->s->arena, "%s%s", name, tail).ptr;
}

static enum sql_kind kind_of(enum field_kind kind) {
    static const enum sql_kind kinds[] = {
        [FIELD_TEXT] = SQL_TEXT,  [FIELD_INT] = SQL_INT,   [FIELD_NUMBER] = SQL_NUMBER, [FIELD_DECIMAL] = SQL_DECIMAL,
        [FIELD_BOOL] = SQL_BOOL,  [FIELD_TIME] = SQL_TIME, [FIELD_CHOICE] = SQL_TEXT,   [FIELD_REF] = SQL_INT,
        [FIELD_THING] = SQL_TEXT, [FIELD_JSON] = SQL_JSON, [FIELD_MONEY] = SQL_DECIMAL, [FIELD_DATE] = SQL_DATE,
        [FIELD_PARTY] = SQL_TEXT, [FIELD_FILE] = SQL_INT,  [FIELD_GEOMETRY] = SQL_JSON, [FIELD_LINES] = SQL_INT};
    return kinds[kind];
}

static void add_field(struct making *m, const struct field *f, struct column c) {
    struct sql_table_column shown = {.name = f->name,
                                     .title_en = f->title_en,
                                     .title_zh = f->title_zh,
                                     .unit = f->unit,
                                     .kind = kind_of(f->kind),
                                     .scale = f->scale};
    bool other_party = f->custom_of != 0 && f->custom_of != m->lens->party;
    if (f->hidden || other_party || f->share == SHARE_SECRET || f->kind == FIELD_LINES) return;
    c.source = S_VALUE;
    if (f->kind != FIELD_REF) {
        add(m, c, shown);
        if (f->kind != FIELD_MONEY) return;
        c.source = S_CURRENCY;
        shown = (struct sql_table_column){
            .name = with(m, f->name, "_currency"), .title_en = "Currency", .title_zh = "币种"};
        add(m, c, shown);
        return;
    }
    shown.refers = f->ref;
    if (m->lens->agreement == 0) { /* the number is the other document's, which is not given with this one */
        struct sql_table_column number = shown;
        struct column by_number = c;
        by_number.source = S_REF_NUMBER;
        number.kind = SQL_TEXT;
        add(m, by_number, number);
    }
    shown.name = with(m, f->name, "_id");
    add(m, c, shown);
}

static const struct {
    const char *name, *en, *zh;
    enum source source;
    enum sql_kind kind;
} base[] = {
    {"id", "Id", "编号", S_ID, SQL_INT},
    {"number", "Number", "单号", S_NUMBER, SQL_TEXT},
    {"state", "State", "状态", S_STATE, SQL_TEXT},
    {"version", "Version", "版本", S_VERSION, SQL_INT},
    {"created", "Created", "创建时间", S_CREATED, SQL_TIME},
    {"changed", "Changed", "更改时间", S_CHANGED, SQL_TIME},
    {"created_by", "Created by", "创建人", S_BY, SQL_TEXT},
};

static void add_base(struct making *m) {
    for (size_t i = 0; i < sizeof base / sizeof *base; i++) {
        if (base[i].source != S_ID && !gate_shows_base(m->lens, str_c(base[i].name))) continue;
        add(m, (struct column){.source = base[i].source},
            (struct sql_table_column){
                .name = base[i].name, .title_en = base[i].en, .title_zh = base[i].zh, .kind = base[i].kind});
    }
}

static void add_fields(struct making *m, const struct doctype *type) {
    for (unsigned i = 0; i < type->n_fields; i++)
        if (m->lens->fields >> i & 1) add_field(m, &type->fields[i], (struct column){.field = i});
}

static void add_line_fields(struct making *m, const struct doctype *type, const struct doctype *lines) {
    add(m, (struct column){.source = S_ID},
        (struct sql_table_column){.name = with(m, type->name, "_id"),
                                  .title_en = type->title_en,
                                  .title_zh = type->title_zh,
                                  .kind = SQL_INT,
                                  .refers = type->name});
    if (gate_shows_base(m->lens, STR("number")))
        add(m, (struct column){.source = S_NUMBER},
            (struct sql_table_column){
                .name = type->name, .title_en = type->title_en, .title_zh = type->title_zh, .refers = type->name});
    add(m, (struct column){.source = S_LINE},
        (struct sql_table_column){.name = "line", .title_en = "Line", .title_zh = "行", .kind = SQL_INT});
    for (unsigned i = 0; i < lines->n_fields; i++)
        if (m->lens->lines[m->data->list] >> i & 1)
            add_field(m, &lines->fields[i], (struct column){.field = i, .line = true});
}

/* ---- what goes down */

static const char *filter_name(const struct doc_data *d, const struct column *c) {
    static const char *const names[] = {
        [S_ID] = "id",           [S_NUMBER] = "number",   [S_STATE] = "state",  [S_VERSION] = "version",
        [S_CREATED] = "created", [S_CHANGED] = "changed", [S_BY] = "created_by"};
    if (c->source <= S_BY) return names[c->source];
    return c->line || (c->source != S_VALUE && c->source != S_REF_NUMBER) ? NULL : field_of(d, c)->name;
}

static bool doc_takes(const struct sql_table *t, unsigned col, enum doc_op op) {
    const struct doc_data *d = data_of(t);
    const struct column *c = &d->columns[col];
    bool range = op == DOC_LT || op == DOC_LE || op == DOC_GT || op == DOC_GE;
    if (!filter_name(d, c)) return false;
    if (c->source <= S_BY) return op != DOC_IS_SET && (!range || c->source != S_STATE);
    switch (field_of(d, c)->kind) {
    case FIELD_INT:
    case FIELD_NUMBER:
    case FIELD_DECIMAL:
    case FIELD_MONEY:
    case FIELD_TIME:
    case FIELD_DATE: return true;
    case FIELD_TEXT:
    case FIELD_THING:
    case FIELD_CHOICE:
    case FIELD_BOOL: return !range;
    case FIELD_REF: return c->source == S_REF_NUMBER ? op == DOC_EQ || op == DOC_IS_SET : true;
    default: return op == DOC_IS_SET;
    }
}

static bool doc_sorts(const struct sql_table *t, unsigned col) {
    const struct doc_data *d = data_of(t);
    const struct column *c = &d->columns[col];
    if (d->lines >= 0) return false;
    if (c->source == S_ID || c->source == S_CREATED || c->source == S_CHANGED) return true;
    if (c->source != S_VALUE) return false;
    enum field_kind kind = field_of(d, c)->kind;
    return kind == FIELD_INT || kind == FIELD_TIME || kind == FIELD_DATE || kind == FIELD_DECIMAL ||
           kind == FIELD_MONEY;
}

static double doc_expects(const struct sql_table *t, const bool *eq, const bool *range) {
    const struct doc_data *d = data_of(t);
    double rows = 5000;
    for (size_t i = 0; i < t->about.n_columns; i++) {
        const struct column *c = &d->columns[i];
        bool indexed = c->source <= S_BY || (!c->line && field_of(d, c)->indexed);
        if (eq[i] && (c->source == S_ID || c->source == S_NUMBER)) return d->lines < 0 ? 1 : 5;
        if (eq[i]) rows /= indexed ? 50 : 10;
        if (range[i]) rows /= indexed ? 4 : 2;
    }
    return rows < 2 ? 2 : rows;
}

static bool is_choice(const struct doctype *type, const struct field *f, const struct column *c, Str value) {
    if (c->source == S_STATE) return doctype_state(type, value) >= 0;
    if (c->source != S_VALUE || f->kind != FIELD_CHOICE) return true;
    for (const struct choice *k = f->choices; k && k->name; k++)
        if (str_eq_c(value, k->name)) return true;
    return false;
}

static void add_filter(struct doc_scan *x, struct doc_filter *out, const struct sql_term *term) {
    const struct doc_data *d = data_of(x->scan.table);
    const struct column *c = &d->columns[term->col];
    if (c->source == S_SEARCH) {
        x->query.search = term->value.s;
        return;
    }
    /* A state or choice that there is not is one that no document has. */
    const struct field *f = c->source <= S_BY ? NULL : field_of(d, c);
    if (term->value.kind == VALUE_STRING && !is_choice(d->type, f, c, term->value.s)) x->scan.done = true;
    out[x->query.n_filters++] = (struct doc_filter){filter_name(d, c), term->op, term->value};
}

/* Two EQ filters on one field are alternatives to the records, and both must hold here. */
static bool is_repeated(const struct sql_scan *scan, size_t i) {
    for (size_t k = 0; k < i; k++)
        if (scan->terms[k].col == scan->terms[i].col && scan->terms[k].op == DOC_EQ && scan->terms[i].op == DOC_EQ)
            return true;
    return false;
}

static void write_sort(struct doc_scan *x) {
    const struct doc_data *d = data_of(x->scan.table);
    x->query.sort = "id";
    if (x->scan.order < 0) return;
    const char *name = filter_name(d, &d->columns[x->scan.order]);
    x->query.sort = arena_printf(&x->scan.arena, "%s%s", x->scan.descending ? "-" : "", name).ptr;
}

/* ---- reading */

static void note(struct sql_table *t, const struct doc_page *page) {
    if (t->lens.agreement == 0) return;
    for (size_t i = 0; i < page->n; i++) VEC_PUSH(t->ids, t->n_ids, t->cap_ids, page->docs[i]->id);
}

static Err load(struct doc_scan *x) {
    struct sql_table *t = x->scan.table;
    const struct doc_data *d = data_of(t);
    arena_reset(&x->scan.page);
    x->query.cursor = buf_view(&x->cursor);
    TRY(documents_list(t->session->source->documents, &t->lens, d->type, &x->query, &x->scan.page, &x->page));
    note(t, &x->page);
    buf_clear(&x->cursor);
    buf_str(&x->cursor, x->page.next);
    x->query.limit = PAGE;
    x->at = 0;
    x->line = 0;
    return sql_scan_hold(&x->scan);
}

static const struct doc_lines *lines_of(const struct doc_scan *x) {
    const struct doc *doc = x->page.docs[x->at];
    return doc->lines ? &doc->lines[data_of(x->scan.table)->list] : NULL;
}

/* On to a document, or a line of one, that there is. */
static Err settle(struct doc_scan *x) {
    const struct doc_data *d = data_of(x->scan.table);
    for (;;) {
        if (x->at >= x->page.n) {
            if (x->cursor.len == 0) {
                x->scan.done = true;
                return err_none();
            }
            TRY(load(x));
            continue;
        }
        if (d->lines < 0) return err_none();
        const struct doc_lines *lines = lines_of(x);
        if (lines && x->line < lines->n) return err_none();
        x->at++;
        x->line = 0;
    }
}

static Err doc_begin(struct sql_scan *scan) {
    struct doc_scan *x = (struct doc_scan *)scan;
    const struct doc_data *d = data_of(scan->table);
    struct doc_filter *filters = arena_zero(&scan->arena, SQL_TERMS_MAX, sizeof *filters);
    x->query = (struct doc_query){.filters = filters,
                                  .no_total = true,
                                  .limit = FIRST_PAGE,
                                  .fields = d->lines < 0 ? UINT64_C(1) << 63 : UINT64_C(1) << d->lines};
    if (scan->wanted > 0 && scan->wanted < FIRST_PAGE) x->query.limit = (size_t)scan->wanted;
    for (size_t i = 0; i < scan->n_terms; i++)
        if (!is_repeated(scan, i)) add_filter(x, filters, &scan->terms[i]);
    write_sort(x);
    if (scan->done) return err_none();
    TRY(load(x));
    return settle(x);
}

static Err doc_next(struct sql_scan *scan) {
    struct doc_scan *x = (struct doc_scan *)scan;
    if (data_of(scan->table)->lines < 0)
        x->at++;
    else
        x->line++;
    return settle(x);
}

static Str currency_of(const struct field *f, const Value *values) {
    if (f->currency) return str_c(f->currency);
    Value v = f->companion ? values[f->companion - 1] : (Value){.kind = VALUE_NONE};
    return v.kind == VALUE_STRING ? v.s : (Str){0};
}

static Value value_of(struct doc_scan *x, const struct column *c, const struct field *f, const Value *values) {
    const struct sql_source *source = x->scan.table->session->source;
    Value v = values[c->field];
    Str text = {0};
    char number[32];
    if (v.kind == VALUE_NONE || c->source == S_VALUE) {
        if (v.kind != VALUE_INT || f->kind != FIELD_PARTY) return v;
        if (!source->party_name) return v;
        return source->party_name(source->ctx, (PartyId)v.i, &x->scan.page, &text).code == ERR_NONE ? VALUE_S(text) : v;
    }
    if (c->source == S_REF_NUMBER) {
        const struct doctype *type = documents_type(source->documents, str_c(f->ref));
        if (type && v.kind == VALUE_INT) text = documents_number(source->documents, type, v.i, number);
        text = arena_str(&x->scan.page, text);
    } else {
        text = currency_of(f, values);
    }
    return text.len ? VALUE_S(text) : (Value){.kind = VALUE_NONE};
}

static Err doc_cell(struct sql_scan *scan, unsigned col, Value *out) {
    struct doc_scan *x = (struct doc_scan *)scan;
    const struct doc_data *d = data_of(scan->table);
    const struct column *c = &d->columns[col];
    const struct doc *doc = x->page.docs[x->at];
    switch (c->source) {
    case S_ID: *out = VALUE_I(doc->id); break;
    case S_NUMBER: *out = VALUE_S(doc->number); break;
    case S_STATE:
        if (doctype_state_name(doc)) *out = VALUE_S(str_c(doctype_state_name(doc)));
        break;
    case S_VERSION: *out = VALUE_I(doc->version); break;
    case S_CREATED: *out = VALUE_I(doc->created); break;
    case S_CHANGED: *out = VALUE_I(doc->changed); break;
    case S_BY: *out = VALUE_S(doc->created_by); break;
    case S_SEARCH: break;
    case S_LINE: *out = VALUE_I((int64_t)x->line + 1); break;
    default: *out = value_of(x, c, field_of(d, c), c->line ? lines_of(x)->rows[x->line] : doc->values);
    }
    return err_none();
}

static void doc_end(struct sql_scan *scan) { buf_fini(&((struct doc_scan *)scan)->cursor); }

static const struct sql_table_ops ops = {
    .scan_size = sizeof(struct doc_scan),
    .takes = doc_takes,
    .sorts = doc_sorts,
    .expects = doc_expects,
    .begin = doc_begin,
    .next = doc_next,
    .cell = doc_cell,
    .end = doc_end,
};

/* ---- the tables */

static unsigned list_of(const struct doctype *type, unsigned field) {
    unsigned k = 0;
    for (unsigned i = 0; i < field; i++) k += type->fields[i].kind == FIELD_LINES;
    return k;
}

static struct sql_table *make(struct sql_session *s, const struct doctype *type, int lines, const struct lens *lens) {
    struct doc_data *d = arena_zero(s->arena, 1, sizeof *d);
    struct making m = {s,
                       lens,
                       d,
                       arena_zero(s->arena, SQL_COLUMNS_MAX, sizeof *m.columns),
                       arena_zero(s->arena, SQL_COLUMNS_MAX, sizeof *m.shown),
                       0};
    const struct field *f = lines < 0 ? NULL : &type->fields[lines];
    *d = (struct doc_data){type, lines, f ? list_of(type, (unsigned)lines) : 0, m.columns};
    struct sql_table_about about = {
        .name = type->name, .title_en = type->title_en, .title_zh = type->title_zh, .columns = m.shown};
    if (f) {
        about = (struct sql_table_about){.name = arena_printf(s->arena, "%s_%s", type->name, f->name).ptr,
                                         .title_en = f->title_en,
                                         .title_zh = f->title_zh,
                                         .columns = m.shown,
                                         .about_en = "lines of documents, one row each",
                                         .about_zh = "单据的明细，每行一条"};
        add_line_fields(&m, type, f->lines);
    } else {
        add_base(&m);
        add_fields(&m, type);
        add(&m, (struct column){.source = S_SEARCH},
            (struct sql_table_column){.name = "search", .title_en = "Words in it", .title_zh = "全文", .input = true});
    }
    about.n_columns = m.n;
    struct sql_table *t = sql_names_new(s, &ops, lens, &about);
    t->type = type;
    t->data = d;
    return t;
}

struct sql_table *sql_docs_make(struct sql_session *s, const struct doctype *type, const struct lens *lens) {
    return make(s, type, -1, lens);
}

struct sql_table *sql_docs_make_lines(struct sql_session *s, const struct doctype *type, unsigned field,
                                      const struct lens *lens) {
    return make(s, type, (int)field, lens);
}
