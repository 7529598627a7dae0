#include "base/log.h"

#include <stdatomic.h>
#include <stdio.h>
#include <time.h>

#include "base/buf.h"
#include "base/num.h"
#include "base/time.h"

/* Longer values are cut, so that a hostile name cannot fill the log. */
#define VALUE_MAX 1024

static const char *const level_names[] = {"debug", "info", "warn", "error"};
#define LEVELS (sizeof level_names / sizeof *level_names)

/* The one variable of the room: standard error is the process's own, and so is its level. */
static _Atomic int lowest_level = LOG_LEVEL_INFO;

void log_set_level(enum log_level lowest) { atomic_store_explicit(&lowest_level, lowest, memory_order_relaxed); }

bool log_level_parse(Str text, enum log_level *out) {
    for (size_t i = 0; i < LEVELS; i++)
        if (str_eq_c(text, level_names[i])) {
            *out = (enum log_level)i;
            return true;
        }
    return false;
}

static bool is_plain(Str s) {
    for (size_t i = 0; i < s.len; i++) {
        unsigned char c = (unsigned char)s.ptr[i];
        if (c <= ' ' || c == '"' || c == '=' || c == '\\' || c == 0x7f) return false;
    }
    return s.len > 0 && str_is_utf8(s);
}

static void add_escaped(struct buf *line, unsigned char c, bool utf8) {
    if (c == '"' || c == '\\')
        buf_byte(line, '\\'), buf_byte(line, c);
    else if (c == '\n')
        buf_c(line, "\\n");
    else if (c == '\r')
        buf_c(line, "\\r");
    else if (c == '\t')
        buf_c(line, "\\t");
    else if (c < ' ' || c == 0x7f || (c >= 0x80 && !utf8))
        buf_printf(line, "\\x%02x", c);
    else
        buf_byte(line, c);
}

static void add_text(struct buf *line, Str s) {
    bool cut = s.len > VALUE_MAX;
    if (cut) {
        size_t n = VALUE_MAX; /* not in the middle of a character */
        while (n > VALUE_MAX - 3 && ((unsigned char)s.ptr[n] & 0xC0) == 0x80) n--;
        s.len = n;
    }
    if (!cut && is_plain(s)) {
        buf_str(line, s);
        return;
    }
    bool utf8 = str_is_utf8(s);
    buf_byte(line, '"');
    for (size_t i = 0; i < s.len; i++) add_escaped(line, (unsigned char)s.ptr[i], utf8);
    if (cut) buf_c(line, "...");
    buf_byte(line, '"');
}

static void add_field(struct buf *line, const LogField *field) {
    char text[NUM_TEXT_MAX];
    buf_byte(line, ' ');
    buf_c(line, field->key);
    buf_byte(line, '=');
    switch (field->kind) {
    case LOG_FIELD_STR: add_text(line, field->s); break;
    case LOG_FIELD_INT: buf_printf(line, "%lld", (long long)field->i); break;
    case LOG_FIELD_NUM: buf_str(line, num_format(field->f, text)); break;
    }
}

static Nanos wall_clock_ms(void) {
    struct timespec now;
    timespec_get(&now, TIME_UTC);
    return (Nanos)now.tv_sec * NANOS_PER_S + now.tv_nsec / NANOS_PER_MS * NANOS_PER_MS;
}

void log_write(enum log_level level, const char *event, const LogField *fields) {
    if ((int)level < atomic_load_explicit(&lowest_level, memory_order_relaxed)) return;
    char when[TIME_TEXT_MAX];
    struct buf line = {0};
    buf_c(&line, "ts=");
    buf_str(&line, time_format(wall_clock_ms(), when));
    buf_printf(&line, " level=%s event=%s", level_names[level], event);
    for (; fields->key; fields++) add_field(&line, fields);
    buf_byte(&line, '\n');
    fwrite(line.ptr, 1, line.len, stderr); /* unbuffered and locked by the library: one write, never split */
    buf_fini(&line);
}
