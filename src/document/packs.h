/*
 * The packs of a data folder: those that come with the program and those installed in DATA/packs/NAME, compiled into
 * the catalog in force; and the fields that parties added (DATA/packs/fields.json). Installing, upgrading, removing and
 * adding a field are checked whole before anything changes, replace the folder at one stroke, and bring the documents
 * that stand along. Any thread; calls wait for the disk.
 */
#ifndef DOCUMENT_PACKS_H
#define DOCUMENT_PACKS_H

#include "model/catalog.h"
#include "model/pack.h"

struct documents;
struct packs;
struct records;

struct packs_options {
    const char *dir;        /* the data folder */
    struct file_system *fs; /* NULL: the disk */
    struct records *records;
};
/* ERR_INVALID names the first fault of an installed pack that this program cannot use. */
Err packs_open(const struct packs_options *options, struct packs **out);
void packs_close(struct packs *packs); /* after everything that holds a type or a model; NULL is fine */
const struct catalog_cell *packs_cell(const struct packs *packs);
const struct catalog *packs_catalog(const struct packs *packs);

/* Whom to tell of new types (documents_retype), once the engine is open with those of the catalog; brings along rows
 * that an interrupted upgrade left behind. NULL: nobody, and nothing can be changed. */
typedef Err packs_retype_fn(struct documents *documents, const struct doctype *const *types);
Err packs_attach(struct packs *packs, struct documents *documents, packs_retype_fn *retype);
/* Called after the catalog changed. Set before threads start. */
void packs_on_change(struct packs *packs, void (*fn)(void *ctx), void *ctx);

/* What installing would do, in words. */
struct packs_step {
    const char *type;   /* document type, or "" */
    const char *action; /* "add type", "add field", "rename field", "drop field", "change field", "keep", … */
    const char *detail;
    bool refused; /* stands in the way */
};
struct packs_plan {
    struct arena *arena;
    struct packs_step *steps;
    size_t n, cap, refused;
};

/* Checks a pack together with those installed (it replaces the one of its name). False: faults has errors. */
bool packs_check(struct packs *packs, const struct pack_source *source, struct pack_faults *faults);
/* Installs or upgrades; dry: only says the plan. ERR_INVALID: see faults; ERR_CONFLICT: see the refused steps. */
Err packs_install(struct packs *packs, const struct pack_source *source, bool dry, struct pack_faults *faults,
                  struct packs_plan *plan);
/* ERR_CONFLICT: built in, another pack needs it, or documents of its types stand (the plan says which). */
Err packs_remove(struct packs *packs, Str name, struct packs_plan *plan);

/* A field of the party's own, seen by nobody else. declaration: as in a pack. The name it got is x_NAME, with a number
 * behind it when another one has that. */
Err packs_add_field(struct packs *packs, PartyId party, Str type, Str name, Str declaration, struct pack_faults *faults,
                    struct arena *arena, Str *got);
Err packs_remove_field(struct packs *packs, PartyId party, Str type, Str name); /* its column stays, unseen */

#endif
