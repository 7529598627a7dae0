/* Parties: their names, identifiers, contact and settings. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/jw.h"
#include "model/ident.h"
#include "trust/people_core.h"
#include "trust/people_settings.h"

#define TEXT_MAX 500

/* What may be said of a party. ident: the row of ident_table that checks it. */
static const struct text {
    const char *name, *ident;
    unsigned column;
    bool public; /* found by, and told to, every other party */
} texts[] = {
    {"title", NULL, PARTY_TITLE, true},       {"uscc", "uscc", PARTY_USCC, true},
    {"bpn", "bpn", PARTY_BPN, true},          {"gln", "gln", PARTY_GLN, true},
    {"handle", "handle", PARTY_HANDLE, true}, {"email", "email", PARTY_EMAIL, false},
    {"phone", "phone", PARTY_PHONE, false},   {"address", NULL, PARTY_ADDRESS, false},
};
enum { TEXTS = sizeof texts / sizeof *texts };

/* ---- making */

struct party_adding {
    Value row[PARTY_COLUMNS];
    struct audit_row audit;
    int64_t id;
};

static Err add_party(void *ctx, struct records_txn *txn) {
    struct party_adding *a = ctx;
    TRY(records_txn_insert(txn, &records_system_party, a->row, &a->id));
    if (!a->audit.party) a->audit.party = (PartyId)a->id;
    return audit_add(txn, &a->audit);
}

static PartyId party_named(struct people *p, Str name) {
    thread_lock(&p->lock);
    const struct people_party *party = people_memory_party_named(&p->memory, name);
    PartyId id = party ? party->id : 0;
    thread_unlock(&p->lock);
    return id;
}

/* Under `changing`. row: the texts. */
static Err write_party(struct people *p, struct party_adding *a, Str name, PartyId *out) {
    a->row[RECORD_PARTY] = VALUE_I(0);
    a->row[PARTY_NAME] = VALUE_S(name);
    a->row[PARTY_CREATED] = VALUE_I(a->audit.at);
    TRY(records_write(p->records, add_party, a));
    *out = (PartyId)a->id;
    thread_lock(&p->lock);
    people_memory_add_party(&p->memory, *out, name);
    struct people_party *party = people_memory_party(&p->memory, *out);
    for (unsigned column = PARTY_TITLE; column < PARTY_COLUMNS; column++)
        if (a->row[column].kind == VALUE_STRING) people_memory_party_text(party, column, a->row[column].s);
    thread_unlock(&p->lock);
    return err_none();
}

Err people_party(struct people *p, Str name, PartyId *out) {
    TRY(people_check_name("party", name));
    Err err = err_none();
    thread_lock(&p->changing);
    *out = party_named(p, name);
    struct party_adding a = {.audit = people_note(p, 0, STR("system:people"), "party.create", "party", name)};
    if (!*out) err = write_party(p, &a, name, out);
    thread_unlock(&p->changing);
    return err;
}

/* ---- finding */

static Str text_of(const struct people_party *party, unsigned column) {
    return str_c(party->texts[column - PARTY_TITLE]);
}

static bool is_called(const struct people_party *party, Str text) {
    if (str_eq(party->name, text)) return true;
    for (size_t i = 0; i < TEXTS; i++)
        if (texts[i].public && str_eq(text_of(party, texts[i].column), text)) return true;
    return false;
}

Err people_party_resolve(struct people *p, Str text, PartyId *out) {
    *out = 0;
    if (text.len == 0) return err_make(ERR_INVALID, "a party is named by its name or an identifier");
    thread_lock(&p->lock);
    const struct people_party *exact = people_memory_party_named(&p->memory, text); /* a name before a title */
    if (exact) *out = exact->id;
    for (size_t i = 0; !*out && i < p->memory.n_parties; i++)
        if (is_called(&p->memory.parties[i], text)) *out = p->memory.parties[i].id;
    thread_unlock(&p->lock);
    if (*out) return err_none();
    return err_make(ERR_NOT_FOUND, "no party '" STR_FMT "': GET /api/v1/parties lists them",
                    STR_ARG(str_slice(text, 0, 60)));
}

Err people_party_name(struct people *p, PartyId id, struct arena *arena, Str *out) {
    *out = (Str){0};
    thread_lock(&p->lock);
    const struct people_party *party = people_memory_party(&p->memory, id);
    if (party) *out = arena_str(arena, party->name);
    thread_unlock(&p->lock);
    return party ? err_none() : err_make(ERR_NOT_FOUND, "no party %u", id);
}

static struct people_card card_of(const struct people_party *party, struct arena *arena) {
    return (struct people_card){.id = party->id,
                                .name = arena_str(arena, party->name),
                                .title = arena_str(arena, text_of(party, PARTY_TITLE)),
                                .uscc = arena_str(arena, text_of(party, PARTY_USCC)),
                                .bpn = arena_str(arena, text_of(party, PARTY_BPN)),
                                .gln = arena_str(arena, text_of(party, PARTY_GLN)),
                                .handle = arena_str(arena, text_of(party, PARTY_HANDLE)),
                                .email = arena_str(arena, text_of(party, PARTY_EMAIL)),
                                .phone = arena_str(arena, text_of(party, PARTY_PHONE)),
                                .address = arena_str(arena, text_of(party, PARTY_ADDRESS)),
                                .settings = arena_str(arena, text_of(party, PARTY_SETTINGS)),
                                .worker_links = party->worker_links};
}

Err people_party_card(struct people *p, PartyId id, struct arena *arena, struct people_card *out) {
    *out = (struct people_card){0};
    thread_lock(&p->lock);
    const struct people_party *party = people_memory_party(&p->memory, id);
    if (party) *out = card_of(party, arena);
    thread_unlock(&p->lock);
    return party ? err_none() : err_make(ERR_NOT_FOUND, "no party %u", id);
}

static bool holds(const struct people_party *party, Str part) {
    if (part.len == 0 || str_find(party->name, part) >= 0) return true;
    for (size_t i = 0; i < TEXTS; i++)
        if (texts[i].public && str_find(text_of(party, texts[i].column), part) >= 0) return true;
    return false;
}

static int by_name(const void *a, const void *b) {
    return str_cmp(((const struct people_card *)a)->name, ((const struct people_card *)b)->name);
}

Err people_party_cards(struct people *p, Str part, size_t limit, struct arena *arena, struct people_card **out,
                       size_t *n) {
    thread_lock(&p->lock);
    *out = arena_zero(arena, p->memory.n_parties, sizeof **out);
    *n = 0;
    for (size_t i = 0; i < p->memory.n_parties; i++)
        if (holds(&p->memory.parties[i], part)) (*out)[(*n)++] = card_of(&p->memory.parties[i], arena);
    thread_unlock(&p->lock);
    if (*n > 1) qsort(*out, *n, sizeof **out, by_name);
    if (*n > limit) *n = limit;
    return err_none();
}

/* ---- changing */

struct party_changing {
    PartyId party;
    unsigned columns[PARTY_COLUMNS];
    Value values[PARTY_COLUMNS];
    size_t n;
    struct buf settings, after;
    struct audit_row audit;
};

static Err read_text(const struct text *t, const struct json *v, Value *out) {
    *out = (Value){.kind = VALUE_NONE};
    if (json_kind(v) == JSON_NULL) return err_none();
    if (json_kind(v) != JSON_STRING) return err_make(ERR_INVALID, "'%s' is no text: send it in quotes", t->name);
    Str text = str_trim(json_str(v));
    if (text.len == 0) return err_none();
    if (text.len > TEXT_MAX)
        return err_make(ERR_TOO_LARGE, "'%s' has %zu bytes: at most %d", t->name, text.len, TEXT_MAX);
    if (t->ident) {
        Err err = ident_find(str_c(t->ident))->check(text);
        if (err.code != ERR_NONE) return err_make(ERR_INVALID, "'%s': %.180s", t->name, err.text);
    }
    *out = VALUE_S(text);
    return err_none();
}

static const struct text *text_named(Str name) {
    for (size_t i = 0; i < TEXTS; i++)
        if (str_eq_c(name, texts[i].name)) return &texts[i];
    return NULL;
}

/* Settings that are not named stay as they are. */
static Err read_settings(struct people *p, struct party_changing *c, const struct json *v) {
    struct buf standing = {0};
    TRY(people_settings_check(v));
    thread_lock(&p->lock);
    const struct people_party *party = people_memory_party(&p->memory, c->party);
    if (party) buf_str(&standing, text_of(party, PARTY_SETTINGS));
    thread_unlock(&p->lock);
    people_settings_merge(buf_view(&standing), v, &c->settings);
    buf_fini(&standing);
    c->values[c->n] = VALUE_S(buf_view(&c->settings));
    c->columns[c->n++] = PARTY_SETTINGS;
    return err_none();
}

static Err read_change(struct people *p, struct party_changing *c, const struct json *change) {
    void *at = NULL;
    Str key;
    const struct json *v;
    while (json_next(change, &at, &key, &v)) {
        const struct text *t = text_named(key);
        if (str_eq_c(key, "name") || str_eq_c(key, "manager")) continue; /* of a new party: its maker reads them */
        if (str_eq_c(key, "settings")) {
            TRY(read_settings(p, c, v));
            continue;
        }
        if (!t)
            return err_make(ERR_INVALID,
                            "a party has no '" STR_FMT "': title, uscc, bpn, gln, handle, email, phone, "
                            "address or settings",
                            STR_ARG(str_slice(key, 0, 60)));
        TRY(read_text(t, v, &c->values[c->n]));
        c->columns[c->n++] = t->column;
    }
    return err_none();
}

static Err write_change(void *ctx, struct records_txn *txn) {
    struct party_changing *c = ctx;
    TRY(records_txn_update(txn, &records_system_party, c->party, c->columns, c->values, c->n));
    return audit_add(txn, &c->audit);
}

static Err apply_change(struct people *p, const struct principal *by, struct party_changing *c,
                        const struct json *change) {
    struct people_party *party;
    json_dump(change, &c->after);
    thread_lock(&p->lock);
    party = people_memory_party(&p->memory, c->party);
    Str name = party ? party->name : (Str){0};
    thread_unlock(&p->lock);
    if (!party) return err_make(ERR_NOT_FOUND, "no party %u", c->party);
    c->audit = people_note(p, c->party, str_c(by->name), "party.change", "party", name);
    c->audit.after = buf_view(&c->after);
    TRY(records_write(p->records, write_change, c));
    thread_lock(&p->lock);
    party = people_memory_party(&p->memory, c->party);
    for (size_t i = 0; i < c->n; i++)
        people_memory_party_text(party, c->columns[i], c->values[i].kind == VALUE_STRING ? c->values[i].s : (Str){0});
    thread_unlock(&p->lock);
    people_ended(p); /* a second factor may be asked for now */
    return err_none();
}

Err people_party_change(struct people *p, const struct principal *by, PartyId party, const struct json *change) {
    struct party_changing c = {.party = party};
    if (!principal_may(by, ROLE_BIT(ROLE_MANAGER)))
        return err_make(ERR_FORBIDDEN, "only a manager changes what his party says of itself");
    TRY(people_check_staff(by, party));
    Err err = read_change(p, &c, change);
    if (err.code == ERR_NONE && c.n > 0) {
        thread_lock(&p->changing);
        err = apply_change(p, by, &c, change);
        thread_unlock(&p->changing);
    }
    buf_fini(&c.settings);
    buf_fini(&c.after);
    return err;
}

Err people_party_make(struct people *p, const struct principal *by, Str name, const struct json *rest, PartyId *out) {
    struct party_changing c = {.party = 0};
    bool system = principal_may(by, ROLE_BIT(ROLE_SYSTEM)); /* also says yes to the system */
    if (!system && !(principal_may(by, ROLE_BIT(ROLE_OPERATOR)) && people_operates(p, by->party)))
        return err_make(ERR_FORBIDDEN, "only an operator of this server makes parties");
    TRY(people_check_name("party", name));
    struct party_adding a = {.audit = people_note(p, by->party, str_c(by->name), "party.create", "party", name)};
    Err err = rest ? read_change(p, &c, rest) : err_none();
    for (size_t i = 0; i < c.n; i++) a.row[c.columns[i]] = c.values[i];
    if (err.code == ERR_NONE) {
        thread_lock(&p->changing);
        err = party_named(p, name)
                  ? err_make(ERR_CONFLICT, "there is a party '" STR_FMT "': choose another name", STR_ARG(name))
                  : write_party(p, &a, name, out);
        thread_unlock(&p->changing);
    }
    buf_fini(&c.settings);
    buf_fini(&c.after);
    return err;
}
