/*
 * All things are in memory, each in one block that a change replaces. Writes reach the records first and memory when
 * committed, except a thing seen for the first time: it is in memory at once, so that a device's first thousand
 * messages ask for one row, and leaves again if the row cannot be written.
 *
 * Lock order: changing, then lock.
 */
#include "document/things.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/jw.h"
#include "base/log.h"
#include "base/map.h"
#include "base/vec.h"
#include "model/catalog.h"
#include "os/thread.h"
#include "store/records_system.h"
#include "store/records_txn.h"
#include "trust/audit.h"
#include "trust/gate.h"

#define NAME_BYTES_MAX 255
#define MODEL_BYTES_MAX 63
#define ATTRIBUTES_BYTES_MAX 65536
#define PAGE 1000

struct entry {
    struct thing_row row; /* strings point behind it */
    size_t place;         /* in order */
    char bytes[];
};

struct things {
    struct records *records;
    const struct clock *clock;
    pthread_mutex_t changing, lock;
    struct map entries;   /* party and name to struct entry *; under lock, as all below */
    struct entry **order; /* by party and name, the first n_sorted; behind them as they came */
    size_t n_order, cap_order, n_sorted;
    uint64_t bytes;
    size_t *counts; /* by party */
    size_t n_counts, cap_counts;
    size_t n_sightings; /* not yet written */
    pthread_cond_t sightings_over;
    const struct catalog_cell *catalog; /* NULL: none */
};

/* ---- memory */

static Str key_of(PartyId party, Str name, char out[NAME_BYTES_MAX + sizeof(PartyId)]) {
    memcpy(out, &party, sizeof party);
    memcpy(out + sizeof party, name.ptr, name.len);
    return str_n(out, sizeof party + name.len);
}

static struct entry *find(const struct things *t, PartyId party, Str name) {
    char key[NAME_BYTES_MAX + sizeof(PartyId)];
    uint64_t found;
    if (name.len == 0 || name.len > NAME_BYTES_MAX) return NULL;
    return map_get(&t->entries, key_of(party, name, key), &found) ? (struct entry *)(uintptr_t)found : NULL;
}

static Str put_bytes(char **at, Str text) {
    Str kept = {*at, text.len};
    if (text.len > 0) memcpy(*at, text.ptr, text.len);
    *at += text.len;
    return kept;
}

static void count(struct things *t, PartyId party, bool up) {
    while (t->n_counts <= party) VEC_PUSH(t->counts, t->n_counts, t->cap_counts, 0);
    if (up)
        t->counts[party]++;
    else
        t->counts[party]--;
}

static size_t size_of(const struct thing_row *row) {
    return sizeof(struct entry) + row->name.len + row->model.len + row->attributes.len;
}

static int compare(const struct thing_row *a, PartyId party, Str name) {
    return a->party != party ? a->party < party ? -1 : 1 : str_cmp(a->name, name);
}

/* In the place of the one before, or behind the others; what comes in order stays in order. */
static void put_in_order(struct things *t, struct entry *entry, const struct entry *old) {
    if (old) {
        t->order[entry->place = old->place] = entry;
        return;
    }
    const struct thing_row *row = &entry->row;
    bool sorted = t->n_sorted == t->n_order &&
                  (t->n_order == 0 || compare(&t->order[t->n_order - 1]->row, row->party, row->name) < 0);
    entry->place = t->n_order;
    VEC_PUSH(t->order, t->n_order, t->cap_order, entry);
    if (sorted) t->n_sorted = t->n_order;
}

static void take_from_order(struct things *t, size_t place) {
    if (place < t->n_sorted) t->n_sorted--;
    memmove(&t->order[place], &t->order[place + 1], (--t->n_order - place) * sizeof(struct entry *));
    for (; place < t->n_order; place++) t->order[place]->place = place;
}

static int by_party_and_name(const void *a, const void *b) {
    const struct thing_row *x = &(*(struct entry *const *)a)->row, *y = &(*(struct entry *const *)b)->row;
    return compare(x, y->party, y->name);
}

/* Those that came out of order are sorted among themselves, then merged from the back into the others. */
static void sort_order(struct things *t) {
    size_t n = t->n_order - t->n_sorted, a = t->n_sorted, b = n;
    if (n == 0) return;
    struct entry **tail = malloc(n * sizeof(struct entry *));
    ASSERT(tail);
    memcpy(tail, t->order + t->n_sorted, n * sizeof(struct entry *));
    qsort(tail, n, sizeof(struct entry *), by_party_and_name);
    for (size_t to = t->n_order; b > 0; t->order[to]->place = to) {
        bool from_tail = a == 0 || by_party_and_name(&t->order[a - 1], &tail[b - 1]) < 0;
        t->order[--to] = from_tail ? tail[--b] : t->order[--a];
    }
    free(tail);
    t->n_sorted = t->n_order;
}

static void keep(struct things *t, const struct thing_row *row) {
    char key[NAME_BYTES_MAX + sizeof(PartyId)];
    struct entry *old = find(t, row->party, row->name);
    struct entry *entry = malloc(size_of(row));
    ASSERT(entry);
    char *at = entry->bytes;
    entry->row = *row;
    entry->row.name = put_bytes(&at, row->name);
    entry->row.model = put_bytes(&at, row->model);
    entry->row.attributes = put_bytes(&at, row->attributes);
    map_put(&t->entries, key_of(row->party, row->name, key), (uint64_t)(uintptr_t)entry);
    if (!old) count(t, row->party, true);
    put_in_order(t, entry, old);
    t->bytes += size_of(row) - (old ? size_of(&old->row) : 0);
    free(old);
}

static void drop(struct things *t, PartyId party, Str name) {
    char key[NAME_BYTES_MAX + sizeof(PartyId)];
    struct entry *entry = find(t, party, name);
    if (!entry) return;
    map_del(&t->entries, key_of(party, name, key));
    count(t, party, false);
    take_from_order(t, entry->place);
    t->bytes -= size_of(&entry->row);
    free(entry);
}

static struct thing_row copy_row(const struct thing_row *row, struct arena *arena) {
    struct thing_row copy = *row;
    copy.name = arena_str(arena, row->name);
    copy.model = arena_str(arena, row->model);
    copy.attributes = arena_str(arena, row->attributes);
    return copy;
}

/* ---- rows */

static Value text_or_none(Str s) { return s.len > 0 ? VALUE_S(s) : (Value){.kind = VALUE_NONE}; }
static Str text(Value v) { return v.kind == VALUE_STRING ? v.s : (Str){0}; }
static Value place_or_none(double v) { return isnan(v) ? (Value){.kind = VALUE_NONE} : VALUE_F(v); }
static double place(Value v) { return v.kind == VALUE_FLOAT ? v.f : NAN; }

static struct thing_row from_values(const Value *v) {
    return (struct thing_row){.party = (PartyId)v[RECORD_PARTY].i,
                              .name = v[THING_NAME].s,
                              .model = text(v[THING_MODEL]),
                              .attributes = text(v[THING_ATTRIBUTES]),
                              .latitude = place(v[THING_LATITUDE]),
                              .longitude = place(v[THING_LONGITUDE]),
                              .commissioned = v[THING_COMMISSIONED].kind == VALUE_INT ? v[THING_COMMISSIONED].i : 0,
                              .created = v[THING_CREATED].i};
}

static void to_values(const struct thing_row *row, Value v[THING_COLUMNS]) {
    v[RECORD_ID] = (Value){.kind = VALUE_NONE};
    v[RECORD_PARTY] = VALUE_I(row->party);
    v[THING_NAME] = VALUE_S(row->name);
    v[THING_MODEL] = text_or_none(row->model);
    v[THING_ATTRIBUTES] = text_or_none(row->attributes);
    v[THING_LATITUDE] = place_or_none(row->latitude);
    v[THING_LONGITUDE] = place_or_none(row->longitude);
    v[THING_COMMISSIONED] = row->commissioned ? VALUE_I(row->commissioned) : (Value){.kind = VALUE_NONE};
    v[THING_CREATED] = VALUE_I(row->created);
}

static Err load_all(void *ctx, struct records_txn *txn) {
    struct lens lens = gate_lens_system("things");
    struct arena pages[2]; /* the cursor of one page is read while the next is filled */
    struct record_page page = {0};
    unsigned turn = 0;
    Err err;
    for (int i = 0; i < 2; i++) arena_init(&pages[i], 0);
    do {
        struct record_query query = {.limit = PAGE, .cursor = page.next};
        turn ^= 1;
        arena_reset(&pages[turn]);
        err = records_txn_select(txn, &lens, &records_system_thing, &query, &pages[turn], &page);
        for (size_t i = 0; i < page.n; i++) {
            struct thing_row row = from_values(page.rows[i]);
            keep(ctx, &row);
        }
    } while (err.code == ERR_NONE && page.next.len > 0);
    for (int i = 0; i < 2; i++) arena_fini(&pages[i]);
    return err;
}

Err things_open(struct records *records, const struct clock *clock, struct things **out) {
    struct things *t = calloc(1, sizeof *t);
    ASSERT(t);
    t->records = records;
    t->clock = clock;
    thread_mutex_init(&t->changing);
    thread_mutex_init(&t->lock);
    thread_cond_init(&t->sightings_over);
    map_init(&t->entries);
    Err err = records_read(records, load_all, t);
    if (err.code == ERR_NONE)
        *out = t;
    else
        things_close(t);
    return err;
}

void things_close(struct things *t) {
    if (!t) return;
    thread_lock(&t->lock);
    while (t->n_sightings > 0) thread_wait(&t->sightings_over, &t->lock);
    thread_unlock(&t->lock);
    size_t at = 0;
    Str key;
    uint64_t value;
    while (map_next(&t->entries, &at, &key, &value)) free((void *)(uintptr_t)value);
    map_fini(&t->entries);
    free(t->counts);
    free(t->order);
    thread_cond_fini(&t->sightings_over);
    thread_mutex_fini(&t->changing);
    thread_mutex_fini(&t->lock);
    free(t);
}

/* ---- checks */

static Err check_text(const char *what, Str s, size_t min, size_t max) {
    if (s.len < min || s.len > max)
        return err_make(ERR_INVALID, "a %s has %zu to %zu bytes, not %zu", what, min, max, s.len);
    if (!str_is_utf8(s)) return err_make(ERR_INVALID, "the %s is not UTF-8", what);
    for (size_t i = 0; i < s.len; i++)
        if ((unsigned char)s.ptr[i] < ' ' || s.ptr[i] == 127)
            return err_make(ERR_INVALID, "a %s has no control characters", what);
    return err_none();
}

static Err check_attributes(Str attributes) {
    struct json *json = NULL;
    if (attributes.len == 0) return err_none();
    if (attributes.len > ATTRIBUTES_BYTES_MAX)
        return err_make(ERR_TOO_LARGE, "attributes of %zu bytes: at most %d", attributes.len, ATTRIBUTES_BYTES_MAX);
    TRY(json_parse(attributes, &json));
    bool object = json_kind(json) == JSON_OBJECT;
    json_free(json);
    return object ? err_none() : err_make(ERR_INVALID, "attributes are a JSON object");
}

static Err check_row(const struct thing_row *row) {
    TRY(check_text("thing's name", row->name, 1, NAME_BYTES_MAX));
    TRY(check_text("model's name", row->model, 0, MODEL_BYTES_MAX));
    TRY(check_attributes(row->attributes));
    if (row->party == 0) return err_make(ERR_INVALID, "a thing belongs to a party");
    if (!isnan(row->latitude) && !(fabs(row->latitude) <= 90))
        return err_make(ERR_INVALID, "latitude %g: from -90 to 90 degrees", row->latitude);
    if (!isnan(row->longitude) && !(fabs(row->longitude) <= 180))
        return err_make(ERR_INVALID, "longitude %g: from -180 to 180 degrees", row->longitude);
    return err_none();
}

static Err check_who(const struct principal *by, PartyId party) {
    if (!principal_may(by, ROLE_STAFF))
        return err_make(ERR_FORBIDDEN, "'%s' may not change things: ask an operator or manager", by->name);
    if (by->party != party && !principal_may(by, ROLE_BIT(ROLE_SYSTEM)))
        return err_make(ERR_FORBIDDEN, "'%s' belongs to another party", by->name);
    return err_none();
}

/* ---- writing */

struct put {
    const struct thing_row *given;
    const char *who;
    Nanos now;
    bool only_new; /* leaves what stands alone, but for a model it lacks */
    struct arena *arena;
    struct thing_row row; /* what stands afterwards */
};

static void merge(struct thing_row *row, const struct thing_row *given) {
    if (given->model.len > 0) row->model = given->model;
    if (given->attributes.len > 0) row->attributes = given->attributes;
    if (!isnan(given->latitude)) row->latitude = given->latitude;
    if (!isnan(given->longitude)) row->longitude = given->longitude;
    if (given->commissioned) row->commissioned = given->commissioned;
}

static void write_place(struct jw *w, const char *key, double v) {
    if (!isnan(v)) jw_knum(w, key, v);
}

static Str row_json(const struct thing_row *row, struct arena *arena) {
    struct buf out = {0};
    struct jw w;
    jw_init(&w, &out);
    jw_object(&w);
    if (row->model.len > 0) jw_kstr(&w, "model", row->model);
    write_place(&w, "latitude", row->latitude);
    write_place(&w, "longitude", row->longitude);
    if (row->commissioned) jw_ktime(&w, "commissioned", row->commissioned);
    if (row->attributes.len > 0) {
        jw_key(&w, "attributes");
        jw_raw(&w, row->attributes);
    }
    jw_object_end(&w);
    Str json = arena_str(arena, buf_view(&out));
    buf_fini(&out);
    return json;
}

static Err add_audit(struct put *p, struct records_txn *txn, Str before) {
    struct audit_row row = {.at = p->now,
                            .party = p->given->party,
                            .who = str_c(p->who),
                            .action = before.len > 0 ? STR("thing.change") : STR("thing.create"),
                            .type = STR("thing"),
                            .target = p->given->name,
                            .before = before,
                            .after = row_json(&p->row, p->arena)};
    return str_eq(row.before, row.after) ? err_none() : audit_add(txn, &row);
}

static Err find_row(struct put *p, struct records_txn *txn, Value **row) {
    struct lens lens = gate_lens_party(p->given->party, "things");
    return records_txn_find(txn, &lens, &records_system_thing, THING_NAME, VALUE_S(p->given->name), p->arena, row);
}

static Err write_row(void *ctx, struct records_txn *txn) {
    static const unsigned columns[] = {THING_MODEL, THING_ATTRIBUTES, THING_LATITUDE, THING_LONGITUDE,
                                       THING_COMMISSIONED};
    struct put *p = ctx;
    Value *standing, values[THING_COLUMNS], changed[5];
    Str before = {0};
    int64_t id;
    TRY(find_row(p, txn, &standing));
    p->row = *p->given;
    p->row.created = p->now;
    if (standing) {
        p->row = from_values(standing);
        before = row_json(&p->row, p->arena);
        if (p->only_new && p->row.model.len > 0) return err_none();
        merge(&p->row, p->given);
    }
    to_values(&p->row, values);
    for (size_t i = 0; i < 5; i++) changed[i] = values[columns[i]];
    if (standing)
        TRY(records_txn_update(txn, &records_system_thing, standing[RECORD_ID].i, columns, changed, 5));
    else
        TRY(records_txn_insert(txn, &records_system_thing, values, &id));
    return add_audit(p, txn, before);
}

Err things_put(struct things *t, const struct principal *by, const struct thing_row *row) {
    struct arena arena;
    TRY(check_who(by, row->party));
    TRY(check_row(row));
    arena_init(&arena, 0);
    struct put p = {.given = row, .who = by->name, .now = clock_now(t->clock), .arena = &arena};
    thread_lock(&t->changing);
    Err err = records_write(t->records, write_row, &p);
    if (err.code == ERR_NONE) {
        thread_lock(&t->lock);
        keep(t, &p.row);
        thread_unlock(&t->lock);
    }
    thread_unlock(&t->changing);
    arena_fini(&arena);
    return err;
}

struct put_many {
    struct put *puts;
    size_t n;
};

static Err in_row(size_t i, Err err) {
    return err.code == ERR_NONE ? err : err_make(err.code, "row %zu: %s", i + 1, err.text);
}

static Err write_rows(void *ctx, struct records_txn *txn) {
    struct put_many *many = ctx;
    for (size_t i = 0; i < many->n; i++) TRY(in_row(i, write_row(&many->puts[i], txn)));
    return err_none();
}

Err things_put_many(struct things *t, const struct principal *by, const struct thing_row *rows, size_t n) {
    struct arena arena;
    for (size_t i = 0; i < n; i++) {
        TRY(in_row(i, check_who(by, rows[i].party)));
        TRY(in_row(i, check_row(&rows[i])));
    }
    arena_init(&arena, 0);
    struct put_many many = {arena_zero(&arena, n, sizeof *many.puts), n};
    Nanos now = clock_now(t->clock);
    for (size_t i = 0; i < n; i++)
        many.puts[i] = (struct put){.given = &rows[i], .who = by->name, .now = now, .arena = &arena};
    thread_lock(&t->changing);
    Err err = records_write(t->records, write_rows, &many);
    thread_lock(&t->lock);
    for (size_t i = 0; i < n && err.code == ERR_NONE; i++) keep(t, &many.puts[i].row);
    thread_unlock(&t->lock);
    thread_unlock(&t->changing);
    arena_fini(&arena);
    return err;
}

/* ---- seen for the first time */

struct sighting {
    struct records_job job;
    struct things *things;
    struct arena arena;
    struct thing_row row;
    bool is_new; /* only its model otherwise */
    struct put put;
};

static void sighting_done(struct records_job *job, Err err) {
    struct sighting *s = job->ctx;
    struct things *t = s->things;
    if (err.code != ERR_NONE) LOG_ERROR("things.seen", LOG_S("thing", s->row.name), LOG_C("error", err.text));
    thread_lock(&t->lock);
    if (err.code != ERR_NONE && s->is_new) drop(t, s->row.party, s->row.name); /* the next message tries again */
    if (--t->n_sightings == 0) thread_broadcast(&t->sightings_over);
    thread_unlock(&t->lock);
    arena_fini(&s->arena);
    free(s);
}

static Err write_sighting(void *ctx, struct records_txn *txn) {
    struct sighting *s = ctx;
    return write_row(&s->put, txn);
}

static void note_sighting(struct things *t, const struct thing_row *row, bool is_new) {
    struct sighting *s = calloc(1, sizeof *s);
    ASSERT(s);
    arena_init(&s->arena, 512);
    s->things = t;
    s->is_new = is_new;
    s->row = copy_row(row, &s->arena);
    s->put =
        (struct put){.given = &s->row, .who = "system:seen", .now = row->created, .only_new = true, .arena = &s->arena};
    s->job = (struct records_job){.fn = write_sighting, .ctx = s, .done = sighting_done};
    records_submit(t->records, &s->job);
}

/* Is there anything to write? Then memory has it already. */
static bool remember_sighting(struct things *t, const struct thing_row *row, bool *is_new) {
    const struct entry *standing = find(t, row->party, row->name);
    *is_new = !standing;
    if (standing && (row->model.len == 0 || standing->row.model.len > 0)) return false;
    struct thing_row seen = standing ? standing->row : *row;
    seen.model = row->model;
    keep(t, &seen);
    t->n_sightings++;
    return true;
}

static bool is_known(struct things *t, PartyId party, Str name, Str model) {
    thread_lock(&t->lock);
    const struct entry *standing = find(t, party, name);
    bool known = standing && (model.len == 0 || standing->row.model.len > 0);
    thread_unlock(&t->lock);
    return known;
}

void things_seen(struct things *t, PartyId party, Str name, Str model) {
    struct thing_row row = {.party = party, .name = name, .model = model, .latitude = NAN, .longitude = NAN};
    bool is_new;
    if (is_known(t, party, name, model) || check_row(&row).code != ERR_NONE) return;
    row.created = clock_now(t->clock);
    thread_lock(&t->lock);
    bool write = remember_sighting(t, &row, &is_new);
    thread_unlock(&t->lock);
    if (write) note_sighting(t, &row, is_new);
}

/* ---- looking up */

bool things_get(struct things *t, PartyId party, Str name, struct arena *arena, struct thing_row *out) {
    thread_lock(&t->lock);
    const struct entry *entry = find(t, party, name);
    if (entry) *out = copy_row(&entry->row, arena);
    thread_unlock(&t->lock);
    return entry != NULL;
}

void things_use(struct things *t, const struct catalog_cell *catalog) { t->catalog = catalog; }

const struct thing_model *things_model_named(const struct things *t, Str model) {
    const struct catalog *catalog = t->catalog ? catalog_get(t->catalog) : NULL;
    return catalog ? catalog_model(catalog, model) : NULL;
}

const struct thing_model *things_model_of(struct things *t, PartyId party, Str name) {
    char model[64];
    return things_model(t, party, name, model) ? things_model_named(t, str_c(model)) : NULL;
}

bool things_model(struct things *t, PartyId party, Str name, char out[64]) {
    thread_lock(&t->lock);
    const struct entry *entry = find(t, party, name);
    if (entry) snprintf(out, 64, STR_FMT, STR_ARG(entry->row.model));
    thread_unlock(&t->lock);
    return entry != NULL;
}

static int by_name(const void *a, const void *b) {
    const struct thing_row *x = a, *y = b;
    int order = str_cmp(x->name, y->name);
    return order ? order : (x->party > y->party) - (x->party < y->party);
}

Err things_list(struct things *t, const struct lens *lens, Str model, struct arena *arena, struct thing_row **out,
                size_t *n) {
    size_t at = 0;
    Str key;
    uint64_t value;
    thread_lock(&t->lock);
    struct thing_row *rows = arena_zero(arena, t->entries.count, sizeof *rows);
    *n = 0;
    while (map_next(&t->entries, &at, &key, &value)) {
        const struct thing_row *row = &((const struct entry *)(uintptr_t)value)->row;
        if (!lens->every_party && row->party != lens->party) continue;
        if (model.len == 0 || str_eq(model, row->model)) rows[(*n)++] = copy_row(row, arena);
    }
    thread_unlock(&t->lock);
    if (*n > 0) qsort(rows, *n, sizeof *rows, by_name);
    *out = rows;
    return err_none();
}

/* The first place behind a name. */
static size_t place_behind(const struct things *t, PartyId party, Str name) {
    size_t low = 0, high = t->n_order;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (compare(&t->order[middle]->row, party, name) <= 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

void things_page(struct things *t, const struct things_ask *ask, struct arena *arena, struct thing_row **out,
                 size_t *n) {
    *n = 0;
    *out = arena_zero(arena, ask->limit + 1, sizeof **out);
    thread_lock(&t->lock);
    sort_order(t);
    size_t from = ask->every_party && ask->after.len == 0 ? 0 : place_behind(t, ask->party, ask->after);
    for (size_t i = from; i < t->n_order && *n < ask->limit; i++) {
        const struct thing_row *row = &t->order[i]->row;
        if (row->party != ask->party && !ask->every_party) break;
        if (!ask->wanted || ask->wanted(ask->ctx, row)) (*out)[(*n)++] = copy_row(row, arena);
    }
    thread_unlock(&t->lock);
}

/* Beside the entries: their places in the map, with its keys, and in order. */
uint64_t things_bytes(struct things *t) {
    thread_lock(&t->lock);
    uint64_t bytes = t->bytes + map_bytes(&t->entries) + t->cap_order * sizeof(struct entry *);
    thread_unlock(&t->lock);
    return bytes;
}

size_t things_count(struct things *t, PartyId party) {
    thread_lock(&t->lock);
    size_t n = party < t->n_counts ? t->counts[party] : 0;
    thread_unlock(&t->lock);
    return n;
}
