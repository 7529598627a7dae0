#include "app/cmd_worker.h"

#include <stdio.h>
#include <string.h>

#include "document/print_form.h"
#include "os/plugin.h"

#define SHEET_MAX ((size_t)32 << 20)

static Err read_sheet(struct buf *sheet) {
    for (size_t n = 1; n > 0 && sheet->len <= SHEET_MAX; sheet->len += n) {
        buf_reserve(sheet, 65536);
        n = fread(sheet->ptr + sheet->len, 1, 65536, stdin);
    }
    return sheet->len <= SHEET_MAX ? err_none() : err_make(ERR_TOO_LARGE, "the sheet has more than 32 MiB");
}

static Err print(void) {
    const void *table;
    struct buf sheet = {0}, pdf = {0};
    TRY(plugin_open("print", &table));
    Err err = read_sheet(&sheet);
    if (err.code == ERR_NONE) err = ((const struct print_plugin *)table)->pdf(buf_view(&sheet), &pdf);
    if (err.code == ERR_NONE && (fwrite(pdf.ptr, 1, pdf.len, stdout) != pdf.len || fflush(stdout) != 0))
        err = err_make(ERR_IO, "the PDF cannot be handed over");
    buf_fini(&sheet);
    buf_fini(&pdf);
    return err;
}

int cmd_worker(int argc, char **argv) {
    if (argc != 2 || strcmp(argv[1], "print") != 0) {
        fprintf(stderr, "usage: weft worker print <SHEET.json >PAGE.pdf   (the server runs it)\n");
        return argc == 2 && strcmp(argv[1], "--help") == 0 ? 0 : 2;
    }
    Err err = print();
    if (err.code == ERR_NONE) return 0;
    fprintf(stderr, "weft worker print: %s\n", err.text);
    return 1;
}
