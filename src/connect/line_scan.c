/*
 * The scan is one pass with memchr over the key (the longest part, and the same for every line of a thing) and a short
 * loop a field. The text ends with '\n', so a number never touches its end.
 */
#include "connect/line_scan.h"

#include <string.h>

#include "base/vec.h"
#include "connect/telemetry_number.h"

#define FLOAT_EXACT (INT64_C(1) << 53)

void line_scan_start(struct line_scan *scan, Str text) {
    ASSERT(text.len == 0 || text.ptr[text.len - 1] == '\n');
    scan->at = text.ptr;
    scan->end = text.ptr + text.len;
}

static bool fail(struct line_scan *scan, const char *at, const char *why) {
    scan->why = why;
    scan->where = (size_t)(at - scan->raw.ptr) + 1;
    return false;
}

/* Strings may hold line ends, so the end of a line is where its parts end; a wrong line ends at the next '\n'. */
static void end_line(struct line_scan *scan, const char *at) {
    const char *end = memchr(at, '\n', (size_t)(scan->end - at));
    end = end ? end : scan->end;
    scan->raw.len = (size_t)(end - scan->raw.ptr);
    if (scan->raw.len > 0 && scan->raw.ptr[scan->raw.len - 1] == '\r') scan->raw.len--;
    scan->at = end < scan->end ? end + 1 : end;
}

/* ---- values */

static bool is_word(const char *at, const char *end, const char *word) {
    size_t n = strlen(word);
    return (size_t)(end - at) > n && memcmp(at, word, n) == 0;
}

static const char *take_bool(const char *at, const char *end, Value *out) {
    static const struct {
        const char *word;
        bool value;
    } words[] = {{"true", true},   {"True", true},   {"TRUE", true},   {"t", true},  {"T", true},
                 {"false", false}, {"False", false}, {"FALSE", false}, {"f", false}, {"F", false}};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (is_word(at, end, words[i].word)) {
            *out = VALUE_B(words[i].value);
            return at + strlen(words[i].word);
        }
    return NULL;
}

static const char *take_string(const char *at, const char *end, struct line_field *field) {
    const char *from = ++at;
    for (; at < end && *at != '"'; at++)
        if (*at == '\\' && at + 1 < end) field->escaped = true, at++;
    if (at == end) return NULL;
    field->value = VALUE_S(str_n(from, (size_t)(at - from)));
    return at + 1;
}

/* Without a suffix a number is a float, unless that would change it. */
static void as_float(Value *v) {
    if (v->kind == VALUE_INT && v->i >= -FLOAT_EXACT && v->i <= FLOAT_EXACT) *v = VALUE_F((double)v->i);
}

#define PLAIN_DIGITS                                                                                                   \
    15 /* any so many digits, and 10 to that power, are exact doubles: their quotient is rounded once */

/*
 * What nearly every number is: digits, perhaps a point among them, not many. NULL: something else. The text ends with
 * '\n', so that no end need be looked for.
 */
static const char *take_plain(const char *at, double *out) {
    static const double tens[PLAIN_DIGITS + 1] = {1e0, 1e1, 1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                                  1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15};
    bool negative = *at == '-';
    const char *from = at += negative;
    uint64_t m = 0;
    for (; (unsigned char)(*at - '0') <= 9; at++) m = m * 10 + (unsigned char)(*at - '0');
    size_t digits = (size_t)(at - from), after = 0;
    if (digits == 0 || digits > PLAIN_DIGITS) return NULL;
    if (*at == '.') {
        const char *point = ++at;
        for (; (unsigned char)(*at - '0') <= 9 && at - from <= PLAIN_DIGITS; at++)
            m = m * 10 + (unsigned char)(*at - '0');
        after = (size_t)(at - point);
        if (after == 0 || digits + after > PLAIN_DIGITS) return NULL;
    }
    if (*at != ',' && *at != ' ' && *at != '\n') return NULL;
    double v = after ? (double)m / tens[after] : (double)m;
    *out = negative ? -v : v;
    return at;
}

/* Whether a number is written as a whole one: one too large for 64 bits with a sign is kept as a float. */
static bool is_whole(const char *at, const char *end) {
    if (at < end && (*at == '+' || *at == '-')) at++;
    while (at < end && *at >= '0' && *at <= '9') at++;
    return at == end;
}

/* Telemetry's numbers, and what only line protocol writes: "+1", ".5", "5.", "1i", "1u". */
static const char *take_number(const char *at, const char *end, Value *out) {
    char plain[64];
    size_t n = 0;
    double v;
    const char *next = take_plain(at, &v);
    if (next) return *out = VALUE_F(v), next;
    next = telemetry_number_parse(at, end, out);
    bool whole = next && (*next == ',' || *next == ' ' || *next == '\n' || *next == '\r');
    if (whole) return as_float(out), next;
    if (next && (*next == 'i' || *next == 'u')) return is_whole(at, next) ? next + 1 : NULL;
    const char *stop = at;
    while (stop < end && (strchr("+-.eE", *stop) || (*stop >= '0' && *stop <= '9')) && stop - at < 48) stop++;
    const char *digits = at + (at < stop && (*at == '+' || *at == '-'));
    if (at < stop && *at == '-') plain[n++] = '-';
    while (digits + 1 < stop && digits[0] == '0' && digits[1] >= '0' && digits[1] <= '9') digits++;
    if (digits < stop && *digits == '.') plain[n++] = '0';
    for (; digits < stop; digits++) {
        if (*digits == '.' && (digits + 1 == stop || digits[1] < '0' || digits[1] > '9')) continue;
        plain[n++] = *digits;
    }
    plain[n] = '\n';
    next = n ? telemetry_number_parse(plain, plain + n + 1, out) : NULL;
    if (next != plain + n) return NULL;
    bool suffix = *stop == 'i' || *stop == 'u';
    if (!suffix) as_float(out);
    return suffix && !is_whole(at, stop) ? NULL : stop + suffix;
}

static const char *take_value(struct line_scan *scan, const char *at, struct line_field *field) {
    const char *next;
    field->escaped = false;
    if (*at == '"') return take_string(at, scan->end, field);
    if (*at == '-' || *at == '+' || *at == '.' || (*at >= '0' && *at <= '9'))
        next = take_number(at, scan->end, &field->value);
    else
        next = take_bool(at, scan->end, &field->value);
    return next;
}

/* ---- fields */

static const char *name_end(const char *at, const char *end) {
    for (; at < end; at++) {
        if (*at == '\\' && at + 1 < end)
            at++;
        else if (*at == '=')
            return at;
        else if (*at == ',' || *at == ' ' || *at == '\n')
            return NULL;
    }
    return NULL;
}

static const char *take_fields(struct line_scan *scan, const char *at) {
    for (;;) {
        const char *equals = name_end(at, scan->end);
        if (!equals || equals == at) return fail(scan, at, "a field is name=value"), NULL;
        if (scan->n_fields == LINE_SCAN_FIELDS_MAX) return fail(scan, at, "more than 1,024 fields"), NULL;
        struct line_field *field = &scan->fields[scan->n_fields++];
        field->name = str_n(at, (size_t)(equals - at));
        at = equals + 1;
        const char *next = take_value(scan, at, field);
        if (!next || !strchr(", \r\n", *next))
            return fail(scan, at, "a value is a number, a \"text\", true or false"), NULL;
        if (*next != ',') return next;
        at = next + 1;
    }
}

static const char *take_time(struct line_scan *scan, const char *at) {
    Value time;
    const char *next = at;
    int64_t t = 0;
    for (; (unsigned char)(*next - '0') <= 9 && next - at < 18; next++) t = t * 10 + (*next - '0');
    if (next > at && (unsigned char)(*next - '0') <= 9 && (unsigned char)(next[1] - '0') > 9 && t < INT64_MAX / 10)
        t = t * 10 + (*next++ - '0');
    if (next > at && *next == '\n') {
        scan->timed = true;
        scan->time = t;
        return next;
    }
    next = telemetry_number_parse(at, scan->end, &time);
    if (!next || time.kind != VALUE_INT) return fail(scan, at, "a timestamp is a whole number"), NULL;
    scan->timed = true;
    scan->time = time.i;
    return next;
}

static const char *skip_blanks(const char *at) {
    while (*at == ' ') at++;
    return at;
}

/* The space behind measurement and tags. */
static const char *key_end(struct line_scan *scan, const char *at) {
    const char *line = memchr(at, '\n', (size_t)(scan->end - at));
    for (const char *from = at; (from = memchr(from, ' ', (size_t)(line - from))) != NULL; from++)
        if (from == at || from[-1] != '\\') return from;
    return NULL;
}

static void take_line(struct line_scan *scan) {
    const char *at = scan->raw.ptr, *space = key_end(scan, at);
    if (!space || space == at) {
        fail(scan, at, "a line is measurement,tags fields timestamp");
        end_line(scan, at);
        return;
    }
    scan->key = str_n(at, (size_t)(space - at));
    at = take_fields(scan, skip_blanks(space));
    if (at && *at == ' ') at = skip_blanks(at);
    if (at && *at != '\n' && *at != '\r') at = take_time(scan, at);
    if (at && *at == ' ') at = skip_blanks(at);
    if (at && *at == '\r') at++;
    if (at && *at != '\n') fail(scan, at, "something follows where the line should end"), at = NULL;
    end_line(scan, at ? at : scan->raw.ptr + scan->where - 1);
}

bool line_scan_next(struct line_scan *scan) {
    while (scan->at < scan->end && strchr("\n\r\t #", *scan->at)) {
        if (*scan->at == '#') scan->at = memchr(scan->at, '\n', (size_t)(scan->end - scan->at));
        scan->at++;
    }
    if (scan->at >= scan->end) return false;
    scan->raw = str_n(scan->at, 0);
    scan->n_fields = 0;
    scan->timed = false;
    scan->why = NULL;
    take_line(scan);
    return true;
}

/* ---- names and texts without backslashes */

static Str unescape(Str s, const char *special, struct arena *arena) {
    if (!memchr(s.ptr, '\\', s.len)) return arena_str(arena, s);
    char *out = arena_alloc(arena, s.len + 1);
    size_t n = 0;
    for (size_t i = 0; i < s.len; i++) {
        if (s.ptr[i] == '\\' && i + 1 < s.len && strchr(special, s.ptr[i + 1])) i++;
        out[n++] = s.ptr[i];
    }
    out[n] = '\0';
    return str_n(out, n);
}

Str line_scan_plain(Str name, struct arena *arena) { return unescape(name, ",= ", arena); }
Str line_scan_text(Str text, struct arena *arena) { return unescape(text, "\"\\", arena); }

static size_t until(Str s, char stop) {
    size_t i = 0;
    for (; i < s.len && s.ptr[i] != stop; i++)
        if (s.ptr[i] == '\\' && i + 1 < s.len) i++;
    return i < s.len ? i : s.len;
}

const char *line_scan_key(Str key, struct arena *arena, struct line_pair **out, size_t *n) {
    size_t cut = until(key, ','), pairs = 1;
    for (size_t i = 0; i < key.len; i++) pairs += key.ptr[i] == ',';
    struct line_pair *list = arena_zero(arena, pairs, sizeof *list);
    *out = list, *n = 0;
    if (cut == 0) return "the measurement has no name";
    list[(*n)++].value = unescape(str_slice(key, 0, cut), ", ", arena);
    while (cut < key.len) {
        key = str_slice(key, cut + 1, key.len);
        cut = until(key, ',');
        Str tag = str_slice(key, 0, cut);
        size_t equals = until(tag, '=');
        if (equals == 0 || equals == tag.len) return "a tag is name=value";
        list[*n].name = line_scan_plain(str_slice(tag, 0, equals), arena);
        list[(*n)++].value = line_scan_plain(str_slice(tag, equals + 1, tag.len), arena);
    }
    return NULL;
}
