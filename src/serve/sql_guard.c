/*
 * What a statement may do: read the tables that are there and call the functions listed here. What is not listed does
 * not happen, whatever SQLite learns to do later. It has no file (the file system below opens none), no thread, no
 * second database, and the limits of SQLite are set so that no single step of it runs for long: time is looked at
 * between steps.
 */
#include <string.h>

#include "serve/sql_inner.h"

#define STEPS 2000 /* of SQLite's machine between two looks at the clock: a fraction of a millisecond */
#define LOOK_EVERY (50 * NANOS_PER_MS)

/* Of SQLite's functions, those that only compute. Ours are added with them. */
static const char *const functions[] = {
    /* values and texts */
    "abs",
    "char",
    "coalesce",
    "format",
    "glob",
    "hex",
    "ifnull",
    "iif",
    "instr",
    "length",
    "like",
    "likelihood",
    "likely",
    "lower",
    "ltrim",
    "max",
    "min",
    "nullif",
    "printf",
    "quote",
    "replace",
    "round",
    "rtrim",
    "sign",
    "substr",
    "substring",
    "trim",
    "typeof",
    "unicode",
    "unlikely",
    "upper",
    "match",
    /* numbers */
    "acos",
    "acosh",
    "asin",
    "asinh",
    "atan",
    "atan2",
    "atanh",
    "ceil",
    "ceiling",
    "cos",
    "cosh",
    "degrees",
    "exp",
    "floor",
    "ln",
    "log",
    "log10",
    "log2",
    "mod",
    "pi",
    "pow",
    "power",
    "radians",
    "sin",
    "sinh",
    "sqrt",
    "tan",
    "tanh",
    "trunc",
    /* times */
    "date",
    "datetime",
    "julianday",
    "strftime",
    "time",
    "unixepoch",
    "current_date",
    "current_time",
    "current_timestamp",
    "now",
    "ms",
    "time_add",
    "time_bucket",
    "time_of",
    "seconds",
    /* groups and windows */
    "avg",
    "count",
    "cume_dist",
    "dense_rank",
    "first_value",
    "group_concat",
    "lag",
    "last_value",
    "lead",
    "nth_value",
    "ntile",
    "percent_rank",
    "rank",
    "row_number",
    "sum",
    "total",
    "decimal_sum",
    "stddev",
    "median",
    "percentile",
    /* decimals */
    "decimal",
    /* JSON */
    "->",
    "->>",
    "json",
    "json_array",
    "json_array_length",
    "json_extract",
    "json_group_array",
    "json_group_object",
    "json_object",
    "json_quote",
    "json_type",
    "json_valid",
};

static bool is_listed(const char *name) {
    for (size_t i = 0; i < sizeof functions / sizeof *functions; i++)
        if (sqlite3_stricmp(name, functions[i]) == 0) return true;
    return false;
}

static bool is_table(const struct sql_session *s, const char *name) {
    for (size_t i = 0; i < s->n_tables; i++)
        if (sqlite3_stricmp(name, s->tables[i]->about.name) == 0) return true;
    return sqlite3_stricmp(name, "json_each") == 0 || sqlite3_stricmp(name, "json_tree") == 0;
}

static int refuse(struct sql_session *s, Err err) {
    if (s->err.code == ERR_NONE) s->err = err;
    return SQLITE_DENY;
}

static int authorise(void *ctx, int action, const char *a, const char *b, const char *c, const char *d) {
    struct sql_session *s = ctx;
    (void)c;
    (void)d;
    if (s->declaring) return SQLITE_OK;
    if (sql_guard_check(s).code != ERR_NONE) return SQLITE_DENY; /* names that double and double are long in reading */
    switch (action) {
    case SQLITE_SELECT:
    case SQLITE_RECURSIVE: return SQLITE_OK;
    case SQLITE_READ: /* SQLite brings tables of its own along: dbstat, sqlite_stmt, sqlite_schema */
        if (!a || !b || !b[0] || is_table(s, a)) return SQLITE_OK; /* no column: counted, or a name of WITH */
        return refuse(s, err_make(ERR_INVALID, "no table '%.60s': GET /api/v1/sql/tables lists what there is", a));
    case SQLITE_FUNCTION:
        if (b && is_listed(b)) return SQLITE_OK;
        return refuse(s, err_make(ERR_INVALID, "no function '%.60s' may be used here: docs/sql.md lists those that are",
                                  b ? b : ""));
    default: break;
    }
    return refuse(s, err_make(ERR_INVALID, "only SELECT is run here: documents are written at /api/v1/docs"));
}

/* ---- time, and somebody who waits */

Err sql_guard_check(struct sql_session *s) {
    Nanos now = clock_monotonic();
    if (s->err.code != ERR_NONE) return s->err;
    if (now >= s->deadline) {
        s->err = err_make(ERR_TIMEOUT,
                          "the statement ran for %lld s and was stopped: bound the time (time >= …) or ask "
                          "for windows",
                          (long long)(s->order->limits.time / NANOS_PER_S));
        return s->err;
    }
    if (now < s->look_at) return err_none();
    s->look_at = now + LOOK_EVERY;
    if (s->source->gone && s->source->gone(s->source->ctx))
        s->err = err_make(ERR_CANCELLED, "whoever asked has gone: the statement was stopped");
    return s->err;
}

static int progress(void *ctx) { return sql_guard_check(ctx).code != ERR_NONE; }

/* ---- the file system: there is none, and the time is the platform's */

static _Thread_local const struct sql_session *running;

static int no_file(sqlite3_vfs *vfs, const char *name, sqlite3_file *file, int flags, int *out) {
    (void)vfs;
    (void)name;
    (void)flags;
    (void)out;
    file->pMethods = NULL;
    return SQLITE_CANTOPEN;
}

static int no_delete(sqlite3_vfs *vfs, const char *name, int sync) {
    (void)vfs;
    (void)name;
    (void)sync;
    return SQLITE_IOERR_DELETE;
}

static int no_access(sqlite3_vfs *vfs, const char *name, int flags, int *out) {
    (void)vfs;
    (void)name;
    (void)flags;
    *out = 0;
    return SQLITE_OK;
}

static int same_path(sqlite3_vfs *vfs, const char *name, int n, char *out) {
    (void)vfs;
    sqlite3_snprintf(n, out, "%s", name);
    return SQLITE_OK;
}

static int no_random(sqlite3_vfs *vfs, int n, char *out) {
    (void)vfs;
    memset(out, 0, (size_t)n);
    return n;
}

static int no_sleep(sqlite3_vfs *vfs, int us) {
    (void)vfs;
    return us;
}

static int time64(sqlite3_vfs *vfs, sqlite3_int64 *out) {
    (void)vfs;
    Nanos now = running ? running->now : 0;
    *out = INT64_C(210866760000000) + now / NANOS_PER_MS; /* ms since noon of 4714-11-24 BC */
    return SQLITE_OK;
}

static int time_days(sqlite3_vfs *vfs, double *out) {
    sqlite3_int64 ms;
    time64(vfs, &ms);
    *out = (double)ms / 86400000.0;
    return SQLITE_OK;
}

static sqlite3_vfs file_system = {.iVersion = 2,
                                  .szOsFile = (int)sizeof(sqlite3_file),
                                  .mxPathname = 64,
                                  .zName = "weft-sql",
                                  .xOpen = no_file,
                                  .xDelete = no_delete,
                                  .xAccess = no_access,
                                  .xFullPathname = same_path,
                                  .xRandomness = no_random,
                                  .xSleep = no_sleep,
                                  .xCurrentTime = time_days,
                                  .xCurrentTimeInt64 = time64};

void sql_guard_run(const struct sql_session *s) { running = s; }

/* ---- limits */

static const struct {
    int what, most;
} limits[] = {
    {SQLITE_LIMIT_LENGTH, 1 << 20},      {SQLITE_LIMIT_SQL_LENGTH, 64 << 10}, {SQLITE_LIMIT_COLUMN, 500},
    {SQLITE_LIMIT_EXPR_DEPTH, 100},      {SQLITE_LIMIT_COMPOUND_SELECT, 50},  {SQLITE_LIMIT_VDBE_OP, 200000},
    {SQLITE_LIMIT_FUNCTION_ARG, 32},     {SQLITE_LIMIT_ATTACHED, 0},          {SQLITE_LIMIT_LIKE_PATTERN_LENGTH, 200},
    {SQLITE_LIMIT_VARIABLE_NUMBER, 100}, {SQLITE_LIMIT_TRIGGER_DEPTH, 1},     {SQLITE_LIMIT_WORKER_THREADS, 0},
};

Err sql_guard_open(struct sql_session *s) {
    sqlheap_install();
    if (!sqlite3_vfs_find(file_system.zName)) sqlite3_vfs_register(&file_system, 0);
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_MEMORY | SQLITE_OPEN_NOMUTEX |
                SQLITE_OPEN_PRIVATECACHE;
    if (sqlite3_open_v2(":memory:", &s->db, flags, file_system.zName) != SQLITE_OK)
        return err_make(ERR_LIMIT, "no memory for a statement: try again in a moment");
    for (size_t i = 0; i < sizeof limits / sizeof *limits; i++) sqlite3_limit(s->db, limits[i].what, limits[i].most);
    sqlite3_db_config(s->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    sqlite3_db_config(s->db, SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 0, NULL);
    sqlite3_db_config(s->db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
    sqlite3_db_config(s->db, SQLITE_DBCONFIG_DQS_DML, 0, NULL); /* "velocty" is a column that is missing, not a text */
    sqlite3_db_config(s->db, SQLITE_DBCONFIG_DQS_DDL, 0, NULL);
    sqlite3_exec(s->db, "PRAGMA temp_store=MEMORY; PRAGMA cache_size=-262144; PRAGMA automatic_index=1", NULL, NULL,
                 NULL);
    TRY(sql_functions_add(s));
    TRY(sql_sum_add(s));
    TRY(sql_text_add(s));
    TRY(sql_format_add(s));
    sqlite3_progress_handler(s->db, STEPS, progress, s);
    sqlite3_set_authorizer(s->db, authorise, s);
    return err_none();
}
