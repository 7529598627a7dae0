/* Writing JSON, streaming into a struct buf: jw_object(&w); jw_kint(&w, "n", 3); jw_object_end(&w); */
#ifndef BASE_JW_H
#define BASE_JW_H

#include "base/buf.h"

#define JW_DEPTH_MAX 64

/* Puts commas and colons itself; nesting errors are ASSERTs. Keys are C strings, values any Str. */
struct jw {
    struct buf *out;
    unsigned depth;
    bool comma[JW_DEPTH_MAX], after_key;
};

void jw_init(struct jw *w, struct buf *out);
void jw_object(struct jw *w);
void jw_object_end(struct jw *w);
void jw_array(struct jw *w);
void jw_array_end(struct jw *w);
void jw_key(struct jw *w, const char *key);
void jw_key_str(struct jw *w, Str key);
void jw_str(struct jw *w, Str v);       /* bytes that are not UTF-8 become U+FFFD */
void jw_c(struct jw *w, const char *v); /* NULL → null */
void jw_int(struct jw *w, int64_t v);
void jw_num(struct jw *w, double v); /* shortest round-trip; NaN and infinities → null */
void jw_bool(struct jw *w, bool v);
void jw_null(struct jw *w);
void jw_time(struct jw *w, int64_t nanos); /* RFC 3339 string */
void jw_raw(struct jw *w, Str json);       /* already JSON */
/* key and value in one call */
void jw_kstr(struct jw *w, const char *key, Str v);
void jw_kc(struct jw *w, const char *key, const char *v);
void jw_kint(struct jw *w, const char *key, int64_t v);
void jw_knum(struct jw *w, const char *key, double v);
void jw_kbool(struct jw *w, const char *key, bool v);
void jw_ktime(struct jw *w, const char *key, int64_t nanos);

#endif
