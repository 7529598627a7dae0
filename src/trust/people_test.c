#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "os/file.h"
#include "os/thread.h"
#include "store/records.h"
#include "tests/lib/store_postgresql.h"
#include "tests/unit.h"
#include "trust/audit.h"
#include "trust/gate.h"
#include "trust/people.h"
#include "trust/secret.h"

void people_test(void);

struct world {
    const char *dir;
    Nanos now; /* of the records' clock */
    struct clock clock;
    struct records *records;
    struct people *people;
    PartyId acme, other;
    struct principal manager;
};

static Nanos read_now(void *ctx) { return ((struct world *)ctx)->now; }

static bool open_world(struct world *w) {
    if (!w->dir) w->dir = unit_temp_dir();
    if (!w->now) w->now = 1700000000 * NANOS_PER_S;
    w->clock = (struct clock){.now = read_now, .ctx = w};
    if (!CHECK_OK(records_open(
            &(struct records_options){.dir = w->dir, .url = store_postgresql_for(w->dir), .clock = &w->clock},
            &w->records)) ||
        !CHECK_OK(people_open(w->records, &w->clock, &w->people)))
        return false;
    CHECK_OK(people_party(w->people, STR("acme"), &w->acme));
    w->manager = (struct principal){.party = w->acme, .user = 99, .roles = ROLE_BIT(ROLE_MANAGER), .name = "boss"};
    return true;
}

static Err sign_in(struct world *w, Str name, Str password, struct principal *who, char session[PEOPLE_SECRET_MAX]) {
    return people_session_begin(w->people, &(struct people_knock){.name = name, .password = password}, who, session);
}

static void close_world(struct world *w) {
    people_close(w->people);
    records_close(w->records);
}

static void restart(struct world *w) {
    close_world(w);
    CHECK(open_world(w));
}

/* ---- parties */

static void keeps_parties(struct world *w) {
    struct arena arena;
    PartyId found;
    Str name;
    arena_init(&arena, 0);
    unit_case("the only party needs no name");
    CHECK_OK(people_find_party(w->people, STR(""), &found));
    CHECK_INT(found, w->acme);
    unit_case("of two, one must be named; the error names them");
    CHECK_OK(people_party(w->people, STR("other"), &w->other));
    CHECK(w->other != w->acme);
    Err err = people_find_party(w->people, STR(""), &found);
    CHECK_ERR(err, ERR_INVALID);
    CHECK(str_find(str_c(err.text), STR("'acme', 'other'")) > 0);
    CHECK_ERR(people_find_party(w->people, STR("nobody"), &found), ERR_NOT_FOUND);
    CHECK_OK(people_find_party(w->people, STR("other"), &found));
    CHECK_INT(found, w->other);
    unit_case("asked for again, it is the same; after a restart too");
    CHECK_OK(people_party(w->people, STR("other"), &found));
    CHECK_INT(found, w->other);
    restart(w);
    CHECK_OK(people_party(w->people, STR("other"), &found));
    CHECK_INT(found, w->other);
    CHECK_OK(people_party_name(w->people, found, &arena, &name));
    CHECK_STR(name, STR("other"));
    CHECK_ERR(people_party_name(w->people, 77, &arena, &name), ERR_NOT_FOUND);
    unit_case("names that cannot be");
    char big[80];
    memset(big, 'x', sizeof big);
    CHECK_ERR(people_party(w->people, STR(""), &found), ERR_INVALID);
    CHECK_ERR(people_party(w->people, str_n(big, sizeof big), &found), ERR_INVALID);
    CHECK_ERR(people_party(w->people, STR("a\nb"), &found), ERR_INVALID);
    CHECK_ERR(people_party(w->people, STR("a\xff"), &found), ERR_INVALID);
    arena_fini(&arena);
}

/* ---- users */

static void adds_users(struct world *w) {
    struct arena arena;
    struct people_user *users;
    size_t n;
    unsigned viewer = ROLE_BIT(ROLE_VIEWER);
    struct principal guest = {.party = w->acme, .roles = viewer, .name = "guest"};
    struct principal foreign = {.party = w->other, .roles = ROLE_BIT(ROLE_MANAGER), .name = "zoe"};
    arena_init(&arena, 0);
    unit_case("staff add users to their own party");
    CHECK_OK(people_add_user(w->people, &w->manager, w->acme, STR("li.wei"), STR("correct horse"),
                             viewer | ROLE_BIT(ROLE_WORKER)));
    CHECK_ERR(people_add_user(w->people, &guest, w->acme, STR("x"), STR(""), viewer), ERR_FORBIDDEN);
    CHECK_ERR(people_add_user(w->people, &foreign, w->acme, STR("x"), STR(""), viewer), ERR_FORBIDDEN);
    CHECK(people_has_user(w->people, w->acme, STR("li.wei")));
    CHECK(!people_has_user(w->people, w->other, STR("li.wei")));
    CHECK(!people_has_user(w->people, w->acme, STR("x")));
    unit_case("a name is taken in the whole server");
    CHECK_ERR(people_add_user(w->people, &foreign, w->other, STR("li.wei"), STR(""), viewer), ERR_CONFLICT);
    unit_case("roles, names and passwords that cannot be");
    CHECK_ERR(people_add_user(w->people, &w->manager, w->acme, STR("x"), STR(""), 0), ERR_INVALID);
    CHECK_ERR(people_add_user(w->people, &w->manager, w->acme, STR("x"), STR(""), ROLE_BIT(ROLE_SYSTEM)), ERR_INVALID);
    CHECK_ERR(people_add_user(w->people, &w->manager, w->acme, STR(""), STR(""), viewer), ERR_INVALID);
    CHECK_ERR(people_add_user(w->people, &w->manager, w->acme, STR("a\x01"), STR(""), viewer), ERR_INVALID);
    CHECK_ERR(people_add_user(w->people, &w->manager, w->acme, STR("x"), STR("short"), viewer), ERR_INVALID);
    unit_case("the list, after a restart");
    restart(w);
    CHECK_OK(people_users(w->people, w->acme, &arena, &users, &n));
    if (CHECK_INT(n, 1)) {
        CHECK_STR(users[0].name, STR("li.wei"));
        CHECK_INT(users[0].roles, viewer | ROLE_BIT(ROLE_WORKER));
    }
    CHECK_OK(people_users(w->people, w->other, &arena, &users, &n));
    CHECK_INT(n, 0);
    arena_fini(&arena);
}

/* ---- sessions */

static void signs_in(struct world *w) {
    struct principal who;
    char session[PEOPLE_SECRET_MAX], second[PEOPLE_SECRET_MAX];
    unit_case("the right password, and nothing else");
    CHECK_OK(sign_in(w, STR("li.wei"), STR("correct horse"), &who, session));
    CHECK_INT(who.party, w->acme);
    CHECK_INT(who.roles, ROLE_BIT(ROLE_VIEWER) | ROLE_BIT(ROLE_WORKER));
    CHECK_STR(str_c(who.name), STR("li.wei"));
    CHECK(strlen(session) >= 52);
    CHECK_ERR(sign_in(w, STR("li.wei"), STR("correct horsf"), &who, second), ERR_UNAUTHENTICATED);
    CHECK_ERR(sign_in(w, STR("li.wei"), STR(""), &who, second), ERR_UNAUTHENTICATED);
    Err known = sign_in(w, STR("li.wei"), STR("wrong password"), &who, second);
    Err unknown = sign_in(w, STR("nobody"), STR("wrong password"), &who, second);
    CHECK_STR(str_c(known.text), str_c(unknown.text)); /* nothing tells whether the name exists */
    CHECK_OK(sign_in(w, STR("li.wei"), STR("correct horse"), &who, second));
    CHECK(strcmp(session, second) != 0);
    unit_case("a session is known by its text alone, also after a restart");
    restart(w);
    CHECK_OK(people_session(w->people, str_c(session), &who));
    CHECK_STR(str_c(who.name), STR("li.wei"));
    CHECK_ERR(people_session(w->people, STR(""), &who), ERR_UNAUTHENTICATED);
    session[3] ^= 1;
    CHECK_ERR(people_session(w->people, str_c(session), &who), ERR_UNAUTHENTICATED);
    session[3] ^= 1;
    unit_case("sign out ends one session, for good");
    people_session_end(w->people, str_c(second));
    people_session_end(w->people, STR("never heard of"));
    CHECK_ERR(people_session(w->people, str_c(second), &who), ERR_UNAUTHENTICATED);
    restart(w);
    CHECK_ERR(people_session(w->people, str_c(second), &who), ERR_UNAUTHENTICATED);
    CHECK_OK(people_session(w->people, str_c(session), &who));
    unit_case("twelve idle hours end it; use renews it");
    w->now += 11 * NANOS_PER_HOUR;
    CHECK_OK(people_session(w->people, str_c(session), &who));
    restart(w);
    w->now += 11 * NANOS_PER_HOUR;
    CHECK_OK(people_session(w->people, str_c(session), &who));
    w->now += 12 * NANOS_PER_HOUR + NANOS_PER_S;
    CHECK_ERR(people_session(w->people, str_c(session), &who), ERR_UNAUTHENTICATED);
}

static void changes_passwords(struct world *w) {
    struct principal who, li = {0};
    char session[PEOPLE_SECRET_MAX], again[PEOPLE_SECRET_MAX];
    unit_case("a new password ends the sessions of the old one");
    CHECK_OK(sign_in(w, STR("li.wei"), STR("correct horse"), &li, session));
    struct principal guest = {.party = w->acme, .user = 12345, .roles = ROLE_BIT(ROLE_VIEWER), .name = "guest"};
    CHECK_ERR(people_set_password(w->people, &guest, w->acme, STR("li.wei"), STR("battery staple")), ERR_FORBIDDEN);
    CHECK_ERR(people_set_password(w->people, &w->manager, w->acme, STR("nobody"), STR("battery staple")),
              ERR_NOT_FOUND);
    CHECK_ERR(people_set_password(w->people, &w->manager, w->acme, STR("li.wei"), STR("short")), ERR_INVALID);
    CHECK_OK(people_session(w->people, str_c(session), &who));
    CHECK_OK(people_set_password(w->people, &li, w->acme, STR("li.wei"), STR("battery staple"))); /* one's own */
    CHECK_ERR(people_session(w->people, str_c(session), &who), ERR_UNAUTHENTICATED);
    restart(w);
    CHECK_ERR(people_session(w->people, str_c(session), &who), ERR_UNAUTHENTICATED);
    CHECK_ERR(sign_in(w, STR("li.wei"), STR("correct horse"), &who, again), ERR_UNAUTHENTICATED);
    CHECK_OK(sign_in(w, STR("li.wei"), STR("battery staple"), &who, again));
}

static void limits_failures(struct world *w) {
    struct principal who;
    char session[PEOPLE_SECRET_MAX];
    unit_case("five failures close a name for a minute, even to the right password");
    w->now += NANOS_PER_HOUR;
    for (int i = 0; i < 5; i++) CHECK_ERR(sign_in(w, STR("li.wei"), STR("guess"), &who, session), ERR_UNAUTHENTICATED);
    CHECK_ERR(sign_in(w, STR("li.wei"), STR("battery staple"), &who, session), ERR_LIMIT);
    w->now += NANOS_PER_MIN - 1;
    CHECK_ERR(sign_in(w, STR("li.wei"), STR("battery staple"), &who, session), ERR_LIMIT);
    w->now += 1;
    CHECK_OK(sign_in(w, STR("li.wei"), STR("battery staple"), &who, session));
    unit_case("a name that nobody has is limited alike");
    for (int i = 0; i < 5; i++) CHECK_ERR(sign_in(w, STR("ghost"), STR("guess"), &who, session), ERR_UNAUTHENTICATED);
    CHECK_ERR(sign_in(w, STR("ghost"), STR("guess"), &who, session), ERR_LIMIT);
}

/* ---- tokens */

static void gives_tokens(struct world *w) {
    struct principal who;
    char token[PEOPLE_SECRET_MAX], wrong[PEOPLE_SECRET_MAX];
    unit_case("a token acts as its user with one role, also after a restart");
    CHECK_OK(people_token(w->people, &w->manager, w->acme, STR("grafana"), ROLE_VIEWER, token));
    CHECK(str_starts(str_c(token), STR("weft_")));
    CHECK(people_has_user(w->people, w->acme, STR("grafana"))); /* made when absent */
    restart(w);
    CHECK_OK(people_token_check(w->people, str_c(token), &who));
    CHECK_STR(str_c(who.name), STR("token:grafana"));
    CHECK_INT(who.roles, ROLE_BIT(ROLE_VIEWER));
    CHECK_INT(who.party, w->acme);
    unit_case("a token is no session, and a made user has no password");
    CHECK_ERR(people_session(w->people, str_c(token), &who), ERR_UNAUTHENTICATED);
    CHECK_ERR(sign_in(w, STR("grafana"), STR(""), &who, wrong), ERR_UNAUTHENTICATED);
    CHECK_ERR(people_token_check(w->people, STR("weft_"), &who), ERR_UNAUTHENTICATED);
    CHECK_ERR(people_token_check(w->people, STR(""), &who), ERR_UNAUTHENTICATED);
    unit_case("who may not make one");
    struct principal guest = {.party = w->acme, .roles = ROLE_BIT(ROLE_VIEWER), .name = "guest"};
    struct principal foreign = {.party = w->other, .roles = ROLE_BIT(ROLE_MANAGER), .name = "zoe"};
    CHECK_ERR(people_token(w->people, &guest, w->acme, STR("x"), ROLE_VIEWER, wrong), ERR_FORBIDDEN);
    CHECK_ERR(people_token(w->people, &foreign, w->other, STR("grafana"), ROLE_VIEWER, wrong), ERR_CONFLICT);
    CHECK_STR(str_c(wrong), STR(""));
    CHECK_ERR(people_token(w->people, &w->manager, w->acme, STR("x"), ROLE_SYSTEM, wrong), ERR_INVALID);
    unit_case("the system makes them for any party");
    struct principal system = principal_system(0, "token");
    CHECK_ERR(people_token(w->people, &system, w->other, STR("robot"), ROLE_OPERATOR, token), ERR_FORBIDDEN);
    CHECK_OK(people_token(w->people, &system, w->other, STR("robot"), ROLE_MANAGER, token));
    CHECK_OK(people_token_check(w->people, str_c(token), &who));
    CHECK_INT(who.party, w->other);
}

/* ---- what is kept */

static bool file_holds(const char *dir, const char *name, const char *text) {
    char path[512];
    struct buf bytes = {0};
    snprintf(path, sizeof path, "%s/%s", dir, name);
    bool holds =
        file_load(file_disk, path, 1 << 26, &bytes).code == ERR_NONE && str_find(buf_view(&bytes), str_c(text)) >= 0;
    buf_fini(&bytes);
    return holds;
}

static void keeps_no_secret(struct world *w) {
    struct principal who;
    char session[PEOPLE_SECRET_MAX], token[PEOPLE_SECRET_MAX];
    unit_case("no secret stands in the records as it is");
    CHECK_OK(sign_in(w, STR("li.wei"), STR("battery staple"), &who, session));
    CHECK_OK(people_token(w->people, &w->manager, w->acme, STR("grafana"), ROLE_VIEWER, token));
    close_world(w);
    if (!store_postgresql_for(w->dir)) CHECK(file_holds(w->dir, "records.db", "grafana")); /* the search works */
    if (!store_postgresql_for(w->dir)) CHECK(file_holds(w->dir, "records.db", "$argon2id$"));
    CHECK(!file_holds(w->dir, "records.db", "battery staple"));
    CHECK(!file_holds(w->dir, "records.db", session));
    CHECK(!file_holds(w->dir, "records.db", token));
    unit_case("the key is its owner's alone");
    char key[512];
    struct stat st = {0};
    snprintf(key, sizeof key, "%s/secret.key", w->dir);
    CHECK_INT(stat(key, &st), 0);
    CHECK_INT(st.st_mode & 0777, 0600);
    CHECK_INT(st.st_size, 32);
    unit_case("without its key file no token matches, and a damaged one is an error");
    char path[512];
    snprintf(path, sizeof path, "%s/secret.key", w->dir);
    CHECK_OK(file_replace(file_disk, path, STR("too short"), "test"));
    CHECK_OK(records_open(&(struct records_options){.dir = w->dir, .url = store_postgresql_for(w->dir)}, &w->records));
    CHECK_ERR(people_open(w->records, &w->clock, &w->people), ERR_CORRUPT);
    records_close(w->records);
    CHECK_OK(file_remove(file_disk, path));
    CHECK(open_world(w));
    CHECK_ERR(people_token_check(w->people, str_c(token), &who), ERR_UNAUTHENTICATED);
}

static void audits(struct world *w) {
    struct arena arena;
    struct audit_row *rows;
    struct lens lens;
    size_t n;
    unit_case("each change is in the audit, and no secret with it");
    arena_init(&arena, 0);
    CHECK_OK(gate_lens(&w->manager, NULL, "test", &lens));
    CHECK_OK(audit_list(w->records, &lens, STR("user"), STR("li.wei"), 0, 50, &arena, &rows, &n));
    if (CHECK(n >= 3)) {
        CHECK_STR(rows[n - 1].action, STR("user.create"));
        CHECK_STR(rows[n - 1].who, STR("boss"));
        CHECK_STR(rows[n - 1].after, STR("{\"roles\":[\"worker\",\"viewer\"]}"));
    }
    for (size_t i = 0; i < n; i++) CHECK(str_find(rows[i].after, STR("argon")) < 0);
    CHECK_OK(audit_list(w->records, &lens, STR("user"), STR("grafana"), 0, 50, &arena, &rows, &n));
    CHECK(n == 3); /* the user, and two tokens */
    arena_fini(&arena);
}

/* ---- many at once */

struct racer {
    struct world *w;
    const char *session;
    int number, failed, conflicts;
};

static void race(void *ctx) {
    struct racer *r = ctx;
    for (int i = 0; i < 30; i++) {
        struct principal who;
        char name[32], token[PEOPLE_SECRET_MAX];
        snprintf(name, sizeof name, "race-%d", i); /* the same for all: one of them makes the user */
        Err err =
            people_add_user(r->w->people, &r->w->manager, r->w->acme, str_c(name), STR(""), ROLE_BIT(ROLE_WORKER));
        if (err.code == ERR_CONFLICT)
            r->conflicts++;
        else
            r->failed += err.code != ERR_NONE;
        r->failed +=
            people_token(r->w->people, &r->w->manager, r->w->acme, str_c(name), ROLE_WORKER, token).code != ERR_NONE;
        r->failed += people_token_check(r->w->people, str_c(token), &who).code != ERR_NONE;
        r->failed += people_session(r->w->people, str_c(r->session), &who).code != ERR_NONE;
    }
}

static void races(struct world *w) {
    struct racer racers[4];
    struct thread *threads[4];
    struct principal who;
    char session[PEOPLE_SECRET_MAX];
    int conflicts = 0;
    unit_case("many at once: each user is made once");
    CHECK_OK(sign_in(w, STR("li.wei"), STR("battery staple"), &who, session));
    for (int i = 0; i < 4; i++) {
        racers[i] = (struct racer){.w = w, .number = i, .session = session};
        if (!CHECK_OK(thread_start(&threads[i], "race", race, &racers[i]))) return;
    }
    for (int i = 0; i < 4; i++) {
        thread_join(threads[i]);
        CHECK_INT(racers[i].failed, 0);
        conflicts += racers[i].conflicts;
    }
    CHECK_INT(conflicts, 90);
}

static void knows_nobody(void) {
    struct world w = {.now = 5};
    PartyId found;
    unit_case("before there is a party");
    w.dir = unit_temp_dir();
    w.clock = (struct clock){.now = read_now, .ctx = &w};
    if (!CHECK_OK(
            records_open(&(struct records_options){.dir = w.dir, .url = store_postgresql_for(w.dir)}, &w.records)))
        return;
    CHECK_OK(people_open(w.records, &w.clock, &w.people));
    CHECK_ERR(people_find_party(w.people, STR(""), &found), ERR_NOT_FOUND);
    CHECK_ERR(people_find_party(w.people, STR("x"), &found), ERR_NOT_FOUND);
    close_world(&w);
}

void people_test(void) {
    struct world w = {.dir = NULL};
    knows_nobody();
    if (!open_world(&w)) return;
    keeps_parties(&w);
    adds_users(&w);
    signs_in(&w);
    changes_passwords(&w);
    limits_failures(&w);
    gives_tokens(&w);
    races(&w);
    keeps_no_secret(&w);
    audits(&w);
    close_world(&w);
}
