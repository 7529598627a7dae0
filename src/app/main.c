/* weft: one program, and this table is its command line. */
#include <stdio.h>
#include <string.h>

#include "app/cmd_bench.h"
#include "app/cmd_compact.h"
#include "app/cmd_demo.h"
#include "app/cmd_device.h"
#include "app/cmd_doctor.h"
#include "app/cmd_export.h"
#include "app/cmd_import.h"
#include "app/cmd_key.h"
#include "app/cmd_ledger.h"
#include "app/cmd_load.h"
#include "app/cmd_pack.h"
#include "app/cmd_query.h"
#include "app/cmd_run.h"
#include "app/cmd_serve.h"
#include "app/cmd_sql.h"
#include "app/cmd_thing.h"
#include "app/cmd_token.h"
#include "app/cmd_user.h"
#include "app/cmd_verify.h"
#include "app/cmd_worker.h"
#include "app/version.h"
#include "os/process.h"

static int export(int argc, char **argv) {
    if (argc >= 2 && strcmp(argv[1], "series") == 0) return control_main(&cmd_export_series, argc, argv);
    return cmd_import_export(argc, argv);
}

struct command {
    const char *name, *summary;
    int (*run)(int argc, char **argv);
    const struct control_command *control;
};

static const struct command commands[] = {
    {"serve", "run the server on a data folder", cmd_serve, NULL},
    {"demo", "run the server on a recorded fleet, replayed over MQTT", cmd_demo, NULL},
    {"token", "token create: an API token for a person or a program", NULL, &cmd_token_create},
    {"user", "user add, password, roles, list: the people of a party", cmd_user, NULL},
    {"party", "party add, list: the parties of this server", cmd_user_party, NULL},
    {"device", "device create: a thing and its MQTT credentials", NULL, &cmd_device_create},
    {"thing", "thing import: many things at once, from a table", cmd_thing, NULL},
    {"import", "import TYPE FILE: a table, CSV or XLSX, becomes documents", cmd_import, NULL},
    {"export", "export TYPE: documents as a table; export series: samples as CSV", export, NULL},
    {"query", "query FILE.json: a question over series, answered as a table or CSV", cmd_query, NULL},
    {"sql", "one SELECT over documents, machines and series; .tables lists what there is", cmd_sql, NULL},
    {"compact", "compact series: telemetry in its smallest form, now", NULL, &cmd_compact},
    {"doctor", "look whether all that is kept is well, and mend what can be", cmd_doctor, NULL},
    {"key", "key rotate, rewrap, erase: what secrets are sealed with", cmd_key, NULL},
    {"ledger", "ledger status, witness: the ledger, and signing those of others", cmd_ledger, NULL},
    {"verify", "check offline what a receipt of a ledger proves", cmd_verify, NULL},
    {"pack", "pack new, check, install, upgrade, remove, list: industries as data", cmd_pack, NULL},
    {"worker", "worker print: what the server runs to print a document", cmd_worker, NULL},
    {"run", "run a kernel on files", cmd_run, NULL},
    {"bench", "bench codec: how small and how fast columns of numbers become", cmd_bench, NULL},
    {"load", "load mqtt, fleet, tsbs: measure this or another server", cmd_load, NULL},
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
