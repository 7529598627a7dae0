#include "insight/query_source.h"

#include <stdlib.h>
#include <string.h>

#include "base/vec.h"

#define LOOK 20u          /* things whose metrics are looked through for a name like the one given */
#define LOOK_ALL 1000u    /* … and for all there are */
#define EXISTS_MAX 20000u /* … and for one that the picked things lack */

static bool of_party(const struct query_source *s, PartyId party) {
    return s->lens->every_party || party == s->lens->party;
}

static Str model_of(const struct query_source *s, Str thing, char room[64]) {
    room[0] = '\0';
    if (s->of->things) things_model(s->of->things, s->lens->party, thing, room);
    return str_c(room);
}

static bool shown(const struct query_source *s, Str thing) {
    char model[64];
    return s->lens->agreement == 0 || gate_shows_thing(s->lens, thing, model_of(s, thing, model));
}

bool query_source_given(const struct query_source *s, size_t thing, Str metric, struct lens *out) {
    char model[64];
    if (s->lens->agreement == 0) {
        *out = *s->lens;
        return true;
    }
    return gate_lens_metric(s->lens, s->names[thing], model_of(s, s->names[thing], model), metric, s->now, out);
}

/* ---- which things */

static bool fits(Str pattern, Str text) { /* * stands for anything */
    size_t p = 0, t = 0, star = SIZE_MAX, mark = 0;
    while (t < text.len) {
        if (p < pattern.len && pattern.ptr[p] == '*') {
            star = p++, mark = t;
        } else if (p < pattern.len && pattern.ptr[p] == text.ptr[t]) {
            p++, t++;
        } else if (star != SIZE_MAX) {
            p = star + 1, t = ++mark;
        } else {
            return false;
        }
    }
    while (p < pattern.len && pattern.ptr[p] == '*') p++;
    return p == pattern.len;
}

static bool picks(const struct query_pick *pick, Str text) {
    for (size_t i = 0; i < pick->n; i++)
        if (fits(pick->values[i], text)) return true;
    return false;
}

static bool exact(const struct query_pick *pick) {
    if (pick->except || !str_eq_c(pick->what, "thing")) return false;
    for (size_t i = 0; i < pick->n; i++)
        if (memchr(pick->values[i].ptr, '*', pick->values[i].len)) return false;
    return true;
}

struct list {
    ThingId *ids;
    Str *names;
    size_t n, cap, cap_names;
};

static void add_thing(struct query_source *s, struct list *l, ThingId id) {
    PartyId party;
    Str name;
    size_t n = l->n;
    if (!series_thing_name(s->of->series, id, &party, &name) || !of_party(s, party) || !shown(s, name)) return;
    VEC_PUSH(l->ids, l->n, l->cap, id);
    VEC_PUSH(l->names, n, l->cap_names, name);
}

static int by_id(const void *a, const void *b) {
    ThingId x = *(const ThingId *)a, y = *(const ThingId *)b;
    return (x > y) - (x < y);
}

static void list_named(struct query_source *s, const struct query_pick *pick, struct list *l) {
    ThingId *ids = arena_zero(s->arena, pick->n + 1, sizeof *ids), id;
    size_t n = 0;
    for (size_t i = 0; i < pick->n; i++)
        if (series_find_thing(s->of->series, s->lens->party, pick->values[i], &id)) ids[n++] = id;
    qsort(ids, n, sizeof *ids, by_id);
    for (size_t i = 0; i < n; i++)
        if (i == 0 || ids[i] != ids[i - 1]) add_thing(s, l, ids[i]);
}

/* Things named one by one are looked up; else all are gone through. */
static void list_things(struct query_source *s, struct list *l) {
    for (size_t i = 0; i < s->query->n_picks; i++) {
        if (!exact(&s->query->picks[i])) continue;
        list_named(s, &s->query->picks[i], l);
        return;
    }
    uint32_t n = series_thing_count(s->of->series);
    for (ThingId id = 1; id <= n; id++) add_thing(s, l, id);
    s->n_visible = l->n;
}

static void keep(struct query_source *s, const bool *kept) {
    size_t n = 0;
    for (size_t i = 0; i < s->n_things; i++) {
        if (!kept[i]) continue;
        s->things[n] = s->things[i];
        s->names[n++] = s->names[i];
    }
    s->n_things = n;
}

/* The values of one tag, of every thing that is in so far. */
static Err load_tag(struct query_source *s, Str name, MetricId metric, Value **out) {
    Nanos *times = arena_zero(s->arena, s->n_things + 1, sizeof *times);
    *out = arena_zero(s->arena, s->n_things + 1, sizeof **out);
    if (s->lens->agreement == 0)
        return series_batch_latest(s->of->series, s->lens, s->things, s->n_things, &metric, 1, s->arena, *out, times);
    for (size_t i = 0; i < s->n_things; i++) {
        struct lens given;
        if (!query_source_given(s, i, name, &given) || given.resolution > 0 || given.index) continue;
        TRY(series_batch_latest(s->of->series, &given, &s->things[i], 1, &metric, 1, s->arena, &(*out)[i], times));
    }
    return err_none();
}

static Err pick_by(struct query_source *s, const struct query_pick *pick, bool *kept) {
    MetricId metric = 0;
    Value *values = NULL;
    bool thing = str_eq_c(pick->what, "thing"), model = str_eq_c(pick->what, "model");
    Str what = str_slice(pick->what, 0, 60);
    if (!thing && !model && (pick->what.len < 2 || pick->what.ptr[0] != '@'))
        return err_make(ERR_INVALID, "things cannot be picked by '" STR_FMT "': use names, model or a tag",
                        STR_ARG(what));
    if (!thing && !model && series_find_metric(s->of->series, pick->what, &metric))
        TRY(load_tag(s, pick->what, metric, &values));
    for (size_t i = 0; i < s->n_things; i++) {
        char room[64];
        Str text = thing ? s->names[i] : model ? model_of(s, s->names[i], room) : (Str){0};
        if (values && values[i].kind == VALUE_STRING) text = values[i].s;
        kept[i] = picks(pick, text) != pick->except;
    }
    return err_none();
}

Err query_source_open(struct query_source *s) {
    struct list l = {0};
    bool looked_up = false;
    list_things(s, &l);
    s->things = arena_zero(s->arena, l.n + 1, sizeof *s->things);
    s->names = arena_zero(s->arena, l.n + 1, sizeof *s->names);
    s->n_things = l.n;
    if (l.n) memcpy(s->things, l.ids, l.n * sizeof *l.ids), memcpy(s->names, l.names, l.n * sizeof *l.names);
    free(l.ids);
    free(l.names);
    bool *kept = arena_zero(s->arena, s->n_things + 1, sizeof *kept);
    for (size_t i = 0; i < s->query->n_picks; i++) {
        const struct query_pick *pick = &s->query->picks[i];
        if (!looked_up && exact(pick)) {
            looked_up = true;
            continue;
        }
        TRY(pick_by(s, pick, kept));
        keep(s, kept);
    }
    s->columns[0] = (struct query_column){STR("thing"), QUERY_KIND_STRING};
    s->columns[1] = (struct query_column){STR("time"), QUERY_KIND_TIME};
    s->n_columns = 2;
    return err_none();
}

size_t query_source_rank(const struct query_source *s, ThingId thing) {
    size_t low = 0, high = s->n_things;
    while (low < high) {
        size_t mid = (low + high) / 2;
        if (s->things[mid] < thing)
            low = mid + 1;
        else
            high = mid;
    }
    return low < s->n_things && s->things[low] == thing ? low : SIZE_MAX;
}

/* ---- which columns */

/* Whether a thing has it, at whatever time: the owner's eyes, and only for what is given. */
static bool has_metric(const struct query_source *s, ThingId thing, MetricId metric) {
    struct lens owner = gate_lens_party(s->lens->party, "names of columns");
    struct arena arena = {0};
    Value value;
    Nanos time;
    Err err = series_batch_latest(s->of->series, s->lens->agreement ? &owner : s->lens, &thing, 1, &metric, 1, &arena,
                                  &value, &time);
    arena_fini(&arena);
    return err.code == ERR_NONE && value.kind != VALUE_NONE;
}

static bool picked_have(const struct query_source *s, Str name, MetricId metric) {
    size_t n = s->n_things < EXISTS_MAX ? s->n_things : EXISTS_MAX;
    for (size_t i = 0; i < n; i++) {
        struct lens given;
        if (query_source_given(s, i, name, &given) && has_metric(s, s->things[i], metric)) return true;
    }
    return false;
}

/* A column that the picked things lack is empty, if another thing has it; one that none has is an error. */
static bool others_have(const struct query_source *s, Str name, MetricId metric) {
    uint32_t n = series_thing_count(s->of->series);
    if (n > EXISTS_MAX) n = EXISTS_MAX;
    for (ThingId id = 1; id <= n; id++) {
        PartyId party;
        Str thing;
        struct lens given;
        char model[64];
        if (!series_thing_name(s->of->series, id, &party, &thing) || !of_party(s, party)) continue;
        if (s->lens->agreement && !gate_lens_metric(s->lens, thing, model_of(s, thing, model), name, s->now, &given))
            continue;
        if (has_metric(s, id, metric)) return true;
    }
    return false;
}

static bool room_for(const struct query_source *s, bool tag) {
    size_t n = 0;
    for (size_t i = 2; i < s->n_columns; i++) n += s->tags[i] == tag;
    return n < (tag ? 32 : SERIES_ASK_METRICS_MAX);
}

static bool find(void *ctx, Str name, unsigned *column, enum query_kind *kind) {
    struct query_source *s = ctx;
    MetricId metric;
    for (size_t i = 0; i < s->n_columns; i++) {
        if (!str_eq(s->columns[i].name, name)) continue;
        *column = (unsigned)i;
        *kind = s->columns[i].kind;
        return true;
    }
    bool tag = name.len > 1 && name.ptr[0] == '@';
    if (!room_for(s, tag) || !series_find_metric(s->of->series, name, &metric)) return false;
    if (!picked_have(s, name, metric) && !others_have(s, name, metric)) return false;
    *column = (unsigned)s->n_columns;
    *kind = tag ? QUERY_KIND_STRING : QUERY_KIND_ANY;
    s->columns[s->n_columns] = (struct query_column){arena_str(s->arena, name), *kind};
    s->tags[s->n_columns] = tag;
    s->metrics[s->n_columns++] = metric;
    return true;
}

static size_t distance(Str a, Str b) { /* Levenshtein's, of at most 64 bytes */
    size_t row[65];
    a = str_slice(a, 0, 64), b = str_slice(b, 0, 64);
    for (size_t j = 0; j <= b.len; j++) row[j] = j;
    for (size_t i = 1; i <= a.len; i++) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= b.len; j++) {
            size_t change = diagonal + (a.ptr[i - 1] != b.ptr[j - 1]);
            size_t least = row[j] < row[j - 1] ? row[j] + 1 : row[j - 1] + 1;
            diagonal = row[j];
            row[j] = change < least ? change : least;
        }
    }
    return row[b.len];
}

struct names {
    Str *items;
    size_t n, cap;
};

static int by_name(const void *a, const void *b) { return str_cmp(*(const Str *)a, *(const Str *)b); }

/* The names of what the first things report, as far as they are given. */
static void gather(struct query_source *s, size_t things, struct names *out) {
    struct lens owner = gate_lens_party(s->lens->party, "names of columns");
    struct arena arena = {0};
    for (size_t i = 0; i < s->n_things && i < things; i++) {
        struct series_latest *latest;
        size_t n = 0;
        arena_reset(&arena);
        if (series_latest(s->of->series, s->lens->agreement ? &owner : s->lens, s->things[i], &arena, &latest, &n).code)
            continue;
        for (size_t k = 0; k < n; k++) {
            struct lens given;
            Str name = series_metric_name(s->of->series, latest[k].metric);
            bool had = false;
            for (size_t j = 0; j < out->n && !had; j++) had = str_eq(out->items[j], name);
            if (!had && query_source_given(s, i, name, &given)) VEC_PUSH(out->items, out->n, out->cap, name);
        }
    }
    arena_fini(&arena);
    if (out->n > 1) qsort(out->items, out->n, sizeof *out->items, by_name);
}

static Str last_part(Str name) {
    for (size_t i = name.len; i > 0; i--)
        if (name.ptr[i - 1] == '.' || name.ptr[i - 1] == '@') return str_slice(name, i, name.len);
    return name;
}

static Str suggest(void *ctx, Str name) {
    struct query_source *s = ctx;
    struct names names = {0};
    Str best = {0};
    size_t least = name.len / 3 + 2;
    gather(s, LOOK, &names);
    for (size_t i = 0; i < names.n; i++) {
        size_t whole = distance(name, names.items[i]), part = distance(name, last_part(names.items[i]));
        size_t d = whole < part ? whole : part;
        if (d >= least) continue;
        least = d;
        best = names.items[i];
    }
    free(names.items);
    return best;
}

static Err all(void *ctx, struct arena *arena, Str **out, size_t *n) {
    struct query_source *s = ctx;
    struct names names = {0};
    gather(s, LOOK_ALL, &names);
    *n = names.n;
    *out = arena_zero(arena, names.n + 1, sizeof **out);
    if (names.n) memcpy(*out, names.items, names.n * sizeof **out);
    free(names.items);
    if (*n <= SERIES_ASK_METRICS_MAX) return err_none();
    return err_make(ERR_INVALID, "these things report %zu columns, at most %u at once: name those you want in select",
                    *n, SERIES_ASK_METRICS_MAX);
}

static const struct query_column *columns(void *ctx, size_t *n) {
    const struct query_source *s = ctx;
    *n = s->n_columns;
    return s->columns;
}

static bool is_tag(void *ctx, unsigned column) {
    const struct query_source *s = ctx;
    return s->tags[column];
}

struct query_plan_source query_source_names(struct query_source *s) {
    return (struct query_plan_source){find, suggest, all, columns, is_tag, s};
}

Err query_source_load_tags(struct query_source *s) {
    for (size_t c = 2; c < s->n_columns; c++)
        if (s->tags[c]) TRY(load_tag(s, s->columns[c].name, s->metrics[c], &s->tag_values[c]));
    return err_none();
}
