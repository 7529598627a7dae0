#include "insight/query_window.h"

#include "os/zone.h"

static const struct {
    const char *name;
    enum query_unit unit;
    Nanos n;
} units[] = {
    {"ns", QUERY_UNIT_SPAN, 1},
    {"us", QUERY_UNIT_SPAN, NANOS_PER_US},
    {"ms", QUERY_UNIT_SPAN, NANOS_PER_MS},
    {"s", QUERY_UNIT_SPAN, NANOS_PER_S},
    {"m", QUERY_UNIT_SPAN, NANOS_PER_MIN},
    {"min", QUERY_UNIT_SPAN, NANOS_PER_MIN},
    {"h", QUERY_UNIT_SPAN, NANOS_PER_HOUR},
    {"d", QUERY_UNIT_DAY, 1},
    {"w", QUERY_UNIT_WEEK, 1},
    {"mo", QUERY_UNIT_MONTH, 1},
    {"y", QUERY_UNIT_YEAR, 1},
};

static bool take_unit(Str *rest, int64_t n, struct query_window *out) {
    size_t end = 0;
    while (end < rest->len && rest->ptr[end] >= 'a' && rest->ptr[end] <= 'z') end++;
    Str name = str_slice(*rest, 0, end);
    *rest = str_slice(*rest, end, rest->len);
    for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
        if (!str_eq_c(name, units[i].name)) continue;
        if (out->n != 0 && (units[i].unit != QUERY_UNIT_SPAN || out->unit != QUERY_UNIT_SPAN)) return false;
        Nanos most = units[i].unit == QUERY_UNIT_SPAN ? 36600 * NANOS_PER_DAY / units[i].n : 36600;
        if (n > most) return false;
        out->unit = units[i].unit;
        out->n += n * units[i].n;
        return out->unit != QUERY_UNIT_SPAN || out->n <= 36600 * NANOS_PER_DAY;
    }
    return false;
}

Err query_window_parse(Str text, struct query_window *out) {
    Str rest = str_trim(text);
    bool ok = rest.len > 0 && rest.len < 40;
    *out = (struct query_window){0};
    while (ok && rest.len > 0) {
        int64_t n;
        size_t digits = 0;
        while (digits < rest.len && rest.ptr[digits] >= '0' && rest.ptr[digits] <= '9') digits++;
        ok = digits > 0 && str_to_i64(str_slice(rest, 0, digits), &n) && n > 0;
        rest = str_slice(rest, digits, rest.len);
        ok = ok && take_unit(&rest, n, out);
    }
    if (ok) return err_none();
    Str shown = str_slice(text, 0, 40);
    return err_make(ERR_INVALID,
                    "'" STR_FMT "' is no window: write a span such as 30s, 10m or 1h30m, or 1d, 1w, 1mo, 1y",
                    STR_ARG(shown));
}

/* ---- */

static int64_t floor_div(int64_t a, int64_t b) { return a / b - (a % b < 0); }

static Nanos local_of(const struct zone *zone, Nanos t) { return zone ? t + zone_offset(zone, t) * NANOS_PER_S : t; }
static Nanos moment_of(const struct zone *zone, Nanos local) { return zone ? zone_moment(zone, local) : local; }

/* Midnights, as if UTC. */
static void days_around(int64_t n, int64_t phase, Nanos local, Nanos *from, Nanos *to) {
    int64_t day = floor_div(local, NANOS_PER_DAY) - phase, first = floor_div(day, n) * n + phase;
    *from = first * NANOS_PER_DAY;
    *to = *from + n * NANOS_PER_DAY;
}
static Nanos month_begins(int64_t month) { /* months since the year 0 */
    return time_from_civil((int)floor_div(month, 12), (int)(month - floor_div(month, 12) * 12) + 1, 1, 0, 0, 0);
}
static void months_around(int64_t n, Nanos local, Nanos *from, Nanos *to) {
    int year, month, day, h, m, s;
    time_civil(local, &year, &month, &day, &h, &m, &s);
    int64_t epoch = INT64_C(1970) * 12, at = (int64_t)year * 12 + month - 1 - epoch;
    int64_t first = floor_div(at, n) * n + epoch;
    *from = month_begins(first);
    *to = month_begins(first + n);
}

static void span_at(Nanos n, const struct zone *zone, Nanos t, Nanos *from, Nanos *to) {
    bool of_hour = NANOS_PER_HOUR % n == 0, of_day = NANOS_PER_DAY % n == 0;
    if (zone && of_day && !of_hour) {
        Nanos local = floor_div(local_of(zone, t), n) * n;
        *from = moment_of(zone, local);
        *to = moment_of(zone, local + n);
        return;
    }
    Nanos shift = zone && of_hour ? zone_offset(zone, t) * NANOS_PER_S % n : 0;
    *from = floor_div(t + shift, n) * n - shift;
    *to = *from + n;
}

void query_window_at(const struct query_window *window, const struct zone *zone, Nanos t, Nanos *from, Nanos *to) {
    Nanos local = window->unit == QUERY_UNIT_SPAN ? 0 : local_of(zone, t);
    switch (window->unit) {
    case QUERY_UNIT_SPAN: span_at(window->n, zone, t, from, to); return;
    case QUERY_UNIT_DAY: days_around(window->n, 0, local, from, to); break;
    case QUERY_UNIT_WEEK: days_around(window->n * 7, 4, local, from, to); break; /* 1970-01-05 was a Monday */
    case QUERY_UNIT_MONTH: months_around(window->n, local, from, to); break;
    case QUERY_UNIT_YEAR: months_around(window->n * 12, local, from, to); break;
    }
    *from = moment_of(zone, *from);
    *to = moment_of(zone, *to);
}

bool query_window_even(const struct query_window *window, const struct zone *zone, Nanos from, Nanos to, Nanos *length,
                       Nanos *origin) {
    if (window->unit == QUERY_UNIT_MONTH || window->unit == QUERY_UNIT_YEAR) return false;
    if (zone && !zone_steady(zone, from - 8 * NANOS_PER_DAY, to + 8 * NANOS_PER_DAY)) return false;
    Nanos end;
    query_window_at(window, zone, from, origin, &end);
    *length = end - *origin;
    return true;
}
