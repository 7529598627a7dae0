#include "insight/query_rows.h"

#include <string.h>

struct room {
    double *numbers;
    Nanos *times;
    Value *values;
    uint64_t has[QUERY_WORDS];
};
struct query_rows {
    struct room *rooms; /* [n_columns] */
    struct query_vec *columns;
    size_t n_columns;
    Nanos *times;
};

struct query_rows *query_rows_new(struct arena *arena, size_t n_columns) {
    struct query_rows *rows = arena_zero(arena, 1, sizeof *rows);
    rows->n_columns = n_columns;
    rows->rooms = arena_zero(arena, n_columns + 1, sizeof *rows->rooms);
    rows->columns = arena_zero(arena, n_columns + 1, sizeof *rows->columns);
    return rows;
}

/* A word of the mask that is all ones is copied as it is. */
#define PICK(into, from)                                                                                               \
    for (size_t w = 0; w * 64 < rows; w++) {                                                                           \
        uint64_t bits = mask[w];                                                                                       \
        if (bits == ~UINT64_C(0)) {                                                                                    \
            memcpy((into) + n, (from) + w * 64, 64 * sizeof *(into));                                                  \
            n += 64;                                                                                                   \
            continue;                                                                                                  \
        }                                                                                                              \
        for (; bits; bits &= bits - 1) (into)[n++] = (from)[w * 64 + (size_t)__builtin_ctzll(bits)];                   \
    }

static const uint64_t *pick_bits(struct room *room, const uint64_t *has, const uint64_t *mask, size_t rows) {
    size_t n = 0;
    if (!has) return NULL;
    memset(room->has, 0, sizeof room->has);
    for (size_t w = 0; w * 64 < rows; w++)
        for (uint64_t bits = mask[w]; bits; bits &= bits - 1, n++) {
            uint64_t one = has[w] >> __builtin_ctzll(bits) & 1;
            room->has[n / 64] |= one << n % 64;
        }
    return room->has;
}

static void *space(struct arena *arena, void *have, size_t size) {
    return have ? have : arena_alloc(arena, QUERY_ROWS * size);
}

static struct query_vec pick(struct room *room, struct arena *arena, const struct query_vec *v, const uint64_t *mask,
                             size_t rows) {
    struct query_vec out = *v;
    size_t n = 0;
    if (v->constant) return out;
    if (v->form == QUERY_FORM_VALUE) {
        room->values = space(arena, room->values, sizeof *room->values);
        PICK(room->values, v->values);
        out.values = room->values;
        return out;
    }
    if (v->form == QUERY_FORM_TIME) {
        room->times = space(arena, room->times, sizeof *room->times);
        PICK(room->times, v->times);
        out.times = room->times;
    } else {
        room->numbers = space(arena, room->numbers, sizeof *room->numbers);
        PICK(room->numbers, v->numbers);
        out.numbers = room->numbers;
    }
    out.has = pick_bits(room, v->has, mask, rows);
    return out;
}

struct query_frame query_rows_pick(struct query_rows *self, struct arena *arena, const struct query_frame *frame,
                                   const uint64_t mask[QUERY_WORDS], size_t n_left, const bool *used) {
    struct query_frame out = *frame;
    size_t rows = frame->n, n = 0;
    if (n_left == rows) return out;
    ASSERT(frame->n_columns <= self->n_columns);
    for (size_t i = 0; i < frame->n_columns; i++)
        if (!used || used[i]) self->columns[i] = pick(&self->rooms[i], arena, &frame->columns[i], mask, rows);
    out.n = n_left;
    out.columns = self->columns;
    if (!frame->times) return out;
    self->times = space(arena, self->times, sizeof *self->times);
    PICK(self->times, frame->times);
    out.times = self->times;
    return out;
}

bool query_rows_make(struct query_rows *self, struct query_eval *e, const struct query_plan_stage *stage,
                     const struct query_frame *frame, struct query_vec *room, struct query_vec *out,
                     struct query_frame *made) {
    uint64_t mask[QUERY_WORDS];
    struct query_frame wide = *frame;
    memcpy(room, frame->columns, frame->n_columns * sizeof *room);
    wide.columns = room;
    e->frame = &wide;
    for (size_t i = 0; i < stage->n_select; i++) {
        room[stage->n_made + i] = query_expr_eval(e, stage->select[i]);
        wide.n_columns = stage->n_made + i + 1;
    }
    size_t left = stage->having ? query_expr_eval_mask(e, stage->having, mask) : wide.n;
    e->frame = NULL;
    if (left == 0) return false;
    struct query_frame picked = left < wide.n ? query_rows_pick(self, e->arena, &wide, mask, left, NULL) : wide;
    for (size_t i = 0; i < stage->n_out; i++) out[i] = picked.columns[stage->out_from[i]];
    *made = picked;
    made->columns = out;
    made->n_columns = stage->n_out;
    made->times = NULL;
    if (stage->time_out >= 0 && out[stage->time_out].form == QUERY_FORM_TIME && !out[stage->time_out].constant &&
        !out[stage->time_out].has)
        made->times = out[stage->time_out].times;
    return true;
}
