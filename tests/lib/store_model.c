#include "tests/lib/store_model.h"

#include <math.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/vec.h"
#include "os/thread.h"
#include "tests/lib/store_batches.h"
#include "tests/lib/store_oracle.h"

#define THINGS_MAX 48u
#define METRICS_MAX 24u
#define PARCELS 5
#define MEMORY ((size_t)48 << 10)
#define LETTERS_MAX 400u
#define T0 INT64_C(1700006400000000000) /* a UTC midnight */
#define AHEAD (10 * NANOS_PER_MIN)      /* later than this is never the latest */

static const struct lens all = {.every_party = true, .from = INT64_MIN, .to = INT64_MAX};

struct newest {
    Nanos time;
    Value value; /* VALUE_NONE: none */
};

/* What was sent and not acknowledged: it may be there or not. */
struct doubt {
    struct store_oracle_sample *items;
    size_t n, cap;
};

struct store_model {
    uint64_t seed, state;
    struct store_cutfs *disk;
    struct series *series;
    _Atomic Nanos now;
    struct clock clock;
    struct store_oracle oracle;
    uint32_t things, metrics;
    Nanos cadence[THINGS_MAX + 1], at[THINGS_MAX + 1];
    Nanos stamp_low[THINGS_MAX + 1], stamp_high[THINGS_MAX + 1]; /* the last stamp lies between */
    Nanos seen[THINGS_MAX + 1];
    struct newest newest[THINGS_MAX + 1][METRICS_MAX + 1];
    enum value_kind family[THINGS_MAX + 1][METRICS_MAX + 1]; /* as the store knows it; VALUE_NONE: not yet */
    uint32_t letters, letters_doubtful;
    bool failing; /* the disk */
    struct doubt doubt;
    size_t wrong;
    struct store_model_counts counts;
};

static uint64_t draw(struct store_model *m) {
    m->state ^= m->state << 13, m->state ^= m->state >> 7, m->state ^= m->state << 17;
    return m->state * UINT64_C(0x9e3779b97f4a7c15) >> 11;
}

static uint64_t below(struct store_model *m, uint64_t n) { return draw(m) % n; }

static uint64_t mix(uint64_t a, uint64_t b) { return hash_seeded(&a, sizeof a, b); }

static PartyId party_of(ThingId thing) { return thing % 3 + 1; }

#define WRONG(m, ...)                                                                                                  \
    do {                                                                                                               \
        if ((m)->wrong++ < 8)                                                                                          \
            printf("  seed %llu, step %llu: ", (unsigned long long)(m)->seed, (unsigned long long)(m)->counts.steps),  \
                printf(__VA_ARGS__), printf("\n");                                                                     \
    } while (0)

/* ---- values */

static enum value_kind wanted_family(ThingId thing, MetricId metric) {
    static const enum value_kind families[] = {VALUE_INT, VALUE_INT, VALUE_INT, VALUE_BOOL, VALUE_STRING};
    return families[mix(thing % 4, metric) % 5];
}

static const Str words[] = {{"run", 3},
                            {"idle", 4},
                            {"", 0},
                            {"fault \"E12\"", 11},
                            {"窑温过高", 12},
                            {"x", 1},
                            {"a state whose name goes on for longer than any block of a few bytes would hold, and then "
                             "some more so that the text of a chunk outgrows what is put beside its words",
                             164}};

static Value odd_number(uint64_t r) {
    const Value odd[] = {VALUE_I(INT64_MIN),
                         VALUE_I(INT64_MAX),
                         VALUE_I(0),
                         VALUE_F(-0.0),
                         VALUE_F(5e-324),
                         VALUE_F(-1.7976931348623157e308),
                         VALUE_F(INFINITY),
                         VALUE_F(NAN),
                         VALUE_I((INT64_C(1) << 53) + 1),
                         VALUE_F(0.1),
                         VALUE_F(9007199254740993.0),
                         VALUE_I(-(INT64_C(1) << 53))};
    return odd[r % (sizeof odd / sizeof *odd)];
}

static Value number(struct store_model *m, MetricId metric, Nanos time) {
    uint64_t r = draw(m);
    switch (metric % 8) {
    case 0: return VALUE_I((int64_t)(r % 1000) - 500);
    case 1: return VALUE_F((double)(r % 10000) / 100);
    case 2: return r % 3 ? VALUE_F((double)(r % 100) / 10) : VALUE_I((int64_t)(r % 10));
    case 3: return VALUE_I((int64_t)(time / NANOS_PER_S)); /* a counter */
    case 4: return VALUE_F(sin((double)(r % 100000)));
    case 5: return r % 2 ? VALUE_I((int64_t)(r << 8)) : VALUE_F((double)(int64_t)(r % 50));
    case 6: return odd_number(r);
    default: return VALUE_I(r % 40 ? 7 : (int64_t)(r % 3)); /* hardly ever changes */
    }
}

static Value any_value(struct store_model *m, ThingId thing, MetricId metric, Nanos time) {
    switch (wanted_family(thing, metric)) {
    case VALUE_BOOL: return VALUE_B(below(m, 5) == 0);
    case VALUE_STRING: return VALUE_S(words[below(m, sizeof words / sizeof *words)]);
    default: return number(m, metric, time);
    }
}

/* ---- moments */

static Nanos any_time(struct store_model *m, ThingId thing) {
    static const Nanos eras[] = {NANOS_PER_DAY, 5 * NANOS_PER_DAY, 40 * NANOS_PER_DAY, 400 * NANOS_PER_DAY,
                                 20000 * NANOS_PER_DAY}; /* the last: before 1970 */
    uint64_t r = below(m, 100);
    if (r < 3) return T0 - eras[below(m, 5)] + (Nanos)below(m, 90) * NANOS_PER_MIN;
    if (r < 6) return m->at[thing] - (Nanos)below(m, 40) * m->cadence[thing]; /* late, perhaps there already */
    if (r < 8) return m->now + AHEAD + (Nanos)below(m, 200) * NANOS_PER_MIN - 100 * NANOS_PER_MIN;
    if (r < 10) return T0 + (Nanos)below(m, 20) * NANOS_PER_MIN; /* many have these */
    return m->at[thing] += m->cadence[thing] + (r % 7 == 0 ? (Nanos)below(m, 1000) : 0);
}

/* ---- what the plain store notes */

static void note_newest(struct store_model *m, const struct store_oracle_sample *s, Nanos horizon) {
    if (m->family[s->thing][s->metric] == VALUE_NONE)
        m->family[s->thing][s->metric] = s->value.kind == VALUE_FLOAT ? VALUE_INT : s->value.kind;
    if (s->time > horizon) return;
    struct newest *n = &m->newest[s->thing][s->metric];
    if (n->value.kind == VALUE_NONE || s->time >= n->time) *n = (struct newest){s->time, s->value};
    if (s->time > m->seen[s->thing]) m->seen[s->thing] = s->time;
}

static void note_sample(struct store_model *m, const struct store_oracle_sample *s) {
    store_oracle_put(&m->oracle, s->thing, s->metric, s->time, s->value);
    note_newest(m, s, m->now + AHEAD);
}

/* What is known of things after a start: what their samples say. */
static void note_start(struct store_model *m) {
    memset(m->newest, 0, sizeof m->newest);
    memset(m->seen, 0, sizeof m->seen);
    memset(m->family, 0, sizeof m->family);
    for (size_t i = 0; i < m->oracle.n; i++) note_newest(m, &m->oracle.items[i], m->now + AHEAD);
}

/* ---- writing */

struct parcel {
    struct series_commit commit;
    struct store_model *model;
    struct doubt samples;
    struct {
        ThingId thing;
        Nanos time;
    } stamped[4];
    size_t n_stamped;
    struct dead_letter letter;
    char payload[32];
    atomic_int *open;
    Err err;
};

static void parcel_done(struct series_commit *commit, Err err) {
    struct parcel *p = commit->ctx;
    p->err = err;
    atomic_fetch_sub(p->open, 1);
}

static void add_stamp(struct store_model *m, struct parcel *p, ThingId thing, Nanos *time, uint32_t *flags) {
    if (p->n_stamped == sizeof p->stamped / sizeof *p->stamped || below(m, 8)) return;
    Nanos now = m->now, stamp = series_stamp(m->series, thing, now);
    if (stamp <= m->stamp_low[thing] || stamp < now || (stamp > now && stamp > m->stamp_high[thing] + 1))
        WRONG(m, "thing %u was stamped with %lld, after %lld", thing, (long long)stamp, (long long)m->stamp_low[thing]);
    m->stamp_low[thing] = m->stamp_high[thing] = stamp;
    p->stamped[p->n_stamped].thing = thing, p->stamped[p->n_stamped++].time = stamp;
    *time = stamp, *flags = ROWS_SERVER_TIME;
}

static void add_row(struct store_model *m, struct parcel *p) {
    ThingId thing = 1 + (ThingId)below(m, m->things);
    Nanos time = any_time(m, thing);
    uint32_t flags = 0;
    add_stamp(m, p, thing, &time, &flags);
    rows_begin(&p->commit.rows, thing, time, flags);
    for (uint64_t n = below(m, 6); n > 0; n--) { /* sometimes none: the row is dropped */
        MetricId metric = 1 + (MetricId)below(m, m->metrics);
        Value value = any_value(m, thing, metric, time);
        enum value_kind is;
        if (!series_accepts(m->series, thing, metric, value.kind, &is)) {
            WRONG(m, "thing %u metric %u does not accept kind %d: it is %d", thing, metric, (int)value.kind, (int)is);
            continue;
        }
        if (below(m, 50) == 0) rows_value(&p->commit.rows, metric, (Value){.kind = VALUE_NONE}); /* null: nothing */
        rows_value(&p->commit.rows, metric, value);
        struct store_oracle_sample sample = {thing, metric, time, value};
        VEC_PUSH(p->samples.items, p->samples.n, p->samples.cap, sample);
        m->counts.values++;
    }
    rows_end(&p->commit.rows);
    m->counts.rows++;
}

static void add_letter(struct store_model *m, struct parcel *p) {
    if (below(m, 12) || m->letters + m->letters_doubtful >= LETTERS_MAX) return;
    snprintf(p->payload, sizeof p->payload, "letter %u", m->letters);
    p->letter = (struct dead_letter){1, m->now, STR("device"), STR("topic"), STR("reason"), str_c(p->payload)};
    p->commit.dead_letters = &p->letter, p->commit.n_dead_letters = 1;
}

/* Only a disk that fails, or is off, is a reason to fail; and a failure says why. */
static void check_failure(struct store_model *m, Err err, const char *what) {
    m->counts.failures++;
    if (!m->failing && !store_cutfs_is_off(m->disk)) WRONG(m, "%s: %s", what, err.text);
    if (!err.text[0]) WRONG(m, "%s: a failure without a word", what);
}

static void settle(struct store_model *m, struct parcel *p) {
    if (p->err.code) check_failure(m, p->err, "write");
    for (size_t i = 0; i < p->samples.n; i++) {
        if (p->err.code == ERR_NONE)
            note_sample(m, &p->samples.items[i]);
        else
            VEC_PUSH(m->doubt.items, m->doubt.n, m->doubt.cap, p->samples.items[i]);
    }
    if (p->commit.n_dead_letters) *(p->err.code ? &m->letters_doubtful : &m->letters) += 1;
}

/* Several commits at once; they arrive in this order. */
static void write_some(struct store_model *m, uint64_t parcels, uint64_t rows_max) {
    struct parcel all_parcels[PARCELS] = {0};
    atomic_int open = 0;
    for (uint64_t i = 0; i < parcels; i++) {
        struct parcel *p = &all_parcels[i];
        p->commit.done = parcel_done, p->commit.ctx = p, p->open = &open;
        rows_clear(&p->commit.rows);
        for (uint64_t n = below(m, rows_max); n > 0; n--) add_row(m, p);
        add_letter(m, p);
        atomic_fetch_add(&open, 1);
        series_submit(m->series, &p->commit);
    }
    while (atomic_load(&open)) clock_sleep(NANOS_PER_MS / 50);
    for (uint64_t i = 0; i < parcels; i++) {
        settle(m, &all_parcels[i]);
        rows_fini(&all_parcels[i].commit.rows);
        free(all_parcels[i].samples.items);
    }
}

/* A value of another kind is refused, for ever. */
static void try_clash(struct store_model *m) {
    ThingId thing = 1 + (ThingId)below(m, m->things);
    MetricId metric = 1 + (MetricId)below(m, m->metrics);
    enum value_kind is, known = m->family[thing][metric], other = known == VALUE_STRING ? VALUE_BOOL : VALUE_STRING;
    if (known == VALUE_NONE) return;
    if (series_accepts(m->series, thing, metric, other, &is) || (is == VALUE_FLOAT ? VALUE_INT : is) != known)
        WRONG(m, "thing %u metric %u accepts kind %d, it is %d, should be %d", thing, metric, (int)other, (int)is,
              (int)known);
}

/* ---- looking */

static bool same_value(Value a, Value b) {
    if (a.kind != b.kind) return false;
    if (a.kind == VALUE_STRING) return str_eq(a.s, b.s);
    return a.kind == VALUE_FLOAT ? memcmp(&a.f, &b.f, sizeof a.f) == 0 : value_eq(a, b);
}

static void look_at_latest(struct store_model *m, ThingId thing) {
    struct arena arena;
    struct series_latest *latest;
    size_t n, known = 0;
    arena_init(&arena, 0);
    Err err = series_latest(m->series, &all, thing, &arena, &latest, &n);
    if (err.code) WRONG(m, "latest of %u: %s", thing, err.text);
    for (MetricId k = 1; k <= m->metrics; k++) known += m->newest[thing][k].value.kind != VALUE_NONE;
    if (n != known) WRONG(m, "thing %u has %zu latest values, should have %zu", thing, n, known);
    for (size_t i = 0; i < n; i++) {
        const struct newest *want = &m->newest[thing][latest[i].metric];
        if (latest[i].time != want->time || !same_value(latest[i].value, want->value))
            WRONG(m, "latest of thing %u metric %u: at %lld kind %d, should be at %lld kind %d", thing,
                  latest[i].metric, (long long)latest[i].time, (int)latest[i].value.kind, (long long)want->time,
                  (int)want->value.kind);
    }
    if (series_last_seen(m->series, thing) != m->seen[thing])
        WRONG(m, "thing %u was last seen at %lld, should be %lld", thing, (long long)series_last_seen(m->series, thing),
              (long long)m->seen[thing]);
    arena_fini(&arena);
}

static void look_at_batch_latest(struct store_model *m) {
    ThingId things[3];
    MetricId metrics[4];
    Value values[12];
    Nanos times[12];
    struct arena arena;
    arena_init(&arena, 0);
    for (size_t i = 0; i < 3; i++) things[i] = 1 + (ThingId)below(m, m->things);
    for (size_t i = 0; i < 4; i++) metrics[i] = 1 + (MetricId)((mix(m->state, 4) + i) % METRICS_MAX);
    Err err = series_batch_latest(m->series, &all, things, 3, metrics, 4, &arena, values, times);
    if (err.code) WRONG(m, "latest of many: %s", err.text);
    for (size_t i = 0; i < 12; i++) {
        const struct newest *want = &m->newest[things[i / 4]][metrics[i % 4]];
        bool none = want->value.kind == VALUE_NONE;
        if (none ? values[i].kind != VALUE_NONE : times[i] != want->time || !same_value(values[i], want->value))
            WRONG(m, "latest of many: thing %u metric %u", things[i / 4], metrics[i % 4]);
    }
    arena_fini(&arena);
}

static Nanos some_moment(struct store_model *m) {
    if (m->oracle.n == 0 || below(m, 4) == 0) return T0 + (Nanos)below(m, 3000) * NANOS_PER_MIN;
    return m->oracle.items[below(m, m->oracle.n)].time + (Nanos)below(m, 3) - 1;
}

static struct lens some_lens(struct store_model *m) {
    struct lens lens = all;
    if (below(m, 3) == 0) lens.every_party = false, lens.party = 1 + (PartyId)below(m, 3);
    if (below(m, 4) == 0) lens.from = some_moment(m);
    if (below(m, 4) == 0) lens.to = some_moment(m);
    return lens;
}

static void read_some(struct store_model *m) {
    static const Nanos windows[] = {0, 0, NANOS_PER_MIN, NANOS_PER_HOUR, 7 * NANOS_PER_HOUR, NANOS_PER_DAY};
    struct lens lens = some_lens(m);
    struct series_query q = {.from = INT64_MIN, .window = windows[below(m, 6)]};
    if (below(m, 2)) q.thing = 1 + (ThingId)below(m, m->things);
    if (below(m, 2)) q.metric = 1 + (MetricId)below(m, m->metrics);
    if (below(m, 2)) q.from = some_moment(m);
    if (below(m, 2)) q.to = q.from == INT64_MIN ? some_moment(m) : q.from + (Nanos)(1 + below(m, 3000)) * NANOS_PER_MIN;
    if (below(m, 4) == 0) q.limit = 1 + below(m, 60);
    if (q.thing && q.metric && !q.window) q.newest_first = below(m, 2);
    if (q.window && below(m, 4) == 0) lens.resolution = NANOS_PER_HOUR;
    size_t wrong = store_oracle_differences(&m->oracle, m->series, &lens, &q);
    if (wrong)
        WRONG(m, "thing %u metric %u from %lld to %lld window %lld limit %zu%s, resolution %lld: %zu differences",
              q.thing, q.metric, (long long)q.from, (long long)q.to, (long long)q.window, q.limit,
              q.newest_first ? " backwards" : "", (long long)lens.resolution, wrong);
    m->counts.reads++;
}

static void scan_some(struct store_model *m) {
    static const Nanos windows[] = {0, 0, NANOS_PER_MIN, NANOS_PER_HOUR, NANOS_PER_DAY, 8 * NANOS_PER_DAY};
    struct lens lens = some_lens(m);
    ThingId things[THINGS_MAX];
    MetricId metrics[METRICS_MAX];
    struct series_ask ask = {.metrics = metrics, .from = INT64_MIN, .workers = (unsigned)below(m, 5)};
    ask.n_metrics = 1 + below(m, below(m, 3) ? 4 : m->metrics);
    if (ask.n_metrics > m->metrics) ask.n_metrics = m->metrics;
    uint64_t skip = below(m, m->metrics);
    for (size_t k = 0; k < ask.n_metrics; k++)
        metrics[k] = 1 + (MetricId)((skip + k * (m->metrics % 7 ? 7 : 5)) % m->metrics);
    if (below(m, 12) == 0) ask.n_metrics = 0; /* moments alone */
    ask.window = windows[below(m, 6)];
    if (ask.window && below(m, 2)) ask.origin = (Nanos)below(m, 90) * NANOS_PER_MIN;
    if (below(m, 2)) {
        ask.things = things;
        ThingId first = 1 + (ThingId)below(m, m->things);
        for (ask.n_things = 0; ask.n_things < 3 && first + ask.n_things <= m->things; ask.n_things++)
            things[ask.n_things] = first + (ThingId)ask.n_things;
    }
    if (below(m, 2)) ask.from = some_moment(m);
    if (below(m, 2)) ask.to = some_moment(m);
    if (ask.n_metrics == 0) ask.window = 0;
    if (ask.window >= NANOS_PER_HOUR && below(m, 3) == 0) { /* a lens that shows hours, asked for whole ones */
        lens.resolution = NANOS_PER_HOUR, ask.origin = 0;
        lens.from = ask.from = INT64_MIN, lens.to = INT64_MAX, ask.to = 0;
    }
    size_t wrong = store_batches_differences(&m->oracle, m->series, &lens, &ask);
    if (wrong)
        WRONG(m, "scan of %zu metrics from %u by %u workers, window %lld: %zu differences", ask.n_metrics, metrics[0],
              ask.workers, (long long)ask.window, wrong);
    m->counts.reads++;
}

static void look_at_letters(struct store_model *m) {
    struct arena arena;
    struct dead_letter_row *rows;
    size_t n;
    arena_init(&arena, 0);
    Err err = series_dead_letters(m->series, &all, 0, 0, &arena, &rows, &n);
    if (err.code || n < m->letters || n > m->letters + m->letters_doubtful)
        WRONG(m, "%zu dead letters, should be %u: %s", n, m->letters, err.text);
    arena_fini(&arena);
    m->letters = (uint32_t)n, m->letters_doubtful = 0;
}

static void look_at_stats(struct store_model *m) {
    struct series_stats stats;
    series_stats(m->series, &stats);
    if (stats.things != m->things || stats.metrics != m->metrics)
        WRONG(m, "%u things and %u metrics, should be %u and %u", stats.things, stats.metrics, m->things, m->metrics);
    if (stats.memory_bytes > 4 * MEMORY + (1u << 20))
        WRONG(m, "%llu bytes of memory", (unsigned long long)stats.memory_bytes);
    if (stats.runs > stats.chunks || stats.log_bytes > stats.disk_bytes) WRONG(m, "the figures cannot be true");
}

void store_model_look(struct store_model *m) {
    struct series_query everything = {.from = INT64_MIN};
    if (store_oracle_differences(&m->oracle, m->series, &all, &everything)) WRONG(m, "not the same samples");
    for (ThingId thing = 1; thing <= m->things; thing++) look_at_latest(m, thing);
    for (int i = 0; i < 6; i++) read_some(m), scan_some(m), look_at_batch_latest(m);
    look_at_letters(m);
    look_at_stats(m);
}

/* ---- starting and stopping */

static void name_all(struct store_model *m) {
    char name[32];
    uint32_t id;
    for (uint32_t i = 1; i <= m->things; i++) {
        snprintf(name, sizeof name, "thing-%u", i);
        Err err = series_thing(m->series, party_of(i), str_c(name), &id);
        if (err.code || id != i) WRONG(m, "thing %u has number %u", i, id);
    }
    for (uint32_t i = 1; i <= m->metrics; i++) {
        snprintf(name, sizeof name, "metric.%u", i);
        Err err = series_metric(m->series, str_c(name), &id);
        if (err.code || id != i) WRONG(m, "metric %u has number %u", i, id);
    }
}

static Nanos model_now(void *ctx) { return ((struct store_model *)ctx)->now; }

static bool open_store(struct store_model *m) {
    m->clock = (struct clock){model_now, m};
    Err err = series_open(&(struct series_options){.fs = store_cutfs_fs(m->disk),
                                                   .dir = "/data/series",
                                                   .clock = &m->clock,
                                                   .memory_bytes = MEMORY,
                                                   .dead_letter_bytes = 1 << 20,
                                                   .merge_runs = 2 + (unsigned)(m->seed % 3)},
                          &m->series);
    m->counts.opens++;
    if (err.code) {
        m->series = NULL;
        check_failure(m, err, "open");
        return false;
    }
    name_all(m);
    return true;
}

static void close_store(struct store_model *m) {
    series_close(m->series);
    m->series = NULL;
}

/* Of the things' stamps a start keeps those of rows. */
static void forget_stamps(struct store_model *m) { memset(m->stamp_low, 0, sizeof m->stamp_low); }

static void restart(struct store_model *m) {
    close_store(m);
    if (!open_store(m)) return;
    forget_stamps(m);
    note_start(m);
}

static bool read_back(void *ctx, const struct series_point *p) {
    struct store_oracle *found = ctx;
    Value v = p->value; /* of the words, which live on */
    for (size_t i = 0; v.kind == VALUE_STRING && i < sizeof words / sizeof *words; i++)
        if (str_eq(v.s, words[i])) v.s = words[i];
    store_oracle_put(found, p->thing, p->metric, p->time, v);
    return true;
}

/* What nobody was told of: if it is there, it counts from now on. */
static void resolve(struct store_model *m) {
    struct doubt *doubt = &m->doubt;
    struct store_oracle found = {0};
    if (doubt->n && m->series) {
        Err err = series_read(m->series, &all, &(struct series_query){.from = INT64_MIN}, read_back, &found);
        if (err.code) WRONG(m, "read: %s", err.text);
    }
    for (size_t i = 0; i < doubt->n; i++) {
        const struct store_oracle_sample *d = &doubt->items[i];
        const struct store_oracle_sample *f = store_oracle_get(&found, d->thing, d->metric, d->time);
        if (f && same_value(f->value, d->value)) store_oracle_put(&m->oracle, d->thing, d->metric, d->time, d->value);
    }
    store_oracle_fini(&found);
    free(doubt->items);
    *doubt = (struct doubt){0};
}

static void power_cycle(struct store_model *m) {
    static const enum store_cutfs_left kinds[] = {STORE_CUTFS_SYNCED, STORE_CUTFS_SOME, STORE_CUTFS_KILLED};
    store_cutfs_cut_at(m->disk, 0);
    close_store(m);
    store_cutfs_power_on(m->disk, kinds[below(m, 3)]);
    m->counts.cuts++;
    if (!open_store(m)) return;
    resolve(m);
    forget_stamps(m);
    note_start(m);
}

/* The power goes while something is under way. */
static void cut_in_the_middle(struct store_model *m) {
    store_cutfs_cut_at(m->disk, 1 + below(m, 80));
    write_some(m, 1 + below(m, PARCELS), 40);
    uint64_t what = below(m, 3);
    if (what == 0) series_flush(m->series);
    if (what == 1) series_compact(m->series);
    write_some(m, 1 + below(m, PARCELS), 40);
    power_cycle(m);
}

/* ---- steps */

static void add_names(struct store_model *m) {
    if (m->things < THINGS_MAX) {
        m->things++;
        m->cadence[m->things] = (Nanos)(1 + mix(m->things, 1) % 90) * NANOS_PER_S;
        m->at[m->things] = T0 + (Nanos)(mix(m->things, 2) % 3) * NANOS_PER_HOUR;
    }
    if (m->metrics < METRICS_MAX && below(m, 2)) m->metrics++;
    if (m->series) name_all(m);
}

static void jump_clock(struct store_model *m) {
    Nanos by = (Nanos)below(m, 3 * 24 * 60) * NANOS_PER_MIN;
    m->now += below(m, 3) ? by : -by / 2;
}

static void check_ok(struct store_model *m, Err err, const char *what) {
    if (err.code) check_failure(m, err, what);
}

/* What changes the store. */
static void change(struct store_model *m, uint64_t r) {
    if (r < 45)
        write_some(m, 1, 60);
    else if (r < 58)
        write_some(m, 1 + below(m, PARCELS), 12);
    else if (r < 62)
        check_ok(m, series_flush(m->series), "flush");
    else if (r < 64)
        check_ok(m, series_compact(m->series), "compact");
    else if (r < 66)
        restart(m);
    else if (r < 69)
        add_names(m);
    else
        jump_clock(m);
}

static void look_at(struct store_model *m, uint64_t r) {
    if (r < 76)
        try_clash(m);
    else if (r < 86)
        read_some(m);
    else if (r < 96)
        scan_some(m);
    else if (r < 98)
        look_at_latest(m, 1 + (ThingId)below(m, m->things));
    else
        store_model_look(m);
}

void store_model_step(struct store_model *m) {
    uint64_t r = below(m, 104);
    m->counts.steps++;
    if (!m->series) return;
    if (m->failing)
        change(m, r % 72);
    else if (r < 72)
        change(m, r);
    else if (r < 100)
        look_at(m, r);
    else if (r < 102)
        power_cycle(m);
    else
        cut_in_the_middle(m);
    m->now += (Nanos)below(m, 5000) * NANOS_PER_MS;
    if (m->doubt.n && !m->failing) WRONG(m, "%zu samples in doubt without a cut", m->doubt.n);
}

/* ---- a disk that fails */

void store_model_fail(struct store_model *m, enum store_cutfs_failure how, uint64_t calls_from_now, uint64_t times) {
    m->failing = true;
    store_cutfs_fail(m->disk, how, calls_from_now, times);
}

uint64_t store_model_calls(const struct store_model *m) { return store_cutfs_calls(m->disk); }

static Err write_one(struct store_model *m) {
    struct series_commit c = {0};
    Nanos time = T0 - NANOS_PER_S;
    rows_clear(&c.rows);
    enum value_kind is;
    ThingId thing = 1;
    MetricId metric = 1;
    Value value = any_value(m, thing, metric, time);
    if (!series_accepts(m->series, thing, metric, value.kind, &is)) WRONG(m, "the kind is another after a failure");
    rows_begin(&c.rows, thing, time, 0);
    rows_value(&c.rows, metric, value);
    rows_end(&c.rows);
    Err err = series_write(m->series, &c);
    struct store_oracle_sample sample = {thing, metric, time, value};
    if (err.code)
        VEC_PUSH(m->doubt.items, m->doubt.n, m->doubt.cap, sample);
    else
        note_sample(m, &sample);
    rows_fini(&c.rows);
    return err;
}

/* Writing works again, at the latest when the flusher has tried again; or it was said that only a start helps. */
static void check_healed(struct store_model *m) {
    Err err = err_none();
    for (int i = 0; i < 30000; i++) {
        err = write_one(m);
        if (err.code == ERR_NONE || strstr(err.text, "restart")) break;
        clock_sleep(NANOS_PER_MS);
    }
    if (err.code && !strstr(err.text, "restart")) WRONG(m, "the disk is well, but: %s", err.text);
    m->counts.healed += err.code == ERR_NONE;
}

void store_model_heal(struct store_model *m) {
    store_cutfs_fail(m->disk, STORE_CUTFS_EIO, 0, 0);
    if (m->series) check_healed(m);
    close_store(m);
    m->failing = false;
    if (!open_store(m)) return;
    resolve(m);
    forget_stamps(m);
    note_start(m);
    store_model_look(m);
}

struct store_model *store_model_new(uint64_t seed) {
    struct store_model *m = calloc(1, sizeof *m);
    ASSERT(m != NULL);
    m->seed = seed, m->state = mix(seed, 7) | 1;
    m->disk = store_cutfs_new(seed);
    m->oracle.party_of = party_of;
    m->now = T0 + (Nanos)below(m, 40) * NANOS_PER_HOUR;
    uint64_t things = 1 + below(m, seed % 3 ? 6 : 30);
    for (uint64_t i = 0; i < things; i++) add_names(m);
    if (m->metrics == 0) m->metrics = 1;
    open_store(m);
    return m;
}

size_t store_model_wrong(const struct store_model *m) { return m->wrong; }

/* ---- the end */

struct files {
    size_t runs, names, others;
};

static bool count_file(void *ctx, Str name) {
    struct files *f = ctx;
    if (str_starts(name, STR("run-")))
        f->runs++;
    else if (str_starts(name, STR("names-")))
        f->names++;
    else if (!str_starts(name, STR("wal-")) && !str_starts(name, STR("dead-")) && !str_eq_c(name, "manifest"))
        f->others++;
    return true;
}

/* After a start nothing is left over from what was merged, dropped or cut off. */
static void look_at_files(struct store_model *m) {
    struct files files = {0};
    struct series_stats stats;
    check_ok(m, series_compact(m->series), "compact");
    restart(m);
    if (!m->series) return;
    series_stats(m->series, &stats);
    check_ok(m, file_list(store_cutfs_fs(m->disk), "/data/series", count_file, &files), "list");
    if (files.runs != stats.runs || files.names > 1 || files.others)
        WRONG(m, "%zu files of runs for %llu runs, %zu of names, %zu others", files.runs,
              (unsigned long long)stats.runs, files.names, files.others);
}

bool store_model_end(struct store_model *m, struct store_model_counts *counts) {
    if (m->series) look_at_files(m);
    if (m->series) store_model_look(m);
    close_store(m);
    bool good = m->wrong == 0;
    counts->steps += m->counts.steps, counts->rows += m->counts.rows, counts->values += m->counts.values;
    counts->reads += m->counts.reads, counts->opens += m->counts.opens, counts->cuts += m->counts.cuts;
    counts->failures += m->counts.failures, counts->healed += m->counts.healed;
    free(m->doubt.items);
    store_oracle_fini(&m->oracle);
    store_cutfs_free(m->disk);
    free(m);
    return good;
}
