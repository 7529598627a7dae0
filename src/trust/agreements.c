/*
 * Everything is read once at opening and answered from memory, as people are. An entry is never changed: a change puts
 * a new one in its place, with a higher stamp, so what the gate compiled from the old one goes with it. What is handed
 * out is a copy, because the entry it came from may go at any moment.
 *
 * Lock order: changing, then lock. Compiling under the lock calls the world, which must not call back.
 */
#include "trust/agreements.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/vec.h"
#include "model/gate_rules.h"
#include "trust/agreements_inner.h"
#include "trust/gate.h"

#define PAGE 500

static const struct record_column columns[AGREEMENT_COLUMNS] = {
    {.name = "id", .kind = RECORD_INT},
    {"party", RECORD_INT, .required = true, .indexed = true},
    [AGREEMENT_NUMBER] = {"number", RECORD_TEXT, .required = true, .unique = RECORD_UNIQUE},
    [AGREEMENT_RECEIVING] = {"receiver", RECORD_INT, .required = true},
    [AGREEMENT_TITLE] = {"title", RECORD_TEXT, .required = true},
    [AGREEMENT_STANDS] = {"state", RECORD_TEXT, .required = true},
    [AGREEMENT_VERSION] = {"version", RECORD_INT, .required = true},
    [AGREEMENT_PROPOSER] = {"proposed_by", RECORD_INT, .required = true},
    [AGREEMENT_OFFERER] = {"offered_by_owner", RECORD_BOOL, .required = true},
    [AGREEMENT_TERMS] = {"terms", RECORD_TEXT, .required = true},
    [AGREEMENT_LAW] = {.name = "legal_reference", .kind = RECORD_TEXT},
    [AGREEMENT_OWNER_WHO] = {.name = "owner_who", .kind = RECORD_TEXT},
    [AGREEMENT_OWNER_AT] = {.name = "owner_at", .kind = RECORD_INT},
    [AGREEMENT_RECEIVER_WHO] = {.name = "receiver_who", .kind = RECORD_TEXT},
    [AGREEMENT_RECEIVER_AT] = {.name = "receiver_at", .kind = RECORD_INT},
    [AGREEMENT_CONFIDENTIAL_WHO] = {.name = "confidential_who", .kind = RECORD_TEXT},
    [AGREEMENT_CONFIDENTIAL_AT] = {.name = "confidential_at", .kind = RECORD_INT},
    [AGREEMENT_SUSPENDED_BY] = {"suspended_by", RECORD_INT, .required = true},
    [AGREEMENT_REASON] = {.name = "reason", .kind = RECORD_TEXT},
    [AGREEMENT_CREATED] = {"created", RECORD_INT, .required = true},
    [AGREEMENT_CHANGED] = {"changed", RECORD_INT, .required = true},
};
const struct record_table agreements_table = {.name = "agreement", .columns = columns, .n_columns = AGREEMENT_COLUMNS};

static const struct record_column version_columns[VERSION_COLUMNS] = {
    {.name = "id", .kind = RECORD_INT},
    {"party", RECORD_INT, .required = true},
    [VERSION_AGREEMENT] = {"agreement", RECORD_INT, .required = true, .indexed = true, .refers = "agreement"},
    [VERSION_NUMBER] = {"version", RECORD_INT, .required = true},
    [VERSION_AT] = {"at", RECORD_INT, .required = true},
    [VERSION_WHO] = {"who", RECORD_TEXT, .required = true},
    [VERSION_BY] = {"by_party", RECORD_INT, .required = true},
    [VERSION_TERMS] = {"terms", RECORD_TEXT, .required = true},
    [VERSION_REASON] = {.name = "reason", .kind = RECORD_TEXT},
};
const struct record_table agreements_version_table = {
    .name = "agreement_version", .columns = version_columns, .n_columns = VERSION_COLUMNS};

/* ---- names */

static const char *const state_names[] = {"proposed", "negotiating", "agreed", "active", "suspended", "ended"};

const char *agreements_state_name(enum agreement_state state) { return state_names[state]; }

bool agreements_state_parse(Str name, enum agreement_state *out) {
    for (unsigned i = 0; i < sizeof state_names / sizeof *state_names; i++) {
        *out = i;
        if (str_eq_c(name, state_names[i])) return true;
    }
    return false;
}

/* Dataspace Protocol 2024-1, section "Contract Negotiation Protocol". ACCEPTED never lasts here: when the receiver
 * takes an owner's offer, the owner has agreed already, and it is AGREED at once. */
const char *agreements_dsp(const struct agreement *a) {
    switch (a->state) {
    case AGREEMENT_PROPOSED:
    case AGREEMENT_NEGOTIATING: return a->offered_by_owner ? "OFFERED" : "REQUESTED";
    case AGREEMENT_AGREED: return a->confidential.at ? "VERIFIED" : "AGREED";
    case AGREEMENT_ACTIVE:
    case AGREEMENT_SUSPENDED: return "FINALIZED";
    case AGREEMENT_ENDED: break;
    }
    return "TERMINATED";
}

/* ---- rows */

static Value text_or_none(Str s) { return s.len > 0 ? VALUE_S(s) : (Value){.kind = VALUE_NONE}; }
static Value time_or_none(Nanos t) { return t ? VALUE_I(t) : (Value){.kind = VALUE_NONE}; }
static Str text(Value v) { return v.kind == VALUE_STRING ? v.s : (Str){0}; }
static int64_t number(Value v) { return v.kind == VALUE_INT ? v.i : 0; }

void agreements_row(const struct agreement *a, Value v[AGREEMENT_COLUMNS]) {
    v[RECORD_ID] = VALUE_I(a->id);
    v[RECORD_PARTY] = VALUE_I(a->owner);
    v[AGREEMENT_NUMBER] = VALUE_S(a->number);
    v[AGREEMENT_RECEIVING] = VALUE_I(a->receiver);
    v[AGREEMENT_TITLE] = VALUE_S(a->title);
    v[AGREEMENT_STANDS] = VALUE_S(str_c(agreements_state_name(a->state)));
    v[AGREEMENT_VERSION] = VALUE_I(a->version);
    v[AGREEMENT_PROPOSER] = VALUE_I(a->proposed_by);
    v[AGREEMENT_OFFERER] = VALUE_B(a->offered_by_owner);
    v[AGREEMENT_TERMS] = VALUE_S(a->terms);
    v[AGREEMENT_LAW] = text_or_none(a->legal_reference);
    v[AGREEMENT_OWNER_WHO] = text_or_none(a->agreed[AGREEMENT_OWNER].who);
    v[AGREEMENT_OWNER_AT] = time_or_none(a->agreed[AGREEMENT_OWNER].at);
    v[AGREEMENT_RECEIVER_WHO] = text_or_none(a->agreed[AGREEMENT_RECEIVER].who);
    v[AGREEMENT_RECEIVER_AT] = time_or_none(a->agreed[AGREEMENT_RECEIVER].at);
    v[AGREEMENT_CONFIDENTIAL_WHO] = text_or_none(a->confidential.who);
    v[AGREEMENT_CONFIDENTIAL_AT] = time_or_none(a->confidential.at);
    v[AGREEMENT_SUSPENDED_BY] = VALUE_I(a->suspended_by);
    v[AGREEMENT_REASON] = text_or_none(a->reason);
    v[AGREEMENT_CREATED] = VALUE_I(a->created);
    v[AGREEMENT_CHANGED] = VALUE_I(a->changed);
}

static struct agreement_assent assent(Value who, Value at) { return (struct agreement_assent){text(who), number(at)}; }

static struct agreement from_row(const Value *v) {
    struct agreement a = {.id = v[RECORD_ID].i,
                          .number = text(v[AGREEMENT_NUMBER]),
                          .title = text(v[AGREEMENT_TITLE]),
                          .owner = (PartyId)v[RECORD_PARTY].i,
                          .receiver = (PartyId)v[AGREEMENT_RECEIVING].i,
                          .proposed_by = (PartyId)v[AGREEMENT_PROPOSER].i,
                          .version = v[AGREEMENT_VERSION].i,
                          .terms = text(v[AGREEMENT_TERMS]),
                          .confidential = assent(v[AGREEMENT_CONFIDENTIAL_WHO], v[AGREEMENT_CONFIDENTIAL_AT]),
                          .legal_reference = text(v[AGREEMENT_LAW]),
                          .reason = text(v[AGREEMENT_REASON]),
                          .suspended_by = (unsigned)number(v[AGREEMENT_SUSPENDED_BY]),
                          .offered_by_owner = v[AGREEMENT_OFFERER].b,
                          .created = v[AGREEMENT_CREATED].i,
                          .changed = v[AGREEMENT_CHANGED].i};
    a.by_law = a.legal_reference.len > 0;
    a.agreed[AGREEMENT_OWNER] = assent(v[AGREEMENT_OWNER_WHO], v[AGREEMENT_OWNER_AT]);
    a.agreed[AGREEMENT_RECEIVER] = assent(v[AGREEMENT_RECEIVER_WHO], v[AGREEMENT_RECEIVER_AT]);
    if (!agreements_state_parse(text(v[AGREEMENT_STANDS]), &a.state)) a.state = AGREEMENT_ENDED;
    return a;
}

/* ---- memory */

static void copy_texts(struct agreement *a, struct arena *arena) {
    Str *texts[] = {&a->number,           &a->title,           &a->terms, &a->agreed[0].who, &a->agreed[1].who,
                    &a->confidential.who, &a->legal_reference, &a->reason};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) *texts[i] = arena_str(arena, *texts[i]);
}

Err agreements_entry_make(struct agreements *a, const struct agreement *row, struct agreement_entry **out) {
    struct agreement_entry *e = calloc(1, sizeof *e);
    ASSERT(e);
    (void)a;
    arena_init(&e->arena, 0);
    e->row = *row;
    copy_texts(&e->row, &e->arena);
    Err err = terms_parse_text(e->row.terms, &e->arena, &e->terms);
    if (err.code == ERR_NONE) {
        *out = e;
        return err;
    }
    agreements_entry_free(e);
    return err_make(ERR_CORRUPT, "agreement " STR_FMT ": %.180s", STR_ARG(row->number), err.text);
}

void agreements_entry_free(struct agreement_entry *entry) {
    if (!entry) return;
    arena_fini(&entry->arena);
    free(entry);
}

static size_t place_of(const struct agreements *a, int64_t id) {
    size_t low = 0, high = a->n;
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        if (a->entries[mid]->row.id < id)
            low = mid + 1;
        else
            high = mid;
    }
    return low;
}

void agreements_put(struct agreements *a, struct agreement_entry *entry) {
    struct agreement_entry *old = NULL;
    thread_lock(&a->lock);
    entry->stamp = ++a->stamp;
    size_t at = place_of(a, entry->row.id);
    if (at < a->n && a->entries[at]->row.id == entry->row.id) {
        old = a->entries[at];
        a->entries[at] = entry;
    } else {
        VEC_PUSH(a->entries, a->n, a->cap, entry);
        memmove(&a->entries[at + 1], &a->entries[at], (a->n - 1 - at) * sizeof(struct agreement_entry *));
        a->entries[at] = entry;
    }
    thread_unlock(&a->lock);
    agreements_entry_free(old);
}

static bool is_side(const struct principal *who, const struct agreement *a) {
    return (who->party != 0 && (who->party == a->owner || who->party == a->receiver)) || !GATE_RULE_ON(SIDE);
}

struct agreement_entry *agreements_entry(struct agreements *a, const struct principal *who, int64_t id) {
    size_t at = place_of(a, id);
    if (at == a->n || a->entries[at]->row.id != id || !is_side(who, &a->entries[at]->row)) return NULL;
    return a->entries[at];
}

enum agreement_state agreements_state_at(const struct agreement_entry *e, Nanos now) {
    enum agreement_state stored = e->row.state;
    if (stored == AGREEMENT_ENDED || now >= e->terms.to) return AGREEMENT_ENDED;
    if (stored != AGREEMENT_AGREED) return stored;
    if (e->terms.confidentiality.len > 0 && e->row.confidential.at == 0) return AGREEMENT_AGREED;
    if (now < e->terms.from) return AGREEMENT_AGREED;
    return e->row.suspended_by ? AGREEMENT_SUSPENDED : AGREEMENT_ACTIVE;
}

void agreements_copy(struct agreements *a, const struct agreement_entry *e, struct arena *arena,
                     struct agreement *out) {
    *out = e->row;
    copy_texts(out, arena);
    out->state = agreements_state_at(e, clock_now(a->options.clock));
}

/* ---- opening */

static Err load(void *ctx, struct records_txn *txn) {
    struct agreements *a = ctx;
    struct lens lens = gate_lens_system("agreements");
    struct arena pages[2]; /* the cursor of one page is read while the next is filled */
    struct record_page page = {0};
    unsigned turn = 0;
    Err err;
    for (int i = 0; i < 2; i++) arena_init(&pages[i], 0);
    do {
        struct record_query query = {.limit = PAGE, .cursor = page.next};
        turn ^= 1;
        arena_reset(&pages[turn]);
        err = records_txn_select(txn, &lens, &agreements_table, &query, &pages[turn], &page);
        for (size_t i = 0; i < page.n && err.code == ERR_NONE; i++) {
            struct agreement row = from_row(page.rows[i]);
            struct agreement_entry *entry;
            err = agreements_entry_make(a, &row, &entry);
            if (err.code == ERR_NONE) agreements_put(a, entry);
        }
    } while (err.code == ERR_NONE && page.next.len > 0);
    for (int i = 0; i < 2; i++) arena_fini(&pages[i]);
    return err;
}

Err agreements_open(const struct agreements_options *options, struct agreements **out) {
    static const struct record_table *const tables[] = {&agreements_table, &agreements_version_table};
    ASSERT(options->records && options->clock && options->world.catalog && options->world.value);
    struct agreements *a = calloc(1, sizeof *a);
    ASSERT(a);
    a->options = *options;
    thread_mutex_init(&a->changing);
    thread_mutex_init(&a->lock);
    Err err = records_declare(options->records, tables, 2);
    if (err.code == ERR_NONE) err = records_read(options->records, load, a);
    if (err.code == ERR_NONE)
        *out = a;
    else
        agreements_close(a);
    return err;
}

void agreements_close(struct agreements *a) {
    if (!a) return;
    for (size_t i = 0; i < a->n; i++) agreements_entry_free(a->entries[i]);
    free(a->entries);
    thread_mutex_fini(&a->changing);
    thread_mutex_fini(&a->lock);
    free(a);
}

const struct terms_world *agreements_world(const struct agreements *a) { return &a->options.world; }

/* ---- reading */

static Err none_such(Str text) {
    return err_make(ERR_NOT_FOUND, "no agreement '" STR_FMT "' that your party is a side of: GET /api/v1/agreements",
                    STR_ARG(str_slice(text, 0, 40)));
}

Err agreements_get(struct agreements *a, const struct principal *who, int64_t id, struct arena *arena,
                   struct agreement *out) {
    thread_lock(&a->lock);
    struct agreement_entry *e = agreements_entry(a, who, id);
    if (e) agreements_copy(a, e, arena, out);
    thread_unlock(&a->lock);
    return e ? err_none() : none_such(arena_printf(arena, "%lld", (long long)id));
}

Err agreements_find(struct agreements *a, const struct principal *who, Str text, struct arena *arena,
                    struct agreement *out) {
    int64_t id;
    if (str_to_i64(text, &id)) return agreements_get(a, who, id, arena, out);
    bool found = false;
    thread_lock(&a->lock);
    for (size_t i = 0; i < a->n && !found; i++) {
        struct agreement_entry *e = a->entries[i];
        found = str_eq(e->row.number, text) && is_side(who, &e->row);
        if (found) agreements_copy(a, e, arena, out);
    }
    thread_unlock(&a->lock);
    return found ? err_none() : none_such(text);
}

Err agreements_with(struct agreements *a, const struct principal *who, PartyId owner, struct arena *arena,
                    struct agreement *out) {
    Str names = {0};
    size_t found = 0;
    thread_lock(&a->lock);
    Nanos now = clock_now(a->options.clock);
    for (size_t i = 0; i < a->n; i++) {
        struct agreement_entry *e = a->entries[i];
        if (e->row.owner != owner || e->row.receiver != who->party || who->party == 0) continue;
        if (agreements_state_at(e, now) != AGREEMENT_ACTIVE) continue;
        if (found++ == 0) agreements_copy(a, e, arena, out);
        if (found <= 8)
            names = arena_printf(arena, STR_FMT "%s" STR_FMT, STR_ARG(names), found > 1 ? ", " : "",
                                 STR_ARG(e->row.number));
    }
    thread_unlock(&a->lock);
    if (found == 1) return err_none();
    if (found == 0)
        return err_make(ERR_FORBIDDEN, "no active agreement under which that party gives you anything: propose one");
    return err_make(ERR_CONFLICT,
                    "several agreements are active with that party: name one of %.150s by ?agreement=", names.ptr);
}

Err agreements_list(struct agreements *a, const struct principal *who, struct arena *arena, struct agreement **out,
                    size_t *n) {
    *n = 0;
    thread_lock(&a->lock);
    for (size_t i = 0; i < a->n; i++) *n += is_side(who, &a->entries[i]->row);
    *out = arena_zero(arena, *n, sizeof **out);
    for (size_t i = a->n, k = 0; i-- > 0;)
        if (is_side(who, &a->entries[i]->row)) agreements_copy(a, a->entries[i], arena, &(*out)[k++]);
    thread_unlock(&a->lock);
    return err_none();
}

struct version_reading {
    int64_t id;
    PartyId owner;
    struct arena *arena;
    struct record_page page;
};

static Err read_versions(void *ctx, struct records_txn *txn) {
    struct version_reading *r = ctx;
    struct lens lens = gate_lens_party(r->owner, "versions of an agreement, for its sides");
    struct record_filter of = {.op = RECORD_EQ, .column = VERSION_AGREEMENT, .value = VALUE_I(r->id)};
    struct record_query query = {.filter = &of, .limit = 200};
    return records_txn_select(txn, &lens, &agreements_version_table, &query, r->arena, &r->page);
}

Err agreements_versions(struct agreements *a, const struct principal *who, int64_t id, struct arena *arena,
                        struct agreement_version **out, size_t *n) {
    struct agreement agreement;
    *n = 0;
    TRY(agreements_get(a, who, id, arena, &agreement));
    struct version_reading r = {.id = id, .owner = agreement.owner, .arena = arena};
    TRY(records_read(a->options.records, read_versions, &r));
    *out = arena_zero(arena, r.page.n, sizeof **out);
    for (*n = 0; *n < r.page.n; (*n)++) {
        const Value *v = r.page.rows[*n];
        (*out)[*n] = (struct agreement_version){.version = v[VERSION_NUMBER].i,
                                                .at = v[VERSION_AT].i,
                                                .who = text(v[VERSION_WHO]),
                                                .by = (PartyId)v[VERSION_BY].i,
                                                .terms = text(v[VERSION_TERMS]),
                                                .reason = text(v[VERSION_REASON])};
    }
    return err_none();
}

/* ---- for the gate */

static struct agreement_compiled *compile(struct agreements *a, struct agreement_entry *e, const struct doctype *type) {
    struct agreement_compiled *c = arena_zero(&e->arena, 1, sizeof *c);
    c->type = type;
    struct agreement_share *s = &c->share;
    *s = (struct agreement_share){.owner = e->row.owner,
                                  .from = e->terms.from,
                                  .to = e->terms.to,
                                  .min_group = e->terms.min_group,
                                  .version = e->stamp,
                                  .purpose = arena_c(&e->arena, e->terms.purpose),
                                  .number = arena_c(&e->arena, e->row.number)};
    const struct terms_type *given = type ? terms_of_type(&e->terms, str_c(type->name)) : NULL;
    if (!type) {
        s->grants = terms_mask_grants(&e->terms, &e->arena);
        s->n_grants = e->terms.n_series;
        if (s->n_grants == 0) c->err = err_make(ERR_FORBIDDEN, "%s gives no machines and no series", s->number);
    } else if (!given && !GATE_RULE_ON(GIVEN_TYPE)) {
        s->mask.fields = UINT64_MAX;
    } else if (!given) {
        c->err = err_make(ERR_FORBIDDEN, "%s gives nothing of '%s'", s->number, type->name);
    } else {
        s->aggregates = given->aggregates && GATE_RULE_ON(AGGREGATES);
        c->err = terms_mask(given, type, e->row.owner, &a->options.world, &e->arena, &s->mask);
    }
    s->hash = hash_seeded(e->row.terms.ptr, e->row.terms.len, (uint64_t)e->row.version);
    if (type) s->hash = hash_seeded(type->name, strlen(type->name), s->hash);
    c->next = e->compiled;
    return e->compiled = c;
}

static const struct agreement_compiled *compiled(struct agreements *a, struct agreement_entry *e,
                                                 const struct doctype *type) {
    for (struct agreement_compiled *c = e->compiled; c; c = c->next)
        if (c->type == type) return c;
    return compile(a, e, type);
}

static Err check_readable(struct agreements *a, const struct principal *who, const struct agreement_entry *e,
                          bool preview) {
    enum agreement_state state = agreements_state_at(e, clock_now(a->options.clock));
    if (preview)
        return who->party == e->row.owner ? err_none()
                                          : err_make(ERR_FORBIDDEN, "only the owner sees what would be given");
    if (who->party != e->row.receiver && GATE_RULE_ON(SIDE))
        return err_make(ERR_FORBIDDEN, STR_FMT " gives to the other side: your own data needs no agreement",
                        STR_ARG(e->row.number));
    if (state == AGREEMENT_ACTIVE || !GATE_RULE_ON(ACTIVE)) return err_none();
    if (state == AGREEMENT_AGREED && e->row.confidential.at == 0 && e->terms.confidentiality.len > 0)
        return err_make(ERR_FORBIDDEN, STR_FMT ": somebody of your party must accept its confidentiality terms first",
                        STR_ARG(e->row.number));
    return err_make(ERR_FORBIDDEN, STR_FMT " is %s: nothing can be read under it now", STR_ARG(e->row.number),
                    state == AGREEMENT_AGREED ? "agreed for later" : agreements_state_name(state));
}

static const char *const *copy_names(const char *const *names, struct arena *arena) {
    size_t n = 0;
    if (!names) return NULL;
    while (names[n]) n++;
    const char **out = arena_zero(arena, n + 1, sizeof *out);
    for (size_t i = 0; i < n; i++) out[i] = arena_c(arena, str_c(names[i]));
    return out;
}

static void copy_share(const struct agreement_share *from, struct arena *arena, struct agreement_share *out) {
    *out = *from;
    out->purpose = arena_c(arena, str_c(from->purpose));
    out->number = arena_c(arena, str_c(from->number));
    out->mask.rows = arena_zero(arena, from->mask.n_rows, sizeof *out->mask.rows);
    for (size_t i = 0; i < from->mask.n_rows; i++) {
        out->mask.rows[i] = from->mask.rows[i];
        Value *v = &out->mask.rows[i].value;
        if (v->kind == VALUE_STRING) v->s = arena_str(arena, v->s);
    }
    out->grants = arena_zero(arena, from->n_grants, sizeof *out->grants);
    for (size_t i = 0; i < from->n_grants; i++) {
        out->grants[i] = from->grants[i];
        out->grants[i].things = copy_names(from->grants[i].things, arena);
        out->grants[i].metrics = copy_names(from->grants[i].metrics, arena);
        if (from->grants[i].model) out->grants[i].model = arena_c(arena, str_c(from->grants[i].model));
    }
}

Err agreements_readable(struct agreements *a, const struct principal *who, int64_t id) {
    char text[24];
    snprintf(text, sizeof text, "%lld", (long long)id);
    thread_lock(&a->lock);
    struct agreement_entry *e = agreements_entry(a, who, id);
    Err err = e ? check_readable(a, who, e, false) : none_such(str_c(text));
    thread_unlock(&a->lock);
    return err;
}

Err agreements_share(struct agreements *a, const struct principal *who, int64_t id, const struct doctype *type,
                     bool preview, struct arena *arena, struct agreement_share *out) {
    *out = (struct agreement_share){0};
    thread_lock(&a->lock);
    struct agreement_entry *e = agreements_entry(a, who, id);
    Err err = e ? check_readable(a, who, e, preview) : none_such(arena_printf(arena, "%lld", (long long)id));
    if (err.code == ERR_NONE) {
        const struct agreement_compiled *c = compiled(a, e, type);
        err = c->err;
        if (err.code == ERR_NONE) copy_share(&c->share, arena, out);
    }
    thread_unlock(&a->lock);
    return err;
}
