/*
 * A PromQL expression as a tree: what prometheus_parse.h makes and prometheus_eval.h computes. Everything lives in the
 * arena that it was parsed into; texts may point into the query.
 */
#ifndef SERVE_PROMETHEUS_TREE_H
#define SERVE_PROMETHEUS_TREE_H

#include "base/arena.h"
#include "base/err.h"
#include "base/time.h"

struct prometheus_regex;

enum prometheus_type { PROMETHEUS_SCALAR, PROMETHEUS_VECTOR, PROMETHEUS_RANGE, PROMETHEUS_STRING };

enum prometheus_op {
    PROMETHEUS_OR,
    PROMETHEUS_AND,
    PROMETHEUS_UNLESS,
    PROMETHEUS_EQ,
    PROMETHEUS_NE,
    PROMETHEUS_LE,
    PROMETHEUS_LT,
    PROMETHEUS_GE,
    PROMETHEUS_GT,
    PROMETHEUS_ADD,
    PROMETHEUS_SUB,
    PROMETHEUS_MUL,
    PROMETHEUS_DIV,
    PROMETHEUS_MOD,
    PROMETHEUS_ATAN2,
    PROMETHEUS_POW,
    PROMETHEUS_OPS
};
struct prometheus_operator {
    const char *text;
    unsigned binds; /* higher binds tighter */
    bool right;     /* a ^ b ^ c is a ^ (b ^ c) */
};
extern const struct prometheus_operator prometheus_parse_operators[PROMETHEUS_OPS]; /* prometheus_parse.c */
#define PROMETHEUS_UNARY_BINDS 5u                                                   /* as * does: -a ^ b is -(a ^ b) */

enum prometheus_match { PROMETHEUS_IS, PROMETHEUS_IS_NOT, PROMETHEUS_LIKE, PROMETHEUS_UNLIKE };
struct prometheus_matcher {
    Str name;
    enum prometheus_match op;
    Str value;
    struct prometheus_regex *regex; /* of LIKE and UNLIKE */
};

enum prometheus_node_kind {
    PROMETHEUS_NODE_NUMBER,
    PROMETHEUS_NODE_STRING,
    PROMETHEUS_NODE_SELECTOR, /* a vector, or with a range a range */
    PROMETHEUS_NODE_SUBQUERY, /* args[0], evaluated every `step` */
    PROMETHEUS_NODE_NEGATE,   /* args[0] */
    PROMETHEUS_NODE_BINARY,   /* args[0] op args[1] */
    PROMETHEUS_NODE_CALL,
    PROMETHEUS_NODE_AGGREGATE, /* args[0] over groups; args[1]: its parameter */
};
enum prometheus_at { PROMETHEUS_AT_NOT, PROMETHEUS_AT_TIME, PROMETHEUS_AT_START, PROMETHEUS_AT_END };
enum prometheus_card { PROMETHEUS_ONE_TO_ONE, PROMETHEUS_MANY_TO_ONE, PROMETHEUS_ONE_TO_MANY };

struct prometheus_function;

struct prometheus_node {
    enum prometheus_node_kind kind;
    enum prometheus_type type;
    size_t place;   /* byte of the query where it begins */
    unsigned depth; /* of the tree under it */
    double number;
    Str text;
    struct prometheus_matcher *matchers;
    size_t n_matchers;
    Nanos range, step, offset; /* step 0: the default */
    enum prometheus_at at;
    Nanos at_time;
    enum prometheus_op op;
    bool yields_bool; /* 0 and 1 instead of leaving out */
    bool on;          /* labels: on (…), by (…); else ignoring (…), without (…) */
    bool grouped;     /* labels were given at all */
    const Str *labels;
    size_t n_labels;
    enum prometheus_card card;
    const Str *include; /* group_left (…) */
    size_t n_include;
    const struct prometheus_function *function; /* of calls and aggregates */
    struct prometheus_node **args;
    size_t n_args;
};

#endif
