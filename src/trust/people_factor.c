#include "trust/people_factor.h"

#include <stdio.h>
#include <string.h>

#include "trust/people_core.h"
#include "trust/seal.h"
#include "trust/totp.h"

/* ---- keeping it */

struct factor_writing {
    int64_t user;
    Value values[3]; /* USER_FACTOR, USER_FACTOR_STEP, USER_RECOVERY */
    struct audit_row audit;
};

static Err write_factor(void *ctx, struct records_txn *txn) {
    struct factor_writing *f = ctx;
    static const unsigned columns[] = {USER_FACTOR, USER_FACTOR_STEP, USER_RECOVERY};
    TRY(records_txn_update(txn, &records_system_user, f->user, columns, f->values, 3));
    return f->audit.action.len > 0 ? audit_add(txn, &f->audit) : err_none();
}

/* Under `changing`: the account gets the factor of `as`, first in the records, then in memory. action NULL: no note. */
static Err put_factor(struct people *p, struct people_account *account, const struct people_account *as,
                      const char *action) {
    Str codes = str_n((const char *)as->recovery, as->n_recovery * SECRET_HASH_BYTES);
    struct factor_writing f = {
        .user = account->id, .values = {people_text(str_c(as->factor)), VALUE_I(as->factor_step), people_text(codes)}};
    if (action) f.audit = people_note(p, account->party, account->name, action, "user", account->name);
    TRY(records_write(p->records, write_factor, &f));
    thread_lock(&p->lock);
    memcpy(account->factor, as->factor, sizeof account->factor);
    memcpy(account->recovery, as->recovery, sizeof account->recovery);
    account->n_recovery = as->n_recovery;
    account->factor_step = as->factor_step;
    thread_unlock(&p->lock);
    return err_none();
}

static Str about(const struct people_account *account, struct arena *arena) {
    return arena_printf(arena, "user %lld factor", (long long)account->id);
}

/* ---- checking a code. Under `changing`. */

static Err check_totp(struct people *p, const struct people_account *account, Str code, int64_t *step, bool *right) {
    struct arena arena;
    unsigned char secret[TOTP_SECRET_BYTES];
    Str text;
    *right = false;
    if (!p->seal) return err_make(ERR_STATE, "second factors cannot be read: the server has no seal");
    arena_init(&arena, 0);
    Err err = seal_reveal(p->seal, account->party, about(account, &arena), str_c(account->factor), &arena, &text);
    if (err.code == ERR_NONE && totp_secret_parse(text, secret))
        *right =
            totp_check(str_n((const char *)secret, sizeof secret), code, people_wall(p), account->factor_step, step);
    arena_fini(&arena);
    return err.code == ERR_NOT_FOUND ? err_none() : err; /* its key was erased: recovery codes still open */
}

static void hash_recovery(const struct people *p, int64_t user, Str code, unsigned char out[SECRET_HASH_BYTES]) {
    char text[64];
    size_t n = 0;
    for (size_t i = 0; i < code.len && n < 40; i++) /* as people type it: blanks, dashes and capitals do not count */
        if (code.ptr[i] != '-' && code.ptr[i] != ' ')
            text[n++] = (char)(code.ptr[i] >= 'A' && code.ptr[i] <= 'Z' ? code.ptr[i] + 32 : code.ptr[i]);
    n += (size_t)snprintf(text + n, sizeof text - n, " %lld", (long long)user);
    secret_hash(&p->key, STR("recovery"), str_n(text, n), out);
}

static bool take_recovery(const struct people *p, struct people_account *as, Str code) {
    unsigned char hash[SECRET_HASH_BYTES];
    hash_recovery(p, as->id, code, hash);
    for (size_t i = 0; i < as->n_recovery; i++) {
        if (!secret_same(hash, as->recovery[i])) continue;
        memcpy(as->recovery[i], as->recovery[--as->n_recovery], SECRET_HASH_BYTES);
        return true;
    }
    return false;
}

Err people_factor_take(struct people *p, struct people_account *account, Str code) {
    struct people_account as = *account;
    bool right = false;
    if (code.len == 0)
        return err_make(ERR_SECOND_FACTOR,
                        "the password is right; the code of the second factor is missing: send it as 'code'");
    TRY(check_totp(p, account, code, &as.factor_step, &right));
    bool recovered = !right && take_recovery(p, &as, code);
    if (!right && !recovered) return err_make(ERR_UNAUTHENTICATED, "the code is wrong, or was used before");
    return put_factor(p, account, &as, recovered ? "user.recovery" : NULL);
}

/* ---- setting it up */

/* Under lock: the standing session of a person, not of a link. */
static struct people_sitting *sitting_of(struct people *p, Str session) {
    unsigned char hash[SECRET_HASH_BYTES];
    secret_hash(&p->key, STR("session"), session, hash);
    struct people_sitting *s = people_memory_sitting(&p->memory, hash);
    return s && !s->label[0] ? s : NULL;
}

static Err no_person(void) {
    return err_make(ERR_FORBIDDEN, "a second factor belongs to a person: sign in with a password first");
}

Err people_factor_begin(struct people *p, Str session, struct arena *arena, Str *secret) {
    unsigned char bytes[TOTP_SECRET_BYTES];
    char text[TOTP_SECRET_TEXT];
    if (!p->seal) return err_make(ERR_STATE, "second factors cannot be kept: the server has no seal");
    secret_random(bytes, sizeof bytes);
    totp_secret_text(bytes, text);
    thread_lock(&p->lock);
    struct people_sitting *s = sitting_of(p, session);
    bool has = s && s->account->factor[0];
    if (s && !has) memcpy(s->enrolling, text, sizeof text);
    thread_unlock(&p->lock);
    if (!s) return no_person();
    if (has) return err_make(ERR_STATE, "there is a second factor already: remove it first");
    *secret = arena_str(arena, str_c(text));
    return err_none();
}

static void make_recovery(const struct people *p, struct people_account *as,
                          char recovery[PEOPLE_FACTOR_CODES][PEOPLE_FACTOR_CODE_MAX]) {
    for (size_t i = 0; i < PEOPLE_FACTOR_CODES; i++) {
        char text[11];
        secret_text(text, 10);
        snprintf(recovery[i], PEOPLE_FACTOR_CODE_MAX, "%.5s-%.5s", text, text + 5);
        hash_recovery(p, as->id, str_c(recovery[i]), as->recovery[i]);
    }
    as->n_recovery = PEOPLE_FACTOR_CODES;
}

/* Under `changing`. */
static Err confirm(struct people *p, struct people_account *account, Str secret, Str code,
                   char recovery[PEOPLE_FACTOR_CODES][PEOPLE_FACTOR_CODE_MAX]) {
    struct people_account as = *account;
    unsigned char bytes[TOTP_SECRET_BYTES];
    struct arena arena;
    Str sealed;
    if (account->factor[0]) return err_make(ERR_STATE, "there is a second factor already: remove it first");
    if (!totp_secret_parse(secret, bytes))
        return err_make(ERR_STATE, "no second factor is being set up: POST /api/v1/session/totp first");
    if (!totp_check(str_n((const char *)bytes, sizeof bytes), code, people_wall(p), 0, &as.factor_step))
        return err_make(ERR_INVALID, "the code is wrong: send the six digits that the app shows now");
    arena_init(&arena, 0);
    Err err = seal_text(p->seal, account->party, about(account, &arena), secret, &arena, &sealed);
    if (err.code == ERR_NONE && sealed.len >= sizeof as.factor)
        err = err_make(ERR_TOO_LARGE, "the sealed secret has %zu bytes", sealed.len);
    if (err.code == ERR_NONE) {
        snprintf(as.factor, sizeof as.factor, STR_FMT, STR_ARG(sealed));
        make_recovery(p, &as, recovery);
        err = put_factor(p, account, &as, "user.factor");
    }
    arena_fini(&arena);
    return err;
}

Err people_factor_confirm(struct people *p, Str session, Str code,
                          char recovery[PEOPLE_FACTOR_CODES][PEOPLE_FACTOR_CODE_MAX]) {
    char secret[TOTP_SECRET_TEXT] = "";
    struct people_account *account = NULL;
    thread_lock(&p->changing);
    thread_lock(&p->lock);
    struct people_sitting *s = sitting_of(p, session);
    if (s) account = s->account;
    if (s) memcpy(secret, s->enrolling, sizeof secret);
    thread_unlock(&p->lock);
    Err err = account ? confirm(p, account, str_c(secret), code, recovery) : no_person();
    thread_unlock(&p->changing);
    if (err.code == ERR_NONE) people_ended(p); /* it may do more now */
    return err;
}

/* ---- taking it away */

static bool is_asked_for(struct people *p, const struct people_account *account) {
    bool asked = false;
    thread_lock(&p->lock);
    for (size_t i = 0; i < account->n_members; i++) {
        const struct people_party *party = people_memory_party(&p->memory, account->members[i].party);
        asked = asked || (party && party->factor_roles & account->members[i].roles);
    }
    thread_unlock(&p->lock);
    return asked;
}

/* Under `changing`. */
static Err remove_factor(struct people *p, struct people_account *account, Str code) {
    struct people_account none = {.id = account->id};
    if (!account->factor[0]) return err_make(ERR_STATE, "there is no second factor");
    if (is_asked_for(p, account))
        return err_make(ERR_FORBIDDEN, "a party you belong to asks for a second factor: it stays");
    Err err = people_factor_take(p, account, code);
    if (err.code == ERR_UNAUTHENTICATED || err.code == ERR_SECOND_FACTOR)
        return err_make(ERR_FORBIDDEN, "the code is wrong, or was used before");
    TRY(err);
    return put_factor(p, account, &none, "user.factor.remove");
}

Err people_factor_remove(struct people *p, Str session, Str code) {
    struct people_account *account = NULL;
    thread_lock(&p->changing);
    thread_lock(&p->lock);
    struct people_sitting *s = sitting_of(p, session);
    if (s) account = s->account;
    bool exceeded = account && attempts_exceeded(&p->names, account->name, people_wall(p));
    thread_unlock(&p->lock);
    Err err = !account   ? no_person()
              : exceeded ? err_make(ERR_LIMIT, "too many wrong codes: wait a minute, then try again")
                         : remove_factor(p, account, code);
    if (err.code == ERR_FORBIDDEN && account) {
        thread_lock(&p->lock);
        attempts_failed(&p->names, account->name, people_wall(p));
        thread_unlock(&p->lock);
    }
    thread_unlock(&p->changing);
    return err;
}

Err people_factor_drop(struct people *p, struct people_account *account) {
    struct people_account none = {.id = account->id};
    return account->factor[0] ? put_factor(p, account, &none, "user.factor.remove") : err_none();
}

bool people_factor_set(struct people *p, int64_t user) {
    thread_lock(&p->lock);
    const struct people_account *account = people_memory_account_of(&p->memory, user);
    bool set = account && account->factor[0];
    thread_unlock(&p->lock);
    return set;
}
