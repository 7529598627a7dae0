/*
 * weft query FILE: the question is read here and sent as one word, so that it is the same beside a running server. On a
 * terminal the answer is a table, which is held until its widths are known; else CSV, as it comes.
 */
#include "app/cmd_query.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/vec.h"
#include "insight/query.h"
#include "os/file.h"
#include "os/process.h"
#include "serve/query_json.h"
#include "serve/query_json_out.h"
#include "trust/gate.h"

#define QUESTION_MAX ((size_t)48 * 1024)
#define FLUSH_AT ((size_t)64 * 1024)
#define TABLE_ROWS 10000u
#define WIDTH_MAX 60u

/* ---- a table */

struct table {
    struct control_out *out;
    struct arena arena;
    struct query_column columns[2 * QUERY_COLUMNS_MAX + 40];
    size_t widths[2 * QUERY_COLUMNS_MAX + 40];
    size_t n;
    Str *cells;
    size_t n_cells, cap;
    uint64_t left_out;
};

static size_t width_of(Str s) { /* Chinese takes two places a character */
    size_t n = 0;
    for (size_t i = 0; i < s.len; i++) {
        unsigned char c = (unsigned char)s.ptr[i];
        n += (c & 0xc0) != 0x80;
        n += c >= 0xe3 && c <= 0xed;
    }
    return n;
}

static Str cell_text(struct table *t, Value v, enum query_kind kind) {
    char time[TIME_TEXT_MAX];
    switch (v.kind) {
    case VALUE_INT:
        if (kind == QUERY_KIND_TIME) return arena_str(&t->arena, time_format(v.i, time));
        return arena_printf(&t->arena, "%lld", (long long)v.i);
    case VALUE_FLOAT: return arena_printf(&t->arena, "%.6g", v.f);
    case VALUE_BOOL: return v.b ? STR("true") : STR("false");
    case VALUE_STRING: return arena_str(&t->arena, v.s);
    case VALUE_NONE: break;
    }
    return STR("-");
}

static void add_cell(struct table *t, size_t column, Str s) {
    size_t width = width_of(s);
    if (width > t->widths[column]) t->widths[column] = width < WIDTH_MAX ? width : WIDTH_MAX;
    VEC_PUSH(t->cells, t->n_cells, t->cap, s);
}

static bool table_columns(void *ctx, const struct query_column *columns, size_t n) {
    struct table *t = ctx;
    t->n = n;
    for (size_t i = 0; i < n; i++) {
        t->columns[i] = columns[i];
        add_cell(t, i, arena_str(&t->arena, columns[i].name));
    }
    return true;
}

static bool table_row(void *ctx, const Value *row, size_t n) {
    struct table *t = ctx;
    if (t->n_cells >= (TABLE_ROWS + 1) * t->n) {
        t->left_out++;
        return true;
    }
    for (size_t i = 0; i < n; i++) add_cell(t, i, cell_text(t, row[i], t->columns[i].kind));
    return true;
}

static void print_table(struct table *t) {
    struct buf line = {0};
    for (size_t i = 0; i < t->n_cells; i++) {
        size_t column = i % t->n, width = width_of(t->cells[i]);
        bool right = t->columns[column].kind == QUERY_KIND_NUMBER;
        size_t pad = width < t->widths[column] ? t->widths[column] - width : 0;
        for (size_t k = 0; right && k < pad; k++) buf_byte(&line, ' ');
        buf_str(&line, t->cells[i]);
        for (size_t k = 0; !right && k < pad; k++) buf_byte(&line, ' ');
        buf_c(&line, column + 1 == t->n ? "\n" : "  ");
        if (line.len < FLUSH_AT && i + 1 < t->n_cells) continue;
        t->out->write(t->out->ctx, 'o', buf_view(&line));
        buf_clear(&line);
    }
    buf_fini(&line);
    if (t->left_out)
        control_note(t->out, "%llu more rows: ask for CSV with --format csv\n", (unsigned long long)t->left_out);
}

static Err answer_table(struct query_engine *engine, const struct lens *lens, const struct query *query,
                        struct control_out *out) {
    struct table *t = calloc(1, sizeof *t);
    ASSERT(t);
    t->out = out;
    struct query_sink sink = {table_columns, table_row, t};
    Err err = query_run(engine, lens, query, &sink, NULL);
    if (err.code == ERR_NONE) print_table(t);
    free(t->cells);
    arena_fini(&t->arena);
    free(t);
    return err;
}

/* ---- CSV, JSON, lines */

static bool flush(void *ctx, struct buf *text) {
    struct control_out *out = ctx;
    bool ok = out->write(out->ctx, 'o', buf_view(text));
    buf_clear(text);
    return ok;
}

static Err answer_text(struct query_engine *engine, const struct lens *lens, const struct query_json *asked,
                       enum query_json_out_form form, struct control_out *out) {
    struct arena arena = {0};
    struct buf text = {0};
    struct query_stats stats;
    struct query_json_out *o = arena_zero(&arena, 1, sizeof *o);
    *o = (struct query_json_out){.form = form,
                                 .times_ms = asked->times_ms,
                                 .out = &text,
                                 .flush = flush,
                                 .ctx = out,
                                 .flush_at = FLUSH_AT,
                                 .arena = &arena};
    struct query_sink sink = query_json_out_sink(o);
    Err err = query_run(engine, lens, &asked->query, &sink, &stats);
    if (err.code == ERR_NONE) {
        query_json_out_end(o, &stats, err);
        if (form == QUERY_JSON_OUT_JSON) buf_byte(&text, '\n');
        flush(out, &text);
    }
    buf_fini(&text);
    arena_fini(&arena);
    return err;
}

/* ---- */

static Err answer(struct workspace *ws, const struct lens *lens, const struct query_json *asked, Str format,
                  struct control_out *out) {
    struct query_engine *engine;
    struct query_engine_options options = {.series = ws->series, .things = ws->things, .clock = ws->clock};
    enum query_json_out_form form = str_eq_c(format, "json")     ? QUERY_JSON_OUT_JSON
                                    : str_eq_c(format, "ndjson") ? QUERY_JSON_OUT_LINES
                                                                 : QUERY_JSON_OUT_CSV;
    TRY(query_engine_open(&options, &engine));
    Err err = str_eq_c(format, "table") ? answer_table(engine, lens, &asked->query, out)
                                        : answer_text(engine, lens, asked, form, out);
    query_engine_close(engine);
    return err;
}

static Err run(struct workspace *ws, int argc, char **argv, struct control_out *out) {
    TRY(control_flags(argc, argv, "text|format|party", ""));
    Str format = control_flag(argc, argv, "format", STR("csv"));
    if (!doctype_names("table|csv|json|ndjson", format))
        return err_make(ERR_INVALID, "--format is table, csv, json or ndjson");
    PartyId party;
    TRY(workspace_party(ws, control_flag(argc, argv, "party", (Str){0}), false, &party));
    struct principal by = principal_system(party, "command");
    struct lens lens;
    TRY(gate_lens(&by, NULL, "query", &lens));
    struct json *json = NULL;
    struct arena arena = {0};
    struct query_json asked;
    TRY(json_parse(control_flag(argc, argv, "text", (Str){0}), &json));
    Err err = query_json_read(json, clock_now(ws->clock), &arena, &asked);
    if (err.code == ERR_NONE) err = answer(ws, &lens, &asked, format, out);
    arena_fini(&arena);
    json_free(json);
    return err;
}

const struct control_command cmd_query_run = {
    .name = "query",
    .verb = "run",
    .usage = "FILE.json|- [--format table|csv|json|ndjson] [--party NAME]",
    .must_exist = true,
    .reads_series_only = true,
    .run = run,
};

static Err read_question(const char *path, struct buf *text) {
    if (strcmp(path, "-") != 0) return file_load(file_disk, path, QUESTION_MAX, text);
    char part[4096];
    for (size_t n; (n = fread(part, 1, sizeof part, stdin)) > 0;) {
        buf_add(text, part, n);
        if (text->len > QUESTION_MAX) return err_make(ERR_TOO_LARGE, "a question has at most %zu bytes", QUESTION_MAX);
    }
    return err_none();
}

static bool names_format(int argc, char **argv) {
    for (int i = 0; i < argc; i++)
        if (strncmp(argv[i], "--format", 8) == 0) return true;
    return false;
}

int cmd_query(int argc, char **argv) {
    char *words[64] = {"query", "run", "--text"};
    int n = 4;
    struct buf text = {0};
    if (argc < 2 || strcmp(argv[1], "--help") == 0 || argc > 50) {
        fprintf(argc < 2 ? stderr : stdout, "usage: weft query --data DIR %s\n       (docs/series-query.md)\n",
                cmd_query_run.usage);
        return argc < 2 ? 2 : 0;
    }
    const char *path = NULL;
    for (int i = 1; i < argc; i++) {
        bool flag = strncmp(argv[i], "--", 2) == 0;
        if (!flag && !path) {
            path = argv[i];
            continue;
        }
        words[n++] = argv[i];
        if (flag && !strchr(argv[i], '=') && i + 1 < argc) words[n++] = argv[++i];
    }
    Err err = read_question(path ? path : "-", &text);
    buf_byte(&text, '\0');
    if (err.code != ERR_NONE) {
        fprintf(stderr, "weft query: %s\n", err.text);
        buf_fini(&text);
        return 1;
    }
    words[3] = text.ptr;
    if (!names_format(argc, argv)) {
        words[n++] = "--format";
        words[n++] = process_is_terminal(1) ? "table" : "csv";
    }
    int status = control_main(&cmd_query_run, n, words);
    buf_fini(&text);
    return status;
}
