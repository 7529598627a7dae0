/*
 * Samples as CSV (RFC 4180), with a first row of names:
 *
 *     thing,time,metric,value          a sample a row
 *     thing,time,speed,temperature     a moment a row, a metric a column; empty: not reported
 *
 * All of a body or nothing: a row that cannot be kept refuses the whole, with its place.
 */
#ifndef CONNECT_CSV_INGEST_H
#define CONNECT_CSV_INGEST_H

#include "base/err.h"
#include "store/rows.h"

struct series;
struct csv_ingest_options {
    struct series *series;
    void (*thing_seen)(void *ctx, PartyId party, Str thing); /* NULL: nobody cares */
    void *ctx;
};
struct csv_ingest_outcome {
    uint64_t rows, values;
};
/* Any thread; waits for the commit: all of it is durable then. ERR_INVALID says which row and column and why. */
Err csv_ingest_write(const struct csv_ingest_options *options, PartyId party, Str text, struct csv_ingest_outcome *out);

#endif
