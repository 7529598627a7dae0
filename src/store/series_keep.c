#include "store/series_keep.h"

#include <stdio.h>

#include "base/err.h"

const Nanos series_keep_windows[SERIES_KEEP_LEVELS] = {NANOS_PER_MIN, NANOS_PER_HOUR, NANOS_PER_DAY};
const char *const series_keep_names[SERIES_KEEP_LEVELS] = {"1m", "1h", "1d"};

struct unit {
    char letter;
    Nanos size;
};

static const struct unit units[] = {
    {'y', 365 * NANOS_PER_DAY}, {'w', 7 * NANOS_PER_DAY}, {'d', NANOS_PER_DAY}, {'h', NANOS_PER_HOUR}};
#define UNITS (sizeof units / sizeof *units)

Err series_keep_parse(Str text, Nanos *out) {
    int64_t n;
    text = str_trim(text);
    if (str_eq_c(text, "forever")) {
        *out = SERIES_KEEP_FOREVER;
        return err_none();
    }
    for (size_t i = 0; i < UNITS && text.len > 1; i++) {
        if (text.ptr[text.len - 1] != units[i].letter) continue;
        if (!str_to_i64(str_slice(text, 0, text.len - 1), &n) || n <= 0 || n > 100 * 365 * 24) break;
        if (n > SERIES_KEEP_FOREVER / units[i].size) break;
        *out = n * units[i].size;
        return err_none();
    }
    return err_make(ERR_INVALID, "'%.*s' is no time to keep something: write 36h, 90d, 8w, 5y or forever",
                    (int)(text.len < 40 ? text.len : 40), text.ptr);
}

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
