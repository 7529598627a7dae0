/*
 * Shared subscriptions: of each message that "$share/GROUP/FILTER" covers, one member of the group gets a copy. A group
 * has its home on the thread that its whole filter hashes to; there it stands in the tree and there alone a member is
 * chosen, so no two threads can choose differently. A member on another thread is reached by mail, and a member that is
 * gone or away sends the mail back for the next one to be tried.
 */
#include <stdlib.h>
#include <string.h>

#include "base/vec.h"
#include "connect/mqtt_core.h"
#include "connect/mqtt_topic.h"

struct member {
    unsigned thread;
    uint64_t session; /* its serial */
    uint32_t id;
    uint8_t qos;
    bool retain_as_published;
};

struct mqtt_group {
    struct mqtt_sub sub; /* first: cast from it */
    char *filter;        /* whole */
    struct member *members;
    size_t n, cap, turn;
};

/* What a session remembers of a shared subscription. */
struct mqtt_share {
    struct mqtt_share *next;
    size_t len;
    char filter[];
};

static struct mqtt_group *find_group(struct mqtt_thread *thread, Str filter) {
    uint64_t value;
    return map_get(&thread->groups, filter, &value) ? (struct mqtt_group *)(uintptr_t)value : NULL;
}

static struct mqtt_group *make_group(struct mqtt_thread *thread, Str filter) {
    struct mqtt_group *group = calloc(1, sizeof *group);
    ASSERT(group);
    Str name, rest;
    ASSERT(mqtt_topic_shared(filter, &name, &rest));
    group->filter = strndup(filter.ptr, filter.len);
    ASSERT(group->filter);
    group->sub.owner = group;
    group->sub.group = true;
    mqtt_tree_add(thread->tree, mqtt_tree_node(thread->tree, rest), &group->sub);
    map_put(&thread->groups, filter, (uint64_t)(uintptr_t)group);
    return group;
}

static void free_group(struct mqtt_thread *thread, struct mqtt_group *group) {
    mqtt_tree_remove(thread->tree, &group->sub);
    map_del(&thread->groups, str_c(group->filter));
    free(group->filter);
    free(group->members);
    free(group);
}

void mqtt_share_free(struct mqtt_thread *thread) {
    Str filter;
    uint64_t value;
    for (size_t at = 0; map_next(&thread->groups, &at, &filter, &value); at = 0)
        free_group(thread, (struct mqtt_group *)(uintptr_t)value);
}

static struct member *find_member(struct mqtt_group *group, uint64_t session) {
    for (size_t i = 0; group && i < group->n; i++)
        if (group->members[i].session == session) return &group->members[i];
    return NULL;
}

/* ---- mail */

static struct mqtt_share_mail *new_mail(enum mqtt_share_verb verb, uint64_t session, Str filter) {
    struct mqtt_share_mail *mail = calloc(1, sizeof *mail + filter.len + 1);
    ASSERT(mail);
    mail->mail.kind = MQTT_MAIL_SHARE;
    mail->verb = verb;
    mail->session = session;
    memcpy(mail->filter, filter.ptr, filter.len);
    return mail;
}

static void send(struct mqtt_thread *from, struct mqtt_thread *to, struct mqtt_share_mail *mail) {
    if (from == to)
        mqtt_share_mail(to, mail);
    else
        mqtt_thread_post(to, &mail->mail);
}

/* ---- at the group's home */

static void join(struct mqtt_thread *thread, const struct mqtt_share_mail *mail) {
    struct mqtt_group *group = find_group(thread, str_c(mail->filter));
    if (!group) group = make_group(thread, str_c(mail->filter));
    struct member *known = find_member(group, mail->session);
    struct member member = {.thread = mail->thread,
                            .session = mail->session,
                            .id = mail->id,
                            .qos = mail->qos,
                            .retain_as_published = mail->retain_as_published};
    if (known)
        *known = member;
    else
        VEC_PUSH(group->members, group->n, group->cap, member);
}

static void leave(struct mqtt_thread *thread, const struct mqtt_share_mail *mail) {
    struct mqtt_group *group = find_group(thread, str_c(mail->filter));
    struct member *member = find_member(group, mail->session);
    if (!member) return;
    *member = group->members[--group->n];
    if (group->n == 0) free_group(thread, group);
}

/* Members take turns; after all were tried, the last is made to keep it. */
static void choose(struct mqtt_thread *thread, struct mqtt_group *group, struct mqtt_message *message, unsigned tries) {
    const struct member *member = &group->members[group->turn++ % group->n];
    struct mqtt_share_mail *mail = new_mail(MQTT_SHARE_DELIVER, member->session, str_c(group->filter));
    mail->thread = thread->index;
    mail->id = member->id;
    mail->qos = member->qos;
    mail->retain_as_published = member->retain_as_published;
    mail->tries = tries + 1;
    mail->last = mail->tries >= group->n;
    mail->message = mqtt_message_hold(message);
    send(thread, &thread->server->threads[member->thread], mail);
}

void mqtt_share_deliver(struct mqtt_thread *thread, struct mqtt_sub *sub, struct mqtt_message *message) {
    choose(thread, sub->owner, message, 0);
}

static void bounced(struct mqtt_thread *thread, const struct mqtt_share_mail *mail) {
    struct mqtt_group *group = find_group(thread, str_c(mail->filter));
    if (group && mail->tries <= group->n)
        choose(thread, group, mail->message, mail->tries);
    else
        ingest_count(&thread->counters.mqtt_dropped, 1);
}

/* ---- at the member's thread */

static void deliver(struct mqtt_thread *thread, const struct mqtt_share_mail *mail) {
    struct mqtt_session *session = mqtt_session_by_serial(thread, mail->session);
    if (!session || (!session->conn && !mail->last)) {
        struct mqtt_share_mail *back = new_mail(MQTT_SHARE_BOUNCE, mail->session, str_c(mail->filter));
        back->tries = mail->tries;
        back->message = mqtt_message_hold(mail->message);
        send(thread, &thread->server->threads[mail->thread], back);
        return;
    }
    uint8_t qos = mail->qos < mail->message->qos ? mail->qos : mail->message->qos;
    struct mqtt_delivery delivery = {.message = mail->message,
                                     .qos = qos,
                                     .retain = mail->retain_as_published && mail->message->retain,
                                     .n_ids = mail->id != 0,
                                     .ids = {mail->id}};
    mqtt_deliver_one(session, &delivery);
}

void mqtt_share_mail(struct mqtt_thread *thread, struct mqtt_share_mail *mail) {
    switch (mail->verb) {
    case MQTT_SHARE_JOIN: join(thread, mail); break;
    case MQTT_SHARE_LEAVE: leave(thread, mail); break;
    case MQTT_SHARE_DELIVER: deliver(thread, mail); break;
    case MQTT_SHARE_BOUNCE: bounced(thread, mail); break;
    }
    mqtt_message_drop(mail->message);
    free(mail);
}

/* ---- a session's shared subscriptions */

static struct mqtt_share **find_share(struct mqtt_session *session, Str filter) {
    struct mqtt_share **at = &session->shares;
    while (*at && !str_eq(str_n((*at)->filter, (*at)->len), filter)) at = &(*at)->next;
    return at;
}

bool mqtt_share_has(struct mqtt_session *session, Str filter) { return *find_share(session, filter) != NULL; }

void mqtt_share_join(struct mqtt_session *session, const struct mqtt_filter *filter, uint32_t id) {
    struct mqtt_thread *thread = session->thread;
    if (!mqtt_share_has(session, filter->filter)) {
        struct mqtt_share *share = malloc(sizeof *share + filter->filter.len);
        ASSERT(share);
        share->len = filter->filter.len;
        memcpy(share->filter, filter->filter.ptr, filter->filter.len);
        share->next = session->shares;
        session->shares = share;
        session->n_subs++;
        ingest_count(&thread->counters.mqtt_subscriptions, 1);
    }
    struct mqtt_share_mail *mail = new_mail(MQTT_SHARE_JOIN, session->serial, filter->filter);
    mail->thread = thread->index;
    mail->qos = (uint8_t)filter->qos;
    mail->retain_as_published = filter->retain_as_published;
    mail->id = id;
    send(thread, mqtt_server_home(thread->server, filter->filter), mail);
}

bool mqtt_share_leave(struct mqtt_session *session, Str filter) {
    struct mqtt_thread *thread = session->thread;
    struct mqtt_share **at = find_share(session, filter), *share = *at;
    if (!share) return false;
    *at = share->next;
    session->n_subs--;
    ingest_count(&thread->counters.mqtt_subscriptions, UINT64_MAX);
    Str own = str_n(share->filter, share->len);
    send(thread, mqtt_server_home(thread->server, own), new_mail(MQTT_SHARE_LEAVE, session->serial, own));
    free(share);
    return true;
}

void mqtt_share_leave_all(struct mqtt_session *session) {
    while (session->shares) mqtt_share_leave(session, str_n(session->shares->filter, session->shares->len));
}
