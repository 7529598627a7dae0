/* Cells as people typed them. A spreadsheet keeps 15 significant digits, and its file 17 of them. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/time.h"
#include "xlsx.h"

static bool is_plain(Str text) {
    size_t digits = 0, i = text.len > 0 && text.ptr[0] == '-' ? 1 : 0;
    bool fraction = false;
    for (; i < text.len; i++) {
        if (text.ptr[i] == '.' && !fraction)
            fraction = true;
        else if (text.ptr[i] < '0' || text.ptr[i] > '9')
            return false;
        else
            digits++;
    }
    return digits <= 15 || !fraction;
}

/* "1.5E-05" without its exponent. */
static void add_plain(struct buf *out, const char *text) {
    int exponent = 0;
    const char *e = strchr(text, 'e');
    if (e) sscanf(e + 1, "%d", &exponent);
    char digits[40];
    int n = 0, point = 0;
    bool seen = false;
    for (const char *c = text + (*text == '-'); *c && c != e && n < 32; c++) {
        if (*c == '.')
            seen = true;
        else
            digits[n++] = *c, point += !seen;
    }
    point += exponent;
    if (*text == '-') buf_byte(out, '-');
    if (point <= 0) buf_c(out, "0.");
    for (int i = point; i < 0; i++) buf_byte(out, '0');
    for (int i = 0; i < n; i++) {
        if (i == point && i > 0) buf_byte(out, '.');
        buf_byte(out, (uint8_t)digits[i]);
    }
    for (int i = n; i < point; i++) buf_byte(out, '0');
}

Str xlsx_number(Str text, struct buf *out) {
    char short_text[40];
    double v;
    if (is_plain(text) || !str_to_f64(text, &v) || fabs(v) > 1e60 || (v != 0 && fabs(v) < 1e-60)) return text;
    snprintf(short_text, sizeof short_text, "%.15g", v);
    buf_clear(out);
    add_plain(out, short_text);
    return buf_view(out);
}

bool xlsx_moment(Str text, enum xlsx_style style, bool since_1904, struct buf *out) {
    double v;
    int year, month, day, hour, minute, second;
    if (!str_to_f64(text, &v) || v < 0) return false;
    if (since_1904) v += 1462;
    if (v < 61 && (v >= 1 || style != XLSX_TIME)) return false; /* before 1900-03-01, where the two calendars differ */
    int64_t ms = (int64_t)floor(v * 86400000.0 + 0.5), days = ms / 86400000 - 25569;
    if (days > 106000) return false; /* past 2260 */
    ms %= 86400000;
    time_civil((v < 1 ? 0 : days) * NANOS_PER_DAY + ms * NANOS_PER_MS, &year, &month, &day, &hour, &minute, &second);
    buf_clear(out);
    bool has_date = v >= 1, has_time = ms != 0 || !has_date;
    if (has_date) buf_printf(out, "%04d-%02d-%02d", year, month, day);
    if (has_date && has_time) buf_byte(out, 'T');
    if (has_time) buf_printf(out, "%02d:%02d:%02d", hour, minute, second);
    if (ms % 1000 != 0) buf_printf(out, ".%03d", (int)(ms % 1000));
    return true;
}
