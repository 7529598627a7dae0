/*
 * Structured logs: one line of logfmt on standard error a call, never split between threads.
 *
 *     LOG_WARN("mqtt.refused", LOG_S("device", name), LOG_I("bytes", n));
 *     → ts=2026-01-02T03:04:05.678Z level=warn event=mqtt.refused device=truck-7 bytes=70000
 *
 * Event names are room.what; values that need it are quoted. Secrets never go into a log.
 */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include "base/str.h"

enum log_level { LOG_LEVEL_DEBUG, LOG_LEVEL_INFO, LOG_LEVEL_WARN, LOG_LEVEL_ERROR };

typedef struct LogField {
    const char *key;
    enum { LOG_FIELD_STR, LOG_FIELD_INT, LOG_FIELD_NUM } kind;
    Str s;
    int64_t i;
    double f;
} LogField;

#define LOG_S(k, v) ((LogField){.key = (k), .kind = LOG_FIELD_STR, .s = (v)})
#define LOG_C(k, v) ((LogField){.key = (k), .kind = LOG_FIELD_STR, .s = str_c(v)})
#define LOG_I(k, v) ((LogField){.key = (k), .kind = LOG_FIELD_INT, .i = (int64_t)(v)})
#define LOG_F(k, v) ((LogField){.key = (k), .kind = LOG_FIELD_NUM, .f = (v)})

#define LOG_AT(level, event, ...) log_write((level), (event), (LogField[]){__VA_ARGS__, {.key = NULL}})
#define LOG_DEBUG(event, ...) LOG_AT(LOG_LEVEL_DEBUG, event, __VA_ARGS__)
#define LOG_INFO(event, ...) LOG_AT(LOG_LEVEL_INFO, event, __VA_ARGS__)
#define LOG_WARN(event, ...) LOG_AT(LOG_LEVEL_WARN, event, __VA_ARGS__)
#define LOG_ERROR(event, ...) LOG_AT(LOG_LEVEL_ERROR, event, __VA_ARGS__)

void log_set_level(enum log_level lowest);                                       /* process-wide; default info */
bool log_level_parse(Str text, enum log_level *out);                             /* "debug" "info" "warn" "error" */
void log_write(enum log_level level, const char *event, const LogField *fields); /* ends at key NULL */

#endif
