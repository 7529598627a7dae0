#include "document/doc_rules.h"

#include <stdio.h>
#include <string.h>

#include "document/doc_value.h"
#include "model/script.h"

#define BASE_FIELDS 4

__extension__ typedef __int128 wide;

/* ---- a document as a script sees it */

static bool is_exact(const struct field *f) { return f->kind == FIELD_DECIMAL || f->kind == FIELD_MONEY; }

static void fill(const struct doctype *type, const Value *values, struct script_field *out) {
    for (size_t i = 0; i < type->n_fields; i++)
        out[i] = (struct script_field){.name = type->fields[i].name,
                                       .value = values[i],
                                       .scale = type->fields[i].scale,
                                       .decimal = is_exact(&type->fields[i])};
}

static struct script_row row_of(const struct doctype *type, const Value *values, struct arena *arena) {
    struct script_field *fields = arena_zero(arena, type->n_fields + BASE_FIELDS, sizeof *fields);
    fill(type, values, fields);
    return (struct script_row){.fields = fields, .n = type->n_fields};
}

static struct script_row record_of(const struct doc *doc, struct arena *arena) {
    struct script_row row = row_of(doc->type, doc->values, arena);
    struct script_field *fields = (struct script_field *)(uintptr_t)row.fields;
    static const struct script_row none = {.n = 0};
    size_t k = 0;
    for (size_t i = 0; i < doc->type->n_fields; i++) {
        if (doc->type->fields[i].kind != FIELD_LINES) continue;
        ASSERT(doc->lines);
        const struct doc_lines *lines = &doc->lines[k++];
        struct script_row *rows = arena_zero(arena, lines->n, sizeof *rows);
        for (size_t r = 0; r < lines->n; r++) rows[r] = row_of(doc->type->fields[i].lines, lines->rows[r], arena);
        fields[i].rows = lines->n ? rows : &none; /* no lines are an empty list, not nil */
        fields[i].n_rows = lines->n;
    }
    const struct script_field base[BASE_FIELDS] = {
        {.name = "id", .value = VALUE_I(doc->id)},
        {.name = "state", .value = VALUE_S(str_c(doctype_state_name(doc)))},
        {.name = "number", .value = doc->number.len ? VALUE_S(doc->number) : (Value){.kind = VALUE_NONE}},
        {.name = "created", .value = VALUE_I(doc->created)}};
    memcpy(fields + row.n, base, sizeof base);
    row.n += BASE_FIELDS;
    return row;
}

/* ---- computing */

static void compute_one(const struct field *f, const struct script *script, const struct script_row *row, Nanos now,
                        struct arena *arena, Value *out, struct doc_faults *faults) {
    Value v = {.kind = VALUE_NONE};
    Err err = script_call(script, f->compute, row, now, is_exact(f) ? f->scale : 0, arena, &v);
    if (err.code != ERR_NONE)
        doc_faults_add(faults, ERR_INVALID, f->name, "%.150s", err.text);
    else
        doc_value_from_code(f, v, out, faults);
}

static void compute_row(const struct doctype *type, const struct script *script, struct script_row row, Value *values,
                        Nanos now, struct arena *arena, struct doc_faults *faults) {
    struct script_field *fields = (struct script_field *)(uintptr_t)row.fields;
    for (size_t i = 0; i < type->n_fields; i++) {
        const struct field *f = &type->fields[i];
        if (!f->compute) continue;
        compute_one(f, script, &row, now, arena, &values[i], faults);
        fields[i].value = values[i];
    }
}

static bool computes(const struct doctype *type) {
    for (size_t i = 0; i < type->n_fields; i++)
        if (type->fields[i].compute) return true;
    return false;
}

static void compute_lines(const struct doc *doc, const struct field *f, const struct doc_lines *lines, Nanos now,
                          struct arena *arena, struct doc_faults *faults) {
    const struct script *script = f->lines->script ? f->lines->script : doc->type->script;
    for (size_t r = 0; computes(f->lines) && r < lines->n; r++) {
        snprintf(faults->at, sizeof faults->at, "%.48s[%u].", f->name, (unsigned)r);
        struct script_row row = row_of(f->lines, lines->rows[r], arena);
        compute_row(f->lines, script, row, lines->rows[r], now, arena, faults);
    }
    faults->at[0] = '\0';
}

void doc_rules_compute(struct doc *doc, Nanos now, struct arena *arena, struct doc_faults *faults) {
    size_t k = 0;
    for (size_t i = 0; i < doc->type->n_fields; i++)
        if (doc->type->fields[i].kind == FIELD_LINES)
            compute_lines(doc, &doc->type->fields[i], &doc->lines[k++], now, arena, faults);
    if (computes(doc->type))
        compute_row(doc->type, doc->type->script, record_of(doc, arena), doc->values, now, arena, faults);
}

/* ---- comparing */

static int choice_place(const struct field *f, Value v) {
    for (int i = 0; f->choices && f->choices[i].name; i++)
        if (str_eq_c(v.s, f->choices[i].name)) return i;
    return -1;
}

static double number_of(const struct field *f, Value v) {
    double n = value_as_num(v);
    for (unsigned i = 0; is_exact(f) && i < f->scale; i++) n /= 10;
    if (f->kind == FIELD_DATE) n *= (double)NANOS_PER_DAY;
    return n;
}

static int sign_of(double a, double b) { return a < b ? -1 : a > b; }

/* Whole numbers, decimals and dates are compared exactly, whatever their scales. */
static int compare_whole(const struct field *fa, Value a, const struct field *fb, Value b) {
    wide x = a.i, y = b.i;
    unsigned sa = is_exact(fa) ? fa->scale : 0, sb = is_exact(fb) ? fb->scale : 0;
    if (fa->kind == FIELD_DATE && fb->kind != FIELD_DATE) x *= NANOS_PER_DAY;
    if (fb->kind == FIELD_DATE && fa->kind != FIELD_DATE) y *= NANOS_PER_DAY;
    for (; sa < sb; sa++) x *= 10;
    for (; sb < sa; sb++) y *= 10;
    return x < y ? -1 : x > y;
}

/* false: they cannot be compared. */
static bool compare(const struct field *fa, Value a, const struct field *fb, Value b, int *out) {
    if (a.kind == VALUE_STRING && b.kind == VALUE_STRING) {
        bool ranked = fa->kind == FIELD_CHOICE && fb->kind == FIELD_CHOICE && fa->choices == fb->choices;
        *out = ranked ? choice_place(fa, a) - choice_place(fb, b) : str_cmp(a.s, b.s);
        return true;
    }
    if (a.kind == VALUE_STRING || b.kind == VALUE_STRING) return false;
    if (a.kind == VALUE_INT && b.kind == VALUE_INT)
        *out = compare_whole(fa, a, fb, b);
    else
        *out = sign_of(number_of(fa, a), number_of(fb, b));
    return true;
}

static bool holds_order(enum doc_op op, int order) {
    switch (op) {
    case DOC_EQ: return order == 0;
    case DOC_NE: return order != 0;
    case DOC_LT: return order < 0;
    case DOC_LE: return order <= 0;
    case DOC_GT: return order > 0;
    case DOC_GE: return order >= 0;
    default: return false;
    }
}

static Value value_at(const struct doc *doc, size_t i) {
    size_t k = 0;
    if (doc->type->fields[i].kind != FIELD_LINES) return doc->values[i];
    for (size_t n = 0; n < i; n++) k += doc->type->fields[n].kind == FIELD_LINES;
    ASSERT(doc->lines);
    return VALUE_I((int64_t)doc->lines[k].n);
}

static bool holds_comparison(const struct doc *doc, const struct doc_check *c, struct arena *arena) {
    size_t i = (size_t)doctype_field(doc->type, str_c(c->field));
    const struct field *f = &doc->type->fields[i], *other = f;
    Value a = value_at(doc, i), b = {.kind = VALUE_NONE};
    struct doc_faults faults = {0};
    int order;
    if (c->op == DOC_IS_SET) return (a.kind != VALUE_NONE) != (c->text && strcmp(c->text, "false") == 0);
    if (c->op == DOC_CONTAINS) return a.kind == VALUE_STRING && c->text && str_find(a.s, str_c(c->text)) >= 0;
    if (c->other) {
        size_t o = (size_t)doctype_field(doc->type, str_c(c->other));
        other = &doc->type->fields[o];
        b = value_at(doc, o);
    } else {
        struct field as = *f;
        if (as.kind == FIELD_LINES) as.kind = FIELD_INT;
        doc_value_parse(&as, str_c(c->text), arena, &b, &faults);
    }
    if (a.kind == VALUE_NONE || b.kind == VALUE_NONE) return c->transition == NULL;
    return compare(f, a, other, b, &order) && holds_order(c->op, order);
}

static void check_one(const struct doc *doc, const struct doc_check *c, Nanos now, struct arena *arena,
                      struct doc_faults *faults) {
    const char *at = c->field ? c->field : doc->type->name;
    Value answer = {.kind = VALUE_NONE};
    if (c->function) {
        struct script_row row =
            doc->type->n_states ? record_of(doc, arena) : row_of(doc->type, doc->values, arena); /* else a line */
        Err err = script_call(doc->type->script, c->function, &row, now, 0, arena, &answer);
        if (err.code != ERR_NONE) {
            doc_faults_add(faults, ERR_INVALID, at, "%.150s", err.text);
            return;
        }
    } else {
        answer = VALUE_B(holds_comparison(doc, c, arena));
    }
    if (answer.kind == VALUE_BOOL && answer.b) return;
    doc_faults_add(faults, ERR_INVALID, at, "%s%s%s", c->message_en ? c->message_en : "a check fails",
                   c->message_zh ? " / " : "", c->message_zh ? c->message_zh : "");
}

/* A line is checked as a document of its own. */
static void check_lines(const struct field *f, const struct doc_lines *lines, Nanos now, struct arena *arena,
                        struct doc_faults *faults) {
    for (size_t r = 0; f->lines->n_checks && r < lines->n; r++) {
        const struct doc line = {.type = f->lines, .values = lines->rows[r]};
        snprintf(faults->at, sizeof faults->at, "%.48s[%u].", f->name, (unsigned)r);
        for (size_t i = 0; i < f->lines->n_checks; i++) check_one(&line, &f->lines->checks[i], now, arena, faults);
    }
    faults->at[0] = '\0';
}

void doc_rules_check(const struct doc *doc, const struct transition *transition, Nanos now, struct arena *arena,
                     struct doc_faults *faults) {
    for (size_t i = 0; i < doc->type->n_checks; i++) {
        const struct doc_check *c = &doc->type->checks[i];
        if (!c->transition || (transition && strcmp(c->transition, transition->name) == 0))
            check_one(doc, c, now, arena, faults);
    }
    size_t k = 0;
    for (size_t i = 0; i < doc->type->n_fields; i++)
        if (doc->type->fields[i].kind == FIELD_LINES)
            check_lines(&doc->type->fields[i], &doc->lines[k++], now, arena, faults);
}
