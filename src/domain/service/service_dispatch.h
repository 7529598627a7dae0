/*
 * Who goes, and which part he takes: a pure choice over what is given. No documents, no clock.
 *
 * Technician: on shift, without an order in hand, with the skill asked for; of those the ones whose travel is within
 * DISPATCH_EVEN of the quickest; of those the one with the fewest orders lately; of those the quicker, then the
 * lower id. Part: one that fits the component with a piece neither reserved nor gone, nearest to the machine; then the
 * lower id.
 */
#ifndef DOMAIN_SERVICE_SERVICE_DISPATCH_H
#define DOMAIN_SERVICE_SERVICE_DISPATCH_H

#include "base/str.h"
#include "base/time.h"

#define DISPATCH_EVEN (10 * NANOS_PER_MIN)           /* journeys this close count as equally quick */
#define DISPATCH_UNKNOWN_TRAVEL (60 * NANOS_PER_MIN) /* when a position is not known */

struct dispatch_technician {
    int64_t id;
    Str skills;                 /* "electrical|hydraulic" */
    double latitude, longitude; /* NaN: unknown */
    bool available;
    unsigned in_hand; /* orders sent to him and not done */
    unsigned lately;  /* orders he was given in the last seven days */
};

struct dispatch_part {
    int64_t id;
    Str component;
    double latitude, longitude; /* NaN: unknown */
    int64_t on_hand, reserved;
};

struct dispatch_need {
    Str skill;                  /* empty: anybody */
    Str component;              /* empty: no part is needed */
    double latitude, longitude; /* of the machine; NaN: unknown */
};

enum dispatch_lack { DISPATCH_FOUND, DISPATCH_NOBODY, DISPATCH_NO_SKILL, DISPATCH_ALL_BUSY };

struct dispatch_choice {
    ptrdiff_t technician, part; /* index or -1 */
    enum dispatch_lack lack;    /* why nobody */
    double travel_km;           /* by road; NaN: unknown */
    Nanos travel;
};

/* Travel is judged from great-circle distance × 1.3 for the road, at a speed that grows with the distance. */
double service_dispatch_km(double latitude1, double longitude1, double latitude2, double longitude2); /* great circle */
Nanos service_dispatch_travel(double latitude1, double longitude1, double latitude2, double longitude2,
                              double *road_km);
struct dispatch_choice service_dispatch_choose(const struct dispatch_need *need,
                                               const struct dispatch_technician *technicians, size_t n_technicians,
                                               const struct dispatch_part *parts, size_t n_parts);

#endif
