/* `weft thing import FILE`: many things at once. */
#ifndef APP_CMD_THING_H
#define APP_CMD_THING_H

#include "app/control.h"

extern const struct control_command cmd_thing_import;
int cmd_thing(int argc, char **argv);

#endif
