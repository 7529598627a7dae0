#include "app/load_tsbs.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/num.h"
#include "base/vec.h"

const char load_tsbs_help[] =
    "usage: weft load tsbs [flags] > FILE\n\n"
    "Writes the fleet workload of the Time Series Benchmark Suite (\"iot\") in Influx line protocol: every truck a "
    "line of\n"
    "readings and a line of diagnostics each interval, some missing and some out of order.\n\n"
    "  --scale N       trucks (default 4000)\n"
    "  --seed S        (default 123)\n"
    "  --from TIME     first timestamp (default 2016-01-01T00:00:00Z)\n"
    "  --hours H       how long (default 1)\n"
    "  --interval S    seconds between two rows of a truck (default 10)\n"
    "  --ordered       nothing missing, nothing out of order\n";

/* ---- chance: splitmix64, one stream for all, so that the same flags give the same bytes */

struct dice {
    uint64_t state;
};

static uint64_t roll(struct dice *d) {
    uint64_t z = (d->state += UINT64_C(0x9E3779B97F4A7C15));
    z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
    return z ^ (z >> 31);
}

static double uniform(struct dice *d, double low, double high) {
    return low + (double)(roll(d) >> 11) * 0x1p-53 * (high - low);
}

static bool happens(struct dice *d, double probability) { return uniform(d, 0, 1) < probability; }

static double normal(struct dice *d) { /* Box and Muller, one of the pair */
    double u = 1 - uniform(d, 0, 1);
    return sqrt(-2 * log(u)) * cos(6.283185307179586 * uniform(d, 0, 1));
}

/* ---- the tables of the workload */

static const char *const fleets[] = {"East", "West", "North", "South"};
static const char *const drivers[] = {"Derek", "Rodney", "Albert", "Andy", "Seth", "Trish"};
static const char *const versions[] = {"v1.0", "v1.5", "v2.0", "v2.3"};
static const struct {
    const char *name, *load_capacity, *fuel_capacity, *consumption;
} models[] = {{"F-150", "2000", "200", "15"}, {"G-2000", "5000", "300", "19"}, {"H-2", "1500", "150", "12"}};

enum { READINGS, DIAGNOSTICS, MEASUREMENTS };
enum { FIELDS_MAX = 7, TAGS = 8, BATCH = 10 };

/* Walks: a uniform step, limits, digits behind the point, and where it starts. */
static const struct walk {
    const char *name;
    double step, low, high;
    int digits;
    double start_low, start_high;
} readings[FIELDS_MAX] = {
    {"latitude", 0.005, -90, 90, 5, 0, 90},    {"longitude", 0.005, -180, 180, 5, 0, 180},
    {"elevation", 10, 0, 5000, 0, 0, 500},     {"velocity", 10, 0, 100, 0, 0, 0},
    {"heading", 5, 0, 360, 0, 0, 360},         {"grade", 5, 0, 100, 0, 0, 0},
    {"fuel_consumption", 5, 0, 50, 1, 25, 25},
};

struct truck {
    unsigned fleet, driver, model, version;
    double walks[FIELDS_MAX], fuel, load, status;
};

/* A line before it is written. */
struct entry {
    unsigned truck;
    unsigned char measurement, n;
    signed char no_field, no_tag; /* left out, or -1 */
    Nanos time;
    double values[FIELDS_MAX];
};

struct fleet {
    const struct load_tsbs_options *options;
    struct dice dice;
    struct truck *trucks;
    struct entry *late_entries, *late_batches; /* held back; batches are BATCH entries each */
    size_t n_late, cap_late, n_batches, cap_batches;
    struct buf text;
    FILE *out;
    struct load_tsbs_result *result;
    bool failed;
};

/* ---- lines */

static double rounded(double v, int digits) {
    double scale = digits == 5 ? 1e5 : digits == 1 ? 10 : 1;
    return round(v * scale) / scale;
}

static void put_tag(struct buf *text, const char *name, const char *value) { buf_printf(text, ",%s=%s", name, value); }

static void put_tags(struct fleet *f, const struct entry *e) {
    const struct truck *t = &f->trucks[e->truck];
    char name[32];
    snprintf(name, sizeof name, "truck_%u", e->truck);
    const char *const tags[TAGS][2] = {{"name", name},
                                       {"fleet", fleets[t->fleet]},
                                       {"driver", drivers[t->driver]},
                                       {"model", models[t->model].name},
                                       {"device_version", versions[t->version]},
                                       {"load_capacity", models[t->model].load_capacity},
                                       {"fuel_capacity", models[t->model].fuel_capacity},
                                       {"nominal_fuel_consumption", models[t->model].consumption}};
    for (int i = 0; i < TAGS; i++)
        if (i != e->no_tag) put_tag(&f->text, tags[i][0], tags[i][1]);
}

static const char *field_name(const struct entry *e, int i) {
    static const char *const diagnostics[FIELDS_MAX] = {"fuel_state", "current_load", "status"};
    return e->measurement == READINGS ? readings[i].name : diagnostics[i];
}

static void put_line(struct fleet *f, const struct entry *e) {
    char number[NUM_TEXT_MAX], separator = ' ';
    buf_c(&f->text, e->measurement == READINGS ? "readings" : "diagnostics");
    put_tags(f, e);
    for (int i = 0; i < e->n; i++) {
        if (i == e->no_field) continue;
        buf_printf(&f->text, "%c%s=", separator, field_name(e, i));
        buf_str(&f->text, num_format(e->values[i], number));
        if (e->measurement == DIAGNOSTICS && i == 2) buf_byte(&f->text, 'i');
        separator = ',';
        f->result->values++;
    }
    buf_printf(&f->text, " %lld\n", (long long)e->time);
    f->result->lines++;
    if (f->text.len < 1 << 20) return;
    f->failed |= fwrite(f->text.ptr, 1, f->text.len, f->out) != f->text.len;
    f->result->bytes += f->text.len;
    buf_clear(&f->text);
}

/* ---- trucks move */

static void start(struct fleet *f) {
    for (unsigned i = 0; i < f->options->scale; i++) {
        struct truck *t = &f->trucks[i];
        t->fleet = (unsigned)(roll(&f->dice) % 4), t->driver = (unsigned)(roll(&f->dice) % 6);
        t->model = (unsigned)(roll(&f->dice) % 3), t->version = (unsigned)(roll(&f->dice) % 4);
        for (int k = 0; k < FIELDS_MAX; k++)
            t->walks[k] = uniform(&f->dice, readings[k].start_low, readings[k].start_high);
        t->fuel = 1, t->load = uniform(&f->dice, 0, 5000), t->status = 0;
    }
}

static struct entry read_truck(struct fleet *f, unsigned i, Nanos time) {
    struct entry e = {.truck = i, .measurement = READINGS, .n = FIELDS_MAX, .time = time};
    for (int k = 0; k < FIELDS_MAX; k++) {
        double *v = &f->trucks[i].walks[k];
        *v = fmin(fmax(*v + uniform(&f->dice, -readings[k].step, readings[k].step), readings[k].low), readings[k].high);
        e.values[k] = rounded(*v, readings[k].digits);
    }
    return e;
}

static struct entry diagnose_truck(struct fleet *f, unsigned i, Nanos time) {
    struct truck *t = &f->trucks[i];
    t->fuel += uniform(&f->dice, -0.001, 0);
    if (t->fuel <= 0) t->fuel = 1;
    if (happens(&f->dice, 0.05)) t->load = uniform(&f->dice, 0, 5000);
    t->status = fmin(fmax(t->status + normal(&f->dice), 0), 5);
    return (struct entry){.truck = i,
                          .measurement = DIAGNOSTICS,
                          .n = 3,
                          .time = time,
                          .values = {rounded(t->fuel, 1), rounded(t->load, 0), floor(t->status)}};
}

/* ---- disorder: batches of ten entries, some lost, some late; and within a batch entries likewise */

static void give_batch(struct fleet *f, const struct entry *batch, size_t n) {
    for (size_t i = 0; i < n; i++) {
        if (f->n_late && happens(&f->dice, 0.5)) put_line(f, &f->late_entries[--f->n_late]);
        if (happens(&f->dice, 0.10)) continue;
        if (happens(&f->dice, 0.30))
            VEC_PUSH(f->late_entries, f->n_late, f->cap_late, batch[i]);
        else
            put_line(f, &batch[i]);
    }
}

static void take_batch(struct fleet *f, const struct entry *batch, size_t n) {
    if (f->options->ordered) {
        for (size_t i = 0; i < n; i++) put_line(f, &batch[i]);
        return;
    }
    if (f->n_batches >= BATCH && happens(&f->dice, 0.5)) {
        f->n_batches -= BATCH;
        give_batch(f, f->late_batches + f->n_batches, BATCH);
    }
    if (happens(&f->dice, 0.01)) return;
    if (n == BATCH && happens(&f->dice, 0.05))
        for (size_t i = 0; i < n; i++) VEC_PUSH(f->late_batches, f->n_batches, f->cap_batches, batch[i]);
    else
        give_batch(f, batch, n);
}

static void blank(struct fleet *f, struct entry *e) {
    e->no_field = e->no_tag = -1;
    if (f->options->ordered) return;
    if (happens(&f->dice, 0.10)) e->no_field = (signed char)(roll(&f->dice) % e->n);
    if (happens(&f->dice, 0.01)) e->no_tag = (signed char)(roll(&f->dice) % TAGS);
}

static void run(struct fleet *f) {
    struct entry batch[BATCH];
    size_t n = 0;
    start(f);
    for (Nanos t = f->options->from; t < f->options->to && !f->failed; t += f->options->interval)
        for (unsigned i = 0; i < f->options->scale; i++)
            for (int m = 0; m < MEASUREMENTS; m++) {
                batch[n] = m == READINGS ? read_truck(f, i, t) : diagnose_truck(f, i, t);
                blank(f, &batch[n]);
                if (++n < BATCH) continue;
                take_batch(f, batch, n);
                n = 0;
            }
    take_batch(f, batch, n);
    for (size_t i = 0; i < f->n_batches; i++) put_line(f, &f->late_batches[i]);
    for (size_t i = 0; i < f->n_late; i++) put_line(f, &f->late_entries[i]);
}

Err load_tsbs_write(const struct load_tsbs_options *options, FILE *out, struct load_tsbs_result *result) {
    *result = (struct load_tsbs_result){0};
    struct fleet f = {.options = options, .dice = {options->seed}, .out = out, .result = result};
    f.trucks = calloc(options->scale, sizeof *f.trucks);
    ASSERT(f.trucks);
    run(&f);
    f.failed |= fwrite(f.text.ptr, 1, f.text.len, out) != f.text.len || fflush(out) != 0;
    result->bytes += f.text.len;
    buf_fini(&f.text);
    free(f.trucks), free(f.late_entries), free(f.late_batches);
    return f.failed ? err_make(ERR_IO, "the lines could not be written: is the disk full, or the reader gone?")
                    : err_none();
}

/* ---- the command */

static Err number(const char *name, const char *text, double low, double high, double *out) {
    if (text && str_to_f64(str_c(text), out) && *out >= low && *out <= high) return err_none();
    return err_make(ERR_INVALID, "%s is '%.50s': give a number from %g to %g", name, text ? text : "", low, high);
}

static Err parse(int argc, char **argv, struct load_tsbs_options *o) {
    double scale = 4000, seed = 123, hours = 1, interval = 10;
    *o = (struct load_tsbs_options){.from = time_from_civil(2016, 1, 1, 0, 0, 0)};
    for (int i = 2; i < argc; i++) {
        const char *flag = argv[i], *value = i + 1 < argc ? argv[i + 1] : NULL;
        i++;
        if (strcmp(flag, "--scale") == 0)
            TRY(number(flag, value, 1, 10000000, &scale));
        else if (strcmp(flag, "--seed") == 0)
            TRY(number(flag, value, 0, 4294967295, &seed));
        else if (strcmp(flag, "--hours") == 0)
            TRY(number(flag, value, 0.001, 100000, &hours));
        else if (strcmp(flag, "--interval") == 0)
            TRY(number(flag, value, 0.001, 86400, &interval));
        else if (strcmp(flag, "--from") == 0)
            TRY(time_parse(str_c(value), &o->from));
        else if (strcmp(flag, "--ordered") == 0)
            o->ordered = true, i--;
        else
            return err_make(ERR_INVALID, "unknown flag '%.100s': 'weft load tsbs --help' lists all", flag);
    }
    o->scale = (unsigned)scale, o->seed = (unsigned)seed;
    o->interval = (Nanos)(interval * (double)NANOS_PER_S);
    o->to = o->from + (Nanos)(hours * (double)NANOS_PER_HOUR);
    return err_none();
}

int load_tsbs_main(int argc, char **argv) {
    struct load_tsbs_options options;
    struct load_tsbs_result result;
    Err err = parse(argc, argv, &options);
    if (err.code == ERR_NONE) err = load_tsbs_write(&options, stdout, &result);
    if (err.code == ERR_NONE) {
        fprintf(stderr, "{\"lines\":%llu,\"values\":%llu,\"bytes\":%llu}\n", result.lines, result.values, result.bytes);
        return 0;
    }
    fprintf(stderr, "weft load tsbs: %s\n", err.text);
    return err.code == ERR_INVALID ? 2 : 1;
}
