/* What the doctor says: findings as they come and a table at the end, or one JSON object. */
#ifndef APP_DOCTOR_REPORT_H
#define APP_DOCTOR_REPORT_H

#include "store/series_doctor.h"
#include "store/series_manifest.h"

struct doctor_report;

struct doctor_report *doctor_report_new(bool json);
void doctor_report_series(struct doctor_report *report, const struct series_doctor_finding *finding);
void doctor_report_other(struct doctor_report *report, const struct series_doctor_finding *finding);
void doctor_report_counts(struct doctor_report *report, const struct series_doctor_result *result);
void doctor_report_part(struct doctor_report *report, const char *part, const char *what, uint64_t n);
/* A line on standard error, at most one a second, and only when looking takes long. */
void doctor_report_progress(struct doctor_report *report, const char *file, uint64_t bytes, uint64_t all);
/* What there is of each time and when it goes. */
void doctor_report_retention(const struct series_manifest *manifest, bool json);
/* Prints what is left to print, frees it, and gives the exit status. */
int doctor_report_end(struct doctor_report *report, const char *dir, bool beside, Err err);

#endif
