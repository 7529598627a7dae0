/* Reading expressions: words, then a parser by descent, loosest operators first. */
#include "insight/query_expr_parse.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "insight/query_agg.h"
#include "insight/query_call.h"
#include "insight/query_expr.h"

/* ---- words */

static bool is_digit(char c) { return c >= '0' && c <= '9'; }
static bool begins_name(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '@' || (unsigned char)c >= 0x80;
}
static bool in_name(char c) { return begins_name(c) || is_digit(c) || c == '.'; }

static size_t number_end(Str s, size_t i) {
    while (i < s.len && is_digit(s.ptr[i])) i++;
    if (i + 1 < s.len && s.ptr[i] == '.' && is_digit(s.ptr[i + 1]))
        for (i++; i < s.len && is_digit(s.ptr[i]);) i++;
    if (i + 1 < s.len && (s.ptr[i] == 'e' || s.ptr[i] == 'E')) {
        size_t k = i + 1 + (s.ptr[i + 1] == '+' || s.ptr[i + 1] == '-');
        if (k < s.len && is_digit(s.ptr[k]))
            for (i = k; i < s.len && is_digit(s.ptr[i]);) i++;
    }
    return i;
}

static struct query_expr_parse_word quoted(Str s, size_t *at) {
    char quote = s.ptr[*at];
    size_t from = *at + 1, i = from;
    for (;; i++) {
        if (i >= s.len) break;
        if (s.ptr[i] != quote) continue;
        if (i + 1 >= s.len || s.ptr[i + 1] != quote) break;
        i++;
    }
    struct query_expr_parse_word w = {.at = *at, .text = str_slice(s, from, i)};
    w.kind = i >= s.len ? QUERY_EXPR_PARSE_BAD : quote == '"' ? QUERY_EXPR_PARSE_QUOTED : QUERY_EXPR_PARSE_TEXT;
    *at = i + 1;
    return w;
}

static size_t sign_size(Str s, size_t i) {
    static const char *const two[] = {"<=", ">=", "<>", "!=", "=="};
    for (size_t k = 0; k < sizeof two / sizeof *two; k++)
        if (str_starts(str_slice(s, i, s.len), str_c(two[k]))) return 2;
    return strchr("+-*/%(),=<>", s.ptr[i]) && s.ptr[i] ? 1 : 0;
}

struct query_expr_parse_word query_expr_parse_next(Str s, size_t *at) {
    size_t i = *at, n;
    while (i < s.len && (s.ptr[i] == ' ' || s.ptr[i] == '\t' || s.ptr[i] == '\n' || s.ptr[i] == '\r')) i++;
    *at = i;
    if (i >= s.len) return (struct query_expr_parse_word){QUERY_EXPR_PARSE_END, {0}, s.len};
    if (s.ptr[i] == '"' || s.ptr[i] == '\'') return quoted(s, at);
    struct query_expr_parse_word w = {QUERY_EXPR_PARSE_BAD, str_slice(s, i, i + 1), i};
    size_t end = i + 1;
    if (is_digit(s.ptr[i]) || (s.ptr[i] == '.' && i + 1 < s.len && is_digit(s.ptr[i + 1]))) {
        w.kind = QUERY_EXPR_PARSE_NUMBER;
        end = number_end(s, i);
    } else if (begins_name(s.ptr[i])) {
        w.kind = QUERY_EXPR_PARSE_NAME;
        while (end < s.len && in_name(s.ptr[end])) end++;
    } else if ((n = sign_size(s, i)) > 0) {
        w.kind = QUERY_EXPR_PARSE_SIGN;
        end = i + n;
    }
    w.text = str_slice(s, i, end);
    *at = end;
    return w;
}

/* ---- the parser */

struct parser {
    Str text;
    const char *what;
    size_t at;
    struct query_expr_parse_word word;
    struct arena *arena;
    unsigned *slots;
    unsigned nodes, depth;
    bool in_agg;
    Err err; /* the first */
};

static void next(struct parser *p) { p->word = query_expr_parse_next(p->text, &p->at); }

/* Where, as a person counts: the character from 1, and what stands there. */
static void place(Str text, size_t at, char out[80]) {
    size_t column = 1;
    for (size_t i = 0; i < at && i < text.len; i++) column += ((unsigned char)text.ptr[i] & 0xc0) != 0x80;
    if (at >= text.len) {
        snprintf(out, 80, "at its end");
        return;
    }
    size_t end = at + 20 < text.len ? at + 20 : text.len;
    while (end > at && end < text.len && ((unsigned char)text.ptr[end] & 0xc0) == 0x80) end--;
    snprintf(out, 80, "at character %zu, '%.*s'", column, (int)(end - at), text.ptr + at);
}

static Err fault_at(Str text, const char *what, size_t at, const char *problem) {
    char where[80];
    place(text, at, where);
    return err_make(ERR_INVALID, "%s: %s (%s)", what, problem, where);
}

Err query_expr_parse_fault(const struct query_node *node, Str text, const char *what, const char *problem) {
    return fault_at(text, what, node->at, problem);
}

static struct query_node *fault(struct parser *p, const char *problem) {
    if (p->err.code == ERR_NONE) p->err = fault_at(p->text, p->what, p->word.at, problem);
    p->word.kind = QUERY_EXPR_PARSE_END;
    p->at = p->text.len;
    return NULL;
}

static bool is_sign(const struct parser *p, const char *sign) {
    return p->word.kind == QUERY_EXPR_PARSE_SIGN && str_eq_c(p->word.text, sign);
}
static bool is_word(const struct parser *p, const char *word) {
    return p->word.kind == QUERY_EXPR_PARSE_NAME && str_eq_nocase(p->word.text, str_c(word));
}
static bool take_sign(struct parser *p, const char *sign) {
    if (!is_sign(p, sign)) return false;
    next(p);
    return true;
}
static bool take_word(struct parser *p, const char *word) {
    if (!is_word(p, word)) return false;
    next(p);
    return true;
}

static struct query_node *make(struct parser *p, enum query_op op, size_t at) {
    if (p->err.code != ERR_NONE) return NULL;
    if (++p->nodes > QUERY_EXPR_NODES_MAX) return fault(p, "the expression is too long: part it");
    struct query_node *node = arena_zero(p->arena, 1, sizeof *node);
    node->op = op;
    node->at = at;
    node->slot = (*p->slots)++;
    node->kind = QUERY_KIND_NUMBER;
    node->number_kind = VALUE_FLOAT;
    return node;
}

static struct query_node *with_args(struct parser *p, enum query_op op, size_t at, struct query_node *a,
                                    struct query_node *b) {
    struct query_node *node = make(p, op, at);
    if (!node || !a) return NULL;
    node->args = arena_zero(p->arena, 2, sizeof *node->args);
    node->args[node->n_args++] = a;
    if (b) node->args[node->n_args++] = b;
    return node;
}

static struct query_node *parse_or(struct parser *p);

/* Doubled quotes become one. */
static Str unquote(struct parser *p, Str s, char quote) {
    char *out = arena_alloc(p->arena, s.len + 1);
    size_t n = 0;
    for (size_t i = 0; i < s.len; i++) {
        out[n++] = s.ptr[i];
        if (s.ptr[i] == quote) i++;
    }
    return str_n(out, n);
}

static struct query_node *parse_number(struct parser *p) {
    struct query_node *node = make(p, QUERY_OP_NUMBER, p->word.at);
    char text[64];
    if (!node) return NULL;
    if (p->word.text.len >= sizeof text) return fault(p, "the number is too long");
    snprintf(text, sizeof text, STR_FMT, STR_ARG(p->word.text));
    if (text[0] == '.') snprintf(text, sizeof text, "0" STR_FMT, STR_ARG(str_slice(p->word.text, 0, 60)));
    if (!str_to_f64(str_c(text), &node->number)) return fault(p, "this is no number");
    int64_t whole;
    if (str_to_i64(p->word.text, &whole)) node->number_kind = VALUE_INT;
    next(p);
    return node;
}

static struct query_node *parse_bool(struct parser *p, bool value) {
    struct query_node *node = make(p, QUERY_OP_NUMBER, p->word.at);
    if (!node) return NULL;
    node->number = value;
    node->number_kind = VALUE_BOOL;
    node->kind = QUERY_KIND_ANY;
    next(p);
    return node;
}

static bool parse_args(struct parser *p, struct query_node *node, size_t most) {
    node->args = arena_zero(p->arena, most + 1, sizeof *node->args);
    if (take_sign(p, ")")) return true;
    for (;;) {
        if (node->n_args == most) {
            fault(p, "one argument too many");
            return false;
        }
        struct query_node *arg = parse_or(p);
        if (!arg) return false;
        node->args[node->n_args++] = arg;
        if (take_sign(p, ")")) return true;
        if (!take_sign(p, ",")) {
            fault(p, "here ',' or ')' is missing");
            return false;
        }
    }
}

static struct query_node *parse_agg(struct parser *p, const struct query_agg *agg, size_t at) {
    struct query_node *node = make(p, QUERY_OP_AGG, at);
    if (!node) return NULL;
    if (p->in_agg) return fault(p, "an aggregate stands inside another: use two stages");
    node->agg = agg;
    p->in_agg = true;
    bool star = is_sign(p, "*");
    if (star) {
        next(p);
        if (agg->least > 0 || !take_sign(p, ")")) return fault(p, "only count(*) takes a star");
    } else if (!parse_args(p, node, agg->most)) {
        return NULL;
    }
    p->in_agg = false;
    if (node->n_args < agg->least) return fault(p, "the aggregate before this needs more arguments");
    if (node->n_args == 2 && node->args[1]->op != QUERY_OP_NUMBER && node->args[1]->op != QUERY_OP_TEXT)
        return fault(p, "the second argument of the aggregate before this must be written out");
    return node;
}

static struct query_node *parse_call(struct parser *p, Str name, size_t at) {
    const struct query_agg *agg = query_agg_find(name);
    const struct query_call *call = query_call_find(name);
    if (agg) return parse_agg(p, agg, at);
    if (!call) {
        p->word.at = at;
        return fault(p, "there is no function of this name");
    }
    struct query_node *node = make(p, QUERY_OP_CALL, at);
    if (!node) return NULL;
    node->call = call;
    if (!parse_args(p, node, call->most)) return NULL;
    if (node->n_args < call->least) return fault(p, "the function before this needs more arguments");
    return node;
}

static struct query_node *parse_name(struct parser *p) {
    struct query_expr_parse_word word = p->word;
    bool bare = word.kind == QUERY_EXPR_PARSE_NAME;
    if (bare && is_word(p, "true")) return parse_bool(p, true);
    if (bare && is_word(p, "false")) return parse_bool(p, false);
    next(p);
    if (bare && str_eq_nocase(word.text, STR("null"))) return make(p, QUERY_OP_NULL, word.at);
    if (bare && take_sign(p, "(")) return parse_call(p, word.text, word.at);
    struct query_node *node = make(p, QUERY_OP_COLUMN, word.at);
    if (node) node->text = bare ? word.text : unquote(p, word.text, '"');
    return node;
}

static struct query_node *parse_primary(struct parser *p) {
    struct query_node *node;
    switch (p->word.kind) {
    case QUERY_EXPR_PARSE_NUMBER: return parse_number(p);
    case QUERY_EXPR_PARSE_QUOTED:
    case QUERY_EXPR_PARSE_NAME: return parse_name(p);
    case QUERY_EXPR_PARSE_TEXT:
        node = make(p, QUERY_OP_TEXT, p->word.at);
        if (node) node->text = unquote(p, p->word.text, '\'');
        if (node) node->kind = QUERY_KIND_STRING;
        next(p);
        return node;
    case QUERY_EXPR_PARSE_SIGN:
        if (!take_sign(p, "(")) break;
        node = parse_or(p);
        if (node && !take_sign(p, ")")) return fault(p, "here ')' is missing");
        return node;
    case QUERY_EXPR_PARSE_BAD: return fault(p, "this cannot stand here: is a quote missing?");
    case QUERY_EXPR_PARSE_END: break;
    }
    return fault(p, "here a column, a number, a 'text' or '(' is missing");
}

static struct query_node *parse_unary(struct parser *p) {
    size_t at = p->word.at;
    if (++p->depth > QUERY_EXPR_DEPTH_MAX) return fault(p, "nested too deeply: part it into stages");
    struct query_node *node = take_sign(p, "-")   ? with_args(p, QUERY_OP_NEGATE, at, parse_unary(p), NULL)
                              : take_sign(p, "+") ? parse_unary(p)
                                                  : parse_primary(p);
    p->depth--;
    return node;
}

struct level {
    const char *sign;
    enum query_op op;
};

static struct query_node *parse_level(struct parser *p, const struct level *signs,
                                      struct query_node *(*below)(struct parser *)) {
    struct query_node *left = below(p);
    while (left) {
        const struct level *l = signs;
        while (l->sign && !is_sign(p, l->sign)) l++;
        if (!l->sign) break;
        size_t at = p->word.at;
        next(p);
        struct query_node *right = below(p);
        left = right ? with_args(p, l->op, at, left, right) : NULL;
    }
    return left;
}

static struct query_node *parse_product(struct parser *p) {
    static const struct level signs[] = {{"*", QUERY_OP_MUL}, {"/", QUERY_OP_DIV}, {"%", QUERY_OP_MOD}, {NULL, 0}};
    return parse_level(p, signs, parse_unary);
}
static struct query_node *parse_sum(struct parser *p) {
    static const struct level signs[] = {{"+", QUERY_OP_ADD}, {"-", QUERY_OP_SUB}, {NULL, 0}};
    return parse_level(p, signs, parse_product);
}

/* a in (b, c): a = b or a = c. The left side is computed once and used again. */
static struct query_node *parse_in(struct parser *p, struct query_node *left, size_t at) {
    struct query_node *any = NULL;
    if (!take_sign(p, "(")) return fault(p, "behind 'in' stands a list: ('a', 'b')");
    for (;;) {
        struct query_node *item = parse_sum(p);
        struct query_node *same = item ? with_args(p, QUERY_OP_EQ, at, left, item) : NULL;
        any = any && same ? with_args(p, QUERY_OP_OR, at, any, same) : same;
        if (!any || take_sign(p, ")")) return any;
        if (!take_sign(p, ",")) return fault(p, "here ',' or ')' is missing");
    }
}

static struct query_node *parse_between(struct parser *p, struct query_node *left, size_t at) {
    struct query_node *low = parse_sum(p);
    if (!low) return NULL;
    if (!take_word(p, "and")) return fault(p, "between needs two values: between 1 and 5");
    struct query_node *high = parse_sum(p);
    if (!high) return NULL;
    return with_args(p, QUERY_OP_AND, at, with_args(p, QUERY_OP_GE, at, left, low),
                     with_args(p, QUERY_OP_LE, at, left, high));
}

static struct query_node *parse_words(struct parser *p, struct query_node *left) {
    size_t at = p->word.at;
    if (take_word(p, "is")) {
        bool not = take_word(p, "not");
        if (!take_word(p, "null")) return fault(p, "behind 'is' stands null or not null");
        struct query_node *node = with_args(p, QUERY_OP_IS_NULL, at, left, NULL);
        return not &&node ? with_args(p, QUERY_OP_NOT, at, node, NULL) : node;
    }
    bool not = take_word(p, "not");
    struct query_node *node;
    if (take_word(p, "in"))
        node = parse_in(p, left, at);
    else if (take_word(p, "between"))
        node = parse_between(p, left, at);
    else
        return not ? fault(p, "behind this 'not' stands in or between") : left;
    return not &&node ? with_args(p, QUERY_OP_NOT, at, node, NULL) : node;
}

static struct query_node *parse_comparison(struct parser *p) {
    static const struct level signs[] = {{"=", QUERY_OP_EQ},  {"==", QUERY_OP_EQ}, {"<>", QUERY_OP_NE},
                                         {"!=", QUERY_OP_NE}, {"<=", QUERY_OP_LE}, {"<", QUERY_OP_LT},
                                         {">=", QUERY_OP_GE}, {">", QUERY_OP_GT},  {NULL, 0}};
    struct query_node *left = parse_level(p, signs, parse_sum);
    return left ? parse_words(p, left) : NULL;
}

static struct query_node *parse_not(struct parser *p) {
    size_t at = p->word.at;
    if (!take_word(p, "not")) return parse_comparison(p);
    if (++p->depth > QUERY_EXPR_DEPTH_MAX) return fault(p, "nested too deeply: part it into stages");
    struct query_node *node = with_args(p, QUERY_OP_NOT, at, parse_not(p), NULL);
    p->depth--;
    return node;
}

static struct query_node *parse_and(struct parser *p) {
    struct query_node *left = parse_not(p);
    for (size_t at = p->word.at; left && take_word(p, "and"); at = p->word.at) {
        struct query_node *right = parse_not(p);
        left = right ? with_args(p, QUERY_OP_AND, at, left, right) : NULL;
    }
    return left;
}

static struct query_node *parse_or(struct parser *p) {
    struct query_node *left = parse_and(p);
    for (size_t at = p->word.at; left && take_word(p, "or"); at = p->word.at) {
        struct query_node *right = parse_and(p);
        left = right ? with_args(p, QUERY_OP_OR, at, left, right) : NULL;
    }
    return left;
}

Err query_expr_parse(Str text, const char *what, struct arena *arena, unsigned *slots, struct query_node **out) {
    struct parser p = {.text = text, .what = what, .arena = arena, .slots = slots};
    *out = NULL;
    if (!str_is_utf8(text)) return err_make(ERR_INVALID, "%s: the text is not UTF-8", what);
    next(&p);
    struct query_node *node = parse_or(&p);
    if (node && p.word.kind != QUERY_EXPR_PARSE_END) node = fault(&p, "here an operator or the end is missing");
    if (p.err.code != ERR_NONE) return p.err;
    ASSERT(node);
    *out = node;
    return err_none();
}
