#include "serve/idempotency.h"

#include <stdlib.h>
#include <string.h>

#include "os/thread.h"

/* An answer's headers that matter to whoever repeats. */
static const char *const kept_headers[] = {"Location", "ETag"};
enum { KEPT = sizeof kept_headers / sizeof *kept_headers };

struct entry {
    char *name; /* NULL: free */
    size_t name_len;
    uint64_t body_hash;
    bool done;
    int status;
    const char *content_type;
    struct buf body, headers[KEPT];
};

struct idempotency {
    pthread_mutex_t mutex;
    size_t next;                                 /* the oldest: the ring's place to overwrite */
    struct entry *entries[IDEMPOTENCY_KEYS_MAX]; /* made when first needed */
};

struct idempotency *idempotency_new(void) {
    struct idempotency *table = calloc(1, sizeof *table);
    ASSERT(table != NULL);
    thread_mutex_init(&table->mutex);
    return table;
}

static void clear(struct entry *e) {
    free(e->name);
    buf_fini(&e->body);
    for (int i = 0; i < KEPT; i++) buf_fini(&e->headers[i]);
    *e = (struct entry){0};
}

void idempotency_free(struct idempotency *table) {
    if (!table) return;
    for (size_t i = 0; i < IDEMPOTENCY_KEYS_MAX; i++) {
        if (!table->entries[i]) continue;
        clear(table->entries[i]);
        free(table->entries[i]);
    }
    thread_mutex_fini(&table->mutex);
    free(table);
}

static struct entry *find(struct idempotency *table, Str name) {
    for (size_t i = 0; i < IDEMPOTENCY_KEYS_MAX; i++) {
        struct entry *e = table->entries[i];
        if (e && e->name && str_eq(name, str_n(e->name, e->name_len))) return e;
    }
    return NULL;
}

static void put(struct idempotency *table, Str name, uint64_t body_hash) {
    struct entry **slot = &table->entries[table->next];
    table->next = (table->next + 1) % IDEMPOTENCY_KEYS_MAX;
    if (!*slot) *slot = calloc(1, sizeof **slot);
    ASSERT(*slot != NULL);
    clear(*slot);
    (*slot)->name = malloc(name.len + 1);
    ASSERT((*slot)->name != NULL);
    memcpy((*slot)->name, name.ptr, name.len);
    (*slot)->name_len = name.len;
    (*slot)->body_hash = body_hash;
}

static Err repeat(const struct entry *e, uint64_t body_hash, struct http_response *response) {
    if (e->body_hash != body_hash)
        return err_make(ERR_INVALID, "this Idempotency-Key was used for another body: make a new key for new work");
    if (!e->done) return err_make(ERR_CONFLICT, "the first request with this Idempotency-Key is still being worked on");
    response->status = e->status;
    response->content_type = e->content_type;
    buf_str(&response->body, buf_view(&e->body));
    for (int i = 0; i < KEPT; i++)
        if (e->headers[i].len > 0) http_response_header(response, kept_headers[i], buf_view(&e->headers[i]));
    http_response_header(response, "Idempotent-Replayed", STR("true"));
    return err_none();
}

Err idempotency_begin(struct idempotency *table, Str name, uint64_t body_hash, struct http_response *response,
                      bool *repeated) {
    thread_lock(&table->mutex);
    struct entry *e = find(table, name);
    *repeated = e != NULL;
    Err err = e ? repeat(e, body_hash, response) : err_none();
    if (!e) put(table, name, body_hash);
    thread_unlock(&table->mutex);
    return err;
}

static void keep(struct entry *e, const struct http_response *response) {
    e->done = true;
    e->status = response->status;
    e->content_type = response->content_type;
    buf_str(&e->body, buf_view(&response->body));
    for (size_t h = 0; h < response->n_headers; h++)
        for (int i = 0; i < KEPT; i++)
            if (str_eq_c(response->headers[h].name, kept_headers[i]))
                buf_str(&e->headers[i], response->headers[h].value);
}

void idempotency_end(struct idempotency *table, Str name, const struct http_response *response) {
    thread_lock(&table->mutex);
    struct entry *e = find(table, name); /* gone when many came after it */
    bool small = response && response->body.len <= IDEMPOTENCY_ANSWER_MAX && !response->stream && !response->bytes;
    if (e && small) keep(e, response);
    if (e && !small) clear(e);
    thread_unlock(&table->mutex);
}
