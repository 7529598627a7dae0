/* weft ledger status|witness: the ledger of this server, and its signature under those of others. */
#ifndef APP_CMD_LEDGER_H
#define APP_CMD_LEDGER_H

#include "app/control.h"

extern const struct control_command cmd_ledger_status, cmd_ledger_witness;
int cmd_ledger(int argc, char **argv);

#endif
