#include "insight/query_plan.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

struct planner {
    const struct query *query;
    const struct query_stage *from;
    const struct query_plan_source *source; /* of the first stage; NULL later */
    const struct query_plan_stage *before;
    struct query_plan_stage *stage;
    struct arena *arena;
    char what[64];
    struct query_node *things;
    size_t max_keys;
};

static const char *name_place(struct planner *p, const char *part) {
    snprintf(p->what, sizeof p->what, "stage %u, %.40s", p->stage->number, part);
    return p->what;
}

/* ---- the incoming columns */

static bool find_in(void *ctx, Str name, unsigned *column, enum query_kind *kind) {
    struct planner *p = ctx;
    if (p->source) return p->source->find(p->source->ctx, name, column, kind);
    for (size_t i = 0; i < p->before->n_out; i++) {
        if (!str_eq(p->before->out[i].name, name)) continue;
        *column = (unsigned)i;
        *kind = p->before->out[i].kind;
        return true;
    }
    return false;
}

static bool like(Str a, Str b) {
    size_t n = a.len < b.len ? a.len : b.len;
    size_t same = 0;
    while (same < n && a.ptr[same] == b.ptr[same]) same++;
    return str_find(b, a) >= 0 || str_find(a, b) >= 0 || same * 2 > n;
}

static Str suggest_in(void *ctx, Str name) {
    struct planner *p = ctx;
    if (p->source) return p->source->suggest(p->source->ctx, name);
    for (size_t i = 0; i < p->before->n_out; i++)
        if (like(name, p->before->out[i].name)) return p->before->out[i].name;
    return p->before->n_out > 0 ? p->before->out[0].name : (Str){0};
}

/* ---- the columns of what is made */

static int select_named(const struct planner *p, Str name, size_t before) {
    for (size_t i = 0; i < before; i++)
        if (str_eq(p->from->select[i].name, name)) return (int)i;
    return -1;
}

static bool add_key(struct planner *p, struct query_node *node, Str name) {
    if (p->stage->n_keys == p->max_keys) return false;
    p->stage->keys[p->stage->n_keys++] = (struct query_plan_key){node, name, node->kind};
    return true;
}

/* A tag needs no grouping of its own where every group is of one thing. */
static bool find_tag(struct planner *p, Str name, unsigned *column, enum query_kind *kind) {
    unsigned in;
    struct query_plan_stage *s = p->stage;
    if (!p->source || !s->by_thing || name.len < 2 || name.ptr[0] != '@') return false;
    if (!find_in(p, name, &in, kind)) return false;
    struct query_node *node = arena_zero(p->arena, 1, sizeof *node);
    *node = (struct query_node){
        .op = QUERY_OP_COLUMN, .slot = s->slots++, .column = in, .kind = *kind, .bound = true, .text = name};
    if (!add_key(p, node, name)) return false;
    *column = (unsigned)s->n_keys - 1;
    return true;
}

struct made_names {
    struct planner *p;
    size_t selects; /* that are made already */
    size_t shift;   /* where they stand: settled later, so marked from here */
};
#define MADE_SELECT 1000000u /* + k: the k-th column of select */
#define MADE_TIME 2000000u
#define MADE_AGG 3000000u

static bool find_made(void *ctx, Str name, unsigned *column, enum query_kind *kind) {
    struct made_names *m = ctx;
    struct planner *p = m->p;
    const struct query_plan_stage *s = p->stage;
    int k = select_named(p, name, m->selects);
    if (k >= 0) {
        *column = MADE_SELECT + (unsigned)k;
        *kind = s->select[k]->kind;
        return true;
    }
    if (!s->grouped) return find_in(p, name, column, kind);
    for (size_t i = 0; i < s->n_keys; i++) {
        if (!str_eq(s->keys[i].name, name)) continue;
        *column = (unsigned)i;
        *kind = s->keys[i].kind;
        return true;
    }
    if (s->windowed && str_eq_c(name, "time")) {
        *column = MADE_TIME;
        *kind = QUERY_KIND_TIME;
        return true;
    }
    return find_tag(p, name, column, kind);
}

static Str suggest_made(void *ctx, Str name) {
    struct made_names *m = ctx;
    unsigned column;
    enum query_kind kind;
    if (!m->p->stage->grouped) return suggest_in(m->p, name);
    if (find_in(m->p, name, &column, &kind))
        return arena_printf(m->p->arena, "last(" STR_FMT ")', or by: ['" STR_FMT, STR_ARG(name), STR_ARG(name));
    return suggest_in(m->p, name);
}

/* ---- aggregates */

static bool same_node(const struct query_node *a, const struct query_node *b) {
    if (!a || !b) return a == b;
    if (a->op != b->op || a->n_args != b->n_args || a->call != b->call || a->column != b->column) return false;
    if (a->op == QUERY_OP_NUMBER && (a->number != b->number || a->number_kind != b->number_kind)) return false;
    if (a->op == QUERY_OP_TIME && a->time != b->time) return false;
    if (a->op == QUERY_OP_TEXT && !str_eq(a->text, b->text)) return false;
    for (size_t i = 0; i < a->n_args; i++)
        if (!same_node(a->args[i], b->args[i])) return false;
    return true;
}

static bool asks_limits(const struct query_agg *agg) {
    return strcmp(agg->name, "min") == 0 || strcmp(agg->name, "max") == 0 || strcmp(agg->name, "spread") == 0;
}

static void place_state(struct query_plan_stage *s, unsigned i) {
    struct query_plan_agg *a = &s->aggs[i];
    a->state = i;
    for (unsigned k = 0; k < i; k++) {
        struct query_plan_agg *b = &s->aggs[k];
        bool basic = (a->agg->flags & QUERY_AGG_BASIC) && (b->agg->flags & QUERY_AGG_BASIC);
        bool same = a->agg->add && a->agg->add == b->agg->add;
        if (b->state != k || (!basic && !same) || !same_node(a->arg, b->arg)) continue;
        a->state = k;
        b->no_limits = b->no_limits && !asks_limits(a->agg);
        a->offset = b->offset;
        return;
    }
    a->offset = s->state_size;
    s->state_size += (a->agg->size + 15) / 16 * 16;
}

static Err agg_parameter(struct query_node *node, Str text, const char *what, double *out) {
    struct query_window span;
    const struct query_node *arg = node->n_args == 2 ? node->args[1] : NULL;
    *out = 0;
    if (!arg) return err_none();
    if (strcmp(node->agg->name, "percentile") == 0) {
        *out = arg->number;
        if (arg->op == QUERY_OP_NUMBER && *out >= 0 && *out <= 100) return err_none();
        return query_expr_parse_fault(arg, text, what, "a percentile is a number from 0 to 100");
    }
    if (arg->op == QUERY_OP_NUMBER && arg->number > 0 && arg->number < 1e9) {
        *out = arg->number;
        return err_none();
    }
    if (arg->op == QUERY_OP_TEXT && query_window_parse(arg->text, &span).code == ERR_NONE &&
        (span.unit == QUERY_UNIT_SPAN || span.unit == QUERY_UNIT_DAY)) {
        *out = (double)span.n * (double)(span.unit == QUERY_UNIT_DAY ? NANOS_PER_DAY : 1) / 1e9;
        if (*out < 1e9) return err_none();
    }
    return query_expr_parse_fault(arg, text, what, "the longest gap is a number of seconds or a span such as '5m'");
}

/* The least and the greatest of `time` are its first and its last. */
static Err of_time(struct query_node *node, Str text, const char *what, const struct query_agg **agg) {
    bool min = strcmp((*agg)->name, "min") == 0, max = strcmp((*agg)->name, "max") == 0;
    if (node->n_args == 0 || node->args[0]->kind != QUERY_KIND_TIME) return err_none();
    if ((*agg)->flags & (QUERY_AGG_ANY | QUERY_AGG_WHEN)) return err_none();
    if (!min && !max) return query_expr_parse_fault(node, text, what, "this aggregate is of numbers, not of times");
    *agg = query_agg_find(min ? STR("first") : STR("last"));
    node->kind = QUERY_KIND_TIME;
    return err_none();
}

static Err take_agg(struct planner *p, struct query_node *node, Str text, const char *what) {
    struct query_plan_stage *s = p->stage;
    struct query_names names = {find_in, suggest_in, p};
    TRY(query_expr_bind(node, text, what, &names));
    const struct query_agg *agg = node->agg;
    TRY(of_time(node, text, what, &agg));
    if ((agg->flags & QUERY_AGG_ORDER) && s->time_in < 0)
        return query_expr_parse_fault(node, text, what,
                                      "this aggregate looks at the order of time, and the rows have none");
    if (s->n_aggs == QUERY_PLAN_AGGS_MAX)
        return err_make(ERR_INVALID, "%s: more than %u aggregates in one stage: part it", what, QUERY_PLAN_AGGS_MAX);
    struct query_plan_agg *a = &s->aggs[s->n_aggs];
    *a = (struct query_plan_agg){.agg = agg, .arg = node->n_args ? node->args[0] : NULL, .kind = node->kind};
    TRY(agg_parameter(node, text, what, &a->parameter));
    a->no_limits = !asks_limits(agg);
    place_state(s, (unsigned)s->n_aggs);
    if (agg->flags & QUERY_AGG_ORDER) s->ordered_aggs = true;
    node->op = QUERY_OP_COLUMN;
    node->column = MADE_AGG + (unsigned)s->n_aggs++;
    node->bound = true;
    node->n_args = 0;
    return err_none();
}

static Err take_aggs(struct planner *p, struct query_node *node, Str text, const char *what) {
    if (node->op == QUERY_OP_AGG) return take_agg(p, node, text, what);
    for (size_t i = 0; i < node->n_args; i++) TRY(take_aggs(p, node->args[i], text, what));
    return err_none();
}

/* Marks become the columns' final places. */
static void settle_column(void *ctx, struct query_node *node) {
    const struct query_plan_stage *s = ctx;
    unsigned c = node->column;
    if (c >= MADE_AGG)
        node->column = (unsigned)s->n_keys + s->windowed + (c - MADE_AGG);
    else if (c >= MADE_TIME)
        node->column = (unsigned)s->n_keys;
    else if (c >= MADE_SELECT)
        node->column = (unsigned)s->n_made + (c - MADE_SELECT);
}

static void mark_used(void *ctx, struct query_node *node) {
    struct query_plan_stage *s = ctx;
    if (node->column < s->n_in) s->used[node->column] = true;
}

/* ---- a stage's parts */

static Err parse(struct planner *p, Str text, const char *what, struct query_node **out) {
    return query_expr_parse(text, what, p->arena, &p->stage->slots, out);
}

static Err plan_where(struct planner *p) {
    if (str_trim(p->from->where).len == 0) return err_none();
    const char *what = name_place(p, "where");
    struct query_names names = {find_in, suggest_in, p};
    TRY(parse(p, p->from->where, what, &p->stage->where));
    if (query_expr_has_agg(p->stage->where))
        return err_make(ERR_INVALID, "%s: an aggregate stands in where: put the condition into having", what);
    return query_expr_bind(p->stage->where, p->from->where, what, &names);
}

struct constness {
    const struct query_plan_source *source;
    bool constant;
};
static void see_column(void *ctx, struct query_node *node) {
    struct constness *c = ctx;
    if (node->column != 0 && !(c->source->is_tag && c->source->is_tag(c->source->ctx, node->column)))
        c->constant = false;
}

/* Conditions on the thing alone are settled once a thing. */
static void part_where(struct planner *p, struct query_node *node, struct query_node **rows,
                       struct query_node **things) {
    if (node->op == QUERY_OP_AND) {
        part_where(p, node->args[0], rows, things);
        part_where(p, node->args[1], rows, things);
        return;
    }
    struct constness c = {p->source, true};
    query_expr_columns(node, see_column, &c);
    struct query_node **into = c.constant ? things : rows;
    if (!*into) {
        *into = node;
        return;
    }
    struct query_node *both = arena_zero(p->arena, 1, sizeof *both);
    *both = (struct query_node){.op = QUERY_OP_AND, .slot = p->stage->slots++, .n_args = 2};
    both->args = arena_zero(p->arena, 2, sizeof *both->args);
    both->args[0] = *into;
    both->args[1] = node;
    *into = both;
}

static bool plain_name(Str name) {
    for (size_t at = 0; at < name.len; at++) {
        char c = name.ptr[at];
        bool ok = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '@' || c == '.' ||
                  (unsigned char)c >= 0x80 || (at > 0 && c >= '0' && c <= '9');
        if (!ok) return false;
    }
    return name.len > 0;
}

/* A name of `by` is a column's as it is; anything that is none is an expression. */
static Err plan_by(struct planner *p) {
    struct query_plan_stage *s = p->stage;
    const char *what = name_place(p, "by");
    struct query_names names = {find_in, suggest_in, p};
    for (size_t i = 0; i < p->from->n_by; i++) {
        Str name = p->from->by[i];
        struct query_node *node = arena_zero(p->arena, 1, sizeof *node);
        *node = (struct query_node){.op = QUERY_OP_COLUMN, .slot = s->slots++, .text = name};
        if (s->windowed && str_eq_c(name, "time"))
            return err_make(ERR_INVALID, "%s: 'time' is the window's start already: leave it out of by", what);
        if (!plain_name(name) && !find_in(p, name, &node->column, &node->kind)) TRY(parse(p, name, what, &node));
        if (query_expr_has_agg(node)) return query_expr_parse_fault(node, name, what, "no aggregate may stand here");
        TRY(query_expr_bind(node, name, what, &names));
        for (size_t k = 0; k < i; k++)
            if (str_eq(s->keys[k].name, name)) return query_expr_parse_fault(node, name, what, "named twice");
        if (node->op == QUERY_OP_COLUMN && (int)node->column == s->thing_in) s->by_thing = true;
        add_key(p, node, name);
    }
    s->n_by = s->n_keys;
    return err_none();
}

static Err check_name(const struct planner *p, size_t i, const char *what) {
    Str name = p->from->select[i].name;
    const struct query_plan_stage *s = p->stage;
    if (name.len == 0 || name.len > 100 || !str_is_utf8(name))
        return err_make(ERR_INVALID, "%s: a column's name has 1 to 100 bytes of UTF-8", what);
    bool twice = select_named(p, name, i) >= 0 || (s->windowed && str_eq_c(name, "time"));
    for (size_t k = 0; k < s->n_by; k++) twice |= str_eq(s->keys[k].name, name);
    if (twice) return err_make(ERR_INVALID, "%s: two columns bear this name: give one another", what);
    return err_none();
}

static Err plan_select(struct planner *p) {
    struct query_plan_stage *s = p->stage;
    s->select = arena_zero(p->arena, p->from->n_select + 1, sizeof *s->select);
    for (size_t i = 0; i < p->from->n_select; i++) {
        const struct query_select *sel = &p->from->select[i];
        char part[40];
        Str shown = str_slice(sel->name, 0, 24);
        snprintf(part, sizeof part, "'" STR_FMT "'", STR_ARG(shown));
        const char *what = name_place(p, part);
        struct made_names made = {.p = p, .selects = i};
        struct query_names names = {find_made, suggest_made, &made};
        TRY(check_name(p, i, what));
        TRY(parse(p, sel->expr, what, &s->select[i]));
        if (s->grouped) TRY(take_aggs(p, s->select[i], sel->expr, what));
        TRY(query_expr_bind(s->select[i], sel->expr, what, &names));
        s->n_select++;
    }
    return err_none();
}

static Err plan_having(struct planner *p) {
    struct query_plan_stage *s = p->stage;
    if (str_trim(p->from->having).len == 0) return err_none();
    const char *what = name_place(p, "having");
    struct made_names made = {.p = p, .selects = s->n_select};
    struct query_names names = {find_made, suggest_made, &made};
    TRY(parse(p, p->from->having, what, &s->having));
    if (!s->grouped && query_expr_has_agg(s->having))
        return err_make(ERR_INVALID, "%s: there are no groups: give a window or by", what);
    TRY(take_aggs(p, s->having, p->from->having, what));
    return query_expr_bind(s->having, p->from->having, what, &names);
}

static void add_out(struct query_plan_stage *s, Str name, enum query_kind kind, size_t from) {
    s->out_from[s->n_out] = (unsigned)from;
    s->out[s->n_out++] = (struct query_column){name, kind};
}

static bool is_key_of_thing(const struct query_plan_stage *s, size_t k) {
    const struct query_node *node = s->keys[k].node;
    return s->thing_in >= 0 && node->op == QUERY_OP_COLUMN && (int)node->column == s->thing_in;
}

/* Whether a column that was made is the thing's name, whatever it is called now. */
static bool is_thing(const struct query_plan_stage *s, size_t made) {
    if (made >= s->n_made) {
        const struct query_node *node = s->select[made - s->n_made];
        if (node->op != QUERY_OP_COLUMN || node->column >= s->n_made) return false;
        made = node->column;
    }
    return s->grouped ? made < s->n_keys && is_key_of_thing(s, made) : (int)made == s->thing_in;
}

/* Once everything is known: keys, time and what select made; or, without select, the incoming columns. */
static void plan_out(struct planner *p) {
    struct query_plan_stage *s = p->stage;
    size_t most = s->n_by + 1 + s->n_select + s->n_in;
    s->out = arena_zero(p->arena, most, sizeof *s->out);
    s->out_from = arena_zero(p->arena, most, sizeof *s->out_from);
    for (size_t i = 0; i < s->n_by; i++) add_out(s, s->keys[i].name, s->keys[i].kind, i);
    if (s->windowed) add_out(s, STR("time"), QUERY_KIND_TIME, s->n_keys);
    if (!s->grouped && s->n_select == 0)
        for (size_t i = 0; i < s->n_in; i++) add_out(s, s->in[i].name, s->in[i].kind, i);
    for (size_t i = 0; i < s->n_select; i++) add_out(s, p->from->select[i].name, s->select[i]->kind, s->n_made + i);
    s->time_out = s->thing_out = -1;
    for (size_t i = 0; i < s->n_out; i++) {
        if (str_eq_c(s->out[i].name, "time") && s->out[i].kind == QUERY_KIND_TIME) s->time_out = (int)i;
        if (is_thing(s, s->out_from[i])) s->thing_out = (int)i;
    }
}

static Err find_out(const struct planner *p, Str name, const char *part, unsigned *column) {
    const struct query_plan_stage *s = p->stage;
    for (size_t i = 0; i < s->n_out; i++) {
        if (!str_eq(s->out[i].name, name)) continue;
        *column = (unsigned)i;
        return err_none();
    }
    Str shown = str_slice(name, 0, 60), some = s->n_out ? s->out[s->n_out - 1].name : (Str){0};
    some = str_slice(some, 0, 60);
    return err_make(ERR_INVALID, "stage %u, %s: no column '" STR_FMT "' comes out of this stage: '" STR_FMT "' does",
                    s->number, part, STR_ARG(shown), STR_ARG(some));
}

static Err plan_order(struct planner *p) {
    struct query_plan_stage *s = p->stage;
    s->order = arena_zero(p->arena, p->from->n_order + 1, sizeof *s->order);
    s->limit_by = arena_zero(p->arena, p->from->n_limit_by + 1, sizeof *s->limit_by);
    for (size_t i = 0; i < p->from->n_order; i++) {
        Str name = p->from->order[i];
        bool down = name.len > 0 && name.ptr[0] == '-';
        s->order[i].down = down;
        TRY(find_out(p, str_slice(name, down, name.len), "order", &s->order[i].column));
    }
    for (size_t i = 0; i < p->from->n_limit_by; i++)
        TRY(find_out(p, p->from->limit_by[i], "limit_by", &s->limit_by[i]));
    s->n_order = p->from->n_order;
    s->n_limit_by = p->from->n_limit_by;
    s->limit = p->from->limit;
    if (s->n_limit_by > 0 && s->limit == 0)
        return err_make(ERR_INVALID, "stage %u, limit_by: how many rows of each? give limit too", s->number);
    return err_none();
}

static Err any_agg(const struct planner *p, bool *out) {
    unsigned slots = 0;
    *out = false;
    for (size_t i = 0; i < p->from->n_select && !*out; i++) {
        struct query_node *node;
        Str shown = str_slice(p->from->select[i].name, 0, 30);
        char what[64];
        snprintf(what, sizeof what, "stage %u, '" STR_FMT "'", p->stage->number, STR_ARG(shown));
        TRY(query_expr_parse(p->from->select[i].expr, what, p->arena, &slots, &node));
        *out = query_expr_has_agg(node);
    }
    return err_none();
}

/* Without a select and groups every column is wanted: all are looked up. */
static Err want_all(struct planner *p) {
    Str *names;
    size_t n;
    if (!p->source || p->stage->grouped || p->from->n_select > 0) return err_none();
    TRY(p->source->all(p->source->ctx, p->arena, &names, &n));
    for (size_t i = 0; i < n; i++) {
        unsigned column;
        enum query_kind kind;
        (void)p->source->find(p->source->ctx, names[i], &column, &kind);
    }
    return err_none();
}

static void settle(struct planner *p) {
    struct query_plan_stage *s = p->stage;
    s->n_made = s->grouped ? s->n_keys + s->windowed + s->n_aggs : s->n_in;
    for (size_t i = 0; i < s->n_select; i++) query_expr_columns(s->select[i], settle_column, s);
    if (s->having) query_expr_columns(s->having, settle_column, s);
    s->used = arena_zero(p->arena, s->n_in + 1, sizeof *s->used);
    if (s->where) query_expr_columns(s->where, mark_used, s);
    for (size_t i = 0; i < s->n_keys; i++) query_expr_columns(s->keys[i].node, mark_used, s);
    for (size_t i = 0; i < s->n_aggs; i++)
        if (s->aggs[i].arg) query_expr_columns(s->aggs[i].arg, mark_used, s);
    if (s->grouped) return;
    for (size_t i = 0; i < s->n_select; i++) query_expr_columns(s->select[i], mark_used, s);
    for (size_t i = 0; i < s->n_in && s->n_select == 0; i++) s->used[i] = true;
    if (s->having) query_expr_columns(s->having, mark_used, s);
}

static Err check_shape(const struct planner *p) {
    const struct query_plan_stage *s = p->stage;
    if (p->from->n_select > QUERY_COLUMNS_MAX || p->from->n_by > QUERY_COLUMNS_MAX)
        return err_make(ERR_INVALID, "stage %u: more than %u columns: part the question", s->number, QUERY_COLUMNS_MAX);
    if (s->windowed && s->time_in < 0)
        return err_make(
            ERR_INVALID,
            "stage %u, window: the rows before it have no column 'time': make windows there too, or leave this out",
            s->number);
    if (s->fill != QUERY_FILL_NONE && !s->windowed)
        return err_make(ERR_INVALID, "stage %u, fill: there are no windows to fill: give one", s->number);
    return err_none();
}

static Err plan_stage(struct planner *p) {
    struct query_plan_stage *s = p->stage;
    bool aggs;
    s->window = p->from->window;
    s->windowed = s->window.n != 0;
    s->fill = p->from->fill;
    s->fill_value = p->from->fill_value;
    ASSERT(p->source || p->before);
    s->time_in = p->source ? 1 : p->before->time_out;
    s->thing_in = p->source ? 0 : p->before->thing_out;
    TRY(check_shape(p));
    TRY(any_agg(p, &aggs));
    s->grouped = aggs || s->windowed || p->from->n_by > 0;
    p->max_keys = p->from->n_by + 32;
    s->keys = arena_zero(p->arena, p->max_keys, sizeof *s->keys);
    s->aggs = arena_zero(p->arena, QUERY_PLAN_AGGS_MAX, sizeof *s->aggs);
    TRY(plan_where(p));
    TRY(want_all(p));
    TRY(plan_by(p));
    TRY(plan_select(p));
    TRY(plan_having(p));
    if (p->source)
        s->in = p->source->columns(p->source->ctx, &s->n_in);
    else
        s->in = p->before->out, s->n_in = p->before->n_out;
    settle(p);
    if (p->source && s->where) {
        struct query_node *where = s->where;
        s->where = NULL;
        part_where(p, where, &s->where, &p->things);
    }
    plan_out(p);
    return plan_order(p);
}

static const struct query_stage as_it_is;

Err query_plan_make(const struct query *query, const struct query_plan_source *source, struct arena *arena,
                    struct query_plan *out) {
    size_t n = query->n_stages ? query->n_stages : 1;
    if (n > QUERY_STAGES_MAX) return err_make(ERR_INVALID, "%zu stages: at most %u", n, QUERY_STAGES_MAX);
    *out = (struct query_plan){.n_stages = n};
    out->stages = arena_zero(arena, n, sizeof *out->stages);
    for (size_t i = 0; i < n; i++) {
        struct planner p = {.query = query,
                            .from = query->n_stages ? &query->stages[i] : &as_it_is,
                            .source = i == 0 ? source : NULL,
                            .before = i > 0 ? &out->stages[i - 1] : NULL,
                            .stage = &out->stages[i],
                            .arena = arena};
        p.stage->number = (unsigned)i + 1;
        TRY(plan_stage(&p));
        if (i == 0) out->things = p.things;
    }
    return err_none();
}
