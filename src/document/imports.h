/*
 * Imports: a table that somebody sends becomes documents of one type, all of them or none.
 *
 *     uploaded ──set──▶ checking ──▶ checked ──apply──▶ applying ──▶ done
 *                          │            │                  │
 *                          └─▶ failed ◀─┴──────────────────┘         drop: at any time, everything of it goes
 *
 * Each has a folder DIR/ID with job.json (what it is and how far), source (as sent), staged (checked documents) and
 * faults (a JSON object a line). The main database hears of it only while it is applied, in short transactions whose
 * documents nobody sees until the last one shows them all. After a crash a check begins anew, an unfinished application
 * is dropped and begins anew, and one whose documents were about to be shown shows them.
 *
 * One thread works on one import at a time, with helpers for checking. Any thread may call; calls wait for files only.
 * Who reads an import: its maker, and the staff of the maker's party.
 */
#ifndef DOCUMENT_IMPORTS_H
#define DOCUMENT_IMPORTS_H

#include "document/documents.h"

#define IMPORTS_UNFINISHED_MAX 32 /* of one party */

struct imports;
struct imports_options {
    const char *dir; /* made when absent */
    struct documents *documents;
    const struct clock *clock;
    unsigned threads; /* that check; 0 = one for each core */
};
Err imports_open(const struct imports_options *options, struct imports **out); /* goes on with what was begun */
void imports_close(struct imports *imports);            /* stops at once; what was begun goes on at the next open */
const char *imports_dir(const struct imports *imports); /* where a file lies that imports_add takes */

/* Takes the file at path away into a new import. ERR_INVALID when it is no table, with what to do; ERR_FORBIDDEN by the
 * type's create_roles. name: as the sender calls the file. */
Err imports_add(struct imports *imports, const struct principal *who, Str type, Str name, const char *path,
                struct arena *arena, Str *id);
/* {"mapping":{"column":"field"},"mode":"all|skip","offset":"+08:00","start":true}: members that are absent stay as they
 * are. start: checks it, also once more. */
Err imports_set(struct imports *imports, const struct principal *who, Str id, const struct json *order);
/* ERR_STATE unless it is checked, and, in mode "all", without a fault. */
Err imports_apply(struct imports *imports, const struct principal *who, Str id);
/* Waits until it is gone. Of a finished one the documents go as well unless keep; ERR_CONFLICT when one of them was
 * changed since, or is referred to: then all stay. */
Err imports_drop(struct imports *imports, const struct principal *who, Str id, bool keep);

Err imports_json(struct imports *imports, const struct principal *who, Str id, struct jw *w);
/* An array, newest first; type empty: of every type. */
void imports_list_json(struct imports *imports, const struct principal *who, Str type, struct jw *w);
/* Lines of the file of faults from a place in it (0: the beginning) into out; *next 0: the last ones. */
Err imports_faults(struct imports *imports, const struct principal *who, Str id, uint64_t from, size_t limit,
                   struct buf *out, uint64_t *next);
/* Waits until nothing is being done; for tests and commands. */
void imports_drain(struct imports *imports);

#endif
