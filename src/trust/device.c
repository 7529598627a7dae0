/*
 * As people.c: changes one at a time, first in the records, then in memory; checks from memory alone. The hash is made
 * outside the lock, which is held for one look-up.
 */
#include "trust/device.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/map.h"
#include "os/thread.h"
#include "store/records_system.h"
#include "store/records_txn.h"
#include "trust/audit.h"
#include "trust/gate.h"
#include "trust/secret.h"

#define USER_LETTERS 16     /* after "dev-": 80 random bits, so that names never meet */
#define PASSWORD_LETTERS 32 /* 160 random bits */
#define THING_BYTES_MAX 255
#define PAGE 1000

struct credential {
    int64_t id;
    unsigned char hash[SECRET_HASH_BYTES];
    struct device_identity identity; /* user: the credential's user name */
};

struct devices {
    struct records *records;
    const struct clock *clock;
    struct secret_key key;
    pthread_mutex_t changing, lock; /* in this order; lock guards the maps and what they lead to */
    struct map by_user, by_thing;   /* to struct credential *; by_thing: "party\0thing" */
};

static struct credential *get(const struct map *map, Str key) {
    uint64_t found;
    return map_get(map, key, &found) ? (struct credential *)(uintptr_t)found : NULL;
}

static Str thing_key(PartyId party, Str thing, char out[THING_BYTES_MAX + sizeof party + 1]) {
    memcpy(out, &party, sizeof party);
    memcpy(out + sizeof party, thing.ptr, thing.len);
    return str_n(out, sizeof party + thing.len);
}

static void keep(struct devices *d, const struct credential *from) {
    char key[THING_BYTES_MAX + sizeof(PartyId) + 1];
    struct credential *c = malloc(sizeof *c);
    ASSERT(c);
    *c = *from;
    map_put(&d->by_user, str_c(c->identity.user), (uint64_t)(uintptr_t)c);
    map_put(&d->by_thing, thing_key(c->identity.party, str_c(c->identity.thing), key), (uint64_t)(uintptr_t)c);
}

static struct credential *find_thing(const struct devices *d, PartyId party, Str thing) {
    char key[THING_BYTES_MAX + sizeof(PartyId) + 1];
    return get(&d->by_thing, thing_key(party, thing, key));
}

/* ---- opening */

static bool copy_text(char *out, size_t size, Value v) {
    if (v.kind != VALUE_STRING || v.s.len >= size) return false;
    memcpy(out, v.s.ptr, v.s.len);
    out[v.s.len] = 0;
    return true;
}

static void load_row(struct devices *d, const Value *v) {
    struct credential c = {.id = v[RECORD_ID].i,
                           .identity = {.party = (PartyId)v[RECORD_PARTY].i, .gateway = v[DEVICE_GATEWAY].b}};
    if (!copy_text(c.identity.thing, sizeof c.identity.thing, v[DEVICE_THING]) ||
        !copy_text(c.identity.user, sizeof c.identity.user, v[DEVICE_USER]) ||
        v[DEVICE_HASH].s.len != SECRET_HASH_BYTES)
        return;
    memcpy(c.hash, v[DEVICE_HASH].s.ptr, SECRET_HASH_BYTES);
    keep(d, &c);
}

static Err load_all(void *ctx, struct records_txn *txn) {
    struct lens lens = gate_lens_system("devices");
    struct arena arena;
    struct record_page page = {0};
    Err err;
    arena_init(&arena, 0);
    do {
        Str cursor = page.next;
        struct record_query query = {.limit = PAGE, .cursor = cursor};
        err = records_txn_select(txn, &lens, &records_system_device, &query, &arena, &page);
        for (size_t i = 0; i < page.n; i++) load_row(ctx, page.rows[i]);
    } while (err.code == ERR_NONE && page.next.len > 0);
    arena_fini(&arena);
    return err;
}

Err device_open(struct records *records, const struct clock *clock, struct devices **out) {
    struct devices *d = calloc(1, sizeof *d);
    ASSERT(d);
    d->records = records;
    d->clock = clock;
    thread_mutex_init(&d->changing);
    thread_mutex_init(&d->lock);
    map_init(&d->by_user);
    map_init(&d->by_thing);
    bool make = !records_read_only(records);
    Err err = secret_load(records_dir(records), make, &d->key);
    if (err.code == ERR_NOT_FOUND && !make) err = err_none(); /* then no password will match */
    if (err.code == ERR_NONE) err = records_read(records, load_all, d);
    if (err.code == ERR_NONE)
        *out = d;
    else
        device_close(d);
    return err;
}

void device_close(struct devices *d) {
    if (!d) return;
    size_t at = 0;
    Str key;
    uint64_t value;
    while (map_next(&d->by_user, &at, &key, &value)) free((void *)(uintptr_t)value);
    map_fini(&d->by_user);
    map_fini(&d->by_thing);
    thread_mutex_fini(&d->changing);
    thread_mutex_fini(&d->lock);
    free(d);
}

/* ---- changing */

static Err check(const struct principal *by, PartyId party, Str thing) {
    if (!principal_may(by, ROLE_STAFF))
        return err_make(ERR_FORBIDDEN, "'%s' may not change devices: ask an operator or manager", by->name);
    if (by->party != party && !principal_may(by, ROLE_BIT(ROLE_SYSTEM)))
        return err_make(ERR_FORBIDDEN, "'%s' belongs to another party", by->name);
    if (thing.len == 0 || thing.len > THING_BYTES_MAX || !str_is_utf8(thing) || memchr(thing.ptr, 0, thing.len))
        return err_make(ERR_INVALID, "a thing's name has 1 to %d bytes of UTF-8", THING_BYTES_MAX);
    return err_none();
}

struct change {
    struct credential credential; /* id 0: a new one */
    Nanos now;
    struct audit_row audit;
};

static void describe(struct devices *d, struct change *c, const struct principal *by, const char *action) {
    c->now = clock_now(d->clock);
    c->audit = (struct audit_row){.at = c->now,
                                  .party = c->credential.identity.party,
                                  .who = str_c(by->name),
                                  .action = str_c(action),
                                  .type = STR("device"),
                                  .target = str_c(c->credential.identity.thing)};
}

static Err write_credential(void *ctx, struct records_txn *txn) {
    struct change *c = ctx;
    Value hash = VALUE_S(str_n((const char *)c->credential.hash, SECRET_HASH_BYTES));
    Value gateway = VALUE_B(c->credential.identity.gateway);
    if (c->credential.id) {
        TRY(records_txn_update(txn, &records_system_device, c->credential.id,
                               (const unsigned[]){DEVICE_HASH, DEVICE_GATEWAY}, (const Value[]){hash, gateway}, 2));
    } else {
        Value row[DEVICE_COLUMNS] = {[RECORD_PARTY] = VALUE_I(c->credential.identity.party),
                                     [DEVICE_THING] = VALUE_S(str_c(c->credential.identity.thing)),
                                     [DEVICE_USER] = VALUE_S(str_c(c->credential.identity.user)),
                                     [DEVICE_HASH] = hash,
                                     [DEVICE_GATEWAY] = gateway,
                                     [DEVICE_CREATED] = VALUE_I(c->now)};
        TRY(records_txn_insert(txn, &records_system_device, row, &c->credential.id));
    }
    return audit_add(txn, &c->audit);
}

static void prepare(struct devices *d, PartyId party, Str thing, bool gateway, struct change *c) {
    thread_lock(&d->lock);
    const struct credential *standing = find_thing(d, party, thing);
    if (standing) c->credential = *standing;
    thread_unlock(&d->lock);
    struct device_identity *identity = &c->credential.identity;
    identity->gateway = gateway;
    if (c->credential.id) return;
    identity->party = party;
    memcpy(identity->thing, thing.ptr, thing.len);
    memcpy(identity->user, "dev-", 4);
    secret_text(identity->user + 4, USER_LETTERS);
}

static void remember(struct devices *d, const struct credential *c) {
    thread_lock(&d->lock);
    struct credential *standing = get(&d->by_user, str_c(c->identity.user));
    if (standing)
        *standing = *c;
    else
        keep(d, c);
    thread_unlock(&d->lock);
}

Err device_add(struct devices *d, const struct principal *by, PartyId party, Str thing, bool gateway,
               char user_out[DEVICE_SECRET_MAX], char password_out[DEVICE_SECRET_MAX]) {
    struct change c = {0};
    TRY(check(by, party, thing));
    thread_lock(&d->changing);
    prepare(d, party, thing, gateway, &c);
    describe(d, &c, by, c.credential.id ? "device.rotate" : "device.create");
    secret_text(password_out, PASSWORD_LETTERS);
    secret_hash(&d->key, str_c(c.credential.identity.user), str_c(password_out), c.credential.hash);
    Err err = records_write(d->records, write_credential, &c);
    if (err.code == ERR_NONE) {
        remember(d, &c.credential);
        snprintf(user_out, DEVICE_SECRET_MAX, "%.60s", c.credential.identity.user);
    } else {
        memset(password_out, 0, DEVICE_SECRET_MAX);
    }
    thread_unlock(&d->changing);
    return err;
}

static Err remove_credential(void *ctx, struct records_txn *txn) {
    struct change *c = ctx;
    struct lens lens = gate_lens_system("device removal");
    struct record_filter this = {.op = RECORD_EQ, .column = RECORD_ID, .value = VALUE_I(c->credential.id)};
    TRY(records_txn_remove(txn, &records_system_device, &lens, &this, NULL));
    return audit_add(txn, &c->audit);
}

static void forget(struct devices *d, PartyId party, Str thing) {
    char key[THING_BYTES_MAX + sizeof(PartyId) + 1];
    thread_lock(&d->lock);
    struct credential *c = find_thing(d, party, thing);
    map_del(&d->by_thing, thing_key(party, thing, key));
    map_del(&d->by_user, str_c(c->identity.user));
    thread_unlock(&d->lock);
    free(c);
}

Err device_remove(struct devices *d, const struct principal *by, PartyId party, Str thing) {
    struct change c = {0};
    TRY(check(by, party, thing));
    thread_lock(&d->changing);
    thread_lock(&d->lock);
    const struct credential *standing = find_thing(d, party, thing);
    if (standing) c.credential = *standing;
    thread_unlock(&d->lock);
    describe(d, &c, by, "device.remove");
    Err err = c.credential.id ? records_write(d->records, remove_credential, &c)
                              : err_make(ERR_NOT_FOUND, "'" STR_FMT "' has no credentials", STR_ARG(thing));
    if (err.code == ERR_NONE) forget(d, party, thing);
    thread_unlock(&d->changing);
    return err;
}

/* ---- checking */

Err device_check(struct devices *d, Str user, Str password, struct device_identity *out) {
    unsigned char hash[SECRET_HASH_BYTES];
    secret_hash(&d->key, user, password, hash);
    thread_lock(&d->lock);
    const struct credential *c = get(&d->by_user, user);
    bool matches = c && secret_same(c->hash, hash);
    if (matches) *out = c->identity;
    thread_unlock(&d->lock);
    if (matches) return err_none();
    return err_make(ERR_UNAUTHENTICATED, "the device's user or password is wrong: rotate it with weft device create");
}
