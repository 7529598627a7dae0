#include "insight/watch_past.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/num.h"
#include "base/vec.h"
#include "trust/gate.h"

#define HOURS_MAX (400 * 24)

static int64_t hour_of(Nanos at) { return at / NANOS_PER_HOUR - (at % NANOS_PER_HOUR < 0); }

/* ---- reading */
struct filling {
    PartyId party;
    struct watch_past *past;
    struct arena *arena;
    size_t metric;
};

static bool fill_hour(void *ctx, const struct series_point *p) {
    struct filling *f = ctx;
    int64_t hour = hour_of(p->time) - f->past->first_hour;
    if (hour < 0 || hour >= (int64_t)f->past->n_hours || !p->count || !isfinite(p->sum)) return true;
    struct watch_hour *h = &f->past->hours[(size_t)hour * f->past->n_metrics + f->metric];
    h->sum = p->sum, h->count = p->count > UINT32_MAX ? UINT32_MAX : (uint32_t)p->count;
    return true;
}

static bool fill_code(void *ctx, const struct series_point *p) {
    struct filling *f = ctx;
    struct watch_past *past = f->past;
    char number[NUM_TEXT_MAX];
    Str text = p->value.kind == VALUE_STRING ? p->value.s : num_format(value_as_num(p->value), number);
    struct watch_spoken spoken = {p->time, arena_str(f->arena, text)};
    VEC_PUSH(past->codes, past->n_codes, past->codes_cap, spoken);
    return true;
}

static Err read_metric(struct series *series, ThingId thing, const char *name, Nanos from, Nanos to, Nanos window,
                       series_sink *sink, struct filling *f) {
    struct lens lens = gate_lens_party(f->party, "the watch learns from what was measured");
    MetricId metric;
    if (!name || !series_find_metric(series, str_c(name), &metric)) return err_none();
    struct series_query query = {.thing = thing, .metric = metric, .from = from, .to = to, .window = window};
    return series_read(series, &lens, &query, sink, f);
}

Err watch_past_read(struct series *series, const struct watch_family *family, ThingId thing, Nanos from, Nanos to,
                    struct arena *arena, struct watch_past *out) {
    *out = (struct watch_past){.first_hour = hour_of(from), .n_metrics = family->n_tracked};
    if (to <= from) return err_none();
    int64_t hours = hour_of(to - 1) - out->first_hour + 1;
    if (hours > HOURS_MAX) out->first_hour += hours - HOURS_MAX, hours = HOURS_MAX;
    out->n_hours = (size_t)hours;
    out->hours = arena_zero(arena, out->n_hours * (out->n_metrics + 1), sizeof *out->hours);
    struct filling f = {family->party, out, arena, 0};
    from = out->first_hour * NANOS_PER_HOUR;
    for (; f.metric < out->n_metrics; f.metric++) {
        const char *name = family->like->metrics[family->tracked[f.metric]].name;
        TRY(read_metric(series, thing, name, from, to, NANOS_PER_HOUR, fill_hour, &f));
    }
    return read_metric(series, thing, family->like->code_metric, from, to, 0, fill_code, &f);
}

void watch_past_free(struct watch_past *past) {
    free(past->codes);
    *past = (struct watch_past){0};
}

static bool empty_hour(const struct watch_past *past, size_t h) {
    for (size_t m = 0; m < past->n_metrics; m++)
        if (past->hours[h * past->n_metrics + m].count) return false;
    return true;
}

/* ---- warming up */
static void warm_codes(struct watch_machine *w, const struct watch_spoken *spoken) {
    uint8_t codes[FAILURE_RECENT_CODES];
    size_t n = watch_judge_split(w->family, spoken->text, codes, FAILURE_RECENT_CODES);
    for (size_t i = 0; i < n; i++) {
        failure_track_code(&w->track, codes[i], spoken->at);
        w->codes_on |= UINT64_C(1) << codes[i];
        w->code_at[codes[i]] = spoken->at;
    }
}

void watch_past_warm(const struct watch_past *past, struct watch_machine *w, Nanos to) {
    size_t code = 0;
    for (size_t h = 0; h < past->n_hours; h++) {
        Nanos begin = (past->first_hour + (int64_t)h) * NANOS_PER_HOUR;
        bool spoke = code < past->n_codes && past->codes[code].at < begin + NANOS_PER_HOUR;
        if (empty_hour(past, h) && !spoke) continue;
        watch_judge_pass_labels(w, begin);
        failure_track_advance(&w->track, begin);
        for (size_t m = 0; m < past->n_metrics; m++) {
            const struct watch_hour *hour = &past->hours[h * past->n_metrics + m];
            if (hour->count) failure_track_fill(&w->track, m, hour->sum, hour->count);
        }
        for (; code < past->n_codes && past->codes[code].at < begin + NANOS_PER_HOUR; code++)
            warm_codes(w, &past->codes[code]);
    }
    watch_judge_pass_labels(w, to);
    for (size_t e = 0; e < w->family->n_codes; e++) /* what would have cleared by now has been said to */
        if (w->codes_on >> e & 1 && to - w->code_at[e] >= 24 * NANOS_PER_HOUR) w->codes_on &= ~(UINT64_C(1) << e);
}

/* ---- row by row */
struct sample {
    Nanos at;
    struct watch_value value;
};

struct samples {
    struct watch_family *family;
    struct series *series;
    struct arena arena;
    struct sample *items;
    size_t n, cap;
};

static bool is_code(const struct watch_family *family, uint8_t role) {
    return family->like->code_metric && strcmp(family->like->metrics[role].name, family->like->code_metric) == 0;
}

static bool take_sample(void *ctx, const struct series_point *p) {
    struct samples *s = ctx;
    uint8_t role = watch_family_role(s->family, s->series, p->metric);
    if (role == WATCH_ROLE_NONE) return true;
    struct sample sample = {p->time, {role, value_as_num(p->value), {0}}};
    if (is_code(s->family, role)) {
        char number[NUM_TEXT_MAX];
        Str text = p->value.kind == VALUE_STRING ? p->value.s : num_format(sample.value.num, number);
        sample.value.text = arena_str(&s->arena, text);
    } else if (isnan(sample.value.num)) {
        return true;
    }
    VEC_PUSH(s->items, s->n, s->cap, sample);
    return true;
}

static int by_time(const void *a, const void *b) {
    const struct sample *x = a, *y = b;
    if (x->at != y->at) return x->at < y->at ? -1 : 1;
    return (x->value.role > y->value.role) - (x->value.role < y->value.role);
}

Err watch_past_rows(struct series *series, struct watch_family *family, ThingId thing, Nanos after, Nanos through,
                    size_t max, watch_row_fn *fn, void *ctx) {
    struct samples s = {.family = family, .series = series};
    arena_init(&s.arena, 0);
    struct lens lens = gate_lens_party(family->party, "the watch judges what an earlier run did not");
    struct series_query query = {.thing = thing, .from = after + 1, .to = through + 1};
    Err err = series_read(series, &lens, &query, take_sample, &s);
    if (s.n) qsort(s.items, s.n, sizeof *s.items, by_time);
    struct watch_value row[WATCH_METRICS_MAX];
    for (size_t i = s.n > max ? s.n - max : 0, end; err.code == ERR_NONE && i < s.n; i = end) {
        for (end = i; end < s.n && s.items[end].at == s.items[i].at && end - i < WATCH_METRICS_MAX; end++)
            row[end - i] = s.items[end].value;
        fn(ctx, s.items[i].at, row, end - i);
    }
    free(s.items);
    arena_fini(&s.arena);
    return err;
}

/* ---- for the kernel */
static uint64_t code_set(Str text, const Str codes[], size_t n_codes) {
    uint64_t set = 0;
    for (Str head, rest = text; rest.len;) {
        str_cut(rest, '|', &head, &rest);
        head = str_trim(head);
        for (size_t e = 0; e < n_codes; e++)
            if (str_eq(str_slice(head, 0, WATCH_CODE_MAX), codes[e])) set |= UINT64_C(1) << e;
    }
    return set;
}

static struct failure_label *history_labels(const struct watch_label labels[], size_t n, struct arena *arena) {
    struct failure_label *out = arena_zero(arena, n + 1, sizeof *out);
    for (size_t i = 0; i < n; i++) out[i] = (struct failure_label){labels[i].at, labels[i].component, labels[i].failed};
    return out;
}

struct failure_machine watch_past_history(const struct watch_past *past, const Str codes[], size_t n_codes,
                                          const struct watch_label labels[], size_t n_labels, struct arena *arena) {
    struct failure_moment *moments = arena_zero(arena, past->n_hours + past->n_codes + 1, sizeof *moments);
    size_t n = 0, code = 0;
    for (size_t h = 0; h < past->n_hours; h++) {
        Nanos begin = (past->first_hour + (int64_t)h) * NANOS_PER_HOUR;
        if (!empty_hour(past, h)) {
            double *values = arena_alloc(arena, past->n_metrics * sizeof *values);
            for (size_t m = 0; m < past->n_metrics; m++) {
                const struct watch_hour *hour = &past->hours[h * past->n_metrics + m];
                values[m] = hour->count ? hour->sum / hour->count : NAN;
            }
            moments[n++] = (struct failure_moment){begin, values, 0};
        }
        for (; code < past->n_codes && past->codes[code].at < begin + NANOS_PER_HOUR; code++) {
            uint64_t set = code_set(past->codes[code].text, codes, n_codes);
            if (n && moments[n - 1].at == past->codes[code].at)
                moments[n - 1].codes |= set;
            else if (set)
                moments[n++] = (struct failure_moment){past->codes[code].at, NULL, set};
        }
    }
    return (struct failure_machine){moments, n, history_labels(labels, n_labels, arena), n_labels};
}
