#include "document/sheet.h"

#include <stdio.h>
#include <string.h>

#include "os/file.h"
#include "tests/unit.h"

static Err read_memory(void *ctx, void *into, size_t n, uint64_t at, size_t *got) {
    Str bytes = *(Str *)ctx;
    *got = at >= bytes.len ? 0 : bytes.len - (size_t)at < n ? bytes.len - (size_t)at : n;
    if (*got) memcpy(into, bytes.ptr + at, *got);
    return err_none();
}

/* The table as "1:a|b 2:c|d", or the failure's text. */
static Str shown(Str bytes, struct buf *out) {
    struct sheet_source source = {read_memory, &bytes, bytes.len};
    struct sheet *sheet;
    struct sheet_row row;
    bool more;
    buf_clear(out);
    Err err = sheet_open(&source, &sheet);
    if (err.code != ERR_NONE) buf_c(out, err.text);
    if (err.code != ERR_NONE) return buf_view(out);
    while ((err = sheet_next(sheet, &row, &more)).code == ERR_NONE && more) {
        buf_printf(out, "%s%zu:", out->len ? " " : "", row.number);
        for (size_t i = 0; i < row.n; i++) buf_printf(out, "%s" STR_FMT, i ? "|" : "", STR_ARG(row.cells[i]));
    }
    if (err.code != ERR_NONE) buf_printf(out, "%s%s", out->len ? " " : "", err.text);
    sheet_close(sheet);
    return buf_view(out);
}

static const struct {
    const char *name;
    Str bytes, want;
} reads[] = {
    {"plain", STR_INIT("a,b\n1,2\n"), STR_INIT("1:a|b 2:1|2")},
    {"no last line end", STR_INIT("a,b\n1,2"), STR_INIT("1:a|b 2:1|2")},
    {"CRLF, empty rows keep their number", STR_INIT("a,b\r\n\r\n,\r\n1,2\r\n"), STR_INIT("1:a|b 4:1|2")},
    {"CR alone", STR_INIT("a,b\r1,2\r"), STR_INIT("1:a|b 2:1|2")},
    {"a mark",
     STR_INIT("\xEF\xBB\xBF"
              "名称,b\n"),
     STR_INIT("1:名称|b")},
    {"semicolons", STR_INIT("a;b;c\n1,5;2;3\n"), STR_INIT("1:a|b|c 2:1,5|2|3")},
    {"tabs", STR_INIT("a\tb\n1\t2\n"), STR_INIT("1:a|b 2:1|2")},
    {"Excel's line", STR_INIT("sep=|\r\na|b,c\r\n"), STR_INIT("2:a|b,c")},
    {"quotes", STR_INIT("a,b\n\"x,\"\"y\"\"\nz\",2\n"), STR_INIT("1:a|b 2:x,\"y\"\nz|2")},
    {"a quote inside, text behind one", STR_INIT("a\"b,\"c\"d\n"), STR_INIT("1:a\"b|cd")},
    {"blanks around", STR_INIT(" a , b \n"), STR_INIT("1:a|b")},
    {"GB18030", STR_INIT("\xD6\xD0,\xB9\xFA\n"), STR_INIT("1:中|国")},
    {"UTF-16",
     STR_INIT("\xFF\xFE"
              "a\0,\0-N\n\0"),
     STR_INIT("1:a|中")},
    {"empty", STR_INIT(""), STR_INIT("")},
    {"a quote that does not end", STR_INIT("a,b\n1,\"2\n"),
     STR_INIT("1:a|b row 2: a quoted text that begins here does not end: close it with a quote")},
    {"no text", STR_INIT("a,b\n1,\0\n"), STR_INIT("1:a|b row 2: a NUL byte: this is no text file")},
    {"old Excel", STR_INIT("\xD0\xCF\x11\xE0\xA1\xB1"),
     STR_INIT("the file is an old or encrypted Excel file: save it as XLSX without a password, or as CSV")},
};

/* ---- XLSX; files under tests/golden/sheets, made by openpyxl, XlsxWriter and by hand */

static const struct {
    const char *file, *want;
} books[] = {
    {"openpyxl.xlsx", "1:编号|name|price|made|at|ok|note 2:A-1|中文 & <b>|12.3|2026-03-08|2026-03-08T10:20:30|true "
                      "3:A-2|two|64.1|1999-12-31|07:30:00|false|x 5:A-3||1234567890123 6:A-4||0.3"},
    {"xlsxwriter.xlsx", "1:no|made|text|n 2:1|2026-03-08|a bold z|-0.000015 3:7|||1000000000000000000000"},
    {"plain.xlsx", "3:|hi|#N/A"},
    {"bomb.xlsx", "the XLSX file unpacks to far more than a table of its size: send it as CSV"},
    {"entities.xlsx", "the XLSX file is damaged (the sheet:1: parsing aborted): save it anew in a spreadsheet program"},
    {"external.xlsx", "the XLSX file is damaged (the sheet:1: parsing aborted): save it anew in a spreadsheet program"},
    {"entries.xlsx", "the XLSX file has more than 1000 parts: save only the table that is meant"},
    {"no_sheet.xlsx", "the file is a zip, but no XLSX: save the table as XLSX or CSV"},
    {"twisted.xlsx", "the XLSX file is damaged: cell 'A5' is out of place"},
};

static void test_books(void) {
    struct buf bytes = {0}, out = {0};
    char path[300];
    for (size_t i = 0; i < sizeof books / sizeof *books; i++) {
        unit_case(books[i].file);
        snprintf(path, sizeof path, "tests/golden/sheets/%s", books[i].file);
        buf_clear(&bytes);
        if (CHECK_OK(file_load(file_disk, path, 1000000, &bytes)))
            CHECK_STR(shown(buf_view(&bytes), &out), str_c(books[i].want));
    }
    unit_case("an XLSX cut off anywhere is an error that says so, never more");
    buf_clear(&bytes);
    CHECK_OK(file_load(file_disk, "tests/golden/sheets/openpyxl.xlsx", 1000000, &bytes));
    for (size_t n = 4; n + 60 < bytes.len; n += 37) shown(str_slice(buf_view(&bytes), 0, n), &out);
    CHECK_STR(buf_view(&out), STR("the XLSX file is damaged: open it in a spreadsheet program and save it anew"));
    buf_fini(&bytes);
    buf_fini(&out);
}

static void test_book_writer(void) {
    static const struct sheet_cell heading[] = {{SHEET_TEXT, STR_INIT("名称"), 0}, {SHEET_TEXT, STR_INIT("n"), 0}};
    static const struct sheet_cell cells[] = {{SHEET_TEXT, STR_INIT("=1+1 <&>"), 0},
                                              {SHEET_NUMBER, STR_INIT("64.10"), 0},
                                              {SHEET_NUMBER, STR_INIT("12345678901234567.89"), 0},
                                              {SHEET_DATE, {0}, 20520},
                                              {SHEET_TIME, {0}, INT64_C(1772965230500000000)},
                                              {SHEET_TEXT, {0}, 0},
                                              {SHEET_TEXT, STR_INIT("end"), 0}};
    const struct sheet_plugin *plugin;
    struct buf bytes = {0}, out = {0};
    char path[300];
    void *writer;
    unit_case("an XLSX that was written is read again: exact decimals, dates, texts");
    snprintf(path, sizeof path, "%s/x.xlsx", unit_temp_dir());
    if (!CHECK_OK(sheet_xlsx(&plugin)) || !CHECK_OK(plugin->writer->open(path, &writer))) return;
    CHECK_OK(plugin->writer->row(writer, heading, 2, true));
    CHECK_OK(plugin->writer->row(writer, cells, 7, false));
    CHECK_OK(plugin->writer->close(writer));
    CHECK_OK(file_load(file_disk, path, 100000, &bytes));
    CHECK_STR(shown(buf_view(&bytes), &out),
              STR("1:名称|n 2:=1+1 <&>|64.10|12345678901234567.89|2026-03-08|2026-03-08T10:20:30.500||end"));
    buf_fini(&bytes);
    buf_fini(&out);
}

static void test_blocks(void) {
    struct buf bytes = {0}, out = {0};
    unit_case("rows across blocks, 1,000,000 bytes");
    buf_c(&bytes, "n,text\n");
    size_t n = 0;
    while (bytes.len < 1000000) buf_printf(&bytes, "%zu,\"中文 \"\"%zu\"\"\r\n\"\n", n, n), n++;
    Str view = buf_view(&bytes);
    struct sheet_source source = {read_memory, &view, view.len};
    struct sheet *sheet;
    struct sheet_row row;
    bool more;
    if (!CHECK_OK(sheet_open(&source, &sheet))) return;
    CHECK_OK(sheet_next(sheet, &row, &more));
    size_t good = 0;
    while (CHECK_OK(sheet_next(sheet, &row, &more)) && more) {
        buf_clear(&out);
        buf_printf(&out, "中文 \"%zu\"", good);
        if (row.n == 2 && str_eq(row.cells[1], buf_view(&out)) && row.number == good + 2) good++;
    }
    CHECK_INT(good, n);
    CHECK_INT(sheet_passed(sheet), view.len);
    sheet_close(sheet);
    buf_fini(&bytes);
    buf_fini(&out);
}

static void test_limits(void) {
    struct buf bytes = {0}, out = {0};
    unit_case("a quote that swallows the file stops at 1 MiB, and says where");
    buf_c(&bytes, "a,b\n1,\"");
    while (bytes.len < ((size_t)3 << 20)) buf_c(&bytes, "2\n");
    CHECK_STR(shown(buf_view(&bytes), &out), STR("1:a|b row 2: longer than 1 MiB: is a quote not closed?"));
    unit_case("257 columns");
    buf_clear(&bytes);
    for (int i = 0; i < 256; i++) buf_c(&bytes, "x,");
    buf_c(&bytes, "x\n");
    CHECK_STR(shown(buf_view(&bytes), &out), STR("row 1: more than 256 columns: leave out what is not needed"));
    buf_fini(&bytes);
    buf_fini(&out);
}

static void test_writer(void) {
    static const struct sheet_cell cells[] = {{SHEET_TEXT, STR_INIT("=1+1"), 0},
                                              {SHEET_TEXT, STR_INIT("a,\"b\""), 0},
                                              {SHEET_NUMBER, STR_INIT("-1.50"), 0},
                                              {SHEET_DATE, {0}, 20520},
                                              {SHEET_TIME, {0}, 0},
                                              {SHEET_TEXT, STR_INIT("中"), 0}};
    char path[300];
    struct buf text = {0};
    void *writer;
    unit_case("what is written: formulas disarmed, numbers and dates as they are");
    snprintf(path, sizeof path, "%s/x.csv", unit_temp_dir());
    if (!CHECK_OK(sheet_csv_writer.open(path, &writer))) return;
    CHECK_OK(sheet_csv_writer.row(writer, cells, 6, false));
    CHECK_OK(sheet_csv_writer.close(writer));
    CHECK_OK(file_load(file_disk, path, 1000, &text));
    CHECK_STR(buf_view(&text),
              STR("\xEF\xBB\xBF\"'=1+1\",\"a,\"\"b\"\"\",-1.50,2026-03-08,1970-01-01T00:00:00Z,中\r\n"));
    buf_fini(&text);
}

void sheet_test(void) {
    struct buf out = {0};
    for (size_t i = 0; i < sizeof reads / sizeof *reads; i++) {
        unit_case(reads[i].name);
        CHECK_STR(shown(reads[i].bytes, &out), reads[i].want);
    }
    buf_fini(&out);
    test_blocks();
    test_limits();
    test_writer();
    test_books();
    test_book_writer();
}
