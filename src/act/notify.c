#include "act/notify.h"

#include <stdlib.h>

#include "act/notify_format.h"
#include "act/notify_send.h"
#include "act/notify_tables.h"
#include "store/records_txn.h"
#include "trust/audit.h"
#include "trust/gate.h"
#include "trust/seal.h"

#define CHANNELS_MAX 100 /* of a party */
#define UNREAD_MAX 1000
#define NAME_MAX 60

struct notify {
    struct notify_options options;
    struct notify_send *send;
};

static Value text_or_none(Str s) { return s.len > 0 ? VALUE_S(s) : (Value){.kind = VALUE_NONE}; }
static Str text_of(Value v) { return v.kind == VALUE_STRING ? v.s : (Str){0}; }
static struct lens own(PartyId party) { return gate_lens_party(party, "notifications"); }

/* ---- telling */
struct posting {
    struct notify *notify;
    const struct notify_message *m;
    struct arena *arena;
    bool queued;
};

static bool listed(Str list, Str name) {
    for (Str one; list.len > 0;) {
        str_cut(list, ',', &one, &list);
        if (name.len > 0 && str_eq(str_trim(one), name)) return true;
    }
    return false;
}

static bool wants(const Value *channel, const struct notify_message *m) {
    Str events = text_of(channel[CHANNEL_EVENTS]);
    if (m->channel.len > 0 && str_eq(text_of(channel[CHANNEL_NAME]), m->channel)) return true;
    return listed(events, STR("*")) || listed(events, m->rule) || listed(events, m->type);
}

static Err read_channels(struct records_txn *txn, PartyId party, struct arena *arena, struct record_page *page) {
    struct lens lens = own(party);
    struct record_query query = {.sort = RECORD_ID, .limit = CHANNELS_MAX};
    return records_txn_select(txn, &lens, &notify_tables_channel, &query, arena, page);
}

static Err queue(struct posting *p, struct records_txn *txn, int64_t notice) {
    struct record_page channels;
    TRY(read_channels(txn, p->m->party, p->arena, &channels));
    for (size_t i = 0; i < channels.n; i++) {
        int64_t id;
        if (!wants(channels.rows[i], p->m)) continue;
        Value row[DELIVERY_COLUMNS] = {[RECORD_PARTY] = VALUE_I(p->m->party),
                                       [DELIVERY_CHANNEL] = VALUE_I(channels.rows[i][RECORD_ID].i),
                                       [DELIVERY_NOTICE] = VALUE_I(notice),
                                       [DELIVERY_DUE] = VALUE_I(0),
                                       [DELIVERY_TRIES] = VALUE_I(0)};
        TRY(records_txn_insert(txn, &notify_tables_delivery, row, &id));
        p->queued = true;
    }
    return err_none();
}

static Err post(void *ctx, struct records_txn *txn) {
    struct posting *p = ctx;
    const struct notify_message *m = p->m;
    struct lens lens = own(m->party);
    Value *before = NULL;
    int64_t id;
    if (m->source.len > 0)
        TRY(records_txn_find(txn, &lens, &notify_tables_notice, NOTICE_SOURCE, VALUE_S(m->source), p->arena, &before));
    if (before) return err_none();
    Value row[NOTICE_COLUMNS] = {[RECORD_PARTY] = VALUE_I(m->party),
                                 [NOTICE_AT] = VALUE_I(clock_now(p->notify->options.clock)),
                                 [NOTICE_USER] = text_or_none(m->user),
                                 [NOTICE_ROLES] = VALUE_I(m->roles),
                                 [NOTICE_TEXT_EN] = text_or_none(m->text_en),
                                 [NOTICE_TEXT_ZH] = text_or_none(m->text_zh),
                                 [NOTICE_TYPE] = text_or_none(m->type),
                                 [NOTICE_DOC] = m->doc ? VALUE_I(m->doc) : (Value){.kind = VALUE_NONE},
                                 [NOTICE_RULE] = text_or_none(m->rule),
                                 [NOTICE_SOURCE] = text_or_none(m->source)};
    TRY(records_txn_insert(txn, &notify_tables_notice, row, &id));
    return queue(p, txn, id);
}

Err notify_post(struct notify *n, const struct notify_message *message) {
    struct arena arena;
    arena_init(&arena, 0);
    struct posting p = {.notify = n, .m = message, .arena = &arena};
    Err err = records_write(n->options.records, post, &p);
    arena_fini(&arena);
    if (err.code == ERR_NONE && p.queued) notify_send_wake(n->send);
    return err;
}

/* ---- in the console */
struct looking {
    const struct principal *who;
    struct lens lens;
    struct arena *arena;
    bool only_unread;
    int64_t before, through;
    size_t limit, n, unread;
    struct notify_row *rows;
};

static bool concerns(const struct principal *who, const Value *row) {
    return str_eq_c(text_of(row[NOTICE_USER]), who->name) || ((unsigned)row[NOTICE_ROLES].i & who->roles) != 0;
}

static Err read_through(struct looking *l, struct records_txn *txn, Value **row) {
    return records_txn_find(txn, &l->lens, &notify_tables_read, READ_USER, VALUE_S(str_c(l->who->name)), l->arena, row);
}

static struct notify_row row_of(const Value *v, int64_t through) {
    return (struct notify_row){.id = v[RECORD_ID].i,
                               .at = v[NOTICE_AT].i,
                               .read = v[RECORD_ID].i <= through,
                               .text_en = text_of(v[NOTICE_TEXT_EN]),
                               .text_zh = text_of(v[NOTICE_TEXT_ZH]),
                               .type = text_of(v[NOTICE_TYPE]),
                               .doc = v[NOTICE_DOC].kind == VALUE_INT ? v[NOTICE_DOC].i : 0,
                               .rule = text_of(v[NOTICE_RULE])};
}

/* The newest UNREAD_MAX of the party are looked through; older ones are as good as read. */
static Err look(void *ctx, struct records_txn *txn) {
    struct looking *l = ctx;
    Value *place = NULL;
    struct record_page page;
    struct record_query query = {.sort = RECORD_ID, .descending = true, .limit = UNREAD_MAX};
    TRY(read_through(l, txn, &place));
    l->through = place ? place[READ_THROUGH].i : 0;
    TRY(records_txn_select(txn, &l->lens, &notify_tables_notice, &query, l->arena, &page));
    l->rows = arena_zero(l->arena, page.n + 1, sizeof *l->rows);
    for (size_t i = 0; i < page.n; i++) {
        const Value *v = page.rows[i];
        if (!concerns(l->who, v)) continue;
        bool read = v[RECORD_ID].i <= l->through;
        l->unread += !read;
        if (l->n < l->limit && !(l->only_unread && read) && (l->before == 0 || v[RECORD_ID].i < l->before))
            l->rows[l->n++] = row_of(v, l->through);
    }
    return err_none();
}

Err notify_list(struct notify *n, const struct principal *who, bool only_unread, int64_t before, size_t limit,
                struct arena *arena, struct notify_row **out, size_t *count, size_t *unread) {
    struct looking l = {.who = who,
                        .lens = own(who->party),
                        .arena = arena,
                        .only_unread = only_unread,
                        .before = before,
                        .limit = limit ? limit : 50};
    TRY(records_read(n->options.records, look, &l));
    *out = l.rows, *count = l.n, *unread = l.unread;
    return err_none();
}

static Err mark(void *ctx, struct records_txn *txn) {
    struct looking *l = ctx;
    Value *place = NULL, through = VALUE_I(l->through);
    int64_t id;
    TRY(read_through(l, txn, &place));
    if (place && place[READ_THROUGH].i >= l->through) return err_none();
    if (place)
        return records_txn_update(txn, &notify_tables_read, place[RECORD_ID].i, (const unsigned[]){READ_THROUGH},
                                  &through, 1);
    Value row[READ_COLUMNS] = {
        [RECORD_PARTY] = VALUE_I(l->who->party), [READ_USER] = VALUE_S(str_c(l->who->name)), [READ_THROUGH] = through};
    return records_txn_insert(txn, &notify_tables_read, row, &id);
}

Err notify_read(struct notify *n, const struct principal *who, int64_t through) {
    struct arena arena;
    arena_init(&arena, 0);
    struct looking l = {.who = who, .lens = own(who->party), .arena = &arena, .through = through};
    Err err = records_write(n->options.records, mark, &l);
    arena_fini(&arena);
    return err;
}

/* ---- channels */
struct channels {
    PartyId party;
    struct arena *arena;
    struct record_page page;
    struct record_group *groups;
    size_t n_groups;
};

static Err list_channels(void *ctx, struct records_txn *txn) {
    struct channels *c = ctx;
    struct lens lens = own(c->party);
    TRY(read_channels(txn, c->party, c->arena, &c->page));
    return records_txn_group(txn, &lens, &notify_tables_delivery, NULL, DELIVERY_CHANNEL, 0, c->arena, &c->groups,
                             &c->n_groups);
}

static size_t waiting(const struct channels *c, int64_t channel) {
    for (size_t i = 0; i < c->n_groups; i++)
        if (c->groups[i].key.i == channel) return (size_t)c->groups[i].count;
    return 0;
}

Err notify_channels(struct notify *n, PartyId party, struct arena *arena, struct notify_channel **out, size_t *count) {
    struct channels c = {.party = party, .arena = arena};
    TRY(records_read(n->options.records, list_channels, &c));
    struct notify_channel *list = arena_zero(arena, c.page.n + 1, sizeof *list);
    for (size_t i = 0; i < c.page.n; i++) {
        const Value *v = c.page.rows[i];
        list[i] = (struct notify_channel){.id = v[RECORD_ID].i,
                                          .name = text_of(v[CHANNEL_NAME]),
                                          .kind = text_of(v[CHANNEL_KIND]),
                                          .events = text_of(v[CHANNEL_EVENTS]),
                                          .has_secret = text_of(v[CHANNEL_SECRET]).len > 0,
                                          .trouble = text_of(v[CHANNEL_TROUBLE]),
                                          .waiting = waiting(&c, v[RECORD_ID].i)};
        Err err = seal_reveal(n->options.seal, party, NOTIFY_TABLES_TARGET, text_of(v[CHANNEL_TARGET]), arena,
                              &list[i].target);
        if (err.code != ERR_NONE) list[i].trouble = arena_str(arena, str_c(err.text)); /* its key was erased */
    }
    *out = list, *count = c.page.n;
    return err_none();
}

struct channel_write {
    struct notify *notify;
    const struct principal *who;
    const struct notify_channel *c;
    Str target, secret; /* sealed */
    struct arena *arena;
    int64_t id;
    bool remove;
    Value *row;
};

static Err note(const struct channel_write *w, struct records_txn *txn, const char *action, Str name) {
    struct audit_row row = {.at = clock_now(w->notify->options.clock),
                            .party = w->who->party,
                            .who = str_c(w->who->name),
                            .action = str_c(action),
                            .type = STR("channel"),
                            .target = name};
    return audit_add(txn, &row);
}

static Err find_channel(struct channel_write *w, struct records_txn *txn) {
    struct lens lens = own(w->who->party);
    TRY(records_txn_get(txn, &lens, &notify_tables_channel, w->id, w->arena, &w->row));
    return w->row ? err_none()
                  : err_make(ERR_NOT_FOUND, "no channel %lld: list them at /api/v1/channels", (long long)w->id);
}

static Err insert_channel(struct channel_write *w, struct records_txn *txn) {
    struct record_page page;
    TRY(read_channels(txn, w->who->party, w->arena, &page));
    if (page.n == CHANNELS_MAX) return err_make(ERR_LIMIT, "a party has at most %d channels", CHANNELS_MAX);
    Value row[CHANNEL_COLUMNS] = {
        [RECORD_PARTY] = VALUE_I(w->who->party),    [CHANNEL_NAME] = VALUE_S(w->c->name),
        [CHANNEL_KIND] = VALUE_S(w->c->kind),       [CHANNEL_TARGET] = VALUE_S(w->target),
        [CHANNEL_SECRET] = text_or_none(w->secret), [CHANNEL_EVENTS] = text_or_none(w->c->events)};
    TRY(records_txn_insert(txn, &notify_tables_channel, row, &w->id));
    return note(w, txn, "channel.create", w->c->name);
}

static Err write_channel(void *ctx, struct records_txn *txn) {
    struct channel_write *w = ctx;
    unsigned columns[5];
    Value values[5];
    size_t n = 0;
    if (w->id == 0) return insert_channel(w, txn);
    TRY(find_channel(w, txn));
    const struct {
        unsigned column;
        Str text;
    } given[] = {{CHANNEL_NAME, w->c->name},
                 {CHANNEL_KIND, w->c->kind},
                 {CHANNEL_TARGET, w->target},
                 {CHANNEL_SECRET, w->secret},
                 {CHANNEL_EVENTS, w->c->events}};
    for (size_t i = 0; i < 5; i++) {
        if (given[i].text.len == 0) continue;
        columns[n] = given[i].column;
        values[n++] = VALUE_S(given[i].text);
    }
    if (n == 0) return err_none();
    TRY(records_txn_update(txn, &notify_tables_channel, w->id, columns, values, n));
    return note(w, txn, "channel.change", text_of(w->row[CHANNEL_NAME]));
}

static Err may(const struct principal *who) {
    if (principal_may(who, ROLE_STAFF)) return err_none();
    return err_make(ERR_FORBIDDEN, "channels are kept by operators and managers");
}

static Err check_channel(const struct notify_channel *c, Str kind) {
    const struct notify_format *format = notify_format_named(kind);
    if (!format) return err_make(ERR_INVALID, "'kind' is one of email, webhook, wecom, dingtalk and feishu");
    if (c->name.len > NAME_MAX || c->events.len > 1000 || c->secret.len > 500)
        return err_make(ERR_TOO_LARGE, "'name' has at most %d bytes, 'events' 1000, 'secret' 500", NAME_MAX);
    return c->target.len > 0 ? format->check(c->target) : err_none();
}

static Err read_one(void *ctx, struct records_txn *txn) { return find_channel(ctx, txn); }

Err notify_channel_put(struct notify *n, const struct principal *who, const struct notify_channel *c, int64_t *id) {
    struct arena arena;
    TRY(may(who));
    if (c->id == 0 && (c->name.len == 0 || c->target.len == 0))
        return err_make(ERR_INVALID, "a channel needs 'name', 'kind' and 'target'");
    arena_init(&arena, 0);
    struct channel_write w = {.notify = n, .who = who, .c = c, .arena = &arena, .id = c->id};
    Err err = c->id ? records_read(n->options.records, read_one, &w) : err_none();
    if (err.code == ERR_NONE)
        err = check_channel(c, c->kind.len > 0 || !w.row ? c->kind : text_of(w.row[CHANNEL_KIND]));
    if (err.code == ERR_NONE && c->target.len > 0)
        err = seal_text(n->options.seal, who->party, NOTIFY_TABLES_TARGET, c->target, &arena, &w.target);
    if (err.code == ERR_NONE && c->secret.len > 0)
        err = seal_text(n->options.seal, who->party, NOTIFY_TABLES_SECRET, c->secret, &arena, &w.secret);
    if (err.code == ERR_NONE) err = records_write(n->options.records, write_channel, &w);
    *id = w.id;
    arena_fini(&arena);
    return err;
}

static Err remove_channel(void *ctx, struct records_txn *txn) {
    struct channel_write *w = ctx;
    struct lens lens = own(w->who->party);
    TRY(find_channel(w, txn));
    struct record_filter it = {.op = RECORD_EQ, .column = RECORD_ID, .value = VALUE_I(w->id)};
    struct record_filter its = {.op = RECORD_EQ, .column = DELIVERY_CHANNEL, .value = VALUE_I(w->id)};
    TRY(records_txn_remove(txn, &notify_tables_delivery, &lens, &its, NULL));
    TRY(records_txn_remove(txn, &notify_tables_channel, &lens, &it, NULL));
    return note(w, txn, "channel.remove", text_of(w->row[CHANNEL_NAME]));
}

Err notify_channel_remove(struct notify *n, const struct principal *who, int64_t id) {
    struct arena arena;
    TRY(may(who));
    arena_init(&arena, 0);
    struct channel_write w = {.notify = n, .who = who, .arena = &arena, .id = id};
    Err err = records_write(n->options.records, remove_channel, &w);
    arena_fini(&arena);
    return err;
}

Err notify_channel_test(struct notify *n, const struct principal *who, int64_t id) {
    struct arena arena;
    TRY(may(who));
    arena_init(&arena, 0);
    struct channel_write w = {.notify = n, .who = who, .arena = &arena, .id = id};
    struct notify_said said = {.at = clock_now(n->options.clock),
                               .text_en = STR("Weft: this channel works."),
                               .text_zh = STR("Weft：该通知渠道已接通。")};
    Err err = records_read(n->options.records, read_one, &w);
    if (err.code == ERR_NONE) err = notify_send_one(&n->options, w.row, &said, &arena);
    arena_fini(&arena);
    return err;
}

Err notify_open(const struct notify_options *options, struct notify **out) {
    const struct record_table *tables[] = {&notify_tables_notice, &notify_tables_read, &notify_tables_channel,
                                           &notify_tables_delivery};
    *out = NULL;
    TRY(records_declare(options->records, tables, 4));
    struct notify *n = calloc(1, sizeof *n);
    ASSERT(n);
    n->options = *options;
    if (!n->options.clock) n->options.clock = &clock_system;
    Err err = notify_send_start(&n->options, &n->send);
    if (err.code != ERR_NONE)
        free(n);
    else
        *out = n;
    return err;
}

void notify_close(struct notify *n) {
    if (!n) return;
    notify_send_stop(n->send);
    free(n);
}
