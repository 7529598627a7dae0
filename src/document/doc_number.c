#include "document/doc_number.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "store/records_txn.h"

#define DIGITS_MAX 12
#define NUMBER_BYTES_MAX 30

struct parts {
    char before[NUMBER_BYTES_MAX + 1], behind[NUMBER_BYTES_MAX + 1];
    int digits; /* 0: no counter yet */
    bool dated;
};

static bool add(struct parts *p, const char *text, size_t n) {
    char *end = p->digits ? p->behind : p->before;
    size_t len = strlen(end);
    if (len + n > NUMBER_BYTES_MAX) return false;
    memcpy(end + len, text, n);
    end[len + n] = '\0';
    return true;
}

static bool add_place(struct parts *p, Str name, Nanos now) {
    int year, month, day, hour, minute, second;
    char text[16];
    size_t zeros = 0;
    time_civil(now, &year, &month, &day, &hour, &minute, &second);
    while (zeros < name.len && name.ptr[zeros] == '0') zeros++;
    if (name.len > 0 && zeros == name.len) {
        if (p->digits || zeros > DIGITS_MAX) return false;
        p->digits = (int)zeros;
        return true;
    }
    const struct {
        const char *name;
        int value, width;
    } dates[] = {{"yyyy", year, 4}, {"yy", year % 100, 2}, {"mm", month, 2}, {"dd", day, 2}};
    for (size_t i = 0; i < sizeof dates / sizeof *dates; i++) {
        if (!str_eq_c(name, dates[i].name)) continue;
        p->dated = true;
        int n = snprintf(text, sizeof text, "%0*d", dates[i].width, dates[i].value);
        return add(p, text, (size_t)n);
    }
    return false;
}

static bool expand(const char *pattern, Nanos now, struct parts *p) {
    *p = (struct parts){.digits = 0};
    for (const char *at = pattern; *at;) {
        const char *end = *at == '{' ? strchr(at, '}') : NULL;
        if (*at == '{' && (!end || !add_place(p, str_n(at + 1, (size_t)(end - at - 1)), now))) return false;
        if (!end && !add(p, at, 1)) return false;
        at = end ? end + 1 : at + 1;
    }
    return p->digits > 0 && strlen(p->before) + strlen(p->behind) + DIGITS_MAX <= NUMBER_BYTES_MAX;
}

Err doc_number_check(const struct doctype *type) {
    struct parts parts;
    if (expand(type->number, 0, &parts)) return err_none();
    return err_make(ERR_INVALID,
                    "type '%s': '%.60s' is no pattern of numbers: letters, {yyyy} {yy} {mm} {dd}, and one counter such "
                    "as {0000}, %d bytes in all",
                    type->name, type->number, NUMBER_BYTES_MAX);
}

Err doc_number_next(struct records_txn *txn, const struct doctype *type, PartyId party, Nanos now, struct arena *arena,
                    Str *out) {
    struct parts p = {.digits = 6};
    int64_t n;
    if (!type->number)
        snprintf(p.before, sizeof p.before, "%.20s-", type->prefix);
    else
        ASSERT(expand(type->number, now, &p));
    Str series = p.dated ? arena_printf(arena, "%s:%s*%s", type->name, p.before, p.behind) : str_c(type->name);
    TRY(records_txn_next_number(txn, party, series, &n));
    *out = arena_printf(arena, "%s%0*" PRId64 "%s", p.before, p.digits, n, p.behind);
    return err_none();
}
