/*
 * Lines of one thing begin with the same bytes, measurement and tags, every time. So the key as written is looked up
 * whole in one hash table, and gives the thing and the numbers of the fields in the order they came last: a line costs
 * one hash, one comparison, and one comparison a field. All the rest happens once for each new key.
 */
#include "connect/line_protocol.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/vec.h"
#include "connect/line_scan.h"

#define KEYS_MAX 1000000
#define SLOTS_START 1024
#define NAME_MAX_BYTES 255

static const char *const default_thing_tags[] = {"thing", "name", "device", "host", NULL};
static const char *const default_split_tags[] = {"cpu", "device", "interface", "path", NULL};

static const struct {
    const char *name;
    enum line_precision precision;
} precisions[] = {{"ns", LINE_NS}, {"n", LINE_NS}, {"us", LINE_US}, {"u", LINE_US},  {"µs", LINE_US},
                  {"ms", LINE_MS}, {"s", LINE_S},  {"m", LINE_MIN}, {"h", LINE_HOUR}};
static const Nanos factors[] = {[LINE_NS] = 1,          [LINE_US] = NANOS_PER_US,   [LINE_MS] = NANOS_PER_MS,
                                [LINE_S] = NANOS_PER_S, [LINE_MIN] = NANOS_PER_MIN, [LINE_HOUR] = NANOS_PER_HOUR};

/* The fields of a measurement, in the order of its last line. */
struct shape {
    struct shape *next;
    Str prefix, suffix; /* "readings." and "{cpu=0}" */
    struct shape_field {
        Str name; /* as written */
        MetricId metric;
    } * fields;
    size_t n, cap;
};

/* What is known of a thing's tags. */
struct described {
    uint64_t changes;
    struct known_tag {
        MetricId metric;
        uint64_t hash; /* of the value */
    } * tags;
    size_t n, cap;
};

/* A tag of a key that describes its thing. */
struct key_tag {
    MetricId metric;
    uint64_t hash;
    Str value;
};

struct key {
    struct key *then; /* the key that came after it the last time: most often it comes again */
    uint64_t hash;
    PartyId party;
    Str text;
    ThingId thing; /* 0: its lines go to the dead letters … */
    Str name;
    const char *why; /* … for this reason */
    struct shape *shape;
    struct described *described;
    struct key_tag *tags;
    size_t n_tags;
    uint64_t told; /* described->changes when its tags were last compared with what is known */
};

struct line_protocol {
    struct line_protocol_options options;
    struct arena arena; /* everything remembered; emptied when there are too many keys */
    struct slot {
        uint64_t hash;
        struct key *key;
    } * slots;
    size_t n_keys, n_slots;
    struct key *last;
    struct shape *shapes;
    struct described **described; /* by thing */
    size_t cap_described;
    struct line_scan scan;
};

struct taking {
    struct line_protocol *self;
    const struct line_message *message;
    struct telemetry_batch *batch;
    struct line_outcome *out;
};

bool line_protocol_precision(Str text, enum line_precision *out) {
    for (size_t i = 0; i < sizeof precisions / sizeof *precisions; i++)
        if (str_eq_c(text, precisions[i].name)) {
            *out = precisions[i].precision;
            return true;
        }
    return false;
}

/* ---- what is remembered */

static void forget(struct line_protocol *self) {
    for (struct shape *s = self->shapes; s; s = s->next) free(s->fields);
    for (size_t i = 0; i < self->cap_described; i++)
        if (self->described[i]) free(self->described[i]->tags);
    free(self->described);
    free(self->slots);
    arena_reset(&self->arena);
    self->shapes = NULL;
    self->described = NULL;
    self->cap_described = 0;
    self->n_keys = 0;
    self->last = NULL;
    self->n_slots = SLOTS_START;
    self->slots = calloc(self->n_slots, sizeof *self->slots);
    ASSERT(self->slots);
}

struct line_protocol *line_protocol_new(const struct line_protocol_options *options) {
    struct line_protocol *self = calloc(1, sizeof *self);
    ASSERT(self);
    self->options = *options;
    if (!self->options.thing_tags) self->options.thing_tags = default_thing_tags;
    if (!self->options.split_tags) self->options.split_tags = default_split_tags;
    if (!self->options.keys_max) self->options.keys_max = KEYS_MAX;
    forget(self);
    return self;
}

void line_protocol_free(struct line_protocol *self) {
    if (!self) return;
    forget(self);
    free(self->slots);
    arena_fini(&self->arena);
    free(self);
}

static bool is_key(const struct key *k, PartyId party, Str text) { return k->party == party && str_eq(k->text, text); }

static struct slot *find_slot(const struct line_protocol *self, uint64_t hash, PartyId party, Str text) {
    for (size_t i = hash & (self->n_slots - 1);; i = (i + 1) & (self->n_slots - 1)) {
        struct slot *slot = &self->slots[i];
        if (!slot->key || (slot->hash == hash && is_key(slot->key, party, text))) return slot;
    }
}

static void grow(struct line_protocol *self) {
    struct slot *old = self->slots;
    size_t n = self->n_slots;
    self->n_slots *= 2;
    self->slots = calloc(self->n_slots, sizeof *self->slots);
    ASSERT(self->slots);
    for (size_t i = 0; i < n; i++)
        if (old[i].key) *find_slot(self, old[i].hash, old[i].key->party, old[i].key->text) = old[i];
    free(old);
}

static bool is_one_of(Str name, const char *const *list) {
    for (; *list; list++)
        if (str_eq_c(name, *list)) return true;
    return false;
}

/* ---- a new key */

static const struct line_pair *thing_tag(const struct line_protocol *self, const struct line_pair *pairs, size_t n) {
    for (const char *const *wanted = self->options.thing_tags; *wanted; wanted++)
        for (size_t i = 1; i < n; i++)
            if (str_eq_c(pairs[i].name, *wanted) && pairs[i].value.len > 0) return &pairs[i];
    return NULL;
}

static Str suffix_of(struct line_protocol *self, const struct line_pair *thing, const struct line_pair *pairs,
                     size_t n) {
    Str suffix = {0};
    for (size_t i = 1; i < n; i++)
        if (&pairs[i] != thing && pairs[i].value.len > 0 && is_one_of(pairs[i].name, self->options.split_tags))
            suffix = arena_printf(&self->arena, STR_FMT "%s" STR_FMT "=" STR_FMT, STR_ARG(suffix),
                                  suffix.len ? "," : "{", STR_ARG(pairs[i].name), STR_ARG(pairs[i].value));
    return suffix.len ? arena_printf(&self->arena, STR_FMT "}", STR_ARG(suffix)) : suffix;
}

static struct shape *shape_of(struct line_protocol *self, Str measurement, Str suffix) {
    Str prefix = arena_printf(&self->arena, STR_FMT ".", STR_ARG(measurement));
    for (struct shape *s = self->shapes; s; s = s->next)
        if (str_eq(s->prefix, prefix) && str_eq(s->suffix, suffix)) return s;
    struct shape *shape = arena_zero(&self->arena, 1, sizeof *shape);
    *shape = (struct shape){.next = self->shapes, .prefix = prefix, .suffix = suffix};
    return self->shapes = shape;
}

static struct described *described_of(struct line_protocol *self, ThingId thing) {
    if (thing >= self->cap_described) {
        size_t old = self->cap_described;
        self->described = vec_grow(self->described, &self->cap_described, (size_t)thing + 1, sizeof *self->described);
        memset(self->described + old, 0, (self->cap_described - old) * sizeof *self->described);
    }
    if (!self->described[thing]) {
        self->described[thing] = arena_zero(&self->arena, 1, sizeof **self->described);
        self->described[thing]->changes = 1;
    }
    return self->described[thing];
}

static Err name_thing(struct taking *t, struct key *key, Str name) {
    struct line_protocol *self = t->self;
    PartyId party = t->message->party;
    key->name = name;
    if (series_find_thing(self->options.series, party, name, &key->thing)) return err_none();
    TRY(series_thing(self->options.series, party, name, &key->thing));
    if (self->options.thing_seen) self->options.thing_seen(self->options.ctx, party, name);
    return err_none();
}

/* A tag whose name or kind does not do as a metric describes nothing. */
static void describe_by(struct line_protocol *self, struct key *key, const struct line_pair *tag) {
    struct key_tag *out = &key->tags[key->n_tags];
    Str name = arena_printf(&self->arena, "@" STR_FMT, STR_ARG(tag->name));
    enum value_kind is;
    if (series_metric(self->options.series, name, &out->metric).code != ERR_NONE) return;
    if (!series_accepts(self->options.series, key->thing, out->metric, VALUE_STRING, &is)) return;
    out->hash = hash_str(tag->value);
    out->value = tag->value;
    key->n_tags++;
}

static void resolve_key(struct taking *t, struct key *key) {
    struct line_protocol *self = t->self;
    struct line_pair *pairs;
    size_t n;
    key->why = line_scan_key(key->text, &self->arena, &pairs, &n);
    if (key->why) return;
    const struct line_pair *thing = thing_tag(self, pairs, n);
    if (!thing) {
        key->why = "no tag names the thing: add one of the tags of the setting ingest.thing_tags";
        return;
    }
    Err err = name_thing(t, key, thing->value);
    if (err.code != ERR_NONE) {
        key->thing = 0;
        key->why = arena_str(&self->arena, str_c(err.text)).ptr;
        return;
    }
    key->shape = shape_of(self, pairs[0].value, suffix_of(self, thing, pairs, n));
    key->described = described_of(self, key->thing);
    key->tags = arena_zero(&self->arena, n, sizeof *key->tags);
    for (size_t i = 1; i < n; i++)
        if (&pairs[i] != thing && pairs[i].value.len > 0 && !is_one_of(pairs[i].name, self->options.split_tags))
            describe_by(self, key, &pairs[i]);
}

static struct key *find_key(struct taking *t, Str text) {
    struct line_protocol *self = t->self;
    uint64_t hash = hash_str(text);
    struct slot *slot = find_slot(self, hash, t->message->party, text);
    if (slot->key) return slot->key;
    if (self->n_keys >= self->options.keys_max) forget(self);
    if (self->n_keys * 2 >= self->n_slots) grow(self);
    struct key *key = arena_zero(&self->arena, 1, sizeof *key);
    *key = (struct key){.hash = hash, .party = t->message->party, .text = arena_str(&self->arena, text)};
    resolve_key(t, key);
    self->n_keys++;
    *find_slot(self, hash, t->message->party, text) = (struct slot){hash, key};
    return key;
}

/* Senders go through their things in the same order again and again, so the next key is guessed before it is looked up,
 * and the one after it fetched while this line is read. */
static struct key *key_of(struct taking *t, Str text) {
    struct line_protocol *self = t->self;
    struct key *before = self->last, *key = before ? before->then : NULL;
    if (!key || !is_key(key, t->message->party, text)) {
        key = find_key(t, text);
        if (before && before == self->last) before->then = key; /* unless everything was forgotten */
    }
    self->last = key;
    if (key->then) __builtin_prefetch(key->then), __builtin_prefetch(key->then->text.ptr);
    return key;
}

/* ---- lines */

static void refuse(struct taking *t, Str thing, Str line, const char *why) {
    struct telemetry_batch *batch = t->batch;
    struct dead_letter letter = {.party = t->message->party,
                                 .at = t->message->now,
                                 .device = arena_str(batch->arena, thing.len ? thing : t->message->device),
                                 .topic = STR("line protocol"),
                                 .reason = arena_str(batch->arena, str_c(why)),
                                 .payload = arena_str(batch->arena, line)};
    VEC_PUSH(batch->letters, batch->n_letters, batch->cap_letters, letter);
    if (t->out->refused++ == 0) snprintf(t->out->first, sizeof t->out->first, "%.199s", why);
}

static void refuse_field(struct taking *t, const struct key *key, const struct line_field *field, const char *why) {
    char reason[NAME_MAX_BYTES + 200];
    snprintf(reason, sizeof reason, "'" STR_FMT "': %s", STR_ARG(str_slice(field->name, 0, NAME_MAX_BYTES)), why);
    refuse(t, key->name, t->self->scan.raw, reason);
}

static Err metric_of(struct line_protocol *self, const struct shape *shape, Str name, struct arena *arena,
                     MetricId *out) {
    Str plain = line_scan_plain(name, arena);
    Str whole =
        arena_printf(arena, STR_FMT STR_FMT STR_FMT, STR_ARG(shape->prefix), STR_ARG(plain), STR_ARG(shape->suffix));
    return series_metric(self->options.series, whole, out);
}

/* The metric of a field that is not where it was in the line before. */
static Err find_field(struct taking *t, struct shape *shape, Str name, size_t *hint, MetricId *out) {
    for (size_t i = 0; i < shape->n; i++)
        if (str_eq(shape->fields[i].name, name)) {
            *out = shape->fields[i].metric;
            *hint = i + 1;
            return err_none();
        }
    TRY(metric_of(t->self, shape, name, t->batch->arena, out));
    struct shape_field field = {arena_str(&t->self->arena, name), *out};
    VEC_PUSH(shape->fields, shape->n, shape->cap, field);
    *hint = shape->n;
    return err_none();
}

static const char *const kinds[] = {[VALUE_NONE] = "nothing",
                                    [VALUE_INT] = "a number",
                                    [VALUE_FLOAT] = "a number",
                                    [VALUE_BOOL] = "true or false",
                                    [VALUE_STRING] = "a text"};

static void refuse_kind(struct taking *t, const struct key *key, MetricId metric, enum value_kind is,
                        enum value_kind sent) {
    char reason[2 * NAME_MAX_BYTES + 200];
    snprintf(reason, sizeof reason, "'" STR_FMT "' of '" STR_FMT "' is %s, but %s was sent",
             STR_ARG(series_metric_name(t->self->options.series, metric)), STR_ARG(key->name), kinds[is], kinds[sent]);
    refuse(t, key->name, t->self->scan.raw, reason);
}

static void put_field(struct taking *t, const struct key *key, const struct line_field *field, size_t *hint) {
    struct shape *shape = key->shape;
    MetricId metric;
    enum value_kind is;
    Value value = field->value;
    if (value.kind == VALUE_NONE) {
        refuse_field(t, key, field, "the number is too large for a double");
        return;
    }
    if (value.kind == VALUE_STRING && !str_is_utf8(value.s)) {
        refuse_field(t, key, field, "the text is not UTF-8");
        return;
    }
    if (*hint < shape->n && str_eq(shape->fields[*hint].name, field->name)) {
        metric = shape->fields[(*hint)++].metric;
    } else {
        Err err = find_field(t, shape, field->name, hint, &metric);
        if (err.code != ERR_NONE) {
            refuse_field(t, key, field, err.text);
            return;
        }
    }
    if (!series_accepts(t->self->options.series, key->thing, metric, value.kind, &is)) {
        refuse_kind(t, key, metric, is, value.kind);
        return;
    }
    if (field->escaped) value.s = line_scan_text(value.s, t->batch->arena);
    rows_value(t->batch->rows, metric, value);
}

static bool tell(struct described *d, const struct key_tag *tag) {
    for (size_t i = 0; i < d->n; i++) {
        if (d->tags[i].metric != tag->metric) continue;
        if (d->tags[i].hash == tag->hash) return false;
        d->tags[i].hash = tag->hash;
        return true;
    }
    VEC_PUSH(d->tags, d->n, d->cap, ((struct known_tag){tag->metric, tag->hash}));
    return true;
}

static void put_tags(struct taking *t, struct key *key) {
    struct described *d = key->described;
    if (key->told == d->changes) return;
    for (size_t i = 0; i < key->n_tags; i++)
        if (tell(d, &key->tags[i])) {
            rows_value(t->batch->rows, key->tags[i].metric, VALUE_S(key->tags[i].value));
            d->changes++;
        }
    key->told = d->changes;
}

static bool time_of(struct taking *t, const struct key *key, Nanos *out) {
    const struct line_scan *scan = &t->self->scan;
    if (!scan->timed) {
        *out = series_stamp(t->self->options.series, key->thing, t->message->now);
        return true;
    }
    return !__builtin_mul_overflow(scan->time, factors[t->message->precision], out);
}

static void take_line(struct taking *t) {
    struct line_scan *scan = &t->self->scan;
    Nanos time;
    if (scan->why) {
        char reason[120];
        snprintf(reason, sizeof reason, "byte %zu: %s", scan->where, scan->why);
        refuse(t, (Str){0}, scan->raw, reason);
        return;
    }
    struct key *key = key_of(t, scan->key);
    if (key->why) {
        refuse(t, (Str){0}, scan->raw, key->why);
        return;
    }
    if (t->message->only.len > 0 && !str_eq(t->message->only, key->name)) {
        refuse(t, key->name, scan->raw, "this device may speak for itself only: give its user the right of a gateway");
        return;
    }
    if (!time_of(t, key, &time)) {
        refuse(t, key->name, scan->raw, "the timestamp is out of range: is the precision right?");
        return;
    }
    rows_begin(t->batch->rows, key->thing, time, scan->timed ? 0 : ROWS_SERVER_TIME);
    size_t hint = 0;
    for (size_t i = 0; i < scan->n_fields; i++) put_field(t, key, &scan->fields[i], &hint);
    put_tags(t, key);
    rows_end(t->batch->rows);
}

void line_protocol_take(struct line_protocol *self, const struct line_message *message, struct telemetry_batch *batch,
                        struct line_outcome *out) {
    struct taking t = {self, message, batch, out};
    Str text = message->text;
    *out = (struct line_outcome){0};
    if (text.len > 0 && text.ptr[text.len - 1] != '\n') {
        char *whole = arena_alloc(batch->arena, text.len + 1);
        memcpy(whole, text.ptr, text.len);
        whole[text.len] = '\n';
        text = str_n(whole, text.len + 1);
    }
    line_scan_start(&self->scan, text);
    while (line_scan_next(&self->scan)) {
        out->lines++;
        take_line(&t);
    }
}
