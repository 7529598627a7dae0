/*
 * Writing a run: things in order of (party, thing), each one's rows in order of time, each row's values. Nothing of it
 * counts until series_run_write_end says so; after any failure, series_run_write_drop.
 */
#ifndef STORE_SERIES_RUN_WRITE_H
#define STORE_SERIES_RUN_WRITE_H

#include "store/series_run.h"
#include "store/series_union.h"

struct series_run_writer;

/* info: id, first, last, from, to and cold are given; the rest is filled in by the end. */
Err series_run_write_begin(struct file_system *fs, const char *dir, const struct series_run_info *info,
                           struct compress *scratch, struct series_run_writer **out);
/* n_rows: about how many will follow. */
Err series_run_write_thing(struct series_run_writer *writer, PartyId party, ThingId thing, Nanos stamped,
                           uint64_t n_rows);
Err series_run_write_row(struct series_run_writer *writer, Nanos time);
void series_run_write_value(struct series_run_writer *writer, MetricId metric, Value value); /* strings are copied */
/* Many rows of the thing at once, from columns; strings are copied. */
Err series_run_write_union(struct series_run_writer *writer, struct series_union *rows);
/* Completes and syncs the file, frees the writer. No row at all: info->rows is 0, and no file is left. */
Err series_run_write_end(struct series_run_writer *writer, struct series_run_info *info);
void series_run_write_drop(struct series_run_writer *writer); /* removes the file; NULL is fine */

#endif
