/*
 * Create, change and transition are one path: read what is given (on the caller's thread), then, on the writer's thread
 * and in one transaction, load what stands, look up what is referred to, check, number, write, audit, and leave an
 * outbox row. The writer's thread is one, so what was loaded cannot change before it is written.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "document/doc_engine.h"
#include "document/doc_input.h"
#include "document/doc_number.h"
#include "document/doc_rules.h"
#include "document/doc_system.h"
#include "document/doc_value.h"
#include "trust/gate.h"

struct job {
    const struct doc_write *write;
    const struct doc_table *table;
    struct lens own;
    Nanos now;
    struct doc_input in;
    struct doc_faults faults;
    const struct transition *transition;
    struct doc_hidden hidden;
    struct doc *before, *doc;
    uint64_t changed; /* fields that differ from before */
    bool dry;         /* looked at, not written */
};

#define BIT(i) (UINT64_C(1) << (i))

static bool is_create(const struct job *j) { return j->write->id == 0; }
static uint64_t given(const struct job *j) { return j->in.by_code | j->in.by_person; }

/* ---- what is given */

/* What a person may give: what the reader's rights show, secrets as staff alone, and no other party's own fields. */
static uint64_t allowed_fields(const struct job *j) {
    const struct doc_write *w = j->write;
    struct lens lens;
    bool staff = principal_may(w->who, ROLE_STAFF);
    uint64_t fields = gate_lens(w->who, w->type, "write", &lens).code == ERR_NONE ? lens.fields : UINT64_MAX;
    for (size_t i = 0; i < w->type->n_fields; i++) {
        const struct field *f = &w->type->fields[i];
        bool others = f->custom_of != 0 && f->custom_of != w->who->party;
        if (f->hidden || others || (f->share == SHARE_SECRET && !staff)) fields &= ~BIT(i);
    }
    return fields;
}

static void read_input(struct job *j) {
    const struct doc_write *w = j->write;
    j->in = (struct doc_input){.d = w->d,
                               .type = w->type,
                               .party = w->who->party,
                               .allowed = allowed_fields(j),
                               .arena = w->arena,
                               .faults = &j->faults};
    if (w->change && w->change->n > 0) doc_input_code(&j->in, w->change->set, w->change->n);
    if (w->change && w->change->json) doc_input_json(&j->in, w->change->json);
}

/* ---- checks */

static Err check_role(const struct job *j) {
    const struct doc_write *w = j->write;
    if (w->transition.len > 0) return err_none(); /* known once the state is */
    unsigned roles = is_create(j) ? w->type->create_roles : w->type->change_roles;
    if (principal_may(w->who, roles)) return err_none();
    return err_make(ERR_FORBIDDEN, "'%s' may not %s documents of type '%s'", w->who->name,
                    is_create(j) ? "create" : "change", w->type->name);
}

static bool takes(const struct transition *t, const char *field) {
    return doctype_names(t->needs, str_c(field)) || doctype_names(t->takes, str_c(field));
}

/* Fields that this person may not give here. */
static void check_given(struct job *j) {
    const struct doctype *type = j->write->type;
    const struct transition *t = j->transition;
    bool system = principal_may(j->write->who, ROLE_BIT(ROLE_SYSTEM));
    for (size_t i = 0; i < type->n_fields; i++) {
        const struct field *f = &type->fields[i];
        if (!(j->in.by_person & BIT(i))) continue;
        if (t && !takes(t, f->name))
            doc_faults_add(&j->faults, ERR_INVALID, f->name, "'%s' does not take it", t->name);
        else if (f->compute || (!t && f->computed && !system))
            doc_faults_add(&j->faults, ERR_INVALID, f->name, "it is computed and cannot be given");
    }
}

static bool is_given(const struct job *j, size_t i) {
    int k = doc_input_lines_at(j->write->type, i);
    return k < 0 ? j->in.values[i].kind != VALUE_NONE : j->in.lines[k].n > 0;
}

static void check_needs(struct job *j) {
    const struct doctype *type = j->write->type;
    for (size_t i = 0; j->transition && i < type->n_fields; i++) {
        const char *name = type->fields[i].name;
        if (!doctype_names(j->transition->needs, str_c(name))) continue;
        if (!is_given(j, i) && !(j->in.faulty & BIT(i)))
            doc_faults_add(&j->faults, ERR_INVALID, name, "'%s' needs it", j->transition->name);
    }
}

static bool stands(const struct doc *doc, size_t i) {
    int k = doc_input_lines_at(doc->type, i);
    return k < 0 ? doc->values[i].kind != VALUE_NONE : doc->lines[k].n > 0;
}

static void check_required(struct job *j) {
    const struct doctype *type = j->write->type;
    for (size_t i = 0; i < type->n_fields; i++) {
        if (!type->fields[i].required || stands(j->doc, i) || j->in.faulty & BIT(i)) continue;
        if (is_create(j) || (given(j) | j->changed) & BIT(i))
            doc_faults_add(&j->faults, ERR_INVALID, type->fields[i].name, "missing");
    }
}

/* ---- what is referred to: for the head, and for each line */

struct part {
    const struct doctype *type;
    Value *values;
    uint64_t given;
};

static void check_things(struct job *j, const struct part *p) {
    const struct documents_options *o = &j->write->d->options;
    for (size_t i = 0; o->thing_exists && i < p->type->n_fields; i++) {
        Value v = p->values[i];
        if (p->type->fields[i].kind != FIELD_THING || !(p->given & BIT(i)) || v.kind != VALUE_STRING) continue;
        if (!o->thing_exists(o->thing_ctx, j->doc->party, v.s))
            doc_faults_add(&j->faults, ERR_INVALID, p->type->fields[i].name, "no thing '" STR_FMT "'",
                           STR_ARG(str_slice(v.s, 0, 60)));
    }
}

static Err look_up_ref(struct job *j, struct records_txn *txn, const struct lens *party, const struct field *f,
                       Value *v) {
    const struct doc_table *table = doc_engine_referred(j->table, f->ref);
    Value *row, asked = *v;
    unsigned column = asked.kind == VALUE_STRING ? DOC_NUMBER : RECORD_ID;
    TRY(records_txn_find(txn, party, &table->records, column, asked, j->write->arena, &row));
    if (row && !doc_engine_is_hidden(&j->hidden, row[DOC_BATCH]))
        *v = row[RECORD_ID];
    else if (asked.kind == VALUE_STRING)
        doc_faults_add(&j->faults, ERR_INVALID, f->name, "no %s '" STR_FMT "'", f->ref,
                       STR_ARG(str_slice(asked.s, 0, 40)));
    else
        doc_faults_add(&j->faults, ERR_INVALID, f->name, "no %s with id %" PRId64, f->ref, asked.i);
    return err_none();
}

static Err check_file(struct job *j, struct records_txn *txn, const struct lens *party, const struct field *f,
                      Value v) {
    Value *row;
    TRY(records_txn_get(txn, party, &doc_system_attachment, v.i, j->write->arena, &row));
    if (!row || row[ATTACHMENT_DOC].i != j->doc->id || !str_eq_c(row[ATTACHMENT_TYPE].s, j->write->type->name))
        doc_faults_add(&j->faults, ERR_INVALID, f->name, "no attachment %" PRId64 " of this document", v.i);
    return err_none();
}

/* References by number become ids; each must lead to a document of the same party. */
static Err look_up(struct job *j, struct records_txn *txn, const struct lens *party, const struct part *p) {
    for (size_t i = 0; i < p->type->n_fields; i++) {
        const struct field *f = &p->type->fields[i];
        if (!(p->given & BIT(i)) || p->values[i].kind == VALUE_NONE) continue;
        if (f->kind == FIELD_REF) TRY(look_up_ref(j, txn, party, f, &p->values[i]));
        if (f->kind == FIELD_FILE && f->share != SHARE_SECRET) TRY(check_file(j, txn, party, f, p->values[i]));
    }
    return err_none();
}

static Err look_up_all(struct job *j, struct records_txn *txn, const struct lens *party) {
    const struct doctype *type = j->write->type;
    struct part head = {.type = type, .values = j->in.values, .given = given(j)};
    TRY(look_up(j, txn, party, &head));
    check_things(j, &head);
    for (size_t k = 0; k < j->table->n_lines; k++) {
        const struct field *f = &type->fields[j->table->lines[k]->field];
        for (size_t i = 0; i < j->in.lines[k].n; i++) {
            struct part line = {.type = f->lines, .values = j->in.lines[k].rows[i], .given = UINT64_MAX};
            snprintf(j->faults.at, sizeof j->faults.at, "%.48s[%u].", f->name, (unsigned)i);
            TRY(look_up(j, txn, party, &line));
            check_things(j, &line);
        }
        j->faults.at[0] = '\0';
    }
    return err_none();
}

/* ---- inside the transaction */

static Err check_unique(struct job *j, struct records_txn *txn, const struct lens *party) {
    const struct doctype *type = j->write->type;
    for (size_t i = 0; i < type->n_fields; i++) {
        if (!type->fields[i].unique || !(j->changed & BIT(i)) || j->doc->values[i].kind == VALUE_NONE) continue;
        Value *row;
        TRY(records_txn_find(txn, party, &j->table->records, (unsigned)(DOC_FIELDS + i), j->doc->values[i],
                             j->write->arena, &row));
        if (row && row[RECORD_ID].i != j->doc->id)
            doc_faults_add(&j->faults, ERR_CONFLICT, type->fields[i].name, "taken by " STR_FMT,
                           STR_ARG(row[DOC_NUMBER].s));
    }
    return err_none();
}

static Err load(struct job *j, struct records_txn *txn) {
    const struct doc_write *w = j->write;
    struct doc_read read;
    TRY(doc_read_begin(&read, w->d, txn, &j->own, j->table, w->arena));
    TRY(doc_read_one(&read, RECORD_ID, VALUE_I(w->id), &j->before));
    if (!j->before) return err_make(ERR_NOT_FOUND, "no %s with id %" PRId64, w->type->name, w->id);
    int64_t if_version = w->change ? w->change->if_version : 0;
    if (if_version == 0 || if_version == j->before->version) return err_none();
    return err_make(ERR_PRECONDITION, STR_FMT " is at version %" PRId64 ", not %" PRId64 ": read it again",
                    STR_ARG(j->before->number), j->before->version, if_version);
}

/* An event is never changed; nor, by people, what has come to its end. */
static Err check_changeable(const struct job *j) {
    const struct doctype *type = j->write->type;
    if (type->immutable)
        return err_make(ERR_STATE, STR_FMT " is an event and never changes: correct it by another one",
                        STR_ARG(j->before->number));
    bool end = type->n_states > 1 && j->before->state >= 0 && type->states[j->before->state].final;
    if (j->transition || !end || principal_may(j->write->who, ROLE_BIT(ROLE_SYSTEM))) return err_none();
    return err_make(ERR_STATE, STR_FMT " is %s, and nothing changes any more", STR_ARG(j->before->number),
                    doctype_state_name(j->before));
}

static void add_word(char *out, size_t size, const char *word) {
    size_t len = strlen(out);
    if (len < size) snprintf(out + len, size - len, "%s%s", len ? ", " : "", word);
}

/* No row of that name leaves this state: which states would it leave, and what is possible instead? */
static Err wrong_state(const struct job *j) {
    const struct doctype *type = j->write->type;
    char all[100] = "", now[60] = "", from[60] = "";
    const char *name = NULL;
    for (size_t i = 0; i < type->n_transitions; i++) {
        const struct transition *t = &type->transitions[i];
        if (doctype_transition(type, str_c(t->name)) == t) add_word(all, sizeof all, t->name);
        if (doctype_leaves(type, t, j->before->state) && principal_may(j->write->who, t->roles))
            add_word(now, sizeof now, t->name);
        if (!str_eq_c(j->write->transition, t->name)) continue;
        name = t->name;
        add_word(from, sizeof from, strcmp(t->from, "*") == 0 ? "any that is not final" : t->from);
    }
    if (!name)
        return err_make(ERR_NOT_FOUND, "no transition '" STR_FMT "' of '%s': there is %s",
                        STR_ARG(str_slice(j->write->transition, 0, 40)), type->name, all);
    return err_make(ERR_STATE, STR_FMT " is %s: '%s' needs %s; possible now: %s", STR_ARG(j->before->number),
                    doctype_state_name(j->before), name, from, now[0] ? now : "nothing");
}

static Err pick_transition(struct job *j) {
    const struct doc_write *w = j->write;
    if (w->transition.len == 0) return err_none();
    j->transition = doctype_transition_from(w->type, w->transition, j->before->state);
    if (!j->transition) return wrong_state(j);
    if (principal_may(w->who, j->transition->roles)) return err_none();
    char roles[80] = "";
    for (int role = 0; role < ROLE_SYSTEM; role++)
        if (j->transition->roles & ROLE_BIT(role)) add_word(roles, sizeof roles, principal_role_name((enum role)role));
    return err_make(ERR_FORBIDDEN, "'%s' may not %s " STR_FMT ": it needs the role %s", w->who->name,
                    j->transition->name, STR_ARG(j->before->number), roles[0] ? roles : "of the system");
}

/* ---- the document as it will be */

static void start_document(struct job *j) {
    const struct doc_write *w = j->write;
    const struct doctype *type = w->type;
    struct doc *doc = arena_zero(w->arena, 1, sizeof *doc);
    doc->type = type;
    if (j->before) {
        *doc = *j->before;
    } else {
        doc->party = w->who->party;
        doc->created = j->now;
        doc->created_by = arena_str(w->arena, str_c(w->who->name));
    }
    doc->values = arena_zero(w->arena, type->n_fields, sizeof *doc->values);
    doc->lines = arena_zero(w->arena, DOCTYPE_LINES_MAX, sizeof *doc->lines);
    if (j->before) memcpy(doc->values, j->before->values, type->n_fields * sizeof *doc->values);
    if (j->before && j->before->lines) memcpy(doc->lines, j->before->lines, DOCTYPE_LINES_MAX * sizeof *doc->lines);
    j->doc = doc;
}

/* Computing writes into the rows: those of the document before must stand. */
static void copy_lines(struct job *j, size_t k) {
    const struct doc_lines *from = &j->doc->lines[k];
    size_t n = j->table->lines[k]->type->n_fields;
    struct doc_lines copy = {.n = from->n, .rows = arena_zero(j->write->arena, from->n, sizeof *copy.rows)};
    for (size_t i = 0; i < from->n; i++) {
        copy.rows[i] = arena_alloc(j->write->arena, n * sizeof **copy.rows);
        memcpy(copy.rows[i], from->rows[i], n * sizeof **copy.rows);
    }
    j->doc->lines[k] = copy;
}

/* An amount that came by default, or from code, is in the default currency. */
static void set_currencies(struct job *j) {
    const struct doctype *type = j->write->type;
    for (size_t i = 0; i < type->n_fields; i++) {
        const struct field *f = &type->fields[i];
        if (f->kind != FIELD_MONEY || f->companion == 0) continue;
        Value *currency = &j->doc->values[f->companion - 1];
        const char *fallback = type->fields[f->companion - 1].fallback;
        if (j->doc->values[i].kind == VALUE_NONE)
            *currency = (Value){.kind = VALUE_NONE};
        else if (currency->kind == VALUE_NONE && fallback)
            *currency = VALUE_S(str_c(fallback));
        if (j->doc->values[i].kind != VALUE_NONE && currency->kind == VALUE_NONE && !(j->in.faulty & BIT(i)))
            doc_faults_add(&j->faults, ERR_INVALID, f->name, "of which currency?");
    }
}

static void set_fields(struct job *j) {
    const struct doctype *type = j->write->type;
    for (size_t i = 0; i < type->n_fields; i++) {
        const struct field *f = &type->fields[i];
        Value *v = &j->doc->values[i];
        if (f->kind == FIELD_LINES || (f->hidden && f->fallback && !(given(j) & BIT(i)))) continue;
        if (given(j) & BIT(i))
            *v = j->in.values[i];
        else if (is_create(j) && f->fallback)
            doc_value_parse(f, str_c(f->fallback), j->write->arena, v, &j->faults);
        else if (j->transition && j->transition->stamps && strcmp(j->transition->stamps, f->name) == 0)
            *v = VALUE_I(j->now);
    }
    for (size_t k = 0; k < j->table->n_lines; k++) {
        if (given(j) & BIT(j->table->lines[k]->field))
            j->doc->lines[k] = j->in.lines[k];
        else
            copy_lines(j, k);
    }
    set_currencies(j);
    if (j->transition && j->transition->to) j->doc->state = doctype_state(type, str_c(j->transition->to));
}

static bool same_lines(const struct doc_lines *a, const struct doc_lines *b, size_t n_fields) {
    if (a->n != b->n) return false;
    for (size_t r = 0; r < a->n; r++)
        for (size_t i = 0; i < n_fields; i++)
            if (!doc_value_same(a->rows[r][i], b->rows[r][i])) return false;
    return true;
}

static void find_changes(struct job *j) {
    static const struct doc_lines none[DOCTYPE_LINES_MAX];
    const struct doctype *type = j->write->type;
    const struct doc_lines *before = j->before && j->before->lines ? j->before->lines : none;
    for (size_t i = 0; i < type->n_fields; i++) {
        Value was = j->before ? j->before->values[i] : (Value){.kind = VALUE_NONE};
        if (!doc_value_same(j->doc->values[i], was)) j->changed |= BIT(i);
    }
    for (size_t k = 0; k < j->table->n_lines; k++)
        if (!same_lines(&before[k], &j->doc->lines[k], j->table->lines[k]->type->n_fields))
            j->changed |= BIT(j->table->lines[k]->field);
}

/* ---- writing */

static Err write_it(struct job *j, struct records_txn *txn) {
    const struct doc_write *w = j->write;
    if (!is_create(j)) return doc_keep_update(w->d, txn, j->doc, j->changed, w->arena);
    TRY(doc_number_next(txn, w->type, j->doc->party, j->now, w->arena, &j->doc->number));
    return doc_keep_insert(w->d, txn, j->doc, w->arena);
}

static Err note(struct job *j, struct records_txn *txn) {
    const struct doc_write *w = j->write;
    Str what = j->transition ? w->transition : is_create(j) ? STR("create") : STR("change");
    struct doc_note note = {.who = w->who,
                            .what = what,
                            .action =
                                j->transition ? arena_printf(w->arena, "transition:" STR_FMT, STR_ARG(what)) : what,
                            .before = j->before,
                            .after = j->doc,
                            .changed = j->changed,
                            .with_state = is_create(j) || j->transition,
                            .at = j->now};
    return doc_keep_note(w->d, txn, &note, w->arena);
}

static Err check_all(struct job *j, struct records_txn *txn) {
    struct lens party = gate_lens_party(j->doc->party, "documents");
    check_given(j);
    check_needs(j);
    TRY(doc_engine_hidden(j->write->d, txn, &party, j->write->arena, &j->hidden));
    TRY(look_up_all(j, txn, &party));
    set_fields(j);
    doc_rules_compute(j->doc, j->now, j->write->arena, &j->faults);
    find_changes(j);
    check_required(j);
    if (j->faults.n == 0) doc_rules_check(j->doc, j->transition, j->now, j->write->arena, &j->faults);
    if (!j->dry) TRY(check_unique(j, txn, &party));
    return doc_faults_err(&j->faults);
}

static Err run(void *ctx, struct records_txn *txn) {
    struct job *j = ctx;
    if (!is_create(j)) {
        TRY(load(j, txn));
        TRY(pick_transition(j));
        TRY(check_changeable(j));
    }
    start_document(j);
    TRY(check_all(j, txn));
    if (j->dry) return err_none();
    if (j->before && !j->transition && j->changed == 0) return err_none(); /* nothing to write */
    j->doc->version++;
    j->doc->changed = j->now;
    TRY(write_it(j, txn));
    return note(j, txn);
}

static Err prepare(struct job *j) {
    const struct doc_write *w = j->write;
    j->table = doc_engine_table(w->d, w->type);
    j->own = gate_lens_own(w->who, "documents");
    j->now = clock_now(w->d->options.clock);
    TRY(check_role(j));
    if (is_create(j) && w->who->party == 0)
        return err_make(ERR_INVALID, "a %s belongs to a party: create it as one of a party", w->type->name);
    read_input(j);
    return err_none();
}

Err doc_write_run(const struct doc_write *write, struct doc **out) {
    struct job *j = arena_zero(write->arena, 1, sizeof *j);
    j->write = write;
    *out = NULL;
    TRY(prepare(j));
    TRY(records_write(write->d->options.records, run, j));
    *out = j->doc;
    return err_none();
}

Err doc_write_check(const struct doc_write *write, struct doc **out) {
    struct job *j = arena_zero(write->arena, 1, sizeof *j);
    j->write = write;
    j->dry = true;
    *out = NULL;
    TRY(prepare(j));
    TRY(records_read(write->d->options.records, run, j));
    *out = j->doc;
    return err_none();
}

/* ---- several at once */

struct many {
    struct job **jobs; /* NULL: a removal */
    struct doc_removal *removals;
    size_t n, at;
};

static Err run_many(void *ctx, struct records_txn *txn) {
    struct many *m = ctx;
    for (m->at = 0; m->at < m->n; m->at++)
        TRY(m->jobs[m->at] ? run(m->jobs[m->at], txn) : doc_remove_in(txn, &m->removals[m->at]));
    m->at = 0;
    return err_none();
}

static Err prepare_many(struct many *m, struct documents *d, const struct principal *who, const struct doc_order *ops,
                        struct arena *arena) {
    for (m->at = 0; m->at < m->n; m->at++) {
        const struct doc_order *op = &ops[m->at];
        if (op->remove) {
            m->removals[m->at] = (struct doc_removal){.d = d,
                                                      .who = who,
                                                      .type = op->type,
                                                      .id = op->id,
                                                      .if_version = op->change.if_version,
                                                      .arena = arena};
            TRY(doc_remove_prepare(&m->removals[m->at]));
            continue;
        }
        struct doc_write *write = arena_zero(arena, 1, sizeof *write);
        struct job *j = arena_zero(arena, 1, sizeof *j);
        *write = (struct doc_write){.d = d,
                                    .who = who,
                                    .type = op->type,
                                    .id = op->id,
                                    .transition = op->transition,
                                    .change = &op->change,
                                    .arena = arena};
        j->write = write;
        m->jobs[m->at] = j;
        TRY(prepare(j));
    }
    return err_none();
}

Err doc_write_all(struct documents *d, const struct principal *who, const struct doc_order *ops, size_t n,
                  struct arena *arena, struct doc **out, size_t *bad) {
    struct many m = {.n = n};
    *bad = 0;
    if (n > DOCUMENTS_OPS_MAX) return err_make(ERR_LIMIT, "%zu writes at once: at most %d", n, DOCUMENTS_OPS_MAX);
    m.jobs = arena_zero(arena, n, sizeof *m.jobs);
    m.removals = arena_zero(arena, n, sizeof *m.removals);
    Err err = prepare_many(&m, d, who, ops, arena);
    if (err.code == ERR_NONE && n > 0) err = records_write(d->options.records, run_many, &m);
    *bad = m.at < n ? m.at : 0;
    for (size_t i = 0; i < n; i++) out[i] = err.code == ERR_NONE && m.jobs[i] ? m.jobs[i]->doc : NULL;
    return err;
}
