/* The smaller parts of prometheus_parse.c: words, matchers, lists of labels, spans. */
#ifndef SERVE_PROMETHEUS_PARSE_SELECTOR_H
#define SERVE_PROMETHEUS_PARSE_SELECTOR_H

#include "serve/prometheus_lex.h"
#include "serve/prometheus_tree.h"

struct prometheus_parser {
    struct prometheus_lex lex;
    struct prometheus_lex_word word; /* the next one */
    unsigned depth;
};

Err prometheus_parse_selector_step(struct prometheus_parser *p);                        /* on to the next word */
bool prometheus_parse_selector_is(const struct prometheus_parser *p, const char *text); /* a sign or a name */
Err prometheus_parse_selector_expect(struct prometheus_parser *p, const char *sign);
Err prometheus_parse_selector_wrong(const struct prometheus_parser *p, size_t place, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
Err prometheus_parse_selector_labels(struct prometheus_parser *p, const Str **out, size_t *n); /* "(a, b)" */
Err prometheus_parse_selector_span(struct prometheus_parser *p, Nanos *out);                   /* "5m", "300" */
/* {…} behind a name, which may be empty. */
Err prometheus_parse_selector_matchers(struct prometheus_parser *p, Str name, struct prometheus_node *node);
/* offset … and @ … */
Err prometheus_parse_selector_moved(struct prometheus_parser *p, struct prometheus_node *node);

#endif
