#include "connect/telemetry.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/jw.h"
#include "base/vec.h"
#include "connect/telemetry_json.h"

#define SHAPE_MAX 256     /* names remembered of the last messages, in their order */
#define SHAPE_NAME_MAX 40 /* longer names are looked up each time */
#define METRIC_SLOTS 4096 /* names to numbers, for messages of another shape */
#define THING_SLOTS 8192  /* a gateway's things */

/* Of a name seen at the same place in an earlier message. */
struct shape_entry {
    MetricId metric;
    uint8_t len;
    char name[SHAPE_NAME_MAX];
};

/* Where a metric stood in the row being taken, to find names that come twice. */
struct last_seen {
    uint32_t row, sample;
};

struct telemetry {
    struct telemetry_options options;
    struct telemetry_json json;
    struct buf scratch;
    uint32_t models; /* raised by forget_models */
    uint32_t row;    /* serial of the row being taken */
    size_t shape_at; /* where in the shape the next name is expected */
    size_t n_shape;
    struct last_seen *seen; /* by metric */
    size_t cap_seen;
    struct shape_entry shape[SHAPE_MAX];
    MetricId metrics[METRIC_SLOTS];
    struct telemetry_thing things[THING_SLOTS];
};

/* A message on its way. */
struct taking {
    struct telemetry *self;
    const struct telemetry_message *message;
    struct telemetry_batch *batch;
};

struct telemetry *telemetry_new(const struct telemetry_options *options) {
    struct telemetry *self = calloc(1, sizeof *self);
    ASSERT(self);
    self->options = *options;
    self->models = 1;
    return self;
}

void telemetry_free(struct telemetry *self) {
    if (!self) return;
    telemetry_json_fini(&self->json);
    buf_fini(&self->scratch);
    free(self->seen);
    free(self);
}

void telemetry_forget_models(struct telemetry *self) { self->models++; }

/* ---- dead letters */

static void put_letter(const struct telemetry_message *message, Str device, Str reason, Str payload,
                       struct telemetry_batch *batch) {
    struct dead_letter letter = {
        .party = message->party,
        .at = message->now,
        .device = arena_str(batch->arena, device),
        .topic = arena_str(batch->arena, message->topic),
        .reason = arena_str(batch->arena, reason),
        .payload = arena_str(batch->arena, payload),
    };
    VEC_PUSH(batch->letters, batch->n_letters, batch->cap_letters, letter);
}

void telemetry_refuse(const struct telemetry_message *message, const char *reason, struct telemetry_batch *batch) {
    put_letter(message, message->device, str_c(reason), message->payload, batch);
}

static void refuse_all(struct taking *t, uint64_t *counter) {
    char reason[160];
    const struct telemetry_json *json = &t->self->json;
    snprintf(reason, sizeof reason, "bad JSON at byte %zu: %s", json->at, json->why);
    ingest_count(counter, 1);
    telemetry_refuse(t->message, reason, t->batch);
}

static Str device_of(const struct taking *t, const struct telemetry_row *row) {
    return t->message->gateway ? row->thing : t->message->device;
}

/* A letter holds a message that can be sent again as it is: for a gateway, the row below its thing's name. */
static void refuse_json(struct taking *t, const struct telemetry_row *row, Str reason, Str json) {
    if (!t->message->gateway) {
        put_letter(t->message, device_of(t, row), reason, json, t->batch);
        return;
    }
    struct buf whole = {0};
    struct jw w;
    jw_init(&w, &whole);
    jw_object(&w);
    jw_key_str(&w, row->thing);
    jw_array(&w);
    jw_raw(&w, json);
    jw_array_end(&w);
    jw_object_end(&w);
    put_letter(t->message, device_of(t, row), reason, buf_view(&whole), t->batch);
    buf_fini(&whole);
}

static void refuse_row(struct taking *t, const struct telemetry_row *row, uint64_t *counter, const char *reason) {
    ingest_count(counter, 1);
    refuse_json(t, row, str_c(reason), row->raw);
}

static Str millis_text(Nanos time, char out[32]) {
    uint64_t v = time < 0 ? 0 - (uint64_t)time : (uint64_t)time;
    uint64_t ms = v / NANOS_PER_MS, ns = v % NANOS_PER_MS;
    int n = snprintf(out, 32, "%s%llu", time < 0 ? "-" : "", (unsigned long long)ms);
    if (ns) n += snprintf(out + n, 32 - (size_t)n, ".%06llu", (unsigned long long)ns);
    return str_n(out, (size_t)n);
}

/* {"ts":…,"values":{"name":raw}}: the one value that was not kept, at the time the others were kept under. */
static void refuse_value(struct taking *t, const struct telemetry_row *row, const struct telemetry_sample *sample,
                         uint64_t *counter, Str reason) {
    char time[32];
    struct jw w;
    ingest_count(counter, 1);
    buf_clear(&t->self->scratch);
    jw_init(&w, &t->self->scratch);
    jw_object(&w);
    jw_key(&w, "ts");
    jw_raw(&w, millis_text(row->time, time));
    jw_key(&w, "values");
    jw_object(&w);
    jw_key_str(&w, sample->name);
    jw_raw(&w, sample->raw);
    jw_object_end(&w);
    jw_object_end(&w);
    refuse_json(t, row, reason, buf_view(&t->self->scratch));
}

/* ---- names to numbers */

/*
 * Messages of a device look like the one before, so the name at a place is most often the one that stood there: one
 * comparison, no hash. Another shape goes through a table checked against the store's own names.
 */
static MetricId find_metric(struct telemetry *self, Str name) {
    MetricId *slot = &self->metrics[hash_str(name) % METRIC_SLOTS];
    if (*slot && str_eq(series_metric_name(self->options.series, *slot), name)) return *slot;
    MetricId found;
    if (!series_find_metric(self->options.series, name, &found)) return 0;
    *slot = found;
    return found;
}

static void remember_shape(struct telemetry *self, Str name, MetricId metric) {
    if (name.len > SHAPE_NAME_MAX || self->shape_at >= SHAPE_MAX) return;
    struct shape_entry *entry = &self->shape[self->shape_at++];
    entry->metric = metric;
    entry->len = (uint8_t)name.len;
    memcpy(entry->name, name.ptr, name.len);
    if (self->n_shape < self->shape_at) self->n_shape = self->shape_at;
}

static MetricId known_metric(struct telemetry *self, Str name) {
    if (self->shape_at < self->n_shape) {
        const struct shape_entry *entry = &self->shape[self->shape_at];
        if (entry->len == name.len && memcmp(entry->name, name.ptr, name.len) == 0) {
            self->shape_at++;
            return entry->metric;
        }
    }
    MetricId metric = find_metric(self, name);
    if (metric) remember_shape(self, name, metric);
    return metric;
}

static Err metric_of(struct telemetry *self, Str name, MetricId *out) {
    *out = known_metric(self, name);
    if (*out) return err_none();
    TRY(series_metric(self->options.series, name, out));
    remember_shape(self, name, *out);
    return err_none();
}

static void ask_model(struct taking *t, Str name, struct telemetry_thing *thing) {
    const struct telemetry_options *options = &t->self->options;
    thing->models = t->self->models;
    thing->closed = NULL;
    if (!options->model_of) return;
    const struct thing_model *model = options->model_of(options->ctx, t->message->party, name);
    if (model && model->closed) thing->closed = model;
}

static Err find_thing(struct taking *t, Str name, bool seen, ThingId *out) {
    const struct telemetry_options *options = &t->self->options;
    PartyId party = t->message->party;
    if (series_find_thing(options->series, party, name, out)) return err_none();
    TRY(series_thing(options->series, party, name, out));
    if (seen && options->thing_seen) options->thing_seen(options->ctx, party, name);
    return err_none();
}

static bool is_thing(struct taking *t, ThingId id, Str name) {
    PartyId party;
    Str known;
    return id && series_thing_name(t->self->options.series, id, &party, &known) && party == t->message->party &&
           str_eq(known, name);
}

static Err thing_of(struct taking *t, const struct telemetry_row *row, const struct telemetry_thing **out) {
    Str name = device_of(t, row);
    struct telemetry_thing *thing = t->message->own;
    bool known = thing->id != 0;
    if (t->message->gateway) {
        thing = &t->self->things[hash_seeded(name.ptr, name.len, t->message->party) % THING_SLOTS];
        known = is_thing(t, thing->id, name);
    }
    if (!known) {
        ThingId id;
        TRY(find_thing(t, name, t->message->gateway, &id));
        *thing = (struct telemetry_thing){.id = id};
    }
    if (thing->models != t->self->models) ask_model(t, name, thing);
    *out = thing;
    return err_none();
}

/* ---- rows */

static const char *const kinds[] = {
    [VALUE_NONE] = "nothing",       [VALUE_INT] = "a number",  [VALUE_FLOAT] = "a number",
    [VALUE_BOOL] = "true or false", [VALUE_STRING] = "a text",
};

static void refuse_kind(struct taking *t, const struct telemetry_row *row, const struct telemetry_sample *sample,
                        enum value_kind is) {
    char reason[400];
    snprintf(reason, sizeof reason, "'" STR_FMT "' is %s here, but %s was sent", STR_ARG(sample->name), kinds[is],
             kinds[sample->value.kind]);
    refuse_value(t, row, sample, &t->self->options.counters->refused_type, str_c(reason));
}

static bool closed_out(struct taking *t, const struct telemetry_row *row, const struct telemetry_sample *sample,
                       const struct telemetry_thing *thing) {
    if (!thing->closed || thing_model_metric(thing->closed, sample->name)) return false;
    char reason[400];
    snprintf(reason, sizeof reason, "model '%s' is closed and has no metric '" STR_FMT "'", thing->closed->name,
             STR_ARG(str_slice(sample->name, 0, 255)));
    refuse_value(t, row, sample, &t->self->options.counters->refused_metric, str_c(reason));
    return true;
}

static struct last_seen *seen_at(struct telemetry *self, MetricId metric) {
    if (metric >= self->cap_seen) {
        size_t old = self->cap_seen;
        self->seen = vec_grow(self->seen, &self->cap_seen, (size_t)metric + 1, sizeof *self->seen);
        memset(self->seen + old, 0, (self->cap_seen - old) * sizeof *self->seen);
    }
    return &self->seen[metric];
}

static void next_row(struct telemetry *self) {
    if (++self->row != 0) return;
    memset(self->seen, 0, self->cap_seen * sizeof *self->seen); /* the serial came round */
    self->row = 1;
}

/* Gives each sample its metric; of a name that comes twice, only the last stays. */
static void resolve(struct taking *t, const struct telemetry_row *row, const struct telemetry_thing *thing) {
    struct telemetry *self = t->self;
    struct telemetry_sample *samples = self->json.samples + row->first;
    next_row(self);
    self->shape_at = 0;
    for (size_t i = 0; i < row->n; i++) {
        struct telemetry_sample *sample = &samples[i];
        if (sample->state == TELEMETRY_SAMPLE_STRAY || sample->state == TELEMETRY_SAMPLE_REPLACED) continue;
        sample->metric = known_metric(self, sample->name);
        bool wanted = sample->state == TELEMETRY_SAMPLE_OK && sample->value.kind != VALUE_NONE;
        if (wanted && closed_out(t, row, sample, thing)) {
            sample->state = TELEMETRY_SAMPLE_REPLACED;
            continue;
        }
        if (!sample->metric && wanted) {
            Err err = metric_of(self, sample->name, &sample->metric);
            if (err.code != ERR_NONE)
                refuse_value(t, row, sample, &self->options.counters->refused_metric, str_c(err.text));
        }
        if (!sample->metric) continue;
        struct last_seen *last = seen_at(self, sample->metric);
        if (last->row == self->row) samples[last->sample].state = TELEMETRY_SAMPLE_REPLACED;
        *last = (struct last_seen){self->row, (uint32_t)i};
    }
}

static void refuse_state(struct taking *t, const struct telemetry_row *row, const struct telemetry_sample *sample) {
    static const char *const reasons[] = {
        [TELEMETRY_SAMPLE_NESTED] = "a value is a number, a text, true or false; this is an object or array",
        [TELEMETRY_SAMPLE_RANGE] = "the number is too large for a double",
        [TELEMETRY_SAMPLE_STRAY] = "it stands beside 'ts' and 'values': values belong inside 'values'",
    };
    refuse_value(t, row, sample, &t->self->options.counters->refused_value, str_c(reasons[sample->state]));
}

static void put_sample(struct taking *t, const struct telemetry_row *row, struct telemetry_sample *sample,
                       const struct telemetry_thing *thing) {
    if (sample->state == TELEMETRY_SAMPLE_REPLACED) return;
    if (sample->state != TELEMETRY_SAMPLE_OK) {
        refuse_state(t, row, sample);
        return;
    }
    if (sample->value.kind == VALUE_NONE || !sample->metric) return; /* not reported; or refused by resolve */
    enum value_kind is;
    struct series *series = t->self->options.series;
    if (series_accepts(series, thing->id, sample->metric, sample->value.kind, &is))
        rows_value(t->batch->rows, sample->metric, sample->value);
    else
        refuse_kind(t, row, sample, is);
}

static void take_row(struct taking *t, struct telemetry_row *row) {
    struct telemetry *self = t->self;
    struct ingest_counters *counters = self->options.counters;
    const struct telemetry_thing *thing = NULL;
    if (row->refuse) {
        refuse_row(t, row, &counters->refused_value, row->refuse);
        return;
    }
    Err err = thing_of(t, row, &thing);
    if (!thing) {
        refuse_row(t, row, &counters->refused_thing, err.text);
        return;
    }
    if (!row->timed) row->time = series_stamp(self->options.series, thing->id, t->message->now);
    resolve(t, row, thing);
    rows_begin(t->batch->rows, thing->id, row->time, row->timed ? 0 : ROWS_SERVER_TIME);
    for (size_t i = row->first; i < row->first + row->n; i++) put_sample(t, row, &self->json.samples[i], thing);
    rows_end(t->batch->rows);
}

void telemetry_take(struct telemetry *self, const struct telemetry_message *message, struct telemetry_batch *batch) {
    struct taking t = {self, message, batch};
    struct ingest_counters *counters = self->options.counters;
    uint32_t rows = batch->rows->n_rows, values = batch->rows->n_values;
    ingest_count(&counters->messages, 1);
    ingest_count(&counters->bytes, message->payload.len);
    /* Nothing is looked up, made or kept before the whole message is known to be well-formed. */
    if (!telemetry_json_scan(&self->json, message->payload, message->gateway)) {
        refuse_all(&t, &counters->refused_json);
        return;
    }
    for (size_t i = 0; i < self->json.n_rows; i++) take_row(&t, &self->json.rows[i]);
    ingest_count(&counters->rows, batch->rows->n_rows - rows);
    ingest_count(&counters->values, batch->rows->n_values - values);
}
