/*
 * The service business: predictions, alarms and faults become work orders; work orders get the nearest technician who
 * can do them, a part from the nearest stock and a promise (on site within 2 h, working again within 24 h); done work
 * becomes maintenance history. All of it happens in reactions to documents, so it is the same whether the system or a
 * person moved the document. The types are in packs/machinery.
 *
 *     TRY(service_open(&(struct service_options){.documents = d, .things = t, .failed = …, .replaced = …}, &service));
 *     service_history(service)                        // before watch_start: tells failed and replaced what is on
 * record struct act_domain domain = service_domain(service);   // for act_start, which runs it act_stop(act);
 * service_close(service);
 */
#ifndef DOMAIN_SERVICE_SERVICE_H
#define DOMAIN_SERVICE_SERVICE_H

#include "act/act.h"
#include "document/things.h"

struct service;

#define SERVICE_RECORDING "recording" /* who enters what a recording says happened */

/* watch_failed and watch_replaced, wired by app. Telling the same twice must change nothing. */
typedef void service_component_fn(void *ctx, PartyId party, Str thing, Str component, Nanos at);

struct service_options {
    struct documents *documents; /* whose types include those of packs/machinery */
    struct things *things;
    service_component_fn *failed, *replaced; /* may be NULL; called on act's threads */
    void *ctx;
    /* A recording is being replayed: what its machines report knows nothing of the repairs made here, so only
     * replacements that SERVICE_RECORDING entered are told to `replaced`. Else insight would learn from parts that
     * were never changed in the data it sees. */
    bool replay;
};

Err service_open(const struct service_options *options, struct service **out);
void service_close(struct service *service); /* after act_stop; NULL is fine */
struct act_domain service_domain(struct service *service);
/* Every failure and replacement on record, of every party, to `failed` and `replaced`, oldest first. */
Err service_history(struct service *service);
/* A thing's model, for act_options and watch_options: ctx is the struct things. NULL: an open model. */
const struct thing_model *service_model_of(void *things, PartyId party, Str thing);

#endif
