#include "act/notify_tables.h"

#define BASE                                                                                                           \
    {.name = "id", .kind = RECORD_INT}, { .name = "party", .kind = RECORD_INT, .required = true, .indexed = true }

static const struct record_column notice_columns[NOTICE_COLUMNS] = {
    BASE,
    [NOTICE_AT] = {.name = "at", .kind = RECORD_INT, .required = true},
    [NOTICE_USER] = {.name = "user", .kind = RECORD_TEXT},
    [NOTICE_ROLES] = {.name = "roles", .kind = RECORD_INT},
    [NOTICE_TEXT_EN] = {.name = "text_en", .kind = RECORD_TEXT},
    [NOTICE_TEXT_ZH] = {.name = "text_zh", .kind = RECORD_TEXT},
    [NOTICE_TYPE] = {.name = "type", .kind = RECORD_TEXT},
    [NOTICE_DOC] = {.name = "doc", .kind = RECORD_INT},
    [NOTICE_RULE] = {.name = "rule", .kind = RECORD_TEXT},
    [NOTICE_SOURCE] = {.name = "source", .kind = RECORD_TEXT, .unique = RECORD_UNIQUE_IN_PARTY},
};
static const struct record_column read_columns[READ_COLUMNS] = {
    BASE,
    [READ_USER] = {.name = "user", .kind = RECORD_TEXT, .required = true, .unique = RECORD_UNIQUE_IN_PARTY},
    [READ_THROUGH] = {.name = "through", .kind = RECORD_INT, .required = true},
};
static const struct record_column channel_columns[CHANNEL_COLUMNS] = {
    BASE,
    [CHANNEL_NAME] = {.name = "name", .kind = RECORD_TEXT, .required = true, .unique = RECORD_UNIQUE_IN_PARTY},
    [CHANNEL_KIND] = {.name = "kind", .kind = RECORD_TEXT, .required = true},
    [CHANNEL_TARGET] = {.name = "target", .kind = RECORD_TEXT, .required = true}, /* sealed */
    [CHANNEL_SECRET] = {.name = "secret", .kind = RECORD_TEXT},                   /* sealed */
    [CHANNEL_EVENTS] = {.name = "events", .kind = RECORD_TEXT},
    [CHANNEL_TROUBLE] = {.name = "trouble", .kind = RECORD_TEXT},
};
static const struct record_column delivery_columns[DELIVERY_COLUMNS] = {
    BASE,
    [DELIVERY_CHANNEL] = {.name = "channel", .kind = RECORD_INT, .required = true, .indexed = true},
    [DELIVERY_NOTICE] = {.name = "notification", .kind = RECORD_INT, .required = true},
    [DELIVERY_DUE] = {.name = "due", .kind = RECORD_INT, .required = true, .indexed = true},
    [DELIVERY_TRIES] = {.name = "tries", .kind = RECORD_INT, .required = true},
};

const struct record_table notify_tables_notice = {
    .name = "notification", .columns = notice_columns, .n_columns = NOTICE_COLUMNS, .ids_rise = true};
const struct record_table notify_tables_read = {
    .name = "notification_read", .columns = read_columns, .n_columns = READ_COLUMNS};
const struct record_table notify_tables_channel = {
    .name = "channel", .columns = channel_columns, .n_columns = CHANNEL_COLUMNS, .ids_rise = true};
const struct record_table notify_tables_delivery = {
    .name = "delivery", .columns = delivery_columns, .n_columns = DELIVERY_COLUMNS};
