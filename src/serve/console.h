/* The console: its files as they are in the binary, and its first page for every other address of it. */
#ifndef SERVE_CONSOLE_H
#define SERVE_CONSOLE_H

#include "base/err.h"
#include "os/http.h"

/* GET or HEAD of an address that is no route. ERR_NOT_FOUND: no such file; ERR_METHOD: another method. Never waits. */
Err console_answer(const struct http_request *request, struct http_response *response);

#endif
