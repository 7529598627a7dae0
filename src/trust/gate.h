/* The read gate: the only place that builds lenses. */
#ifndef TRUST_GATE_H
#define TRUST_GATE_H

#include "base/err.h"
#include "model/doctype.h"
#include "model/lens.h"
#include "model/principal.h"

/* What `who` may see of documents of `type` (NULL: of things and series). ERR_FORBIDDEN when nothing. */
Err gate_lens(const struct principal *who, const struct doctype *type, const char *purpose, struct lens *out);
/* The system's own work over every party; each caller is listed, with its reason, in tools/check.sh. */
struct lens gate_lens_system(const char *reason);

#endif
