/* Keeps the words of documents: a thread that follows the outbox under the name "search". */
#ifndef DOCUMENT_DOC_SEARCH_H
#define DOCUMENT_DOC_SEARCH_H

#include "document/doc_engine.h"

Err doc_search_start(struct documents *d);
void doc_search_stop(struct documents *d);    /* NULL search is fine */
void doc_search_wake(struct documents *d);    /* must not block */
Err doc_search_catch_up(struct documents *d); /* on the caller's thread, until nothing is left */

#endif
