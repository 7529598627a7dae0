#include "domain/service/service_dispatch.h"

#include <math.h>

#define EARTH_KM 6371.0088 /* mean radius, IUGG */
#define ROAD_FACTOR 1.3    /* roads are longer than the straight line; 1.2–1.4 in the literature on road circuity */
#define SETTING_OUT (5 * NANOS_PER_MIN)

/* Town streets first, then main roads, then motorway: speed of the whole journey by its length on the road. */
static const struct { double up_to_km, km_per_hour; } speeds[] = {{5, 25}, {20, 40}, {80, 60}, {HUGE_VAL, 80}};

static double radians(double degrees) { return degrees * (3.14159265358979323846 / 180.0); }

double service_dispatch_km(double latitude1, double longitude1, double latitude2, double longitude2) {
    double dlat = radians(latitude2 - latitude1) / 2, dlon = radians(longitude2 - longitude1) / 2;
    double h = sin(dlat) * sin(dlat) + cos(radians(latitude1)) * cos(radians(latitude2)) * sin(dlon) * sin(dlon);
    return 2 * EARTH_KM * asin(sqrt(h > 1 ? 1 : h));
}

Nanos service_dispatch_travel(double latitude1, double longitude1, double latitude2, double longitude2,
                              double *road_km) {
    double km = ROAD_FACTOR * service_dispatch_km(latitude1, longitude1, latitude2, longitude2);
    *road_km = km;
    if (!isfinite(km)) return DISPATCH_UNKNOWN_TRAVEL;
    size_t row = 0;
    while (km > speeds[row].up_to_km) row++;
    return SETTING_OUT + (Nanos)round(km / speeds[row].km_per_hour * 3600) * NANOS_PER_S;
}

static bool can_do(const struct dispatch_technician *t, Str skill) {
    Str rest = t->skills, one;
    while (rest.len > 0) {
        str_cut(rest, '|', &one, &rest);
        if (str_eq(str_trim(one), skill)) return true;
    }
    return skill.len == 0;
}

static bool free_now(const struct dispatch_technician *t) { return t->available && t->in_hand == 0; }

static Nanos travel_of(const struct dispatch_technician *t, const struct dispatch_need *need, double *km) {
    return service_dispatch_travel(t->latitude, t->longitude, need->latitude, need->longitude, km);
}

/* The quickest there; *lack says why when there is none. */
static Nanos quickest(const struct dispatch_need *need, const struct dispatch_technician *technicians, size_t n,
                      enum dispatch_lack *lack) {
    Nanos best = INT64_MAX;
    double km;
    *lack = n == 0 ? DISPATCH_NOBODY : DISPATCH_NO_SKILL;
    for (size_t i = 0; i < n; i++) {
        if (!can_do(&technicians[i], need->skill)) continue;
        if (*lack == DISPATCH_NO_SKILL) *lack = DISPATCH_ALL_BUSY;
        if (!free_now(&technicians[i])) continue;
        *lack = DISPATCH_FOUND;
        Nanos travel = travel_of(&technicians[i], need, &km);
        if (travel < best) best = travel;
    }
    return best;
}

static bool better(const struct dispatch_technician *a, Nanos a_travel, const struct dispatch_technician *b,
                   Nanos b_travel) {
    if (a->lately != b->lately) return a->lately < b->lately;
    if (a_travel != b_travel) return a_travel < b_travel;
    return a->id < b->id;
}

static void choose_technician(const struct dispatch_need *need, const struct dispatch_technician *technicians, size_t n,
                              struct dispatch_choice *choice) {
    Nanos limit = quickest(need, technicians, n, &choice->lack);
    if (choice->lack != DISPATCH_FOUND) return;
    limit += DISPATCH_EVEN;
    for (size_t i = 0; i < n; i++) {
        const struct dispatch_technician *t = &technicians[i];
        double km;
        Nanos travel = travel_of(t, need, &km);
        if (!can_do(t, need->skill) || !free_now(t) || travel > limit) continue;
        if (choice->technician >= 0 && !better(t, travel, &technicians[choice->technician], choice->travel)) continue;
        choice->technician = (ptrdiff_t)i;
        choice->travel = travel;
        choice->travel_km = km;
    }
}

/* Unknown positions come last. */
static bool nearer(const struct dispatch_need *need, const struct dispatch_part *a, const struct dispatch_part *b) {
    double ka = service_dispatch_km(need->latitude, need->longitude, a->latitude, a->longitude);
    double kb = service_dispatch_km(need->latitude, need->longitude, b->latitude, b->longitude);
    if (!isfinite(ka)) ka = HUGE_VAL;
    if (!isfinite(kb)) kb = HUGE_VAL;
    return ka != kb ? ka < kb : a->id < b->id;
}

static ptrdiff_t choose_part(const struct dispatch_need *need, const struct dispatch_part *parts, size_t n) {
    ptrdiff_t best = -1;
    for (size_t i = 0; i < n && need->component.len; i++) {
        if (!str_eq(parts[i].component, need->component) || parts[i].on_hand - parts[i].reserved < 1) continue;
        if (best < 0 || nearer(need, &parts[i], &parts[best])) best = (ptrdiff_t)i;
    }
    return best;
}

struct dispatch_choice service_dispatch_choose(const struct dispatch_need *need,
                                               const struct dispatch_technician *technicians, size_t n_technicians,
                                               const struct dispatch_part *parts, size_t n_parts) {
    struct dispatch_choice choice = {.technician = -1, .part = -1, .travel_km = NAN};
    choose_technician(need, technicians, n_technicians, &choice);
    choice.part = choose_part(need, parts, n_parts);
    return choice;
}
