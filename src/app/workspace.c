#include "app/workspace.h"

#include <stdio.h>
#include <stdlib.h>

#include "app/settings.h"
#include "app/workspace_keep.h"
#include "document/packs.h"
#include "document/things.h"
#include "os/file.h"
#include "store/blobs.h"
#include "store/records.h"
#include "store/series.h"
#include "trust/device.h"
#include "trust/ledger.h"
#include "trust/people.h"
#include "trust/seal.h"

#define PATH_MAX_BYTES 3900

static Err open_series(const struct workspace_options *o, struct workspace *w) {
    char dir[4096];
    snprintf(dir, sizeof dir, "%s/series", o->dir);
    w->keep = workspace_keep_new(w->things, w->packs, o->keep);
    struct series_options options = {.dir = dir,
                                     .keep = workspace_keep_policy(w->keep),
                                     .clock = o->clock,
                                     .memory_bytes = o->memory_bytes,
                                     .dead_letter_bytes = o->dead_letter_bytes,
                                     .read_only = o->series_read_only,
                                     .on_commit = o->on_commit,
                                     .on_commit_ctx = o->on_commit_ctx};
    return series_open(&options, &w->series);
}

/* ---- where the records are: in the folder, or where its file records.url says */

#define URL_BYTES_MAX 4096

static bool stands(const char *dir, const char *name) {
    char path[4096];
    snprintf(path, sizeof path, "%s/%s", dir, name);
    return file_exists(file_disk, path);
}

static Err remember_url(const char *dir, Str url) {
    char path[4096];
    if (stands(dir, "records.db"))
        return err_make(ERR_INVALID,
                        "'%.100s' keeps its records itself, in records.db: use a new folder for a database, or "
                        "leave store.records empty",
                        dir);
    snprintf(path, sizeof path, "%s/records.url", dir);
    struct file *file; /* nobody else may read it: there may be a password in it */
    TRY(file_open(file_disk, path, FILE_WRITE | FILE_CREATE | FILE_TRUNCATE | FILE_PRIVATE, &file));
    Err err = file_write(file, url.ptr, url.len, 0);
    if (err.code == ERR_NONE) err = file_sync(file, "workspace.url");
    file_close(file);
    TRY(err);
    return file_sync_dir(file_disk, dir, "workspace.url.dir");
}

/* Appends the url, with its NUL; nothing for the folder itself. */
static Err find_url(const struct workspace_options *o, struct buf *out) {
    char path[4096];
    snprintf(path, sizeof path, "%s/records.url", o->dir);
    if (stands(o->dir, "records.url")) TRY(file_load(file_disk, path, URL_BYTES_MAX, out));
    Str kept = str_trim(buf_view(out)), asked = str_trim(str_c(o->records ? o->records : ""));
    if (asked.len > 0 && !str_eq(kept, asked)) {
        TRY(remember_url(o->dir, asked));
        buf_clear(out);
        buf_str(out, asked);
    }
    buf_byte(out, '\0');
    return err_none();
}

static Err open_records(const struct workspace_options *o, struct workspace *w) {
    struct buf url = {0};
    Err err = find_url(o, &url);
    /* Sessions age by the records' clock, which is the wall's: a recording's would end them in a second. */
    if (err.code == ERR_NONE) err = records_open(&(struct records_options){.dir = o->dir, .url = url.ptr}, &w->records);
    buf_fini(&url);
    return err;
}

static Err open_all(const struct workspace_options *o, struct workspace *w) {
    TRY(file_lock(o->dir, &w->lock_fd));
    TRY(open_records(o, w));
    TRY(people_open(w->records, w->clock, &w->people));
    TRY(device_open(w->records, w->clock, &w->devices));
    TRY(things_open(w->records, w->clock, &w->things));
    TRY(packs_open(&(struct packs_options){.dir = o->dir, .records = w->records}, &w->packs));
    things_use(w->things, packs_cell(w->packs));
    return open_series(o, w);
}

Err workspace_open(const struct workspace_options *options, struct workspace *out) {
    *out = (struct workspace){.lock_fd = -1, .clock = options->clock ? options->clock : &clock_system};
    if (str_c(options->dir).len > PATH_MAX_BYTES) return err_make(ERR_INVALID, "the data folder's path is too long");
    if (options->must_exist && !stands(options->dir, "records.db") && !stands(options->dir, "records.url"))
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

Err workspace_seal(struct workspace *w, const struct settings *s) {
    struct seal_options options = {.dir = records_dir(w->records),
                                   .master_file = settings_c(s, SETTING_seal_master_file),
                                   .master_env = settings_c(s, SETTING_seal_master_env),
                                   .master_command = settings_c(s, SETTING_seal_master_command)};
    if (!w->seal) TRY(seal_open(&options, &w->seal));
    people_use_seal(w->people, w->seal);
    return err_none();
}

#define WITNESSES_MAX 16

static Err read_witnesses(struct workspace *w, Str list) {
    w->witnesses = calloc(WITNESSES_MAX, sizeof *w->witnesses);
    ASSERT(w->witnesses);
    w->n_witnesses = 0;
    for (Str one; list.len > 0;) {
        str_cut(list, ',', &one, &list);
        if (str_trim(one).len == 0) continue;
        if (w->n_witnesses == WITNESSES_MAX)
            return err_make(ERR_INVALID, "ledger.witnesses names more than %d", WITNESSES_MAX);
        struct note_key *key = &w->witnesses[w->n_witnesses];
        TRY(note_key_parse(one, key));
        if (key->kind != NOTE_COSIGNATURE)
            return err_make(ERR_INVALID, "the key of '%s' in ledger.witnesses is a ledger's: give its witness key",
                            key->name);
        w->n_witnesses++;
    }
    return err_none();
}

Err workspace_ledger(struct workspace *w, const struct settings *s) {
    if (w->ledger) return err_none();
    free(w->witnesses);
    TRY(read_witnesses(w, settings_text(s, SETTING_ledger_witnesses)));
    struct ledger_options options = {.dir = records_dir(w->records),
                                     .origin = settings_c(s, SETTING_ledger_origin),
                                     .witnesses = w->witnesses,
                                     .n_witnesses = w->n_witnesses};
    return ledger_open(&options, &w->ledger);
}

Err workspace_blobs(struct workspace *w) {
    return w->blobs ? err_none() : blobs_open(records_dir(w->records), NULL, &w->blobs);
}

void workspace_close(struct workspace *w) {
    if (w->series) series_close(w->series);
    workspace_keep_free(w->keep);
    if (w->things) things_close(w->things);
    if (w->devices) device_close(w->devices);
    ledger_close(w->ledger);
    free(w->witnesses);
    if (w->blobs) blobs_close(w->blobs);
    if (w->seal) seal_close(w->seal);
    if (w->people) people_close(w->people);
    packs_close(w->packs);
    if (w->records) records_close(w->records);
    if (w->lock_fd >= 0) file_unlock(w->lock_fd);
    *w = (struct workspace){.lock_fd = -1};
}
