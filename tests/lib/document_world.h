/* A company with its records, people, documents and things in a fresh folder, for the tests of the document room. */
#ifndef TESTS_LIB_DOCUMENT_WORLD_H
#define TESTS_LIB_DOCUMENT_WORLD_H

#include "document/documents.h"
#include "document/things.h"
#include "store/records.h"
#include "trust/people.h"

struct document_world {
    const char *dir;
    Nanos now; /* what the clock says; every reading adds a millisecond */
    struct clock clock;
    struct records *records;
    struct people *people;
    struct seal *seal;
    struct documents *documents;
    struct arena arena;
    PartyId acme, other;
    struct principal system, manager, technician, viewer, stranger; /* stranger: manager of the other party */
};

extern const struct doctype document_world_order, document_world_part;

bool document_world_open(struct document_world *world); /* dir NULL: a fresh one */
void document_world_close(struct document_world *world);

#endif
