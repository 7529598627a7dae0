#include "serve/prometheus_parse.h"

#include <math.h>
#include <string.h>

#include "base/vec.h"
#include "serve/prometheus_functions.h"
#include "serve/prometheus_lex.h"
#include "serve/prometheus_parse_selector.h"

const struct prometheus_operator prometheus_parse_operators[PROMETHEUS_OPS] = {
    [PROMETHEUS_OR] = {"or", 1, false},         [PROMETHEUS_AND] = {"and", 2, false},
    [PROMETHEUS_UNLESS] = {"unless", 2, false}, [PROMETHEUS_EQ] = {"==", 3, false},
    [PROMETHEUS_NE] = {"!=", 3, false},         [PROMETHEUS_LE] = {"<=", 3, false},
    [PROMETHEUS_LT] = {"<", 3, false},          [PROMETHEUS_GE] = {">=", 3, false},
    [PROMETHEUS_GT] = {">", 3, false},          [PROMETHEUS_ADD] = {"+", 4, false},
    [PROMETHEUS_SUB] = {"-", 4, false},         [PROMETHEUS_MUL] = {"*", 5, false},
    [PROMETHEUS_DIV] = {"/", 5, false},         [PROMETHEUS_MOD] = {"%", 5, false},
    [PROMETHEUS_ATAN2] = {"atan2", 5, false},   [PROMETHEUS_POW] = {"^", 6, true},
};

static const char *const type_names[] = {"a number", "a vector", "a range such as x[5m]", "a quoted text"};

static Err parse_expr(struct prometheus_parser *p, unsigned least, struct prometheus_node **out);

static bool is_set(enum prometheus_op op) { return op <= PROMETHEUS_UNLESS; }
static bool is_comparison(enum prometheus_op op) { return op >= PROMETHEUS_EQ && op <= PROMETHEUS_GT; }

/* ---- nodes */

static struct prometheus_node *node_new(struct prometheus_parser *p, enum prometheus_node_kind kind, size_t place) {
    struct prometheus_node *node = arena_zero(p->lex.arena, 1, sizeof *node);
    node->kind = kind;
    node->place = place;
    node->depth = 1;
    node->type = PROMETHEUS_VECTOR;
    return node;
}

static Err add_args(struct prometheus_parser *p, struct prometheus_node *node, struct prometheus_node **args,
                    size_t n) {
    node->args = arena_zero(p->lex.arena, n + 1, sizeof *node->args);
    node->n_args = n;
    for (size_t i = 0; i < n; i++) {
        node->args[i] = args[i];
        if (args[i]->depth >= node->depth) node->depth = args[i]->depth + 1;
    }
    if (node->depth <= PROMETHEUS_PARSE_DEPTH_MAX) return err_none();
    return prometheus_parse_selector_wrong(p, node->place, "more than %u operations inside each other: part the query",
                                           PROMETHEUS_PARSE_DEPTH_MAX);
}

/* ---- calls and aggregates */

static Err parse_args(struct prometheus_parser *p, struct prometheus_node **args, size_t *n) {
    *n = 0;
    TRY(prometheus_parse_selector_expect(p, "("));
    if (prometheus_parse_selector_is(p, ")")) return prometheus_parse_selector_step(p);
    for (;;) {
        if (*n == PROMETHEUS_ARGS_MAX)
            return prometheus_parse_selector_wrong(p, p->word.place, "more than %u arguments", PROMETHEUS_ARGS_MAX);
        TRY(parse_expr(p, 1, &args[(*n)++]));
        if (prometheus_parse_selector_is(p, ")")) return prometheus_parse_selector_step(p);
        TRY(prometheus_parse_selector_expect(p, ","));
    }
}

static enum prometheus_type takes(const struct prometheus_function *f, size_t i) {
    size_t last = sizeof f->takes / sizeof *f->takes - 1;
    return f->takes[i < last ? i : last];
}

static Err check_args(struct prometheus_parser *p, const struct prometheus_node *node) {
    const struct prometheus_function *f = node->function;
    if (node->n_args < f->least || node->n_args > f->most)
        return prometheus_parse_selector_wrong(p, node->place, "%s() takes %u to %u arguments, here are %zu", f->name,
                                               f->least, f->most, node->n_args);
    for (size_t i = 0; i < node->n_args; i++)
        if (node->args[i]->type != takes(f, i))
            return prometheus_parse_selector_wrong(p, node->args[i]->place, "argument %zu of %s() is %s: give %s",
                                                   i + 1, f->name, type_names[node->args[i]->type],
                                                   type_names[takes(f, i)]);
    return err_none();
}

/* by (a, b) or without (a, b), before or behind the arguments. */
static Err parse_grouping(struct prometheus_parser *p, struct prometheus_node *node) {
    bool by = prometheus_parse_selector_is(p, "by");
    if (node->grouped || (!by && !prometheus_parse_selector_is(p, "without"))) return err_none();
    node->grouped = true;
    node->on = by;
    TRY(prometheus_parse_selector_step(p));
    return prometheus_parse_selector_labels(p, &node->labels, &node->n_labels);
}

static Err parse_aggregate(struct prometheus_parser *p, struct prometheus_node *node) {
    struct prometheus_node *args[PROMETHEUS_ARGS_MAX];
    size_t n;
    TRY(parse_grouping(p, node));
    TRY(parse_args(p, args, &n));
    TRY(parse_grouping(p, node));
    node->on = node->on || !node->grouped; /* without words: by () */
    TRY(add_args(p, node, args, n));
    TRY(check_args(p, node));
    if (n == 2) { /* the vector first, wherever it stands in the text */
        node->args[0] = args[1];
        node->args[1] = args[0];
    }
    return err_none();
}

static Err parse_call(struct prometheus_parser *p, struct prometheus_node *node) {
    struct prometheus_node *args[PROMETHEUS_ARGS_MAX];
    size_t n;
    node->type = node->function->gives;
    TRY(parse_args(p, args, &n));
    TRY(add_args(p, node, args, n));
    return check_args(p, node);
}

/* ---- what begins with a name */

static Err parse_number(struct prometheus_parser *p, double number, struct prometheus_node **out) {
    *out = node_new(p, PROMETHEUS_NODE_NUMBER, p->word.place);
    (*out)->type = PROMETHEUS_SCALAR;
    (*out)->number = number;
    return prometheus_parse_selector_step(p);
}

static bool begins_call(const struct prometheus_function *f, const struct prometheus_lex_word *next) {
    if (next->kind == PROMETHEUS_LEX_SIGN && str_eq_c(next->text, "(")) return true;
    bool word = next->kind == PROMETHEUS_LEX_NAME && (str_eq_c(next->text, "by") || str_eq_c(next->text, "without"));
    return f && f->group && word;
}

static Err parse_named(struct prometheus_parser *p, struct prometheus_node **out) {
    struct prometheus_lex_word name = p->word;
    if (str_eq_nocase(name.text, STR("inf"))) return parse_number(p, (double)INFINITY, out);
    if (str_eq_nocase(name.text, STR("nan"))) return parse_number(p, (double)NAN, out);
    TRY(prometheus_parse_selector_step(p));
    const struct prometheus_function *f = prometheus_functions_find(name.text);
    if (begins_call(f, &p->word)) {
        if (!f)
            return prometheus_parse_selector_wrong(p, name.place,
                                                   "there is no function '%.40s' here: docs/grafana.md lists them",
                                                   arena_c(p->lex.arena, name.text));
        *out = node_new(p, f->group ? PROMETHEUS_NODE_AGGREGATE : PROMETHEUS_NODE_CALL, name.place);
        (*out)->function = f;
        return f->group ? parse_aggregate(p, *out) : parse_call(p, *out);
    }
    *out = node_new(p, PROMETHEUS_NODE_SELECTOR, name.place);
    return prometheus_parse_selector_matchers(p, name.text, *out);
}

static Err parse_primary(struct prometheus_parser *p, struct prometheus_node **out) {
    switch (p->word.kind) {
    case PROMETHEUS_LEX_NUMBER:
    case PROMETHEUS_LEX_DURATION: return parse_number(p, p->word.number, out);
    case PROMETHEUS_LEX_STRING:
        *out = node_new(p, PROMETHEUS_NODE_STRING, p->word.place);
        (*out)->type = PROMETHEUS_STRING;
        (*out)->text = p->word.text;
        return prometheus_parse_selector_step(p);
    case PROMETHEUS_LEX_NAME: return parse_named(p, out);
    case PROMETHEUS_LEX_SIGN:
        if (prometheus_parse_selector_is(p, "{")) {
            *out = node_new(p, PROMETHEUS_NODE_SELECTOR, p->word.place);
            return prometheus_parse_selector_matchers(p, (Str){0}, *out);
        }
        if (!prometheus_parse_selector_is(p, "(")) break;
        TRY(prometheus_parse_selector_step(p));
        TRY(parse_expr(p, 1, out));
        return prometheus_parse_selector_expect(p, ")");
    case PROMETHEUS_LEX_END: break;
    }
    return prometheus_parse_selector_wrong(p, p->word.place, "a metric, a number, a function or '(' belongs here");
}

/* ---- [5m], [1h:5m], offset and @ */

static Err parse_brackets(struct prometheus_parser *p, struct prometheus_node **out) {
    size_t place = p->word.place;
    Nanos range, step = 0;
    TRY(prometheus_parse_selector_step(p));
    TRY(prometheus_parse_selector_span(p, &range));
    if (range <= 0) return prometheus_parse_selector_wrong(p, place, "a range is longer than nothing");
    if (prometheus_parse_selector_is(p, "]")) {
        if ((*out)->kind != PROMETHEUS_NODE_SELECTOR || (*out)->type != PROMETHEUS_VECTOR || (*out)->offset ||
            (*out)->at)
            return prometheus_parse_selector_wrong(p, place,
                                                   "a range stands right behind a metric; of an expression "
                                                   "it is written [1h:5m]");
        (*out)->range = range;
        (*out)->type = PROMETHEUS_RANGE;
        return prometheus_parse_selector_step(p);
    }
    TRY(prometheus_parse_selector_expect(p, prometheus_parse_selector_is(p, ":") ? ":" : "]"));
    if (!prometheus_parse_selector_is(p, "]")) {
        TRY(prometheus_parse_selector_span(p, &step));
        if (step <= 0) return prometheus_parse_selector_wrong(p, place, "a step is longer than nothing");
    }
    if ((*out)->type != PROMETHEUS_VECTOR)
        return prometheus_parse_selector_wrong(p, place, "[range:step] stands behind a vector, this is %s",
                                               type_names[(*out)->type]);
    struct prometheus_node *node = node_new(p, PROMETHEUS_NODE_SUBQUERY, (*out)->place), *inner = *out;
    node->type = PROMETHEUS_RANGE;
    node->range = range;
    node->step = step;
    *out = node;
    TRY(add_args(p, node, &inner, 1));
    return prometheus_parse_selector_expect(p, "]");
}

static Err parse_postfix(struct prometheus_parser *p, struct prometheus_node **out) {
    TRY(parse_primary(p, out));
    for (;;) {
        if (prometheus_parse_selector_is(p, "["))
            TRY(parse_brackets(p, out));
        else if (prometheus_parse_selector_is(p, "offset") || prometheus_parse_selector_is(p, "@"))
            TRY(prometheus_parse_selector_moved(p, *out));
        else
            return err_none();
    }
}

/* ---- operators */

static bool operator_of(const struct prometheus_parser *p, enum prometheus_op *out) {
    for (int op = 0; op < PROMETHEUS_OPS; op++) {
        if (!prometheus_parse_selector_is(p, prometheus_parse_operators[op].text)) continue;
        *out = (enum prometheus_op)op;
        return true;
    }
    return false;
}

/* bool, on (…) or ignoring (…), group_left (…) or group_right (…) */
static Err parse_matching(struct prometheus_parser *p, struct prometheus_node *node) {
    size_t place = p->word.place;
    if (prometheus_parse_selector_is(p, "bool")) {
        if (!is_comparison(node->op))
            return prometheus_parse_selector_wrong(p, place, "'bool' belongs to a comparison: == != < <= > >=");
        node->yields_bool = true;
        TRY(prometheus_parse_selector_step(p));
    }
    node->on = prometheus_parse_selector_is(p, "on");
    if (!node->on && !prometheus_parse_selector_is(p, "ignoring")) return err_none();
    node->grouped = true;
    TRY(prometheus_parse_selector_step(p));
    TRY(prometheus_parse_selector_labels(p, &node->labels, &node->n_labels));
    bool left = prometheus_parse_selector_is(p, "group_left");
    if (!left && !prometheus_parse_selector_is(p, "group_right")) return err_none();
    if (is_set(node->op))
        return prometheus_parse_selector_wrong(p, p->word.place, "'%s' takes no group_left and no group_right",
                                               prometheus_parse_operators[node->op].text);
    node->card = left ? PROMETHEUS_MANY_TO_ONE : PROMETHEUS_ONE_TO_MANY;
    TRY(prometheus_parse_selector_step(p));
    return prometheus_parse_selector_is(p, "(") ? prometheus_parse_selector_labels(p, &node->include, &node->n_include)
                                                : err_none();
}

static Err check_binary(struct prometheus_parser *p, struct prometheus_node *node) {
    enum prometheus_type a = node->args[0]->type, b = node->args[1]->type;
    const char *text = prometheus_parse_operators[node->op].text;
    for (size_t i = 0; i < 2; i++)
        if (node->args[i]->type > PROMETHEUS_VECTOR)
            return prometheus_parse_selector_wrong(p, node->args[i]->place,
                                                   "'%s' is between numbers and vectors, this is %s", text,
                                                   type_names[node->args[i]->type]);
    bool scalars = a == PROMETHEUS_SCALAR && b == PROMETHEUS_SCALAR;
    bool vectors = a == PROMETHEUS_VECTOR && b == PROMETHEUS_VECTOR;
    if (is_comparison(node->op) && scalars && !node->yields_bool)
        return prometheus_parse_selector_wrong(p, node->place, "numbers are compared with 'bool': 1 %s bool 2", text);
    if (is_set(node->op) && !vectors)
        return prometheus_parse_selector_wrong(p, node->place, "'%s' is between vectors", text);
    if (node->grouped && !vectors)
        return prometheus_parse_selector_wrong(p, node->place, "'on' and 'ignoring' are between vectors");
    node->type = scalars ? PROMETHEUS_SCALAR : PROMETHEUS_VECTOR;
    return err_none();
}

static Err parse_unary(struct prometheus_parser *p, struct prometheus_node **out) {
    bool minus = prometheus_parse_selector_is(p, "-");
    size_t place = p->word.place;
    if (!minus && !prometheus_parse_selector_is(p, "+")) return parse_postfix(p, out);
    struct prometheus_node *inner = NULL;
    TRY(prometheus_parse_selector_step(p));
    TRY(parse_expr(p, PROMETHEUS_UNARY_BINDS + 1, &inner));
    ASSERT(inner);
    if (inner->type > PROMETHEUS_VECTOR)
        return prometheus_parse_selector_wrong(p, place, "a sign stands before numbers and vectors, this is %s",
                                               type_names[inner->type]);
    *out = inner;
    if (!minus) return err_none();
    if (inner->kind == PROMETHEUS_NODE_NUMBER) {
        inner->number = -inner->number;
        inner->place = place;
        return err_none();
    }
    *out = node_new(p, PROMETHEUS_NODE_NEGATE, place);
    (*out)->type = inner->type;
    return add_args(p, *out, &inner, 1);
}

static Err parse_operators(struct prometheus_parser *p, unsigned least, struct prometheus_node **out) {
    TRY(parse_unary(p, out));
    enum prometheus_op op;
    while (operator_of(p, &op) && prometheus_parse_operators[op].binds >= least) {
        struct prometheus_node *args[2] = {*out}, *node = node_new(p, PROMETHEUS_NODE_BINARY, (*out)->place);
        node->op = op;
        TRY(prometheus_parse_selector_step(p));
        TRY(parse_matching(p, node));
        TRY(parse_expr(p, prometheus_parse_operators[op].binds + (prometheus_parse_operators[op].right ? 0 : 1),
                       &args[1]));
        TRY(add_args(p, node, args, 2));
        TRY(check_binary(p, node));
        *out = node;
    }
    return err_none();
}

static Err parse_expr(struct prometheus_parser *p, unsigned least, struct prometheus_node **out) {
    if (++p->depth > PROMETHEUS_PARSE_DEPTH_MAX)
        return prometheus_parse_selector_wrong(p, p->word.place, "more than %u brackets inside each other",
                                               PROMETHEUS_PARSE_DEPTH_MAX);
    TRY(parse_operators(p, least, out));
    p->depth--;
    return err_none();
}

/* ---- */

static Err begin(Str query, struct arena *arena, struct prometheus_parser *p) {
    if (query.len > PROMETHEUS_PARSE_BYTES_MAX)
        return err_make(ERR_INVALID, "the query has %zu bytes: at most %zu", query.len, PROMETHEUS_PARSE_BYTES_MAX);
    *p = (struct prometheus_parser){.lex = {.query = query, .arena = arena}};
    return prometheus_parse_selector_step(p);
}

static Err end(struct prometheus_parser *p) {
    if (p->word.kind == PROMETHEUS_LEX_END) return err_none();
    return prometheus_parse_selector_wrong(p, p->word.place, "an operator or the end belongs here");
}

Err prometheus_parse(Str query, struct arena *arena, struct prometheus_node **out) {
    struct prometheus_parser p;
    TRY(begin(query, arena, &p));
    TRY(parse_expr(&p, 1, out));
    return end(&p);
}

Err prometheus_parse_selector(Str text, struct arena *arena, struct prometheus_node **out) {
    struct prometheus_parser p;
    TRY(begin(text, arena, &p));
    TRY(parse_postfix(&p, out));
    TRY(end(&p));
    if ((*out)->kind == PROMETHEUS_NODE_SELECTOR && (*out)->type == PROMETHEUS_VECTOR) return err_none();
    return err_make(ERR_INVALID, "position 1: a selector belongs here, as name{label=\"value\"}");
}
