#include <stdio.h>

#include "tests/lib/serve_rig.h"
#include "tests/lib/serve_types.h"
#include "trust/people.h"

void api_agreements_test(void);

#define JSON(who, method, target, body, status) serve_rig_json(rig, (who), (method), (target), (body), (status))

static char operator_token[96];

static void propose(struct serve_rig *rig) {
    const struct json *v;
    unit_case("terms that cannot be are refused with the reason");
    JSON(rig->stranger, "POST", "/api/v1/agreements", "{'owner':'acme','title':'x','terms':{}}", 400);
    JSON(rig->stranger, "POST", "/api/v1/agreements",
         "{'owner':'acme','title':'x','terms':{'purpose':'p','types':[{'type':'order','fields':['nonsense']}]}}", 400);
    v = JSON(rig->stranger, "POST", "/api/v1/agreements",
             "{'owner':'acme','title':'x','terms':{'purpose':'p','types':[{'type':'nonsense','fields':['number']}]}}",
             400);
    CHECK(str_find(serve_rig_at(v, "detail"), STR("no document type 'nonsense'")) > 0);
    JSON(rig->stranger, "POST", "/api/v1/agreements",
         "{'owner':'acme','title':'x','terms':{'purpose':'p','series':[{'resolution':'minutely'}]}}", 400);
    JSON(rig->stranger, "POST", "/api/v1/agreements", "{'owner':'nobody','title':'x','terms':{}}", 404);
    JSON(rig->technician, "POST", "/api/v1/agreements", "{'receiver':'other','title':'x','terms':{}}", 403);

    unit_case("a receiver asks, the owner answers with less, the receiver accepts");
    v = JSON(rig->stranger, "POST", "/api/v1/agreements",
             "{'owner':'acme','title':'Parts','terms':{'purpose':'resupply','confidentiality':'Keep it to yourself.',"
             "'types':[{'type':'order','fields':['number','state','title','quantity']}],"
             "'series':[{'things':['m-1'],'metrics':['volt'],'resolution':'hourly'}]}}",
             201);
    CHECK_AT(v, "number", "AG-000001");
    CHECK_AT(v, "state", "proposed");
    CHECK_AT(v, "dsp", "REQUESTED");
    CHECK_AT(v, "can.0", "counter"); /* not accept: it is one's own offer */
    JSON(rig->stranger, "POST", "/api/v1/agreements/AG-000001/accept", NULL, 409);
    v = JSON(rig->manager, "POST", "/api/v1/agreements/AG-000001/counter",
             "{'reason':'less','terms':{'purpose':'resupply','confidentiality':'Keep it to yourself.',"
             "'types':[{'type':'order','fields':['number','title']}],"
             "'series':[{'things':['m-1'],'metrics':['volt'],'resolution':'hourly'}]}}",
             200);
    CHECK_AT(v, "state", "negotiating");
    CHECK_AT(v, "dsp", "OFFERED");
    CHECK_AT(v, "versions", "[2]");
    JSON(rig->stranger, "POST", "/api/v1/agreements/1/accept", "{'version':1}", 412);
    v = JSON(rig->stranger, "POST", "/api/v1/agreements/1/accept", "{'version':2}", 200);
    CHECK_AT(v, "state", "agreed");
    CHECK_AT(v, "dsp", "AGREED");

    unit_case("nothing is read before the confidentiality terms are accepted");
    JSON(rig->stranger, "GET", "/api/v1/docs/order?agreement=AG-000001", NULL, 403);
    JSON(rig->manager, "POST", "/api/v1/agreements/1/accept_confidentiality", NULL, 409);
    v = JSON(rig->stranger, "POST", "/api/v1/agreements/1/accept_confidentiality", NULL, 200);
    CHECK_AT(v, "state", "active");
    CHECK_AT(v, "dsp", "FINALIZED");
}

static void read(struct serve_rig *rig) {
    const struct json *v;
    unit_case("what is given is read, by number or by owner, and nothing else");
    JSON(rig->manager, "POST", "/api/v1/docs/order", "{'title':'Seal','quantity':'7'}", 201);
    v = JSON(rig->stranger, "GET", "/api/v1/docs/order?owner=acme", NULL, 200);
    CHECK_AT(v, "items", "[1]");
    CHECK_AT(v, "items.0.title", "Seal");
    CHECK_AT(v, "items.0.quantity", "absent");
    CHECK_AT(v, "items.0.state", "absent");
    CHECK_AT(v, "items.0.can", "absent");
    CHECK_AT(v, "agreement.number", "AG-000001");
    CHECK_AT(v, "agreement.owner.name", "acme");
    CHECK_AT(v, "agreement.purpose", "resupply");
    JSON(rig->stranger, "GET", "/api/v1/docs/order?agreement=1&sort=quantity", NULL, 400);
    JSON(rig->stranger, "GET", "/api/v1/docs/order?agreement=1&quantity>=3", NULL, 400);
    JSON(rig->stranger, "GET", "/api/v1/docs/order?agreement=1&count=state", NULL, 400);
    JSON(rig->stranger, "GET", "/api/v1/docs/customer?agreement=1", NULL, 403);
    v = JSON(rig->stranger, "GET", "/api/v1/docs/order", NULL, 200);
    CHECK_AT(v, "items", "[0]");
    unit_case("machines are their names, series are hourly");
    serve_rig_sample(rig, "m-1", SERVE_RIG_START + NANOS_PER_MIN, 10);
    serve_rig_sample(rig, "m-1", SERVE_RIG_START + 2 * NANOS_PER_MIN, 20);
    atomic_store(&rig->now, SERVE_RIG_START + 2 * NANOS_PER_HOUR);
    v = JSON(rig->stranger, "GET", "/api/v1/things?agreement=1", NULL, 200);
    CHECK_AT(v, "items", "[1]");
    CHECK_AT(v, "items.0.name", "m-1");
    CHECK_AT(v, "items.0.latitude", "absent");
    v = JSON(rig->stranger, "GET", "/api/v1/things/m-1?agreement=1", NULL, 200);
    CHECK_AT(v, "latest", "[0]");
    JSON(rig->stranger, "GET", "/api/v1/things/m-2?agreement=1", NULL, 404);
    v = JSON(rig->stranger, "GET", "/api/v1/series?thing=m-1&metric=volt&window=0&agreement=1", NULL, 200);
    CHECK_AT(v, "window_s", "3600");
    CHECK_AT(v, "points", "[1]");
    CHECK_AT(v, "points.0.1", "15");
    unit_case("others know of no such agreement");
    JSON(rig->technician, "POST", "/api/v1/agreements/1/end", NULL, 403);
    JSON(rig->manager, "GET", "/api/v1/docs/order?agreement=1", NULL, 403);
    JSON(rig->manager, "GET", "/api/v1/docs/order?agreement=2", NULL, 404);
}

static void owner(struct serve_rig *rig) {
    const struct json *v;
    unit_case("the owner sees who read what");
    v = JSON(rig->manager, "GET", "/api/v1/disclosures", NULL, 200);
    CHECK_AT(v, "items.0.type", "series");
    CHECK_AT(v, "items.0.reader.party.name", "other");
    CHECK_AT(v, "items.0.reader.who", "token:sam");
    CHECK_AT(v, "items.0.purpose", "resupply");
    CHECK_AT(v, "items.3.type", "order");
    CHECK_AT(v, "items.3.what", "list 1");
    CHECK_AT(v, "items.3.fields.0", "number");
    CHECK_AT(v, "items.3.fields.1", "title");
    CHECK_AT(v, "items", "[4]");
    v = JSON(rig->stranger, "GET", "/api/v1/disclosures", NULL, 200);
    CHECK_AT(v, "items", "[0]");
    v = JSON(rig->manager, "GET", "/api/v1/disclosures/summary?by=reader:day", NULL, 200);
    CHECK_AT(v, "items.0.reads", "4");
    v = JSON(rig->manager, "GET", "/api/v1/disclosures?limit=1&agreement=AG-000001", NULL, 200);
    CHECK_AT(v, "items", "[1]");
    JSON(rig->viewer, "GET", "/api/v1/disclosures", NULL, 403);

    unit_case("what would be given is shown through the receiver's lens, with warnings");
    v = JSON(rig->manager, "GET", "/api/v1/agreements/1/preview", NULL, 200);
    CHECK_AT(v, "types.0.rows", "1");
    CHECK_AT(v, "types.0.sample.0.title", "Seal");
    CHECK_AT(v, "types.0.sample.0.quantity", "absent");
    CHECK_AT(v, "types.0.fields", "[2]");
    CHECK_AT(v, "series.0.things", "1");
    CHECK(str_find(serve_rig_at(v, "warnings.0.text_zh"), STR("编号")) > 0);
    JSON(rig->stranger, "GET", "/api/v1/agreements/1/preview", NULL, 403);
    v = JSON(rig->stranger, "GET", "/api/v1/agreements/1/odrl", NULL, 200);
    CHECK_AT(v, "@type", "Agreement");
    CHECK_AT(v, "permission.0.action", "read");
}

static void steps(struct serve_rig *rig) {
    const struct json *v;
    unit_case("suspending stops reads at once; only who suspended resumes");
    v = JSON(rig->manager, "POST", "/api/v1/agreements/1/suspend", "{'reason':'audit'}", 200);
    CHECK_AT(v, "state", "suspended");
    JSON(rig->stranger, "GET", "/api/v1/docs/order?agreement=1", NULL, 403);
    JSON(rig->stranger, "POST", "/api/v1/agreements/1/resume", NULL, 409);
    JSON(rig->manager, "POST", "/api/v1/agreements/1/resume", NULL, 200);
    JSON(rig->stranger, "GET", "/api/v1/docs/order?agreement=1", NULL, 200);
    unit_case("either side ends it, for good");
    v = JSON(rig->stranger, "POST", "/api/v1/agreements/1/end", NULL, 200);
    CHECK_AT(v, "state", "ended");
    CHECK_AT(v, "dsp", "TERMINATED");
    JSON(rig->stranger, "GET", "/api/v1/docs/order?agreement=1", NULL, 403);
    JSON(rig->stranger, "GET", "/api/v1/docs/order?owner=acme", NULL, 403);
    JSON(rig->manager, "POST", "/api/v1/agreements/1/resume", NULL, 409);
    JSON(rig->manager, "POST", "/api/v1/agreements/1/vanish", NULL, 404);
    unit_case("what was done stands in both audits");
    v = JSON(rig->manager, "GET", "/api/v1/audit?type=agreement", NULL, 200);
    CHECK_AT(v, "items.0.action", "agreement.end");
    v = JSON(rig->stranger, "GET", "/api/v1/audit?type=agreement&target=AG-000001", NULL, 200);
    CHECK_AT(v, "items", "[7]");

    unit_case("time opens and ends it");
    v = JSON(rig->manager, "POST", "/api/v1/agreements",
             "{'receiver':'other','title':'Later','terms':{'purpose':'p','from':'2015-01-02','to':'2015-01-03',"
             "'types':[{'type':'order','fields':['title']}]}}",
             201);
    CHECK_AT(v, "dsp", "OFFERED");
    v = JSON(rig->stranger, "POST", "/api/v1/agreements/2/accept", NULL, 200);
    CHECK_AT(v, "state", "agreed");
    JSON(rig->stranger, "GET", "/api/v1/docs/order?agreement=2", NULL, 403);
    atomic_store(&rig->now, SERVE_RIG_START + NANOS_PER_DAY + 1);
    JSON(rig->stranger, "GET", "/api/v1/docs/order?agreement=2", NULL, 200);
    atomic_store(&rig->now, SERVE_RIG_START + 2 * NANOS_PER_DAY);
    JSON(rig->stranger, "GET", "/api/v1/docs/order?agreement=2", NULL, 403);
    v = JSON(rig->manager, "GET", "/api/v1/agreements?state=ended&side=given", NULL, 200);
    CHECK_AT(v, "items", "[2]");
}

static void law(struct serve_rig *rig) {
    const struct json *v;
    const char *body = "{'owner':'other','title':'Inspection','legal_reference':'Data Security Law art. 35',"
                       "'terms':{'purpose':'inspection','types':[{'type':'order','fields':['title']}]}}";
    unit_case("the operator stands above nobody: without a title it reads nothing");
    JSON(rig->stranger, "POST", "/api/v1/docs/order", "{'title':'Valve','quantity':'1'}", 201);
    v = JSON(operator_token, "GET", "/api/v1/docs/order", NULL, 200);
    CHECK_AT(v, "items.0.title", "Seal");
    JSON(operator_token, "GET", "/api/v1/docs/order?owner=other", NULL, 403);
    unit_case("only the operator records what the law gives, and the owner sees it");
    JSON(rig->manager, "POST", "/api/v1/agreements", body, 403);
    v = JSON(operator_token, "POST", "/api/v1/agreements", body, 201);
    CHECK_AT(v, "state", "active");
    CHECK_AT(v, "basis", "law");
    v = JSON(operator_token, "GET", "/api/v1/docs/order?owner=other", NULL, 200);
    CHECK_AT(v, "items.0.title", "Valve");
    v = JSON(rig->stranger, "GET", "/api/v1/agreements/3", NULL, 200);
    CHECK_AT(v, "legal_reference", "Data Security Law art. 35");
    CHECK_AT(v, "can", "[0]");
    JSON(rig->stranger, "POST", "/api/v1/agreements/3/end", NULL, 409);
    v = JSON(rig->stranger, "GET", "/api/v1/disclosures", NULL, 200);
    CHECK_AT(v, "items.0.reader.who", "token:olga");
    JSON(operator_token, "POST", "/api/v1/agreements/3/end", NULL, 200);
}

/* Proposed by acme and accepted by the other at once; its number in *id. */
static void agree(struct serve_rig *rig, const char *terms, char path[80]) {
    char body[900];
    snprintf(body, sizeof body, "{'receiver':'other','title':'More','terms':%s}", terms);
    const struct json *v = JSON(rig->manager, "POST", "/api/v1/agreements", body, 201);
    long long id = json_get_int(v, "id", 0);
    char accept[80];
    snprintf(accept, sizeof accept, "/api/v1/agreements/%lld/accept", id);
    JSON(rig->stranger, "POST", accept, NULL, 200);
    snprintf(path, 80, "agreement=%lld", id);
}

static void lines_and_groups(struct serve_rig *rig) {
    static const char *const colours[] = {"red", "red", "red", "green", "green"};
    char body[200], under[80], target[200];
    const struct json *v;
    for (size_t i = 0; i < 5; i++) {
        snprintf(body, sizeof body, "{'colour':'%s','rows':[{'sku':'seal','cost':'9.50'},{'sku':'bolt'}]}", colours[i]);
        JSON(rig->manager, "POST", "/api/v1/docs/basket", body, 201);
    }
    unit_case("of lines, only the fields that are given");
    JSON(rig->manager, "POST", "/api/v1/agreements",
         "{'receiver':'other','title':'x','terms':{'purpose':'p','types':[{'type':'basket','fields':['rows']}]}}", 400);
    JSON(rig->manager, "POST", "/api/v1/agreements",
         "{'receiver':'other','title':'x','terms':{'purpose':'p','types':[{'type':'basket','fields':['rows.no']}]}}",
         400);
    agree(rig, "{'purpose':'p','types':[{'type':'basket','fields':['rows.sku']}]}", under);
    snprintf(target, sizeof target, "/api/v1/docs/basket/1?%s", under);
    v = JSON(rig->stranger, "GET", target, NULL, 200);
    CHECK_AT(v, "rows", "[2]");
    CHECK_AT(v, "rows.0.sku", "seal");
    CHECK_AT(v, "rows.0.cost", "absent");
    CHECK_AT(v, "colour", "absent");

    unit_case("small groups are withheld, and what would tell them");
    agree(rig, "{'purpose':'p','min_group':3,'types':[{'type':'basket','aggregates':true,'fields':['colour']}]}",
          under);
    snprintf(target, sizeof target, "/api/v1/docs/basket?%s", under);
    JSON(rig->stranger, "GET", target, NULL, 403);
    snprintf(target, sizeof target, "/api/v1/docs/basket?group=colour&measure=count&%s", under);
    v = JSON(rig->stranger, "GET", target, NULL, 200);
    CHECK_AT(v, "groups", "[0]"); /* 3 red would leave 2 green to be told by the total */
    CHECK_AT(v, "withheld", "2");
    snprintf(target, sizeof target, "/api/v1/docs/basket?count=colour&colour=red&%s", under);
    v = JSON(rig->stranger, "GET", target, NULL, 200);
    CHECK_AT(v, "counts", "[0]");
    JSON(rig->manager, "POST", "/api/v1/docs/basket", "{'colour':'green'}", 201);
    v = JSON(rig->stranger, "GET", target, NULL, 200);
    CHECK_AT(v, "counts.0.count", "3");
}

static void sides(struct serve_rig *rig) {
    static const char terms[] =
        "{'receiver':'other','title':'x','terms':{'purpose':'p','types':[{'type':'order','fields':['%s']}]}}";
    char body[300];
    unit_case("what is the owner's own is refused with the reason");
    snprintf(body, sizeof body, terms, "margin");
    const struct json *v = JSON(rig->manager, "POST", "/api/v1/agreements", body, 400);
    CHECK(str_find(serve_rig_at(v, "detail"), STR("its type does not share it")) > 0);
    snprintf(body, sizeof body, terms, "x_theirs");
    JSON(rig->manager, "POST", "/api/v1/agreements", body, 400);
    unit_case("what customers pay is warned of, alone and together");
    v = JSON(rig->manager, "POST", "/api/v1/agreements",
             "{'receiver':'other','title':'x','terms':{'purpose':'p','types':[{'type':'order',"
             "'fields':['customer','price','created_by','created']}]}}",
             201);
    char target[80];
    snprintf(target, sizeof target, "/api/v1/agreements/" STR_FMT "/preview", STR_ARG(serve_rig_at(v, "id")));
    struct http_answer a = serve_rig_ask(rig, rig->manager, "GET", target, NULL);
    CHECK(str_find(a.body, STR("Together these fields show what each customer pays.")) > 0);
    CHECK(str_find(a.body, STR("Persons together with times show who worked when.")) > 0);
}

void api_agreements_test(void) {
    struct serve_rig whole, *rig = &whole;
    if (serve_rig_open_types(rig, 0, serve_types)) {
        CHECK_OK(people_token(rig->people, &rig->system, rig->acme, STR("olga"), ROLE_OPERATOR, operator_token));
        propose(rig);
        read(rig);
        owner(rig);
        steps(rig);
        law(rig);
        lines_and_groups(rig);
        sides(rig);
    }
    serve_rig_close(rig);
}
