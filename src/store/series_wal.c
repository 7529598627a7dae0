/*
 * A segment is a head of 64 bytes and records. A record counts when its checksum, which covers its segment's number and
 * its sequence number, is right and its sequence number is the next; the first that does not ends the segment. So what
 * an earlier life of the file left behind is never taken for a record.
 *
 * After a failure, and after every start, writing goes on in a new segment, whose head says with which sequence number
 * it begins: whole records of a group that failed, left at the end of the segment before, are passed over by that.
 */
#include "store/series_wal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/log.h"
#include "base/vec.h"
#include "os/thread.h"

#define MAGIC "WEFTWAL1"
#define SEGMENT_HEAD 64
#define SEGMENT_BYTES_MAX ((size_t)4 << 30)
#define SPARE_MAX 2

struct segment_head {
    char magic[8];
    uint32_t version, number;
    uint64_t first_seq;
    uint64_t zero[4];
    uint64_t checksum; /* of the bytes before it */
};

struct record_head {
    uint32_t kind, bytes; /* of the payload */
    uint64_t seq;
    uint32_t segment, zero;
    uint64_t checksum; /* of the payload, seeded by that of the bytes before it */
};

_Static_assert(sizeof(struct segment_head) == SEGMENT_HEAD, "form of the log");
_Static_assert(sizeof(struct record_head) == SERIES_WAL_HEAD, "form of the log");

struct segment {
    uint32_t number;
    uint64_t bytes;
};

struct series_wal {
    struct file_system *fs;
    char *dir;
    struct file *file;
    uint32_t number;
    uint64_t at;                 /* end of what was written to the segment */
    uint64_t next_seq, safe_seq; /* of the next record; of the first not yet synced */
    Err broken;                  /* set for good by a failed sync */
    bool unusable;               /* the segment must not be written on: rotate first */
    pthread_mutex_t lock;        /* of the lists */
    struct segment *needed;      /* ended segments that are still needed, ascending */
    size_t n_needed, cap_needed;
    uint32_t spare[SPARE_MAX]; /* numbers of files that may serve again */
    size_t n_spare;
    uint64_t current_bytes;
};

static void path_of(const char *dir, uint32_t number, char out[4096]) {
    ASSERT((size_t)snprintf(out, 4096, "%s/wal-%08x.log", dir, number) < 4096);
}

static uint64_t record_checksum(const struct record_head *head, const char *payload) {
    return hash_seeded(payload, head->bytes, hash_bytes(head, offsetof(struct record_head, checksum)));
}

/* ---- writing */

void series_wal_seal(struct series_wal *wal, char *head, enum series_wal_kind kind, size_t n) {
    ASSERT(n <= SERIES_WAL_PAYLOAD_MAX && n % 8 == 0);
    struct record_head h = {.kind = kind, .bytes = (uint32_t)n, .seq = wal->next_seq++, .segment = wal->number};
    h.checksum = record_checksum(&h, head + sizeof h);
    memcpy(head, &h, sizeof h);
}

static struct segment_head make_head(uint32_t number, uint64_t first_seq) {
    struct segment_head head = {.version = 1, .number = number, .first_seq = first_seq};
    memcpy(head.magic, MAGIC, sizeof head.magic);
    head.checksum = hash_bytes(&head, offsetof(struct segment_head, checksum));
    return head;
}

static Err write_segment_head(struct series_wal *wal, struct file *file, uint32_t number) {
    struct segment_head head = make_head(number, wal->safe_seq);
    TRY(file_write(file, &head, sizeof head, 0));
    return file_sync_dir(wal->fs, wal->dir, "wal.dir");
}

static bool take_spare(struct series_wal *wal, uint32_t *number) {
    thread_lock(&wal->lock);
    bool found = wal->n_spare > 0;
    if (found) *number = wal->spare[--wal->n_spare];
    thread_unlock(&wal->lock);
    return found;
}

static Err open_segment(struct series_wal *wal, uint32_t number, struct file **out) {
    char path[4096], old[4096];
    uint32_t spare;
    path_of(wal->dir, number, path);
    if (take_spare(wal, &spare)) {
        path_of(wal->dir, spare, old);
        TRY(file_rename(wal->fs, old, path));
    }
    TRY(file_open(wal->fs, path, FILE_READ | FILE_WRITE | FILE_CREATE, out));
    Err err = write_segment_head(wal, *out, number);
    if (err.code) {
        file_close(*out), *out = NULL;
        wal->unusable = true; /* the head may be there, and says that the segment before ends here */
    }
    return err;
}

static void retire(struct series_wal *wal) {
    thread_lock(&wal->lock);
    VEC_PUSH(wal->needed, wal->n_needed, wal->cap_needed, ((struct segment){wal->number, wal->at}));
    wal->current_bytes = 0;
    thread_unlock(&wal->lock);
}

/* Ends the segment, if there is one, and begins the next. */
static Err next_segment(struct series_wal *wal) {
    struct file *file;
    uint32_t number = wal->number + 1;
    TRY(open_segment(wal, number, &file));
    if (wal->file) {
        retire(wal);
        file_close(wal->file);
    }
    wal->file = file, wal->number = number, wal->at = SEGMENT_HEAD;
    wal->unusable = false;
    return err_none();
}

Err series_wal_rotate(struct series_wal *wal, uint32_t *last) {
    if (wal->broken.code) return wal->broken;
    uint32_t ended = wal->number;
    TRY(next_segment(wal));
    *last = ended;
    return err_none();
}

/* What was sealed since the last sync never happened; its place is not written again. */
static void forget_sealed(struct series_wal *wal) {
    wal->next_seq = wal->safe_seq;
    wal->unusable = true;
}

Err series_wal_write(struct series_wal *wal, const char *records, size_t n) {
    if (wal->broken.code) return wal->broken;
    Err err = file_write(wal->file, records, n, wal->at);
    if (err.code) {
        forget_sealed(wal);
        return err;
    }
    wal->at += n;
    return err_none();
}

Err series_wal_sync(struct series_wal *wal) {
    if (wal->broken.code) return wal->broken;
    Err err = file_sync(wal->file, "wal.data");
    if (err.code) {
        wal->broken = err_make(ERR_IO, "the log's disk failed, nothing more is taken until a restart: %s", err.text);
        LOG_ERROR("series.sync_failed", LOG_C("dir", wal->dir), LOG_C("error", err.text));
        return wal->broken;
    }
    wal->safe_seq = wal->next_seq;
    thread_lock(&wal->lock);
    wal->current_bytes = wal->at;
    thread_unlock(&wal->lock);
    return err_none();
}

Err series_wal_ready(struct series_wal *wal) {
    if (wal->broken.code) return wal->broken;
    return wal->unusable ? next_segment(wal) : err_none();
}

static bool keep_spare(struct series_wal *wal, uint32_t number) {
    if (wal->n_spare == SPARE_MAX) return false;
    wal->spare[wal->n_spare++] = number;
    return true;
}

void series_wal_drop_spares(struct series_wal *wal) {
    char path[4096];
    uint32_t number;
    while (take_spare(wal, &number)) {
        path_of(wal->dir, number, path);
        (void)file_remove(wal->fs, path); /* found and tried again at the next start */
    }
    if (wal->file && !wal->unusable) (void)file_truncate(wal->file, wal->at); /* a segment that was a spare is longer */
}

void series_wal_release(struct series_wal *wal, uint32_t last) {
    thread_lock(&wal->lock);
    size_t gone = 0;
    while (gone < wal->n_needed && wal->needed[gone].number <= last) {
        uint32_t number = wal->needed[gone++].number;
        if (keep_spare(wal, number)) continue;
        char path[4096];
        path_of(wal->dir, number, path);
        Err err = file_remove(wal->fs, path);
        if (err.code) LOG_WARN("series.log_not_removed", LOG_C("path", path), LOG_C("error", err.text));
    }
    wal->n_needed -= gone;
    if (gone) memmove(wal->needed, wal->needed + gone, wal->n_needed * sizeof *wal->needed);
    thread_unlock(&wal->lock);
}

size_t series_wal_segments(const struct series_wal *wal) {
    struct series_wal *w = (struct series_wal *)(uintptr_t)wal;
    thread_lock(&w->lock);
    size_t n = wal->n_needed;
    thread_unlock(&w->lock);
    return n;
}

uint64_t series_wal_bytes(const struct series_wal *wal) {
    struct series_wal *w = (struct series_wal *)wal;
    thread_lock(&w->lock);
    uint64_t bytes = wal->current_bytes;
    for (size_t i = 0; i < wal->n_needed; i++) bytes += wal->needed[i].bytes;
    thread_unlock(&w->lock);
    return bytes;
}

/* ---- reading */

struct replay {
    struct series_wal *wal;
    const struct series_wal_options *options;
    uint32_t *numbers; /* of the segments there are, ascending */
    size_t n, cap;
    uint32_t last_filled; /* the last segment that gave a record; 0: none */
};

static bool note_segment(void *ctx, Str name) {
    struct replay *r = ctx;
    char text[9] = "";
    char *end;
    if (name.len != 16 || !str_starts(name, STR("wal-")) || !str_ends(name, STR(".log"))) return true;
    memcpy(text, name.ptr + 4, 8);
    uint32_t number = (uint32_t)strtoul(text, &end, 16);
    if (end == text + 8 && number != 0) VEC_PUSH(r->numbers, r->n, r->cap, number);
    return true;
}

static int by_number(const void *a, const void *b) {
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return x < y ? -1 : x > y;
}

/* false: no segment begins here (its head was never synced, or the file has another's content) */
static bool read_segment_head(Str bytes, uint32_t number, struct segment_head *head) {
    if (bytes.len < sizeof *head) return false;
    memcpy(head, bytes.ptr, sizeof *head);
    return memcmp(head->magic, MAGIC, sizeof head->magic) == 0 && head->number == number && head->version == 1 &&
           head->checksum == hash_bytes(head, offsetof(struct segment_head, checksum));
}

/* The sequence number with which the segments after i go on; UINT64_MAX: none does. */
static uint64_t limit_after(const struct replay *r, size_t i) {
    for (size_t k = i + 1; k < r->n; k++) {
        char path[4096], bytes[SEGMENT_HEAD];
        struct segment_head head;
        struct file *file;
        size_t got = 0;
        path_of(r->options->dir, r->numbers[k], path);
        if (file_open(r->options->fs, path, FILE_READ, &file).code) continue;
        Err err = file_read(file, bytes, sizeof bytes, 0, &got);
        file_close(file);
        if (err.code == ERR_NONE && read_segment_head((Str){bytes, got}, r->numbers[k], &head)) return head.first_seq;
    }
    return UINT64_MAX;
}

/* The whole record at `at`, or false. */
static bool read_record(Str bytes, size_t at, uint32_t number, uint64_t seq, struct record_head *head) {
    if (bytes.len - at < sizeof *head) return false;
    memcpy(head, bytes.ptr + at, sizeof *head);
    size_t rest = bytes.len - at - sizeof *head;
    return head->segment == number && head->seq == seq && head->bytes <= rest && head->bytes % 8 == 0 &&
           head->checksum == record_checksum(head, bytes.ptr + at + sizeof *head);
}

bool series_wal_segment(Str bytes, uint32_t number, uint64_t *first_seq) {
    struct segment_head head;
    if (!read_segment_head(bytes, number, &head)) return false;
    *first_seq = head.first_seq;
    return true;
}

bool series_wal_record(Str bytes, size_t at, uint32_t number, struct series_wal_record *out) {
    struct record_head head;
    if (at > bytes.len || bytes.len - at < sizeof head) return false;
    memcpy(&head, bytes.ptr + at, sizeof head);
    if (!read_record(bytes, at, number, head.seq, &head)) return false;
    out->kind = (enum series_wal_kind)head.kind, out->seq = head.seq;
    out->payload = (Str){bytes.ptr + at + sizeof head, head.bytes};
    out->end = at + sizeof head + head.bytes;
    return true;
}

void series_wal_put_segment(struct buf *out, uint32_t number, uint64_t first_seq) {
    struct segment_head head = make_head(number, first_seq);
    buf_add(out, &head, sizeof head);
}

void series_wal_put_record(struct buf *out, uint32_t number, uint64_t seq, enum series_wal_kind kind, Str payload) {
    struct record_head head = {.kind = kind, .bytes = (uint32_t)payload.len, .seq = seq, .segment = number};
    ASSERT(payload.len % 8 == 0 && payload.len <= SERIES_WAL_PAYLOAD_MAX);
    head.checksum = record_checksum(&head, payload.ptr);
    buf_add(out, &head, sizeof head);
    buf_str(out, payload);
}

static Err replay_records(struct replay *r, Str bytes, uint32_t number, uint64_t limit, uint64_t *end) {
    struct series_wal *wal = r->wal;
    struct record_head head;
    size_t at = SEGMENT_HEAD;
    for (; wal->next_seq < limit && read_record(bytes, at, number, wal->next_seq, &head); wal->next_seq++) {
        Str payload = {bytes.ptr + at + sizeof head, head.bytes};
        Err err = r->options->sink(r->options->ctx, (enum series_wal_kind)head.kind, payload);
        if (err.code)
            return err_make(err.code, "'%s/wal-%08x.log' at byte %zu: %s", r->options->dir, number, at, err.text);
        at += sizeof head + head.bytes;
        r->last_filled = number;
    }
    *end = at;
    return err_none();
}

/* Tells of what is passed over: nothing when the bytes behind are zero or an earlier life's. */
static void tell_torn(const struct replay *r, Str bytes, uint64_t at, uint32_t number) {
    struct record_head head;
    if (bytes.len - at < sizeof head) return;
    memcpy(&head, bytes.ptr + at, sizeof head);
    if (head.segment != number || head.seq != r->wal->next_seq) return;
    LOG_WARN("series.log_cut", LOG_C("dir", r->options->dir), LOG_I("segment", number), LOG_I("at", at),
             LOG_I("bytes", head.bytes));
}

static Err replay_segment(struct replay *r, size_t i, Str bytes) {
    struct series_wal *wal = r->wal;
    uint32_t number = r->numbers[i];
    struct segment_head head;
    uint64_t end = 0;
    if (read_segment_head(bytes, number, &head)) {
        if (wal->next_seq && head.first_seq > wal->next_seq)
            LOG_ERROR("series.log_lost", LOG_C("dir", r->options->dir), LOG_I("segment", number),
                      LOG_I("records", head.first_seq - wal->next_seq));
        wal->next_seq = head.first_seq;
        uint64_t limit = limit_after(r, i);
        TRY(replay_records(r, bytes, number, limit, &end));
        if (wal->next_seq < limit) tell_torn(r, bytes, end, number);
    }
    VEC_PUSH(wal->needed, wal->n_needed, wal->cap_needed, ((struct segment){number, end}));
    return err_none();
}

static Err replay_all(struct replay *r) {
    struct buf bytes = {0};
    Err err = err_none();
    for (size_t i = 0; i < r->n && err.code == ERR_NONE; i++) {
        char path[4096];
        path_of(r->options->dir, r->numbers[i], path);
        r->wal->number = r->numbers[i];
        if (r->numbers[i] < r->options->first) {
            if (!r->options->read_only && !keep_spare(r->wal, r->numbers[i])) err = file_remove(r->options->fs, path);
            continue;
        }
        buf_clear(&bytes);
        err = file_load(r->options->fs, path, SEGMENT_BYTES_MAX, &bytes);
        if (err.code == ERR_NONE) err = replay_segment(r, i, buf_view(&bytes));
    }
    buf_fini(&bytes);
    return err;
}

/* A process that died may have left a group written but not synced. Readers see it from now on, so it must last. */
static Err sync_recovered(const struct replay *r) {
    if (r->last_filled == 0) return err_none();
    char path[4096];
    struct file *file;
    path_of(r->options->dir, r->last_filled, path);
    TRY(file_open(r->options->fs, path, FILE_READ | FILE_WRITE, &file));
    Err err = file_sync(file, "wal.recovered");
    file_close(file);
    return err;
}

static Err open_log(struct replay *r) {
    TRY(file_list(r->options->fs, r->options->dir, note_segment, r));
    if (r->n) qsort(r->numbers, r->n, sizeof *r->numbers, by_number);
    TRY(replay_all(r));
    struct series_wal *wal = r->wal;
    if (wal->next_seq == 0) wal->next_seq = 1;
    wal->safe_seq = wal->next_seq;
    if (r->options->read_only) return err_none();
    TRY(sync_recovered(r));
    if (wal->number < r->options->first) wal->number = r->options->first - 1;
    return next_segment(wal);
}

Err series_wal_open(const struct series_wal_options *options, struct series_wal **out) {
    struct series_wal *wal = calloc(1, sizeof *wal);
    ASSERT(wal != NULL);
    wal->fs = options->fs;
    wal->dir = strdup(options->dir);
    thread_mutex_init(&wal->lock);
    struct replay r = {.wal = wal, .options = options};
    Err err = open_log(&r);
    free(r.numbers);
    if (err.code)
        series_wal_close(wal);
    else
        *out = wal;
    return err;
}

void series_wal_close(struct series_wal *wal) {
    if (!wal) return;
    file_close(wal->file);
    free(wal->dir);
    free(wal->needed);
    thread_mutex_fini(&wal->lock);
    free(wal);
}
