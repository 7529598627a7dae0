/*
 * Only the table of pages, 16 bytes for 128 chunks, stays in memory while a run is open; pages and chunks are read when
 * asked for, and the system's cache keeps what is asked for often.
 */
#include "store/series_run.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/log.h"
#include "base/vec.h"
#include "os/file_map.h"
#include "store/series_run_form.h"

#define READ_WHOLE (UINT32_C(128) << 10) /* a chunk up to here is read in one go */

struct series_run {
    atomic_uint refs;
    atomic_bool doomed;
    struct file_system *fs;
    struct file *file;
    uint64_t size;                  /* of the file */
    _Atomic(struct file_map *) map; /* made when first asked for */
    char *path;
    struct series_run_info info;
    struct series_run_foot foot;
    struct series_run_page *pages; /* [foot.n_pages] */
    Err state;
};

void series_run_path(const char *dir, uint64_t id, char out[4096]) {
    ASSERT((size_t)snprintf(out, 4096, "%s/run-%012llx.weft", dir, (unsigned long long)id) < 4096);
}

static Err corrupt(const struct series_run *run, uint64_t at, const char *what) {
    return err_make(ERR_CORRUPT, "'%s' at byte %llu: %s: restore the file, or give up what it holds", run->path,
                    (unsigned long long)at, what);
}

static Err read_at(const struct series_run *run, void *into, size_t n, uint64_t at, const char *what) {
    size_t got;
    TRY(file_read(run->file, into, n, at, &got));
    return got == n ? err_none() : corrupt(run, at, what);
}

/* ---- opening */

static Err read_foot(struct series_run *run) {
    struct series_run_foot *f = &run->foot;
    uint64_t size;
    TRY(file_size(run->file, &size));
    if (size < sizeof(struct series_run_head) + sizeof *f) return corrupt(run, 0, "the file is too short for a run");
    uint64_t at = size - sizeof *f;
    run->size = size;
    TRY(read_at(run, f, sizeof *f, at, "the foot is cut off"));
    if (memcmp(f->magic, SERIES_RUN_MAGIC, sizeof f->magic) != 0 ||
        f->checksum != hash_bytes(f, offsetof(struct series_run_foot, checksum)))
        return corrupt(run, at, "the foot fails its checksum");
    if (f->version < 1 || f->version > SERIES_RUN_VERSION) return corrupt(run, at, "written by a newer version");
    if (f->id != run->info.id || f->n_pages > SERIES_RUN_PAGES_MAX ||
        f->n_chunks > (uint64_t)f->n_pages * SERIES_RUN_PAGE ||
        f->n_chunks + SERIES_RUN_PAGE <= (uint64_t)f->n_pages * SERIES_RUN_PAGE || f->n_pages == 0 ||
        f->table_offset > at || at - f->table_offset != f->n_pages * sizeof(struct series_run_page))
        return corrupt(run, at, "the foot makes no sense");
    return err_none();
}

static Err read_table(struct series_run *run) {
    size_t size = run->foot.n_pages * sizeof *run->pages;
    run->pages = malloc(size);
    ASSERT(run->pages != NULL);
    TRY(read_at(run, run->pages, size, run->foot.table_offset, "the table of pages is cut off"));
    if (hash_bytes(run->pages, size) != run->foot.table_checksum)
        return corrupt(run, run->foot.table_offset, "the table of pages fails its checksum");
    return err_none();
}

static Err open_file(struct series_run *run) {
    Err err = file_open(run->fs, run->path, FILE_READ, &run->file);
    if (err.code == ERR_NOT_FOUND) return corrupt(run, 0, "the file is gone");
    if (err.code) return err;
    TRY(read_foot(run));
    return read_table(run);
}

struct series_run *series_run_open(struct file_system *fs, const char *dir, const struct series_run_info *info) {
    char path[4096];
    struct series_run *run = calloc(1, sizeof *run);
    ASSERT(run != NULL);
    series_run_path(dir, info->id, path);
    atomic_init(&run->refs, 1);
    run->fs = fs, run->info = *info, run->path = strdup(path);
    run->state = open_file(run);
    if (run->state.code) LOG_ERROR("series.run_unreadable", LOG_C("error", run->state.text));
    return run;
}

void series_run_ref(struct series_run *run) { atomic_fetch_add(&run->refs, 1); }

void series_run_unref(struct series_run *run) {
    if (!run || atomic_fetch_sub(&run->refs, 1) != 1) return;
    file_map_free(atomic_load(&run->map));
    file_close(run->file);
    if (atomic_load(&run->doomed)) {
        Err err = file_remove(run->fs, run->path);
        if (err.code) LOG_WARN("series.run_not_removed", LOG_C("error", err.text));
    }
    free(run->path);
    free(run->pages);
    free(run);
}

void series_run_doom(struct series_run *run) { atomic_store(&run->doomed, true); }
const struct series_run_info *series_run_info(const struct series_run *run) { return &run->info; }
Err series_run_state(const struct series_run *run) { return run->state; }

/* ---- the index */

static uint32_t page_entries(const struct series_run *run, uint32_t page) {
    return page + 1 < run->foot.n_pages ? SERIES_RUN_PAGE
                                        : (uint32_t)(run->foot.n_chunks - (uint64_t)page * SERIES_RUN_PAGE);
}

static Err check_entry(const struct series_run *run, const struct series_run_entry *e, uint64_t at) {
    if (e->first_key > e->last_key || e->least > e->greatest || e->bytes > SERIES_CHUNK_BYTES_MAX ||
        e->head_bytes > e->bytes || e->offset > run->foot.pages_offset || e->bytes > run->foot.pages_offset - e->offset)
        return corrupt(run, at, "the index makes no sense");
    return err_none();
}

static Err load_page(struct series_run_place *place, uint32_t page) {
    const struct series_run *run = place->run;
    if (place->page == page + 1) return err_none();
    if (!place->entries) place->entries = malloc((SERIES_RUN_PAGE + 1) * sizeof *place->entries);
    ASSERT(place->entries != NULL);
    place->page = 0;
    uint32_t n = page_entries(run, page);
    size_t size = n * sizeof *place->entries;
    uint64_t full = SERIES_RUN_PAGE * sizeof *place->entries + 8, at = run->foot.pages_offset + page * full, checksum;
    TRY(read_at(run, place->entries, size + 8, at, "a page of the index is cut off"));
    memcpy(&checksum, (char *)place->entries + size, 8);
    if (checksum != hash_bytes(place->entries, size)) return corrupt(run, at, "a page of the index fails its checksum");
    for (uint32_t i = 0; i < n; i++) TRY(check_entry(run, &place->entries[i], at));
    place->page = page + 1;
    place->n_entries = n;
    return err_none();
}

/* The first page whose last key is not below key. */
static uint32_t first_page(const struct series_run *run, uint64_t key) {
    uint32_t low = 0, high = run->foot.n_pages;
    while (low < high) {
        uint32_t mid = low + (high - low) / 2;
        if (run->pages[mid].last_key < key)
            low = mid + 1;
        else
            high = mid;
    }
    return low;
}

/* The same within the loaded page. */
static uint32_t first_entry(const struct series_run_place *place, uint64_t key) {
    uint32_t low = 0, high = place->n_entries;
    while (low < high) {
        uint32_t mid = low + (high - low) / 2;
        if (place->entries[mid].last_key < key)
            low = mid + 1;
        else
            high = mid;
    }
    return low;
}

void series_run_place_fini(struct series_run_place *place) {
    free(place->entries);
    *place = (struct series_run_place){0};
}

Err series_run_find(struct series_run_place *place, uint64_t key, Nanos from, Nanos to,
                    struct series_run_entries *out) {
    const struct series_run *run = place->run;
    if (run->state.code) return run->state;
    for (uint32_t page = first_page(run, key); page < run->foot.n_pages && run->pages[page].first_key <= key; page++) {
        TRY(load_page(place, page));
        for (uint32_t i = first_entry(place, key); i < place->n_entries; i++) {
            const struct series_run_entry *e = &place->entries[i];
            if (e->first_key > key) break;
            if (e->least < to && e->greatest >= from) VEC_PUSH(out->items, out->n, out->cap, *e);
        }
    }
    return err_none();
}

Err series_run_next_key(struct series_run_place *place, uint64_t key, uint64_t *out, bool *found) {
    const struct series_run *run = place->run;
    *found = false;
    if (run->state.code) return run->state;
    uint32_t page = first_page(run, key);
    if (page == run->foot.n_pages) return err_none();
    TRY(load_page(place, page));
    uint32_t i = first_entry(place, key);
    if (i == place->n_entries) return err_none();
    *found = true;
    *out = place->entries[i].first_key > key ? place->entries[i].first_key : key;
    return err_none();
}

Err series_run_all(struct series_run_place *place, struct series_run_entries *out) {
    if (place->run->state.code) return place->run->state;
    for (uint32_t page = 0; page < place->run->foot.n_pages; page++) {
        TRY(load_page(place, page));
        for (uint32_t i = 0; i < place->n_entries; i++) VEC_PUSH(out->items, out->n, out->cap, place->entries[i]);
    }
    return err_none();
}

/* ---- chunks */

void series_run_chunk_fini(struct series_run_chunk *c) {
    buf_fini(&c->bytes);
    buf_fini(&c->section);
    for (size_t i = 0; i < c->cap_columns; i++) {
        buf_fini(&c->columns[i].text);
        free(c->columns[i].rows);
        free(c->columns[i].values);
    }
    free(c->columns);
    free(c->parts);
    free(c->times);
    *c = (struct series_run_chunk){0};
}

static void forget_columns(struct series_run_chunk *c) {
    size_t n = c->chunk.head.n_columns, old = c->cap_columns;
    if (n > old) {
        c->columns = vec_grow(c->columns, &c->cap_columns, n, sizeof *c->columns);
        memset(c->columns + old, 0, (c->cap_columns - old) * sizeof *c->columns);
    }
    for (uint32_t i = 0; i < n; i++) {
        c->columns[i].form = series_chunk_column_at(&c->chunk, i);
        c->columns[i].decoded = false;
    }
}

/* The whole file as memory; NULL: it has to be read. */
static const char *map_of(struct series_run *run) {
    struct file_map *map = atomic_load_explicit(&run->map, memory_order_acquire), *none = NULL;
    if (!map && (map = file_map_new(run->file, run->size)) &&
        !atomic_compare_exchange_strong(&run->map, &none, map)) { /* somebody was quicker */
        file_map_free(map);
        map = none;
    }
    return map ? file_map_bytes(map).ptr : NULL;
}

static Err load_bytes(struct series_run_chunk *c, const struct series_run_entry *entry) {
    const char *map = c->in_place ? map_of(c->run) : NULL;
    if (map) { /* the index was held against the file's size */
        c->whole = true;
        c->view = (Str){map + entry->offset, entry->bytes};
        return err_none();
    }
    c->whole = entry->bytes <= READ_WHOLE;
    size_t n = c->whole ? entry->bytes : entry->head_bytes;
    buf_clear(&c->bytes);
    buf_reserve(&c->bytes, n + 1);
    TRY(read_at(c->run, c->bytes.ptr, n, entry->offset, "a chunk is cut off"));
    c->bytes.len = n;
    c->view = buf_view(&c->bytes);
    return err_none();
}

Err series_run_load(struct series_run_chunk *c, struct series_run *run, const struct series_run_entry *entry) {
    if (c->loaded && c->run == run && c->entry.offset == entry->offset) return err_none();
    c->loaded = c->has_times = false;
    c->run = run, c->entry = *entry;
    TRY(load_bytes(c, entry));
    Err err = series_chunk_parse(c->view, &c->chunk);
    if (err.code) return corrupt(run, entry->offset, err.text);
    if (c->chunk.head.n_rows != entry->n_rows || series_chunk_bytes(&c->chunk) != entry->bytes)
        return corrupt(run, entry->offset, "a chunk is not what the index says");
    forget_columns(c);
    c->loaded = true;
    return err_none();
}

/* n bytes at `at` of the chunk. */
static Err load_section(struct series_run_chunk *c, uint64_t at, size_t n, Str *out) {
    if (at > c->entry.bytes || n > c->entry.bytes - at) return corrupt(c->run, c->entry.offset, "a column is cut off");
    if (c->whole) {
        *out = (Str){c->view.ptr + at, n};
        return err_none();
    }
    buf_clear(&c->section);
    buf_reserve(&c->section, n + 1);
    TRY(read_at(c->run, c->section.ptr, n, c->entry.offset + at, "a column is cut off"));
    c->section.len = n;
    *out = buf_view(&c->section);
    return err_none();
}

static void make_room(struct series_run_chunk *c) {
    size_t n_parts = c->chunk.head.n_parts, n_rows = c->chunk.head.n_rows;
    if (c->cap_parts < n_parts) {
        c->cap_parts = n_parts;
        c->parts = realloc(c->parts, n_parts * sizeof *c->parts);
        ASSERT(c->parts != NULL);
    }
    if (c->cap_rows >= n_rows) return;
    c->cap_rows = n_rows;
    c->times = realloc(c->times, n_rows * sizeof *c->times);
    ASSERT(c->times != NULL);
}

Err series_run_load_times(struct compress *scratch, struct series_run_chunk *c) {
    if (c->has_times) return err_none();
    const struct series_chunk_head *h = &c->chunk.head;
    Str section;
    make_room(c);
    TRY(load_section(c, h->head_bytes, h->parts_bytes, &section));
    if (!series_chunk_read_parts(scratch, &c->chunk, section, c->parts))
        return corrupt(c->run, c->entry.offset + h->head_bytes, "a chunk's list of things fails its checksum");
    uint64_t at = (uint64_t)h->head_bytes + h->parts_bytes;
    TRY(load_section(c, at, h->times_bytes, &section));
    if (!series_chunk_read_times(scratch, &c->chunk, section, c->times))
        return corrupt(c->run, c->entry.offset + at, "a chunk's times fail their checksum");
    c->has_times = true;
    c->part = c->part_row = 0;
    return err_none();
}

static void make_column_room(struct series_run_column *column, size_t n) {
    if (column->cap >= n) return;
    column->cap = n;
    free(column->rows);
    free(column->values);
    column->rows = malloc(n * sizeof *column->rows);
    column->values = malloc(n * sizeof *column->values);
    ASSERT(column->rows != NULL && column->values != NULL);
}

Err series_run_load_section(struct series_run_chunk *c, uint32_t i, Str *out) {
    const struct series_chunk_column *form = &c->columns[i].form;
    return load_section(c, series_chunk_column_offset(&c->chunk, i), (size_t)form->presence_bytes + form->value_bytes,
                        out);
}

Err series_run_column_damaged(const struct series_run_chunk *c, uint32_t i) {
    return corrupt(c->run, c->entry.offset + series_chunk_column_offset(&c->chunk, i), "a column fails its checksum");
}

uint32_t series_run_first_column(const struct series_run_chunk *c, MetricId metric) {
    uint32_t low = 0, high = c->chunk.head.n_columns;
    while (low < high) {
        uint32_t mid = low + (high - low) / 2;
        if (c->columns[mid].form.metric < metric)
            low = mid + 1;
        else
            high = mid;
    }
    return low;
}

Err series_run_load_column(struct compress *scratch, struct series_run_chunk *c, uint32_t i,
                           const struct series_run_column **out) {
    struct series_run_column *column = &c->columns[i];
    const struct series_chunk_column *form = &column->form;
    Str section;
    *out = column;
    if (column->decoded) return err_none();
    make_column_room(column, c->chunk.head.n_rows);
    TRY(series_run_load_section(c, i, &section));
    if (!series_chunk_read_column(scratch, &c->chunk, form, section, column->rows, column->values, &column->text))
        return series_run_column_damaged(c, i);
    column->decoded = true;
    return err_none();
}

static uint64_t part_key(const struct series_run_chunk *c, uint32_t part) {
    return SERIES_RUN_KEY(c->parts[part].party, c->parts[part].thing);
}

/* Who reads a chunk that things share mostly reads the next thing next: looking goes on where it ended. */
bool series_run_part_rows(struct series_run_chunk *c, PartyId party, ThingId thing, uint32_t *begin, uint32_t *end) {
    uint32_t n = c->chunk.head.n_parts;
    uint64_t key = SERIES_RUN_KEY(party, thing);
    if (c->part > 0 && part_key(c, c->part - 1) >= key) c->part = c->part_row = 0;
    while (c->part < n && part_key(c, c->part) < key) c->part_row += c->parts[c->part++].rows;
    if (c->part == n || part_key(c, c->part) != key) return false;
    *begin = c->part_row, *end = c->part_row + c->parts[c->part].rows;
    return true;
}
