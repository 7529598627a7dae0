/*
 * The second factor: a TOTP secret in the person's app (trust/totp.h), sealed where it is kept, and ten recovery codes
 * that are good once each.
 */
#ifndef TRUST_PEOPLE_FACTOR_H
#define TRUST_PEOPLE_FACTOR_H

#include "base/arena.h"
#include "base/err.h"
#include "trust/people_session.h"

#define PEOPLE_FACTOR_CODES 10
#define PEOPLE_FACTOR_CODE_MAX 16

/* A new secret for the person of a session, not in force before a code of it was confirmed. secret: base32. ERR_STATE:
 * there is one already; take it away first. */
Err people_factor_begin(struct people *people, Str session, struct arena *arena, Str *secret);
/* In force from now on; the recovery codes are told once. ERR_INVALID: the code is wrong. */
Err people_factor_confirm(struct people *people, Str session, Str code,
                          char recovery[PEOPLE_FACTOR_CODES][PEOPLE_FACTOR_CODE_MAX]);
/* Taken away; needs a code too. ERR_FORBIDDEN: the code is wrong, or the party asks for a second factor. */
Err people_factor_remove(struct people *people, Str session, Str code);
bool people_factor_set(struct people *people, int64_t user);

#endif
