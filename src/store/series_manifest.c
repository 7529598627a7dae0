#include "store/series_manifest.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/vec.h"

#define TITLE "weft series 1"
#define BYTES_MAX ((size_t)256 << 20)
#define RUN_FIELDS 10

void series_manifest_init(struct series_manifest *m) {
    *m = (struct series_manifest){.next_file = 1, .next_flush = 1, .log_first = 1};
}

void series_manifest_fini(struct series_manifest *m) {
    free(m->runs);
    *m = (struct series_manifest){0};
}

/* ---- text */

void series_manifest_write(const struct series_manifest *m, struct buf *out) {
    size_t from = out->len;
    buf_printf(out, TITLE "\nversion %llu\nnext_file %llu\nnext_flush %llu\nlog_first %u\n",
               (unsigned long long)m->version, (unsigned long long)m->next_file, (unsigned long long)m->next_flush,
               m->log_first);
    buf_printf(out, "names %llu %llu %u %u\nlatest %llu %llu\n", (unsigned long long)m->names_file,
               (unsigned long long)m->names_bytes, m->names[0], m->names[1], (unsigned long long)m->latest_file,
               (unsigned long long)m->latest_flush);
    for (size_t i = 0; i < m->n_runs; i++) {
        const struct series_run_info *r = &m->runs[i];
        buf_printf(out, "run %llu %llu %llu %lld %lld %llu %llu %llu %llu %d\n", (unsigned long long)r->id,
                   (unsigned long long)r->first, (unsigned long long)r->last, (long long)r->from, (long long)r->to,
                   (unsigned long long)r->bytes, (unsigned long long)r->chunks, (unsigned long long)r->rows,
                   (unsigned long long)r->values, r->cold);
    }
    buf_printf(out, "checksum %llu\n", (unsigned long long)hash_bytes(out->ptr + from, out->len - from));
}

/* A line "word number number …". Unsigned numbers above INT64_MAX occur in checksums alone. */
struct line {
    Str word;
    int64_t numbers[RUN_FIELDS];
    size_t n;
};

static bool parse_line(Str text, struct line *out) {
    Str number;
    str_cut(text, ' ', &out->word, &text);
    for (out->n = 0; text.len; out->n++) {
        str_cut(text, ' ', &number, &text);
        if (out->n == RUN_FIELDS || !str_to_i64(number, &out->numbers[out->n])) return false;
    }
    return true;
}

static bool add_run(struct series_manifest *m, const int64_t *n) {
    struct series_run_info r = {.id = (uint64_t)n[0],
                                .first = (uint64_t)n[1],
                                .last = (uint64_t)n[2],
                                .from = n[3],
                                .to = n[4],
                                .bytes = (uint64_t)n[5],
                                .chunks = (uint64_t)n[6],
                                .rows = (uint64_t)n[7],
                                .values = (uint64_t)n[8],
                                .cold = n[9] != 0};
    for (int i = 0; i < RUN_FIELDS; i++)
        if (n[i] < 0 && i != 3 && i != 4) return false;
    if (r.from >= r.to || r.first > r.last) return false;
    VEC_PUSH(m->runs, m->n_runs, m->cap_runs, r);
    return true;
}

static bool set_number(struct series_manifest *m, const struct line *l) {
    const int64_t *n = l->numbers;
    for (size_t i = 0; i < l->n; i++)
        if (n[i] < 0) return false;
    if (str_eq_c(l->word, "version") && l->n == 1) return m->version = (uint64_t)n[0], true;
    if (str_eq_c(l->word, "next_file") && l->n == 1) return m->next_file = (uint64_t)n[0], true;
    if (str_eq_c(l->word, "next_flush") && l->n == 1) return m->next_flush = (uint64_t)n[0], true;
    if (str_eq_c(l->word, "log_first") && l->n == 1 && n[0] <= UINT32_MAX) return m->log_first = (uint32_t)n[0], true;
    if (str_eq_c(l->word, "latest") && l->n == 2)
        return m->latest_file = (uint64_t)n[0], m->latest_flush = (uint64_t)n[1], true;
    if (!str_eq_c(l->word, "names") || l->n != 4 || n[2] > UINT32_MAX || n[3] > UINT32_MAX) return false;
    m->names_file = (uint64_t)n[0], m->names_bytes = (uint64_t)n[1];
    m->names[0] = (uint32_t)n[2], m->names[1] = (uint32_t)n[3];
    return true;
}

static bool take_line(struct series_manifest *m, const struct line *l) {
    return str_eq_c(l->word, "run") ? l->n == RUN_FIELDS && add_run(m, l->numbers) : set_number(m, l);
}

/* Checks and takes off the last line. */
static Err check_sum(Str *text) {
    ptrdiff_t at = str_find(*text, STR("\nchecksum "));
    if (at < 0) return err_make(ERR_CORRUPT, "the manifest has no checksum");
    size_t end = (size_t)at + 1;
    char want[64];
    int n = snprintf(want, sizeof want, "checksum %llu\n", (unsigned long long)hash_bytes(text->ptr, end));
    if (!str_eq(str_slice(*text, end, text->len), (Str){want, (size_t)n}))
        return err_make(ERR_CORRUPT, "the manifest fails its checksum");
    text->len = end;
    return err_none();
}

Err series_manifest_parse(Str text, struct series_manifest *out) {
    Str line;
    struct line parsed;
    TRY(check_sum(&text));
    str_cut(text, '\n', &line, &text);
    if (!str_eq_c(line, TITLE))
        return err_make(ERR_CORRUPT, "the manifest begins with '%.*s': written by a newer version?",
                        (int)(line.len < 40 ? line.len : 40), line.ptr);
    for (size_t number = 2; text.len; number++) {
        str_cut(text, '\n', &line, &text);
        if (!parse_line(line, &parsed) || !take_line(out, &parsed))
            return err_make(ERR_CORRUPT, "the manifest's line %zu makes no sense", number);
    }
    return err_none();
}

/* ---- file */

static void path_of(const char *dir, const char *name, char out[4096]) {
    ASSERT((size_t)snprintf(out, 4096, "%s/%s", dir, name) < 4096);
}

Err series_manifest_load(struct file_system *fs, const char *dir, struct series_manifest *out) {
    char path[4096];
    struct buf text = {0};
    path_of(dir, "manifest", path);
    Err err = file_load(fs, path, BYTES_MAX, &text);
    if (err.code == ERR_NONE) {
        err = series_manifest_parse(buf_view(&text), out);
        if (err.code) err = err_make(err.code, "'%s': %s", path, err.text);
    }
    buf_fini(&text);
    return err;
}

static Err write_beside(struct file_system *fs, const char *path, Str text) {
    struct file *file;
    TRY(file_open(fs, path, FILE_WRITE | FILE_CREATE | FILE_TRUNCATE, &file));
    Err err = file_write(file, text.ptr, text.len, 0);
    if (err.code == ERR_NONE) err = file_sync(file, "manifest.data");
    file_close(file);
    return err;
}

Err series_manifest_save(struct file_system *fs, const char *dir, const struct series_manifest *m, bool *unsure) {
    char path[4096], beside[4096];
    struct buf text = {0};
    *unsure = false;
    path_of(dir, "manifest", path);
    path_of(dir, "manifest.new", beside);
    series_manifest_write(m, &text);
    Err err = write_beside(fs, beside, buf_view(&text));
    buf_fini(&text);
    if (err.code) return err;
    *unsure = true; /* a rename that failed half-way, or is not yet durable */
    TRY(file_rename(fs, beside, path));
    TRY(file_sync_dir(fs, dir, "manifest.dir"));
    *unsure = false;
    return err_none();
}
