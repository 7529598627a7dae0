/*
 * The gate, said a second time and plainly, for the property test: what an agreement gives of acme's documents and
 * samples, worked out from acme's own answers by loops over JSON, without a lens, a table or a query.
 */
#ifndef TESTS_LIB_SERVE_GATE_MODEL_H
#define TESTS_LIB_SERVE_GATE_MODEL_H

#include "tests/lib/serve_rig.h"

enum {
    GATE_MODEL_TYPES = 3,
    GATE_MODEL_ROWS = 3,
    GATE_MODEL_SERIES = 3,
    GATE_MODEL_THINGS = 3,
    GATE_MODEL_METRICS = 2
};
enum { GATE_MODEL_MINUTES = 270 }; /* samples of each thing and metric, from SERVE_RIG_START */

struct gate_model_row {
    const char *field, *op;
    char value[64];
};
struct gate_model_type { /* of one document type */
    bool given, aggregates;
    bool fields[40]; /* by place in gate_model_columns, below */
    struct gate_model_row rows[GATE_MODEL_ROWS];
    size_t n_rows;
};
struct gate_model_series {
    bool things[GATE_MODEL_THINGS], every_thing, metrics[GATE_MODEL_METRICS], every_metric;
    const char *model;      /* NULL: any */
    const char *resolution; /* "raw" "hourly" "index" */
};
struct gate_model {
    const struct doctype *const *types;
    struct json *docs[GATE_MODEL_TYPES]; /* acme's own answer, newest id first: {"items":[…]} */
    double samples[GATE_MODEL_THINGS][GATE_MODEL_METRICS][GATE_MODEL_MINUTES];
    struct gate_model_type terms[GATE_MODEL_TYPES];
    struct gate_model_series series[GATE_MODEL_SERIES];
    size_t n_series;
    int64_t min_group;
    Nanos from, to; /* INT64_MIN, INT64_MAX: open */
};
extern const char *const gate_model_things[GATE_MODEL_THINGS], *const gate_model_thing_models[GATE_MODEL_THINGS],
                                                                   *const gate_model_metrics[GATE_MODEL_METRICS];
extern const char *const gate_model_base[6]; /* columns 0–5; column 6 + i is field i of the type */

/* "title" → its column, -1: none. */
int gate_model_column(const struct gate_model *m, size_t type, Str name);
const char *gate_model_column_name(const struct gate_model *m, size_t type, int column);
size_t gate_model_columns(const struct gate_model *m, size_t type);
enum field_kind gate_model_kind(const struct gate_model *m, size_t type, int column);
/* The value's text, as a filter says it; false: not set. */
bool gate_model_text(const struct json *doc, const char *name, char out[64]);
/* By the kind: numbers as numbers, times and texts by their letters; what is not set comes first. */
int gate_model_compare(enum field_kind kind, const struct json *a, const struct json *b, const char *name);
/* One comparison, "=" "!=" ">=" "<=" "~=" "?=" of a query. */
bool gate_model_holds(enum field_kind kind, const struct json *doc, const char *name, const char *op,
                      const char *value);
/* Do the agreement's rows show it? */
bool gate_model_shows(const struct gate_model *m, size_t type, const struct json *doc);

/* The part that holds for a thing's metric: the finest; NULL: nothing is given. metric -1: any. */
const struct gate_model_series *gate_model_grant(const struct gate_model *m, size_t thing, int metric);

#endif
