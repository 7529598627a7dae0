/*
 * Checked documents on their way into the store, in a file outside of it. One document after the other:
 *
 *     u32  bytes that follow       varint  row of the table
 *     values of the head, then for each list of lines a varint (rows) and their values
 *
 * A value is its kind (a byte) and an 8-byte number, a byte, or a varint length and bytes.
 */
#ifndef DOCUMENT_IMPORT_STAGE_H
#define DOCUMENT_IMPORT_STAGE_H

#include "base/arena.h"
#include "base/buf.h"
#include "model/doctype.h"

void import_stage_put(const struct doc *doc, size_t row, struct buf *out); /* appends */
/* The document at the front of bytes; *used 0: it is not whole yet. Strings live in the arena. ERR_CORRUPT. */
Err import_stage_get(const struct doctype *type, Str bytes, struct arena *arena, struct doc **out, size_t *row,
                     size_t *used);
/* Changes with whatever would make staged documents mean something else. */
uint64_t import_stage_print(const struct doctype *type);

#endif
