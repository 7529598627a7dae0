/*
 * What the parts of the engine hand to each other: some rows, column by column. A column whose value is one for all
 * rows (a tag of the one thing they are of) holds it once.
 */
#ifndef INSIGHT_QUERY_VEC_H
#define INSIGHT_QUERY_VEC_H

#include "insight/query.h"

#define QUERY_ROWS 1024u /* in a frame, at most */
#define QUERY_WORDS (QUERY_ROWS / 64)

enum query_form { QUERY_FORM_NUMBER, QUERY_FORM_TIME, QUERY_FORM_VALUE };

struct query_vec {
    enum query_form form;
    uint8_t kind;  /* of numbers, as they come out: VALUE_INT, VALUE_FLOAT or VALUE_BOOL */
    bool constant; /* row 0 stands for all; `has` is of it alone */
    const double *numbers;
    const Nanos *times;
    const Value *values; /* VALUE_NONE where absent */
    const uint64_t *has; /* of numbers and times: bit i; NULL: every row has one */
};

struct query_frame {
    size_t n;
    const struct query_vec *columns;
    size_t n_columns;
    const Nanos *times; /* in order; NULL: the rows have no time */
    uint32_t sequence;  /* whose rows these are: 0: of several, in no order */
    uint32_t thing;     /* of which thing, 0: of several */
};

static inline bool query_vec_has(const struct query_vec *v, size_t i) {
    if (v->constant) i = 0;
    if (v->form == QUERY_FORM_VALUE) return v->values[i].kind != VALUE_NONE;
    return !v->has || (v->has[i / 64] >> i % 64 & 1);
}

static inline Value query_vec_value(const struct query_vec *v, size_t i) {
    if (v->constant) i = 0;
    if (!query_vec_has(v, i)) return (Value){.kind = VALUE_NONE};
    if (v->form == QUERY_FORM_VALUE) return v->values[i];
    if (v->form == QUERY_FORM_TIME) return VALUE_I(v->times[i]);
    double n = v->numbers[i];
    if (v->kind == VALUE_BOOL) return VALUE_B(n != 0);
    if (v->kind == VALUE_INT && n >= -0x1p53 && n <= 0x1p53) return VALUE_I((int64_t)n);
    return VALUE_F(n);
}

#endif
