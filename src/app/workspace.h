/*
 * A data folder, opened: the stores and the registries over them. The server holds one for its whole life; a command on
 * a stopped folder opens one for a moment. One process owns a folder at a time (ERR_LOCKED names what to do).
 */
#ifndef APP_WORKSPACE_H
#define APP_WORKSPACE_H

#include "base/err.h"
#include "os/clock.h"
#include "store/rows.h"

struct workspace {
    int lock_fd;
    struct records *records;
    struct people *people;
    struct devices *devices;
    struct things *things;
    struct packs *packs; /* and the catalog in force */
    struct documents *documents;
    struct imports *imports;     /* of the server; a command on a stopped folder has none */
    struct workspace_keep *keep; /* what models say of how long series are kept */
    struct series *series;
    struct seal *seal;          /* NULL until workspace_seal */
    struct ledger *ledger;      /* NULL until workspace_ledger … */
    struct note_key *witnesses; /* … and the keys it knows */
    size_t n_witnesses;
    struct blobs *blobs; /* NULL until workspace_blobs */
    const struct clock *clock;
    void (*things_changed)(void *ctx); /* a command gave things other models; NULL: nobody needs to know */
    void *things_ctx;
};

struct workspace_options {
    const char *dir;
    const char *records; /* url of the database with the records, kept in DIR/records.url; NULL or empty: what stands
                            there, or none: DIR/records.db */
    const struct clock *clock;
    size_t memory_bytes, dead_letter_bytes;
    const struct thing_keep *keep; /* of telemetry that no model speaks of; NULL: as the folder remembers it */
    bool must_exist;               /* refuse a folder that holds no data instead of making it */
    bool series_read_only;
    void (*on_commit)(void *ctx, const struct rows *rows); /* as in store/series.h */
    void *on_commit_ctx;
};

struct settings;
Err workspace_open(const struct workspace_options *options, struct workspace *out);
/*
 * The party called name. Empty: the only one, and in a folder without any the new party "default"; with several
 * ERR_INVALID, naming them. make: an absent one is made.
 */
Err workspace_party(struct workspace *workspace, Str name, bool make, PartyId *out);
/* Opens the seal with the master key that [seal] names; again: nothing. */
Err workspace_seal(struct workspace *workspace, const struct settings *settings);
/* Opens the ledger, with the name and the witnesses that [ledger] says; again: nothing. */
Err workspace_ledger(struct workspace *workspace, const struct settings *settings);
/* Opens the files of documents; again: nothing. */
Err workspace_blobs(struct workspace *workspace);
void workspace_close(struct workspace *workspace); /* a zeroed one is fine */

#endif
