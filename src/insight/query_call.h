/* The functions of expressions that compute one value from others of the same row. */
#ifndef INSIGHT_QUERY_CALL_H
#define INSIGHT_QUERY_CALL_H

#include "insight/query_vec.h"

struct zone;

enum query_call_shape {
    QUERY_CALL_ONE,      /* of one number */
    QUERY_CALL_TWO,      /* of two numbers */
    QUERY_CALL_CLOCK,    /* of a time, in the query's zone */
    QUERY_CALL_IF,       /* (c, a, b) */
    QUERY_CALL_COALESCE, /* the first that is there */
    QUERY_CALL_LEAST,    /* of numbers that are there */
    QUERY_CALL_GREATEST,
    QUERY_CALL_NUMBER,
    QUERY_CALL_TEXT,
    QUERY_CALL_TIME
};
struct query_call {
    const char *name;
    unsigned least, most; /* arguments */
    enum query_call_shape shape;
    double (*one)(double);
    double (*two)(double, double);
    double (*clock)(Nanos local);
};
extern const struct query_call query_call_table[]; /* ends with name NULL */
const struct query_call *query_call_find(Str name);

#endif
