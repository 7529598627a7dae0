#include "app/cmd_serve.h"

#include <stdio.h>
#include <string.h>

#include "app/flow.h"
#include "base/jw.h"
#include "base/log.h"
#include "os/process.h"

static int help(void) {
    printf("usage: weft serve [--settings FILE] [flags]\n\n"
           "Runs until SIGTERM. When ready it prints one JSON line with the addresses; logs go to standard error.\n\n"
           "  --settings FILE\n      an INI file of the settings below\n");
    settings_help();
    return 0;
}

/* The file comes before the environment and the flags, wherever it stands among them. */
static Err read_settings(struct settings *settings, int argc, char **argv) {
    for (int i = 1; i < argc; i++)
        if (strcmp(argv[i], "--settings") == 0) {
            if (i + 1 >= argc) return err_make(ERR_INVALID, "--settings needs a value: the path of an INI file");
            TRY(settings_load(settings, argv[i + 1]));
        }
    TRY(settings_environment(settings));
    for (int i = 1, used; i < argc; i += used) {
        if (strcmp(argv[i], "--settings") == 0) {
            used = 2;
            continue;
        }
        TRY(settings_flag(settings, argc, argv, i, &used));
        if (used == 0) return err_make(ERR_INVALID, "unknown flag '%.100s': 'weft serve --help' lists all", argv[i]);
    }
    return err_none();
}

static void print_ready(const struct flow *flow) {
    struct buf line = {0};
    struct jw w;
    jw_init(&w, &line);
    jw_object(&w);
    jw_kbool(&w, "ready", true);
    jw_kc(&w, "http", flow_http_address(flow));
    jw_kc(&w, "mqtt", flow_mqtt_address(flow));
    jw_object_end(&w);
    printf(STR_FMT "\n", STR_ARG(buf_view(&line)));
    fflush(stdout);
    buf_fini(&line);
}

static Err serve_until_stopped(const struct settings *settings) {
    enum log_level level;
    if (!log_level_parse(settings_text(settings, SETTING_log_level), &level))
        return err_make(ERR_INVALID, "log.level is '%s': debug, info, warn or error",
                        settings_c(settings, SETTING_log_level));
    log_set_level(level);
    process_raise_fd_limit();
    struct flow *flow;
    TRY(flow_start(&(struct flow_options){.settings = settings}, &flow));
    print_ready(flow);
    process_signals_wait(-1);
    LOG_INFO("serve.stopping", LOG_C("reason", "signal"));
    flow_stop(flow);
    return err_none();
}

int cmd_serve(int argc, char **argv) {
    if (argc > 1 && strcmp(argv[1], "--help") == 0) return help();
    struct settings settings;
    settings_init(&settings);
    Err err = read_settings(&settings, argc, argv);
    if (err.code == ERR_NONE) err = serve_until_stopped(&settings);
    settings_fini(&settings);
    if (err.code == ERR_NONE) return 0;
    fprintf(stderr, "weft serve: %s\n", err.text);
    return err.code == ERR_INVALID ? 2 : 1;
}
