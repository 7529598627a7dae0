/* Making and changing agreements: who may do what when is one table, what it does is one function a row. */
#include <stdio.h>
#include <string.h>

#include "trust/agreements_inner.h"
#include "trust/audit.h"

#define TITLE_MAX 200
#define REASON_MAX 1000
#define VERSIONS_MAX 200
#define DECIDERS ROLE_BIT(ROLE_MANAGER)

struct change {
    struct agreements *a;
    const struct principal *who;
    struct agreement row; /* as it will stand; state: as stored */
    const struct agreement_step *step;
    enum agreement_side side; /* who's */
    Nanos now;
    bool is_new, new_version;
    const char *told;
    struct arena *arena;
};

/* ---- writing */

static Str audit_text(const struct change *c) {
    struct buf text = {0};
    struct jw w;
    jw_init(&w, &text);
    jw_object(&w);
    jw_kc(&w, "state", agreements_state_name(c->row.state));
    jw_kint(&w, "version", c->row.version);
    if (c->row.suspended_by) jw_kbool(&w, "suspended", true);
    if (c->new_version) jw_key(&w, "terms"), jw_raw(&w, c->row.terms);
    if (c->row.legal_reference.len) jw_kstr(&w, "legal_reference", c->row.legal_reference);
    if (c->step && c->step->reason.len) jw_kstr(&w, "reason", c->step->reason);
    jw_object_end(&w);
    Str out = arena_str(c->arena, buf_view(&text));
    buf_fini(&text);
    return out;
}

/* In both sides' audit. */
static Err add_audit(const struct change *c, struct records_txn *txn) {
    const PartyId sides[] = {c->row.owner, c->row.receiver};
    struct audit_row row = {
        .at = c->now,
        .who = str_c(c->who->name),
        .action = arena_printf(c->arena, "agreement." STR_FMT, STR_ARG(c->step ? c->step->name : STR("propose"))),
        .type = STR("agreement"),
        .target = c->row.number,
        .after = audit_text(c)};
    for (size_t i = 0; i < 2; i++) {
        row.party = sides[i];
        TRY(audit_add(txn, &row));
    }
    return err_none();
}

static Err add_version(const struct change *c, struct records_txn *txn) {
    int64_t id;
    Value v[VERSION_COLUMNS] = {[RECORD_PARTY] = VALUE_I(c->row.owner),       [VERSION_AGREEMENT] = VALUE_I(c->row.id),
                                [VERSION_NUMBER] = VALUE_I(c->row.version),   [VERSION_AT] = VALUE_I(c->now),
                                [VERSION_WHO] = VALUE_S(str_c(c->who->name)), [VERSION_BY] = VALUE_I(c->who->party),
                                [VERSION_TERMS] = VALUE_S(c->row.terms)};
    if (c->step && c->step->reason.len) v[VERSION_REASON] = VALUE_S(c->step->reason);
    return records_txn_insert(txn, &agreements_version_table, v, &id);
}

static Err write_change(void *ctx, struct records_txn *txn) {
    struct change *c = ctx;
    Value values[AGREEMENT_COLUMNS];
    unsigned columns[AGREEMENT_COLUMNS];
    if (c->is_new) {
        int64_t n;
        TRY(records_txn_next_number(txn, 0, STR("agreement"), &n));
        c->row.number = arena_printf(c->arena, "AG-%06lld", (long long)n);
        agreements_row(&c->row, values);
        TRY(records_txn_insert(txn, &agreements_table, values, &c->row.id));
    } else {
        agreements_row(&c->row, values);
        for (unsigned i = AGREEMENT_NUMBER; i < AGREEMENT_COLUMNS; i++) columns[i] = i;
        TRY(records_txn_update(txn, &agreements_table, c->row.id, columns + AGREEMENT_NUMBER, values + AGREEMENT_NUMBER,
                               AGREEMENT_COLUMNS - AGREEMENT_NUMBER));
    }
    if (c->new_version) TRY(add_version(c, txn));
    return add_audit(c, txn);
}

/* Under `changing`: first the records, then memory. */
static Err commit(struct change *c, struct agreement *out) {
    struct agreements *a = c->a;
    struct agreement_entry *entry;
    c->row.changed = c->now;
    TRY(records_write(a->options.records, write_change, c));
    TRY(agreements_entry_make(a, &c->row, &entry));
    agreements_copy(a, entry, c->arena, out);
    agreements_put(a, entry);
    PartyId other = c->side == AGREEMENT_OWNER ? c->row.receiver : c->row.owner;
    if (a->options.told) a->options.told(a->options.ctx, out, other, c->told);
    return err_none();
}

/* ---- offers */

/* Parsed, held against the types, and written again in one form. */
static Err take_terms(struct change *c, const struct json *json) {
    struct terms terms;
    struct buf text = {0};
    struct jw w;
    TRY(terms_parse(json, c->arena, &terms));
    TRY(terms_mask_check(&terms, c->row.owner, &c->a->options.world));
    if (c->now >= terms.to) return err_make(ERR_INVALID, "terms: 'to' is past: nothing could ever be read");
    jw_init(&w, &text);
    terms_write(&terms, &w);
    c->row.terms = arena_str(c->arena, buf_view(&text));
    buf_fini(&text);
    if (c->row.terms.len > TERMS_BYTES_MAX)
        return err_make(ERR_TOO_LARGE, "terms of %zu bytes: at most %d", c->row.terms.len, TERMS_BYTES_MAX);
    c->row.offered_by_owner = c->side == AGREEMENT_OWNER;
    c->new_version = true;
    c->row.agreed[AGREEMENT_OWNER] = c->row.agreed[AGREEMENT_RECEIVER] = (struct agreement_assent){0};
    c->row.agreed[c->side] = (struct agreement_assent){str_c(c->who->name), c->now};
    return err_none();
}

static Err check_offer(struct agreements *a, const struct principal *who, const struct agreement_offer *o) {
    bool by_law = o->legal_reference.len > 0;
    if (o->owner == 0 || o->receiver == 0 || o->owner == o->receiver)
        return err_make(ERR_INVALID, "an agreement has two sides: name the other party as 'owner' or 'receiver'");
    if (o->title.len == 0 || o->title.len > TITLE_MAX)
        return err_make(ERR_INVALID, "'title' has 1 to %d bytes, not %zu", TITLE_MAX, o->title.len);
    if (o->legal_reference.len > REASON_MAX)
        return err_make(ERR_INVALID, "'legal_reference' has at most %d bytes", REASON_MAX);
    if (by_law) {
        bool may = a->options.is_operator && a->options.is_operator(a->options.ctx, who);
        if (!may || o->receiver != who->party)
            return err_make(ERR_FORBIDDEN, "what the law gives is recorded by the platform's operator, for itself");
        return err_none();
    }
    if (!principal_may(who, DECIDERS))
        return err_make(ERR_FORBIDDEN, "'%s' may not make agreements: ask a manager of your party", who->name);
    if (who->party == o->owner || who->party == o->receiver) return err_none();
    return err_make(ERR_FORBIDDEN, "your own party is one side of an agreement");
}

Err agreements_step_propose(struct agreements *a, const struct principal *who, const struct agreement_offer *offer,
                            struct arena *arena, struct agreement *out) {
    TRY(check_offer(a, who, offer));
    struct change c = {.a = a,
                       .who = who,
                       .side = who->party == offer->owner ? AGREEMENT_OWNER : AGREEMENT_RECEIVER,
                       .now = clock_now(a->options.clock),
                       .is_new = true,
                       .told = "proposed",
                       .arena = arena};
    c.row = (struct agreement){.title = arena_str(arena, offer->title),
                               .owner = offer->owner,
                               .receiver = offer->receiver,
                               .proposed_by = who->party,
                               .state = AGREEMENT_PROPOSED,
                               .version = 1,
                               .legal_reference = offer->legal_reference,
                               .created = c.now};
    c.row.by_law = offer->legal_reference.len > 0;
    TRY(take_terms(&c, offer->terms));
    if (c.row.by_law) {
        c.row.state = AGREEMENT_AGREED;
        c.row.confidential = c.row.agreed[AGREEMENT_RECEIVER]; /* the law's own secrecy binds who reads by it */
        c.told = "recorded by law";
    }
    thread_lock(&a->changing);
    Err err = commit(&c, out);
    thread_unlock(&a->changing);
    return err;
}

/* ---- steps */

static Err do_accept(struct change *c) {
    if (c->step->version != 0 && c->step->version != c->row.version)
        return err_make(ERR_PRECONDITION, "version %lld is not the newest, %lld is: read it first",
                        (long long)c->step->version, (long long)c->row.version);
    /* the types may have changed since it was offered */
    struct terms terms;
    TRY(terms_parse_text(c->row.terms, c->arena, &terms));
    TRY(terms_mask_check(&terms, c->row.owner, &c->a->options.world));
    c->row.agreed[c->side] = (struct agreement_assent){str_c(c->who->name), c->now};
    c->row.state = AGREEMENT_AGREED;
    c->told = "agreed";
    return err_none();
}

static Err do_counter(struct change *c) {
    if (c->row.version >= VERSIONS_MAX)
        return err_make(ERR_LIMIT, "%d versions were offered: withdraw it and propose a new agreement", VERSIONS_MAX);
    TRY(take_terms(c, c->step->terms));
    c->row.version++;
    c->row.state = AGREEMENT_NEGOTIATING;
    c->told = "countered";
    return err_none();
}

static Err do_end(struct change *c) {
    c->row.state = AGREEMENT_ENDED;
    c->row.reason = c->step->reason;
    c->told = str_eq_c(c->step->name, "withdraw") ? "withdrawn" : "ended";
    return err_none();
}

static Err do_suspend(struct change *c) {
    c->row.suspended_by |= 1u << c->side;
    c->row.reason = c->step->reason;
    c->told = "suspended";
    return err_none();
}

static Err do_resume(struct change *c) {
    c->row.suspended_by &= ~(1u << c->side);
    c->told = "resumed";
    return err_none();
}

static Err do_confidentiality(struct change *c) {
    c->row.confidential = (struct agreement_assent){str_c(c->who->name), c->now};
    c->told = "confidentiality accepted";
    return err_none();
}

#define IN(state) (1u << AGREEMENT_##state)
#define OPEN (IN(PROPOSED) | IN(NEGOTIATING))
#define STANDS (IN(AGREED) | IN(ACTIVE) | IN(SUSPENDED))

static const struct step_rule {
    const char *name;
    unsigned states, roles;
    Err (*run)(struct change *c);
} rules[] = {
    {"accept", OPEN, DECIDERS, do_accept},     {"counter", OPEN, DECIDERS, do_counter},
    {"withdraw", OPEN, DECIDERS, do_end},      {"accept_confidentiality", IN(AGREED), ROLE_PEOPLE, do_confidentiality},
    {"suspend", STANDS, DECIDERS, do_suspend}, {"resume", IN(SUSPENDED) | IN(AGREED), DECIDERS, do_resume},
    {"end", STANDS, DECIDERS, do_end},
};

/* What the table cannot say. NULL: it may be done. */
static const char *obstacle(struct agreements *a, const struct step_rule *rule, const struct principal *who,
                            const struct agreement *row, bool has_terms, enum agreement_side side) {
    bool mine = (row->suspended_by >> side & 1) != 0, offered = row->offered_by_owner == (side == AGREEMENT_OWNER);
    if (rule->run == do_accept && offered) return "your own side made the newest offer: the other one accepts it";
    if (rule->run == do_suspend && mine) return "your side has suspended it already";
    if (rule->run == do_resume && !mine) return "your side has not suspended it";
    if (rule->run == do_confidentiality) {
        if (side != AGREEMENT_RECEIVER) return "the receiver accepts confidentiality, not the owner";
        if (row->confidential.at || !has_terms) return "there are no confidentiality terms left to accept";
    }
    if (!row->by_law) return NULL;
    bool operator= a->options.is_operator && a->options.is_operator(a->options.ctx, who);
    return operator&& side == AGREEMENT_RECEIVER ? NULL : "the law gives this: only the operator changes it";
}

static bool has_confidentiality(Str terms, struct arena *arena) {
    struct terms parsed;
    return terms_parse_text(terms, arena, &parsed).code == ERR_NONE && parsed.confidentiality.len > 0;
}

static const struct step_rule *rule_named(Str name) {
    for (size_t i = 0; i < sizeof rules / sizeof *rules; i++)
        if (str_eq_c(name, rules[i].name)) return &rules[i];
    return NULL;
}

/* now: the state with the clock, as people see it. */
static Err check_step(const struct change *c, const struct step_rule *rule, enum agreement_state now) {
    /* for what the law gives, the operator's own role decides */
    if (!principal_may(c->who, rule->roles) && !c->row.by_law)
        return err_make(ERR_FORBIDDEN, "'%s' may not %s an agreement: ask a manager of your party", c->who->name,
                        rule->name);
    if (!(rule->states >> now & 1))
        return err_make(ERR_STATE, STR_FMT " is %s: '%s' is not possible then", STR_ARG(c->row.number),
                        agreements_state_name(now), rule->name);
    const char *why = obstacle(c->a, rule, c->who, &c->row, has_confidentiality(c->row.terms, c->arena), c->side);
    return why ? err_make(ERR_STATE, STR_FMT ": %s", STR_ARG(c->row.number), why) : err_none();
}

/* Under `changing`, so what is read here stands until it is written. */
static Err run_step(struct change *c, const struct step_rule *rule, int64_t id, struct agreement *out) {
    struct agreements *a = c->a;
    thread_lock(&a->lock);
    struct agreement_entry *e = agreements_entry(a, c->who, id);
    enum agreement_state stored = e ? e->row.state : AGREEMENT_ENDED;
    if (e) agreements_copy(a, e, c->arena, &c->row);
    thread_unlock(&a->lock);
    if (!e) return err_make(ERR_NOT_FOUND, "no agreement %lld that your party is a side of", (long long)id);
    c->side = c->who->party == c->row.owner ? AGREEMENT_OWNER : AGREEMENT_RECEIVER;
    TRY(check_step(c, rule, c->row.state));
    c->row.state = stored;
    TRY(rule->run(c));
    return commit(c, out);
}

Err agreements_step(struct agreements *a, const struct principal *who, int64_t id, const struct agreement_step *step,
                    struct arena *arena, struct agreement *out) {
    const struct step_rule *rule = rule_named(step->name);
    if (!rule)
        return err_make(ERR_NOT_FOUND,
                        "no step '" STR_FMT "' of an agreement: accept, counter, withdraw, accept_confidentiality, "
                        "suspend, resume, end",
                        STR_ARG(str_slice(step->name, 0, 40)));
    if (step->reason.len > REASON_MAX) return err_make(ERR_INVALID, "'reason' has at most %d bytes", REASON_MAX);
    struct change c = {.a = a, .who = who, .step = step, .now = clock_now(a->options.clock), .arena = arena};
    thread_lock(&a->changing);
    Err err = run_step(&c, rule, id, out);
    thread_unlock(&a->changing);
    return err;
}

const char *const *agreements_step_can(struct agreements *a, const struct principal *who, const struct agreement *row,
                                       struct arena *arena) {
    size_t n = 0;
    const char **out = arena_zero(arena, sizeof rules / sizeof *rules + 1, sizeof *out);
    enum agreement_side side = who->party == row->owner ? AGREEMENT_OWNER : AGREEMENT_RECEIVER;
    bool has_terms = has_confidentiality(row->terms, arena);
    if (who->party != row->owner && who->party != row->receiver) return out;
    for (size_t i = 0; i < sizeof rules / sizeof *rules; i++) {
        if (!(rules[i].states >> row->state & 1)) continue;
        if (!principal_may(who, rules[i].roles) && !row->by_law) continue;
        if (!obstacle(a, &rules[i], who, row, has_terms, side)) out[n++] = rules[i].name;
    }
    return out;
}
