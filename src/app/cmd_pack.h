/* weft pack …: writing, checking and installing packs. */
#ifndef APP_CMD_PACK_H
#define APP_CMD_PACK_H

#include "app/control.h"

int cmd_pack(int argc, char **argv);
extern const struct control_command cmd_pack_install, cmd_pack_upgrade, cmd_pack_remove, cmd_pack_list;

#endif
