/* weft verify: does a receipt prove what it says? Offline: needs no server and no data folder. */
#ifndef APP_CMD_VERIFY_H
#define APP_CMD_VERIFY_H

int cmd_verify(int argc, char **argv);

#endif
