/* The store's own tables, and the numbered migrations that make them. Columns by position; see docs/format-records.md.
 */
#ifndef STORE_RECORDS_SYSTEM_H
#define STORE_RECORDS_SYSTEM_H

#include "store/records.h"

/* The first two columns of every table. */
enum { RECORD_ID, RECORD_PARTY };

enum {
    PARTY_NAME = 2,
    PARTY_CREATED,
    PARTY_TITLE,
    PARTY_USCC,
    PARTY_BPN,
    PARTY_GLN,
    PARTY_HANDLE,
    PARTY_EMAIL,
    PARTY_PHONE,
    PARTY_ADDRESS,
    PARTY_SETTINGS,
    PARTY_COLUMNS
};
enum {
    USER_NAME = 2,
    USER_PASSWORD,
    USER_ROLES, /* of before memberships; nothing reads it */
    USER_CREATED,
    USER_TITLE,
    USER_MUST_CHANGE,
    USER_FACTOR,
    USER_FACTOR_STEP,
    USER_RECOVERY,
    USER_COLUMNS
};
enum { MEMBERSHIP_USER = 2, MEMBERSHIP_ROLES, MEMBERSHIP_CREATED, MEMBERSHIP_COLUMNS };
enum {
    SESSION_USER = 2,
    SESSION_HASH,
    SESSION_CREATED,
    SESSION_SEEN,
    SESSION_ROLES,
    SESSION_SCOPES,
    SESSION_UNTIL,
    SESSION_LABEL,
    SESSION_OUTSIDE,
    SESSION_COLUMNS
};
enum { TOKEN_USER = 2, TOKEN_HASH, TOKEN_ROLE, TOKEN_CREATED, TOKEN_SCOPES, TOKEN_UNTIL, TOKEN_USED, TOKEN_COLUMNS };
enum {
    LINK_KIND = 2,
    LINK_HASH,
    LINK_USER,
    LINK_ROLES,
    LINK_NAME,
    LINK_SCOPES,
    LINK_MINUTES,
    LINK_UNTIL,
    LINK_CREATED,
    LINK_COLUMNS
};
enum { IDENTITY_USER = 2, IDENTITY_SUBJECT, IDENTITY_CREATED, IDENTITY_COLUMNS };
enum { DEVICE_THING = 2, DEVICE_USER, DEVICE_HASH, DEVICE_GATEWAY, DEVICE_CREATED, DEVICE_COLUMNS };
enum {
    THING_NAME = 2,
    THING_MODEL,
    THING_ATTRIBUTES,
    THING_LATITUDE,
    THING_LONGITUDE,
    THING_COMMISSIONED,
    THING_CREATED,
    THING_COLUMNS
};
enum { AUDIT_AT = 2, AUDIT_WHO, AUDIT_ACTION, AUDIT_TYPE, AUDIT_TARGET, AUDIT_BEFORE, AUDIT_AFTER, AUDIT_COLUMNS };
enum { OUTBOX_TYPE = 2, OUTBOX_WHAT, OUTBOX_DOC, OUTBOX_VERSION, OUTBOX_AT, OUTBOX_WHO, OUTBOX_COLUMNS };
enum { OUTBOX_READER_NAME = 2, OUTBOX_READER_THROUGH, OUTBOX_READER_COLUMNS };
enum { NUMBER_SERIES_NAME = 2, NUMBER_SERIES_LAST, NUMBER_SERIES_COLUMNS };
enum { META_NAME = 2, META_VALUE, META_COLUMNS };
enum { MIGRATION_NUMBER = 2, MIGRATION_NAME, MIGRATION_AT, MIGRATION_COLUMNS };

extern const struct record_table records_system_party, records_system_user, records_system_membership,
    records_system_link, records_system_identity, records_system_session, records_system_token, records_system_device,
    records_system_thing, records_system_audit, records_system_outbox, records_system_outbox_reader,
    records_system_number_series, records_system_meta, records_system_migration;

extern const struct records_migration records_system_migrations[]; /* ends with number 0 */

/* Runs the migrations that the store has not seen; called by records_open on the writer's connection. ERR_INVALID when
 * the store has seen more than `migrations` knows. */
struct records_conn;
struct records_backend;
Err records_system_migrate(const struct records_backend *backend, struct records_conn *conn,
                           const struct records_migration *migrations, bool read_only, Nanos now);

#endif
