/* People over the API: parties, memberships, links, tokens with scopes, the second factor. */
#include <stdio.h>
#include <string.h>

#include "serve/api.h"
#include "tests/lib/serve_rig.h"
#include "trust/people.h"
#include "trust/seal.h"
#include "trust/totp.h"

void api_people_test(void);

#define JSON(token, method, target, body, status) serve_rig_json(rig, (token), (method), (target), (body), (status))

static char cookie[200]; /* of whoever signed in last */

static void keep_cookie(const struct http_answer *a) {
    Str value, rest;
    str_cut(http_client_header(a, "Set-Cookie"), ';', &value, &rest);
    if (value.len > 0) snprintf(cookie, sizeof cookie, STR_FMT, STR_ARG(value));
}

/* Asks with the cookie; ' stands for ". */
static struct http_answer ask(struct serve_rig *rig, const char *method, const char *target, const char *json) {
    char extra[400], body[1000] = "";
    snprintf(extra, sizeof extra, "Cookie: %s\r\nX-Weft: 1\r\nContent-Type: application/json\r\n", cookie);
    if (json) snprintf(body, sizeof body, "%s", json);
    for (char *c = body; *c; c++)
        if (*c == '\'') *c = '"';
    struct http_answer a = http_client_ask(&rig->client, method, target, extra, str_c(body));
    keep_cookie(&a);
    return a;
}

static bool answers(struct http_answer a, int status, const char *part) {
    bool good = CHECK_INT(a.status, status) && (!part || CHECK(str_find(a.body, str_c(part)) >= 0));
    if (!good) CHECK_STR(a.body, str_c(part ? part : ""));
    return good;
}

static void sign_in(struct serve_rig *rig, const char *json, int status, const char *part) {
    struct http_answer a = serve_rig_ask(rig, NULL, "POST", "/api/v1/session", json);
    answers(a, status, part);
    keep_cookie(&a);
}

/* The code at the end of a link's url. */
static void code_of(const struct json *v, const char *path, char out[100]) {
    Str url = serve_rig_at(v, path);
    size_t at = url.len;
    while (at > 0 && url.ptr[at - 1] != '/') at--;
    snprintf(out, 100, STR_FMT, STR_ARG(str_slice(url, at, url.len)));
    CHECK(strlen(out) == 52);
}

static void parties(struct serve_rig *rig) {
    unit_case("a party tells of itself, with identifiers whose check digits are right");
    const struct json *v = JSON(rig->manager, "GET", "/api/v1/party", NULL, 200);
    CHECK_AT(v, "name", "acme");
    CHECK_AT(v, "uscc", "null");
    v = JSON(rig->manager, "PATCH", "/api/v1/party", "{'uscc':'91350100M000100Y43','gln':'4006381333931'}", 200);
    CHECK_AT(v, "uscc", "91350100M000100Y43");
    v = JSON(rig->manager, "PATCH", "/api/v1/party", "{'title':'Acme 机械','settings':{'worker_links':true}}", 200);
    CHECK_AT(v, "title", "Acme 机械");
    CHECK_AT(v, "settings.worker_links", "true");
    v = JSON(rig->manager, "PATCH", "/api/v1/party", "{'settings':{'second_factor':[]}}", 200);
    CHECK_AT(v, "settings.worker_links", "true"); /* what is not named stays */
    JSON(rig->manager, "PATCH", "/api/v1/party", "{'uscc':'91350100M000100Y44'}", 400);
    JSON(rig->manager, "PATCH", "/api/v1/party", "{'gln':'4006381333932'}", 400);
    JSON(rig->manager, "PATCH", "/api/v1/party", "{'name':'else'}", 400);
    JSON(rig->manager, "PATCH", "/api/v1/party", "{'colour':'red'}", 400);
    JSON(rig->manager, "PATCH", "/api/v1/party", "{'settings':{'magic':true}}", 400);
    JSON(rig->viewer, "PATCH", "/api/v1/party", "{'title':'x'}", 403);
    unit_case("an identifier is one party's; the directory finds by it, and tells nothing private");
    JSON(rig->stranger, "PATCH", "/api/v1/party", "{'uscc':'91350100M000100Y43'}", 409);
    JSON(rig->manager, "PATCH", "/api/v1/party", "{'phone':'+86 512 0000 0000'}", 200);
    v = JSON(rig->stranger, "GET", "/api/v1/parties?q=M000100", NULL, 200);
    CHECK_AT(v, "items", "[1]");
    CHECK_AT(v, "items.0.name", "acme");
    CHECK_AT(v, "items.0.phone", "absent");
    CHECK_AT(v, "items.0.settings", "absent");
}

static void operators(struct serve_rig *rig, char out[100]) {
    char token[PEOPLE_SECRET_MAX];
    unit_case("an operator makes a party and invites its manager, and sees none of its data");
    CHECK_OK(people_token(rig->people, &rig->system, rig->acme, STR("op"), ROLE_OPERATOR, token));
    JSON(rig->manager, "POST", "/api/v1/parties", "{'name':'third'}", 403);
    JSON(rig->stranger, "POST", "/api/v1/parties", "{'name':'third'}", 403);
    const struct json *v =
        JSON(token, "POST", "/api/v1/parties", "{'name':'third','gln':'5901234123457','manager':'mo'}", 201);
    CHECK(str_starts(serve_rig_at(v, "invitation.svg"), STR("<svg")));
    code_of(v, "invitation.url", out);
    JSON(token, "POST", "/api/v1/parties", "{'name':'third'}", 409);
    JSON(token, "POST", "/api/v1/parties", "{'name':'fourth','gln':'5901234123457'}", 409);
    unit_case("only the party that operates the server has operators");
    JSON(rig->stranger, "POST", "/api/v1/users", "{'name':'sly','roles':['operator']}", 403);
    JSON(rig->stranger, "POST", "/api/v1/tokens", "{'user':'sly','role':'operator'}", 403);
    JSON(rig->stranger, "POST", "/api/v1/invitations", "{'roles':['operator']}", 403);
}

static void invitations(struct serve_rig *rig, const char *first) {
    char target[200], code[100];
    unit_case("an invitation makes the account, once");
    snprintf(target, sizeof target, "/api/v1/invitations/%s", first);
    const struct json *v = JSON(NULL, "GET", target, NULL, 200);
    CHECK_AT(v, "party", "third");
    CHECK_AT(v, "name", "mo");
    CHECK_AT(v, "roles.0", "manager");
    JSON(NULL, "POST", target, "{'user':'mo','password':'short'}", 400);
    JSON(NULL, "POST", target, "{'user':'mo','password':'password123'}", 400);
    JSON(NULL, "POST", target, "{'user':'ann','password':'not her password'}", 409);
    struct http_answer a = serve_rig_ask(rig, NULL, "POST", target, "{'user':'mo','password':'four common words'}");
    answers(a, 200, "\"name\":\"third\"");
    keep_cookie(&a);
    answers(ask(rig, "GET", "/api/v1/members", NULL), 200, "\"user\":\"mo\"");
    answers(ask(rig, "GET", "/api/v1/docs/part/1", NULL), 404, NULL);
    JSON(NULL, "GET", target, NULL, 404);
    JSON(NULL, "POST", target, "{'user':'mo2','password':'four common words'}", 404);
    JSON(NULL, "GET", "/api/v1/invitations/nonsense", NULL, 404);
    unit_case("somebody with an account joins another party with his own password");
    v = JSON(rig->manager, "POST", "/api/v1/invitations", "{'roles':['viewer'],'days':1}", 201);
    code_of(v, "url", code);
    snprintf(target, sizeof target, "/api/v1/invitations/%s", code);
    JSON(NULL, "POST", target, "{'user':'mo','password':'wrong password x'}", 409);
    a = serve_rig_ask(rig, NULL, "POST", target, "{'user':'mo','password':'four common words'}");
    answers(a, 200, "\"name\":\"acme\"");
    keep_cookie(&a);
    answers(ask(rig, "GET", "/api/v1/session", NULL), 200, "\"roles\":[\"viewer\"]");
    answers(ask(rig, "GET", "/api/v1/members", NULL), 403, NULL); /* here he is a viewer */
    unit_case("and acts for one party at a time; the old cookie ends with the switch");
    char before[sizeof cookie], body[60];
    snprintf(before, sizeof before, "%s", cookie);
    PartyId third;
    CHECK_OK(people_find_party(rig->people, STR("third"), &third));
    snprintf(body, sizeof body, "{'party':%u}", third);
    answers(ask(rig, "POST", "/api/v1/session/party", body), 200, "\"name\":\"third\"");
    answers(ask(rig, "GET", "/api/v1/members", NULL), 200, "mo");
    answers(ask(rig, "GET", "/api/v1/things", NULL), 200, "\"items\":[]");
    snprintf(body, sizeof body, "{'party':%u}", rig->other);
    answers(ask(rig, "POST", "/api/v1/session/party", body), 403, NULL);
    snprintf(cookie, sizeof cookie, "%s", before);
    answers(ask(rig, "GET", "/api/v1/session", NULL), 401, NULL);
}

static void members(struct serve_rig *rig) {
    char target[200], code[100];
    unit_case("roles change at once, and the last manager stays");
    JSON(rig->manager, "PATCH", "/api/v1/members/mo", "{'roles':['worker']}", 200);
    sign_in(rig, "{'user':'mo','password':'four common words'}", 200, "\"name\":\"third\"");
    answers(ask(rig, "PATCH", "/api/v1/members/mo", "{'roles':['viewer']}"), 409, NULL);
    answers(ask(rig, "DELETE", "/api/v1/members/mo", NULL), 409, NULL);
    answers(ask(rig, "PATCH", "/api/v1/members/ann", "{'roles':['viewer']}"), 404, NULL);
    unit_case("a manager of one party gives nobody of another a password");
    JSON(rig->manager, "POST", "/api/v1/members/mo/reset", NULL, 403);
    JSON(rig->manager, "POST", "/api/v1/members/sam/reset", NULL, 404);
    unit_case("a removed member is out at once; then his own manager may");
    JSON(rig->manager, "DELETE", "/api/v1/members/mo", NULL, 204);
    answers(ask(rig, "GET", "/api/v1/session", NULL), 200, "\"parties\":[{\"id\":3");
    JSON(rig->manager, "DELETE", "/api/v1/members/mo", NULL, 404);
    unit_case("a link for a new password ends the sessions of the old one");
    const struct json *v = JSON(rig->manager, "POST", "/api/v1/users",
                                "{'name':'pat','password':'pats own password','roles':['viewer']}", 201);
    sign_in(rig, "{'user':'pat','password':'pats own password'}", 200, "pat");
    v = JSON(rig->manager, "POST", "/api/v1/members/pat/reset", NULL, 201);
    code_of(v, "url", code);
    snprintf(target, sizeof target, "/api/v1/invitations/%s", code);
    v = JSON(NULL, "GET", target, NULL, 200);
    CHECK_AT(v, "kind", "reset");
    CHECK_AT(v, "user", "pat");
    JSON(NULL, "POST", target, "{'password':'pats new password'}", 200);
    answers(ask(rig, "GET", "/api/v1/session", NULL), 401, NULL);
    sign_in(rig, "{'user':'pat','password':'pats own password'}", 401, NULL);
    sign_in(rig, "{'user':'pat','password':'pats new password'}", 200, NULL);
    unit_case("one's own new password: the old one is asked for, the session stays, others end");
    char other[sizeof cookie];
    snprintf(other, sizeof other, "%s", cookie);
    sign_in(rig, "{'user':'pat','password':'pats new password'}", 200, NULL);
    answers(ask(rig, "POST", "/api/v1/session/password", "{'old':'wrong one here','new':'yet another one'}"), 403,
            NULL);
    answers(ask(rig, "POST", "/api/v1/session/password", "{'old':'pats new password','new':'short'}"), 400, NULL);
    answers(ask(rig, "POST", "/api/v1/session/password", "{'old':'pats new password','new':'yet another one'}"), 204,
            NULL);
    answers(ask(rig, "GET", "/api/v1/session", NULL), 200, "pat");
    snprintf(cookie, sizeof cookie, "%s", other);
    answers(ask(rig, "GET", "/api/v1/session", NULL), 401, NULL);
}

static void scopes(struct serve_rig *rig) {
    char token[PEOPLE_SECRET_MAX], target[100];
    unit_case("a token does what its scopes hold, whatever its role");
    const struct json *v =
        JSON(rig->manager, "POST", "/api/v1/tokens",
             "{'user':'ann','role':'manager','scopes':['docs:part:read','series:read'],'days':30}", 201);
    snprintf(token, sizeof token, STR_FMT, STR_ARG(serve_rig_at(v, "token")));
    snprintf(target, sizeof target, "/api/v1/tokens/" STR_FMT, STR_ARG(serve_rig_at(v, "id")));
    static const struct {
        const char *method, *path, *body;
        int status;
    } cases[] = {
        {"GET", "/api/v1/docs/part", NULL, 200},
        {"GET", "/api/v1/docs", NULL, 200},
        {"GET", "/api/v1/session", NULL, 200},
        {"GET", "/api/v1/series?thing=m-1&metric=volt", NULL, 200},
        {"GET", "/api/v1/docs/work_order", NULL, 403},
        {"POST", "/api/v1/docs/part", "{'code':'X-1'}", 403},
        {"GET", "/api/v1/things", NULL, 403},
        {"GET", "/api/v1/users", NULL, 403},
        {"GET", "/api/v1/audit", NULL, 403},
        {"GET", "/api/v1/live", NULL, 403},
        {"POST", "/api/v1/tokens", "{'user':'x','role':'viewer'}", 403},
        {"PATCH", "/api/v1/party", "{'title':'x'}", 403},
        {"POST", "/api/v1/session/password", "{'old':'x','new':'y'}", 403},
        {"POST", "/api/v1/kernels/forecast", "{'files':[]}", 403},
        {"POST", "/api/v1/devices", "{'name':'x'}", 403},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        JSON(token, cases[i].method, cases[i].path, cases[i].body, cases[i].status);
    unit_case("what is no scope is refused by name");
    static const char *const bad[] = {"'docs'",          "'dcs:read'", "'docs:unicorn:read'",
                                      "'docs:part:eat'", "7",          "'a b:read'"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        char body[200];
        snprintf(body, sizeof body, "{'user':'ann','role':'viewer','scopes':[%s]}", bad[i]);
        JSON(rig->manager, "POST", "/api/v1/tokens", body, 400);
    }
    unit_case("the list tells of each token, but not its secret; revoked is revoked");
    struct http_answer a = serve_rig_ask(rig, rig->manager, "GET", "/api/v1/tokens", NULL);
    answers(a, 200, "\"scopes\":[\"docs:part:read\",\"series:read\"]");
    CHECK(str_find(a.body, str_c(token + 5)) < 0);
    JSON(rig->stranger, "DELETE", target, NULL, 404);
    JSON(rig->manager, "DELETE", target, NULL, 204);
    JSON(token, "GET", "/api/v1/docs/part", NULL, 401);
    JSON(rig->manager, "DELETE", target, NULL, 404);
    unit_case("a token is over when its days are");
    v = JSON(rig->manager, "POST", "/api/v1/tokens", "{'user':'ann','role':'viewer','days':0}", 400);
    struct people_token_options o = {.user = STR("ann"), .role = ROLE_VIEWER};
    o.until = atomic_load(&rig->now) + NANOS_PER_MIN;
    int64_t id;
    CHECK_OK(people_token_make(rig->people, &rig->system, rig->acme, &o, token, &id));
    JSON(token, "GET", "/api/v1/things", NULL, 200);
    atomic_fetch_add(&rig->now, NANOS_PER_MIN);
    JSON(token, "GET", "/api/v1/things", NULL, 401);
}

static void workers(struct serve_rig *rig) {
    char target[200], code[100];
    unit_case("a worker link is made by people, where the party allows it");
    sign_in(rig, "{'user':'ann','password':'correct horse'}", 200, NULL);
    static const char body[] = "{'roles':['technician'],'minutes':30,'label':'line 3','docs':['fault']}";
    JSON(rig->stranger, "POST", "/api/v1/worker-links", body, 409);
    answers(ask(rig, "POST", "/api/v1/worker-links", "{'roles':['manager'],'label':'x','docs':['fault']}"), 400, NULL);
    answers(ask(rig, "POST", "/api/v1/worker-links", "{'roles':['worker'],'label':'x','docs':['unicorn']}"), 400, NULL);
    answers(ask(rig, "POST", "/api/v1/worker-links", "{'roles':['worker'],'label':'x','docs':[]}"), 400, NULL);
    struct http_answer a = ask(rig, "POST", "/api/v1/worker-links", body);
    struct json *v = NULL;
    if (!CHECK_INT(a.status, 201) || !CHECK_OK(json_parse(a.body, &v))) return;
    code_of(v, "url", code);
    json_free(v);
    unit_case("who scans it may do what it says, and nothing else");
    snprintf(target, sizeof target, "/api/v1/worker-links/%s", code);
    a = serve_rig_ask(rig, NULL, "POST", target, NULL);
    answers(a, 200, "\"worker\":{\"label\":\"line 3\",\"docs\":[\"fault\"]}");
    keep_cookie(&a);
    answers(ask(rig, "POST", "/api/v1/docs/fault", "{'thing':'m-1','occurred_at':'2015-01-01'}"), 201, NULL);
    answers(ask(rig, "GET", "/api/v1/docs/fault", NULL), 200, NULL);
    answers(ask(rig, "GET", "/api/v1/docs/part", NULL), 403, NULL);
    answers(ask(rig, "POST", "/api/v1/session/password", "{'old':'correct horse','new':'something else'}"), 403, NULL);
    answers(ask(rig, "POST", "/api/v1/session/totp", NULL), 403, NULL);
    answers(ask(rig, "GET", "/api/v1/members", NULL), 403, NULL);
    answers(serve_rig_ask(rig, rig->manager, "GET", "/api/v1/audit?type=fault", NULL), 200, "link:line 3");
    unit_case("until it is over");
    atomic_fetch_add(&rig->now, 30 * NANOS_PER_MIN);
    answers(ask(rig, "GET", "/api/v1/session", NULL), 401, NULL);
    JSON(NULL, "POST", target, NULL, 404);
}

/* The code of now of a base32 secret. */
static void totp_now(struct serve_rig *rig, Str secret, char out[8]) {
    unsigned char bytes[TOTP_SECRET_BYTES];
    CHECK(totp_secret_parse(secret, bytes));
    snprintf(out, 8, "%06u",
             totp_code(str_n((const char *)bytes, sizeof bytes), (uint64_t)(atomic_load(&rig->now) / TOTP_STEP), 6));
}

static void second_factors(struct serve_rig *rig) {
    char secret[40], code[8], body[300], recovery[40];
    struct json *v = NULL;
    unit_case("where the party asks for a second factor, nothing else goes before there is one");
    JSON(rig->manager, "PATCH", "/api/v1/party", "{'settings':{'second_factor':['viewer']}}", 200);
    sign_in(rig, "{'user':'pat','password':'yet another one'}", 200, "\"needs\":\"second_factor\"");
    answers(ask(rig, "GET", "/api/v1/things", NULL), 403, "second factor");
    answers(ask(rig, "POST", "/api/v1/session/totp/confirm", "{'code':'123456'}"), 409, NULL);
    struct http_answer a = ask(rig, "POST", "/api/v1/session/totp", NULL);
    if (!answers(a, 200, "otpauth://totp/Weft:pat?secret=") || !CHECK_OK(json_parse(a.body, &v))) return;
    snprintf(secret, sizeof secret, STR_FMT, STR_ARG(json_get_str(v, "secret", STR(""))));
    json_free(v);
    answers(ask(rig, "POST", "/api/v1/session/totp/confirm", "{'code':'12345x'}"), 400, NULL);
    totp_now(rig, str_c(secret), code);
    snprintf(body, sizeof body, "{'code':'%s'}", code);
    a = ask(rig, "POST", "/api/v1/session/totp/confirm", body);
    if (!answers(a, 200, "recovery") || !CHECK_OK(json_parse(a.body, &v))) return;
    snprintf(recovery, sizeof recovery, STR_FMT, STR_ARG(json_str(json_at(json_get(v, "recovery"), 3))));
    CHECK_INT(json_len(json_get(v, "recovery")), 10);
    json_free(v);
    answers(ask(rig, "GET", "/api/v1/things", NULL), 200, NULL);
    unit_case("then the password alone does not sign in, nor does a code that was used");
    sign_in(rig, "{'user':'pat','password':'yet another one'}", 401, "/problems/second-factor");
    snprintf(body, sizeof body, "{'user':'pat','password':'yet another one','code':'%s'}", code);
    sign_in(rig, body, 401, "/problems/unauthenticated");
    snprintf(body, sizeof body, "{'user':'pat','password':'wrong password','code':'%s'}", code);
    sign_in(rig, body, 401, "/problems/unauthenticated");
    atomic_fetch_add(&rig->now, TOTP_STEP);
    totp_now(rig, str_c(secret), code);
    snprintf(body, sizeof body, "{'user':'pat','password':'yet another one','code':'%s'}", code);
    sign_in(rig, body, 200, "\"second_factor\":true");
    unit_case("a recovery code opens once");
    snprintf(body, sizeof body, "{'user':'pat','password':'yet another one','code':'%s'}", recovery);
    sign_in(rig, body, 200, NULL);
    sign_in(rig, body, 401, NULL);
    unit_case("it stays while the party asks for it, and goes with a code after that");
    atomic_fetch_add(&rig->now, TOTP_STEP);
    totp_now(rig, str_c(secret), code);
    snprintf(body, sizeof body, "{'code':'%s'}", code);
    answers(ask(rig, "DELETE", "/api/v1/session/totp", body), 403, NULL);
    JSON(rig->manager, "PATCH", "/api/v1/party", "{'settings':{'second_factor':[]}}", 200);
    answers(ask(rig, "DELETE", "/api/v1/session/totp", "{'code':'000000'}"), 403, NULL);
    answers(ask(rig, "DELETE", "/api/v1/session/totp", body), 204, NULL);
    sign_in(rig, "{'user':'pat','password':'yet another one'}", 200, "\"second_factor\":false");
}

static void fixation(struct serve_rig *rig) {
    char extra[300];
    unit_case("a session that somebody else chose is none, and signing in gives a new one");
    snprintf(extra, sizeof extra,
             "Cookie: weft_session=aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\nContent-Type: "
             "application/json\r\n");
    struct http_answer a = http_client_ask(&rig->client, "POST", "/api/v1/session", extra,
                                           STR("{\"user\":\"ann\",\"password\":\"correct horse\"}"));
    CHECK_INT(a.status, 200);
    CHECK(str_find(http_client_header(&a, "Set-Cookie"), STR("aaaaaaaaaa")) < 0);
    CHECK_INT(http_client_ask(&rig->client, "GET", "/api/v1/session", extra, (Str){0}).status, 401);
    unit_case("the session before ends when somebody signs in over it");
    char old[sizeof cookie];
    keep_cookie(&a);
    snprintf(old, sizeof old, "%s", cookie);
    snprintf(extra, sizeof extra, "Cookie: %s\r\nContent-Type: application/json\r\n", old);
    a = http_client_ask(&rig->client, "POST", "/api/v1/session", extra,
                        STR("{\"user\":\"ann\",\"password\":\"correct horse\"}"));
    CHECK_INT(a.status, 200);
    CHECK_INT(http_client_ask(&rig->client, "GET", "/api/v1/session", extra, (Str){0}).status, 401);
}

static void live_ends(struct serve_rig *rig) {
    struct http_client other = {.fd = -1};
    char extra[300];
    unit_case("who listens live hears no more when his session ends");
    sign_in(rig, "{'user':'ann','password':'correct horse'}", 200, NULL);
    http_client_open(&other, serve_address(rig->serve));
    snprintf(extra, sizeof extra, "GET /api/v1/live HTTP/1.1\r\nHost: x\r\nCookie: %s\r\n\r\n", cookie);
    http_client_send(&other, str_c(extra));
    CHECK(http_client_wait(&other, "event: status", 60 * NANOS_PER_S));
    answers(ask(rig, "DELETE", "/api/v1/session", NULL), 204, NULL);
    CHECK(http_client_wait(&other, "0\r\n\r\n", 60 * NANOS_PER_S)); /* the last chunk: the stream has ended */
    http_client_close(&other);
}

void api_people_test(void) {
    static struct serve_rig rig;
    char code[100] = "";
    struct seal *seal = NULL;
    if (!serve_rig_open(&rig, 0)) return;
    struct seal_options options = {.dir = rig.dir};
    if (CHECK_OK(seal_open(&options, &seal))) people_use_seal(rig.people, seal);
    parties(&rig);
    operators(&rig, code);
    invitations(&rig, code);
    members(&rig);
    scopes(&rig);
    workers(&rig);
    second_factors(&rig);
    fixation(&rig);
    live_ends(&rig);
    serve_rig_close(&rig);
    seal_close(seal);
}
