/* Every cell is UTF-8 within its limits, rows rise, and nothing is read beyond the end. */
#include <string.h>

#include "document/sheet.h"

static Err read_memory(void *ctx, void *into, size_t n, uint64_t at, size_t *got) {
    Str bytes = *(Str *)ctx;
    *got = at >= bytes.len ? 0 : bytes.len - (size_t)at < n ? bytes.len - (size_t)at : n;
    if (*got) memcpy(into, bytes.ptr + at, *got);
    return err_none();
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);
int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size) {
    Str bytes = str_n((const char *)data, size);
    struct sheet_source source = {read_memory, &bytes, size};
    void *reader;
    struct sheet_row row;
    bool more = true;
    size_t before = 0;
    if (sheet_csv_reader.open(&source, &reader).code != ERR_NONE) return 0;
    while (sheet_csv_reader.next(reader, &row, &more).code == ERR_NONE && more) {
        ASSERT(row.number > before && row.n > 0 && row.n <= SHEET_COLUMNS_MAX);
        before = row.number;
        for (size_t i = 0; i < row.n; i++) ASSERT(str_is_utf8(row.cells[i]) && row.cells[i].len <= SHEET_CELL_MAX);
        ASSERT(sheet_csv_reader.passed(reader) <= size);
    }
    sheet_csv_reader.close(reader);
    return 0;
}
