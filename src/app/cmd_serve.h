/* weft serve: the server on a data folder, until SIGTERM. */
#ifndef APP_CMD_SERVE_H
#define APP_CMD_SERVE_H

int cmd_serve(int argc, char **argv);

#endif
