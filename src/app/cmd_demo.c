#include "app/cmd_demo.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/demo_company.h"
#include "app/demo_progress.h"
#include "app/demo_replay.h"
#include "app/demo_report.h"
#include "base/log.h"
#include "os/file.h"
#include "os/net.h"
#include "os/process.h"

#define SPEED_DEFAULT 28800.0 /* one recorded day every 3 s */
#define PORTS_TRIED 50
#define RECORDING "packs/machinery/demo"

struct demo {
    struct settings settings;
    char recording_dir[4096];
    double speed;
    bool speed_given, until_idle;
    struct recording recording;
    struct demo_clock clock;
    struct flow *flow;
    struct demo_login logins[DEMO_COMPANY_LOGINS];
    struct demo_device *devices; /* [n_machines] */
    struct demo_replay replay;
    struct demo_progress progress;
    bool http_moved, mqtt_moved;
    Nanos started; /* monotonic */
    Nanos resumed; /* recorded time the run began at */
};

static int help(void) {
    printf("usage: weft demo [--data DIR] [--speed N] [--until-idle] [--recording DIR] [flags of weft serve]\n\n"
           "Runs the server on DIR (data/demo) and plays a recorded fleet into it over MQTT: telemetry, failures and\n"
           "repairs of 20 machines over 90 days, with a simulated crew. People, technicians, parts and positions are\n"
           "made up. Goes on serving afterwards until SIGTERM or Ctrl-C; started again, it goes on where it was.\n\n"
           "  --speed N      recorded seconds a second; 28800 (a day every 3 s) unless said; 0: as fast as it is kept\n"
           "  --until-idle   as fast as it is kept; when all is done, prints one JSON line and ends\n"
           "  --recording DIR  another recording; " RECORDING " unless said\n"
           "  --http, --mqtt HOST:PORT and the other flags of weft serve, see weft serve --help\n");
    return 0;
}

/* ---- the command line */
static Err take_flag(struct demo *d, int argc, char **argv, int at, int *used) {
    const char *flag = argv[at], *value = at + 1 < argc ? argv[at + 1] : NULL;
    *used = 2;
    if (strcmp(flag, "--until-idle") == 0) {
        d->until_idle = true;
        *used = 1;
        return err_none();
    }
    bool speed = strcmp(flag, "--speed") == 0, recording = strcmp(flag, "--recording") == 0;
    if ((speed || recording) && !value) return err_make(ERR_INVALID, "%s needs a value", flag);
    if (speed) {
        d->speed_given = true;
        if (str_to_f64(str_c(value), &d->speed) && d->speed >= 0) return err_none();
        return err_make(ERR_INVALID, "--speed '%.40s' is no number from 0 on: recorded seconds a second", value);
    }
    if (recording) {
        snprintf(d->recording_dir, sizeof d->recording_dir, "%s", value);
        return err_none();
    }
    TRY(settings_flag(&d->settings, argc, argv, at, used));
    if (*used == 0) return err_make(ERR_INVALID, "unknown flag '%.100s': 'weft demo --help' lists all", flag);
    return err_none();
}

static Err read_flags(struct demo *d, int argc, char **argv) {
    TRY(settings_parse(&d->settings, STR("[store]\ndata = data/demo\n[log]\nlevel = warn\n"), "the demo's defaults"));
    TRY(settings_environment(&d->settings));
    for (int i = 1, used; i < argc; i += used) TRY(take_flag(d, argc, argv, i, &used));
    if (!d->speed_given) d->speed = d->until_idle ? 0 : SPEED_DEFAULT;
    enum log_level level;
    if (!log_level_parse(settings_text(&d->settings, SETTING_log_level), &level))
        return err_make(ERR_INVALID, "log.level is '%s': debug, info, warn or error",
                        settings_c(&d->settings, SETTING_log_level));
    log_set_level(level);
    return err_none();
}

/* ---- where things are */
/* The recording lies in the working folder, or beside the program: build/release/weft, or an installed tree. */
static Err find_recording(struct demo *d) {
    static const char *const beside[] = {"../../" RECORDING, "../" RECORDING, "../share/weft/" RECORDING};
    if (d->recording_dir[0] || file_exists(file_disk, RECORDING "/machines.csv")) {
        if (!d->recording_dir[0]) snprintf(d->recording_dir, sizeof d->recording_dir, "%s", RECORDING);
        return err_none();
    }
    char *program = realpath("/proc/self/exe", NULL);
    if (program && strrchr(program, '/')) *strrchr(program, '/') = '\0';
    for (size_t i = 0; program && i < sizeof beside / sizeof *beside; i++) {
        char probe[4200];
        snprintf(probe, sizeof probe, "%.2000s/%s/machines.csv", program, beside[i]);
        if (!file_exists(file_disk, probe)) continue;
        snprintf(d->recording_dir, sizeof d->recording_dir, "%.2000s/%s", program, beside[i]);
        break;
    }
    free(program);
    if (d->recording_dir[0]) return err_none();
    return err_make(ERR_NOT_FOUND, "no recording at '%s': run this in Weft's folder, or name one with --recording DIR",
                    RECORDING);
}

/* Takes the next free port when the address is taken. */
static Err free_address(struct demo *d, enum setting setting, const char *flag, bool *moved) {
    Str address = settings_text(&d->settings, setting);
    const char *colon = strrchr(settings_c(&d->settings, setting), ':');
    int64_t port = 0;
    *moved = false;
    if (!colon || !str_to_i64(str_c(colon + 1), &port) || port == 0) return err_none();
    char text[NET_ADDRESS_MAX + 16];
    for (int i = 0; i < PORTS_TRIED && port + i < 65536; i++) {
        int fd, used;
        snprintf(text, sizeof text, "%.*s:%d", (int)(address.len - strlen(colon)), address.ptr, (int)port + i);
        Err err = net_listen(text, &fd);
        if (err.code == ERR_INVALID) return err;
        if (err.code != ERR_NONE) continue;
        net_close(fd);
        *moved = i > 0;
        char name[16], *words[] = {name, text};
        snprintf(name, sizeof name, "%s", flag);
        return settings_flag(&d->settings, 2, words, 0, &used);
    }
    return err_make(ERR_IO, "no free port from '" STR_FMT "' on: name another with %s", STR_ARG(address), flag);
}

/* ---- the run */
static bool read_replay(void *ctx, struct serve_replay_now *out) {
    struct demo *d = ctx;
    *out = (struct serve_replay_now){.from = d->recording.from,
                                     .to = d->recording.to,
                                     .at = clock_now(&d->clock.clock),
                                     .speed = d->speed,
                                     .done = atomic_load(&d->replay.done)};
    return true;
}

static void show_progress(void *ctx, const struct demo_replay *replay) {
    struct demo *d = ctx;
    demo_progress_at(&d->progress, atomic_load(&replay->at), (size_t)replay->rows_sent);
}

static Err prepare(struct demo *d) {
    const char *dir = settings_c(&d->settings, SETTING_store_data);
    TRY(find_recording(d));
    TRY(recording_open(d->recording_dir, &d->recording));
    if (d->recording.n_rows == 0) return err_make(ERR_INVALID, "the recording '%.100s' has no rows", d->recording_dir);
    TRY(free_address(d, SETTING_http_listen, "--http", &d->http_moved));
    TRY(free_address(d, SETTING_mqtt_listen, "--mqtt", &d->mqtt_moved));
    TRY(demo_replay_position(dir, &d->recording, &d->resumed));
    demo_clock_init(&d->clock, d->resumed, d->speed);
    struct flow_options options = {.settings = &d->settings,
                                   .clock = &d->clock.clock,
                                   .assume_party = DEMO_COMPANY_NAME,
                                   .replay = {.read = read_replay, .ctx = d}};
    TRY(flow_start(&options, &d->flow));
    d->devices = calloc(d->recording.n_machines, sizeof *d->devices);
    ASSERT(d->devices != NULL);
    TRY(demo_company_make(d->flow, &d->recording, d->logins, d->devices));
    TRY(demo_replay_history(d->flow, &d->recording));
    flow_drain(d->flow);
    return demo_replay_open(&d->replay, d->flow, &d->recording, &d->clock, d->devices);
}

static void greet(const struct demo *d) {
    char from[TIME_TEXT_MAX], to[TIME_TEXT_MAX];
    printf("Weft demo: %zu machines, recorded from %.10s to %.10s", d->recording.n_machines,
           time_format(d->recording.from, from).ptr, time_format(d->recording.to, to).ptr);
    if (d->speed > 0)
        printf(", one recorded day every %.3g s\n", 86400.0 / d->speed);
    else
        printf(", as fast as it is kept\n");
    printf("People, technicians, parts and positions are made up; the crew is simulated.\n\n");
    printf("  console     http://%s%s\n", flow_http_address(d->flow),
           d->http_moved ? "  (the usual port is taken)" : "");
    printf("  MQTT        %s%s\n", flow_mqtt_address(d->flow), d->mqtt_moved ? "  (the usual port is taken)" : "");
    printf("  data        %s\n", settings_c(&d->settings, SETTING_store_data));
    for (size_t i = 0; i < DEMO_COMPANY_LOGINS; i++)
        printf("  %s  user %-10s  password %s  (%s)\n", i ? "          " : "sign in   ", d->logins[i].user,
               d->logins[i].password, d->logins[i].what);
    if (d->resumed > d->recording.from)
        printf("\n  goes on at %.10s, where it stopped; passwords are new at each start\n",
               time_format(d->resumed, from).ptr);
    printf("\n");
    fflush(stdout);
}

static Err report(struct demo *d, struct demo_report *out) {
    flow_drain(d->flow);
    TRY(demo_report_read(d->flow, &d->recording, out));
    out->rows_sent = demo_replay_rows_until(&d->recording, d->resumed) + d->replay.rows_sent;
    out->seconds = (double)(clock_monotonic() - d->started) / (double)NANOS_PER_S;
    return err_none();
}

static Err play(struct demo *d) {
    bool stopped;
    struct demo_report result;
    demo_progress_init(&d->progress, d->until_idle ? stderr : stdout, d->recording.from, d->recording.to);
    TRY(demo_replay_run(&d->replay, show_progress, d, &stopped));
    demo_progress_end(&d->progress);
    demo_replay_close(&d->replay);
    if (stopped) return d->until_idle ? err_make(ERR_CLOSED, "stopped before the recording's end") : err_none();
    TRY(report(d, &result));
    if (d->until_idle) {
        demo_report_json(&result);
        return err_none();
    }
    printf("The recording has been played; its clock stands at its end. Still serving, until Ctrl-C.\n");
    demo_report_text(&result);
    process_signals_wait(-1);
    return err_none();
}

static void finish(struct demo *d) {
    demo_replay_close(&d->replay);
    flow_stop(d->flow);
    if (d->clock.clock.now) demo_clock_fini(&d->clock);
    free(d->devices);
    recording_close(&d->recording);
    settings_fini(&d->settings);
    free(d);
}

int cmd_demo(int argc, char **argv) {
    if (argc > 1 && strcmp(argv[1], "--help") == 0) return help();
    struct demo *d = calloc(1, sizeof *d);
    ASSERT(d != NULL);
    d->started = clock_monotonic();
    settings_init(&d->settings);
    Err err = read_flags(d, argc, argv);
    if (err.code == ERR_NONE) err = prepare(d);
    if (err.code == ERR_NONE && !d->until_idle) greet(d);
    if (err.code == ERR_NONE) err = play(d);
    finish(d);
    if (err.code == ERR_NONE) return 0;
    fprintf(stderr, "weft demo: %s\n", err.text);
    return err.code == ERR_INVALID ? 2 : 1;
}
