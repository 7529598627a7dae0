/* The ledger: C2SP tlog-tiles for everybody, receipts for whom an entry is about. */
#include "trust/ledger.h"

#include "serve/api.h"
#include "serve/serve_state.h"
#include "trust/agreements.h"
#include "trust/disclosures.h"
#include "trust/gate.h"
#include "trust/ledger_entries.h"
#include "trust/receipt.h"

static Err find_ledger(const struct api_call *call, struct ledger **out) {
    *out = call->serve->options.ledger;
    return *out ? err_none() : err_make(ERR_NOT_FOUND, "this server keeps no ledger");
}

static void text_answer(struct api_call *call, Str text) {
    call->response->content_type = "text/plain; charset=utf-8";
    http_response_header(call->response, "Cache-Control", STR("no-cache"));
    buf_str(&call->response->body, text);
}

static Err get_checkpoint(struct api_call *call) {
    struct ledger *ledger;
    Str note;
    TRY(find_ledger(call, &ledger));
    TRY(ledger_checkpoint(ledger, call->arena, &note));
    text_answer(call, note);
    return err_none();
}

static Err get_cosigned(struct api_call *call) {
    struct ledger *ledger;
    Str note;
    TRY(find_ledger(call, &ledger));
    TRY(ledger_cosigned(ledger, call->arena, &note));
    text_answer(call, note);
    return err_none();
}

/* What is found never changes, so it may be kept for ever. */
static Err get_tile(struct api_call *call) {
    struct ledger *ledger;
    Str bytes, path = STR("tile");
    TRY(find_ledger(call, &ledger));
    for (size_t i = 0; i < ROUTE_SEGMENTS_MAX && call->segments[i].len > 0; i++)
        path = arena_printf(call->arena, STR_FMT "/" STR_FMT, STR_ARG(path), STR_ARG(call->segments[i]));
    TRY(ledger_tile(ledger, path, call->arena, &bytes));
    call->response->content_type = "application/octet-stream";
    http_response_header(call->response, "Cache-Control", STR("public, max-age=31536000, immutable"));
    buf_str(&call->response->body, bytes);
    return err_none();
}

static Err post_cosignature(struct api_call *call) {
    struct ledger *ledger;
    TRY(find_ledger(call, &ledger));
    TRY(ledger_cosign(ledger, call->request->body));
    text_answer(call, STR("kept\n"));
    return err_none();
}

/* ---- for programs and the console */
static void write_witnesses(const struct api_call *call, struct jw *w) {
    const struct serve_options *o = &call->serve->options;
    struct note note = {0};
    struct checkpoint c = {0};
    Str text;
    bool any = ledger_cosigned(o->ledger, call->arena, &text).code == ERR_NONE &&
               note_parse(text, call->arena, &note).code == ERR_NONE && note_checkpoint(note.text, &c).code == ERR_NONE;
    jw_key(w, "witnesses");
    jw_array(w);
    for (size_t i = 0; i < o->n_witnesses; i++) {
        Nanos at = 0;
        bool has = any && note_verify(&note, &o->witnesses[i], &at) == NOTE_SIGNED;
        jw_object(w);
        jw_kc(w, "name", o->witnesses[i].name);
        jw_kstr(w, "key", note_key_text(&o->witnesses[i], call->arena));
        jw_key(w, "signed_at");
        if (has)
            jw_time(w, at);
        else
            jw_null(w);
        jw_kint(w, "size", has ? (int64_t)c.size : 0);
        jw_object_end(w);
    }
    jw_array_end(w);
}

static Err get_ledger(struct api_call *call) {
    struct ledger *ledger;
    struct note note;
    struct checkpoint c;
    Str text;
    TRY(find_ledger(call, &ledger));
    TRY(ledger_checkpoint(ledger, call->arena, &text));
    TRY(note_parse(text, call->arena, &note));
    TRY(note_checkpoint(note.text, &c));
    struct jw *w = api_json(call);
    jw_object(w);
    jw_kint(w, "size", (int64_t)c.size);
    jw_kstr(w, "root", secret_base64(call->arena, str_n((const char *)c.root.bytes, 32)));
    jw_kstr(w, "origin", c.origin);
    jw_kstr(w, "key", note_key_text(ledger_key(ledger), call->arena));
    jw_kstr(w, "witness_key", note_key_text(ledger_witness_key(ledger), call->arena));
    jw_ktime(w, "checkpoint_at", clock_now(call->serve->options.clock));
    write_witnesses(call, w);
    jw_object_end(w);
    return err_none();
}

static Err get_proof(struct api_call *call) {
    struct ledger *ledger;
    TRY(find_ledger(call, &ledger));
    struct receipt_proof proof = {.from = (uint64_t)api_query_int(call, "from", 0, 0, INT64_MAX),
                                  .to = (uint64_t)api_query_int(call, "to", 0, 0, INT64_MAX)};
    TRY(ledger_consistency(ledger, proof.from, proof.to, proof.path, &proof.n));
    receipt_proof_write(&proof, api_json(call), call->arena);
    return err_none();
}

/* ---- receipts: of what is one's own party's */
static Err not_yet(void) { return err_make(ERR_BUSY, "it is not in the ledger yet: ask again in a second"); }

static Err disclosed(const struct api_call *call, int64_t id, struct ledger_entry *out) {
    struct disclosure row;
    if (!call->serve->options.disclosures) return err_make(ERR_NOT_FOUND, "this server discloses nothing");
    TRY(disclosures_get(call->serve->options.disclosures, call->who.party, id, call->arena, &row));
    *out = (struct ledger_entry){.text = disclosures_text(&row, call->arena), .index = row.ledger};
    _Static_assert(sizeof out->salt == sizeof row.salt, "a salt is a salt");
    bool kept = false;
    for (size_t i = 0; i < sizeof out->salt; i++) {
        out->salt[i] = row.salt[i];
        kept = kept || row.salt[i] != 0;
    }
    return kept ? err_none() : err_make(ERR_NOT_FOUND, "its salt was erased with the party's key: nobody can prove it");
}

static Err noted(const struct api_call *call, Str type, int64_t id, int64_t version, struct ledger_entry *out) {
    struct ledger_entries *entries = call->serve->options.ledger_entries;
    struct lens lens = gate_lens_own(&call->who, "receipt");
    if (!entries) return err_make(ERR_NOT_FOUND, "nothing but disclosures enters this server's ledger");
    return ledger_entries_find(entries, &lens, type, id, version, call->arena, out);
}

static Err agreement_id(const struct api_call *call, Str text, int64_t *out) {
    struct agreement agreement;
    if (!call->serve->options.agreements) return err_make(ERR_NOT_FOUND, "this server keeps no agreements");
    TRY(agreements_find(call->serve->options.agreements, &call->who, text, call->arena, &agreement));
    *out = agreement.id;
    return err_none();
}

static Err find_entry(const struct api_call *call, struct ledger_entry *out) {
    Str type = api_query(call, "type"), agreement = api_query(call, "agreement");
    int64_t version = api_query_int(call, "version", 0, 0, INT64_MAX), id = 0;
    int64_t disclosure = api_query_int(call, "disclosure", 0, 0, INT64_MAX);
    if (disclosure > 0) return disclosed(call, disclosure, out);
    if (agreement.len > 0) {
        TRY(agreement_id(call, agreement, &id));
        return noted(call, STR("agreement"), id, version, out);
    }
    id = api_query_int(call, "id", 0, 0, INT64_MAX);
    if (type.len == 0 || id == 0)
        return err_make(ERR_INVALID, "name what the receipt is for: disclosure=ID, agreement=ID, or type=TYPE&id=ID");
    return noted(call, type, id, version, out);
}

static Err get_receipt(struct api_call *call) {
    struct ledger *ledger;
    struct ledger_entry entry;
    struct receipt receipt;
    TRY(find_ledger(call, &ledger));
    TRY(find_entry(call, &entry));
    if (entry.index < 0) return not_yet();
    TRY(receipt_make(ledger, entry.salt, entry.text, (uint64_t)entry.index, call->arena, &receipt));
    receipt_write(&receipt, api_json(call), call->arena);
    return err_none();
}

static const struct route_param proof_params[] = {
    {"from", ROUTE_INT, true, "the smaller size, 1…"},
    {"to", ROUTE_INT, true, "the larger size"},
    {.name = NULL},
};
static const struct route_param receipt_params[] = {
    {"disclosure", ROUTE_INT, false, "a read in the log of disclosures"},
    {"agreement", ROUTE_TEXT, false, "an agreement, by id or number: its newest change"},
    {"type", ROUTE_TEXT, false, "a document's type, with id"},
    {"id", ROUTE_INT, false, "a document"},
    {"version", ROUTE_INT, false, "of the document or agreement; the newest"},
    {.name = NULL},
};

#define TILE(path, id)                                                                                                 \
    {                                                                                                                  \
        HTTP_GET, path, id, "ledger", "A tile or a bundle of entries (C2SP tlog-tiles)", 0, NULL, NULL, NULL, 0,       \
            ROUTE_HIDDEN, 0, get_tile                                                                                  \
    }

const struct route api_ledger_routes[] = {
    {HTTP_GET, "/ledger/checkpoint", "getLedgerCheckpoint", "ledger", "The newest signed checkpoint", 0, NULL, NULL,
     NULL, 0, ROUTE_HIDDEN, 0, get_checkpoint},
    {HTTP_GET, "/ledger/cosigned", "getLedgerCosigned", "ledger", "The newest checkpoint that a witness has signed", 0,
     NULL, NULL, NULL, 0, ROUTE_HIDDEN, 0, get_cosigned},
    TILE("/ledger/tile/{level}/{a}", "getLedgerTile"),
    TILE("/ledger/tile/{level}/{a}/{b}", "getLedgerTile2"),
    TILE("/ledger/tile/{level}/{a}/{b}/{c}", "getLedgerTile3"),
    TILE("/ledger/tile/{level}/{a}/{b}/{c}/{d}", "getLedgerTile4"),
    TILE("/ledger/tile/{level}/{a}/{b}/{c}/{d}/{e}", "getLedgerTile5"),
    {HTTP_POST, "/ledger/cosignatures", "postLedgerCosignature", "ledger",
     "A checkpoint with a witness's signature (C2SP tlog-cosignature)", 0, NULL, NULL, NULL, 0,
     ROUTE_HIDDEN | ROUTE_RAW_BODY, NOTE_MAX, post_cosignature},
    {HTTP_GET, "/api/v1/ledger", "getLedger", "ledger", "How far the ledger is, its key and its witnesses", 0, NULL,
     NULL, "Ledger", 0, 0, 0, get_ledger},
    {HTTP_GET, "/api/v1/ledger/proof", "getLedgerProof", "ledger", "That one size of the ledger begins another", 0,
     proof_params, NULL, "LedgerProof", 0, 0, 0, get_proof},
    {HTTP_GET, "/api/v1/ledger/receipts", "getLedgerReceipt", "ledger",
     "What proves offline that something of ours stands in the ledger", ROLE_STAFF, receipt_params, NULL,
     "LedgerReceipt", 0, 0, 0, get_receipt},
    {.handler = NULL},
};
