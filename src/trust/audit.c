#include "trust/audit.h"

#include "store/records_system.h"
#include "store/records_txn.h"

static Value text_or_none(Str s) { return s.len > 0 ? VALUE_S(s) : (Value){.kind = VALUE_NONE}; }
static Str text(Value v) { return v.kind == VALUE_STRING ? v.s : (Str){0}; }

Err audit_add(struct records_txn *txn, const struct audit_row *row) {
    int64_t id;
    Value values[AUDIT_COLUMNS] = {
        [RECORD_PARTY] = VALUE_I(row->party),
        [AUDIT_AT] = VALUE_I(row->at),
        [AUDIT_WHO] = VALUE_S(row->who),
        [AUDIT_ACTION] = VALUE_S(row->action),
        [AUDIT_TYPE] = VALUE_S(row->type),
        [AUDIT_TARGET] = VALUE_S(row->target),
        [AUDIT_BEFORE] = text_or_none(row->before),
        [AUDIT_AFTER] = text_or_none(row->after),
    };
    return records_txn_insert(txn, &records_system_audit, values, &id);
}

struct listing {
    const struct lens *lens;
    struct record_query query;
    struct arena *arena;
    struct record_page page;
};

static Err list_rows(void *ctx, struct records_txn *txn) {
    struct listing *l = ctx;
    return records_txn_select(txn, l->lens, &records_system_audit, &l->query, l->arena, &l->page);
}

static struct audit_row row_of(const Value *v) {
    return (struct audit_row){.id = v[RECORD_ID].i,
                              .at = v[AUDIT_AT].i,
                              .party = (PartyId)v[RECORD_PARTY].i,
                              .who = text(v[AUDIT_WHO]),
                              .action = text(v[AUDIT_ACTION]),
                              .type = text(v[AUDIT_TYPE]),
                              .target = text(v[AUDIT_TARGET]),
                              .before = text(v[AUDIT_BEFORE]),
                              .after = text(v[AUDIT_AFTER])};
}

Err audit_list(struct records *records, const struct lens *lens, Str type, Str target, int64_t before_id, size_t limit,
               struct arena *arena, struct audit_row **out, size_t *n) {
    struct record_filter parts[3];
    size_t n_parts = 0;
    *n = 0;
    *out = NULL;
    if (type.len > 0)
        parts[n_parts++] = (struct record_filter){.op = RECORD_EQ, .column = AUDIT_TYPE, .value = VALUE_S(type)};
    if (target.len > 0)
        parts[n_parts++] = (struct record_filter){.op = RECORD_EQ, .column = AUDIT_TARGET, .value = VALUE_S(target)};
    if (before_id > 0)
        parts[n_parts++] = (struct record_filter){.op = RECORD_LT, .column = RECORD_ID, .value = VALUE_I(before_id)};
    struct record_filter all = {.op = RECORD_AND, .parts = parts, .n_parts = n_parts};
    struct listing l = {
        .lens = lens, .query = {.filter = &all, .sort = RECORD_ID, .descending = true, .limit = limit}, .arena = arena};
    TRY(records_read(records, list_rows, &l));
    struct audit_row *rows = arena_zero(arena, l.page.n, sizeof *rows);
    for (size_t i = 0; i < l.page.n; i++) rows[i] = row_of(l.page.rows[i]);
    *out = rows;
    *n = l.page.n;
    return err_none();
}
