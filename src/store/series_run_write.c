/*
 * A thing with many rows gets chunks of its own, of even size; things with few rows share chunks, because a chunk's
 * directory costs about 80 bytes a metric.
 */
#include "store/series_run_write.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/hash.h"
#include "base/vec.h"
#include "store/series_run_form.h"

#define OWN_CHUNK_ROWS 1024u  /* a thing with so many has its own */
#define SHARED_ROWS 4096u     /* of a shared chunk, about */
#define VALUES_MAX (1u << 18) /* of one chunk, about: bounds what a reader must hold */
#define TEXT_MAX ((size_t)4 << 20)
#define WRITE_BYTES ((size_t)256 << 10)

struct series_run_writer {
    struct file_system *fs;
    struct file *file;
    char path[4096];
    struct series_run_info info;
    struct compress *scratch;
    struct series_table table;
    struct arena text; /* the table's strings */
    size_t text_bytes;
    struct buf out; /* not yet written; begins at `written` of the file */
    uint64_t written;
    struct series_run_entries entries;
    struct series_part part; /* the thing that rows belong to now */
    uint32_t rows_limit;     /* of the chunk being filled */
    Nanos least, greatest;
};

_Static_assert(sizeof(struct series_run_head) == 64, "form of the run");
_Static_assert(sizeof(struct series_run_foot) == 128, "form of the run");
_Static_assert(sizeof(struct series_run_entry) == 56, "form of the run");

static Err write_out(struct series_run_writer *w) {
    TRY(file_write(w->file, w->out.ptr, w->out.len, w->written));
    w->written += w->out.len;
    buf_clear(&w->out);
    return err_none();
}

static Err put_head(struct series_run_writer *w) {
    struct series_run_head head = {
        .version = SERIES_RUN_VERSION, .class = w->info.class, .id = w->info.id, .from = w->info.from};
    head.to = w->info.to, head.level = w->info.level;
    memcpy(head.magic, SERIES_RUN_MAGIC, sizeof head.magic);
    head.checksum = hash_bytes(&head, offsetof(struct series_run_head, checksum));
    buf_add(&w->out, &head, sizeof head);
    return file_open(w->fs, w->path, FILE_READ | FILE_WRITE | FILE_CREATE | FILE_TRUNCATE, &w->file);
}

Err series_run_write_begin(struct file_system *fs, const char *dir, const struct series_run_info *info,
                           struct compress *scratch, struct series_run_writer **out) {
    struct series_run_writer *w = calloc(1, sizeof *w);
    ASSERT(w != NULL);
    w->fs = fs, w->info = *info, w->scratch = scratch;
    w->info.chunks = w->info.rows = w->info.values = w->info.bytes = 0;
    w->least = INT64_MAX, w->greatest = INT64_MIN;
    arena_init(&w->text, 0);
    series_run_path(dir, info->id, w->path);
    Err err = put_head(w);
    if (err.code)
        series_run_write_drop(w);
    else
        *out = w;
    return err;
}

/* ---- chunks */

static void note_chunk(struct series_run_writer *w, uint64_t offset, uint32_t bytes, uint32_t head_bytes) {
    const struct series_table *t = &w->table;
    const struct series_part *first = &t->parts[0], *last = &t->parts[t->n_parts - 1];
    struct series_run_entry e = {.first_key = SERIES_RUN_KEY(first->party, first->thing),
                                 .last_key = SERIES_RUN_KEY(last->party, last->thing),
                                 .least = t->times[0],
                                 .greatest = t->times[0],
                                 .offset = offset,
                                 .bytes = bytes,
                                 .head_bytes = head_bytes,
                                 .n_rows = (uint32_t)t->n_rows};
    for (size_t i = 1; i < t->n_rows; i++) {
        if (t->times[i] < e.least) e.least = t->times[i];
        if (t->times[i] > e.greatest) e.greatest = t->times[i];
    }
    if (e.least < w->least) w->least = e.least;
    if (e.greatest > w->greatest) w->greatest = e.greatest;
    VEC_PUSH(w->entries.items, w->entries.n, w->entries.cap, e);
    w->info.rows += t->n_rows, w->info.values += t->n_values, w->info.chunks++;
}

static Err end_chunk(struct series_run_writer *w) {
    if (w->table.n_rows == 0) {
        series_table_clear(&w->table);
        return err_none();
    }
    uint64_t offset = w->written + w->out.len;
    uint32_t head_bytes;
    series_table_sort(&w->table);
    series_chunk_write(w->scratch, &w->table, w->info.cold, &w->out, &head_bytes);
    uint64_t bytes = w->written + w->out.len - offset;
    ASSERT(bytes <= SERIES_CHUNK_BYTES_MAX);
    note_chunk(w, offset, (uint32_t)bytes, head_bytes);
    series_table_clear(&w->table);
    arena_reset(&w->text);
    w->text_bytes = 0;
    return w->out.len >= WRITE_BYTES ? write_out(w) : err_none();
}

/* Rows a chunk when n go into as few even chunks as possible. */
static uint32_t even_rows(uint64_t n) {
    uint64_t chunks = (n + SERIES_CHUNK_ROWS_MAX - 1) / SERIES_CHUNK_ROWS_MAX;
    return chunks <= 1 ? SERIES_CHUNK_ROWS_MAX : (uint32_t)((n + chunks - 1) / chunks);
}

static bool chunk_is_full(const struct series_run_writer *w) {
    const struct series_table *t = &w->table;
    return t->n_rows >= w->rows_limit || t->n_values >= VALUES_MAX || w->text_bytes >= TEXT_MAX;
}

Err series_run_write_thing(struct series_run_writer *w, PartyId party, ThingId thing, Nanos stamped, uint64_t n_rows) {
    ASSERT(SERIES_RUN_KEY(party, thing) > SERIES_RUN_KEY(w->part.party, w->part.thing));
    bool own = n_rows >= OWN_CHUNK_ROWS,
         shared = w->table.n_rows + n_rows <= SHARED_ROWS && w->rows_limit == SHARED_ROWS;
    /* One that is full already would get a thing without rows, and its rows would begin the next. */
    if (w->table.n_parts && (own || !shared || chunk_is_full(w))) TRY(end_chunk(w));
    w->part = (struct series_part){party, thing, 0, stamped};
    w->rows_limit = own ? even_rows(n_rows) : SHARED_ROWS;
    series_table_part(&w->table, party, thing, stamped);
    return err_none();
}

Err series_run_write_row(struct series_run_writer *w, Nanos time) {
    const struct series_table *t = &w->table;
    bool same = t->parts[t->n_parts - 1].rows && t->times[t->n_rows - 1] == time;
    if (!same && chunk_is_full(w)) {
        TRY(end_chunk(w));
        series_table_part(&w->table, w->part.party, w->part.thing, w->part.stamped);
    }
    series_table_row(&w->table, time);
    return err_none();
}

void series_run_write_value(struct series_run_writer *w, MetricId metric, Value value) {
    if (value.kind == VALUE_STRING) {
        value.s = arena_str(&w->text, value.s);
        w->text_bytes += value.s.len;
    }
    series_table_value(&w->table, metric, value);
}

/* One column's samples at the rows that were just added. */
static void write_samples(struct series_run_writer *w, struct series_union_columns *c, size_t first, Nanos last) {
    const struct series_samples *s = &c->samples;
    size_t from = c->at;
    while (c->at < s->n && s->times[c->at] <= last) {
        Value *v = &s->values[c->at++];
        if (v->kind == VALUE_STRING) v->s = arena_str(&w->text, v->s), w->text_bytes += v->s.len;
    }
    if (c->at > from)
        series_table_samples(&w->table, first, c->metric, s->times + from, s->values + from, c->at - from);
}

Err series_run_write_union(struct series_run_writer *w, struct series_union *rows) {
    for (size_t at = 0; at < rows->n_rows;) {
        if (chunk_is_full(w)) {
            TRY(end_chunk(w));
            series_table_part(&w->table, w->part.party, w->part.thing, w->part.stamped);
        }
        const struct series_table *t = &w->table;
        size_t first = t->n_rows, n = w->rows_limit - first;
        size_t by_values = (VALUES_MAX - t->n_values) / (rows->n_columns + 1) + 1;
        if (n > by_values) n = by_values;
        if (n > rows->n_rows - at) n = rows->n_rows - at;
        series_table_rows(&w->table, rows->rows + at, n);
        for (size_t c = 0; c < rows->n_columns; c++) write_samples(w, &rows->columns[c], first, rows->rows[at + n - 1]);
        at += n;
    }
    return err_none();
}

/* ---- the index */

static void put_pages(struct series_run_writer *w, struct series_run_foot *foot, struct buf *table) {
    const struct series_run_entries *e = &w->entries;
    for (size_t at = 0; at < e->n; at += SERIES_RUN_PAGE) {
        size_t n = e->n - at < SERIES_RUN_PAGE ? e->n - at : SERIES_RUN_PAGE, size = n * sizeof *e->items;
        struct series_run_page page = {e->items[at].first_key, e->items[at + n - 1].last_key};
        buf_add(&w->out, &e->items[at], size);
        buf_u64le(&w->out, hash_bytes(&e->items[at], size));
        buf_add(table, &page, sizeof page);
        foot->n_pages++;
    }
}

static void put_index(struct series_run_writer *w) {
    struct series_run_foot foot = {.version = SERIES_RUN_VERSION,
                                   .id = w->info.id,
                                   .n_chunks = w->info.chunks,
                                   .n_rows = w->info.rows,
                                   .n_values = w->info.values,
                                   .least = w->least,
                                   .greatest = w->greatest,
                                   .pages_offset = w->written + w->out.len};
    struct buf table = {0};
    memcpy(foot.magic, SERIES_RUN_MAGIC, sizeof foot.magic);
    put_pages(w, &foot, &table);
    foot.table_offset = w->written + w->out.len;
    foot.table_checksum = hash_bytes(table.ptr, table.len);
    buf_str(&w->out, buf_view(&table));
    buf_fini(&table);
    foot.checksum = hash_bytes(&foot, offsetof(struct series_run_foot, checksum));
    buf_add(&w->out, &foot, sizeof foot);
}

static Err complete(struct series_run_writer *w) {
    TRY(end_chunk(w));
    if (w->info.rows == 0) return err_none();
    put_index(w);
    TRY(write_out(w));
    w->info.bytes = w->written;
    return file_sync(w->file, "run.data");
}

static void free_writer(struct series_run_writer *w) {
    file_close(w->file);
    series_table_fini(&w->table);
    arena_fini(&w->text);
    buf_fini(&w->out);
    free(w->entries.items);
    free(w);
}

Err series_run_write_end(struct series_run_writer *w, struct series_run_info *info) {
    Err err = complete(w);
    if (err.code || w->info.rows == 0) {
        series_run_write_drop(w);
        info->rows = 0;
        return err;
    }
    *info = w->info;
    free_writer(w);
    return err;
}

void series_run_write_drop(struct series_run_writer *w) {
    if (!w) return;
    if (w->file) file_remove(w->fs, w->path);
    free_writer(w);
}
