#include "app/cmd_bench_sets.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/cmd_bench_made.h"
#include "os/file.h"
#include "os/process.h"

#define FILE_MAX ((size_t)1 << 30)

/* ---- lines */

static bool next_word(Str *line, Str *word) {
    *line = str_trim(*line);
    size_t n = 0;
    while (n < line->len && line->ptr[n] != ' ' && line->ptr[n] != '\t') n++;
    *word = str_slice(*line, 0, n);
    *line = str_slice(*line, n, line->len);
    return n > 0;
}

bool cmd_bench_sets_next(Str *text, struct cmd_bench_set *out) {
    Str line;
    while (text->len > 0) {
        str_cut(*text, '\n', &line, text);
        line = str_trim(line);
        if (line.len == 0 || line.ptr[0] == '#') continue;
        *out = (struct cmd_bench_set){.n_words = 0};
        next_word(&line, &out->name);
        while (out->n_words < 16 && next_word(&line, &out->words[out->n_words])) out->n_words++;
        return true;
    }
    return false;
}

Str cmd_bench_sets_word(const struct cmd_bench_set *set, const char *name) {
    for (size_t i = 0; i < set->n_words; i++) {
        Str key, value;
        if (str_cut(set->words[i], '=', &key, &value) && str_eq(key, str_c(name))) return value;
    }
    return (Str){"", 0};
}

static bool parse(Str field, char mark, double *out) {
    char text[64], *end;
    field = str_trim(field);
    if (field.len >= 2 && field.ptr[0] == '"') field = str_slice(field, 1, field.len - 1);
    if (field.len == 0 || field.len >= sizeof text) return false;
    memcpy(text, field.ptr, field.len);
    text[field.len] = '\0';
    char *comma = mark == ',' ? strchr(text, ',') : NULL;
    if (comma) *comma = '.';
    *out = strtod(text, &end);
    return *end == '\0' && !(text[0] >= 'A' && text[0] <= 'z');
}

double cmd_bench_sets_number(const struct cmd_bench_set *set, const char *name, double otherwise) {
    double v;
    return parse(cmd_bench_sets_word(set, name), '.', &v) ? v : otherwise;
}

/* ---- tables */

struct form {
    char sep, mark;
    unsigned column;
};

static bool take_field(Str *line, char sep, Str *field) {
    if (sep == ' ') return next_word(line, field);
    if (line->ptr == NULL) return false;
    if (!str_cut(*line, sep, field, line)) line->ptr = NULL;
    return true;
}

static void add_column(Str text, const struct form *f, struct buf *values) {
    Str line, field;
    double v;
    while (text.len > 0) {
        str_cut(text, '\n', &line, &text);
        bool there = true;
        for (unsigned k = 0; k < f->column && there; k++) there = take_field(&line, f->sep, &field);
        if (there && parse(field, f->mark, &v)) buf_add(values, &v, 8);
    }
}

static bool quotable(Str path) {
    for (size_t i = 0; i < path.len; i++)
        if (path.ptr[i] == '\'' || path.ptr[i] == '\0') return false;
    return true;
}

static bool ends_with(Str s, const char *end) {
    size_t n = strlen(end);
    return s.len >= n && memcmp(s.ptr + s.len - n, end, n) == 0;
}

static Err load_text(Str where, const char *folder, struct buf *text) {
    Str path, member;
    char full[4096], command[9000];
    bool packed = str_cut(where, '!', &path, &member);
    if (!quotable(where) || where.len > 3000) return err_make(ERR_INVALID, "a path of a set is too long or quoted");
    snprintf(full, sizeof full, "%s%s%.*s", folder, *folder ? "/" : "", (int)path.len, path.ptr);
    if (!file_exists(file_disk, full)) return err_make(ERR_NOT_FOUND, "there is no file '%s'", full);
    if (packed)
        snprintf(command, sizeof command, "tar -xJOf '%s' --wildcards '%.*s'", full, (int)member.len, member.ptr);
    else if (ends_with(path, ".xz"))
        snprintf(command, sizeof command, "xz -dc '%s'", full);
    else
        return file_load(file_disk, full, FILE_MAX, text);
    return process_output(command, FILE_MAX, 60 * NANOS_PER_S, text);
}

static Err load_table(const struct cmd_bench_set *set, const char *folder, struct buf *values) {
    Str sep = cmd_bench_sets_word(set, "sep"), mark = cmd_bench_sets_word(set, "mark");
    double column = cmd_bench_sets_number(set, "column", 1);
    struct form f = {.sep = str_eq(sep, STR("semicolon")) ? ';'
                            : str_eq(sep, STR("space"))   ? ' '
                                                          : ',',
                     .mark = mark.len ? mark.ptr[0] : '.',
                     .column = column >= 1 && column <= 1e6 ? (unsigned)column : 1};
    struct buf text = {0};
    Err err = load_text(cmd_bench_sets_word(set, "file"), folder, &text);
    if (err.code == ERR_NONE) add_column(buf_view(&text), &f, values);
    buf_fini(&text);
    return err;
}

Err cmd_bench_sets_load(const struct cmd_bench_set *set, const char *folder, struct buf *values) {
    TRY(cmd_bench_sets_word(set, "gen").len ? cmd_bench_made(set, values) : load_table(set, folder, values));
    if (values->len == 0)
        return err_make(ERR_INVALID, "set '%.*s': its column holds no numbers", (int)set->name.len, set->name.ptr);
    return err_none();
}
