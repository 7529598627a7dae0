/*
 * A delivery is due at a time of the wall; a failure moves it into the future, twice as far each time. It is removed
 * when the receiver has taken it, when its channel is gone, or after TRIES. At least once: a crash between the answer
 * and the removal sends it again, with the same X-Weft-Delivery.
 */
#include "act/notify_send.h"

#include <stdlib.h>

#include "act/notify_tables.h"
#include "base/log.h"
#include "os/fetch.h"
#include "os/thread.h"
#include "store/records_txn.h"
#include "trust/gate.h"
#include "trust/seal.h"

#define TRIES 14
#define FIRST_PAUSE (30 * NANOS_PER_S)
#define PAUSE_MAX (6 * NANOS_PER_HOUR)
#define LOOK_AGAIN (5 * NANOS_PER_S)
#define SEND_TIME (10 * NANOS_PER_S)
#define BATCH 50

struct notify_send {
    struct notify_options options;
    struct thread *thread;
    pthread_mutex_t lock;
    pthread_cond_t wake;
    bool stopping, fresh;
};

/* ---- one message */
static Str text_of(Value v) { return v.kind == VALUE_STRING ? v.s : (Str){0}; }

static Err place_of(const struct notify_options *o, const Value *channel, struct arena *arena,
                    struct notify_place *out) {
    PartyId party = (PartyId)channel[RECORD_PARTY].i;
    *out = (struct notify_place){.now = clock_now(&clock_system)};
    TRY(seal_reveal(o->seal, party, NOTIFY_TABLES_TARGET, text_of(channel[CHANNEL_TARGET]), arena, &out->target));
    Str sealed = text_of(channel[CHANNEL_SECRET]);
    return sealed.len > 0 ? seal_reveal(o->seal, party, NOTIFY_TABLES_SECRET, sealed, arena, &out->secret) : err_none();
}

static Err send_mail(const struct notify_options *o, const struct notify_said *said, const struct notify_place *place,
                     struct arena *arena) {
    if (!o->smtp || !o->smtp[0] || !o->from || !o->from[0])
        return err_make(ERR_STATE, "mail is not set up: set [notify] smtp and from");
    struct fetch_mail mail = {.server = str_c(o->smtp),
                              .user = str_c(o->smtp_user),
                              .password = str_c(o->smtp_password),
                              .from = str_c(o->from),
                              .to = &place->target,
                              .n_to = 1,
                              .text = notify_format_mail(said, str_c(o->from), place->target, place->now, arena),
                              .limits = {.time = SEND_TIME, .plain = o->own_network, .private_too = true}};
    return fetch_send_mail(&mail); /* the relay is named by who runs the server, so it may be in his network */
}

Err notify_send_one(const struct notify_options *o, const Value *channel, const struct notify_said *said,
                    struct arena *arena) {
    const struct notify_format *format = notify_format_named(text_of(channel[CHANNEL_KIND]));
    struct notify_place place;
    struct notify_request made = {.n_headers = 1};
    struct fetch_answer answer;
    ASSERT(format);
    TRY(place_of(o, channel, arena, &place));
    if (!format->make) return send_mail(o, said, &place, arena);
    made.headers[0] = (struct http_pair){.name = STR("Content-Type"), .value = STR("application/json")};
    format->make(said, &place, arena, &made);
    struct fetch_request request = {
        .method = "POST",
        .url = made.url,
        .body = made.body,
        .headers = made.headers,
        .n_headers = made.n_headers,
        .limits = {.time = SEND_TIME, .max_bytes = 64 * 1024, .plain = o->own_network, .private_too = o->own_network}};
    TRY(fetch_http(&request, arena, &answer));
    return notify_format_answer(format, answer.status, answer.body);
}

/* ---- those that wait */
struct due {
    struct lens lens;
    struct arena *arena;
    struct record_page page;
    Nanos now;
    int64_t delivery;
    Value *channel, *notice;
};

static Err read_due(void *ctx, struct records_txn *txn) {
    struct due *d = ctx;
    struct record_filter past = {.op = RECORD_LE, .column = DELIVERY_DUE, .value = VALUE_I(d->now)};
    struct record_query query = {.filter = &past, .sort = DELIVERY_DUE, .limit = BATCH};
    return records_txn_select(txn, &d->lens, &notify_tables_delivery, &query, d->arena, &d->page);
}

static Err read_parts(void *ctx, struct records_txn *txn) {
    struct due *d = ctx;
    const Value *row = d->page.rows[d->delivery];
    TRY(records_txn_get(txn, &d->lens, &notify_tables_channel, row[DELIVERY_CHANNEL].i, d->arena, &d->channel));
    return records_txn_get(txn, &d->lens, &notify_tables_notice, row[DELIVERY_NOTICE].i, d->arena, &d->notice);
}

struct outcome {
    struct lens lens;
    int64_t delivery, channel, tries;
    Nanos again; /* 0: it is over */
    Str trouble;
};

static Err write_outcome(void *ctx, struct records_txn *txn) {
    const struct outcome *o = ctx;
    struct arena arena;
    Value *channel = NULL;
    arena_init(&arena, 0);
    Err err =
        o->channel ? records_txn_get(txn, &o->lens, &notify_tables_channel, o->channel, &arena, &channel) : err_none();
    Value trouble = o->trouble.len > 0 ? VALUE_S(o->trouble) : (Value){.kind = VALUE_NONE};
    if (err.code == ERR_NONE && channel && !str_eq(text_of(channel[CHANNEL_TROUBLE]), o->trouble))
        err = records_txn_update(txn, &notify_tables_channel, o->channel, (const unsigned[]){CHANNEL_TROUBLE}, &trouble,
                                 1);
    arena_fini(&arena);
    TRY(err);
    if (o->again > 0) {
        Value values[] = {VALUE_I(o->again), VALUE_I(o->tries)};
        err = records_txn_update(txn, &notify_tables_delivery, o->delivery,
                                 (const unsigned[]){DELIVERY_DUE, DELIVERY_TRIES}, values, 2);
        return err.code == ERR_NOT_FOUND ? err_none() : err; /* the channel was removed meanwhile */
    }
    struct record_filter it = {.op = RECORD_EQ, .column = RECORD_ID, .value = VALUE_I(o->delivery)};
    return records_txn_remove(txn, &notify_tables_delivery, &o->lens, &it, NULL);
}

static Nanos pause_after(const struct notify_options *o, int64_t tries) {
    Nanos pause = o->first_pause ? o->first_pause : FIRST_PAUSE;
    for (int64_t i = 1; i < tries && pause < PAUSE_MAX; i++) pause *= 2;
    return pause < PAUSE_MAX ? pause : PAUSE_MAX;
}

static struct notify_said said_of(const Value *n) {
    return (struct notify_said){.id = n[RECORD_ID].i,
                                .at = n[NOTICE_AT].i,
                                .text_en = text_of(n[NOTICE_TEXT_EN]),
                                .text_zh = text_of(n[NOTICE_TEXT_ZH]),
                                .type = text_of(n[NOTICE_TYPE]),
                                .rule = text_of(n[NOTICE_RULE]),
                                .doc = n[NOTICE_DOC].kind == VALUE_INT ? n[NOTICE_DOC].i : 0};
}

static Err try_one(struct notify_send *s, struct due *d, size_t i) {
    const Value *row = d->page.rows[i];
    d->delivery = (int64_t)i;
    TRY(records_read(s->options.records, read_parts, d));
    struct outcome o = {.lens = d->lens, .delivery = row[RECORD_ID].i, .tries = row[DELIVERY_TRIES].i + 1};
    if (d->channel && d->notice) {
        struct notify_said said = said_of(d->notice);
        o.channel = d->channel[RECORD_ID].i;
        Err err = notify_send_one(&s->options, d->channel, &said, d->arena);
        if (err.code != ERR_NONE) {
            o.trouble = arena_str(d->arena, str_c(err.text));
            if (o.tries < TRIES) o.again = clock_now(&clock_system) + pause_after(&s->options, o.tries);
            LOG_WARN("notify.failed", LOG_S("channel", text_of(d->channel[CHANNEL_NAME])), LOG_I("try", o.tries),
                     LOG_C("reason", err.text));
        }
    }
    return records_write(s->options.records, write_outcome, &o);
}

static bool stopping(struct notify_send *s) {
    thread_lock(&s->lock);
    bool stop = s->stopping;
    thread_unlock(&s->lock);
    return stop;
}

/* True: there may be more. */
static bool send_due(struct notify_send *s, struct arena *arena) {
    struct due d = {.lens = gate_lens_system("notifications of every party go out"),
                    .arena = arena,
                    .now = clock_now(&clock_system)};
    Err err = records_read(s->options.records, read_due, &d);
    for (size_t i = 0; err.code == ERR_NONE && i < d.page.n && !stopping(s); i++) err = try_one(s, &d, i);
    if (err.code != ERR_NONE && err.code != ERR_CLOSED) LOG_ERROR("notify.store", LOG_C("reason", err.text));
    return err.code == ERR_NONE && d.page.n == BATCH;
}

static void run(void *ctx) {
    struct notify_send *s = ctx;
    struct arena arena;
    arena_init(&arena, 0);
    for (bool more = true; !stopping(s);) {
        thread_lock(&s->lock);
        if (!more && !s->fresh && !s->stopping) {
            Nanos pause = s->options.first_pause ? s->options.first_pause : LOOK_AGAIN;
            thread_wait_for(&s->wake, &s->lock, pause < LOOK_AGAIN ? pause : LOOK_AGAIN);
        }
        s->fresh = false;
        thread_unlock(&s->lock);
        arena_reset(&arena);
        more = !stopping(s) && send_due(s, &arena);
    }
    arena_fini(&arena);
}

void notify_send_wake(struct notify_send *s) {
    thread_lock(&s->lock);
    s->fresh = true;
    thread_signal(&s->wake);
    thread_unlock(&s->lock);
}

Err notify_send_start(const struct notify_options *options, struct notify_send **out) {
    struct notify_send *s = calloc(1, sizeof *s);
    ASSERT(s);
    s->options = *options;
    thread_mutex_init(&s->lock);
    thread_cond_init(&s->wake);
    Err err = thread_start(&s->thread, "notify", run, s);
    if (err.code != ERR_NONE)
        notify_send_stop(s);
    else
        *out = s;
    return err;
}

void notify_send_stop(struct notify_send *s) {
    if (!s) return;
    thread_lock(&s->lock);
    s->stopping = true;
    thread_signal(&s->wake);
    thread_unlock(&s->lock);
    if (s->thread) thread_join(s->thread);
    thread_mutex_fini(&s->lock);
    thread_cond_fini(&s->wake);
    free(s);
}
