/* Names become columns, and constants what they are compared with. Computing stands in query_expr_eval.c. */
#include "insight/query_expr.h"

#include <stdio.h>

#include "insight/query_agg.h"
#include "insight/query_call.h"

bool query_expr_has_agg(const struct query_node *node) {
    if (node->op == QUERY_OP_AGG) return true;
    for (size_t i = 0; i < node->n_args; i++)
        if (query_expr_has_agg(node->args[i])) return true;
    return false;
}

void query_expr_columns(struct query_node *node, void (*fn)(void *ctx, struct query_node *column), void *ctx) {
    if (node->op == QUERY_OP_COLUMN) fn(ctx, node);
    for (size_t i = 0; i < node->n_args; i++) query_expr_columns(node->args[i], fn, ctx);
}

static Err bind_column(struct query_node *node, Str text, const char *what, const struct query_names *names) {
    char problem[200];
    if (node->bound || names->find(names->ctx, node->text, &node->column, &node->kind)) return err_none();
    Str near = names->suggest ? names->suggest(names->ctx, node->text) : (Str){0};
    Str name = str_slice(node->text, 0, 60), shown = str_slice(near, 0, 60);
    if (near.len > 0)
        snprintf(problem, sizeof problem, "no column '" STR_FMT "': did you mean '" STR_FMT "'?", STR_ARG(name),
                 STR_ARG(shown));
    else
        snprintf(problem, sizeof problem, "no column '" STR_FMT "' here", STR_ARG(name));
    return query_expr_parse_fault(node, text, what, problem);
}

/* A text that is held against a time is one. */
static Err settle_time(struct query_node *node, Str text, const char *what) {
    for (size_t i = 0; i < 2; i++) {
        struct query_node *a = node->args[i], *b = node->args[1 - i];
        if (a->kind != QUERY_KIND_TIME || (b->op != QUERY_OP_TEXT && b->op != QUERY_OP_NUMBER)) continue;
        if (b->op == QUERY_OP_TEXT && time_parse(b->text, &b->time).code != ERR_NONE)
            return query_expr_parse_fault(b, text, what, "this is no time: write '2026-01-31T08:00:00Z'");
        if (b->op == QUERY_OP_NUMBER && !(b->number > -9e12 && b->number < 9e12))
            return query_expr_parse_fault(b, text, what, "this is no time in ms since 1970");
        if (b->op == QUERY_OP_NUMBER) b->time = (Nanos)(b->number * 1e6);
        b->op = QUERY_OP_TIME;
        b->kind = QUERY_KIND_TIME;
    }
    return err_none();
}

static enum query_kind joint_kind(const struct query_node *node, size_t from) {
    enum query_kind kind = QUERY_KIND_ANY;
    bool any = false;
    for (size_t i = from; i < node->n_args; i++) {
        const struct query_node *arg = node->args[i];
        if (arg->op == QUERY_OP_NULL) continue;
        if (any && arg->kind != kind) return QUERY_KIND_ANY;
        kind = arg->kind;
        any = true;
    }
    return kind;
}

static enum query_kind call_kind(const struct query_node *node) {
    switch (node->call->shape) {
    case QUERY_CALL_IF: return joint_kind(node, 1);
    case QUERY_CALL_COALESCE: return joint_kind(node, 0);
    case QUERY_CALL_TEXT: return QUERY_KIND_STRING;
    case QUERY_CALL_TIME: return QUERY_KIND_TIME;
    default: return QUERY_KIND_NUMBER;
    }
}

static Err settle_kind(struct query_node *node, Str text, const char *what) {
    switch (node->op) {
    case QUERY_OP_EQ:
    case QUERY_OP_NE:
    case QUERY_OP_LT:
    case QUERY_OP_LE:
    case QUERY_OP_GT:
    case QUERY_OP_GE: node->kind = QUERY_KIND_ANY; return settle_time(node, text, what);
    case QUERY_OP_NOT:
    case QUERY_OP_AND:
    case QUERY_OP_OR:
    case QUERY_OP_IS_NULL:
    case QUERY_OP_NULL: node->kind = QUERY_KIND_ANY; break;
    case QUERY_OP_CALL:
        node->kind = call_kind(node);
        if (node->call->shape == QUERY_CALL_CLOCK && node->args[0]->kind != QUERY_KIND_TIME)
            return query_expr_parse_fault(node, text, what, "this function is of a time: hour(time)");
        break;
    case QUERY_OP_AGG:
        if (node->agg->flags & QUERY_AGG_WHEN) node->kind = QUERY_KIND_TIME;
        if (node->agg->flags & QUERY_AGG_KEEPS) node->kind = node->args[0]->kind;
        break;
    default: break;
    }
    return err_none();
}

Err query_expr_bind(struct query_node *node, Str text, const char *what, const struct query_names *names) {
    if (node->op == QUERY_OP_COLUMN) return bind_column(node, text, what, names);
    for (size_t i = 0; i < node->n_args; i++) TRY(query_expr_bind(node->args[i], text, what, names));
    return settle_kind(node, text, what);
}
