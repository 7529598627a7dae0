#ifndef APP_CMD_QUERY_H
#define APP_CMD_QUERY_H

#include "app/control.h"

extern const struct control_command cmd_query_run;
int cmd_query(int argc, char **argv);

#endif
