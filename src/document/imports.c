#include "document/imports.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/vec.h"
#include "document/import_run.h"
#include "document/import_stage.h"
#include "os/process.h"
#include "os/thread.h"
#include "trust/gate.h"

#define KEPT_MAX 500 /* finished imports that are remembered */

struct imports {
    struct imports_options options;
    char dir[300];
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct import_job *jobs; /* newest first */
    struct thread *thread;
    bool stopping;
    struct import_run *run; /* under way, or NULL */
};

static bool is_active(const struct import_job *job) {
    return job->state == IMPORT_CHECKING || job->state == IMPORT_APPLYING || job->state == IMPORT_SHOWING;
}

static bool is_over(const struct import_job *job) { return job->state == IMPORT_DONE || job->state == IMPORT_FAILED; }

static Nanos now(const struct imports *im) { return clock_now(im->options.clock); }

/* ---- the worker */

static bool go_on(void *ctx) {
    struct imports *im = ctx;
    thread_lock(&im->lock);
    bool on = !im->stopping && !im->run->job->cancel;
    im->run->job->tally = im->run->tally;
    im->run->job->applied = im->run->applied;
    thread_unlock(&im->lock);
    return on;
}

static Err save_step(void *ctx, enum import_state state, int64_t batch) {
    struct imports *im = ctx;
    thread_lock(&im->lock);
    struct import_job *job = im->run->job;
    job->state = state;
    job->batch = batch;
    job->tally = im->run->tally;
    job->applied = im->run->applied;
    Err err = import_job_save(job);
    thread_unlock(&im->lock);
    return err;
}

/* ERR_CLOSED: the server stops or the import is dropped; it stays as it is. */
static void settle(struct imports *im, struct import_job *job, Err err) {
    bool was_checking = job->state == IMPORT_CHECKING;
    job->tally = im->run->tally;
    job->applied = im->run->applied;
    if (err.code == ERR_CLOSED) return;
    job->state = err.code != ERR_NONE ? IMPORT_FAILED : was_checking ? IMPORT_CHECKED : IMPORT_DONE;
    snprintf(job->failure, sizeof job->failure, "%s", err.code == ERR_NONE ? "" : err.text);
    if (err.code != ERR_NONE && !was_checking) job->applied = 0;
    if (!was_checking || err.code != ERR_NONE) job->finished = now(im);
    const struct doctype *type = documents_type(im->options.documents, job->type);
    if (was_checking && type) job->print = import_stage_print(type);
    Err saved = import_job_save(job);
    if (saved.code != ERR_NONE) LOG_ERROR("import.not_saved", LOG_C("id", job->id), LOG_C("why", saved.text));
    if (job->state == IMPORT_DONE) import_job_remove_files(job, false);
    LOG_INFO("import.step", LOG_C("id", job->id), LOG_C("state", import_job_state(job)),
             LOG_I("rows", (long long)job->tally.rows), LOG_I("bad", (long long)job->tally.bad),
             LOG_I("applied", (long long)job->applied), LOG_C("failure", job->failure));
}

static void work_on(struct imports *im, struct import_job *job) {
    struct import_run run = {.job = job,
                             .documents = im->options.documents,
                             .clock = im->options.clock,
                             .threads = im->options.threads,
                             .go_on = go_on,
                             .save = save_step,
                             .ctx = im};
    enum import_state state = job->state;
    job->busy = true;
    im->run = &run;
    thread_unlock(&im->lock);
    Err err = state == IMPORT_CHECKING   ? import_run_check(&run)
              : state == IMPORT_APPLYING ? import_run_apply(&run)
                                         : import_run_show(&run);
    thread_lock(&im->lock);
    settle(im, job, err);
    im->run = NULL;
    job->busy = false;
    thread_broadcast(&im->changed);
}

static struct import_job *oldest_active(const struct imports *im) {
    struct import_job *found = NULL;
    for (struct import_job *job = im->jobs; job; job = job->next)
        if (is_active(job) && !job->cancel) found = job;
    return found;
}

static void work(void *ctx) {
    struct imports *im = ctx;
    thread_lock(&im->lock);
    while (!im->stopping) {
        struct import_job *job = oldest_active(im);
        if (job)
            work_on(im, job);
        else
            thread_wait(&im->changed, &im->lock);
    }
    thread_unlock(&im->lock);
}

/* ---- opening */

struct finding {
    struct imports *im;
    Str *names;
    size_t n, cap;
    struct arena arena;
};

static bool found_entry(void *ctx, Str name) {
    struct finding *f = ctx;
    Str copy = arena_str(&f->arena, name);
    VEC_PUSH(f->names, f->n, f->cap, copy);
    return true;
}

static int by_age(const void *a, const void *b) {
    const struct import_job *x = *(struct import_job *const *)a, *y = *(struct import_job *const *)b;
    return (x->created > y->created) - (x->created < y->created);
}

static void load(struct finding *f) {
    struct import_job **jobs = calloc(f->n + 1, sizeof(struct import_job *));
    size_t n = 0;
    ASSERT(jobs);
    for (size_t i = 0; i < f->n; i++) {
        char path[512];
        if (str_starts(f->names[i], STR("upload-"))) { /* nobody waits for it any more */
            snprintf(path, sizeof path, "%s/" STR_FMT, f->im->dir, STR_ARG(str_slice(f->names[i], 0, 100)));
            (void)file_remove(file_disk, path).code;
        } else if (f->names[i].ptr[0] == 'i' && f->names[i].len < 16) {
            Err err = import_job_load(f->im->dir, f->names[i], &jobs[n]);
            if (err.code == ERR_NONE) n++;
            if (err.code != ERR_NONE) LOG_WARN("import.unreadable", LOG_S("id", f->names[i]), LOG_C("why", err.text));
        }
    }
    qsort(jobs, n, sizeof(struct import_job *), by_age);
    for (size_t i = 0; i < n; i++) {
        jobs[i]->next = f->im->jobs;
        f->im->jobs = jobs[i];
    }
    free(jobs);
}

static Err load_all(struct imports *im) {
    struct finding f = {.im = im};
    arena_init(&f.arena, 0);
    Err err = file_list(file_disk, im->dir, found_entry, &f);
    if (err.code == ERR_NONE) load(&f);
    free(f.names);
    arena_fini(&f.arena);
    return err;
}

Err imports_open(const struct imports_options *options, struct imports **out) {
    struct imports *im = calloc(1, sizeof *im);
    ASSERT(im && strlen(options->dir) < sizeof im->dir);
    im->options = *options;
    if (!im->options.clock) im->options.clock = &clock_system;
    snprintf(im->dir, sizeof im->dir, "%s", options->dir);
    thread_mutex_init(&im->lock);
    thread_cond_init(&im->changed);
    Err err = file_make_dirs(file_disk, im->dir, "imports.dir");
    if (err.code == ERR_NONE) err = load_all(im);
    if (err.code == ERR_NONE) err = thread_start(&im->thread, "imports", work, im);
    if (err.code != ERR_NONE)
        imports_close(im);
    else
        *out = im;
    return err;
}

void imports_close(struct imports *im) {
    if (!im) return;
    thread_lock(&im->lock);
    im->stopping = true;
    thread_broadcast(&im->changed);
    thread_unlock(&im->lock);
    if (im->thread) thread_join(im->thread);
    for (struct import_job *job = im->jobs, *next; job; job = next) {
        next = job->next;
        import_job_free(job);
    }
    thread_cond_fini(&im->changed);
    thread_mutex_fini(&im->lock);
    free(im);
}

const char *imports_dir(const struct imports *im) { return im->dir; }

void imports_drain(struct imports *im) {
    thread_lock(&im->lock);
    while (!im->stopping && oldest_active(im)) thread_wait(&im->changed, &im->lock);
    thread_unlock(&im->lock);
}

/* ---- finding one; the lock is held */

static bool may_see(const struct import_job *job, const struct principal *who) {
    if (job->who.party != who->party) return false;
    return principal_may(who, ROLE_STAFF) || (job->who.user == who->user && strcmp(job->who.name, who->name) == 0);
}

static Err find(struct imports *im, const struct principal *who, Str id, struct import_job **out) {
    for (struct import_job *job = im->jobs; job; job = job->next) {
        if (!str_eq_c(id, job->id) || !may_see(job, who) || job->cancel) continue;
        *out = job;
        return err_none();
    }
    return err_make(ERR_NOT_FOUND, "no import '" STR_FMT "': GET /api/v1/imports lists them",
                    STR_ARG(str_slice(id, 0, 40)));
}

static Err may_import(const struct principal *who, const struct doctype *type) {
    bool scoped = who->scopes[0] != '\0';
    if (!principal_may(who, type->create_roles))
        return err_make(ERR_FORBIDDEN, "'%s' may not create documents of type '%s'", who->name, type->name);
    if (!scoped || principal_scope(who, STR("docs"), str_c(type->name), true)) return err_none();
    return err_make(ERR_FORBIDDEN, "the scopes of '%s' do not hold 'docs:%s:write'", who->name, type->name);
}

/* ---- a new one */

static void forget_old(struct imports *im) {
    size_t n = 0;
    for (struct import_job **at = &im->jobs; *at;) {
        struct import_job *job = *at;
        if (is_over(job) && ++n > KEPT_MAX) {
            *at = job->next;
            import_job_remove_files(job, true);
            import_job_free(job);
        } else {
            at = &job->next;
        }
    }
}

static Err check_room(struct imports *im, const struct principal *who) {
    size_t n = 0;
    thread_lock(&im->lock);
    for (const struct import_job *job = im->jobs; job; job = job->next)
        n += job->who.party == who->party && !is_over(job);
    thread_unlock(&im->lock);
    if (n < IMPORTS_UNFINISHED_MAX) return err_none();
    return err_make(ERR_LIMIT, "%zu imports are unfinished: apply or drop some first", n);
}

static Err fill_job(struct imports *im, struct import_job *job, const struct doctype *type, const char *path) {
    char to[512];
    struct lens lens;
    TRY(gate_lens(&job->who, type, "import", &lens));
    TRY(file_make_dirs(file_disk, job->dir, "import.dir"));
    import_job_path(job, "source", to);
    TRY(file_rename(file_disk, path, to));
    TRY(import_job_look(job, type, &lens));
    job->created = now(im);
    return import_job_save(job);
}

Err imports_add(struct imports *im, const struct principal *who, Str type_name, Str name, const char *path,
                struct arena *arena, Str *id) {
    const struct doctype *type = documents_type(im->options.documents, type_name);
    uint64_t random;
    if (!type)
        return err_make(ERR_NOT_FOUND, "no document type '" STR_FMT "': GET /api/v1/docs lists them",
                        STR_ARG(str_slice(type_name, 0, 60)));
    TRY(may_import(who, type));
    TRY(check_room(im, who));
    struct import_job *job = calloc(1, sizeof *job);
    ASSERT(job);
    arena_init(&job->arena, 0);
    process_random(&random, sizeof random);
    snprintf(job->id, sizeof job->id, "i%012" PRIx64, random & 0xFFFFFFFFFFFF);
    snprintf(job->dir, sizeof job->dir, "%s/%s", im->dir, job->id);
    job->who = *who;
    job->type = str_c(type->name);
    job->type = arena_str(&job->arena, job->type);
    job->name = arena_str(&job->arena, str_slice(name, 0, 200));
    Err err = fill_job(im, job, type, path);
    if (err.code != ERR_NONE) {
        import_job_remove_files(job, true);
        import_job_free(job);
        return err;
    }
    *id = arena_str(arena, str_c(job->id));
    thread_lock(&im->lock);
    job->next = im->jobs;
    im->jobs = job;
    forget_old(im);
    thread_unlock(&im->lock);
    return err;
}

/* ---- orders */

static Err set_mapping(struct imports *im, struct import_job *job, const struct json *mapping) {
    const struct doctype *type = documents_type(im->options.documents, job->type);
    struct import_target target;
    struct lens lens;
    const struct json *value;
    void *at = NULL;
    Str column;
    if (!mapping) return err_none();
    if (json_kind(mapping) != JSON_OBJECT || !type)
        return err_make(ERR_INVALID, "'mapping' is an object of columns and their fields: {\"column\": \"field\"}");
    TRY(gate_lens(&job->who, type, "import", &lens));
    Str *targets = arena_zero(&job->arena, job->n_columns + 1, sizeof *targets);
    while (json_next(mapping, &at, &column, &value)) {
        bool found = false;
        Str name = json_kind(value) == JSON_STRING ? json_str(value) : (Str){0};
        TRY(import_columns_parse(im->options.documents, type, &lens, name, &target));
        for (size_t c = 0; c < job->n_columns; c++) {
            if (!str_eq(column, job->headings[c])) continue;
            targets[c] = arena_str(&job->arena, name);
            found = true;
        }
        if (!found)
            return err_make(ERR_INVALID, "there is no column '" STR_FMT "' in the file",
                            STR_ARG(str_slice(column, 0, 60)));
    }
    job->targets = targets;
    return err_none();
}

static Err set_offset(struct import_job *job, Str offset) {
    char text[64];
    Nanos t;
    snprintf(text, sizeof text, "2026-01-01T00:00:00" STR_FMT, STR_ARG(str_slice(offset, 0, 20)));
    if (offset.len > 0 && (offset.len > 6 || time_parse(str_c(text), &t).code != ERR_NONE))
        return err_make(ERR_INVALID, "'offset' is how far times are from UTC, such as +08:00");
    job->offset = arena_str(&job->arena, offset);
    return err_none();
}

/* Two columns for one field: which one would win? */
static Err check_twice(const struct import_job *job) {
    for (size_t a = 0; a < job->n_columns; a++)
        for (size_t b = a + 1; b < job->n_columns; b++)
            if (job->targets[a].len > 0 && str_eq(job->targets[a], job->targets[b]))
                return err_make(ERR_INVALID, "two columns are mapped to '" STR_FMT "': leave one out with \"\"",
                                STR_ARG(str_slice(job->targets[a], 0, 60)));
    return err_none();
}

static Err take_order(struct imports *im, struct import_job *job, const struct json *order) {
    Str mode = json_get_str(order, "mode", job->skip ? STR("skip") : STR("all"));
    if (!str_eq_c(mode, "all") && !str_eq_c(mode, "skip"))
        return err_make(ERR_INVALID, "'mode' is all (one bad row stops everything) or skip (bad rows are left out)");
    TRY(set_mapping(im, job, json_get(order, "mapping")));
    TRY(set_offset(job, json_get_str(order, "offset", job->offset)));
    job->skip = str_eq_c(mode, "skip");
    if (!json_get_bool(order, "start", false)) return err_none();
    TRY(check_twice(job));
    job->state = IMPORT_CHECKING;
    job->tally = (struct import_tally){0};
    job->applied = 0;
    job->failure[0] = '\0';
    job->started = now(im);
    job->finished = 0;
    return err_none();
}

Err imports_set(struct imports *im, const struct principal *who, Str id, const struct json *order) {
    struct import_job *job;
    thread_lock(&im->lock);
    Err err = find(im, who, id, &job);
    char path[512];
    if (err.code == ERR_NONE && (is_active(job) || job->state == IMPORT_DONE))
        err = err_make(ERR_STATE, "the import is %s: only one that is not can be changed", import_job_state(job));
    if (err.code == ERR_NONE && !file_exists(file_disk, import_job_path(job, "source", path).ptr))
        err = err_make(ERR_STATE, "the file of the import is no longer there: send it again");
    if (err.code == ERR_NONE) err = take_order(im, job, order);
    if (err.code == ERR_NONE) err = import_job_save(job);
    thread_broadcast(&im->changed);
    thread_unlock(&im->lock);
    return err;
}

static Err begin_apply(struct imports *im, const struct principal *who, struct import_job *job) {
    const struct doctype *type = documents_type(im->options.documents, job->type);
    if (job->state != IMPORT_CHECKED)
        return err_make(ERR_STATE, "the import is %s: only a checked one is applied", import_job_state(job));
    if (job->tally.bad > 0 && !job->skip)
        return err_make(ERR_STATE,
                        "%" PRIu64 " documents have faults: mend the file, or set mode 'skip' to leave them out",
                        job->tally.bad);
    if (job->tally.good == 0) return err_make(ERR_STATE, "no row is left that could be applied");
    if (type) TRY(may_import(who, type));
    job->state = IMPORT_APPLYING;
    job->batch = 0;
    job->applied = 0;
    return import_job_save(job);
}

Err imports_apply(struct imports *im, const struct principal *who, Str id) {
    struct import_job *job;
    thread_lock(&im->lock);
    Err err = find(im, who, id, &job);
    if (err.code == ERR_NONE) err = begin_apply(im, who, job);
    thread_broadcast(&im->changed);
    thread_unlock(&im->lock);
    return err;
}

static void unlink_job(struct imports *im, const struct import_job *job) {
    for (struct import_job **at = &im->jobs; *at; at = &(*at)->next)
        if (*at == job) {
            *at = job->next;
            return;
        }
}

Err imports_drop(struct imports *im, const struct principal *who, Str id, bool keep) {
    struct import_job *job;
    thread_lock(&im->lock);
    Err err = find(im, who, id, &job);
    if (err.code != ERR_NONE) {
        thread_unlock(&im->lock);
        return err;
    }
    job->cancel = true;
    while (job->busy) thread_wait(&im->changed, &im->lock);
    keep = keep && (job->state == IMPORT_DONE || job->state == IMPORT_SHOWING);
    thread_unlock(&im->lock);
    if (!keep && job->batch) err = documents_batch_drop(im->options.documents, &job->who, job->batch);
    if (err.code == ERR_NOT_FOUND) err = err_none();
    thread_lock(&im->lock);
    job->cancel = err.code == ERR_NONE;
    if (err.code == ERR_NONE) {
        unlink_job(im, job);
        import_job_remove_files(job, true);
        import_job_free(job);
    }
    thread_unlock(&im->lock);
    return err;
}

/* ---- looking */

Err imports_json(struct imports *im, const struct principal *who, Str id, struct jw *w) {
    struct import_job *job;
    struct lens lens;
    thread_lock(&im->lock);
    Err err = find(im, who, id, &job);
    if (err.code == ERR_NONE) {
        const struct doctype *type = documents_type(im->options.documents, job->type);
        if (type && gate_lens(who, type, "import", &lens).code != ERR_NONE) type = NULL;
        import_job_json(job, type, &lens, w);
    }
    thread_unlock(&im->lock);
    return err;
}

void imports_list_json(struct imports *im, const struct principal *who, Str type, struct jw *w) {
    thread_lock(&im->lock);
    jw_array(w);
    for (const struct import_job *job = im->jobs; job; job = job->next)
        if (may_see(job, who) && !job->cancel && (type.len == 0 || str_eq(type, job->type)))
            import_job_json(job, NULL, NULL, w);
    jw_array_end(w);
    thread_unlock(&im->lock);
}

static Err read_faults(const char *path, uint64_t from, size_t limit, struct buf *out, uint64_t *next) {
    struct file *file;
    size_t got, lines = 0, end = 0;
    *next = 0;
    Err err = file_open(file_disk, path, FILE_READ, &file);
    if (err.code == ERR_NOT_FOUND) return err_none();
    TRY(err);
    size_t max = limit * 2048 + 4096;
    buf_reserve(out, max);
    err = file_read(file, out->ptr, max, from, &got);
    file_close(file);
    TRY(err);
    while (lines < limit && end < got) {
        const char *line_end = memchr(out->ptr + end, '\n', got - end);
        if (!line_end) break;
        end = (size_t)(line_end - out->ptr) + 1;
        lines++;
    }
    out->len = end;
    if (end < got || got == max) *next = from + end;
    return err_none();
}

Err imports_faults(struct imports *im, const struct principal *who, Str id, uint64_t from, size_t limit,
                   struct buf *out, uint64_t *next) {
    struct import_job *job;
    char path[512];
    thread_lock(&im->lock);
    Err err = find(im, who, id, &job);
    if (err.code == ERR_NONE) import_job_path(job, "faults", path);
    thread_unlock(&im->lock);
    if (err.code == ERR_NONE) err = read_faults(path, from, limit, out, next);
    return err;
}
