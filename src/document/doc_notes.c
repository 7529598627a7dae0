/*
 * Comments and attachments. A file's bytes are put before its row, so that a row never leads nowhere; a blob without a
 * row is what a power cut between the two leaves, and harms nobody.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/sha256.h"
#include "document/doc_engine.h"
#include "document/doc_system.h"
#include "store/blobs.h"
#include "trust/audit.h"
#include "trust/gate.h"
#include "trust/seal.h"

#define COMMENT_BYTES_MAX 16384
#define NAME_BYTES_MAX 255
#define NOTES_MAX 1000

struct noting {
    struct documents *d;
    const struct principal *who;
    const struct lens *lens;
    const struct doctype *type;
    int64_t doc, id;
    const struct record_table *table;
    unsigned type_at, doc_at;
    Value *row; /* to insert */
    const char *action;
    struct record_page page;
    struct arena *arena;
};

/* ---- one way in for both */

static Err find_doc(struct noting *n, struct records_txn *txn, struct doc **doc) {
    struct doc_read read;
    TRY(doc_read_begin(&read, n->d, txn, n->lens, doc_engine_table(n->d, n->type), n->arena));
    read.fields = 0; /* no lines */
    TRY(doc_read_one(&read, RECORD_ID, VALUE_I(n->doc), doc));
    return *doc ? err_none() : err_make(ERR_NOT_FOUND, "no %s with id %" PRId64, n->type->name, n->doc);
}

/* Notes of the own party are seen with the document; a partner sees them when the agreement gives the whole. */
static Err check_lens(const struct noting *n) {
    if (n->lens->agreement == 0 || n->lens->fields == UINT64_MAX) return err_none();
    return err_make(ERR_FORBIDDEN, "the agreement does not give comments and files of %s", n->type->name);
}

static Err insert(void *ctx, struct records_txn *txn) {
    struct noting *n = ctx;
    struct doc *doc;
    TRY(find_doc(n, txn, &doc));
    n->row[RECORD_PARTY] = VALUE_I(doc->party);
    TRY(records_txn_insert(txn, n->table, n->row, &n->id));
    struct audit_row audit = {.at = clock_now(n->d->options.clock),
                              .party = doc->party,
                              .who = str_c(n->who->name),
                              .action = str_c(n->action),
                              .type = str_c(n->type->name),
                              .target = doc->number,
                              .after = arena_printf(n->arena, "{\"id\":%" PRId64 "}", n->id)};
    n->d->touched = true;
    return audit_add(txn, &audit);
}

static Err select_all(void *ctx, struct records_txn *txn) {
    struct noting *n = ctx;
    struct doc *doc;
    TRY(find_doc(n, txn, &doc));
    struct lens party = gate_lens_party(doc->party, "notes of a document that its reader sees");
    const struct record_filter parts[] = {
        {.op = RECORD_EQ, .column = n->doc_at, .value = VALUE_I(n->doc)},
        {.op = RECORD_EQ, .column = n->type_at, .value = VALUE_S(str_c(n->type->name))},
        {.op = n->id ? RECORD_EQ : RECORD_GT, .column = RECORD_ID, .value = VALUE_I(n->id)}};
    struct record_filter all = {.op = RECORD_AND, .parts = parts, .n_parts = 3};
    struct record_query query = {.filter = &all, .limit = NOTES_MAX};
    return records_txn_select(txn, &party, n->table, &query, n->arena, &n->page);
}

static Err add(struct noting *n, unsigned roles) {
    struct lens own = gate_lens_own(n->who, "notes");
    if (!principal_may(n->who, roles))
        return err_make(ERR_FORBIDDEN, "'%s' may not %s on documents of type '%s'", n->who->name, n->action,
                        n->type->name);
    n->lens = &own;
    return records_write(n->d->options.records, insert, n);
}

/* ---- comments */

Err doc_notes_comment(struct documents *d, const struct principal *who, const struct doctype *type, int64_t id,
                      Str text, struct arena *arena, int64_t *out) {
    Value row[COMMENT_COLUMNS] = {[COMMENT_TYPE] = VALUE_S(str_c(type->name)),
                                  [COMMENT_DOC] = VALUE_I(id),
                                  [COMMENT_AT] = VALUE_I(clock_now(d->options.clock)),
                                  [COMMENT_WHO] = VALUE_S(str_c(who->name)),
                                  [COMMENT_TEXT] = VALUE_S(str_trim(text))};
    struct noting n = {.d = d,
                       .who = who,
                       .type = type,
                       .doc = id,
                       .table = &doc_system_comment,
                       .row = row,
                       .action = "comment",
                       .arena = arena};
    if (str_trim(text).len == 0) return err_make(ERR_INVALID, "text: missing");
    if (text.len > COMMENT_BYTES_MAX) return err_make(ERR_INVALID, "text: longer than %d bytes", COMMENT_BYTES_MAX);
    TRY(add(&n, type->read_roles));
    *out = n.id;
    return err_none();
}

Err doc_notes_comments(struct documents *d, const struct lens *lens, const struct doctype *type, int64_t id,
                       struct arena *arena, struct doc_comment **out, size_t *n) {
    struct noting g = {.d = d,
                       .lens = lens,
                       .type = type,
                       .doc = id,
                       .table = &doc_system_comment,
                       .type_at = COMMENT_TYPE,
                       .doc_at = COMMENT_DOC,
                       .arena = arena};
    *out = NULL;
    *n = 0;
    TRY(check_lens(&g));
    TRY(records_read(d->options.records, select_all, &g));
    *out = arena_zero(arena, g.page.n, sizeof **out);
    for (size_t i = 0; i < g.page.n; i++) {
        const Value *row = g.page.rows[i];
        (*out)[i] = (struct doc_comment){
            .id = row[RECORD_ID].i, .at = row[COMMENT_AT].i, .who = row[COMMENT_WHO].s, .text = row[COMMENT_TEXT].s};
    }
    *n = g.page.n;
    return err_none();
}

/* ---- attachments */

static Str about(PartyId party, const struct doctype *type, int64_t id, const unsigned char hash[32],
                 struct arena *arena) {
    char hex[65];
    for (int i = 0; i < 32; i++) snprintf(hex + 2 * i, 3, "%02x", hash[i]);
    return arena_printf(arena, "%u/%s/%" PRId64 "/file/%s", party, type->name, id, hex);
}

static Err check_attachment(const struct documents *d, const struct doc_attachment *what, Str bytes) {
    if (!d->options.blobs) return err_make(ERR_INVALID, "there is no room for files here");
    if (bytes.len == 0) return err_make(ERR_INVALID, "an empty file: send its bytes as the body");
    if (what->name.len == 0 || what->name.len > NAME_BYTES_MAX || !str_is_utf8(what->name))
        return err_make(ERR_INVALID, "the file needs a name of at most %d bytes", NAME_BYTES_MAX);
    if (what->media_type.len > NAME_BYTES_MAX || !str_is_utf8(what->media_type))
        return err_make(ERR_INVALID, "the media type is longer than %d bytes", NAME_BYTES_MAX);
    if (what->sealed && !d->options.seal) return err_make(ERR_INVALID, "there is no key to seal files with");
    return err_none();
}

Err doc_notes_attach(struct documents *d, const struct principal *who, const struct doctype *type, int64_t id,
                     const struct doc_attachment *what, Str bytes, struct arena *arena, int64_t *out) {
    unsigned char hash[SHA256_BYTES];
    BlobId blob;
    TRY(check_attachment(d, what, bytes));
    sha256_bytes(bytes.ptr, bytes.len, hash);
    Str kept = bytes;
    if (what->sealed)
        TRY(seal_bytes(d->options.seal, who->party, about(who->party, type, id, hash, arena), bytes, arena, &kept));
    TRY(blobs_put(d->options.blobs, kept, &blob));
    Str media = what->media_type.len ? what->media_type : STR("application/octet-stream");
    Value row[ATTACHMENT_COLUMNS] = {[ATTACHMENT_TYPE] = VALUE_S(str_c(type->name)),
                                     [ATTACHMENT_DOC] = VALUE_I(id),
                                     [ATTACHMENT_AT] = VALUE_I(clock_now(d->options.clock)),
                                     [ATTACHMENT_WHO] = VALUE_S(str_c(who->name)),
                                     [ATTACHMENT_NAME] = VALUE_S(what->name),
                                     [ATTACHMENT_MEDIA] = VALUE_S(media),
                                     [ATTACHMENT_BYTES] = VALUE_I((int64_t)bytes.len),
                                     [ATTACHMENT_SEALED] = VALUE_B(what->sealed),
                                     [ATTACHMENT_HASH] = VALUE_S(str_n((const char *)hash, sizeof hash)),
                                     [ATTACHMENT_BLOB] = VALUE_S(str_n((const char *)blob.hash, sizeof blob.hash))};
    struct noting n = {.d = d,
                       .who = who,
                       .type = type,
                       .doc = id,
                       .table = &doc_system_attachment,
                       .row = row,
                       .action = "attach",
                       .arena = arena};
    TRY(add(&n, type->create_roles | type->change_roles));
    *out = n.id;
    return err_none();
}

static Err read_attachments(struct noting *g, struct documents *d, const struct lens *lens, const struct doctype *type,
                            int64_t id, int64_t attachment, struct arena *arena) {
    *g = (struct noting){.d = d,
                         .lens = lens,
                         .type = type,
                         .doc = id,
                         .id = attachment,
                         .table = &doc_system_attachment,
                         .type_at = ATTACHMENT_TYPE,
                         .doc_at = ATTACHMENT_DOC,
                         .arena = arena};
    TRY(check_lens(g));
    return records_read(d->options.records, select_all, g);
}

static void take_attachment(const Value *row, struct doc_attachment *out) {
    *out = (struct doc_attachment){.id = row[RECORD_ID].i,
                                   .at = row[ATTACHMENT_AT].i,
                                   .who = row[ATTACHMENT_WHO].s,
                                   .name = row[ATTACHMENT_NAME].s,
                                   .media_type = row[ATTACHMENT_MEDIA].s,
                                   .bytes = (uint64_t)row[ATTACHMENT_BYTES].i,
                                   .sealed = row[ATTACHMENT_SEALED].b};
    if (row[ATTACHMENT_HASH].s.len == sizeof out->hash) memcpy(out->hash, row[ATTACHMENT_HASH].s.ptr, sizeof out->hash);
}

Err doc_notes_attachments(struct documents *d, const struct lens *lens, const struct doctype *type, int64_t id,
                          struct arena *arena, struct doc_attachment **out, size_t *n) {
    struct noting g;
    *out = NULL;
    *n = 0;
    TRY(read_attachments(&g, d, lens, type, id, 0, arena));
    *out = arena_zero(arena, g.page.n, sizeof **out);
    for (size_t i = 0; i < g.page.n; i++) take_attachment(g.page.rows[i], &(*out)[i]);
    *n = g.page.n;
    return err_none();
}

Err doc_notes_attachment(struct documents *d, const struct lens *lens, const struct doctype *type, int64_t id,
                         int64_t attachment, struct arena *arena, struct doc_attachment *out, Str *bytes) {
    struct noting g;
    BlobId blob;
    if (attachment <= 0) return err_make(ERR_NOT_FOUND, "no attachment %" PRId64, attachment);
    TRY(read_attachments(&g, d, lens, type, id, attachment, arena));
    if (g.page.n == 0 || !d->options.blobs)
        return err_make(ERR_NOT_FOUND, "no attachment %" PRId64 " of this document", attachment);
    const Value *row = g.page.rows[0];
    take_attachment(row, out);
    if (row[ATTACHMENT_BLOB].s.len != sizeof blob.hash)
        return err_make(ERR_CORRUPT, "attachment %" PRId64 " leads nowhere", attachment);
    memcpy(blob.hash, row[ATTACHMENT_BLOB].s.ptr, sizeof blob.hash);
    TRY(blobs_get(d->options.blobs, blob, arena, bytes));
    if (!out->sealed) return err_none();
    PartyId party = (PartyId)row[RECORD_PARTY].i;
    if (!d->options.seal) return err_make(ERR_INVALID, "there is no key to open this file with");
    return seal_bytes_reveal(d->options.seal, party, about(party, type, id, out->hash, arena), *bytes, arena, bytes);
}
