#include "trust/receipt.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "base/time.h"

/* ---- making */
Err receipt_make(struct ledger *ledger, const unsigned char salt[32], Str text, uint64_t index, struct arena *arena,
                 struct receipt *out) {
    struct note note;
    struct checkpoint c = {0};
    *out = (struct receipt){.text = text, .index = index};
    memcpy(out->salt, salt, sizeof out->salt);
    bool cosigned = ledger_cosigned(ledger, arena, &out->checkpoint).code == ERR_NONE &&
                    note_parse(out->checkpoint, arena, &note).code == ERR_NONE &&
                    note_checkpoint(note.text, &c).code == ERR_NONE && index < c.size;
    if (!cosigned) {
        TRY(ledger_checkpoint(ledger, arena, &out->checkpoint));
        TRY(note_parse(out->checkpoint, arena, &note));
        TRY(note_checkpoint(note.text, &c));
    }
    out->size = c.size;
    return ledger_inclusion(ledger, index, c.size, out->path, &out->n);
}

static void write_path(struct jw *w, const MerkleHash *path, size_t n, struct arena *arena) {
    jw_key(w, "path");
    jw_array(w);
    for (size_t i = 0; i < n; i++) jw_str(w, secret_base64(arena, str_n((const char *)path[i].bytes, 32)));
    jw_array_end(w);
}

void receipt_write(const struct receipt *r, struct jw *w, struct arena *arena) {
    jw_object(w);
    jw_kc(w, "weft", "receipt/1");
    jw_kstr(w, "text", r->text);
    jw_kstr(w, "salt", secret_base64(arena, str_n((const char *)r->salt, 32)));
    jw_kint(w, "index", (int64_t)r->index);
    jw_kint(w, "size", (int64_t)r->size);
    write_path(w, r->path, r->n, arena);
    jw_kstr(w, "checkpoint", r->checkpoint);
    jw_object_end(w);
}

void receipt_proof_write(const struct receipt_proof *p, struct jw *w, struct arena *arena) {
    jw_object(w);
    jw_kint(w, "from", (int64_t)p->from);
    jw_kint(w, "to", (int64_t)p->to);
    write_path(w, p->path, p->n, arena);
    jw_object_end(w);
}

/* ---- reading */
static Err missing(const char *what, const char *member) {
    return err_make(ERR_INVALID, "this is not a %s: its \"%s\" is missing or wrong", what, member);
}

static bool read_hash(const struct json *v, struct arena *arena, unsigned char out[32]) {
    Str raw;
    if (json_kind(v) != JSON_STRING || !secret_base64_read(arena, json_str(v), &raw) || raw.len != 32) return false;
    memcpy(out, raw.ptr, 32);
    return true;
}

static bool read_number(const struct json *json, const char *name, uint64_t *out) {
    int64_t v = json_get_int(json, name, -1);
    *out = (uint64_t)v;
    return v >= 0;
}

static bool read_path(const struct json *json, struct arena *arena, MerkleHash path[MERKLE_PATH_MAX], size_t *n) {
    const struct json *list = json_get(json, "path");
    if (!list || json_kind(list) != JSON_ARRAY || json_len(list) > MERKLE_PATH_MAX) return false;
    *n = json_len(list);
    for (size_t i = 0; i < *n; i++)
        if (!read_hash(json_at(list, i), arena, path[i].bytes)) return false;
    return true;
}

static Err parse_receipt(const struct json *json, struct arena *arena, struct receipt *out) {
    static const char what[] = "receipt";
    const struct json *text = json_get(json, "text"), *salt = json_get(json, "salt"),
                      *checkpoint = json_get(json, "checkpoint");
    if (!str_eq(json_get_str(json, "weft", (Str){0}), STR("receipt/1"))) return missing(what, "weft");
    if (!text || json_kind(text) != JSON_STRING) return missing(what, "text");
    if (!salt || !read_hash(salt, arena, out->salt)) return missing(what, "salt");
    if (!read_number(json, "index", &out->index)) return missing(what, "index");
    if (!read_number(json, "size", &out->size)) return missing(what, "size");
    if (!read_path(json, arena, out->path, &out->n)) return missing(what, "path");
    if (!checkpoint || json_kind(checkpoint) != JSON_STRING) return missing(what, "checkpoint");
    out->text = arena_str(arena, json_str(text));
    out->checkpoint = arena_str(arena, json_str(checkpoint));
    return err_none();
}

Err receipt_parse(Str text, struct arena *arena, struct receipt *out) {
    struct json *json = NULL;
    *out = (struct receipt){0};
    if (text.len > RECEIPT_MAX) return err_make(ERR_TOO_LARGE, "a receipt has at most %d bytes", RECEIPT_MAX);
    TRY(json_parse(text, &json));
    Err err = json_kind(json) == JSON_OBJECT ? parse_receipt(json, arena, out) : missing("receipt", "weft");
    json_free(json);
    return err;
}

Err receipt_proof_parse(Str text, struct arena *arena, struct receipt_proof *out) {
    struct json *json = NULL;
    *out = (struct receipt_proof){0};
    if (text.len > RECEIPT_MAX) return err_make(ERR_TOO_LARGE, "a proof has at most %d bytes", RECEIPT_MAX);
    TRY(json_parse(text, &json));
    bool ok = json_kind(json) == JSON_OBJECT;
    Err err = !ok || !read_number(json, "from", &out->from) ? missing("proof", "from")
              : !read_number(json, "to", &out->to)          ? missing("proof", "to")
              : !read_path(json, arena, out->path, &out->n) ? missing("proof", "path")
                                                            : err_none();
    json_free(json);
    return err;
}

/* ---- checking */
struct checking {
    const struct receipt_check *check;
    struct arena *arena;
    bool failed, open;
};

static void say(struct checking *c, enum receipt_verdict verdict, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
static void say(struct checking *c, enum receipt_verdict verdict, const char *fmt, ...) {
    char words[1024];
    va_list args;
    va_start(args, fmt);
    int n = vsnprintf(words, sizeof words, fmt, args);
    va_end(args);
    ASSERT(n >= 0 && (size_t)n < sizeof words);
    c->failed = c->failed || verdict == RECEIPT_FAILS;
    c->open = c->open || verdict == RECEIPT_OPEN;
    c->check->say(c->check->ctx, verdict, str_n(words, (size_t)n));
}

/* An origin comes from outside: short, and without what could play with a terminal. */
static const char *shown(struct checking *c, Str origin) {
    char *text = arena_c(c->arena, str_slice(origin, 0, 100));
    for (char *p = text; *p; p++)
        if ((unsigned char)*p < ' ' || *p == 0x7f) *p = '?';
    return text;
}

/* The ledger's own signature must be there and genuine; witnesses' are told too. */
static void check_signatures(struct checking *c, const struct note *note, const struct checkpoint *point,
                             const char *which) {
    bool by_ledger = false;
    for (size_t i = 0; i < c->check->n_keys; i++) {
        const struct note_key *key = &c->check->keys[i];
        Nanos at = 0;
        enum note_verdict verdict = note_verify(note, key, &at);
        bool own = key->kind == NOTE_ED25519 && str_eq_c(point->origin, key->name);
        if (verdict == NOTE_FORGED) {
            say(c, RECEIPT_FAILS, "%s bears a signature in the name of '%s' that is not genuine", which, key->name);
        } else if (verdict == NOTE_SIGNED && own) {
            by_ledger = true;
            say(c, RECEIPT_HOLDS, "%s is signed by the ledger '%s'", which, key->name);
        } else if (verdict == NOTE_SIGNED) {
            char time[TIME_TEXT_MAX];
            time_format(at, time);
            say(c, RECEIPT_HOLDS, "%s is signed by the witness '%s'%s%s", which, key->name, at ? " at " : "",
                at ? time : "");
        } else if (own) {
            say(c, RECEIPT_FAILS, "%s is not signed by the ledger '%s'", which, key->name);
            by_ledger = true; /* said already */
        }
    }
    if (!by_ledger)
        say(c, RECEIPT_OPEN, "who signed %s is not known: give the key of '%s' by --key", which,
            shown(c, point->origin));
}

static bool open_note(struct checking *c, Str text, const char *which, struct note *note, struct checkpoint *point) {
    Err err = note_parse(text, c->arena, note);
    if (err.code == ERR_NONE) err = note_checkpoint(note->text, point);
    if (err.code != ERR_NONE) say(c, RECEIPT_FAILS, "%s cannot be read: %s", which, err.text);
    return err.code == ERR_NONE;
}

static void check_inclusion(struct checking *c, const struct checkpoint *point) {
    const struct receipt *r = c->check->receipt;
    if (r->size != point->size) {
        say(c, RECEIPT_FAILS, "the receipt speaks of size %llu, its checkpoint of %llu", (unsigned long long)r->size,
            (unsigned long long)point->size);
        return;
    }
    LedgerLeaf leaf = ledger_leaf(r->salt, r->text);
    MerkleHash hash = merkle_leaf(str_n((const char *)leaf.bytes, sizeof leaf.bytes));
    if (merkle_included(hash, r->index, r->size, r->path, r->n, point->root))
        say(c, RECEIPT_HOLDS, "the text stands in the ledger '%s' as entry %llu of %llu", shown(c, point->origin),
            (unsigned long long)r->index, (unsigned long long)r->size);
    else
        say(c, RECEIPT_FAILS,
            "the text does not stand in the ledger as entry %llu: text, salt, number or path was changed",
            (unsigned long long)r->index);
}

static const struct receipt_proof *proof_between(const struct receipt_check *check, uint64_t from, uint64_t to) {
    for (size_t i = 0; i < check->n_proofs; i++)
        if (check->proofs[i].from == from && check->proofs[i].to == to) return &check->proofs[i];
    return NULL;
}

/* Do two checkpoints speak of one ledger that only grew? */
static void check_consistency(struct checking *c, const struct checkpoint *own, const struct checkpoint *other,
                              const char *which) {
    const struct checkpoint *a = own->size <= other->size ? own : other, *b = a == own ? other : own;
    unsigned long long from = a->size, to = b->size;
    const struct receipt_proof *proof = proof_between(c->check, a->size, b->size);
    if (!str_eq(own->origin, other->origin)) {
        say(c, RECEIPT_FAILS, "%s is of another ledger, '%s'", which, shown(c, other->origin));
    } else if (from == to) {
        if (merkle_eq(a->root, b->root))
            say(c, RECEIPT_HOLDS, "%s shows the same ledger, at the same size", which);
        else
            say(c, RECEIPT_FAILS, "%s shows another ledger of the same size: the ledger was forked", which);
    } else if (from == 0) {
        say(c, RECEIPT_HOLDS, "%s is of the empty ledger, with which every ledger begins", which);
    } else if (!proof) {
        say(c, RECEIPT_OPEN,
            "whether %s shows the same ledger cannot be told: get /api/v1/ledger/proof?from=%llu&to=%llu and give the "
            "file by --proof",
            which, from, to);
    } else if (merkle_consistent(a->size, b->size, proof->path, proof->n, a->root, b->root)) {
        say(c, RECEIPT_HOLDS, "%s shows the same ledger: from size %llu to %llu it only grew", which, from, to);
    } else {
        say(c, RECEIPT_FAILS,
            "%s and the receipt's do not agree: the ledger was changed or forked, or the proof is wrong", which);
    }
}

static void check_all(struct checking *c) {
    struct note note, other_note;
    struct checkpoint own, other;
    if (!open_note(c, c->check->receipt->checkpoint, "the receipt's checkpoint", &note, &own)) return;
    check_inclusion(c, &own);
    check_signatures(c, &note, &own, "the receipt's checkpoint");
    for (size_t i = 0; i < c->check->n_checkpoints; i++) {
        const char *which = arena_printf(c->arena, "checkpoint %zu", i + 1).ptr;
        if (!open_note(c, c->check->checkpoints[i], which, &other_note, &other)) continue;
        check_signatures(c, &other_note, &other, which);
        check_consistency(c, &own, &other, which);
    }
}

enum receipt_verdict receipt_check(const struct receipt_check *check, struct arena *arena) {
    struct checking c = {.check = check, .arena = arena};
    check_all(&c);
    return c.failed ? RECEIPT_FAILS : c.open ? RECEIPT_OPEN : RECEIPT_HOLDS;
}
