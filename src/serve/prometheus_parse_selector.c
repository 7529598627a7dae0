#include "serve/prometheus_parse_selector.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/vec.h"
#include "serve/prometheus_regex.h"

#define SPAN_S_MAX (50 * 366 * 86400.0)
#define MATCHERS_MAX 64u

Err prometheus_parse_selector_step(struct prometheus_parser *p) { return prometheus_lex_next(&p->lex, &p->word); }

bool prometheus_parse_selector_is(const struct prometheus_parser *p, const char *text) {
    return (p->word.kind == PROMETHEUS_LEX_SIGN || p->word.kind == PROMETHEUS_LEX_NAME) && str_eq_c(p->word.text, text);
}

Err prometheus_parse_selector_wrong(const struct prometheus_parser *p, size_t place, const char *fmt, ...) {
    char text[200];
    va_list args;
    va_start(args, fmt);
    vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    return err_make(ERR_INVALID, "position %zu: %s", prometheus_lex_position(p->lex.query, place), text);
}

Err prometheus_parse_selector_expect(struct prometheus_parser *p, const char *sign) {
    if (prometheus_parse_selector_is(p, sign)) return prometheus_parse_selector_step(p);
    if (p->word.kind == PROMETHEUS_LEX_END)
        return prometheus_parse_selector_wrong(p, p->word.place, "the query ends where '%s' belongs", sign);
    return prometheus_parse_selector_wrong(p, p->word.place, "'%s' belongs here", sign);
}

Err prometheus_parse_selector_labels(struct prometheus_parser *p, const Str **out, size_t *n) {
    Str *labels;
    *n = 0;
    TRY(prometheus_parse_selector_expect(p, "("));
    Str found[MATCHERS_MAX];
    while (!prometheus_parse_selector_is(p, ")")) {
        bool word = p->word.kind == PROMETHEUS_LEX_NAME || p->word.kind == PROMETHEUS_LEX_STRING;
        if (!word) return prometheus_parse_selector_wrong(p, p->word.place, "the name of a label belongs here");
        if (*n == MATCHERS_MAX)
            return prometheus_parse_selector_wrong(p, p->word.place, "more than %u labels", MATCHERS_MAX);
        found[(*n)++] = p->word.text;
        TRY(prometheus_parse_selector_step(p));
        if (prometheus_parse_selector_is(p, ")")) break;
        TRY(prometheus_parse_selector_expect(p, ","));
    }
    labels = arena_zero(p->lex.arena, *n + 1, sizeof *labels);
    for (size_t i = 0; i < *n; i++) labels[i] = found[i];
    *out = labels;
    return prometheus_parse_selector_step(p);
}

Err prometheus_parse_selector_span(struct prometheus_parser *p, Nanos *out) {
    if (p->word.kind != PROMETHEUS_LEX_DURATION && p->word.kind != PROMETHEUS_LEX_NUMBER)
        return prometheus_parse_selector_wrong(p, p->word.place, "a span belongs here: 5m, 1h30m, 1d");
    if (!(p->word.number <= SPAN_S_MAX))
        return prometheus_parse_selector_wrong(p, p->word.place, "the span is longer than 50 years");
    *out = llround(p->word.number * (double)NANOS_PER_MS * 1000);
    return prometheus_parse_selector_step(p);
}

/* ---- matchers */

static bool matcher_op(const struct prometheus_parser *p, enum prometheus_match *out) {
    static const char *const signs[] = {"=", "!=", "=~", "!~"};
    for (int i = 0; i < 4; i++)
        if (prometheus_parse_selector_is(p, signs[i])) {
            *out = (enum prometheus_match)i;
            return true;
        }
    return false;
}

/* label="value", or "name" alone for the name of the metric */
static Err parse_matcher(struct prometheus_parser *p, struct prometheus_matcher *out) {
    struct prometheus_lex_word name = p->word;
    *out = (struct prometheus_matcher){.name = name.text};
    if (name.kind != PROMETHEUS_LEX_NAME && name.kind != PROMETHEUS_LEX_STRING)
        return prometheus_parse_selector_wrong(p, name.place, "a label belongs here, as in {thing=\"press-7\"}");
    TRY(prometheus_parse_selector_step(p));
    if (!matcher_op(p, &out->op)) {
        if (name.kind == PROMETHEUS_LEX_NAME)
            return prometheus_parse_selector_wrong(p, p->word.place, "=, !=, =~ or !~ belongs behind a label");
        *out = (struct prometheus_matcher){.name = STR("__name__"), .value = name.text};
        return err_none();
    }
    TRY(prometheus_parse_selector_step(p));
    if (p->word.kind != PROMETHEUS_LEX_STRING)
        return prometheus_parse_selector_wrong(p, p->word.place, "a value in quotes belongs here");
    out->value = p->word.text;
    if (out->op >= PROMETHEUS_LIKE) {
        Err err = prometheus_regex_make(p->lex.arena, out->value, &out->regex);
        if (err.code != ERR_NONE) return prometheus_parse_selector_wrong(p, p->word.place, "%s", err.text);
    }
    return prometheus_parse_selector_step(p);
}

static bool takes_empty(const struct prometheus_matcher *m) {
    bool same = m->regex ? prometheus_regex_match(m->regex, (Str){0}) : m->value.len == 0;
    return (m->op == PROMETHEUS_IS || m->op == PROMETHEUS_LIKE) == same;
}

static Err parse_braces(struct prometheus_parser *p, struct prometheus_matcher *found, size_t *n) {
    TRY(prometheus_parse_selector_step(p));
    while (!prometheus_parse_selector_is(p, "}")) {
        if (*n == MATCHERS_MAX)
            return prometheus_parse_selector_wrong(p, p->word.place, "more than %u conditions", MATCHERS_MAX);
        TRY(parse_matcher(p, &found[(*n)++]));
        if (prometheus_parse_selector_is(p, "}")) break;
        TRY(prometheus_parse_selector_expect(p, ","));
    }
    return prometheus_parse_selector_step(p);
}

Err prometheus_parse_selector_matchers(struct prometheus_parser *p, Str name, struct prometheus_node *node) {
    struct prometheus_matcher found[MATCHERS_MAX];
    size_t n = 0;
    bool narrow = false;
    if (name.len > 0) found[n++] = (struct prometheus_matcher){.name = STR("__name__"), .value = name};
    if (prometheus_parse_selector_is(p, "{")) TRY(parse_braces(p, found, &n));
    node->matchers = arena_zero(p->lex.arena, n + 1, sizeof *node->matchers);
    node->n_matchers = n;
    size_t names = 0;
    for (size_t i = 0; i < n; i++) {
        node->matchers[i] = found[i];
        narrow = narrow || !takes_empty(&found[i]);
        names += str_eq_c(found[i].name, "__name__") && found[i].op == PROMETHEUS_IS;
    }
    if (names > 1 && name.len > 0)
        return prometheus_parse_selector_wrong(p, node->place, "the metric is named twice: once is enough");
    if (narrow) return err_none();
    return prometheus_parse_selector_wrong(p, node->place,
                                           "this means every series there is: name a metric or a label's value");
}

/* ---- offset 5m, offset -5m, @ 1700000000, @ start(), @ end() */

static Err parse_sign(struct prometheus_parser *p, double *sign) {
    *sign = prometheus_parse_selector_is(p, "-") ? -1 : 1;
    if (*sign < 0 || prometheus_parse_selector_is(p, "+")) TRY(prometheus_parse_selector_step(p));
    return err_none();
}

static Err parse_at(struct prometheus_parser *p, struct prometheus_node *node) {
    double sign;
    bool start = prometheus_parse_selector_is(p, "start");
    if (start || prometheus_parse_selector_is(p, "end")) {
        node->at = start ? PROMETHEUS_AT_START : PROMETHEUS_AT_END;
        TRY(prometheus_parse_selector_step(p));
        TRY(prometheus_parse_selector_expect(p, "("));
        return prometheus_parse_selector_expect(p, ")");
    }
    TRY(parse_sign(p, &sign));
    if (p->word.kind != PROMETHEUS_LEX_NUMBER || !(p->word.number < 4e9))
        return prometheus_parse_selector_wrong(p, p->word.place,
                                               "seconds since 1970, start() or end() belong behind @");
    node->at = PROMETHEUS_AT_TIME;
    node->at_time = llround(sign * p->word.number * 1000) * NANOS_PER_MS;
    return prometheus_parse_selector_step(p);
}

Err prometheus_parse_selector_moved(struct prometheus_parser *p, struct prometheus_node *node) {
    bool at = prometheus_parse_selector_is(p, "@");
    double sign;
    if (node->kind != PROMETHEUS_NODE_SELECTOR && node->kind != PROMETHEUS_NODE_SUBQUERY)
        return prometheus_parse_selector_wrong(
            p, p->word.place, "'%s' stands right behind a selector or a [range:step]", at ? "@" : "offset");
    if (at ? node->at != PROMETHEUS_AT_NOT : node->offset != 0)
        return prometheus_parse_selector_wrong(p, p->word.place, "'%s' is here twice", at ? "@" : "offset");
    TRY(prometheus_parse_selector_step(p));
    if (at) return parse_at(p, node);
    TRY(parse_sign(p, &sign));
    TRY(prometheus_parse_selector_span(p, &node->offset));
    if (sign < 0) node->offset = -node->offset;
    return err_none();
}
