/*
 * What the watch keeps in its folder, as JSON, each file replaced whole:
 *   models.json   the registry: every model learnt (the last WATCH_KEEP_ROWS), the latest of each family with its
 * numbers state.json    up to when each machine was judged, which conditions held, which predictions were open A
 * damaged or foreign file is refused with the reason and renamed to *.bad, and the watch begins anew. Private to the
 * watch.
 */
#ifndef INSIGHT_WATCH_KEEP_H
#define INSIGHT_WATCH_KEEP_H

#include "base/json.h"
#include "base/jw.h"
#include "insight/watch_judge.h"

#define WATCH_KEEP_ROWS 200

/* A line of the registry. The numbers are those of the family's latest model. */
struct watch_kept_model {
    PartyId party;
    struct watch_model row;
    bool whole; /* model, names and codes are there */
    struct failure_model model;
    Nanos cutoff;
    uint32_t failures;
    Str *metrics, *components, *codes; /* names, in order; in the registry's arena */
    size_t n_metrics, n_components, n_codes;
};
struct watch_registry {
    struct arena arena;
    struct watch_kept_model *items; /* oldest first */
    size_t n, cap;
};
void watch_keep_init(struct watch_registry *registry);
void watch_keep_fini(struct watch_registry *registry);
/* The family's newest line becomes its latest; older lines of it give up their numbers. */
void watch_keep_add(struct watch_registry *registry, const struct watch_family *family);
/* Gives a new family the numbers and codes that were kept for one like it. */
void watch_keep_teach(const struct watch_registry *registry, struct watch_family *family);

Err watch_keep_save_models(struct file_system *fs, const char *dir, const struct watch_registry *registry);
Err watch_keep_load_models(struct file_system *fs, const char *dir, struct watch_registry *registry);

void watch_keep_state_begin(struct jw *w);
void watch_keep_state_machine(struct jw *w, const struct watch_machine *machine);
void watch_keep_state_end(struct jw *w);
Err watch_keep_save_state(struct file_system *fs, const char *dir, Str json);
/* NULL when there is none; json_free. */
Err watch_keep_load_state(struct file_system *fs, const char *dir, struct json **out);
/* Puts what was kept of one machine into it; index of its entry by "party:name". */
void watch_keep_restore(const struct json *entry, struct watch_machine *machine);

#endif
