/*
 * Identifiers with published forms and check digits. One row each; a field's `format` names the row.
 *
 *     uscc   统一社会信用代码, GB 32100-2015: 18 characters, the last is a check character mod 31
 *     gln gtin sscc   GS1 General Specifications: mod-10 check digit (13, 8|12|13|14, 18 digits)
 *     bpn    Catena-X business partner number: BPNL|BPNS|BPNA, 10 characters, 2 check characters
 *     handle industrial-internet identifier 88.PREFIX/…
 *     email phone url
 */
#ifndef MODEL_IDENT_H
#define MODEL_IDENT_H

#include "base/err.h"
#include "base/str.h"

struct ident {
    const char *name, *title_en, *title_zh;
    Err (*check)(Str text); /* ERR_INVALID says what is wrong, and for check digits which one would be right */
};
extern const struct ident ident_table[];  /* ends with name NULL */
const struct ident *ident_find(Str name); /* or NULL */

#endif
