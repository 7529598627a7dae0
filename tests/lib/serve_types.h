/* Document types with fields of every kind and share class, for tests of sharing. acme is party 1, other party 2. */
#ifndef TESTS_LIB_SERVE_TYPES_H
#define TESTS_LIB_SERVE_TYPES_H

#include "model/doctype.h"

extern const struct doctype
    *const serve_types[]; /* "order", "customer", "memo" (for the staff alone), "basket" (with lines) */

#endif
