#include "document/import_columns.h"

#include <string.h>

#define CANDIDATES_MAX (DOCTYPE_FIELDS_MAX * (1 + DOCTYPE_LINES_MAX))
#define PLAIN_MAX 128

bool import_columns_takes(const struct field *f) {
    return !f->computed && !f->compute && !f->hidden && f->kind != FIELD_FILE && f->kind != FIELD_LINES;
}

/* ---- a target as text */

static int lines_place(const struct doctype *type, int field) {
    int k = 0;
    for (int i = 0; i < field; i++) k += type->fields[i].kind == FIELD_LINES;
    return k;
}

static bool shows(const struct doctype *type, const struct lens *lens, int lines, int field) {
    if (field < 0) return false;
    uint64_t mask = lines < 0 ? lens->fields : lens->lines[lines_place(type, lines)];
    return mask >> field & 1;
}

static Err no_target(const struct doctype *type, Str text) {
    return err_make(ERR_INVALID, "'%s' has no field '" STR_FMT "' that a table fills: GET /api/v1/docs lists them",
                    type->name, STR_ARG(str_slice(text, 0, 60)));
}

static Err parse_in(const struct documents *d, const struct doctype *type, const struct doctype *rows, Str text,
                    struct import_target *out) {
    Str name, tail;
    bool deeper = str_cut(text, '.', &name, &tail);
    out->field = doctype_field(rows, name);
    if (out->field < 0 || !import_columns_takes(&rows->fields[out->field])) return no_target(type, text);
    out->field_of = &rows->fields[out->field];
    out->what = IMPORT_FIELD;
    if (out->field_of->kind == FIELD_REF) out->ref = documents_type(d, str_c(out->field_of->ref));
    if (!deeper) return err_none();
    if (out->field_of->kind == FIELD_MONEY && str_eq_c(tail, "currency")) {
        out->what = IMPORT_CURRENCY;
        return err_none();
    }
    int by = out->ref ? doctype_field(out->ref, tail) : -1;
    if (out->ref && str_eq_c(tail, "number"))
        out->by = "number";
    else if (by >= 0)
        out->by = out->ref->fields[by].name;
    else
        return no_target(type, text);
    return err_none();
}

Err import_columns_parse(const struct documents *d, const struct doctype *type, const struct lens *lens, Str text,
                         struct import_target *out) {
    Str name, tail;
    *out = (struct import_target){.lines = -1, .field = -1};
    if (text.len == 0) return err_none();
    if (str_eq_c(text, "number") && doctype_field(type, text) < 0) {
        out->what = IMPORT_GROUP;
        return err_none();
    }
    int i = str_cut(text, '.', &name, &tail) ? doctype_field(type, name) : -1;
    if (i >= 0 && type->fields[i].kind == FIELD_LINES) {
        if (!(lens->fields >> i & 1)) return no_target(type, text);
        TRY(parse_in(d, type, type->fields[i].lines, tail, out));
        out->lines = i;
    } else {
        TRY(parse_in(d, type, type, text, out));
    }
    return shows(type, lens, out->lines, out->field) ? err_none() : no_target(type, text);
}

/* ---- headings that people write */

/* "* 数量 (kg)" as "数量kg", or without what stands in brackets as "数量". */
static Str plain_text(Str heading, bool brackets, struct arena *arena) {
    char *out = arena_alloc(arena, heading.len + 1);
    size_t n = 0;
    for (size_t i = 0; i < heading.len && n < PLAIN_MAX; i++) {
        unsigned char c = (unsigned char)heading.ptr[i];
        Str rest = str_slice(heading, i, heading.len);
        if (!brackets && n > 0 && (c == '(' || c == '[' || str_starts(rest, STR("（")) || str_starts(rest, STR("【"))))
            break;
        if (c >= 'A' && c <= 'Z') c = (unsigned char)(c + 32);
        if (c >= 0x80 || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || c == '.' || c == '/') out[n++] = (char)c;
    }
    return str_n(out, n);
}

struct candidate {
    Str target, names[4], whole[4]; /* without and with what stands in brackets */
    bool used;
};

static void name_it(struct candidate *c, int i, Str name, struct arena *arena) {
    c->names[i] = plain_text(name, false, arena);
    c->whole[i] = plain_text(name, true, arena);
}

static void add_candidate(struct candidate *list, size_t *n, Str target, const struct field *lines,
                          const struct field *f, struct arena *arena) {
    if (*n == CANDIDATES_MAX) return;
    struct candidate *c = &list[(*n)++];
    const char *const titles[] = {f->title_en, f->title_zh};
    *c = (struct candidate){.target = target};
    name_it(c, 0, target, arena);
    for (int i = 0; i < 2; i++) {
        if (!titles[i]) continue;
        const char *list_title = !lines ? NULL : i ? lines->title_zh : lines->title_en;
        Str whole = list_title ? arena_printf(arena, "%s/%s", list_title, titles[i]) : str_c(titles[i]);
        name_it(c, 1 + i, whole, arena);
    }
    if (lines) name_it(c, 3, str_c(f->name), arena);
}

static void add_currency(struct candidate *list, size_t *n, Str target, const struct field *f, struct arena *arena) {
    if (*n == CANDIDATES_MAX || f->kind != FIELD_MONEY || f->currency) return;
    struct candidate *c = &list[(*n)++];
    *c = (struct candidate){.target = arena_printf(arena, STR_FMT ".currency", STR_ARG(target))};
    name_it(c, 0, c->target, arena);
    if (f->title_en) name_it(c, 1, arena_printf(arena, "%s/currency", f->title_en), arena);
    if (f->title_zh) name_it(c, 2, arena_printf(arena, "%s/币种", f->title_zh), arena);
}

static size_t list_candidates(const struct doctype *type, const struct lens *lens, struct arena *arena,
                              struct candidate *list) {
    size_t n = 0;
    for (size_t i = 0; i < type->n_fields; i++) {
        const struct field *f = &type->fields[i];
        if (!(lens->fields >> i & 1)) continue;
        if (import_columns_takes(f)) add_candidate(list, &n, str_c(f->name), NULL, f, arena);
        add_currency(list, &n, str_c(f->name), f, arena);
        for (size_t k = 0; f->kind == FIELD_LINES && k < f->lines->n_fields; k++)
            if (import_columns_takes(&f->lines->fields[k]) && shows(type, lens, (int)i, (int)k))
                add_candidate(list, &n, arena_printf(arena, "%s.%s", f->name, f->lines->fields[k].name), f,
                              &f->lines->fields[k], arena);
    }
    static const struct field number = {.name = "number", .title_en = "Number", .title_zh = "单号"};
    if (doctype_field(type, STR("number")) < 0) add_candidate(list, &n, STR("number"), NULL, &number, arena);
    return n;
}

/* Levenshtein, of texts short enough; above the bound it does not matter by how much. */
static size_t distance(Str a, Str b, size_t bound) {
    size_t row[PLAIN_MAX + 1];
    if (a.len > PLAIN_MAX || b.len > PLAIN_MAX || (a.len > b.len ? a.len - b.len : b.len - a.len) > bound)
        return bound + 1;
    for (size_t k = 0; k <= b.len; k++) row[k] = k;
    for (size_t i = 1; i <= a.len; i++) {
        size_t corner = row[0];
        row[0] = i;
        for (size_t k = 1; k <= b.len; k++) {
            size_t change = corner + (a.ptr[i - 1] != b.ptr[k - 1]);
            size_t gap = (row[k] < row[k - 1] ? row[k] : row[k - 1]) + 1;
            corner = row[k];
            row[k] = change < gap ? change : gap;
        }
    }
    return row[b.len];
}

enum { LIKE_WHOLE, LIKE_EXACT, LIKE_TYPO, LIKE_PART, LIKES };

static bool is_like(Str heading, Str name, int how) {
    if (name.len == 0 || heading.len == 0) return false;
    if (how <= LIKE_EXACT) return str_eq(heading, name);
    if (how == LIKE_TYPO) return name.len >= 4 && distance(heading, name, name.len / 4) <= name.len / 4;
    size_t shorter = heading.len < name.len ? heading.len : name.len;
    return shorter >= 4 && (str_find(heading, name) >= 0 || str_find(name, heading) >= 0);
}

static struct candidate *best(struct candidate *list, size_t n, Str heading, int how, struct arena *arena) {
    Str text = plain_text(heading, how == LIKE_WHOLE, arena);
    for (size_t k = 0; k < 4; k++)
        for (size_t i = 0; i < n; i++)
            if (!list[i].used && is_like(text, how == LIKE_WHOLE ? list[i].whole[k] : list[i].names[k], how))
                return &list[i];
    return NULL;
}

void import_columns_propose(const struct doctype *type, const struct lens *lens, const Str *headings, size_t n,
                            struct arena *arena, Str *targets) {
    struct candidate *list = arena_zero(arena, CANDIDATES_MAX, sizeof *list);
    size_t n_list = list_candidates(type, lens, arena, list);
    for (size_t i = 0; i < n; i++) targets[i] = (Str){0};
    for (int how = 0; how < LIKES; how++)
        for (size_t i = 0; i < n; i++) {
            struct candidate *c = targets[i].len > 0 ? NULL : best(list, n_list, headings[i], how, arena);
            if (!c) continue;
            c->used = true;
            targets[i] = c->target;
        }
}
