/* `weft load mqtt`: a measuring client for this or another MQTT server. */
#ifndef APP_CMD_LOAD_H
#define APP_CMD_LOAD_H

int cmd_load(int argc, char **argv); /* argv[0] is "load"; returns the exit status */

#endif
