/*
 * The Lua sandbox: small functions of a pack over plain values. One environment by allow-list (docs/packs.md), text
 * chunks only, globals frozen, and limits on instructions, memory and time: whatever a script does, the call returns.
 *
 * A function takes one record and gives one value:
 *
 *     function total(doc) local sum = decimal("0") for _, l in ipairs(doc.lines) do sum = sum + l.quantity * l.price
 * end return sum end
 *
 * Decimals and money are exact numbers of their own kind in Lua (decimal("1.50") * 3), times are integers (ns),
 * absent values nil, lines a list of records. Any thread may call; each keeps its own Lua state.
 */
#ifndef MODEL_SCRIPT_H
#define MODEL_SCRIPT_H

#include "base/arena.h"
#include "base/err.h"
#include "model/value.h"

struct script;

struct script_limits {
    uint32_t instructions; /* 0 = 100,000 */
    size_t memory;         /* bytes; 0 = 1 MiB */
    Nanos time;            /* 0 = 5 ms */
};

/* Values of one record, as a document keeps them; scale > 0: an exact decimal, unscaled. */
struct script_row;
struct script_field {
    const char *name;
    Value value;
    unsigned char scale;
    bool decimal;
    const struct script_row *rows; /* a list of lines, n_rows of them; value is not used */
    size_t n_rows;
};
struct script_row {
    const struct script_field *fields;
    size_t n;
};

/* Compiles the text of one file; `name` is said in errors ("packs/ceramics/logic.lua"). ERR_INVALID with the line. */
Err script_compile(Str name, Str text, const struct script_limits *limits, struct script **out);
void script_free(struct script *script);
bool script_has(const struct script *script, const char *function);
/* Any thread. `now` is all the clock a script sees (the global `now`). The answer: nil, boolean, integer, number,
 * string, or a decimal, which comes as VALUE_INT at `scale` (ERR_LIMIT when it does not fit, ERR_INVALID when digits
 * would be lost). ERR_LIMIT: out of instructions, memory or time. Strings live in the arena. */
Err script_call(const struct script *script, const char *function, const struct script_row *record, Nanos now,
                unsigned char scale, struct arena *arena, Value *out);

#endif
