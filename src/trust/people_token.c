#include "trust/people_token.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/jw.h"
#include "trust/people_core.h"

#define USED_EVERY (10 * NANOS_PER_MIN)

/* ---- making */

struct token_adding {
    Value row[TOKEN_COLUMNS];
    struct audit_row audit;
    int64_t id;
};

static Err add_token(void *ctx, struct records_txn *txn) {
    struct token_adding *a = ctx;
    TRY(records_txn_insert(txn, &records_system_token, a->row, &a->id));
    return audit_add(txn, &a->audit);
}

static Str describe_token(const struct people_bearer *b, struct buf *out) {
    struct jw w;
    jw_init(&w, out);
    jw_object(&w);
    jw_kc(&w, "role", principal_role_name(b->role));
    if (b->scopes[0]) jw_kc(&w, "scopes", b->scopes);
    if (b->until) jw_ktime(&w, "until", b->until);
    jw_object_end(&w);
    return buf_view(out);
}

static Err write_token(struct people *p, const struct principal *by, struct people_bearer *bearer) {
    struct buf json = {0};
    struct token_adding a = {
        .audit = people_note(p, bearer->party, str_c(by->name), "token.create", "user", bearer->account->name)};
    a.audit.after = describe_token(bearer, &json);
    a.row[RECORD_PARTY] = VALUE_I(bearer->party);
    a.row[TOKEN_USER] = VALUE_I(bearer->account->id);
    a.row[TOKEN_HASH] = VALUE_S(str_n((const char *)bearer->hash, sizeof bearer->hash));
    a.row[TOKEN_ROLE] = VALUE_I(bearer->role);
    a.row[TOKEN_CREATED] = VALUE_I(bearer->created = a.audit.at);
    a.row[TOKEN_SCOPES] = people_text(str_c(bearer->scopes));
    if (bearer->until) a.row[TOKEN_UNTIL] = VALUE_I(bearer->until);
    Err err = records_write(p->records, add_token, &a);
    buf_fini(&json);
    TRY(err);
    bearer->id = a.id;
    thread_lock(&p->lock);
    people_memory_add_bearer(&p->memory, bearer);
    thread_unlock(&p->lock);
    return err_none();
}

/* Under `changing`. The user of the token, made when absent. */
static Err user_of(struct people *p, const struct principal *by, PartyId party, const struct people_token_options *o,
                   struct people_account **out) {
    struct people_account new = {.party = party, .name = o->user}, standing;
    if (!people_copy(p, o->user, &standing)) TRY(people_write_user(p, str_c(by->name), &new, ROLE_BIT(o->role)));
    if (!people_has_user(p, party, o->user))
        return err_make(ERR_CONFLICT, "the name '" STR_FMT "' is taken: choose another", STR_ARG(o->user));
    thread_lock(&p->lock);
    *out = people_memory_account(&p->memory, o->user);
    thread_unlock(&p->lock);
    return err_none();
}

Err people_token_make(struct people *p, const struct principal *by, PartyId party, const struct people_token_options *o,
                      char out[PEOPLE_SECRET_MAX], int64_t *id) {
    memset(out, 0, PEOPLE_SECRET_MAX);
    TRY(people_check_staff(by, party));
    TRY(people_check_name("user", o->user));
    if (o->role >= ROLE_SYSTEM) return err_make(ERR_INVALID, "a token cannot have the system's role");
    TRY(people_check_grant(p, by, party, ROLE_BIT(o->role)));
    TRY(principal_scopes_check(o->scopes));
    if (o->until && o->until <= people_wall(p)) return err_make(ERR_INVALID, "the token would be over already");
    struct people_bearer bearer = {.party = party, .role = o->role, .until = o->until};
    memcpy(bearer.scopes, o->scopes.len ? o->scopes.ptr : "", o->scopes.len);
    memcpy(out, "weft_", 5);
    secret_text(out + 5, PEOPLE_SECRET_LETTERS);
    secret_hash(&p->key, STR("token"), str_c(out), bearer.hash);
    thread_lock(&p->changing);
    Err err = user_of(p, by, party, o, &bearer.account);
    if (err.code == ERR_NONE) err = write_token(p, by, &bearer);
    thread_unlock(&p->changing);
    *id = bearer.id;
    if (err.code != ERR_NONE) memset(out, 0, PEOPLE_SECRET_MAX);
    return err;
}

Err people_token(struct people *p, const struct principal *by, PartyId party, Str user, enum role role,
                 char out[PEOPLE_SECRET_MAX]) {
    int64_t id;
    return people_token_make(p, by, party, &(struct people_token_options){.user = user, .role = role}, out, &id);
}

/* ---- using */

/* Writes when a token was last used; nobody waits for it. */
struct used_writing {
    struct records_job job;
    int64_t id;
    Nanos used;
};

static Err write_used(void *ctx, struct records_txn *txn) {
    struct used_writing *u = ctx;
    Value used = VALUE_I(u->used);
    Err err = records_txn_update(txn, &records_system_token, u->id, (const unsigned[]){TOKEN_USED}, &used, 1);
    return err.code == ERR_NOT_FOUND ? err_none() : err; /* revoked meanwhile */
}

static void used_written(struct records_job *job, Err err) {
    (void)err; /* it only looks unused after a restart */
    free(job->ctx);
}

static void note_used(struct people *p, int64_t id, Nanos used) {
    if (records_read_only(p->records)) return;
    struct used_writing *u = calloc(1, sizeof *u);
    ASSERT(u);
    *u = (struct used_writing){.job = {.fn = write_used, .ctx = u, .done = used_written}, .id = id, .used = used};
    records_submit(p->records, &u->job);
}

Err people_token_check(struct people *p, Str token, struct principal *out) {
    unsigned char hash[SECRET_HASH_BYTES];
    Nanos now = people_wall(p);
    int64_t write_id = 0;
    secret_hash(&p->key, STR("token"), token, hash);
    thread_lock(&p->lock);
    struct people_bearer *b = people_memory_bearer(&p->memory, hash);
    bool over = b && b->until && now >= b->until;
    if (b && !over) {
        unsigned roles = people_counted(p, b->party, ROLE_BIT(b->role));
        *out = (struct principal){.party = b->party, .user = b->account->id, .roles = roles};
        snprintf(out->name, sizeof out->name, "token:" STR_FMT, STR_ARG(b->account->name));
        memcpy(out->scopes, b->scopes, sizeof out->scopes);
        b->used = now;
        if (now - b->saved >= USED_EVERY) {
            b->saved = now;
            write_id = b->id;
        }
    }
    thread_unlock(&p->lock);
    if (!b) return err_make(ERR_UNAUTHENTICATED, "this token is not known: make one with weft token create");
    if (over) return err_make(ERR_UNAUTHENTICATED, "this token is over: make another");
    if (write_id) note_used(p, write_id, now);
    return err_none();
}

/* ---- listing and revoking */

static int by_id(const void *a, const void *b) {
    int64_t x = ((const struct people_token_row *)a)->id, y = ((const struct people_token_row *)b)->id;
    return (x > y) - (x < y);
}

Err people_token_list(struct people *p, PartyId party, struct arena *arena, struct people_token_row **out, size_t *n) {
    size_t at = 0;
    Str key;
    uint64_t value;
    thread_lock(&p->lock);
    *out = arena_zero(arena, p->memory.bearers.count, sizeof **out);
    *n = 0;
    while (map_next(&p->memory.bearers, &at, &key, &value)) {
        const struct people_bearer *b = (const struct people_bearer *)(uintptr_t)value;
        if (b->party != party) continue;
        (*out)[(*n)++] = (struct people_token_row){.id = b->id,
                                                   .user = arena_str(arena, b->account->name),
                                                   .scopes = arena_str(arena, str_c(b->scopes)),
                                                   .role = b->role,
                                                   .created = b->created,
                                                   .until = b->until,
                                                   .used = b->used};
    }
    thread_unlock(&p->lock);
    if (*n > 1) qsort(*out, *n, sizeof **out, by_id);
    return err_none();
}

struct token_removing {
    int64_t id;
    PartyId party;
    struct audit_row audit;
};

static Err remove_token(void *ctx, struct records_txn *txn) {
    struct token_removing *r = ctx;
    struct lens lens = gate_lens_party(r->party, "token");
    struct record_filter this = {.op = RECORD_EQ, .column = RECORD_ID, .value = VALUE_I(r->id)};
    TRY(records_txn_remove(txn, &records_system_token, &lens, &this, NULL));
    return audit_add(txn, &r->audit);
}

/* Under `changing`. */
static Err revoke(struct people *p, const struct principal *by, PartyId party, int64_t id) {
    thread_lock(&p->lock);
    struct people_bearer *b = people_memory_bearer_of(&p->memory, id);
    bool ours = b && b->party == party;
    Str user = ours ? b->account->name : (Str){0};
    unsigned role = ours ? ROLE_BIT(b->role) : 0;
    thread_unlock(&p->lock);
    if (!ours) return err_make(ERR_NOT_FOUND, "no token %lld: GET /api/v1/tokens lists them", (long long)id);
    TRY(people_check_grant(p, by, party, role & ROLE_BIT(ROLE_MANAGER)));
    struct token_removing r = {
        .id = id, .party = party, .audit = people_note(p, party, str_c(by->name), "token.revoke", "user", user)};
    TRY(records_write(p->records, remove_token, &r));
    thread_lock(&p->lock);
    b = people_memory_bearer_of(&p->memory, id);
    if (b) people_memory_drop_bearer(&p->memory, b);
    thread_unlock(&p->lock);
    people_ended(p);
    return err_none();
}

Err people_token_revoke(struct people *p, const struct principal *by, PartyId party, int64_t id) {
    TRY(people_check_staff(by, party));
    thread_lock(&p->changing);
    Err err = revoke(p, by, party, id);
    thread_unlock(&p->changing);
    return err;
}
