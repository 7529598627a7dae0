/* What the files of this plugin share. */
#ifndef XLSX_H
#define XLSX_H

#include <minizip/unzip.h>

#include "base/buf.h"
#include "base/vec.h"
#include "document/sheet.h"

enum xlsx_style { XLSX_PLAIN, XLSX_DATE, XLSX_TIME, XLSX_BOTH };

struct xlsx_zip {
    const struct sheet_source *source;
    unzFile zip;
    uint64_t packed, inflated; /* of what was read so far */
    Err fault;                 /* of the source */
};

/* Checks the archive as a whole against the limits of document/sheet.h. */
Err xlsx_zip_open(struct xlsx_zip *zip, const struct sheet_source *source);
void xlsx_zip_close(struct xlsx_zip *zip);
/* The part of that name becomes the one that is read; *there false: absent. */
Err xlsx_zip_part(struct xlsx_zip *zip, const char *name, bool *there);
Err xlsx_zip_read(struct xlsx_zip *zip, void *into, unsigned n, unsigned *got); /* 0: its end */

/* What a document says of its cells: texts, styles, which sheet is the first. */
struct xlsx_parts {
    struct arena arena;
    Str *strings;
    size_t n_strings, cap_strings;
    unsigned char *styles; /* enum xlsx_style of each cell format */
    size_t n_styles, cap_styles;
    bool since_1904;
    Str sheet; /* "xl/worksheets/sheet1.xml" */
};
Err xlsx_parts_read(struct xlsx_parts *parts, struct xlsx_zip *zip);
void xlsx_parts_fini(struct xlsx_parts *parts);

/* A parser that refuses document types, and with them entities. */
struct XML_ParserStruct *xlsx_parser(void *ctx);
const char *xlsx_local(const char *name);                              /* without its namespace's prefix */
const char *xlsx_attribute(const char **attributes, const char *name); /* or NULL */
Err xlsx_fault(struct XML_ParserStruct *parser, const char *part);

/* "0.1" of 0.10000000000000001; a text that is no number stays as it is. */
Str xlsx_number(Str text, struct buf *out);
/* A date or time in days since 1899-12-30; false: not one. */
bool xlsx_moment(Str text, enum xlsx_style style, bool since_1904, struct buf *out);
enum xlsx_style xlsx_style_of(const char *code);

extern const struct sheet_reader xlsx_reader;
extern const struct sheet_writer xlsx_writer;

#endif
