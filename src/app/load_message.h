/* One PUBLISH, encoded once, with the places that differ from message to message. */
#ifndef APP_LOAD_MESSAGE_H
#define APP_LOAD_MESSAGE_H

#include "app/load_mqtt.h"
#include "base/buf.h"

struct load_message;

struct load_message *load_message_new(const struct load_mqtt_options *options);
void load_message_free(struct load_message *message);
size_t load_message_payload(const struct load_message *message); /* bytes of one payload */
/* Appends the n-th message of a connection; packet_id 0 with QoS 0. Safe on several threads at once. */
void load_message_put(const struct load_message *message, unsigned connection, uint64_t n, uint16_t packet_id,
                      struct buf *out);

#endif
