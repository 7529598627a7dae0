/* What somebody gives of a document or of a line of one: values, read on the caller's thread, with every fault. */
#ifndef DOCUMENT_DOC_INPUT_H
#define DOCUMENT_DOC_INPUT_H

#include "document/doc_engine.h"
#include "document/doc_faults.h"

struct doc_input {
    struct documents *d;
    const struct doctype *type;
    PartyId party;    /* whose own fields may be given; 0: nobody's */
    uint64_t allowed; /* fields that may be given by a person */
    struct arena *arena;
    struct doc_faults *faults;

    Value values[DOCTYPE_FIELDS_MAX];
    uint64_t by_code, by_person; /* which were given, and by whom */
    uint64_t faulty;             /* given, but not understood */
    struct doc_lines lines[DOCTYPE_LINES_MAX];
};

void doc_input_code(struct doc_input *in, const struct doc_set *set, size_t n);
void doc_input_json(struct doc_input *in, const struct json *object);
int doc_input_lines_at(const struct doctype *type, size_t field); /* the k of the k-th list; -1: no list */

#endif
