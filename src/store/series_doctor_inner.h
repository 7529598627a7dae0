/* What the files of the doctor share; for them alone. */
#ifndef STORE_SERIES_DOCTOR_INNER_H
#define STORE_SERIES_DOCTOR_INNER_H

#include "store/series_doctor.h"
#include "store/series_manifest.h"
#include "store/series_names.h"

struct series_doctor {
    const struct series_doctor_options *options;
    struct series_doctor_result *result;
    struct file_system *fs;
    const char *dir;
    struct series_manifest manifest;
    struct series_names *names;
    struct compress *scratch;
    bool changed; /* the manifest, which must be written */
    bool rebuilt; /* it was made anew of the files there are */
    uint64_t bytes_done, bytes_all;
};

/* ---- series_doctor.c */
void series_doctor_path(const struct series_doctor *d, const char *name, char out[4096]);
/* Fills in names of thing and metric by their numbers (0: none), counts it, and gives it to the sink. */
void series_doctor_tell(struct series_doctor *d, struct series_doctor_finding *finding, ThingId thing, MetricId metric);
/* A finding without rows. */
void series_doctor_say(struct series_doctor *d, enum series_doctor_state state, const char *file, uint64_t offset,
                       const char *what, const char *mend);
void series_doctor_progress(struct series_doctor *d, const char *file, uint64_t more);
/* Moves a file to lost/; the folder is synced by the caller. */
Err series_doctor_set_aside(struct series_doctor *d, const char *file);

/* ---- series_doctor_file.c: one run */
/* Looks through it; with repair, *fresh describes what takes its place (rows 0: nothing does), and *mended is set. */
Err series_doctor_file_run(struct series_doctor *d, const struct series_run_info *info, struct series_run_info *fresh,
                           bool *mended);
/* What a run says of itself, for a manifest that is lost: false when its head cannot be read. */
bool series_doctor_file_describe(struct series_doctor *d, const char *file, struct series_run_info *out);

/* ---- series_doctor_names.c: the catalogue; loads the names */
Err series_doctor_names_run(struct series_doctor *d);

/* ---- series_doctor_log.c: the log, and the dead letters */
Err series_doctor_log_run(struct series_doctor *d);
Err series_doctor_log_letters(struct series_doctor *d);

#endif
