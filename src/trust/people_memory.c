#include "trust/people_memory.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/vec.h"
#include "store/records_system.h"
#include "store/records_txn.h"
#include "trust/gate.h"

#define PAGE 1000

void people_memory_init(struct people_memory *m) {
    *m = (struct people_memory){0};
    arena_init(&m->arena, 0);
    map_init(&m->by_name);
    map_init(&m->bearers);
    map_init(&m->sittings);
}

void people_memory_fini(struct people_memory *m) {
    people_memory_drop_sittings(m, INT64_MAX, NULL);
    map_fini(&m->by_name);
    map_fini(&m->bearers);
    map_fini(&m->sittings);
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

/* ---- finding and adding */

const struct people_party *people_memory_party(const struct people_memory *m, PartyId id) {
    for (size_t i = 0; i < m->n_parties; i++)
        if (m->parties[i].id == id) return &m->parties[i];
    return NULL;
}

const struct people_party *people_memory_party_named(const struct people_memory *m, Str name) {
    for (size_t i = 0; i < m->n_parties; i++)
        if (str_eq(m->parties[i].name, name)) return &m->parties[i];
    return NULL;
}

void people_memory_add_party(struct people_memory *m, PartyId id, Str name) {
    struct people_party party = {.id = id, .name = arena_str(&m->arena, name)};
    VEC_PUSH(m->parties, m->n_parties, m->cap_parties, party);
}

struct people_account *people_memory_account(const struct people_memory *m, Str name) {
    return get(&m->by_name, name);
}

struct people_account *people_memory_add_account(struct people_memory *m, const struct people_account *from) {
    struct people_account *account = arena_alloc(&m->arena, sizeof *account);
    *account = *from;
    account->name = arena_str(&m->arena, from->name);
    VEC_PUSH(m->accounts, m->n_accounts, m->cap_accounts, account);
    put(&m->by_name, account->name, account);
    return account;
}

const struct people_bearer *people_memory_bearer(const struct people_memory *m,
                                                 const unsigned char hash[SECRET_HASH_BYTES]) {
    return get(&m->bearers, hash_text(hash));
}

void people_memory_add_bearer(struct people_memory *m, Str hash, const struct people_account *account, enum role role) {
    struct people_bearer *bearer = arena_alloc(&m->arena, sizeof *bearer);
    *bearer = (struct people_bearer){.account = account, .role = role};
    put(&m->bearers, hash, bearer);
}

struct people_sitting *people_memory_sitting(const struct people_memory *m,
                                             const unsigned char hash[SECRET_HASH_BYTES]) {
    return get(&m->sittings, hash_text(hash));
}

void people_memory_add_sitting(struct people_memory *m, const struct people_sitting *from) {
    struct people_sitting *sitting = malloc(sizeof *sitting);
    ASSERT(sitting);
    *sitting = *from;
    put(&m->sittings, hash_text(sitting->hash), sitting);
}

void people_memory_drop_sitting(struct people_memory *m, struct people_sitting *sitting) {
    map_del(&m->sittings, hash_text(sitting->hash));
    free(sitting);
}

void people_memory_drop_sittings(struct people_memory *m, Nanos seen_before, const struct people_account *account) {
    struct people_sitting **ended = NULL;
    size_t n = 0, cap = 0, at = 0;
    Str key;
    uint64_t value;
    while (map_next(&m->sittings, &at, &key, &value)) {
        struct people_sitting *sitting = (struct people_sitting *)(uintptr_t)value;
        if (sitting->seen < seen_before || (account && sitting->account == account)) VEC_PUSH(ended, n, cap, sitting);
    }
    for (size_t i = 0; i < n; i++) people_memory_drop_sitting(m, ended[i]);
    free(ended);
}

/* ---- loading */

static struct people_account *account_of(const struct people_memory *m, int64_t id) {
    for (size_t i = 0; i < m->n_accounts; i++)
        if (m->accounts[i]->id == id) return m->accounts[i];
    return NULL;
}

static void load_party(struct people_memory *m, const Value *v) {
    people_memory_add_party(m, (PartyId)v[RECORD_ID].i, v[PARTY_NAME].s);
}

static void load_account(struct people_memory *m, const Value *v) {
    struct people_account account = {.id = v[RECORD_ID].i,
                                     .party = (PartyId)v[RECORD_PARTY].i,
                                     .name = v[USER_NAME].s,
                                     .roles = (unsigned)v[USER_ROLES].i,
                                     .created = v[USER_CREATED].i};
    Value password = v[USER_PASSWORD];
    if (password.kind == VALUE_STRING && password.s.len < sizeof account.password)
        memcpy(account.password, password.s.ptr, password.s.len);
    people_memory_add_account(m, &account);
}

static void load_bearer(struct people_memory *m, const Value *v) {
    const struct people_account *account = account_of(m, v[TOKEN_USER].i);
    if (account) people_memory_add_bearer(m, v[TOKEN_HASH].s, account, (enum role)v[TOKEN_ROLE].i);
}

static void load_sitting(struct people_memory *m, const Value *v) {
    struct people_sitting sitting = {.id = v[RECORD_ID].i,
                                     .account = account_of(m, v[SESSION_USER].i),
                                     .seen = v[SESSION_SEEN].i,
                                     .saved = v[SESSION_SEEN].i};
    if (!sitting.account || v[SESSION_HASH].s.len != SECRET_HASH_BYTES) return;
    memcpy(sitting.hash, v[SESSION_HASH].s.ptr, SECRET_HASH_BYTES);
    people_memory_add_sitting(m, &sitting);
}

typedef void load_fn(struct people_memory *m, const Value *row);

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
    struct people_memory *m = ctx;
    TRY(load_table(m, txn, &records_system_party, load_party));
    TRY(load_table(m, txn, &records_system_user, load_account));
    TRY(load_table(m, txn, &records_system_token, load_bearer));
    return load_table(m, txn, &records_system_session, load_sitting);
}
