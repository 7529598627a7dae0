/* Which tables there are. They are made when a statement first names one: SQLite says "no such table: x", x is looked
 * up, and the statement is prepared again. A statement over two tables thus costs two, however many types there are. */
#include <stdlib.h>
#include <string.h>

#include "serve/sql_inner.h"

struct sql_table *sql_names_new(struct sql_session *s, const struct sql_table_ops *ops, const struct lens *lens,
                                const struct sql_table_about *about) {
    struct sql_table *t = arena_zero(s->arena, 1, sizeof *t);
    t->session = s;
    t->ops = ops;
    t->lens = *lens;
    t->about = *about;
    return t;
}

/* "work_order_parts" of "work_order": the field of lines it names, or -1. */
static int lines_named(const struct doctype *type, Str name) {
    Str head = str_c(type->name);
    if (name.len <= head.len + 1 || !str_eq_nocase(str_slice(name, 0, head.len), head) || name.ptr[head.len] != '_')
        return -1;
    Str tail = str_slice(name, head.len + 1, name.len);
    for (size_t i = 0; i < type->n_fields; i++)
        if (type->fields[i].kind == FIELD_LINES && str_eq_nocase(tail, str_c(type->fields[i].name))) return (int)i;
    return -1;
}

static Err lens_of(struct sql_session *s, const struct doctype *type, struct lens *out) {
    TRY(s->source->lens(s->source->ctx, type, out));
    if (!type || !out->aggregates) return err_none();
    return err_make(ERR_FORBIDDEN,
                    "only groups of '%s' are given, not each of them: ask for groups at /api/v1/docs/%s?group=",
                    type->name, type->name);
}

static struct sql_table *of_type(struct sql_session *s, const struct doctype *type, Str name, Err *why) {
    struct lens lens;
    bool whole = str_eq_nocase(name, str_c(type->name));
    int lines = whole ? -1 : lines_named(type, name);
    if (!whole && lines < 0) return NULL;
    *why = lens_of(s, type, &lens);
    if (why->code != ERR_NONE) return NULL;
    if (whole) return sql_docs_make(s, type, &lens);
    bool other = type->fields[lines].custom_of != 0 && type->fields[lines].custom_of != lens.party;
    if (!(lens.fields >> lines & 1) || other) return NULL;
    return sql_docs_make_lines(s, type, (unsigned)lines, &lens);
}

static const char *const fixed[] = {"things", "tags", "metrics", "latest", "samples", "windows"};

static bool is_fixed(Str name) {
    for (size_t i = 0; i < sizeof fixed / sizeof *fixed; i++)
        if (str_eq_nocase(name, str_c(fixed[i]))) return true;
    return false;
}

struct sql_table *sql_names_make(struct sql_session *s, Str name, Err *why) {
    struct lens lens;
    struct sql_table *t;
    *why = err_none();
    const struct doctype *const *types = documents_types(s->source->documents);
    Err none = lens_of(s, NULL, &lens);
    if (none.code == ERR_NONE) {
        if ((t = sql_things_make(s, name, &lens)) || (t = sql_series_make(s, name, &lens))) return t;
    } else if (is_fixed(name)) {
        *why = none;
        return NULL;
    }
    if (is_fixed(name)) return sql_wide_make(s, name, &lens);
    for (; *types; types++)
        if ((t = of_type(s, *types, name, why)) || why->code != ERR_NONE) return t;
    return none.code == ERR_NONE ? sql_wide_make(s, name, &lens) : NULL;
}

/* ---- the list */

struct listing {
    struct sql_session *s;
    struct sql_table_about *out;
    size_t n, cap;
};

static void add(struct listing *l, Str name) {
    Err why;
    struct sql_table *t = l->n < l->cap ? sql_names_make(l->s, name, &why) : NULL;
    if (t) l->out[l->n++] = t->about;
}

Err sql_names_list(struct sql_session *s, struct sql_table_about **out, size_t *n) {
    struct listing l = {.s = s, .cap = 1000};
    l.out = arena_zero(s->arena, l.cap, sizeof *l.out);
    for (size_t i = 0; i < sizeof fixed / sizeof *fixed; i++) add(&l, str_c(fixed[i]));
    for (const struct doctype *const *types = documents_types(s->source->documents); *types; types++) {
        add(&l, str_c((*types)->name));
        for (size_t i = 0; i < (*types)->n_fields; i++)
            if ((*types)->fields[i].kind == FIELD_LINES)
                add(&l, arena_printf(s->arena, "%s_%s", (*types)->name, (*types)->fields[i].name));
    }
    const struct thing_model *const *models = catalog_get(s->source->catalog)->models;
    for (; models && *models; models++) add(&l, str_c((*models)->name));
    *out = l.out;
    *n = l.n;
    return err_none();
}
