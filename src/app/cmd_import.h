/* `weft import TYPE FILE` and `weft export TYPE`: tables in and out of a running server. */
#ifndef APP_CMD_IMPORT_H
#define APP_CMD_IMPORT_H

#include "app/control.h"

int cmd_import(int argc, char **argv);        /* argv[0] is "import" */
int cmd_import_export(int argc, char **argv); /* argv[0] is "export"; not `export series` */
/* What they ask of the server. */
extern const struct control_command cmd_import_table, cmd_import_out;

#endif
