#include "trust/tile_path.h"

#include <string.h>

/* Decimal, no leading zero, at most `max`. */
static bool small_number(Str s, unsigned max, unsigned *out) {
    int64_t v;
    if (s.len == 0 || s.len > 3 || (s.len > 1 && s.ptr[0] == '0') || s.ptr[0] == '-' || s.ptr[0] == '+' ||
        !str_to_i64(s, &v) || v > (int64_t)max)
        return false;
    *out = (unsigned)v;
    return true;
}

static bool three_digits(Str s, unsigned *out) {
    if (s.len != 3) return false;
    *out = 0;
    for (size_t i = 0; i < 3; i++) {
        if (s.ptr[i] < '0' || s.ptr[i] > '9') return false;
        *out = *out * 10 + (unsigned)(s.ptr[i] - '0');
    }
    return true;
}

/* "x001/x234/067": all but the last part begin with an x; the first is not x000. */
static bool parse_n(Str s, uint64_t *out) {
    Str part;
    *out = 0;
    for (bool more = true, first = true; more; first = false) {
        unsigned digits;
        more = str_cut(s, '/', &part, &s);
        if (more && !str_starts(part, STR("x"))) return false;
        if (!three_digits(more ? str_slice(part, 1, part.len) : part, &digits) || (more && first && digits == 0))
            return false;
        if (*out > (UINT64_MAX >> 8) / 1000) return false; /* its entries would not fit 64 bits */
        *out = *out * 1000 + digits;
    }
    return *out <= UINT64_MAX >> 8;
}

bool tile_path_parse(Str text, struct tile_path *out) {
    Str level, rest;
    *out = (struct tile_path){.width = TILE_PATH_WIDTH};
    if (!str_starts(text, STR("tile/")) || !str_cut(str_slice(text, 5, text.len), '/', &level, &rest)) return false;
    if (str_eq(level, STR("entries")))
        out->level = TILE_PATH_ENTRIES;
    else if (!small_number(level, 63, &out->level))
        return false;
    ptrdiff_t partial = str_find(rest, STR(".p/"));
    if (partial >= 0) {
        Str width = str_slice(rest, (size_t)partial + 3, rest.len);
        if (!small_number(width, TILE_PATH_WIDTH - 1, &out->width) || out->width == 0) return false;
        rest = str_slice(rest, 0, (size_t)partial);
    }
    return parse_n(rest, &out->n);
}

Str tile_path_text(const struct tile_path *t, struct arena *arena) {
    Str n = arena_printf(arena, "%03u", (unsigned)(t->n % 1000));
    for (uint64_t rest = t->n / 1000; rest > 0; rest /= 1000)
        n = arena_printf(arena, "x%03u/" STR_FMT, (unsigned)(rest % 1000), STR_ARG(n));
    Str level = t->level == TILE_PATH_ENTRIES ? STR("entries") : arena_printf(arena, "%u", t->level);
    if (t->width == TILE_PATH_WIDTH)
        return arena_printf(arena, "tile/" STR_FMT "/" STR_FMT, STR_ARG(level), STR_ARG(n));
    return arena_printf(arena, "tile/" STR_FMT "/" STR_FMT ".p/%u", STR_ARG(level), STR_ARG(n), t->width);
}
