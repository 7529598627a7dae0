#include "base/qr.h"

#include <qrencode.h>
#include <stdlib.h>

#define QUIET 4 /* modules around, ISO/IEC 18004 section 9.1 */

Err qr_make(Str text, struct qr *out) {
    *out = (struct qr){0};
    if (text.len == 0) return err_make(ERR_INVALID, "a QR code needs a text");
    if (text.len > QR_TEXT_MAX)
        return err_make(ERR_TOO_LARGE, "a text of %zu bytes is too long for a QR code: at most %d", text.len,
                        QR_TEXT_MAX);
    QRcode *code = QRcode_encodeData((int)text.len, (const unsigned char *)text.ptr, 0, QR_ECLEVEL_M);
    if (!code) return err_make(ERR_TOO_LARGE, "a text of %zu bytes does not fit a QR code: shorten it", text.len);
    size_t n = (size_t)code->width * (size_t)code->width;
    out->size = (unsigned)code->width;
    out->modules = calloc(n, 1);
    ASSERT(out->modules);
    for (size_t i = 0; i < n; i++) out->modules[i] = code->data[i] & 1;
    QRcode_free(code);
    return err_none();
}

void qr_fini(struct qr *qr) {
    free(qr->modules);
    *qr = (struct qr){0};
}

/* Dark modules that stand side by side become one stroke: a third of the bytes, and no hairlines between them. */
static void add_row(const struct qr *qr, unsigned y, struct buf *out) {
    const unsigned char *row = qr->modules + (size_t)y * qr->size;
    for (unsigned x = 0; x < qr->size;) {
        unsigned from = x;
        while (x < qr->size && row[x]) x++;
        if (x > from)
            buf_printf(out, "M%u %uh%uv1h-%uz", from + QUIET, y + QUIET, x - from, x - from);
        else
            x++;
    }
}

Err qr_svg(Str text, struct buf *out) {
    struct qr qr;
    TRY(qr_make(text, &qr));
    unsigned side = qr.size + 2 * QUIET;
    buf_printf(out,
               "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %u %u\" shape-rendering=\"crispEdges\" "
               "role=\"img\" aria-label=\"QR\"><path fill=\"#fff\" d=\"M0 0h%uv%uH0z\"/><path fill=\"#000\" d=\"",
               side, side, side, side);
    for (unsigned y = 0; y < qr.size; y++) add_row(&qr, y, out);
    buf_c(out, "\"/></svg>");
    qr_fini(&qr);
    return err_none();
}
