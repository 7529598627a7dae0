#include "trust/people_link.h"

#include <stdio.h>
#include <string.h>

#include "base/jw.h"
#include "trust/people_core.h"

#define RESET_TIME NANOS_PER_DAY
#define WORKER_ROLES (ROLE_BIT(ROLE_WORKER) | ROLE_BIT(ROLE_TECHNICIAN) | ROLE_BIT(ROLE_VIEWER))
enum { INVITE_MINUTES_MAX = 30 * 24 * 60, WORKER_MINUTES_MAX = 24 * 60 };

/* ---- making */

struct link_adding {
    Value row[LINK_COLUMNS];
    Nanos now;
    struct audit_row audit;
    int64_t id;
};

static Err add_link(void *ctx, struct records_txn *txn) {
    struct link_adding *a = ctx;
    struct lens lens = gate_lens_system("links");
    struct record_filter old = {.op = RECORD_LT, .column = LINK_UNTIL, .value = VALUE_I(a->now)};
    TRY(records_txn_remove(txn, &records_system_link, &lens, &old, NULL));
    TRY(records_txn_insert(txn, &records_system_link, a->row, &a->id));
    return audit_add(txn, &a->audit);
}

/* Under `changing`. */
static Err write_link(struct people *p, const struct principal *by, struct people_link *link, const char *action,
                      char code[PEOPLE_SECRET_MAX]) {
    struct buf json = {0};
    Str target = link->account && link->kind != PEOPLE_LINK_WORKER ? link->account->name : str_c(link->name);
    struct link_adding a = {.now = people_wall(p),
                            .audit = people_note(p, link->party, str_c(by->name), action, "user", target)};
    a.audit.after = people_roles_json(link->roles, &json);
    secret_text(code, PEOPLE_SECRET_LETTERS);
    secret_hash(&p->key, STR("link"), str_c(code), link->hash);
    a.row[RECORD_PARTY] = VALUE_I(link->party);
    a.row[LINK_KIND] = VALUE_I(link->kind);
    a.row[LINK_HASH] = VALUE_S(str_n((const char *)link->hash, sizeof link->hash));
    if (link->account) a.row[LINK_USER] = VALUE_I(link->account->id);
    a.row[LINK_ROLES] = VALUE_I(link->roles);
    a.row[LINK_NAME] = people_text(str_c(link->name));
    a.row[LINK_SCOPES] = people_text(str_c(link->scopes));
    a.row[LINK_MINUTES] = VALUE_I(link->minutes);
    a.row[LINK_UNTIL] = VALUE_I(link->until);
    a.row[LINK_CREATED] = VALUE_I(a.audit.at);
    Err err = records_write(p->records, add_link, &a);
    buf_fini(&json);
    if (err.code != ERR_NONE) {
        memset(code, 0, PEOPLE_SECRET_MAX);
        return err;
    }
    link->id = a.id;
    thread_lock(&p->lock);
    people_memory_drop_links(&p->memory, a.now);
    people_memory_add_link(&p->memory, link);
    thread_unlock(&p->lock);
    return err_none();
}

static Err make_link(struct people *p, const struct principal *by, struct people_link *link, const char *action,
                     char code[PEOPLE_SECRET_MAX]) {
    thread_lock(&p->changing);
    Err err = write_link(p, by, link, action, code);
    thread_unlock(&p->changing);
    return err;
}

static Err check_options(const struct people_link_options *o, unsigned allowed, int64_t minutes_max) {
    if (o->roles == 0 || o->roles & ~allowed)
        return err_make(ERR_INVALID, "'roles' needs at least one role, and none that such a link may not give");
    if (o->minutes < 1 || o->minutes > minutes_max)
        return err_make(ERR_INVALID, "a link is good for 1 to %lld minutes, not %lld", (long long)minutes_max,
                        (long long)o->minutes);
    return o->name.len > 0 ? people_check_name("link's", o->name) : err_none();
}

static bool has_members(struct people *p, PartyId party) {
    bool has = false;
    thread_lock(&p->lock);
    for (size_t i = 0; !has && i < p->memory.n_accounts; i++)
        has = people_memory_member(p->memory.accounts[i], party) != NULL;
    thread_unlock(&p->lock);
    return has;
}

Err people_link_invite(struct people *p, const struct principal *by, PartyId party, const struct people_link_options *o,
                       char code[PEOPLE_SECRET_MAX], Nanos *until) {
    /* an operator of the server invites the first manager of a party that it has made */
    bool first = by->party != party && people_operates(p, by->party) && principal_may(by, ROLE_BIT(ROLE_OPERATOR)) &&
                 !has_members(p, party);
    if (!first) TRY(people_check_staff(by, party));
    if (!first) TRY(people_check_grant(p, by, party, o->roles));
    TRY(check_options(o, ROLE_PEOPLE, INVITE_MINUTES_MAX));
    struct people_link link = {.kind = PEOPLE_LINK_JOIN, .party = party, .roles = o->roles};
    snprintf(link.name, sizeof link.name, STR_FMT, STR_ARG(o->name));
    link.until = *until = people_wall(p) + o->minutes * NANOS_PER_MIN;
    return make_link(p, by, &link, "user.invite", code);
}

Err people_link_reset(struct people *p, const struct principal *by, PartyId party, Str name, bool factor,
                      char code[PEOPLE_SECRET_MAX], Nanos *until) {
    TRY(people_check_staff(by, party));
    thread_lock(&p->lock);
    struct people_account *account = people_memory_account(&p->memory, name);
    const struct people_member *member = account ? people_memory_member(account, party) : NULL;
    unsigned roles = member ? member->roles : 0;
    bool elsewhere = account && account->n_members > 1;
    thread_unlock(&p->lock);
    if (!member) return err_make(ERR_NOT_FOUND, "'" STR_FMT "' is no member", STR_ARG(str_slice(name, 0, 60)));
    if (elsewhere)
        return err_make(ERR_FORBIDDEN, "'" STR_FMT "' belongs to other parties too: only he changes his password",
                        STR_ARG(account->name));
    TRY(people_check_grant(p, by, party, roles & ROLE_BIT(ROLE_MANAGER)));
    struct people_link link = {
        .kind = factor ? PEOPLE_LINK_RENEW : PEOPLE_LINK_PASSWORD, .party = party, .account = account, .roles = roles};
    link.until = *until = people_wall(p) + RESET_TIME;
    return make_link(p, by, &link, "user.reset", code);
}

Err people_link_worker(struct people *p, const struct principal *by, PartyId party, const struct people_link_options *o,
                       char code[PEOPLE_SECRET_MAX], Nanos *until) {
    TRY(people_check_staff(by, party));
    TRY(check_options(o, WORKER_ROLES, WORKER_MINUTES_MAX));
    TRY(principal_scopes_check(o->scopes));
    if (o->scopes.len == 0 || o->name.len == 0)
        return err_make(ERR_INVALID, "a worker link needs a label and what it may be used for");
    thread_lock(&p->lock);
    const struct people_party *own = people_memory_party(&p->memory, party);
    bool allowed = own && own->worker_links;
    struct people_account *maker = people_memory_account_of(&p->memory, by->user);
    thread_unlock(&p->lock);
    if (!allowed)
        return err_make(ERR_STATE, "your party does not allow worker links: a manager may, with PATCH /api/v1/party "
                                   "{\"settings\":{\"worker_links\":true}}");
    if (!maker) return err_make(ERR_FORBIDDEN, "a worker link is made by a person");
    struct people_link link = {
        .kind = PEOPLE_LINK_WORKER, .party = party, .account = maker, .roles = o->roles, .minutes = o->minutes};
    snprintf(link.name, sizeof link.name, STR_FMT, STR_ARG(o->name));
    snprintf(link.scopes, sizeof link.scopes, STR_FMT, STR_ARG(o->scopes));
    link.until = *until = people_wall(p) + o->minutes * NANOS_PER_MIN;
    return make_link(p, by, &link, "link.create", code);
}

/* ---- taking up */

/* A copy of a link that still stands. */
static Err find_link(struct people *p, Str code, struct people_link *out) {
    unsigned char hash[SECRET_HASH_BYTES];
    Nanos now = people_wall(p);
    secret_hash(&p->key, STR("link"), code, hash);
    thread_lock(&p->lock);
    const struct people_link *link = people_memory_link(&p->memory, hash);
    bool stands = link && now < link->until;
    if (stands) *out = *link;
    /* what a worker link gives ends with its maker's membership */
    if (stands && link->kind == PEOPLE_LINK_WORKER) stands = people_memory_member(link->account, link->party) != NULL;
    thread_unlock(&p->lock);
    return stands ? err_none() : err_make(ERR_NOT_FOUND, "this link was used, or is over: ask for another");
}

Err people_link_view(struct people *p, Str code, struct arena *arena, struct people_link_view *out) {
    struct people_link link;
    *out = (struct people_link_view){.what = PEOPLE_LINK_VIEW_JOIN};
    TRY(find_link(p, code, &link));
    if (link.kind == PEOPLE_LINK_WORKER) out->what = PEOPLE_LINK_VIEW_WORKER;
    bool password = link.kind == PEOPLE_LINK_PASSWORD || link.kind == PEOPLE_LINK_RENEW;
    if (password) out->what = PEOPLE_LINK_VIEW_PASSWORD;
    out->name = arena_str(arena, password ? link.account->name : str_c(link.name));
    out->roles = link.roles;
    out->until = link.until;
    return people_party_name(p, link.party, arena, &out->party);
}

static Err remove_link(void *ctx, struct records_txn *txn) {
    const int64_t *id = ctx;
    struct lens lens = gate_lens_system("links");
    struct record_filter this = {.op = RECORD_EQ, .column = RECORD_ID, .value = VALUE_I(*id)};
    uint64_t removed = 0;
    TRY(records_txn_remove(txn, &records_system_link, &lens, &this, &removed));
    return removed ? err_none() : err_make(ERR_NOT_FOUND, "this link was used: ask for another");
}

/* Under `changing`: from here on nobody else has it. */
static Err use_up(struct people *p, const struct people_link *link) {
    int64_t id = link->id;
    thread_lock(&p->lock);
    struct people_link *kept = people_memory_link(&p->memory, link->hash);
    if (kept) people_memory_drop_link(&p->memory, kept);
    thread_unlock(&p->lock);
    return records_write(p->records, remove_link, &id);
}

/* The account of an invitation: new, or the standing one of that name, whose password was right. Under `changing`. */
static Err join(struct people *p, const struct people_link *link, const struct people_knock *k, const char *hash,
                bool right, struct people_account **out) {
    struct people_account new = {.party = link->party, .name = k->name}, seen;
    if (people_copy(p, k->name, &seen)) {
        if (!right)
            return err_make(ERR_CONFLICT, "the name '" STR_FMT "' is taken: choose another, or give its password",
                            STR_ARG(k->name));
        *out = people_memory_account(&p->memory, k->name);
        if ((*out)->factor[0]) TRY(people_factor_take(p, *out, k->code));
        TRY(use_up(p, link));
        const struct people_member *member = people_memory_member(*out, link->party);
        return people_write_member(p, k->name, *out, link->party, link->roles | (member ? member->roles : 0));
    }
    memcpy(new.password, hash, sizeof new.password);
    TRY(use_up(p, link));
    TRY(people_write_user(p, k->name, &new, link->roles));
    *out = people_memory_account(&p->memory, k->name);
    return err_none();
}

static Err sit_down(struct people *p, struct people_account *account, PartyId party, char out[PEOPLE_SECRET_MAX]) {
    return people_session_write(p, account, &(struct people_opening){.party = party}, out);
}

static Err accept_invitation(struct people *p, const struct people_link *link, const struct people_knock *k,
                             char out[PEOPLE_SECRET_MAX]) {
    struct people_account seen = {0}, *account = NULL;
    char hash[SECRET_PASSWORD_MAX] = "";
    bool right = false;
    TRY(people_check_name("user", k->name));
    if (people_copy(p, k->name, &seen))
        TRY(people_session_knock(p, &seen, k, &right));
    else
        TRY(people_hash_password(p, k->password, k->name, hash));
    thread_lock(&p->changing);
    Err err = join(p, link, k, hash, right, &account);
    if (err.code == ERR_NONE) err = sit_down(p, account, link->party, out);
    thread_unlock(&p->changing);
    return err;
}

static Err accept_password(struct people *p, const struct people_link *link, Str password,
                           char out[PEOPLE_SECRET_MAX]) {
    char hash[SECRET_PASSWORD_MAX] = "";
    TRY(people_hash_password(p, password, link->account->name, hash));
    thread_lock(&p->changing);
    Err err = use_up(p, link);
    if (err.code == ERR_NONE) err = people_write_password(p, link->account->name, link->account, hash, false, 0);
    if (err.code == ERR_NONE && link->kind == PEOPLE_LINK_RENEW) err = people_factor_drop(p, link->account);
    /* a second factor that stands is still asked for: the new password alone does not sign in */
    if (err.code == ERR_NONE && !link->account->factor[0]) err = sit_down(p, link->account, link->party, out);
    thread_unlock(&p->changing);
    return err;
}

Err people_link_accept(struct people *p, Str code, const struct people_knock *k, struct principal *out,
                       char session_out[PEOPLE_SECRET_MAX]) {
    struct people_link link;
    session_out[0] = '\0';
    TRY(find_link(p, code, &link));
    if (link.kind == PEOPLE_LINK_WORKER)
        return err_make(ERR_INVALID, "this is a worker link: POST /api/v1/worker-links/CODE");
    if (link.kind == PEOPLE_LINK_JOIN)
        TRY(accept_invitation(p, &link, k, session_out));
    else
        TRY(accept_password(p, &link, k->password, session_out));
    if (session_out[0]) return people_session(p, str_c(session_out), out);
    return err_make(ERR_SECOND_FACTOR, "the password is set: sign in with it and the code of the second factor");
}

Err people_link_enter(struct people *p, Str code, struct principal *out, char session_out[PEOPLE_SECRET_MAX]) {
    struct people_link link;
    TRY(find_link(p, code, &link));
    if (link.kind != PEOPLE_LINK_WORKER)
        return err_make(ERR_INVALID, "this is an invitation: POST /api/v1/invitations/CODE");
    struct people_opening o = {.party = link.party,
                               .until = link.until,
                               .roles = link.roles,
                               .scopes = str_c(link.scopes),
                               .label = str_c(link.name)};
    thread_lock(&p->changing);
    Err err = people_session_write(p, link.account, &o, session_out);
    thread_unlock(&p->changing);
    TRY(err);
    return people_session(p, str_c(session_out), out);
}
