/*
 * The terms of an agreement: which fields of which documents, which series how finely, for what, from when until when.
 *
 *     {"types":[{"type":"order","fields":["number","lines.quantity"],"rows":[{"field":"state","op":"eq","value":"open"}],
 *                "aggregates":false}],
 *      "series":[{"things":["m-01"],"model":"model1","metrics":["volt"],"resolution":"hourly"}],
 *      "purpose":"…","from":time|null,"to":time|null,"onward":false,"min_group":5,"confidentiality":"…"|null}
 *
 * terms_parse looks at the form alone; terms_mask_check holds it against the types that are installed; terms_lens
 * compiles it for one type. Everything lives in the arena given.
 */
#ifndef TRUST_TERMS_H
#define TRUST_TERMS_H

#include "base/arena.h"
#include "base/json.h"
#include "base/jw.h"
#include "model/catalog.h"
#include "model/lens.h"

#define TERMS_TYPES_MAX 64
#define TERMS_FIELDS_MAX 256
#define TERMS_SERIES_MAX 32
#define TERMS_NAMES_MAX 1000 /* things or metrics of one series */
#define TERMS_TEXT_MAX 20000 /* bytes of the confidentiality text */
#define TERMS_BYTES_MAX 262144
#define TERMS_MIN_GROUP_MAX 1000

struct terms_row {
    Str field, op, value; /* op: "eq" "ne" "lt" "le" "gt" "ge"; value in the field's outside form */
};
struct terms_type {
    Str type;
    Str *fields; /* "number", "quantity", "lines.quantity" */
    size_t n_fields;
    struct terms_row *rows;
    size_t n_rows;
    bool aggregates; /* only groups of at least min_group, no document by itself */
};
struct terms_series {
    Str *things; /* NULL: every thing */
    size_t n_things;
    Str model; /* empty: any */
    Str *metrics;
    size_t n_metrics;
    bool every_metric;
    enum { TERMS_RAW, TERMS_HOURLY, TERMS_INDEX } resolution;
};
struct terms {
    struct terms_type *types;
    size_t n_types;
    struct terms_series *series;
    size_t n_series;
    Str purpose, confidentiality; /* confidentiality empty: none */
    Nanos from, to;               /* INT64_MIN, INT64_MAX: open */
    bool onward;
    uint32_t min_group;
};

/* How the terms are held against what the platform knows. */
struct terms_world {
    const struct catalog *(*catalog)(void *ctx);
    /* The value of a condition, as the type's documents keep it; an unknown field or a wrong value is ERR_INVALID. */
    Err (*value)(void *ctx, const struct doctype *type, Str field, Str text, struct arena *arena, Value *out);
    void *ctx;
};

/* ERR_INVALID names the member, as "types.0.fields.2". */
Err terms_parse(const struct json *json, struct arena *arena, struct terms *out);
Err terms_parse_text(Str text, struct arena *arena, struct terms *out);
/* Unknown types, fields, models and metrics, fields that are secret or the owner's own, conditions that cannot be. */
Err terms_mask_check(const struct terms *terms, PartyId owner, const struct terms_world *world);
void terms_write(const struct terms *terms, struct jw *w); /* a JSON object, normalised */

/* Columns that every document has, as terms name them; bit c of a lens's base_hidden is column c. */
struct terms_mask_base_column {
    const char *name, *title_en, *title_zh;
    unsigned column;
};
extern const struct terms_mask_base_column terms_mask_base[]; /* ends with name NULL */

const struct terms_type *terms_of_type(const struct terms *terms, Str type); /* or NULL: not given */
/* The masks and rows for a type; what is no longer in the type is not given. ERR_INVALID: a condition that no longer
 * holds against the type, and then nothing is given. */
struct terms_mask {
    uint64_t fields, lines[DOCTYPE_LINES_MAX];
    uint32_t base_hidden;
    struct lens_condition *rows;
    size_t n_rows;
};
Err terms_mask(const struct terms_type *given, const struct doctype *type, PartyId owner,
               const struct terms_world *world, struct arena *arena, struct terms_mask *out);
struct lens_grant *terms_mask_grants(const struct terms *terms, struct arena *arena); /* [n_series] */

#endif
