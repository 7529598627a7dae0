/* Sends what waits in the table of deliveries, on a thread of its own. */
#ifndef ACT_NOTIFY_SEND_H
#define ACT_NOTIFY_SEND_H

#include "act/notify.h"
#include "act/notify_format.h"

struct notify_send;

Err notify_send_start(const struct notify_options *options, struct notify_send **out);
void notify_send_stop(struct notify_send *send); /* after the one in hand; NULL is fine */
void notify_send_wake(struct notify_send *send); /* something was added */
/* One message by one channel (a row of its table), now. */
Err notify_send_one(const struct notify_options *options, const Value *channel, const struct notify_said *said,
                    struct arena *arena);

#endif
