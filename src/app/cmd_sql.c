/*
 * `weft sql "select …"`: the SQL of /api/v1/sql on the folder of a running server, with the eyes of a party of it. A
 * table as people read it, columns under each other also where the text is Chinese; or CSV, or JSON.
 */
#include "app/cmd_sql.h"

#include <stdlib.h>
#include <string.h>

#include "base/vec.h"
#include "document/packs.h"
#include "insight/query.h"
#include "serve/sql.h"
#include "serve/sql_write.h"
#include "trust/gate.h"
#include "trust/people.h"

enum { ROWS_SHOWN = 10000, CELL_MAX = 60, COLUMNS_MAX = 200 };
#define FLUSH_AT ((size_t)64 * 1024)

/* ---- a table for people */

struct table {
    struct arena arena;
    size_t columns, n, cap; /* cells */
    Str *cells;             /* the first row is the names */
    bool *right;            /* numbers stand at the right */
};

static uint32_t code_at(Str s, size_t *at) {
    unsigned char c = (unsigned char)s.ptr[(*at)++];
    uint32_t code = c < 0x80 ? c : c < 0xe0 ? c & 0x1f : c < 0xf0 ? c & 0x0f : c & 0x07;
    while (*at < s.len && ((unsigned char)s.ptr[*at] & 0xc0) == 0x80)
        code = code << 6 | ((unsigned char)s.ptr[(*at)++] & 0x3f);
    return code;
}

/* East Asian wide characters take two places of a terminal (Unicode, annex 11). */
static unsigned width_of(uint32_t c) {
    static const uint32_t wide[][2] = {{0x1100, 0x115f},   {0x2e80, 0x303e},  {0x3041, 0xa4cf}, {0xac00, 0xd7a3},
                                       {0xf900, 0xfaff},   {0xfe30, 0xfe6f},  {0xff00, 0xff60}, {0xffe0, 0xffe6},
                                       {0x1f300, 0x1faff}, {0x20000, 0x3fffd}};
    for (size_t i = 0; i < sizeof wide / sizeof *wide; i++)
        if (c >= wide[i][0] && c <= wide[i][1]) return 2;
    return 1;
}

static unsigned width(Str s) {
    unsigned n = 0;
    for (size_t at = 0; at < s.len;) n += width_of(code_at(s, &at));
    return n;
}

/* One line, and not too long. */
static Str shown(struct arena *arena, Str s) {
    char *text = arena_alloc(arena, s.len + 4);
    size_t at = 0, n = 0;
    for (unsigned w = 0; at < s.len;) {
        size_t from = at;
        uint32_t c = code_at(s, &at);
        w += width_of(c);
        if (w > CELL_MAX) {
            memcpy(text + n, "…", 3);
            return str_n(text, n + 3);
        }
        if (c < 32 || c == 127)
            text[n++] = ' ';
        else
            memcpy(text + n, s.ptr + from, at - from), n += at - from;
    }
    return str_n(text, n);
}

static Err take_columns(void *ctx, const struct sql_column *columns, size_t n) {
    struct table *t = ctx;
    t->columns = n;
    t->right = arena_zero(&t->arena, n + 1, sizeof *t->right);
    for (size_t i = 0; i < n; i++) VEC_PUSH(t->cells, t->n, t->cap, shown(&t->arena, str_c(columns[i].name)));
    return err_none();
}

static Err take_row(void *ctx, const struct sql_value *row, size_t n) {
    struct table *t = ctx;
    struct buf text = {0};
    for (size_t i = 0; i < n; i++) {
        buf_clear(&text);
        sql_write_text(&text, &row[i]);
        t->right[i] = t->right[i] || row[i].value.kind == VALUE_INT || row[i].value.kind == VALUE_FLOAT ||
                      row[i].kind == SQL_DECIMAL;
        VEC_PUSH(t->cells, t->n, t->cap, shown(&t->arena, buf_view(&text)));
    }
    buf_fini(&text);
    return err_none();
}

static void add_cell(struct buf *out, Str s, unsigned wide, bool right, bool last) {
    unsigned fill = wide - width(s);
    for (unsigned i = 0; right && i < fill; i++) buf_byte(out, ' ');
    buf_str(out, s);
    for (unsigned i = 0; !right && !last && i < fill; i++) buf_byte(out, ' ');
}

static void print_table(const struct table *t, struct buf *out) {
    unsigned wide[COLUMNS_MAX + 300] = {0};
    if (t->columns == 0 || t->columns > sizeof wide / sizeof *wide) return;
    for (size_t i = 0; i < t->n; i++)
        if (width(t->cells[i]) > wide[i % t->columns]) wide[i % t->columns] = width(t->cells[i]);
    for (size_t i = 0; i < t->n; i++) {
        size_t c = i % t->columns;
        bool last = c + 1 == t->columns;
        if (c > 0) buf_c(out, "  ");
        add_cell(out, t->cells[i], wide[c], t->right[c], last);
        if (!last) continue;
        buf_byte(out, '\n');
        for (size_t k = 0; i < t->columns && k < t->columns; k++) { /* under the names */
            if (k > 0) buf_c(out, "  ");
            for (unsigned w = 0; w < wide[k]; w++) buf_c(out, "-");
        }
        if (i < t->columns) buf_byte(out, '\n');
    }
}

/* ---- what it reads */

struct reader {
    struct workspace *workspace;
    struct principal who;
};

static Err lens_of(void *ctx, const struct doctype *type, struct lens *out) {
    return gate_lens(&((const struct reader *)ctx)->who, type, "sql", out);
}

static Err party_name(void *ctx, PartyId party, struct arena *arena, Str *out) {
    return people_party_name(((const struct reader *)ctx)->workspace->people, party, arena, out);
}

static void say_tables(const struct sql_table_about *tables, size_t n, struct buf *out) {
    for (size_t i = 0; i < n; i++) {
        buf_printf(out, "%s (", tables[i].name);
        for (size_t k = 0; k < tables[i].n_columns; k++)
            buf_printf(out, "%s%s", k ? ", " : "", tables[i].columns[k].name);
        buf_c(out, ")\n");
    }
}

static Err answer_table(const struct sql_source *source, struct sql_order *order, struct arena *arena, struct buf *out,
                        struct sql_report *report) {
    struct table t = {.n = 0};
    struct sql_sink sink = {take_columns, take_row, &t};
    order->limits.rows = ROWS_SHOWN;
    order->limits.cut = true;
    arena_init(&t.arena, 0);
    Err err = sql_run(source, order, &sink, arena, report);
    if (err.code == ERR_NONE) print_table(&t, out);
    free(t.cells);
    arena_fini(&t.arena);
    return err;
}

static Err answer(const struct sql_source *source, Str text, bool csv, bool json, struct arena *arena, struct buf *out,
                  struct sql_report *report) {
    struct sql_order order = {.text = text};
    struct sql_write write = {.form = csv ? SQL_FORM_CSV : SQL_FORM_NDJSON, .out = out};
    struct sql_sink sink = sql_write_sink(&write);
    *report = (struct sql_report){0};
    if (str_eq_c(str_trim(text), ".tables")) {
        struct sql_table_about *tables;
        size_t n;
        TRY(sql_tables(source, arena, &tables, &n));
        say_tables(tables, n, out);
        return err_none();
    }
    return csv || json ? sql_run(source, &order, &sink, arena, report)
                       : answer_table(source, &order, arena, out, report);
}

static Err with_view(struct reader *r, int argc, char **argv, struct control_out *out) {
    struct workspace *w = r->workspace;
    struct view_options view = {.series = w->series, .things = w->things, .clock = w->clock};
    struct query_engine_options query = {.series = w->series, .things = w->things, .clock = w->clock};
    struct sql_source source = {.documents = w->documents,
                                .things = w->things,
                                .clock = w->clock,
                                .catalog = packs_cell(w->packs),
                                .lens = lens_of,
                                .party_name = party_name,
                                .ctx = r};
    struct sql_report report;
    struct arena arena;
    struct buf text = {0};
    TRY(view_open(&view, &source.view));
    query.view = source.view;
    Err err = query_engine_open(&query, &source.engine);
    arena_init(&arena, 0);
    if (err.code == ERR_NONE)
        err = answer(&source, control_flag(argc, argv, "sql", (Str){0}), control_switch(argc, argv, "csv"),
                     control_switch(argc, argv, "json"), &arena, &text, &report);
    if (err.code == ERR_NONE) out->write(out->ctx, 'o', buf_view(&text));
    if (err.code == ERR_NONE && report.cut) control_note(out, "the first %d rows; --csv gives all\n", ROWS_SHOWN);
    buf_fini(&text);
    arena_fini(&arena);
    query_engine_close(source.engine);
    view_close(source.view);
    return err;
}

static Err run(struct workspace *workspace, int argc, char **argv, struct control_out *out) {
    struct reader r = {.workspace = workspace};
    PartyId party;
    TRY(control_flags(argc, argv, "sql|party", "csv|json"));
    if (!workspace->documents)
        return err_make(ERR_NOT_FOUND, "no server runs on this folder: start one with 'weft serve', then again");
    TRY(workspace_party(workspace, control_flag(argc, argv, "party", (Str){0}), false, &party));
    r.who = principal_system(party, "sql");
    return with_view(&r, argc, argv, out);
}

const struct control_command cmd_sql_run = {.name = "sql",
                                            .verb = "run",
                                            .usage = "[--csv | --json] [--party NAME] --sql 'select …'",
                                            .must_exist = true,
                                            .run = run};

/* The statement is the one word without dashes. */
int cmd_sql(int argc, char **argv) {
    static char verb[] = "run", flag[] = "--sql", name[] = "sql", help[] = "--help";
    char *words[64] = {name, verb};
    int n = 2;
    bool found = false;
    for (int i = 1; i < argc && n < 60; i++) {
        bool takes = strcmp(argv[i], "--data") == 0 || strcmp(argv[i], "--party") == 0 ||
                     strcmp(argv[i], "--sql") == 0 || strcmp(argv[i], "--store-records") == 0;
        bool plain = strncmp(argv[i], "--", 2) != 0;
        if (plain) words[n++] = flag;
        found = found || plain || strcmp(argv[i], "--sql") == 0;
        words[n++] = argv[i];
        if (takes && i + 1 < argc) words[n++] = argv[++i];
    }
    if (!found) words[n++] = help;
    return control_main(&cmd_sql_run, n, words);
}
