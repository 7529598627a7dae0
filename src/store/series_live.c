/*
 * Each thing has one table of its metrics, found by a hint: things of one model report the same metrics in the same
 * order, so the place where a metric was found last, in whatever thing, is nearly always its place in the next.
 *
 * Readers of kinds take no lock. A table that grows is replaced by a larger one and its memory may serve another thing;
 * memory never goes back to the system, and a thing never gets a table of a size it had before. So a reader who finds,
 * after looking, that the thing still has the table it looked into, looked into that thing's table all along. Tags are
 * stored with release and loaded with acquire for that.
 *
 * Values and times are under one of 64 locks, taken once a row.
 */
#include "store/series_live.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "os/thread.h"

#define SEGMENTS 26
#define FIRST_SEGMENT 64u
#define LOCKS 64
#define CLASSES 16
#define SLAB ((size_t)256 << 10)
#define HINTS 4096

/* tag = metric << 4 | kind as VALUE_*, INT and FLOAT being told apart; classes as accepts() sees them */
#define TAG(metric, kind) ((metric) << ROWS_TAG_SHIFT | (uint32_t)(kind))

struct text {
    uint32_t cap, len;
    char bytes[];
};

union cell {
    int64_t i;
    double f;
    bool b;
    struct text *s;
};

/* In memory: the head, then cap of each: times, cells, tags. */
struct table {
    struct table *next_free;
    _Atomic uint32_t count;
    uint32_t class; /* of size */
};

struct thing {
    _Atomic(struct table *) table;
    _Atomic Nanos stamp, seen;
};

struct series_live {
    _Atomic(struct thing *) segments[SEGMENTS];
    pthread_mutex_t grow; /* of segments, slabs and free lists */
    struct table *free[CLASSES];
    struct arena slabs;
    struct {
        pthread_mutex_t mutex;
        char apart[64 - sizeof(pthread_mutex_t) % 64];
    } locks[LOCKS];
    _Atomic uint16_t hints[HINTS];
    _Atomic Nanos ahead;
    _Atomic uint64_t rows, series, bytes;
};

/* Capacities grow by half or so, and never repeat for one thing. */
static const uint32_t capacities[CLASSES] = {4,   8,    12,   20,   32,    48,    72,     108,
                                             256, 1024, 4096, 8192, 16384, 65536, 262144, 1048576};

static Nanos *times_of(const struct table *t) { return (Nanos *)(uintptr_t)(t + 1); }
static union cell *cells_of(const struct table *t) { return (union cell *)(times_of(t) + capacities[t->class]); }
static _Atomic uint32_t *tags_of(const struct table *t) {
    return (_Atomic uint32_t *)(cells_of(t) + capacities[t->class]);
}

static void add_bytes(struct series_live *live, size_t n) {
    atomic_fetch_add_explicit(&live->bytes, n, memory_order_relaxed);
}

static struct thing *make_segment(struct series_live *live, uint32_t k) {
    ASSERT(k < SEGMENTS);
    thread_lock(&live->grow);
    struct thing *segment = atomic_load(&live->segments[k]);
    if (!segment) {
        segment = calloc((size_t)FIRST_SEGMENT << k, sizeof *segment);
        ASSERT(segment != NULL);
        add_bytes(live, ((size_t)FIRST_SEGMENT << k) * sizeof *segment);
        atomic_store_explicit(&live->segments[k], segment, memory_order_release);
    }
    thread_unlock(&live->grow);
    return segment;
}

/* A thing's place, made when it is the first of its segment. */
static struct thing *thing_at(const struct series_live *live, ThingId id) {
    uint32_t n = id / FIRST_SEGMENT + 1, k = 31 - (uint32_t)__builtin_clz(n);
    struct thing *segment = atomic_load_explicit(&live->segments[k], memory_order_acquire);
    if (!segment) segment = make_segment((struct series_live *)(uintptr_t)live, k);
    return &segment[id - FIRST_SEGMENT * ((1u << k) - 1)];
}

struct series_live *series_live_new(void) {
    struct series_live *live = calloc(1, sizeof *live);
    ASSERT(live != NULL);
    thread_mutex_init(&live->grow);
    arena_init(&live->slabs, SLAB);
    atomic_init(&live->ahead, INT64_MAX);
    for (int i = 0; i < LOCKS; i++) thread_mutex_init(&live->locks[i].mutex);
    return live;
}

static void free_texts(const struct table *t) {
    for (uint32_t i = 0; i < t->count; i++)
        if ((tags_of(t)[i] & ROWS_TAG_MASK) == VALUE_STRING) free(cells_of(t)[i].s);
}

void series_live_free(struct series_live *live) {
    if (!live) return;
    for (uint32_t k = 0; k < SEGMENTS; k++) {
        struct thing *segment = live->segments[k];
        for (uint32_t i = 0; segment && i < FIRST_SEGMENT << k; i++)
            if (segment[i].table) free_texts(segment[i].table);
        free(segment);
    }
    for (int i = 0; i < LOCKS; i++) thread_mutex_fini(&live->locks[i].mutex);
    arena_fini(&live->slabs);
    thread_mutex_fini(&live->grow);
    free(live);
}

/* ---- tables */

static struct table *take_table(struct series_live *live, uint32_t class) {
    ASSERT(class < CLASSES);
    thread_lock(&live->grow);
    struct table *t = live->free[class];
    if (t) {
        live->free[class] = t->next_free;
    } else {
        t = arena_alloc(&live->slabs, sizeof *t + capacities[class] * (8 + sizeof(union cell) + 4));
        add_bytes(live, sizeof *t + capacities[class] * (8 + sizeof(union cell) + 4));
        t->class = class; /* for ever: a late reader may look */
    }
    thread_unlock(&live->grow);
    return t;
}

static void give_table(struct series_live *live, struct table *t) {
    thread_lock(&live->grow);
    t->next_free = live->free[t->class];
    live->free[t->class] = t;
    thread_unlock(&live->grow);
}

/* With the thing's lock held: a table with room for one more. */
static struct table *grow_table(struct series_live *live, struct thing *thing) {
    struct table *old = thing->table;
    if (old && old->count < capacities[old->class]) return old;
    struct table *t = take_table(live, old ? old->class + 1 : 0);
    uint32_t count = old ? old->count : 0;
    for (uint32_t i = 0; i < count; i++) {
        times_of(t)[i] = times_of(old)[i];
        cells_of(t)[i] = cells_of(old)[i];
        atomic_store_explicit(&tags_of(t)[i], tags_of(old)[i], memory_order_release);
    }
    atomic_store_explicit(&t->count, count, memory_order_release);
    atomic_store_explicit(&thing->table, t, memory_order_release);
    if (old) give_table(live, old);
    return t;
}

/* The metric's place in a table, or -1. */
static int find_metric(struct series_live *live, const struct table *t, MetricId metric) {
    uint32_t count = atomic_load_explicit(&t->count, memory_order_acquire);
    const _Atomic uint32_t *tags = tags_of(t);
    _Atomic uint16_t *hint = &live->hints[metric % HINTS];
    uint32_t guess = atomic_load_explicit(hint, memory_order_relaxed);
    if (guess < count && atomic_load_explicit(&tags[guess], memory_order_acquire) >> ROWS_TAG_SHIFT == metric)
        return (int)guess;
    for (uint32_t i = 0; i < count; i++) {
        if (atomic_load_explicit(&tags[i], memory_order_acquire) >> ROWS_TAG_SHIFT != metric) continue;
        if (i <= UINT16_MAX) atomic_store_explicit(hint, (uint16_t)i, memory_order_relaxed);
        return (int)i;
    }
    return -1;
}

/* With the thing's lock held: the metric's place, made with this kind when it has none. */
static int need_metric(struct series_live *live, struct thing *thing, MetricId metric, enum value_kind kind) {
    struct table *t = thing->table;
    int found = t ? find_metric(live, t, metric) : -1;
    if (found >= 0) return found;
    t = grow_table(live, thing);
    uint32_t i = t->count;
    times_of(t)[i] = INT64_MIN; /* none yet */
    cells_of(t)[i] = (union cell){0};
    atomic_store_explicit(&tags_of(t)[i], TAG(metric, kind), memory_order_release);
    atomic_store_explicit(&t->count, i + 1, memory_order_release);
    atomic_fetch_add_explicit(&live->series, 1, memory_order_relaxed);
    return (int)i;
}

static pthread_mutex_t *lock_of(struct series_live *live, ThingId thing) { return &live->locks[thing % LOCKS].mutex; }

/* ---- kinds */

static enum value_kind family(enum value_kind kind) { return kind == VALUE_FLOAT ? VALUE_INT : kind; }

/* The kind of a known pair without a lock, or VALUE_NONE. */
static enum value_kind known_kind(struct series_live *live, struct thing *thing, MetricId metric) {
    struct table *t = atomic_load_explicit(&thing->table, memory_order_acquire);
    while (t) {
        int i = find_metric(live, t, metric);
        uint32_t tag = i < 0 ? 0 : atomic_load_explicit(&tags_of(t)[i], memory_order_acquire);
        struct table *now = atomic_load_explicit(&thing->table, memory_order_acquire);
        if (now == t)
            return i < 0 || tag >> ROWS_TAG_SHIFT != metric ? VALUE_NONE : (enum value_kind)(tag & ROWS_TAG_MASK);
        t = now;
    }
    return VALUE_NONE;
}

bool series_live_accepts(struct series_live *live, ThingId id, MetricId metric, enum value_kind kind,
                         enum value_kind *is) {
    struct thing *thing = thing_at(live, id);
    *is = known_kind(live, thing, metric);
    if (*is == VALUE_NONE) {
        thread_lock(lock_of(live, id));
        int i = need_metric(live, thing, metric, kind);
        *is = (enum value_kind)(tags_of(thing->table)[i] & ROWS_TAG_MASK);
        thread_unlock(lock_of(live, id));
    }
    return family(*is) == family(kind);
}

Nanos series_live_stamp(struct series_live *live, ThingId id, Nanos now) {
    _Atomic Nanos *stamp = &thing_at(live, id)->stamp;
    Nanos last = atomic_load(stamp), next;
    do next = now > last ? now : last + 1;
    while (!atomic_compare_exchange_weak(stamp, &last, next));
    return next;
}

/* ---- latest values */

static void set_text(struct series_live *live, union cell *cell, Str s) {
    struct text *t = cell->s;
    if (!t || t->cap < s.len) {
        uint32_t cap = (uint32_t)((s.len + 15) & ~(size_t)15);
        add_bytes(live, cap - (t ? t->cap : 0) + (t ? 0 : sizeof *t));
        t = realloc(t, sizeof *t + cap);
        ASSERT(t != NULL);
        t->cap = cap;
    }
    if (s.len) memcpy(t->bytes, s.ptr, s.len);
    t->len = (uint32_t)s.len;
    cell->s = t;
}

/* A value of another family than the metric's is not shown as its latest; the store does not lose it. */
static void set_cell(struct series_live *live, struct table *t, int i, const struct row_value *v, Nanos time) {
    uint32_t tag = tags_of(t)[i];
    if (family((enum value_kind)(tag & ROWS_TAG_MASK)) != family(v->value.kind)) return;
    times_of(t)[i] = time;
    union cell *cell = &cells_of(t)[i];
    switch (v->value.kind) {
    case VALUE_INT: cell->i = v->value.i; break;
    case VALUE_FLOAT: cell->f = v->value.f; break;
    case VALUE_BOOL: cell->b = v->value.b; break;
    case VALUE_STRING: set_text(live, cell, v->value.s); break;
    case VALUE_NONE: break;
    }
    uint32_t new_tag = TAG(v->metric, v->value.kind);
    if (tag != new_tag) atomic_store_explicit(&tags_of(t)[i], new_tag, memory_order_release);
}

static void raise_to(_Atomic Nanos *moment, Nanos time) {
    Nanos last = atomic_load_explicit(moment, memory_order_relaxed);
    while (last < time &&
           !atomic_compare_exchange_weak_explicit(moment, &last, time, memory_order_relaxed, memory_order_relaxed)) {
    }
}

void series_live_row(struct series_live *live, const struct row_head *head, Nanos horizon) {
    struct thing *thing = thing_at(live, head->thing);
    struct row row = rows_open(head);
    bool current = row.time <= horizon;
    if (row.flags & ROWS_SERVER_TIME) raise_to(&thing->stamp, row.time);
    if (current)
        raise_to(&thing->seen, row.time);
    else
        series_live_note_ahead(live, row.time);
    thread_lock(lock_of(live, row.thing));
    for (struct row_value v = {0}; rows_next_value(&row, &v);) {
        int i = need_metric(live, thing, v.metric, v.value.kind);
        struct table *t = thing->table;
        if (current && row.time >= times_of(t)[i]) set_cell(live, t, i, &v, row.time);
    }
    thread_unlock(lock_of(live, row.thing));
    atomic_fetch_add_explicit(&live->rows, 1, memory_order_release);
}

void series_live_prefetch(const struct series_live *live, ThingId id) {
    const struct thing *thing = thing_at(live, id);
    const struct table *t = atomic_load_explicit(&thing->table, memory_order_relaxed);
    if (t) __builtin_prefetch(t), __builtin_prefetch((const char *)t + 64), __builtin_prefetch(tags_of(t));
}

static Value cell_value(uint32_t tag, const union cell *cell, struct arena *arena) {
    switch ((enum value_kind)(tag & ROWS_TAG_MASK)) {
    case VALUE_INT: return VALUE_I(cell->i);
    case VALUE_FLOAT: return VALUE_F(cell->f);
    case VALUE_BOOL: return VALUE_B(cell->b);
    case VALUE_STRING: return VALUE_S(arena_str(arena, (Str){cell->s->bytes, cell->s->len}));
    case VALUE_NONE: break;
    }
    return (Value){.kind = VALUE_NONE};
}

static int by_metric(const void *a, const void *b) {
    MetricId x = ((const struct series_latest *)a)->metric, y = ((const struct series_latest *)b)->metric;
    return x < y ? -1 : x > y;
}

void series_live_latest(struct series_live *live, ThingId id, struct arena *arena, struct series_latest **out,
                        size_t *n) {
    struct thing *thing = thing_at(live, id);
    *n = 0, *out = NULL;
    thread_lock(lock_of(live, id));
    struct table *t = thing->table;
    if (t) *out = arena_alloc(arena, t->count * sizeof **out);
    for (uint32_t i = 0; t && i < t->count; i++) {
        if (times_of(t)[i] == INT64_MIN) continue;
        uint32_t tag = tags_of(t)[i];
        (*out)[(*n)++] =
            (struct series_latest){tag >> ROWS_TAG_SHIFT, times_of(t)[i], cell_value(tag, &cells_of(t)[i], arena)};
    }
    thread_unlock(lock_of(live, id));
    if (*n > 1) qsort(*out, *n, sizeof **out, by_metric);
}

void series_live_values(struct series_live *live, ThingId id, const MetricId *metrics, size_t n, Nanos from, Nanos to,
                        struct arena *arena, Value *values, Nanos *times) {
    struct thing *thing = thing_at(live, id);
    thread_lock(lock_of(live, id));
    struct table *t = thing->table;
    for (size_t k = 0; k < n; k++) {
        int i = t ? find_metric(live, t, metrics[k]) : -1;
        bool shown = i >= 0 && times_of(t)[i] != INT64_MIN && times_of(t)[i] >= from && times_of(t)[i] < to;
        values[k] = shown ? cell_value(tags_of(t)[i], &cells_of(t)[i], arena) : (Value){.kind = VALUE_NONE};
        times[k] = shown ? times_of(t)[i] : 0;
    }
    thread_unlock(lock_of(live, id));
}

static int by_id(const void *a, const void *b) {
    MetricId x = *(const MetricId *)a, y = *(const MetricId *)b;
    return x < y ? -1 : x > y;
}

MetricId *series_live_metrics(struct series_live *live, ThingId id, size_t *n) {
    struct thing *thing = thing_at(live, id);
    thread_lock(lock_of(live, id));
    struct table *t = thing->table;
    *n = t ? t->count : 0;
    MetricId *metrics = malloc((*n + 1) * sizeof *metrics);
    ASSERT(metrics != NULL);
    for (uint32_t i = 0; i < *n; i++) metrics[i] = tags_of(t)[i] >> ROWS_TAG_SHIFT;
    thread_unlock(lock_of(live, id));
    if (*n > 1) qsort(metrics, *n, sizeof *metrics, by_id);
    return metrics;
}

Nanos series_live_seen(const struct series_live *live, ThingId thing) { return thing_at(live, thing)->seen; }
Nanos series_live_stamped(const struct series_live *live, ThingId thing) { return thing_at(live, thing)->stamp; }

void series_live_restore(struct series_live *live, ThingId id, MetricId metric, Nanos time, Value value,
                         Nanos horizon) {
    struct thing *thing = thing_at(live, id);
    struct row_value v = {.metric = metric, .value = value};
    thread_lock(lock_of(live, id));
    int i = need_metric(live, thing, metric, value.kind);
    if (time <= horizon) {
        raise_to(&thing->seen, time);
        if (time >= times_of(thing->table)[i]) set_cell(live, thing->table, i, &v, time);
    } else {
        series_live_note_ahead(live, time);
    }
    thread_unlock(lock_of(live, id));
}

void series_live_restore_stamp(struct series_live *live, ThingId id, Nanos stamped) {
    raise_to(&thing_at(live, id)->stamp, stamped);
}

Nanos series_live_ahead(const struct series_live *live) { return live->ahead; }
uint64_t series_live_rows(const struct series_live *live) {
    return atomic_load_explicit(&live->rows, memory_order_acquire);
}

void series_live_note_ahead(struct series_live *live, Nanos time) {
    Nanos least = atomic_load(&live->ahead);
    while (time < least && !atomic_compare_exchange_weak(&live->ahead, &least, time)) {
    }
}

void series_live_size(const struct series_live *live, struct series_live_size *out) {
    *out = (struct series_live_size){live->series, live->bytes};
}

/* ---- all of a thing, as rows */

struct place {
    Nanos time;
    uint32_t at;
};

static int by_time(const void *a, const void *b) {
    const struct place *x = a, *y = b;
    if (x->time != y->time) return x->time < y->time ? -1 : 1;
    return (x->at > y->at) - (x->at < y->at);
}

static Value borrowed(uint32_t tag, const union cell *cell) {
    if ((tag & ROWS_TAG_MASK) == VALUE_STRING) return VALUE_S(((Str){cell->s->bytes, cell->s->len}));
    return cell_value(tag, cell, NULL);
}

static void dump_table(const struct table *t, ThingId id, struct rows *into) {
    struct place few[64], *places = t->count <= 64 ? few : malloc(t->count * sizeof *places);
    size_t n = 0;
    bool one = true;
    ASSERT(places != NULL);
    for (uint32_t i = 0; i < t->count; i++) {
        if (times_of(t)[i] == INT64_MIN) continue;
        places[n++] = (struct place){times_of(t)[i], i};
        one &= times_of(t)[i] == places[0].time;
    }
    if (!one) qsort(places, n, sizeof *places, by_time);
    for (size_t i = 0; i < n; i++) {
        uint32_t tag = tags_of(t)[places[i].at];
        if (i == 0 || places[i].time != places[i - 1].time) {
            if (i) rows_end(into);
            rows_begin(into, id, places[i].time, 0);
        }
        rows_value(into, tag >> ROWS_TAG_SHIFT, borrowed(tag, &cells_of(t)[places[i].at]));
    }
    if (n) rows_end(into);
    if (places != few) free(places);
}

void series_live_dump(struct series_live *live, ThingId id, struct rows *into, Nanos *stamped) {
    struct thing *thing = thing_at(live, id);
    *stamped = atomic_load(&thing->stamp);
    thread_lock(lock_of(live, id));
    if (thing->table) dump_table(thing->table, id, into);
    thread_unlock(lock_of(live, id));
}
