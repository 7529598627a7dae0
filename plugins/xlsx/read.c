/* The sheet itself, parsed piece by piece; the rows of a piece wait in a queue until they are asked for. */
#include <expat.h>
#include <stdlib.h>
#include <string.h>

#include "xlsx.h"

#define PIECE 16384
#define PART "the sheet"
#define ROWS_MAX 1048576

struct cell {
    unsigned column;
    const char *shared; /* a shared text, or NULL: it is in text */
    size_t at, len;
};

struct line {
    size_t number, first, end; /* its cells */
};

struct book {
    XML_Parser parser; /* first: see xlsx_parser */
    struct xlsx_zip zip;
    struct xlsx_parts parts;
    bool ended;
    Err err;
    /* the cell that is being read */
    struct buf value, scratch;
    char type; /* 's' shared 'n' number 'b' bool 't' text */
    enum xlsx_style style;
    unsigned column;
    size_t row;
    bool in_value, in_phonetic;
    size_t row_bytes;
    /* the queue */
    struct buf text;
    struct cell *cells;
    size_t n_cells, cap_cells;
    struct line *lines;
    size_t n_lines, cap_lines, given;
    Str out[SHEET_COLUMNS_MAX];
};

static void stop(struct book *b, Err err) {
    b->err = err;
    XML_StopParser(b->parser, XML_FALSE);
}

/* "AB12" is column 28; 0: none. */
static unsigned column_of(const char *reference) {
    unsigned column = 0;
    for (; *reference >= 'A' && *reference <= 'Z' && column < 20000; reference++)
        column = column * 26 + (unsigned)(*reference - 'A') + 1;
    return column;
}

static void begin_row(struct book *b, const char **attributes) {
    const char *r = xlsx_attribute(attributes, "r");
    size_t number = r ? strtoul(r, NULL, 10) : b->row + 1;
    if (number <= b->row || number > ROWS_MAX) {
        stop(b, err_make(ERR_INVALID, "the XLSX file is damaged: row %zu behind row %zu", number, b->row));
        return;
    }
    b->row = number;
    b->column = 0;
    b->row_bytes = 0;
    struct line line = {.number = number, .first = b->n_cells, .end = b->n_cells};
    VEC_PUSH(b->lines, b->n_lines, b->cap_lines, line);
}

static void begin_cell(struct book *b, const char **attributes) {
    const char *r = xlsx_attribute(attributes, "r"), *type = xlsx_attribute(attributes, "t");
    const char *style = xlsx_attribute(attributes, "s");
    unsigned column = r ? column_of(r) : b->column + 1;
    size_t s = style ? strtoul(style, NULL, 10) : 0;
    if (column <= b->column || b->n_lines == 0) {
        stop(b, err_make(ERR_INVALID, "the XLSX file is damaged: cell '%.12s' is out of place", r ? r : "?"));
        return;
    }
    b->column = column;
    b->type = 't';
    if (!type || strcmp(type, "n") == 0) b->type = 'n';
    if (type && (strcmp(type, "s") == 0 || strcmp(type, "b") == 0)) b->type = *type;
    b->style = s < b->parts.n_styles ? (enum xlsx_style)b->parts.styles[s] : XLSX_PLAIN;
    buf_clear(&b->value);
}

static void XMLCALL on_start(void *ctx, const char *name, const char **attributes) {
    struct book *b = ctx;
    name = xlsx_local(name);
    if (strcmp(name, "row") == 0) begin_row(b, attributes);
    if (strcmp(name, "c") == 0) begin_cell(b, attributes);
    if (strcmp(name, "rPh") == 0) b->in_phonetic = true;
    if (strcmp(name, "v") == 0 || strcmp(name, "t") == 0) b->in_value = !b->in_phonetic;
}

static void XMLCALL on_text(void *ctx, const char *text, int n) {
    struct book *b = ctx;
    if (!b->in_value) return;
    if (b->value.len + (size_t)n > SHEET_CELL_MAX)
        stop(b, err_make(ERR_TOO_LARGE, "row %zu: a cell of more than 64 KiB", b->row));
    else
        buf_add(&b->value, text, (size_t)n);
}

static void keep(struct book *b, Str text, bool shared) {
    struct cell cell = {.column = b->column, .len = text.len, .at = b->text.len};
    b->row_bytes += text.len;
    if (b->column > SHEET_COLUMNS_MAX)
        stop(b, err_make(ERR_TOO_LARGE, "row %zu: more than %d columns: leave out what is not needed", b->row,
                         SHEET_COLUMNS_MAX));
    else if (b->row_bytes > SHEET_ROW_MAX)
        stop(b, err_make(ERR_TOO_LARGE, "row %zu: more than 1 MiB of text", b->row));
    else if (shared)
        cell.shared = text.ptr;
    else
        buf_str(&b->text, text);
    VEC_PUSH(b->cells, b->n_cells, b->cap_cells, cell);
}

static void end_cell(struct book *b) {
    Str text = str_trim(buf_view(&b->value));
    int64_t i;
    if (text.len == 0) return;
    if (b->type == 's') {
        if (!str_to_i64(text, &i) || i < 0 || (size_t)i >= b->parts.n_strings)
            stop(b, err_make(ERR_INVALID, "the XLSX file is damaged: row %zu names a text that is not there", b->row));
        else if (str_trim(b->parts.strings[i]).len > 0)
            keep(b, str_trim(b->parts.strings[i]), true);
        return;
    }
    if (b->type == 'b') text = str_eq_c(text, "1") ? STR("true") : STR("false");
    if (b->type == 'n' && b->style != XLSX_PLAIN && xlsx_moment(text, b->style, b->parts.since_1904, &b->scratch))
        text = buf_view(&b->scratch);
    else if (b->type == 'n')
        text = xlsx_number(text, &b->scratch);
    keep(b, text, false);
}

static void XMLCALL on_end(void *ctx, const char *name) {
    struct book *b = ctx;
    name = xlsx_local(name);
    if (strcmp(name, "v") == 0 || strcmp(name, "t") == 0) b->in_value = false;
    if (strcmp(name, "rPh") == 0) b->in_phonetic = false;
    if (strcmp(name, "c") == 0 && b->n_lines > 0 && b->err.code == ERR_NONE) end_cell(b);
    if (strcmp(name, "row") != 0 || b->n_lines == 0) return;
    struct line *line = &b->lines[b->n_lines - 1];
    line->end = b->n_cells;
    if (line->end == line->first) b->n_lines--; /* nothing in it */
}

/* A row that is still open stays: its cells are moved to the front. */
static void clear_queue(struct book *b) {
    struct line open = {0};
    bool is_open = b->given < b->n_lines;
    if (is_open) open = b->lines[b->n_lines - 1];
    size_t kept = is_open ? b->n_cells - open.first : 0;
    if (kept > 0) {
        size_t from = b->cells[open.first].at;
        buf_consume(&b->text, from);
        memmove(b->cells, b->cells + open.first, kept * sizeof *b->cells);
        for (size_t i = 0; i < kept; i++) b->cells[i].at -= from;
    } else {
        buf_clear(&b->text);
    }
    b->n_cells = kept;
    b->n_lines = 0;
    b->given = 0;
    open.first = open.end = 0;
    if (is_open) VEC_PUSH(b->lines, b->n_lines, b->cap_lines, open);
}

static Err parse_piece(struct book *b) {
    char piece[PIECE];
    unsigned got;
    clear_queue(b);
    TRY(xlsx_zip_read(&b->zip, piece, sizeof piece, &got));
    b->ended = got == 0;
    if (XML_Parse(b->parser, piece, (int)got, b->ended) == XML_STATUS_OK) return b->err;
    return b->err.code != ERR_NONE ? b->err : xlsx_fault(b->parser, PART);
}

static void give(struct book *b, struct sheet_row *row) {
    const struct line *line = &b->lines[b->given++];
    *row = (struct sheet_row){.number = line->number, .cells = b->out};
    for (size_t i = line->first; i < line->end; i++) {
        const struct cell *cell = &b->cells[i];
        while (row->n + 1 < cell->column) b->out[row->n++] = (Str){0};
        b->out[row->n++] = (Str){cell->shared ? cell->shared : b->text.ptr + cell->at, cell->len};
    }
}

static Err book_next(void *reader, struct sheet_row *row, bool *more) {
    struct book *b = reader;
    for (;;) {
        /* the last line may still grow, unless its end was seen */
        bool whole = b->given < b->n_lines && b->lines[b->given].end > b->lines[b->given].first;
        *more = whole;
        if (whole) {
            give(b, row);
            return err_none();
        }
        if (b->ended) return err_none();
        TRY(parse_piece(b));
    }
}

static uint64_t book_passed(const void *reader) {
    const struct book *b = reader;
    ZPOS64_T at = unzGetCurrentFileZStreamPos64(b->zip.zip);
    return b->ended || at > b->zip.source->size ? b->zip.source->size : at;
}

static void book_close(void *reader) {
    struct book *b = reader;
    if (b->parser) XML_ParserFree(b->parser);
    xlsx_zip_close(&b->zip);
    xlsx_parts_fini(&b->parts);
    buf_fini(&b->value);
    buf_fini(&b->scratch);
    buf_fini(&b->text);
    free(b->cells);
    free(b->lines);
    free(b);
}

static Err open_sheet(struct book *b, const struct sheet_source *source) {
    bool there;
    TRY(xlsx_zip_open(&b->zip, source));
    TRY(xlsx_parts_read(&b->parts, &b->zip));
    TRY(xlsx_zip_part(&b->zip, b->parts.sheet.ptr, &there));
    if (!there) return err_make(ERR_INVALID, "the XLSX file is damaged: its first sheet is not there");
    xlsx_parser(b);
    XML_SetElementHandler(b->parser, on_start, on_end);
    XML_SetCharacterDataHandler(b->parser, on_text);
    return err_none();
}

static Err book_open(const struct sheet_source *source, void **out) {
    struct book *b = calloc(1, sizeof *b);
    ASSERT(b);
    Err err = open_sheet(b, source);
    if (err.code != ERR_NONE)
        book_close(b);
    else
        *out = b;
    return err;
}

const struct sheet_reader xlsx_reader = {book_open, book_next, book_passed, book_close};
