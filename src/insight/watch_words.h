/* What findings say to people, in both languages. Texts live in the arena. Private to the watch. */
#ifndef INSIGHT_WATCH_WORDS_H
#define INSIGHT_WATCH_WORDS_H

#include "insight/watch_judge.h"

/* "Voltage: 24 h mean 190.9 V, own baseline 171.0 ± 3.4 V (+5.9 deviations)" */
struct finding_reason watch_words_shift(struct arena *arena, const struct thing_metric *metric, double mean,
                                        double centre, double spread, bool own, double weight);
/* "Voltage 229 V, above its limit of 226 V" */
struct finding_reason watch_words_limit(struct arena *arena, const struct thing_metric *metric, double value);
/* "Fault code error1 in the last 24 h: 14 times as frequent before such failures as usual" */
struct finding_reason watch_words_code(struct arena *arena, Str code, double times, double weight);
/* "Drive power unit in use for 2310 h; replaced after 2390 h on average" */
struct finding_reason watch_words_age(struct arena *arena, const struct thing_component *component, double hours,
                                      double mean, double weight);

/* Why the model thinks the component of this machine will fail, weightiest first; how many. */
size_t watch_words_reasons(struct arena *arena, const struct watch_machine *machine, size_t component,
                           const struct failure_look *look, Nanos at, struct finding_reason out[FINDING_REASONS_MAX]);

#endif
