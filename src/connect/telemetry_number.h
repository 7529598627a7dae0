/* Numbers of JSON: exact integers, correctly rounded doubles, exact times. */
#ifndef CONNECT_TELEMETRY_NUMBER_H
#define CONNECT_TELEMETRY_NUMBER_H

#include "model/value.h"

/*
 * The number at `at`; returns what follows it, NULL when it is malformed or touches `end` (a number inside a message
 * never does). VALUE_INT: no '.' nor exponent and it fits; VALUE_NONE: it overflows a double.
 */
const char *telemetry_number_parse(const char *at, const char *end, Value *out);
/* Milliseconds with at most six decimals as nanoseconds; false: anything else, or out of range. */
bool telemetry_number_millis(Str text, Nanos *out);

#endif
