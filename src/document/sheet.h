/*
 * A table that somebody sends or takes away as a file: CSV or XLSX. Reading gives rows of texts in UTF-8, as typed:
 *
 *     TRY(sheet_open(&source, &sheet));
 *     for (struct sheet_row row; (err = sheet_next(sheet, &row, &more)).code == ERR_NONE && more;) …
 *
 * CSV: UTF-8 with or without a mark, UTF-16 with one, else GB18030; the delimiter (comma, semicolon, tab, bar) is found
 * in the first row; LF, CRLF or CR. XLSX: the first sheet; dates come as 2026-03-08 and 2026-03-08T10:20:30, decimals
 * without the noise of binary floats. A sheet belongs to one thread.
 */
#ifndef DOCUMENT_SHEET_H
#define DOCUMENT_SHEET_H

#include "base/arena.h"
#include "base/err.h"

#define SHEET_COLUMNS_MAX 256
#define SHEET_CELL_MAX ((size_t)64 << 10)
#define SHEET_ROW_MAX ((size_t)1 << 20) /* bytes of text */
#define SHEET_ENTRIES_MAX 1000          /* of an XLSX, which is a zip */
#define SHEET_INFLATED_MAX (UINT64_C(2) << 30)
#define SHEET_RATIO_MAX 200                   /* inflated to packed, beyond the first 8 MiB */
#define SHEET_STRINGS_MAX ((size_t)256 << 20) /* shared texts of an XLSX */

/* Where the bytes come from; read is short only at the end. */
struct sheet_source {
    Err (*read)(void *ctx, void *into, size_t n, uint64_t at, size_t *got);
    void *ctx;
    uint64_t size;
};

struct sheet_row {
    size_t number;    /* as a spreadsheet counts: 1 is the first; rows without a text in them are left out */
    const Str *cells; /* until the next call */
    size_t n;
};

/* What a form of sheet must offer; XLSX stands in a plugin. */
struct sheet_reader {
    Err (*open)(const struct sheet_source *source, void **reader);
    Err (*next)(void *reader, struct sheet_row *row, bool *more);
    uint64_t (*passed)(const void *reader); /* bytes of the source that were read */
    void (*close)(void *reader);
};

enum sheet_kind { SHEET_TEXT, SHEET_NUMBER, SHEET_DATE, SHEET_TIME };
struct sheet_cell {
    enum sheet_kind kind;
    Str text;      /* SHEET_TEXT; SHEET_NUMBER: a decimal, exact */
    int64_t value; /* SHEET_DATE: days since 1970; SHEET_TIME: ns since 1970 */
};
struct sheet_writer {
    Err (*open)(const char *path, void **writer);
    /* heading: bold, and stays in sight. */
    Err (*row)(void *writer, const struct sheet_cell *cells, size_t n, bool heading);
    Err (*close)(void *writer); /* writes what is left; the writer has gone whatever comes */
};

/* The table of functions of plugin "xlsx". */
struct sheet_plugin {
    const struct sheet_reader *reader;
    const struct sheet_writer *writer;
};

struct sheet;
Err sheet_open(const struct sheet_source *source, struct sheet **out); /* the source outlives the sheet */
Err sheet_next(struct sheet *sheet, struct sheet_row *row, bool *more);
uint64_t sheet_passed(const struct sheet *sheet);
const char *sheet_form(const struct sheet *sheet); /* "csv" or "xlsx" */
void sheet_close(struct sheet *sheet);             /* NULL is fine */

extern const struct sheet_reader sheet_csv_reader;
extern const struct sheet_writer sheet_csv_writer; /* with the mark that makes Excel read UTF-8 */
Err sheet_xlsx(const struct sheet_plugin **out);   /* ERR_NOT_FOUND: the plugin is missing */

#endif
