/*
 * libpq in its pipeline mode: what was kept back, the preparing of a new text and its running go out in one trip, since
 * between two processes of one machine a trip costs more than most statements. Rows come in binary.
 *
 * This file alone includes libpq-fe.h.
 */
#include <libpq-fe.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "store/postgresql_driver.h"

#define STATEMENTS_MAX 256
#define QUEUE_MAX 8
#define VALUES_MAX 512

struct statement {
    uint64_t hash, used; /* used 0: empty */
    char *text;
    char name[24];
};

struct postgresql_link {
    PGconn *conn;
    PGresult *result;
    struct statement statements[STATEMENTS_MAX];
    uint64_t uses, names;
    const char *queue[QUEUE_MAX];
    size_t n_queue;
    size_t sent; /* statements whose end nobody waited for, each with a sync of its own */
};

/* ---- failures */

static void copy_text(char *into, size_t size, const char *from) {
    snprintf(into, size, "%s", from ? from : "");
    for (char *c = into; *c; c++)
        if (*c == '\n' || *c == '\r') *c = ' ';
    size_t n = strlen(into);
    while (n > 0 && into[n - 1] == ' ') into[--n] = '\0';
}

static bool fail(struct postgresql_link *link, const PGresult *result, struct postgresql_failure *failure) {
    *failure = (struct postgresql_failure){0};
    const char *state = result ? PQresultErrorField(result, PG_DIAG_SQLSTATE) : NULL;
    const char *primary = result ? PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY) : NULL;
    if (state) snprintf(failure->state, sizeof failure->state, "%s", state);
    if (state)
        copy_text(failure->constraint, sizeof failure->constraint, PQresultErrorField(result, PG_DIAG_CONSTRAINT_NAME));
    copy_text(failure->text, sizeof failure->text, primary ? primary : PQerrorMessage(link->conn));
    return false;
}

static void clear(struct postgresql_link *link) {
    PQclear(link->result);
    link->result = NULL;
}

static bool succeeded(const PGresult *result) {
    ExecStatusType status = PQresultStatus(result);
    return status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK;
}

/* ---- connections */

static void link_close(struct postgresql_link *link) {
    if (!link) return;
    clear(link);
    for (size_t i = 0; i < STATEMENTS_MAX; i++) free(link->statements[i].text);
    PQfinish(link->conn);
    free(link);
}

/* "exists already, skipping" and the like */
static void ignore_notice(void *ctx, const PGresult *result) { (void)ctx, (void)result; }

/* What stands before the URL it may change, what stands behind it it may not. */
static bool link_open(const char *url, struct postgresql_link **out, struct postgresql_failure *failure) {
    static const char *const keys[] = {"connect_timeout", "application_name", "tcp_user_timeout",
                                       "dbname",          "client_encoding",  NULL};
    const char *const values[] = {"5", "weft", "30000", url, "UTF8", NULL};
    struct postgresql_link *link = calloc(1, sizeof *link);
    *out = NULL;
    if (!link) abort();
    link->conn = PQconnectdbParams(keys, values, 1);
    if (!link->conn) abort();
    if (PQstatus(link->conn) != CONNECTION_OK || !PQenterPipelineMode(link->conn)) {
        fail(link, NULL, failure);
        link_close(link);
        return false;
    }
    PQsetNoticeReceiver(link->conn, ignore_notice, NULL);
    *out = link;
    return true;
}

/* Reads what has come, so that a server that went away while nothing was asked shows before the next question: its
 * last words first, then the end. */
static bool link_lost(struct postgresql_link *link) {
    return !PQconsumeInput(link->conn) || !PQconsumeInput(link->conn) || PQstatus(link->conn) != CONNECTION_OK;
}

/* ---- prepared statements, kept by their text */

static struct statement *find_statement(struct postgresql_link *link, Str text, uint64_t hash) {
    struct statement *oldest = &link->statements[0];
    for (size_t i = 0; i < STATEMENTS_MAX; i++) {
        struct statement *s = &link->statements[i];
        if (s->used && s->hash == hash && str_eq_c(text, s->text)) return s;
        if (s->used < oldest->used) oldest = s;
    }
    return oldest;
}

static void forget(struct statement *s) {
    free(s->text);
    *s = (struct statement){0};
}

/* ---- statements */

/* One result and the NULL behind it; NULL when the connection is gone. */
static PGresult *next_result(struct postgresql_link *link) {
    PGresult *result = PQgetResult(link->conn);
    if (!result) return NULL;
    if (PQresultStatus(result) == PGRES_PIPELINE_SYNC) return result;
    PGresult *extra;
    while ((extra = PQgetResult(link->conn))) PQclear(extra);
    return result;
}

/* Takes n results and the sync behind them; keeps the last, or the first that failed. */
static PGresult *collect(struct postgresql_link *link, size_t n) {
    PGresult *kept = NULL;
    for (size_t i = 0; i < n; i++) {
        PGresult *result = next_result(link);
        if (!result) return kept;
        if (kept && !succeeded(kept)) {
            PQclear(result);
            continue;
        }
        PQclear(kept);
        kept = result;
    }
    PQclear(next_result(link)); /* the sync */
    return kept;
}

/* What was sent without waiting. */
static bool drain(struct postgresql_link *link, struct postgresql_failure *failure) {
    while (link->sent > 0) {
        PGresult *result = collect(link, 1);
        link->sent--;
        bool ok = result && succeeded(result);
        if (!ok) fail(link, result, failure);
        PQclear(result);
        if (!ok) return false;
    }
    return true;
}

static bool send_plain(struct postgresql_link *link, const char *text) {
    return PQsendQueryParams(link->conn, text, 0, NULL, NULL, NULL, NULL, 1) == 1;
}

static void link_queue(struct postgresql_link *link, const char *text) {
    if (link->n_queue == QUEUE_MAX) abort();
    link->queue[link->n_queue++] = text;
}

static void link_drop_queue(struct postgresql_link *link) { link->n_queue = 0; }

static void link_send(struct postgresql_link *link, const char *text) {
    struct postgresql_failure failure;
    clear(link);
    if (!drain(link, &failure) && link_lost(link)) return;
    if (send_plain(link, text) && PQpipelineSync(link->conn)) link->sent++;
    PQflush(link->conn);
}

/* What was kept back goes first: a BEGIN with an isolation level must be the first of all. */
static bool send_statement(struct postgresql_link *link, const struct statement *s, bool prepared, const char *old,
                           const struct postgresql_value *values, size_t n) {
    const char *bytes[VALUES_MAX];
    int lengths[VALUES_MAX], formats[VALUES_MAX];
    for (size_t i = 0; i < n; i++) {
        bytes[i] = values[i].bytes;
        lengths[i] = (int)values[i].n;
        formats[i] = !values[i].text;
    }
    for (size_t i = 0; i < link->n_queue; i++)
        if (!send_plain(link, link->queue[i])) return false;
    if (old && !send_plain(link, old)) return false;
    if (!prepared && !PQsendPrepare(link->conn, s->name, s->text, 0, NULL)) return false;
    return PQsendQueryPrepared(link->conn, s->name, (int)n, bytes, lengths, formats, 1) && PQpipelineSync(link->conn);
}

static bool link_run(struct postgresql_link *link, Str text, const struct postgresql_value *values, size_t n,
                     struct postgresql_failure *failure) {
    if (n > VALUES_MAX) abort();
    clear(link);
    if (!drain(link, failure)) return false;
    uint64_t hash = hash_str(text);
    struct statement *s = find_statement(link, text, hash);
    bool prepared = s->used && s->hash == hash && str_eq_c(text, s->text);
    size_t results = link->n_queue + 1;
    char old[48] = "";
    if (!prepared) {
        if (s->used) snprintf(old, sizeof old, "DEALLOCATE %s", s->name); /* its place is taken */
        results += s->used ? 2 : 1;
        forget(s);
        s->hash = hash;
        s->text = strndup(text.ptr, text.len);
        if (!s->text) abort();
        snprintf(s->name, sizeof s->name, "s%llu", (unsigned long long)++link->names);
    }
    s->used = ++link->uses;
    bool sent = send_statement(link, s, prepared, old[0] ? old : NULL, values, n);
    link->n_queue = 0;
    if (sent) link->result = collect(link, results);
    bool ok = sent && link->result && succeeded(link->result);
    if (!ok) fail(link, link->result, failure);
    if (ok && str_eq_c(text, "COMMIT") && strcmp(PQcmdStatus(link->result), "COMMIT") != 0) {
        *failure = (struct postgresql_failure){.state = "25P02", .text = "the transaction had failed before its end"};
        ok = false;
    }
    /* it may be that it was not prepared, as something before it failed: no harm in preparing it again under a new name
     */
    if (!ok && !prepared) forget(s);
    return ok;
}

/* ---- what it gave */

static size_t link_rows(const struct postgresql_link *link) { return (size_t)PQntuples(link->result); }

static bool link_cell(const struct postgresql_link *link, size_t row, size_t column, Str *out) {
    if (PQgetisnull(link->result, (int)row, (int)column)) return false;
    *out = str_n(PQgetvalue(link->result, (int)row, (int)column),
                 (size_t)PQgetlength(link->result, (int)row, (int)column));
    return true;
}

static uint64_t link_changed(const struct postgresql_link *link) {
    return strtoull(PQcmdTuples(link->result), NULL, 10);
}

__attribute__((visibility("default"))) extern const struct postgresql_driver weft_plugin;
const struct postgresql_driver weft_plugin = {
    .open = link_open,
    .close = link_close,
    .lost = link_lost,
    .queue = link_queue,
    .drop_queue = link_drop_queue,
    .send = link_send,
    .run = link_run,
    .rows = link_rows,
    .cell = link_cell,
    .changed = link_changed,
};
