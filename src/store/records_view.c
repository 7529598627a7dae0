#include "store/records_view.h"

#include "model/gate_rules.h"
#include "store/records_system.h"

/* ---- columns */

bool records_view_hides(const struct lens *lens, const struct record_table *table, unsigned column) {
    if (table->fields_at == 0) return false;
    if (column < table->fields_at) return column > RECORD_PARTY && (lens->base_hidden >> column & 1);
    ASSERT(table->lines <= DOCTYPE_LINES_MAX);
    unsigned field = column - table->fields_at;
    uint64_t seen = table->lines ? lens->lines[table->lines - 1] : lens->fields;
    return field >= 64 || !(seen >> field & 1);
}

Err records_view_column(const struct lens *lens, const struct record_table *table, unsigned column) {
    ASSERT(column < table->n_columns);
    if (!records_view_hides(lens, table, column) || !GATE_RULE_ON(QUERY)) return err_none();
    return err_make(ERR_INVALID, "no field '%s'", table->columns[column].name);
}

bool records_view_fits(enum record_kind kind, Value v) {
    static const enum value_kind wants[] = {
        [RECORD_INT] = VALUE_INT,   [RECORD_REAL] = VALUE_FLOAT,  [RECORD_TEXT] = VALUE_STRING,
        [RECORD_BOOL] = VALUE_BOOL, [RECORD_DECIMAL] = VALUE_INT, [RECORD_BLOB] = VALUE_STRING};
    return v.kind == VALUE_NONE || v.kind == wants[kind] || (kind == RECORD_REAL && v.kind == VALUE_INT);
}

static bool comparable(enum record_kind kind, Value v) {
    return records_view_fits(kind, v) || (kind == RECORD_INT && v.kind == VALUE_FLOAT);
}

/* ---- the caller's filter */

static bool is_word(unsigned char c) {
    return c >= 0x80 || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static Err no_word(unsigned char c) {
    return err_make(ERR_INVALID, "search words are letters and digits, not '%c'", c >= 0x20 && c < 0x7f ? c : '?');
}

Err records_view_check_words(Str words) {
    for (size_t i = 0; i < words.len; i++)
        if (words.ptr[i] != ' ' && !is_word((unsigned char)words.ptr[i])) return no_word((unsigned char)words.ptr[i]);
    return err_none();
}

/* Words, alternatives joined by single bars. */
static Err check_match(const struct record_table *table, const struct record_filter *filter) {
    ASSERT(table->searched && filter->value.kind == VALUE_STRING);
    Str text = filter->value.s;
    if (text.len > RECORD_MATCH_BYTES_MAX)
        return err_make(ERR_LIMIT, "more than %d bytes of words to search for: use fewer", RECORD_MATCH_BYTES_MAX);
    bool inside = false;
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.ptr[i];
        bool bar = c == '|' && inside && i + 1 < text.len && is_word((unsigned char)text.ptr[i + 1]);
        if (!bar && c != ' ' && !is_word(c)) return no_word(c);
        inside = is_word(c);
    }
    return err_none();
}

static Err check_filter(const struct lens *lens, const struct record_table *table, const struct record_filter *filter,
                        unsigned depth) {
    if (depth > RECORD_FILTER_DEPTH_MAX)
        return err_make(ERR_INVALID, "a filter nested deeper than %d: simplify it", RECORD_FILTER_DEPTH_MAX);
    if (filter->op == RECORD_AND || filter->op == RECORD_OR) {
        for (size_t i = 0; i < filter->n_parts; i++) TRY(check_filter(lens, table, &filter->parts[i], depth + 1));
        return err_none();
    }
    if (filter->op == RECORD_MATCH) return check_match(table, filter);
    TRY(records_view_column(lens, table, filter->column));
    enum record_kind kind = table->columns[filter->column].kind;
    if (filter->op == RECORD_CONTAINS && kind != RECORD_TEXT)
        return err_make(ERR_INVALID, "'%s' is no text to search in", table->columns[filter->column].name);
    if (filter->op == RECORD_IS_SET)
        ASSERT(filter->value.kind == VALUE_BOOL);
    else if (filter->op == RECORD_NOT_IN)
        ASSERT(kind == RECORD_INT && (filter->n_list == 0 || filter->list));
    else
        ASSERT(comparable(kind, filter->value));
    return err_none();
}

/* ---- the lens's conditions: what does not fit the table shows nothing */

static Err misfit(const struct record_table *table) {
    return err_make(ERR_INVALID, "the reader's rights were made for another type than '%s': ask again", table->name);
}

static Err condition_column(const struct record_table *table, const struct lens_condition *c, unsigned *out) {
    *out = c->field == LENS_STATE ? table->state_at : table->fields_at + c->field;
    bool stands = c->field == LENS_STATE ? *out > RECORD_PARTY : c->field < table->n_columns;
    return stands && *out < table->n_columns ? err_none() : misfit(table);
}

/* Rows without the value fail, whatever is asked of it. */
static Err add_condition(const struct record_table *table, const struct lens_condition *c, struct records_view *view) {
    static const enum record_op ops[] = {
        [DOC_EQ] = RECORD_EQ, [DOC_NE] = RECORD_NE, [DOC_LT] = RECORD_LT, [DOC_LE] = RECORD_LE,
        [DOC_GT] = RECORD_GT, [DOC_GE] = RECORD_GE, [DOC_CONTAINS] = 0,   [DOC_IS_SET] = RECORD_IS_SET};
    struct record_filter f = {.value = c->value};
    TRY(condition_column(table, c, &f.column));
    if ((unsigned)c->op > DOC_IS_SET || c->op == DOC_CONTAINS) return misfit(table);
    f.op = ops[c->op];
    bool fits = f.op == RECORD_IS_SET
                    ? f.value.kind == VALUE_BOOL
                    : f.value.kind != VALUE_NONE && comparable(table->columns[f.column].kind, f.value);
    if (!fits) return misfit(table);
    view->parts[view->root.n_parts++] = f;
    if (f.op == RECORD_NE)
        view->parts[view->root.n_parts++] =
            (struct record_filter){.op = RECORD_IS_SET, .column = f.column, .value = VALUE_B(true)};
    return err_none();
}

Err records_view_make(const struct lens *lens, const struct record_table *table, const struct record_filter *filter,
                      struct records_view *out) {
    out->scope = (struct records_scope){.party = lens->party, .every_party = lens->every_party, .filter = filter};
    out->root = (struct record_filter){.op = RECORD_AND, .parts = out->parts};
    if (filter) TRY(check_filter(lens, table, filter, 1));
    if (table->fields_at == 0 || table->lines > 0 || lens->n_rows == 0) return err_none();
    if (lens->n_rows > LENS_ROWS_MAX)
        return err_make(ERR_LIMIT, "more than %d conditions on '%s' in one agreement: use fewer", LENS_ROWS_MAX,
                        table->name);
    for (size_t i = 0; i < lens->n_rows; i++) TRY(add_condition(table, &lens->rows[i], out));
    if (filter) out->parts[out->root.n_parts++] = *filter;
    out->scope.filter = &out->root;
    return err_none();
}

/* ---- words */

Str records_view_words(Str text, struct arena *arena) {
    char *out = arena_alloc(arena, text.len + 1);
    size_t n = 0;
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        if (c == ' ' && (n == 0 || out[n - 1] == ' ')) continue;
        out[n++] = c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
    }
    if (n > 0 && out[n - 1] == ' ') n--;
    out[n] = '\0';
    return str_n(out, n);
}

static bool has_word(Str words, Str word) {
    Str rest = words, next;
    while (rest.len > 0) {
        str_cut(rest, ' ', &next, &rest);
        if (str_eq(next, word)) return true;
    }
    return false;
}

bool records_view_matches(Str words, Str asked) {
    Str rest = asked, group, one;
    while (rest.len > 0) {
        bool found = false;
        str_cut(rest, ' ', &group, &rest);
        while (group.len > 0 && !found) {
            str_cut(group, '|', &one, &group);
            found = has_word(words, one);
        }
        if (!found) return false;
    }
    return true;
}
