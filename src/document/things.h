/* Things: the machines themselves, as the records know them. Names are unique in a party. Look-ups are answered from
 * memory. */
#ifndef DOCUMENT_THINGS_H
#define DOCUMENT_THINGS_H

#include "base/arena.h"
#include "base/err.h"
#include "model/lens.h"
#include "model/principal.h"
#include "os/clock.h"

struct catalog_cell;
struct records;
struct thing_model;
struct things;

struct thing_row {
    PartyId party;
    Str name, model;            /* model: a thing_model's name; unknown names are open models */
    Str attributes;             /* JSON object or empty */
    double latitude, longitude; /* WGS 84 degrees; NaN: unknown */
    Nanos commissioned;         /* when it went into service; 0 unknown */
    Nanos created;
};
Err things_open(struct records *records, const struct clock *clock, struct things **out);
/* Where models are looked up; set before threads start. NULL: every model is open. */
void things_use(struct things *things, const struct catalog_cell *catalog);
void things_close(struct things *things);
/* Makes or updates (empty or NaN members leave what stands). Audited. Waits for the commit. */
Err things_put(struct things *things, const struct principal *by, const struct thing_row *row);
/* As things_put for all of them, in one transaction: all or none. ERR_… names the row as "row 3: …", from 1. */
Err things_put_many(struct things *things, const struct principal *by, const struct thing_row *rows, size_t n);
/* As things_put with only party, name and model, without waiting: for devices seen the first time, on any thread. */
void things_seen(struct things *things, PartyId party, Str name, Str model);
bool things_get(struct things *things, PartyId party, Str name, struct arena *arena, struct thing_row *out);
/* Model's name only, no copy of the rest; false: unknown thing. */
bool things_model(struct things *things, PartyId party, Str name, char out[64]);
/* What is declared of its model; NULL: an open model, or an unknown thing. */
const struct thing_model *things_model_of(struct things *things, PartyId party, Str name);
const struct thing_model *things_model_named(const struct things *things, Str model); /* NULL: an open model */
Err things_list(struct things *things, const struct lens *lens, Str model, struct arena *arena, struct thing_row **out,
                size_t *n); /* by name */
/* A page of a party's things by name: those behind `after` that are wanted (NULL: all), at most `limit`; costs no more
 * than looking at these. `wanted` is called with things locked: it only looks. */
struct things_ask {
    PartyId party;
    bool every_party; /* by party, then; `after` is a name of `party` */
    Str after;
    size_t limit;
    bool (*wanted)(void *ctx, const struct thing_row *row);
    void *ctx;
};
void things_page(struct things *things, const struct things_ask *ask, struct arena *arena, struct thing_row **out,
                 size_t *n);
size_t things_count(struct things *things, PartyId party);
uint64_t things_bytes(struct things *things); /* the memory they take */

#endif
