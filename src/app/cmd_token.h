/* weft token create: an API token for a user, who is made when absent. */
#ifndef APP_CMD_TOKEN_H
#define APP_CMD_TOKEN_H

#include "app/control.h"

extern const struct control_command cmd_token_create;

#endif
