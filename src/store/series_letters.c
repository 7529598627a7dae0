/*
 * Segments of an eighth of the bound each, so that what goes at once is a small part. A record carries its own id and a
 * checksum; the first that is not whole ends a segment, and in the newest it is cut there at the next start.
 */
#include "store/series_letters.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/log.h"
#include "base/vec.h"
#include "os/thread.h"

#define MAGIC "WEFTDLQ1"
#define SEGMENT_HEAD 32
#define SEGMENTS_KEPT 8
#define DEFAULT_BYTES ((size_t)64 << 20)
#define FILE_BYTES_MAX ((size_t)2 << 30)
#define TEXTS 4

struct segment_head {
    char magic[8];
    uint32_t version, number;
    uint64_t first_id, checksum;
};

/* Then the texts: device, topic, reason, payload, zeroes up to 8. */
struct record_head {
    uint64_t checksum; /* of all that follows */
    uint32_t size;     /* whole, a multiple of 8 */
    PartyId party;
    uint64_t id;
    Nanos at;
    uint32_t lengths[TEXTS];
};

_Static_assert(sizeof(struct segment_head) == SEGMENT_HEAD && sizeof(struct record_head) == 48, "form of the log");

struct segment {
    uint32_t number;
    uint64_t first_id, bytes;
};

struct series_letters {
    struct file_system *fs;
    char *dir;
    size_t bytes_max;
    bool read_only;
    Err broken;
    struct file *file; /* of the newest segment; NULL until something is written */
    pthread_mutex_t lock;
    struct segment *segments; /* ascending */
    size_t n_segments, cap_segments;
    uint64_t next_id;
    struct buf group;
    uint64_t group_letters;
};

static void path_of(const struct series_letters *l, uint32_t number, char out[4096]) {
    ASSERT((size_t)snprintf(out, 4096, "%s/dead-%08x.log", l->dir, number) < 4096);
}

/* ---- records */

void series_letters_add(struct series_letters *l, const struct dead_letter *letter) {
    const Str texts[TEXTS] = {letter->device, letter->topic, letter->reason, letter->payload};
    struct record_head head = {.party = letter->party, .at = letter->at, .id = l->next_id + l->group_letters};
    size_t size = sizeof head, from = l->group.len;
    for (int i = 0; i < TEXTS; i++) {
        ASSERT(texts[i].len < (UINT32_C(1) << 28));
        head.lengths[i] = (uint32_t)texts[i].len, size += texts[i].len;
    }
    head.size = (uint32_t)((size + 7) & ~(size_t)7);
    buf_add(&l->group, &head, sizeof head);
    for (int i = 0; i < TEXTS; i++) buf_str(&l->group, texts[i]);
    buf_add(&l->group, (const char[8]){0}, head.size - size);
    char *at = l->group.ptr + from;
    uint64_t checksum = hash_bytes(at + 8, head.size - 8);
    memcpy(at, &checksum, 8);
    l->group_letters++;
}

bool series_letters_parse(Str bytes, struct dead_letter_row *row, size_t *size) {
    struct record_head head;
    if (bytes.len < sizeof head) return false;
    memcpy(&head, bytes.ptr, sizeof head);
    if (head.size < sizeof head || head.size > bytes.len || head.size % 8) return false;
    if (head.checksum != hash_bytes(bytes.ptr + 8, head.size - 8)) return false;
    Str texts[TEXTS];
    size_t at = sizeof head;
    for (int i = 0; i < TEXTS; i++) {
        if (head.lengths[i] > head.size - at) return false;
        texts[i] = (Str){bytes.ptr + at, head.lengths[i]};
        at += head.lengths[i];
    }
    row->id = head.id;
    row->letter = (struct dead_letter){head.party, head.at, texts[0], texts[1], texts[2], texts[3]};
    *size = head.size;
    return true;
}

/* ---- writing */

static Err begin_segment(struct series_letters *l) {
    char path[4096];
    ASSERT(!l->n_segments || l->segments);
    uint32_t number = l->n_segments ? l->segments[l->n_segments - 1].number + 1 : 1;
    struct segment_head head = {.version = 1, .number = number, .first_id = l->next_id};
    memcpy(head.magic, MAGIC, sizeof head.magic);
    head.checksum = hash_bytes(&head, offsetof(struct segment_head, checksum));
    path_of(l, number, path);
    struct file *file;
    TRY(file_open(l->fs, path, FILE_READ | FILE_WRITE | FILE_CREATE | FILE_TRUNCATE, &file));
    Err err = file_write(file, &head, sizeof head, 0);
    if (err.code == ERR_NONE) err = file_sync_dir(l->fs, l->dir, "letters.dir");
    if (err.code) {
        file_close(file);
        return err;
    }
    file_close(l->file);
    l->file = file;
    thread_lock(&l->lock);
    VEC_PUSH(l->segments, l->n_segments, l->cap_segments, ((struct segment){number, l->next_id, SEGMENT_HEAD}));
    thread_unlock(&l->lock);
    return err_none();
}

static uint64_t total_bytes(const struct series_letters *l) {
    uint64_t sum = 0;
    for (size_t i = 0; i < l->n_segments; i++) sum += l->segments[i].bytes;
    return sum;
}

/* The oldest go first; the newest segment always stays. */
static void drop_old(struct series_letters *l) {
    thread_lock(&l->lock);
    while (l->n_segments > 1 && total_bytes(l) > l->bytes_max) {
        char path[4096];
        path_of(l, l->segments[0].number, path);
        LOG_WARN("series.letters_dropped", LOG_I("from", l->segments[0].first_id),
                 LOG_I("to", l->segments[1].first_id - 1));
        file_remove(l->fs, path); /* what stays behind is removed at the next start */
        l->n_segments--;
        memmove(l->segments, l->segments + 1, l->n_segments * sizeof *l->segments);
    }
    thread_unlock(&l->lock);
}

static Err write_group(struct series_letters *l) {
    struct segment *last = l->n_segments ? &l->segments[l->n_segments - 1] : NULL;
    if (!l->file || !last || last->bytes > l->bytes_max / SEGMENTS_KEPT) {
        TRY(begin_segment(l));
        last = &l->segments[l->n_segments - 1];
    }
    Err err = file_write(l->file, l->group.ptr, l->group.len, last->bytes);
    if (err.code) { /* what was written of it must not be found by a reader: go on elsewhere */
        file_close(l->file);
        l->file = NULL;
        return err;
    }
    err = file_sync(l->file, "letters.data");
    if (err.code == ERR_NONE) return err;
    l->broken = err_make(ERR_IO, "the dead letters' disk failed, nothing more is taken until a restart: %s", err.text);
    LOG_ERROR("series.sync_failed", LOG_C("dir", l->dir), LOG_C("error", err.text));
    return l->broken;
}

Err series_letters_commit(struct series_letters *l) {
    if (l->broken.code) return l->broken;
    if (l->group_letters == 0) return err_none();
    Err err = write_group(l);
    if (err.code == ERR_NONE) {
        thread_lock(&l->lock);
        l->segments[l->n_segments - 1].bytes += l->group.len;
        l->next_id += l->group_letters;
        thread_unlock(&l->lock);
        drop_old(l);
    }
    buf_clear(&l->group);
    l->group_letters = 0;
    return err;
}

uint64_t series_letters_bytes(const struct series_letters *letters) {
    struct series_letters *l = (struct series_letters *)letters;
    thread_lock(&l->lock);
    uint64_t bytes = total_bytes(l);
    thread_unlock(&l->lock);
    return bytes;
}

/* ---- listing */

struct listing {
    const struct lens *lens;
    uint64_t before_id;
    size_t limit;
    struct arena *arena;
    struct dead_letter_row *rows;
    size_t n, cap;
};

static bool shown(const struct listing *list, const struct dead_letter_row *row) {
    if (list->before_id && row->id >= list->before_id) return false;
    return list->lens->every_party || row->letter.party == list->lens->party;
}

static void copy_row(struct listing *list, const struct dead_letter_row *row) {
    struct dead_letter_row out = *row;
    out.letter.device = arena_str(list->arena, row->letter.device);
    out.letter.topic = arena_str(list->arena, row->letter.topic);
    out.letter.reason = arena_str(list->arena, row->letter.reason);
    out.letter.payload = arena_str(list->arena, row->letter.payload);
    VEC_PUSH(list->rows, list->n, list->cap, out);
}

/* Offsets of the records in a segment's first `end` bytes whose ids are below id_end. */
static size_t scan(Str bytes, uint64_t end, uint64_t id_end, size_t **offsets, size_t *cap, uint64_t *next_id) {
    size_t n = 0, at = SEGMENT_HEAD, size;
    struct dead_letter_row row;
    if (bytes.len > end) bytes.len = (size_t)end;
    while (at < bytes.len && *next_id < id_end &&
           series_letters_parse((Str){bytes.ptr + at, bytes.len - at}, &row, &size) && row.id == *next_id) {
        VEC_PUSH(*offsets, n, *cap, at);
        at += size;
        ++*next_id;
    }
    return n;
}

static void list_segment(struct listing *list, const struct segment *segment, Str bytes) {
    size_t *offsets = NULL, cap = 0, size;
    uint64_t id = segment->first_id;
    size_t n = scan(bytes, segment->bytes, UINT64_MAX, &offsets, &cap, &id);
    while (n > 0 && list->n < list->limit) {
        struct dead_letter_row row;
        n--;
        ASSERT(series_letters_parse((Str){bytes.ptr + offsets[n], bytes.len - offsets[n]}, &row, &size));
        if (shown(list, &row)) copy_row(list, &row);
    }
    free(offsets);
}

static struct segment *copy_segments(struct series_letters *l, size_t *n) {
    thread_lock(&l->lock);
    *n = l->n_segments;
    struct segment *copy = malloc((*n + 1) * sizeof *copy);
    ASSERT(copy != NULL);
    if (*n) memcpy(copy, l->segments, *n * sizeof *copy);
    thread_unlock(&l->lock);
    return copy;
}

static Err list_all(struct series_letters *l, struct listing *list, const struct segment *segments, size_t n) {
    struct buf bytes = {0};
    Err err = err_none();
    while (n > 0 && list->n < list->limit && err.code == ERR_NONE) {
        const struct segment *segment = &segments[--n];
        char path[4096];
        if (list->before_id && segment->first_id >= list->before_id) continue;
        path_of(l, segment->number, path);
        buf_clear(&bytes);
        err = file_load(l->fs, path, FILE_BYTES_MAX, &bytes);
        if (err.code == ERR_NONE) list_segment(list, segment, buf_view(&bytes));
        if (err.code == ERR_NOT_FOUND) err = err_none(); /* dropped meanwhile */
    }
    buf_fini(&bytes);
    return err;
}

Err series_letters_list(struct series_letters *l, const struct lens *lens, uint64_t before_id, size_t limit,
                        struct arena *arena, struct dead_letter_row **out, size_t *n) {
    struct listing list = {.lens = lens, .before_id = before_id, .limit = limit, .arena = arena};
    size_t n_segments;
    struct segment *segments = copy_segments(l, &n_segments);
    Err err = list_all(l, &list, segments, n_segments);
    *n = list.n;
    *out = arena_alloc(arena, (list.n + 1) * sizeof **out);
    if (list.n) memcpy(*out, list.rows, list.n * sizeof **out);
    free(list.rows);
    free(segments);
    return err;
}

/* ---- opening */

static bool note_segment(void *ctx, Str name) {
    struct series_letters *l = ctx;
    char text[9] = "", *end;
    if (name.len != 17 || !str_starts(name, STR("dead-")) || !str_ends(name, STR(".log"))) return true;
    memcpy(text, name.ptr + 5, 8);
    uint32_t number = (uint32_t)strtoul(text, &end, 16);
    if (end == text + 8) VEC_PUSH(l->segments, l->n_segments, l->cap_segments, ((struct segment){.number = number}));
    return true;
}

static int by_number(const void *a, const void *b) {
    uint32_t x = ((const struct segment *)a)->number, y = ((const struct segment *)b)->number;
    return x < y ? -1 : x > y;
}

static bool read_head(const struct segment *segment, Str bytes, struct segment_head *head) {
    if (bytes.len < sizeof *head) return false;
    memcpy(head, bytes.ptr, sizeof *head);
    return memcmp(head->magic, MAGIC, 8) == 0 && head->number == segment->number && head->version == 1 &&
           head->checksum == hash_bytes(head, offsetof(struct segment_head, checksum));
}

/*
 * Finds where a segment's records end: at the first that is not whole, or at the id with which a later segment begins
 * (a group whose write failed stays behind in the earlier one). A head that was never synced leaves an empty segment.
 */
static void measure(struct series_letters *l, struct segment *segment, Str bytes, uint64_t *limit) {
    struct segment_head head;
    size_t *offsets = NULL, cap = 0, size;
    segment->first_id = *limit;
    segment->bytes = SEGMENT_HEAD;
    if (!read_head(segment, bytes, &head)) return;
    uint64_t id = segment->first_id = head.first_id;
    size_t n = scan(bytes, bytes.len, *limit, &offsets, &cap, &id);
    struct dead_letter_row row;
    if (n && series_letters_parse((Str){bytes.ptr + offsets[n - 1], bytes.len - offsets[n - 1]}, &row, &size))
        segment->bytes = offsets[n - 1] + size;
    free(offsets);
    if (id > l->next_id) l->next_id = id;
    if (segment->bytes < bytes.len && id < *limit)
        LOG_WARN("series.letters_cut", LOG_C("dir", l->dir), LOG_I("segment", segment->number),
                 LOG_I("at", segment->bytes), LOG_I("bytes", bytes.len - segment->bytes));
    *limit = head.first_id;
}

/* A group that a killed process wrote but did not sync is listed from now on, so it must last. */
static Err sync_last(struct series_letters *l) {
    if (l->n_segments == 0 || l->read_only) return err_none();
    char path[4096];
    struct file *file;
    path_of(l, l->segments[l->n_segments - 1].number, path);
    TRY(file_open(l->fs, path, FILE_READ | FILE_WRITE, &file));
    Err err = file_sync(file, "letters.recovered");
    file_close(file);
    return err;
}

static Err open_segments(struct series_letters *l) {
    struct buf bytes = {0};
    Err err = file_list(l->fs, l->dir, note_segment, l);
    if (l->n_segments) qsort(l->segments, l->n_segments, sizeof *l->segments, by_number);
    uint64_t limit = UINT64_MAX;
    for (size_t i = l->n_segments; i > 0 && err.code == ERR_NONE; i--) {
        char path[4096];
        path_of(l, l->segments[i - 1].number, path);
        buf_clear(&bytes);
        err = file_load(l->fs, path, FILE_BYTES_MAX, &bytes);
        if (err.code == ERR_NONE) measure(l, &l->segments[i - 1], buf_view(&bytes), &limit);
    }
    buf_fini(&bytes);
    for (size_t i = 0; i < l->n_segments; i++)
        if (l->segments[i].first_id == UINT64_MAX) l->segments[i].first_id = l->next_id;
    return err.code ? err : sync_last(l);
}

Err series_letters_open(struct file_system *fs, const char *dir, size_t bytes_max, bool read_only,
                        struct series_letters **out) {
    struct series_letters *l = calloc(1, sizeof *l);
    ASSERT(l != NULL);
    l->fs = fs, l->dir = strdup(dir), l->read_only = read_only, l->next_id = 1;
    l->bytes_max = bytes_max ? bytes_max : DEFAULT_BYTES;
    thread_mutex_init(&l->lock);
    Err err = open_segments(l);
    if (err.code)
        series_letters_close(l);
    else
        *out = l;
    return err;
}

void series_letters_close(struct series_letters *l) {
    if (!l) return;
    file_close(l->file);
    buf_fini(&l->group);
    free(l->segments);
    free(l->dir);
    thread_mutex_fini(&l->lock);
    free(l);
}
