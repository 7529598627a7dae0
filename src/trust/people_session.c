#include "trust/people_session.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "trust/password.h"
#include "trust/people_core.h"

#define IDLE_MAX (12 * NANOS_PER_HOUR)
#define SEEN_EVERY (10 * NANOS_PER_MIN)
#define SIGNING_IN_MAX 16 /* waiting for their turn at argon2id */

/* ---- opening one */

struct session_adding {
    Value row[SESSION_COLUMNS];
    Nanos idle_before;
    struct audit_row audit;
    int64_t id, replaces;
};

static Err add_session(void *ctx, struct records_txn *txn) {
    struct session_adding *a = ctx;
    struct lens lens = gate_lens_system("sessions");
    struct record_filter parts[] = {{.op = RECORD_LT, .column = SESSION_SEEN, .value = VALUE_I(a->idle_before)},
                                    {.op = RECORD_EQ, .column = RECORD_ID, .value = VALUE_I(a->replaces)}};
    struct record_filter gone = {.op = RECORD_OR, .parts = parts, .n_parts = 2};
    TRY(records_txn_remove(txn, &records_system_session, &lens, &gone, NULL));
    TRY(records_txn_insert(txn, &records_system_session, a->row, &a->id));
    return audit_add(txn, &a->audit);
}

static struct people_sitting new_sitting(struct people *p, struct people_account *account,
                                         const struct people_opening *o, const char *secret) {
    struct people_sitting s = {.account = account,
                               .party = o->party ? o->party : account->party,
                               .seen = people_wall(p),
                               .until = o->until,
                               .outside = o->outside,
                               .roles = o->roles};
    s.saved = s.seen;
    secret_hash(&p->key, STR("session"), str_c(secret), s.hash);
    snprintf(s.scopes, sizeof s.scopes, STR_FMT, STR_ARG(o->scopes));
    snprintf(s.label, sizeof s.label, STR_FMT, STR_ARG(o->label));
    return s;
}

static Err write_sitting(struct people *p, struct people_sitting *s, int64_t replaces, const char *action) {
    struct session_adding a = {.idle_before = s->seen - IDLE_MAX,
                               .replaces = replaces,
                               .audit = people_note(p, s->party, s->label[0] ? str_c(s->label) : s->account->name,
                                                    action, "user", s->account->name)};
    a.row[RECORD_PARTY] = VALUE_I(s->party);
    a.row[SESSION_USER] = VALUE_I(s->account->id);
    a.row[SESSION_HASH] = VALUE_S(str_n((const char *)s->hash, sizeof s->hash));
    a.row[SESSION_CREATED] = VALUE_I(s->seen);
    a.row[SESSION_SEEN] = VALUE_I(s->seen);
    if (s->roles) a.row[SESSION_ROLES] = VALUE_I(s->roles);
    a.row[SESSION_SCOPES] = people_text(str_c(s->scopes));
    if (s->until) a.row[SESSION_UNTIL] = VALUE_I(s->until);
    a.row[SESSION_LABEL] = people_text(str_c(s->label));
    if (s->outside) a.row[SESSION_OUTSIDE] = VALUE_B(true);
    TRY(records_write(p->records, add_session, &a));
    s->id = a.id;
    thread_lock(&p->lock);
    people_memory_drop_idle(&p->memory, a.idle_before);
    s->account->seen = s->seen;
    people_memory_add_sitting(&p->memory, s);
    thread_unlock(&p->lock);
    return err_none();
}

Err people_session_write(struct people *p, struct people_account *account, const struct people_opening *o,
                         char out[PEOPLE_SECRET_MAX]) {
    secret_text(out, PEOPLE_SECRET_LETTERS);
    struct people_sitting sitting = new_sitting(p, account, o, out);
    return write_sitting(p, &sitting, 0, "session.create");
}

/* ---- who it is */

static enum people_need need_of(const struct people *p, const struct people_sitting *s, unsigned roles) {
    const struct people_party *party = people_memory_party(&p->memory, s->party);
    if (s->label[0]) return PEOPLE_NEEDS_NOTHING;
    if (s->account->must_change && !s->outside) return PEOPLE_NEEDS_PASSWORD;
    bool asked = party && (party->factor_roles & roles) != 0;
    return asked && !s->outside && !s->account->factor[0] ? PEOPLE_NEEDS_FACTOR : PEOPLE_NEEDS_NOTHING;
}

/* A worker link acts for nobody in particular: user 0, so that nothing of a person's own is in its reach. */
void people_session_describe(const struct people *p, const struct people_sitting *s, struct principal *out) {
    const struct people_member *member = people_memory_member(s->account, s->party);
    unsigned roles = s->roles ? s->roles : member ? people_counted(p, s->party, member->roles) : 0;
    *out = (struct principal){.party = s->party, .user = s->label[0] ? 0 : s->account->id, .roles = roles};
    if (s->label[0])
        snprintf(out->name, sizeof out->name, "link:%.58s", s->label);
    else
        snprintf(out->name, sizeof out->name, STR_FMT, STR_ARG(s->account->name));
    bool first = need_of(p, s, roles) != PEOPLE_NEEDS_NOTHING;
    snprintf(out->scopes, sizeof out->scopes, "%s", first ? "session:*" : s->scopes);
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

/* The session of a secret that still stands, or NULL. Under lock. */
static struct people_sitting *standing(struct people *p, Str session, Nanos now) {
    unsigned char hash[SECRET_HASH_BYTES];
    secret_hash(&p->key, STR("session"), session, hash);
    struct people_sitting *s = people_memory_sitting(&p->memory, hash);
    if (!s || now - s->seen > IDLE_MAX || (s->until && now >= s->until)) return NULL;
    return s;
}

/* alive: this is a sign of life. */
static Err find(struct people *p, Str session, bool alive, struct principal *out) {
    Nanos now = people_wall(p);
    int64_t write_id = 0;
    thread_lock(&p->lock);
    struct people_sitting *s = standing(p, session, now);
    if (s && alive) {
        s->seen = s->account->seen = now;
        if (now - s->saved >= SEEN_EVERY) {
            s->saved = now;
            write_id = s->id;
        }
    }
    if (s) people_session_describe(p, s, out);
    thread_unlock(&p->lock);
    if (!s) return err_make(ERR_UNAUTHENTICATED, "the session is over: sign in again");
    if (write_id) note_seen(p, write_id, now);
    return err_none();
}

Err people_session(struct people *p, Str session, struct principal *out) { return find(p, session, true, out); }
Err people_session_peek(struct people *p, Str session, struct principal *out) { return find(p, session, false, out); }

enum people_need people_session_need(struct people *p, Str session) {
    enum people_need need = PEOPLE_NEEDS_NOTHING;
    struct principal who;
    Nanos now = people_wall(p);
    thread_lock(&p->lock);
    const struct people_sitting *s = standing(p, session, now);
    if (s) people_session_describe(p, s, &who);
    if (s) need = need_of(p, s, who.roles);
    thread_unlock(&p->lock);
    return need;
}

/* ---- signing in */

/* One at a time, and only so many waiting; the work is the same whether the name is known or not. */
static Err verify(struct people *p, const char *hash, Str password, bool *matches) {
    *matches = false;
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

static Err check_limits(struct people *p, const struct people_knock *k) {
    Nanos now = people_wall(p);
    thread_lock(&p->lock);
    bool exceeded = attempts_exceeded(&p->names, k->name, now) ||
                    (k->peer.len > 0 && attempts_exceeded(&p->addresses, k->peer, now));
    thread_unlock(&p->lock);
    if (!exceeded) return err_none();
    return err_make(ERR_LIMIT, "too many wrong passwords: wait a minute, then try again");
}

static void note_outcome(struct people *p, const struct people_knock *k, bool right) {
    Nanos now = people_wall(p);
    thread_lock(&p->lock);
    if (right) {
        attempts_forget(&p->names, k->name);
    } else {
        attempts_failed(&p->names, k->name, now);
        if (k->peer.len > 0) attempts_failed(&p->addresses, k->peer, now);
    }
    thread_unlock(&p->lock);
}

/* Where somebody acts first: where he was made, else the first party he belongs to. 0: in none. */
static PartyId first_seat(struct people *p, const struct people_account *account) {
    PartyId party = 0;
    thread_lock(&p->lock);
    if (people_memory_member(account, account->party))
        party = account->party;
    else if (account->n_members > 0)
        party = account->members[0].party;
    thread_unlock(&p->lock);
    return party;
}

/* Under `changing`. `seen` is the account as its password was held against it. */
static Err admit(struct people *p, const struct people_account *seen, const struct people_knock *k,
                 char out[PEOPLE_SECRET_MAX]) {
    struct people_account *account = people_memory_account(&p->memory, seen->name); /* read by writers alone */
    if (strcmp(account->password, seen->password) != 0)
        return err_make(ERR_UNAUTHENTICATED, "the password was changed meanwhile");
    if (account->factor[0]) TRY(people_factor_take(p, account, k->code));
    struct people_opening opening = {.party = first_seat(p, account)};
    if (!opening.party)
        return err_make(ERR_FORBIDDEN, "'" STR_FMT "' belongs to no party: ask for an invitation", STR_ARG(seen->name));
    return people_session_write(p, account, &opening, out);
}

/* A password of before today's rules is let in once more, to be changed. */
static void mark_weak(struct people *p, Str name, Str password) {
    if (password_check(password, name).code == ERR_NONE) return;
    thread_lock(&p->lock);
    people_memory_account(&p->memory, name)->must_change = true;
    thread_unlock(&p->lock);
}

Err people_session_knock(struct people *p, const struct people_account *account, const struct people_knock *k,
                         bool *right) {
    TRY(check_limits(p, k));
    TRY(verify(p, account->password, k->password, right));
    if (!*right) note_outcome(p, k, false);
    return err_none();
}

Err people_session_begin(struct people *p, const struct people_knock *k, struct principal *out,
                         char session_out[PEOPLE_SECRET_MAX]) {
    struct people_account account = {0};
    bool matches = false;
    people_copy(p, k->name, &account); /* an unknown name is an account without a password */
    TRY(people_session_knock(p, &account, k, &matches));
    if (!matches) return err_make(ERR_UNAUTHENTICATED, "the name or the password is wrong");
    mark_weak(p, account.name, k->password);
    thread_lock(&p->changing);
    Err err = admit(p, &account, k, session_out);
    thread_unlock(&p->changing);
    if (err.code == ERR_NONE) note_outcome(p, k, true);
    if (err.code == ERR_UNAUTHENTICATED) note_outcome(p, k, false);
    TRY(err);
    return people_session(p, str_c(session_out), out);
}

/* ---- signed in at a provider */

struct identity_adding {
    Value row[IDENTITY_COLUMNS];
    struct audit_row audit;
};

static Err add_identity(void *ctx, struct records_txn *txn) {
    struct identity_adding *a = ctx;
    int64_t id;
    TRY(records_txn_insert(txn, &records_system_identity, a->row, &id));
    return audit_add(txn, &a->audit);
}

/* Under `changing`. The account of an e-mail address is from now on the one of this subject. */
static Err bind_identity(struct people *p, struct people_account *account, Str subject) {
    struct identity_adding a = {
        .audit = people_note(p, account->party, account->name, "user.identity", "user", account->name)};
    a.row[RECORD_PARTY] = VALUE_I(account->party);
    a.row[IDENTITY_USER] = VALUE_I(account->id);
    a.row[IDENTITY_SUBJECT] = VALUE_S(subject);
    a.row[IDENTITY_CREATED] = VALUE_I(a.audit.at);
    TRY(records_write(p->records, add_identity, &a));
    thread_lock(&p->lock);
    people_memory_add_identity(&p->memory, subject, account);
    thread_unlock(&p->lock);
    return err_none();
}

/* Under `changing`. */
static Err admit_outside(struct people *p, Str subject, Str email, char out[PEOPLE_SECRET_MAX]) {
    thread_lock(&p->lock);
    struct people_account *account = people_memory_identity(&p->memory, subject);
    struct people_account *named = account || email.len == 0 ? NULL : people_memory_account(&p->memory, email);
    thread_unlock(&p->lock);
    if (!account && !named)
        return err_make(ERR_FORBIDDEN,
                        "nobody of this server: ask for an invitation, with your e-mail address as name");
    if (!account) TRY(bind_identity(p, account = named, subject));
    struct people_opening o = {.party = first_seat(p, account), .outside = true};
    if (!o.party)
        return err_make(ERR_FORBIDDEN, "'" STR_FMT "' belongs to no party: ask for an invitation",
                        STR_ARG(account->name));
    return people_session_write(p, account, &o, out);
}

Err people_session_outside(struct people *p, Str subject, Str email, struct principal *out,
                           char session_out[PEOPLE_SECRET_MAX]) {
    thread_lock(&p->changing);
    Err err = admit_outside(p, subject, email, session_out);
    thread_unlock(&p->changing);
    TRY(err);
    return people_session(p, str_c(session_out), out);
}

/* ---- ending, switching, a new password */

static Err remove_session(void *ctx, struct records_txn *txn) {
    const int64_t *id = ctx;
    struct lens lens = gate_lens_system("sign-out");
    struct record_filter this = {.op = RECORD_EQ, .column = RECORD_ID, .value = VALUE_I(*id)};
    return records_txn_remove(txn, &records_system_session, &lens, &this, NULL);
}

void people_session_end(struct people *p, Str session) {
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
    if (id) people_ended(p);
}

/* A copy of a standing session of a person, who may sit in `party` (0: any). Under `changing`. */
static Err copy_standing(struct people *p, Str session, PartyId party, struct people_sitting *out) {
    Nanos now = people_wall(p);
    thread_lock(&p->lock);
    const struct people_sitting *s = standing(p, session, now);
    if (s) *out = *s;
    bool seat = s && !s->label[0] && (!party || people_memory_member(s->account, party));
    thread_unlock(&p->lock);
    if (!s) return err_make(ERR_UNAUTHENTICATED, "the session is over: sign in again");
    if (!seat) return err_make(ERR_FORBIDDEN, "you do not belong to that party: ask its manager for an invitation");
    return err_none();
}

static Err switch_party(struct people *p, Str session, PartyId party, char out[PEOPLE_SECRET_MAX]) {
    struct people_sitting old, new;
    TRY(copy_standing(p, session, party, &old));
    secret_text(out, PEOPLE_SECRET_LETTERS);
    struct people_opening o = {.party = party, .until = old.until, .outside = old.outside};
    new = new_sitting(p, old.account, &o, out);
    TRY(write_sitting(p, &new, old.id, "session.switch"));
    thread_lock(&p->lock);
    struct people_sitting *gone = people_memory_sitting(&p->memory, old.hash);
    if (gone) people_memory_drop_sitting(&p->memory, gone);
    thread_unlock(&p->lock);
    people_ended(p);
    return err_none();
}

Err people_session_switch(struct people *p, Str session, PartyId party, struct principal *out,
                          char session_out[PEOPLE_SECRET_MAX]) {
    thread_lock(&p->changing);
    Err err = switch_party(p, session, party, session_out);
    thread_unlock(&p->changing);
    TRY(err);
    return people_session(p, str_c(session_out), out);
}

Err people_session_password(struct people *p, Str session, Str old, Str password) {
    struct people_sitting sitting = {0};
    bool matches = false;
    char hash[SECRET_PASSWORD_MAX] = "", was[SECRET_PASSWORD_MAX];
    TRY(copy_standing(p, session, 0, &sitting));
    struct people_knock k = {.name = sitting.account->name};
    TRY(check_limits(p, &k));
    thread_lock(&p->lock);
    memcpy(was, sitting.account->password, sizeof was);
    thread_unlock(&p->lock);
    TRY(verify(p, was, old, &matches));
    if (!matches) note_outcome(p, &k, false);
    if (!matches) return err_make(ERR_FORBIDDEN, "the old password is wrong");
    if (str_eq(old, password)) return err_make(ERR_INVALID, "the new password is the old one: choose another");
    TRY(people_hash_password(p, password, k.name, hash));
    thread_lock(&p->changing);
    Err err = people_write_password(p, k.name, sitting.account, hash, false, sitting.id);
    thread_unlock(&p->changing);
    return err;
}
