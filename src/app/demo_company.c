#include "app/demo_company.h"

#include <math.h>
#include <stdio.h>

#include "base/jw.h"
#include "document/documents.h"
#include "document/things.h"
#include "os/process.h"
#include "store/series.h"
#include "trust/gate.h"
#include "trust/people.h"

/* ---- people. The passwords are for an evening on one's own machine, yet nobody guesses 15 letters of 32. */
static const struct {
    const char *user, *what;
    unsigned roles;
} logins_table[DEMO_COMPANY_LOGINS] = {
    {"admin", "sees and does everything", ROLE_STAFF | ROLE_BIT(ROLE_TECHNICIAN)},
    {"technician", "goes to machines", ROLE_BIT(ROLE_TECHNICIAN)},
    {"viewer", "looks", ROLE_BIT(ROLE_VIEWER)},
};

static void make_password(char out[DEMO_COMPANY_PASSWORD_MAX]) {
    static const char letters[] = "abcdefghijkmnpqrstuvwxyz23456789"; /* 32, none mistaken for another */
    unsigned char bytes[15];
    process_random(bytes, sizeof bytes);
    size_t n = 0;
    for (size_t i = 0; i < sizeof bytes; i++) {
        if (i > 0 && i % 5 == 0) out[n++] = '-';
        out[n++] = letters[bytes[i] % 32];
    }
    out[n] = '\0';
}

static Err make_logins(struct flow *flow, const struct principal *by, struct demo_login logins[DEMO_COMPANY_LOGINS]) {
    struct people *people = flow->workspace.people;
    for (size_t i = 0; i < DEMO_COMPANY_LOGINS; i++) {
        Str user = str_c(logins_table[i].user);
        logins[i] = (struct demo_login){.user = logins_table[i].user, .what = logins_table[i].what};
        make_password(logins[i].password);
        if (people_has_user(people, flow->party, user))
            TRY(people_set_password(people, by, flow->party, user, str_c(logins[i].password)));
        else
            TRY(people_add_user(people, by, flow->party, user, str_c(logins[i].password), logins_table[i].roles));
    }
    return err_none();
}

/* ---- crew and stock */
struct technician_row {
    const char *name, *skills;
    double latitude, longitude;
    const char *user;
};

static const struct technician_row technicians[] = {
    {"工程师 01 · Engineer 01", "electrical|mechanical", 34.26, 117.19, "technician"},
    {"工程师 02 · Engineer 02", "mechanical|hydraulic", 34.44, 117.45, ""},
    {"工程师 03 · Engineer 03", "electrical|hydraulic|mechanical", 34.72, 116.93, ""},
    {"工程师 04 · Engineer 04", "electrical|hydraulic|mechanical", 33.96, 118.28, ""},
    {"工程师 05 · Engineer 05", "electrical|mechanical", 34.81, 117.32, ""},
    {"工程师 06 · Engineer 06", "electrical|hydraulic|mechanical", 35.41, 116.59, ""},
    {"工程师 07 · Engineer 07", "electrical|hydraulic|mechanical", 34.80, 118.60, ""},
    {"工程师 08 · Engineer 08", "electrical|hydraulic|mechanical", 32.39, 119.41, ""},
};

struct part_row {
    const char *code, *title_en, *title_zh, *component;
};

static const struct part_row parts[] = {
    {"PN-1001", "Drive power unit", "驱动电源单元", "comp1"},
    {"PN-2001", "Spindle bearing set", "主轴轴承组", "comp2"},
    {"PN-3001", "Hydraulic pump", "液压泵", "comp3"},
    {"PN-4001", "Coupling and damper set", "联轴器与减振组", "comp4"},
};

static const struct stock_row {
    const char *suffix, *location;
    double latitude, longitude;
    int64_t on_hand, reorder_point;
} stocks[] = {
    {"XZ", "徐州中心库 · Xuzhou central store", 34.27, 117.21, 8, 4},
    {"HA", "淮安前置库 · Huai'an forward store", 33.61, 119.02, 4, 2},
};

/* Is there a document whose field says so? */
static Err exists(struct flow *flow, const struct doctype *type, const char *field, Str text, bool *yes) {
    struct arena arena;
    struct lens lens;
    struct doc_page page;
    struct principal who = principal_system(flow->party, "demo");
    TRY(gate_lens(&who, type, "demo", &lens));
    struct doc_filter filter = {field, DOC_EQ, VALUE_S(text)};
    arena_init(&arena, 0);
    Err err = documents_list(flow->workspace.documents, &lens, type,
                             &(struct doc_query){.filters = &filter, .n_filters = 1, .limit = 1}, &arena, &page);
    *yes = err.code == ERR_NONE && page.n > 0;
    arena_fini(&arena);
    return err;
}

/* Makes the document unless one with the same first value is there. */
static Err make_once(struct flow *flow, const char *type_name, const struct doc_set *set, size_t n) {
    const struct doctype *type = documents_type(flow->workspace.documents, str_c(type_name));
    bool there;
    TRY(exists(flow, type, set[0].field, set[0].value.s, &there));
    if (there) return err_none();
    struct arena arena;
    arena_init(&arena, 0);
    struct principal who = principal_system(flow->party, "demo");
    struct doc *doc;
    Err err =
        documents_create(flow->workspace.documents, &who, type, &(struct doc_change){.set = set, .n = n}, &arena, &doc);
    arena_fini(&arena);
    return err;
}

static Err make_technicians(struct flow *flow) {
    for (size_t i = 0; i < sizeof technicians / sizeof *technicians; i++) {
        const struct technician_row *t = &technicians[i];
        struct doc_set set[] = {{"name", VALUE_S(str_c(t->name))},
                                {"skills", VALUE_S(str_c(t->skills))},
                                {"latitude", VALUE_F(t->latitude)},
                                {"longitude", VALUE_F(t->longitude)},
                                {"user", VALUE_S(str_c(t->user))}};
        TRY(make_once(flow, "technician", set, *t->user ? 5 : 4));
    }
    return err_none();
}

static Err make_part(struct flow *flow, const struct part_row *p, const struct stock_row *s) {
    char code[32];
    snprintf(code, sizeof code, "%s-%s", p->code, s->suffix);
    struct doc_set set[] = {{"code", VALUE_S(str_c(code))},
                            {"title_en", VALUE_S(str_c(p->title_en))},
                            {"title_zh", VALUE_S(str_c(p->title_zh))},
                            {"component", VALUE_S(str_c(p->component))},
                            {"on_hand", VALUE_I(s->on_hand)},
                            {"reorder_point", VALUE_I(s->reorder_point)},
                            {"location", VALUE_S(str_c(s->location))},
                            {"latitude", VALUE_F(s->latitude)},
                            {"longitude", VALUE_F(s->longitude)}};
    return make_once(flow, "part", set, sizeof set / sizeof *set);
}

static Err make_parts(struct flow *flow) {
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        for (size_t k = 0; k < sizeof stocks / sizeof *stocks; k++) TRY(make_part(flow, &parts[i], &stocks[k]));
    return err_none();
}

/* ---- machines */
static Err make_machine(struct flow *flow, const struct principal *by, const struct recording_machine *m, Nanos from) {
    struct buf attributes = {0};
    struct jw w;
    jw_init(&w, &attributes);
    jw_object(&w);
    jw_kstr(&w, "site_en", m->site_en);
    jw_kstr(&w, "site_zh", m->site_zh);
    jw_kint(&w, "age_years", m->age_years);
    jw_kc(&w, "position", "made up");
    jw_object_end(&w);
    int year, month, day, hour, minute, second;
    time_civil(from, &year, &month, &day, &hour, &minute, &second);
    struct thing_row row = {.party = flow->party,
                            .name = m->name,
                            .model = m->model,
                            .attributes = buf_view(&attributes),
                            .latitude = m->latitude,
                            .longitude = m->longitude,
                            .commissioned = time_from_civil(year - (int)m->age_years, month, day, 0, 0, 0)};
    Err err = things_put(flow->workspace.things, by, &row);
    buf_fini(&attributes);
    return err;
}

static Err make_machines(struct flow *flow, const struct principal *by, const struct recording *r,
                         struct demo_device *devices) {
    for (size_t i = 0; i < r->n_machines; i++) {
        const struct recording_machine *m = &r->machines[i];
        char model[64];
        if (!things_model(flow->workspace.things, flow->party, m->name, model)) TRY(make_machine(flow, by, m, r->from));
        ThingId thing; /* numbered in this order, whichever machine is heard first */
        TRY(series_thing(flow->workspace.series, flow->party, m->name, &thing));
        TRY(device_add(flow->workspace.devices, by, flow->party, m->name, false, devices[i].user, devices[i].password));
    }
    return err_none();
}

Err demo_company_make(struct flow *flow, const struct recording *recording,
                      struct demo_login logins[DEMO_COMPANY_LOGINS], struct demo_device *devices) {
    struct principal by = principal_system(flow->party, "demo");
    TRY(make_logins(flow, &by, logins));
    TRY(make_machines(flow, &by, recording, devices));
    TRY(make_parts(flow));
    return make_technicians(flow);
}
