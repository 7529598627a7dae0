/*
 * QR codes (ISO/IEC 18004) by libqrencode, at error correction level M. As a matrix for whoever prints, and as an SVG
 * image that needs nothing else. The one user of libqrencode.
 */
#ifndef BASE_QR_H
#define BASE_QR_H

#include "base/buf.h"
#include "base/err.h"

#define QR_TEXT_MAX 1800 /* bytes; a larger code is no longer read from a screen */

/* Dark modules are 1. `size` modules a side; row by row. Free with qr_fini. */
struct qr {
    unsigned size;
    unsigned char *modules;
};
Err qr_make(Str text, struct qr *out); /* ERR_INVALID: empty; ERR_TOO_LARGE */
void qr_fini(struct qr *qr);
/* A whole <svg> document with the quiet zone of four modules; black on white whatever is behind it. */
Err qr_svg(Str text, struct buf *out);

#endif
