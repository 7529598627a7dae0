#include "insight/query_call.h"

#include <math.h>

static double sign(double x) { return (double)((x > 0) - (x < 0)); }
static double seconds_of_day(Nanos t) {
    Nanos rest = t % NANOS_PER_DAY;
    return (double)(rest < 0 ? rest + NANOS_PER_DAY : rest) / (double)NANOS_PER_S;
}
static double hour(Nanos t) { return floor(seconds_of_day(t) / 3600); }
static double minute(Nanos t) { return floor(fmod(seconds_of_day(t), 3600) / 60); }
static double second(Nanos t) { return fmod(seconds_of_day(t), 60); }
static double weekday(Nanos t) { /* Monday 1 … Sunday 7 */
    Nanos day = t / NANOS_PER_DAY - (t % NANOS_PER_DAY < 0);
    return (double)(((day + 3) % 7 + 7) % 7 + 1);
}

#define CIVIL(name, member)                                                                                            \
    static double name(Nanos t) {                                                                                      \
        int year, month, day, h, m, s;                                                                                 \
        time_civil(t, &year, &month, &day, &h, &m, &s);                                                                \
        return member;                                                                                                 \
    }
CIVIL(day_of, day)
CIVIL(month_of, month)
CIVIL(year_of, year)

#define ONE(name, fn)                                                                                                  \
    { name, 1, 1, QUERY_CALL_ONE, fn, NULL, NULL }
#define TWO(name, fn)                                                                                                  \
    { name, 2, 2, QUERY_CALL_TWO, NULL, fn, NULL }
#define CLOCK(name, fn)                                                                                                \
    { name, 1, 1, QUERY_CALL_CLOCK, NULL, NULL, fn }
#define OTHER(name, least, most, shape)                                                                                \
    { name, least, most, shape, NULL, NULL, NULL }

const struct query_call query_call_table[] = {
    ONE("abs", fabs),
    ONE("floor", floor),
    ONE("ceil", ceil),
    ONE("round", round),
    ONE("trunc", trunc),
    ONE("sqrt", sqrt),
    ONE("ln", log),
    ONE("log10", log10),
    ONE("log2", log2),
    ONE("exp", exp),
    ONE("sin", sin),
    ONE("cos", cos),
    ONE("tan", tan),
    ONE("asin", asin),
    ONE("acos", acos),
    ONE("atan", atan),
    ONE("sign", sign),
    TWO("pow", pow),
    TWO("mod", fmod),
    TWO("atan2", atan2),
    CLOCK("hour", hour),
    CLOCK("minute", minute),
    CLOCK("second", second),
    CLOCK("weekday", weekday),
    CLOCK("day", day_of),
    CLOCK("month", month_of),
    CLOCK("year", year_of),
    OTHER("if", 3, 3, QUERY_CALL_IF),
    OTHER("coalesce", 1, 16, QUERY_CALL_COALESCE),
    OTHER("least", 2, 16, QUERY_CALL_LEAST),
    OTHER("min2", 2, 2, QUERY_CALL_LEAST),
    OTHER("greatest", 2, 16, QUERY_CALL_GREATEST),
    OTHER("max2", 2, 2, QUERY_CALL_GREATEST),
    OTHER("number", 1, 1, QUERY_CALL_NUMBER),
    OTHER("text", 1, 1, QUERY_CALL_TEXT),
    OTHER("time_at", 1, 1, QUERY_CALL_TIME),
    {.name = NULL},
};

const struct query_call *query_call_find(Str name) {
    for (const struct query_call *c = query_call_table; c->name; c++)
        if (str_eq_nocase(name, str_c(c->name))) return c;
    return NULL;
}
