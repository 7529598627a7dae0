/* A model of thing: what its machines measure, which limits hold, which components wear, what they can be told. Packs
 * say them (model/pack.h). */
#ifndef MODEL_THING_MODEL_H
#define MODEL_THING_MODEL_H

#include "model/principal.h"
#include "model/thing_keep.h"

struct thing_metric {
    const char *name, *title_en, *title_zh;
    const char *unit;       /* for people: "V", "r/min", "bar" */
    double low, high;       /* alarm limits; NaN: none */
    const char *component;  /* the component it speaks of, or NULL */
    struct thing_keep keep; /* its own; where it says nothing, the model's */
};

struct thing_component {
    const char *name, *title_en, *title_zh;
    double life_hours; /* planned wear life */
    const char *part;  /* number of the part that replaces it */
    const char *skill; /* the skill a technician needs */
};

enum thing_value { THING_NUMBER, THING_BOOL, THING_TEXT };

struct thing_attribute {
    const char *name, *title_en, *title_zh;
    enum thing_value kind;
    const char *unit; /* or NULL */
};

struct thing_command {
    const char *name, *title_en, *title_zh;
    unsigned roles; /* ROLE_BIT mask: who may give it */
    const struct thing_attribute *takes;
    size_t n_takes;
};

struct thing_model {
    const char *name, *title_en, *title_zh;
    const struct thing_metric *metrics;
    size_t n_metrics;
    const struct thing_component *components;
    size_t n_components;
    const char *code_metric; /* a string metric whose values are fault codes, or NULL */
    bool closed;             /* unknown metrics go to the dead-letter log */
    const struct thing_attribute *attributes;
    size_t n_attributes;
    const struct thing_command *commands;
    size_t n_commands;
    const char *pack;       /* the pack it comes from */
    struct thing_keep keep; /* of every metric, those not named here among them */
};

const struct thing_metric *thing_model_metric(const struct thing_model *model, Str name);       /* or NULL */
struct thing_keep thing_model_keep(const struct thing_model *model, Str metric);                /* what is said of it */
const struct thing_component *thing_model_component(const struct thing_model *model, Str name); /* or NULL */

#endif
