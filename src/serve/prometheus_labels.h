/*
 * Labels of a series, in order of their names, and how what Weft knows becomes labels:
 *
 *     __name__   measurement.field with '_' for what Prometheus does not allow; other than ASCII letters stay
 *     metric     the name exactly as it is;  unit: as the model declares it
 *     thing, model, every tag @x as x, and k of metric{k=v}
 *
 * __name__, metric and unit say which metric it is: what computes a new value drops the three together.
 */
#ifndef SERVE_PROMETHEUS_LABELS_H
#define SERVE_PROMETHEUS_LABELS_H

#include "base/buf.h"
#include "serve/prometheus_tree.h"

struct prometheus_label {
    Str name, value;
};
struct prometheus_labels {
    struct prometheus_label *items;
    size_t n;
};

/* "readings.velocity" becomes "readings_velocity"; without what stands in braces behind it. */
Str prometheus_labels_metric(Str metric, struct arena *arena);
/* "cpu.idle{cpu=cpu0}": "cpu.idle", and labels into out, which has room; returns how many. */
Str prometheus_labels_base(Str metric);
size_t prometheus_labels_split(Str metric, struct prometheus_label *out, size_t most, struct arena *arena);
/* Of a tag, as a label that can be written in PromQL: "line no" becomes "line_no", "thing" becomes "tag_thing". */
Str prometheus_labels_tag(Str tag, struct arena *arena);

bool prometheus_labels_names_metric(Str name);                               /* __name__, metric, unit */
Str prometheus_labels_get(const struct prometheus_labels *labels, Str name); /* empty: it has none */
/* Room is there. One of that name stays as it is; an empty value is none. */
void prometheus_labels_add(struct prometheus_labels *labels, Str name, Str value);
int prometheus_labels_cmp(const struct prometheus_labels *a, const struct prometheus_labels *b);
/* The same text for the same labels. */
void prometheus_labels_key(const struct prometheus_labels *labels, struct buf *out);

/* Copies: those listed alone; all but those listed and but the metric's name; one more or another value. */
struct prometheus_labels prometheus_labels_keep(const struct prometheus_labels *labels, const Str *names, size_t n,
                                                struct arena *arena);
struct prometheus_labels prometheus_labels_drop(const struct prometheus_labels *labels, const Str *names, size_t n,
                                                struct arena *arena);
struct prometheus_labels prometheus_labels_with(const struct prometheus_labels *labels, Str name, Str value,
                                                struct arena *arena);

bool prometheus_labels_match(const struct prometheus_matcher *matcher, Str value);
bool prometheus_labels_match_metric(const struct prometheus_matcher *matcher, Str shown, Str metric);

#endif
