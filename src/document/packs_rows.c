/*
 * A field that was added with a default, or that bears a new name (`was`), is filled in the rows that stand: in
 * transactions of a few hundred rows, each row at most once. That it is done is noted in the table pack_field, in the
 * transaction of its last rows, so that a crash in between only means that the rest follows at the next start. Rows are
 * read and written through tables of three columns, so that the engine's own layout is nobody's business here.
 */
#include "document/packs_rows.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/num.h"
#include "store/records_system.h"
#include "store/records_txn.h"
#include "trust/gate.h"

#define BATCH 500
enum { NOTE_NAME = 2, NOTE_SHAPE, NOTE_COLUMNS };
enum { ROW_NEW = 2, ROW_OLD, ROW_COLUMNS };

static const struct record_column note_columns[NOTE_COLUMNS] = {
    [RECORD_ID] = {.name = "id", .kind = RECORD_INT},
    [RECORD_PARTY] = {.name = "party", .kind = RECORD_INT, .required = true},
    [NOTE_NAME] = {.name = "name", .kind = RECORD_TEXT, .required = true, .unique = RECORD_UNIQUE},
    [NOTE_SHAPE] = {.name = "shape", .kind = RECORD_INT}, /* of a renamed field, when it was: kind * 16 + scale */
};
const struct record_table packs_rows_table = {.name = "pack_field", .columns = note_columns, .n_columns = NOTE_COLUMNS};

static const enum record_kind kinds[] = {
    [FIELD_TEXT] = RECORD_TEXT,       [FIELD_INT] = RECORD_INT,       [FIELD_NUMBER] = RECORD_REAL,
    [FIELD_DECIMAL] = RECORD_DECIMAL, [FIELD_BOOL] = RECORD_BOOL,     [FIELD_TIME] = RECORD_INT,
    [FIELD_CHOICE] = RECORD_TEXT,     [FIELD_REF] = RECORD_INT,       [FIELD_THING] = RECORD_TEXT,
    [FIELD_JSON] = RECORD_TEXT,       [FIELD_MONEY] = RECORD_DECIMAL, [FIELD_DATE] = RECORD_INT,
    [FIELD_PARTY] = RECORD_INT,       [FIELD_FILE] = RECORD_INT,      [FIELD_GEOMETRY] = RECORD_TEXT,
    [FIELD_LINES] = RECORD_INT,
};

static const char *const kind_names[] = {
    [FIELD_TEXT] = "text",   [FIELD_INT] = "int",   [FIELD_NUMBER] = "number",     [FIELD_DECIMAL] = "decimal",
    [FIELD_BOOL] = "bool",   [FIELD_TIME] = "time", [FIELD_CHOICE] = "choice",     [FIELD_REF] = "ref",
    [FIELD_THING] = "thing", [FIELD_JSON] = "json", [FIELD_MONEY] = "money",       [FIELD_DATE] = "date",
    [FIELD_PARTY] = "party", [FIELD_FILE] = "file", [FIELD_GEOMETRY] = "geometry", [FIELD_LINES] = "lines"};

/* ---- a type's rows, three columns of them */
struct narrow {
    struct record_column columns[ROW_COLUMNS];
    struct record_table table;
};

static struct record_column column_of(const struct field *f, const char *name) {
    return (struct record_column){.name = name, .kind = kinds[f->kind], .scale = f->scale};
}

static void narrow(struct narrow *n, const struct doctype *type, const struct field *new, const struct field *old,
                   struct arena *arena) {
    *n = (struct narrow){
        .columns = {
            [RECORD_ID] = {.name = "id", .kind = RECORD_INT}, [RECORD_PARTY] = {.name = "party", .kind = RECORD_INT}}};
    if (new) n->columns[ROW_NEW] = column_of(new, new->name);
    if (old) n->columns[ROW_OLD] = column_of(old, old->name);
    n->table = (struct record_table){.name = arena_printf(arena, "doc_%s", type->name).ptr,
                                     .columns = n->columns,
                                     .n_columns = old   ? ROW_COLUMNS
                                                  : new ? ROW_OLD
                                                        : ROW_NEW};
}

struct counting {
    const struct record_table *table;
    const struct record_filter *filter;
    uint64_t n;
};

static Err count_rows(void *ctx, struct records_txn *txn) {
    struct counting *c = ctx;
    struct lens lens = gate_lens_system("an upgrade looks at what stands");
    struct arena arena;
    arena_init(&arena, 0);
    Err err = records_txn_count(txn, &lens, c->table, c->filter, &c->n);
    arena_fini(&arena);
    return err;
}

static Err count_where(struct records *records, const struct record_table *table, const struct record_filter *filter,
                       uint64_t *out) {
    struct counting c = {.table = table, .filter = filter};
    TRY(records_read(records, count_rows, &c));
    *out = c.n;
    return err_none();
}

Err packs_rows_count(struct records *records, const struct doctype *type, uint64_t *out) {
    struct arena arena;
    struct narrow n;
    arena_init(&arena, 0);
    narrow(&n, type, NULL, NULL, &arena);
    Err err = count_where(records, &n.table, NULL, out);
    arena_fini(&arena);
    return err;
}

/* ---- the plan */
void packs_rows_step(struct packs_plan *plan, const char *type, const char *action, bool refused, const char *fmt,
                     ...) {
    char text[400];
    va_list args;
    va_start(args, fmt);
    vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    if (plan->n == plan->cap) {
        size_t cap = plan->cap ? plan->cap * 2 : 16;
        struct packs_step *steps = arena_zero(plan->arena, cap, sizeof *steps);
        if (plan->n) memcpy(steps, plan->steps, plan->n * sizeof *steps);
        plan->steps = steps, plan->cap = cap;
    }
    plan->steps[plan->n++] = (struct packs_step){type, action, arena_c(plan->arena, str_c(text)), refused};
    plan->refused += refused;
}

struct planning {
    struct records *records;
    struct packs_plan *plan;
    const struct doctype *old, *new;
    uint64_t rows;
};

static const struct field *field_named(const struct doctype *type, const char *name) {
    int i = name ? doctype_field(type, str_c(name)) : -1;
    return i < 0 ? NULL : &type->fields[i];
}

static const char *shape(const struct field *f, struct arena *arena) {
    if (f->kind == FIELD_DECIMAL || f->kind == FIELD_MONEY)
        return arena_printf(arena, "%s with %u digits", kind_names[f->kind], f->scale).ptr;
    return f->kind == FIELD_REF ? arena_printf(arena, "ref to %s", f->ref ? f->ref : "?").ptr : kind_names[f->kind];
}

/* Can what `old` keeps be written as `new` without loss? */
static bool widens(const struct field *old, const struct field *new) {
    if ((old->share == SHARE_SECRET) != (new->share == SHARE_SECRET)) return false;
    bool old_exact = old->kind == FIELD_DECIMAL || old->kind == FIELD_MONEY || old->kind == FIELD_INT;
    bool new_exact = new->kind == FIELD_DECIMAL || new->kind == FIELD_MONEY;
    if (old_exact && new_exact) return new->scale >= old->scale;
    if (old->kind == FIELD_INT && new->kind == FIELD_NUMBER) return true;
    if (old->kind == FIELD_CHOICE && new->kind == FIELD_TEXT) return true;
    return old->kind == new->kind &&
           (old->kind != FIELD_REF || (old->ref && new->ref &&strcmp(old->ref, new->ref) == 0));
}

static Err lacking(const struct planning *p, const struct field *f, uint64_t *out) {
    struct narrow n;
    narrow(&n, p->old, f, NULL, p->plan->arena);
    struct record_filter filter = {.op = RECORD_IS_SET, .column = ROW_NEW, .value = VALUE_B(false)};
    return count_where(p->records, &n.table, &filter, out);
}

static Err plan_choices(const struct planning *p, const struct field *old, const struct field *new) {
    for (const struct choice *c = old->choices; c && c->name; c++) {
        bool stays = false;
        for (const struct choice *d = new->choices; d && d->name; d++) stays = stays || strcmp(c->name, d->name) == 0;
        if (stays) continue;
        struct narrow n;
        uint64_t used;
        narrow(&n, p->old, old, NULL, p->plan->arena);
        struct record_filter filter = {.op = RECORD_EQ, .column = ROW_NEW, .value = VALUE_S(str_c(c->name))};
        TRY(count_where(p->records, &n.table, &filter, &used));
        packs_rows_step(p->plan, p->old->name, "drop choice", used > 0, "%s: choice '%s'%s", new->name, c->name,
                        used ? arena_printf(p->plan->arena, " is used by %llu documents: change them first",
                                            (unsigned long long)used)
                                   .ptr
                             : "");
    }
    return err_none();
}

static Err plan_kept(const struct planning *p, const struct field *old, const struct field *new) {
    struct arena *arena = p->plan->arena;
    bool same = widens(old, new) && widens(new, old);
    if (!same)
        packs_rows_step(p->plan, p->old->name, "change field", true,
                        "%s is kept as %s, not %s: give the new field another name with 'was: %s'", new->name,
                        shape(old, arena), shape(new, arena), new->name);
    uint64_t without = 0;
    if (new->required && !old->required && !new->fallback) TRY(lacking(p, old, &without));
    if (without)
        packs_rows_step(p->plan, p->old->name, "require field", true,
                        "%s is now required, and %llu documents lack it: give it a default, or fill it in first",
                        new->name, (unsigned long long)without);
    if (new->unique && !old->unique && p->rows > 1)
        packs_rows_step(p->plan, p->old->name, "make unique", false, "%s: refused if two documents have the same",
                        new->name);
    return same && new->kind == FIELD_CHOICE ? plan_choices(p, old, new) : err_none();
}

static void plan_renamed(const struct planning *p, const struct field *old, const struct field *new) {
    bool fits = widens(old, new);
    packs_rows_step(p->plan, p->old->name, "rename field", !fits, "%s becomes %s%s", old->name, new->name,
                    fits ? ", with what it holds"
                         : arena_printf(p->plan->arena, ": what is kept as %s does not fit %s",
                                        shape(old, p->plan->arena), shape(new, p->plan->arena))
                               .ptr);
}

static void plan_added(const struct planning *p, const struct field *new) {
    bool missing = new->required && !new->fallback && p->rows > 0;
    packs_rows_step(p->plan, p->old->name, "add field", missing, "%s%s", new->name,
                    missing         ? ": required, and documents stand without it: give it a default"
                    : new->fallback ? arena_printf(p->plan->arena, ", filled with '%s'", new->fallback).ptr
                                    : "");
}

static Err plan_states(const struct planning *p) {
    static const struct field state = {.name = "state", .kind = FIELD_TEXT};
    for (size_t i = 0; i < p->old->n_states; i++) {
        if (doctype_state(p->new, str_c(p->old->states[i].name)) >= 0) continue;
        struct narrow n;
        uint64_t used;
        narrow(&n, p->old, &state, NULL, p->plan->arena);
        struct record_filter filter = {
            .op = RECORD_EQ, .column = ROW_NEW, .value = VALUE_S(str_c(p->old->states[i].name))};
        TRY(count_where(p->records, &n.table, &filter, &used));
        packs_rows_step(
            p->plan, p->old->name, "drop state", used > 0, "%s%s", p->old->states[i].name,
            used ? arena_printf(p->plan->arena, ": %llu documents are in it: move them first", (unsigned long long)used)
                       .ptr
                 : "");
    }
    return err_none();
}

static Err plan_type(struct planning *p) {
    TRY(packs_rows_count(p->records, p->old, &p->rows));
    for (size_t i = 0; i < p->new->n_fields; i++) {
        const struct field *new = &p->new->fields[i], *old = field_named(p->old, new->name);
        const struct field *was = field_named(p->old, new->was);
        if (new->hidden || new->custom_of) continue;
        if (old)
            TRY(plan_kept(p, old, new));
        else if (was)
            plan_renamed(p, was, new);
        else
            plan_added(p, new);
    }
    for (size_t i = 0; i < p->old->n_fields; i++) {
        const struct field *old = &p->old->fields[i];
        bool renamed = false;
        for (size_t k = 0; k < p->new->n_fields; k++)
            renamed = renamed || (p->new->fields[k].was &&strcmp(p->new->fields[k].was, old->name) == 0);
        if (old->hidden || old->custom_of || renamed || field_named(p->new, old->name)) continue;
        packs_rows_step(p->plan, p->old->name, "drop field", false, "%s: what it holds is kept, unseen", old->name);
    }
    return plan_states(p);
}

Err packs_rows_plan(struct records *records, const struct catalog *old, const struct catalog *new,
                    struct packs_plan *plan) {
    for (const struct doctype *const *t = new->types; *t; t++) {
        struct planning p = {.records = records, .plan = plan, .new = *t, .old = catalog_type(old, str_c((*t)->name))};
        if (p.old)
            TRY(plan_type(&p));
        else
            packs_rows_step(plan, (*t)->name, "add type", false, "%s, %s: %zu fields", (*t)->title_en, (*t)->title_zh,
                            (*t)->n_fields);
    }
    for (const struct doctype *const *t = old->types; *t; t++) {
        uint64_t rows = 0;
        if (catalog_type(new, str_c((*t)->name))) continue;
        TRY(packs_rows_count(records, *t, &rows));
        packs_rows_step(plan, (*t)->name, "drop type", rows > 0, "%llu documents%s", (unsigned long long)rows,
                        rows ? " stand: delete or export them first" : "");
    }
    return err_none();
}

/* ---- filling */
struct filling {
    const struct doctype *type;
    const struct field *new, *old; /* old NULL: a default */
    Value fallback;
    Str note; /* name in pack_field */
    int64_t after;
    bool done;
};

static int64_t power(unsigned n) {
    int64_t p = 1;
    while (n--) p *= 10;
    return p;
}

static Err converted(const struct filling *f, Value v, Value *out) {
    *out = v;
    if (f->old->kind == FIELD_INT && f->new->kind == FIELD_NUMBER &&v.kind == VALUE_INT) *out = VALUE_F((double)v.i);
    bool exact = f->new->kind == FIELD_DECIMAL || f->new->kind == FIELD_MONEY;
    if (!exact || v.kind != VALUE_INT || f->new->scale == f->old->scale) return err_none();
    if (__builtin_mul_overflow(v.i, power((unsigned)(f->new->scale - f->old->scale)), &out->i))
        return err_make(ERR_LIMIT, "a value of '%s' is too large for %u digits behind the point", f->new->name,
                        f->new->scale);
    return err_none();
}

static Err note_done(const struct filling *f, struct records_txn *txn) {
    int64_t id;
    Value row[NOTE_COLUMNS] = {[RECORD_PARTY] = VALUE_I(0), [NOTE_NAME] = VALUE_S(f->note)};
    return records_txn_insert(txn, &packs_rows_table, row, &id);
}

static Err fill_rows(struct filling *f, struct records_txn *txn, struct arena *arena) {
    struct narrow n;
    struct lens lens = gate_lens_system("an upgrade brings along what stands");
    struct record_page page;
    narrow(&n, f->type, f->new, f->old, arena);
    struct record_filter parts[] = {
        {.op = RECORD_GT, .column = RECORD_ID, .value = VALUE_I(f->after)},
        {.op = RECORD_IS_SET, .column = ROW_NEW, .value = VALUE_B(false)},
        {.op = RECORD_EQ, .column = RECORD_PARTY, .value = VALUE_I(f->new->custom_of)},
        {.op = RECORD_IS_SET, .column = ROW_OLD, .value = VALUE_B(true)},
    };
    size_t used = 2;
    if (f->new->custom_of)
        used = 3;
    else if (f->old)
        parts[used++] = parts[3];
    struct record_filter all = {.op = RECORD_AND, .parts = parts, .n_parts = used};
    struct record_query query = {.filter = &all, .sort = RECORD_ID, .limit = BATCH};
    TRY(records_txn_select(txn, &lens, &n.table, &query, arena, &page));
    static const unsigned column = ROW_NEW;
    for (size_t i = 0; i < page.n; i++) {
        Value value = f->fallback;
        if (f->old) TRY(converted(f, page.rows[i][ROW_OLD], &value));
        f->after = page.rows[i][RECORD_ID].i;
        TRY(records_txn_update(txn, &n.table, f->after, &column, &value, 1));
    }
    f->done = page.n < BATCH;
    return f->done ? note_done(f, txn) : err_none();
}

static Err fill_some(void *ctx, struct records_txn *txn) {
    struct arena arena;
    arena_init(&arena, 0);
    Err err = fill_rows(ctx, txn, &arena);
    arena_fini(&arena);
    return err;
}

/* A default as a value; VALUE_NONE: nothing to fill in. */
static Value fallback_of(const struct field *f) {
    int64_t i;
    double d;
    Str text = str_c(f->fallback);
    switch (f->kind) {
    case FIELD_TEXT:
    case FIELD_CHOICE:
    case FIELD_JSON: return VALUE_S(text);
    case FIELD_INT: return str_to_i64(text, &i) ? VALUE_I(i) : (Value){0};
    case FIELD_NUMBER: return str_to_f64(text, &d) ? VALUE_F(d) : (Value){0};
    case FIELD_BOOL: return VALUE_B(str_eq_c(text, "true"));
    case FIELD_DECIMAL:
    case FIELD_MONEY: return num_parse_decimal(text, f->scale, &i) ? VALUE_I(i) : (Value){0};
    default: return (Value){0};
    }
}

struct noted {
    struct arena *arena;
    struct record_page page;
};

static Err read_notes(void *ctx, struct records_txn *txn) {
    struct noted *n = ctx;
    struct lens lens = gate_lens_system("which fields an upgrade brought along");
    struct record_query query = {.sort = RECORD_ID, .limit = 100000};
    return records_txn_select(txn, &lens, &packs_rows_table, &query, n->arena, &n->page);
}

static bool is_noted(const struct noted *n, Str name) {
    for (size_t i = 0; i < n->page.n; i++)
        if (str_eq(n->page.rows[i][NOTE_NAME].s, name)) return true;
    return false;
}

/* What a field of the older name was, as noted when the upgrade began; false: nothing is to be brought along. */
static bool read_from(const struct noted *n, const struct doctype *type, const struct field *f, struct field *old) {
    Str name = arena_printf(n->arena, "%s.%s from %s", type->name, f->name, f->was);
    for (size_t i = 0; i < n->page.n; i++) {
        if (!str_eq(n->page.rows[i][NOTE_NAME].s, name)) continue;
        int64_t shape = n->page.rows[i][NOTE_SHAPE].i;
        *old =
            (struct field){.name = f->was, .kind = (enum field_kind)(shape / 16), .scale = (unsigned char)(shape % 16)};
        return true;
    }
    return false;
}

struct notes {
    Str *names;
    size_t n, cap;
};

static Err insert_notes(void *ctx, struct records_txn *txn) {
    const struct notes *notes = ctx;
    for (size_t i = 0; i < notes->n; i++) TRY(note_done(&(struct filling){.note = notes->names[i]}, txn));
    return err_none();
}

static Err fill_field(struct records *records, struct filling *fill, bool empty, const struct noted *noted,
                      struct notes *notes) {
    const struct field *old = fill->old;
    fill->note = arena_printf(noted->arena, "%s.%s%s%s", fill->type->name, fill->new->name, old ? " was " : "",
                              old ? old->name : "");
    if ((!old && fill->fallback.kind == VALUE_NONE) || is_noted(noted, fill->note)) return err_none();
    if (empty && notes->n < notes->cap) notes->names[notes->n++] = fill->note;
    while (!empty && !fill->done) TRY(records_write(records, fill_some, fill));
    return err_none();
}

static Err fill_type(struct records *records, const struct doctype *type, const struct noted *noted,
                     struct notes *notes) {
    uint64_t rows;
    TRY(packs_rows_count(records, type, &rows));
    for (size_t i = 0; i < type->n_fields; i++) {
        const struct field *f = &type->fields[i];
        struct field old;
        if (f->share == SHARE_SECRET || f->kind == FIELD_LINES) continue;
        if (f->was && read_from(noted, type, f, &old))
            TRY(fill_field(records, &(struct filling){.type = type, .new = f, .old = &old}, rows == 0, noted, notes));
        if (f->fallback)
            TRY(fill_field(records, &(struct filling){.type = type, .new = f, .fallback = fallback_of(f)}, rows == 0,
                           noted, notes));
    }
    return err_none();
}

Err packs_rows_fill(struct records *records, const struct catalog *catalog) {
    struct arena arena;
    arena_init(&arena, 0);
    struct noted noted = {.arena = &arena};
    struct notes notes = {.cap = 0};
    for (const struct doctype *const *t = catalog->types; *t; t++) notes.cap += 2 * (*t)->n_fields;
    notes.names = arena_zero(&arena, notes.cap + 1, sizeof *notes.names);
    Err err = records_read(records, read_notes, &noted);
    for (const struct doctype *const *t = catalog->types; err.code == ERR_NONE && *t; t++)
        err = fill_type(records, *t, &noted, &notes);
    if (err.code == ERR_NONE && notes.n) err = records_write(records, insert_notes, &notes);
    arena_fini(&arena);
    return err;
}

/* ---- before the folder is replaced: what renamed fields were */
struct renames {
    const struct catalog *old, *new;
};

static Err note_rename(struct records_txn *txn, const struct doctype *type, const struct field *f,
                       const struct field *was, struct arena *arena) {
    int64_t id;
    Value *row;
    struct lens lens = gate_lens_system("which fields an upgrade brought along");
    Str name = arena_printf(arena, "%s.%s from %s", type->name, f->name, f->was);
    TRY(records_txn_find(txn, &lens, &packs_rows_table, NOTE_NAME, VALUE_S(name), arena, &row));
    if (row) return err_none();
    Value values[NOTE_COLUMNS] = {[RECORD_PARTY] = VALUE_I(0),
                                  [NOTE_NAME] = VALUE_S(name),
                                  [NOTE_SHAPE] = VALUE_I((int)was->kind * 16 + was->scale)};
    return records_txn_insert(txn, &packs_rows_table, values, &id);
}

static Err note_renames(void *ctx, struct records_txn *txn) {
    const struct renames *r = ctx;
    struct arena arena;
    Err err = err_none();
    arena_init(&arena, 0);
    for (const struct doctype *const *t = r->new->types; *t; t++) {
        const struct doctype *old = catalog_type(r->old, str_c((*t)->name));
        for (size_t i = 0; old && err.code == ERR_NONE && i < (*t)->n_fields; i++) {
            const struct field *f = &(*t)->fields[i], *was = field_named(old, f->was);
            if (was && !field_named(old, f->name)) err = note_rename(txn, *t, f, was, &arena);
        }
    }
    arena_fini(&arena);
    return err;
}

Err packs_rows_begin(struct records *records, const struct catalog *old, const struct catalog *new) {
    return records_write(records, note_renames, &(struct renames){old, new});
}
