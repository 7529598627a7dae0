/* The read gate: the only place that builds lenses. */
#ifndef TRUST_GATE_H
#define TRUST_GATE_H

#include "base/err.h"
#include "model/doctype.h"
#include "model/lens.h"
#include "model/principal.h"

/* What `who` may see of documents of `type` (NULL: of things and series). ERR_FORBIDDEN when nothing. */
Err gate_lens(const struct principal *who, const struct doctype *type, const char *purpose, struct lens *out);
/* Every field of who's own party (of every party: the system that stands in none): for an engine that has checked the
 * role and works on who's behalf. */
struct lens gate_lens_own(const struct principal *who, const char *reason);
/* The rows of a lens with every field: for looking something up in another table on its reader's behalf. */
struct lens gate_lens_rows(const struct lens *lens);
/* The system's own work on one party. */
struct lens gate_lens_party(PartyId party, const char *reason);
/* The system's own work over every party; each caller is listed, with its reason, in tools/check.sh. */
struct lens gate_lens_system(const char *reason);

#endif
