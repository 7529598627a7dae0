#include "app/workspace.h"

#include <stdio.h>

#include "document/things.h"
#include "os/file.h"
#include "store/records.h"
#include "store/series.h"
#include "trust/device.h"
#include "trust/people.h"

#define PATH_MAX_BYTES 3900

static Err open_series(const struct workspace_options *o, struct workspace *w) {
    char dir[4096];
    snprintf(dir, sizeof dir, "%s/series", o->dir);
    struct series_options options = {.dir = dir,
                                     .clock = o->clock,
                                     .memory_bytes = o->memory_bytes,
                                     .dead_letter_bytes = o->dead_letter_bytes,
                                     .read_only = o->series_read_only,
                                     .on_commit = o->on_commit,
                                     .on_commit_ctx = o->on_commit_ctx};
    return series_open(&options, &w->series);
}

static Err open_all(const struct workspace_options *o, struct workspace *w) {
    TRY(file_lock(o->dir, &w->lock_fd));
    /* Sessions age by the records' clock, which is the wall's: a recording's would end them in a second. */
    TRY(records_open(&(struct records_options){.dir = o->dir}, &w->records));
    TRY(people_open(w->records, w->clock, &w->people));
    TRY(device_open(w->records, w->clock, &w->devices));
    TRY(things_open(w->records, w->clock, &w->things));
    return open_series(o, w);
}

Err workspace_open(const struct workspace_options *options, struct workspace *out) {
    *out = (struct workspace){.lock_fd = -1, .clock = options->clock ? options->clock : &clock_system};
    if (str_c(options->dir).len > PATH_MAX_BYTES) return err_make(ERR_INVALID, "the data folder's path is too long");
    char probe[4096];
    snprintf(probe, sizeof probe, "%s/records.db", options->dir);
    if (options->must_exist && !file_exists(file_disk, probe))
        return err_make(ERR_NOT_FOUND, "'%.150s' holds no Weft data: name the server's folder with --data",
                        options->dir);
    TRY(file_make_dirs(file_disk, options->dir, "workspace.dir"));
    Err err = open_all(options, out);
    if (err.code != ERR_NONE) workspace_close(out);
    return err;
}

Err workspace_party(struct workspace *w, Str name, bool make, PartyId *out) {
    Err err = people_find_party(w->people, name, out);
    if (err.code != ERR_NOT_FOUND || (name.len > 0 && !make)) return err;
    return people_party(w->people, name.len > 0 ? name : STR("default"), out);
}

void workspace_close(struct workspace *w) {
    if (w->series) series_close(w->series);
    if (w->things) things_close(w->things);
    if (w->devices) device_close(w->devices);
    if (w->people) people_close(w->people);
    if (w->records) records_close(w->records);
    if (w->lock_fd >= 0) file_unlock(w->lock_fd);
    *w = (struct workspace){.lock_fd = -1};
}
