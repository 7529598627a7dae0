/* The words of PromQL. */
#ifndef SERVE_PROMETHEUS_LEX_H
#define SERVE_PROMETHEUS_LEX_H

#include "base/arena.h"
#include "base/err.h"
#include "base/time.h"

enum prometheus_lex_kind {
    PROMETHEUS_LEX_END,
    PROMETHEUS_LEX_NUMBER,   /* number */
    PROMETHEUS_LEX_DURATION, /* number: seconds */
    PROMETHEUS_LEX_STRING,   /* text: without quotes and escapes */
    PROMETHEUS_LEX_NAME,     /* text */
    PROMETHEUS_LEX_SIGN,     /* text: "(", "=~", … */
};
struct prometheus_lex_word {
    enum prometheus_lex_kind kind;
    Str text;
    double number;
    size_t place;
};
struct prometheus_lex {
    Str query;
    size_t at;
    struct arena *arena;
};
/* ERR_INVALID with the place. */
Err prometheus_lex_next(struct prometheus_lex *lex, struct prometheus_lex_word *out);
/* "position 12" counts characters from 1, as people do. */
size_t prometheus_lex_position(Str query, size_t place);
/* "5m", "1h30m", "90s", "250ms", "1d", "1w", "1y"; the whole text. */
bool prometheus_lex_duration(Str text, double *seconds);

#endif
