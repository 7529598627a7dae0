/* Writing an XLSX row by row: texts stand in their cells, numbers as the decimals they are. */
#include <minizip/zip.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/time.h"
#include "xlsx.h"

#define FLUSH_AT 65536
#define ROWS_MAX 1048576

static const struct {
    const char *name, *text;
} fixed[] = {
    {"[Content_Types].xml",
     "<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"yes\"?>\n"
     "<Types xmlns=\"http://schemas.openxmlformats.org/package/2006/content-types\">"
     "<Default Extension=\"rels\" ContentType=\"application/vnd.openxmlformats-package.relationships+xml\"/>"
     "<Override PartName=\"/xl/workbook.xml\" "
     "ContentType=\"application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml\"/>"
     "<Override PartName=\"/xl/worksheets/sheet1.xml\" "
     "ContentType=\"application/vnd.openxmlformats-officedocument.spreadsheetml.worksheet+xml\"/>"
     "<Override PartName=\"/xl/styles.xml\" "
     "ContentType=\"application/vnd.openxmlformats-officedocument.spreadsheetml.styles+xml\"/></Types>"},
    {"_rels/.rels",
     "<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"yes\"?>\n"
     "<Relationships xmlns=\"http://schemas.openxmlformats.org/package/2006/relationships\"><Relationship Id=\"rId1\" "
     "Type=\"http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument\" "
     "Target=\"xl/workbook.xml\"/></Relationships>"},
    {"xl/workbook.xml", "<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"yes\"?>\n"
                        "<workbook xmlns=\"http://schemas.openxmlformats.org/spreadsheetml/2006/main\" "
                        "xmlns:r=\"http://schemas.openxmlformats.org/officeDocument/2006/relationships\"><sheets>"
                        "<sheet name=\"Sheet1\" sheetId=\"1\" r:id=\"rId1\"/></sheets></workbook>"},
    {"xl/_rels/workbook.xml.rels",
     "<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"yes\"?>\n"
     "<Relationships xmlns=\"http://schemas.openxmlformats.org/package/2006/relationships\"><Relationship Id=\"rId1\" "
     "Type=\"http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet\" "
     "Target=\"worksheets/sheet1.xml\"/><Relationship Id=\"rId2\" "
     "Type=\"http://schemas.openxmlformats.org/officeDocument/2006/relationships/styles\" Target=\"styles.xml\"/>"
     "</Relationships>"},
    /* cell formats: 0 plain, 1 heading, 2 date, 3 time */
    {"xl/styles.xml",
     "<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"yes\"?>\n"
     "<styleSheet xmlns=\"http://schemas.openxmlformats.org/spreadsheetml/2006/main\"><numFmts count=\"2\">"
     "<numFmt numFmtId=\"164\" formatCode=\"yyyy\\-mm\\-dd\"/>"
     "<numFmt numFmtId=\"165\" formatCode=\"yyyy\\-mm\\-dd\\ hh:mm:ss\"/></numFmts><fonts count=\"2\">"
     "<font><sz val=\"11\"/><name val=\"Calibri\"/></font><font><b/><sz val=\"11\"/><name val=\"Calibri\"/></font>"
     "</fonts><fills count=\"2\"><fill><patternFill patternType=\"none\"/></fill>"
     "<fill><patternFill patternType=\"gray125\"/></fill></fills><borders count=\"1\"><border><left/><right/><top/>"
     "<bottom/><diagonal/></border></borders><cellStyleXfs count=\"1\"><xf numFmtId=\"0\" fontId=\"0\" fillId=\"0\" "
     "borderId=\"0\"/></cellStyleXfs><cellXfs count=\"4\">"
     "<xf numFmtId=\"0\" fontId=\"0\" fillId=\"0\" borderId=\"0\" xfId=\"0\"/>"
     "<xf numFmtId=\"0\" fontId=\"1\" fillId=\"0\" borderId=\"0\" xfId=\"0\" applyFont=\"1\"/>"
     "<xf numFmtId=\"164\" fontId=\"0\" fillId=\"0\" borderId=\"0\" xfId=\"0\" applyNumberFormat=\"1\"/>"
     "<xf numFmtId=\"165\" fontId=\"0\" fillId=\"0\" borderId=\"0\" xfId=\"0\" applyNumberFormat=\"1\"/></cellXfs>"
     "<cellStyles count=\"1\"><cellStyle name=\"Normal\" xfId=\"0\" builtinId=\"0\"/></cellStyles></styleSheet>"},
};

static const char head[] =
    "<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"yes\"?>\n"
    "<worksheet xmlns=\"http://schemas.openxmlformats.org/spreadsheetml/2006/main\"><sheetViews><sheetView "
    "workbookViewId=\"0\"><pane ySplit=\"1\" topLeftCell=\"A2\" activePane=\"bottomLeft\" state=\"frozen\"/>"
    "</sheetView></sheetViews><sheetFormatPr defaultColWidth=\"16\" defaultRowHeight=\"15\"/><sheetData>";

struct writer {
    zipFile zip;
    struct buf text;
    size_t rows;
    Err err;
};

static Err failed(void) { return err_make(ERR_IO, "the XLSX file cannot be written: is the disk full?"); }

static Err begin_part(zipFile zip, const char *name) {
    zip_fileinfo info = {.tmz_date = {.tm_mday = 1, .tm_mon = 0, .tm_year = 2020}};
    return zipOpenNewFileInZip64(zip, name, &info, NULL, 0, NULL, 0, NULL, Z_DEFLATED, 1, 1) == ZIP_OK ? err_none()
                                                                                                       : failed();
}

static Err flush(struct writer *w) {
    bool ok = w->text.len == 0 || zipWriteInFileInZip(w->zip, w->text.ptr, (unsigned)w->text.len) == ZIP_OK;
    buf_clear(&w->text);
    return ok ? err_none() : failed();
}

/* What XML 1.0 cannot hold is left out. */
static void add_escaped(struct buf *out, Str s) {
    for (size_t i = 0; i < s.len; i++) {
        unsigned char c = (unsigned char)s.ptr[i];
        if (c == '<')
            buf_c(out, "&lt;");
        else if (c == '>')
            buf_c(out, "&gt;");
        else if (c == '&')
            buf_c(out, "&amp;");
        else if (c >= ' ' || c == '\n' || c == '\t')
            buf_byte(out, c);
    }
}

static void add_text(struct buf *out, Str text, bool heading) {
    buf_printf(out, "<c t=\"inlineStr\"%s><is><t xml:space=\"preserve\">", heading ? " s=\"1\"" : "");
    add_escaped(out, text);
    buf_c(out, "</t></is></c>");
}

static size_t digits_of(Str text) {
    size_t n = 0;
    for (size_t i = 0; i < text.len; i++) n += text.ptr[i] >= '0' && text.ptr[i] <= '9';
    return n;
}

static void add_cell(struct buf *out, const struct sheet_cell *cell, bool heading) {
    switch (cell->kind) {
    case SHEET_TEXT:
        if (cell->text.len == 0)
            buf_c(out, "<c/>");
        else
            add_text(out, cell->text, heading);
        return;
    case SHEET_NUMBER: /* a spreadsheet keeps 15 digits: longer ones stay whole as texts */
        if (digits_of(cell->text) > 15)
            add_text(out, cell->text, heading);
        else
            buf_printf(out, "<c><v>" STR_FMT "</v></c>", STR_ARG(cell->text));
        return;
    case SHEET_DATE: buf_printf(out, "<c s=\"2\"><v>%lld</v></c>", (long long)cell->value + 25569); return;
    case SHEET_TIME:
        buf_printf(out, "<c s=\"3\"><v>%.10f</v></c>", (double)(cell->value / NANOS_PER_MS) / 86400000.0 + 25569.0);
        return;
    }
}

static Err writer_row(void *writer, const struct sheet_cell *cells, size_t n, bool heading) {
    struct writer *w = writer;
    if (++w->rows > ROWS_MAX)
        return err_make(ERR_TOO_LARGE, "an XLSX sheet holds %d rows: narrow the filters, or take CSV", ROWS_MAX);
    buf_c(&w->text, "<row>");
    for (size_t i = 0; i < n; i++) add_cell(&w->text, &cells[i], heading);
    buf_c(&w->text, "</row>");
    return w->text.len < FLUSH_AT ? err_none() : flush(w);
}

static Err write_fixed(zipFile zip) {
    for (size_t i = 0; i < sizeof fixed / sizeof *fixed; i++) {
        TRY(begin_part(zip, fixed[i].name));
        if (zipWriteInFileInZip(zip, fixed[i].text, (unsigned)strlen(fixed[i].text)) != ZIP_OK) return failed();
        if (zipCloseFileInZip(zip) != ZIP_OK) return failed();
    }
    return begin_part(zip, "xl/worksheets/sheet1.xml");
}

static Err writer_open(const char *path, void **out) {
    zipFile zip = zipOpen64(path, APPEND_STATUS_CREATE);
    if (!zip) return failed();
    Err err = write_fixed(zip);
    if (err.code != ERR_NONE) {
        zipClose(zip, NULL);
        return err;
    }
    struct writer *w = calloc(1, sizeof *w);
    ASSERT(w);
    w->zip = zip;
    buf_c(&w->text, head);
    *out = w;
    return err;
}

static Err writer_close(void *writer) {
    struct writer *w = writer;
    buf_c(&w->text, "</sheetData></worksheet>");
    Err err = flush(w);
    if (zipCloseFileInZip(w->zip) != ZIP_OK && err.code == ERR_NONE) err = failed();
    if (zipClose(w->zip, NULL) != ZIP_OK && err.code == ERR_NONE) err = failed();
    buf_fini(&w->text);
    free(w);
    return err;
}

const struct sheet_writer xlsx_writer = {writer_open, writer_row, writer_close};
