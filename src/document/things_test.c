#include "document/things.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "os/thread.h"
#include "store/records.h"
#include "tests/lib/store_postgresql.h"
#include "tests/unit.h"
#include "trust/audit.h"
#include "trust/gate.h"

void things_test(void);

struct world {
    const char *dir;
    struct records *records;
    struct things *things;
    struct arena arena;
};

#define ACME 1u
static const struct principal manager = {.party = ACME, .user = 1, .roles = ROLE_BIT(ROLE_MANAGER), .name = "boss"};

static bool open_world(struct world *w) {
    if (!w->dir) w->dir = unit_temp_dir();
    return CHECK_OK(records_open(&(struct records_options){.dir = w->dir, .url = store_postgresql_for(w->dir)},
                                 &w->records)) &&
           CHECK_OK(things_open(w->records, &clock_system, &w->things));
}

static void restart(struct world *w) {
    things_close(w->things);
    records_close(w->records);
    CHECK(open_world(w));
}

static struct thing_row blank(const char *name) {
    return (struct thing_row){.party = ACME, .name = str_c(name), .latitude = NAN, .longitude = NAN};
}

static void puts_things(struct world *w) {
    struct thing_row row = blank("truck-1"), got;
    char model[64];
    unit_case("made, found, changed where given, and the same after a restart");
    row.model = STR("model1");
    row.latitude = 31.25;
    row.longitude = -0.0;
    row.attributes = STR("{\"colour\":\"红\"}");
    CHECK_OK(things_put(w->things, &manager, &row));
    row = blank("truck-1");
    row.latitude = 40;
    row.commissioned = 5;
    CHECK_OK(things_put(w->things, &manager, &row));
    for (int i = 0; i < 2; i++) {
        if (!CHECK(things_get(w->things, ACME, STR("truck-1"), &w->arena, &got))) return;
        CHECK_STR(got.model, STR("model1"));
        CHECK_STR(got.attributes, STR("{\"colour\":\"红\"}"));
        CHECK_NUM(got.latitude, 40, 0);
        CHECK_NUM(got.longitude, 0, 0);
        CHECK_INT(got.commissioned, 5);
        CHECK(got.created > 0);
        restart(w);
    }
    CHECK(things_model(w->things, ACME, STR("truck-1"), model));
    CHECK_STR(str_c(model), STR("model1"));
    unit_case("names are a party's own");
    CHECK(!things_get(w->things, 2, STR("truck-1"), &w->arena, &got));
    CHECK(!things_get(w->things, ACME, STR("truck-2"), &w->arena, &got));
    CHECK(!things_get(w->things, ACME, (Str){0}, &w->arena, &got));
    CHECK(!things_model(w->things, ACME, STR("truck-2"), model));
    CHECK_INT(things_count(w->things, ACME), 1);
    CHECK_INT(things_count(w->things, 999), 0);
    unit_case("in the audit, with before and after");
    struct audit_row *rows;
    struct lens lens;
    size_t n;
    CHECK_OK(gate_lens(&manager, NULL, "test", &lens));
    CHECK_OK(audit_list(w->records, &lens, STR("thing"), STR("truck-1"), 0, 10, &w->arena, &rows, &n));
    if (CHECK_INT(n, 2)) {
        CHECK_STR(rows[0].action, STR("thing.change"));
        CHECK(str_find(rows[0].before, STR("\"latitude\":31.25")) > 0);
        CHECK(str_find(rows[0].after, STR("\"latitude\":40")) > 0);
        CHECK_STR(rows[1].action, STR("thing.create"));
    }
}

static void refuses(struct world *w) {
    static const char zero[] = "a\0b";
    static const struct {
        const char *name;
        enum err_code code;
        struct thing_row row;
    } cases[] = {
        {"no name", ERR_INVALID, {.party = ACME}},
        {"a name with NUL", ERR_INVALID, {.party = ACME, .name = {zero, 3}}},
        {"a name that is no UTF-8", ERR_INVALID, {.party = ACME, .name = {"\xed\xa0\x80", 3}}},
        {"a name with a line end", ERR_INVALID, {.party = ACME, .name = {"a\n", 2}}},
        {"no party", ERR_INVALID, {.name = {"a", 1}}},
        {"attributes that are no object", ERR_INVALID, {.party = ACME, .name = {"a", 1}, .attributes = {"[]", 2}}},
        {"attributes that are no JSON", ERR_INVALID, {.party = ACME, .name = {"a", 1}, .attributes = {"{", 1}}},
        {"a latitude beyond the pole", ERR_INVALID, {.party = ACME, .name = {"a", 1}, .latitude = 90.1}},
        {"an infinite longitude", ERR_INVALID, {.party = ACME, .name = {"a", 1}, .longitude = INFINITY}},
        {"a longitude beyond", ERR_INVALID, {.party = ACME, .name = {"a", 1}, .longitude = -180.5}},
    };
    struct principal system = principal_system(ACME, "test");
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        unit_case(cases[i].name);
        CHECK_ERR(things_put(w->things, &system, &cases[i].row), cases[i].code);
    }
    unit_case("who may not");
    struct principal viewer = manager, foreign = manager;
    struct thing_row row = blank("a");
    viewer.roles = ROLE_BIT(ROLE_VIEWER);
    foreign.party = 2;
    CHECK_ERR(things_put(w->things, &viewer, &row), ERR_FORBIDDEN);
    CHECK_ERR(things_put(w->things, &foreign, &row), ERR_FORBIDDEN);
    CHECK_INT(things_count(w->things, ACME), 1);
}

static void sees_things(struct world *w) {
    struct thing_row got;
    char model[64], big[300];
    unit_case("seen for the first time: known at once, kept soon");
    things_seen(w->things, ACME, STR("pump-1"), STR(""));
    CHECK(things_model(w->things, ACME, STR("pump-1"), model));
    CHECK_STR(str_c(model), STR(""));
    unit_case("a model is filled in, not replaced, and nothing else is touched");
    things_seen(w->things, ACME, STR("pump-1"), STR("pump"));
    things_seen(w->things, ACME, STR("pump-1"), STR("other"));
    things_seen(w->things, ACME, STR("truck-1"), STR("other"));
    restart(w);
    CHECK(things_model(w->things, ACME, STR("pump-1"), model));
    CHECK_STR(str_c(model), STR("pump"));
    CHECK(things_get(w->things, ACME, STR("truck-1"), &w->arena, &got));
    CHECK_STR(got.model, STR("model1"));
    CHECK_NUM(got.latitude, 40, 0);
    unit_case("names that cannot be are not kept");
    memset(big, 'x', sizeof big);
    things_seen(w->things, ACME, str_n(big, sizeof big), STR(""));
    things_seen(w->things, ACME, STR("a\tb"), STR(""));
    things_seen(w->things, ACME, STR("b"), str_n(big, 64));
    CHECK_INT(things_count(w->things, ACME), 2);
}

static void lists_things(struct world *w) {
    struct thing_row *rows, row = blank("truck-1");
    struct lens lens;
    size_t n;
    unit_case("by name, of one party, of one model");
    things_seen(w->things, 2, STR("boat"), STR("pump"));
    things_seen(w->things, ACME, STR("axle"), STR("pump"));
    CHECK_OK(gate_lens(&manager, NULL, "test", &lens));
    CHECK_OK(things_list(w->things, &lens, STR(""), &w->arena, &rows, &n));
    if (CHECK_INT(n, 3)) {
        CHECK_STR(rows[0].name, STR("axle"));
        CHECK_STR(rows[1].name, STR("pump-1"));
        CHECK_STR(rows[2].name, STR("truck-1"));
    }
    CHECK_OK(things_list(w->things, &lens, STR("pump"), &w->arena, &rows, &n));
    CHECK_INT(n, 2);
    struct lens all = gate_lens_system("test");
    CHECK_OK(things_list(w->things, &all, STR("pump"), &w->arena, &rows, &n));
    CHECK_INT(n, 3);
    unit_case("a put of what is only seen so far");
    row.name = STR("axle");
    row.latitude = 1;
    CHECK_OK(things_put(w->things, &manager, &row));
    restart(w);
    CHECK(things_get(w->things, ACME, STR("axle"), &w->arena, &row));
    CHECK_STR(row.model, STR("pump"));
    CHECK_NUM(row.latitude, 1, 0);
}

struct seer {
    struct world *w;
    int missing;
};

static void see_many(void *ctx) {
    struct seer *s = ctx;
    for (int i = 0; i < 300; i++) {
        char name[32], model[64];
        snprintf(name, sizeof name, "seen-%d", i); /* the same for all */
        things_seen(s->w->things, 3, str_c(name), STR("m"));
        s->missing += !things_model(s->w->things, 3, str_c(name), model);
    }
}

static void sees_many(struct world *w) {
    struct seer seers[4];
    struct thread *threads[4];
    struct records_stats before, after;
    unit_case("four threads see the same things: one row each");
    records_stats(w->records, &before);
    for (int i = 0; i < 4; i++) {
        seers[i] = (struct seer){.w = w};
        if (!CHECK_OK(thread_start(&threads[i], "see", see_many, &seers[i]))) return;
    }
    for (int i = 0; i < 4; i++) {
        thread_join(threads[i]);
        CHECK_INT(seers[i].missing, 0);
    }
    struct thing_row last = blank("last");
    CHECK_OK(things_put(w->things, &manager, &last)); /* behind all that was seen */
    records_stats(w->records, &after);
    CHECK_INT(after.jobs - before.jobs, 301);
    CHECK_INT(after.failed, before.failed);
    restart(w);
    CHECK_INT(things_count(w->things, 3), 300);
}

void things_test(void) {
    struct world w = {.dir = NULL};
    arena_init(&w.arena, 0);
    if (!open_world(&w)) return;
    puts_things(&w);
    refuses(&w);
    sees_things(&w);
    lists_things(&w);
    sees_many(&w);
    things_close(w.things);
    records_close(w.records);
    arena_fini(&w.arena);
}
