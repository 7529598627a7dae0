#include "trust/people.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/jw.h"
#include "os/process.h"
#include "trust/password.h"
#include "trust/people_core.h"

#define ADDRESS_FAILURES 30 /* within a minute, from one address: a whole company may sit behind it */

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
    process_random(&p->names.seed, sizeof p->names.seed);
    process_random(&p->addresses.seed, sizeof p->addresses.seed);
    p->addresses.most = ADDRESS_FAILURES;
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

void people_use_seal(struct people *p, struct seal *seal) { p->seal = seal; }

uint64_t people_epoch(struct people *p) { return atomic_load(&p->epoch); }
void people_ended(struct people *p) { atomic_fetch_add(&p->epoch, 1); }

Nanos people_wall(const struct people *p) { return clock_now(records_clock(p->records)); }
Value people_text(Str text) { return text.len > 0 ? VALUE_S(text) : (Value){.kind = VALUE_NONE}; }

/* ---- checks */

Err people_check_name(const char *what, Str name) {
    if (name.len == 0 || name.len > PEOPLE_NAME_MAX)
        return err_make(ERR_INVALID, "a %s name has 1 to %d bytes, not %zu", what, PEOPLE_NAME_MAX, name.len);
    if (!str_is_utf8(name)) return err_make(ERR_INVALID, "the %s name is not UTF-8", what);
    for (size_t i = 0; i < name.len; i++)
        if ((unsigned char)name.ptr[i] < ' ' || name.ptr[i] == 127)
            return err_make(ERR_INVALID, "a %s name has no control characters", what);
    return err_none();
}

Err people_check_staff(const struct principal *by, PartyId party) {
    if (!principal_may(by, ROLE_STAFF))
        return err_make(ERR_FORBIDDEN, "'%s' may not change people: ask an operator or manager", by->name);
    if (by->party != party && !principal_may(by, ROLE_BIT(ROLE_SYSTEM)))
        return err_make(ERR_FORBIDDEN, "'%s' belongs to another party", by->name);
    return err_none();
}

bool people_operates(struct people *p, PartyId party) {
    thread_lock(&p->lock);
    bool operates = p->memory.n_parties == 0 || p->memory.parties[0].id == party;
    thread_unlock(&p->lock);
    return operates;
}

unsigned people_counted(const struct people *p, PartyId party, unsigned roles) {
    bool operates = p->memory.n_parties > 0 && p->memory.parties[0].id == party;
    return operates ? roles : roles & ~ROLE_BIT(ROLE_OPERATOR);
}

Err people_check_grant(struct people *p, const struct principal *by, PartyId party, unsigned roles) {
    if (roles & ROLE_BIT(ROLE_MANAGER) && !principal_may(by, ROLE_BIT(ROLE_MANAGER)))
        return err_make(ERR_FORBIDDEN, "only a manager makes or changes managers");
    if (roles & ROLE_BIT(ROLE_OPERATOR) && !people_operates(p, party))
        return err_make(ERR_FORBIDDEN, "only the party that operates this server has operators: choose another role");
    return err_none();
}

struct audit_row people_note(struct people *p, PartyId party, Str who, const char *action, const char *type,
                             Str target) {
    return (struct audit_row){.at = clock_now(p->clock),
                              .party = party,
                              .who = who,
                              .action = str_c(action),
                              .type = str_c(type),
                              .target = target};
}

Str people_roles_json(unsigned roles, struct buf *out) {
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

bool people_copy(struct people *p, Str name, struct people_account *out) {
    thread_lock(&p->lock);
    const struct people_account *account = people_memory_account(&p->memory, name);
    if (account) *out = *account; /* its name lives as long as people do */
    thread_unlock(&p->lock);
    return account != NULL;
}

unsigned people_roles(struct people *p, PartyId party, Str name) {
    thread_lock(&p->lock);
    const struct people_account *account = people_memory_account(&p->memory, name);
    const struct people_member *member = account ? people_memory_member(account, party) : NULL;
    unsigned roles = member ? people_counted(p, party, member->roles) : 0;
    thread_unlock(&p->lock);
    return roles;
}

bool people_has_user(struct people *p, PartyId party, Str name) {
    thread_lock(&p->lock);
    const struct people_account *account = people_memory_account(&p->memory, name);
    bool has = account && people_memory_member(account, party);
    thread_unlock(&p->lock);
    return has;
}

/* ---- new people */

struct member_adding {
    Value row[MEMBERSHIP_COLUMNS];
    int64_t id, standing; /* standing: of the row that gets other roles; 0 */
    struct audit_row audit;
};

static Err put_member(void *ctx, struct records_txn *txn) {
    struct member_adding *a = ctx;
    a->id = a->standing;
    if (a->standing) {
        TRY(records_txn_update(txn, &records_system_membership, a->standing, (const unsigned[]){MEMBERSHIP_ROLES},
                               &a->row[MEMBERSHIP_ROLES], 1));
    } else {
        TRY(records_txn_insert(txn, &records_system_membership, a->row, &a->id));
    }
    return audit_add(txn, &a->audit);
}

struct user_adding {
    Value row[USER_COLUMNS];
    struct member_adding member;
    int64_t id;
};

static Err add_user(void *ctx, struct records_txn *txn) {
    struct user_adding *a = ctx;
    TRY(records_txn_insert(txn, &records_system_user, a->row, &a->id));
    a->member.row[MEMBERSHIP_USER] = VALUE_I(a->id);
    return put_member(&a->member, txn);
}

Err people_write_user(struct people *p, Str by, struct people_account *account, unsigned roles) {
    struct buf json = {0};
    struct user_adding a = {.member.audit = people_note(p, account->party, by, "user.create", "user", account->name)};
    a.member.audit.after = people_roles_json(roles, &json);
    account->created = a.member.audit.at;
    a.row[RECORD_PARTY] = a.member.row[RECORD_PARTY] = VALUE_I(account->party);
    a.row[USER_NAME] = VALUE_S(account->name);
    a.row[USER_PASSWORD] = people_text(str_c(account->password));
    a.row[USER_ROLES] = a.member.row[MEMBERSHIP_ROLES] = VALUE_I(roles);
    a.row[USER_CREATED] = a.member.row[MEMBERSHIP_CREATED] = VALUE_I(account->created);
    if (account->must_change) a.row[USER_MUST_CHANGE] = VALUE_B(true);
    Err err = records_write(p->records, add_user, &a);
    buf_fini(&json);
    TRY(err);
    account->id = a.id;
    thread_lock(&p->lock);
    people_memory_put_member(people_memory_add_account(&p->memory, account), account->party, a.member.id, roles);
    thread_unlock(&p->lock);
    return err_none();
}

static Err add_user_once(struct people *p, const struct principal *by, struct people_account *account, unsigned roles) {
    struct people_account standing;
    if (people_copy(p, account->name, &standing))
        return err_make(ERR_CONFLICT, "the name '" STR_FMT "' is taken: choose another", STR_ARG(account->name));
    return people_write_user(p, str_c(by->name), account, roles);
}

static Err check_roles(unsigned roles) {
    if (roles == 0 || roles & ~(ROLE_PEOPLE | ROLE_BIT(ROLE_DEVICE)))
        return err_make(ERR_INVALID, "a user needs at least one role, and none of the system's");
    return err_none();
}

Err people_hash_password(struct people *p, Str password, Str name, char out[SECRET_PASSWORD_MAX]) {
    TRY(password_check(password, name));
    thread_lock(&p->signing_in);
    Err err = secret_password_hash(password, out);
    thread_unlock(&p->signing_in);
    return err;
}

Err people_add_user(struct people *p, const struct principal *by, PartyId party, Str name, Str password,
                    unsigned roles) {
    TRY(people_check_staff(by, party));
    TRY(people_check_name("user", name));
    TRY(check_roles(roles));
    TRY(people_check_grant(p, by, party, roles));
    struct people_account account = {.party = party, .name = name};
    if (password.len > 0) TRY(people_hash_password(p, password, name, account.password));
    thread_lock(&p->changing);
    Err err = add_user_once(p, by, &account, roles);
    thread_unlock(&p->changing);
    return err;
}

/* ---- roles */

/* Would the party be left without a manager? Under lock. */
static bool is_last_manager(const struct people *p, const struct people_account *account, PartyId party) {
    const struct people_member *own = people_memory_member(account, party);
    if (!own || !(own->roles & ROLE_BIT(ROLE_MANAGER))) return false;
    for (size_t i = 0; i < p->memory.n_accounts; i++) {
        const struct people_account *other = p->memory.accounts[i];
        const struct people_member *m = other == account ? NULL : people_memory_member(other, party);
        if (m && m->roles & ROLE_BIT(ROLE_MANAGER)) return false;
    }
    return true;
}

/* Under `changing`. What a member loses ends at once. */
Err people_write_member(struct people *p, Str by, struct people_account *account, PartyId party, unsigned roles) {
    struct buf after = {0}, before = {0};
    thread_lock(&p->lock);
    struct people_member *standing = people_memory_member(account, party);
    unsigned was = standing ? standing->roles : 0;
    struct member_adding a = {.standing = standing ? standing->row : 0};
    thread_unlock(&p->lock);
    a.audit = people_note(p, party, by, was ? "user.roles" : "user.join", "user", account->name);
    a.audit.after = people_roles_json(roles, &after);
    if (was) a.audit.before = people_roles_json(was, &before);
    a.row[RECORD_PARTY] = VALUE_I(party);
    a.row[MEMBERSHIP_USER] = VALUE_I(account->id);
    a.row[MEMBERSHIP_ROLES] = VALUE_I(roles);
    a.row[MEMBERSHIP_CREATED] = VALUE_I(a.audit.at);
    Err err = records_write(p->records, put_member, &a);
    buf_fini(&after);
    buf_fini(&before);
    TRY(err);
    thread_lock(&p->lock);
    people_memory_put_member(account, party, a.id, roles);
    thread_unlock(&p->lock);
    people_ended(p);
    return err_none();
}

struct role_dropping {
    int64_t member; /* the row that goes; 0: it stays */
    int64_t user;
    PartyId party;
    unsigned roles; /* whose tokens go */
    struct audit_row audit;
};

static Err remove_tokens(struct records_txn *txn, const struct lens *lens, const struct role_dropping *d,
                         int64_t role) {
    struct record_filter parts[] = {{.op = RECORD_EQ, .column = TOKEN_USER, .value = VALUE_I(d->user)},
                                    {.op = RECORD_EQ, .column = TOKEN_ROLE, .value = VALUE_I(role)}};
    struct record_filter both = {.op = RECORD_AND, .parts = parts, .n_parts = 2};
    return records_txn_remove(txn, &records_system_token, lens, &both, NULL);
}

static Err drop_roles(void *ctx, struct records_txn *txn) {
    struct role_dropping *d = ctx;
    struct lens lens = gate_lens_party(d->party, "membership");
    for (int role = 0; role < ROLE_SYSTEM; role++)
        if (d->roles & ROLE_BIT(role)) TRY(remove_tokens(txn, &lens, d, role));
    if (!d->member) return err_none();
    struct record_filter row = {.op = RECORD_EQ, .column = RECORD_ID, .value = VALUE_I(d->member)};
    struct record_filter of_user = {.op = RECORD_EQ, .column = SESSION_USER, .value = VALUE_I(d->user)};
    TRY(records_txn_remove(txn, &records_system_membership, &lens, &row, NULL));
    TRY(records_txn_remove(txn, &records_system_session, &lens, &of_user, NULL));
    return audit_add(txn, &d->audit);
}

/* Under `changing`: tokens with these roles go, and with `member` the membership and its sessions. */
static Err write_dropping(struct people *p, struct people_account *account, struct role_dropping *d) {
    TRY(records_write(p->records, drop_roles, d));
    thread_lock(&p->lock);
    people_memory_drop_bearers(&p->memory, account, d->party, d->roles);
    if (d->member) {
        people_memory_drop_member(account, d->party);
        people_memory_drop_sittings(&p->memory, account, d->party, 0);
    }
    thread_unlock(&p->lock);
    people_ended(p);
    return err_none();
}

static Err no_member(Str name) {
    return err_make(ERR_NOT_FOUND, "'" STR_FMT "' is no member: invite him first", STR_ARG(str_slice(name, 0, 60)));
}

/* The standing member, and whether `by` may leave it with only `roles`. Under `changing`. */
static Err find_member(struct people *p, const struct principal *by, PartyId party, Str name, unsigned roles,
                       struct people_account **account, struct people_member *member) {
    thread_lock(&p->lock);
    *account = people_memory_account(&p->memory, name);
    const struct people_member *found = *account ? people_memory_member(*account, party) : NULL;
    if (found) *member = *found;
    bool last = found && !(roles & ROLE_BIT(ROLE_MANAGER)) && is_last_manager(p, *account, party);
    thread_unlock(&p->lock);
    if (!found) return no_member(name);
    TRY(people_check_grant(p, by, party, member->roles & ROLE_BIT(ROLE_MANAGER)));
    if (last) return err_make(ERR_STATE, "'" STR_FMT "' is the last manager: make another one first", STR_ARG(name));
    return err_none();
}

static Err change_roles(struct people *p, const struct principal *by, PartyId party, Str name, unsigned roles) {
    struct people_account *account;
    struct people_member member;
    TRY(find_member(p, by, party, name, roles, &account, &member));
    TRY(people_write_member(p, str_c(by->name), account, party, roles));
    struct role_dropping d = {.user = account->id, .party = party, .roles = member.roles & ~roles};
    return write_dropping(p, account, &d);
}

Err people_set_roles(struct people *p, const struct principal *by, PartyId party, Str name, unsigned roles) {
    TRY(people_check_staff(by, party));
    TRY(check_roles(roles));
    TRY(people_check_grant(p, by, party, roles));
    thread_lock(&p->changing);
    Err err = change_roles(p, by, party, name, roles);
    thread_unlock(&p->changing);
    return err;
}

static Err remove_member(struct people *p, const struct principal *by, PartyId party, Str name) {
    struct people_account *account;
    struct people_member member;
    TRY(find_member(p, by, party, name, 0, &account, &member));
    struct role_dropping d = {.member = member.row,
                              .user = account->id,
                              .party = party,
                              .roles = ~0u,
                              .audit = people_note(p, party, str_c(by->name), "user.remove", "user", account->name)};
    return write_dropping(p, account, &d);
}

Err people_remove(struct people *p, const struct principal *by, PartyId party, Str name) {
    TRY(people_check_staff(by, party));
    thread_lock(&p->changing);
    Err err = remove_member(p, by, party, name);
    thread_unlock(&p->changing);
    return err;
}

/* ---- passwords */

struct password_setting {
    int64_t user, keep;
    Value values[2];
    struct audit_row audit;
};

/* A new password ends the user's sessions, but for the one it was changed in. */
static Err set_password(void *ctx, struct records_txn *txn) {
    struct password_setting *s = ctx;
    struct lens lens = gate_lens_system("password");
    struct record_filter parts[] = {{.op = RECORD_EQ, .column = SESSION_USER, .value = VALUE_I(s->user)},
                                    {.op = RECORD_NE, .column = RECORD_ID, .value = VALUE_I(s->keep)}};
    struct record_filter others = {.op = RECORD_AND, .parts = parts, .n_parts = 2};
    TRY(records_txn_update(txn, &records_system_user, s->user, (const unsigned[]){USER_PASSWORD, USER_MUST_CHANGE},
                           s->values, 2));
    TRY(records_txn_remove(txn, &records_system_session, &lens, &others, NULL));
    return audit_add(txn, &s->audit);
}

Err people_write_password(struct people *p, Str by, struct people_account *account, const char *hash, bool must_change,
                          int64_t keep_session) {
    struct password_setting s = {.user = account->id,
                                 .keep = keep_session,
                                 .values = {VALUE_S(str_c(hash)), VALUE_B(must_change)},
                                 .audit = people_note(p, account->party, by, "user.password", "user", account->name)};
    TRY(records_write(p->records, set_password, &s));
    thread_lock(&p->lock);
    memcpy(account->password, hash, sizeof account->password);
    account->must_change = must_change;
    people_memory_drop_sittings(&p->memory, account, 0, keep_session);
    thread_unlock(&p->lock);
    people_ended(p);
    return err_none();
}

/* A manager of one party must not become somebody in another by giving him a password. */
static Err check_password_right(struct people *p, const struct principal *by, PartyId party, Str name,
                                struct people_account **account) {
    thread_lock(&p->lock);
    *account = people_memory_account(&p->memory, name);
    const struct people_member *member = *account ? people_memory_member(*account, party) : NULL;
    bool own = *account && member && by->user == (*account)->id;
    bool elsewhere = *account && (*account)->n_members > 1;
    unsigned roles = member ? member->roles : 0;
    thread_unlock(&p->lock);
    if (!own) TRY(people_check_staff(by, party)); /* one's own is everybody's right */
    if (!member) return err_make(ERR_NOT_FOUND, "no user '" STR_FMT "'", STR_ARG(str_slice(name, 0, 60)));
    if (own || principal_may(by, ROLE_BIT(ROLE_SYSTEM))) return err_none();
    if (elsewhere)
        return err_make(ERR_FORBIDDEN, "'" STR_FMT "' belongs to other parties too: only he changes his password",
                        STR_ARG(name));
    return people_check_grant(p, by, party, roles & ROLE_BIT(ROLE_MANAGER));
}

static Err change_password(struct people *p, const struct principal *by, PartyId party, Str name, Str password,
                           bool must_change) {
    struct people_account *account;
    char hash[SECRET_PASSWORD_MAX] = "";
    TRY(check_password_right(p, by, party, name, &account));
    TRY(people_hash_password(p, password, name, hash));
    thread_lock(&p->changing);
    Err err = people_write_password(p, str_c(by->name), account, hash, must_change, 0);
    thread_unlock(&p->changing);
    return err;
}

Err people_set_password(struct people *p, const struct principal *by, PartyId party, Str name, Str password) {
    return change_password(p, by, party, name, password, false);
}

Err people_set_password_once(struct people *p, const struct principal *by, PartyId party, Str name, Str password) {
    return change_password(p, by, party, name, password, true);
}

/* ---- lists */

/* Some parties' names, for an error: "'a', 'b'". */
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

Err people_users(struct people *p, PartyId party, struct arena *arena, struct people_user **out, size_t *n) {
    thread_lock(&p->lock);
    const struct people_memory *m = &p->memory;
    *out = arena_zero(arena, m->n_accounts, sizeof **out);
    *n = 0;
    for (size_t i = 0; i < m->n_accounts; i++) {
        const struct people_account *a = m->accounts[i];
        const struct people_member *member = people_memory_member(a, party);
        if (!member) continue;
        (*out)[(*n)++] = (struct people_user){.id = a->id,
                                              .name = arena_str(arena, a->name),
                                              .roles = people_counted(p, party, member->roles),
                                              .created = a->created,
                                              .seen = a->seen,
                                              .second_factor = a->factor[0] != '\0',
                                              .password = a->password[0] != '\0'};
    }
    thread_unlock(&p->lock);
    return err_none();
}

Err people_seats(struct people *p, int64_t user, struct arena *arena, struct people_seat **out, size_t *n) {
    thread_lock(&p->lock);
    const struct people_account *a = people_memory_account_of(&p->memory, user);
    *n = 0;
    *out = arena_zero(arena, a ? a->n_members : 0, sizeof **out);
    for (size_t i = 0; a && i < a->n_members; i++) {
        const struct people_party *party = people_memory_party(&p->memory, a->members[i].party);
        if (!party) continue;
        (*out)[(*n)++] = (struct people_seat){party->id, arena_str(arena, party->name),
                                              people_counted(p, party->id, a->members[i].roles)};
    }
    thread_unlock(&p->lock);
    return err_none();
}
