/* Numbers as text. */
#ifndef BASE_NUM_H
#define BASE_NUM_H

#include "base/str.h"

#define NUM_TEXT_MAX 40
/*
 * The shortest text that reads back as the same double: "0.1", "1e+300"; without exponent from 1e-6 to below 1e15.
 * NaN and infinities: "null".
 */
Str num_format(double v, char out[NUM_TEXT_MAX]);
/* A decimal held as an integer at a scale: 1234 at scale 2 is "12.34". */
Str num_format_decimal(int64_t unscaled, unsigned scale, char out[NUM_TEXT_MAX]);
/* false: not a number, beyond int64, or more decimals than scale */
bool num_parse_decimal(Str text, unsigned scale, int64_t *out);

#endif
