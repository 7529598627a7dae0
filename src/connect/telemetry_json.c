#include "connect/telemetry_json.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/vec.h"
#include "connect/telemetry_number.h"

#define KEEP_SAMPLES 4096 /* more memory than that is given back after a message */

struct scan {
    struct telemetry_json *json;
    const char *start, *at, *end;
};

static bool fail(struct scan *s, const char *why) {
    if (!s->json->why) {
        s->json->why = why;
        s->json->at = (size_t)(s->at - s->start);
    }
    return false;
}

static void blanks(struct scan *s) {
    while (s->at < s->end && (*s->at == ' ' || *s->at == '\t' || *s->at == '\n' || *s->at == '\r')) s->at++;
}

static bool is_next(struct scan *s, char c) {
    blanks(s);
    return s->at < s->end && *s->at == c;
}

static bool take(struct scan *s, char c, const char *why) {
    if (s->at < s->end && *s->at == c) { /* mostly there are no blanks */
        s->at++;
        return true;
    }
    if (!is_next(s, c)) return fail(s, why);
    s->at++;
    return true;
}

/* ---- texts */

static int hex_digit(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool hex4(struct scan *s, uint32_t *out) {
    if (s->end - s->at < 4) return fail(s, "an escape is cut short");
    uint32_t v = 0;
    for (int i = 0; i < 4; i++) {
        int digit = hex_digit(s->at[i]);
        if (digit < 0) return fail(s, "an escape needs four hexadecimal digits");
        v = v << 4 | (uint32_t)digit;
    }
    s->at += 4;
    *out = v;
    return true;
}

static void put_utf8(struct buf *out, uint32_t c) {
    if (c < 0x80) {
        buf_byte(out, (uint8_t)c);
    } else if (c < 0x800) {
        buf_byte(out, (uint8_t)(0xC0 | c >> 6));
        buf_byte(out, (uint8_t)(0x80 | (c & 63)));
    } else if (c < 0x10000) {
        buf_byte(out, (uint8_t)(0xE0 | c >> 12));
        buf_byte(out, (uint8_t)(0x80 | (c >> 6 & 63)));
        buf_byte(out, (uint8_t)(0x80 | (c & 63)));
    } else {
        buf_byte(out, (uint8_t)(0xF0 | c >> 18));
        buf_byte(out, (uint8_t)(0x80 | (c >> 12 & 63)));
        buf_byte(out, (uint8_t)(0x80 | (c >> 6 & 63)));
        buf_byte(out, (uint8_t)(0x80 | (c & 63)));
    }
}

static bool unicode_escape(struct scan *s, struct buf *out) {
    uint32_t c, low;
    if (!hex4(s, &c)) return false;
    if (c == 0) return fail(s, "a text contains NUL");
    if (c >= 0xDC00 && c <= 0xDFFF) return fail(s, "a surrogate stands alone");
    if (c >= 0xD800 && c <= 0xDBFF) {
        if (s->end - s->at < 2 || s->at[0] != '\\' || s->at[1] != 'u') return fail(s, "a surrogate stands alone");
        s->at += 2;
        if (!hex4(s, &low)) return false;
        if (low < 0xDC00 || low > 0xDFFF) return fail(s, "a surrogate stands alone");
        c = 0x10000 + ((c - 0xD800) << 10) + (low - 0xDC00);
    }
    put_utf8(out, c);
    return true;
}

static bool escape(struct scan *s, struct buf *out) {
    static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
    if (s->at == s->end) return fail(s, "a text does not end");
    char c = *s->at;
    if (c == 'u') {
        s->at++;
        return unicode_escape(s, out);
    }
    const char *known = memchr(from, c, sizeof from - 1);
    if (!known) return fail(s, "an unknown escape");
    s->at++;
    buf_byte(out, (uint8_t)to[known - from]);
    return true;
}

/* Stops at '"', '\\' and control characters; *high collects the top bits, to tell whether UTF-8 must be checked. */
static const char *plain_run(const char *at, const char *end, unsigned char *high) {
    unsigned char seen = 0;
    for (; at < end; at++) {
        unsigned char c = (unsigned char)*at;
        if (c == '"' || c == '\\' || c < 0x20) break;
        seen |= c;
    }
    *high |= seen;
    return at;
}

static bool text_with_escapes(struct scan *s, const char *from, unsigned char high, Str *out) {
    struct buf *text = &s->json->text;
    /* Unescaping never lengthens, so one reservation holds for the whole message and the views stay where they are. */
    if (text->cap < (size_t)(s->end - s->start)) {
        ASSERT(text->len == 0);
        buf_reserve(text, (size_t)(s->end - s->start));
    }
    size_t begin = text->len;
    for (const char *run = from;;) {
        buf_add(text, run, (size_t)(s->at - run));
        if (s->at == s->end) return fail(s, "a text does not end");
        if (*s->at == '"') break;
        if (*s->at != '\\') return fail(s, "a text contains a control character");
        s->at++;
        if (!escape(s, text)) return false;
        run = s->at;
        s->at = plain_run(s->at, s->end, &high);
    }
    s->at++;
    *out = str_n(text->ptr + begin, text->len - begin);
    if (high & 0x80 && !str_is_utf8(*out)) return fail(s, "a text is not UTF-8");
    return true;
}

/* At the opening quote. */
static bool text(struct scan *s, Str *out) {
    const char *from = ++s->at;
    unsigned char high = 0;
    s->at = plain_run(from, s->end, &high);
    if (s->at == s->end) return fail(s, "a text does not end");
    if (*s->at != '"') return text_with_escapes(s, from, high, out);
    *out = str_n(from, (size_t)(s->at - from));
    s->at++;
    if (high & 0x80 && !str_is_utf8(*out)) return fail(s, "a text is not UTF-8");
    return true;
}

/* ---- values */

static bool word(struct scan *s, const char *want, size_t n) {
    if ((size_t)(s->end - s->at) < n || memcmp(s->at, want, n) != 0) return fail(s, "expected a value");
    s->at += n;
    return true;
}

static bool number(struct scan *s, Value *out, enum telemetry_sample_state *state) {
    const char *next = telemetry_number_parse(s->at, s->end, out);
    if (!next) return fail(s, "a malformed number");
    s->at = next;
    if (out->kind == VALUE_NONE) *state = TELEMETRY_SAMPLE_RANGE;
    return true;
}

static bool skip_nested(struct scan *s, unsigned depth);

static bool scalar(struct scan *s, Value *out, enum telemetry_sample_state *state) {
    switch (*s->at) {
    case '"': out->kind = VALUE_STRING; return text(s, &out->s);
    case 't': *out = VALUE_B(true); return word(s, "true", 4);
    case 'f': *out = VALUE_B(false); return word(s, "false", 5);
    case 'n': out->kind = VALUE_NONE; return word(s, "null", 4);
    default: return number(s, out, state);
    }
}

static bool skip_value(struct scan *s, unsigned depth) {
    Value ignored;
    enum telemetry_sample_state state;
    blanks(s);
    if (s->at == s->end) return fail(s, "expected a value");
    if (*s->at == '{' || *s->at == '[') return skip_nested(s, depth);
    return scalar(s, &ignored, &state);
}

/* At '{' or '['; checks and steps over it. */
static bool skip_nested(struct scan *s, unsigned depth) {
    if (depth >= TELEMETRY_JSON_DEPTH_MAX) return fail(s, "nested too deeply");
    bool object = *s->at++ == '{';
    char close = object ? '}' : ']';
    if (is_next(s, close)) {
        s->at++;
        return true;
    }
    for (;;) {
        Str name;
        if (object) {
            if (!is_next(s, '"')) return fail(s, "expected a name in quotes");
            if (!text(s, &name) || !take(s, ':', "expected ':'")) return false;
        }
        if (!skip_value(s, depth + 1)) return false;
        if (is_next(s, ',')) {
            s->at++;
            continue;
        }
        return take(s, close, object ? "expected ',' or '}'" : "expected ',' or ']'");
    }
}

/* ---- members, rows, messages */

/* At the opening quote: "name" and its colon; leaves at the value's first character. */
static bool name_of(struct scan *s, Str *name) {
    if (!is_next(s, '"')) return fail(s, "expected a name in quotes");
    if (!text(s, name) || !take(s, ':', "expected ':'")) return false;
    blanks(s);
    return s->at < s->end || fail(s, "expected a value");
}

static bool sample(struct scan *s, Str name, unsigned depth) {
    struct telemetry_json *json = s->json;
    if (json->n_samples == json->cap_samples)
        json->samples = vec_grow(json->samples, &json->cap_samples, json->n_samples + 1, sizeof *json->samples);
    struct telemetry_sample *out = &json->samples[json->n_samples++];
    out->name = name;
    out->metric = 0;
    out->state = TELEMETRY_SAMPLE_OK;
    const char *from = s->at;
    bool ok;
    if (*s->at == '{' || *s->at == '[') {
        out->state = TELEMETRY_SAMPLE_NESTED;
        out->value.kind = VALUE_NONE;
        ok = skip_nested(s, depth);
    } else {
        ok = scalar(s, &out->value, &out->state);
    }
    out->raw = str_n(from, (size_t)(s->at - from));
    return ok;
}

/* True: another member or element follows. False: the end was taken, or *ok says it is malformed. */
static bool more(struct scan *s, char close, bool *ok) {
    if (is_next(s, ',')) {
        s->at++;
        return true;
    }
    *ok = take(s, close, close == '}' ? "expected ',' or '}'" : "expected ',' or ']'");
    return false;
}

/* At '{': the members of "values". */
static bool values(struct scan *s) {
    s->at++;
    if (is_next(s, '}')) {
        s->at++;
        return true;
    }
    bool ok = true;
    Str name;
    do {
        if (!name_of(s, &name) || !sample(s, name, 3)) return false;
    } while (more(s, '}', &ok));
    return ok;
}

/* "ts": milliseconds, exactly; a fraction down to the nanosecond may follow. null is no time. */
static bool timestamp(struct scan *s, struct telemetry_row *row, bool *seen) {
    const char *from = s->at;
    bool digits = *s->at == '-' || (*s->at >= '0' && *s->at <= '9');
    if (!skip_value(s, 2)) return false;
    Str raw = str_n(from, (size_t)(s->at - from));
    *seen = true;
    row->refuse = NULL; /* of two, the last counts */
    row->timed = !str_eq(raw, STR("null"));
    if (!row->timed) return true;
    if (!digits)
        row->refuse = "'ts' is not a number: give milliseconds since 1970";
    else if (!telemetry_number_millis(raw, &row->time))
        row->refuse = "'ts' is out of range or too precise: give milliseconds since 1970, with at most six decimals";
    return true;
}

struct members {
    bool ts, values;
    size_t values_first, values_n;
};

static bool member(struct scan *s, struct telemetry_row *row, struct members *seen) {
    Str name;
    if (!name_of(s, &name)) return false;
    if (str_eq(name, STR("ts"))) return timestamp(s, row, &seen->ts);
    if (!str_eq(name, STR("values")) || *s->at != '{') return sample(s, name, 2);
    for (size_t i = 0; seen->values && i < seen->values_n; i++)
        s->json->samples[seen->values_first + i].state = TELEMETRY_SAMPLE_REPLACED;
    seen->values = true;
    seen->values_first = s->json->n_samples;
    if (!values(s)) return false;
    seen->values_n = s->json->n_samples - seen->values_first;
    return true;
}

/* Which of a row's samples stand outside "values" is known only at its end. */
static void settle(struct telemetry_json *json, struct telemetry_row *row, const struct members *seen) {
    row->n = json->n_samples - row->first;
    if (!seen->values) {
        if (seen->ts && !row->refuse)
            row->refuse = "it has 'ts' but no object 'values': send {\"ts\":MS,\"values\":{...}}";
        return;
    }
    if (row->n == seen->values_n) return;
    for (size_t i = row->first; i < json->n_samples; i++) {
        bool inside = i >= seen->values_first && i < seen->values_first + seen->values_n;
        if (!inside && json->samples[i].state == TELEMETRY_SAMPLE_OK) json->samples[i].state = TELEMETRY_SAMPLE_STRAY;
    }
}

static bool row(struct scan *s, Str thing) {
    struct telemetry_json *json = s->json;
    if (!is_next(s, '{')) return fail(s, "expected an object of values");
    struct telemetry_row out = {.thing = thing, .first = json->n_samples};
    struct members seen = {0};
    const char *from = s->at++;
    bool ok = true;
    if (is_next(s, '}')) {
        s->at++;
    } else {
        do {
            if (!member(s, &out, &seen)) return false;
        } while (more(s, '}', &ok));
        if (!ok) return false;
    }
    out.raw = str_n(from, (size_t)(s->at - from));
    settle(json, &out, &seen);
    VEC_PUSH(json->rows, json->n_rows, json->cap_rows, out);
    return true;
}

static bool row_or_rows(struct scan *s, Str thing) {
    if (!is_next(s, '[')) return row(s, thing);
    s->at++;
    if (is_next(s, ']')) {
        s->at++;
        return true;
    }
    bool ok = true;
    do {
        if (!row(s, thing)) return false;
    } while (more(s, ']', &ok));
    return ok;
}

static bool things(struct scan *s) {
    if (!is_next(s, '{')) return fail(s, "expected an object of things");
    s->at++;
    if (is_next(s, '}')) {
        s->at++;
        return true;
    }
    bool ok = true;
    Str thing;
    do {
        if (!name_of(s, &thing) || !row_or_rows(s, thing)) return false;
    } while (more(s, '}', &ok));
    return ok;
}

static void forget(struct telemetry_json *json) {
    if (json->cap_samples > KEEP_SAMPLES) telemetry_json_fini(json);
    json->n_rows = json->n_samples = 0;
    json->text.len = 0;
    json->why = NULL;
    json->at = 0;
}

bool telemetry_json_scan(struct telemetry_json *json, Str payload, bool gateway) {
    forget(json);
    struct scan s = {json, payload.ptr, payload.ptr, payload.len ? payload.ptr + payload.len : payload.ptr};
    if (!(gateway ? things(&s) : row_or_rows(&s, (Str){0}))) return false;
    blanks(&s);
    return s.at == s.end || fail(&s, "something follows the end");
}

void telemetry_json_fini(struct telemetry_json *json) {
    free(json->rows);
    free(json->samples);
    buf_fini(&json->text);
    *json = (struct telemetry_json){0};
}
