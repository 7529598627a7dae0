/*
 * What people and programs see: the API under /api/v1, its description, live updates, health and metrics, and the
 * console's pages. app hands in what the handlers need; serve owns nothing but its connections.
 *
 *     TRY(serve_start(&options, &serve));
 *     documents_on_commit(d, …)  → serve_wake(serve)      so that live clients hear of documents at once
 *     serve_stop(serve);                                  before anything handed in is closed
 */
#ifndef SERVE_SERVE_H
#define SERVE_SERVE_H

#include "base/err.h"
#include "connect/ingest.h"
#include "model/thing_model.h"
#include "os/clock.h"

struct act;
struct catalog_cell;
struct csv_ingest_options;
struct agreements;
struct disclosures;
struct devices;
struct documents;
struct imports;
struct ledger;
struct ledger_entries;
struct line_ingest;
struct note_key;
struct notify;
struct packs;
struct rules;
struct oidc;
struct people;
struct records;
struct serve;
struct things;
struct query_engine;
struct view;
struct watch;

/* A recording that is being played. read is asked every two seconds and a request; any thread; must not wait. */
struct serve_replay_now {
    Nanos from, to, at; /* in the recording's time */
    double speed;       /* recorded seconds a second; 0: paused */
    bool done;
};
struct serve_replay {
    bool (*read)(void *ctx, struct serve_replay_now *out); /* NULL or false: none */
    void *ctx;
};

/* One thing that must be well for /healthz to say so. Asked at each request; must not wait long. */
struct serve_check {
    const char *name; /* "series" */
    Err (*check)(void *ctx);
    void *ctx;
};

/* Numbers of another room for /metrics: read fills a struct of `size` bytes, the rows say where its uint64_t are. */
struct serve_number {
    const char *name, *labels; /* "weft_series_rows_total"; labels inside the braces, "" none */
    const char *help;          /* "" when an earlier row of that name has it */
    bool gauge;
    size_t offset;
};
struct serve_numbers {
    const struct serve_number *rows; /* ends with name NULL */
    void (*read)(void *ctx, void *into);
    void *ctx;
    size_t size;
};

struct serve_options {
    const char *listen;        /* "HOST:PORT"; port 0 takes a free one */
    unsigned workers;          /* 0 = 4 */
    size_t max_connections;    /* 0 = 4,096 */
    size_t max_body;           /* bytes; 0 = 1 MiB */
    Nanos request_time;        /* a request has arrived whole by then; 0 = 30 s */
    const char *public_url;    /* "https://weft.example", as people reach it; NULL: as each request names it */
    struct oidc *oidc;         /* where people may sign in too; NULL: nowhere; needs public_url */
    bool behind_proxy;         /* believe X-Forwarded-For and X-Forwarded-Proto of whoever connects */
    const char *version;       /* of the product */
    const struct clock *clock; /* the platform's time */
    struct people *people;
    struct devices *devices;
    struct things *things;
    struct documents *documents;
    struct records *records;              /* for the audit */
    struct imports *imports;              /* NULL: none */
    const char *program;                  /* path of weft, run to print; NULL: nothing is printed */
    const char *spool;                    /* a folder for files on their way in and out; NULL: no exports */
    struct line_ingest *lines;            /* telemetry over HTTP; NULL: none */
    const struct csv_ingest_options *csv; /* samples as CSV; NULL: none */
    struct agreements *agreements;        /* NULL: nobody sees another party's data … */
    struct disclosures *disclosures;      /* … and given with agreements */
    struct notify *notify;                /* NULL: none */
    struct rules *rules;                  /* NULL: none */
    struct ledger *ledger;                /* NULL: none */
    struct ledger_entries *ledger_entries;
    const struct note_key *witnesses; /* of the ledger */
    size_t n_witnesses;
    struct view *view;
    Nanos prometheus_lookback;                              /* how long a value counts in PromQL; 0 = 5 min */
    struct query_engine *query;                             /* NULL: no questions over series */
    struct watch *watch;                                    /* NULL: no numbers of it */
    struct act *act;                                        /* NULL: no numbers of it */
    struct packs *packs;                                    /* NULL: what is installed cannot be changed */
    PartyId own_party;                                      /* runs the platform; 0: any party's operators do */
    const struct catalog_cell *catalog;                     /* of types, models, packs and views */
    uint64_t (*rows_kept)(void *ctx);                       /* telemetry rows kept so far; NULL: 0 */
    void (*ingest)(void *ctx, struct ingest_counters *out); /* NULL: none */
    void (*models_changed)(void *ctx); /* a thing was made or got another model; NULL: nobody cares */
    void *ctx;                         /* of the three above */
    struct serve_replay replay;
    const struct serve_check *checks;
    size_t n_checks;
    const struct serve_numbers *numbers;
    size_t n_numbers;
};
Err serve_start(const struct serve_options *options, struct serve **out); /* ERR_INVALID, ERR_IO: cannot listen */
void serve_stop(struct serve *serve);                 /* ends requests and live clients; NULL is fine */
void serve_wake(struct serve *serve);                 /* documents were committed; any thread; never waits */
uint16_t serve_port(const struct serve *serve);       /* really bound */
const char *serve_address(const struct serve *serve); /* "127.0.0.1:43121" */

#endif
