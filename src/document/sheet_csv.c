/*
 * CSV as spreadsheets of many countries write it. Reading is lenient where the meaning is clear (a quote inside an
 * unquoted field, text behind a closing quote), and stops with the row's number where it is not: what does not end
 * within SHEET_ROW_MAX would swallow the rest of the file.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/time.h"
#include "document/sheet.h"
#include "os/charset.h"
#include "os/file.h"

#define BLOCK ((size_t)256 << 10)

struct csv_reader {
    const struct sheet_source *source;
    uint64_t at;
    bool ended;
    struct charset *charset; /* NULL: UTF-8 as it is */
    struct buf raw, text;    /* raw: bytes not yet decoded */
    size_t pos;              /* in text */
    char delimiter;
    size_t rows;       /* begun so far */
    struct buf fields; /* of this row, one behind the other */
    size_t starts[SHEET_COLUMNS_MAX + 1];
    Str cells[SHEET_COLUMNS_MAX];
    size_t n;
};

/* ---- bytes to text */

static Err fill(struct csv_reader *r) {
    size_t got, used;
    struct buf *into = r->charset ? &r->raw : &r->text;
    buf_consume(&r->text, r->pos);
    r->pos = 0;
    buf_reserve(into, BLOCK);
    TRY(r->source->read(r->source->ctx, into->ptr + into->len, BLOCK, r->at, &got));
    into->len += got;
    r->at += got;
    r->ended = got < BLOCK;
    if (!r->charset) return err_none();
    Err err = charset_convert(r->charset, buf_view(&r->raw), &r->text, &used);
    if (err.code != ERR_NONE) return err_make(err.code, "near row %zu: %s", r->rows + 1, err.text);
    buf_consume(&r->raw, used);
    if (r->ended && r->raw.len > 0)
        return err_make(ERR_INVALID, "the last character is cut off: was the file sent whole?");
    return err_none();
}

/* Bytes of an unfinished character at the end of a block. */
static size_t cut_off(const char *p, size_t n) {
    for (size_t back = 1; back <= 3 && back <= n; back++) {
        unsigned char c = (unsigned char)p[n - back];
        if (c < 0x80) return 0;
        if (c >= 0xC0) return (c >= 0xF0 ? 4u : c >= 0xE0 ? 3u : 2u) > back ? back : 0;
    }
    return 0;
}

static Err is_utf8(const struct sheet_source *source, bool *out) {
    char *block = malloc(BLOCK);
    ASSERT(block);
    size_t kept = 0, got = 0;
    Err err = err_none();
    *out = true;
    for (uint64_t at = 0; *out; at += got) {
        err = source->read(source->ctx, block + kept, BLOCK - kept, at, &got);
        if (err.code != ERR_NONE) break;
        size_t n = kept + got;
        bool last = got < BLOCK - kept;
        kept = last ? 0 : cut_off(block, n);
        *out = str_is_utf8(str_n(block, n - kept));
        memmove(block, block + n - kept, kept);
        if (last) break;
    }
    free(block);
    return err;
}

static Err find_charset(struct csv_reader *r) {
    char mark[3] = {0};
    size_t got;
    bool utf8;
    TRY(r->source->read(r->source->ctx, mark, sizeof mark, 0, &got));
    if (got == 3 && memcmp(mark, "\xEF\xBB\xBF", 3) == 0) r->at = 3;
    if (got >= 2 && (memcmp(mark, "\xFF\xFE", 2) == 0 || memcmp(mark, "\xFE\xFF", 2) == 0)) {
        r->at = 2;
        return charset_open(mark[0] == '\xFF' ? "UTF-16LE" : "UTF-16BE", &r->charset);
    }
    TRY(is_utf8(r->source, &utf8));
    if (utf8) return err_none();
    r->at = 0;
    return charset_open("GB18030", &r->charset);
}

/* ---- the delimiter: the commonest candidate of the first row, outside quotes */

static char find_delimiter(Str text) {
    static const char candidates[] = ",;\t|";
    size_t counts[4] = {0}, best = 0;
    bool quoted = false;
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        if (c == '"') quoted = !quoted;
        if (!quoted && (c == '\n' || c == '\r') && i > 0) break;
        const char *at = c && !quoted ? strchr(candidates, c) : NULL;
        if (at) counts[at - candidates]++;
    }
    for (size_t i = 1; i < 4; i++)
        if (counts[i] > counts[best]) best = i;
    return candidates[best];
}

/* Excel's own first line, "sep=;". */
static bool take_separator_line(struct csv_reader *r) {
    Str text = buf_view(&r->text);
    if (text.len < 5 || !str_eq_nocase(str_slice(text, 0, 4), STR("sep="))) return false;
    if (text.len > 5 && text.ptr[5] != '\n' && text.ptr[5] != '\r') return false;
    r->delimiter = text.ptr[4];
    r->pos = str_starts(str_slice(text, 5, text.len), STR("\r\n")) ? 7 : text.len > 5 ? 6 : 5;
    r->rows = 1;
    return true;
}

/* ---- text to rows */

enum outcome { ROW_WHOLE, ROW_MORE, ROW_LONG, ROW_WIDE, ROW_NUL };

static void end_field(struct csv_reader *r) {
    r->n++;
    r->starts[r->n] = r->fields.len;
}

/* From behind an opening quote to behind the closing one; false: it does not end here. */
static bool take_quoted(struct csv_reader *r, size_t *at) {
    const char *p = r->text.ptr;
    for (;; (*at)++) {
        const char *quote = memchr(p + *at, '"', r->text.len - *at);
        if (!quote) return false;
        size_t q = (size_t)(quote - p);
        buf_add(&r->fields, p + *at, q - *at);
        *at = q + 1;
        if (*at == r->text.len && !r->ended) return false; /* it may be doubled */
        if (*at == r->text.len || p[*at] != '"') return true;
        buf_byte(&r->fields, '"');
    }
}

static enum outcome take_row(struct csv_reader *r, size_t *end) {
    const char *p = r->text.ptr;
    size_t at = r->pos, len = r->text.len;
    buf_clear(&r->fields);
    r->n = 0;
    r->starts[0] = 0;
    for (;;) {
        if (r->n == SHEET_COLUMNS_MAX) return ROW_WIDE;
        if (at < len && p[at] == '"') {
            at++;
            if (!take_quoted(r, &at)) return len - r->pos > SHEET_ROW_MAX ? ROW_LONG : ROW_MORE;
        }
        size_t from = at;
        while (at < len && p[at] != r->delimiter && p[at] != '\n' && p[at] != '\r') at++;
        if (memchr(p + from, '\0', at - from)) return ROW_NUL;
        buf_add(&r->fields, p + from, at - from);
        if (at - r->pos > SHEET_ROW_MAX) return ROW_LONG;
        if (at == len && !r->ended) return ROW_MORE;
        end_field(r);
        if (at == len || p[at] != r->delimiter) break;
        at++;
    }
    if (at < len && p[at] == '\r') {
        if (at + 1 == len && !r->ended) return ROW_MORE;
        if (at + 1 < len && p[at + 1] == '\n') at++;
    }
    *end = at < len ? at + 1 : at;
    return ROW_WHOLE;
}

static Err fault(const struct csv_reader *r, enum outcome what) {
    static const char *const texts[] = {
        [ROW_MORE] = "a quoted text that begins here does not end: close it with a quote",
        [ROW_LONG] = "longer than 1 MiB: is a quote not closed?",
        [ROW_WIDE] = "more than 256 columns: leave out what is not needed",
        [ROW_NUL] = "a NUL byte: this is no text file",
    };
    return err_make(what == ROW_LONG || what == ROW_WIDE ? ERR_TOO_LARGE : ERR_INVALID, "row %zu: %s", r->rows,
                    texts[what]);
}

static bool point_at_cells(struct csv_reader *r, bool *too_long) {
    bool any = false;
    for (size_t i = 0; i < r->n; i++) {
        r->cells[i] = str_trim(str_n(r->fields.ptr + r->starts[i], r->starts[i + 1] - r->starts[i]));
        any |= r->cells[i].len > 0;
        *too_long |= r->cells[i].len > SHEET_CELL_MAX;
    }
    return any;
}

static Err csv_reader_next(void *reader, struct sheet_row *row, bool *more) {
    struct csv_reader *r = reader;
    *more = false;
    for (;;) {
        bool too_long = false;
        size_t end = 0;
        if (r->pos == r->text.len && r->ended) return err_none();
        r->rows++;
        enum outcome what = take_row(r, &end);
        while (what == ROW_MORE && !r->ended) {
            TRY(fill(r));
            what = take_row(r, &end);
        }
        if (what != ROW_WHOLE) return fault(r, what);
        r->pos = end;
        bool any = point_at_cells(r, &too_long);
        if (too_long) return err_make(ERR_TOO_LARGE, "row %zu: a cell of more than 64 KiB", r->rows);
        if (!any) continue;
        *row = (struct sheet_row){.number = r->rows, .cells = r->cells, .n = r->n};
        *more = true;
        return err_none();
    }
}

static void csv_reader_close(void *reader) {
    struct csv_reader *r = reader;
    charset_close(r->charset);
    buf_fini(&r->raw);
    buf_fini(&r->text);
    buf_fini(&r->fields);
    free(r);
}

static Err csv_reader_open(const struct sheet_source *source, void **out) {
    struct csv_reader *r = calloc(1, sizeof *r);
    ASSERT(r);
    r->source = source;
    buf_reserve(&r->fields, 1); /* so that what is empty still has a place */
    buf_reserve(&r->text, 1);
    Err err = find_charset(r);
    if (err.code == ERR_NONE) err = fill(r);
    if (err.code != ERR_NONE) {
        csv_reader_close(r);
        return err;
    }
    if (!take_separator_line(r)) r->delimiter = find_delimiter(buf_view(&r->text));
    *out = r;
    return err;
}

static uint64_t csv_reader_passed(const void *reader) {
    const struct csv_reader *r = reader;
    uint64_t waits = r->raw.len + r->text.len - r->pos;
    return r->at > waits ? r->at - waits : 0;
}

const struct sheet_reader sheet_csv_reader = {csv_reader_open, csv_reader_next, csv_reader_passed, csv_reader_close};

/* ---- writing */

struct csv_writer {
    struct file *file;
    uint64_t at;
    struct buf text;
};

static Err flush(struct csv_writer *w) {
    TRY(file_write(w->file, w->text.ptr, w->text.len, w->at));
    w->at += w->text.len;
    buf_clear(&w->text);
    return err_none();
}

/* A text that a spreadsheet would take for a formula gets an apostrophe in front, which it shows as the text itself. */
static void add_text(struct buf *out, Str s) {
    bool formula = s.len > 0 && s.ptr[0] && strchr("=+-@\t\r", s.ptr[0]);
    bool plain = !formula;
    for (size_t i = 0; i < s.len && plain; i++)
        plain = s.ptr[i] != ',' && s.ptr[i] != '"' && (unsigned char)s.ptr[i] >= ' ';
    if (plain && !(s.len && (s.ptr[0] == ' ' || s.ptr[s.len - 1] == ' '))) {
        buf_str(out, s);
        return;
    }
    buf_byte(out, '"');
    if (formula) buf_byte(out, '\'');
    for (size_t i = 0; i < s.len; i++) {
        if (s.ptr[i] == '"') buf_byte(out, '"');
        buf_byte(out, (uint8_t)s.ptr[i]);
    }
    buf_byte(out, '"');
}

static void add_cell(struct buf *out, const struct sheet_cell *cell) {
    char text[TIME_TEXT_MAX];
    int year, month, day, hour, minute, second;
    switch (cell->kind) {
    case SHEET_TEXT: add_text(out, cell->text); return;
    case SHEET_NUMBER: buf_str(out, cell->text); return;
    case SHEET_TIME: buf_str(out, time_format(cell->value, text)); return;
    case SHEET_DATE:
        time_civil(cell->value * NANOS_PER_DAY, &year, &month, &day, &hour, &minute, &second);
        buf_printf(out, "%04d-%02d-%02d", year, month, day);
        return;
    }
}

static Err csv_writer_row(void *writer, const struct sheet_cell *cells, size_t n, bool heading) {
    struct csv_writer *w = writer;
    (void)heading;
    for (size_t i = 0; i < n; i++) {
        if (i > 0) buf_byte(&w->text, ',');
        add_cell(&w->text, &cells[i]);
    }
    buf_c(&w->text, "\r\n");
    return w->text.len < BLOCK ? err_none() : flush(w);
}

static Err csv_writer_open(const char *path, void **out) {
    struct csv_writer *w = calloc(1, sizeof *w);
    ASSERT(w);
    Err err = file_open(file_disk, path, FILE_WRITE | FILE_CREATE | FILE_TRUNCATE | FILE_PRIVATE, &w->file);
    if (err.code != ERR_NONE) {
        free(w);
        return err;
    }
    buf_c(&w->text, "\xEF\xBB\xBF");
    *out = w;
    return err;
}

static Err csv_writer_close(void *writer) {
    struct csv_writer *w = writer;
    Err err = flush(w);
    file_close(w->file);
    buf_fini(&w->text);
    free(w);
    return err;
}

const struct sheet_writer sheet_csv_writer = {csv_writer_open, csv_writer_row, csv_writer_close};
