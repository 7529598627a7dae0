/* weft export series: samples as CSV `thing,time,metric,value`. */
#ifndef APP_CMD_EXPORT_H
#define APP_CMD_EXPORT_H

#include "app/control.h"

extern const struct control_command cmd_export_series;

#endif
