/* Line protocol from many senders at once: each call borrows one of a few readers, and returns when the rows are on the
 * disk. */
#ifndef CONNECT_LINE_INGEST_H
#define CONNECT_LINE_INGEST_H

#include "connect/line_protocol.h"

struct line_ingest;

Err line_ingest_open(const struct line_protocol_options *options, struct line_ingest **out);
void line_ingest_close(struct line_ingest *self); /* after the last write; NULL is fine */
/* Any thread; waits for the commit. What could not be rows is among the dead letters by then, see `out`. An error:
 * nothing of the message was kept, send it again. */
Err line_ingest_write(struct line_ingest *self, const struct line_message *message, struct line_outcome *out);

#endif
