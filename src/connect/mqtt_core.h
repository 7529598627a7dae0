/*
 * The inside of the MQTT server, shared by its files and by nobody else.
 *
 *     mqtt_server.c    options, threads, what other rooms call
 *     mqtt_thread.c    one I/O thread: its loop, mailbox, the end of a turn
 *     mqtt_commit.c    rows of a turn become one commit; its return becomes acknowledgements
 *     mqtt_conn.c      one connection: bytes in, packets, bytes out, the end
 *     mqtt_connect.c   CONNECT: who, which session, on which thread
 *     mqtt_publish.c   PUBLISH in: telemetry, or a message for others
 *     mqtt_subscribe.c SUBSCRIBE, UNSUBSCRIBE, retained messages
 *     mqtt_share.c     shared subscriptions: a group lives on one thread, its members on any
 *     mqtt_deliver.c   messages out: matching, queues, packet ids, their answers
 *     mqtt_session.c   what stays when a connection ends; wills
 */
#ifndef CONNECT_MQTT_CORE_H
#define CONNECT_MQTT_CORE_H

#include <stdatomic.h>

#include "base/map.h"
#include "connect/mqtt_server.h"
#include "connect/mqtt_tree.h"
#include "connect/mqtt_write.h"
#include "connect/telemetry.h"
#include "os/loop.h"
#include "os/net.h"
#include "os/thread.h"

#define MQTT_INPUT_BYTES 65536u /* read at once */
#define MQTT_IDS_MAX 8u         /* subscription identifiers on one delivery; more overlap than that is cut */
#define MQTT_ALIASES_MAX 16u    /* topic aliases of a connection, each way */
#define MQTT_COMMITS_MAX 2u     /* of one thread with the store at a time; rows gather meanwhile */
#define MQTT_OWN_ROUTE "$thing" /* first level of the places that belong to one thing alone */
#define MQTT_LINGER NANOS_PER_S /* for the other side to read our last words */

struct mqtt_thread;
struct mqtt_session;
struct mqtt_commit;

/* Who a connection is; texts belong to it. */
struct mqtt_identity {
    PartyId party;
    bool anonymous, gateway;
    Str user, thing;
};

enum mqtt_conn_state {
    MQTT_CONN_NEW, /* before CONNECT */
    MQTT_CONN_OPEN,
    MQTT_CONN_ENDING, /* last bytes go out, nothing is taken in */
    MQTT_CONN_CLOSED, /* socket gone; freed when nobody holds it */
};

struct mqtt_conn {
    struct loop_source source; /* first: cast from it */
    struct loop_timer timer;   /* CONNECT, keep-alive or linger */
    struct mqtt_thread *thread;
    struct mqtt_session *session;
    struct mqtt_conn *next, **prev; /* all of the thread's */
    struct mqtt_conn *next_dirty, *next_paused;
    enum mqtt_conn_state state;
    uint8_t version;
    bool dirty, paused, on_paused_list, shut, slow, problem_info;
    char given_id[32];   /* a client id of ours, for a client that sent none; empty otherwise */
    uint32_t holds;      /* by commits on their way, and by whoever walks */
    uint32_t unanswered; /* QoS 1 and 2 publishes taken in and not yet acknowledged */
    size_t bytes_on_way; /* read and not yet durable */
    uint16_t keep_alive_s;
    uint16_t receive_maximum; /* of the client: our publishes it takes unanswered */
    uint32_t max_packet;      /* the client's */
    uint32_t session_expiry_s;
    Nanos last_in;      /* monotonic */
    struct buf partial; /* the beginning of a packet, or what waits while paused */
    struct buf *out;    /* lent by the thread while there is something to send */
    size_t sent;        /* bytes of out that are gone */
    struct telemetry_thing thing;
    struct mqtt_identity who;
    char *who_texts; /* what who points into */
    Str *aliases_in; /* MQTT_ALIASES_MAX, made at the first alias */
    Str *aliases_out;
    uint16_t n_aliases_out, max_aliases_out;
};

/* A message on its way to one subscriber. */
struct mqtt_delivery {
    struct mqtt_message *message;
    uint8_t qos, n_ids;
    bool retain;
    uint32_t ids[MQTT_IDS_MAX];
};

enum mqtt_flight_state { MQTT_FLIGHT_PUBACK, MQTT_FLIGHT_PUBREC, MQTT_FLIGHT_PUBCOMP }; /* the answer it waits for */

struct mqtt_flight {
    uint16_t packet_id;
    enum mqtt_flight_state state;
    struct mqtt_delivery delivery;
};

struct mqtt_will_state {
    struct mqtt_message *message; /* NULL: none */
    uint32_t delay_s, expiry_s;   /* expiry counts from when it is sent */
};

struct mqtt_session {
    Str key;         /* user, NUL, client id; owned */
    uint64_t serial; /* of all threads, never given twice */
    struct mqtt_thread *thread;
    struct mqtt_conn *conn;  /* NULL: away */
    struct loop_timer timer; /* expiry or will, whichever comes first, while away */
    Nanos expires;           /* monotonic; while away */
    Nanos will_due;          /* monotonic; 0: none pending */
    struct mqtt_will_state will;
    struct mqtt_share *shares;
    struct mqtt_sub *subs;
    uint32_t n_subs;
    uint16_t last_packet_id;
    struct mqtt_flight *flights; /* in the order they were sent */
    size_t n_flights, cap_flights;
    struct mqtt_delivery *queue; /* waiting behind them; a ring would save little: it is short or full */
    size_t queue_at, n_queue, cap_queue;
    uint16_t *received; /* QoS 2 publishes taken in whose PUBREL has not come */
    size_t n_received, cap_received;
    uint64_t match_serial; /* of the match that is collecting, to merge overlapping subscriptions */
    uint32_t match_at;
};

/* ---- a turn's rows on their way to the store, and the acknowledgements that wait for them */

struct mqtt_ack_group {
    struct mqtt_conn *conn;
    uint32_t n; /* answers, in acks */
    size_t bytes;
};

enum mqtt_mail_kind { MQTT_MAIL_COMMIT, MQTT_MAIL_MESSAGES, MQTT_MAIL_CONN, MQTT_MAIL_SHARE, MQTT_MAIL_STOP };

struct mqtt_mail {
    enum mqtt_mail_kind kind;
    struct mqtt_mail *next;
};

struct mqtt_commit {
    struct mqtt_mail mail; /* first: the way back */
    struct series_commit commit;
    struct mqtt_thread *thread;
    struct mqtt_commit *next; /* of the pool */
    struct arena arena;
    struct telemetry_batch batch;
    struct mqtt_ack_group *groups;
    size_t n_groups, cap_groups;
    uint32_t *acks; /* packet type << 16 | packet id, group by group */
    size_t n_acks, cap_acks;
    size_t bytes;
    enum err_code outcome;
    char why[200];
};

struct mqtt_mail_messages {
    struct mqtt_mail mail;
    size_t n;
    struct mqtt_message *messages[]; /* each with a reference */
};

enum mqtt_share_verb { MQTT_SHARE_JOIN, MQTT_SHARE_LEAVE, MQTT_SHARE_DELIVER, MQTT_SHARE_BOUNCE };

struct mqtt_share_mail {
    struct mqtt_mail mail;
    enum mqtt_share_verb verb;
    unsigned thread;  /* JOIN: the member's; DELIVER: the group's */
    unsigned tries;   /* members tried so far */
    uint64_t session; /* the member's serial */
    uint32_t id;
    uint8_t qos;
    bool retain_as_published, last; /* last: keep it even when the member is away */
    struct mqtt_message *message;   /* DELIVER, BOUNCE */
    char filter[];                  /* whole, "$share/…" */
};

struct mqtt_mail_conn {
    struct mqtt_mail mail;
    int fd;
    Nanos accepted;
    char client_id[32]; /* given by us, or empty */
    struct buf bytes;   /* read already, CONNECT first */
};

/* What a match found, one entry a session. */
struct mqtt_match {
    struct mqtt_session *session;
    struct mqtt_delivery delivery;
};

struct mqtt_outbox {
    struct mqtt_message **messages;
    size_t n, cap;
};

struct mqtt_server;

struct mqtt_thread {
    struct mqtt_server *server;
    unsigned index;
    struct loop *loop;
    struct thread *thread;
    struct ingest_counters counters;
    _Atomic(struct mqtt_mail *) mailbox; /* newest first */
    struct loop_source listener;         /* of the first thread */
    struct loop_timer listen_again;
    struct telemetry *telemetry;
    atomic_uint models_changed;
    unsigned models_seen;

    struct mqtt_conn *conns;
    struct mqtt_conn *dirty, *paused;
    struct map sessions; /* key → struct mqtt_session * */
    struct map serials;  /* serial, 8 bytes → struct mqtt_session * */
    struct mqtt_tree *tree;
    struct map groups;            /* shared ones whose home is here: filter → struct mqtt_group * */
    struct mqtt_outbox *outboxes; /* one a thread */
    struct mqtt_match *matches;
    size_t n_matches, cap_matches;
    uint64_t match_serial;

    struct mqtt_commit *open; /* gathers this turn's rows; NULL: none yet */
    struct mqtt_commit *pool;
    unsigned commits_on_way, pooled;
    size_t bytes_on_way;
    struct buf **outs; /* spare output buffers */
    size_t n_outs, cap_outs;

    Nanos log_second; /* refusals are logged at a bounded rate */
    uint32_t logged, suppressed;
    bool stopping;
    char *input;
};

struct mqtt_server {
    struct mqtt_server_options options; /* limits filled in */
    char address[NET_ADDRESS_MAX];
    uint16_t port;
    int listener;
    unsigned n_threads;
    struct mqtt_thread *threads;
    char **deny;                 /* copies */
    atomic_uint_fast64_t serial; /* of messages and sessions */
    atomic_uint connections;
};

/* ---- mqtt_server.c */
uint64_t mqtt_server_serial(struct mqtt_server *server);
struct mqtt_thread *mqtt_server_home(struct mqtt_server *server, Str name); /* of a client id or group */

/* ---- mqtt_thread.c */
Err mqtt_thread_init(struct mqtt_thread *thread, struct mqtt_server *server, unsigned index);
Err mqtt_thread_start(struct mqtt_thread *thread);
/* The last steps, by whoever joined the threads: end every thread, read mail while any has some, fini every thread. */
void mqtt_thread_end(struct mqtt_thread *thread);
bool mqtt_thread_has_mail(const struct mqtt_thread *thread);
void mqtt_thread_fini(struct mqtt_thread *thread);
void mqtt_thread_post(struct mqtt_thread *to, struct mqtt_mail *mail); /* any thread; wakes it */
void mqtt_thread_read_mail(struct mqtt_thread *thread);
void mqtt_thread_send_to_all(struct mqtt_thread *from, struct mqtt_message *message); /* this thread too, at once */
/* Counts a refusal and logs it, at most so many a second. */
void mqtt_thread_refused(struct mqtt_thread *thread, uint64_t *counter, const char *event, const struct mqtt_conn *conn,
                         const char *why);
bool mqtt_thread_full(const struct mqtt_thread *thread);
struct buf *mqtt_thread_lend(struct mqtt_thread *thread); /* an empty output buffer */
void mqtt_thread_take_back(struct mqtt_thread *thread, struct buf *out);

/* ---- mqtt_commit.c */
struct mqtt_commit *mqtt_commit_open(struct mqtt_thread *thread);
/* bytes: counted against the connection and the thread until the commit returns; answer 0: nothing to send then. */
void mqtt_commit_owe(struct mqtt_commit *commit, struct mqtt_conn *conn, enum mqtt_type answer, uint16_t packet_id,
                     size_t bytes);
void mqtt_commit_submit(struct mqtt_thread *thread); /* what is open, unless too many are on their way */
void mqtt_commit_returned(struct mqtt_commit *commit);
void mqtt_commit_free_pool(struct mqtt_thread *thread);

/* ---- mqtt_conn.c */
void mqtt_conn_accept(struct mqtt_thread *thread, int fd, Nanos accepted, const char *client_id, Str bytes);
/* Takes in what has been read; stops when the connection ends or must wait. */
void mqtt_conn_take(struct mqtt_conn *conn, Str bytes);
void mqtt_conn_resume(struct mqtt_thread *thread); /* paused ones, as far as there is room */
struct buf *mqtt_conn_out(struct mqtt_conn *conn); /* to append packets to; sent at the end of the turn */
size_t mqtt_conn_unsent(const struct mqtt_conn *conn);
void mqtt_conn_flush(struct mqtt_conn *conn);
void mqtt_conn_mark_slow(struct mqtt_conn *conn); /* ended when it is flushed next */
/* Says why (5.0), then closes once it is sent. reason 0: the client said goodbye. Wills are the session's business. */
void mqtt_conn_end(struct mqtt_conn *conn, unsigned reason, const char *why);
void mqtt_conn_drop(struct mqtt_conn *conn);     /* closes at once */
int mqtt_conn_give_away(struct mqtt_conn *conn); /* its descriptor; the connection here is over without a word */
void mqtt_conn_release(struct mqtt_conn *conn);
void mqtt_conn_fault(struct mqtt_conn *conn, MqttFault fault);          /* counts, logs and ends */
const char *mqtt_conn_name(const struct mqtt_conn *conn, char out[96]); /* for logs */
void mqtt_conn_set_timer(struct mqtt_conn *conn);

/* ---- one function a packet type; afterwards the connection may have ended */
void mqtt_connect_take(struct mqtt_conn *conn, const struct mqtt_frame *frame, Str all);
void mqtt_publish_take(struct mqtt_conn *conn, const struct mqtt_frame *frame);
void mqtt_publish_release(struct mqtt_conn *conn, const struct mqtt_frame *frame); /* PUBREL */
void mqtt_subscribe_take(struct mqtt_conn *conn, const struct mqtt_frame *frame);
void mqtt_subscribe_end(struct mqtt_conn *conn, const struct mqtt_frame *frame);  /* UNSUBSCRIBE */
void mqtt_deliver_answer(struct mqtt_conn *conn, const struct mqtt_frame *frame); /* PUBACK, PUBREC, PUBCOMP */

/* ---- mqtt_publish.c */
void mqtt_publish_message(struct mqtt_thread *thread,
                          struct mqtt_message *message);                          /* keeps, and sends to all threads */
void mqtt_publish_keep(struct mqtt_thread *thread, struct mqtt_message *message); /* as retained, on this thread */

/* ---- mqtt_deliver.c */
void mqtt_deliver_match(struct mqtt_thread *thread, struct mqtt_message *message);
void mqtt_deliver_one(struct mqtt_session *session, const struct mqtt_delivery *delivery);
void mqtt_deliver_resume(struct mqtt_session *session); /* after CONNACK: again what was under way, then the queue */
void mqtt_deliver_more(struct mqtt_session *session);   /* what waits, as far as there is room */

/* ---- mqtt_session.c */
struct mqtt_session *mqtt_session_find(struct mqtt_thread *thread, Str key);
struct mqtt_session *mqtt_session_by_serial(struct mqtt_thread *thread, uint64_t serial);
struct mqtt_session *mqtt_session_make(struct mqtt_thread *thread, Str key);
void mqtt_session_attach(struct mqtt_session *session, struct mqtt_conn *conn);
/* The connection is over; with_will: not by a plain DISCONNECT. The session may be gone afterwards. */
void mqtt_session_detach(struct mqtt_session *session, uint32_t expiry_s, bool with_will);
bool mqtt_session_received(const struct mqtt_session *session, uint16_t packet_id); /* QoS 2, not released */
void mqtt_session_remember_received(struct mqtt_session *session, uint16_t packet_id);
bool mqtt_session_forget_received(struct mqtt_session *session, uint16_t packet_id);
void mqtt_session_end(struct mqtt_session *session); /* publishes a will that still waits */
void mqtt_session_unsubscribe_all(struct mqtt_session *session);

/* ---- mqtt_share.c */
void mqtt_share_join(struct mqtt_session *session, const struct mqtt_filter *filter, uint32_t id);
bool mqtt_share_leave(struct mqtt_session *session, Str filter); /* false: it was no member */
bool mqtt_share_has(struct mqtt_session *session, Str filter);
void mqtt_share_leave_all(struct mqtt_session *session);
void mqtt_share_mail(struct mqtt_thread *thread, struct mqtt_share_mail *mail);
void mqtt_share_deliver(struct mqtt_thread *thread, struct mqtt_sub *sub, struct mqtt_message *message);
void mqtt_share_free(struct mqtt_thread *thread);

#endif
