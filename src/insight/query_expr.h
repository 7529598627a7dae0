/*
 * Expressions: read once, checked against the columns there are, then computed over many rows at a time. Absent values
 * are null and travel as in SQL. docs/series-query.md lists the language.
 */
#ifndef INSIGHT_QUERY_EXPR_H
#define INSIGHT_QUERY_EXPR_H

#include "base/arena.h"
#include "insight/query_vec.h"

struct zone;
struct query_agg;
struct query_call;

#define QUERY_EXPR_NODES_MAX 400u
#define QUERY_EXPR_DEPTH_MAX 60u

enum query_op {
    QUERY_OP_NUMBER,
    QUERY_OP_TEXT,
    QUERY_OP_TIME,
    QUERY_OP_NULL,
    QUERY_OP_COLUMN,
    QUERY_OP_NEGATE,
    QUERY_OP_NOT,
    QUERY_OP_ADD,
    QUERY_OP_SUB,
    QUERY_OP_MUL,
    QUERY_OP_DIV,
    QUERY_OP_MOD,
    QUERY_OP_EQ,
    QUERY_OP_NE,
    QUERY_OP_LT,
    QUERY_OP_LE,
    QUERY_OP_GT,
    QUERY_OP_GE,
    QUERY_OP_AND,
    QUERY_OP_OR,
    QUERY_OP_IS_NULL,
    QUERY_OP_CALL,
    QUERY_OP_AGG
};

struct query_node {
    enum query_op op;
    unsigned slot;   /* where its result is put; each node of a stage has its own */
    unsigned column; /* of QUERY_OP_COLUMN, once resolved */
    enum query_kind kind;
    size_t at; /* where it stands in the text, from 0 */
    double number;
    uint8_t number_kind; /* VALUE_INT, VALUE_FLOAT, VALUE_BOOL */
    Nanos time;
    bool bound; /* an aggregate that was taken out: `column` says where it is */
    Str text;   /* a text, or the name of a column or function */
    const struct query_call *call;
    const struct query_agg *agg;
    struct query_node **args;
    size_t n_args;
};

/* Nodes live in the arena and point into the text. *slots is counted on. `what` names the place in failures. */
Err query_expr_parse(Str text, const char *what, struct arena *arena, unsigned *slots, struct query_node **out);

/* The columns there are: false: none of that name; `suggest` then says the nearest, or is empty. */
struct query_names {
    bool (*find)(void *ctx, Str name, unsigned *column, enum query_kind *kind);
    Str (*suggest)(void *ctx, Str name);
    void *ctx;
};
/* Binds names to columns and settles kinds. Aggregates are bound in their arguments too. */
Err query_expr_bind(struct query_node *node, Str text, const char *what, const struct query_names *names);
bool query_expr_has_agg(const struct query_node *node);
/* Calls fn for every column named, once for each place. */
void query_expr_columns(struct query_node *node, void (*fn)(void *ctx, struct query_node *column), void *ctx);
/* A fault at a node, with its place. */
Err query_expr_parse_fault(const struct query_node *node, Str text, const char *what, const char *problem);

/* ---- computing: one for each thread */
struct query_slot {
    double *numbers[3];
    uint64_t has[3][QUERY_WORDS];
    Nanos *times;
    Value *values;
};
struct query_eval {
    struct arena *arena; /* of the slots' buffers, made when first needed, and of texts */
    struct query_slot *slots;
    const struct zone *zone;
    const struct query_frame *frame;
};
/* The result is borrowed until the node is computed again. */
struct query_vec query_expr_eval(struct query_eval *e, const struct query_node *node);
/* Numbers of anything: texts that are numbers count as such, times are seconds since 1970. Puts them into buffer
 * `which` of the slot when they are not there already. */
struct query_vec query_expr_eval_numbers(struct query_eval *e, unsigned slot, unsigned which, struct query_vec v,
                                         size_t n);
/* One for each row, of a constant. */
struct query_vec query_expr_eval_spread(struct query_eval *e, unsigned slot, unsigned which, struct query_vec v,
                                        size_t n);
/* The rows for which it is true, a bit each; how many. */
size_t query_expr_eval_mask(struct query_eval *e, const struct query_node *node, uint64_t mask[QUERY_WORDS]);
/* A value as a number; false: it is none. */
bool query_expr_eval_number(Value v, double *out);

#endif
