/*
 * Values are as small as their content allows, because every byte is copied to the log, summed and kept in memory: a
 * small integer takes 8 bytes with its tag, a decimal 12, a bool 4. Rows are built in place, so a message costs no
 * allocation once its buffer has grown.
 */
#include "store/rows.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "store/rows_form.h"

#define NO_ROW SIZE_MAX
#define FEW_VALUES 80u

_Static_assert(sizeof(struct row_head) == 32, "the row head is part of the log's form");
_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "rows are written as they lie in memory");

/* Bytes behind the tag; a string's own are added. 255: no such type. */
static const uint8_t payload_bytes[ROWS_TAG_MASK + 1] = {255,
                                                         [ROWS_INT4] = 4,
                                                         [ROWS_INT8] = 8,
                                                         [ROWS_FLOAT4] = 4,
                                                         [ROWS_FLOAT8] = 8,
                                                         0,
                                                         0,
                                                         [ROWS_STRING] = 4,
                                                         255,
                                                         255,
                                                         255,
                                                         255,
                                                         255,
                                                         255,
                                                         255,
                                                         255};

void rows_clear(struct rows *rows) {
    rows->bytes.len = 0;
    rows->n_rows = rows->n_values = 0;
    rows->open_at = NO_ROW;
}

void rows_fini(struct rows *rows) {
    buf_fini(&rows->bytes);
    rows_clear(rows);
}

static void *grow(struct rows *rows, size_t n) {
    if (rows->bytes.cap - rows->bytes.len < n) buf_reserve(&rows->bytes, n);
    void *at = rows->bytes.ptr + rows->bytes.len;
    rows->bytes.len += n;
    return at;
}

static struct row_head *open_head(struct rows *rows) {
    ASSERT(rows->open_at < rows->bytes.len);
    return (struct row_head *)(void *)(rows->bytes.ptr + rows->open_at);
}

void rows_begin(struct rows *rows, ThingId thing, Nanos time, uint32_t flags) {
    if (rows->bytes.len == 0) rows->open_at = NO_ROW; /* a zeroed struct is ready too */
    ASSERT(rows->open_at == NO_ROW && thing != 0);
    rows->open_at = rows->bytes.len;
    struct row_head *head = grow(rows, sizeof *head);
    *head = (struct row_head){.thing = thing, .time = time, .flags = flags};
    memset(rows->seen, 0, sizeof rows->seen);
    rows->twice = false;
}

static void put_string(struct rows *rows, uint32_t tag, Str s) {
    ASSERT(s.len < ROWS_SIZE_MAX / 2);
    size_t padded = (s.len + 3) & ~(size_t)3;
    uint32_t len = (uint32_t)s.len;
    char *at = grow(rows, 8 + padded);
    memcpy(at, &tag, 4);
    memcpy(at + 4, &len, 4);
    memset(at + 8 + padded - (padded ? 4 : 0), 0, padded ? 4 : 0);
    if (s.len) memcpy(at + 8, s.ptr, s.len);
}

static void put_4(struct rows *rows, uint32_t tag, const void *payload) {
    char *at = grow(rows, 8);
    memcpy(at, &tag, 4);
    memcpy(at + 4, payload, 4);
}

static void put_8(struct rows *rows, uint32_t tag, const void *payload) {
    char *at = grow(rows, 12);
    memcpy(at, &tag, 4);
    memcpy(at + 4, payload, 8);
}

static void put_int(struct rows *rows, uint32_t tag, int64_t v) {
    int32_t small = (int32_t)v;
    if (small == v)
        put_4(rows, tag | ROWS_INT4, &small);
    else
        put_8(rows, tag | ROWS_INT8, &v);
}

/* Equal bits, so that a negative zero and the payload of a NaN survive. */
static bool fits_float(double v, float *small) {
    if (!(v >= -3e38 && v <= 3e38)) return false;
    *small = (float)v;
    double back = *small;
    return memcmp(&back, &v, 8) == 0;
}

static void put_float(struct rows *rows, uint32_t tag, double v) {
    float small;
    if (fits_float(v, &small))
        put_4(rows, tag | ROWS_FLOAT4, &small);
    else
        put_8(rows, tag | ROWS_FLOAT8, &v);
}

void rows_value(struct rows *rows, MetricId metric, Value value) {
    ASSERT(metric != 0 && metric <= ROWS_METRIC_MAX && rows->open_at < rows->bytes.len);
    uint32_t tag = metric << ROWS_TAG_SHIFT;
    switch (value.kind) {
    case VALUE_NONE: return; /* null: not reported */
    case VALUE_INT: put_int(rows, tag, value.i); break;
    case VALUE_FLOAT: put_float(rows, tag, value.f); break;
    case VALUE_BOOL:
        tag |= value.b ? ROWS_TRUE : ROWS_FALSE;
        memcpy(grow(rows, 4), &tag, 4);
        break;
    case VALUE_STRING: put_string(rows, tag | ROWS_STRING, value.s); break;
    }
    open_head(rows)->n_values++;
    uint64_t *word = &rows->seen[metric >> 6 & 3], bit = UINT64_C(1) << (metric & 63);
    rows->twice |= (*word & bit) != 0;
    *word |= bit;
}

static int by_tag_then_place(const void *a, const void *b) {
    const uint32_t *x = a, *y = b;
    return x[0] != y[0] ? (x[0] < y[0] ? -1 : 1) : (x[1] < y[1] ? -1 : x[1] > y[1]);
}

/*
 * Writes the open row anew without the values that a later one of the same metric replaces. Each value's metric and
 * place are sorted; the third number says of the value at that place whether it goes. Few fit the stack, and qsort's.
 */
static void drop_earlier(struct rows *rows) {
    struct row row = rows_open(open_head(rows));
    uint32_t n = row.n_values, kept = 0;
    uint32_t few[FEW_VALUES][3], (*order)[3] = n <= FEW_VALUES ? few : malloc(n * sizeof *order);
    ASSERT(order != NULL);
    struct row_value v = {0};
    row.end = rows->bytes.ptr + rows->bytes.len;
    for (uint32_t i = 0; rows_next_value(&row, &v); i++) order[i][0] = v.metric, order[i][1] = i, order[i][2] = 0;
    qsort(order, n, sizeof *order, by_tag_then_place);
    for (uint32_t i = 0; i + 1 < n; i++) order[order[i][1]][2] = order[i][0] == order[i + 1][0];
    char *to = (char *)(uintptr_t)row.values;
    const char *from = to;
    v = (struct row_value){0};
    for (uint32_t i = 0; rows_next_value(&row, &v); i++, from = v.next) {
        size_t size = (size_t)(v.next - from);
        if (order[i][2]) continue;
        memmove(to, from, size);
        to += size, kept++;
        /* what follows was not moved yet, so v.next still reads right */
    }
    if (order != few) free(order);
    rows->bytes.len = (size_t)(to - rows->bytes.ptr);
    open_head(rows)->n_values = kept;
}

void rows_cancel(struct rows *rows) {
    ASSERT(rows->open_at <= rows->bytes.len);
    rows->bytes.len = rows->open_at;
    rows->open_at = NO_ROW;
}

void rows_end(struct rows *rows) {
    if (open_head(rows)->n_values == 0) {
        rows_cancel(rows);
        return;
    }
    if (rows->twice) drop_earlier(rows);
    if (rows->bytes.len % 8) memset(grow(rows, 4), 0, 4); /* everything is a multiple of 4 */
    size_t size = rows->bytes.len - rows->open_at;
    ASSERT(size <= ROWS_SIZE_MAX);
    struct row_head *head = open_head(rows);
    head->size = (uint32_t)size;
    rows->n_rows++;
    rows->n_values += head->n_values;
    rows->open_at = NO_ROW;
}

/* ---- reading */

struct rows_cursor rows_start(const struct rows *rows) {
    size_t len = rows->bytes.len;
    if (len && rows->open_at < len) len = rows->open_at; /* the row being written is not there yet */
    return (struct rows_cursor){rows->bytes.ptr, len ? rows->bytes.ptr + len : rows->bytes.ptr};
}

struct row rows_open(const struct row_head *head) {
    const char *at = (const char *)head;
    return (struct row){head->thing, head->time, head->flags, head->n_values, at + sizeof *head, at + head->size};
}

bool rows_next(struct rows_cursor *at, struct row *row) {
    if (at->at == at->end) return false;
    *row = rows_open((const struct row_head *)(const void *)at->at);
    at->at = row->end;
    return true;
}

static Value read_value(uint32_t type, const char *at) {
    Value out = {.kind = VALUE_NONE};
    int32_t i4;
    uint32_t len;
    float f4;
    switch (type) {
    case ROWS_INT4: memcpy(&i4, at, 4); return VALUE_I(i4);
    case ROWS_INT8:
        out.kind = VALUE_INT;
        memcpy(&out.i, at, 8);
        return out;
    case ROWS_FLOAT4: memcpy(&f4, at, 4); return VALUE_F((double)f4);
    case ROWS_FLOAT8:
        out.kind = VALUE_FLOAT;
        memcpy(&out.f, at, 8);
        return out;
    case ROWS_FALSE: return VALUE_B(false);
    case ROWS_TRUE: return VALUE_B(true);
    case ROWS_STRING: memcpy(&len, at, 4); return VALUE_S(((Str){at + 4, len}));
    default: return out;
    }
}

static size_t value_bytes(uint32_t type, const char *at) {
    size_t n = payload_bytes[type];
    if (type != ROWS_STRING) return n;
    uint32_t len;
    memcpy(&len, at, 4);
    return n + (((size_t)len + 3) & ~(size_t)3);
}

bool rows_next_value(const struct row *row, struct row_value *v) {
    const char *at = v->next ? v->next : row->values;
    /* Behind the last value there may be 4 bytes of zeroes, which are no tag. */
    uint32_t tag;
    if (row->end - at < 4) return false;
    memcpy(&tag, at, 4);
    if (tag == 0) return false;
    uint32_t type = tag & ROWS_TAG_MASK;
    v->metric = tag >> ROWS_TAG_SHIFT;
    v->value = read_value(type, at + 4);
    v->next = at + 4 + value_bytes(type, at + 4);
    return true;
}

/* Checks one row's values against its head; `end` is the end of the row. */
static bool check_values(const struct row_head *head, const char *end) {
    const char *at = (const char *)head + sizeof *head;
    for (uint32_t i = 0; i < head->n_values; i++) {
        uint32_t tag, len;
        if (end - at < 4) return false;
        memcpy(&tag, at, 4);
        size_t need = payload_bytes[tag & ROWS_TAG_MASK];
        if (need == 255 || tag >> ROWS_TAG_SHIFT == 0 || (size_t)(end - at) < 4 + need) return false;
        if ((tag & ROWS_TAG_MASK) == ROWS_STRING) {
            memcpy(&len, at + 4, 4);
            if (len > ROWS_SIZE_MAX) return false;
        }
        need = value_bytes(tag & ROWS_TAG_MASK, at + 4);
        if ((size_t)(end - at) < 4 + need) return false;
        at += 4 + need;
    }
    uint32_t rest = 0;
    if (end - at == 4) memcpy(&rest, at, 4);
    return end - at <= 4 && rest == 0;
}

bool rows_check(Str bytes, uint32_t *n_rows, uint32_t *n_values) {
    *n_rows = *n_values = 0;
    for (size_t at = 0; at < bytes.len;) {
        const struct row_head *head = (const struct row_head *)(const void *)(bytes.ptr + at);
        if (bytes.len - at < sizeof *head || head->size < sizeof *head || head->size % 8 || head->link) return false;
        if (head->size > bytes.len - at || head->thing == 0 || head->n_values == 0) return false;
        if (!check_values(head, bytes.ptr + at + head->size)) return false;
        at += head->size;
        ++*n_rows, *n_values += head->n_values;
    }
    return true;
}
