#include "store/series_keep.h"

#include <stdio.h>

const Nanos series_keep_windows[SERIES_KEEP_LEVELS] = {NANOS_PER_MIN, NANOS_PER_HOUR, NANOS_PER_DAY};
const char *const series_keep_names[SERIES_KEEP_LEVELS] = {"1m", "1h", "1d"};

struct unit {
    char letter;
    Nanos size;
};

static const struct unit units[] = {
    {'y', 365 * NANOS_PER_DAY}, {'w', 7 * NANOS_PER_DAY}, {'d', NANOS_PER_DAY}, {'h', NANOS_PER_HOUR}};
#define UNITS (sizeof units / sizeof *units)

static size_t put_span(char *out, size_t room, Nanos span) {
    if (span == SERIES_KEEP_FOREVER || span == 0) return (size_t)snprintf(out, room, "forever");
    for (size_t i = 0; i < UNITS; i++)
        if (span % units[i].size == 0)
            return (size_t)snprintf(out, room, "%lld%c", (long long)(span / units[i].size), units[i].letter);
    return (size_t)snprintf(out, room, "%llds", (long long)(span / NANOS_PER_S));
}

const char *series_keep_text(const struct series_keep *keep, char out[SERIES_KEEP_TEXT_MAX]) {
    size_t n = (size_t)snprintf(out, SERIES_KEEP_TEXT_MAX, "raw ");
    n += put_span(out + n, SERIES_KEEP_TEXT_MAX - n, keep->raw);
    for (size_t i = 0; i < SERIES_KEEP_LEVELS; i++) {
        if (keep->rolled[i] == 0) continue;
        n += (size_t)snprintf(out + n, SERIES_KEEP_TEXT_MAX - n, ", %s ", series_keep_names[i]);
        n += put_span(out + n, SERIES_KEEP_TEXT_MAX - n, keep->rolled[i]);
    }
    return out;
}
