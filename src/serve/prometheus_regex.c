#include "serve/prometheus_regex.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>
#include <string.h>

#include "base/buf.h"

#define PATTERN_MAX ((size_t)32 << 10) /* a variable of a dashboard lists its values: a|b|c|… */
#define STEPS_MAX 200000u
#define HEAP_KIB_MAX 4096u

struct prometheus_regex {
    pcre2_code *code;
    pcre2_match_data *match;
    pcre2_match_context *limits;
    bool gave_up;
};

static void *take(size_t size, void *arena) { return arena_alloc(arena, size); }
static void drop(void *memory, void *arena) { (void)memory, (void)arena; } /* ends with the arena */

Err prometheus_regex_make(struct arena *arena, Str pattern, struct prometheus_regex **out) {
    struct prometheus_regex *r = arena_zero(arena, 1, sizeof *r);
    pcre2_general_context *memory = pcre2_general_context_create(take, drop, arena);
    pcre2_compile_context *how = pcre2_compile_context_create(memory);
    int fault;
    PCRE2_SIZE place;
    pcre2_set_max_pattern_length(how, PATTERN_MAX);
    r->code = pcre2_compile((PCRE2_SPTR)pattern.ptr, pattern.len,
                            PCRE2_UTF | PCRE2_DOTALL | PCRE2_ANCHORED | PCRE2_ENDANCHORED | PCRE2_NEVER_BACKSLASH_C,
                            &fault, &place, how);
    if (!r->code) {
        PCRE2_UCHAR text[120] = {0};
        pcre2_get_error_message(fault, text, sizeof text);
        return err_make(ERR_INVALID, "the regular expression is wrong at its character %zu: %s", (size_t)place + 1,
                        (const char *)text);
    }
    r->match = pcre2_match_data_create_from_pattern(r->code, memory);
    r->limits = pcre2_match_context_create(memory);
    ASSERT(r->match && r->limits);
    pcre2_set_match_limit(r->limits, STEPS_MAX);
    pcre2_set_heap_limit(r->limits, HEAP_KIB_MAX);
    *out = r;
    return err_none();
}

bool prometheus_regex_match(struct prometheus_regex *r, Str text) {
    const char *at = text.ptr ? text.ptr : "";
    int n = pcre2_match(r->code, (PCRE2_SPTR)at, text.len, 0, 0, r->match, r->limits);
    if (n < 0 && n != PCRE2_ERROR_NOMATCH) r->gave_up = true;
    return n >= 0;
}

bool prometheus_regex_gave_up(const struct prometheus_regex *r) { return r->gave_up; }

static void add_group(const struct prometheus_regex *r, Str text, Str name, struct buf *out) {
    const PCRE2_SIZE *ends = pcre2_get_ovector_pointer(r->match);
    int64_t group = -1;
    char copy[64];
    if (name.len >= sizeof copy) return;
    memcpy(copy, name.ptr, name.len);
    copy[name.len] = '\0';
    if (!str_to_i64(name, &group)) group = pcre2_substring_number_from_name(r->code, (PCRE2_SPTR)copy);
    if (group < 0 || group >= pcre2_get_ovector_count(r->match) || ends[2 * group] == PCRE2_UNSET) return;
    buf_str(out, str_slice(text, ends[2 * group], ends[2 * group + 1]));
}

static bool is_word(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

Str prometheus_regex_expand(const struct prometheus_regex *r, Str text, Str pattern, struct arena *arena) {
    struct buf out = {0};
    for (size_t i = 0; i < pattern.len;) {
        if (pattern.ptr[i] != '$' || i + 1 == pattern.len) {
            buf_byte(&out, (uint8_t)pattern.ptr[i++]);
            continue;
        }
        if (pattern.ptr[++i] == '$') {
            buf_byte(&out, '$');
            i++;
            continue;
        }
        bool braces = pattern.ptr[i] == '{';
        size_t begin = i += braces;
        while (i < pattern.len && is_word(pattern.ptr[i])) i++;
        add_group(r, text, str_slice(pattern, begin, i), &out);
        if (braces && i < pattern.len && pattern.ptr[i] == '}') i++;
    }
    Str copy = arena_str(arena, buf_view(&out));
    buf_fini(&out);
    return copy;
}
