/* All that is wrong with one input, in one error: "severity: missing; value: a number wanted, not text". */
#ifndef DOCUMENT_DOC_FAULTS_H
#define DOCUMENT_DOC_FAULTS_H

#include "base/err.h"
#include "base/str.h"

struct doc_faults { /* zero value: none */
    size_t n, n_hidden, len;
    enum err_code code; /* of the first */
    char at[80];        /* goes before the field's name: "items[3]."; changed by who reads lines */
    char text[208];     /* leaves room for "; and 63 more" */
};

void doc_faults_add(struct doc_faults *faults, enum err_code code, const char *field, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));
Err doc_faults_err(const struct doc_faults *faults); /* none, or all of them */

#endif
