/* Days are counted in eras of 400 years that begin on 1 March, so that the leap day is the last of its year. */
#include "base/time.h"

#include <stdio.h>

#define ERA_YEARS 400
#define ERA_DAYS 146097
#define EPOCH_DAY 719468 /* days from 0000-03-01 to 1970-01-01 */
#define YEAR_MIN 1678
#define YEAR_MAX 2261

static int64_t floor_div(int64_t a, int64_t b) { return a / b - (a % b < 0); }

static int64_t days_from_civil(int year, int month, int day) {
    int64_t y = month <= 2 ? (int64_t)year - 1 : year;
    int64_t era = floor_div(y, ERA_YEARS), of_era = y - era * ERA_YEARS;
    int64_t of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
    return era * ERA_DAYS + of_era * 365 + of_era / 4 - of_era / 100 + of_year - EPOCH_DAY;
}

static void civil_from_days(int64_t days, int *year, int *month, int *day) {
    days += EPOCH_DAY;
    int64_t era = floor_div(days, ERA_DAYS), d = days - era * ERA_DAYS;
    int64_t y = (d - d / 1460 + d / 36524 - d / 146096) / 365;
    int64_t of_year = d - (365 * y + y / 4 - y / 100);
    int64_t m = (5 * of_year + 2) / 153; /* 0 = March */
    *day = (int)(of_year - (153 * m + 2) / 5 + 1);
    *month = (int)(m < 10 ? m + 3 : m - 9);
    *year = (int)(era * ERA_YEARS + y + (*month <= 2));
}

void time_civil(Nanos t, int *year, int *month, int *day, int *hour, int *minute, int *second) {
    int64_t seconds = floor_div(t, NANOS_PER_S), days = floor_div(seconds, 86400);
    int rest = (int)(seconds - days * 86400);
    civil_from_days(days, year, month, day);
    *hour = rest / 3600, *minute = rest / 60 % 60, *second = rest % 60;
}

Nanos time_from_civil(int year, int month, int day, int hour, int minute, int second) {
    ASSERT(year >= YEAR_MIN && year <= YEAR_MAX);
    int64_t seconds = days_from_civil(year, month, day) * 86400 + hour * INT64_C(3600) + minute * INT64_C(60) + second;
    return seconds * NANOS_PER_S;
}

static char *put_digits(char *p, int v, int width) {
    for (int i = width - 1; i >= 0; i--, v /= 10) p[i] = (char)('0' + v % 10);
    return p + width;
}

Str time_format(Nanos t, char out[TIME_TEXT_MAX]) {
    int year, month, day, hour, minute, second;
    time_civil(t, &year, &month, &day, &hour, &minute, &second);
    int fraction = (int)(t % NANOS_PER_S);
    if (fraction < 0) fraction += (int)NANOS_PER_S;
    char *p = out;
    p = put_digits(p, year, 4), *p++ = '-';
    p = put_digits(p, month, 2), *p++ = '-';
    p = put_digits(p, day, 2), *p++ = 'T';
    p = put_digits(p, hour, 2), *p++ = ':';
    p = put_digits(p, minute, 2), *p++ = ':';
    p = put_digits(p, second, 2);
    if (fraction) {
        *p++ = '.';
        if (fraction % 1000000 == 0)
            p = put_digits(p, fraction / 1000000, 3);
        else if (fraction % 1000 == 0)
            p = put_digits(p, fraction / 1000, 6);
        else
            p = put_digits(p, fraction, 9);
    }
    *p++ = 'Z';
    *p = '\0';
    return (Str){out, (size_t)(p - out)};
}

/* Takes exactly width digits off the front of s. */
static bool take_number(Str *s, size_t width, int *out) {
    if (s->len < width) return false;
    int v = 0;
    for (size_t i = 0; i < width; i++) {
        if (s->ptr[i] < '0' || s->ptr[i] > '9') return false;
        v = v * 10 + (s->ptr[i] - '0');
    }
    *s = str_slice(*s, width, s->len);
    *out = v;
    return true;
}

static bool take_char(Str *s, const char *any) {
    for (; s->len && *any; any++)
        if (s->ptr[0] == *any) {
            *s = str_slice(*s, 1, s->len);
            return true;
        }
    return false;
}

static bool take_date(Str *s, int *year, int *month, int *day) {
    static const int lengths[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    if (!take_number(s, 4, year) || !take_char(s, "-") || !take_number(s, 2, month) || !take_char(s, "-") ||
        !take_number(s, 2, day))
        return false;
    if (*month < 1 || *month > 12) return false;
    bool leap = (*year % 4 == 0 && *year % 100 != 0) || *year % 400 == 0;
    return *day >= 1 && *day <= lengths[*month - 1] + (*month == 2 && leap);
}

/* ".123456789"; digits beyond the ninth are below a nanosecond and dropped. */
static bool take_fraction(Str *s, int *nanos) {
    int v = 0, digits = 0, digit;
    while (take_number(s, 1, &digit)) {
        if (digits < 9) v = v * 10 + digit;
        digits++;
    }
    if (!digits) return false;
    for (; digits < 9; digits++) v *= 10;
    *nanos = v;
    return true;
}

/* "06:00[:00[.5]]"; second 60 is a leap second and counts as the first of the next minute. */
static bool take_clock(Str *s, int *seconds, int *nanos) {
    int hour, minute, second = 0;
    if (!take_number(s, 2, &hour) || !take_char(s, ":") || !take_number(s, 2, &minute)) return false;
    if (take_char(s, ":")) {
        if (!take_number(s, 2, &second)) return false;
        if (take_char(s, ".") && !take_fraction(s, nanos)) return false;
    }
    *seconds = hour * 3600 + minute * 60 + second;
    return hour <= 23 && minute <= 59 && second <= 60;
}

/* "Z", "+08:00", or nothing, which is UTC. */
static bool take_offset(Str *s, int *seconds) {
    int hour, minute;
    *seconds = 0;
    if (s->len == 0 || take_char(s, "Zz")) return true;
    bool west = s->ptr[0] == '-';
    if (!take_char(s, "+-") || !take_number(s, 2, &hour) || !take_char(s, ":") || !take_number(s, 2, &minute))
        return false;
    *seconds = (hour * 3600 + minute * 60) * (west ? -1 : 1);
    return hour <= 23 && minute <= 59;
}

static Err parse_millis(Str text, int64_t ms, Nanos *out) {
    int64_t limit = INT64_MAX / NANOS_PER_MS;
    if (ms > limit || ms < -limit)
        return err_make(ERR_INVALID, "time '" STR_FMT "' is out of range: give milliseconds since 1970", STR_ARG(text));
    *out = ms * NANOS_PER_MS;
    return err_none();
}

Err time_parse(Str text, Nanos *out) {
    int64_t ms;
    if (str_to_i64(text, &ms)) return parse_millis(text, ms, out);
    Str s = text;
    int year, month, day, seconds = 0, nanos = 0, offset = 0;
    bool ok = take_date(&s, &year, &month, &day);
    if (ok && s.len) ok = take_char(&s, "Tt ") && take_clock(&s, &seconds, &nanos) && take_offset(&s, &offset);
    if (!ok || s.len)
        return err_make(ERR_INVALID, "not a time: '" STR_FMT "'; write it like 2015-01-01T06:00:00Z",
                        (int)(text.len < 64 ? text.len : 64), text.ptr);
    if (year < YEAR_MIN || year > YEAR_MAX)
        return err_make(ERR_INVALID, "year %d is out of range: times run from %d to %d", year, YEAR_MIN, YEAR_MAX);
    *out = (days_from_civil(year, month, day) * 86400 + seconds - offset) * NANOS_PER_S + nanos;
    return err_none();
}
