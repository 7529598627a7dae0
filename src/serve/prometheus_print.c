#include "serve/prometheus_print.h"

#include <math.h>
#include <stdio.h>

#include "base/num.h"
#include "serve/prometheus_functions.h"

static void print_text(Str text, struct buf *out) {
    buf_byte(out, '"');
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.ptr[i];
        if (c == '"' || c == '\\')
            buf_printf(out, "\\%c", c);
        else if (c < 0x20 || c == 0x7f)
            buf_printf(out, "\\x%02x", c);
        else
            buf_byte(out, c);
    }
    buf_byte(out, '"');
}

static bool is_word(Str text, bool colon) {
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || (colon && c == ':' && i > 0);
        if (!letter && !(i > 0 && c >= '0' && c <= '9')) return false;
    }
    return text.len > 0;
}

static void print_label(Str name, struct buf *out) {
    if (is_word(name, false))
        buf_str(out, name);
    else
        print_text(name, out);
}

static void print_labels(const char *word, const Str *labels, size_t n, struct buf *out) {
    buf_printf(out, "%s (", word);
    for (size_t i = 0; i < n; i++) {
        if (i) buf_c(out, ", ");
        print_label(labels[i], out);
    }
    buf_c(out, ")");
}

static void print_number(double v, struct buf *out) {
    char text[NUM_TEXT_MAX];
    if (isnan(v))
        buf_c(out, "NaN");
    else if (isinf(v))
        buf_c(out, v > 0 ? "Inf" : "-Inf");
    else
        buf_str(out, num_format(v, text));
}

/* The largest unit that leaves whole numbers. */
static void print_span(Nanos span, struct buf *out) {
    static const struct {
        const char *name;
        Nanos is;
    } units[] = {
        {"d", NANOS_PER_DAY}, {"h", NANOS_PER_HOUR}, {"m", NANOS_PER_MIN}, {"s", NANOS_PER_S}, {"ms", NANOS_PER_MS}};
    bool any = false;
    if (span % NANOS_PER_MS) { /* finer than PromQL's units */
        char text[64];
        snprintf(text, sizeof text, "%.9f", (double)span / (double)NANOS_PER_S);
        buf_c(out, text);
        return;
    }
    for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
        if (span < units[i].is) continue;
        buf_printf(out, "%lld%s", (long long)(span / units[i].is), units[i].name);
        span %= units[i].is;
        any = true;
    }
    if (!any) buf_c(out, "0s");
}

static void print_moved(const struct prometheus_node *node, struct buf *out) {
    if (node->at == PROMETHEUS_AT_START) buf_c(out, " @ start()");
    if (node->at == PROMETHEUS_AT_END) buf_c(out, " @ end()");
    if (node->at == PROMETHEUS_AT_TIME) buf_printf(out, " @ %.3f", (double)(node->at_time / NANOS_PER_MS) / 1000);
    if (node->offset == 0) return;
    buf_c(out, node->offset < 0 ? " offset -" : " offset ");
    print_span(node->offset < 0 ? -node->offset : node->offset, out);
}

/* Words that would be read as something else where a metric may stand. */
static bool reserved(Str name) {
    static const char *const words[] = {"bool",    "on",  "ignoring", "group_left", "group_right", "offset", "by",
                                        "without", "and", "or",       "unless",     "atan2",       "start",  "end"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (str_eq_c(name, words[i])) return true;
    return str_eq_nocase(name, STR("inf")) || str_eq_nocase(name, STR("nan"));
}

static void print_selector(const struct prometheus_node *node, struct buf *out) {
    static const char *const signs[] = {"=", "!=", "=~", "!~"};
    const struct prometheus_matcher *first = node->matchers;
    bool named = node->n_matchers > 0 && first->op == PROMETHEUS_IS && str_eq_c(first->name, "__name__") &&
                 is_word(first->value, true) && !reserved(first->value);
    for (size_t i = 1; named && i < node->n_matchers; i++) /* two names are written out */
        if (str_eq_c(node->matchers[i].name, "__name__") && node->matchers[i].op == PROMETHEUS_IS) named = false;
    if (named) buf_str(out, first->value);
    if (!named || node->n_matchers > 1) buf_byte(out, '{');
    for (size_t i = named; i < node->n_matchers; i++) {
        if (i > named) buf_c(out, ", ");
        print_label(node->matchers[i].name, out);
        buf_c(out, signs[node->matchers[i].op]);
        print_text(node->matchers[i].value, out);
    }
    if (!named || node->n_matchers > 1) buf_byte(out, '}');
    if (node->range) {
        buf_byte(out, '[');
        print_span(node->range, out);
        buf_byte(out, ']');
    }
    print_moved(node, out);
}

static unsigned binds(const struct prometheus_node *node) {
    if (node->kind == PROMETHEUS_NODE_BINARY) return prometheus_parse_operators[node->op].binds;
    if (node->kind == PROMETHEUS_NODE_NEGATE) return PROMETHEUS_UNARY_BINDS;
    bool minus = node->kind == PROMETHEUS_NODE_NUMBER && signbit(node->number) && !isnan(node->number);
    return minus ? PROMETHEUS_UNARY_BINDS : 100;
}

static void print_inner(const struct prometheus_node *node, unsigned least, struct buf *out) {
    bool brackets = binds(node) < least;
    if (brackets) buf_byte(out, '(');
    prometheus_print(node, out);
    if (brackets) buf_byte(out, ')');
}

static void print_binary(const struct prometheus_node *node, struct buf *out) {
    const struct prometheus_operator *op = &prometheus_parse_operators[node->op];
    print_inner(node->args[0], op->binds + (op->right ? 1 : 0), out);
    buf_printf(out, " %s ", op->text);
    if (node->yields_bool) buf_c(out, "bool ");
    if (node->grouped) {
        print_labels(node->on ? "on" : "ignoring", node->labels, node->n_labels, out);
        buf_byte(out, ' ');
    }
    if (node->card != PROMETHEUS_ONE_TO_ONE) {
        print_labels(node->card == PROMETHEUS_MANY_TO_ONE ? "group_left" : "group_right", node->include,
                     node->n_include, out);
        buf_byte(out, ' ');
    }
    print_inner(node->args[1], op->binds + (op->right ? 0 : 1), out);
}

static void print_call(const struct prometheus_node *node, struct buf *out) {
    bool group = node->kind == PROMETHEUS_NODE_AGGREGATE;
    buf_c(out, node->function->name);
    if (group && node->grouped) {
        buf_byte(out, ' ');
        print_labels(node->on ? "by" : "without", node->labels, node->n_labels, out);
        buf_byte(out, ' ');
    }
    buf_byte(out, '(');
    for (size_t i = 0; i < node->n_args; i++) {
        if (i) buf_c(out, ", ");
        prometheus_print(node->args[group ? node->n_args - 1 - i : i], out); /* the vector is kept first */
    }
    buf_byte(out, ')');
}

void prometheus_print(const struct prometheus_node *node, struct buf *out) {
    switch (node->kind) {
    case PROMETHEUS_NODE_NUMBER: print_number(node->number, out); break;
    case PROMETHEUS_NODE_STRING: print_text(node->text, out); break;
    case PROMETHEUS_NODE_SELECTOR: print_selector(node, out); break;
    case PROMETHEUS_NODE_NEGATE:
        buf_byte(out, '-');
        print_inner(node->args[0], PROMETHEUS_UNARY_BINDS + 1, out);
        break;
    case PROMETHEUS_NODE_BINARY: print_binary(node, out); break;
    case PROMETHEUS_NODE_CALL:
    case PROMETHEUS_NODE_AGGREGATE: print_call(node, out); break;
    case PROMETHEUS_NODE_SUBQUERY:
        print_inner(node->args[0], 99, out);
        buf_byte(out, '[');
        print_span(node->range, out);
        buf_byte(out, ':');
        if (node->step) print_span(node->step, out);
        buf_byte(out, ']');
        print_moved(node, out);
        break;
    }
}
