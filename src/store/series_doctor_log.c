/*
 * The log and the dead letters: records one behind the other. What no record follows is the end that a crash tore, and
 * is cut at the next start without anybody's doing; what one follows is damage. Mended, a file holds the records that
 * can be read, numbered anew, and nothing between them.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/vec.h"
#include "store/rows_form.h"
#include "store/series_doctor_inner.h"
#include "store/series_letters.h"
#include "store/series_wal.h"

#define FILE_BYTES_MAX ((size_t)4 << 30)
#define NAME_BYTES 32
#define LETTERS_HEAD 32

struct files {
    const char *prefix;
    uint32_t *numbers;
    size_t n, cap;
};

static bool note_file(void *ctx, Str name) {
    struct files *f = ctx;
    char text[9] = "", *end;
    size_t from = strlen(f->prefix);
    if (name.len != from + 12 || !str_starts(name, str_c(f->prefix)) || !str_ends(name, STR(".log"))) return true;
    memcpy(text, name.ptr + from, 8);
    uint32_t number = (uint32_t)strtoul(text, &end, 16);
    if (end == text + 8 && number) VEC_PUSH(f->numbers, f->n, f->cap, number);
    return true;
}

static int by_number(const void *a, const void *b) {
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return x < y ? -1 : x > y;
}

static Err list_files(struct series_doctor *d, struct files *f) {
    TRY(file_list(d->fs, d->dir, note_file, f));
    if (f->n) qsort(f->numbers, f->n, sizeof *f->numbers, by_number);
    return err_none();
}

static void name_of(const char *prefix, uint32_t number, char out[NAME_BYTES]) {
    snprintf(out, NAME_BYTES, "%s%08x.log", prefix, number);
}

static Err load(struct series_doctor *d, const char *name, struct buf *bytes) {
    char path[4096];
    series_doctor_path(d, name, path);
    buf_clear(bytes);
    return file_load(d->fs, path, FILE_BYTES_MAX, bytes);
}

/* The old bytes stay in lost/. */
static Err replace(struct series_doctor *d, const char *name, Str fresh) {
    char path[4096], aside[4096], beside[NAME_BYTES + 16];
    struct buf old = {0};
    Err err = load(d, name, &old);
    series_doctor_path(d, name, path);
    snprintf(beside, sizeof beside, "lost/%s", name);
    series_doctor_path(d, beside, aside);
    if (err.code == ERR_NONE) err = file_replace(d->fs, aside, buf_view(&old), "doctor.lost");
    if (err.code == ERR_NONE) err = file_replace(d->fs, path, fresh, "doctor.log");
    buf_fini(&old);
    return err;
}

/* ---- the log */

struct log {
    struct series_doctor *d;
    char name[NAME_BYTES];
    uint32_t number;
    struct buf fresh; /* the segment as it will be */
    uint64_t seq;     /* of its next record */
    bool bad;
};

static void say(struct log *l, size_t at, const char *what) {
    bool mends = l->d->options->repair;
    l->bad = true;
    series_doctor_say(l->d, mends ? SERIES_DOCTOR_MENDED : SERIES_DOCTOR_DAMAGED, l->name, at, what,
                      mends ? "what is whole before and behind it is kept; the file as it was lies in lost/"
                            : "restore the folder from a backup; --repair keeps what is whole");
}

static void put(struct log *l, enum series_wal_kind kind, Str payload) {
    series_wal_put_record(&l->fresh, l->number, l->seq++, kind, payload);
}

/* The rows of known things; of others nobody can say whose they are. */
static void put_rows(struct log *l, size_t at, Str payload) {
    struct buf known = {0};
    uint32_t things = series_names_count(l->d->names, SERIES_NAME_THING);
    bool all = true;
    for (size_t i = 0; i < payload.len;) {
        const struct row_head *row = (const struct row_head *)(const void *)(payload.ptr + i);
        if (row->thing && row->thing <= things)
            buf_add(&known, row, row->size);
        else
            all = false;
        i += row->size;
    }
    if (!all) say(l, at, "rows of things whose names are lost");
    if (known.len) put(l, SERIES_WAL_ROWS, buf_view(&known));
    buf_fini(&known);
}

static void take_record(struct log *l, size_t at, const struct series_wal_record *r) {
    uint32_t rows, values;
    l->d->result->records++;
    if (r->kind == SERIES_WAL_NAMES) {
        if (series_names_load(l->d->names, r->payload).code)
            say(l, at, "names that do not follow the catalogue");
        else
            put(l, r->kind, r->payload);
    } else if (r->kind == SERIES_WAL_ROWS && rows_check(r->payload, &rows, &values)) {
        put_rows(l, at, r->payload);
    } else {
        say(l, at, "a record that makes no sense");
    }
}

/* The next whole record behind `at` with a number in [from, limit); 0: none. */
static size_t next_record(Str bytes, size_t at, uint32_t number, uint64_t from, uint64_t limit) {
    struct series_wal_record r;
    for (at += 8; at < bytes.len; at += 8)
        if (series_wal_record(bytes, at, number, &r) && r.seq >= from && r.seq < limit) return at;
    return 0;
}

static void walk(struct log *l, Str bytes, uint64_t seq, uint64_t limit) {
    struct series_wal_record r;
    size_t at = SERIES_WAL_SEGMENT_HEAD;
    while (seq < limit) {
        if (series_wal_record(bytes, at, l->number, &r) && r.seq == seq) {
            take_record(l, at, &r);
            at = r.end, seq++;
            continue;
        }
        size_t next = next_record(bytes, at, l->number, seq, limit);
        if (!next) break;
        say(l, at, "records of the log cannot be read");
        series_wal_record(bytes, next, l->number, &r);
        at = next, seq = r.seq;
    }
    if (seq < limit && limit != UINT64_MAX) say(l, at, "the end of the segment cannot be read");
    uint32_t claims[2] = {0};
    if (limit == UINT64_MAX && at + SERIES_WAL_HEAD <= bytes.len) memcpy(claims, bytes.ptr + at + 16, 4);
    if (claims[0] == l->number)
        series_doctor_say(l->d, SERIES_DOCTOR_NOTE, l->name, at, "the log ends in the middle of a record",
                          "nothing: as after a crash, the next start cuts it; what was acknowledged is before it");
}

/* The number with which a later segment goes on. */
static uint64_t limit_after(struct series_doctor *d, const struct files *f, size_t i) {
    uint64_t first, limit = UINT64_MAX;
    struct buf bytes = {0};
    for (size_t k = i + 1; k < f->n && limit == UINT64_MAX; k++) {
        char name[NAME_BYTES];
        name_of(f->prefix, f->numbers[k], name);
        if (load(d, name, &bytes).code == ERR_NONE && series_wal_segment(buf_view(&bytes), f->numbers[k], &first))
            limit = first;
    }
    buf_fini(&bytes);
    return limit;
}

static bool is_empty(Str bytes) {
    for (size_t i = 0; i < bytes.len; i++)
        if (bytes.ptr[i]) return false;
    return true;
}

static Err check_segment(struct series_doctor *d, const struct files *f, size_t i, struct buf *bytes) {
    struct log l = {.d = d, .number = f->numbers[i]};
    uint64_t first = 0;
    name_of(f->prefix, l.number, l.name);
    Err err = load(d, l.name, bytes);
    if (err.code == ERR_NOT_FOUND && d->options->beside) return err_none();
    TRY(err);
    Str all = buf_view(bytes);
    uint64_t limit = limit_after(d, f, i);
    bool whole = series_wal_segment(all, l.number, &first);
    size_t found = whole ? 0 : next_record(all, 0, l.number, 0, limit);
    if (!whole && found) { /* it lost its head alone */
        struct series_wal_record r;
        series_wal_record(all, found, l.number, &r);
        first = r.seq;
        say(&l, 0, "the segment's head cannot be read");
    }
    d->result->files++, d->result->bytes += all.len;
    if (!whole && !found && limit != UINT64_MAX && !is_empty(all) && i + 1 < f->n)
        series_doctor_say(d, SERIES_DOCTOR_NOTE, l.name, 0, "a segment of the log without records",
                          "nothing: a start that a crash ended leaves one");
    l.seq = first;
    series_wal_put_segment(&l.fresh, l.number, first);
    if (whole || found) walk(&l, all, first, limit);
    if (l.bad && d->options->repair) err = replace(d, l.name, buf_view(&l.fresh));
    buf_fini(&l.fresh);
    series_doctor_progress(d, l.name, all.len);
    return err;
}

/* Segments follow one another without a gap, from the one that the manifest names on. */
static Err tell_missing(struct series_doctor *d, uint32_t number, uint64_t first) {
    struct log l = {.d = d, .number = number};
    char path[4096];
    if (d->options->beside) return err_none();
    name_of("wal-", number, l.name);
    series_doctor_say(d, d->options->repair ? SERIES_DOCTOR_MENDED : SERIES_DOCTOR_DAMAGED, l.name, 0,
                      "a segment of the log is gone",
                      d->options->repair ? "an empty one stands in its place; its rows are gone"
                                         : "restore the file from a backup; --repair goes on without it");
    if (!d->options->repair) return err_none();
    series_wal_put_segment(&l.fresh, number, first == UINT64_MAX ? 1 : first);
    series_doctor_path(d, l.name, path);
    Err err = file_replace(d->fs, path, buf_view(&l.fresh), "doctor.log");
    buf_fini(&l.fresh);
    return err;
}

static Err check_segments(struct series_doctor *d, const struct files *f, struct buf *bytes) {
    size_t i = 0;
    uint32_t next = d->manifest.log_first;
    while (i < f->n && f->numbers[i] < next) i++;
    if (d->manifest.version <= 1 && i == f->n) return err_none(); /* it was never begun */
    if (d->manifest.version <= 1 && !d->changed) next = f->numbers[i];
    if (i == f->n) return tell_missing(d, next, UINT64_MAX);
    for (; i < f->n; i++, next++) {
        for (; next < f->numbers[i]; next++) TRY(tell_missing(d, next, limit_after(d, f, i - 1)));
        TRY(check_segment(d, f, i, bytes));
    }
    return err_none();
}

Err series_doctor_log_run(struct series_doctor *d) {
    struct files f = {.prefix = "wal-"};
    struct buf bytes = {0};
    Err err = list_files(d, &f);
    if (err.code == ERR_NONE && f.n && d->rebuilt) d->manifest.log_first = f.numbers[0];
    if (err.code == ERR_NONE) err = check_segments(d, &f, &bytes);
    buf_fini(&bytes);
    free(f.numbers);
    return err;
}

/* ---- dead letters: like the log, with ids for sequence numbers */

struct letters {
    struct series_doctor *d;
    char name[NAME_BYTES];
    struct buf fresh;
    uint64_t id;
    bool bad;
};

static void letters_say(struct letters *l, size_t at, const char *what) {
    bool mends = l->d->options->repair;
    l->bad = true;
    series_doctor_say(l->d, mends ? SERIES_DOCTOR_MENDED : SERIES_DOCTOR_DAMAGED, l->name, at, what,
                      mends ? "the other letters are kept, numbered anew; the file as it was lies in lost/"
                            : "restore the file from a backup; --repair keeps the other letters");
}

static bool letters_head(Str bytes, uint64_t *first) {
    uint64_t checksum;
    if (bytes.len < LETTERS_HEAD || memcmp(bytes.ptr, "WEFTDLQ1", 8) != 0) return false;
    memcpy(first, bytes.ptr + 16, 8), memcpy(&checksum, bytes.ptr + 24, 8);
    return checksum == hash_bytes(bytes.ptr, 24);
}

static void letters_put_head(struct letters *l, uint32_t number, uint64_t first) {
    buf_c(&l->fresh, "WEFTDLQ1");
    buf_u32le(&l->fresh, 1);
    buf_u32le(&l->fresh, number);
    buf_u64le(&l->fresh, first);
    buf_u64le(&l->fresh, hash_bytes(l->fresh.ptr, 24));
}

static void letters_put(struct letters *l, Str record) {
    size_t from = l->fresh.len;
    buf_str(&l->fresh, record);
    memcpy(l->fresh.ptr + from + 16, &l->id, 8);
    uint64_t checksum = hash_bytes(l->fresh.ptr + from + 8, record.len - 8);
    memcpy(l->fresh.ptr + from, &checksum, 8);
    l->id++;
}

static size_t next_letter(Str bytes, size_t at, uint64_t above) {
    struct dead_letter_row row;
    size_t size;
    for (at += 8; at + 48 <= bytes.len; at += 8)
        if (series_letters_parse(str_slice(bytes, at, bytes.len), &row, &size) && row.id >= above) return at;
    return 0;
}

static void walk_letters(struct letters *l, Str bytes) {
    uint64_t expect = l->id;
    for (size_t at = LETTERS_HEAD, size; at < bytes.len;) {
        struct dead_letter_row row;
        if (series_letters_parse(str_slice(bytes, at, bytes.len), &row, &size) && row.id == expect) {
            letters_put(l, str_slice(bytes, at, at + size));
            l->d->result->letters++;
            at += size, expect++;
            continue;
        }
        size_t next = next_letter(bytes, at, expect);
        if (!next) {
            series_doctor_say(l->d, SERIES_DOCTOR_NOTE, l->name, at, "the letters end in the middle of one",
                              "nothing: as after a crash, the next start passes it over");
            return;
        }
        letters_say(l, at, "letters cannot be read");
        series_letters_parse(str_slice(bytes, next, bytes.len), &row, &size);
        at = next, expect = row.id;
    }
}

static Err check_letters(struct series_doctor *d, uint32_t number, struct buf *bytes) {
    struct letters l = {.d = d};
    uint64_t first = 0;
    name_of("dead-", number, l.name);
    Err err = load(d, l.name, bytes);
    if (err.code == ERR_NOT_FOUND && d->options->beside) return err_none();
    TRY(err);
    Str all = buf_view(bytes);
    d->result->files++, d->result->bytes += all.len;
    size_t found = LETTERS_HEAD;
    if (!letters_head(all, &first)) {
        struct dead_letter_row row;
        size_t size;
        found = next_letter(all, 0, 1);
        if (found && series_letters_parse(str_slice(all, found, all.len), &row, &size)) first = row.id;
        if (found) letters_say(&l, 0, "the head cannot be read");
    }
    l.id = first;
    letters_put_head(&l, number, first);
    if (found) walk_letters(&l, all);
    if (l.bad && d->options->repair) err = replace(d, l.name, buf_view(&l.fresh));
    buf_fini(&l.fresh);
    series_doctor_progress(d, l.name, all.len);
    return err;
}

Err series_doctor_log_letters(struct series_doctor *d) {
    struct files f = {.prefix = "dead-"};
    struct buf bytes = {0};
    Err err = list_files(d, &f);
    for (size_t i = 0; i < f.n && err.code == ERR_NONE; i++) err = check_letters(d, f.numbers[i], &bytes);
    buf_fini(&bytes);
    free(f.numbers);
    return err;
}
