/* weft user add|password|roles|list and weft party add|list: people and parties, also beside a running server. */
#ifndef APP_CMD_USER_H
#define APP_CMD_USER_H

#include "app/control.h"

extern const struct control_command cmd_user_add, cmd_user_password, cmd_user_roles, cmd_user_list, cmd_user_party_add,
    cmd_user_party_list;
int cmd_user(int argc, char **argv);
int cmd_user_party(int argc, char **argv);

#endif
