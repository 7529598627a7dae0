/*
 * Notifications: what people are told. Each stands in the console for a user or for everybody with a role, and goes
 * out by the party's channels: mail, a signed webhook, robots of WeCom, DingTalk and Feishu. What is to be sent is a
 * row in the same transaction as the notification, and is tried until it is taken or too old.
 *
 * Any thread; calls wait for the store. A channel's address and secret are sealed with the party's key.
 */
#ifndef ACT_NOTIFY_H
#define ACT_NOTIFY_H

#include "base/arena.h"
#include "base/err.h"
#include "model/principal.h"
#include "os/clock.h"

struct notify;
struct records;
struct seal;

struct notify_options {
    struct records *records;
    struct seal *seal;
    const struct clock *clock;                           /* of the platform, for when a thing happened */
    const char *smtp, *smtp_user, *smtp_password, *from; /* mail; smtp NULL or empty: none */
    bool own_network;                                    /* channels may lead into one's own network, without TLS */
    Nanos first_pause;                                   /* before the second try, doubled after each; 0 = 30 s */
};
Err notify_open(const struct notify_options *options, struct notify **out);
void notify_close(struct notify *notify); /* what is not sent waits for the next start; NULL is fine */

struct notify_message {
    PartyId party;
    Str user;       /* for this one … */
    unsigned roles; /* … and for everybody with one of these roles … */
    Str channel;    /* … and out by this channel, beside those that want such events */
    Str text_en, text_zh;
    Str type; /* of the document that it is about, and its id; or empty */
    int64_t doc;
    Str rule;
    Str source; /* unique in a party: the same again tells nobody again; empty: none */
};
Err notify_post(struct notify *notify, const struct notify_message *message);

struct notify_row {
    int64_t id, doc;
    Nanos at;
    bool read;
    Str text_en, text_zh, type, rule;
};
/* What `who` is told, newest first, ids below `before` (0: from the newest). *unread counts all of them, up to 1,000.
 */
Err notify_list(struct notify *notify, const struct principal *who, bool only_unread, int64_t before, size_t limit,
                struct arena *arena, struct notify_row **out, size_t *n, size_t *unread);
Err notify_read(struct notify *notify, const struct principal *who, int64_t through);

struct notify_channel {
    int64_t id;
    Str name, kind, target, secret, events; /* events: rules' names and types joined by ','; "*": every one */
    bool has_secret;
    Str trouble; /* what the last try met, or empty */
    size_t waiting;
};
Err notify_channels(struct notify *notify, PartyId party, struct arena *arena, struct notify_channel **out, size_t *n);
/* id 0: a new one. A change leaves what is empty as it is. */
Err notify_channel_put(struct notify *notify, const struct principal *who, const struct notify_channel *channel,
                       int64_t *id);
Err notify_channel_remove(struct notify *notify, const struct principal *who, int64_t id);
/* Sends a line now and waits for the answer. */
Err notify_channel_test(struct notify *notify, const struct principal *who, int64_t id);

#endif
