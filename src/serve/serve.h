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
struct devices;
struct documents;
struct people;
struct records;
struct serve;
struct things;
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
    const char *version;       /* of the product */
    const struct clock *clock; /* the platform's time */
    struct people *people;
    struct devices *devices;
    struct things *things;
    struct documents *documents;
    struct records *records; /* for the audit */
    struct view *view;
    struct watch *watch;                                    /* NULL: no numbers of it */
    struct act *act;                                        /* NULL: no numbers of it */
    const struct thing_model *const *models;                /* ends with NULL */
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
