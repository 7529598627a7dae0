#include "connect/mqtt_tree.h"

#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "connect/mqtt_topic.h"
#include "tests/unit.h"

/* Random filters and names over few levels and letters, so that they meet often; mqtt_topic_match is the reference. */
#define FILTERS 60
#define NAMES 400

static uint64_t seed = 1234567;

static unsigned below(unsigned n) {
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    return (unsigned)(seed >> 33) % n;
}

static void random_topic(char out[32], bool filter) {
    static const char *const levels[] = {"a", "b", "c", "", "$s"};
    unsigned n = 1 + below(4);
    out[0] = 0;
    for (unsigned i = 0; i < n; i++) {
        const char *level = levels[below(i ? 4 : 5)];
        if (filter && below(4) == 0) level = "+";
        if (filter && i + 1 == n && below(3) == 0) level = "#";
        if (i) strcat(out, "/");
        strcat(out, level);
    }
    if (!out[0]) strcpy(out, "a");
}

struct found {
    unsigned hits[FILTERS];
};

static void hit(void *ctx, struct mqtt_sub *sub) { ((struct found *)ctx)->hits[sub->id]++; }

static void matching(void) {
    char filters[FILTERS][32], name[32];
    struct mqtt_sub subs[FILTERS] = {0};
    bool there[FILTERS];
    struct mqtt_tree *tree = mqtt_tree_new();
    unit_case("the tree finds what the filters cover");
    for (unsigned i = 0; i < FILTERS; i++) {
        random_topic(filters[i], true);
        subs[i].id = i;
        there[i] = true;
        mqtt_tree_add(tree, mqtt_tree_node(tree, str_c(filters[i])), &subs[i]);
    }
    unsigned all = 0;
    for (unsigned n = 0; n < NAMES; n++) {
        struct found found = {0};
        random_topic(name, false);
        mqtt_tree_match(tree, str_c(name), hit, &found);
        for (unsigned i = 0; i < FILTERS; i++) {
            bool want = there[i] && mqtt_topic_match(str_c(filters[i]), str_c(name));
            if (found.hits[i] != want) CHECK_STR(str_c(filters[i]), str_c(name));
            all += found.hits[i];
        }
        unsigned change = below(FILTERS); /* and keeps doing so while subscriptions come and go */
        if (there[change])
            mqtt_tree_remove(tree, &subs[change]);
        else
            mqtt_tree_add(tree, mqtt_tree_node(tree, str_c(filters[change])), &subs[change]);
        there[change] = !there[change];
    }
    CHECK(all > NAMES);
    for (unsigned i = 0; i < FILTERS; i++)
        if (there[i]) mqtt_tree_remove(tree, &subs[i]);
    CHECK(mqtt_tree_find(tree, str_c(filters[0])) == NULL);
    mqtt_tree_free(tree);
}

static struct mqtt_message *message(const char *topic, const char *payload, uint64_t serial) {
    struct mqtt_message_parts parts = {
        .retain = true, .serial = serial, .topic = str_c(topic), .payload = str_c(payload)};
    return mqtt_message_new(&parts);
}

static bool retain(struct mqtt_tree *tree, const char *topic, const char *payload, uint64_t serial, size_t max) {
    struct mqtt_message *m = message(topic, payload, serial);
    bool kept = mqtt_tree_retain(tree, m, max);
    mqtt_message_drop(m);
    return kept;
}

static bool note(void *ctx, struct mqtt_message *m) {
    buf_printf(ctx, STR_FMT "=" STR_FMT " ", STR_ARG(m->topic), STR_ARG(m->payload));
    return !str_eq(m->payload, STR("old"));
}

static Str kept(struct mqtt_tree *tree, const char *filter, struct buf *out) {
    buf_clear(out);
    mqtt_tree_retained(tree, str_c(filter), note, out);
    return buf_view(out);
}

static void retained(void) {
    struct mqtt_tree *tree = mqtt_tree_new();
    struct buf out = {0};
    unit_case("retained messages");
    CHECK(retain(tree, "a/b", "1", 1, 10000));
    CHECK(retain(tree, "a", "2", 2, 10000));
    CHECK(retain(tree, "$s/x", "3", 3, 10000));
    CHECK(retain(tree, "a/b", "4", 4, 10000));
    CHECK(retain(tree, "a/b", "earlier", 3, 10000)); /* it came later by another way, but is the older one */
    CHECK_INT(mqtt_tree_retained_count(tree), 3);
    CHECK_STR(kept(tree, "a/#", &out), STR("a=2 a/b=4 "));
    CHECK_STR(kept(tree, "+", &out), STR("a=2 "));
    CHECK_STR(kept(tree, "+/+", &out), STR("a/b=4 "));
    CHECK_STR(kept(tree, "$s/#", &out), STR("$s/x=3 "));
    CHECK_STR(kept(tree, "a/b/c", &out), STR(""));
    unit_case("an empty payload forgets, a full store refuses, an expired one goes");
    CHECK(retain(tree, "a/b", "", 5, 10000));
    CHECK_STR(kept(tree, "a/#", &out), STR("a=2 "));
    CHECK(retain(tree, "never/there", "", 6, 10000));
    CHECK(!retain(tree, "b", "too much", 7, 10));
    CHECK_INT(mqtt_tree_retained_count(tree), 2);
    CHECK(retain(tree, "a", "old", 8, 10000));
    CHECK_STR(kept(tree, "#", &out), STR("a=old "));
    CHECK_STR(kept(tree, "#", &out), STR(""));
    CHECK_INT(mqtt_tree_retained_count(tree), 1);
    buf_fini(&out);
    mqtt_tree_free(tree);
}

void mqtt_tree_test(void) {
    matching();
    retained();
}
