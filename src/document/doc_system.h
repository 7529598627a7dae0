/* The engine's own tables beside those of the types. Columns by position. */
#ifndef DOCUMENT_DOC_SYSTEM_H
#define DOCUMENT_DOC_SYSTEM_H

#include "store/records_system.h"

/* How each field of each type is kept: name "order.price", shape "decimal:2". Also "order#words": what is searched. */
enum { LAYOUT_NAME = 2, LAYOUT_SHAPE, LAYOUT_COLUMNS };
/* Imports. While the state is not "shown", the documents of the batch exist for nobody. */
enum { BATCH_TYPE = 2, BATCH_TITLE, BATCH_STATE, BATCH_WHO, BATCH_AT, BATCH_ROWS, BATCH_COLUMNS };
enum { COMMENT_TYPE = 2, COMMENT_DOC, COMMENT_AT, COMMENT_WHO, COMMENT_TEXT, COMMENT_COLUMNS };
enum {
    ATTACHMENT_TYPE = 2,
    ATTACHMENT_DOC,
    ATTACHMENT_AT,
    ATTACHMENT_WHO,
    ATTACHMENT_NAME,
    ATTACHMENT_MEDIA,
    ATTACHMENT_BYTES,
    ATTACHMENT_SEALED,
    ATTACHMENT_HASH, /* of the plain bytes */
    ATTACHMENT_BLOB, /* of what is kept */
    ATTACHMENT_COLUMNS
};

extern const struct record_table doc_system_layout, doc_system_batch, doc_system_comment, doc_system_attachment;
extern const struct record_table *const doc_system_tables[];
#define DOC_SYSTEM_TABLES 4

#endif
