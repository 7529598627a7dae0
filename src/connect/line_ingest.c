#include "connect/line_ingest.h"

#include <stdlib.h>

#include "os/thread.h"

/* A reader remembers keys, so the one used last is taken first: a single sender always meets the same. */
struct reader {
    struct reader *next;
    struct line_protocol *lines;
    struct series_commit commit;
    struct arena arena;
    struct dead_letter *letters;
    size_t cap_letters;
};

struct line_ingest {
    struct line_protocol_options options;
    pthread_mutex_t lock;
    struct reader *idle;
};

Err line_ingest_open(const struct line_protocol_options *options, struct line_ingest **out) {
    struct line_ingest *self = calloc(1, sizeof *self);
    ASSERT(self);
    self->options = *options;
    thread_mutex_init(&self->lock);
    *out = self;
    return err_none();
}

void line_ingest_close(struct line_ingest *self) {
    if (!self) return;
    for (struct reader *r = self->idle, *next; r; r = next) {
        next = r->next;
        line_protocol_free(r->lines);
        rows_fini(&r->commit.rows);
        arena_fini(&r->arena);
        free(r->letters);
        free(r);
    }
    thread_mutex_fini(&self->lock);
    free(self);
}

static struct reader *borrow(struct line_ingest *self) {
    thread_lock(&self->lock);
    struct reader *r = self->idle;
    if (r) self->idle = r->next;
    thread_unlock(&self->lock);
    if (r) return r;
    r = calloc(1, sizeof *r);
    ASSERT(r);
    r->lines = line_protocol_new(&self->options);
    return r;
}

static void give_back(struct line_ingest *self, struct reader *r) {
    arena_reset(&r->arena);
    thread_lock(&self->lock);
    r->next = self->idle;
    self->idle = r;
    thread_unlock(&self->lock);
}

Err line_ingest_write(struct line_ingest *self, const struct line_message *message, struct line_outcome *out) {
    struct reader *r = borrow(self);
    struct telemetry_batch batch = {
        .rows = &r->commit.rows, .arena = &r->arena, .letters = r->letters, .cap_letters = r->cap_letters};
    rows_clear(&r->commit.rows);
    line_protocol_take(r->lines, message, &batch, out);
    r->letters = batch.letters;
    r->cap_letters = batch.cap_letters;
    r->commit.dead_letters = batch.letters;
    r->commit.n_dead_letters = batch.n_letters;
    Err err = err_none();
    if (r->commit.rows.n_rows > 0 || batch.n_letters > 0) err = series_write(self->options.series, &r->commit);
    give_back(self, r);
    return err;
}
