/* Answers as clients of Prometheus read them: {"status":"success","data":{"resultType":…,"result":…}}. */
#ifndef SERVE_PROMETHEUS_JSON_H
#define SERVE_PROMETHEUS_JSON_H

#include "base/jw.h"
#include "serve/prometheus_eval.h"
#include "serve/prometheus_range.h"

#define PROMETHEUS_JSON_NUMBER_MAX 400
/* The shortest text of the number, without exponent: "0.000001", "NaN", "+Inf". */
Str prometheus_json_number(double v, char out[PROMETHEUS_JSON_NUMBER_MAX]);
/* Seconds with three decimals when there are any: 1700000000.500 */
Str prometheus_json_time(Nanos t, char out[PROMETHEUS_JSON_NUMBER_MAX]);

void prometheus_json_labels(struct jw *w, const struct prometheus_labels *labels);
/* "resultType" and "result", into the open object "data". matrix: of query_range. */
void prometheus_json_value(struct jw *w, const struct prometheus_eval *eval, struct prometheus_value *value,
                           bool matrix);
void prometheus_json_samples(struct jw *w, struct prometheus_samples *samples, size_t n);

#endif
