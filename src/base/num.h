/* Numbers as text. */
#ifndef BASE_NUM_H
#define BASE_NUM_H

#include "base/str.h"

#define NUM_TEXT_MAX 40
/* Shortest text that reads back to the same double ("0.1", "1e+300"; integers below 1e15 without exponent). NaN/Inf:
 * "null". */
Str num_format(double v, char out[NUM_TEXT_MAX]);
/* A decimal held as an integer at a scale: 1234 at scale 2 is "12.34". */
Str num_format_decimal(int64_t unscaled, unsigned scale, char out[NUM_TEXT_MAX]);
bool num_parse_decimal(Str text, unsigned scale,
                       int64_t *out); /* false: not a number, overflow, or more digits than scale */

#endif
