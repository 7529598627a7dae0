/*
 * The gate, held against a plain model of it, over every path that reads. Two parties; acme's documents and samples
 * bear values that occur nowhere else. Each round draws an agreement, in which acme gives other some fields of some
 * rows, and then each path of gate_paths.def that is SHARED is asked at random. The answer must be the model's to the
 * letter: what is not given is in no answer, filters nothing, sorts nothing, and is not counted.
 *
 * WEFT_GATE_ROUNDS sets the number of rounds (400), WEFT_GATE_SEED the first seed.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "serve/api.h"
#include "tests/lib/serve_gate_sql.h"

void gate_paths_test(void);

enum { ROUNDS = 400, PROBES = 5 };

enum gate_kind { SHARED, OWN, SIDES, PUBLIC };
static const struct path {
    const char *id;
    enum gate_kind kind;
} paths[] = {
#define GATE_PATH(id, kind) {#id, kind},
#include "serve/gate_paths.def"
#undef GATE_PATH
};
enum { PATHS = sizeof paths / sizeof *paths };

/* ---- documents */

static void dump(const struct json *v, struct buf *out) {
    buf_clear(out);
    if (v) json_dump(v, out);
}

/* A reference is its id, and nothing of the other document. */
static bool same_member(const struct world *w, size_t type, int column, const struct json *got,
                        const struct json *want) {
    const char *name = gate_model_column_name(&w->model, type, column);
    const struct json *a = json_get(got, name), *b = json_get(want, name);
    if (!a || !b) return false;
    if (gate_model_kind(&w->model, type, column) == FIELD_REF && json_kind(b) == JSON_OBJECT)
        return json_kind(a) == JSON_OBJECT && json_len(a) == 1 &&
               json_get_int(a, "id", -1) == json_get_int(b, "id", -2);
    struct buf x = {0}, y = {0};
    dump(a, &x);
    dump(b, &y);
    bool same = str_eq(buf_view(&x), buf_view(&y));
    buf_fini(&x);
    buf_fini(&y);
    return same;
}

/* Exactly the id and the given fields, as acme sees them. */
static bool same_doc(const struct world *w, size_t type, const struct json *got, const struct json *want) {
    size_t n = 1;
    if (json_get_int(got, "id", -1) != json_get_int(want, "id", -2)) return false;
    for (size_t c = 0; c < gate_model_columns(&w->model, type); c++) {
        if (!given(w, type, (int)c)) continue;
        n++;
        if (!same_member(w, type, (int)c, got, want)) return false;
    }
    return json_len(got) == n;
}

static bool readable(struct world *w, size_t type, const char *target) {
    char text[256];
    if (type == 2 && !w->may_memo) {
        gate_world_refused(w, target, 403, NULL);
        return false;
    }
    if (w->model.terms[type].given) return true;
    snprintf(text, sizeof text, "AG-%06lld gives nothing of '%s'", w->agreement, serve_types[type]->name);
    gate_world_refused(w, target, 403, text);
    return false;
}

struct filter {
    int column; /* -1: none */
    const char *op;
    char value[64];
};

static struct filter draw_filter(struct world *w, size_t type) {
    static const char *const ops[] = {"=", "!=", ">=", "<=", "?=", "~="};
    struct filter f = {.column = -1};
    if (chance(w, 35)) return f;
    f.column = (int)below(w, gate_model_columns(&w->model, type));
    enum field_kind kind = gate_model_kind(&w->model, type, f.column);
    bool text = kind == FIELD_TEXT, plain = kind == FIELD_JSON;
    bool state = f.column == 1;
    f.op = ops[plain ? 4 : state ? below(w, 2) : below(w, text ? 6 : 5)];
    const char *name = gate_model_column_name(&w->model, type, f.column);
    const struct json *from = json_at(docs_of(w, type), below(w, json_len(docs_of(w, type))));
    if (!gate_model_text(from, name, f.value)) f.op = "?=";
    if (strcmp(f.op, "?=") == 0) snprintf(f.value, sizeof f.value, "%s", chance(w, 50) ? "true" : "false");
    if (strcmp(f.op, "~=") == 0 && strlen(f.value) > 3) f.value[3] = '\0';
    return f;
}

static void add_filter(const struct world *w, size_t type, const struct filter *f, char *target, size_t size) {
    char value[200];
    size_t n = strlen(target);
    if (f->column < 0) return;
    snprintf(target + n, size - n, "%c%s%s%s", strchr(target, '?') ? '&' : '?',
             gate_model_column_name(&w->model, type, f->column), f->op,
             gate_world_escape(f->value, value, sizeof value));
}

static bool matches(const struct world *w, size_t type, const struct json *doc, const struct filter *f) {
    if (!gate_model_shows(&w->model, type, doc)) return false;
    return f->column < 0 || gate_model_holds(gate_model_kind(&w->model, type, f->column), doc,
                                             gate_model_column_name(&w->model, type, f->column), f->op, f->value);
}

static const struct world *sorting; /* for qsort */
static size_t sort_type;
static int sort_column;
static bool sort_down;

static int by_sort(const void *a, const void *b) {
    const struct json *x = *(const struct json *const *)a, *y = *(const struct json *const *)b;
    int c = 0;
    if (sort_column >= 0)
        c = gate_model_compare(gate_model_kind(&sorting->model, sort_type, sort_column), x, y,
                               gate_model_column_name(&sorting->model, sort_type, sort_column));
    if (c == 0) c = json_get_int(x, "id", 0) < json_get_int(y, "id", 0) ? -1 : 1;
    return sort_down ? -c : c;
}

/* What a list must hold, in its order. */
static size_t expect_docs(struct world *w, size_t type, const struct filter *f, int column, bool down,
                          const struct json **out) {
    size_t n = 0;
    for (size_t i = 0; i < json_len(docs_of(w, type)); i++)
        if (matches(w, type, json_at(docs_of(w, type), i), f)) out[n++] = json_at(docs_of(w, type), i);
    sorting = w, sort_type = type, sort_column = column, sort_down = down;
    if (n > 1) qsort(out, n, sizeof *out, by_sort);
    return n;
}

static void check_page(struct world *w, const char *target, size_t type, const struct json *page,
                       const struct json *const *want, size_t n, size_t total) {
    const struct json *items = json_get(page, "items");
    bool same = items && json_len(items) == n && json_get_int(page, "total", -1) == (int64_t)total;
    for (size_t i = 0; same && i < n; i++) same = same_doc(w, type, json_at(items, i), want[i]);
    struct buf text = {0};
    if (!same) dump(page, &text), gate_world_fault(w, target, "not what the model lists", buf_view(&text));
    buf_fini(&text);
}

static void walk_pages(struct world *w, const char *target, size_t type, size_t limit, const struct json *const *want,
                       size_t n) {
    char next[700], detail[256], cursor[400] = "", escaped[600];
    for (size_t at = 0;;) {
        struct json *page = NULL;
        snprintf(next, sizeof next, "%s%climit=%zu%s%s", target, strchr(target, '?') ? '&' : '?', limit,
                 cursor[0] ? "&cursor=" : "", gate_world_escape(cursor, escaped, sizeof escaped));
        int status = gate_world_ask(w, next, &page, detail);
        if (status != 200) {
            gate_world_fault(w, next, "refused what is given", str_c(detail));
            return;
        }
        size_t part = n - at < limit ? n - at : limit;
        check_page(w, next, type, page, want + at, part, n);
        at += part;
        snprintf(cursor, sizeof cursor, STR_FMT, STR_ARG(json_get_str(page, "next", (Str){0})));
        json_free(page);
        if ((cursor[0] == '\0') != (at >= n)) gate_world_fault(w, next, "another number of pages", str_c(cursor));
        if (cursor[0] == '\0' || at >= n) return;
    }
}

static void no_field(struct world *w, const char *target, size_t type, int column) {
    char text[128];
    snprintf(text, sizeof text, "no field '%s' of '%s'", gate_model_column_name(&w->model, type, column),
             serve_types[type]->name);
    gate_world_refused(w, target, 400, text);
}

static const char groups_only[] = "only groups of these are given, not each of them: ask for ?group=";

static void probe_list(struct world *w, size_t type) {
    char target[500];
    const struct json *want[ORDERS + 1];
    struct filter f = draw_filter(w, type);
    int column = chance(w, 50) ? (int)below(w, gate_model_columns(&w->model, type)) : -1;
    bool down = column < 0 || chance(w, 50);
    snprintf(target, sizeof target, "/api/v1/docs/%s", serve_types[type]->name);
    if (column >= 0)
        snprintf(target + strlen(target), 100, "?sort=%s%s", down ? "-" : "",
                 gate_model_column_name(&w->model, type, column));
    add_filter(w, type, &f, target, sizeof target);
    if (!readable(w, type, target)) return;
    if (f.column >= 0 && !given(w, type, f.column)) {
        no_field(w, target, type, f.column);
    } else if (column >= 0 && !given(w, type, column)) {
        no_field(w, target, type, column);
    } else if (w->model.terms[type].aggregates) {
        gate_world_refused(w, target, 403, groups_only);
    } else {
        size_t n = expect_docs(w, type, &f, column, down, want);
        walk_pages(w, target, type, chance(w, 50) ? 1000 : 1 + below(w, 9), want, n);
    }
}

/* ---- counts */

struct tally {
    char key[64];
    bool set;
    uint64_t n;
};

static size_t tally(struct world *w, size_t type, const struct filter *f, int column, struct tally *out) {
    const struct json *want[ORDERS + 1];
    size_t n = expect_docs(w, type, f, column, false, want), groups = 0;
    for (size_t i = 0; i < n; i++) {
        struct tally t = {.n = 1};
        t.set = gate_model_text(want[i], gate_model_column_name(&w->model, type, column), t.key);
        bool same = groups > 0 && out[groups - 1].set == t.set && strcmp(out[groups - 1].key, t.key) == 0;
        if (same)
            out[groups - 1].n++;
        else
            out[groups++] = t;
    }
    return groups;
}

/* Small groups are withheld; where documents are not listed, so is what they could be worked out from. */
static size_t withhold(struct world *w, size_t type, const struct filter *f, struct tally *t, size_t n) {
    uint64_t k = (uint64_t)w->model.min_group, shown = 0, all = 0, lost = 0;
    size_t kept = 0, least = 0;
    bool aggregates = w->model.terms[type].aggregates;
    for (size_t i = 0; i < n; i++) shown += t[i].n;
    for (size_t i = 0; i < json_len(docs_of(w, type)); i++)
        all += gate_model_shows(&w->model, type, json_at(docs_of(w, type), i));
    if (aggregates && f->column >= 0) { /* both counts are themselves withheld when they are small */
        uint64_t counted = shown < k ? 0 : shown, in_all = all < k ? 0 : all;
        if (in_all > counted && in_all - counted < k) return 0;
    }
    for (size_t i = 0; i < n; i++) {
        if (t[i].n >= k)
            t[kept++] = t[i];
        else
            lost += t[i].n;
    }
    if (!aggregates || lost == 0 || lost >= k || kept == 0) return kept;
    for (size_t i = 1; i < kept; i++)
        if (t[i].n < t[least].n) least = i;
    memmove(&t[least], &t[least + 1], (kept - least - 1) * sizeof *t);
    return kept - 1;
}

static bool same_key(const struct json *got, const struct tally *want, enum field_kind kind) {
    if (!want->set) return json_kind(got) == JSON_NULL;
    if (kind == FIELD_DECIMAL || kind == FIELD_TIME) return true; /* in the store's own form */
    struct buf text = {0};
    json_dump(got, &text);
    Str body = buf_view(&text);
    if (json_kind(got) == JSON_STRING) body = json_str(got);
    bool same = kind == FIELD_NUMBER ? json_num(got) == strtod(want->key, NULL) : str_eq_c(body, want->key);
    buf_fini(&text);
    return same;
}

static void probe_count(struct world *w, size_t type) {
    char target[500], detail[256];
    struct json *tree = NULL;
    struct tally want[ORDERS + 1];
    struct filter f = draw_filter(w, type);
    int column = (int)below(w, gate_model_columns(&w->model, type));
    snprintf(target, sizeof target, "/api/v1/docs/%s?count=%s", serve_types[type]->name,
             gate_model_column_name(&w->model, type, column));
    add_filter(w, type, &f, target, sizeof target);
    if (!readable(w, type, target)) return;
    if (f.column >= 0 && !given(w, type, f.column)) {
        no_field(w, target, type, f.column);
        return;
    }
    if (!given(w, type, column)) {
        no_field(w, target, type, column);
        return;
    }
    size_t n = withhold(w, type, &f, want, tally(w, type, &f, column, want));
    int status = gate_world_ask(w, target, &tree, detail);
    const struct json *counts = json_get(tree, "counts");
    bool same = status == 200 && counts && json_len(counts) == n;
    for (size_t i = 0; same && i < n; i++) {
        const struct json *group = json_at(counts, i);
        same = json_get_int(group, "count", -1) == (int64_t)want[i].n &&
               same_key(json_get(group, "key"), &want[i], gate_model_kind(&w->model, type, column));
    }
    struct buf text = {0};
    if (!same) dump(tree, &text), gate_world_fault(w, target, "not what the model counts", buf_view(&text));
    buf_fini(&text);
    json_free(tree);
}

/* ---- groups with measures */

static void probe_group(struct world *w, size_t type) {
    static const char *const measures[] = {"count", "sum", "min", "max", "avg"};
    char target[500], detail[256];
    struct json *tree = NULL;
    struct tally want[ORDERS + 1];
    struct filter f = draw_filter(w, type);
    int column = (int)below(w, gate_model_columns(&w->model, type));
    size_t what = below(w, 5);
    enum field_kind kind = gate_model_kind(&w->model, type, column);
    int of = type == 0 ? gate_model_column(&w->model, 0, STR("pieces")) : 0;
    if (type != 0 || kind == FIELD_JSON) what = 0; /* only orders have a number to add up */
    bool lone = (what == 2 || what == 3) && (w->model.terms[type].aggregates || w->model.min_group > 1);
    snprintf(target, sizeof target, "/api/v1/docs/%s?group=%s&measure=%s%s", serve_types[type]->name,
             gate_model_column_name(&w->model, type, column), measures[what], what ? ":pieces" : "");
    add_filter(w, type, &f, target, sizeof target);
    if (!readable(w, type, target)) return;
    bool hidden =
        (f.column >= 0 && !given(w, type, f.column)) || !given(w, type, column) || (what && !given(w, type, of));
    if (hidden || lone || kind == FIELD_JSON) {
        if (hidden || lone) gate_world_refused(w, target, 400, NULL);
        return;
    }
    size_t n = withhold(w, type, &f, want, tally(w, type, &f, column, want));
    w->adds = what == 1 || what == 4;
    int status = gate_world_ask(w, target, &tree, detail);
    const struct json *groups = json_get(tree, "groups");
    bool same = status == 200 && groups && json_len(groups) == n;
    for (size_t i = 0; same && i < n; i++) same = json_get_int(json_at(groups, i), "count", -1) == (int64_t)want[i].n;
    struct buf text = {0};
    if (status == 400 && !strstr(detail, "no field")) same = true; /* nobody groups by it */
    if (!same) dump(tree, &text), gate_world_fault(w, target, "not the model's groups", buf_view(&text));
    buf_fini(&text);
    json_free(tree);
}

/* ---- references written out: each through what is given of its own type */

static const struct json *doc_by_id(const struct world *w, size_t type, int64_t id) {
    for (size_t i = 0; i < json_len(docs_of(w, type)); i++)
        if (json_get_int(json_at(docs_of(w, type), i), "id", 0) == id) return json_at(docs_of(w, type), i);
    return NULL;
}

/* The customer of an order, as acme sees it; NULL: it has none. shown: it is given too. */
static const struct json *customer_of(const struct world *w, const struct json *order, bool *shown) {
    const struct json *ref = json_get(order, "customer");
    const struct json *doc = ref && json_kind(ref) == JSON_OBJECT ? doc_by_id(w, 1, json_get_int(ref, "id", 0)) : NULL;
    *shown = doc && w->model.terms[1].given && !w->model.terms[1].aggregates && gate_model_shows(&w->model, 1, doc);
    return doc;
}

static bool same_customer(const struct world *w, const struct json *got, const struct json *order) {
    bool shown;
    const struct json *doc = customer_of(w, order, &shown);
    if (!got) return false;
    if (!doc) return json_kind(got) == JSON_NULL;
    if (shown) return same_doc(w, 1, got, doc);
    return json_len(got) == 1 && json_get_int(got, "id", 0) == json_get_int(doc, "id", -1);
}

static void probe_expand(struct world *w) {
    const char *target = "/api/v1/docs/order?expand=customer&limit=1000&fields=customer";
    int column = gate_model_column(&w->model, 0, STR("customer"));
    const struct json *want[ORDERS + 1];
    const struct filter none = {.column = -1};
    char detail[256];
    struct json *tree = NULL;
    if (!w->model.terms[0].given || w->model.terms[0].aggregates) return;
    if (!given(w, 0, column)) {
        no_field(w, target, 0, column);
        return;
    }
    size_t n = expect_docs(w, 0, &none, -1, true, want);
    for (size_t i = 0; i < n; i++) {
        bool shown;
        customer_of(w, want[i], &shown);
        if (shown) w->also = 1; /* the customers are a line of their own in the log */
    }
    int status = gate_world_ask(w, target, &tree, detail);
    const struct json *items = json_get(tree, "items");
    bool same = status == 200 && items && json_len(items) == n;
    for (size_t i = 0; same && i < n; i++) same = same_customer(w, json_get(json_at(items, i), "customer"), want[i]);
    struct buf text = {0};
    if (!same) dump(tree, &text), gate_world_fault(w, target, "another document is shown", buf_view(&text));
    buf_fini(&text);
    json_free(tree);
}

/* ---- words: found where a given field has them, and nowhere else */

static bool text_has(struct world *w, size_t type, const struct json *doc, const char *word) {
    char text[64];
    for (size_t c = 0; c < gate_model_columns(&w->model, type); c++)
        if (given(w, type, (int)c) && gate_model_text(doc, gate_model_column_name(&w->model, type, (int)c), text) &&
            strstr(text, word))
            return true;
    return false;
}

static void probe_words(struct world *w, size_t type) {
    char target[300], word[64], detail[256];
    struct json *tree = NULL;
    const struct json *from = json_at(docs_of(w, type), below(w, json_len(docs_of(w, type))));
    int column = 6 + (int)below(w, w->model.types[type]->n_fields);
    if (gate_model_kind(&w->model, type, column) != FIELD_TEXT || !w->model.terms[type].given ||
        w->model.terms[type].aggregates || (type == 2 && !w->may_memo))
        return;
    if (!gate_model_text(from, gate_model_column_name(&w->model, type, column), word)) return;
    snprintf(target, sizeof target, "/api/v1/docs/%s?q=%s", serve_types[type]->name, word);
    bool there = gate_model_shows(&w->model, type, from) && text_has(w, type, from, word);
    int status = gate_world_ask(w, target, &tree, detail);
    const struct json *items = json_get(tree, "items");
    bool same = status == 200 && items && json_len(items) == there && json_get_int(tree, "total", -1) == there;
    if (same && there) same = same_doc(w, type, json_at(items, 0), from);
    struct buf text = {0};
    if (!same)
        dump(tree, &text),
            gate_world_fault(w, target, there ? "not found" : "found by what is not given", buf_view(&text));
    buf_fini(&text);
    json_free(tree);
}

static void drive_list(struct world *w) {
    size_t type = below(w, GATE_MODEL_TYPES);
    switch (below(w, 6)) {
    case 0: probe_count(w, type); break;
    case 1: probe_group(w, type); break;
    case 2: probe_expand(w); break;
    case 3: probe_words(w, type); break;
    default: probe_list(w, type);
    }
}

/* ---- one document */

static void probe_by_number(struct world *w, size_t type, const struct json *doc) {
    char target[200], text[128], detail[256];
    const char *name = serve_types[type]->name;
    Str number = json_get_str(doc, "number", (Str){0});
    struct json *tree = NULL;
    snprintf(target, sizeof target, "/api/v1/docs/%s/" STR_FMT, name, STR_ARG(number));
    if (!readable(w, type, target)) return;
    if (w->model.terms[type].aggregates) {
        gate_world_refused(w, target, 403, groups_only);
    } else if (!given(w, type, 0)) {
        gate_world_refused(w, target, 400, "no field 'number'"); /* of whatever number, there or not */
        snprintf(target, sizeof target, "/api/v1/docs/%s/XX-999999", name);
        gate_world_refused(w, target, 400, "no field 'number'");
    } else if (!gate_model_shows(&w->model, type, doc)) {
        snprintf(text, sizeof text, "no %s '" STR_FMT "'", name, STR_ARG(number));
        gate_world_refused(w, target, 404, text);
    } else {
        if (gate_world_ask(w, target, &tree, detail) != 200 || !same_doc(w, type, tree, doc))
            gate_world_fault(w, target, "not the given fields", str_c(detail));
        json_free(tree);
    }
}

static void drive_get(struct world *w) {
    size_t type = below(w, GATE_MODEL_TYPES);
    const struct json *doc = json_at(docs_of(w, type), below(w, json_len(docs_of(w, type))));
    char target[200], text[128], detail[256];
    struct json *tree = NULL;
    long long id = json_get_int(doc, "id", 0);
    if (chance(w, 30)) {
        probe_by_number(w, type, doc);
        return;
    }
    snprintf(target, sizeof target, "/api/v1/docs/%s/%lld", serve_types[type]->name, id);
    if (!readable(w, type, target)) return;
    if (w->model.terms[type].aggregates) {
        gate_world_refused(w, target, 403, groups_only);
    } else if (!gate_model_shows(&w->model, type, doc)) {
        snprintf(text, sizeof text, "no %s with id %lld", serve_types[type]->name, id);
        gate_world_refused(w, target, 404, text);
    } else {
        if (gate_world_ask(w, target, &tree, detail) != 200 || !same_doc(w, type, tree, doc))
            gate_world_fault(w, target, "not the given fields", str_c(detail));
        json_free(tree);
    }
}

/* ---- a file, and the code that leads to a document */

static size_t lines_of(Str text) {
    size_t n = 0;
    for (size_t i = 0; i < text.len; i++) n += text.ptr[i] == '\n';
    return n;
}

/* As many rows as the model lists, each secret that is given, and (by gate_world_ask) none that is not. */
static void check_sheet(struct world *w, const char *target, size_t type, const struct filter *f) {
    const struct json *want[ORDERS + 1];
    char detail[256];
    size_t n = expect_docs(w, type, f, -1, false, want);
    int status = gate_world_ask(w, target, NULL, detail);
    bool same = status == 200 && lines_of(w->last) == n + 1;
    for (size_t i = 0; same && i < w->n_secrets; i++) {
        const struct secret *s = &w->secrets[i];
        const struct json *doc = json_at(docs_of(w, s->type), s->doc);
        bool times =
            gate_model_kind(&w->model, s->type, s->column) == FIELD_TIME; /* a sheet has its own form of them */
        if (s->type != type || times || !given(w, type, s->column) || !matches(w, type, doc, f)) continue;
        same = str_find(w->last, str_c(s->text)) >= 0;
    }
    if (!same) gate_world_fault(w, target, "another table than the model's", w->last);
}

static void drive_export(struct world *w) {
    size_t type = below(w, GATE_MODEL_TYPES);
    char target[500], text[128];
    struct filter f = draw_filter(w, type);
    snprintf(target, sizeof target, "/api/v1/docs/%s/export?format=csv&lang=en", serve_types[type]->name);
    int column = chance(w, 20) ? (int)below(w, gate_model_columns(&w->model, type)) : -1;
    if (column >= 0)
        snprintf(target + strlen(target), 100, "&fields=%s", gate_model_column_name(&w->model, type, column));
    add_filter(w, type, &f, target, sizeof target);
    if (!readable(w, type, target)) return;
    if (f.column >= 0 && !given(w, type, f.column) && (column < 0 || (given(w, type, column) && column != 2))) {
        no_field(w, target, type, f.column);
    } else if (column >= 0) { /* a sheet has no column for the version, given or not */
        snprintf(text, sizeof text, "no field '%s' of '%s'", gate_model_column_name(&w->model, type, column),
                 serve_types[type]->name);
        if (!given(w, type, column) || column == 2) gate_world_refused(w, target, 400, f.column < 0 ? text : NULL);
    } else if (w->model.terms[type].aggregates) {
        gate_world_refused(w, target, 403, groups_only);
    } else {
        check_sheet(w, target, type, &f);
    }
}

static void drive_qr(struct world *w) {
    size_t type = below(w, GATE_MODEL_TYPES);
    const struct json *doc = json_at(docs_of(w, type), below(w, json_len(docs_of(w, type))));
    char target[200], detail[256];
    snprintf(target, sizeof target, "/api/v1/docs/%s/%lld/qr", serve_types[type]->name,
             (long long)json_get_int(doc, "id", 0));
    if (!readable(w, type, target)) return;
    if (w->model.terms[type].aggregates)
        gate_world_refused(w, target, 403, groups_only);
    else if (!gate_model_shows(&w->model, type, doc))
        gate_world_refused(w, target, 404, NULL);
    else if (gate_world_ask(w, target, NULL, detail) != 200)
        gate_world_fault(w, target, "refused", str_c(detail));
}

/* Nothing stands on the paper that was not given. */
static void check_paper(struct world *w, const char *target, size_t type) {
    const struct doctype *t = serve_types[type];
    char label[200];
    for (int c = 0; c < (int)gate_model_columns(&w->model, type); c++) {
        int i = doctype_field(t, str_c(gate_model_column_name(&w->model, type, c)));
        if (i < 0 || given(w, type, c)) continue;
        snprintf(label, sizeof label, "\"label\":\"%s\"",
                 t->fields[i].title_en ? t->fields[i].title_en : t->fields[i].name);
        if (str_find(w->last, str_c(label)) >= 0)
            gate_world_fault(w, target, "a field on paper that is not given", w->last);
    }
}

static void drive_print(struct world *w) {
    size_t type = below(w, GATE_MODEL_TYPES);
    const struct json *doc = json_at(docs_of(w, type), below(w, json_len(docs_of(w, type))));
    char target[200], detail[256];
    snprintf(target, sizeof target, "/api/v1/docs/%s/%lld/print?format=json&lang=en", serve_types[type]->name,
             (long long)json_get_int(doc, "id", 0));
    if (!readable(w, type, target)) return;
    if (w->model.terms[type].aggregates)
        gate_world_refused(w, target, 403, groups_only);
    else if (!gate_model_shows(&w->model, type, doc))
        gate_world_refused(w, target, 404, NULL);
    else if (gate_world_ask(w, target, NULL, detail) != 200)
        gate_world_fault(w, target, "refused", str_c(detail));
    else
        check_paper(w, target, type);
}

/* ---- things and series */

static const char *no_machine(char out[160], const char *name) {
    snprintf(out, 160, "no machine '%s': see /api/v1/things", name);
    return out;
}

static bool any_series(struct world *w, const char *target) {
    char text[128];
    if (w->model.n_series > 0) return true;
    snprintf(text, sizeof text, "AG-%06lld gives no machines and no series", w->agreement);
    gate_world_refused(w, target, 403, text);
    return false;
}

static void drive_things(struct world *w) {
    char detail[256];
    struct json *tree = NULL;
    size_t n = 0;
    const char *target = "/api/v1/things?limit=2", *more = "/api/v1/things?limit=2&cursor=m-2";
    if (!any_series(w, target)) return;
    bool second = chance(w, 50);
    int status = gate_world_ask(w, second ? more : target, &tree, detail);
    const struct json *items = json_get(tree, "items");
    bool same = status == 200 && items;
    for (size_t i = 0; same && i < GATE_MODEL_THINGS; i++) {
        if (!gate_model_grant(&w->model, i, -1)) continue;
        if (second && strcmp(gate_model_things[i], "m-2") <= 0) continue;
        if (n == 2) break;
        const struct json *item = json_at(items, n++);
        same = n <= json_len(items) && json_len(item) == 2 &&
               str_eq_c(json_get_str(item, "name", (Str){0}), gate_model_things[i]) &&
               str_eq_c(json_get_str(item, "model", (Str){0}), gate_model_thing_models[i]);
    }
    struct buf text = {0};
    if (!same || json_len(items) != n)
        dump(tree, &text), gate_world_fault(w, target, "other machines", buf_view(&text));
    buf_fini(&text);
    json_free(tree);
}

static bool latest_is(const struct json *latest, const char *metric, Nanos at, double value) {
    char time[TIME_TEXT_MAX];
    for (size_t i = 0; i < json_len(latest); i++)
        if (str_eq_c(json_get_str(json_at(latest, i), "metric", (Str){0}), metric))
            return str_eq(json_get_str(json_at(latest, i), "time", (Str){0}), time_format(at, time)) &&
                   json_get_num(json_at(latest, i), "value", NAN) == value;
    return false;
}

static void drive_thing(struct world *w) {
    size_t thing = below(w, GATE_MODEL_THINGS);
    char target[200], escaped[100], text[160], detail[256];
    struct json *tree = NULL;
    size_t n = 0;
    Nanos last = SERVE_RIG_START + (GATE_MODEL_MINUTES - 1) * NANOS_PER_MIN;
    snprintf(target, sizeof target, "/api/v1/things/%s",
             gate_world_escape(gate_model_things[thing], escaped, sizeof escaped));
    if (!any_series(w, target)) return;
    if (!gate_model_grant(&w->model, thing, -1)) {
        gate_world_refused(w, target, 404, no_machine(text, gate_model_things[thing]));
        return;
    }
    int status = gate_world_ask(w, target, &tree, detail);
    const struct json *latest = json_get(tree, "latest");
    bool same = status == 200 && latest && json_len(tree) == 4; /* name, model, latest, agreement */
    for (int i = 0; same && i < GATE_MODEL_METRICS; i++) {
        const struct gate_model_series *s = gate_model_grant(&w->model, thing, i);
        if (!s || strcmp(s->resolution, "raw") != 0 || last < w->model.from) continue;
        n++;
        same = latest_is(latest, gate_model_metrics[i], last, w->model.samples[thing][i][GATE_MODEL_MINUTES - 1]);
    }
    struct buf body = {0};
    if (!same || json_len(latest) != n)
        dump(tree, &body), gate_world_fault(w, target, "another machine", buf_view(&body));
    buf_fini(&body);
    json_free(tree);
}

struct span {
    Nanos from, to, window;
};

static Nanos hour_of(Nanos t) { return t - t % NANOS_PER_HOUR; }

/* What is really shown of a question, whole hours unless single samples are given. */
static struct span allowed(const struct world *w, const struct gate_model_series *s, struct span asked) {
    struct span out = asked;
    Nanos now = atomic_load(&w->rig.now), end = w->model.to;
    if (strcmp(s->resolution, "raw") != 0) {
        out.from = hour_of(asked.from);
        out.to = hour_of(asked.to + NANOS_PER_HOUR - 1);
        out.window = asked.window == 0 ? NANOS_PER_HOUR : hour_of(asked.window + NANOS_PER_HOUR - 1);
        if (end > hour_of(now)) end = hour_of(now);
    }
    if (out.from < w->model.from) out.from = w->model.from;
    if (out.to > end) out.to = end;
    return out;
}

struct window {
    Nanos start;
    double sum, min, max;
    unsigned n;
};

static size_t windows(const struct world *w, size_t thing, int metric, struct span span, struct window *out) {
    size_t n = 0;
    for (int i = 0; i < GATE_MODEL_MINUTES; i++) {
        Nanos t = SERVE_RIG_START + i * NANOS_PER_MIN, start = span.window ? t - t % span.window : t;
        double v = w->model.samples[thing][metric][i];
        if (t < span.from || t >= span.to) continue;
        if (n == 0 || out[n - 1].start != start) out[n++] = (struct window){.start = start, .min = v, .max = v};
        struct window *p = &out[n - 1];
        p->sum += v;
        p->n++;
        if (v < p->min) p->min = v;
        if (v > p->max) p->max = v;
    }
    return n;
}

static bool near(double a, double b) { return fabs(a - b) <= 1e-9 * (fabs(a) + fabs(b)); }

static bool same_point(const struct json *got, const struct window *want, bool raw, double scale) {
    if (json_len(got) != (raw ? 2 : 4) || json_num(json_at(got, 0)) * 1e6 != (double)want->start) return false;
    double avg = want->sum / want->n * scale;
    if (raw) return near(json_num(json_at(got, 1)), avg);
    return near(json_num(json_at(got, 1)), avg) && near(json_num(json_at(got, 2)), want->min * scale) &&
           near(json_num(json_at(got, 3)), want->max * scale);
}

static void check_series(struct world *w, const char *target, size_t thing, int metric, struct span asked) {
    static struct window want[GATE_MODEL_MINUTES], first[GATE_MODEL_MINUTES];
    char detail[256];
    struct json *tree = NULL;
    const struct gate_model_series *s = gate_model_grant(&w->model, thing, metric);
    size_t n = 0;
    double scale = 1;
    bool raw = s && strcmp(s->resolution, "raw") == 0 && asked.window == 0;
    if (s) n = windows(w, thing, metric, allowed(w, s, asked), want);
    if (s && strcmp(s->resolution, "index") == 0) {
        struct span all = allowed(w, s, (struct span){SERVE_RIG_START, INT64_MAX / 2, NANOS_PER_HOUR});
        if (windows(w, thing, metric, all, first) > 0) scale = 100 / (first[0].sum / first[0].n);
    }
    int status = gate_world_ask(w, target, &tree, detail);
    const struct json *points = json_get(tree, "points");
    bool same = status == 200 && points && json_len(points) == n;
    for (size_t i = 0; same && i < n; i++) same = same_point(json_at(points, i), &want[i], raw, scale);
    struct buf body = {0};
    if (!same) dump(tree, &body), gate_world_fault(w, target, "not the model's series", buf_view(&body));
    buf_fini(&body);
    json_free(tree);
}

static void drive_series(struct world *w) {
    static const struct {
        const char *text;
        Nanos window;
    } spans[] = {{"0", 0},
                 {"auto", 0},
                 {"15m", 15 * NANOS_PER_MIN},
                 {"1h", NANOS_PER_HOUR},
                 {"90m", 90 * NANOS_PER_MIN},
                 {"1d", NANOS_PER_DAY}};
    size_t thing = below(w, GATE_MODEL_THINGS), window = below(w, 6);
    int metric = (int)below(w, GATE_MODEL_METRICS);
    char target[300], escaped[100], text[160];
    struct span asked = {.from = SERVE_RIG_START + (Nanos)below(w, 260) * NANOS_PER_MIN,
                         .window = spans[window].window};
    asked.to = asked.from + (Nanos)(1 + below(w, 200)) * NANOS_PER_MIN;
    snprintf(target, sizeof target, "/api/v1/series?thing=%s&metric=%s&window=%s&from=%lld&to=%lld",
             gate_world_escape(gate_model_things[thing], escaped, sizeof escaped), gate_model_metrics[metric],
             spans[window].text, (long long)(asked.from / NANOS_PER_MS), (long long)(asked.to / NANOS_PER_MS));
    if (!any_series(w, target)) return;
    if (gate_model_grant(&w->model, thing, -1))
        check_series(w, target, thing, metric, asked);
    else
        gate_world_refused(w, target, 404, no_machine(text, gate_model_things[thing]));
}

/* ---- what is told as it happens */

#define PATIENCE (60 * NANOS_PER_S)
#define SILENCE (700 * NANOS_PER_MS)

static bool same_event(const struct world *w, size_t type, const struct json *got, const struct json *want) {
    static const char *const members[] = {"number", "state", "thing"};
    size_t n = 3; /* type, id, agreement */
    if (json_get_int(got, "id", -1) != json_get_int(want, "id", -2)) return false;
    for (size_t i = 0; i < sizeof members / sizeof *members; i++) {
        int column = gate_model_column(&w->model, type, str_c(members[i]));
        bool shown = column >= 0 && given(w, type, column);
        if (!shown && json_get(got, members[i])) return false;
        if (!shown) continue;
        if (!str_eq(json_get_str(got, members[i], (Str){0}), json_get_str(want, members[i], (Str){0}))) return false;
        n++;
    }
    return json_len(got) == n;
}

static void check_event(struct world *w, size_t type, size_t doc, Str heard) {
    struct json *event = NULL;
    ptrdiff_t at = str_find(heard, STR("event: doc\ndata: "));
    Str data = str_slice(heard, (size_t)at + 17, heard.len);
    data.len = (size_t)str_find(data, STR("\n\n"));
    if (json_parse(data, &event).code != ERR_NONE || !same_event(w, type, event, json_at(docs_of(w, type), doc)) ||
        !gate_world_noted(w, 1))
        gate_world_fault(w, "live", "not the given fields, or not once in the owner's log", data);
    json_free(event);
}

static bool is_told(const struct world *w, size_t type, size_t doc) {
    const struct gate_model_type *terms = &w->model.terms[type];
    return (type != 2 || w->may_memo) && terms->given && !terms->aggregates &&
           gate_model_shows(&w->model, type, json_at(docs_of(w, type), doc));
}

static void listen(struct world *w, struct http_client *c, size_t type, size_t doc) {
    if (!gate_world_touch(w, type, doc)) return;
    bool told = is_told(w, type, doc);
    bool heard = http_client_wait(c, "event: doc", told ? PATIENCE : SILENCE) && http_client_wait(c, "}\n\n", PATIENCE);
    gate_world_secrets(w, "live", buf_view(&c->in));
    if (heard != told)
        gate_world_fault(w, "live", told ? "not told" : "told of what is not given", buf_view(&c->in));
    else if (told)
        check_event(w, type, doc, buf_view(&c->in));
    else if (!gate_world_noted(w, 0))
        gate_world_fault(w, "live", "silence stands in the owner's log", (Str){0});
}

/* Seldom, since each takes as long as an event may. */
static void drive_live(struct world *w) {
    struct http_client c;
    char text[300];
    if (!chance(w, 1)) return;
    size_t type = below(w, GATE_MODEL_TYPES), doc = below(w, json_len(docs_of(w, type)));
    for (int i = 0; i < 9 && !is_told(w, type, doc); i++) { /* most of them should be, and some not */
        type = below(w, GATE_MODEL_TYPES);
        doc = below(w, json_len(docs_of(w, type)));
    }
    http_client_open(&c, serve_address(w->rig.serve));
    snprintf(text, sizeof text,
             "GET /api/v1/live?agreement=%lld HTTP/1.1\r\nHost: t\r\nAuthorization: Bearer %s\r\n\r\n", w->agreement,
             w->reader);
    http_client_send(&c, str_c(text));
    if (http_client_wait(&c, "retry: 2000", PATIENCE))
        listen(w, &c, type, doc);
    else
        gate_world_fault(w, "live", "no stream", buf_view(&c.in));
    http_client_close(&c);
}

/* ---- the paths */

static const struct driver {
    const char *id, *dead; /* dead: an address that must be refused once the agreement has ended */
    void (*drive)(struct world *w);
} drivers[] = {
    {"export", "/api/v1/docs/order/export", drive_export},
    {"qr", "/api/v1/docs/order/1/qr", drive_qr},
    {"print", "/api/v1/docs/order/1/print?format=json", drive_print},
    {"list", "/api/v1/docs/order", drive_list},
    {"get", "/api/v1/docs/order/1", drive_get},
    {"listThings", "/api/v1/things", drive_things},
    {"getThing", "/api/v1/things/m-1", drive_thing},
    {"getSeries", "/api/v1/series?thing=m-1&metric=volt", drive_series},
    {"sql", "/api/v1/sql?sql=select+1", serve_gate_sql_drive},
    {"live", "/api/v1/live", drive_live},
};

static const struct driver *driver_of(const char *id) {
    for (size_t i = 0; i < sizeof drivers / sizeof *drivers; i++)
        if (strcmp(drivers[i].id, id) == 0) return &drivers[i];
    return NULL;
}

static const struct path *path_of(const char *id) {
    for (size_t i = 0; i < PATHS; i++)
        if (strcmp(paths[i].id, id) == 0) return &paths[i];
    return NULL;
}

static void table_is_whole(void) {
    unit_case("every route that reads is in the table, and every shared one has a driver");
    for (size_t place = 0; api_route(place); place++) {
        const struct route *r = api_route(place);
        const struct path *path = path_of(r->id);
        if (r->method == HTTP_GET && !CHECK(path != NULL)) printf("  %s\n", r->id);
        if (path && !CHECK_INT((r->flags & ROUTE_SHARED) != 0, path->kind == SHARED)) printf("  %s\n", r->id);
    }
    for (size_t i = 0; i < PATHS; i++)
        if (paths[i].kind == SHARED && !CHECK(driver_of(paths[i].id) != NULL)) printf("  %s\n", paths[i].id);
}

/* Ended, nothing of it is left; and nobody but the receiver ever had any of it. */
static void nobody_else(struct world *w, const struct driver *d) {
    const char *reader = w->reader;
    w->reader = w->third;
    gate_world_refused(w, d->dead, 404, NULL);
    w->reader = w->rig.manager;
    gate_world_refused(w, d->dead, 403, NULL);
    w->reader = reader;
}

static void end_agreement(struct world *w) {
    char target[80], text[100];
    snprintf(target, sizeof target, "/api/v1/agreements/%lld/end", w->agreement);
    serve_rig_json(&w->rig, w->rig.manager, "POST", target, NULL, 200);
    snprintf(text, sizeof text, "AG-%06lld is ended: nothing can be read under it now", w->agreement);
    for (size_t i = 0; i < sizeof drivers / sizeof *drivers; i++) gate_world_refused(w, drivers[i].dead, 403, text);
}

static void one_round(struct world *w) {
    bool manager = chance(w, 60);
    w->reader = manager ? w->rig.stranger : w->viewer;
    w->may_memo = manager;
    if (!gate_world_agree(w)) return;
    for (size_t i = 0; i < PATHS; i++)
        for (int k = 0; paths[i].kind == SHARED && k < PROBES; k++) driver_of(paths[i].id)->drive(w);
    nobody_else(w, &drivers[below(w, sizeof drivers / sizeof *drivers)]);
    end_agreement(w);
}

/* ---- one's own party */

static Str fill(const char *path, char *out, size_t size) {
    size_t n = 0;
    for (; *path && n + 8 < size; path++) {
        if (*path != '{') {
            out[n++] = *path;
            continue;
        }
        n += (size_t)snprintf(out + n, size - n, "%s", strncmp(path, "{type", 5) == 0 ? "order" : "1");
        path = strchr(path, '}');
    }
    out[n] = '\0';
    return str_n(out, n);
}

static void own_paths(struct world *w) {
    char target[200], shared[240];
    unit_case("without an agreement no path shows anything of another party");
    memset(w->model.terms, 0, sizeof w->model.terms);
    for (size_t place = 0; api_route(place); place++) {
        const struct route *r = api_route(place);
        if (r->method != HTTP_GET || strcmp(r->id, "live") == 0) continue;
        fill(r->path, target, sizeof target);
        struct http_answer a = serve_rig_ask(&w->rig, w->rig.stranger, "GET", target, NULL);
        gate_world_secrets(w, target, a.body);
        snprintf(shared, sizeof shared, "%s?agreement=1", target);
        a = serve_rig_ask(&w->rig, w->rig.stranger, "GET", shared, NULL);
        const struct path *path = path_of(r->id);
        bool own_meaning = strcmp(r->id, "listDisclosures") == 0 || (r->flags & ROUTE_ANY_PARAMS);
        if (path && path->kind != SHARED && !own_meaning && a.status != 404) CHECK_INT(a.status, 400);
    }
    CHECK_INT(w->faults, 0);
}

static void own_party(struct world *w) {
    struct serve_rig *rig = &w->rig;
    const struct json *v;
    unit_case("one's own rows, without what others added");
    v = serve_rig_json(rig, rig->stranger, "GET", "/api/v1/docs/order", NULL, 200);
    CHECK_AT(v, "items", "[3]");
    CHECK_AT(v, "items.0.x_ours", "absent");
    v = serve_rig_json(rig, rig->manager, "GET", "/api/v1/docs/order/1", NULL, 200);
    CHECK_AT(v, "x_theirs", "absent");
    serve_rig_json(rig, rig->manager, "GET", "/api/v1/docs/order?x_theirs=a", NULL, 400);
    unit_case("a role reads the types that name it, secrets are for the staff");
    serve_rig_json(rig, rig->viewer, "GET", "/api/v1/docs/memo", NULL, 403);
    serve_rig_json(rig, rig->manager, "GET", "/api/v1/docs/memo", NULL, 200);
    own_paths(w);
}

void gate_paths_test(void) {
    struct world *w = calloc(1, sizeof *w);
    ASSERT(w);
    const char *rounds = getenv("WEFT_GATE_ROUNDS"), *seed = getenv("WEFT_GATE_SEED");
    int n = rounds ? atoi(rounds) : ROUNDS;
    w->random = seed ? strtoull(seed, NULL, 10) : 1;
    table_is_whole();
    if (gate_world_open(w)) {
        own_party(w);
        unit_case("random agreements against the plain model");
        for (int i = 0; i < n && w->faults < FAULTS_MAX; i++) one_round(w);
        CHECK_INT(w->faults, 0);
        CHECK(w->asked > (unsigned)n * 10 || w->faults > 0);
    }
    gate_world_close(w);
    free(w);
}
