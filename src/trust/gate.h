/*
 * The read gate: the only place that builds lenses. Rules are listed in model/gate_rules.def.
 *
 * Own party: what the role sees, without secrets and other parties' additions. Under an agreement: what its terms give,
 * and no more. Nobody stands above the owners: an operator reads its own party's data, or under an agreement.
 */
#ifndef TRUST_GATE_H
#define TRUST_GATE_H

#include "base/arena.h"
#include "base/err.h"
#include "model/doctype.h"
#include "model/lens.h"
#include "model/principal.h"

struct agreements;

/* What `who` may see of documents of `type` (NULL: of things and series). ERR_FORBIDDEN when nothing. */
Err gate_lens(const struct principal *who, const struct doctype *type, const char *purpose, struct lens *out);
/* The same of another party's data under an active agreement; what the lens points to lives in the arena. */
Err gate_lens_agreement(struct agreements *agreements, const struct principal *who, int64_t agreement,
                        const struct doctype *type, struct arena *arena, struct lens *out);
/* For the owner: exactly the lens that the receiver gets, or would get, whatever the agreement's state. */
Err gate_lens_preview(struct agreements *agreements, const struct principal *owner, int64_t agreement,
                      const struct doctype *type, struct arena *arena, struct lens *out);

/* Is what every document has, by its name, shown? True for names that no document has. */
bool gate_shows_base(const struct lens *lens, Str name);

/* ---- things and series through a lens of type NULL */
bool gate_shows_thing(const struct lens *lens, Str thing, Str model);
/* Narrows to one metric of one thing: the finest that is given. False: not given, and nothing of it may be said. */
bool gate_lens_metric(const struct lens *lens, Str thing, Str model, Str metric, Nanos now, struct lens *out);

/* Of all that an agreement gives of series, its i-th part. */
struct lens gate_lens_grant(const struct lens *lens, size_t i);

/* Every field of who's own party (of every party: the system that stands in none): for an engine that has checked the
 * role and works on who's behalf. */
struct lens gate_lens_own(const struct principal *who, const char *reason);
/* The rows of a lens with every field: for looking something up in another table on its reader's behalf. */
struct lens gate_lens_rows(const struct lens *lens);
/* A lens for reading rows of `type` whole: what only goes with something shown (the currency of an amount) is read with
 * it, and so are these columns of the engine's own (a bit each), which are never shown. */
struct lens gate_lens_kept(const struct lens *lens, const struct doctype *type, uint32_t columns);
/* The system's own work on one party. */
struct lens gate_lens_party(PartyId party, const char *reason);
/* The system's own work over every party; each caller is listed, with its reason, in tools/check.sh. */
struct lens gate_lens_system(const char *reason);

#endif
