/*
 * Reading CSV (RFC 4180) from memory, row by row, with errors that say where: "failures.csv:12:22: …".
 *
 *     csv_open(&csv, STR("failures.csv"), text, &arena);
 *     TRY(csv_header(&csv, "time,machine,component"));
 *     for (bool more;;) {
 *         TRY(csv_next(&csv, &more));
 *         if (!more) break;
 *         TRY(csv_time(&csv, 0, &at));
 *     }
 * A row ends with LF or CRLF; empty rows are skipped; every row has as many fields as the first.
 */
#ifndef BASE_CSV_H
#define BASE_CSV_H

#include "base/arena.h"
#include "base/err.h"
#include "base/time.h"

#define CSV_FIELDS_MAX 64

struct csv {
    Str name, rest;
    struct arena *arena; /* quoted fields are unquoted into it; others are slices of the text */
    size_t line;         /* of the row read last, from 1 */
    size_t lines_read;
    Str fields[CSV_FIELDS_MAX];
    size_t columns[CSV_FIELDS_MAX]; /* where each field begins in its line, in bytes from 1 */
    size_t n, width;                /* fields of this row, of the first row */
};

void csv_open(struct csv *csv, Str name, Str text, struct arena *arena);
Err csv_next(struct csv *csv, bool *more);
/* Reads the first row, which must be exactly these names. */
Err csv_header(struct csv *csv, const char *joined);
/* A failure at field i of the row read last; field names come from the caller's text. */
Err csv_fault(const struct csv *csv, size_t i, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
/* Field i as …; the failure names the field's text and what was expected. */
Err csv_time(const struct csv *csv, size_t i, Nanos *out);
Err csv_num(const struct csv *csv, size_t i, double *out); /* finite */
Err csv_int(const struct csv *csv, size_t i, int64_t *out);
Err csv_text(const struct csv *csv, size_t i, size_t max,
             Str *out); /* 1 to max bytes of UTF-8, no control characters */

#endif
