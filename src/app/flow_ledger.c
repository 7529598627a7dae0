#include "app/flow_ledger.h"

#include "base/jw.h"
#include "base/log.h"
#include "document/documents.h"
#include "trust/agreements.h"
#include "trust/ledger_entries.h"
#include "trust/people.h"

/* ---- documents: their fields as they are stored, but no secrets */
static void write_value(struct jw *w, const char *name, Value v) {
    if (v.kind == VALUE_INT) jw_kint(w, name, v.i);
    if (v.kind == VALUE_FLOAT) jw_knum(w, name, v.f);
    if (v.kind == VALUE_BOOL) jw_kbool(w, name, v.b);
    if (v.kind == VALUE_STRING) jw_kstr(w, name, v.s);
}

static void write_fields(struct jw *w, const struct field *fields, size_t n, const Value *values) {
    for (size_t i = 0; i < n; i++)
        if (fields[i].kind != FIELD_LINES && fields[i].share != SHARE_SECRET) write_value(w, fields[i].name, values[i]);
}

static void write_lines(struct jw *w, const struct doc *doc) {
    size_t k = 0;
    for (size_t i = 0; doc->lines && i < doc->type->n_fields && k < DOCTYPE_LINES_MAX; i++) {
        const struct field *f = &doc->type->fields[i];
        if (f->kind != FIELD_LINES) continue;
        const struct doc_lines *lines = &doc->lines[k++];
        if (f->share == SHARE_SECRET) continue;
        jw_key(w, f->name);
        jw_array(w);
        for (size_t r = 0; r < lines->n; r++) {
            jw_object(w);
            write_fields(w, f->lines->fields, f->lines->n_fields, lines->rows[r]);
            jw_object_end(w);
        }
        jw_array_end(w);
    }
}

static void document_text(const struct outbox_row *row, const struct doc *doc, struct buf *out) {
    struct jw w;
    jw_init(&w, out);
    jw_object(&w);
    jw_kc(&w, "weft", "document/1");
    jw_kc(&w, "type", doc->type->name);
    jw_kint(&w, "party", doc->party);
    jw_kint(&w, "id", doc->id);
    jw_kstr(&w, "number", doc->number);
    jw_kint(&w, "version", doc->version);
    jw_ktime(&w, "at", row->at);
    jw_kstr(&w, "who", row->who);
    jw_key(&w, "fields");
    jw_object(&w);
    write_fields(&w, doc->type->fields, doc->type->n_fields, doc->values);
    write_lines(&w, doc);
    jw_object_end(&w);
    jw_object_end(&w);
}

Err flow_ledger_document(void *ctx, struct records_txn *txn, const struct outbox_row *row, const struct doc *doc) {
    struct flow *flow = ctx;
    if (!doc || !doc->type->immutable || !flow->entries) return err_none();
    struct buf text = {0};
    document_text(row, doc, &text);
    struct ledger_entry entry = {.party = doc->party,
                                 .type = str_c(doc->type->name),
                                 .row = doc->id,
                                 .version = doc->version,
                                 .text = buf_view(&text)};
    Err err = ledger_entries_note(flow->entries, txn, &entry);
    buf_fini(&text);
    return err;
}

/* ---- disclosures */
Err flow_ledger_disclosures(void *ctx, const struct disclosures_entry *entries, size_t n, uint64_t *first) {
    struct flow *flow = ctx;
    struct arena arena;
    arena_init(&arena, 0);
    LedgerLeaf *leaves = arena_zero(&arena, n, sizeof *leaves);
    for (size_t i = 0; i < n; i++) leaves[i] = ledger_leaf(entries[i].salt, entries[i].text);
    Err err = ledger_add(flow->workspace.ledger, leaves, n, first);
    arena_fini(&arena);
    return err;
}

/* ---- agreements */
static void write_party(struct flow *flow, struct jw *w, const char *key, PartyId party, struct arena *arena) {
    Str name = {0};
    people_party_name(flow->workspace.people, party, arena, &name);
    jw_key(w, key);
    jw_object(w);
    jw_kint(w, "id", party);
    jw_kstr(w, "name", name);
    jw_object_end(w);
}

static void agreement_text(struct flow *flow, const struct agreement *a, const char *what, struct arena *arena,
                           struct buf *out) {
    struct jw w;
    jw_init(&w, out);
    jw_object(&w);
    jw_kc(&w, "weft", "agreement/1");
    jw_kstr(&w, "number", a->number);
    jw_kc(&w, "what", what);
    jw_kc(&w, "state", agreements_state_name(a->state));
    jw_kint(&w, "version", a->version);
    jw_ktime(&w, "at", a->changed);
    write_party(flow, &w, "owner", a->owner, arena);
    write_party(flow, &w, "receiver", a->receiver, arena);
    jw_kstr(&w, "owner_assent", a->agreed[AGREEMENT_OWNER].who);
    jw_kstr(&w, "receiver_assent", a->agreed[AGREEMENT_RECEIVER].who);
    jw_key(&w, "terms");
    if (a->terms.len > 0)
        jw_raw(&w, a->terms);
    else
        jw_null(&w);
    jw_object_end(&w);
}

void flow_ledger_agreement(struct flow *flow, const struct agreement *a, const char *what) {
    if (!flow->entries) return;
    struct arena arena;
    struct buf text = {0};
    arena_init(&arena, 0);
    agreement_text(flow, a, what, &arena, &text);
    struct ledger_entry entry = {
        .party = a->owner, .type = STR("agreement"), .row = a->id, .version = a->version, .text = buf_view(&text)};
    Err err = ledger_entries_write(flow->entries, &entry);
    if (err.code != ERR_NONE) LOG_ERROR("ledger.agreement", LOG_S("number", a->number), LOG_C("reason", err.text));
    buf_fini(&text);
    arena_fini(&arena);
}

/* ---- */
Err flow_ledger_start(struct flow *flow, const struct settings *settings) {
    struct workspace *w = &flow->workspace;
    TRY(workspace_ledger(w, settings));
    struct ledger_entries_options options = {
        .records = w->records, .ledger = w->ledger, .seal = w->seal, .clock = w->clock};
    return ledger_entries_open(&options, &flow->entries);
}

void flow_ledger_stop(struct flow *flow) { ledger_entries_close(flow->entries); }
