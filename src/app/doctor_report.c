#include "app/doctor_report.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/jw.h"
#include "base/time.h"
#include "os/clock.h"

#define QUIET_FOR (2 * NANOS_PER_S)

static const char *const states[] = {"note", "damaged", "mended"};

struct doctor_report {
    bool json;
    struct buf findings, parts; /* JSON, or lines of the table */
    struct jw findings_json, parts_json;
    uint64_t counts[3];
    Nanos began, told;
};

struct doctor_report *doctor_report_new(bool json) {
    struct doctor_report *r = calloc(1, sizeof *r);
    ASSERT(r != NULL);
    r->json = json, r->began = r->told = clock_monotonic();
    jw_init(&r->findings_json, &r->findings);
    jw_init(&r->parts_json, &r->parts);
    if (json) {
        jw_array(&r->findings_json);
        jw_object(&r->parts_json);
    }
    return r;
}

static void put_json(struct doctor_report *r, const char *folder, const struct series_doctor_finding *f) {
    struct jw *w = &r->findings_json;
    char path[512];
    snprintf(path, sizeof path, "%s%s", folder, f->file);
    jw_object(w);
    jw_kc(w, "state", states[f->state]);
    jw_kc(w, "file", path);
    jw_kint(w, "offset", (int64_t)f->offset);
    jw_kc(w, "what", f->what);
    jw_kc(w, "mend", f->mend);
    if (f->thing.len) jw_kstr(w, "thing", f->thing);
    if (f->metric.len) jw_kstr(w, "metric", f->metric);
    if (f->from <= f->to) jw_ktime(w, "from", f->from), jw_ktime(w, "to", f->to);
    if (f->rows) jw_kint(w, "rows", (int64_t)f->rows);
    if (f->values) jw_kint(w, "values", (int64_t)f->values);
    jw_object_end(w);
}

static void print(const char *folder, const struct series_doctor_finding *f) {
    char from[TIME_TEXT_MAX], to[TIME_TEXT_MAX];
    printf("%-7s %s%s at byte %llu: %s\n", states[f->state], folder, f->file, (unsigned long long)f->offset, f->what);
    if (f->thing.len || f->metric.len || f->from <= f->to) {
        printf("        of");
        if (f->thing.len) printf(" " STR_FMT, STR_ARG(f->thing));
        if (!f->thing.len) printf(" several things");
        if (f->metric.len) printf(", " STR_FMT, STR_ARG(f->metric));
        if (f->from <= f->to) {
            time_format(f->from, from);
            time_format(f->to, to);
            printf(", %s to %s", from, to);
        }
        if (f->rows) printf(", %llu rows", (unsigned long long)f->rows);
        if (f->values && !f->rows) printf(", %llu values", (unsigned long long)f->values);
        printf("\n");
    }
    printf("        %s\n", f->mend);
}

static void take(struct doctor_report *r, const char *folder, const struct series_doctor_finding *f) {
    r->counts[f->state]++;
    if (r->json)
        put_json(r, folder, f);
    else
        print(folder, f);
}

void doctor_report_series(struct doctor_report *r, const struct series_doctor_finding *f) { take(r, "series/", f); }
void doctor_report_other(struct doctor_report *r, const struct series_doctor_finding *f) { take(r, "", f); }

void doctor_report_part(struct doctor_report *r, const char *part, const char *what, uint64_t n) {
    if (r->json) {
        jw_kint(&r->parts_json, part, (int64_t)n);
        return;
    }
    if (n)
        buf_printf(&r->parts, "%-10s %12llu  %s\n", part, (unsigned long long)n, what);
    else
        buf_printf(&r->parts, "%-10s %12s  %s\n", part, "", what);
}

void doctor_report_counts(struct doctor_report *r, const struct series_doctor_result *c) {
    static const char *const what[] = {"files of telemetry read",
                                       "bytes",
                                       "runs",
                                       "chunks, every column decoded",
                                       "rows in runs",
                                       "values in runs",
                                       "records of the log not in runs yet",
                                       "dead letters",
                                       "names of things and metrics"};
    const char *const parts[] = {"series", "bytes", "runs", "chunks", "rows", "values", "log", "letters", "names"};
    const uint64_t n[] = {c->files, c->bytes, c->runs, c->chunks, c->rows, c->values, c->records, c->letters, c->names};
    for (size_t i = 0; i < sizeof n / sizeof *n; i++)
        if (r->json || n[i]) doctor_report_part(r, parts[i], what[i], n[i]);
}

void doctor_report_progress(struct doctor_report *r, const char *file, uint64_t bytes, uint64_t all) {
    Nanos now = clock_monotonic();
    if (now - r->began < QUIET_FOR || now - r->told < NANOS_PER_S) return;
    r->told = now;
    if (bytes > all) all = bytes;
    fprintf(stderr, "%5.1f %%  %s\n", all ? 100.0 * (double)bytes / (double)all : 100.0, file);
}

static void end_json(struct doctor_report *r, const char *dir, bool beside, const char *verdict) {
    struct buf out = {0};
    struct jw w;
    jw_array_end(&r->findings_json);
    jw_object_end(&r->parts_json);
    jw_init(&w, &out);
    jw_object(&w);
    jw_kc(&w, "folder", dir);
    jw_kc(&w, "state", verdict);
    jw_kbool(&w, "beside", beside);
    jw_key(&w, "read");
    jw_raw(&w, buf_view(&r->parts));
    jw_key(&w, "findings");
    jw_raw(&w, buf_view(&r->findings));
    jw_object_end(&w);
    printf(STR_FMT "\n", STR_ARG(buf_view(&out)));
    buf_fini(&out);
}

int doctor_report_end(struct doctor_report *r, const char *dir, bool beside, Err err) {
    int status = err.code || r->counts[SERIES_DOCTOR_DAMAGED] ? 1 : r->counts[SERIES_DOCTOR_MENDED] ? 2 : 0;
    const char *verdict = err.code ? "unknown" : status == 1 ? "damaged" : status == 2 ? "mended" : "well";
    if (err.code) fprintf(stderr, "weft doctor: %s\n", err.text);
    if (r->json) {
        end_json(r, dir, beside, verdict);
    } else {
        printf("%s" STR_FMT, r->counts[0] + r->counts[1] + r->counts[2] ? "\n" : "", STR_ARG(buf_view(&r->parts)));
        printf("%s%s: %s\n", dir, beside ? " (its server is at work)" : "", verdict);
    }
    buf_fini(&r->findings);
    buf_fini(&r->parts);
    free(r);
    return status;
}

/* ---- retention */

static const char *level_name(uint32_t level) {
    return level == 0 ? "raw" : level <= SERIES_KEEP_LEVELS ? series_keep_names[level - 1] : "latest";
}

static void put_run_json(struct jw *w, const struct series_run_info *r, const char *keep, Nanos due) {
    jw_object(w);
    jw_kc(w, "keep", keep);
    jw_kc(w, "what", level_name(r->level));
    jw_ktime(w, "from", r->from), jw_ktime(w, "to", r->to);
    jw_key(w, "dropped_at");
    if (due == SERIES_KEEP_FOREVER)
        jw_null(w);
    else
        jw_time(w, due);
    jw_kint(w, "bytes", (int64_t)r->bytes), jw_kint(w, "rows", (int64_t)r->rows);
    jw_object_end(w);
}

static void print_run(const struct series_run_info *r, const char *keep, Nanos due) {
    char from[TIME_TEXT_MAX], to[TIME_TEXT_MAX], gone[TIME_TEXT_MAX] = "never";
    time_format(r->from, from), time_format(r->to, to);
    if (due != SERIES_KEEP_FOREVER) time_format(due, gone);
    printf("%.10s  %.10s  %-6s  %12llu  %12llu  %-10.10s  %s\n", from, to, level_name(r->level),
           (unsigned long long)r->rows, (unsigned long long)r->bytes, gone, keep);
}

void doctor_report_retention(const struct series_manifest *m, bool json) {
    struct buf out = {0};
    struct jw w;
    char text[SERIES_KEEP_TEXT_MAX];
    jw_init(&w, &out);
    jw_array(&w);
    if (!json) printf("from        to          what            rows         bytes  dropped     kept\n");
    for (size_t i = 0; i < m->n_runs; i++) {
        struct series_keep keep = series_manifest_keep(m, m->runs[i].class);
        Nanos due = series_manifest_due(m, &m->runs[i]);
        series_keep_text(&keep, text);
        if (json)
            put_run_json(&w, &m->runs[i], text, due);
        else
            print_run(&m->runs[i], text, due);
    }
    jw_array_end(&w);
    if (json) printf(STR_FMT "\n", STR_ARG(buf_view(&out)));
    buf_fini(&out);
}
