/*
 * Parts of the program that are rarely needed and heavy (a database client, printing, HTTP out) stand in
 * lib/weft-NAME.so beside it and are opened at first use. Each exports one const table of functions, `weft_plugin`,
 * whose type the caller knows; sources in plugins/NAME/. A plugin carries its own copy of base/.
 */
#ifndef OS_PLUGIN_H
#define OS_PLUGIN_H

#include "base/err.h"

/* Opened once, never closed. ERR_NOT_FOUND says which library is missing and how to get it. Any thread. */
Err plugin_open(const char *name, const void **table);

#endif
