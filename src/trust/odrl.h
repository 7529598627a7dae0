/*
 * An agreement as an ODRL 2.2 policy in JSON-LD (W3C Recommendation of 15 February 2018), for whoever speaks it. What
 * ODRL has no word for (fields, conditions on rows, the smallest group) are left operands of our own profile,
 * urn:weft:odrl:1. It says what was agreed; it is never read back.
 */
#ifndef TRUST_ODRL_H
#define TRUST_ODRL_H

#include "base/jw.h"
#include "trust/agreements.h"

#define ODRL_PROFILE "urn:weft:odrl:1"

/* "Offer" until both sides agreed, then "Agreement". */
void odrl_write(const struct agreement *agreement, const struct terms *terms, Str owner, Str receiver, struct jw *w);

#endif
