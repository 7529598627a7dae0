/*
 *   this thread   reads rows, groups them to documents, 256 to a chunk ──▶ queue
 *   workers       cells → JSON → documents_check → staged bytes and faults of the chunk
 *   this thread   takes the chunks back in their order, finds what is twice in the table, writes both files
 */
#include "document/import_check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/map.h"
#include "base/vec.h"
#include "document/import_refs.h"
#include "document/import_stage.h"
#include "os/process.h"
#include "os/thread.h"
#include "trust/gate.h"

#define CHUNK_DOCS 256
#define CHUNK_ROWS 4096
#define THREADS_MAX 16
#define VALUES_AT_ONCE 60 /* looked for in the store by one question */
#define SHOWN_MAX 200

struct source_row {
    size_t number;
    const Str *cells; /* [n_columns] */
};

struct key { /* a value that must be unique */
    size_t group;
    unsigned field;
    Value value;
};

struct chunk {
    struct arena arena;
    struct source_row rows[CHUNK_ROWS];
    size_t n_rows, n_groups;
    size_t begins[CHUNK_DOCS + 1]; /* the first row of each document */
    /* what the worker found */
    bool bad[CHUNK_DOCS], done;
    size_t staged_at[CHUNK_DOCS + 1];
    struct buf staged, faults;
    struct key *keys;
    size_t n_keys, cap_keys;
    Err err;
    const struct check *check;
};

struct check {
    const struct import_plan *plan;
    struct import_refs *refs;
    struct lens lens;     /* of who for the type */
    bool grouped, stored; /* several rows a document; there are documents of the type already */
    struct import_tally tally;
    struct map seen; /* unique values → row */
    struct thread_queue *work;
    pthread_mutex_t lock;
    pthread_cond_t finished;
    struct chunk **ring; /* chunks under way, oldest first */
    size_t n_ring, ring_max;
};

/* ---- faults */

static Str shown(Str value) {
    size_t n = value.len < SHOWN_MAX ? value.len : SHOWN_MAX;
    while (n > 0 && n < value.len && ((unsigned char)value.ptr[n] & 0xC0) == 0x80) n--;
    return str_slice(value, 0, n);
}

void import_check_fault(struct buf *out, size_t row, Str column, Str field, Str value, const char *message,
                        const char *suggestion) {
    struct jw w;
    jw_init(&w, out);
    jw_object(&w);
    jw_kint(&w, "row", (int64_t)row);
    jw_kstr(&w, "column", column);
    jw_kstr(&w, "field", field);
    jw_kstr(&w, "value", shown(value));
    jw_kc(&w, "message", message);
    if (suggestion[0]) jw_kc(&w, "suggestion", suggestion);
    jw_object_end(&w);
    buf_byte(out, '\n');
}

static Str target_name(const struct import_plan *plan, const struct import_target *t, struct arena *arena) {
    if (t->lines < 0) return str_c(t->field_of->name);
    return arena_printf(arena, "%s.%s", plan->type->fields[t->lines].name, t->field_of->name);
}

static void cell_fault(struct chunk *chunk, size_t group, size_t row, size_t column, const struct import_fault *fault) {
    const struct import_plan *plan = chunk->check->plan;
    const struct source_row *r = &chunk->rows[row];
    chunk->bad[group] = true;
    import_check_fault(&chunk->faults, r->number, plan->headings[column],
                       target_name(plan, &plan->targets[column], &chunk->arena), r->cells[column], fault->message,
                       fault->suggestion);
}

/* Is text at "FIELD: " or "LINES[2].FIELD: " of a mapped column? Then the column, row and length of that are known. */
static bool at_field(const struct chunk *chunk, size_t group, Str text, size_t *column, size_t *row, size_t *length) {
    const struct import_plan *plan = chunk->check->plan;
    for (size_t c = 0; c < plan->n_columns; c++) {
        const struct import_target *t = &plan->targets[c];
        if (t->what != IMPORT_FIELD) continue;
        unsigned long line = 0;
        Str rest = text, name = str_c(t->lines < 0 ? t->field_of->name : plan->type->fields[t->lines].name);
        if (!str_starts(rest, name)) continue;
        rest = str_slice(rest, name.len, rest.len);
        if (t->lines >= 0 && str_starts(rest, STR("["))) {
            char *end;
            line = strtoul(rest.ptr + 1, &end, 10);
            rest = str_slice(rest, (size_t)(end - rest.ptr) + 1, rest.len);
        }
        if (t->lines >= 0) {
            if (!str_starts(rest, STR("."))) continue;
            rest = str_slice(rest, 1, rest.len);
            if (!str_starts(rest, str_c(t->field_of->name))) continue;
            rest = str_slice(rest, strlen(t->field_of->name), rest.len);
        }
        if (!str_starts(rest, STR(": "))) continue;
        *column = c;
        *row = chunk->begins[group] + (line > 0 ? line - 1 : 0);
        if (*row >= chunk->begins[group + 1]) *row = chunk->begins[group];
        *length = text.len - rest.len + 2;
        return true;
    }
    return false;
}

/* "price: no decimal; lines[2].quantity: missing; and 3 more": one fault for each field that is named. */
static void document_faults(struct chunk *chunk, size_t group, const char *message) {
    Str rest = str_c(message);
    char part[252];
    chunk->bad[group] = true;
    while (rest.len > 0) {
        size_t column = 0, row = chunk->begins[group], length = 0, end;
        bool named = at_field(chunk, group, rest, &column, &row, &length);
        rest = str_slice(rest, length, rest.len);
        for (end = 0; end < rest.len; end++)
            if (str_starts(str_slice(rest, end, rest.len), STR("; "))) break;
        snprintf(part, sizeof part, STR_FMT, STR_ARG(str_slice(rest, 0, end)));
        struct import_fault fault = {0};
        memcpy(fault.message, part, sizeof fault.message - 1);
        if (named)
            cell_fault(chunk, group, row, column, &fault);
        else
            import_check_fault(&chunk->faults, chunk->rows[row].number, (Str){0}, (Str){0}, (Str){0}, part, "");
        rest = str_slice(rest, end + 2, rest.len);
    }
}

/* ---- a worker: cells become JSON */

static Str currency_of(const struct import_plan *plan, const struct import_target *t, const struct source_row *row) {
    for (size_t c = 0; t->field_of->kind == FIELD_MONEY && c < plan->n_columns; c++) {
        const struct import_target *other = &plan->targets[c];
        if (other->what == IMPORT_CURRENCY && other->lines == t->lines && other->field == t->field)
            return row->cells[c];
    }
    return (Str){0};
}

/* A time without an offset gets the table's. */
static Str with_offset(const struct import_plan *plan, const struct field *f, Str cell, struct arena *arena) {
    char text[32];
    bool has_time;
    if (f->kind != FIELD_TIME || plan->offset.len == 0 || !import_cell_moment(cell, &has_time, text)) return cell;
    return arena_printf(arena, "%s%s" STR_FMT, text, has_time ? "" : "T00:00:00", STR_ARG(plan->offset));
}

static Err add_cell(struct chunk *chunk, size_t group, size_t row, size_t column, struct jw *w) {
    const struct import_plan *plan = chunk->check->plan;
    const struct import_target *t = &plan->targets[column];
    const struct source_row *r = &chunk->rows[row];
    Str cell = r->cells[column];
    struct import_fault fault;
    int64_t id = 0;
    jw_key(w, t->field_of->name);
    if (t->field_of->kind == FIELD_REF && t->ref) {
        TRY(import_refs_find(chunk->check->refs, t, cell, &chunk->arena, &id, &fault));
        if (id) jw_int(w, id);
    } else {
        cell = with_offset(plan, t->field_of, cell, &chunk->arena);
        if (import_cell_json(t->field_of, cell, currency_of(plan, t, r), w, &fault)) id = 1;
    }
    if (id) return err_none();
    jw_null(w);
    cell_fault(chunk, group, row, column, &fault);
    return err_none();
}

/* The fields of the head from the first row, or those of one list of lines from a row. */
static Err add_cells(struct chunk *chunk, size_t group, size_t row, int lines, struct jw *w) {
    const struct import_plan *plan = chunk->check->plan;
    jw_object(w);
    for (size_t c = 0; c < plan->n_columns; c++) {
        const struct import_target *t = &plan->targets[c];
        if (t->what == IMPORT_FIELD && t->lines == lines && chunk->rows[row].cells[c].len > 0)
            TRY(add_cell(chunk, group, row, c, w));
    }
    return err_none();
}

static bool has_line(const struct chunk *chunk, size_t row, int lines) {
    const struct import_plan *plan = chunk->check->plan;
    for (size_t c = 0; c < plan->n_columns; c++)
        if (plan->targets[c].lines == lines && chunk->rows[row].cells[c].len > 0) return true;
    return false;
}

static Err write_json(struct chunk *chunk, size_t group, struct jw *w) {
    const struct doctype *type = chunk->check->plan->type;
    TRY(add_cells(chunk, group, chunk->begins[group], -1, w));
    for (size_t i = 0; i < type->n_fields; i++) {
        bool begun = false;
        for (size_t r = chunk->begins[group]; r < chunk->begins[group + 1]; r++) {
            if (type->fields[i].kind != FIELD_LINES || !has_line(chunk, r, (int)i)) continue;
            if (!begun) {
                jw_key(w, type->fields[i].name);
                jw_array(w);
            }
            begun = true;
            TRY(add_cells(chunk, group, r, (int)i, w));
            jw_object_end(w);
        }
        if (begun) jw_array_end(w);
    }
    jw_object_end(w);
    return err_none();
}

static void note_keys(struct chunk *chunk, size_t group, const struct doc *doc) {
    for (unsigned i = 0; i < doc->type->n_fields; i++) {
        struct key key = {.group = group, .field = i, .value = doc->values[i]};
        if (doc->type->fields[i].unique && key.value.kind != VALUE_NONE)
            VEC_PUSH(chunk->keys, chunk->n_keys, chunk->cap_keys, key);
    }
}

static Err check_group(struct chunk *chunk, size_t group, struct buf *text) {
    const struct import_plan *plan = chunk->check->plan;
    struct json *json = NULL;
    struct doc *doc = NULL;
    struct jw w;
    buf_clear(text);
    jw_init(&w, text);
    TRY(write_json(chunk, group, &w));
    TRY(json_parse(buf_view(text), &json));
    struct doc_change change = {.json = json};
    Err err = documents_check(plan->documents, plan->who, plan->type, &change, &chunk->arena, &doc);
    json_free(json);
    if (err.code == ERR_IO || err.code == ERR_CORRUPT || err.code == ERR_CLOSED || err.code == ERR_BUSY) return err;
    if (err.code != ERR_NONE && !chunk->bad[group]) document_faults(chunk, group, err.text);
    if (err.code != ERR_NONE || chunk->bad[group]) return err_none();
    import_stage_put(doc, chunk->rows[chunk->begins[group]].number, &chunk->staged);
    note_keys(chunk, group, doc);
    return err_none();
}

/* ---- a worker: unique values that the store has already */

static void taken(struct chunk *chunk, const struct key *key, const char *by) {
    const struct import_plan *plan = chunk->check->plan;
    struct import_fault fault = {0};
    snprintf(fault.message, sizeof fault.message, "%s", by);
    for (size_t c = 0; c < plan->n_columns; c++) {
        const struct import_target *t = &plan->targets[c];
        if (t->what != IMPORT_FIELD || t->lines >= 0 || t->field != (int)key->field) continue;
        cell_fault(chunk, key->group, chunk->begins[key->group], c, &fault);
        return;
    }
    chunk->bad[key->group] = true;
    import_check_fault(&chunk->faults, chunk->rows[chunk->begins[key->group]].number, (Str){0},
                       str_c(plan->type->fields[key->field].name), (Str){0}, by, "");
}

static Err ask_store(struct chunk *chunk, unsigned field, struct key *const *keys, size_t n) {
    const struct import_plan *plan = chunk->check->plan;
    struct doc_filter filters[VALUES_AT_ONCE];
    struct doc_page page;
    char by[120];
    for (size_t i = 0; i < n; i++)
        filters[i] = (struct doc_filter){plan->type->fields[field].name, DOC_EQ, keys[i]->value};
    struct doc_query query = {.filters = filters, .n_filters = n, .sort = "id", .limit = 1000, .no_total = true};
    TRY(documents_list(plan->documents, &chunk->check->lens, plan->type, &query, &chunk->arena, &page));
    for (size_t k = 0; k < page.n; k++)
        for (size_t i = 0; i < n; i++) {
            if (!value_eq(page.docs[k]->values[field], keys[i]->value)) continue;
            snprintf(by, sizeof by, "taken by " STR_FMT, STR_ARG(str_slice(page.docs[k]->number, 0, 60)));
            taken(chunk, keys[i], by);
        }
    return err_none();
}

static Err check_store(struct chunk *chunk) {
    const struct check *check = chunk->check;
    const struct doctype *type = check->plan->type;
    for (unsigned field = 0; check->stored && field < type->n_fields; field++) {
        struct key *some[VALUES_AT_ONCE];
        size_t n = 0;
        if (!type->fields[field].unique || !(check->lens.fields >> field & 1)) continue;
        for (size_t i = 0; i < chunk->n_keys; i++) {
            if (chunk->keys[i].field == field) some[n++] = &chunk->keys[i];
            if (n < VALUES_AT_ONCE) continue;
            TRY(ask_store(chunk, field, some, n));
            n = 0;
        }
        if (n > 0) TRY(ask_store(chunk, field, some, n));
    }
    return err_none();
}

static void check_chunk(struct chunk *chunk) {
    struct buf text = {0};
    for (size_t g = 0; g < chunk->n_groups && chunk->err.code == ERR_NONE; g++) {
        chunk->staged_at[g] = chunk->staged.len;
        chunk->err = check_group(chunk, g, &text);
    }
    chunk->staged_at[chunk->n_groups] = chunk->staged.len;
    if (chunk->err.code == ERR_NONE) chunk->err = check_store(chunk);
    buf_fini(&text);
}

static void work(void *ctx) {
    struct check *check = ctx;
    for (struct chunk *chunk; (chunk = thread_queue_pop(check->work, -1));) {
        check_chunk(chunk);
        thread_lock(&check->lock);
        chunk->done = true;
        thread_broadcast(&check->finished);
        thread_unlock(&check->lock);
    }
}

/* ---- in order again */

static void find_twice(struct check *check, struct chunk *chunk) {
    for (size_t i = 0; i < chunk->n_keys; i++) {
        const struct key *key = &chunk->keys[i];
        Value v = key->value;
        char message[80];
        uint64_t row;
        if (chunk->bad[key->group]) continue;
        Str text = v.kind == VALUE_STRING ? arena_printf(&chunk->arena, "%u " STR_FMT, key->field, STR_ARG(v.s))
                                          : arena_printf(&chunk->arena, "%u #%lld", key->field, (long long)v.i);
        if (map_get(&check->seen, text, &row)) {
            snprintf(message, sizeof message, "row %llu has the same value already", (unsigned long long)row);
            taken(chunk, key, message);
        } else {
            map_put(&check->seen, text, chunk->rows[chunk->begins[key->group]].number);
        }
    }
}

static Err append(struct file *file, struct buf *bytes, uint64_t *at) {
    if (bytes->len == 0) return err_none();
    TRY(file_write(file, bytes->ptr, bytes->len, *at));
    *at += bytes->len;
    return err_none();
}

static Err write_chunk(struct check *check, struct chunk *chunk) {
    TRY(chunk->err);
    find_twice(check, chunk);
    struct buf good = {0};
    for (size_t g = 0; g < chunk->n_groups; g++) {
        if (chunk->bad[g]) {
            check->tally.bad++;
            continue;
        }
        check->tally.good++;
        buf_add(&good, chunk->staged.ptr + chunk->staged_at[g], chunk->staged_at[g + 1] - chunk->staged_at[g]);
    }
    check->tally.rows += chunk->n_rows;
    Err err = append(check->plan->staged, &good, &check->tally.staged_bytes);
    buf_fini(&good);
    TRY(err);
    TRY(append(check->plan->faults, &chunk->faults, &check->tally.fault_bytes));
    if (check->plan->progress && !check->plan->progress(check->plan->ctx, &check->tally))
        return err_make(ERR_CLOSED, "the import was stopped");
    return err_none();
}

static void free_chunk(struct chunk *chunk) {
    if (!chunk) return;
    arena_fini(&chunk->arena);
    buf_fini(&chunk->staged);
    buf_fini(&chunk->faults);
    free(chunk->keys);
    free(chunk);
}

static Err take_oldest(struct check *check) {
    struct chunk *chunk = check->ring[0];
    thread_lock(&check->lock);
    while (!chunk->done) thread_wait(&check->finished, &check->lock);
    thread_unlock(&check->lock);
    memmove(check->ring, check->ring + 1, --check->n_ring * sizeof *check->ring);
    Err err = write_chunk(check, chunk);
    free_chunk(chunk);
    return err;
}

static Err hand_over(struct check *check, struct chunk *chunk) {
    chunk->begins[chunk->n_groups] = chunk->n_rows;
    check->ring[check->n_ring++] = chunk;
    thread_queue_push(check->work, chunk);
    return check->n_ring == check->ring_max ? take_oldest(check) : err_none();
}

/* ---- reading */

static struct chunk *new_chunk(const struct check *check) {
    struct chunk *chunk = calloc(1, sizeof *chunk);
    ASSERT(chunk);
    arena_init(&chunk->arena, 0);
    chunk->check = check;
    return chunk;
}

/* Rows that repeat the head of the one before, or leave it empty, are further lines of its document. */
static bool goes_on(const struct check *check, const struct chunk *chunk, const struct sheet_row *row) {
    const struct import_plan *plan = check->plan;
    if (!check->grouped || chunk->n_groups == 0) return false;
    const Str *first = chunk->rows[chunk->begins[chunk->n_groups - 1]].cells;
    bool by_number = false, same = true;
    for (size_t c = 0; c < plan->n_columns; c++) {
        const struct import_target *t = &plan->targets[c];
        Str cell = c < row->n ? row->cells[c] : (Str){0};
        bool equal = cell.len == 0 || str_eq(cell, first[c]);
        if (t->what == IMPORT_GROUP) {
            by_number = true;
            if (!equal) return false;
        } else if (t->what != IMPORT_NOTHING && t->lines < 0) {
            same &= equal;
        }
    }
    return by_number || same;
}

static Err check_width(const struct import_plan *plan, const struct sheet_row *row) {
    for (size_t c = plan->n_columns; c < row->n; c++)
        if (row->cells[c].len > 0)
            return err_make(ERR_INVALID,
                            "row %zu has %zu cells, but there are %zu headings: is a quote or a delimiter "
                            "missing?",
                            row->number, row->n, plan->n_columns);
    return err_none();
}

static void add_row(struct chunk *chunk, const struct sheet_row *row) {
    size_t n = chunk->check->plan->n_columns;
    Str *cells = arena_zero(&chunk->arena, n, sizeof *cells);
    for (size_t c = 0; c < n && c < row->n; c++) cells[c] = arena_str(&chunk->arena, row->cells[c]);
    chunk->rows[chunk->n_rows++] = (struct source_row){row->number, cells};
}

static Err read_rows(struct check *check, struct sheet *sheet, struct chunk **chunk) {
    struct sheet_row row;
    bool first = true;
    for (bool more;; first = false) {
        TRY(sheet_next(sheet, &row, &more));
        if (!more) return (*chunk)->n_rows > 0 ? hand_over(check, *chunk) : err_none();
        if (first && row.n > 0 && str_starts(row.cells[0], STR("#"))) continue; /* the help of a template */
        TRY(check_width(check->plan, &row));
        bool further = goes_on(check, *chunk, &row);
        if ((!further && (*chunk)->n_groups == CHUNK_DOCS) || (!further && (*chunk)->n_rows >= CHUNK_ROWS / 2)) {
            struct chunk *full = *chunk;
            *chunk = new_chunk(check);
            TRY(hand_over(check, full));
        }
        if ((*chunk)->n_rows == CHUNK_ROWS)
            return err_make(ERR_TOO_LARGE, "row %zu: a document of more than %d lines", row.number,
                            DOCTYPE_LINE_ROWS_MAX);
        if (!further) (*chunk)->begins[(*chunk)->n_groups++] = (*chunk)->n_rows;
        add_row(*chunk, &row);
    }
}

static Err start_threads(struct check *check, struct thread **threads, unsigned *n) {
    unsigned wanted = check->plan->threads ? check->plan->threads : process_cores();
    if (wanted > THREADS_MAX) wanted = THREADS_MAX;
    check->ring_max = wanted * 2 + 1;
    check->ring = calloc(check->ring_max, sizeof(struct chunk *));
    ASSERT(check->ring);
    check->work = thread_queue_new(check->ring_max);
    for (; *n < wanted; ++*n) TRY(thread_start(&threads[*n], "import", work, check));
    return err_none();
}

static Err look_around(struct check *check) {
    const struct import_plan *plan = check->plan;
    struct arena arena;
    struct doc_page page;
    struct doc_query query = {.limit = 1, .no_total = true, .sort = "id"};
    TRY(gate_lens(plan->who, plan->type, "import", &check->lens));
    for (size_t c = 0; c < plan->n_columns; c++)
        check->grouped |= plan->targets[c].lines >= 0 || plan->targets[c].what == IMPORT_GROUP;
    arena_init(&arena, 0);
    Err err = documents_list(plan->documents, &check->lens, plan->type, &query, &arena, &page);
    check->stored = err.code == ERR_NONE && page.n > 0;
    arena_fini(&arena);
    return err;
}

Err import_check_run(const struct import_plan *plan, struct sheet *sheet, struct import_tally *out) {
    struct check check = {.plan = plan};
    struct thread *threads[THREADS_MAX];
    unsigned n = 0;
    TRY(look_around(&check));
    check.refs = import_refs_new(plan->documents, plan->who);
    thread_mutex_init(&check.lock);
    thread_cond_init(&check.finished);
    map_init(&check.seen);
    struct chunk *chunk = new_chunk(&check);
    Err err = start_threads(&check, threads, &n);
    bool started = n > 0;
    if (err.code == ERR_NONE) err = read_rows(&check, sheet, &chunk);
    bool handed = check.n_ring > 0 && check.ring[check.n_ring - 1] == chunk;
    while (started && err.code == ERR_NONE && check.n_ring > 0) err = take_oldest(&check);
    thread_queue_close(check.work);
    for (unsigned i = 0; i < n; i++) thread_join(threads[i]);
    for (size_t i = 0; i < check.n_ring; i++) free_chunk(check.ring[i]);
    if (!handed) free_chunk(chunk);
    map_fini(&check.seen);
    import_refs_free(check.refs);
    thread_queue_free(check.work);
    thread_cond_fini(&check.finished);
    thread_mutex_fini(&check.lock);
    free(check.ring);
    *out = check.tally;
    return err;
}
