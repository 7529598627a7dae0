/* The tables of notifications; for notify.c and notify_send.c alone. */
#ifndef ACT_NOTIFY_TABLES_H
#define ACT_NOTIFY_TABLES_H

#include "store/records_system.h"

enum {
    NOTICE_AT = 2,
    NOTICE_USER,
    NOTICE_ROLES,
    NOTICE_TEXT_EN,
    NOTICE_TEXT_ZH,
    NOTICE_TYPE,
    NOTICE_DOC,
    NOTICE_RULE,
    NOTICE_SOURCE,
    NOTICE_COLUMNS
};
enum { READ_USER = 2, READ_THROUGH, READ_COLUMNS };
enum {
    CHANNEL_NAME = 2,
    CHANNEL_KIND,
    CHANNEL_TARGET,
    CHANNEL_SECRET,
    CHANNEL_EVENTS,
    CHANNEL_TROUBLE,
    CHANNEL_COLUMNS
};
enum { DELIVERY_CHANNEL = 2, DELIVERY_NOTICE, DELIVERY_DUE, DELIVERY_TRIES, DELIVERY_COLUMNS };

extern const struct record_table notify_tables_notice, notify_tables_read, notify_tables_channel,
    notify_tables_delivery;
/* What a channel's address and secret are sealed with. */
#define NOTIFY_TABLES_TARGET STR("channel/target")
#define NOTIFY_TABLES_SECRET STR("channel/secret")

#endif
