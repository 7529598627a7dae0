#include "connect/mqtt_server.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "connect/mqtt_client.h"
#include "connect/mqtt_write.h"
#include "os/net.h"
#include "tests/unit.h"
#include "trust/gate.h"

struct world {
    struct series *series;
    struct mqtt_server *server;
    char at[NET_ADDRESS_MAX];
};

/* A client, and what it heard as "topic=payload/qos" in order. */
struct ear {
    struct mqtt_client *client;
    struct buf heard;
    unsigned n;
    unsigned acks, last_reason;
};

static Err authenticate(void *ctx, Str user, Str password, struct device_identity *out) {
    (void)ctx;
    if (!str_eq_c(password, "secret")) return err_make(ERR_UNAUTHENTICATED, "wrong password");
    *out = (struct device_identity){.party = 1, .gateway = str_starts(user, STR("gate"))};
    snprintf(out->thing, sizeof out->thing, STR_FMT, STR_ARG(user));
    snprintf(out->user, sizeof out->user, STR_FMT, STR_ARG(user));
    return err_none();
}

static void open_world(struct world *w, const struct mqtt_server_options *wish) {
    static int number;
    char dir[300];
    snprintf(dir, sizeof dir, "%s/mqtt%d", unit_temp_dir(), number++);
    struct series_options series = {.dir = dir};
    CHECK_OK(series_open(&series, &w->series));
    struct mqtt_server_options options = *wish;
    options.address = "127.0.0.1:0";
    options.series = w->series;
    options.authenticate = authenticate;
    CHECK_OK(mqtt_server_start(&options, &w->server));
    snprintf(w->at, sizeof w->at, "%s", mqtt_server_address(w->server));
}

static void close_world(struct world *w) {
    mqtt_server_stop(w->server);
    series_close(w->series);
}

static void on_message(void *ctx, const struct mqtt_client_message *m) {
    struct ear *ear = ctx;
    buf_printf(&ear->heard, "%s" STR_FMT "=" STR_FMT "/%u%s", ear->n ? " " : "", STR_ARG(m->topic), STR_ARG(m->payload),
               m->qos, m->retain ? "r" : "");
    ear->n++;
}

static void on_ack(void *ctx, uint64_t number, unsigned reason) {
    struct ear *ear = ctx;
    ear->acks++;
    ear->last_reason = reason;
    CHECK_INT(number, ear->acks);
}

struct wish {
    const char *id, *user;
    bool version_5, keep;
    uint16_t keep_alive_s;
};

static Err connect_ear(struct world *w, struct ear *ear, struct wish wish) {
    *ear = (struct ear){0};
    struct mqtt_client_options options = {.address = w->at,
                                          .client_id = str_c(wish.id),
                                          .user = str_c(wish.user),
                                          .password = wish.user ? STR("secret") : (Str){0},
                                          .version_5 = wish.version_5,
                                          .keep_session = wish.keep,
                                          .session_expiry_s = wish.keep ? 60 : 0,
                                          .keep_alive_s = wish.keep_alive_s,
                                          .on_message = on_message,
                                          .on_ack = on_ack,
                                          .ctx = ear};
    return mqtt_client_open(&options, &ear->client);
}

static void close_ear(struct ear *ear) {
    mqtt_client_close(ear->client);
    buf_fini(&ear->heard);
}

static Str hear(struct ear *ear, unsigned n) {
    for (int i = 0; i < 100 && ear->n < n; i++)
        if (mqtt_client_poll(ear->client, 50 * NANOS_PER_MS).code != ERR_NONE) break;
    return buf_view(&ear->heard);
}

static bool count_point(void *ctx, const struct series_point *point) {
    (void)point;
    ++*(unsigned *)ctx;
    return true;
}

static unsigned samples(struct world *w) {
    unsigned n = 0;
    struct lens lens = gate_lens_system("a test counts");
    struct series_query query = {0};
    CHECK_OK(series_read(w->series, &lens, &query, count_point, &n));
    return n;
}

static uint64_t letters(struct world *w) {
    struct series_stats stats;
    series_stats(w->series, &stats);
    return stats.dead_letters;
}

static void wait_for_connections(struct world *w, uint64_t n) {
    struct ingest_counters c;
    for (int i = 0; i < 6000; i++) {
        mqtt_server_counters(w->server, &c);
        if (c.mqtt_connections == n) return;
        clock_sleep(10 * NANOS_PER_MS);
    }
    CHECK_INT(c.mqtt_connections, n);
}

#define TELEMETRY STR("v1/devices/me/telemetry")

static void telemetry_is_kept(bool version_5) {
    struct world w;
    struct ear ear;
    unit_case(version_5 ? "telemetry over 5.0" : "telemetry over 3.1.1");
    open_world(&w, &(struct mqtt_server_options){.threads = 2});
    CHECK_OK(connect_ear(&w, &ear, (struct wish){.id = "c1", .user = "m1", .version_5 = version_5}));
    char payload[100];
    for (int i = 0; i < 500; i++) {
        int n = snprintf(payload, sizeof payload, "{\"ts\":%d,\"values\":{\"a\":%d,\"b\":\"x\"}}", 1000 + i, i);
        CHECK_OK(mqtt_client_publish(ear.client, TELEMETRY, str_n(payload, (size_t)n), 1, false));
    }
    CHECK_OK(mqtt_client_flush(ear.client));
    CHECK_INT(ear.acks, 500);
    CHECK_INT(samples(&w), 1000);
    CHECK_OK(mqtt_client_publish(ear.client, TELEMETRY, STR("{oops"), 1, false));
    CHECK_OK(mqtt_client_publish(ear.client, STR("v1/gateway/telemetry"), STR("{}"), 1, false));
    CHECK_OK(mqtt_client_publish(ear.client, STR("other"), STR("x"), 1, false));
    CHECK_OK(mqtt_client_flush(ear.client));
    CHECK_INT(ear.acks, 503);
    CHECK_INT(letters(&w), 3);
    CHECK_OK(mqtt_client_publish(ear.client, TELEMETRY, STR("{\"c\":1}"), 0, false));
    close_ear(&ear);
    for (int i = 0; i < 3000 && samples(&w) < 1001; i++) clock_sleep(20 * NANOS_PER_MS);
    CHECK_INT(samples(&w), 1001);
    struct ingest_counters c;
    mqtt_server_counters(w.server, &c);
    CHECK_INT(c.acknowledged, 503);
    CHECK_INT(c.refused_json, 1);
    CHECK_INT(c.refused_topic, 2);
    CHECK_INT(c.rows, 501);
    close_world(&w);
}

static void gateway(void) {
    struct world w;
    struct ear ear;
    unit_case("a gateway speaks for things");
    open_world(&w, &(struct mqtt_server_options){0});
    CHECK_OK(connect_ear(&w, &ear, (struct wish){.id = "g", .user = "gate1"}));
    CHECK_OK(mqtt_client_publish(
        ear.client, STR("v1/gateway/telemetry"),
        STR("{\"p1\":[{\"ts\":1,\"values\":{\"a\":1}}],\"p2\":[{\"ts\":1,\"values\":{\"a\":1}}]}"), 1, false));
    CHECK_OK(mqtt_client_flush(ear.client));
    ThingId thing;
    CHECK(series_find_thing(w.series, 1, STR("p1"), &thing));
    CHECK(series_find_thing(w.series, 1, STR("p2"), &thing));
    CHECK_INT(samples(&w), 2);
    close_ear(&ear);
    close_world(&w);
}

static void logins(void) {
    struct world w;
    struct ear ear;
    struct mqtt_client *client;
    open_world(&w, &(struct mqtt_server_options){0});
    for (int v5 = 0; v5 < 2; v5++) {
        unit_case(v5 ? "logins, 5.0" : "logins, 3.1.1");
        struct mqtt_client_options bad = {
            .address = w.at, .user = STR("m1"), .password = STR("guess"), .version_5 = v5 != 0};
        CHECK_ERR(mqtt_client_open(&bad, &client), ERR_UNAUTHENTICATED);
        CHECK_ERR(connect_ear(&w, &ear, (struct wish){.id = "x", .version_5 = v5 != 0}), ERR_UNAUTHENTICATED);
        CHECK_OK(connect_ear(&w, &ear, (struct wish){.user = "m1", .version_5 = v5 != 0}));
        CHECK_ERR(mqtt_client_subscribe(ear.client, STR("#"), 1), ERR_FORBIDDEN);
        CHECK_ERR(mqtt_client_subscribe(ear.client, STR("$thing/1/#"), 1), ERR_FORBIDDEN);
        CHECK_OK(mqtt_client_subscribe(ear.client, STR("v1/devices/me/rpc/request/+"), 1));
        close_ear(&ear);
    }
    struct ingest_counters c;
    mqtt_server_counters(w.server, &c);
    CHECK_INT(c.mqtt_refused_login, 4);
    close_world(&w);
}

static void commands(void) {
    struct world w;
    struct ear one, two;
    unit_case("a command reaches its device alone");
    open_world(&w, &(struct mqtt_server_options){.threads = 3});
    CHECK_OK(connect_ear(&w, &one, (struct wish){.id = "a", .user = "m1"}));
    CHECK_OK(connect_ear(&w, &two, (struct wish){.id = "b", .user = "m2", .version_5 = true}));
    CHECK_OK(mqtt_client_subscribe(one.client, STR("v1/devices/me/rpc/request/+"), 1));
    CHECK_OK(mqtt_client_subscribe(two.client, STR("v1/devices/me/#"), 0));
    ThingId m1, m2;
    CHECK_OK(series_thing(w.series, 1, STR("m1"), &m1));
    CHECK_OK(series_thing(w.series, 1, STR("m2"), &m2));
    CHECK_OK(mqtt_server_command(w.server, m2, STR("rpc/request/8"), STR("go")));
    CHECK_OK(mqtt_server_command(w.server, m1, STR("rpc/request/7"), STR("stop")));
    CHECK_STR(hear(&one, 1), STR("v1/devices/me/rpc/request/7=stop/1"));
    CHECK_STR(hear(&two, 1), STR("v1/devices/me/rpc/request/8=go/0"));
    CHECK_ERR(mqtt_server_command(w.server, m1, STR("a/+"), STR("")), ERR_INVALID);
    CHECK_OK(mqtt_client_unsubscribe(one.client, STR("v1/devices/me/rpc/request/+")));
    CHECK_OK(mqtt_server_command(w.server, m1, STR("rpc/request/9"), STR("stop")));
    (void)mqtt_client_poll(one.client, 100 * NANOS_PER_MS);
    CHECK_INT(one.n, 1);
    close_ear(&one);
    close_ear(&two);
    close_world(&w);
}

static void publish_and_subscribe(void) {
    struct world w;
    struct ear from, to, late;
    unit_case("publish and subscribe across threads");
    open_world(&w, &(struct mqtt_server_options){.threads = 4, .allow_anonymous = true});
    CHECK_OK(connect_ear(&w, &from, (struct wish){.id = "from"}));
    CHECK_OK(connect_ear(&w, &to, (struct wish){.id = "to", .version_5 = true}));
    CHECK_OK(mqtt_client_subscribe(to.client, STR("a/+/c"), 1));
    CHECK_OK(mqtt_client_subscribe(to.client, STR("a/#"), 0));
    CHECK_OK(mqtt_client_publish(from.client, STR("a/b/c"), STR("1"), 1, false));
    CHECK_OK(mqtt_client_publish(from.client, STR("a/x"), STR("2"), 1, true));
    CHECK_OK(mqtt_client_publish(from.client, STR("b"), STR("3"), 1, false));
    CHECK_OK(mqtt_client_publish(from.client, STR("a/b/c"), STR("4"), 0, false));
    CHECK_OK(mqtt_client_flush(from.client));
    CHECK_STR(hear(&to, 3), STR("a/b/c=1/1 a/x=2/0 a/b/c=4/0"));
    unit_case("retained messages");
    CHECK_OK(connect_ear(&w, &late, (struct wish){.id = "late"}));
    CHECK_OK(mqtt_client_subscribe(late.client, STR("+/x"), 1));
    CHECK_STR(hear(&late, 1), STR("a/x=2/1r"));
    CHECK_OK(mqtt_client_publish(from.client, STR("a/x"), STR(""), 1, true));
    CHECK_OK(mqtt_client_flush(from.client));
    CHECK_STR(hear(&late, 2), STR("a/x=2/1r a/x=/1"));
    close_ear(&late);
    CHECK_OK(connect_ear(&w, &late, (struct wish){.id = "late"}));
    CHECK_OK(mqtt_client_subscribe(late.client, STR("+/x"), 1));
    (void)mqtt_client_poll(late.client, 100 * NANOS_PER_MS);
    CHECK_INT(late.n, 0);
    unit_case("from inside the process");
    CHECK_OK(mqtt_server_publish(w.server, STR("q/x"), STR("5"), 1, false));
    CHECK_STR(hear(&late, 1), STR("q/x=5/1"));
    CHECK_ERR(mqtt_server_publish(w.server, STR("q/+"), STR("5"), 1, false), ERR_INVALID);
    close_ear(&from);
    close_ear(&to);
    close_ear(&late);
    close_world(&w);
}

static void shared(void) {
    struct world w;
    struct ear from, one, two;
    unit_case("a shared subscription");
    open_world(&w, &(struct mqtt_server_options){.threads = 3, .allow_anonymous = true});
    CHECK_OK(connect_ear(&w, &from, (struct wish){.id = "from"}));
    CHECK_OK(connect_ear(&w, &one, (struct wish){.id = "one", .version_5 = true, .keep = true}));
    CHECK_OK(connect_ear(&w, &two, (struct wish){.id = "two"}));
    CHECK_OK(mqtt_client_subscribe(one.client, STR("$share/g/t/+"), 1));
    CHECK_OK(mqtt_client_subscribe(two.client, STR("$share/g/t/+"), 1));
    for (int i = 0; i < 40; i++) CHECK_OK(mqtt_client_publish(from.client, STR("t/x"), STR("m"), 1, false));
    CHECK_OK(mqtt_client_flush(from.client));
    hear(&one, 20);
    hear(&two, 20);
    CHECK_INT(one.n, 20);
    CHECK_INT(two.n, 20);
    unit_case("a member that is away is passed over");
    close_ear(&one);
    wait_for_connections(&w, 2);
    for (int i = 0; i < 10; i++) CHECK_OK(mqtt_client_publish(from.client, STR("t/x"), STR("m"), 1, false));
    CHECK_OK(mqtt_client_flush(from.client));
    hear(&two, 30);
    CHECK_INT(two.n, 30);
    unit_case("with nobody else there, it waits for the one away");
    CHECK_OK(mqtt_client_unsubscribe(two.client, STR("$share/g/t/+")));
    CHECK_OK(mqtt_client_publish(from.client, STR("t/x"), STR("late"), 1, false));
    CHECK_OK(mqtt_client_flush(from.client));
    CHECK_OK(connect_ear(&w, &one, (struct wish){.id = "one", .version_5 = true, .keep = true}));
    CHECK_STR(hear(&one, 1), STR("t/x=late/1"));
    struct ingest_counters c;
    mqtt_server_counters(w.server, &c);
    CHECK_INT(c.mqtt_subscriptions, 1);
    close_ear(&one);
    close_ear(&two);
    close_ear(&from);
    close_world(&w);
}

static void sessions(bool v5) {
    struct world w;
    struct ear from, to, again;
    unit_case(v5 ? "sessions, 5.0" : "sessions, 3.1.1");
    open_world(&w, &(struct mqtt_server_options){.threads = 2, .allow_anonymous = true, .limits.queue_messages = 5});
    CHECK_OK(connect_ear(&w, &from, (struct wish){.id = "from"}));
    CHECK_OK(connect_ear(&w, &to, (struct wish){.id = "to", .version_5 = v5, .keep = true}));
    CHECK(!mqtt_client_session_present(to.client));
    CHECK_OK(mqtt_client_subscribe(to.client, STR("t"), 1));
    close_ear(&to);
    wait_for_connections(&w, 1);
    char text[8];
    for (int i = 0; i < 7; i++) { /* two more than the queue holds */
        int n = snprintf(text, sizeof text, "%d", i);
        CHECK_OK(mqtt_client_publish(from.client, STR("t"), str_n(text, (size_t)n), 1, false));
        CHECK_OK(mqtt_client_publish(from.client, STR("t"), STR("zero"), 0, false));
    }
    CHECK_OK(mqtt_client_flush(from.client));
    CHECK_OK(connect_ear(&w, &to, (struct wish){.id = "to", .version_5 = v5, .keep = true}));
    CHECK(mqtt_client_session_present(to.client));
    CHECK_STR(hear(&to, 5), STR("t=0/1 t=1/1 t=2/1 t=3/1 t=4/1"));
    /* Its answer comes after the server has read the acknowledgements of the five. */
    CHECK_OK(mqtt_client_unsubscribe(to.client, STR("nothing")));
    unit_case("a session is taken over");
    CHECK_OK(connect_ear(&w, &again, (struct wish){.id = "to", .version_5 = v5, .keep = true}));
    CHECK(mqtt_client_session_present(again.client));
    Err err = err_none();
    for (int i = 0; i < 20 && err.code == ERR_NONE; i++) err = mqtt_client_poll(to.client, 100 * NANOS_PER_MS);
    CHECK_ERR(err, ERR_CLOSED);
    CHECK_OK(mqtt_client_publish(from.client, STR("t"), STR("new"), 1, false));
    CHECK_OK(mqtt_client_flush(from.client));
    CHECK_STR(hear(&again, 1), STR("t=new/1"));
    close_ear(&again);
    wait_for_connections(&w, 1);
    CHECK_OK(connect_ear(&w, &again, (struct wish){.id = "to", .version_5 = v5}));
    CHECK(!mqtt_client_session_present(again.client));
    struct ingest_counters c;
    mqtt_server_counters(w.server, &c);
    CHECK_INT(c.mqtt_taken_over, 1);
    CHECK_INT(c.mqtt_subscriptions, 0);
    CHECK_INT(c.mqtt_sessions, 2);
    close_ear(&again);
    close_ear(&from);
    close_ear(&to);
    close_world(&w);
}

/* ---- bytes on a bare socket, for what a good client never sends */

static int dial(struct world *w) {
    int fd = -1;
    CHECK_OK(net_connect(w->at, NANOS_PER_S, &fd));
    return fd;
}

static void say(int fd, const char *bytes, size_t n) { CHECK_INT(net_send(fd, bytes, n), n); }

/* What comes until the other side closes, or for a while. */
static Str listen_to(int fd, char *into, size_t max, Nanos timeout, bool *closed) {
    size_t have = 0;
    Nanos until = clock_monotonic() + timeout;
    *closed = false;
    while (!*closed && clock_monotonic() < until && have < max) {
        if (!net_wait(fd, true, false, 20 * NANOS_PER_MS)) continue;
        ptrdiff_t n = net_recv(fd, into + have, max - have);
        if (n == NET_CLOSED) *closed = true;
        if (n > 0) have += (size_t)n;
    }
    return str_n(into, have);
}

#define CONNECT_3 "\x10\x0d\0\4MQTT\4\2\0\1\0\1x"
#define CONNECT_5 "\x10\x0e\0\4MQTT\5\2\0\1\0\0\1y"

static const struct {
    const char *name, *bytes;
    size_t n;
    const char *answer; /* the last bytes before the close */
    size_t n_answer;
} offences[] = {
#define OFFENCE(name, bytes, answer)                                                                                   \
    { name, bytes, sizeof bytes - 1, answer, sizeof answer - 1 }
    OFFENCE("not MQTT", "GET / HTTP/1.1\r\n", ""),
    OFFENCE("PUBLISH before CONNECT", "\x30\3\0\1a", ""),
    OFFENCE("protocol level 3", "\x10\x0f\0\6MQIsdp\3\2\0\1\0\1x", "\x20\2\0\1"),
    OFFENCE("CONNECT twice", CONNECT_3 CONNECT_3, "\x20\2\0\0"),
    OFFENCE("QoS 3, 3.1.1", CONNECT_3 "\x36\5\0\1a\0\1", "\x20\2\0\0"),
    OFFENCE("no client id, session to keep", "\x10\x0c\0\4MQTT\4\0\0\1\0\0", "\x20\2\0\2"),
#undef OFFENCE
};

static void bad_clients(void) {
    struct world w;
    char heard[512];
    bool closed;
    open_world(&w, &(struct mqtt_server_options){.allow_anonymous = true,
                                                 .limits = {.connect_timeout_ms = 300, .max_packet = 1000}});
    for (size_t i = 0; i < sizeof offences / sizeof *offences; i++) {
        unit_case(offences[i].name);
        int fd = dial(&w);
        say(fd, offences[i].bytes, offences[i].n);
        Str got = listen_to(fd, heard, sizeof heard, 60 * NANOS_PER_S, &closed);
        CHECK(closed);
        CHECK_STR(got, str_n(offences[i].answer, offences[i].n_answer));
        net_close(fd);
    }
    unit_case("5.0 is told why");
    int fd = dial(&w);
    say(fd, CONNECT_5 "\x36\6\0\1a\0\1\0", sizeof CONNECT_5 - 1 + 8);
    Str got = listen_to(fd, heard, sizeof heard, 60 * NANOS_PER_S, &closed);
    CHECK(closed && str_find(got, STR("a PUBLISH has QoS 3")) > 0);
    net_close(fd);
    unit_case("a packet over the limit");
    fd = dial(&w);
    say(fd, CONNECT_5 "\x30\xff\x7f", sizeof CONNECT_5 - 1 + 3);
    got = listen_to(fd, heard, sizeof heard, 60 * NANOS_PER_S, &closed);
    CHECK(closed && str_find(got, STR("larger than the limit")) > 0);
    net_close(fd);
    unit_case("nobody says CONNECT");
    fd = dial(&w);
    say(fd, CONNECT_3, 5);
    got = listen_to(fd, heard, sizeof heard, 60 * NANOS_PER_S, &closed);
    CHECK(closed && got.len == 0);
    net_close(fd);
    unit_case("nothing is heard for one and a half keep-alives");
    fd = dial(&w);
    Nanos since = clock_monotonic();
    say(fd, CONNECT_3, sizeof CONNECT_3 - 1);
    got = listen_to(fd, heard, sizeof heard, 60 * NANOS_PER_S, &closed);
    Nanos took = clock_monotonic() - since;
    CHECK(closed && took >= 1500 * NANOS_PER_MS);
    net_close(fd);
    wait_for_connections(&w, 0);
    struct ingest_counters c;
    mqtt_server_counters(w.server, &c);
    CHECK_INT(c.mqtt_refused_timeout, 1);
    CHECK_INT(c.mqtt_refused_keep_alive, 1);
    CHECK(c.mqtt_refused_malformed >= 3);
    close_world(&w);
}

static void wills(void) {
    struct world w;
    struct ear ear;
    unit_case("a will");
    open_world(&w, &(struct mqtt_server_options){.allow_anonymous = true});
    CHECK_OK(connect_ear(&w, &ear, (struct wish){.id = "ear"}));
    CHECK_OK(mqtt_client_subscribe(ear.client, STR("w"), 1));
    char answer[8];
    bool closed;
    static const char with_will[] = "\x10\x15\0\4MQTT\4\x0e\0\x3c\0\1z\0\1w\0\3bye";
    int fd = dial(&w);
    say(fd, with_will, sizeof with_will - 1);
    CHECK_INT(listen_to(fd, answer, 4, NANOS_PER_S, &closed).len, 4);
    net_close(fd);
    CHECK_STR(hear(&ear, 1), STR("w=bye/1"));
    unit_case("no will after a goodbye");
    fd = dial(&w);
    say(fd, with_will, sizeof with_will - 1);
    CHECK_INT(listen_to(fd, answer, 4, NANOS_PER_S, &closed).len, 4);
    say(fd, "\xe0\0", 2);
    CHECK_INT(listen_to(fd, answer, 4, NANOS_PER_S, &closed).len, 0);
    CHECK(closed);
    net_close(fd);
    (void)mqtt_client_poll(ear.client, 100 * NANOS_PER_MS);
    CHECK_INT(ear.n, 1);
    close_ear(&ear);
    close_world(&w);
}

/* A packet that comes byte by byte, and many that come at once with the end of the last missing. */
static void pieces(void) {
    struct world w;
    char heard[4096];
    bool closed;
    unit_case("packets in pieces");
    open_world(&w, &(struct mqtt_server_options){.threads = 2});
    static const char connect[] = "\x10\x19\0\4MQTT\4\xc2\0\x3c\0\1p\0\2m1\0\6secret";
    int fd = dial(&w);
    for (size_t i = 0; i < sizeof connect - 1; i++) {
        say(fd, connect + i, 1);
        if (i % 8 == 0) clock_sleep(2 * NANOS_PER_MS);
    }
    CHECK_INT(listen_to(fd, heard, 4, NANOS_PER_S, &closed).len, 4);
    struct buf out = {0};
    for (uint16_t i = 1; i <= 900; i++) {
        char payload[200];
        int n = snprintf(payload, sizeof payload, "{\"ts\":%d,\"values\":{\"a\":%d,\"b\":%d.5}}", i, i, i);
        struct mqtt_publish p = {.qos = 1, .packet_id = i, .topic = TELEMETRY, .payload = str_n(payload, (size_t)n)};
        mqtt_write_publish(&out, MQTT_V3, &p, NULL, NULL, 0);
    }
    say(fd, out.ptr, out.len - 3);
    clock_sleep(50 * NANOS_PER_MS);
    say(fd, out.ptr + out.len - 3, 3);
    Str acks = listen_to(fd, heard, 3600, 60 * NANOS_PER_S, &closed);
    CHECK_INT(acks.len, 3600);
    bool ordered = true;
    for (size_t i = 0; i + 4 <= acks.len; i += 4)
        ordered &= memcmp(acks.ptr + i, (char[]){0x40, 2, (char)((i / 4 + 1) >> 8), (char)(i / 4 + 1)}, 4) == 0;
    CHECK(ordered);
    CHECK_INT(samples(&w), 1800);
    buf_fini(&out);
    net_close(fd);
    close_world(&w);
}

static void back_pressure(void) {
    struct world w;
    struct ear ear;
    unit_case("more than may be on the way is read later, not lost");
    open_world(&w, &(struct mqtt_server_options){.limits = {.connection_bytes = 2000, .thread_bytes = 4000}});
    struct mqtt_client_options options = {
        .address = w.at, .user = STR("m1"), .password = STR("secret"), .window = 1000, .on_ack = on_ack, .ctx = &ear};
    ear = (struct ear){0};
    CHECK_OK(mqtt_client_open(&options, &ear.client));
    for (int i = 0; i < 3000; i++) {
        char payload[100];
        int n = snprintf(payload, sizeof payload, "{\"ts\":%d,\"values\":{\"a\":%d}}", i, i);
        CHECK_OK(mqtt_client_publish(ear.client, TELEMETRY, str_n(payload, (size_t)n), 1, false));
    }
    CHECK_OK(mqtt_client_flush(ear.client));
    CHECK_INT(samples(&w), 3000);
    struct ingest_counters c;
    mqtt_server_counters(w.server, &c);
    CHECK(c.mqtt_paused > 0);
    close_ear(&ear);
    close_world(&w);
}

static void slow_subscriber(void) {
    struct world w;
    struct ear from, to;
    unit_case("a subscriber that does not read is ended, not waited for");
    open_world(&w, &(struct mqtt_server_options){.allow_anonymous = true,
                                                 .limits = {.queue_messages = 50, .output_bytes = 100000}});
    CHECK_OK(connect_ear(&w, &from, (struct wish){.id = "from"}));
    CHECK_OK(connect_ear(&w, &to, (struct wish){.id = "to"}));
    CHECK_OK(mqtt_client_subscribe(to.client, STR("t"), 1));
    char *big = malloc(100000);
    memset(big, 'x', 100000);
    for (int i = 0; i < 400; i++) CHECK_OK(mqtt_client_publish(from.client, STR("t"), str_n(big, 100000), 1, false));
    CHECK_OK(mqtt_client_flush(from.client));
    struct ingest_counters c;
    mqtt_server_counters(w.server, &c);
    CHECK_INT(c.mqtt_refused_slow, 1);
    CHECK(c.mqtt_dropped > 0);
    free(big);
    mqtt_client_abort(to.client);
    buf_fini(&to.heard);
    close_ear(&from);
    close_world(&w);
}

/* A disk that can be told to fail. */
static atomic_bool disk_fails;

static Err failing_sync(struct file *file, const char *site) {
    if (atomic_load(&disk_fails)) return err_make(ERR_IO, "the disk is full");
    return file_disk->ops->sync(file, site);
}

static void disk_failure(void) {
    struct world w;
    struct ear ear;
    char dir[300];
    unit_case("what cannot be kept is not acknowledged");
    struct file_ops ops = *file_disk->ops;
    ops.sync = failing_sync;
    struct file_system fs = {.ops = &ops, .state = file_disk->state};
    snprintf(dir, sizeof dir, "%s/mqtt-failing", unit_temp_dir());
    struct series_options series = {.dir = dir, .fs = &fs};
    CHECK_OK(series_open(&series, &w.series));
    struct mqtt_server_options options = {.address = "127.0.0.1:0", .series = w.series, .authenticate = authenticate};
    CHECK_OK(mqtt_server_start(&options, &w.server));
    snprintf(w.at, sizeof w.at, "%s", mqtt_server_address(w.server));
    CHECK_OK(connect_ear(&w, &ear, (struct wish){.id = "x", .user = "m1", .version_5 = true}));
    CHECK_OK(mqtt_client_publish(ear.client, TELEMETRY, STR("{\"ts\":1,\"values\":{\"a\":1}}"), 1, false));
    CHECK_OK(mqtt_client_flush(ear.client));
    atomic_store(&disk_fails, true);
    CHECK_OK(mqtt_client_publish(ear.client, TELEMETRY, STR("{\"ts\":2,\"values\":{\"a\":2}}"), 1, false));
    CHECK_ERR(mqtt_client_flush(ear.client), ERR_CLOSED);
    CHECK_INT(ear.acks, 1);
    struct ingest_counters c;
    mqtt_server_counters(w.server, &c);
    CHECK_INT(c.acknowledged, 1);
    CHECK_INT(c.failed_commits, 1);
    CHECK_INT(c.mqtt_refused_store, 1);
    mqtt_client_abort(ear.client);
    close_world(&w);
    atomic_store(&disk_fails, false);
}

static void bad_options(void) {
    struct world w;
    char dir[300];
    unit_case("options that cannot be");
    snprintf(dir, sizeof dir, "%s/mqtt-options", unit_temp_dir());
    struct series_options series = {.dir = dir};
    CHECK_OK(series_open(&series, &w.series));
    struct mqtt_server_options options = {.address = "nowhere", .series = w.series};
    CHECK_ERR(mqtt_server_start(&options, &w.server), ERR_INVALID);
    const char *deny[] = {"a/#/b"};
    options = (struct mqtt_server_options){
        .address = "127.0.0.1:0", .series = w.series, .deny_subscribe = deny, .n_deny_subscribe = 1};
    CHECK_ERR(mqtt_server_start(&options, &w.server), ERR_INVALID);
    unit_case("denied subscriptions");
    deny[0] = "no/#";
    options.allow_anonymous = true;
    CHECK_OK(mqtt_server_start(&options, &w.server));
    snprintf(w.at, sizeof w.at, "%s", mqtt_server_address(w.server));
    struct ear ear;
    CHECK_OK(connect_ear(&w, &ear, (struct wish){.id = "x"}));
    CHECK_ERR(mqtt_client_subscribe(ear.client, STR("no/thing"), 1), ERR_FORBIDDEN);
    CHECK_OK(mqtt_client_subscribe(ear.client, STR("yes"), 1));
    close_ear(&ear);
    close_world(&w);
}

void mqtt_server_test(void) {
    telemetry_is_kept(false);
    telemetry_is_kept(true);
    gateway();
    logins();
    commands();
    publish_and_subscribe();
    shared();
    sessions(false);
    sessions(true);
    bad_clients();
    wills();
    pieces();
    back_pressure();
    slow_subscriber();
    disk_failure();
    bad_options();
}
