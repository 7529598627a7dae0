/*
 * A file lists the moments at which the offset changed; behind its last one a rule in POSIX form ("CET-1CEST,M3.5.0,
 * M10.5.0/3") says how it goes on. The first half of a file repeats the second in 32 bits and is skipped.
 */
#include "os/zone.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "os/file.h"

#define FOLDER "/usr/share/zoneinfo"
#define NAME_MAX_BYTES 64
#define FILE_MAX ((size_t)1 << 20)
#define CHANGES_MAX 4096
#define HEAD 44
#define DAY INT64_C(86400)

struct rule { /* the day of month M, week W (5: the last), weekday D at `second` of local time */
    int month, week, weekday;
    int32_t second;
};
struct change {
    int64_t at; /* seconds */
    int32_t offset;
};
struct zone {
    struct change *changes;
    size_t n;
    int32_t first;             /* before the first change */
    bool has_rule, has_summer; /* behind the last */
    int32_t winter, summer;
    struct rule begins, ends; /* of summer */
};

/* ---- reading */

static uint32_t be32(const char *p) {
    const unsigned char *b = (const unsigned char *)p;
    return (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
}
static int64_t be64(const char *p) { return (int64_t)((uint64_t)be32(p) << 32 | be32(p + 4)); }

struct head {
    uint32_t isut, isstd, leaps, changes, types, letters;
};

static bool read_head(Str bytes, size_t at, struct head *out) {
    if (bytes.len < at + HEAD || memcmp(bytes.ptr + at, "TZif", 4) != 0) return false;
    const char *p = bytes.ptr + at + 20;
    *out = (struct head){be32(p), be32(p + 4), be32(p + 8), be32(p + 12), be32(p + 16), be32(p + 20)};
    return out->changes <= CHANGES_MAX && out->types > 0 && out->types <= 256 && out->letters <= 4096 &&
           out->leaps <= 4096 && out->isut <= 256 && out->isstd <= 256;
}

static size_t body_size(const struct head *h, size_t time) {
    return h->changes * (time + 1) + h->types * 6 + h->letters + h->leaps * (time + 4) + h->isstd + h->isut;
}

static bool take_number(Str *s, int64_t *out) {
    size_t n = 0;
    *out = 0;
    for (; n < s->len && n < 4 && s->ptr[n] >= '0' && s->ptr[n] <= '9'; n++) *out = *out * 10 + (s->ptr[n] - '0');
    *s = str_slice(*s, n, s->len);
    return n > 0;
}

static bool take_char(Str *s, char c) {
    if (s->len == 0 || s->ptr[0] != c) return false;
    *s = str_slice(*s, 1, s->len);
    return true;
}

/* [+-]hh[:mm[:ss]] */
static bool take_clock(Str *s, int32_t *out) {
    int64_t h, m = 0, sec = 0;
    bool minus = take_char(s, '-');
    if (!minus) take_char(s, '+');
    if (!take_number(s, &h) || h > 167) return false;
    if (take_char(s, ':') && (!take_number(s, &m) || m > 59)) return false;
    if (take_char(s, ':') && (!take_number(s, &sec) || sec > 59)) return false;
    *out = (int32_t)(h * 3600 + m * 60 + sec) * (minus ? -1 : 1);
    return true;
}

static bool take_letters(Str *s) {
    size_t n = 0;
    if (take_char(s, '<')) {
        ptrdiff_t end = str_find(*s, STR(">"));
        if (end < 0) return false;
        *s = str_slice(*s, (size_t)end + 1, s->len);
        return true;
    }
    while (n < s->len && ((s->ptr[n] >= 'a' && s->ptr[n] <= 'z') || (s->ptr[n] >= 'A' && s->ptr[n] <= 'Z'))) n++;
    *s = str_slice(*s, n, s->len);
    return n >= 3;
}

static bool take_rule(Str *s, struct rule *out) {
    int64_t month, week, weekday;
    if (!take_char(s, ',') || !take_char(s, 'M') || !take_number(s, &month) || !take_char(s, '.') ||
        !take_number(s, &week) || !take_char(s, '.') || !take_number(s, &weekday))
        return false;
    *out = (struct rule){(int)month, (int)week, (int)weekday, 7200};
    if (month < 1 || month > 12 || week < 1 || week > 5 || weekday > 6) return false;
    return !take_char(s, '/') || take_clock(s, &out->second);
}

/* A rule of another form than M leaves the last offset standing. */
static void read_rule(struct zone *z, Str s) {
    int32_t west;
    if (!take_letters(&s) || !take_clock(&s, &west)) return;
    z->winter = -west;
    z->summer = z->winter + 3600;
    z->has_rule = true;
    if (s.len == 0) return;
    z->has_rule = false;
    if (!take_letters(&s)) return;
    if (s.len > 0 && s.ptr[0] != ',') {
        if (!take_clock(&s, &west)) return;
        z->summer = -west;
    }
    z->has_rule = z->has_summer = take_rule(&s, &z->begins) && take_rule(&s, &z->ends) && s.len == 0;
}

static bool read_changes(struct zone *z, const struct head *h, const char *p, size_t time) {
    const char *kinds = p + h->changes * time, *types = kinds + h->changes;
    z->changes = calloc(h->changes + 1, sizeof *z->changes);
    ASSERT(z->changes);
    z->first = (int32_t)be32(types);
    for (uint32_t i = 0; i < h->types; i++)
        if ((int32_t)be32(types + i * 6) > 100000 || (int32_t)be32(types + i * 6) < -100000) return false;
    for (uint32_t i = 0; i < h->changes; i++) {
        uint8_t kind = (uint8_t)kinds[i];
        int64_t at = time == 8 ? be64(p + i * 8) : (int32_t)be32(p + i * 4);
        if (kind >= h->types || (i > 0 && at <= z->changes[i - 1].at)) return false;
        z->changes[z->n++] = (struct change){at, (int32_t)be32(types + kind * 6)};
    }
    return true;
}

static bool read_all(struct zone *z, Str bytes) {
    struct head h;
    if (!read_head(bytes, 0, &h)) return false;
    if (bytes.ptr[4] < '2') return bytes.len >= HEAD + body_size(&h, 4) && read_changes(z, &h, bytes.ptr + HEAD, 4);
    size_t at = HEAD + body_size(&h, 4);
    if (!read_head(bytes, at, &h) || bytes.len < at + HEAD + body_size(&h, 8)) return false;
    if (!read_changes(z, &h, bytes.ptr + at + HEAD, 8)) return false;
    Str foot = str_trim(str_slice(bytes, at + HEAD + body_size(&h, 8), bytes.len));
    read_rule(z, foot);
    return true;
}

Err zone_parse(Str bytes, struct zone **out) {
    struct zone *z = calloc(1, sizeof *z);
    ASSERT(z);
    *out = NULL;
    if (!read_all(z, bytes)) {
        zone_close(z);
        return err_make(ERR_CORRUPT, "the zone's file is not well-formed: install the package tzdata again");
    }
    *out = z;
    return err_none();
}

static bool plain_name(Str name) {
    if (name.len > NAME_MAX_BYTES || name.ptr[0] == '/' || str_find(name, STR("..")) >= 0) return false;
    for (size_t i = 0; i < name.len; i++) {
        char c = name.ptr[i];
        bool ok = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-' ||
                  c == '+' || c == '/';
        if (!ok) return false;
    }
    return true;
}

Err zone_open(Str name, struct zone **out) {
    char path[sizeof FOLDER + NAME_MAX_BYTES + 2];
    struct buf bytes = {0};
    *out = NULL;
    if (name.len == 0 || str_eq_c(name, "UTC")) {
        *out = calloc(1, sizeof **out);
        ASSERT(*out);
        return err_none();
    }
    Str shown = str_slice(name, 0, 60);
    Err none = err_make(ERR_INVALID, "no time zone '" STR_FMT "': use an IANA name such as Asia/Shanghai or UTC%s",
                        STR_ARG(shown), file_exists(file_disk, FOLDER) ? "" : " (the package tzdata is missing here)");
    if (!plain_name(name)) return none;
    size_t n = sizeof FOLDER - 1;
    memcpy(path, FOLDER "/", n + 1);
    memcpy(path + n + 1, name.ptr, name.len);
    path[n + 1 + name.len] = '\0';
    Err err = file_load(file_disk, path, FILE_MAX, &bytes);
    err = err.code == ERR_NONE ? zone_parse(buf_view(&bytes), out) : none;
    buf_fini(&bytes);
    return err.code == ERR_CORRUPT ? none : err; /* other files lie there too */
}

void zone_close(struct zone *z) {
    if (!z) return;
    free(z->changes);
    free(z);
}

/* ---- asking */

static int64_t rule_second(const struct rule *r, int year) { /* local, as if UTC */
    Nanos first = time_from_civil(year, r->month, 1, 0, 0, 0);
    int64_t day = first / NANOS_PER_DAY - (first % NANOS_PER_DAY < 0);
    int64_t weekday = ((day + 4) % 7 + 7) % 7, at = day + (r->weekday - weekday + 7) % 7 + 7 * (r->week - 1);
    Nanos next =
        r->month == 12 ? time_from_civil(year + 1, 1, 1, 0, 0, 0) : time_from_civil(year, r->month + 1, 1, 0, 0, 0);
    if (at * NANOS_PER_DAY >= next) at -= 7;
    return at * DAY + r->second;
}

static int32_t by_rule(const struct zone *z, int64_t second) {
    int year, month, day, h, m, s;
    if (!z->has_summer) return z->winter;
    time_civil(second * NANOS_PER_S, &year, &month, &day, &h, &m, &s);
    int64_t begins = rule_second(&z->begins, year) - z->winter, ends = rule_second(&z->ends, year) - z->summer;
    bool in = begins < ends ? second >= begins && second < ends : second >= begins || second < ends;
    return in ? z->summer : z->winter;
}

int32_t zone_offset(const struct zone *z, Nanos t) {
    int64_t second = t / NANOS_PER_S - (t % NANOS_PER_S < 0);
    size_t low = 0, high = z->n; /* the first change after it */
    while (low < high) {
        size_t mid = (low + high) / 2;
        if (z->changes[mid].at <= second)
            low = mid + 1;
        else
            high = mid;
    }
    if (low == z->n && z->has_rule) return by_rule(z, second);
    return low == 0 ? z->first : z->changes[low - 1].offset;
}

Nanos zone_moment(const struct zone *z, Nanos local) {
    int32_t before = zone_offset(z, local - NANOS_PER_DAY), after = zone_offset(z, local + NANOS_PER_DAY);
    Nanos a = local - before * NANOS_PER_S, b = local - after * NANOS_PER_S;
    Nanos early = a < b ? a : b, late = a < b ? b : a;
    if (zone_offset(z, early) == (local - early) / NANOS_PER_S) return early;
    if (zone_offset(z, late) == (local - late) / NANOS_PER_S) return late;
    int32_t old = zone_offset(z, early); /* leapt over: the moment of the leap */
    while (late - early > NANOS_PER_S) {
        Nanos mid = early + (late - early) / 2 / NANOS_PER_S * NANOS_PER_S;
        if (zone_offset(z, mid) == old)
            early = mid;
        else
            late = mid;
    }
    return late;
}

bool zone_steady(const struct zone *z, Nanos from, Nanos to) {
    int32_t offset = zone_offset(z, from);
    if (zone_offset(z, to - 1) != offset) return false;
    if (z->has_summer && to - from > 120 * NANOS_PER_DAY) return false;
    for (size_t i = 0; i < z->n; i++)
        if (z->changes[i].at > from / NANOS_PER_S && z->changes[i].at < to / NANOS_PER_S &&
            z->changes[i].offset != offset)
            return false;
    return true;
}
