/* A model of thing: what its machines measure, which limits hold, which components wear. Const tables today, packs
 * later. */
#ifndef MODEL_THING_MODEL_H
#define MODEL_THING_MODEL_H

#include "model/value.h"

struct thing_metric {
    const char *name, *title_en, *title_zh;
    const char *unit;      /* for people: "V", "r/min", "bar" */
    double low, high;      /* alarm limits; NaN: none */
    const char *component; /* the component it speaks of, or NULL */
};

struct thing_component {
    const char *name, *title_en, *title_zh;
    double life_hours; /* planned wear life */
    const char *part;  /* number of the part that replaces it */
    const char *skill; /* the skill a technician needs */
};

struct thing_model {
    const char *name, *title_en, *title_zh;
    const struct thing_metric *metrics;
    size_t n_metrics;
    const struct thing_component *components;
    size_t n_components;
    const char *code_metric; /* a string metric whose values are fault codes, or NULL */
    bool closed;             /* unknown metrics go to the dead-letter log */
};

const struct thing_metric *thing_model_metric(const struct thing_model *model, Str name);       /* or NULL */
const struct thing_component *thing_model_component(const struct thing_model *model, Str name); /* or NULL */

#endif
