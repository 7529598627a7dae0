/*
 * SQLite's words of a searched table T: the full-text table "T:words" (FTS5, a row for each row of T) and "T:new", rows
 * whose words are not in it yet and which stand instead of what it has. A change writes one row of "T:new"; many of
 * them are taken into the full-text table together, because there each transaction costs a segment of its own.
 */
#include "store/records_sql.h"

static void add_quoted(struct buf *out, Str word) {
    buf_byte(out, '"');
    buf_str(out, word);
    buf_byte(out, '"');
}

/* "a|b c" → ("a" OR "b") AND "c" */
static Str full_text_query(struct records_sql *sql, Str words) {
    struct buf out = {0};
    Str rest = words, group, one;
    while (rest.len > 0) {
        str_cut(rest, ' ', &group, &rest);
        if (out.len > 0) buf_c(&out, " AND ");
        buf_byte(&out, '(');
        for (bool first = true; group.len > 0; first = false) {
            str_cut(group, '|', &one, &group);
            if (!first) buf_c(&out, " OR ");
            add_quoted(&out, one);
        }
        buf_byte(&out, ')');
    }
    Str kept = arena_str(&sql->scratch, buf_view(&out));
    buf_fini(&out);
    return kept;
}

static void match(struct records_sql *sql, const struct record_table *table, Str words) {
    struct records_bind query = {.value = VALUE_S(full_text_query(sql, words))}, plain = {.value = VALUE_S(words)};
    records_sql_template(sql,
                         "(\"id\" IN (SELECT rowid FROM \"#:words\" WHERE \"#:words\" MATCH $) AND \"id\" NOT IN "
                         "(SELECT id FROM \"#:new\") OR \"id\" IN (SELECT id FROM \"#:new\" WHERE ",
                         table, 0, &query);
    records_sql_template(sql, "weft_match(words, $)))", table, 0, &plain);
}

static Str ints(struct records_sql *sql, const int64_t *list, size_t n) {
    struct buf out = {0};
    buf_byte(&out, '[');
    for (size_t i = 0; i < n; i++) buf_printf(&out, i ? ",%lld" : "%lld", (long long)list[i]);
    buf_byte(&out, ']');
    Str kept = arena_str(&sql->scratch, buf_view(&out));
    buf_fini(&out);
    return kept;
}

#define EACH(text)                                                                                                     \
    { text, text, text, text, text, text }

const struct records_dialect records_sql_sqlite = {
    .types = {[RECORD_INT] = "INTEGER",
              [RECORD_REAL] = "REAL",
              [RECORD_TEXT] = "TEXT",
              [RECORD_BOOL] = "INTEGER",
              [RECORD_BLOB] = "BLOB",
              [RECORD_DECIMAL] = "INTEGER"},
    .id = {"INTEGER PRIMARY KEY", "INTEGER PRIMARY KEY AUTOINCREMENT"},
    .after = " STRICT",
    .differs = " IS NOT ",
    .contains = "instr(lower(@), lower($)) > 0",
    .not_in = "(@ IS NULL OR @ NOT IN (SELECT value FROM json_each($)))",
    .cuts = {[RECORD_DAY] = "@ - ((@ % 86400000000000) + 86400000000000) % 86400000000000",
             [RECORD_MONTH] = "CAST(strftime('%s', (@ - ((@ % 86400000000000) + 86400000000000) % 86400000000000) / "
                              "1000000000, 'unixepoch', 'start of month') AS INTEGER) * 1000000000",
             [RECORD_DATE_MONTH] = "CAST(strftime('%s', @ * 86400, 'unixepoch', 'start of month') AS INTEGER) / 86400"},
    .read = EACH("@"),
    .write = EACH("$"),
    .measures = {[RECORD_SUM] = {[RECORD_INT] = "sum(@)", [RECORD_REAL] = "sum(@)", [RECORD_DECIMAL] = "sum(@)"},
                 [RECORD_MIN] = EACH("min(@)"),
                 [RECORD_MAX] = EACH("max(@)")},
    .ascending = "",
    .descending = " DESC",
    .indexed = "",
    .returning = "",
    .match = match,
    .ints = ints,
};
