/*
 * Units of measure: UN/ECE Recommendation 20 common codes, with exact factors to the base unit of their quantity.
 * unit_convert is exact (rational arithmetic on the unscaled decimal); it refuses to lose digits.
 */
#ifndef MODEL_UNIT_H
#define MODEL_UNIT_H

#include "base/err.h"
#include "base/str.h"

struct unit {
    const char *code;   /* "KGM" */
    const char *symbol; /* "kg" */
    const char *title_en, *title_zh;
    const char *quantity;           /* "mass": only units of one quantity are converted into each other */
    int64_t num, den;               /* base = value × num / den */
    int64_t offset_num, offset_den; /* + offset (temperatures); 0/1 for the rest */
};
const struct unit *unit_find(Str code_or_symbol); /* or NULL */
const struct unit *unit_at(size_t i);             /* every unit, NULL behind the last */
/* value at `scale` in unit `from` → at the same scale in unit `to`. ERR_INVALID: other quantity, digits would be lost
 * (the message shows the scale that would do); ERR_LIMIT: too large. */
Err unit_convert(int64_t value, unsigned char scale, const struct unit *from, const struct unit *to, int64_t *out);

#endif
