/*
 * The dead-letter log: messages that could not be kept as samples, raw and with the reason, durable and bounded. Old
 * segments go first when the bound is reached; ids rise by one and survive restarts. See docs/format-series.md.
 *
 * One writer (the committer); any thread reads.
 */
#ifndef STORE_SERIES_LETTERS_H
#define STORE_SERIES_LETTERS_H

#include "store/series.h"

struct series_letters;

Err series_letters_open(struct file_system *fs, const char *dir, size_t bytes_max, bool read_only,
                        struct series_letters **out);
void series_letters_close(struct series_letters *letters);
/* Adds to the group; nothing is written yet. */
void series_letters_add(struct series_letters *letters, const struct dead_letter *letter);
/* Writes and syncs what was added, if anything. A failed sync is final. Shown to readers only afterwards. */
Err series_letters_commit(struct series_letters *letters);
Err series_letters_list(struct series_letters *letters, const struct lens *lens, uint64_t before_id, size_t limit,
                        struct arena *arena, struct dead_letter_row **out, size_t *n);
uint64_t series_letters_bytes(const struct series_letters *letters);
/* Whether bytes are one whole record; for readers and the fuzzer. `size` is how long it is. */
bool series_letters_parse(Str bytes, struct dead_letter_row *row, size_t *size);

#endif
