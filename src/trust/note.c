#include "trust/note.h"

#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/sha256.h"

#define DASH "\xe2\x80\x94 " /* em dash, space: how a signature line begins */
#define COSIGNATURE_BYTES (8 + SECRET_SIGNATURE_BYTES)

static uint32_t be32(const unsigned char *p) {
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | (uint32_t)p[3];
}

static void put_be(unsigned char *p, uint64_t v, int bytes) {
    for (int i = 0; i < bytes; i++) p[i] = (unsigned char)(v >> 8 * (bytes - 1 - i));
}

/* ---- names: no spaces of any script, no '+' */
static bool is_space(Str s, size_t at) {
    static const char *const spaces[] = {"\xc2\x85",     "\xc2\xa0",     "\xe1\x9a\x80",
                                         "\xe2\x80\xa8", "\xe2\x80\xa9", "\xe2\x80\xaf",
                                         "\xe2\x81\x9f", "\xe3\x80\x80", NULL};
    Str rest = str_slice(s, at, s.len);
    if ((unsigned char)s.ptr[at] <= ' ' || s.ptr[at] == 0x7f) return true;
    for (size_t i = 0; spaces[i]; i++)
        if (str_starts(rest, str_c(spaces[i]))) return true;
    return str_starts(rest, STR("\xe2\x80")) && rest.len > 2 && (unsigned char)rest.ptr[2] >= 0x80 &&
           (unsigned char)rest.ptr[2] <= 0x8a; /* U+2000 … U+200A */
}

static bool name_ok(Str name) {
    if (name.len == 0 || name.len > NOTE_NAME_MAX || !str_is_utf8(name)) return false;
    for (size_t i = 0; i < name.len; i++)
        if (name.ptr[i] == '+' || is_space(name, i)) return false;
    return true;
}

/* ---- keys */
static uint32_t key_id(Str name, enum note_kind kind, const unsigned char key[32]) {
    unsigned char bytes[NOTE_NAME_MAX + 34], hash[SHA256_BYTES];
    memcpy(bytes, name.ptr, name.len);
    bytes[name.len] = '\n';
    bytes[name.len + 1] = (unsigned char)kind;
    memcpy(bytes + name.len + 2, key, 32);
    sha256_bytes(bytes, name.len + 34, hash);
    return be32(hash);
}

Err note_key_make(Str name, enum note_kind kind, const unsigned char key[32], struct note_key *out) {
    if (!name_ok(name))
        return err_make(ERR_INVALID, "'%.*s' cannot name a key: no spaces, no '+', at most %d bytes",
                        (int)(name.len < 80 ? name.len : 80), name.ptr, NOTE_NAME_MAX);
    *out = (struct note_key){.kind = kind, .id = key_id(name, kind, key)};
    memcpy(out->name, name.ptr, name.len);
    memcpy(out->key, key, 32);
    return err_none();
}

static bool hex32(Str s, uint32_t *out) {
    *out = 0;
    for (size_t i = 0; i < s.len; i++) {
        char c = s.ptr[i];
        if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'))) return false;
        *out = *out << 4 | (uint32_t)(c <= '9' ? c - '0' : c - 'a' + 10);
    }
    return s.len == 8;
}

static Err bad_key(Str text) {
    return err_make(ERR_INVALID, "'%.*s' is not a verifier's key: it looks like NAME+12345678+BASE64, of Ed25519",
                    (int)(text.len < 100 ? text.len : 100), text.ptr);
}

Err note_key_parse(Str text, struct note_key *out) {
    Str name, rest, id, base64, raw;
    uint32_t hash;
    struct arena arena;
    text = str_trim(text);
    if (text.len > 2 * NOTE_NAME_MAX || !str_cut(text, '+', &name, &rest) || !str_cut(rest, '+', &id, &base64) ||
        !name_ok(name) || !hex32(id, &hash))
        return bad_key(text);
    arena_init(&arena, 0);
    bool ok = secret_base64_read(&arena, base64, &raw) && raw.len == 33 &&
              (raw.ptr[0] == NOTE_ED25519 || raw.ptr[0] == NOTE_COSIGNATURE);
    Err err =
        ok ? note_key_make(name, (enum note_kind)raw.ptr[0], (const unsigned char *)raw.ptr + 1, out) : bad_key(text);
    arena_fini(&arena);
    if (err.code == ERR_NONE && out->id != hash)
        return err_make(ERR_INVALID, "the key of '%s' does not match its own hash %08x: copy it again", out->name,
                        hash);
    return err;
}

Str note_key_text(const struct note_key *key, struct arena *arena) {
    unsigned char raw[33] = {(unsigned char)key->kind};
    memcpy(raw + 1, key->key, 32);
    Str base64 = secret_base64(arena, str_n((char *)raw, sizeof raw));
    return arena_printf(arena, "%s+%08x+" STR_FMT, key->name, key->id, STR_ARG(base64));
}

/* ---- notes */
static Err bad_note(const char *what) { return err_make(ERR_INVALID, "this is not a signed note: %s", what); }

static Err parse_signature(Str line, struct arena *arena, struct note_signature *out) {
    Str rest = str_slice(line, sizeof DASH - 1, line.len), base64, raw;
    if (!str_starts(line, STR(DASH)) || !str_cut(rest, ' ', &out->name, &base64) || !name_ok(out->name) ||
        !secret_base64_read(arena, base64, &raw) || raw.len < 5)
        return bad_note("a line below the empty line is not '\xe2\x80\x94 NAME BASE64'");
    out->id = be32((const unsigned char *)raw.ptr);
    out->bytes = str_slice(raw, 4, raw.len);
    out->line = line;
    return err_none();
}

static Err check_letters(Str bytes) {
    if (bytes.len > NOTE_MAX) return bad_note("it is longer than 64 KiB");
    if (!str_is_utf8(bytes)) return bad_note("it is not UTF-8");
    for (size_t i = 0; i < bytes.len; i++)
        if ((unsigned char)bytes.ptr[i] < ' ' && bytes.ptr[i] != '\n') return bad_note("it has a control character");
    return err_none();
}

Err note_parse(Str bytes, struct arena *arena, struct note *out) {
    *out = (struct note){0};
    TRY(check_letters(bytes));
    size_t at = bytes.len;
    while (at >= 2 && !(bytes.ptr[at - 1] == '\n' && bytes.ptr[at - 2] == '\n')) at--;
    if (at < 2) return bad_note("no empty line stands between its text and its signatures");
    if (at == bytes.len) return bad_note("it has no signature");
    out->text = str_slice(bytes, 0, at - 1);
    out->signatures = arena_zero(arena, NOTE_SIGNATURES_MAX, sizeof *out->signatures);
    for (Str rest = str_slice(bytes, at, bytes.len), line; rest.len > 0;) {
        if (!str_cut(rest, '\n', &line, &rest)) return bad_note("its last line does not end");
        if (out->n == NOTE_SIGNATURES_MAX) return bad_note("it has more than 32 signatures");
        TRY(parse_signature(line, arena, &out->signatures[out->n++]));
    }
    return err_none();
}

Str note_join(const struct note *note, Str line, struct arena *arena) {
    struct buf all = {0};
    buf_str(&all, note->text);
    buf_byte(&all, '\n');
    for (size_t i = 0; i < note->n; i++) {
        buf_str(&all, note->signatures[i].line);
        buf_byte(&all, '\n');
    }
    if (line.len > 0) {
        buf_str(&all, line);
        buf_byte(&all, '\n');
    }
    Str out = arena_str(arena, buf_view(&all));
    buf_fini(&all);
    return out;
}

/* ---- signatures. What a witness signs begins with two lines of its own. */
static Str cosigned(Str text, uint64_t seconds, struct arena *arena) {
    return arena_printf(arena, "cosignature/v1\ntime %llu\n" STR_FMT, (unsigned long long)seconds, STR_ARG(text));
}

static bool genuine(const struct note *note, const struct note_signature *s, const struct note_key *key, Nanos *at) {
    if (key->kind == NOTE_ED25519) return secret_verify(key->key, note->text, s->bytes);
    if (s->bytes.len != COSIGNATURE_BYTES) return false;
    const unsigned char *p = (const unsigned char *)s->bytes.ptr;
    uint64_t seconds = (uint64_t)be32(p) << 32 | be32(p + 4);
    if (seconds > (uint64_t)(INT64_MAX / NANOS_PER_S)) return false;
    struct arena arena;
    arena_init(&arena, 0);
    bool ok = secret_verify(key->key, cosigned(note->text, seconds, &arena), str_slice(s->bytes, 8, s->bytes.len));
    arena_fini(&arena);
    if (ok && at) *at = (Nanos)seconds * NANOS_PER_S;
    return ok;
}

enum note_verdict note_verify(const struct note *note, const struct note_key *key, Nanos *at) {
    enum note_verdict verdict = NOTE_UNSIGNED;
    for (size_t i = 0; i < note->n; i++) {
        const struct note_signature *s = &note->signatures[i];
        if (s->id != key->id || !str_eq_c(s->name, key->name)) continue;
        if (!genuine(note, s, key, at)) return NOTE_FORGED;
        verdict = NOTE_SIGNED;
    }
    return verdict;
}

Str note_sign(Str text, const struct note_key *key, const struct secret_signer *signer, Nanos at, struct arena *arena) {
    unsigned char raw[4 + COSIGNATURE_BYTES];
    size_t n = 4;
    put_be(raw, key->id, 4);
    if (key->kind == NOTE_COSIGNATURE) {
        uint64_t seconds = (uint64_t)(at / NANOS_PER_S);
        put_be(raw + 4, seconds, 8);
        n = 12;
        text = cosigned(text, seconds, arena);
    }
    secret_sign(signer, text, raw + n);
    Str base64 = secret_base64(arena, str_n((char *)raw, n + SECRET_SIGNATURE_BYTES));
    return arena_printf(arena, DASH "%s " STR_FMT, key->name, STR_ARG(base64));
}

/* ---- checkpoints */
static bool parse_size(Str s, uint64_t *out) {
    if (s.len == 0 || s.len > 20 || (s.ptr[0] == '0' && s.len > 1)) return false;
    uint64_t v = 0;
    for (size_t i = 0; i < s.len; i++) {
        unsigned digit = (unsigned)(unsigned char)s.ptr[i] - '0';
        if (digit > 9 || v > (UINT64_MAX - digit) / 10) return false;
        v = v * 10 + digit;
    }
    *out = v;
    return true;
}

static Err parse_lines(Str text, struct arena *arena, struct checkpoint *out) {
    Str size, root, raw;
    if (!str_cut(text, '\n', &out->origin, &text) || !str_cut(text, '\n', &size, &text) ||
        !str_cut(text, '\n', &root, &text) || out->origin.len == 0)
        return err_make(ERR_INVALID, "this is not a checkpoint: its text is an origin, a size and a root, a line each");
    if (!parse_size(size, &out->size))
        return err_make(ERR_INVALID, "this is not a checkpoint: its second line is not a size");
    if (!secret_base64_read(arena, root, &raw) || raw.len != sizeof out->root.bytes)
        return err_make(ERR_INVALID, "this is not a checkpoint: its third line is not a root hash");
    memcpy(out->root.bytes, raw.ptr, sizeof out->root.bytes);
    for (Str line; text.len > 0;)
        if (!str_cut(text, '\n', &line, &text) || line.len == 0)
            return err_make(ERR_INVALID, "this is not a checkpoint: it has an empty line");
    return err_none();
}

Err note_checkpoint(Str text, struct checkpoint *out) {
    struct arena arena;
    *out = (struct checkpoint){0};
    arena_init(&arena, 0);
    Err err = parse_lines(text, &arena, out);
    arena_fini(&arena);
    return err;
}

Str note_checkpoint_text(const struct checkpoint *c, struct arena *arena) {
    Str root = secret_base64(arena, str_n((const char *)c->root.bytes, sizeof c->root.bytes));
    return arena_printf(arena, STR_FMT "\n%llu\n" STR_FMT "\n", STR_ARG(c->origin), (unsigned long long)c->size,
                        STR_ARG(root));
}
