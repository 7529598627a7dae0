/*
 * A sheet (document/print_form.h) on A4 or on a label of 100 × 60 mm. The page is laid out twice: once to count the
 * pages, once to say "1 / 3" on them. Lengths are points.
 */
#include <cairo/cairo-pdf.h>
#include <pango/pangocairo.h>
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "base/qr.h"
#include "document/print_form.h"

#define PAGE_W 595.28
#define PAGE_H 841.89
#define LABEL_W 283.46
#define LABEL_H 170.08
#define MARGIN 42.0
#define BOTTOM (PAGE_H - 56.0)
#define INSIDE (PAGE_W - 2 * MARGIN)
#define QR_SIZE 86.0
#define COLUMNS_MAX 64
#define FONT "Noto Sans CJK SC, Noto Sans, sans-serif"

struct press {
    const struct json *sheet;
    cairo_surface_t *surface;
    cairo_t *cr;
    double y;
    int page, pages;
    bool zh;
};

/* ---- words */

enum side { LEFT, RIGHT };

static PangoLayout *lay(struct press *p, Str text, double size, bool bold, double width, enum side side) {
    PangoLayout *layout = pango_cairo_create_layout(p->cr);
    PangoFontDescription *font = pango_font_description_from_string(FONT);
    pango_font_description_set_absolute_size(font, size * PANGO_SCALE);
    pango_font_description_set_weight(font, bold ? PANGO_WEIGHT_BOLD : PANGO_WEIGHT_NORMAL);
    pango_layout_set_font_description(layout, font);
    pango_font_description_free(font);
    pango_layout_set_text(layout, text.len ? text.ptr : "", (int)text.len);
    pango_layout_set_wrap(layout, PANGO_WRAP_WORD_CHAR);
    if (width > 0) pango_layout_set_width(layout, (int)(width * PANGO_SCALE));
    if (side == RIGHT) pango_layout_set_alignment(layout, PANGO_ALIGN_RIGHT);
    return layout;
}

static double height_of(PangoLayout *layout) {
    int w, h;
    pango_layout_get_size(layout, &w, &h);
    return (double)h / PANGO_SCALE;
}

static double width_of(struct press *p, Str text, double size, bool bold) {
    int w, h;
    PangoLayout *layout = lay(p, text, size, bold, 0, LEFT);
    pango_layout_get_size(layout, &w, &h);
    g_object_unref(layout);
    return (double)w / PANGO_SCALE;
}

/* Draws, and says how high it is. */
static double put(struct press *p, Str text, double x, double y, double width, double size, bool bold, enum side side) {
    PangoLayout *layout = lay(p, text, size, bold, width, side);
    double h = height_of(layout);
    cairo_move_to(p->cr, x, y);
    pango_cairo_show_layout(p->cr, layout);
    g_object_unref(layout);
    return h;
}

static void ink(struct press *p, double grey) { cairo_set_source_rgb(p->cr, grey, grey, grey); }

static void rule(struct press *p, double x, double y, double width, double grey) {
    ink(p, grey);
    cairo_set_line_width(p->cr, 0.6);
    cairo_move_to(p->cr, x, y);
    cairo_line_to(p->cr, x + width, y);
    cairo_stroke(p->cr);
    ink(p, 0);
}

static Str text_of(const struct json *o, const char *key) { return json_get_str(o, key, STR("")); }

static void put_qr(struct press *p, double x, double y, double size) {
    struct qr qr;
    Str url = text_of(p->sheet, "url");
    if (url.len == 0 || qr_make(url, &qr).code != ERR_NONE) return;
    double module = size / qr.size;
    ink(p, 0);
    cairo_set_antialias(p->cr, CAIRO_ANTIALIAS_NONE);
    for (unsigned r = 0; r < qr.size; r++)
        for (unsigned c = 0; c < qr.size; c++)
            if (qr.modules[r * qr.size + c] & 1) cairo_rectangle(p->cr, x + c * module, y + r * module, module, module);
    cairo_fill(p->cr);
    cairo_set_antialias(p->cr, CAIRO_ANTIALIAS_DEFAULT);
    qr_fini(&qr);
}

/* ---- pages */

static void footer(struct press *p) {
    char place[32];
    Str number = text_of(p->sheet, "number");
    ink(p, 0.4);
    put(p, number, MARGIN, PAGE_H - 36, INSIDE / 2, 8, false, LEFT);
    snprintf(place, sizeof place, "%d / %d", p->page, p->pages);
    put(p, str_c(place), MARGIN + INSIDE / 2, PAGE_H - 36, INSIDE / 2, 8, false, RIGHT);
    double width = INSIDE;
    PangoLayout *layout = lay(p, text_of(p->sheet, "printed"), 8, false, width, LEFT);
    pango_layout_set_alignment(layout, PANGO_ALIGN_CENTER);
    cairo_move_to(p->cr, MARGIN, PAGE_H - 36);
    pango_cairo_show_layout(p->cr, layout);
    g_object_unref(layout);
    ink(p, 0);
}

static void new_page(struct press *p) {
    footer(p);
    cairo_show_page(p->cr);
    p->page++;
    p->y = MARGIN;
}

static void head(struct press *p) {
    bool code = text_of(p->sheet, "url").len > 0;
    double width = INSIDE - (code ? QR_SIZE + 16 : 0), top = p->y;
    if (code) put_qr(p, PAGE_W - MARGIN - QR_SIZE, top, QR_SIZE);
    ink(p, 0.35);
    if (text_of(p->sheet, "party").len)
        p->y += put(p, text_of(p->sheet, "party"), MARGIN, p->y, width, 10, false, LEFT) + 4;
    ink(p, 0);
    p->y += put(p, text_of(p->sheet, "title"), MARGIN, p->y, width, 21, true, LEFT) + 4;
    p->y += put(p, text_of(p->sheet, "number"), MARGIN, p->y, width, 13, false, LEFT) + 2;
    ink(p, 0.35);
    p->y += put(p, text_of(p->sheet, "state"), MARGIN, p->y, width, 11, false, LEFT);
    ink(p, 0);
    if (code && p->y < top + QR_SIZE) p->y = top + QR_SIZE;
    p->y += 12;
    rule(p, MARGIN, p->y, INSIDE, 0);
    p->y += 8;
}

/* Label above value, two to a row. */
static void fields(struct press *p) {
    const struct json *list = json_get(p->sheet, "fields");
    size_t n = list ? json_len(list) : 0;
    double half = INSIDE / 2 - 8;
    for (size_t i = 0; i < n; i += 2) {
        PangoLayout *labels[2] = {NULL}, *values[2] = {NULL};
        double high = 0;
        for (size_t k = 0; k < 2 && i + k < n; k++) {
            const struct json *f = json_at(list, i + k);
            labels[k] = lay(p, text_of(f, "label"), 8, false, half, LEFT);
            values[k] = lay(p, text_of(f, "value"), 10.5, false, half, LEFT);
            double h = height_of(labels[k]) + height_of(values[k]) + 9;
            if (h > high) high = h;
        }
        if (p->y + high > BOTTOM && p->y > MARGIN) new_page(p);
        for (size_t k = 0; k < 2 && labels[k]; k++) {
            double x = MARGIN + (double)k * (INSIDE / 2 + 8);
            ink(p, 0.4);
            cairo_move_to(p->cr, x, p->y);
            pango_cairo_show_layout(p->cr, labels[k]);
            ink(p, 0);
            cairo_move_to(p->cr, x, p->y + height_of(labels[k]) + 1);
            pango_cairo_show_layout(p->cr, values[k]);
            g_object_unref(labels[k]);
            g_object_unref(values[k]);
        }
        p->y += high;
        rule(p, MARGIN, p->y - 5, INSIDE, 0.88);
    }
}

/* ---- tables */

struct table {
    size_t n;
    double widths[COLUMNS_MAX];
    Str labels[COLUMNS_MAX];
    bool right[COLUMNS_MAX];
};

/* Each column as wide as its words ask for, all together as wide as the page. */
static void measure(struct press *p, const struct json *json, struct table *t) {
    const struct json *columns = json_get(json, "columns"), *rows = json_get(json, "rows");
    double total = 0;
    t->n = json_len(columns) < COLUMNS_MAX ? json_len(columns) : COLUMNS_MAX;
    for (size_t c = 0; c < t->n; c++) {
        t->labels[c] = text_of(json_at(columns, c), "label");
        t->right[c] = json_get_bool(json_at(columns, c), "right", false);
        double w = width_of(p, t->labels[c], 9, true);
        for (size_t r = 0; r < json_len(rows) && r < 200; r++) {
            double cell = width_of(p, json_str(json_at(json_at(rows, r), c)), 9, false);
            if (cell > w) w = cell;
        }
        t->widths[c] = (w > 220 ? 220 : w) + 8;
        total += t->widths[c];
    }
    for (size_t c = 0; c < t->n; c++) t->widths[c] *= INSIDE / total;
}

static double row_height(struct press *p, const struct table *t, const struct json *row) {
    double high = 0;
    for (size_t c = 0; c < t->n; c++) {
        Str text = row ? json_str(json_at(row, c)) : t->labels[c];
        PangoLayout *layout = lay(p, text, 9, !row, t->widths[c] - 8, LEFT);
        double h = height_of(layout) + 7;
        if (h > high) high = h;
        g_object_unref(layout);
    }
    return high;
}

static void put_row(struct press *p, const struct table *t, const struct json *row, double high) {
    double x = MARGIN;
    if (!row) {
        ink(p, 0.93);
        cairo_rectangle(p->cr, MARGIN, p->y, INSIDE, high);
        cairo_fill(p->cr);
        ink(p, 0);
    }
    for (size_t c = 0; c < t->n; c++) {
        Str text = row ? json_str(json_at(row, c)) : t->labels[c];
        put(p, text, x + 4, p->y + 3, t->widths[c] - 8, 9, !row, t->right[c] ? RIGHT : LEFT);
        x += t->widths[c];
    }
    p->y += high;
    rule(p, MARGIN, p->y, INSIDE, 0.8);
}

static void table(struct press *p, const struct json *json) {
    struct table t;
    const struct json *rows = json_get(json, "rows");
    measure(p, json, &t);
    double heading = row_height(p, &t, NULL);
    if (p->y + heading * 2 + 30 > BOTTOM) new_page(p);
    p->y += 10;
    p->y += put(p, text_of(json, "title"), MARGIN, p->y, INSIDE, 11, true, LEFT) + 4;
    put_row(p, &t, NULL, heading);
    for (size_t r = 0; r < json_len(rows); r++) {
        double high = row_height(p, &t, json_at(rows, r));
        if (p->y + high > BOTTOM) {
            new_page(p);
            put_row(p, &t, NULL, heading);
        }
        put_row(p, &t, json_at(rows, r), high);
    }
}

static void signatures(struct press *p) {
    const struct json *list = json_get(p->sheet, "signatures");
    size_t n = list ? json_len(list) : 0;
    if (n == 0) return;
    if (p->y + 64 > BOTTOM) new_page(p);
    p->y += 44;
    double each = INSIDE / (double)n;
    for (size_t i = 0; i < n; i++) {
        rule(p, MARGIN + (double)i * each, p->y, each - 24, 0.3);
        put(p, json_str(json_at(list, i)), MARGIN + (double)i * each, p->y + 3, each - 24, 8.5, false, LEFT);
    }
    p->y += 20;
}

static void page_form(struct press *p) {
    const struct json *tables = json_get(p->sheet, "tables");
    p->page = 1;
    p->y = MARGIN;
    head(p);
    fields(p);
    for (size_t i = 0; tables && i < json_len(tables); i++) table(p, json_at(tables, i));
    signatures(p);
    footer(p);
    cairo_show_page(p->cr);
}

static void label_form(struct press *p) {
    const struct json *list = json_get(p->sheet, "fields");
    double size = 128, x = 14 + size + 12, width = LABEL_W - x - 12;
    put_qr(p, 14, (LABEL_H - size) / 2, size);
    p->y = 16;
    p->y += put(p, text_of(p->sheet, "title"), x, p->y, width, 11, false, LEFT) + 2;
    p->y += put(p, text_of(p->sheet, "number"), x, p->y, width, 12.5, true, LEFT) + 4;
    for (size_t i = 0; list && i < json_len(list); i++) {
        PangoLayout *layout = lay(p, text_of(json_at(list, i), "value"), 9, false, width, LEFT);
        pango_layout_set_height(layout, -2);
        pango_layout_set_ellipsize(layout, PANGO_ELLIPSIZE_END);
        double h = height_of(layout);
        if (p->y + h < LABEL_H - 8) {
            cairo_move_to(p->cr, x, p->y);
            pango_cairo_show_layout(p->cr, layout);
        }
        p->y += h + 2;
        g_object_unref(layout);
    }
    cairo_show_page(p->cr);
}

/* ---- */

static cairo_status_t add_bytes(void *out, const unsigned char *bytes, unsigned n) {
    buf_add(out, bytes, n);
    return CAIRO_STATUS_SUCCESS;
}

static Err press_sheet(struct press *p, struct buf *out) {
    bool label = str_eq_c(text_of(p->sheet, "form"), "label");
    p->surface =
        cairo_pdf_surface_create_for_stream(add_bytes, out, label ? LABEL_W : PAGE_W, label ? LABEL_H : PAGE_H);
    cairo_pdf_surface_set_metadata(p->surface, CAIRO_PDF_METADATA_CREATOR, "weft");
    p->cr = cairo_create(p->surface);
    ink(p, 0);
    if (label)
        label_form(p);
    else
        page_form(p);
    cairo_status_t status = cairo_status(p->cr);
    cairo_destroy(p->cr);
    cairo_surface_finish(p->surface);
    cairo_surface_destroy(p->surface);
    if (status == CAIRO_STATUS_SUCCESS) return err_none();
    return err_make(ERR_INVALID, "the sheet cannot be printed: %s", cairo_status_to_string(status));
}

static bool is_sheet(const struct json *sheet) {
    if (json_kind(sheet) != JSON_OBJECT) return false;
    const struct json *tables = json_get(sheet, "tables");
    for (size_t i = 0; tables && json_kind(tables) == JSON_ARRAY && i < json_len(tables); i++) {
        const struct json *columns = json_get(json_at(tables, i), "columns"),
                          *rows = json_get(json_at(tables, i), "rows");
        if (!columns || !rows || json_kind(columns) != JSON_ARRAY || json_kind(rows) != JSON_ARRAY) return false;
        for (size_t r = 0; r < json_len(rows); r++)
            if (json_kind(json_at(rows, r)) != JSON_ARRAY || json_len(json_at(rows, r)) != json_len(columns))
                return false;
    }
    return true;
}

static Err pdf(Str text, struct buf *out) {
    struct json *sheet;
    struct buf draft = {0};
    TRY(json_parse(text, &sheet));
    struct press p = {.sheet = sheet};
    Err err = is_sheet(sheet) ? press_sheet(&p, &draft) : err_make(ERR_INVALID, "that is no sheet to print");
    p.pages = p.page;
    if (err.code == ERR_NONE) err = press_sheet(&p, out);
    buf_fini(&draft);
    json_free(sheet);
    return err;
}

extern const struct print_plugin weft_plugin;
__attribute__((visibility("default"))) const struct print_plugin weft_plugin = {.pdf = pdf};
