/*
 * The ledger's tree on disk: entries of 32 bytes and the hashes over them, append-only, durable before they count.
 * One thread appends; any thread reads what has been appended. Used by ledger.c alone.
 */
#ifndef TRUST_LEDGER_TREE_H
#define TRUST_LEDGER_TREE_H

#include "os/file.h"
#include "trust/merkle.h"
#include "trust/tile_path.h"

struct ledger_tree;

/* fold_at: entries in the log at which it is folded; 0 = 131,072. dir: must be there, durable. ERR_CORRUPT: the files
 * do not fit together. */
Err ledger_tree_open(struct file_system *fs, const char *dir, uint64_t fold_at, struct ledger_tree **out);
void ledger_tree_close(struct ledger_tree *tree); /* NULL is fine */

/* n entries of 32 bytes, all or none; durable when it returns. After a failure nothing was appended. */
Err ledger_tree_append(struct ledger_tree *tree, const unsigned char *entries, size_t n, uint64_t *first);
uint64_t ledger_tree_size(struct ledger_tree *tree);

/* Hashes of a level of tiles (0: leaves, 1: of 256 leaves …), or entries; ERR_NOT_FOUND when the tree does not have
 * them all. `out` has room for 32 * n bytes. */
Err ledger_tree_read(struct ledger_tree *tree, unsigned level, uint64_t from, size_t n, unsigned char *out);
struct merkle_source ledger_tree_source(struct ledger_tree *tree);

#endif
