/*
 * One run. Its chunks stand one behind the other and say how long they are, so they can be walked without the index;
 * where one's head cannot be read, the index, or else the next head that can, says where to go on. With repair, what
 * was read is written out again at once: a damaged column takes its own values away, damaged times or a damaged head
 * the chunk's rows.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/vec.h"
#include "store/series_chunk.h"
#include "store/series_doctor_inner.h"
#include "store/series_run_form.h"
#include "store/series_run_write.h"

#define SEARCH_BYTES ((size_t)1 << 20)
#define RUN_NAME 32

struct column {
    struct series_chunk_column form;
    uint32_t *rows; /* NULL: it cannot be read */
    Value *values;
    size_t at;
    struct buf text;
};

struct looking {
    struct series_doctor *d;
    const struct series_run_info *info;
    char name[RUN_NAME], path[4096];
    struct file *file;
    uint64_t size, end; /* of the file; of its chunks */
    struct series_run_foot foot;
    bool has_foot, bad;              /* bad: anything at all is wrong with it */
    struct series_run_entries index; /* what could be read of it; by offset */
    size_t next;                     /* the entry that comes next */
    struct buf bytes;                /* of a chunk */
    uint64_t chunks, rows, values, last_key;
    struct series_run_writer *writer; /* with repair */
    uint64_t writing;                 /* key of the thing it writes */
    Nanos written;                    /* its last moment */
};

static void say(struct looking *l, uint64_t offset, const char *what, const char *mend) {
    l->bad = true;
    bool mends = l->d->options->repair;
    series_doctor_say(l->d, mends ? SERIES_DOCTOR_MENDED : SERIES_DOCTOR_DAMAGED, l->name, offset, what, mend);
}

static bool read_at(struct looking *l, void *into, size_t n, uint64_t at) {
    size_t got = 0;
    return at <= l->size && n <= l->size - at && file_read(l->file, into, n, at, &got).code == ERR_NONE && got == n;
}

/* ---- head, foot, index */

static void check_head(struct looking *l) {
    struct series_run_head head;
    const char *what = NULL;
    if (!read_at(l, &head, sizeof head, 0))
        what = "the head is cut off";
    else if (memcmp(head.magic, SERIES_RUN_MAGIC, sizeof head.magic) != 0 ||
             head.checksum != hash_bytes(&head, offsetof(struct series_run_head, checksum)))
        what = "the head fails its checksum";
    else if (head.id != l->info->id || head.from != l->info->from || head.to != l->info->to)
        what = "the head is another run's";
    if (what) say(l, 0, what, "--repair writes the run again");
}

static bool check_foot(struct looking *l) {
    struct series_run_foot *f = &l->foot;
    uint64_t at = l->size - sizeof *f;
    const char *what = NULL;
    if (l->size < sizeof(struct series_run_head) + sizeof *f || !read_at(l, f, sizeof *f, at))
        what = "the foot is cut off";
    else if (memcmp(f->magic, SERIES_RUN_MAGIC, sizeof f->magic) != 0 ||
             f->checksum != hash_bytes(f, offsetof(struct series_run_foot, checksum)))
        what = "the foot fails its checksum";
    else if (f->id != l->info->id || f->table_offset > at || f->pages_offset > f->table_offset ||
             at - f->table_offset != f->n_pages * sizeof(struct series_run_page))
        what = "the foot makes no sense";
    if (what) say(l, l->size < sizeof *f ? 0 : at, what, "--repair makes the index again from the chunks");
    return what == NULL;
}

static uint32_t page_entries(const struct series_run_foot *f, uint32_t page) {
    return page + 1 < f->n_pages ? SERIES_RUN_PAGE : (uint32_t)(f->n_chunks - (uint64_t)page * SERIES_RUN_PAGE);
}

static bool read_page(struct looking *l, uint32_t page, struct series_run_entry *entries) {
    uint32_t n = page_entries(&l->foot, page);
    size_t size = n * sizeof *entries;
    uint64_t full = SERIES_RUN_PAGE * sizeof *entries + 8, at = l->foot.pages_offset + page * full, checksum;
    if (n == 0 || n > SERIES_RUN_PAGE || !read_at(l, entries, size, at) || !read_at(l, &checksum, 8, at + size) ||
        checksum != hash_bytes(entries, size)) {
        say(l, at, "a page of the index fails its checksum", "--repair makes the index again from the chunks");
        return false;
    }
    for (uint32_t i = 0; i < n; i++) VEC_PUSH(l->index.items, l->index.n, l->index.cap, entries[i]);
    return true;
}

static void check_table(struct looking *l) {
    size_t size = l->foot.n_pages * sizeof(struct series_run_page);
    char *table = malloc(size + 1);
    ASSERT(table != NULL);
    if (!read_at(l, table, size, l->foot.table_offset) || hash_bytes(table, size) != l->foot.table_checksum)
        say(l, l->foot.table_offset, "the table of pages fails its checksum",
            "--repair makes the index again from the chunks");
    free(table);
}

static void check_index(struct looking *l) {
    l->end = l->size;
    l->has_foot = check_foot(l);
    if (!l->has_foot) return;
    l->end = l->foot.pages_offset;
    struct series_run_entry *entries = malloc((SERIES_RUN_PAGE + 1) * sizeof *entries);
    ASSERT(entries != NULL);
    for (uint32_t page = 0; page < l->foot.n_pages; page++) read_page(l, page, entries);
    free(entries);
    check_table(l);
}

/* ---- what is lost */

static void tell_lost(struct looking *l, uint64_t offset, const struct series_run_entry *e, const char *what) {
    struct series_doctor_finding f = {.file = l->name,
                                      .offset = offset,
                                      .what = what,
                                      .mend = "restore the file from a backup; --repair keeps the rest of the run",
                                      .from = 1};
    ThingId thing = 0;
    f.state = l->d->options->repair ? SERIES_DOCTOR_MENDED : SERIES_DOCTOR_DAMAGED;
    if (f.state == SERIES_DOCTOR_MENDED) f.mend = "its rows are gone; the file as it was lies in lost/";
    if (e) {
        f.party = (PartyId)(e->first_key >> 32), f.from = e->least, f.to = e->greatest, f.rows = e->n_rows;
        if (e->first_key == e->last_key) thing = (ThingId)e->first_key;
        if (e->first_key >> 32 != e->last_key >> 32) f.party = 0;
    }
    l->bad = true;
    series_doctor_tell(l->d, &f, thing, 0);
}

/* ---- one chunk */

struct decoded {
    struct series_chunk chunk;
    struct series_run_entry entry; /* as it should stand in the index */
    struct series_part *parts;
    Nanos *times;
    struct column *columns;
};

static void free_decoded(struct decoded *c) {
    for (uint32_t i = 0; c->columns && i < c->chunk.head.n_columns; i++) {
        free(c->columns[i].rows);
        free(c->columns[i].values);
        buf_fini(&c->columns[i].text);
    }
    free(c->columns);
    free(c->parts);
    free(c->times);
}

static bool is_ordered(const struct looking *l, const struct decoded *c) {
    uint32_t row = 0;
    uint64_t last = 0;
    for (uint32_t p = 0; p < c->chunk.head.n_parts; p++) {
        uint64_t key = SERIES_RUN_KEY(c->parts[p].party, c->parts[p].thing);
        if (key <= last || key < l->last_key) return false;
        last = key;
        for (uint32_t i = 0; i < c->parts[p].rows; i++, row++)
            if (c->times[row] < l->info->from || c->times[row] >= l->info->to ||
                (i > 0 && c->times[row] <= c->times[row - 1]))
                return false;
    }
    return row == c->chunk.head.n_rows;
}

static void fill_entry(struct decoded *c, uint64_t offset) {
    const struct series_chunk_head *h = &c->chunk.head;
    const struct series_part *first = &c->parts[0], *last = &c->parts[h->n_parts - 1];
    c->entry.first_key = SERIES_RUN_KEY(first->party, first->thing);
    c->entry.last_key = SERIES_RUN_KEY(last->party, last->thing);
    c->entry.offset = offset, c->entry.bytes = (uint32_t)series_chunk_bytes(&c->chunk);
    c->entry.head_bytes = h->head_bytes, c->entry.n_rows = h->n_rows;
    c->entry.least = INT64_MAX, c->entry.greatest = INT64_MIN;
    for (uint32_t i = 0; i < h->n_rows; i++) {
        if (c->times[i] < c->entry.least) c->entry.least = c->times[i];
        if (c->times[i] > c->entry.greatest) c->entry.greatest = c->times[i];
    }
}

static bool same_number(double a, double b) { return a == b || (isnan(a) && isnan(b)); }

static bool same_value(Value v, Value want) {
    return want.kind == VALUE_NONE || (v.kind == want.kind && (v.kind == VALUE_BOOL ? v.b == want.b : v.i == want.i));
}

/* Whether a column's directory entry says what its values are. Sums are made in any order, so they may differ a
 * little. */
static bool sums_up(const struct decoded *c, const struct column *k) {
    double min = NAN, max = NAN, sum = 0, size = 0;
    const struct series_chunk_column *f = &k->form;
    for (uint32_t i = 0; i < f->n && f->family != SERIES_STRINGS; i++) {
        double v = value_as_num(k->values[i]);
        sum += v, size += fabs(v);
        if (!(min <= v)) min = v;
        if (!(max >= v)) max = v;
    }
    bool close = same_number(sum, f->sum) || !(fabs(sum - f->sum) > size * 1e-9);
    return same_number(min, f->min) && same_number(max, f->max) && close &&
           f->last_time == c->times[k->rows[f->n - 1]] &&
           same_value(k->values[0], series_chunk_value(f->first_kind, f->first)) &&
           same_value(k->values[f->n - 1], series_chunk_value(f->last_kind, f->last));
}

static void tell_column(struct looking *l, const struct decoded *c, const struct column *k, uint64_t at, bool lost) {
    bool mends = l->d->options->repair;
    struct series_doctor_finding f = {.state = mends ? SERIES_DOCTOR_MENDED : SERIES_DOCTOR_DAMAGED,
                                      .file = l->name,
                                      .offset = at,
                                      .party = (PartyId)(c->entry.first_key >> 32),
                                      .from = 1};
    f.what = lost ? "a column fails its checksum" : "a column's summary is not what its values are";
    f.mend = !lost   ? "--repair writes the run again"
             : mends ? "its values are gone; the file as it was lies in lost/"
                     : "restore the file from a backup; --repair keeps the rest of the run";
    if (lost) f.from = c->entry.least, f.to = c->entry.greatest, f.values = k->form.n;
    ThingId thing = c->entry.first_key == c->entry.last_key ? (ThingId)c->entry.first_key : 0;
    l->bad = true;
    series_doctor_tell(l->d, &f, thing, k->form.metric);
}

static void check_column(struct looking *l, struct decoded *c, uint32_t i) {
    struct column *k = &c->columns[i];
    uint64_t at = series_chunk_column_offset(&c->chunk, i);
    size_t n = (size_t)k->form.presence_bytes + k->form.value_bytes;
    k->rows = malloc((c->chunk.head.n_rows + 1) * sizeof *k->rows);
    k->values = malloc((c->chunk.head.n_rows + 1) * sizeof *k->values);
    ASSERT(k->rows != NULL && k->values != NULL);
    if (!series_chunk_read_column(l->d->scratch, &c->chunk, &k->form, (Str){l->bytes.ptr + at, n}, k->rows, k->values,
                                  &k->text)) {
        tell_column(l, c, k, c->entry.offset + at, true);
        free(k->rows);
        k->rows = NULL;
        return;
    }
    l->values += k->form.n;
    if (!sums_up(c, k)) tell_column(l, c, k, c->entry.offset + at, false);
}

static bool decode_rows(struct looking *l, struct decoded *c) {
    const struct series_chunk_head *h = &c->chunk.head;
    Str all = buf_view(&l->bytes);
    size_t times = (size_t)h->head_bytes + h->parts_bytes;
    c->parts = malloc(h->n_parts * sizeof *c->parts);
    c->times = malloc(h->n_rows * sizeof *c->times);
    ASSERT(c->parts != NULL && c->times != NULL);
    return series_chunk_read_parts(l->d->scratch, &c->chunk, str_slice(all, h->head_bytes, times), c->parts) &&
           series_chunk_read_times(l->d->scratch, &c->chunk, str_slice(all, times, times + h->times_bytes), c->times);
}

/* ---- writing it again */

static Err begin_thing(struct looking *l, const struct decoded *c, const struct series_part *part) {
    uint64_t key = SERIES_RUN_KEY(part->party, part->thing);
    if (l->writing == key) return err_none();
    uint64_t rows = part->rows;
    for (size_t i = l->next; c->chunk.head.n_parts == 1 && i < l->index.n && l->index.items[i].first_key == key; i++)
        rows += l->index.items[i].n_rows;
    l->writing = key, l->written = INT64_MIN;
    return series_run_write_thing(l->writer, part->party, part->thing, part->stamped, rows);
}

static bool has_value(const struct decoded *c, uint32_t row) {
    bool any = false, all = true;
    for (uint32_t k = 0; k < c->chunk.head.n_columns; k++) {
        struct column *column = &c->columns[k];
        if (!column->rows) all = false;
        any |= column->rows && column->at < column->form.n && column->rows[column->at] == row;
    }
    return any || all; /* a row that had no values keeps its moment */
}

static Err write_row(struct looking *l, const struct decoded *c, uint32_t row) {
    if (!has_value(c, row)) return err_none();
    if (c->times[row] <= l->written) return err_none();
    TRY(series_run_write_row(l->writer, l->written = c->times[row]));
    for (uint32_t k = 0; k < c->chunk.head.n_columns; k++) {
        struct column *column = &c->columns[k];
        if (column->rows && column->at < column->form.n && column->rows[column->at] == row)
            series_run_write_value(l->writer, column->form.metric, column->values[column->at++]);
    }
    return err_none();
}

static Err write_chunk(struct looking *l, const struct decoded *c) {
    uint32_t row = 0;
    for (uint32_t p = 0; p < c->chunk.head.n_parts; p++) {
        TRY(begin_thing(l, c, &c->parts[p]));
        for (uint32_t i = 0; i < c->parts[p].rows; i++, row++) TRY(write_row(l, c, row));
    }
    return err_none();
}

/* ---- walking */

/* The entry of the chunk at this offset, if the index has it; earlier ones are passed over. */
static const struct series_run_entry *entry_at(struct looking *l, uint64_t at) {
    while (l->next < l->index.n && l->index.items[l->next].offset < at) l->next++;
    return l->next < l->index.n && l->index.items[l->next].offset == at ? &l->index.items[l->next++] : NULL;
}

static Err check_chunk(struct looking *l, struct decoded *c, uint64_t at, const struct series_run_entry *entry) {
    if (!decode_rows(l, c) || !is_ordered(l, c)) {
        const struct series_chunk_head *h = &c->chunk.head;
        uint64_t key = SERIES_RUN_KEY(h->party, h->thing);
        struct series_run_entry lost = {key, key, h->least, h->greatest, at, 0, 0, h->n_rows, 0};
        if (h->n_parts > 1) lost.last_key = UINT64_MAX;
        tell_lost(l, at, entry ? entry : &lost, "a chunk's things or times fail their checksum");
        return err_none();
    }
    fill_entry(c, at);
    l->chunks++, l->rows += c->entry.n_rows, l->last_key = c->entry.last_key;
    c->columns = calloc(c->chunk.head.n_columns + 1, sizeof *c->columns);
    ASSERT(c->columns != NULL);
    for (uint32_t i = 0; i < c->chunk.head.n_columns; i++) {
        c->columns[i].form = series_chunk_column_at(&c->chunk, i);
        check_column(l, c, i);
    }
    if (l->has_foot && (!entry || memcmp(entry, &c->entry, sizeof *entry) != 0))
        say(l, at, "a chunk is not what the index says", "--repair makes the index again from the chunks");
    return l->writer ? write_chunk(l, c) : err_none();
}

/* Reads what stands at `at` as a chunk. */
static bool load_chunk(struct looking *l, uint64_t at, struct series_chunk *chunk) {
    struct series_chunk_head head;
    if (at >= l->end || !read_at(l, &head, sizeof head, at) || head.head_bytes > l->end - at ||
        head.head_bytes < sizeof head || head.head_bytes > SERIES_CHUNK_BYTES_MAX)
        return false;
    buf_clear(&l->bytes);
    buf_reserve(&l->bytes, (size_t)head.head_bytes + 1);
    if (!read_at(l, l->bytes.ptr, head.head_bytes, at)) return false;
    l->bytes.len = head.head_bytes;
    if (series_chunk_parse(buf_view(&l->bytes), chunk).code) return false;
    uint64_t bytes = series_chunk_bytes(chunk);
    if (bytes > l->end - at || bytes > SERIES_CHUNK_BYTES_MAX) return false;
    buf_reserve(&l->bytes, (size_t)bytes + 1 - l->bytes.len);
    if (!read_at(l, l->bytes.ptr, (size_t)bytes, at)) return false;
    l->bytes.len = (size_t)bytes;
    return series_chunk_parse(buf_view(&l->bytes), chunk).code == ERR_NONE;
}

/* Where a chunk begins again behind `at`: what the index says, or the next head that can be read; `end`: nowhere. */
static uint64_t next_chunk(struct looking *l, uint64_t at) {
    while (l->next < l->index.n && l->index.items[l->next].offset <= at) l->next++;
    if (l->next < l->index.n) return l->index.items[l->next].offset;
    uint32_t magic = UINT32_C(0x4b484357);
    struct series_chunk chunk;
    char *window = malloc(SEARCH_BYTES);
    ASSERT(window != NULL);
    uint64_t found = l->end;
    for (uint64_t from = at + 1; from + 4 <= l->end && found == l->end; from += SEARCH_BYTES - 3) {
        size_t n = l->end - from < SEARCH_BYTES ? (size_t)(l->end - from) : SEARCH_BYTES;
        if (!read_at(l, window, n, from)) break;
        for (size_t i = 0; i + 4 <= n && found == l->end; i++)
            if (memcmp(window + i, &magic, 4) == 0 && load_chunk(l, from + i, &chunk)) found = from + i;
    }
    free(window);
    return found;
}

static bool is_foot(struct looking *l, uint64_t at) {
    return !l->has_foot && l->size - at < sizeof(struct series_run_foot); /* a rest too short for a chunk */
}

static Err walk(struct looking *l) {
    for (uint64_t at = sizeof(struct series_run_head), to; at < l->end && !is_foot(l, at); at = to) {
        struct decoded c = {0};
        if (!load_chunk(l, at, &c.chunk)) {
            const struct series_run_entry *entry = entry_at(l, at);
            struct series_run_entry copy = entry ? *entry : (struct series_run_entry){0};
            to = next_chunk(l, at);
            if (to < l->end || l->has_foot) /* else it is the index, which has no foot any more */
                tell_lost(l, at, entry ? &copy : NULL, "a chunk's head fails its checksum");
            continue;
        }
        uint64_t bytes = series_chunk_bytes(&c.chunk);
        const struct series_run_entry *entry = entry_at(l, at);
        Err err = check_chunk(l, &c, at, entry);
        free_decoded(&c);
        if (err.code) return err;
        to = at + bytes;
        series_doctor_progress(l->d, l->name, bytes);
    }
    return err_none();
}

static void check_totals(struct looking *l) {
    const struct series_run_info *i = l->info;
    if (l->bad || (l->chunks == i->chunks && l->rows == i->rows && l->values == i->values && l->size == i->bytes &&
                   l->foot.n_chunks == i->chunks && l->foot.n_rows == i->rows && l->foot.n_values == i->values))
        return;
    say(l, 0, "the run has not as many rows as the manifest says", "--repair writes the run again");
}

static Err look(struct looking *l) {
    TRY(file_size(l->file, &l->size));
    check_head(l);
    check_index(l);
    TRY(walk(l));
    check_totals(l);
    struct series_doctor_result *r = l->d->result;
    r->runs++, r->chunks += l->chunks, r->rows += l->rows, r->values += l->values;
    return err_none();
}

static void free_looking(struct looking *l) {
    file_close(l->file);
    free(l->index.items);
    buf_fini(&l->bytes);
}

static Err open_looking(struct looking *l) {
    snprintf(l->name, sizeof l->name, "run-%012llx.weft", (unsigned long long)l->info->id);
    series_run_path(l->d->dir, l->info->id, l->path);
    return file_open(l->d->fs, l->path, FILE_READ, &l->file);
}

static bool still_counts(struct series_doctor *d, uint64_t id) {
    struct series_manifest now;
    if (!d->options->beside) return true;
    series_manifest_init(&now);
    bool counts = series_manifest_load(d->fs, d->dir, &now).code != ERR_NONE;
    for (size_t i = 0; i < now.n_runs; i++) counts |= now.runs[i].id == id;
    series_manifest_fini(&now);
    return counts;
}

static Err tell_gone(struct looking *l, Err err) {
    bool mends = l->d->options->repair;
    if (!still_counts(l->d, l->info->id)) return err_none();
    struct series_doctor_finding f = {.state = mends ? SERIES_DOCTOR_MENDED : SERIES_DOCTOR_DAMAGED,
                                      .file = l->name,
                                      .what = err.code == ERR_NOT_FOUND ? "the file is gone" : err.text,
                                      .mend = mends ? "the manifest names it no more; its rows are gone"
                                                    : "restore the file from a backup; --repair goes on without it",
                                      .from = l->info->from,
                                      .to = l->info->to - 1,
                                      .rows = l->info->rows,
                                      .values = l->info->values};
    series_doctor_tell(l->d, &f, 0, 0);
    return err_none();
}

/* Once more from the beginning, now writing what can be read. */
static Err write_again(struct series_doctor *d, const struct series_run_info *info, struct series_run_info *fresh) {
    struct looking l = {.d = d, .info = info};
    struct series_run_info as = *info;
    TRY(open_looking(&l));
    as.id = d->manifest.next_file++;
    Err err = series_run_write_begin(d->fs, d->dir, &as, d->scratch, &l.writer);
    if (err.code == ERR_NONE) err = look(&l);
    if (err.code == ERR_NONE)
        err = series_run_write_end(l.writer, &as);
    else
        series_run_write_drop(l.writer);
    free_looking(&l);
    *fresh = as;
    if (err.code == ERR_NONE) err = file_sync_dir(d->fs, d->dir, "doctor.run");
    return err;
}

/* Looking without a word, to know whether there is anything to mend. */
static void silent(void *ctx, const struct series_doctor_finding *finding) { (void)ctx, (void)finding; }

static Err look_first(struct series_doctor *d, const struct series_run_info *info, bool *bad, bool *gone, Err *why) {
    struct series_doctor_options options = *d->options;
    struct series_doctor_result result = *d->result;
    struct series_doctor quiet = *d;
    struct looking l = {.d = &quiet, .info = info};
    quiet.options = &options, quiet.result = &result;
    if (d->options->repair) options.sink = silent, options.repair = false;
    *why = open_looking(&l);
    *gone = why->code != ERR_NONE;
    Err err = *gone ? err_none() : look(&l);
    *bad = l.bad;
    free_looking(&l);
    if (!d->options->repair || !*bad) *d->result = result;
    d->bytes_done = quiet.bytes_done;
    return err;
}

Err series_doctor_file_run(struct series_doctor *d, const struct series_run_info *info, struct series_run_info *fresh,
                           bool *mended) {
    bool bad = false, gone = false;
    Err why;
    *mended = false, *fresh = *info;
    TRY(look_first(d, info, &bad, &gone, &why));
    if (gone) {
        struct looking l = {.d = d, .info = info};
        snprintf(l.name, sizeof l.name, "run-%012llx.weft", (unsigned long long)info->id);
        *mended = d->options->repair;
        fresh->rows = 0;
        return tell_gone(&l, why);
    }
    if (!bad || !d->options->repair) return err_none();
    *mended = true;
    return write_again(d, info, fresh);
}

bool series_doctor_file_describe(struct series_doctor *d, const char *file, struct series_run_info *out) {
    char path[4096];
    struct file *f;
    struct series_run_head head;
    size_t got = 0;
    series_doctor_path(d, file, path);
    if (file_open(d->fs, path, FILE_READ, &f).code) return false;
    bool ok = file_read(f, &head, sizeof head, 0, &got).code == ERR_NONE && got == sizeof head &&
              memcmp(head.magic, SERIES_RUN_MAGIC, sizeof head.magic) == 0 &&
              head.checksum == hash_bytes(&head, offsetof(struct series_run_head, checksum)) && head.from < head.to;
    uint64_t size = 0;
    struct series_run_foot foot = {0};
    if (ok) ok = file_size(f, &size).code == ERR_NONE && size > sizeof foot;
    if (ok) ok = file_read(f, &foot, sizeof foot, size - sizeof foot, &got).code == ERR_NONE;
    file_close(f);
    *out = (struct series_run_info){.id = head.id, .from = head.from, .to = head.to};
    out->class = head.class, out->level = (uint32_t)head.level, out->bytes = size;
    out->chunks = foot.n_chunks, out->rows = foot.n_rows, out->values = foot.n_values;
    return ok;
}
