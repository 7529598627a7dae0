/* weft demo: the whole server in this process, with a recorded fleet played into it over MQTT. */
#ifndef APP_CMD_DEMO_H
#define APP_CMD_DEMO_H

int cmd_demo(int argc, char **argv);

#endif
