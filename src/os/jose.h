/*
 * Signed tokens of other servers (JWT, RFC 7519) held against their keys (JWKS, RFC 7517): RS256, ES256 and EdDSA with
 * Ed25519, by OpenSSL in lib/weft-jose.so (plugins/jose). "none" and everything symmetric are refused.
 */
#ifndef OS_JOSE_H
#define OS_JOSE_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"

/* The claims, as JSON text, once the signature is right; what they say is the caller's to check. ERR_UNAUTHENTICATED:
 * not signed by any of the keys; ERR_INVALID: no such token, or keys. */
Err jose_verify(Str token, Str keys, struct arena *arena, Str *claims);

struct jose_plugin {
    Err (*verify)(Str token, Str keys, struct buf *claims);
};

#endif
