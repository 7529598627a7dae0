/*
 * Create, change and transition are one path: read what is given (on the caller's thread), then, on the writer's thread
 * and in one transaction, load what stands, look up what is referred to, check, number, write, audit, and leave an
 * outbox row. The writer's thread is one, so what was loaded cannot change before it is written.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "document/doc_engine.h"
#include "document/doc_value.h"
#include "trust/audit.h"
#include "trust/gate.h"

struct job {
    const struct doc_write *write;
    const struct doc_table *table;
    struct lens own;
    Nanos now;
    Value given[DOCTYPE_FIELDS_MAX];
    uint64_t by_code, by_person; /* which fields were given, and by whom */
    uint64_t faulty;             /* given, but not understood */
    struct doc_faults faults;
    const struct transition *transition;
    struct doc *before, *doc;
    uint64_t changed; /* fields that differ from before */
};

#define BIT(i) (UINT64_C(1) << (i))

static bool is_create(const struct job *j) { return j->write->id == 0; }
static uint64_t given(const struct job *j) { return j->by_code | j->by_person; }

/* ---- what is given */

static Value keep_string(Value v, struct arena *arena) {
    if (v.kind == VALUE_STRING) v.s = arena_str(arena, v.s);
    return v;
}

static void read_code(struct job *j) {
    const struct doctype *type = j->write->type;
    const struct doc_change *change = j->write->change;
    for (size_t k = 0; change && k < change->n; k++) {
        int i = doctype_field(type, str_c(change->set[k].field));
        if (i < 0) {
            doc_faults_add(&j->faults, ERR_INVALID, change->set[k].field, "no such field");
            continue;
        }
        Value v;
        size_t n = j->faults.n;
        doc_value_from_code(&type->fields[i], change->set[k].value, &v, &j->faults);
        if (j->faults.n > n) j->faulty |= BIT(i);
        j->given[i] = keep_string(v, j->write->arena);
        j->by_code |= BIT(i);
    }
}

/* A name from outside that is no field: says where it belongs, if anywhere. */
static void unknown_member(struct job *j, Str key) {
    char name[41];
    snprintf(name, sizeof name, STR_FMT, STR_ARG(str_slice(key, 0, 40)));
    if (str_eq_c(key, "state"))
        doc_faults_add(&j->faults, ERR_INVALID, name, "it changes by transitions only");
    else if (doc_table_column(j->table, key) >= 0)
        doc_faults_add(&j->faults, ERR_INVALID, name, "it is not yours to set");
    else
        doc_faults_add(&j->faults, ERR_INVALID, name, "no such field");
}

static void read_json(struct job *j) {
    const struct doctype *type = j->write->type;
    const struct doc_change *change = j->write->change;
    struct lens lens;
    const struct json *value;
    void *at = NULL;
    Str key;
    if (!change || !change->json) return;
    if (json_kind(change->json) != JSON_OBJECT) {
        doc_faults_add(&j->faults, ERR_INVALID, type->name, "an object of fields wanted");
        return;
    }
    bool staff = principal_may(j->write->who, ROLE_STAFF);
    uint64_t visible = gate_lens(j->write->who, type, "write", &lens).code == ERR_NONE ? lens.fields : UINT64_MAX;
    while (json_next(change->json, &at, &key, &value)) {
        int i = doctype_field(type, key);
        if (i < 0 || !(visible & BIT(i)) || (type->fields[i].share == SHARE_SECRET && !staff)) {
            unknown_member(j, key);
            continue;
        }
        if (j->by_code & BIT(i)) continue; /* the program knows better */
        size_t n = j->faults.n;
        doc_value_from_json(&type->fields[i], value, j->write->arena, &j->given[i], &j->faults);
        if (j->faults.n > n) j->faulty |= BIT(i);
        j->by_person |= BIT(i);
    }
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
        if (!(j->by_person & BIT(i))) continue;
        if (t && !takes(t, f->name))
            doc_faults_add(&j->faults, ERR_INVALID, f->name, "'%s' does not take it", t->name);
        else if (!t && f->computed && !system)
            doc_faults_add(&j->faults, ERR_INVALID, f->name, "it is computed and cannot be given");
    }
}

static void check_needs(struct job *j) {
    const struct doctype *type = j->write->type;
    for (size_t i = 0; j->transition && i < type->n_fields; i++) {
        const char *name = type->fields[i].name;
        if (!doctype_names(j->transition->needs, str_c(name))) continue;
        if (j->given[i].kind == VALUE_NONE && !(j->faulty & BIT(i)))
            doc_faults_add(&j->faults, ERR_INVALID, name, "'%s' needs it", j->transition->name);
    }
}

static void check_required(struct job *j) {
    const struct doctype *type = j->write->type;
    for (size_t i = 0; i < type->n_fields; i++) {
        if (!type->fields[i].required || j->doc->values[i].kind != VALUE_NONE || j->faulty & BIT(i)) continue;
        if (is_create(j) || given(j) & BIT(i)) doc_faults_add(&j->faults, ERR_INVALID, type->fields[i].name, "missing");
    }
}

static void check_things(struct job *j) {
    const struct doctype *type = j->write->type;
    const struct documents_options *o = &j->write->d->options;
    for (size_t i = 0; o->thing_exists && i < type->n_fields; i++) {
        Value v = j->given[i];
        if (type->fields[i].kind != FIELD_THING || !(given(j) & BIT(i)) || v.kind != VALUE_STRING) continue;
        if (!o->thing_exists(o->thing_ctx, j->doc->party, v.s))
            doc_faults_add(&j->faults, ERR_INVALID, type->fields[i].name, "no thing '" STR_FMT "'",
                           STR_ARG(str_slice(v.s, 0, 60)));
    }
}

/* ---- inside the transaction */

/* References by number become ids; each must lead to a document of the same party. */
static Err look_up_refs(struct job *j, struct records_txn *txn, struct lens *party) {
    const struct doctype *type = j->write->type;
    for (size_t i = 0; i < type->n_fields; i++) {
        Value *v = &j->given[i];
        if (type->fields[i].kind != FIELD_REF || !(given(j) & BIT(i)) || v->kind == VALUE_NONE) continue;
        const struct doc_table *table = doc_engine_table_named(j->write->d, type->fields[i].ref);
        Value *row;
        Value asked = *v;
        unsigned column = asked.kind == VALUE_STRING ? DOC_NUMBER : RECORD_ID;
        TRY(records_txn_find(txn, party, &table->records, column, asked, j->write->arena, &row));
        if (row)
            *v = row[RECORD_ID];
        else if (asked.kind == VALUE_STRING)
            doc_faults_add(&j->faults, ERR_INVALID, type->fields[i].name, "no %s '" STR_FMT "'", type->fields[i].ref,
                           STR_ARG(str_slice(asked.s, 0, 40)));
        else
            doc_faults_add(&j->faults, ERR_INVALID, type->fields[i].name, "no %s with id %" PRId64, type->fields[i].ref,
                           asked.i);
    }
    return err_none();
}

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
    Value *row;
    TRY(records_txn_get(txn, &j->own, &j->table->records, w->id, w->arena, &row));
    if (!row) return err_make(ERR_NOT_FOUND, "no %s with id %" PRId64, w->type->name, w->id);
    TRY(doc_table_read(j->table, row, w->arena, &j->before));
    int64_t if_version = w->change ? w->change->if_version : 0;
    if (if_version == 0 || if_version == j->before->version) return err_none();
    return err_make(ERR_PRECONDITION, STR_FMT " is at version %" PRId64 ", not %" PRId64 ": read it again",
                    STR_ARG(j->before->number), j->before->version, if_version);
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

static bool same(Value a, Value b) {
    if (a.kind != b.kind) return false;
    return a.kind == VALUE_NONE || value_eq(a, b);
}

static void start_document(struct job *j) {
    const struct doc_write *w = j->write;
    const struct doctype *type = w->type;
    struct doc *doc = arena_zero(w->arena, 1, sizeof *doc);
    doc->type = type;
    doc->values = arena_zero(w->arena, type->n_fields, sizeof *doc->values);
    if (j->before) {
        Value *values = doc->values;
        *doc = *j->before;
        doc->values = values;
        memcpy(values, j->before->values, type->n_fields * sizeof *values);
    } else {
        doc->party = w->who->party;
        doc->created = j->now;
        doc->created_by = arena_str(w->arena, str_c(w->who->name));
    }
    j->doc = doc;
}

static void set_fields(struct job *j) {
    const struct doctype *type = j->write->type;
    for (size_t i = 0; i < type->n_fields; i++) {
        const struct field *f = &type->fields[i];
        Value *v = &j->doc->values[i];
        if (given(j) & BIT(i))
            *v = j->given[i];
        else if (is_create(j) && f->fallback)
            doc_value_parse(f, str_c(f->fallback), j->write->arena, v, &j->faults);
        else if (j->transition && j->transition->stamps && strcmp(j->transition->stamps, f->name) == 0)
            *v = VALUE_I(j->now);
        if (is_create(j) ? v->kind != VALUE_NONE : !same(*v, j->before->values[i])) j->changed |= BIT(i);
    }
    if (j->transition && j->transition->to) j->doc->state = doctype_state(type, str_c(j->transition->to));
}

/* ---- writing */

static Err insert(struct job *j, struct records_txn *txn) {
    int64_t number;
    Value row[RECORDS_COLUMNS_MAX];
    TRY(records_txn_next_number(txn, j->doc->party, str_c(j->write->type->name), &number));
    j->doc->number = arena_printf(j->write->arena, "%s-%06" PRId64, j->write->type->prefix, number);
    doc_table_write(j->doc, row);
    return records_txn_insert(txn, &j->table->records, row, &j->doc->id);
}

static Err update(struct job *j, struct records_txn *txn) {
    Value row[RECORDS_COLUMNS_MAX], values[RECORDS_COLUMNS_MAX];
    unsigned columns[RECORDS_COLUMNS_MAX] = {DOC_STATE, DOC_VERSION, DOC_CHANGED};
    size_t n = 3;
    doc_table_write(j->doc, row);
    for (unsigned i = 0; i < j->write->type->n_fields; i++)
        if (j->changed & BIT(i)) columns[n++] = DOC_FIELDS + i;
    for (size_t i = 0; i < n; i++) values[i] = row[columns[i]];
    return records_txn_update(txn, &j->table->records, j->doc->id, columns, values, n);
}

static Err note(struct job *j, struct records_txn *txn) {
    const struct doc_write *w = j->write;
    Str what = j->transition ? w->transition : is_create(j) ? STR("create") : STR("change");
    bool with_state = is_create(j) || j->transition;
    struct audit_row audit = {
        .at = j->now,
        .party = j->doc->party,
        .who = str_c(w->who->name),
        .action = j->transition ? arena_printf(w->arena, "transition:" STR_FMT, STR_ARG(what)) : what,
        .type = str_c(w->type->name),
        .target = j->doc->number,
        .before = j->before ? doc_json_audit(j->before, j->changed, with_state, w->arena) : (Str){0},
        .after = doc_json_audit(j->doc, j->changed, with_state, w->arena),
    };
    struct outbox_row outbox = {.party = j->doc->party,
                                .type = audit.type,
                                .what = what,
                                .id = j->doc->id,
                                .version = j->doc->version,
                                .at = j->now,
                                .who = audit.who};
    TRY(audit_add(txn, &audit));
    w->d->touched = true;
    return doc_outbox_add(txn, &outbox);
}

static Err check_all(struct job *j, struct records_txn *txn) {
    struct lens party = gate_lens_party(j->doc->party, "documents");
    check_given(j);
    check_needs(j);
    TRY(look_up_refs(j, txn, &party));
    set_fields(j);
    check_required(j);
    check_things(j);
    TRY(check_unique(j, txn, &party));
    return doc_faults_err(&j->faults);
}

static Err run(void *ctx, struct records_txn *txn) {
    struct job *j = ctx;
    if (!is_create(j)) {
        TRY(load(j, txn));
        TRY(pick_transition(j));
    }
    start_document(j);
    TRY(check_all(j, txn));
    if (j->before && !j->transition && j->changed == 0) return err_none(); /* nothing to write */
    j->doc->version++;
    j->doc->changed = j->now;
    TRY(is_create(j) ? insert(j, txn) : update(j, txn));
    return note(j, txn);
}

Err doc_write_run(const struct doc_write *write, struct doc **out) {
    struct job j = {.write = write,
                    .table = doc_engine_table(write->d, write->type),
                    .own = gate_lens_own(write->who, "documents"),
                    .now = clock_now(write->d->options.clock)};
    *out = NULL;
    TRY(check_role(&j));
    if (is_create(&j) && write->who->party == 0)
        return err_make(ERR_INVALID, "a %s belongs to a party: create it as one of a party", write->type->name);
    read_code(&j);
    read_json(&j);
    TRY(records_write(write->d->options.records, run, &j));
    *out = j.doc;
    return err_none();
}
