/* Exact decimals inside scripts: decimal("1.50") * 3 + decimal("0.05"). Only for script.c. */
#ifndef MODEL_SCRIPT_DECIMAL_H
#define MODEL_SCRIPT_DECIMAL_H

#include "base/err.h"
#include "model/value.h"

struct lua_State;

void script_decimal_register(struct lua_State *L); /* pushes the function `decimal` */
void script_decimal_push(struct lua_State *L, int64_t unscaled, unsigned char scale);
/* The decimal or integer at the index as an unscaled integer; *is_number false: it is neither. ERR_LIMIT: too large;
 * ERR_INVALID: more digits behind the point than `scale`. */
Err script_decimal_read(struct lua_State *L, int index, unsigned char scale, bool *is_number, int64_t *out);

#endif
