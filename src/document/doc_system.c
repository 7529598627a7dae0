#include "document/doc_system.h"

#define ID                                                                                                             \
    { .name = "id", .kind = RECORD_INT }
#define TABLE(table, columns_)                                                                                         \
    const struct record_table doc_system_##table = {.name = "document_" #table,                                        \
                                                    .columns = columns_,                                               \
                                                    .n_columns = sizeof columns_ / sizeof *columns_,                   \
                                                    .ids_rise = true}

static const struct record_column layout_columns[LAYOUT_COLUMNS] = {
    ID,
    {"party", RECORD_INT, .required = true}, /* 0: of nobody */
    [LAYOUT_NAME] = {"name", RECORD_TEXT, .required = true, .unique = RECORD_UNIQUE},
    [LAYOUT_SHAPE] = {"shape", RECORD_TEXT, .required = true},
};
TABLE(layout, layout_columns);

static const struct record_column batch_columns[BATCH_COLUMNS] = {
    ID,
    {"party", RECORD_INT, .required = true, .refers = "party"},
    [BATCH_TYPE] = {"type", RECORD_TEXT, .required = true},
    [BATCH_TITLE] = {"title", RECORD_TEXT, .required = true},
    [BATCH_STATE] = {"state", RECORD_TEXT, .required = true, .indexed = true},
    [BATCH_WHO] = {"who", RECORD_TEXT, .required = true},
    [BATCH_AT] = {"at", RECORD_INT, .required = true},
    [BATCH_ROWS] = {"rows", RECORD_INT, .required = true},
};
TABLE(batch, batch_columns);

static const struct record_column comment_columns[COMMENT_COLUMNS] = {
    ID,
    {"party", RECORD_INT, .required = true, .refers = "party"},
    [COMMENT_TYPE] = {"type", RECORD_TEXT, .required = true},
    [COMMENT_DOC] = {"doc", RECORD_INT, .required = true, .indexed = true},
    [COMMENT_AT] = {"at", RECORD_INT, .required = true},
    [COMMENT_WHO] = {"who", RECORD_TEXT, .required = true},
    [COMMENT_TEXT] = {"text", RECORD_TEXT, .required = true},
};
TABLE(comment, comment_columns);

static const struct record_column attachment_columns[ATTACHMENT_COLUMNS] = {
    ID,
    {"party", RECORD_INT, .required = true, .refers = "party"},
    [ATTACHMENT_TYPE] = {"type", RECORD_TEXT, .required = true},
    [ATTACHMENT_DOC] = {"doc", RECORD_INT, .required = true, .indexed = true},
    [ATTACHMENT_AT] = {"at", RECORD_INT, .required = true},
    [ATTACHMENT_WHO] = {"who", RECORD_TEXT, .required = true},
    [ATTACHMENT_NAME] = {"name", RECORD_TEXT, .required = true},
    [ATTACHMENT_MEDIA] = {"media_type", RECORD_TEXT, .required = true},
    [ATTACHMENT_BYTES] = {"bytes", RECORD_INT, .required = true},
    [ATTACHMENT_SEALED] = {"sealed", RECORD_BOOL, .required = true},
    [ATTACHMENT_HASH] = {"hash", RECORD_BLOB, .required = true},
    [ATTACHMENT_BLOB] = {"blob", RECORD_BLOB, .required = true},
};
TABLE(attachment, attachment_columns);

const struct record_table *const doc_system_tables[] = {&doc_system_layout, &doc_system_batch, &doc_system_comment,
                                                        &doc_system_attachment};
