/* Time as nanoseconds since 1970-01-01T00:00:00Z, leap seconds ignored. Valid range: years 1678 to 2261. */
#ifndef BASE_TIME_H
#define BASE_TIME_H

#include "base/err.h"
#include "base/str.h"

typedef int64_t Nanos;

#define NANOS_PER_US INT64_C(1000)
#define NANOS_PER_MS INT64_C(1000000)
#define NANOS_PER_S INT64_C(1000000000)
#define NANOS_PER_MIN (60 * NANOS_PER_S)
#define NANOS_PER_HOUR (3600 * NANOS_PER_S)
#define NANOS_PER_DAY (86400 * NANOS_PER_S)

#define TIME_TEXT_MAX 36
/* RFC 3339 in UTC, "2015-01-01T06:00:00Z", with as many digits of fraction as needed: 0, 3, 6 or 9. The Str is out. */
Str time_format(Nanos t, char out[TIME_TEXT_MAX]);
/* RFC 3339 with any offset; without one it is UTC. Also "YYYY-MM-DD", "YYYY-MM-DD HH:MM[:SS]", and a plain integer in
 * ms. */
Err time_parse(Str text, Nanos *out);
/* Civil date of t in UTC. */
void time_civil(Nanos t, int *year, int *month, int *day, int *hour, int *minute, int *second);
Nanos time_from_civil(int year, int month, int day, int hour, int minute, int second);

#endif
