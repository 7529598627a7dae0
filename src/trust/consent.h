/*
 * What an owner should know before agreeing: fields and metrics that tell of persons, customers, prices or output, each
 * by itself or together. It goes by what packs say (field.reveals), by a field's kind and format, and by words in its
 * name and titles in Chinese and English; it warns, it never forbids.
 */
#ifndef TRUST_CONSENT_H
#define TRUST_CONSENT_H

#include "trust/terms.h"

enum consent_severity { CONSENT_INFO, CONSENT_WARNING, CONSENT_SERIOUS };
struct consent_warning {
    enum consent_severity severity;
    Str text_en, text_zh;
    Str *fields; /* "order.price" */
    size_t n_fields;
};

enum reveals consent_reveals(const struct field *field);
enum reveals consent_metric_reveals(Str metric);
const char *consent_severity_name(enum consent_severity severity); /* "info" "warning" "serious" */
void consent_warnings(const struct terms *terms, const struct terms_world *world, struct arena *arena,
                      struct consent_warning **out, size_t *n);

#endif
