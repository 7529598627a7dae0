/* Str: a borrowed, length-counted piece of text or bytes. It owns nothing and need not end in NUL. */
#ifndef BASE_STR_H
#define BASE_STR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct Str {
    const char *ptr;
    size_t len;
} Str;

#define STR(literal) ((Str){(literal), sizeof(literal) - 1})
#define STR_INIT(literal)                                                                                              \
    { (literal), sizeof(literal) - 1 } /* in the initializer of a const table, where STR may not stand */
#define STR_FMT "%.*s"
#define STR_ARG(s) (int)(s).len, (s).ptr

Str str_c(const char *text); /* NULL gives the empty Str */
Str str_n(const char *ptr, size_t len);
bool str_eq(Str a, Str b);
bool str_eq_c(Str a, const char *b);
bool str_eq_nocase(Str a, Str b); /* ASCII only */
int str_cmp(Str a, Str b);        /* byte order, shorter first: <0, 0, >0 */
bool str_starts(Str s, Str prefix);
bool str_ends(Str s, Str suffix);
ptrdiff_t str_find(Str s, Str part);                 /* offset or -1 */
Str str_trim(Str s);                                 /* ASCII blanks at both ends */
Str str_slice(Str s, size_t from, size_t to);        /* clamped */
bool str_cut(Str s, char sep, Str *head, Str *tail); /* false: no sep, head = s, tail empty */
bool str_to_i64(Str s, int64_t *out);                /* whole string, decimal, no overflow */
bool str_to_f64(Str s, double *out);                 /* whole string, JSON number or nan/inf refused */
bool str_is_utf8(Str s);                             /* strict: no surrogates, no overlong forms */

#endif
