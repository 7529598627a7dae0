/*
 * The words a document is found by. Text is cut into words of letters and digits, lower case, with the beginnings of
 * each ("bearing" is found by "bea"), and runs of Chinese, Japanese and Korean characters into overlapping pairs. Each
 * word begins with the tag of its field, so that a reader searches only in what the lens shows.
 */
#ifndef DOCUMENT_DOC_WORDS_H
#define DOCUMENT_DOC_WORDS_H

#include "document/doc_table.h"
#include "model/lens.h"

#define DOC_WORDS_QUERY_MAX 12 /* words of a question that count */

typedef void doc_words_fn(void *ctx, Str word); /* word is borrowed for the call */
/* For keeping: with beginnings and single characters. For asking: only what must be there. */
void doc_words_cut(Str text, bool asking, doc_words_fn *fn, void *ctx);

struct doc_words; /* the tags of a table */
struct doc_words *doc_words_make(const struct doc_table *table, struct arena *arena);
uint64_t doc_words_hash(const struct doc_words *words); /* of the tags: other tags, other words */

/* What a reference leads to, as words of two kinds: its number, and what people call it. */
struct doc_words_label {
    Str number, label;
};
struct doc_words_names { /* looked up by the caller */
    void (*of_ref)(void *ctx, const char *type, int64_t id, struct doc_words_label *out);
    Str (*of_party)(void *ctx, PartyId party);
    void *ctx;
};
Str doc_words_of(const struct doc_words *words, const struct doc *doc, const struct doc_words_names *names,
                 struct arena *arena);

/* The RECORD_MATCH text for a question: each word in any field that the lens shows. ERR_INVALID: no word in it. *none:
 * the lens shows nothing to search in. */
Err doc_words_match(const struct doc_words *words, const struct lens *lens, Str question, struct arena *arena,
                    bool *none, Str *out);

#endif
