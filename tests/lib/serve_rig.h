/* The API over real stores on a loopback port, for the tests of serve. */
#ifndef TESTS_LIB_SERVE_RIG_H
#define TESTS_LIB_SERVE_RIG_H

#include <stdatomic.h>

#include "base/json.h"
#include "document/documents.h"
#include "document/things.h"
#include "model/catalog.h"
#include "serve/serve.h"
#include "tests/lib/os_http_client.h"
#include "tests/unit.h"

struct series;

struct serve_rig {
    const char *dir;
    struct clock clock;
    _Atomic Nanos now;
    struct records *records;
    struct blobs *blobs;
    struct people *people;
    struct devices *devices;
    struct things *things;
    struct documents *documents;
    struct imports *imports;
    struct series *series;
    const struct doctype *const *types; /* set before opening; NULL: the service business */
    struct catalog catalog;
    struct catalog_cell cell;
    struct agreements *agreements;
    struct disclosures *disclosures;
    struct view *view;
    struct query_engine *query;
    struct serve *serve;
    PartyId acme, other;
    struct principal system;
    char manager[96], technician[96], viewer[96], stranger[96]; /* tokens; stranger: manager of the other party */
    struct http_client client;
    _Atomic int models_changed;
    _Atomic uint64_t entered; /* disclosures that reached the ledger */
    _Atomic bool sick;        /* what the one health check says */
};

#define SERVE_RIG_START (INT64_C(1420070400) * NANOS_PER_S) /* 2015-01-01T00:00:00Z */

/* Party acme: user ann (password "correct horse", manager), machines m-1 and m-2 of model3 and "odd/名 1"; party other.
 */
bool serve_rig_open(struct serve_rig *rig, size_t max_connections);
/* With other document types. The agreements' operator is acme's: ROLE_OPERATOR there may record what the law gives. */
bool serve_rig_open_types(struct serve_rig *rig, size_t max_connections, const struct doctype *const *types);
void serve_rig_close(struct serve_rig *rig);

/* One request with a token (NULL: none) and a JSON body with ' for " (NULL: none). */
struct http_answer serve_rig_ask(struct serve_rig *rig, const char *token, const char *method, const char *target,
                                 const char *json);
/* Checks the status and parses the body; never NULL (an empty object when it is no JSON). Lives until the next call. */
const struct json *serve_rig_json(struct serve_rig *rig, const char *token, const char *method, const char *target,
                                  const char *json, int status);
/* A value at a path, "items.0.name", as text; "null", "true", digits; "absent". */
Str serve_rig_at(const struct json *root, const char *path);
/* A sample of metric volt. */
void serve_rig_sample(struct serve_rig *rig, const char *thing, Nanos at, double value);

#define CHECK_AT(root, path, want) CHECK_STR(serve_rig_at((root), (path)), str_c(want))

#endif
