/* `weft compact series --data DIR`: telemetry rewritten in its smallest form, beside a running server or without one.
 */
#ifndef APP_CMD_COMPACT_H
#define APP_CMD_COMPACT_H

#include "app/control.h"

extern const struct control_command cmd_compact;

#endif
