/* SQLite's failures in the words of the house: what, where in the text, and what may have been meant. */
#include <string.h>

#include "serve/sql_inner.h"

Str sql_errors_missing(struct sql_session *s, const char *what) {
    Str text = str_c(sqlite3_errmsg(s->db)), head = str_c(what);
    return str_starts(text, head) ? str_slice(text, head.len, text.len) : (Str){0};
}

/* ---- what may have been meant: the name at the least distance (Levenshtein), if that is small */

#define NAME_MAX 60

static char lower(char c) { return c >= 'A' && c <= 'Z' ? (char)(c + 32) : c; }

static size_t distance(Str a, Str b) {
    size_t row[NAME_MAX + 1];
    if (a.len > NAME_MAX || b.len > NAME_MAX) return NAME_MAX;
    for (size_t k = 0; k <= b.len; k++) row[k] = k;
    for (size_t i = 1; i <= a.len; i++) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t k = 1; k <= b.len; k++) {
            size_t change = diagonal + (lower(a.ptr[i - 1]) != lower(b.ptr[k - 1]));
            diagonal = row[k];
            size_t least = row[k - 1] < row[k] ? row[k - 1] + 1 : row[k] + 1;
            row[k] = change < least ? change : least;
        }
    }
    return row[b.len];
}

struct guess {
    Str meant, best;
    size_t least;
};

static void weigh(struct guess *g, const char *name) {
    size_t d = distance(g->meant, str_c(name));
    if (d >= g->least) return;
    g->least = d;
    g->best = str_c(name);
}

static struct guess guess_for(Str meant) { return (struct guess){.meant = meant, .least = meant.len / 3 + 2}; }

static void weigh_columns(struct sql_session *s, struct guess *g) {
    for (size_t i = 0; i < s->n_tables; i++)
        for (size_t k = 0; k < s->tables[i]->about.n_columns; k++) weigh(g, s->tables[i]->about.columns[k].name);
}

static void weigh_tables(struct sql_session *s, struct guess *g) {
    struct sql_table_about *tables;
    size_t n;
    if (sql_names_list(s, &tables, &n).code != ERR_NONE) return;
    for (size_t i = 0; i < n; i++) weigh(g, tables[i].name);
}

/* ---- where */

struct place {
    size_t line, column; /* from 1; line 0: nowhere */
};

static struct place place_of(const struct sql_session *s, Str text) {
    int at = sqlite3_error_offset(s->db);
    struct place p = {.line = 1, .column = 1};
    if (at < 0 || (size_t)at > text.len) return (struct place){0};
    for (size_t i = 0; i < (size_t)at; i++) {
        p.column += (text.ptr[i] & 0xc0) != 0x80;
        if (text.ptr[i] == '\n') p = (struct place){p.line + 1, 1};
    }
    return p;
}

static Str where(const struct sql_session *s, Str text) {
    struct place p = place_of(s, text);
    return p.line ? arena_printf(s->arena, "line %zu, column %zu: ", p.line, p.column) : (Str){0};
}

static Err say_missing(struct sql_session *s, Str text, const char *kind, Str name) {
    struct guess g = guess_for(name);
    Str tail = name;
    while (str_find(tail, STR(".")) >= 0) tail = str_slice(tail, (size_t)str_find(tail, STR(".")) + 1, tail.len);
    bool table = strcmp(kind, "table") == 0;
    if (!table) g = guess_for(tail);
    if (table)
        weigh_tables(s, &g);
    else
        weigh_columns(s, &g);
    Str at = where(s, text);
    if (g.best.len > 0)
        return err_make(ERR_INVALID, STR_FMT "no %s '" STR_FMT "': did you mean '" STR_FMT "'?", STR_ARG(at), kind,
                        STR_ARG(str_slice(name, 0, 60)), STR_ARG(g.best));
    return err_make(ERR_INVALID, STR_FMT "no %s '" STR_FMT "': GET /api/v1/sql/tables lists what there is", STR_ARG(at),
                    kind, STR_ARG(str_slice(name, 0, 60)));
}

static Err no_memory(const struct sql_session *s) {
    return err_make(ERR_LIMIT,
                    "the statement needs more than %zu MiB of memory: bound the time, or sort, group and join less",
                    s->heap.limit >> 20);
}

Err sql_errors_say(struct sql_session *s, int rc, Str text) {
    Str name;
    if (rc == SQLITE_NOMEM || s->heap.refused) return no_memory(s);
    if (s->err.code != ERR_NONE) return s->err;
    if (rc == SQLITE_TOOBIG)
        return err_make(ERR_LIMIT,
                        "a text, or the statement itself, is longer than its limit: texts of 1 MiB, statements "
                        "of 64 KiB");
    if ((name = sql_errors_missing(s, "no such table: ")).len > 0) return say_missing(s, text, "table", name);
    if ((name = sql_errors_missing(s, "no such column: ")).len > 0) return say_missing(s, text, "column", name);
    if ((name = sql_errors_missing(s, "no such function: ")).len > 0) return say_missing(s, text, "function", name);
    if (str_ends(str_c(sqlite3_errmsg(s->db)), STR("may not be modified")))
        return err_make(ERR_INVALID, "only SELECT is run here: documents are written at /api/v1/docs");
    if (rc == SQLITE_INTERRUPT) return err_make(ERR_CANCELLED, "the statement was stopped");
    Str at = where(s, text);
    return err_make(ERR_INVALID, STR_FMT "%.180s", STR_ARG(at), sqlite3_errmsg(s->db));
}
