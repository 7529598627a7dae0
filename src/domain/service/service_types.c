#include "domain/service/service_types.h"

#include <math.h>

#include "domain/service/service_docs.h"

const struct doctype *const service_types[] = {
    &service_docs_alarm,       &service_docs_prediction, &service_docs_fault,
    &service_docs_maintenance, &service_docs_work_order, &service_docs_part,
    &service_docs_reservation, &service_docs_technician, NULL,
};

/*
 * The four models of the recorded fleet (packs/machinery/demo): the recording gives each machine a model number and
 * the same four sensors and components. Which sensor speaks of which component was read off the recording (the 24 h
 * mean of exactly one sensor shifts before each component's failures). The recording names no units, no parts and no
 * skills; those are ours, the units chosen to fit the values' size.
 * Limits: about 1 reading in 5,000 of the healthy recording lies beyond each of them.
 * Life: the mean time between two replacements of the component in the recording of the twenty machines, rounded.
 */
static const struct thing_metric press_metrics[] = {
    {"volt", "Voltage", "电压", "V", 118, 226, "comp1"},
    {"rotate", "Rotation speed", "转速", "r/min", 240, 626, "comp2"},
    {"pressure", "Hydraulic pressure", "液压压力", "bar", 67, 146, "comp3"},
    {"vibration", "Vibration", "振动", "μm", 22.5, 63, "comp4"},
    {"error", "Fault code", "故障码", "", NAN, NAN, NULL},
};

static const struct thing_component press_components[] = {
    {"comp1", "Drive power unit", "驱动电源单元", 1500, "PN-1001", "electrical"},
    {"comp2", "Spindle bearing set", "主轴轴承组", 1300, "PN-2001", "mechanical"},
    {"comp3", "Hydraulic pump", "液压泵", 1600, "PN-3001", "hydraulic"},
    {"comp4", "Coupling and dampers", "联轴器与减振组", 1500, "PN-4001", "mechanical"},
};

#define PRESS(model_name, en, zh)                                                                                      \
    {                                                                                                                  \
        .name = model_name, .title_en = en, .title_zh = zh, .metrics = press_metrics,                                  \
        .n_metrics = sizeof press_metrics / sizeof *press_metrics, .components = press_components,                     \
        .n_components = sizeof press_components / sizeof *press_components, .code_metric = "error"                     \
    }
static const struct thing_model model1 = PRESS("model1", "Model 1", "1 型设备");
static const struct thing_model model2 = PRESS("model2", "Model 2", "2 型设备");
static const struct thing_model model3 = PRESS("model3", "Model 3", "3 型设备");
static const struct thing_model model4 = PRESS("model4", "Model 4", "4 型设备");

const struct thing_model *const service_types_models[] = {&model1, &model2, &model3, &model4, NULL};

const struct thing_model *service_types_model(Str name) {
    for (const struct thing_model *const *m = service_types_models; *m; m++)
        if (str_eq_c(name, (*m)->name)) return *m;
    return NULL;
}
