/* Numbers as text: what is read is written so that it reads back, at every scale. */
#include "base/num.h"

#include "base/err.h"

static void check_decimal(Str text, unsigned scale) {
    int64_t v, back;
    char out[NUM_TEXT_MAX];
    if (!num_parse_decimal(text, scale, &v)) return;
    Str s = num_format_decimal(v, scale, out);
    ASSERT(s.len < NUM_TEXT_MAX && num_parse_decimal(s, scale, &back) && back == v);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    Str text = str_n((const char *)data, size);
    char out[NUM_TEXT_MAX];
    double v, back;
    int64_t i;
    if (str_to_f64(text, &v)) {
        Str s = num_format(v, out);
        ASSERT(s.len < NUM_TEXT_MAX && str_to_f64(s, &back) && back == v);
    }
    if (str_to_i64(text, &i)) check_decimal(num_format_decimal(i, 0, out), 0);
    for (unsigned scale = 0; scale <= 18; scale += 3) check_decimal(text, scale);
    return 0;
}
