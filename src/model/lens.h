/*
 * A lens: what one reader may see of one owner's data, under one title: its own party's role, or one agreement. Every
 * read of the store takes one; only trust/gate.c builds them. What a lens hides does not exist: not in an answer, its
 * order, its counts, nor in what may be searched.
 */
#ifndef MODEL_LENS_H
#define MODEL_LENS_H

#include "model/doctype.h"

/* A condition on rows: the field's value, as in struct doc, compared with another. Rows without the value fail it. */
struct lens_condition {
    unsigned field; /* index into type->fields, or LENS_STATE */
    enum doc_op op; /* no DOC_CONTAINS */
    Value value;    /* LENS_STATE: the state's name */
};
#define LENS_STATE 255u
#define LENS_ROWS_MAX 16

/* What an agreement gives of series: of these things these metrics, this finely. */
struct lens_grant {
    const char *const *things;  /* names, ends with NULL; NULL: every thing … */
    const char *model;          /* … of this model; NULL: of any */
    const char *const *metrics; /* names, ends with NULL; NULL: every metric */
    Nanos resolution;           /* as in the lens */
    bool index;                 /* never a level: the first hour that is shown counts 100 */
};

struct lens {
    PartyId party;                     /* rows of this party only … */
    bool every_party;                  /* … unless set (the system's own work) */
    uint64_t fields;                   /* bit i: field i of the document type may be seen; all ones = every field */
    uint32_t base_hidden;              /* bit c: column c that every document has ("number", "state", …) is hidden */
    uint64_t lines[DOCTYPE_LINES_MAX]; /* the same as fields for the fields of the k-th list of lines */
    const struct lens_condition *rows; /* all must hold; NULL: every row of the party */
    size_t n_rows;                     /* at most LENS_ROWS_MAX */
    bool aggregates;                   /* only groups are shown, never a row */
    bool index;                        /* series have no level: see struct lens_grant */
    Nanos resolution;                  /* coarsest detail of series: 0 = raw; spans shorter than it are not answered */
    Nanos from, to;                    /* period of series that may be seen, from <= t < to */
    const struct lens_grant *grants;   /* under an agreement: all that may be seen of series; own party: not asked */
    size_t n_grants;
    uint32_t min_group;  /* aggregates over fewer rows are withheld; 0: none is */
    int64_t agreement;   /* 0: an own-party read, which is no disclosure */
    uint64_t version;    /* of what it was made from: a cached lens with an older one is made again */
    uint64_t hash;       /* of all of it, for the log of disclosures */
    const char *purpose; /* for the log of disclosures; lives as long as the lens */
};

#endif
