/*
 * One-time codes from a shared secret and the time: RFC 6238 over HMAC-SHA-1, steps of 30 s, six digits, as every
 * authenticator app knows them.
 */
#ifndef TRUST_TOTP_H
#define TRUST_TOTP_H

#include "base/str.h"
#include "base/time.h"

#define TOTP_SECRET_BYTES 20
#define TOTP_SECRET_TEXT 33 /* base32, with its NUL */
#define TOTP_STEP (30 * NANOS_PER_S)

void totp_hmac_sha1(Str key, Str message, unsigned char out[20]);
/* digits: 6 to 8. */
unsigned totp_code(Str key, uint64_t step, unsigned digits);
/* Is the text the code of now, the step before or the one behind? Steps up to `used` are not taken again. *step: whose
 * code it was. */
bool totp_check(Str key, Str text, Nanos now, int64_t used, int64_t *step);
/* Base32 (RFC 4648) of a secret of TOTP_SECRET_BYTES, and back; false: it is none. Small letters are as good. */
void totp_secret_text(const unsigned char secret[TOTP_SECRET_BYTES], char out[TOTP_SECRET_TEXT]);
bool totp_secret_parse(Str text, unsigned char out[TOTP_SECRET_BYTES]);

#endif
