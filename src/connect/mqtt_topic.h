/* Topic names and filters: their syntax, and which names a filter covers. Lengths are the codec's business. */
#ifndef CONNECT_MQTT_TOPIC_H
#define CONNECT_MQTT_TOPIC_H

#include "base/str.h"

#define MQTT_TOPIC_LEVELS_MAX 128 /* deeper names and filters are refused */

/* UTF-8 as MQTT wants it: well-formed, no U+0000. Empty is fine. */
bool mqtt_topic_utf8(Str text);
/* At least one character, no wildcard, not too deep. Whoever calls has checked the UTF-8. */
bool mqtt_topic_name_ok(Str name);
/* "+" alone in its level, "#" alone in the last one; "$share/GROUP/FILTER" with a group of at least one character. */
bool mqtt_topic_filter_ok(Str filter);
/* "$share/GROUP/FILTER": true, and its parts. */
bool mqtt_topic_shared(Str filter, Str *group, Str *rest);
/* A wildcard at the first level covers no name that starts with "$". */
bool mqtt_topic_match(Str filter, Str name);
/* The next level of *rest; false when there is none left. Start with *more = true. */
bool mqtt_topic_level(Str *rest, bool *more, Str *level);

#endif
