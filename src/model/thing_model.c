#include "model/thing_model.h"

const struct thing_metric *thing_model_metric(const struct thing_model *model, Str name) {
    for (size_t i = 0; i < model->n_metrics; i++)
        if (str_eq_c(name, model->metrics[i].name)) return &model->metrics[i];
    return NULL;
}

const struct thing_component *thing_model_component(const struct thing_model *model, Str name) {
    for (size_t i = 0; i < model->n_components; i++)
        if (str_eq_c(name, model->components[i].name)) return &model->components[i];
    return NULL;
}

struct thing_keep thing_model_keep(const struct thing_model *model, Str name) {
    const struct thing_metric *metric = thing_model_metric(model, name);
    return metric ? thing_keep_over(metric->keep, model->keep) : model->keep;
}
