/* Words of an expression. */
#ifndef INSIGHT_QUERY_EXPR_PARSE_H
#define INSIGHT_QUERY_EXPR_PARSE_H

#include "base/str.h"

enum query_expr_parse_kind {
    QUERY_EXPR_PARSE_END,
    QUERY_EXPR_PARSE_NUMBER,
    QUERY_EXPR_PARSE_TEXT,   /* in single quotes */
    QUERY_EXPR_PARSE_QUOTED, /* a name in double quotes */
    QUERY_EXPR_PARSE_NAME,
    QUERY_EXPR_PARSE_SIGN, /* + - * / % ( ) , = <> < <= > >= */
    QUERY_EXPR_PARSE_BAD
};
struct query_expr_parse_word {
    enum query_expr_parse_kind kind;
    Str text;  /* without the quotes; doubled ones inside still doubled */
    size_t at; /* bytes from 0 */
};
/* The word at *at, which then stands behind it. */
struct query_expr_parse_word query_expr_parse_next(Str text, size_t *at);

#endif
