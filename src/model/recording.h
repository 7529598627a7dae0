/*
 * A recording: what a real fleet reported over months, with its failures and repairs, read from a folder of CSV files
 * (packs/machinery/demo/PROVENANCE.md describes them) into one stream of events in the order of time.
 *
 *     struct recording rec;
 *     TRY(recording_open("packs/machinery/demo", &rec));
 *     for (size_t i = 0; i < rec.n_events; i++) play(&rec.machines[rec.events[i].machine], &rec.events[i]);
 *     recording_close(&rec);
 *
 * Events of one time come as rows, codes, failures, replacements, each by machine. Replacements may begin long before
 * the first row (`from`): they tell the age of the components. A recording has no clock of its own beyond its events.
 * A machine may report several codes at one moment; a series holds one value a moment, so whoever plays them joins them
 * with '|' ("error2|error3") and best sends them in one message with the row of that moment.
 */
#ifndef MODEL_RECORDING_H
#define MODEL_RECORDING_H

#include "base/arena.h"
#include "base/err.h"
#include "base/time.h"

#define RECORDING_METRICS_MAX 32

struct recording_machine {
    Str name, model;            /* "m-01" "model3" */
    int64_t age_years;          /* in service before the recording, whole years */
    Str site_en, site_zh;       /* where it stands; positions of the demo are made up */
    double latitude, longitude; /* WGS 84 degrees */
};

enum recording_kind {
    RECORDING_ROW,         /* values of all metrics at one moment */
    RECORDING_CODE,        /* what = the error code the machine reported */
    RECORDING_FAILURE,     /* what = the component that failed */
    RECORDING_REPLACEMENT, /* what = the component that was replaced */
};

struct recording_event {
    Nanos time;
    uint32_t machine; /* index into machines */
    enum recording_kind kind;
    Str what;             /* empty for rows */
    const double *values; /* rows only: [n_metrics]; NaN where nothing was reported. Shortest round trip = the digits of
                             the file */
};

struct recording {
    struct recording_machine *machines;
    size_t n_machines;
    Str metrics[RECORDING_METRICS_MAX]; /* names, in the order of values */
    size_t n_metrics;
    struct recording_event *events;
    size_t n_events, n_rows, n_codes, n_failures, n_replacements;
    Nanos from, to;     /* first and last row; 0 when there is none */
    struct arena arena; /* everything lives here */
};

/* The files of a recording, as bytes; telemetry may be zstd or plain. */
struct recording_files {
    Str machines, telemetry, errors, failures, maintenance;
};

/* Reads DIR/{machines,errors,failures,maintenance}.csv and DIR/telemetry.csv.zst (or telemetry.csv). ERR_INVALID says
 * file:line:column and what was expected; ERR_NOT_FOUND names the absent file. Some 10 ms a megabyte; blocks on disk.
 */
Err recording_open(const char *dir, struct recording *out);
Err recording_parse(const struct recording_files *files, struct recording *out); /* the same from memory; copies */
void recording_close(struct recording *recording);         /* also fine after a failed open, and on zeroed memory */
const char *recording_kind_name(enum recording_kind kind); /* "row" "code" "failure" "replacement" */

#endif
