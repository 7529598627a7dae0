/* weft key rotate|rewrap|erase: the keys that secrets are sealed with (trust/seal.h). */
#ifndef APP_CMD_KEY_H
#define APP_CMD_KEY_H

#include "app/control.h"

extern const struct control_command cmd_key_rotate, cmd_key_rewrap, cmd_key_erase;
int cmd_key(int argc, char **argv);

#endif
