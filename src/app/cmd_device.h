/* weft device create: a thing, and the credentials with which it speaks MQTT. */
#ifndef APP_CMD_DEVICE_H
#define APP_CMD_DEVICE_H

#include "app/control.h"

extern const struct control_command cmd_device_create;

#endif
