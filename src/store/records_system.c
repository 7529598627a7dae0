#include "store/records_system.h"

#include "store/records_backend.h"

#define ID                                                                                                             \
    { .name = "id", .kind = RECORD_INT }
#define PARTY                                                                                                          \
    { "party", RECORD_INT, .required = true }
#define TABLE(table, columns_, rise)                                                                                   \
    const struct record_table records_system_##table = {                                                               \
        .name = #table, .columns = columns_, .n_columns = sizeof columns_ / sizeof *columns_, .ids_rise = (rise)}

static const struct record_column party_columns[PARTY_COLUMNS] = {
    ID,
    PARTY, /* 0: a party stands in none */
    [PARTY_NAME] = {"name", RECORD_TEXT, .required = true, .unique = RECORD_UNIQUE},
    [PARTY_CREATED] = {"created", RECORD_INT, .required = true},
    [PARTY_TITLE] = {.name = "title", .kind = RECORD_TEXT},
    [PARTY_USCC] = {"uscc", RECORD_TEXT, .unique = RECORD_UNIQUE},
    [PARTY_BPN] = {"bpn", RECORD_TEXT, .unique = RECORD_UNIQUE},
    [PARTY_GLN] = {"gln", RECORD_TEXT, .unique = RECORD_UNIQUE},
    [PARTY_HANDLE] = {"handle", RECORD_TEXT, .unique = RECORD_UNIQUE},
    [PARTY_EMAIL] = {.name = "email", .kind = RECORD_TEXT},
    [PARTY_PHONE] = {.name = "phone", .kind = RECORD_TEXT},
    [PARTY_ADDRESS] = {.name = "address", .kind = RECORD_TEXT},
    [PARTY_SETTINGS] = {.name = "settings", .kind = RECORD_TEXT}, /* a JSON object */
};
TABLE(party, party_columns, false);

static const struct record_column user_columns[USER_COLUMNS] = {
    ID,
    PARTY,
    [USER_NAME] = {"name", RECORD_TEXT, .required = true, .unique = RECORD_UNIQUE},
    [USER_PASSWORD] = {.name = "password", .kind = RECORD_TEXT}, /* argon2id, or not set: no password sign-in */
    [USER_ROLES] = {"roles", RECORD_INT, .required = true},
    [USER_CREATED] = {"created", RECORD_INT, .required = true},
    [USER_TITLE] = {.name = "title", .kind = RECORD_TEXT},
    [USER_MUST_CHANGE] = {.name = "must_change", .kind = RECORD_BOOL}, /* the password, before anything else */
    [USER_FACTOR] = {.name = "factor", .kind = RECORD_TEXT},           /* TOTP secret, sealed */
    [USER_FACTOR_STEP] = {.name = "factor_step", .kind = RECORD_INT},  /* the last one used */
    [USER_RECOVERY] = {.name = "recovery", .kind = RECORD_BLOB},       /* keyed hashes, one after the other */
};
TABLE(user, user_columns, false);

static const struct record_column membership_columns[MEMBERSHIP_COLUMNS] = {
    ID,
    PARTY,
    [MEMBERSHIP_USER] = {"user", RECORD_INT, .required = true, .unique = RECORD_UNIQUE_IN_PARTY, .refers = "user"},
    [MEMBERSHIP_ROLES] = {"roles", RECORD_INT, .required = true},
    [MEMBERSHIP_CREATED] = {"created", RECORD_INT, .required = true},
};
TABLE(membership, membership_columns, false);

/* Links that are taken up once (or, by workers, until they end): invitations, new passwords, worker links. */
static const struct record_column link_columns[LINK_COLUMNS] = {
    ID,
    PARTY,
    [LINK_KIND] = {"kind", RECORD_INT, .required = true},
    [LINK_HASH] = {"hash", RECORD_BLOB, .required = true, .unique = RECORD_UNIQUE},
    [LINK_USER] = {"user", RECORD_INT, .refers = "user"}, /* whose password; who made a worker link */
    [LINK_ROLES] = {"roles", RECORD_INT, .required = true},
    [LINK_NAME] = {.name = "name", .kind = RECORD_TEXT},
    [LINK_SCOPES] = {.name = "scopes", .kind = RECORD_TEXT},
    [LINK_MINUTES] = {.name = "minutes", .kind = RECORD_INT},
    [LINK_UNTIL] = {"until", RECORD_INT, .required = true},
    [LINK_CREATED] = {"created", RECORD_INT, .required = true},
};
TABLE(link, link_columns, false);

static const struct record_column identity_columns[IDENTITY_COLUMNS] = {
    ID,
    PARTY,
    [IDENTITY_USER] = {"user", RECORD_INT, .required = true, .refers = "user"},
    [IDENTITY_SUBJECT] = {"subject", RECORD_TEXT, .required = true, .unique = RECORD_UNIQUE}, /* "provider subject" */
    [IDENTITY_CREATED] = {"created", RECORD_INT, .required = true},
};
TABLE(identity, identity_columns, false);

static const struct record_column session_columns[SESSION_COLUMNS] = {
    ID,
    PARTY,
    [SESSION_USER] = {"user", RECORD_INT, .required = true, .refers = "user"},
    [SESSION_HASH] = {"hash", RECORD_BLOB, .required = true, .unique = RECORD_UNIQUE},
    [SESSION_CREATED] = {"created", RECORD_INT, .required = true},
    [SESSION_SEEN] = {"seen", RECORD_INT, .required = true},
    [SESSION_ROLES] = {.name = "roles", .kind = RECORD_INT},      /* not set: those of the membership */
    [SESSION_SCOPES] = {.name = "scopes", .kind = RECORD_TEXT},   /* not set: everything */
    [SESSION_UNTIL] = {.name = "until", .kind = RECORD_INT},      /* not set: 12 idle hours */
    [SESSION_LABEL] = {.name = "label", .kind = RECORD_TEXT},     /* of the worker link it came from */
    [SESSION_OUTSIDE] = {.name = "outside", .kind = RECORD_BOOL}, /* signed in at an OpenID provider */
};
TABLE(session, session_columns, false);

static const struct record_column token_columns[TOKEN_COLUMNS] = {
    ID,
    PARTY,
    [TOKEN_USER] = {"user", RECORD_INT, .required = true, .refers = "user"},
    [TOKEN_HASH] = {"hash", RECORD_BLOB, .required = true, .unique = RECORD_UNIQUE},
    [TOKEN_ROLE] = {"role", RECORD_INT, .required = true},
    [TOKEN_CREATED] = {"created", RECORD_INT, .required = true},
    [TOKEN_SCOPES] = {.name = "scopes", .kind = RECORD_TEXT},
    [TOKEN_UNTIL] = {.name = "until", .kind = RECORD_INT},
    [TOKEN_USED] = {.name = "used", .kind = RECORD_INT},
};
TABLE(token, token_columns, false);

static const struct record_column device_columns[DEVICE_COLUMNS] = {
    ID,
    PARTY,
    [DEVICE_THING] = {"thing", RECORD_TEXT, .required = true, .unique = RECORD_UNIQUE_IN_PARTY},
    [DEVICE_USER] = {"user", RECORD_TEXT, .required = true, .unique = RECORD_UNIQUE},
    [DEVICE_HASH] = {"hash", RECORD_BLOB, .required = true},
    [DEVICE_GATEWAY] = {"gateway", RECORD_BOOL, .required = true},
    [DEVICE_CREATED] = {"created", RECORD_INT, .required = true},
};
TABLE(device, device_columns, false);

static const struct record_column thing_columns[THING_COLUMNS] = {
    ID,
    PARTY,
    [THING_NAME] = {"name", RECORD_TEXT, .required = true, .unique = RECORD_UNIQUE_IN_PARTY},
    [THING_MODEL] = {.name = "model", .kind = RECORD_TEXT},
    [THING_ATTRIBUTES] = {.name = "attributes", .kind = RECORD_TEXT},
    [THING_LATITUDE] = {.name = "latitude", .kind = RECORD_REAL},
    [THING_LONGITUDE] = {.name = "longitude", .kind = RECORD_REAL},
    [THING_COMMISSIONED] = {.name = "commissioned", .kind = RECORD_INT},
    [THING_CREATED] = {"created", RECORD_INT, .required = true},
};
TABLE(thing, thing_columns, false);

static const struct record_column audit_columns[AUDIT_COLUMNS] = {
    ID,
    [RECORD_PARTY] = {"party", RECORD_INT, .required = true, .indexed = true},
    [AUDIT_AT] = {"at", RECORD_INT, .required = true},
    [AUDIT_WHO] = {"who", RECORD_TEXT, .required = true},
    [AUDIT_ACTION] = {"action", RECORD_TEXT, .required = true},
    [AUDIT_TYPE] = {"type", RECORD_TEXT, .required = true},
    [AUDIT_TARGET] = {"target", RECORD_TEXT, .required = true, .indexed = true},
    [AUDIT_BEFORE] = {.name = "before", .kind = RECORD_TEXT},
    [AUDIT_AFTER] = {.name = "after", .kind = RECORD_TEXT},
};
TABLE(audit, audit_columns, false);

static const struct record_column outbox_columns[OUTBOX_COLUMNS] = {
    ID,
    PARTY,
    [OUTBOX_TYPE] = {"type", RECORD_TEXT, .required = true},
    [OUTBOX_WHAT] = {"what", RECORD_TEXT, .required = true},
    [OUTBOX_DOC] = {"doc", RECORD_INT, .required = true},
    [OUTBOX_VERSION] = {"version", RECORD_INT, .required = true},
    [OUTBOX_AT] = {"at", RECORD_INT, .required = true},
    [OUTBOX_WHO] = {"who", RECORD_TEXT, .required = true},
};
TABLE(outbox, outbox_columns, true);

static const struct record_column outbox_reader_columns[OUTBOX_READER_COLUMNS] = {
    ID,
    PARTY,
    [OUTBOX_READER_NAME] = {"name", RECORD_TEXT, .required = true, .unique = RECORD_UNIQUE},
    [OUTBOX_READER_THROUGH] = {"through", RECORD_INT, .required = true},
};
TABLE(outbox_reader, outbox_reader_columns, false);

static const struct record_column number_series_columns[NUMBER_SERIES_COLUMNS] = {
    ID,
    PARTY,
    [NUMBER_SERIES_NAME] = {"name", RECORD_TEXT, .required = true, .unique = RECORD_UNIQUE_IN_PARTY},
    [NUMBER_SERIES_LAST] = {"last", RECORD_INT, .required = true},
};
TABLE(number_series, number_series_columns, false);

static const struct record_column meta_columns[META_COLUMNS] = {
    ID,
    PARTY,
    [META_NAME] = {"name", RECORD_TEXT, .required = true, .unique = RECORD_UNIQUE_IN_PARTY},
    [META_VALUE] = {.name = "value", .kind = RECORD_TEXT},
};
TABLE(meta, meta_columns, false);

static const struct record_column migration_columns[MIGRATION_COLUMNS] = {
    ID,
    PARTY,
    [MIGRATION_NUMBER] = {"number", RECORD_INT, .required = true, .unique = RECORD_UNIQUE},
    [MIGRATION_NAME] = {"name", RECORD_TEXT, .required = true},
    [MIGRATION_AT] = {"at", RECORD_INT, .required = true},
};
TABLE(migration, migration_columns, false);

static const struct record_table *const first_tables[] = {
    &records_system_party,  &records_system_user,          &records_system_session,       &records_system_token,
    &records_system_device, &records_system_thing,         &records_system_audit,         &records_system_outbox,
    &records_system_meta,   &records_system_outbox_reader, &records_system_number_series, NULL,
};

static const struct record_table *const membership_tables[] = {
    &records_system_party, &records_system_user,       &records_system_session,  &records_system_token,
    &records_system_link,  &records_system_membership, &records_system_identity, NULL,
};

static const struct lens all_rows = {.every_party = true, .fields = UINT64_MAX, .purpose = "migrations"};

static Err add_membership(struct records_txn *txn, const Value *user) {
    int64_t id;
    Value row[MEMBERSHIP_COLUMNS] = {[RECORD_PARTY] = user[RECORD_PARTY],
                                     [MEMBERSHIP_USER] = user[RECORD_ID],
                                     [MEMBERSHIP_ROLES] = user[USER_ROLES],
                                     [MEMBERSHIP_CREATED] = user[USER_CREATED]};
    return records_txn_insert(txn, &records_system_membership, row, &id);
}

/* A user's party and roles become the first of its memberships. */
static Err make_memberships(void *ctx, struct records_txn *txn) {
    struct arena arena;
    struct record_page page = {0};
    Err err;
    (void)ctx;
    arena_init(&arena, 0);
    do {
        struct record_query query = {.limit = 1000, .cursor = page.next};
        err = records_txn_select(txn, &all_rows, &records_system_user, &query, &arena, &page);
        for (size_t i = 0; err.code == ERR_NONE && i < page.n; i++) err = add_membership(txn, page.rows[i]);
    } while (err.code == ERR_NONE && page.next.len > 0);
    arena_fini(&arena);
    return err;
}

const struct records_migration records_system_migrations[] = {
    {1, "parties, people, devices, things, audit, outbox and numbers", first_tables, NULL},
    {2, "memberships, identifiers of parties, links", membership_tables, make_memberships},
    {.number = 0},
};

/* The highest number noted; also ERR_INVALID when the folder is ahead of this program. */
static Err newest_applied(struct records_txn *txn, int newest_known, int *out) {
    struct arena arena;
    arena_init(&arena, 0);
    struct record_page page;
    struct record_query query = {.sort = MIGRATION_NUMBER, .descending = true, .limit = 1};
    Err err = records_txn_select(txn, &all_rows, &records_system_migration, &query, &arena, &page);
    *out = err.code == ERR_NONE && page.n > 0 ? (int)page.rows[0][MIGRATION_NUMBER].i : 0;
    arena_fini(&arena);
    TRY(err);
    if (*out <= newest_known) return err_none();
    return err_make(ERR_INVALID,
                    "the records were written by a newer version (step %d, this one knows %d): use that one", *out,
                    newest_known);
}

static Err apply_one(struct records_txn *txn, const struct records_migration *step, Nanos now) {
    const struct records_backend *backend = txn->backend;
    size_t n = 0;
    while (step->tables && step->tables[n]) n++;
    if (n > 0) TRY(backend->declare(txn->conn, step->tables, n));
    TRY(backend->step(txn->conn, RECORDS_BEGIN, NULL));
    Value row[MIGRATION_COLUMNS] = {[RECORD_PARTY] = VALUE_I(0),
                                    [MIGRATION_NUMBER] = VALUE_I(step->number),
                                    [MIGRATION_NAME] = VALUE_S(str_c(step->name)),
                                    [MIGRATION_AT] = VALUE_I(now)};
    int64_t id;
    Err err = step->run ? step->run(NULL, txn) : err_none();
    if (err.code == ERR_NONE) err = records_txn_insert(txn, &records_system_migration, row, &id);
    Err end = backend->step(txn->conn, err.code == ERR_NONE ? RECORDS_COMMIT : RECORDS_ROLLBACK, NULL);
    return err.code == ERR_NONE ? end : err;
}

Err records_system_migrate(const struct records_backend *backend, struct records_conn *conn,
                           const struct records_migration *migrations, bool read_only, Nanos now) {
    int newest_known = 0, applied;
    for (size_t i = 0; migrations[i].number; i++) newest_known = migrations[i].number;
    struct records_txn txn = {.backend = backend, .conn = conn, .writes = !read_only};
    TRY(backend->declare(conn, (const struct record_table *[]){&records_system_migration}, 1));
    TRY(newest_applied(&txn, newest_known, &applied));
    if (read_only && applied < newest_known)
        return err_make(ERR_INVALID, "the records are of an older version (step %d of %d): start the server once",
                        applied, newest_known);
    for (size_t i = 0; migrations[i].number; i++)
        if (migrations[i].number > applied) TRY(apply_one(&txn, &migrations[i], now));
    return err_none();
}
