#include "store/series_manifest.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/vec.h"

#define TITLE "weft series 1"   /* runs of class 0 and level 0 alone */
#define TITLE_2 "weft series 2" /* with classes of retention and roll-ups */
#define BYTES_MAX ((size_t)256 << 20)
#define RUN_FIELDS 12 /* 10 in version 1 */
#define CLASS_FIELDS (2 + SERIES_KEEP_LEVELS)

void series_manifest_init(struct series_manifest *m) {
    *m = (struct series_manifest){.next_file = 1, .next_flush = 1, .log_first = 1};
}

void series_manifest_fini(struct series_manifest *m) {
    free(m->runs);
    free(m->classes);
    *m = (struct series_manifest){0};
}

/* ---- text */

/* Old readers read what is as they know it, and refuse the rest. */
static bool needs_2(const struct series_manifest *m) {
    bool needs = m->n_classes > 0;
    for (size_t i = 0; i < m->n_runs; i++) needs |= m->runs[i].class || m->runs[i].level;
    return needs;
}

static void write_classes(const struct series_manifest *m, struct buf *out) {
    for (size_t i = 0; i < m->n_classes; i++) {
        const struct series_manifest_class *c = &m->classes[i];
        buf_printf(out, "class %u %lld", c->number, (long long)c->keep.raw);
        for (size_t k = 0; k < SERIES_KEEP_LEVELS; k++) buf_printf(out, " %lld", (long long)c->keep.rolled[k]);
        buf_byte(out, '\n');
    }
}

static void write_run(const struct series_run_info *r, bool version_2, struct buf *out) {
    buf_printf(out, "run %llu %llu %llu %lld %lld %llu %llu %llu %llu %d", (unsigned long long)r->id,
               (unsigned long long)r->first, (unsigned long long)r->last, (long long)r->from, (long long)r->to,
               (unsigned long long)r->bytes, (unsigned long long)r->chunks, (unsigned long long)r->rows,
               (unsigned long long)r->values, r->cold);
    if (version_2) buf_printf(out, " %u %u", r->class, r->level);
    buf_byte(out, '\n');
}

void series_manifest_write(const struct series_manifest *m, struct buf *out) {
    size_t from = out->len;
    bool version_2 = needs_2(m);
    buf_c(out, version_2 ? TITLE_2 : TITLE);
    buf_printf(out, "\nversion %llu\nnext_file %llu\nnext_flush %llu\nlog_first %u\n", (unsigned long long)m->version,
               (unsigned long long)m->next_file, (unsigned long long)m->next_flush, m->log_first);
    buf_printf(out, "names %llu %llu %u %u\nlatest %llu %llu\n", (unsigned long long)m->names_file,
               (unsigned long long)m->names_bytes, m->names[0], m->names[1], (unsigned long long)m->latest_file,
               (unsigned long long)m->latest_flush);
    write_classes(m, out);
    for (size_t i = 0; i < m->n_runs; i++) write_run(&m->runs[i], version_2, out);
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
                                .cold = n[9] != 0,
                                .class = (uint32_t)n[10],
                                .level = (uint32_t)n[11]};
    for (int i = 0; i < RUN_FIELDS; i++)
        if (n[i] < 0 && i != 3 && i != 4) return false;
    if (r.from >= r.to || r.first > r.last || n[10] > UINT32_MAX || n[11] > SERIES_LEVELS) return false;
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

static bool add_class(struct series_manifest *m, const struct line *l) {
    struct series_manifest_class c = {.number = (uint32_t)l->numbers[0], .keep = {.raw = l->numbers[1]}};
    if (l->n != CLASS_FIELDS || l->numbers[0] > UINT32_MAX) return false;
    for (size_t i = 0; i < l->n; i++)
        if (l->numbers[i] < 0) return false;
    for (size_t i = 0; i < SERIES_KEEP_LEVELS; i++) c.keep.rolled[i] = l->numbers[2 + i];
    VEC_PUSH(m->classes, m->n_classes, m->cap_classes, c);
    return true;
}

static bool take_line(struct series_manifest *m, struct line *l, bool version_2) {
    if (version_2 && str_eq_c(l->word, "class")) return add_class(m, l);
    if (!str_eq_c(l->word, "run")) return set_number(m, l);
    if (l->n != (version_2 ? RUN_FIELDS : RUN_FIELDS - 2)) return false;
    if (!version_2) l->numbers[RUN_FIELDS - 2] = l->numbers[RUN_FIELDS - 1] = 0;
    return add_run(m, l->numbers);
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
    bool version_2 = str_eq_c(line, TITLE_2);
    if (!version_2 && !str_eq_c(line, TITLE))
        return err_make(ERR_CORRUPT, "the manifest begins with '%.*s': written by a newer version?",
                        (int)(line.len < 40 ? line.len : 40), line.ptr);
    for (size_t number = 2; text.len; number++) {
        str_cut(text, '\n', &line, &text);
        if (!parse_line(line, &parsed) || !take_line(out, &parsed, version_2))
            return err_make(ERR_CORRUPT, "the manifest's line %zu makes no sense", number);
    }
    return err_none();
}

/* ---- retention */

struct series_keep series_manifest_keep(const struct series_manifest *m, uint32_t class) {
    for (size_t i = 0; i < m->n_classes; i++)
        if (m->classes[i].number == class) return m->classes[i].keep;
    return (struct series_keep){0};
}

static Nanos after(Nanos t, Nanos span) {
    return span == 0 || span == SERIES_KEEP_FOREVER || t > SERIES_KEEP_FOREVER - span ? SERIES_KEEP_FOREVER : t + span;
}

Nanos series_manifest_due(const struct series_manifest *m, const struct series_run_info *info) {
    struct series_keep keep = series_manifest_keep(m, info->class);
    if (info->level > SERIES_KEEP_LEVELS) return SERIES_KEEP_FOREVER;
    Nanos rolled = info->level ? keep.rolled[info->level - 1] : 0;
    return after(info->to, rolled ? rolled : keep.raw);
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
