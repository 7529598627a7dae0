#include "domain/service/service_dispatch.h"

#include <math.h>

#include "tests/unit.h"

#define MINUTES(n) ((n)*NANOS_PER_MIN)

static void distances(void) {
    unit_case("distance of known places");
    CHECK_NUM(service_dispatch_km(39.9042, 116.4074, 31.2304, 121.4737), 1067.3, 1.0); /* Beijing–Shanghai */
    CHECK_NUM(service_dispatch_km(0, 0, 0, 180), 20015.1, 0.1);                        /* half the equator */
    CHECK_NUM(service_dispatch_km(0, 179.5, 0, -179.5), 111.195, 0.01);                /* across the date line */
    CHECK_NUM(service_dispatch_km(31, 121, 31, 121), 0, 1e-9);
    CHECK(isnan(service_dispatch_km(NAN, 121, 31, 121)));
    unit_case("travel grows with distance and is an hour when unknown");
    double km;
    CHECK_INT(service_dispatch_travel(31, 121, 31, 121, &km), MINUTES(5));
    Nanos last = 0;
    for (int i = 0; i < 400; i++) {
        Nanos t = service_dispatch_travel(31, 121, 31 + i * 0.01, 121, &km);
        if (!CHECK(i == 0 || t > last || km > 4)) break;
        last = t;
    }
    CHECK_INT(service_dispatch_travel(NAN, 121, 31, 121, &km), DISPATCH_UNKNOWN_TRAVEL);
    CHECK(isnan(km));
}

/* The machine stands at 31.0 N 121.0 E; 0.01° of latitude are 1.1 km. */
struct choice_case {
    const char *name, *skill;
    struct dispatch_technician technicians[4];
    size_t n;
    ptrdiff_t want;
    enum dispatch_lack lack;
};

#define TECH(tech_id, tech_skills, lat, is_available, hand, late)                                                      \
    {                                                                                                                  \
        .id = tech_id, .skills = {tech_skills, sizeof(tech_skills) - 1}, .latitude = lat, .longitude = 121,            \
        .available = is_available, .in_hand = hand, .lately = late                                                     \
    }

static const struct choice_case choices[] = {
    {"nobody at all", "mechanical", {{.id = 0}}, 0, -1, DISPATCH_NOBODY},
    {"nobody with the skill",
     "mechanical",
     {TECH(1, "electrical|hydraulic", 31, true, 0, 0)},
     1,
     -1,
     DISPATCH_NO_SKILL},
    {"a skill is a whole word", "mechanic", {TECH(1, "mechanical", 31, true, 0, 0)}, 1, -1, DISPATCH_NO_SKILL},
    {"all with the skill are busy",
     "mechanical",
     {TECH(1, "mechanical", 31, true, 1, 0), TECH(2, "electrical", 31, true, 0, 0)},
     2,
     -1,
     DISPATCH_ALL_BUSY},
    {"off shift does not go", "mechanical", {TECH(1, "mechanical", 31, false, 0, 0)}, 1, -1, DISPATCH_ALL_BUSY},
    {"the nearest goes",
     "mechanical",
     {TECH(1, "mechanical", 31.9, true, 0, 0), TECH(2, "electrical|mechanical", 31.3, true, 0, 9)},
     2,
     1,
     DISPATCH_FOUND},
    {"the nearest is busy",
     "mechanical",
     {TECH(1, "mechanical", 31.9, true, 0, 0), TECH(2, "mechanical", 31.3, true, 1, 0)},
     2,
     0,
     DISPATCH_FOUND},
    {"about as quick: the one with fewer orders lately",
     "mechanical",
     {TECH(1, "mechanical", 31.01, true, 0, 4), TECH(2, "mechanical", 31.02, true, 0, 1)},
     2,
     1,
     DISPATCH_FOUND},
    {"equal in all: the lower id",
     "mechanical",
     {TECH(7, "mechanical", 31.01, true, 0, 1), TECH(3, "mechanical", 31.01, true, 0, 1)},
     2,
     1,
     DISPATCH_FOUND},
    {"no skill asked for: anybody", "", {TECH(1, "", 31, true, 0, 0)}, 1, 0, DISPATCH_FOUND},
    {"blanks around a skill do not matter",
     "mechanical",
     {TECH(1, "electrical | mechanical", 31, true, 0, 0)},
     1,
     0,
     DISPATCH_FOUND},
    {"an unknown position counts as an hour away",
     "mechanical",
     {TECH(1, "mechanical", NAN, true, 0, 0), TECH(2, "mechanical", 31.2, true, 0, 5)},
     2,
     1,
     DISPATCH_FOUND},
};

static void technicians(void) {
    for (size_t i = 0; i < sizeof choices / sizeof *choices; i++) {
        const struct choice_case *c = &choices[i];
        unit_case(c->name);
        struct dispatch_need need = {.skill = str_c(c->skill), .latitude = 31, .longitude = 121};
        struct dispatch_choice got = service_dispatch_choose(&need, c->technicians, c->n, NULL, 0);
        CHECK_INT(got.technician, c->want);
        CHECK_INT(got.lack, c->lack);
        CHECK_INT(got.part, -1);
        CHECK(got.technician < 0 || got.travel > 0);
    }
}

struct part_case {
    const char *name, *component;
    struct dispatch_part parts[3];
    size_t n;
    ptrdiff_t want;
};

#define PART(part_id, comp, lat, hand, held)                                                                           \
    {                                                                                                                  \
        .id = part_id, .component = {comp, sizeof(comp) - 1}, .latitude = lat, .longitude = 121, .on_hand = hand,      \
        .reserved = held                                                                                               \
    }

static const struct part_case part_cases[] = {
    {"no parts", "comp1", {{.id = 0}}, 0, -1},
    {"none that fits", "comp1", {PART(1, "comp2", 31, 5, 0)}, 1, -1},
    {"none that is free", "comp1", {PART(1, "comp1", 31, 2, 2), PART(2, "comp1", 31, 0, 0)}, 2, -1},
    {"the nearest stock with a free piece",
     "comp1",
     {PART(1, "comp1", 32, 5, 0), PART(2, "comp1", 31.1, 1, 0), PART(3, "comp1", 31, 1, 1)},
     3,
     1},
    {"equally near: the lower id", "comp1", {PART(9, "comp1", 31, 1, 0), PART(4, "comp1", 31, 1, 0)}, 2, 1},
    {"a stock of unknown place comes last", "comp1", {PART(1, "comp1", NAN, 9, 0), PART(2, "comp1", 33, 1, 0)}, 2, 1},
    {"no component, no part", "", {PART(1, "", 31, 9, 0)}, 1, -1},
};

static void parts(void) {
    for (size_t i = 0; i < sizeof part_cases / sizeof *part_cases; i++) {
        const struct part_case *c = &part_cases[i];
        unit_case(c->name);
        struct dispatch_need need = {.component = str_c(c->component), .latitude = 31, .longitude = 121};
        CHECK_INT(service_dispatch_choose(&need, NULL, 0, c->parts, c->n).part, c->want);
    }
}

void service_dispatch_test(void) {
    distances();
    technicians();
    parts();
}
