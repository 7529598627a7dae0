/*
 * What makes a password good enough (NIST SP 800-63B): long, not one that everybody tries first, not the person's own
 * name. Nothing about kinds of characters, and no expiry.
 */
#ifndef TRUST_PASSWORD_H
#define TRUST_PASSWORD_H

#include "base/err.h"
#include "base/str.h"

#define PASSWORD_LENGTH_MIN 10 /* bytes */

/* ERR_INVALID says why not. name: whose it is to be. */
Err password_check(Str password, Str name);

#endif
