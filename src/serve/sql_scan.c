/* What the tables ask of a scan: which conditions came down, and how much they hold. */
#include "serve/sql_inner.h"

/* Nobody may hold more than the statement's memory, in SQLite or in what is read for it. */
Err sql_scan_hold_more(struct sql_scan *scan, size_t more) {
    struct sqlheap *heap = &scan->table->session->heap;
    size_t now = arena_used(&scan->arena) + arena_used(&scan->page) + more;
    sqlheap_give(heap, scan->held);
    scan->held = 0;
    if (!sqlheap_take(heap, now))
        return err_make(ERR_LIMIT,
                        "'%s' needs more than the %zu MiB that a statement may hold: ask for a shorter time "
                        "or fewer columns",
                        scan->table->about.name, heap->limit >> 20);
    scan->held = now;
    return err_none();
}

Err sql_scan_hold(struct sql_scan *scan) { return sql_scan_hold_more(scan, 0); }

const struct sql_term *sql_scan_term(const struct sql_scan *scan, unsigned col, enum doc_op op) {
    for (size_t i = 0; i < scan->n_terms; i++)
        if (scan->terms[i].col == col && scan->terms[i].op == op) return &scan->terms[i];
    return NULL;
}

bool sql_scan_text(const struct sql_scan *scan, unsigned col, Str *out) {
    const struct sql_term *t = sql_scan_term(scan, col, DOC_EQ);
    if (!t || t->value.kind != VALUE_STRING) return false;
    *out = t->value.s;
    return true;
}

bool sql_scan_uses(const struct sql_scan *scan, unsigned col) { return scan->used >> (col < 63 ? col : 63) & 1; }

bool sql_scan_span(const struct sql_scan *scan, unsigned col, Nanos *from, Nanos *to) {
    for (size_t i = 0; i < scan->n_terms; i++) {
        const struct sql_term *t = &scan->terms[i];
        if (t->col != col || t->value.kind != VALUE_INT || t->value.i == INT64_MAX) continue;
        Nanos at = t->value.i;
        if ((t->op == DOC_GE || t->op == DOC_EQ) && at > *from) *from = at;
        if (t->op == DOC_GT && at + 1 > *from) *from = at + 1;
        if (t->op == DOC_LT && at < *to) *to = at;
        if ((t->op == DOC_LE || t->op == DOC_EQ) && at + 1 < *to) *to = at + 1;
    }
    return *from < *to;
}
