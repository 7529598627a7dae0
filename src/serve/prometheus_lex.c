#include "serve/prometheus_lex.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"

/* Longest first: "==" before "=". */
static const char *const signs[] = {"==", "!=", "<=", ">=", "=~", "!~", "(", ")", "{", "}", "[", "]",
                                    ",",  ":",  "=",  "<",  ">",  "+",  "-", "*", "/", "%", "^", "@"};

static const struct {
    const char *name;
    double seconds;
} units[] = {{"ms", 0.001}, {"s", 1}, {"m", 60}, {"h", 3600}, {"d", 86400}, {"w", 7 * 86400.0}, {"y", 365 * 86400.0}};

static bool is_digit(char c) { return c >= '0' && c <= '9'; }
static bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
static bool is_hex(char c) { return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); }

size_t prometheus_lex_position(Str query, size_t place) {
    size_t n = 1;
    for (size_t i = 0; i < place && i < query.len; i++) n += ((unsigned char)query.ptr[i] & 0xc0) != 0x80;
    return n;
}

static char peek(const struct prometheus_lex *lex, size_t ahead) {
    return lex->at + ahead < lex->query.len ? lex->query.ptr[lex->at + ahead] : '\0';
}

static Err wrong(const struct prometheus_lex *lex, size_t place, const char *what) {
    return err_make(ERR_INVALID, "position %zu: %s", prometheus_lex_position(lex->query, place), what);
}

static void skip_blanks(struct prometheus_lex *lex) {
    for (;;) {
        char c = peek(lex, 0);
        if (lex->at < lex->query.len && (c == ' ' || c == '\t' || c == '\n' || c == '\r')) {
            lex->at++;
        } else if (c == '#') {
            while (lex->at < lex->query.len && peek(lex, 0) != '\n') lex->at++;
        } else {
            return;
        }
    }
}

bool prometheus_lex_duration(Str text, double *seconds) {
    size_t at = 0;
    double sum = 0;
    while (at < text.len) {
        size_t begin = at, unit;
        while (at < text.len && is_digit(text.ptr[at])) at++;
        int64_t n;
        if (at - begin > 15 || !str_to_i64(str_slice(text, begin, at), &n)) return false;
        begin = at;
        while (at < text.len && is_letter(text.ptr[at])) at++;
        for (unit = 0; unit < sizeof units / sizeof *units; unit++)
            if (str_eq_c(str_slice(text, begin, at), units[unit].name)) break;
        if (unit == sizeof units / sizeof *units) return false;
        sum += (double)n * units[unit].seconds;
    }
    *seconds = sum;
    return text.len > 0;
}

/* Digits, and what may follow them: a fraction and an exponent, or the units of a duration. */
static Err read_number(struct prometheus_lex *lex, struct prometheus_lex_word *out) {
    size_t begin = lex->at;
    bool hex = peek(lex, 0) == '0' && (peek(lex, 1) == 'x' || peek(lex, 1) == 'X') && is_hex(peek(lex, 2));
    if (hex) lex->at += 2;
    for (char c; (c = peek(lex, 0)) != '\0';) {
        char before = lex->at > begin ? lex->query.ptr[lex->at - 1] : '\0';
        bool sign = !hex && (c == '+' || c == '-') && (before == 'e' || before == 'E') && is_digit(peek(lex, 1));
        if (!is_digit(c) && !is_letter(c) && c != '.' && !sign) break;
        lex->at++;
    }
    Str text = str_slice(lex->query, begin, lex->at);
    char copy[64], *end;
    out->kind = PROMETHEUS_LEX_NUMBER;
    if (text.len < sizeof copy) {
        memcpy(copy, text.ptr, text.len);
        copy[text.len] = '\0';
        out->number = strtod(copy, &end);
        if (*end == '\0' && !(hex && strpbrk(copy, "pP."))) return err_none();
        out->kind = PROMETHEUS_LEX_DURATION;
        if (prometheus_lex_duration(text, &out->number)) return err_none();
    }
    return wrong(lex, begin, "this is neither a number nor a span such as 5m or 1h30m");
}

static void add_rune(struct buf *out, unsigned rune) {
    if (rune < 0x80) {
        buf_byte(out, (uint8_t)rune);
    } else if (rune < 0x800) {
        buf_byte(out, (uint8_t)(0xc0 | rune >> 6));
        buf_byte(out, (uint8_t)(0x80 | (rune & 0x3f)));
    } else {
        if (rune < 0x10000) {
            buf_byte(out, (uint8_t)(0xe0 | rune >> 12));
        } else {
            buf_byte(out, (uint8_t)(0xf0 | rune >> 18));
            buf_byte(out, (uint8_t)(0x80 | (rune >> 12 & 0x3f)));
        }
        buf_byte(out, (uint8_t)(0x80 | (rune >> 6 & 0x3f)));
        buf_byte(out, (uint8_t)(0x80 | (rune & 0x3f)));
    }
}

/* \xHH, \uHHHH and \UHHHHHHHH; at stands behind the letter. */
static bool read_code(struct prometheus_lex *lex, size_t digits, bool byte, struct buf *out) {
    char copy[9] = {0};
    for (size_t i = 0; i < digits; i++) {
        copy[i] = peek(lex, i);
        if (!is_hex(copy[i])) return false;
    }
    lex->at += digits;
    unsigned long rune = strtoul(copy, NULL, 16);
    if (rune == 0 || rune > 0x10ffff || (rune >= 0xd800 && rune < 0xe000)) return false;
    if (byte)
        buf_byte(out, (uint8_t)rune);
    else
        add_rune(out, (unsigned)rune);
    return true;
}

static bool read_escape(struct prometheus_lex *lex, char quote, struct buf *out) {
    static const char from[] = "abfnrtv\\", to[] = "\a\b\f\n\r\t\v\\";
    char c = peek(lex, 0);
    const char *known = c ? strchr(from, c) : NULL;
    if (c == '\0') return false;
    lex->at++;
    if (c == 'x') return read_code(lex, 2, true, out);
    if (c == 'u') return read_code(lex, 4, false, out);
    if (c == 'U') return read_code(lex, 8, false, out);
    if (!known && c != quote) return false;
    buf_byte(out, (uint8_t)(known ? to[known - from] : quote));
    return true;
}

static Err read_string(struct prometheus_lex *lex, struct prometheus_lex_word *out) {
    size_t begin = lex->at;
    char quote = peek(lex, 0);
    struct buf text = {0};
    bool good = true;
    for (lex->at++; good && lex->at < lex->query.len && peek(lex, 0) != quote;) {
        char c = lex->query.ptr[lex->at++];
        if (c == '\0' || (c == '\n' && quote != '`'))
            good = false;
        else if (c == '\\' && quote != '`')
            good = read_escape(lex, quote, &text);
        else
            buf_byte(&text, (uint8_t)c);
    }
    size_t place = lex->at;
    bool closed = good && lex->at < lex->query.len;
    if (closed) lex->at++;
    out->kind = PROMETHEUS_LEX_STRING;
    out->text = arena_str(lex->arena, buf_view(&text));
    buf_fini(&text);
    if (!good) return wrong(lex, place, "this escape or line end cannot stand in a quoted text: use `…` or \\\\");
    if (!closed) return wrong(lex, begin, "the quote is not closed");
    return str_is_utf8(out->text) ? err_none() : wrong(lex, begin, "the text is not UTF-8");
}

Err prometheus_lex_next(struct prometheus_lex *lex, struct prometheus_lex_word *out) {
    skip_blanks(lex);
    *out = (struct prometheus_lex_word){.kind = PROMETHEUS_LEX_END, .place = lex->at};
    if (lex->at >= lex->query.len) return err_none();
    char c = peek(lex, 0);
    if (is_digit(c) || (c == '.' && is_digit(peek(lex, 1)))) return read_number(lex, out);
    if (c == '"' || c == '\'' || c == '`') return read_string(lex, out);
    if (is_letter(c)) {
        out->kind = PROMETHEUS_LEX_NAME;
        while (is_letter(peek(lex, 0)) || is_digit(peek(lex, 0)) || peek(lex, 0) == ':') lex->at++;
        out->text = str_slice(lex->query, out->place, lex->at);
        return err_none();
    }
    for (size_t i = 0; i < sizeof signs / sizeof *signs; i++) {
        if (!str_starts(str_slice(lex->query, lex->at, lex->query.len), str_c(signs[i]))) continue;
        out->kind = PROMETHEUS_LEX_SIGN;
        out->text = str_slice(lex->query, lex->at, lex->at + strlen(signs[i]));
        lex->at += strlen(signs[i]);
        return err_none();
    }
    return wrong(lex, lex->at, "nothing in PromQL begins with this; quote names with other letters: {\"…\"}");
}
