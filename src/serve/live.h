/*
 * Live updates: one thread tells every live client what changed. Clients with the same party, roles and scopes see the
 * same, so the work is done once for each such group, through the same gate as any other read.
 *
 *     event: status   every 2 s, as GET /api/v1/status
 *     event: things   [changed items as in GET /api/v1/things], at most once a second
 *     event: doc      {"type","id","number","state","thing"} after each change of a document
 *     : beat          every 15 s, so that what lies between keeps the connection
 *
 * Nothing is kept for clients that were away: they read the whole state when they come (Last-Event-ID is ignored).
 */
#ifndef SERVE_LIVE_H
#define SERVE_LIVE_H

#include "model/principal.h"
#include "os/http.h"

struct live;
struct people;
struct serve;

Err live_start(struct serve *serve, struct live **out);
void live_stop(struct live *live); /* after http_stop; NULL is fine */
/* Takes the stream over. recall: asks again who holds `secret` (people_session_peek, people_token_check); once that is
 * nobody, or somebody who may see something else, the stream ends. */
typedef Err live_recall(struct people *people, Str secret, struct principal *out);
/* agreement: not 0: hears of the documents that it gives, and of nothing else; each is noted as a disclosure first. */
void live_join(struct live *live, const struct principal *who, int64_t agreement, live_recall *recall, Str secret,
               struct http_stream *stream);
void live_wake(struct live *live); /* documents were committed; any thread; never waits */

struct live_stats {
    uint64_t clients, groups; /* now */
    uint64_t events;          /* made since the start, each for a group */
};
void live_stats(struct live *live, struct live_stats *out);

#endif
