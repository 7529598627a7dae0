#include "connect/mqtt_server.h"

#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/log.h"
#include "connect/mqtt_core.h"
#include "connect/mqtt_topic.h"

#define THREADS_MAX 64u

uint64_t mqtt_server_serial(struct mqtt_server *server) { return atomic_fetch_add(&server->serial, 1) + 1; }

struct mqtt_thread *mqtt_server_home(struct mqtt_server *server, Str name) {
    return &server->threads[hash_str(name) % server->n_threads];
}

static void fill_limits(struct mqtt_server_limits *l) {
#define LIMIT(field, value)                                                                                            \
    if (l->field == 0) l->field = (value)
    LIMIT(max_packet, 262144);
    LIMIT(max_connections, 100000);
    LIMIT(receive_maximum, 1024);
    LIMIT(connect_timeout_ms, 10000);
    LIMIT(subscriptions, 1000);
    LIMIT(queue_messages, 1000);
    LIMIT(output_bytes, 1u << 20);
    LIMIT(connection_bytes, 256u << 10);
    LIMIT(thread_bytes, 8u << 20);
    LIMIT(retained_bytes, 64u << 20);
    LIMIT(session_expiry_s, 86400);
    LIMIT(log_rate, 5);
#undef LIMIT
    if (l->receive_maximum > 65535) l->receive_maximum = 65535;
}

static Err copy_deny(struct mqtt_server *server) {
    size_t n = server->options.n_deny_subscribe;
    server->deny = calloc(n ? n : 1, sizeof *server->deny);
    ASSERT(server->deny);
    for (size_t i = 0; i < n; i++) {
        const char *filter = server->options.deny_subscribe[i];
        if (!mqtt_topic_filter_ok(str_c(filter)))
            return err_make(ERR_INVALID, "'%s' in the topics that may not be subscribed to is no topic filter", filter);
        server->deny[i] = strdup(filter);
        ASSERT(server->deny[i]);
    }
    return err_none();
}

/* Sessions that end may still write to each other's threads, so no thread goes before all mail is read. */
static void end_threads(struct mqtt_server *server) {
    for (unsigned i = 0; i < server->n_threads; i++) mqtt_thread_end(&server->threads[i]);
    for (bool any = true; any;) {
        any = false;
        for (unsigned i = 0; i < server->n_threads; i++) {
            if (!mqtt_thread_has_mail(&server->threads[i])) continue;
            mqtt_thread_read_mail(&server->threads[i]);
            any = true;
        }
    }
    for (unsigned i = 0; i < server->n_threads; i++) mqtt_thread_fini(&server->threads[i]);
}

static void destroy(struct mqtt_server *server) {
    if (server->threads) end_threads(server);
    free(server->threads);
    net_close(server->listener);
    for (size_t i = 0; server->deny && i < server->options.n_deny_subscribe; i++) free(server->deny[i]);
    free(server->deny);
    free(server);
}

static void stop_threads(struct mqtt_server *server) {
    for (unsigned i = 0; i < server->n_threads; i++) {
        if (!server->threads[i].thread) continue;
        struct mqtt_mail *mail = calloc(1, sizeof *mail);
        ASSERT(mail);
        mail->kind = MQTT_MAIL_STOP;
        mqtt_thread_post(&server->threads[i], mail);
    }
    for (unsigned i = 0; i < server->n_threads; i++) {
        if (server->threads[i].thread) thread_join(server->threads[i].thread);
        server->threads[i].thread = NULL;
    }
}

static Err start(struct mqtt_server *server) {
    TRY(copy_deny(server));
    TRY(net_listen(server->options.address, &server->listener));
    net_address(server->listener, server->address);
    server->port = net_port(server->listener);
    for (unsigned i = 0; i < server->n_threads; i++) TRY(mqtt_thread_init(&server->threads[i], server, i));
    for (unsigned i = 0; i < server->n_threads; i++) TRY(mqtt_thread_start(&server->threads[i]));
    return err_none();
}

Err mqtt_server_start(const struct mqtt_server_options *options, struct mqtt_server **out) {
    ASSERT(options->series);
    struct mqtt_server *server = calloc(1, sizeof *server);
    ASSERT(server);
    server->options = *options;
    server->listener = -1;
    if (!server->options.clock) server->options.clock = &clock_system;
    fill_limits(&server->options.limits);
    server->n_threads = options->threads == 0 ? 2 : options->threads < THREADS_MAX ? options->threads : THREADS_MAX;
    server->threads = calloc(server->n_threads, sizeof *server->threads);
    ASSERT(server->threads);
    Err err = start(server);
    if (err.code != ERR_NONE) {
        stop_threads(server);
        destroy(server);
        return err;
    }
    *out = server;
    return err_none();
}

void mqtt_server_stop(struct mqtt_server *server) {
    if (!server) return;
    stop_threads(server);
    destroy(server);
}

uint16_t mqtt_server_port(const struct mqtt_server *server) { return server->port; }

const char *mqtt_server_address(const struct mqtt_server *server) { return server->address; }

void mqtt_server_counters(const struct mqtt_server *server, struct ingest_counters *out) {
    *out = (struct ingest_counters){0};
    for (unsigned i = 0; i < server->n_threads; i++) ingest_counters_add(out, &server->threads[i].counters);
}

void mqtt_server_models_changed(struct mqtt_server *server) {
    for (unsigned i = 0; i < server->n_threads; i++) atomic_fetch_add(&server->threads[i].models_changed, 1);
}

static void post_to_all(struct mqtt_server *server, struct mqtt_message *message) {
    for (unsigned i = 0; i < server->n_threads; i++) {
        struct mqtt_mail_messages *mail = malloc(sizeof *mail + sizeof *mail->messages);
        ASSERT(mail);
        mail->mail.kind = MQTT_MAIL_MESSAGES;
        mail->n = 1;
        mail->messages[0] = mqtt_message_hold(message);
        mqtt_thread_post(&server->threads[i], &mail->mail);
    }
    mqtt_message_drop(message);
}

Err mqtt_server_publish(struct mqtt_server *server, Str topic, Str payload, unsigned qos, bool retain) {
    if (qos > 2 || topic.len > 65535 || !mqtt_topic_utf8(topic) || !mqtt_topic_name_ok(topic))
        return err_make(ERR_INVALID, "'" STR_FMT "' is no topic to publish on", STR_ARG(str_slice(topic, 0, 100)));
    struct mqtt_message_parts parts = {
        .qos = qos, .retain = retain, .serial = mqtt_server_serial(server), .topic = topic, .payload = payload};
    post_to_all(server, mqtt_message_new(&parts));
    return err_none();
}

Err mqtt_server_command(struct mqtt_server *server, ThingId thing, Str subtopic, Str payload) {
    if (subtopic.len > 60000 || !mqtt_topic_utf8(subtopic) || !mqtt_topic_name_ok(subtopic))
        return err_make(ERR_INVALID, "'" STR_FMT "' is no topic to publish on", STR_ARG(str_slice(subtopic, 0, 100)));
    struct buf topic = {0}, route = {0};
    buf_printf(&topic, "v1/devices/me/" STR_FMT, STR_ARG(subtopic));
    buf_printf(&route, MQTT_OWN_ROUTE "/%u/" STR_FMT, thing, STR_ARG(subtopic));
    struct mqtt_message_parts parts = {.qos = 1,
                                       .serial = mqtt_server_serial(server),
                                       .topic = buf_view(&topic),
                                       .route = buf_view(&route),
                                       .payload = payload};
    post_to_all(server, mqtt_message_new(&parts));
    buf_fini(&topic);
    buf_fini(&route);
    return err_none();
}
