#include "serve/sql_inner.h"

struct sql_table *sql_wide_make(struct sql_session *s, Str name, const struct lens *lens) {
    (void)s;
    (void)name;
    (void)lens;
    return NULL;
}
