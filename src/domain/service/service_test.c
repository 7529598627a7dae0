#include "domain/service/service.h"

#include <stdio.h>
#include <string.h>

#include "domain/service/service_board.h"
#include "domain/service/service_predictions.h"
#include "tests/lib/domain_rig.h"
#include "tests/lib/model_machinery.h"

#define TYPE(name) model_machinery_type(name)
#define ORDER TYPE("work_order")
#define HOURS(n) (DOMAIN_RIG_START + (Nanos)((n) * (double)NANOS_PER_HOUR))
#define SHOWS(type, id, field, want) CHECK_STR(domain_rig_show(rig, type, id, field), str_c(want))
#define STATE(type, id, want) SHOWS(type, id, "state", want)

static int64_t of(const struct doc *doc, const char *field) {
    Value v = doctype_get(doc, field);
    return v.kind == VALUE_INT ? v.i : 0;
}

/* One order's id, the newest. */
static int64_t newest(struct domain_rig *rig, const struct doctype *type) {
    struct doc *doc = domain_rig_newest(rig, type);
    return doc ? doc->id : 0;
}

/* ---- a prediction, from the finding to the part on the shelf */
static void prediction_to_done(struct domain_rig *rig) {
    unit_case("a predicted failure sends the nearest technician with the skill, and reserves the nearest part");
    int64_t far = domain_rig_technician(rig, "far", "mechanical", 32.5);
    int64_t near = domain_rig_technician(rig, "near", "electrical|mechanical", 31.1);
    int64_t wrong = domain_rig_technician(rig, "next door", "hydraulic", 31.0);
    int64_t shelf_far = domain_rig_part(rig, "P-far", "comp2", 5, 33);
    int64_t shelf = domain_rig_part(rig, "P-near", "comp2", 1, 31.3);
    domain_rig_at(rig, 10);
    domain_rig_predict(rig, "m-1", "comp2", 0.8, 10);
    CHECK_INT(domain_rig_count(rig, TYPE("prediction")), 1);
    CHECK_INT(domain_rig_count(rig, ORDER), 1);
    struct doc *order = domain_rig_newest(rig, ORDER);
    if (!order) return;
    int64_t id = order->id;
    STATE(ORDER, id, "dispatched");
    SHOWS(ORDER, id, "kind", "predictive");
    CHECK_INT(of(order, "technician"), near);
    CHECK_INT(of(order, "part"), shelf);
    CHECK_INT(of(order, "requested_at"), HOURS(10));
    CHECK_INT(of(order, "arrive_by"), HOURS(12));
    CHECK_INT(of(order, "finish_by"), HOURS(34));
    CHECK(of(order, "planned_arrival") > HOURS(10) && of(order, "planned_arrival") < HOURS(11));
    SHOWS(ORDER, id, "title_zh", "m-1：主轴轴承组预计 48 小时内故障（80%）");
    STATE(TYPE("technician"), near, "busy");
    STATE(TYPE("technician"), far, "available");
    STATE(TYPE("technician"), wrong, "available");
    SHOWS(TYPE("part"), shelf, "reserved", "1");
    SHOWS(TYPE("part"), shelf_far, "reserved", "0");
    int64_t prediction = newest(rig, TYPE("prediction"));
    CHECK_INT(of(domain_rig_get(rig, TYPE("prediction"), prediction), "work_order"), id);
    CHECK(strstr(domain_rig_show(rig, TYPE("prediction"), prediction, "reasons").ptr, "slower than \\\"usual\\\""));

    unit_case("the same finding again makes nothing, a surer one raises the probability");
    domain_rig_predict(rig, "m-1", "comp2", 0.8, 10);
    domain_rig_predict(rig, "m-1", "comp2", 0.9, 11);
    CHECK_INT(domain_rig_count(rig, TYPE("prediction")), 1);
    SHOWS(TYPE("prediction"), prediction, "probability", "0.9");

    unit_case("the technician's own steps bring the same reactions");
    domain_rig_at(rig, 10.2);
    CHECK_OK(domain_rig_move(rig, ORDER, id, "depart", NULL));
    domain_rig_at(rig, 11);
    CHECK_OK(domain_rig_move(rig, ORDER, id, "arrive", NULL));
    SHOWS(ORDER, id, "arrival_kept", "true");
    SHOWS(TYPE("technician"), near, "latitude", "31");
    domain_rig_at(rig, 13);
    CHECK_OK(domain_rig_move(rig, ORDER, id, "finish", "{'finding':'worn','remedy':'replaced','signature':'Wang'}"));
    SHOWS(ORDER, id, "completion_kept", "true");
    STATE(TYPE("technician"), near, "available");
    SHOWS(TYPE("part"), shelf, "on_hand", "0");
    SHOWS(TYPE("part"), shelf, "reserved", "0");
    STATE(TYPE("reservation"), newest(rig, TYPE("reservation")), "used");
    int64_t record = newest(rig, TYPE("maintenance"));
    SHOWS(TYPE("maintenance"), record, "kind", "predictive");
    CHECK_INT(of(domain_rig_get(rig, TYPE("maintenance"), record), "done_at"), HOURS(13));
    CHECK_INT(atomic_load(&rig->replaced), 1);
    CHECK_INT(atomic_load(&rig->replaced_at), HOURS(13));
    CHECK_OK(domain_rig_move(rig, ORDER, id, "confirm", NULL));
    STATE(ORDER, id, "confirmed");
}

/* ---- how predictions turn out */
static void outcomes(struct domain_rig *rig) {
    static const struct {
        const char *name;
        double predicted, fails; /* hours; fails < 0: never */
        const char *component;
        double looked; /* the clock when judged */
        const char *state, *lead, *foreseen;
    } cases[] = {
        {"a fault within the horizon confirms it", 10, 50, "comp1", 50, "confirmed", "40", "true"},
        {"at the last moment of it", 10, 58, "comp1", 58, "confirmed", "48", "true"},
        {"a fault of another component does not", 10, 50, "comp3", 50, "open", "", "false"},
        {"a fault after the horizon does not", 10, 59, "comp1", 59, "open", "", "false"},
        {"without a fault it expires a day after the horizon", 10, -1, "", 82.1, "expired", "", ""},
        {"and not before", 10, -1, "", 81.9, "open", "", ""},
        {"a fault reported late still counts at its own time", 10, 57, "comp1", 75, "confirmed", "47", "true"},
        {"a fault before the prediction does not count", 10, 9, "comp1", 10, "open", "", "false"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        unit_case(cases[i].name);
        struct domain_rig fresh;
        struct domain_rig *outer = rig;
        if (!domain_rig_open(&fresh)) return;
        rig = &fresh;
        domain_rig_at(rig, cases[i].predicted);
        domain_rig_predict(rig, "m-1", "comp1", 0.7, cases[i].predicted);
        domain_rig_at(rig, cases[i].looked);
        int64_t prediction = newest(rig, TYPE("prediction"));
        if (cases[i].fails >= 0) {
            char json[160], at[TIME_TEXT_MAX];
            snprintf(json, sizeof json, "{'thing':'m-1','component':'%s','occurred_at':'" STR_FMT "'}",
                     cases[i].component, STR_ARG(time_format(HOURS(cases[i].fails), at)));
            int64_t fault = domain_rig_make(rig, TYPE("fault"), json);
            SHOWS(TYPE("fault"), fault, "foreseen", cases[i].foreseen);
        }
        STATE(TYPE("prediction"), prediction, cases[i].state);
        SHOWS(TYPE("prediction"), prediction, "lead_hours", cases[i].lead);
        domain_rig_close(&fresh);
        rig = outer;
    }
}

/* ---- one open order a component */
static void one_open_order(struct domain_rig *rig) {
    unit_case("a fault of a component that already has an open order makes that one urgent");
    domain_rig_predict(rig, "m-1", "comp1", 0.7, 0);
    int64_t order = newest(rig, ORDER);
    STATE(ORDER, order, "requested");
    SHOWS(ORDER, order, "note", "waiting: no technician is registered / 等待：尚未登记服务工程师");
    int64_t fault =
        domain_rig_make(rig, TYPE("fault"), "{'thing':'m-1','component':'comp1','occurred_at':'2015-01-01T00:00:00Z'}");
    CHECK_INT(domain_rig_count(rig, ORDER), 1);
    SHOWS(ORDER, order, "priority", "urgent");
    CHECK_INT(of(domain_rig_get(rig, ORDER, order), "fault"), fault);
    CHECK_INT(atomic_load(&rig->failed), 1);
    unit_case("another component of the machine gets its own");
    domain_rig_make(rig, TYPE("fault"), "{'thing':'m-1','component':'comp3','occurred_at':'2015-01-01T00:00:00Z'}");
    CHECK_INT(domain_rig_count(rig, ORDER), 2);
    SHOWS(ORDER, newest(rig, ORDER), "kind", "breakdown");
    unit_case("a fault of the whole machine gets its own");
    domain_rig_make(rig, TYPE("fault"), "{'thing':'m-x','occurred_at':'2015-01-01T00:00:00Z','text':'dead'}");
    CHECK_INT(domain_rig_count(rig, ORDER), 3);
    unit_case("a technician who comes on shift goes to the most urgent order first");
    int64_t late = domain_rig_technician(rig, "li", "electrical", 31);
    CHECK_INT(of(domain_rig_get(rig, ORDER, order), "technician"), late);
    STATE(ORDER, order, "dispatched");
    unit_case("when he has finished, the fault is repaired and he goes to the next one he can do");
    CHECK_OK(domain_rig_move(rig, ORDER, order, "arrive", NULL));
    CHECK_OK(domain_rig_move(rig, ORDER, order, "finish", NULL));
    STATE(TYPE("fault"), fault, "repaired");
    int64_t last = newest(rig, ORDER);
    SHOWS(ORDER, last, "thing", "m-x");
    STATE(ORDER, last, "dispatched");
    STATE(ORDER, last - 1, "requested"); /* a hydraulic one */
    SHOWS(ORDER, last - 1, "note",
          "waiting: no technician has the skill 'hydraulic' / 等待：没有具备“hydraulic”技能的工程师");
}

/* ---- parts */
static void parts(struct domain_rig *rig) {
    unit_case("without a part the order says so, and gets one when it comes in");
    domain_rig_technician(rig, "li", "electrical|mechanical", 31);
    int64_t order = domain_rig_make(rig, ORDER, "{'thing':'m-1','component':'comp1','kind':'request'}");
    STATE(ORDER, order, "dispatched");
    SHOWS(ORDER, order, "part", "");
    SHOWS(ORDER, order, "finding", "part PN-1001 is not in stock, to be ordered / 备件 PN-1001 无库存，需采购");
    int64_t part = domain_rig_part(rig, "PN-1001", "comp1", 2, 31);
    CHECK_INT(of(domain_rig_get(rig, ORDER, order), "part"), part);
    SHOWS(ORDER, order, "finding", "");
    SHOWS(TYPE("part"), part, "reserved", "1");
    unit_case("a person's reservation beyond the stock is released again");
    char json[120];
    snprintf(json, sizeof json, "{'part':%d,'quantity':'2'}", (int)part);
    int64_t greedy = domain_rig_make(rig, TYPE("reservation"), json);
    STATE(TYPE("reservation"), greedy, "released");
    SHOWS(TYPE("part"), part, "reserved", "1");
    snprintf(json, sizeof json, "{'part':%d}", (int)part);
    int64_t modest = domain_rig_make(rig, TYPE("reservation"), json);
    STATE(TYPE("reservation"), modest, "reserved");
    SHOWS(TYPE("part"), part, "reserved", "2");
    unit_case("a cancelled order gives its part and its technician back");
    CHECK_OK(domain_rig_move(rig, ORDER, order, "cancel", NULL));
    SHOWS(TYPE("part"), part, "reserved", "1");
    SHOWS(TYPE("part"), part, "on_hand", "2");
    STATE(TYPE("technician"), newest(rig, TYPE("technician")), "available");
    unit_case("a piece that a person takes is taken off the shelf once");
    CHECK_OK(domain_rig_move(rig, TYPE("reservation"), modest, "use", NULL));
    SHOWS(TYPE("part"), part, "on_hand", "1");
    SHOWS(TYPE("part"), part, "reserved", "0");
    SHOWS(TYPE("reservation"), modest, "issued", "true");
    unit_case("a part named when finishing is taken without a reservation");
    order = domain_rig_make(rig, ORDER, "{'thing':'m-2','component':'comp4'}");
    CHECK_OK(domain_rig_move(rig, ORDER, order, "arrive", NULL));
    snprintf(json, sizeof json, "{'part':%d,'remedy':'took another one'}", (int)part);
    CHECK_OK(domain_rig_move(rig, ORDER, order, "finish", json));
    SHOWS(TYPE("part"), part, "on_hand", "0");
    SHOWS(TYPE("maintenance"), newest(rig, TYPE("maintenance")), "kind", "corrective");
    unit_case("nothing replaced, nothing recorded");
    size_t before = domain_rig_count(rig, TYPE("maintenance"));
    order = domain_rig_make(rig, ORDER, "{'thing':'m-2','component':'comp4'}");
    CHECK_OK(domain_rig_move(rig, ORDER, order, "arrive", NULL));
    CHECK_OK(domain_rig_move(rig, ORDER, order, "finish", "{'remedy':'cleaned'}"));
    CHECK_INT(domain_rig_count(rig, TYPE("maintenance")), before);
}

/* ---- by hand */
static void by_hand(struct domain_rig *rig) {
    unit_case("a person's own dispatch and reassignment are planned, and free the one who does not go");
    int64_t a = domain_rig_technician(rig, "a", "electrical", 31);
    int64_t b = domain_rig_technician(rig, "b", "mechanical", 31.4);
    CHECK_OK(domain_rig_move(rig, TYPE("technician"), a, "end_shift", NULL));
    int64_t order = domain_rig_make(rig, ORDER, "{'thing':'m-1','component':'comp1','title_zh':'噪音大'}");
    STATE(ORDER, order, "requested");
    SHOWS(ORDER, order, "title_en", "噪音大");
    char json[64];
    snprintf(json, sizeof json, "{'technician':%d}", (int)b);
    CHECK_OK(domain_rig_move(rig, ORDER, order, "dispatch", json));
    STATE(TYPE("technician"), b, "busy");
    CHECK(of(domain_rig_get(rig, ORDER, order), "planned_arrival") > HOURS(0));
    CHECK_OK(domain_rig_move(rig, TYPE("technician"), a, "start_shift", NULL));
    snprintf(json, sizeof json, "{'technician':%d}", (int)a);
    CHECK_OK(domain_rig_move(rig, ORDER, order, "reassign", json));
    STATE(TYPE("technician"), a, "busy");
    STATE(TYPE("technician"), b, "available");
    unit_case("a record of the replacement that was noted by hand is taken over, not doubled");
    domain_rig_at(rig, 1);
    int64_t part = domain_rig_part(rig, "P", "comp1", 1, 31);
    CHECK_INT(of(domain_rig_get(rig, ORDER, order), "part"), part);
    int64_t noted = domain_rig_make(rig, TYPE("maintenance"),
                                    "{'thing':'m-1','component':'comp1','done_at':'2015-01-01T00:30:00Z'}");
    CHECK_OK(domain_rig_move(rig, ORDER, order, "arrive", NULL));
    CHECK_OK(domain_rig_move(rig, ORDER, order, "finish", NULL));
    CHECK_INT(domain_rig_count(rig, TYPE("maintenance")), 1);
    CHECK_INT(of(domain_rig_get(rig, TYPE("maintenance"), noted), "work_order"), order);
}

/* ---- the promise clock */
static void promises(struct domain_rig *rig) {
    unit_case("an order nobody reached in two hours becomes urgent, once");
    int64_t order = domain_rig_make(rig, ORDER, "{'thing':'m-1','priority':'low'}");
    domain_rig_at(rig, 1.9);
    SHOWS(ORDER, order, "priority", "low");
    domain_rig_at(rig, 2.1);
    SHOWS(ORDER, order, "priority", "urgent");
    CHECK_INT(of(domain_rig_get(rig, ORDER, order), "escalated_at"), HOURS(2.1));
    domain_rig_at(rig, 5);
    CHECK_INT(of(domain_rig_get(rig, ORDER, order), "escalated_at"), HOURS(2.1));
    unit_case("a late arrival and a late end are missed promises");
    domain_rig_technician(rig, "li", "electrical", 31);
    domain_rig_at(rig, 6);
    CHECK_OK(domain_rig_move(rig, ORDER, order, "arrive", NULL));
    SHOWS(ORDER, order, "arrival_kept", "false");
    domain_rig_at(rig, 25);
    CHECK_OK(domain_rig_move(rig, ORDER, order, "finish", NULL));
    SHOWS(ORDER, order, "completion_kept", "false");
    unit_case("an order that is worked on too long is told as well");
    order = domain_rig_make(rig, ORDER, "{'thing':'m-2'}");
    CHECK_OK(domain_rig_move(rig, ORDER, order, "arrive", NULL));
    SHOWS(ORDER, order, "arrival_kept", "true");
    domain_rig_at(rig, 49.2);
    SHOWS(ORDER, order, "priority", "urgent");
}

/* ---- alarms */
static void alarms(struct domain_rig *rig) {
    unit_case("a critical alarm brings an order for the metric's component, a lesser one does not");
    struct finding f = {.kind = FINDING_LIMIT,
                        .party = rig->party,
                        .thing_name = STR("m-1"),
                        .metric = STR("volt"),
                        .at = HOURS(0),
                        .score = 230};
    act_finding(rig->act, &f);
    act_drain(rig->act);
    CHECK_INT(domain_rig_count(rig, TYPE("alarm")), 1);
    CHECK_INT(domain_rig_count(rig, ORDER), 0);
    f.score = 260;
    f.at = HOURS(0.1);
    act_finding(rig->act, &f);
    act_drain(rig->act);
    CHECK_INT(domain_rig_count(rig, TYPE("alarm")), 1);
    CHECK_INT(domain_rig_count(rig, ORDER), 1);
    int64_t order = newest(rig, ORDER);
    SHOWS(ORDER, order, "kind", "alarm");
    SHOWS(ORDER, order, "component", "comp1");
    SHOWS(ORDER, order, "title_zh", "m-1：电压 260 V，超出限值 226 V");
    unit_case("and the order is not made again while it is open");
    f.score = 300;
    f.at = HOURS(3);
    act_finding(rig->act, &f);
    act_drain(rig->act);
    CHECK_INT(domain_rig_count(rig, ORDER), 1);
    unit_case("people acknowledge alarms, they do not make them");
    struct principal who = domain_rig_person(rig, "li.wei", ROLE_STAFF);
    struct doc *doc;
    CHECK_ERR(documents_create(rig->documents, &who, TYPE("alarm"), NULL, &rig->arena, &doc), ERR_FORBIDDEN);
    CHECK_OK(domain_rig_move(rig, TYPE("alarm"), newest(rig, TYPE("alarm")), "acknowledge", "{'note':'seen'}"));
    SHOWS(TYPE("alarm"), newest(rig, TYPE("alarm")), "acknowledged_by", "li.wei");
}

/* ---- the replayed failure */
static void recorded_failures(struct domain_rig *rig) {
    static const char recorded[] =
        "{'thing':'m-1','component':'comp1','occurred_at':'2015-01-02T16:00:00Z','source':'recording'}";
    unit_case("a recorded failure after its predicted repair is foreseen, and sends nobody again");
    domain_rig_technician(rig, "li", "electrical", 31);
    domain_rig_part(rig, "P", "comp1", 3, 31);
    domain_rig_predict(rig, "m-1", "comp1", 0.7, 0);
    int64_t order = newest(rig, ORDER);
    CHECK_OK(domain_rig_move(rig, ORDER, order, "arrive", NULL));
    CHECK_OK(domain_rig_move(rig, ORDER, order, "finish", NULL));
    domain_rig_at(rig, 40);
    int64_t fault = domain_rig_make(rig, TYPE("fault"), recorded);
    STATE(TYPE("fault"), fault, "repaired");
    SHOWS(TYPE("fault"), fault, "foreseen", "true");
    SHOWS(TYPE("prediction"), newest(rig, TYPE("prediction")), "lead_hours", "40");
    CHECK_INT(domain_rig_count(rig, ORDER), 1);
    unit_case("the same reported by a person does send somebody");
    domain_rig_at(rig, 200);
    domain_rig_predict(rig, "m-2", "comp1", 0.7, 200);
    order = newest(rig, ORDER);
    CHECK_OK(domain_rig_move(rig, ORDER, order, "arrive", NULL));
    CHECK_OK(domain_rig_move(rig, ORDER, order, "finish", NULL));
    fault =
        domain_rig_make(rig, TYPE("fault"), "{'thing':'m-2','component':'comp1','occurred_at':'2015-01-09T09:00:00Z'}");
    SHOWS(TYPE("fault"), fault, "foreseen", "true");
    STATE(TYPE("fault"), fault, "reported");
    CHECK_INT(domain_rig_count(rig, ORDER), 3);
}

/* In a replay only the recording's own replacements are told to insight. */
static void replayed_repairs(struct domain_rig *rig) {
    unit_case("a replay tells insight only of the replacements the recording knows");
    struct service *service;
    struct service_options options = {.documents = rig->documents,
                                      .things = rig->things,
                                      .replaced = domain_rig_replaced,
                                      .ctx = rig,
                                      .replay = true};
    domain_rig_make(rig, TYPE("maintenance"), "{'thing':'m-1','component':'comp1','done_at':'2014-07-01T06:00:00Z'}");
    struct principal recording = domain_rig_person(rig, SERVICE_RECORDING, ROLE_STAFF);
    struct doc_set set[] = {
        {"thing", VALUE_S(STR("m-1"))}, {"component", VALUE_S(STR("comp2"))}, {"done_at", VALUE_I(HOURS(-5))}};
    struct doc *doc;
    CHECK_OK(documents_create(rig->documents, &recording, TYPE("maintenance"), &(struct doc_change){.set = set, .n = 3},
                              &rig->arena, &doc));
    act_drain(rig->act);
    CHECK_INT(atomic_load(&rig->replaced), 2); /* the rig itself is no replay */
    if (!CHECK_OK(service_open(&options, &service))) return;
    atomic_store(&rig->replaced, 0);
    CHECK_OK(service_history(service));
    CHECK_INT(atomic_load(&rig->replaced), 1);
    CHECK_INT(atomic_load(&rig->replaced_at), HOURS(-5));
    service_close(service);
}

/* ---- history and board */
static void history_and_board(struct domain_rig *rig) {
    unit_case("what is on record is told again after a restart");
    domain_rig_make(rig, TYPE("fault"), "{'thing':'m-1','component':'comp1','occurred_at':'2015-01-01T00:00:00Z'}");
    domain_rig_make(rig, TYPE("fault"), "{'thing':'m-x','occurred_at':'2015-01-01T00:00:00Z'}");
    domain_rig_make(rig, TYPE("maintenance"), "{'thing':'m-1','component':'comp1','done_at':'2014-07-01T06:00:00Z'}");
    if (!domain_rig_reopen(rig)) return;
    atomic_store(&rig->failed, 0);
    atomic_store(&rig->replaced, 0);
    CHECK_OK(service_history(rig->service));
    CHECK_INT(atomic_load(&rig->failed), 1); /* the other one names no component */
    CHECK_INT(atomic_load(&rig->replaced), 1);
    unit_case("the board counts what a viewer may see");
    domain_rig_predict(rig, "m-1", "comp2", 0.7, 0);
    domain_rig_at(rig, 30);
    domain_rig_make(rig, TYPE("fault"), "{'thing':'m-1','component':'comp2','occurred_at':'2015-01-02T06:00:00Z'}");
    struct service_board board;
    struct principal who = domain_rig_person(rig, "eve", ROLE_BIT(ROLE_VIEWER));
    CHECK_OK(service_board_read(rig->documents, &who, 0, &rig->arena, &board));
    CHECK_INT(board.n_work_orders, 7);
    CHECK_STR(str_c(board.work_orders[0].name), STR("requested"));
    CHECK_INT(board.work_orders[0].count, 3);
    CHECK_INT(board.predictions_confirmed, 1);
    CHECK_INT(board.faults, 3);
    CHECK_INT(board.faults_foreseen, 1);
    CHECK_INT(board.faults_foreseen_24h, 1);
    CHECK_NUM(board.precision, 1, 0);
    CHECK_NUM(board.recall, 1.0 / 3, 1e-12);
    who.party++;
    CHECK_OK(service_board_read(rig->documents, &who, 0, &rig->arena, &board));
    CHECK_INT(board.faults, 0);
    CHECK_INT(board.work_orders[0].count, 0);
    CHECK(board.precision != board.precision);
}

/* ---- every declaration holds together */
static void declarations(struct domain_rig *rig) {
    (void)rig;
    unit_case("every type, field, choice, state and transition has both titles and refers to what exists");
    for (const struct doctype *const *t = model_machinery()->types; *t; t++) {
        CHECK((*t)->title_en && (*t)->title_zh && (*t)->n_fields <= DOCTYPE_FIELDS_MAX);
        for (size_t i = 0; i < (*t)->n_fields; i++) {
            const struct field *f = &(*t)->fields[i];
            CHECK(f->title_en && f->title_zh);
            CHECK((f->kind == FIELD_CHOICE) == (f->choices != NULL));
            CHECK((f->kind == FIELD_REF) == (f->ref != NULL));
            bool found = f->kind != FIELD_REF;
            for (const struct doctype *const *r = model_machinery()->types; *r && !found; r++)
                found = strcmp((*r)->name, f->ref) == 0;
            CHECK(found);
        }
        for (size_t i = 0; i < (*t)->n_transitions; i++) {
            const struct transition *x = &(*t)->transitions[i];
            CHECK(x->title_en && x->title_zh);
            CHECK(!x->to || doctype_state(*t, str_c(x->to)) >= 0);
            CHECK(!x->stamps || doctype_field(*t, str_c(x->stamps)) >= 0);
        }
    }
    for (const struct thing_model *const *m = model_machinery()->models; *m; m++) {
        CHECK(catalog_model(model_machinery(), str_c((*m)->name)) == *m);
        for (size_t i = 0; i < (*m)->n_metrics; i++) {
            const struct thing_metric *x = &(*m)->metrics[i];
            CHECK(!x->component || thing_model_component(*m, str_c(x->component)));
        }
    }
    CHECK(catalog_model(model_machinery(), STR("model9")) == NULL);
}

void service_test(void) {
    static void (*const scenarios[])(struct domain_rig * rig) = {
        declarations, prediction_to_done, outcomes,         one_open_order,    parts, by_hand, promises,
        alarms,       recorded_failures,  replayed_repairs, history_and_board,
    };
    for (size_t i = 0; i < sizeof scenarios / sizeof *scenarios; i++) {
        struct domain_rig rig;
        unit_case("rig");
        if (domain_rig_open(&rig)) {
            scenarios[i](&rig);
            struct act_stats stats;
            act_stats(rig.act, &stats);
            CHECK_INT(stats.reactions.failed, 0);
            CHECK_INT(stats.listeners_failed, 0);
        }
        domain_rig_close(&rig);
    }
}
