#include "connect/mqtt_message.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"

static Str copy(char **at, Str from) {
    char *to = *at;
    if (from.len) memcpy(to, from.ptr, from.len);
    *at += from.len;
    return str_n(to, from.len);
}

struct mqtt_message *mqtt_message_new(const struct mqtt_message_parts *p) {
    size_t texts = p->topic.len + p->payload.len + p->route.len + p->properties.len;
    struct mqtt_message *m = malloc(sizeof *m + texts);
    ASSERT(m);
    char *at = (char *)(m + 1);
    atomic_init(&m->refs, 1);
    m->qos = (uint8_t)p->qos;
    m->retain = p->retain;
    m->serial = p->serial;
    m->publisher = p->publisher;
    m->expires = p->expires;
    m->topic = copy(&at, p->topic);
    m->payload = copy(&at, p->payload);
    m->route = p->route.len ? copy(&at, p->route) : m->topic;
    m->properties = copy(&at, p->properties);
    return m;
}

struct mqtt_message *mqtt_message_hold(struct mqtt_message *message) {
    atomic_fetch_add_explicit(&message->refs, 1, memory_order_relaxed);
    return message;
}

void mqtt_message_drop(struct mqtt_message *message) {
    if (message && atomic_fetch_sub_explicit(&message->refs, 1, memory_order_acq_rel) == 1) free(message);
}

size_t mqtt_message_bytes(const struct mqtt_message *m) {
    return sizeof *m + m->topic.len + m->payload.len + m->properties.len;
}
