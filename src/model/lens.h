/*
 * A lens: what one reader may see. Every read of the store takes one; only trust/gate.c builds them.
 * Own-party lenses see all of the party; agreements narrow fields, rows, resolution and period.
 */
#ifndef MODEL_LENS_H
#define MODEL_LENS_H

#include "model/value.h"

struct lens {
    PartyId party;       /* rows of this party only … */
    bool every_party;    /* … unless set (the system's own work) */
    uint64_t fields;     /* bit i: field i of the document type may be seen; all ones = every field */
    Nanos resolution;    /* coarsest detail of series: 0 = raw */
    Nanos from, to;      /* period of series that may be seen, from <= t < to */
    const char *purpose; /* for the log of disclosures; static text */
};

#endif
