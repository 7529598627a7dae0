#include "document/sheet.h"

#include <stdlib.h>

#include "os/plugin.h"

struct sheet {
    const struct sheet_reader *form;
    void *reader;
};

Err sheet_xlsx(const struct sheet_plugin **out) {
    const void *table;
    TRY(plugin_open("xlsx", &table));
    *out = table;
    return err_none();
}

static Err find_form(const struct sheet_source *source, const struct sheet_reader **out) {
    static const char ole[] = "\xD0\xCF\x11\xE0";
    char start[4] = {0};
    size_t got;
    TRY(source->read(source->ctx, start, sizeof start, 0, &got));
    if (got == 4 && str_eq(str_n(start, 4), STR("PK\3\4"))) {
        const struct sheet_plugin *plugin;
        TRY(sheet_xlsx(&plugin));
        *out = plugin->reader;
        return err_none();
    }
    if (got == 4 && str_eq(str_n(start, 4), str_n(ole, 4)))
        return err_make(ERR_INVALID, "the file is an old or encrypted Excel file: save it as XLSX without a password, "
                                     "or as CSV");
    *out = &sheet_csv_reader;
    return err_none();
}

Err sheet_open(const struct sheet_source *source, struct sheet **out) {
    const struct sheet_reader *form = NULL;
    void *reader;
    TRY(find_form(source, &form));
    TRY(form->open(source, &reader));
    struct sheet *sheet = calloc(1, sizeof *sheet);
    ASSERT(sheet);
    *sheet = (struct sheet){form, reader};
    *out = sheet;
    return err_none();
}

Err sheet_next(struct sheet *sheet, struct sheet_row *row, bool *more) {
    return sheet->form->next(sheet->reader, row, more);
}

uint64_t sheet_passed(const struct sheet *sheet) { return sheet->form->passed(sheet->reader); }

const char *sheet_form(const struct sheet *sheet) { return sheet->form == &sheet_csv_reader ? "csv" : "xlsx"; }

void sheet_close(struct sheet *sheet) {
    if (!sheet) return;
    sheet->form->close(sheet->reader);
    free(sheet);
}
