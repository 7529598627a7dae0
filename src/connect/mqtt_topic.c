#include "connect/mqtt_topic.h"

#include <string.h>

bool mqtt_topic_utf8(Str text) {
    size_t i = 0;
    for (; i < text.len; i++) {
        unsigned char c = (unsigned char)text.ptr[i];
        if (c == 0) return false;
        if (c >= 0x80) break;
    }
    if (i == text.len) return true; /* plain ASCII, as nearly all of them are */
    return memchr(text.ptr, 0, text.len) == NULL && str_is_utf8(text);
}

bool mqtt_topic_name_ok(Str name) {
    size_t levels = 1;
    for (size_t i = 0; i < name.len; i++) {
        char c = name.ptr[i];
        if (c == '+' || c == '#') return false;
        if (c == '/') levels++;
    }
    return name.len > 0 && levels <= MQTT_TOPIC_LEVELS_MAX;
}

bool mqtt_topic_level(Str *rest, bool *more, Str *level) {
    if (!*more) return false;
    const char *slash = rest->len ? memchr(rest->ptr, '/', rest->len) : NULL;
    *more = slash != NULL;
    size_t n = slash ? (size_t)(slash - rest->ptr) : rest->len;
    *level = str_n(rest->ptr, n);
    if (slash) *rest = str_n(slash + 1, rest->len - n - 1);
    return true;
}

static bool plain_filter_ok(Str filter) {
    if (filter.len == 0) return false;
    size_t levels = 0;
    bool more = true;
    for (Str level; mqtt_topic_level(&filter, &more, &level);) {
        if (++levels > MQTT_TOPIC_LEVELS_MAX) return false;
        bool wild = level.len > 0 && (memchr(level.ptr, '+', level.len) || memchr(level.ptr, '#', level.len));
        if (!wild) continue;
        if (level.len != 1) return false;
        if (level.ptr[0] == '#' && more) return false;
    }
    return true;
}

bool mqtt_topic_shared(Str filter, Str *group, Str *rest) {
    if (!str_starts(filter, STR("$share/"))) return false;
    return str_cut(str_slice(filter, 7, filter.len), '/', group, rest);
}

bool mqtt_topic_filter_ok(Str filter) {
    if (!str_starts(filter, STR("$share/"))) return plain_filter_ok(filter);
    Str group, rest;
    if (!mqtt_topic_shared(filter, &group, &rest) || group.len == 0) return false;
    return !memchr(group.ptr, '+', group.len) && !memchr(group.ptr, '#', group.len) && plain_filter_ok(rest);
}

bool mqtt_topic_match(Str filter, Str name) {
    if (name.len > 0 && name.ptr[0] == '$' && filter.len > 0 && (filter.ptr[0] == '+' || filter.ptr[0] == '#'))
        return false;
    bool more_f = true, more_n = true;
    Str f, n;
    while (mqtt_topic_level(&filter, &more_f, &f)) {
        if (f.len == 1 && f.ptr[0] == '#') return true; /* also the parent level: "a/#" covers "a" */
        if (!mqtt_topic_level(&name, &more_n, &n)) return false;
        if (f.len == 1 && f.ptr[0] == '+') continue;
        if (!str_eq(f, n)) return false;
    }
    return !more_n;
}
