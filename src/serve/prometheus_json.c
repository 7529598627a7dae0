#include "serve/prometheus_json.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/num.h"

/* "1.5e-07" or "12e+20" as digits alone. */
static Str without_exponent(Str text, char *out) {
    Str digits, tail;
    int64_t exponent = 0;
    size_t n = 0, point = 0, count = 0;
    char all[NUM_TEXT_MAX];
    if (!str_cut(text, 'e', &digits, &tail)) {
        memcpy(out, text.ptr, text.len);
        return str_n(out, text.len);
    }
    str_to_i64(tail.ptr[0] == '+' ? str_slice(tail, 1, tail.len) : tail, &exponent);
    bool minus = digits.ptr[0] == '-', seen = false;
    for (size_t i = minus; i < digits.len; i++) {
        if (digits.ptr[i] == '.') {
            seen = true;
            continue;
        }
        all[count++] = digits.ptr[i];
        if (!seen) point++;
    }
    int64_t place = (int64_t)point + exponent; /* of the point among the digits */
    if (minus) out[n++] = '-';
    if (place <= 0) {
        out[n++] = '0';
        out[n++] = '.';
        for (int64_t i = place; i < 0; i++) out[n++] = '0';
    }
    for (size_t i = 0; i < count; i++) {
        if (place > 0 && (int64_t)i == place) out[n++] = '.';
        out[n++] = all[i];
    }
    for (int64_t i = (int64_t)count; i < place; i++) out[n++] = '0';
    return str_n(out, n);
}

Str prometheus_json_number(double v, char out[PROMETHEUS_JSON_NUMBER_MAX]) {
    char text[NUM_TEXT_MAX];
    if (isnan(v)) return STR("NaN");
    if (isinf(v)) return v > 0 ? STR("+Inf") : STR("-Inf");
    if (v == 0) return signbit(v) ? STR("-0") : STR("0");
    return without_exponent(num_format(v, text), out);
}

Str prometheus_json_time(Nanos t, char out[PROMETHEUS_JSON_NUMBER_MAX]) {
    int64_t ms = t / NANOS_PER_MS;
    long long whole = ms / 1000, part = llabs(ms % 1000);
    int n =
        part ? snprintf(out, PROMETHEUS_JSON_NUMBER_MAX, "%s%lld.%03lld", ms < 0 && whole == 0 ? "-" : "", whole, part)
             : snprintf(out, PROMETHEUS_JSON_NUMBER_MAX, "%lld", whole);
    return str_n(out, (size_t)n);
}

void prometheus_json_labels(struct jw *w, const struct prometheus_labels *labels) {
    jw_object(w);
    for (size_t i = 0; i < labels->n; i++) {
        jw_key_str(w, labels->items[i].name);
        jw_str(w, labels->items[i].value);
    }
    jw_object_end(w);
}

static void write_point(struct jw *w, Nanos t, double v) {
    char text[PROMETHEUS_JSON_NUMBER_MAX];
    jw_array(w);
    jw_raw(w, prometheus_json_time(t, text));
    jw_str(w, prometheus_json_number(v, text));
    jw_array_end(w);
}

static int by_labels(const void *a, const void *b) {
    return prometheus_labels_cmp(&((const struct prometheus_series *)a)->labels,
                                 &((const struct prometheus_series *)b)->labels);
}

static void write_vector(struct jw *w, const struct prometheus_eval *eval, const struct prometheus_value *value) {
    for (size_t i = 0; i < value->n_series; i++) {
        if (prometheus_is_absent(value->series[i].values[0])) continue;
        jw_object(w);
        jw_key(w, "metric");
        prometheus_json_labels(w, &value->series[i].labels);
        jw_key(w, "value");
        write_point(w, eval->start, value->series[i].values[0]);
        jw_object_end(w);
    }
}

static void write_row(struct jw *w, const struct prometheus_eval *eval, const struct prometheus_labels *labels,
                      const double *values) {
    size_t first = 0;
    while (first < eval->n && prometheus_is_absent(values[first])) first++;
    if (first == eval->n) return; /* never there: no series */
    jw_object(w);
    jw_key(w, "metric");
    prometheus_json_labels(w, labels);
    jw_key(w, "values");
    jw_array(w);
    for (size_t i = first; i < eval->n; i++)
        if (!prometheus_is_absent(values[i])) write_point(w, prometheus_time(eval, i), values[i]);
    jw_array_end(w);
    jw_object_end(w);
}

void prometheus_json_value(struct jw *w, const struct prometheus_eval *eval, struct prometheus_value *value,
                           bool matrix) {
    const char *kind = matrix                             ? "matrix"
                       : value->type == PROMETHEUS_SCALAR ? "scalar"
                       : value->type == PROMETHEUS_STRING ? "string"
                                                          : "vector";
    const struct prometheus_labels none = {NULL, 0};
    char time[PROMETHEUS_JSON_NUMBER_MAX];
    jw_kc(w, "resultType", kind);
    jw_key(w, "result");
    if (value->n_series > 0 && (matrix || !value->ordered))
        qsort(value->series, value->n_series, sizeof *value->series, by_labels);
    if (!matrix && value->type == PROMETHEUS_SCALAR) {
        write_point(w, eval->start, value->scalar[0]);
        return;
    }
    jw_array(w);
    if (value->type == PROMETHEUS_STRING) {
        jw_raw(w, prometheus_json_time(eval->start, time));
        jw_str(w, value->text);
    } else if (!matrix) {
        write_vector(w, eval, value);
    } else if (value->type == PROMETHEUS_SCALAR) {
        write_row(w, eval, &none, value->scalar);
    } else {
        for (size_t i = 0; i < value->n_series; i++)
            write_row(w, eval, &value->series[i].labels, value->series[i].values);
    }
    jw_array_end(w);
}

static int samples_by_labels(const void *a, const void *b) {
    return prometheus_labels_cmp(&((const struct prometheus_samples *)a)->labels,
                                 &((const struct prometheus_samples *)b)->labels);
}

void prometheus_json_samples(struct jw *w, struct prometheus_samples *samples, size_t n) {
    if (n > 0) qsort(samples, n, sizeof *samples, samples_by_labels);
    jw_kc(w, "resultType", "matrix");
    jw_key(w, "result");
    jw_array(w);
    for (size_t i = 0; i < n; i++) {
        if (samples[i].n == 0) continue;
        jw_object(w);
        jw_key(w, "metric");
        prometheus_json_labels(w, &samples[i].labels);
        jw_key(w, "values");
        jw_array(w);
        for (size_t k = 0; k < samples[i].n; k++) write_point(w, samples[i].times[k], samples[i].values[k]);
        jw_array_end(w);
        jw_object_end(w);
    }
    jw_array_end(w);
}
