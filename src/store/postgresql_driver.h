/*
 * What lib/weft-postgresql.so (plugins/postgresql, the one user of libpq) offers to store/records_postgresql.c: texts
 * with values, and rows of bytes. It knows nothing of tables. One thread at a time for each connection; all may block.
 */
#ifndef STORE_POSTGRESQL_DRIVER_H
#define STORE_POSTGRESQL_DRIVER_H

#include "base/err.h"
#include "base/str.h"

struct postgresql_link;

struct postgresql_value {
    const char *bytes; /* NULL: not set */
    size_t n;
    bool text; /* in the database's text form, else binary */
};

struct postgresql_failure {
    char state[6];        /* SQLSTATE; empty: the connection itself failed */
    char constraint[128]; /* that was broken, or empty */
    char text[200];
};

struct postgresql_driver {
    /* url: postgresql://…; *link is NULL after a failure. */
    bool (*open)(const char *url, struct postgresql_link **link, struct postgresql_failure *failure);
    void (*close)(struct postgresql_link *link);
    bool (*lost)(struct postgresql_link *link); /* the connection is gone: close it and open another */
    /* Kept back and sent ahead of the next statement, in the same trip. text: constant; without values or rows. */
    void (*queue)(struct postgresql_link *link, const char *text);
    void (*drop_queue)(struct postgresql_link *link);
    /* Sent, but its end not waited for; a failure is told by whatever is run next. */
    void (*send)(struct postgresql_link *link, const char *text);
    /* Prepares the text when it is new, and runs it; its rows stay until the next call. */
    bool (*run)(struct postgresql_link *link, Str text, const struct postgresql_value *values, size_t n,
                struct postgresql_failure *failure);
    size_t (*rows)(const struct postgresql_link *link);
    bool (*cell)(const struct postgresql_link *link, size_t row, size_t column, Str *out); /* false: not set */
    uint64_t (*changed)(const struct postgresql_link *link); /* rows that the statement changed */
};

#endif
