/* The adapter of libyaml: events become nodes. */
#include <math.h>
#include <string.h>
#include <yaml.h>

#include "base/map.h"
#include "model/pack_node.h"

struct reader {
    yaml_parser_t parser;
    const char *file;
    struct arena *arena;
    struct pack_faults *faults;
    struct map anchors; /* name → struct pack_node * */
    size_t weight;
    unsigned depth;
    bool failed; /* said in faults */
};

static struct pack_place place(const struct reader *r, yaml_mark_t mark) {
    return (struct pack_place){r->file, (unsigned)mark.line + 1, (unsigned)mark.column + 1};
}

static const struct pack_node *fail(struct reader *r, struct pack_place at, const char *suggestion, const char *text) {
    if (!r->failed) pack_fault_add(r->faults, at, suggestion, "%s", text);
    r->failed = true;
    return NULL;
}

/* ---- scalars */
static bool is_json_number(Str s, bool *whole) {
    double unused;
    *whole = str_find(s, STR(".")) < 0 && str_find(s, STR("e")) < 0 && str_find(s, STR("E")) < 0;
    return str_to_f64(s, &unused);
}

static void take_plain(struct pack_node *node) {
    Str s = node->text;
    bool whole;
    if (s.len == 0 || str_eq_c(s, "~") || str_eq_c(s, "null")) {
        node->kind = PACK_NULL;
    } else if (str_eq_c(s, "true") || str_eq_c(s, "false")) {
        node->kind = PACK_BOOL;
        node->truth = s.ptr[0] == 't';
    } else if (is_json_number(s, &whole)) {
        node->kind = whole && str_to_i64(s, &node->integer) ? PACK_INT : PACK_NUMBER;
        str_to_f64(s, &node->number);
    }
}

static struct pack_node *new_node(struct reader *r, const yaml_event_t *event, enum pack_node_kind kind) {
    struct pack_node *node = arena_zero(r->arena, 1, sizeof *node);
    *node = (struct pack_node){.kind = kind, .weight = 1, .at = place(r, event->start_mark)};
    return node;
}

static Str copy(struct reader *r, const unsigned char *bytes, size_t n) {
    return arena_str(r->arena, str_n((const char *)bytes, n));
}

static const struct pack_node *read_scalar(struct reader *r, const yaml_event_t *event) {
    if (event->data.scalar.tag && strcmp((const char *)event->data.scalar.tag, "!") != 0)
        return fail(r, place(r, event->start_mark), "leave the tag out; quotes make a text", "tags are not taken");
    struct pack_node *node = new_node(r, event, PACK_TEXT);
    node->text = copy(r, event->data.scalar.value, event->data.scalar.length);
    node->quoted = event->data.scalar.style != YAML_PLAIN_SCALAR_STYLE;
    if (memchr(node->text.ptr, 0, node->text.len)) return fail(r, node->at, NULL, "a text holds a NUL character");
    if (!node->quoted) take_plain(node);
    return node;
}

static const struct pack_node *read_alias(struct reader *r, const yaml_event_t *event) {
    uint64_t found;
    const char *name = (const char *)event->data.alias.anchor;
    struct pack_place at = place(r, event->start_mark);
    if (!map_get(&r->anchors, str_c(name), &found))
        return fail(r, at, "an anchor stands before its aliases, and not around them",
                    arena_printf(r->arena, "no anchor '&%s' was finished before this alias", name).ptr);
    return (const struct pack_node *)(uintptr_t)found;
}

/* ---- collections */
static const struct pack_node *read_node(struct reader *r, const yaml_event_t *event);

static bool next(struct reader *r, yaml_event_t *event) {
    if (yaml_parser_parse(&r->parser, event)) return true;
    const char *what = r->parser.problem ? r->parser.problem : "this is not YAML";
    yaml_mark_t mark = r->parser.problem_mark;
    if (r->parser.error == YAML_READER_ERROR) mark = r->parser.mark;
    fail(r, place(r, mark), "check the indentation, and quote texts that hold ': ' or begin with a sign", what);
    return false;
}

static bool weigh(struct reader *r, const struct pack_node *node) {
    r->weight += node->weight;
    if (r->weight <= PACK_NODE_WEIGHT_MAX) return true;
    fail(r, node->at, "part the pack into smaller files", "the file has more than 50000 values, aliases counted");
    return false;
}

static void push(struct reader *r, struct pack_node *node, size_t *cap, struct pack_member member) {
    if (node->n == *cap) {
        *cap = *cap ? *cap * 2 : 8;
        struct pack_member *members = arena_zero(r->arena, *cap, sizeof *members);
        if (node->n) memcpy(members, node->members, node->n * sizeof *members);
        node->members = members;
    }
    node->members[node->n++] = member;
    node->weight += member.value->weight;
}

static bool read_key(struct reader *r, const struct pack_node *map, const yaml_event_t *event,
                     struct pack_member *out) {
    *out = (struct pack_member){.at = place(r, event->start_mark)};
    if (event->type != YAML_SCALAR_EVENT) {
        fail(r, out->at, "write 'name: value'", "a key must be a text");
        return false;
    }
    out->key = copy(r, event->data.scalar.value, event->data.scalar.length);
    const struct pack_member *same = pack_node_member(map, out->key);
    if (same)
        fail(r, out->at, "leave one of them",
             arena_printf(r->arena, "'%.60s' stands here twice: first on line %u", out->key.ptr, same->at.line).ptr);
    if (str_eq_c(out->key, "<<"))
        fail(r, out->at, "write the values out, or alias a whole value", "merge keys are not taken");
    return !r->failed;
}

static const struct pack_node *read_collection(struct reader *r, const yaml_event_t *first, enum pack_node_kind kind) {
    const unsigned char *tag = kind == PACK_MAP ? first->data.mapping_start.tag : first->data.sequence_start.tag;
    struct pack_node *node = new_node(r, first, kind);
    size_t cap = 0;
    if (tag) return fail(r, node->at, "leave the tag out", "tags are not taken");
    if (++r->depth > PACK_NODE_DEPTH_MAX) return fail(r, node->at, NULL, "nested deeper than 32 levels");
    while (!r->failed) {
        yaml_event_t event;
        struct pack_member member = {.at = node->at};
        if (!next(r, &event)) break;
        bool over = event.type == YAML_MAPPING_END_EVENT || event.type == YAML_SEQUENCE_END_EVENT;
        bool keyed = !over && kind == PACK_MAP && read_key(r, node, &event, &member);
        if (keyed) {
            yaml_event_delete(&event);
            if (!next(r, &event)) break;
        }
        if (!over && !r->failed) member.value = read_node(r, &event);
        yaml_event_delete(&event);
        if (over) break;
        if (!r->failed && member.value) push(r, node, &cap, member);
    }
    r->depth--;
    return r->failed ? NULL : node;
}

static const unsigned char *anchor_of(const yaml_event_t *event) {
    return event->type == YAML_SCALAR_EVENT           ? event->data.scalar.anchor
           : event->type == YAML_SEQUENCE_START_EVENT ? event->data.sequence_start.anchor
           : event->type == YAML_MAPPING_START_EVENT  ? event->data.mapping_start.anchor
                                                      : NULL;
}

/* An alias weighs what it stands for each time, so a few lines cannot unfold into millions. */
static const struct pack_node *read_node(struct reader *r, const yaml_event_t *event) {
    const struct pack_node *node = event->type == YAML_SCALAR_EVENT           ? read_scalar(r, event)
                                   : event->type == YAML_ALIAS_EVENT          ? read_alias(r, event)
                                   : event->type == YAML_SEQUENCE_START_EVENT ? read_collection(r, event, PACK_LIST)
                                                                              : read_collection(r, event, PACK_MAP);
    if (!node) return NULL;
    const unsigned char *anchor = anchor_of(event);
    if (anchor) map_put(&r->anchors, str_c((const char *)anchor), (uintptr_t)node);
    if ((event->type == YAML_SCALAR_EVENT || event->type == YAML_ALIAS_EVENT) && !weigh(r, node)) return NULL;
    return node;
}

/* ---- the file */
static const struct pack_node *read_document(struct reader *r) {
    const struct pack_node *root = NULL;
    for (bool over = false; !over && !r->failed;) {
        yaml_event_t event;
        if (!next(r, &event)) break;
        if (event.type == YAML_SCALAR_EVENT || event.type == YAML_ALIAS_EVENT ||
            event.type == YAML_SEQUENCE_START_EVENT || event.type == YAML_MAPPING_START_EVENT) {
            if (root)
                fail(r, place(r, event.start_mark), "part it into two files", "a second document in one file");
            else
                root = read_node(r, &event);
        }
        over = event.type == YAML_STREAM_END_EVENT;
        yaml_event_delete(&event);
    }
    return r->failed ? NULL : root;
}

const struct pack_node *pack_yaml_parse(const char *file, Str text, struct arena *arena, struct pack_faults *faults) {
    struct reader r = {.file = file, .arena = arena, .faults = faults};
    struct pack_place whole = {file, 0, 0};
    if (text.len > PACK_NODE_BYTES_MAX) return fail(&r, whole, "part it", "the file is larger than 1 MiB");
    if (!str_is_utf8(text)) return fail(&r, whole, "save it as UTF-8", "the file is not UTF-8");
    if (!yaml_parser_initialize(&r.parser)) return fail(&r, whole, NULL, "out of memory");
    map_init(&r.anchors);
    yaml_parser_set_encoding(&r.parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&r.parser, (const unsigned char *)text.ptr, text.len);
    const struct pack_node *root = read_document(&r);
    if (!root && !r.failed) {
        struct pack_node *empty = arena_zero(arena, 1, sizeof *empty);
        *empty = (struct pack_node){.kind = PACK_NULL, .at = {file, 1, 1}};
        root = empty;
    }
    map_fini(&r.anchors);
    yaml_parser_delete(&r.parser);
    return root;
}
