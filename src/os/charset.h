/* Text of other encodings as UTF-8, by the C library's iconv. */
#ifndef OS_CHARSET_H
#define OS_CHARSET_H

#include "base/buf.h"
#include "base/err.h"

struct charset;
/* from: "GB18030", "UTF-16LE", "UTF-16BE". ERR_INVALID: the C library does not know it. */
Err charset_open(const char *from, struct charset **out);
void charset_close(struct charset *charset); /* NULL is fine */
/* Appends text as UTF-8. A character cut off at the end is left: *used says how far it came. ERR_INVALID: bytes at
 * *used that are no character. */
Err charset_convert(struct charset *charset, Str text, struct buf *out, size_t *used);

#endif
