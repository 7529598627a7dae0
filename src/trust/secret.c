#include "trust/secret.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "os/file.h"

#define PATH_BYTES 4096

static void ready(void) { ASSERT(sodium_init() >= 0); } /* any thread, any number of times */

static Err read_key(const char *path, struct secret_key *out) {
    struct file *file;
    size_t got = 0;
    unsigned char bytes[sizeof out->bytes + 1];
    TRY(file_open(file_disk, path, FILE_READ, &file));
    Err err = file_read(file, bytes, sizeof bytes, 0, &got);
    file_close(file);
    if (err.code == ERR_NONE && got != sizeof out->bytes)
        err = err_make(ERR_CORRUPT, "'%.150s' must be %zu bytes: restore it from a backup", path, sizeof out->bytes);
    if (err.code == ERR_NONE) memcpy(out->bytes, bytes, sizeof out->bytes);
    sodium_memzero(bytes, sizeof bytes);
    return err;
}

/* Written beside, synced, then renamed: the name never stands for half a key. */
static Err make_key(const char *dir, const char *path, struct secret_key *out) {
    char beside[PATH_BYTES + 8];
    struct file *file;
    snprintf(beside, sizeof beside, "%s.new", path);
    randombytes_buf(out->bytes, sizeof out->bytes);
    TRY(file_open(file_disk, beside, FILE_WRITE | FILE_CREATE | FILE_TRUNCATE | FILE_PRIVATE, &file));
    Err err = file_write(file, out->bytes, sizeof out->bytes, 0);
    if (err.code == ERR_NONE) err = file_sync(file, "secret.key");
    file_close(file);
    TRY(err);
    TRY(file_rename(file_disk, beside, path));
    return file_sync_dir(file_disk, dir, "secret.dir");
}

Err secret_load(const char *dir, bool make, struct secret_key *out) {
    char path[PATH_BYTES];
    ready();
    int n = snprintf(path, sizeof path, "%s/secret.key", dir);
    if (n < 0 || (size_t)n >= sizeof path) return err_make(ERR_INVALID, "the data folder's name is too long");
    Err err = read_key(path, out);
    if (err.code != ERR_NOT_FOUND || !make) return err;
    return make_key(dir, path, out);
}

void secret_hash(const struct secret_key *key, Str first, Str second, unsigned char out[SECRET_HASH_BYTES]) {
    crypto_generichash_state state;
    uint64_t length = first.len; /* tells ("ab", "c") from ("a", "bc") */
    crypto_generichash_init(&state, key->bytes, sizeof key->bytes, SECRET_HASH_BYTES);
    crypto_generichash_update(&state, (const unsigned char *)&length, sizeof length);
    if (first.len > 0) crypto_generichash_update(&state, (const unsigned char *)first.ptr, first.len);
    if (second.len > 0) crypto_generichash_update(&state, (const unsigned char *)second.ptr, second.len);
    crypto_generichash_final(&state, out, SECRET_HASH_BYTES);
}

bool secret_same(const unsigned char a[SECRET_HASH_BYTES], const unsigned char b[SECRET_HASH_BYTES]) {
    return sodium_memcmp(a, b, SECRET_HASH_BYTES) == 0;
}

void secret_text(char *out, size_t length) {
    static const char letters[] = "abcdefghijklmnopqrstuvwxyz234567";
    ready();
    randombytes_buf(out, length);
    for (size_t i = 0; i < length; i++) out[i] = letters[(unsigned char)out[i] % 32];
    out[length] = 0;
}

Err secret_password_hash(Str password, char out[SECRET_PASSWORD_MAX]) {
    _Static_assert(crypto_pwhash_STRBYTES <= SECRET_PASSWORD_MAX, "a password hash fits");
    ready();
    if (password.len < SECRET_PASSWORD_MIN_LENGTH || password.len > SECRET_PASSWORD_MAX_LENGTH)
        return err_make(ERR_INVALID, "a password of %zu bytes: use %d to %d", password.len, SECRET_PASSWORD_MIN_LENGTH,
                        SECRET_PASSWORD_MAX_LENGTH);
    if (crypto_pwhash_str(out, password.ptr, password.len, crypto_pwhash_OPSLIMIT_INTERACTIVE,
                          crypto_pwhash_MEMLIMIT_INTERACTIVE) != 0)
        return err_make(ERR_BUSY, "not enough memory to hash a password: try again");
    return err_none();
}

bool secret_password_matches(const char *hash, Str password) {
    if (password.len > SECRET_PASSWORD_MAX_LENGTH) return false;
    return crypto_pwhash_str_verify(hash, password.ptr ? password.ptr : "", password.len) == 0;
}

/* ---- boxes */
_Static_assert(SECRET_BOX_EXTRA ==
                   crypto_aead_xchacha20poly1305_ietf_NPUBBYTES + crypto_aead_xchacha20poly1305_ietf_ABYTES,
               "a box holds its nonce and its tag");
#define NONCE_BYTES crypto_aead_xchacha20poly1305_ietf_NPUBBYTES

static const unsigned char *bytes_of(Str s) { return (const unsigned char *)(s.ptr ? s.ptr : ""); }

void secret_box(const struct secret_key *key, Str about, Str plain, unsigned char *out) {
    ready();
    randombytes_buf(out, NONCE_BYTES);
    crypto_aead_xchacha20poly1305_ietf_encrypt(out + NONCE_BYTES, NULL, bytes_of(plain), plain.len, bytes_of(about),
                                               about.len, NULL, out, key->bytes);
}

bool secret_unbox(const struct secret_key *key, Str about, Str box, unsigned char *out) {
    if (box.len < SECRET_BOX_EXTRA) return false;
    ready();
    return crypto_aead_xchacha20poly1305_ietf_decrypt(out, NULL, NULL, bytes_of(box) + NONCE_BYTES,
                                                      box.len - NONCE_BYTES, bytes_of(about), about.len, bytes_of(box),
                                                      key->bytes) == 0;
}

void secret_random(void *into, size_t n) {
    ready();
    randombytes_buf(into, n);
}

void secret_wipe(void *what, size_t n) { sodium_memzero(what, n); }

bool secret_key_parse(Str text, struct secret_key *out) {
    if (text.len == sizeof out->bytes) {
        memcpy(out->bytes, text.ptr, sizeof out->bytes);
        return true;
    }
    size_t got = 0;
    Str digits = str_trim(text);
    return digits.len == 2 * sizeof out->bytes &&
           sodium_hex2bin(out->bytes, sizeof out->bytes, digits.ptr, digits.len, NULL, &got, NULL) == 0 &&
           got == sizeof out->bytes;
}

Str secret_base64(struct arena *arena, Str bytes) {
    size_t n = sodium_base64_encoded_len(bytes.len, sodium_base64_VARIANT_ORIGINAL);
    char *text = arena_alloc(arena, n);
    sodium_bin2base64(text, n, bytes_of(bytes), bytes.len, sodium_base64_VARIANT_ORIGINAL);
    return str_n(text, n - 1);
}

bool secret_base64_read(struct arena *arena, Str text, Str *bytes) {
    size_t max = text.len / 4 * 3 + 3, got = 0;
    unsigned char *out = arena_alloc(arena, max);
    const char *end = NULL;
    if (sodium_base642bin(out, max, text.ptr ? text.ptr : "", text.len, NULL, &got, &end,
                          sodium_base64_VARIANT_ORIGINAL) != 0)
        return false;
    if (text.len > 0 && end != text.ptr + text.len) return false;
    *bytes = str_n((char *)out, got);
    return str_eq(secret_base64(arena, *bytes), text); /* libsodium lets some bytes over 0x7f pass */
}

/* ---- signatures */
void secret_signer_make(const unsigned char seed[32], struct secret_signer *out) {
    unsigned char public_key[32];
    ready();
    crypto_sign_ed25519_seed_keypair(public_key, out->bytes, seed);
}

const unsigned char *secret_signer_public(const struct secret_signer *signer) { return signer->bytes + 32; }

void secret_sign(const struct secret_signer *signer, Str text, unsigned char out[SECRET_SIGNATURE_BYTES]) {
    crypto_sign_ed25519_detached(out, NULL, bytes_of(text), text.len, signer->bytes);
}

bool secret_verify(const unsigned char public_key[32], Str text, Str signature) {
    ready();
    return signature.len == SECRET_SIGNATURE_BYTES &&
           crypto_sign_ed25519_verify_detached(bytes_of(signature), bytes_of(text), text.len, public_key) == 0;
}

void secret_sha256(Str text, unsigned char out[32]) { crypto_hash_sha256(out, bytes_of(text), text.len); }

void secret_hmac_sha256(Str key, Str text, unsigned char out[32]) {
    crypto_auth_hmacsha256_state state;
    crypto_auth_hmacsha256_init(&state, bytes_of(key), key.len);
    crypto_auth_hmacsha256_update(&state, bytes_of(text), text.len);
    crypto_auth_hmacsha256_final(&state, out);
}
