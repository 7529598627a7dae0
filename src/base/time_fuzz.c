/* A time that is read is written so that it reads back the same. */
#include "base/time.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    Nanos t, back;
    char text[TIME_TEXT_MAX];
    if (time_parse(str_n((const char *)data, size), &t).code) return 0;
    Str s = time_format(t, text);
    ASSERT(s.len < TIME_TEXT_MAX);
    if (time_parse(s, &back).code == ERR_NONE)
        ASSERT(back == t);
    else
        ASSERT(t < -9214560000 * NANOS_PER_S ||
               t >= 9214646400 * NANOS_PER_S); /* milliseconds outside the years read */
    return 0;
}
