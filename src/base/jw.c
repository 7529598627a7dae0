#include "base/jw.h"

#include "base/err.h"
#include "base/num.h"
#include "base/time.h"

void jw_init(struct jw *w, struct buf *out) { *w = (struct jw){.out = out}; }

/* Before any value: the comma that is due. The outermost level holds one value or lines of them, so none there. */
static void begin(struct jw *w) {
    if (w->after_key) {
        w->after_key = false;
        return;
    }
    if (w->depth && w->comma[w->depth]) buf_byte(w->out, ',');
    w->comma[w->depth] = true;
}

static void open_level(struct jw *w, uint8_t bracket) {
    begin(w);
    ASSERT(w->depth + 1 < JW_DEPTH_MAX);
    w->comma[++w->depth] = false;
    buf_byte(w->out, bracket);
}

static void close_level(struct jw *w, uint8_t bracket) {
    ASSERT(w->depth > 0 && !w->after_key);
    w->depth--;
    buf_byte(w->out, bracket);
}

void jw_object(struct jw *w) { open_level(w, '{'); }

void jw_object_end(struct jw *w) { close_level(w, '}'); }

void jw_array(struct jw *w) { open_level(w, '['); }

void jw_array_end(struct jw *w) { close_level(w, ']'); }

static void add_escape(struct buf *out, unsigned char c) {
    static const char letters[] = "\b\t\n\f\r\"\\", names[] = "btnfr\"\\";
    for (size_t i = 0; letters[i]; i++)
        if ((unsigned char)letters[i] == c) {
            buf_byte(out, '\\'), buf_byte(out, (uint8_t)names[i]);
            return;
        }
    buf_printf(out, "\\u%04x", c);
}

/* Bytes at the front of s that stand for themselves. */
static size_t plain_run(Str s) {
    size_t i = 0;
    while (i < s.len && (unsigned char)s.ptr[i] >= ' ' && (unsigned char)s.ptr[i] < 0x80 && s.ptr[i] != '"' &&
           s.ptr[i] != '\\')
        i++;
    return i;
}

/* Length of the character at the front of s, 0 when it is not UTF-8. */
static size_t wide_character(Str s) {
    for (size_t n = 2; n <= 4 && n <= s.len; n++)
        if (str_is_utf8(str_slice(s, 0, n))) return n;
    return 0;
}

static void add_string(struct buf *out, Str s) {
    buf_reserve(out, s.len + 2);
    buf_byte(out, '"');
    while (s.len) {
        size_t n = plain_run(s);
        if (n) {
            buf_add(out, s.ptr, n);
        } else if ((unsigned char)s.ptr[0] < 0x80) {
            add_escape(out, (unsigned char)s.ptr[0]);
            n = 1;
        } else if ((n = wide_character(s))) {
            buf_add(out, s.ptr, n);
        } else {
            buf_c(out, "\xEF\xBF\xBD");
            n = 1;
        }
        s = str_slice(s, n, s.len);
    }
    buf_byte(out, '"');
}

void jw_key_str(struct jw *w, Str key) {
    ASSERT(w->depth > 0 && !w->after_key);
    begin(w);
    add_string(w->out, key);
    buf_byte(w->out, ':');
    w->after_key = true;
}

void jw_key(struct jw *w, const char *key) { jw_key_str(w, str_c(key)); }

void jw_raw(struct jw *w, Str json) {
    begin(w);
    buf_str(w->out, json);
}

void jw_str(struct jw *w, Str v) {
    begin(w);
    add_string(w->out, v);
}

void jw_c(struct jw *w, const char *v) {
    if (v)
        jw_str(w, str_c(v));
    else
        jw_null(w);
}

void jw_int(struct jw *w, int64_t v) {
    char text[NUM_TEXT_MAX];
    jw_raw(w, num_format_decimal(v, 0, text));
}

void jw_num(struct jw *w, double v) {
    char text[NUM_TEXT_MAX];
    jw_raw(w, num_format(v, text));
}

void jw_bool(struct jw *w, bool v) { jw_raw(w, v ? STR("true") : STR("false")); }

void jw_null(struct jw *w) { jw_raw(w, STR("null")); }

void jw_time(struct jw *w, int64_t nanos) {
    char text[TIME_TEXT_MAX];
    jw_str(w, time_format(nanos, text));
}

void jw_kstr(struct jw *w, const char *key, Str v) {
    jw_key(w, key);
    jw_str(w, v);
}

void jw_kc(struct jw *w, const char *key, const char *v) {
    jw_key(w, key);
    jw_c(w, v);
}

void jw_kint(struct jw *w, const char *key, int64_t v) {
    jw_key(w, key);
    jw_int(w, v);
}

void jw_knum(struct jw *w, const char *key, double v) {
    jw_key(w, key);
    jw_num(w, v);
}

void jw_kbool(struct jw *w, const char *key, bool v) {
    jw_key(w, key);
    jw_bool(w, v);
}

void jw_ktime(struct jw *w, const char *key, int64_t nanos) {
    jw_key(w, key);
    jw_time(w, nanos);
}
