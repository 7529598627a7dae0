/*
 * Acknowledged means kept: what a turn of the loop read becomes one commit, and the answers it owes go out only when
 * the store says that it is durable. At most MQTT_COMMITS_MAX are with the store at a time; what arrives meanwhile
 * gathers in the next, which makes commits larger exactly when the store is busy.
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"
#include "base/vec.h"
#include "connect/mqtt_core.h"

#define POOLED_MAX 4u
#define KEEP_ROW_BYTES (1u << 20) /* a pooled commit with a larger buffer gives it back */

static void on_done(struct series_commit *commit, Err err) {
    struct mqtt_commit *self = commit->ctx;
    self->outcome = err.code;
    if (err.code != ERR_NONE) snprintf(self->why, sizeof self->why, "%.199s", err.text);
    mqtt_thread_post(self->thread, &self->mail);
}

static struct mqtt_commit *make(struct mqtt_thread *thread) {
    struct mqtt_commit *self = calloc(1, sizeof *self);
    ASSERT(self);
    self->mail.kind = MQTT_MAIL_COMMIT;
    self->thread = thread;
    self->commit.done = on_done;
    self->commit.ctx = self;
    arena_init(&self->arena, 0);
    self->batch.rows = &self->commit.rows;
    self->batch.arena = &self->arena;
    rows_clear(&self->commit.rows);
    return self;
}

struct mqtt_commit *mqtt_commit_open(struct mqtt_thread *thread) {
    if (thread->open) return thread->open;
    struct mqtt_commit *self = thread->pool;
    if (self) {
        thread->pool = self->next;
        thread->pooled--;
    } else {
        self = make(thread);
    }
    return thread->open = self;
}

void mqtt_commit_owe(struct mqtt_commit *self, struct mqtt_conn *conn, enum mqtt_type answer, uint16_t packet_id,
                     size_t bytes) {
    struct mqtt_ack_group *group = self->n_groups ? &self->groups[self->n_groups - 1] : NULL;
    if (!group || group->conn != conn) {
        struct mqtt_ack_group fresh = {.conn = conn};
        VEC_PUSH(self->groups, self->n_groups, self->cap_groups, fresh);
        group = &self->groups[self->n_groups - 1];
        conn->holds++;
    }
    if (answer) {
        VEC_PUSH(self->acks, self->n_acks, self->cap_acks, (uint32_t)answer << 16 | packet_id);
        group->n++;
    }
    group->bytes += bytes;
    self->bytes += bytes;
    conn->bytes_on_way += bytes;
    self->thread->bytes_on_way += bytes;
}

void mqtt_commit_submit(struct mqtt_thread *thread) {
    struct mqtt_commit *self = thread->open;
    if (!self || thread->commits_on_way >= MQTT_COMMITS_MAX) return;
    thread->open = NULL;
    thread->commits_on_way++;
    ingest_count(&thread->counters.commits, 1);
    self->commit.dead_letters = self->batch.letters;
    self->commit.n_dead_letters = self->batch.n_letters;
    series_submit(thread->server->options.series, &self->commit);
}

static void destroy(struct mqtt_commit *self) {
    rows_fini(&self->commit.rows);
    arena_fini(&self->arena);
    free(self->batch.letters);
    free(self->groups);
    free(self->acks);
    free(self);
}

static void recycle(struct mqtt_commit *self) {
    struct mqtt_thread *thread = self->thread;
    if (thread->pooled >= POOLED_MAX || self->commit.rows.bytes.cap > KEEP_ROW_BYTES || arena_used(&self->arena)) {
        destroy(self); /* dead letters are rare, and so is this */
        return;
    }
    rows_clear(&self->commit.rows);
    self->batch.n_letters = self->n_groups = self->n_acks = self->bytes = 0;
    self->next = thread->pool;
    thread->pool = self;
    thread->pooled++;
}

void mqtt_commit_free_pool(struct mqtt_thread *thread) {
    while (thread->pool) {
        struct mqtt_commit *next = thread->pool->next;
        destroy(thread->pool);
        thread->pool = next;
    }
    thread->pooled = 0;
}

static void answer(struct mqtt_commit *self, const struct mqtt_ack_group *group, const uint32_t *acks) {
    struct mqtt_conn *conn = group->conn;
    conn->unanswered -= group->n;
    if (conn->state != MQTT_CONN_OPEN || group->n == 0) return;
    ingest_count(&self->thread->counters.acknowledged, group->n);
    struct buf *out = mqtt_conn_out(conn);
    buf_reserve(out, (size_t)group->n * 4);
    for (uint32_t i = 0; i < group->n; i++) {
        enum mqtt_type type = acks[i] >> 16;
        /* Only now: a QoS 2 message that was not kept must not be taken for a duplicate when it comes again. */
        if (type == MQTT_PUBREC) mqtt_session_remember_received(conn->session, (uint16_t)acks[i]);
        mqtt_write_reply(out, type, conn->version, (uint16_t)acks[i], MQTT_SUCCESS);
    }
}

/* Nothing of it may be acknowledged; the clients will send it again to a server that can keep it. */
static void give_up(struct mqtt_commit *self, const struct mqtt_ack_group *group) {
    struct mqtt_conn *conn = group->conn;
    conn->unanswered -= group->n;
    if (conn->state != MQTT_CONN_OPEN) return;
    mqtt_thread_refused(self->thread, &self->thread->counters.mqtt_refused_store, "mqtt.not_kept", conn, self->why);
    mqtt_conn_end(conn, MQTT_IMPLEMENTATION_SPECIFIC, "the server cannot keep messages now");
}

void mqtt_commit_returned(struct mqtt_commit *self) {
    struct mqtt_thread *thread = self->thread;
    thread->commits_on_way--;
    thread->bytes_on_way -= self->bytes;
    bool kept = self->outcome == ERR_NONE;
    if (!kept) {
        ingest_count(&thread->counters.failed_commits, 1);
        LOG_ERROR("ingest.not_kept", LOG_I("bytes", self->bytes), LOG_I("rows", self->commit.rows.n_rows),
                  LOG_C("error", self->why));
    }
    const uint32_t *acks = self->acks;
    for (size_t i = 0; i < self->n_groups; i++) {
        struct mqtt_ack_group *group = &self->groups[i];
        group->conn->bytes_on_way -= group->bytes;
        if (kept)
            answer(self, group, acks);
        else
            give_up(self, group);
        acks += group->n;
        mqtt_conn_release(group->conn);
    }
    recycle(self);
}
