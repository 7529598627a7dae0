/* weft: one program, and this table is its command line. */
#include <stdio.h>
#include <string.h>

#include "app/cmd_demo.h"
#include "app/cmd_device.h"
#include "app/cmd_export.h"
#include "app/cmd_load.h"
#include "app/cmd_run.h"
#include "app/cmd_serve.h"
#include "app/cmd_token.h"
#include "app/version.h"
#include "os/process.h"

struct command {
    const char *name, *summary;
    int (*run)(int argc, char **argv);
    const struct control_command *control;
};

static const struct command commands[] = {
    {"serve", "run the server on a data folder", cmd_serve, NULL},
    {"demo", "run the server on a recorded fleet, replayed over MQTT", cmd_demo, NULL},
    {"token", "token create: an API token for a person or a program", NULL, &cmd_token_create},
    {"device", "device create: a thing and its MQTT credentials", NULL, &cmd_device_create},
    {"export", "export series: samples as CSV", NULL, &cmd_export_series},
    {"run", "run a kernel on files", cmd_run, NULL},
    {"load", "load mqtt: measure this or another MQTT server", cmd_load, NULL},
};

static int usage(FILE *to, int status) {
    fprintf(to, "weft %s, the industrial-internet platform in one program\n\nusage: weft COMMAND …\n\n", version_text);
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++)
        fprintf(to, "  %-8s %s\n", commands[i].name, commands[i].summary);
    fprintf(to, "\nweft COMMAND --help says more; weft --version names the version.\n");
    return status;
}

int main(int argc, char **argv) {
    process_signals_block();
    if (argc < 2) return usage(stderr, 2);
    if (strcmp(argv[1], "--version") == 0) return printf("weft %s\n", version_text) < 0;
    if (strcmp(argv[1], "--help") == 0) return usage(stdout, 0);
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++) {
        if (strcmp(argv[1], commands[i].name) != 0) continue;
        const struct command *c = &commands[i];
        return c->control ? control_main(c->control, argc - 1, argv + 1) : c->run(argc - 1, argv + 1);
    }
    fprintf(stderr, "weft: no command '%s'\n", argv[1]);
    return usage(stderr, 2);
}
