/*
 * Looks through the folder of an embedded series store: every checksum, every column decoded and held against what the
 * directories say of it. With `repair`, what cannot be read is taken out of what can: nothing is deleted, the files as
 * they were go to DIR/lost/. docs/operations.md says what is found, and what mending costs.
 *
 * For a folder that nobody has open; beside its owner only without repair, and from inside the owner's process or on
 * the same machine: files that the owner replaces meanwhile are passed over.
 */
#ifndef STORE_SERIES_DOCTOR_H
#define STORE_SERIES_DOCTOR_H

#include "base/buf.h"
#include "base/err.h"
#include "model/value.h"
#include "os/file.h"

enum series_doctor_state {
    SERIES_DOCTOR_NOTE,    /* nothing is wrong, but worth knowing: what a crash left over */
    SERIES_DOCTOR_DAMAGED, /* and not mended */
    SERIES_DOCTOR_MENDED,
};

/* Everything is borrowed for the call. */
struct series_doctor_finding {
    enum series_doctor_state state;
    const char *file; /* its name in the folder */
    uint64_t offset;
    const char *what, *mend; /* what is wrong; what can be done, or was done */
    PartyId party;           /* of the thing; 0: not known */
    Str thing, metric;       /* whose rows are lost; empty: not known, or several */
    Nanos from, to;          /* of the rows that are lost, both included; from > to: not known, or none are */
    uint64_t rows, values;   /* how many are lost; 0: not known, or none are */
};
typedef void series_doctor_sink(void *ctx, const struct series_doctor_finding *finding);

struct series_doctor_options {
    struct file_system *fs; /* NULL: the disk */
    const char *dir;
    bool repair;
    bool beside; /* its owner is at work */
    series_doctor_sink *sink;
    /* How far it is, now and then; NULL: nobody asks. */
    void (*progress)(void *ctx, const char *file, uint64_t bytes, uint64_t bytes_all);
    void *ctx;
};

struct series_doctor_result {
    uint64_t files, bytes, runs, chunks, rows, values, records, letters, names;
    uint64_t damaged, mended, notes; /* findings */
};

/* An error only when the folder itself cannot be looked at, or mending fails; damage is told to the sink. A folder that
 * is not there is well. */
Err series_doctor_run(const struct series_doctor_options *options, struct series_doctor_result *out);

#endif
