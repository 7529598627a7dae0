#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/load_fleet.h"
#include "base/jw.h"
#include "os/clock.h"
#include "os/process.h"
#include "os/thread.h"

static const char help[] =
    "usage: weft load fleet --to HOST:PORT --user U --password P [flags]\n\n"
    "A fleet of pump sets that report twenty metrics each, evenly, through gateway connections at QoS 1, as fast as "
    "the\n"
    "interval asks and no faster; what the server holds up comes later and counts as late.\n\n"
    "  --things N         (default 800000)\n"
    "  --every S          seconds between two reports of a thing (default 30)\n"
    "  --minutes M        how long (default 60); or --seconds S\n"
    "  --connections C    of gateways (default 100)\n"
    "  --window W         messages on the way on each connection (default 200)\n"
    "  --seed S           of the values (default 1)\n"
    "  --http HOST:PORT --token T   also measures when a reader of latest values sees what was sent\n"
    "  --acks FILE        keeps what was acknowledged, for 'weft load fleet-check'\n"
    "  --until-closed     that the server closes its connections is the end, not a fault\n\n"
    "The last line is one JSON object. Latencies and lag count from when a report was due.\n";

struct flag {
    const char *name;
    enum { TEXT, COUNT, SPAN, SWITCH } kind;
    size_t offset;
    double low, high; /* of a number; a span's in units */
    Nanos unit;
};
#define AT(field) offsetof(struct load_fleet_options, field)
static const struct flag flags[] = {
    {"--to", TEXT, AT(to), 0, 0, 0},
    {"--address", TEXT, AT(to), 0, 0, 0},
    {"--user", TEXT, AT(user), 0, 0, 0},
    {"--password", TEXT, AT(password), 0, 0, 0},
    {"--http", TEXT, AT(http), 0, 0, 0},
    {"--token", TEXT, AT(token), 0, 0, 0},
    {"--acks", TEXT, AT(acks), 0, 0, 0},
    {"--things", COUNT, AT(things), 1, 9999999, 0},
    {"--connections", COUNT, AT(connections), 1, 10000, 0},
    {"--window", COUNT, AT(window), 1, 60000, 0},
    {"--seed", COUNT, AT(seed), 0, 4294967295.0, 0},
    {"--every", SPAN, AT(every), 0.001, 86400, NANOS_PER_S},
    {"--minutes", SPAN, AT(duration), 0.001, 1e6, NANOS_PER_MIN},
    {"--seconds", SPAN, AT(duration), 0.001, 1e8, NANOS_PER_S},
    {"--until-closed", SWITCH, AT(until_closed), 0, 0, 0},
};
#undef AT

static Err set_flag(const struct flag *flag, const char *text, struct load_fleet_options *out) {
    void *at = (char *)out + flag->offset;
    double v = 0;
    if (flag->kind == SWITCH) return *(bool *)at = true, err_none();
    if (flag->kind == TEXT) return *(const char **)at = text, err_none();
    if (!str_to_f64(str_c(text), &v) || !(v >= flag->low && v <= flag->high))
        return err_make(ERR_INVALID, "%s is '%.50s': give a number from %g to %g", flag->name, text, flag->low,
                        flag->high);
    if (flag->kind == SPAN)
        *(Nanos *)at = (Nanos)(v * (double)flag->unit);
    else
        *(unsigned *)at = (unsigned)v;
    return err_none();
}

static Err parse(int argc, char **argv, struct load_fleet_options *out) {
    *out = (struct load_fleet_options){.things = 800000,
                                       .connections = 100,
                                       .window = 200,
                                       .seed = 1,
                                       .every = 30 * NANOS_PER_S,
                                       .duration = 60 * NANOS_PER_MIN};
    for (int i = 2; i < argc; i++) {
        const struct flag *flag = NULL;
        for (size_t k = 0; k < sizeof flags / sizeof *flags; k++)
            if (strcmp(flags[k].name, argv[i]) == 0) flag = &flags[k];
        if (!flag) return err_make(ERR_INVALID, "unknown flag '%.100s': 'weft load fleet --help' lists all", argv[i]);
        if (flag->kind != SWITCH && i + 1 == argc) return err_make(ERR_INVALID, "%s needs a value", flag->name);
        TRY(set_flag(flag, flag->kind == SWITCH ? "" : argv[++i], out));
    }
    if (!out->to) return err_make(ERR_INVALID, "--to is missing: give the server's HOST:PORT");
    if (out->connections > out->things) out->connections = out->things;
    return err_none();
}

static void put_times(struct jw *w, const char *name, const struct load_histogram *h) {
    static const struct {
        const char *name;
        double q;
    } rows[] = {{"p50", 0.5}, {"p99", 0.99}, {"max", 1}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char key[64];
        snprintf(key, sizeof key, "%s_%s_ms", name, rows[i].name);
        if (h->count)
            jw_knum(w, key, (double)load_histogram_quantile(h, rows[i].q) / (double)NANOS_PER_MS);
        else
            jw_key(w, key), jw_null(w);
    }
}

static void print_result(const struct load_fleet_options *o, const struct load_fleet_result *r) {
    struct buf line = {0};
    struct jw w;
    double seconds = r->seconds > 0 ? r->seconds : 1;
    jw_init(&w, &line);
    jw_object(&w);
    jw_kint(&w, "things", o->things);
    jw_kint(&w, "metrics", LOAD_FLEET_METRICS);
    jw_kint(&w, "connections", o->connections);
    jw_kint(&w, "payload_bytes", (int64_t)r->payload_bytes);
    jw_knum(&w, "seconds", (double)(int64_t)(r->seconds * 1000) / 1000);
    jw_kint(&w, "sent", (int64_t)r->sent);
    jw_kint(&w, "acknowledged", (int64_t)r->acknowledged);
    jw_kint(&w, "late", (int64_t)r->late);
    jw_kint(&w, "errors", (int64_t)r->errors);
    jw_kint(&w, "messages_per_s", (int64_t)((double)r->acknowledged / seconds));
    jw_kint(&w, "points_per_s", (int64_t)((double)r->acknowledged * LOAD_FLEET_METRICS / seconds));
    put_times(&w, "reply", &r->reply);
    jw_knum(&w, "longest_stall_ms", (double)r->stall / (double)NANOS_PER_MS);
    jw_kint(&w, "lag_probes", (int64_t)r->lag.count);
    put_times(&w, "lag", &r->lag);
    jw_knum(&w, "cpu_cores", (double)(int64_t)((double)r->cpu / (seconds * 1e6)) / 1000);
    jw_object_end(&w);
    printf(STR_FMT "\n", STR_ARG(buf_view(&line)));
    buf_fini(&line);
}

static Err measure(const struct load_fleet_options *o) {
    struct load_fleet_result *result = calloc(1, sizeof *result);
    atomic_uint_fast64_t counted = 0;
    ASSERT(result);
    process_raise_fd_limit();
    Err err = load_fleet_run(o, &counted, result);
    if (err.code == ERR_NONE) print_result(o, result);
    if (err.code == ERR_NONE && result->errors)
        err = err_make(ERR_IO, "%llu errors: connections were lost or answers did not come",
                       (unsigned long long)result->errors);
    free(result);
    return err;
}

int load_fleet_command_main(int argc, char **argv) {
    struct load_fleet_options options;
    if (argc < 3 || strcmp(argv[2], "--help") == 0) {
        fputs(help, argc < 3 ? stderr : stdout);
        return argc < 3 ? 2 : 0;
    }
    Err err = parse(argc, argv, &options);
    if (err.code == ERR_NONE) err = measure(&options);
    if (err.code == ERR_NONE) return 0;
    fprintf(stderr, "weft load fleet: %s\n", err.text);
    return err.code == ERR_INVALID ? 2 : 1;
}
