/* What a party may settle for itself, kept as one JSON object: {"worker_links":true,"second_factor":["manager"]}. */
#ifndef TRUST_PEOPLE_SETTINGS_H
#define TRUST_PEOPLE_SETTINGS_H

#include "base/err.h"
#include "base/json.h"

/* ERR_INVALID names the setting that is unknown or of the wrong kind. */
Err people_settings_check(const struct json *settings);
/* As kept; what is missing or damaged is as in a new party: no worker links, no second factor asked for. */
void people_settings_read(Str text, bool *worker_links, unsigned *factor_roles);
/* What stands, with what `change` names in its place. */
void people_settings_merge(Str standing, const struct json *change, struct buf *out);

#endif
