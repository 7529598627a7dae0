/*
 * Influx line protocol, one line at a time: where everything stands in the text, nothing copied.
 *
 *     measurement,tag=value,tag=value field=1.5,other=7i,state="run" 1700000000000000000
 *
 * Numbers: 1.5 and 7, floats; 7i and 7u, integers, exact up to 64 bits with a sign, else floats; texts in quotes; t T
 * true True TRUE and f F false False FALSE. Backslash before comma, space or equals sign in names and tags, before
 * quote or backslash in texts. Blank lines and lines that begin with # are passed.
 */
#ifndef CONNECT_LINE_SCAN_H
#define CONNECT_LINE_SCAN_H

#include "base/arena.h"
#include "model/value.h"

#define LINE_SCAN_FIELDS_MAX 1024

struct line_field {
    Str name;     /* as written: see line_scan_plain */
    Value value;  /* strings as written between the quotes */
    bool escaped; /* the text has backslashes */
};

struct line_scan {
    const char *at, *end; /* of the text; the text ends with '\n' */
    /* the line just read */
    Str raw, key; /* key: measurement and tags, as written */
    struct line_field fields[LINE_SCAN_FIELDS_MAX];
    size_t n_fields;
    bool timed;
    int64_t time;    /* in the sender's precision */
    const char *why; /* NULL, or what is wrong with the line … */
    size_t where;    /* … at this byte of it, from 1 */
};

void line_scan_start(struct line_scan *scan, Str text);
bool line_scan_next(struct line_scan *scan); /* false: the end; a wrong line is true with `why` */

/* A key's parts, unescaped, in the arena. The first pair is the measurement, with an empty name. NULL `why` when it is
 * well formed. */
struct line_pair {
    Str name, value;
};
const char *line_scan_key(Str key, struct arena *arena, struct line_pair **out, size_t *n);
Str line_scan_plain(Str name, struct arena *arena); /* a field's name without its backslashes */
Str line_scan_text(Str text, struct arena *arena);  /* a text's value without them */

#endif
