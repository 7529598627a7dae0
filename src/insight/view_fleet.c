/*
 * Pages and counts that hold for fleets of any size: things are taken from the registry in order of their names, a few
 * hundred at a time, and looked at one by one; nothing is held while looking. Counting all of a large fleet takes
 * seconds, so a count is given again until it is as old as twenty times what it took.
 */
#include <stdlib.h>
#include <string.h>

#include "base/vec.h"
#include "insight/view_inner.h"

#define STEP 500
#define COUNTS_SHARE 20
#define COUNTS_FRESH (NANOS_PER_S / 4)

void view_fleet_init(struct view *view) { thread_mutex_init(&view->counting); }

void view_fleet_fini(struct view *view) {
    thread_mutex_fini(&view->counting);
    free(view->counted);
}

/* ---- a page */

static char lower(char c) { return c >= 'A' && c <= 'Z' ? (char)(c + 32) : c; }

static bool contains(Str text, Str part) {
    for (size_t i = 0; i + part.len <= text.len; i++) {
        size_t k = 0;
        while (k < part.len && lower(text.ptr[i + k]) == lower(part.ptr[k])) k++;
        if (k == part.len) return true;
    }
    return part.len == 0;
}

struct wanting {
    const struct lens *lens;
    const struct view_fleet_ask *ask;
};

static bool is_wanted(void *ctx, const struct thing_row *row) {
    const struct wanting *w = ctx;
    if (w->ask->model.len && !str_eq(w->ask->model, row->model)) return false;
    if (!contains(row->name, w->ask->part) && !contains(row->model, w->ask->part)) return false;
    return gate_shows_thing(w->lens, row->name, row->model);
}

#define NAME_MAX_BYTES 256

/* Goes on through the fleet by steps, each in memory that serves the next again; the visitor keeps copies, and says
 * when it is enough. */
static void walk(struct view *view, const struct lens *lens, const struct view_fleet_ask *ask, size_t step,
                 bool (*visit)(void *ctx, const struct view_thing *thing), void *ctx) {
    struct wanting wanting = {lens, ask};
    struct arena arena;
    char name[NAME_MAX_BYTES];
    struct things_ask page = {.party = lens->party,
                              .every_party = lens->every_party,
                              .after = ask->after,
                              .limit = step,
                              .wanted = is_wanted,
                              .ctx = &wanting};
    arena_init(&arena, 0);
    for (bool on = true; on; arena_reset(&arena)) {
        struct thing_row *rows;
        size_t n;
        things_page(view->options.things, &page, &arena, &rows, &n);
        on = n == step && rows[n - 1].name.len < sizeof name;
        for (size_t i = 0; i < n; i++) {
            struct view_thing thing;
            view_fill(view, lens, &rows[i], &thing);
            if (!visit(ctx, &thing)) on = false, i = n;
        }
        if (!on) continue;
        memcpy(name, rows[n - 1].name.ptr, rows[n - 1].name.len);
        page.after = (Str){name, rows[n - 1].name.len};
    }
    arena_fini(&arena);
}

struct paging {
    const struct view_fleet_ask *ask;
    struct arena *arena;
    struct view_thing *out;
    size_t n;
    bool more;
};

static bool take(void *ctx, const struct view_thing *thing) {
    struct paging *p = ctx;
    if (p->ask->state != VIEW_ANY_STATE && (int)thing->state != p->ask->state) return true;
    if (p->n == p->ask->limit) return p->more = true, false;
    struct view_thing *kept = &p->out[p->n++];
    *kept = *thing;
    kept->row.name = arena_str(p->arena, thing->row.name);
    kept->row.model = arena_str(p->arena, thing->row.model);
    kept->row.attributes = arena_str(p->arena, thing->row.attributes);
    return true;
}

Err view_fleet_page(struct view *view, const struct lens *lens, const struct view_fleet_ask *ask, struct arena *arena,
                    struct view_thing **out, size_t *n, bool *more) {
    struct paging p = {.ask = ask, .arena = arena, .out = arena_zero(arena, ask->limit + 1, sizeof *p.out)};
    walk(view, lens, ask, ask->state == VIEW_ANY_STATE ? ask->limit + 1 : STEP, take, &p);
    *out = p.out, *n = p.n, *more = p.more;
    return err_none();
}

/* ---- counts */

static bool count(void *ctx, const struct view_thing *thing) {
    ((size_t *)ctx)[thing->state]++;
    return true;
}

static void count_all(struct view *view, const struct lens *lens, const struct view_fleet_ask *ask,
                      size_t counts[VIEW_OFFLINE + 1]) {
    struct view_fleet_ask all = *ask;
    all.after = (Str){0};
    for (int s = 0; s <= VIEW_OFFLINE; s++) counts[s] = 0;
    walk(view, lens, &all, STEP, count, counts);
}

static struct view_counted *counted_of(struct view *view, PartyId party) {
    for (size_t i = 0; i < view->n_counted; i++)
        if (view->counted[i].party == party) return &view->counted[i];
    VEC_PUSH(view->counted, view->n_counted, view->cap_counted, ((struct view_counted){.party = party}));
    return &view->counted[view->n_counted - 1];
}

/* Whoever asks while another counts waits for that count. */
static void count_party(struct view *view, const struct lens *lens, size_t counts[VIEW_OFFLINE + 1]) {
    struct view_fleet_ask all = {.state = VIEW_ANY_STATE};
    thread_lock(&view->counting);
    struct view_counted *c = counted_of(view, lens->party);
    Nanos now = clock_monotonic(), fresh = c->took * COUNTS_SHARE;
    if (fresh < COUNTS_FRESH) fresh = 0; /* of a small fleet nobody is told what was */
    if (!c->made || now - c->made > fresh) {
        count_all(view, lens, &all, c->counts);
        c->made = clock_monotonic(), c->took = c->made - now;
    }
    for (int s = 0; s <= VIEW_OFFLINE; s++) counts[s] = c->counts[s];
    thread_unlock(&view->counting);
}

Err view_fleet_counts(struct view *view, const struct lens *lens, const struct view_fleet_ask *ask,
                      size_t counts[VIEW_OFFLINE + 1]) {
    bool whole = !ask->model.len && !ask->part.len && !lens->agreement && !lens->every_party;
    if (whole)
        count_party(view, lens, counts);
    else
        count_all(view, lens, ask, counts);
    return err_none();
}
