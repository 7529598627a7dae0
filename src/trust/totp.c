#include "trust/totp.h"

#include <string.h>

#define BLOCK 64
#define DRIFT 1 /* steps to either side */

/* ---- SHA-1 (FIPS 180-4): broken for signatures, sound inside HMAC, and the one that every app speaks */

struct sha1 {
    uint32_t h[5];
    uint64_t length;
    unsigned char block[BLOCK];
    size_t filled;
};

static uint32_t rotate(uint32_t x, unsigned n) { return x << n | x >> (32 - n); }

static void mix(struct sha1 *s) {
    uint32_t w[80], a = s->h[0], b = s->h[1], c = s->h[2], d = s->h[3], e = s->h[4];
    for (int i = 0; i < 16; i++) {
        const unsigned char *p = s->block + (ptrdiff_t)i * 4;
        w[i] = (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | (uint32_t)p[3];
    }
    for (int i = 16; i < 80; i++) w[i] = rotate(w[i - 3] ^ w[i - 8] ^ w[i - 14] ^ w[i - 16], 1);
    for (int i = 0; i < 80; i++) {
        uint32_t f = i < 20 ? (b & c) | (~b & d) : i < 40 || i >= 60 ? b ^ c ^ d : (b & c) | (b & d) | (c & d);
        static const uint32_t k[4] = {0x5a827999, 0x6ed9eba1, 0x8f1bbcdc, 0xca62c1d6};
        uint32_t next = rotate(a, 5) + f + e + k[i / 20] + w[i];
        e = d;
        d = c;
        c = rotate(b, 30);
        b = a;
        a = next;
    }
    s->h[0] += a;
    s->h[1] += b;
    s->h[2] += c;
    s->h[3] += d;
    s->h[4] += e;
    s->filled = 0;
}

static void sha1_init(struct sha1 *s) {
    *s = (struct sha1){.h = {0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0}};
}

static void sha1_add(struct sha1 *s, const void *bytes, size_t n) {
    const unsigned char *p = bytes;
    s->length += n;
    for (size_t i = 0; i < n; i++) {
        s->block[s->filled++] = p[i];
        if (s->filled == BLOCK) mix(s);
    }
}

static void sha1_end(struct sha1 *s, unsigned char out[20]) {
    uint64_t bits = s->length * 8;
    unsigned char length[8];
    for (int i = 0; i < 8; i++) length[i] = (unsigned char)(bits >> (56 - 8 * i));
    sha1_add(s, "\x80", 1);
    while (s->filled != BLOCK - 8) sha1_add(s, "", 1);
    sha1_add(s, length, 8);
    for (int i = 0; i < 20; i++) out[i] = (unsigned char)(s->h[i / 4] >> (24 - 8 * (i % 4)));
}

/* RFC 2104 */
void totp_hmac_sha1(Str key, Str message, unsigned char out[20]) {
    unsigned char pad[BLOCK] = {0}, inner[20];
    struct sha1 s;
    sha1_init(&s);
    if (key.len > BLOCK) {
        sha1_add(&s, key.ptr, key.len);
        sha1_end(&s, pad);
    } else if (key.len > 0) {
        memcpy(pad, key.ptr, key.len);
    }
    for (int i = 0; i < BLOCK; i++) pad[i] ^= 0x36;
    sha1_init(&s);
    sha1_add(&s, pad, BLOCK);
    if (message.len > 0) sha1_add(&s, message.ptr, message.len);
    sha1_end(&s, inner);
    for (int i = 0; i < BLOCK; i++) pad[i] ^= 0x36 ^ 0x5c;
    sha1_init(&s);
    sha1_add(&s, pad, BLOCK);
    sha1_add(&s, inner, sizeof inner);
    sha1_end(&s, out);
}

/* ---- RFC 4226 and 6238 */

unsigned totp_code(Str key, uint64_t step, unsigned digits) {
    static const unsigned tens[] = {1000000, 10000000, 100000000};
    unsigned char counter[8], mac[20];
    for (int i = 0; i < 8; i++) counter[i] = (unsigned char)(step >> (56 - 8 * i));
    totp_hmac_sha1(key, str_n((const char *)counter, 8), mac);
    const unsigned char *p = mac + (mac[19] & 15);
    uint32_t word = (uint32_t)(p[0] & 0x7f) << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | (uint32_t)p[3];
    return word % tens[digits - 6];
}

bool totp_check(Str key, Str text, Nanos now, int64_t used, int64_t *step) {
    int64_t given, current = now / TOTP_STEP;
    bool found = false;
    text = str_trim(text);
    if (text.len != 6 || !str_to_i64(text, &given) || given < 0) return false;
    for (int64_t s = current - DRIFT; s <= current + DRIFT; s++) { /* all of them, so that it takes the same time */
        bool same = totp_code(key, (uint64_t)s, 6) == (unsigned)given;
        if (same && s > used && !found) {
            *step = s;
            found = true;
        }
    }
    return found;
}

/* ---- base32 */

static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

void totp_secret_text(const unsigned char secret[TOTP_SECRET_BYTES], char out[TOTP_SECRET_TEXT]) {
    for (size_t i = 0; i < TOTP_SECRET_TEXT - 1; i++) {
        size_t bit = i * 5, at = bit / 8;
        unsigned two = (unsigned)secret[at] << 8 | (at + 1 < TOTP_SECRET_BYTES ? secret[at + 1] : 0u);
        out[i] = letters[two >> (11 - bit % 8) & 31];
    }
    out[TOTP_SECRET_TEXT - 1] = '\0';
}

bool totp_secret_parse(Str text, unsigned char out[TOTP_SECRET_BYTES]) {
    memset(out, 0, TOTP_SECRET_BYTES);
    if (text.len != TOTP_SECRET_TEXT - 1) return false;
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i] >= 'a' && text.ptr[i] <= 'z' ? (char)(text.ptr[i] - 32) : text.ptr[i];
        const char *at = c ? strchr(letters, c) : NULL;
        if (!at) return false;
        for (size_t k = 0; k < 5; k++) {
            size_t bit = i * 5 + k;
            if ((at - letters) >> (4 - k) & 1) out[bit / 8] |= (unsigned char)(0x80 >> bit % 8);
        }
    }
    return true;
}
