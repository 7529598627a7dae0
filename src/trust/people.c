/*
 * Everything is read once at opening and answered from memory. Changes are made one at a time (`changing`): first in
 * the records, then, once committed, in memory (`lock`), so both always tell the same.
 *
 * Sessions survive a restart, as keyed hashes: an upgrade should not throw everybody out. When a session was last seen
 * is written at most every ten minutes, so a restart may forget that much.
 *
 * Lock order: signing_in, changing, lock; lock is never held over a call that waits.
 */
#include "trust/people.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/jw.h"
#include "os/process.h"
#include "os/thread.h"
#include "store/records_system.h"
#include "store/records_txn.h"
#include "trust/attempts.h"
#include "trust/audit.h"
#include "trust/gate.h"
#include "trust/people_memory.h"

#define IDLE_MAX (12 * NANOS_PER_HOUR)
#define SEEN_EVERY (10 * NANOS_PER_MIN)
#define SECRET_LETTERS 52 /* of five bits: 260 random bits */
#define NAME_BYTES_MAX 56 /* with "token:" before it fits principal.name */
#define SIGNING_IN_MAX 16 /* waiting for their turn at argon2id */

struct people {
    struct records *records;
    const struct clock *clock;
    struct secret_key key;
    pthread_mutex_t signing_in; /* one argon2id at a time: each takes 64 MiB */
    pthread_mutex_t changing;
    pthread_mutex_t lock; /* all below */
    struct people_memory memory;
    struct attempts attempts;
    unsigned n_signing_in;
    char nobody[SECRET_PASSWORD_MAX]; /* what an unknown name's password is held against */
};

/* ---- opening */

Err people_open(struct records *records, const struct clock *clock, struct people **out) {
    struct people *p = calloc(1, sizeof *p);
    ASSERT(p);
    p->records = records;
    p->clock = clock;
    thread_mutex_init(&p->signing_in);
    thread_mutex_init(&p->changing);
    thread_mutex_init(&p->lock);
    people_memory_init(&p->memory);
    process_random(&p->attempts.seed, sizeof p->attempts.seed);
    bool make = !records_read_only(records);
    Err err = secret_load(records_dir(records), make, &p->key);
    if (err.code == ERR_NOT_FOUND && !make) err = err_none(); /* then no token will match */
    if (err.code == ERR_NONE) err = records_read(records, people_memory_load, &p->memory);
    if (err.code == ERR_NONE)
        *out = p;
    else
        people_close(p);
    return err;
}

void people_close(struct people *p) {
    if (!p) return;
    people_memory_fini(&p->memory);
    thread_mutex_fini(&p->signing_in);
    thread_mutex_fini(&p->changing);
    thread_mutex_fini(&p->lock);
    free(p);
}

/* ---- checks */

static Err check_name(const char *what, Str name) {
    if (name.len == 0 || name.len > NAME_BYTES_MAX)
        return err_make(ERR_INVALID, "a %s name has 1 to %d bytes, not %zu", what, NAME_BYTES_MAX, name.len);
    if (!str_is_utf8(name)) return err_make(ERR_INVALID, "the %s name is not UTF-8", what);
    for (size_t i = 0; i < name.len; i++)
        if ((unsigned char)name.ptr[i] < ' ' || name.ptr[i] == 127)
            return err_make(ERR_INVALID, "a %s name has no control characters", what);
    return err_none();
}

static Err check_staff(const struct principal *by, PartyId party) {
    if (!principal_may(by, ROLE_STAFF))
        return err_make(ERR_FORBIDDEN, "'%s' may not change people: ask an operator or manager", by->name);
    if (by->party != party && !principal_may(by, ROLE_BIT(ROLE_SYSTEM)))
        return err_make(ERR_FORBIDDEN, "'%s' belongs to another party", by->name);
    return err_none();
}

static struct audit_row note(struct people *p, PartyId party, Str who, const char *action, const char *type,
                             Str target) {
    return (struct audit_row){.at = clock_now(p->clock),
                              .party = party,
                              .who = who,
                              .action = str_c(action),
                              .type = str_c(type),
                              .target = target};
}

/* ---- parties */

struct party_adding {
    Value row[PARTY_COLUMNS];
    struct audit_row audit;
    int64_t id;
};

static Err add_party(void *ctx, struct records_txn *txn) {
    struct party_adding *a = ctx;
    TRY(records_txn_insert(txn, &records_system_party, a->row, &a->id));
    a->audit.party = (PartyId)a->id;
    return audit_add(txn, &a->audit);
}

static PartyId party_named(struct people *p, Str name) {
    thread_lock(&p->lock);
    const struct people_party *party = people_memory_party_named(&p->memory, name);
    PartyId id = party ? party->id : 0;
    thread_unlock(&p->lock);
    return id;
}

static Err make_party(struct people *p, Str name, PartyId *out) {
    *out = party_named(p, name);
    if (*out) return err_none();
    struct party_adding a = {.audit = note(p, 0, STR("system:people"), "party.create", "party", name)};
    a.row[RECORD_PARTY] = VALUE_I(0);
    a.row[PARTY_NAME] = VALUE_S(name);
    a.row[PARTY_CREATED] = VALUE_I(a.audit.at);
    TRY(records_write(p->records, add_party, &a));
    *out = (PartyId)a.id;
    thread_lock(&p->lock);
    people_memory_add_party(&p->memory, *out, name);
    thread_unlock(&p->lock);
    return err_none();
}

Err people_party(struct people *p, Str name, PartyId *out) {
    TRY(check_name("party", name));
    thread_lock(&p->changing);
    Err err = make_party(p, name, out);
    thread_unlock(&p->changing);
    return err;
}

/* Every party's name, for an error: "'a', 'b'". */
static void list_parties(const struct people_memory *m, char *out, size_t size) {
    size_t len = 0;
    out[0] = 0;
    for (size_t i = 0; m->parties && i < m->n_parties && len < size; i++) {
        int n = snprintf(out + len, size - len, "%s'" STR_FMT "'", i ? ", " : "", STR_ARG(m->parties[i].name));
        if (n > 0) len += (size_t)n;
    }
}

Err people_find_party(struct people *p, Str name, PartyId *out) {
    char names[160];
    *out = 0;
    thread_lock(&p->lock);
    const struct people_memory *m = &p->memory;
    const struct people_party *found = name.len > 0        ? people_memory_party_named(m, name)
                                       : m->n_parties == 1 ? &m->parties[0]
                                                           : NULL;
    if (found) *out = found->id;
    list_parties(m, names, sizeof names);
    bool none = m->n_parties == 0;
    thread_unlock(&p->lock);
    if (*out) return err_none();
    if (none) return err_make(ERR_NOT_FOUND, "there is no party yet: start the server once, or create one");
    if (name.len == 0) return err_make(ERR_INVALID, "which party? name one of %s", names);
    return err_make(ERR_NOT_FOUND, "no party '" STR_FMT "': there is %s", STR_ARG(str_slice(name, 0, 60)), names);
}

Err people_party_name(struct people *p, PartyId id, struct arena *arena, Str *out) {
    *out = (Str){0};
    thread_lock(&p->lock);
    const struct people_party *party = people_memory_party(&p->memory, id);
    if (party) *out = arena_str(arena, party->name);
    thread_unlock(&p->lock);
    return party ? err_none() : err_make(ERR_NOT_FOUND, "no party %u", id);
}

/* ---- users */

struct user_adding {
    Value row[USER_COLUMNS];
    struct audit_row audit;
    int64_t id;
};

static Str roles_json(unsigned roles, struct buf *out) {
    struct jw w;
    jw_init(&w, out);
    jw_object(&w);
    jw_key(&w, "roles");
    jw_array(&w);
    for (int role = 0; role < ROLE_SYSTEM; role++)
        if (roles & ROLE_BIT(role)) jw_c(&w, principal_role_name((enum role)role));
    jw_array_end(&w);
    jw_object_end(&w);
    return buf_view(out);
}

static Err add_user(void *ctx, struct records_txn *txn) {
    struct user_adding *a = ctx;
    TRY(records_txn_insert(txn, &records_system_user, a->row, &a->id));
    return audit_add(txn, &a->audit);
}

/* Under `changing`. account: party, name, roles and password are given. */
static Err write_user(struct people *p, const struct principal *by, struct people_account *account) {
    struct buf json = {0};
    struct user_adding a = {.audit = note(p, account->party, str_c(by->name), "user.create", "user", account->name)};
    a.audit.after = roles_json(account->roles, &json);
    account->created = a.audit.at;
    a.row[RECORD_PARTY] = VALUE_I(account->party);
    a.row[USER_NAME] = VALUE_S(account->name);
    if (account->password[0]) a.row[USER_PASSWORD] = VALUE_S(str_c(account->password));
    a.row[USER_ROLES] = VALUE_I(account->roles);
    a.row[USER_CREATED] = VALUE_I(account->created);
    Err err = records_write(p->records, add_user, &a);
    buf_fini(&json);
    TRY(err);
    account->id = a.id;
    thread_lock(&p->lock);
    people_memory_add_account(&p->memory, account);
    thread_unlock(&p->lock);
    return err_none();
}

static bool copy_account(struct people *p, Str name, struct people_account *out) {
    thread_lock(&p->lock);
    const struct people_account *account = people_memory_account(&p->memory, name);
    if (account) *out = *account; /* its name lives as long as people do */
    thread_unlock(&p->lock);
    return account != NULL;
}

static Err add_user_once(struct people *p, const struct principal *by, struct people_account *account) {
    struct people_account standing;
    if (copy_account(p, account->name, &standing))
        return err_make(ERR_CONFLICT, "the name '" STR_FMT "' is taken: choose another", STR_ARG(account->name));
    return write_user(p, by, account);
}

static Err hash_password(struct people *p, Str password, char out[SECRET_PASSWORD_MAX]) {
    thread_lock(&p->signing_in);
    Err err = secret_password_hash(password, out);
    thread_unlock(&p->signing_in);
    return err;
}

Err people_add_user(struct people *p, const struct principal *by, PartyId party, Str name, Str password,
                    unsigned roles) {
    TRY(check_staff(by, party));
    TRY(check_name("user", name));
    if (roles == 0 || roles & ~(ROLE_PEOPLE | ROLE_BIT(ROLE_DEVICE)))
        return err_make(ERR_INVALID, "a user needs at least one role, and none of the system's");
    struct people_account account = {.party = party, .name = name, .roles = roles};
    if (password.len > 0) TRY(hash_password(p, password, account.password));
    thread_lock(&p->changing);
    Err err = add_user_once(p, by, &account);
    thread_unlock(&p->changing);
    return err;
}

struct password_setting {
    int64_t user;
    Str password;
    struct audit_row audit;
};

/* A new password ends the user's sessions. */
static Err set_password(void *ctx, struct records_txn *txn) {
    struct password_setting *s = ctx;
    struct lens lens = gate_lens_system("password");
    struct record_filter mine = {.op = RECORD_EQ, .column = SESSION_USER, .value = VALUE_I(s->user)};
    Value value = VALUE_S(s->password);
    TRY(records_txn_update(txn, &records_system_user, s->user, (const unsigned[]){USER_PASSWORD}, &value, 1));
    TRY(records_txn_remove(txn, &records_system_session, &lens, &mine, NULL));
    return audit_add(txn, &s->audit);
}

Err people_set_password(struct people *p, const struct principal *by, PartyId party, Str name, Str password) {
    struct people_account account;
    char hash[SECRET_PASSWORD_MAX];
    bool known = copy_account(p, name, &account) && account.party == party;
    if (!known || by->user != account.id) TRY(check_staff(by, party)); /* one's own is everybody's right */
    if (!known) return err_make(ERR_NOT_FOUND, "no user '" STR_FMT "'", STR_ARG(str_slice(name, 0, 60)));
    TRY(hash_password(p, password, hash));
    thread_lock(&p->changing);
    struct password_setting s = {.user = account.id,
                                 .password = str_c(hash),
                                 .audit = note(p, party, str_c(by->name), "user.password", "user", name)};
    Err err = records_write(p->records, set_password, &s);
    if (err.code == ERR_NONE) {
        thread_lock(&p->lock);
        struct people_account *kept = people_memory_account(&p->memory, name);
        memcpy(kept->password, hash, sizeof hash);
        people_memory_drop_sittings(&p->memory, INT64_MIN, kept);
        thread_unlock(&p->lock);
    }
    thread_unlock(&p->changing);
    return err;
}

bool people_has_user(struct people *p, PartyId party, Str name) {
    struct people_account account;
    return copy_account(p, name, &account) && account.party == party;
}

Err people_users(struct people *p, PartyId party, struct arena *arena, struct people_user **out, size_t *n) {
    thread_lock(&p->lock);
    const struct people_memory *m = &p->memory;
    *out = arena_zero(arena, m->n_accounts, sizeof **out);
    *n = 0;
    for (size_t i = 0; i < m->n_accounts; i++) {
        const struct people_account *a = m->accounts[i];
        if (a->party != party) continue;
        (*out)[(*n)++] = (struct people_user){
            .id = a->id, .name = arena_str(arena, a->name), .roles = a->roles, .created = a->created};
    }
    thread_unlock(&p->lock);
    return err_none();
}

/* ---- sessions; their age is told by the records' clock, which is never a recording's */

static Nanos wall(const struct people *p) { return clock_now(records_clock(p->records)); }

struct session_adding {
    Value row[SESSION_COLUMNS];
    Nanos expired_before;
    struct audit_row audit;
    int64_t id;
};

static Err add_session(void *ctx, struct records_txn *txn) {
    struct session_adding *a = ctx;
    struct lens lens = gate_lens_system("sessions");
    struct record_filter old = {.op = RECORD_LT, .column = SESSION_SEEN, .value = VALUE_I(a->expired_before)};
    TRY(records_txn_remove(txn, &records_system_session, &lens, &old, NULL));
    TRY(records_txn_insert(txn, &records_system_session, a->row, &a->id));
    return audit_add(txn, &a->audit);
}

static Err start_session(struct people *p, const struct people_account *account, char out[PEOPLE_SECRET_MAX]) {
    struct people_sitting sitting = {.seen = wall(p)};
    secret_text(out, SECRET_LETTERS);
    secret_hash(&p->key, STR("session"), str_c(out), sitting.hash);
    sitting.saved = sitting.seen;
    struct session_adding a = {.expired_before = sitting.seen - IDLE_MAX,
                               .audit =
                                   note(p, account->party, account->name, "session.create", "user", account->name)};
    a.row[RECORD_PARTY] = VALUE_I(account->party);
    a.row[SESSION_USER] = VALUE_I(account->id);
    a.row[SESSION_HASH] = VALUE_S(str_n((const char *)sitting.hash, sizeof sitting.hash));
    a.row[SESSION_CREATED] = VALUE_I(sitting.seen);
    a.row[SESSION_SEEN] = VALUE_I(sitting.seen);
    thread_lock(&p->changing);
    struct people_account now;
    bool stands = copy_account(p, account->name, &now) && strcmp(now.password, account->password) == 0;
    Err err = stands ? records_write(p->records, add_session, &a)
                     : err_make(ERR_UNAUTHENTICATED, "the password was changed meanwhile");
    if (err.code == ERR_NONE) {
        sitting.id = a.id;
        thread_lock(&p->lock);
        people_memory_drop_sittings(&p->memory, a.expired_before, NULL);
        sitting.account = people_memory_account(&p->memory, account->name);
        people_memory_add_sitting(&p->memory, &sitting);
        thread_unlock(&p->lock);
    }
    thread_unlock(&p->changing);
    return err;
}

static void describe(const struct people_account *account, unsigned roles, const char *prefix, struct principal *out) {
    *out = (struct principal){.party = account->party, .user = account->id, .roles = roles};
    snprintf(out->name, sizeof out->name, "%s" STR_FMT, prefix, STR_ARG(account->name));
}

/* One at a time, and only so many waiting; the work is the same whether the name is known or not. */
static Err verify(struct people *p, const char *hash, Str password, bool *matches) {
    thread_lock(&p->lock);
    bool full = p->n_signing_in >= SIGNING_IN_MAX;
    if (!full) p->n_signing_in++;
    thread_unlock(&p->lock);
    if (full) return err_make(ERR_BUSY, "too many are signing in: try again in a few seconds");
    Err err = err_none();
    thread_lock(&p->signing_in);
    if (!p->nobody[0]) err = secret_password_hash(STR("nobody has this password"), p->nobody);
    if (err.code == ERR_NONE) *matches = secret_password_matches(hash[0] ? hash : p->nobody, password) && hash[0];
    thread_unlock(&p->signing_in);
    thread_lock(&p->lock);
    p->n_signing_in--;
    thread_unlock(&p->lock);
    return err;
}

Err people_sign_in(struct people *p, Str name, Str password, struct principal *out,
                   char session_out[PEOPLE_SECRET_MAX]) {
    struct people_account account = {0};
    bool matches = false;
    thread_lock(&p->lock);
    bool exceeded = attempts_exceeded(&p->attempts, name, wall(p));
    thread_unlock(&p->lock);
    if (exceeded) return err_make(ERR_LIMIT, "too many wrong passwords: wait a minute, then try again");
    bool known = copy_account(p, name, &account);
    TRY(verify(p, known ? account.password : "", password, &matches));
    thread_lock(&p->lock);
    if (matches)
        attempts_forget(&p->attempts, name);
    else
        attempts_failed(&p->attempts, name, wall(p));
    thread_unlock(&p->lock);
    if (!matches) return err_make(ERR_UNAUTHENTICATED, "the name or the password is wrong");
    TRY(start_session(p, &account, session_out));
    describe(&account, account.roles, "", out);
    return err_none();
}

/* Writes when a session was last seen; nobody waits for it. */
struct seen_writing {
    struct records_job job;
    int64_t id;
    Nanos seen;
};

static Err write_seen(void *ctx, struct records_txn *txn) {
    struct seen_writing *s = ctx;
    Value seen = VALUE_I(s->seen);
    Err err = records_txn_update(txn, &records_system_session, s->id, (const unsigned[]){SESSION_SEEN}, &seen, 1);
    return err.code == ERR_NOT_FOUND ? err_none() : err; /* signed out meanwhile */
}

static void seen_written(struct records_job *job, Err err) {
    (void)err; /* the session only looks older after a restart */
    free(job->ctx);
}

static void note_seen(struct people *p, int64_t id, Nanos seen) {
    struct seen_writing *s = calloc(1, sizeof *s);
    ASSERT(s);
    *s = (struct seen_writing){.job = {.fn = write_seen, .ctx = s, .done = seen_written}, .id = id, .seen = seen};
    records_submit(p->records, &s->job);
}

Err people_session(struct people *p, Str session, struct principal *out) {
    unsigned char hash[SECRET_HASH_BYTES];
    Nanos now = wall(p);
    int64_t write_id = 0;
    secret_hash(&p->key, STR("session"), session, hash);
    thread_lock(&p->lock);
    struct people_sitting *sitting = people_memory_sitting(&p->memory, hash);
    bool valid = sitting && now - sitting->seen <= IDLE_MAX;
    if (valid) {
        sitting->seen = now;
        if (now - sitting->saved >= SEEN_EVERY) {
            sitting->saved = now;
            write_id = sitting->id;
        }
        describe(sitting->account, sitting->account->roles, "", out);
    }
    thread_unlock(&p->lock);
    if (!valid) return err_make(ERR_UNAUTHENTICATED, "the session is over: sign in again");
    if (write_id) note_seen(p, write_id, now);
    return err_none();
}

static Err remove_session(void *ctx, struct records_txn *txn) {
    const int64_t *id = ctx;
    struct lens lens = gate_lens_system("sign-out");
    struct record_filter this = {.op = RECORD_EQ, .column = RECORD_ID, .value = VALUE_I(*id)};
    return records_txn_remove(txn, &records_system_session, &lens, &this, NULL);
}

void people_sign_out(struct people *p, Str session) {
    unsigned char hash[SECRET_HASH_BYTES];
    int64_t id = 0;
    secret_hash(&p->key, STR("session"), session, hash);
    thread_lock(&p->changing);
    thread_lock(&p->lock);
    struct people_sitting *sitting = people_memory_sitting(&p->memory, hash);
    if (sitting) {
        id = sitting->id;
        people_memory_drop_sitting(&p->memory, sitting);
    }
    thread_unlock(&p->lock);
    if (id) records_write(p->records, remove_session, &id);
    thread_unlock(&p->changing);
}

/* ---- tokens */

struct token_adding {
    Value row[TOKEN_COLUMNS];
    struct audit_row audit;
};

static Err add_token(void *ctx, struct records_txn *txn) {
    struct token_adding *a = ctx;
    int64_t id;
    TRY(records_txn_insert(txn, &records_system_token, a->row, &id));
    return audit_add(txn, &a->audit);
}

static Err write_token(struct people *p, const struct principal *by, const struct people_account *account,
                       enum role role, Str hash) {
    struct buf json = {0};
    struct token_adding a = {.audit = note(p, account->party, str_c(by->name), "token.create", "user", account->name)};
    a.audit.after = roles_json(ROLE_BIT(role), &json);
    a.row[RECORD_PARTY] = VALUE_I(account->party);
    a.row[TOKEN_USER] = VALUE_I(account->id);
    a.row[TOKEN_HASH] = VALUE_S(hash);
    a.row[TOKEN_ROLE] = VALUE_I(role);
    a.row[TOKEN_CREATED] = VALUE_I(a.audit.at);
    Err err = records_write(p->records, add_token, &a);
    buf_fini(&json);
    TRY(err);
    thread_lock(&p->lock);
    people_memory_add_bearer(&p->memory, hash, people_memory_account(&p->memory, account->name), role);
    thread_unlock(&p->lock);
    return err_none();
}

static Err make_token(struct people *p, const struct principal *by, PartyId party, Str user, enum role role, Str hash) {
    struct people_account account = {.party = party, .name = user, .roles = ROLE_BIT(role)};
    if (!copy_account(p, user, &account)) TRY(write_user(p, by, &account));
    if (account.party != party)
        return err_make(ERR_CONFLICT, "the name '" STR_FMT "' is taken: choose another", STR_ARG(user));
    return write_token(p, by, &account, role, hash);
}

Err people_token(struct people *p, const struct principal *by, PartyId party, Str user, enum role role,
                 char out[PEOPLE_SECRET_MAX]) {
    unsigned char hash[SECRET_HASH_BYTES];
    TRY(check_staff(by, party));
    TRY(check_name("user", user));
    if (role >= ROLE_SYSTEM) return err_make(ERR_INVALID, "a token cannot have the system's role");
    memcpy(out, "weft_", 5);
    secret_text(out + 5, SECRET_LETTERS);
    secret_hash(&p->key, STR("token"), str_c(out), hash);
    thread_lock(&p->changing);
    Err err = make_token(p, by, party, user, role, str_n((const char *)hash, sizeof hash));
    thread_unlock(&p->changing);
    if (err.code != ERR_NONE) memset(out, 0, PEOPLE_SECRET_MAX);
    return err;
}

Err people_bearer(struct people *p, Str token, struct principal *out) {
    unsigned char hash[SECRET_HASH_BYTES];
    secret_hash(&p->key, STR("token"), token, hash);
    thread_lock(&p->lock);
    const struct people_bearer *bearer = people_memory_bearer(&p->memory, hash);
    if (bearer) describe(bearer->account, ROLE_BIT(bearer->role), "token:", out);
    thread_unlock(&p->lock);
    if (!bearer) return err_make(ERR_UNAUTHENTICATED, "this token is not known: make one with weft token create");
    return err_none();
}
