#include "trust/people_memory.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/vec.h"
#include "store/records_txn.h"
#include "trust/gate.h"
#include "trust/people_settings.h"

#define PAGE 1000

void people_memory_init(struct people_memory *m) {
    *m = (struct people_memory){0};
    arena_init(&m->arena, 0);
    map_init(&m->by_name);
    map_init(&m->bearers);
    map_init(&m->sittings);
    map_init(&m->links);
    map_init(&m->identities);
}

static void free_all(struct map *map) {
    size_t at = 0;
    Str key;
    uint64_t value;
    while (map_next(map, &at, &key, &value)) free((void *)(uintptr_t)value);
    map_fini(map);
}

void people_memory_fini(struct people_memory *m) {
    free_all(&m->sittings);
    free_all(&m->bearers);
    free_all(&m->links);
    map_fini(&m->identities);
    map_fini(&m->by_name);
    for (size_t i = 0; i < m->n_parties; i++)
        for (unsigned k = 0; k < PEOPLE_TEXTS; k++) free(m->parties[i].texts[k]);
    for (size_t i = 0; i < m->n_accounts; i++) free(m->accounts[i]->members);
    free(m->parties);
    free(m->accounts);
    arena_fini(&m->arena);
}

static Str hash_text(const unsigned char hash[SECRET_HASH_BYTES]) {
    return str_n((const char *)hash, SECRET_HASH_BYTES);
}

static void *get(const struct map *map, Str key) {
    uint64_t found;
    return map_get(map, key, &found) ? (void *)(uintptr_t)found : NULL;
}

static void put(struct map *map, Str key, void *p) { map_put(map, key, (uint64_t)(uintptr_t)p); }

static void *copy(const void *from, size_t size) {
    void *to = malloc(size);
    ASSERT(to);
    memcpy(to, from, size);
    return to;
}

/* ---- parties */

struct people_party *people_memory_party(const struct people_memory *m, PartyId id) {
    for (size_t i = 0; i < m->n_parties; i++)
        if (m->parties[i].id == id) return &m->parties[i];
    return NULL;
}

struct people_party *people_memory_party_named(const struct people_memory *m, Str name) {
    for (size_t i = 0; i < m->n_parties; i++)
        if (str_eq(m->parties[i].name, name)) return &m->parties[i];
    return NULL;
}

void people_memory_add_party(struct people_memory *m, PartyId id, Str name) {
    struct people_party party = {.id = id, .name = arena_str(&m->arena, name)};
    VEC_PUSH(m->parties, m->n_parties, m->cap_parties, party);
}

void people_memory_party_text(struct people_party *party, unsigned column, Str text) {
    char **at = &party->texts[column - PARTY_TITLE];
    free(*at);
    *at = text.len > 0 ? strndup(text.ptr, text.len) : NULL;
    if (column == PARTY_SETTINGS) people_settings_read(text, &party->worker_links, &party->factor_roles);
}

/* ---- accounts and their memberships */

struct people_account *people_memory_account(const struct people_memory *m, Str name) {
    return get(&m->by_name, name);
}

struct people_account *people_memory_account_of(const struct people_memory *m, int64_t id) {
    size_t low = 0, high = m->n_accounts; /* they come in the order of their ids */
    while (low < high) {
        size_t mid = (low + high) / 2;
        if (m->accounts[mid]->id < id)
            low = mid + 1;
        else
            high = mid;
    }
    return low < m->n_accounts && m->accounts[low]->id == id ? m->accounts[low] : NULL;
}

struct people_account *people_memory_add_account(struct people_memory *m, const struct people_account *from) {
    struct people_account *account = arena_alloc(&m->arena, sizeof *account);
    *account = *from;
    account->name = arena_str(&m->arena, from->name);
    VEC_PUSH(m->accounts, m->n_accounts, m->cap_accounts, account);
    put(&m->by_name, account->name, account);
    return account;
}

struct people_member *people_memory_member(const struct people_account *account, PartyId party) {
    for (size_t i = 0; i < account->n_members; i++)
        if (account->members[i].party == party) return &account->members[i];
    return NULL;
}

void people_memory_put_member(struct people_account *account, PartyId party, int64_t row, unsigned roles) {
    struct people_member *standing = people_memory_member(account, party), member = {party, row, roles};
    if (standing)
        *standing = member;
    else
        VEC_PUSH(account->members, account->n_members, account->cap_members, member);
}

void people_memory_drop_member(struct people_account *account, PartyId party) {
    struct people_member *member = people_memory_member(account, party);
    if (member) *member = account->members[--account->n_members];
}

/* ---- tokens */

struct people_bearer *people_memory_bearer(const struct people_memory *m, const unsigned char hash[SECRET_HASH_BYTES]) {
    return get(&m->bearers, hash_text(hash));
}

struct people_bearer *people_memory_bearer_of(const struct people_memory *m, int64_t id) {
    size_t at = 0;
    Str key;
    uint64_t value;
    while (map_next(&m->bearers, &at, &key, &value)) {
        struct people_bearer *bearer = (struct people_bearer *)(uintptr_t)value;
        if (bearer->id == id) return bearer;
    }
    return NULL;
}

void people_memory_add_bearer(struct people_memory *m, const struct people_bearer *from) {
    struct people_bearer *bearer = copy(from, sizeof *from);
    put(&m->bearers, hash_text(bearer->hash), bearer);
}

void people_memory_drop_bearer(struct people_memory *m, struct people_bearer *bearer) {
    map_del(&m->bearers, hash_text(bearer->hash));
    free(bearer);
}

/* The values of a map for which `chosen` says so, on the heap. */
typedef bool choose_fn(const void *value, const void *ctx);
static void **choose(const struct map *map, choose_fn *chosen, const void *ctx, size_t *n) {
    void **list = NULL;
    size_t cap = 0, at = 0;
    Str key;
    uint64_t value;
    *n = 0;
    while (map_next(map, &at, &key, &value))
        if (chosen((void *)(uintptr_t)value, ctx)) VEC_PUSH(list, *n, cap, (void *)(uintptr_t)value);
    return list;
}

struct whose {
    const struct people_account *account;
    PartyId party;
    unsigned roles;
    int64_t except;
};

static bool is_bearer_of(const void *value, const void *ctx) {
    const struct people_bearer *b = value;
    const struct whose *w = ctx;
    return b->account == w->account && b->party == w->party && (ROLE_BIT(b->role) & w->roles);
}

void people_memory_drop_bearers(struct people_memory *m, const struct people_account *account, PartyId party,
                                unsigned roles) {
    struct whose whose = {.account = account, .party = party, .roles = roles};
    size_t n;
    void **list = choose(&m->bearers, is_bearer_of, &whose, &n);
    for (size_t i = 0; i < n; i++) people_memory_drop_bearer(m, list[i]);
    free(list);
}

/* ---- sessions */

struct people_sitting *people_memory_sitting(const struct people_memory *m,
                                             const unsigned char hash[SECRET_HASH_BYTES]) {
    return get(&m->sittings, hash_text(hash));
}

void people_memory_add_sitting(struct people_memory *m, const struct people_sitting *from) {
    struct people_sitting *sitting = copy(from, sizeof *from);
    put(&m->sittings, hash_text(sitting->hash), sitting);
}

void people_memory_drop_sitting(struct people_memory *m, struct people_sitting *sitting) {
    map_del(&m->sittings, hash_text(sitting->hash));
    free(sitting);
}

static void drop_chosen(struct people_memory *m, choose_fn *chosen, const void *ctx) {
    size_t n;
    void **list = choose(&m->sittings, chosen, ctx, &n);
    for (size_t i = 0; i < n; i++) people_memory_drop_sitting(m, list[i]);
    free(list);
}

static bool is_idle(const void *value, const void *before) {
    return ((const struct people_sitting *)value)->seen < *(const Nanos *)before;
}

void people_memory_drop_idle(struct people_memory *m, Nanos seen_before) { drop_chosen(m, is_idle, &seen_before); }

static bool is_sitting_of(const void *value, const void *ctx) {
    const struct people_sitting *s = value;
    const struct whose *w = ctx;
    return s->account == w->account && (w->party == 0 || s->party == w->party) && s->id != w->except;
}

void people_memory_drop_sittings(struct people_memory *m, const struct people_account *account, PartyId party,
                                 int64_t except) {
    struct whose whose = {.account = account, .party = party, .except = except};
    drop_chosen(m, is_sitting_of, &whose);
}

/* ---- links and identities */

struct people_link *people_memory_link(const struct people_memory *m, const unsigned char hash[SECRET_HASH_BYTES]) {
    return get(&m->links, hash_text(hash));
}

void people_memory_add_link(struct people_memory *m, const struct people_link *from) {
    struct people_link *link = copy(from, sizeof *from);
    put(&m->links, hash_text(link->hash), link);
}

void people_memory_drop_link(struct people_memory *m, struct people_link *link) {
    map_del(&m->links, hash_text(link->hash));
    free(link);
}

static bool is_over(const void *value, const void *before) {
    return ((const struct people_link *)value)->until < *(const Nanos *)before;
}

void people_memory_drop_links(struct people_memory *m, Nanos until_before) {
    size_t n;
    void **list = choose(&m->links, is_over, &until_before, &n);
    for (size_t i = 0; i < n; i++) people_memory_drop_link(m, list[i]);
    free(list);
}

struct people_account *people_memory_identity(const struct people_memory *m, Str subject) {
    return get(&m->identities, subject);
}

void people_memory_add_identity(struct people_memory *m, Str subject, struct people_account *account) {
    put(&m->identities, subject, account);
}

/* ---- loading */

static Str text(Value v) { return v.kind == VALUE_STRING ? v.s : (Str){0}; }
static int64_t number(Value v) { return v.kind == VALUE_INT ? v.i : 0; }
static bool truth(Value v) { return v.kind == VALUE_BOOL && v.b; }

static void keep_text(char *to, size_t size, Value v) {
    Str from = text(v);
    if (from.len < size && from.len > 0) memcpy(to, from.ptr, from.len);
}

static bool keep_hash(unsigned char to[SECRET_HASH_BYTES], Value v) {
    Str from = text(v);
    if (from.len != SECRET_HASH_BYTES) return false;
    memcpy(to, from.ptr, SECRET_HASH_BYTES);
    return true;
}

static void load_party(struct people_memory *m, const Value *v) {
    people_memory_add_party(m, (PartyId)v[RECORD_ID].i, v[PARTY_NAME].s);
    for (unsigned column = PARTY_TITLE; column < PARTY_COLUMNS; column++)
        people_memory_party_text(&m->parties[m->n_parties - 1], column, text(v[column]));
}

static void load_account(struct people_memory *m, const Value *v) {
    struct people_account account = {.id = v[RECORD_ID].i,
                                     .party = (PartyId)v[RECORD_PARTY].i,
                                     .name = v[USER_NAME].s,
                                     .created = v[USER_CREATED].i,
                                     .must_change = truth(v[USER_MUST_CHANGE]),
                                     .factor_step = number(v[USER_FACTOR_STEP])};
    Str codes = text(v[USER_RECOVERY]);
    keep_text(account.password, sizeof account.password, v[USER_PASSWORD]);
    keep_text(account.factor, sizeof account.factor, v[USER_FACTOR]);
    if (codes.len <= sizeof account.recovery && codes.len > 0) {
        memcpy(account.recovery, codes.ptr, codes.len);
        account.n_recovery = codes.len / SECRET_HASH_BYTES;
    }
    people_memory_add_account(m, &account);
}

static void load_member(struct people_memory *m, const Value *v) {
    struct people_account *account = people_memory_account_of(m, v[MEMBERSHIP_USER].i);
    if (account)
        people_memory_put_member(account, (PartyId)v[RECORD_PARTY].i, v[RECORD_ID].i, (unsigned)v[MEMBERSHIP_ROLES].i);
}

static void load_bearer(struct people_memory *m, const Value *v) {
    struct people_bearer bearer = {.id = v[RECORD_ID].i,
                                   .party = (PartyId)v[RECORD_PARTY].i,
                                   .account = people_memory_account_of(m, v[TOKEN_USER].i),
                                   .role = (enum role)v[TOKEN_ROLE].i,
                                   .created = v[TOKEN_CREATED].i,
                                   .until = number(v[TOKEN_UNTIL]),
                                   .used = number(v[TOKEN_USED]),
                                   .saved = number(v[TOKEN_USED])};
    keep_text(bearer.scopes, sizeof bearer.scopes, v[TOKEN_SCOPES]);
    if (bearer.account && keep_hash(bearer.hash, v[TOKEN_HASH])) people_memory_add_bearer(m, &bearer);
}

static void load_sitting(struct people_memory *m, const Value *v) {
    struct people_sitting sitting = {.id = v[RECORD_ID].i,
                                     .party = (PartyId)v[RECORD_PARTY].i,
                                     .account = people_memory_account_of(m, v[SESSION_USER].i),
                                     .seen = v[SESSION_SEEN].i,
                                     .saved = v[SESSION_SEEN].i,
                                     .until = number(v[SESSION_UNTIL]),
                                     .outside = truth(v[SESSION_OUTSIDE]),
                                     .roles = (unsigned)number(v[SESSION_ROLES])};
    keep_text(sitting.scopes, sizeof sitting.scopes, v[SESSION_SCOPES]);
    keep_text(sitting.label, sizeof sitting.label, v[SESSION_LABEL]);
    if (!sitting.account || !keep_hash(sitting.hash, v[SESSION_HASH])) return;
    if (sitting.seen > sitting.account->seen) sitting.account->seen = sitting.seen;
    people_memory_add_sitting(m, &sitting);
}

static void load_link(struct people_memory *m, const Value *v) {
    struct people_link link = {.id = v[RECORD_ID].i,
                               .kind = (enum people_link_kind)v[LINK_KIND].i,
                               .party = (PartyId)v[RECORD_PARTY].i,
                               .account = people_memory_account_of(m, number(v[LINK_USER])),
                               .roles = (unsigned)v[LINK_ROLES].i,
                               .minutes = number(v[LINK_MINUTES]),
                               .until = v[LINK_UNTIL].i};
    keep_text(link.name, sizeof link.name, v[LINK_NAME]);
    keep_text(link.scopes, sizeof link.scopes, v[LINK_SCOPES]);
    if (keep_hash(link.hash, v[LINK_HASH])) people_memory_add_link(m, &link);
}

static void load_identity(struct people_memory *m, const Value *v) {
    struct people_account *account = people_memory_account_of(m, v[IDENTITY_USER].i);
    if (account) people_memory_add_identity(m, v[IDENTITY_SUBJECT].s, account);
}

typedef void load_fn(struct people_memory *m, const Value *row);

static const struct {
    const struct record_table *table;
    load_fn *load;
} loads[] = {
    {&records_system_party, load_party},       {&records_system_user, load_account},
    {&records_system_membership, load_member}, {&records_system_token, load_bearer},
    {&records_system_session, load_sitting},   {&records_system_link, load_link},
    {&records_system_identity, load_identity},
};

static Err load_table(struct people_memory *m, struct records_txn *txn, const struct record_table *table,
                      load_fn *load) {
    struct lens lens = gate_lens_system("people");
    struct arena arena;
    struct record_page page = {0};
    Err err;
    arena_init(&arena, 0);
    do {
        struct record_query query = {.limit = PAGE, .cursor = page.next};
        err = records_txn_select(txn, &lens, table, &query, &arena, &page);
        for (size_t i = 0; i < page.n; i++) load(m, page.rows[i]);
    } while (err.code == ERR_NONE && page.next.len > 0);
    arena_fini(&arena);
    return err;
}

Err people_memory_load(void *ctx, struct records_txn *txn) {
    for (size_t i = 0; i < sizeof loads / sizeof *loads; i++) TRY(load_table(ctx, txn, loads[i].table, loads[i].load));
    return err_none();
}
