#include "model/value.h"

#include <math.h>

bool value_is_number(Value v) { return v.kind == VALUE_INT || v.kind == VALUE_FLOAT; }

double value_as_num(Value v) {
    switch (v.kind) {
    case VALUE_INT: return (double)v.i;
    case VALUE_FLOAT: return v.f;
    case VALUE_BOOL: return v.b ? 1.0 : 0.0;
    case VALUE_NONE:
    case VALUE_STRING: break;
    }
    return NAN;
}

bool value_eq(Value a, Value b) {
    if (value_is_number(a) && value_is_number(b)) {
        if (a.kind == VALUE_INT && b.kind == VALUE_INT) return a.i == b.i;
        return value_as_num(a) == value_as_num(b);
    }
    if (a.kind != b.kind) return false;
    if (a.kind == VALUE_BOOL) return a.b == b.b;
    return a.kind != VALUE_STRING || str_eq(a.s, b.s);
}
