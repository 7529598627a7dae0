#ifndef APP_CMD_SQL_H
#define APP_CMD_SQL_H

#include "app/control.h"

int cmd_sql(int argc, char **argv); /* weft sql [--csv | --json] [--data DIR] "select …" */
extern const struct control_command cmd_sql_run;

#endif
