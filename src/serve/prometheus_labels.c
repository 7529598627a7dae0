#include "serve/prometheus_labels.h"

#include <string.h>

#include "serve/prometheus_regex.h"

static bool allowed(char c, bool colon) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           (colon && c == ':') || (unsigned char)c >= 0x80;
}

static Str clean(Str text, bool colon, struct arena *arena) {
    bool digit = text.len > 0 && text.ptr[0] >= '0' && text.ptr[0] <= '9';
    char *out = arena_alloc(arena, text.len + 2);
    size_t n = 0;
    if (digit || text.len == 0) out[n++] = '_';
    for (size_t i = 0; i < text.len; i++) out[n++] = allowed(text.ptr[i], colon) ? text.ptr[i] : '_';
    return str_n(out, n);
}

Str prometheus_labels_base(Str metric) {
    for (size_t i = 0; i < metric.len; i++)
        if (metric.ptr[i] == '{' && i > 0 && metric.ptr[metric.len - 1] == '}') return str_slice(metric, 0, i);
    return metric;
}

Str prometheus_labels_metric(Str metric, struct arena *arena) {
    return clean(prometheus_labels_base(metric), true, arena);
}

Str prometheus_labels_tag(Str tag, struct arena *arena) {
    static const char *const taken[] = {"thing", "model", "metric", "unit", "__name__"};
    Str name = clean(tag, false, arena);
    for (size_t i = 0; i < sizeof taken / sizeof *taken; i++)
        if (str_eq_c(name, taken[i])) return arena_printf(arena, "tag_" STR_FMT, STR_ARG(name));
    return name;
}

size_t prometheus_labels_split(Str metric, struct prometheus_label *out, size_t most, struct arena *arena) {
    Str base = prometheus_labels_base(metric), part, name, value;
    size_t n = 0;
    if (base.len == metric.len) return 0;
    for (Str rest = str_slice(metric, base.len + 1, metric.len - 1); rest.len > 0 && n < most;) {
        str_cut(rest, ',', &part, &rest);
        if (!str_cut(part, '=', &name, &value) || name.len == 0 || value.len == 0) continue;
        out[n++] = (struct prometheus_label){prometheus_labels_tag(name, arena), value};
    }
    return n;
}

bool prometheus_labels_names_metric(Str name) {
    return str_eq_c(name, "__name__") || str_eq_c(name, "metric") || str_eq_c(name, "unit");
}

Str prometheus_labels_get(const struct prometheus_labels *labels, Str name) {
    for (size_t i = 0; i < labels->n; i++)
        if (str_eq(labels->items[i].name, name)) return labels->items[i].value;
    return (Str){0};
}

void prometheus_labels_add(struct prometheus_labels *labels, Str name, Str value) {
    size_t at = 0;
    if (value.len == 0) return;
    while (at < labels->n && str_cmp(labels->items[at].name, name) < 0) at++;
    if (at < labels->n && str_eq(labels->items[at].name, name)) return;
    memmove(labels->items + at + 1, labels->items + at, (labels->n - at) * sizeof *labels->items);
    labels->items[at] = (struct prometheus_label){name, value};
    labels->n++;
}

int prometheus_labels_cmp(const struct prometheus_labels *a, const struct prometheus_labels *b) {
    for (size_t i = 0; i < a->n && i < b->n; i++) {
        int order = str_cmp(a->items[i].name, b->items[i].name);
        if (order == 0) order = str_cmp(a->items[i].value, b->items[i].value);
        if (order != 0) return order;
    }
    return (a->n > b->n) - (a->n < b->n);
}

static void add_text(struct buf *out, Str text) {
    buf_u32le(out, (uint32_t)text.len);
    buf_str(out, text);
}

void prometheus_labels_key(const struct prometheus_labels *labels, struct buf *out) {
    for (size_t i = 0; i < labels->n; i++) {
        add_text(out, labels->items[i].name);
        add_text(out, labels->items[i].value);
    }
}

/* ---- copies */

static bool listed(Str name, const Str *names, size_t n) {
    for (size_t i = 0; i < n; i++)
        if (str_eq(name, names[i])) return true;
    return false;
}

struct prometheus_labels prometheus_labels_keep(const struct prometheus_labels *labels, const Str *names, size_t n,
                                                struct arena *arena) {
    struct prometheus_labels out = {arena_alloc(arena, ((n < labels->n ? n : labels->n) + 1) * sizeof *out.items), 0};
    for (size_t i = 0; i < labels->n; i++)
        if (listed(labels->items[i].name, names, n)) out.items[out.n++] = labels->items[i];
    return out;
}

struct prometheus_labels prometheus_labels_drop(const struct prometheus_labels *labels, const Str *names, size_t n,
                                                struct arena *arena) {
    struct prometheus_labels out = {arena_alloc(arena, (labels->n + 1) * sizeof *out.items), 0};
    for (size_t i = 0; i < labels->n; i++)
        if (!prometheus_labels_names_metric(labels->items[i].name) && !listed(labels->items[i].name, names, n))
            out.items[out.n++] = labels->items[i];
    return out;
}

struct prometheus_labels prometheus_labels_with(const struct prometheus_labels *labels, Str name, Str value,
                                                struct arena *arena) {
    struct prometheus_labels out = {arena_alloc(arena, (labels->n + 2) * sizeof *out.items), 0};
    for (size_t i = 0; i < labels->n; i++)
        if (!str_eq(labels->items[i].name, name)) out.items[out.n++] = labels->items[i];
    prometheus_labels_add(&out, name, value);
    return out;
}

/* ---- matching */

bool prometheus_labels_match(const struct prometheus_matcher *m, Str value) {
    bool same = m->regex ? prometheus_regex_match(m->regex, value) : str_eq(m->value, value);
    return (m->op == PROMETHEUS_IS || m->op == PROMETHEUS_LIKE) == same;
}

bool prometheus_labels_match_metric(const struct prometheus_matcher *m, Str shown, Str metric) {
    struct prometheus_matcher positive = *m;
    bool wants = m->op == PROMETHEUS_IS || m->op == PROMETHEUS_LIKE;
    positive.op = m->regex ? PROMETHEUS_LIKE : PROMETHEUS_IS;
    bool same = prometheus_labels_match(&positive, shown) ||
                prometheus_labels_match(&positive, prometheus_labels_base(metric)) ||
                prometheus_labels_match(&positive, metric);
    return wants == same;
}
