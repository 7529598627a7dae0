#include "document/import_cell.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "base/num.h"

static bool wrong(struct import_fault *fault, const char *suggestion, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
static bool wrong(struct import_fault *fault, const char *suggestion, const char *fmt, ...) {
    va_list args;
    va_start(args, fmt);
    vsnprintf(fault->message, sizeof fault->message, fmt, args);
    va_end(args);
    snprintf(fault->suggestion, sizeof fault->suggestion, "%s", suggestion);
    return false;
}

/* ---- numbers */

/* "1,234.50" and "１２" are no numbers here, but what is meant is clear. */
static void without_commas(Str cell, char out[64]) {
    size_t n = 0;
    for (size_t i = 0; i < cell.len && n < 63; i++) {
        Str rest = str_slice(cell, i, cell.len);
        if (str_starts(rest, STR("\xEF\xBC")) && rest.len >= 3 && (unsigned char)rest.ptr[2] >= 0x90 &&
            (unsigned char)rest.ptr[2] <= 0x99) {
            out[n++] = (char)('0' + (unsigned char)rest.ptr[2] - 0x90);
            i += 2;
        } else if (cell.ptr[i] != ',' && cell.ptr[i] != ' ' && cell.ptr[i] != '\'') {
            out[n++] = cell.ptr[i];
        }
    }
    out[n] = '\0';
}

static bool take_int(const struct field *f, Str cell, struct jw *w, struct import_fault *fault) {
    char plain[64];
    int64_t i;
    (void)f;
    if (num_parse_decimal(cell, 0, &i)) {
        jw_int(w, i);
        return true;
    }
    without_commas(cell, plain);
    return wrong(fault, str_to_i64(str_c(plain), &i) ? plain : "", "a whole number belongs here");
}

static bool take_number(const struct field *f, Str cell, struct jw *w, struct import_fault *fault) {
    char plain[64];
    double v;
    (void)f;
    if (str_to_f64(cell, &v) && isfinite(v)) {
        jw_raw(w, cell);
        return true;
    }
    without_commas(cell, plain);
    return wrong(fault, str_to_f64(str_c(plain), &v) ? plain : "", "a number belongs here");
}

static bool take_decimal(const struct field *f, Str cell, struct jw *w, struct import_fault *fault) {
    char plain[64], shorter[NUM_TEXT_MAX + 1] = "";
    int64_t i;
    double v;
    if (num_parse_decimal(cell, f->scale, &i)) {
        char text[NUM_TEXT_MAX];
        jw_str(w, num_format_decimal(i, f->scale, text));
        return true;
    }
    without_commas(cell, plain);
    if (num_parse_decimal(str_c(plain), f->scale, &i))
        return wrong(fault, plain, "a decimal is written without blanks and commas");
    if (!str_to_f64(str_c(plain), &v)) return wrong(fault, "", "a decimal number belongs here, such as 12.50");
    if (fabs(v) < 1e12) snprintf(shorter, sizeof shorter, "%.*f", f->scale, v);
    return wrong(fault, shorter, "a decimal with at most %u digits behind the point belongs here", f->scale);
}

/* "12.50", "12.50 CNY", "CNY 12.50", "¥12.50" */
static bool take_money(const struct field *f, Str cell, Str currency, struct jw *w, struct import_fault *fault) {
    struct buf amount = {0};
    struct jw inner;
    if (str_starts(cell, STR("¥")) || str_starts(cell, STR("￥"))) {
        if (currency.len == 0) currency = STR("CNY");
        cell = str_trim(str_slice(cell, str_starts(cell, STR("¥")) ? 2 : 3, cell.len));
    }
    bool behind = cell.len > 4 && cell.ptr[cell.len - 4] == ' ', before = cell.len > 4 && cell.ptr[3] == ' ';
    if (behind || before) currency = behind ? str_slice(cell, cell.len - 3, cell.len) : str_slice(cell, 0, 3);
    if (behind) cell = str_trim(str_slice(cell, 0, cell.len - 4));
    if (before && !behind) cell = str_trim(str_slice(cell, 4, cell.len));
    if (currency.len == 0 && f->currency) currency = str_c(f->currency);
    if (currency.len == 0)
        return wrong(fault, "", "the currency is missing: write '12.50 CNY', or give '%s.currency' a column", f->name);
    jw_init(&inner, &amount);
    bool ok = take_decimal(f, cell, &inner, fault);
    if (ok) {
        jw_object(w);
        jw_key(w, "amount");
        jw_raw(w, buf_view(&amount));
        jw_kstr(w, "currency", currency);
        jw_object_end(w);
    }
    buf_fini(&amount);
    return ok;
}

/* ---- yes and no, choices */

static const struct {
    const char *word;
    bool yes;
} words[] = {{"true", true},   {"yes", true}, {"y", true},  {"1", true},  {"是", true},  {"真", true},  {"√", true},
             {"false", false}, {"no", false}, {"n", false}, {"0", false}, {"否", false}, {"假", false}, {"×", false}};

static bool take_bool(const struct field *f, Str cell, struct jw *w, struct import_fault *fault) {
    (void)f;
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        if (!str_eq_nocase(cell, str_c(words[i].word))) continue;
        jw_bool(w, words[i].yes);
        return true;
    }
    return wrong(fault, "", "true or false belongs here, or yes, no, 是, 否");
}

/* How many letters differ at the same place, and in length: enough to guess a typo. */
static size_t differs(Str a, Str b) {
    size_t n = a.len > b.len ? a.len - b.len : b.len - a.len;
    for (size_t i = 0; i < a.len && i < b.len; i++) n += (a.ptr[i] | 32) != (b.ptr[i] | 32);
    return n;
}

static bool take_choice(const struct field *f, Str cell, struct jw *w, struct import_fault *fault) {
    char all[120] = "";
    const char *near = "";
    size_t nearest = cell.len / 2 + 1;
    for (const struct choice *c = f->choices; c->name; c++) {
        const char *const names[] = {c->name, c->title_en, c->title_zh};
        for (int i = 0; i < 3; i++) {
            if (!names[i]) continue;
            if (str_eq_nocase(cell, str_c(names[i]))) {
                jw_c(w, c->name);
                return true;
            }
            size_t n = differs(cell, str_c(names[i]));
            if (n < nearest) nearest = n, near = c->name;
        }
        size_t len = strlen(all);
        if (len + strlen(c->name) + 3 < sizeof all)
            snprintf(all + len, sizeof all - len, "%s%s", len ? ", " : "", c->name);
    }
    return wrong(fault, near, "one of these belongs here: %s", all);
}

/* ---- dates */

/* A number of up to max digits; *at moves behind it. */
static bool take_digits(Str s, size_t *at, size_t max, int *out) {
    size_t from = *at;
    *out = 0;
    while (*at < s.len && *at - from < max && s.ptr[*at] >= '0' && s.ptr[*at] <= '9')
        *out = *out * 10 + (s.ptr[(*at)++] - '0');
    return *at > from;
}

/* One of the marks, "|" between them; *at moves behind it. */
static bool take_mark(Str s, size_t *at, const char *marks) {
    Str rest = str_c(marks), mark;
    while (rest.len > 0) {
        str_cut(rest, '|', &mark, &rest);
        if (!str_starts(str_slice(s, *at, s.len), mark)) continue;
        *at += mark.len;
        return true;
    }
    return false;
}

static bool is_day(int year, int month, int day) {
    static const int lengths[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return year >= 1678 && year <= 2261 && month >= 1 && month <= 12 && day >= 1 &&
           day <= lengths[month - 1] + (month == 2 && leap);
}

static bool take_clock(Str s, size_t at, char *out, size_t room) {
    int hour, minute, second = 0;
    if (!take_digits(s, &at, 2, &hour) || !take_mark(s, &at, ":|：|时|点") || !take_digits(s, &at, 2, &minute))
        return false;
    if (take_mark(s, &at, ":|：|分") && at < s.len && !take_digits(s, &at, 2, &second)) return false;
    take_mark(s, &at, "秒");
    size_t fraction = at;
    if (at < s.len && s.ptr[at] == '.')
        for (at++; at < s.len && s.ptr[at] >= '0' && s.ptr[at] <= '9';) at++;
    if (at != s.len || hour > 23 || minute > 59 || second > 59) return false;
    Str parts = str_slice(s, fraction, s.len > fraction + 10 ? fraction + 10 : s.len);
    snprintf(out, room, "T%02u:%02u:%02u" STR_FMT, (unsigned)hour % 24, (unsigned)minute % 60, (unsigned)second % 60,
             STR_ARG(parts));
    return true;
}

bool import_cell_moment(Str cell, bool *has_time, char out[32]) {
    int year, month, day;
    size_t at = 0;
    *has_time = false;
    if (!take_digits(cell, &at, 4, &year) || at != 4) return false;
    if (cell.len == 8 && take_digits(cell, &at, 2, &month)) { /* 20260308 */
        if (at != 6 || !take_digits(cell, &at, 2, &day)) return false;
    } else if (!take_mark(cell, &at, "-|/|.|年") || !take_digits(cell, &at, 2, &month) ||
               !take_mark(cell, &at, "-|/|.|月") || !take_digits(cell, &at, 2, &day)) {
        return false;
    }
    take_mark(cell, &at, "日|号");
    if (!is_day(year, month, day)) return false;
    snprintf(out, 32, "%04d-%02d-%02d", year, month, day);
    if (at == cell.len) return true;
    *has_time = true;
    if (!take_mark(cell, &at, "T| ")) return false;
    while (at < cell.len && cell.ptr[at] == ' ') at++;
    return take_clock(cell, at, out + 10, 22);
}

static bool take_date(const struct field *f, Str cell, struct jw *w, struct import_fault *fault) {
    char text[32];
    bool has_time;
    (void)f;
    if (!import_cell_moment(cell, &has_time, text)) return wrong(fault, "", "a date belongs here, such as 2026-03-08");
    bool midnight = has_time && strcmp(text + 10, "T00:00:00") == 0;
    text[10] = '\0';
    if (has_time && !midnight) return wrong(fault, text, "a date without a time belongs here");
    jw_c(w, text);
    return true;
}

static bool take_time(const struct field *f, Str cell, struct jw *w, struct import_fault *fault) {
    char text[32];
    bool has_time;
    Nanos t;
    (void)f;
    if (import_cell_moment(cell, &has_time, text)) {
        jw_c(w, text);
        return true;
    }
    bool zoned = cell.len > 10 && time_parse(cell, &t).code == ERR_NONE;
    if (!zoned) return wrong(fault, "", "a time belongs here, such as 2026-03-08 10:20 or 2026-03-08T10:20:00+08:00");
    jw_str(w, cell);
    return true;
}

/* ---- the rest */

static bool take_json(const struct field *f, Str cell, struct jw *w, struct import_fault *fault) {
    struct json *json = NULL;
    (void)f;
    Err err = json_parse(cell, &json);
    if (err.code != ERR_NONE) return wrong(fault, "", "JSON belongs here: %.120s", err.text);
    jw_raw(w, cell);
    json_free(json);
    return true;
}

static bool take_text(const struct field *f, Str cell, struct jw *w, struct import_fault *fault) {
    (void)f, (void)fault;
    /* a table of ours guards texts that look like formulas with an apostrophe */
    bool guarded = cell.len > 1 && cell.ptr[0] == '\'' && cell.ptr[1] && strchr("=+-@", cell.ptr[1]);
    jw_str(w, guarded ? str_slice(cell, 1, cell.len) : cell);
    return true;
}

bool import_cell_json(const struct field *f, Str cell, Str currency, struct jw *w, struct import_fault *fault) {
    *fault = (struct import_fault){0};
    switch (f->kind) {
    case FIELD_INT: return take_int(f, cell, w, fault);
    case FIELD_NUMBER: return take_number(f, cell, w, fault);
    case FIELD_DECIMAL: return take_decimal(f, cell, w, fault);
    case FIELD_MONEY: return take_money(f, cell, currency, w, fault);
    case FIELD_BOOL: return take_bool(f, cell, w, fault);
    case FIELD_CHOICE: return take_choice(f, cell, w, fault);
    case FIELD_DATE: return take_date(f, cell, w, fault);
    case FIELD_TIME: return take_time(f, cell, w, fault);
    case FIELD_JSON:
    case FIELD_GEOMETRY: return take_json(f, cell, w, fault);
    case FIELD_TEXT:
    case FIELD_THING:
    case FIELD_PARTY: return take_text(f, cell, w, fault);
    case FIELD_REF:
    case FIELD_FILE:
    case FIELD_LINES: break;
    }
    return wrong(fault, "", "a table cannot fill this field");
}
