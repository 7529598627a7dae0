/*
 * The names of things (unique in a party) and of metrics (one dictionary), and the dense numbers they stand for.
 * Finding is lock-free; a new name takes a lock. Nothing is ever removed; memory grows with what is used.
 *
 * A new name waits in a list until the log takes it (series_names_take), which happens before any row that uses it is
 * written.
 */
#ifndef STORE_SERIES_NAMES_H
#define STORE_SERIES_NAMES_H

#include "base/buf.h"
#include "base/err.h"
#include "model/value.h"

enum series_name_kind { SERIES_NAME_THING, SERIES_NAME_METRIC, SERIES_NAME_KINDS };

struct series_names;

struct series_names *series_names_new(void);
void series_names_free(struct series_names *names);
bool series_names_find(const struct series_names *names, enum series_name_kind kind, PartyId party, Str name,
                       uint32_t *id);
Err series_names_add(struct series_names *names, enum series_name_kind kind, PartyId party, Str name, uint32_t *id);
bool series_names_get(const struct series_names *names, enum series_name_kind kind, uint32_t id, PartyId *party,
                      Str *name);
PartyId series_names_party(const struct series_names *names, ThingId thing); /* 0: no such thing */
uint64_t series_names_bytes(const struct series_names *names);               /* the memory they take */
uint32_t series_names_count(const struct series_names *names, enum series_name_kind kind);

/* Stored form: u32 id, u32 party, u8 kind, u8 length, bytes. */
void series_names_take(struct series_names *names, struct buf *into); /* appends what waits, and forgets it */
/* Appends every name whose id is above from[kind], and moves from[] up. */
void series_names_dump(const struct series_names *names, uint32_t from[SERIES_NAME_KINDS], struct buf *into);
/* Reads names back, in the order of their numbers. ERR_CORRUPT: not well-formed, or at odds with what is known. */
Err series_names_load(struct series_names *names, Str stored);

#endif
