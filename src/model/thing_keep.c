#include "model/thing_keep.h"

const char *const thing_keep_words[] = {"raw", "1m", "1h", "1d", NULL};

Nanos *thing_keep_at(struct thing_keep *keep, size_t word) { return word == 0 ? &keep->raw : &keep->rolled[word - 1]; }

struct unit {
    char letter;
    Nanos size;
};

static const struct unit units[] = {
    {'y', 365 * NANOS_PER_DAY}, {'w', 7 * NANOS_PER_DAY}, {'d', NANOS_PER_DAY}, {'h', NANOS_PER_HOUR}};

Err thing_keep_span(Str text, Nanos *out) {
    int64_t n;
    text = str_trim(text);
    if (str_eq_c(text, "forever")) {
        *out = THING_KEEP_FOREVER;
        return err_none();
    }
    for (size_t i = 0; i < sizeof units / sizeof *units && text.len > 1; i++) {
        if (text.ptr[text.len - 1] != units[i].letter) continue;
        if (!str_to_i64(str_slice(text, 0, text.len - 1), &n) || n <= 0) break;
        if (n > THING_KEEP_FOREVER / units[i].size) break;
        *out = n * units[i].size;
        return err_none();
    }
    return err_make(ERR_INVALID, "'%.*s' is no time to keep something: write 36h, 90d, 8w, 5y or forever",
                    (int)(text.len < 40 ? text.len : 40), text.ptr);
}

static Err parse_part(Str part, bool first, struct thing_keep *out) {
    Str word, span;
    if (!str_cut(part, ' ', &word, &span) && first) return thing_keep_span(part, &out->raw);
    for (size_t i = 0; thing_keep_words[i]; i++)
        if (str_eq_c(word, thing_keep_words[i])) return thing_keep_span(span, thing_keep_at(out, i));
    return err_make(ERR_INVALID, "'%.*s' is kept nowhere: raw, 1m, 1h or 1d", (int)(word.len < 40 ? word.len : 40),
                    word.ptr);
}

Err thing_keep_parse(Str text, struct thing_keep *out) {
    Str part;
    *out = (struct thing_keep){0};
    for (bool first = true; str_trim(text).len; first = false) {
        str_cut(text, ',', &part, &text);
        TRY(parse_part(str_trim(part), first, out));
    }
    return err_none();
}

struct thing_keep thing_keep_over(struct thing_keep own, struct thing_keep other) {
    for (size_t i = 0; thing_keep_words[i]; i++)
        if (*thing_keep_at(&own, i) == 0) *thing_keep_at(&own, i) = *thing_keep_at(&other, i);
    return own;
}
