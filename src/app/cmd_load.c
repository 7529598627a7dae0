#include "app/cmd_load.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/load_fleet.h"
#include "app/load_mqtt.h"
#include "app/load_tsbs.h"
#include "base/jw.h"
#include "os/clock.h"
#include "os/process.h"
#include "os/thread.h"

static const char help[] =
    "usage: weft load mqtt --to HOST:PORT [flags]\n"
    "       weft load tsbs [flags]      writes a fleet's telemetry in line protocol: weft load tsbs --help\n"
    "       weft load fleet [flags]     a fleet that reports evenly, and what it costs: weft load fleet --help\n\n"
    "Publishes telemetry from many connections and measures how fast it is acknowledged.\n\n"
    "  --to HOST:PORT     the server\n"
    "  --things N         machines that report (default 100)\n"
    "  --metrics M        metrics in a message (default 10)\n"
    "  --connections C    TCP connections (default 100). Fewer than things: they share them and publish on\n"
    "                     v1/gateway/telemetry, which a device made with --gateway may do\n"
    "  --qos 0|1          QoS 1 measures until PUBACK (default 1)\n"
    "  --window W         QoS 1 messages on the way on each connection (default 20)\n"
    "  --seconds S        how long (default 10)\n"
    "  --size B           payload bytes; names of metrics are lengthened to reach it (default: as they come)\n"
    "  --user U --password P\n"
    "  --to-broker        publish on load/N/telemetry instead, for any MQTT broker\n"
    "  --threads T        threads of this program (default 1)\n\n"
    "The last line is one JSON object: to, things, metrics, connections, qos, window, payload_bytes, seconds, sent,\n"
    "acknowledged, errors, messages_per_s, points_per_s, latency_p50_ms, latency_p99_ms, latency_max_ms, "
    "cpu_us_per_message.\n"
    "With QoS 0 messages_per_s counts what the server had read when it answered a last ping; latencies are null.\n";

enum kind { TEXT, COUNT, SECONDS, SWITCH };

/* A flag, where its value goes, and the range of a number. */
static const struct flag {
    const char *name;
    enum kind kind;
    size_t offset;
    unsigned low, high;
} flags[] = {
#define AT(field) offsetof(struct load_mqtt_options, field)
    {"--to", TEXT, AT(to), 0, 0},
    {"--user", TEXT, AT(user), 0, 0},
    {"--password", TEXT, AT(password), 0, 0},
    {"--things", COUNT, AT(things), 1, 9999999},
    {"--metrics", COUNT, AT(metrics), 1, 1000},
    {"--connections", COUNT, AT(connections), 1, 100000},
    {"--qos", COUNT, AT(qos), 0, 1},
    {"--window", COUNT, AT(window), 1, 65535},
    {"--size", COUNT, AT(size), 0, 100000},
    {"--threads", COUNT, AT(threads), 1, 64},
    {"--seconds", SECONDS, AT(seconds), 0, 0},
    {"--to-broker", SWITCH, AT(to_broker), 0, 0},
#undef AT
};

static Err set_number(const struct flag *flag, const char *text, void *at) {
    int64_t v;
    if (!str_to_i64(str_c(text), &v) || v < flag->low || v > flag->high)
        return err_make(ERR_INVALID, "%s is '%.50s': give a number from %u to %u", flag->name, text, flag->low,
                        flag->high);
    *(unsigned *)at = (unsigned)v;
    return err_none();
}

static Err set_seconds(const char *text, void *at) {
    double v;
    if (!str_to_f64(str_c(text), &v) || !(v > 0 && v <= 86400))
        return err_make(ERR_INVALID, "--seconds is '%.50s': give a number above 0, at most 86400", text);
    *(double *)at = v;
    return err_none();
}

static Err set_flag(const struct flag *flag, const char *text, struct load_mqtt_options *out) {
    void *at = (char *)out + flag->offset;
    switch (flag->kind) {
    case SWITCH: *(bool *)at = true; return err_none();
    case COUNT: return set_number(flag, text, at);
    case SECONDS: return set_seconds(text, at);
    default: *(const char **)at = text; return err_none();
    }
}

static const struct flag *find_flag(const char *name) {
    for (size_t i = 0; i < sizeof flags / sizeof *flags; i++)
        if (strcmp(flags[i].name, name) == 0) return &flags[i];
    return NULL;
}

static Err parse(int argc, char **argv, struct load_mqtt_options *out) {
    *out = (struct load_mqtt_options){
        .things = 100, .metrics = 10, .connections = 100, .qos = 1, .window = 20, .threads = 1, .seconds = 10};
    for (int i = 2; i < argc; i++) {
        const struct flag *flag = find_flag(argv[i]);
        if (!flag) return err_make(ERR_INVALID, "unknown flag '%.100s': 'weft load --help' lists all", argv[i]);
        if (flag->kind != SWITCH && i + 1 == argc) return err_make(ERR_INVALID, "%s needs a value", flag->name);
        TRY(set_flag(flag, flag->kind == SWITCH ? "" : argv[++i], out));
    }
    if (!out->to) return err_make(ERR_INVALID, "--to is missing: give the server's HOST:PORT");
    return err_none();
}

/* ---- progress, on a terminal only */

struct progress {
    atomic_uint_fast64_t counted;
    atomic_bool over;
    double seconds;
};

static void show(void *ctx) {
    struct progress *p = ctx;
    uint64_t last = 0;
    for (unsigned tenths = 1; !atomic_load(&p->over); tenths++) {
        clock_sleep(NANOS_PER_S / 10);
        if (tenths % 10) continue;
        uint64_t now = atomic_load(&p->counted);
        fprintf(stderr, "\r%3u of %.0f s  %8llu messages/s ", tenths / 10, p->seconds,
                (unsigned long long)(now - last));
        last = now;
    }
    fprintf(stderr, "\r%60s\r", "");
}

static void print_result(const struct load_mqtt_options *o, const struct load_mqtt_result *r, Nanos cpu) {
    uint64_t done = o->qos ? r->acknowledged : r->sent;
    double rate = r->seconds > 0 ? (double)done / r->seconds : 0;
    const double ms = (double)NANOS_PER_MS;
    struct buf line = {0};
    struct jw w;
    jw_init(&w, &line);
    jw_object(&w);
    jw_kc(&w, "to", o->to);
    jw_kint(&w, "things", o->things);
    jw_kint(&w, "metrics", o->metrics);
    jw_kint(&w, "connections", o->connections);
    jw_kint(&w, "qos", o->qos);
    jw_kint(&w, "window", o->window);
    jw_kint(&w, "payload_bytes", (int64_t)r->payload_bytes);
    jw_knum(&w, "seconds", (double)(int64_t)(r->seconds * 1000) / 1000);
    jw_kint(&w, "sent", (int64_t)r->sent);
    jw_kint(&w, "acknowledged", (int64_t)r->acknowledged);
    jw_kint(&w, "errors", (int64_t)r->errors);
    jw_kint(&w, "messages_per_s", (int64_t)rate);
    jw_kint(&w, "points_per_s", (int64_t)(rate * o->metrics));
    const char *const names[] = {"latency_p50_ms", "latency_p99_ms", "latency_max_ms"};
    const double q[] = {0.5, 0.99, 1};
    for (size_t i = 0; i < 3; i++) {
        jw_key(&w, names[i]);
        if (o->qos)
            jw_num(&w, (double)load_histogram_quantile(&r->latency, q[i]) / ms);
        else
            jw_null(&w);
    }
    jw_knum(&w, "cpu_us_per_message", done ? (double)(cpu / 10) / 100 / (double)done : 0);
    jw_object_end(&w);
    printf(STR_FMT "\n", STR_ARG(buf_view(&line)));
    buf_fini(&line);
}

static Err measure(const struct load_mqtt_options *options) {
    struct load_mqtt_result result;
    struct progress progress = {.seconds = options->seconds};
    struct thread *shower = NULL;
    process_raise_fd_limit();
    if (process_is_terminal(2)) TRY(thread_start(&shower, "progress", show, &progress));
    Nanos cpu = process_cpu_time();
    Err err = load_mqtt_run(options, &progress.counted, &result);
    cpu = process_cpu_time() - cpu;
    atomic_store(&progress.over, true);
    if (shower) thread_join(shower);
    TRY(err);
    print_result(options, &result, cpu);
    if (result.errors)
        return err_make(ERR_IO, "%llu errors: connections were lost or answers did not fit",
                        (unsigned long long)result.errors);
    return err_none();
}

int cmd_load(int argc, char **argv) {
    if (argc > 1 && strcmp(argv[1], "fleet") == 0) return load_fleet_command_main(argc, argv);
    if (argc > 1 && strcmp(argv[1], "fleet-check") == 0) return load_fleet_check_main(argc, argv);
    bool tsbs = argc > 1 && strcmp(argv[1], "tsbs") == 0;
    if (tsbs && argc > 2 && strcmp(argv[2], "--help") == 0) {
        fputs(load_tsbs_help, stdout);
        return 0;
    }
    if (tsbs) return load_tsbs_main(argc, argv);
    if (argc < 2 || strcmp(argv[1], "--help") == 0 || (argc > 2 && strcmp(argv[2], "--help") == 0)) {
        fputs(help, argc < 2 ? stderr : stdout);
        return argc < 2 ? 2 : 0;
    }
    struct load_mqtt_options options;
    Err err = strcmp(argv[1], "mqtt") == 0
                  ? parse(argc, argv, &options)
                  : err_make(ERR_INVALID, "cannot load '%.50s': only mqtt, tsbs and fleet", argv[1]);
    if (err.code == ERR_NONE) err = measure(&options);
    if (err.code == ERR_NONE) return 0;
    fprintf(stderr, "weft load: %s\n", err.text);
    return err.code == ERR_INVALID ? 2 : 1;
}
