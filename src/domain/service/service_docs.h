/* The declarations behind service_types: each document type by name, for the steps of this folder. */
#ifndef DOMAIN_SERVICE_SERVICE_DOCS_H
#define DOMAIN_SERVICE_SERVICE_DOCS_H

#include "model/doctype.h"

/* about machines */
extern const struct doctype service_docs_alarm, service_docs_prediction, service_docs_fault, service_docs_maintenance;
/* about work */
extern const struct doctype service_docs_work_order, service_docs_part, service_docs_reservation,
    service_docs_technician;

#define SERVICE_DOCS_ARRIVE_HOURS 2  /* the promise: on site within … of the request */
#define SERVICE_DOCS_FINISH_HOURS 24 /* … and working again within */

#endif
