/*
 * The parts of a folder are looked at one after the other, each by its own store's check; nothing is opened that would
 * change what it finds. Beside a running server the files are only read: what it replaces meanwhile is passed over, and
 * the ledger, which one process alone may open, is left out.
 */
#include "app/cmd_doctor.h"

#include <stdio.h>
#include <string.h>

#include "app/doctor_report.h"
#include "app/settings.h"
#include "base/log.h"
#include "os/file.h"
#include "store/blobs.h"
#include "store/records.h"
#include "store/series_manifest.h"
#include "trust/ledger.h"

struct visit {
    const char *dir;
    bool repair, json, beside, retention;
    struct doctor_report *report;
};

static int help(FILE *to, int status) {
    fprintf(to,
            "usage: weft doctor [DATA] [--repair | --retention] [--json]\n\n"
            "Reads everything that the folder (data) keeps and compares it with its checksums: telemetry, records,\n"
            "files, the ledger. Beside a running server it only looks.\n\n"
            "  --repair  takes what cannot be read out of what can; nothing is deleted: files as they were go to\n"
            "            DATA/series/lost/. Stop the server first, and copy the folder if there is room\n"
            "  --retention  only says what telemetry there is, how long it is kept, and when which part of it goes\n"
            "  --json    the findings as one JSON object on standard output\n\n"
            "Exit status: 0 all is well, 1 something is damaged, 2 something was mended.\n");
    return status;
}

static bool stands(const struct visit *v, const char *name) {
    char path[4096];
    snprintf(path, sizeof path, "%.3900s/%s", v->dir, name);
    return file_exists(file_disk, path);
}

/* ---- telemetry */

static void take_finding(void *ctx, const struct series_doctor_finding *finding) {
    doctor_report_series(((struct visit *)ctx)->report, finding);
}

static void take_progress(void *ctx, const char *file, uint64_t bytes, uint64_t all) {
    doctor_report_progress(((struct visit *)ctx)->report, file, bytes, all);
}

static Err look_at_series(struct visit *v) {
    char dir[4096];
    struct series_doctor_result result;
    snprintf(dir, sizeof dir, "%.3900s/series", v->dir);
    struct series_doctor_options options = {.dir = dir,
                                            .repair = v->repair,
                                            .beside = v->beside,
                                            .sink = take_finding,
                                            .progress = take_progress,
                                            .ctx = v};
    Err err = series_doctor_run(&options, &result);
    if (err.code == ERR_NONE) doctor_report_counts(v->report, &result);
    return err;
}

/* ---- records */

static void say(struct visit *v, const char *file, const char *what, const char *mend) {
    struct series_doctor_finding f = {
        .state = SERIES_DOCTOR_DAMAGED, .file = file, .what = what, .mend = mend, .from = 1};
    doctor_report_other(v->report, &f);
}

static Err look_at_records(struct visit *v) {
    struct records *records;
    if (!stands(v, "records.db")) {
        doctor_report_part(v->report, "records", stands(v, "records.url") ? "in a database server" : "none", 0);
        return err_none();
    }
    Err err = records_open(&(struct records_options){.dir = v->dir, .read_only = true}, &records);
    if (err.code == ERR_NONE) {
        err = records_check(records);
        records_close(records);
    }
    if (err.code == ERR_CORRUPT) {
        say(v, "records.db", err.text, "restore it from a backup, or: sqlite3 records.db .recover | sqlite3 new.db");
        err = err_none();
    }
    doctor_report_part(v->report, "records", "pages and indexes read", 1);
    return err;
}

/* ---- files of documents */

static bool bad_blob(void *ctx, const char *file, const char *what) {
    say(ctx, file, what, "restore it from a backup, or attach it again: the same bytes mend it");
    return true;
}

static Err look_at_blobs(struct visit *v) {
    struct blobs_count count;
    TRY(blobs_check(v->dir, NULL, bad_blob, v, &count));
    doctor_report_part(v->report, "files", "of documents compared with their names", count.files);
    return err_none();
}

/* ---- the ledger */

static Err look_at_ledger(struct visit *v) {
    struct ledger *ledger;
    if (!stands(v, "ledger") || v->beside) {
        doctor_report_part(v->report, "ledger", v->beside ? "not beside a running server" : "none", 0);
        return err_none();
    }
    Err err = ledger_open(&(struct ledger_options){.dir = v->dir}, &ledger);
    uint64_t entries = 0;
    if (err.code == ERR_NONE) {
        err = ledger_check(ledger);
        entries = ledger_size(ledger);
        ledger_close(ledger);
    }
    if (err.code == ERR_CORRUPT) {
        say(v, "ledger", err.text, "restore the folder from a backup: a ledger is never mended");
        err = err_none();
    }
    doctor_report_part(v->report, "ledger", "entries hashed again", entries);
    return err;
}

/* ---- what goes when: from the manifest alone, nothing else is opened */

static Err show_retention(struct visit *v) {
    char dir[4096];
    struct series_manifest manifest;
    snprintf(dir, sizeof dir, "%.3900s/series", v->dir);
    series_manifest_init(&manifest);
    Err err = series_manifest_load(file_disk, dir, &manifest);
    if (err.code == ERR_NONE) doctor_report_retention(&manifest, v->json);
    series_manifest_fini(&manifest);
    return err;
}

/* ---- the whole */

static Err look(struct visit *v) {
    TRY(look_at_series(v));
    TRY(look_at_records(v));
    TRY(look_at_blobs(v));
    return look_at_ledger(v);
}

static Err visit(struct visit *v) {
    int lock = -1;
    if (!stands(v, "series") && !stands(v, "records.db") && !stands(v, "records.url"))
        return err_make(ERR_NOT_FOUND, "'%.150s' holds no Weft data: name the server's folder", v->dir);
    Err err = file_lock(v->dir, &lock);
    v->beside = err.code == ERR_LOCKED;
    if (v->beside && v->repair)
        return err_make(ERR_LOCKED, "a server is at work in '%.150s': stop it before anything is mended", v->dir);
    if (err.code && !v->beside) return err;
    err = look(v);
    if (lock >= 0) file_unlock(lock);
    return err;
}

static bool read_words(struct visit *v, int argc, char **argv) {
    bool named = false;
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--repair") == 0)
            v->repair = true;
        else if (strcmp(argv[i], "--retention") == 0)
            v->retention = true;
        else if (strcmp(argv[i], "--json") == 0)
            v->json = true;
        else if (strcmp(argv[i], "--data") == 0 && i + 1 < argc && !named)
            v->dir = argv[++i], named = true;
        else if (argv[i][0] != '-' && !named)
            v->dir = argv[i], named = true;
        else
            return false;
    }
    return true;
}

int cmd_doctor(int argc, char **argv) {
    struct visit v = {.dir = "data"};
    if (argc > 1 && strcmp(argv[1], "--help") == 0) return help(stdout, 0);
    if (!read_words(&v, argc, argv)) return help(stderr, 2);
    log_set_level(LOG_LEVEL_ERROR);
    if (v.retention) {
        Err shown = show_retention(&v);
        if (shown.code) fprintf(stderr, "weft doctor: %s\n", shown.text);
        return shown.code ? 1 : 0;
    }
    v.report = doctor_report_new(v.json);
    Err err = visit(&v);
    int status = doctor_report_end(v.report, v.dir, v.beside, err);
    return fflush(stdout) == 0 ? status : 1;
}
