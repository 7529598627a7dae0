#include "serve/live.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/map.h"
#include "base/vec.h"
#include "document/things.h"
#include "os/thread.h"
#include "serve/api.h"
#include "serve/fleet.h"
#include "serve/serve_state.h"
#include "serve/status.h"
#include "trust/people.h"

#define STATUS_EVERY (2 * NANOS_PER_S)
#define THINGS_EVERY (1 * NANOS_PER_S)
#define DOCS_EVERY (250 * NANOS_PER_MS)
#define BEAT_EVERY (15 * NANOS_PER_S)
#define CLIENT_TIME (30 * NANOS_PER_MIN)
#define RECALL_EVERY (10 * NANOS_PER_S) /* for what ends by itself; what is ended is noticed at once */
/* The fleet is compared with what it was; that may take this share of the time, so a large fleet is looked at less
 * often. */
#define THINGS_SHARE 20

enum {
    OUTBOX_BATCH = 500,
    OUTBOX_BATCHES = 4,  /* of one turn: a flood of documents must not keep the status waiting */
    ITEMS_MAX = 500,     /* of one event */
    THINGS_MOST = 20000, /* machines up to which each is told of; a larger fleet's list asks for its pages */
    SEEN_MAX = 2000,     /* machines up to which a mere new sample counts as a change */
    FINGERPRINT_NONE = 0,
};
static const char outbox_reader[] = "live";
static const char hello[] = "retry: 2000\n\n"; /* browsers come back by themselves after this time */

struct client {
    struct http_stream *stream;
    Nanos until; /* monotonic: then it comes again, which is a sign of life */
    live_recall *recall;
    char secret[PEOPLE_SECRET_MAX];
};

struct group {
    struct principal who; /* of its first client; party and roles are everybody's */
    int64_t agreement;    /* what is heard under it, by one person: each look is noted with its name; 0: own party */
    struct client *clients;
    size_t n_clients, cap_clients;
    struct map fleet; /* name → fingerprint, of what was told */
    bool greet;       /* a client came that has heard nothing yet; under the mutex */
    bool told;        /* the fleet was looked at once: what differs from now on is a change */
    Nanos things_due;
    struct group *next;
};

struct live {
    struct serve *serve;
    struct thread *thread;
    pthread_mutex_t mutex;
    pthread_cond_t woken;
    struct group *groups; /* list and clients under the mutex; the rest is the thread's */
    bool stopping;
    uint64_t epoch; /* of people, when everybody was last asked who he is */
    atomic_bool documents_changed;
    uint64_t clients, events;
    struct arena arena;
    struct buf text;
};

/* ---- clients */

static bool same_group(const struct group *g, const struct principal *who, int64_t agreement) {
    if (g->agreement != agreement || (agreement && strcmp(g->who.name, who->name) != 0)) return false;
    return g->who.party == who->party && g->who.roles == who->roles && strcmp(g->who.scopes, who->scopes) == 0;
}

static struct group *group_for(struct live *live, const struct principal *who, int64_t agreement) {
    for (struct group *g = live->groups; g; g = g->next)
        if (same_group(g, who, agreement)) return g;
    struct group *g = calloc(1, sizeof *g);
    ASSERT(g != NULL);
    g->who = *who;
    g->agreement = agreement;
    map_init(&g->fleet);
    g->next = live->groups;
    return live->groups = g;
}

void live_join(struct live *live, const struct principal *who, int64_t agreement, live_recall *recall, Str secret,
               struct http_stream *stream) {
    struct client client = {.stream = stream, .until = clock_monotonic() + CLIENT_TIME, .recall = recall};
    struct http_stream_message *message = http_stream_message(str_c(hello));
    if (secret.len < sizeof client.secret) memcpy(client.secret, secret.ptr, secret.len);
    thread_lock(&live->mutex);
    struct group *g = group_for(live, who, agreement);
    VEC_PUSH(g->clients, g->n_clients, g->cap_clients, client);
    g->greet = true;
    live->clients++;
    http_stream_send(stream, message); /* who has read it misses nothing from then on */
    thread_signal(&live->woken);
    thread_unlock(&live->mutex);
    http_stream_message_release(message);
}

static void free_group(struct group *g) {
    for (size_t i = 0; i < g->n_clients; i++) http_stream_release(g->clients[i].stream);
    free(g->clients);
    map_fini(&g->fleet);
    free(g);
}

/* Is it still somebody of this group? */
static bool belongs(const struct live *live, const struct group *g, const struct client *c) {
    struct principal who;
    Err err = c->recall(live->serve->options.people, str_c(c->secret), &who);
    return err.code == ERR_NONE && same_group(g, &who, g->agreement);
}

static void drop_clients(struct live *live, struct group *g, Nanos now, bool recall) {
    for (size_t i = 0; i < g->n_clients;) {
        struct client *c = &g->clients[i];
        if (now < c->until && !http_stream_gone(c->stream) && (!recall || belongs(live, g, c))) {
            i++;
            continue;
        }
        http_stream_release(c->stream);
        *c = g->clients[--g->n_clients];
        live->clients--;
    }
}

/* Clients that have gone (recall: or are not who they were), and groups whose last one has. */
static void tidy(struct live *live, bool recall) {
    thread_lock(&live->mutex);
    for (struct group **at = &live->groups; *at;) {
        struct group *g = *at;
        drop_clients(live, g, clock_monotonic(), recall);
        if (g->n_clients > 0) {
            at = &g->next;
            continue;
        }
        *at = g->next;
        free_group(g);
    }
    thread_unlock(&live->mutex);
}

/* ---- telling */

static void tell(struct live *live, struct group *g, Str text) {
    struct http_stream_message *message = http_stream_message(text);
    thread_lock(&live->mutex);
    live->events++;
    for (size_t i = 0; i < g->n_clients; i++) http_stream_send(g->clients[i].stream, message);
    thread_unlock(&live->mutex);
    http_stream_message_release(message);
}

static struct jw begin_event(struct live *live, const char *name) {
    struct jw w;
    buf_clear(&live->text);
    buf_printf(&live->text, "event: %s\ndata: ", name);
    jw_init(&w, &live->text);
    return w;
}

static void end_event(struct live *live, struct group *g) {
    buf_c(&live->text, "\n\n");
    tell(live, g, buf_view(&live->text));
}

static void complain(const char *what, Err err) {
    LOG_WARN("live.failed", LOG_C("event", what), LOG_C("why", err.text));
}

static void tell_status(struct live *live, struct group *g) {
    struct jw w = begin_event(live, "status");
    Err err = status_write(live->serve, &g->who, &live->arena, &w);
    if (err.code == ERR_NONE)
        end_event(live, g);
    else
        complain("status", err);
    arena_reset(&live->arena);
}

/* ---- machines that changed */

static bool changed(struct group *g, const struct fleet_item *item, bool seen) {
    uint64_t now = fleet_fingerprint(item, seen), before = FINGERPRINT_NONE;
    bool known = map_get(&g->fleet, item->thing.row.name, &before);
    if (known && before == now) return false;
    map_put(&g->fleet, item->thing.row.name, now);
    return g->told;
}

static size_t tell_items(struct live *live, struct group *g, const struct fleet_item *items, size_t from, size_t n) {
    struct jw w = begin_event(live, "things");
    size_t i = from, put = 0;
    jw_array(&w);
    for (; i < n && put < ITEMS_MAX; i++) {
        if (!changed(g, &items[i], n <= SEEN_MAX)) continue;
        jw_object(&w);
        fleet_write(&items[i], true, &w);
        jw_object_end(&w);
        put++;
    }
    jw_array_end(&w);
    if (put > 0) end_event(live, g);
    return i;
}

static void tell_things(struct live *live, struct group *g) {
    struct fleet_sources from = {live->serve->options.view, live->serve->options.documents};
    struct fleet_item *items;
    size_t n = 0;
    Nanos began = clock_monotonic();
    if (began < g->things_due || things_count(live->serve->options.things, g->who.party) > THINGS_MOST) return;
    Err err = fleet_list(&from, &g->who, (Str){0}, &live->arena, &items, &n);
    if (err.code != ERR_NONE) complain("things", err);
    for (size_t i = 0; err.code == ERR_NONE && i < n;) i = tell_items(live, g, items, i, n);
    g->told = true;
    arena_reset(&live->arena);
    Nanos pause = (clock_monotonic() - began) * THINGS_SHARE;
    g->things_due = clock_monotonic() + (pause > THINGS_EVERY ? pause : THINGS_EVERY) - THINGS_EVERY / 10;
}

/* ---- documents that changed */

static Err lens_of(struct live *live, const struct group *g, const struct doctype *type, struct lens *lens) {
    if (!g->agreement) return gate_lens(&g->who, type, "live", lens);
    return gate_lens_agreement(live->serve->options.agreements, &g->who, g->agreement, type, &live->arena, lens);
}

static void put_thing(const struct lens *lens, const struct doc *doc, struct jw *w) {
    int thing = doctype_field(doc->type, STR("thing"));
    bool shown = thing >= 0 && (lens->fields >> thing & 1);
    if (lens->agreement && !shown) return;
    jw_key(w, "thing");
    if (shown && doc->values[thing].kind == VALUE_STRING)
        jw_str(w, doc->values[thing].s);
    else
        jw_null(w);
}

static void tell_doc(struct live *live, struct group *g, const struct doctype *type, const struct outbox_row *row) {
    struct lens lens;
    struct doc *doc;
    if (!principal_scope(&g->who, STR("docs"), str_c(type->name), false)) return;
    if (lens_of(live, g, type, &lens).code != ERR_NONE || lens.party != row->party) return;
    if (documents_get(live->serve->options.documents, &lens, type, row->id, &live->arena, &doc).code != ERR_NONE)
        return;
    Err err = api_disclose_doc(live->serve, &g->who, &lens, doc, "live", &live->arena);
    if (err.code != ERR_NONE) {
        complain("disclosure", err);
        return;
    }
    struct jw w = begin_event(live, "doc");
    jw_object(&w);
    jw_kc(&w, "type", type->name);
    jw_kint(&w, "id", doc->id);
    if (gate_shows_base(&lens, STR("number"))) jw_kstr(&w, "number", doc->number);
    if (doc->state != DOC_STATE_HIDDEN) jw_kc(&w, "state", doctype_state_name(doc));
    put_thing(&lens, doc, &w);
    if (lens.agreement) jw_kint(&w, "agreement", lens.agreement);
    jw_object_end(&w);
    end_event(live, g);
}

/* Of several changes of one document only the last is told: what is told is how it stands. */
static bool is_last(const struct outbox_row *rows, size_t n, size_t i) {
    for (size_t k = i + 1; k < n; k++)
        if (rows[k].id == rows[i].id && str_eq(rows[k].type, rows[i].type)) return false;
    return true;
}

static struct group *group_at(struct live *live, size_t place) {
    thread_lock(&live->mutex);
    struct group *g = live->groups;
    while (g && place--) g = g->next;
    thread_unlock(&live->mutex);
    return g;
}

/* New groups come in front, and only this thread takes any away; a place may then give a group twice, which is
 * harmless. */
static void tell_rows(struct live *live, const struct outbox_row *rows, size_t n) {
    struct documents *d = live->serve->options.documents;
    struct group *g;
    for (size_t i = 0; i < n; i++) {
        const struct doctype *type = documents_type(d, rows[i].type);
        if (!type || !is_last(rows, n, i)) continue;
        for (size_t place = 0; (g = group_at(live, place)); place++)
            if (g->agreement || g->who.party == rows[i].party) tell_doc(live, g, type, &rows[i]);
    }
}

static bool tell_batch(struct live *live) {
    struct documents *d = live->serve->options.documents;
    struct outbox_row *rows;
    size_t n = 0;
    Err err = documents_outbox(d, outbox_reader, OUTBOX_BATCH, &live->arena, &rows, &n);
    if (err.code == ERR_NONE && n > 0) {
        tell_rows(live, rows, n); /* whoever came before these were committed is there by now */
        err = documents_outbox_done(d, outbox_reader, rows[n - 1].seq);
    }
    if (err.code != ERR_NONE) complain("doc", err);
    arena_reset(&live->arena);
    return err.code == ERR_NONE && n == OUTBOX_BATCH;
}

static void tell_documents(struct live *live) {
    bool more = atomic_exchange(&live->documents_changed, false);
    for (int batch = 0; more && batch < OUTBOX_BATCHES; batch++) more = tell_batch(live);
    if (more) live_wake(live);
}

/* ---- the thread */

struct schedule {
    Nanos status, things, beat, recall;
};

static bool is_due(Nanos *due, Nanos now, Nanos every) {
    if (now < *due) return false;
    *due = now + every;
    return true;
}

/* Who has just come need not wait for the next status. */
static bool must_greet(struct live *live, struct group *g) {
    thread_lock(&live->mutex);
    bool greet = g->greet;
    g->greet = false;
    thread_unlock(&live->mutex);
    return greet;
}

static void turn(struct live *live, struct schedule *schedule) {
    Nanos now = clock_monotonic();
    bool status = is_due(&schedule->status, now, STATUS_EVERY);
    bool things = is_due(&schedule->things, now, THINGS_EVERY);
    bool beat = is_due(&schedule->beat, now, BEAT_EVERY);
    struct group *g;
    bool recall = is_due(&schedule->recall, now, RECALL_EVERY);
    uint64_t epoch = people_epoch(live->serve->options.people);
    recall = recall || epoch != live->epoch;
    live->epoch = epoch;
    if (beat || things || recall) tidy(live, recall);
    tell_documents(live);
    for (size_t place = 0; (g = group_at(live, place)); place++) {
        if ((must_greet(live, g) || status) && !g->agreement) tell_status(live, g);
        if (things && !g->agreement) tell_things(live, g);
        if (beat) tell(live, g, STR(": beat\n\n"));
    }
}

static void run(void *ctx) {
    struct live *live = ctx;
    struct schedule schedule = {0};
    thread_lock(&live->mutex);
    while (!live->stopping) {
        thread_unlock(&live->mutex);
        turn(live, &schedule);
        thread_lock(&live->mutex);
        if (!live->stopping) thread_wait_for(&live->woken, &live->mutex, DOCS_EVERY);
    }
    thread_unlock(&live->mutex);
}

Err live_start(struct serve *serve, struct live **out) {
    struct live *live = calloc(1, sizeof *live);
    ASSERT(live != NULL);
    live->serve = serve;
    atomic_init(&live->documents_changed, true); /* what the last run left is passed by */
    arena_init(&live->arena, 0);
    thread_mutex_init(&live->mutex);
    thread_cond_init(&live->woken);
    *out = live;
    return thread_start(&live->thread, "live", run, live);
}

void live_stop(struct live *live) {
    if (!live) return;
    thread_lock(&live->mutex);
    live->stopping = true;
    thread_signal(&live->woken);
    thread_unlock(&live->mutex);
    if (live->thread) thread_join(live->thread);
    while (live->groups) {
        struct group *g = live->groups;
        live->groups = g->next;
        free_group(g);
    }
    arena_fini(&live->arena);
    buf_fini(&live->text);
    thread_cond_fini(&live->woken);
    thread_mutex_fini(&live->mutex);
    free(live);
}

/* Only a mark: the thread looks every quarter second, which also puts the changes of a burst together. */
void live_wake(struct live *live) { atomic_store(&live->documents_changed, true); }

void live_stats(struct live *live, struct live_stats *out) {
    thread_lock(&live->mutex);
    *out = (struct live_stats){.clients = live->clients, .events = live->events};
    for (struct group *g = live->groups; g; g = g->next) out->groups++;
    thread_unlock(&live->mutex);
}
