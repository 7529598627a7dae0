/*
 * The whole server, wired. Everything that runs hangs from struct flow; app owns it, nobody else keeps a pointer to it.
 * The members are for the demo and the tests, which act as the outside world on the same parts.
 */
#ifndef APP_FLOW_H
#define APP_FLOW_H

#include "app/settings.h"
#include "app/workspace.h"
#include "base/arena.h"
#include "connect/csv_ingest.h"
#include "os/thread.h"
#include "serve/serve.h"

struct flow {
    struct workspace workspace; /* records, people, devices, things, documents, series */
    PartyId party;              /* the one made first */
    struct watch *watch;
    struct service *service;
    struct act *act;
    struct agreements *agreements;   /* what parties give each other … */
    struct disclosures *disclosures; /* … and what was read of it */
    struct notify *notify;           /* tells people … */
    struct rules *rules;             /* … and what packs want done */
    struct ledger_entries *entries;  /* what enters the ledger */
    struct view *view;
    struct query_engine *query; /* questions over series */
    struct imports *imports;
    struct oidc *oidc;
    struct serve *serve;
    struct mqtt_server *mqtt;
    struct line_ingest *lines;
    struct csv_ingest_options csv;
    struct control *control;
    struct arena arena;    /* lives as long as the flow */
    pthread_mutex_t guard; /* of watch, act and serve, for callbacks from threads of other parts */
};

struct flow_options {
    const struct settings *settings;
    const struct clock *clock;  /* the platform's time; NULL: the system's */
    const char *assume_party;   /* a new folder gets a party of this name; NULL: "default" */
    struct serve_replay replay; /* what /api/v1/status says of a recording, or zero */
};

Err flow_start(const struct flow_options *options, struct flow **out);
void flow_stop(struct flow *flow); /* commits and closes everything; NULL is fine */
/* Waits until every row kept so far was understood and every finding and reaction it led to is done. */
void flow_drain(struct flow *flow);
const char *flow_http_address(const struct flow *flow); /* "127.0.0.1:43121", with the port really bound */
const char *flow_mqtt_address(const struct flow *flow);

#endif
