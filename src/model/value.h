/* A value: what a metric reports and what a document's field holds. */
#ifndef MODEL_VALUE_H
#define MODEL_VALUE_H

#include "base/str.h"
#include "base/time.h"

/*
 * A JSON number without '.' or 'e' that fits int64 is VALUE_INT and stays exact; any other is VALUE_FLOAT. Both are
 * "numbers" and may stand in one series. VALUE_NONE is null: not reported, not set.
 */
enum value_kind { VALUE_NONE, VALUE_INT, VALUE_FLOAT, VALUE_BOOL, VALUE_STRING };

typedef struct Value {
    enum value_kind kind;
    union {
        int64_t i; /* VALUE_INT; also times (Nanos) and decimals (unscaled) in documents */
        double f;
        bool b;
        Str s; /* borrowed: see who hands the value out */
    };
} Value;

#define VALUE_I(v) ((Value){.kind = VALUE_INT, .i = (v)})
#define VALUE_F(v) ((Value){.kind = VALUE_FLOAT, .f = (v)})
#define VALUE_B(v) ((Value){.kind = VALUE_BOOL, .b = (v)})
#define VALUE_S(v) ((Value){.kind = VALUE_STRING, .s = (v)})

typedef uint32_t PartyId;  /* 1…; 0 is no party */
typedef uint32_t ThingId;  /* 1…, dense, given by the series store; 0 is no thing */
typedef uint32_t MetricId; /* 1…, dense, one dictionary of names for all; 0 is no metric */

bool value_is_number(Value v);
double value_as_num(Value v);    /* number or bool; NaN for anything else */
bool value_eq(Value a, Value b); /* 1 and 1.0 are equal */

#endif
