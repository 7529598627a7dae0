/* Signed tokens by OpenSSL, for os/jose.c. */
/* a type of OpenSSL's own is called like one of our failures */
#define ERR_STATE openssl_err_state
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#undef ERR_STATE

#include "base/json.h"
#include "os/jose.h"

#define TOKEN_MAX (16 * 1024)

/* ---- base64url without padding (RFC 7515) */

static int digit(char c) {
    if (c >= 'A' && c <= 'Z') return c - 'A';
    if (c >= 'a' && c <= 'z') return c - 'a' + 26;
    if (c >= '0' && c <= '9') return c - '0' + 52;
    return c == '-' ? 62 : c == '_' ? 63 : -1;
}

static bool decode(Str text, struct buf *out) {
    unsigned bits = 0, word = 0;
    if (text.len == 0 || text.len % 4 == 1) return false;
    for (size_t i = 0; i < text.len; i++) {
        int d = digit(text.ptr[i]);
        if (d < 0) return false;
        word = (word << 6 | (unsigned)d) & 0xffff;
        bits += 6;
        if (bits >= 8) buf_byte(out, (uint8_t)(word >> (bits -= 8) & 0xff));
    }
    return (word & ((1u << bits) - 1)) == 0;
}

/* ---- keys */

static EVP_PKEY *build(const char *type, OSSL_PARAM_BLD *parts) {
    OSSL_PARAM *params = OSSL_PARAM_BLD_to_param(parts);
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
    EVP_PKEY *key = NULL;
    if (params && ctx && EVP_PKEY_fromdata_init(ctx) == 1) EVP_PKEY_fromdata(ctx, &key, EVP_PKEY_PUBLIC_KEY, params);
    EVP_PKEY_CTX_free(ctx);
    OSSL_PARAM_free(params);
    return key;
}

static BIGNUM *number(const struct json *jwk, const char *name) {
    struct buf bytes = {0};
    BIGNUM *n = NULL;
    if (decode(json_get_str(jwk, name, STR("")), &bytes))
        n = BN_bin2bn((const unsigned char *)bytes.ptr, (int)bytes.len, NULL);
    buf_fini(&bytes);
    return n;
}

static EVP_PKEY *rsa_key(const struct json *jwk) {
    BIGNUM *n = number(jwk, "n"), *e = number(jwk, "e");
    OSSL_PARAM_BLD *parts = OSSL_PARAM_BLD_new();
    EVP_PKEY *key = NULL;
    if (parts && n && e && BN_num_bits(n) >= 2048 && BN_num_bits(n) <= 8192 &&
        OSSL_PARAM_BLD_push_BN(parts, OSSL_PKEY_PARAM_RSA_N, n) == 1 &&
        OSSL_PARAM_BLD_push_BN(parts, OSSL_PKEY_PARAM_RSA_E, e) == 1)
        key = build("RSA", parts);
    OSSL_PARAM_BLD_free(parts);
    BN_free(n);
    BN_free(e);
    return key;
}

static EVP_PKEY *ec_key(const struct json *jwk) {
    struct buf point = {0};
    OSSL_PARAM_BLD *parts = OSSL_PARAM_BLD_new();
    EVP_PKEY *key = NULL;
    buf_byte(&point, 4); /* uncompressed */
    if (parts && str_eq(json_get_str(jwk, "crv", STR("")), STR("P-256")) &&
        decode(json_get_str(jwk, "x", STR("")), &point) && point.len == 33 &&
        decode(json_get_str(jwk, "y", STR("")), &point) && point.len == 65 &&
        OSSL_PARAM_BLD_push_utf8_string(parts, OSSL_PKEY_PARAM_GROUP_NAME, "P-256", 0) == 1 &&
        OSSL_PARAM_BLD_push_octet_string(parts, OSSL_PKEY_PARAM_PUB_KEY, point.ptr, point.len) == 1)
        key = build("EC", parts);
    OSSL_PARAM_BLD_free(parts);
    buf_fini(&point);
    return key;
}

static EVP_PKEY *ed_key(const struct json *jwk) {
    struct buf x = {0};
    EVP_PKEY *key = NULL;
    if (str_eq(json_get_str(jwk, "crv", STR("")), STR("Ed25519")) && decode(json_get_str(jwk, "x", STR("")), &x) &&
        x.len == 32)
        key = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, (const unsigned char *)x.ptr, x.len);
    buf_fini(&x);
    return key;
}

/* ---- algorithms: a key of another kind is never tried, so none can be mistaken for another */

static const struct algorithm {
    const char *name, *kty;
    EVP_PKEY *(*key)(const struct json *jwk);
    bool sha256, raw_ecdsa;
} algorithms[] = {
    {"RS256", "RSA", rsa_key, true, false},
    {"ES256", "EC", ec_key, true, true},
    {"EdDSA", "OKP", ed_key, false, false},
};

static const struct algorithm *algorithm_named(Str name) {
    for (size_t i = 0; i < sizeof algorithms / sizeof *algorithms; i++)
        if (str_eq_c(name, algorithms[i].name)) return &algorithms[i];
    return NULL;
}

/* JWS has the two numbers side by side, OpenSSL wants them as DER. */
static bool to_der(struct buf *signature) {
    unsigned char *der = NULL;
    if (signature->len != 64) return false;
    const unsigned char *raw = (const unsigned char *)signature->ptr;
    ECDSA_SIG *sig = ECDSA_SIG_new();
    BIGNUM *r = BN_bin2bn(raw, 32, NULL), *s = BN_bin2bn(raw + 32, 32, NULL);
    ECDSA_SIG_set0(sig, r, s);
    int n = i2d_ECDSA_SIG(sig, &der);
    ECDSA_SIG_free(sig);
    buf_clear(signature);
    if (n > 0) buf_add(signature, der, (size_t)n);
    OPENSSL_free(der);
    return n > 0;
}

static bool is_signed(const struct algorithm *a, EVP_PKEY *key, Str text, Str signature) {
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    bool good = ctx && key && EVP_DigestVerifyInit(ctx, NULL, a->sha256 ? EVP_sha256() : NULL, NULL, key) == 1 &&
                EVP_DigestVerify(ctx, (const unsigned char *)signature.ptr, signature.len,
                                 (const unsigned char *)text.ptr, text.len) == 1;
    EVP_MD_CTX_free(ctx);
    return good;
}

static bool fits(const struct algorithm *a, const struct json *jwk, Str kid) {
    Str own = json_get_str(jwk, "kid", (Str){0}), use = json_get_str(jwk, "use", STR("sig"));
    Str alg = json_get_str(jwk, "alg", str_c(a->name));
    return str_eq_c(json_get_str(jwk, "kty", STR("")), a->kty) && str_eq(use, STR("sig")) && str_eq_c(alg, a->name) &&
           (kid.len == 0 || own.len == 0 || str_eq(kid, own));
}

static bool signed_by_any(const struct algorithm *a, const struct json *keys, Str kid, Str text, Str signature) {
    const struct json *list = json_get(keys, "keys");
    bool good = false;
    for (size_t i = 0; list && json_kind(list) == JSON_ARRAY && !good && i < json_len(list); i++) {
        const struct json *jwk = json_at(list, i);
        if (json_kind(jwk) != JSON_OBJECT || !fits(a, jwk, kid)) continue;
        EVP_PKEY *key = a->key(jwk);
        good = is_signed(a, key, text, signature);
        EVP_PKEY_free(key);
    }
    return good;
}

static Err check(Str text, Str header, struct buf *signature, Str keys_text) {
    struct json *head = NULL, *keys = NULL;
    Err err = json_parse(header, &head);
    if (err.code == ERR_NONE) err = json_parse(keys_text, &keys);
    if (err.code == ERR_NONE) {
        const struct algorithm *a = algorithm_named(json_get_str(head, "alg", STR("")));
        bool critical = json_get(head, "crit") != NULL;
        bool good = a && !critical && (!a->raw_ecdsa || to_der(signature)) &&
                    signed_by_any(a, keys, json_get_str(head, "kid", (Str){0}), text, buf_view(signature));
        if (!good) err = err_make(ERR_UNAUTHENTICATED, "the token is not signed by a key of its server");
    }
    json_free(head);
    json_free(keys);
    return err;
}

static Err verify(Str token, Str keys, struct buf *claims) {
    struct buf header = {0}, signature = {0};
    Str head, body, tail, rest;
    str_cut(token, '.', &head, &rest);
    str_cut(rest, '.', &body, &tail);
    Str text = str_slice(token, 0, head.len + 1 + body.len);
    bool formed = token.len <= TOKEN_MAX && decode(head, &header) && decode(body, claims) && decode(tail, &signature);
    Err err = formed ? check(text, buf_view(&header), &signature, keys)
                     : err_make(ERR_INVALID, "this is no signed token of three parts");
    if (err.code != ERR_NONE) buf_clear(claims);
    buf_fini(&header);
    buf_fini(&signature);
    return err;
}

__attribute__((visibility("default"))) extern const struct jose_plugin weft_plugin;
const struct jose_plugin weft_plugin = {.verify = verify};
