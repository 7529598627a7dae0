#include "base/log.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "tests/unit.h"

/* What was written to standard error between the two calls. */
static int saved_error = -1;
static FILE *captured;

static void capture_begin(void) {
    fflush(stderr);
    captured = tmpfile();
    saved_error = dup(2);
    dup2(fileno(captured), 2);
}

static void capture_end(struct buf *out) {
    char text[4096];
    fflush(stderr);
    dup2(saved_error, 2), close(saved_error);
    rewind(captured);
    buf_clear(out);
    for (size_t n; (n = fread(text, 1, sizeof text, captured)) > 0;) buf_add(out, text, n);
    fclose(captured);
}

static void test_line(void) {
    unit_case("one line of logfmt");
    struct buf out = {0};
    capture_begin();
    LOG_WARN("mqtt.refused", LOG_S("device", STR("truck-7")), LOG_I("bytes", 70000), LOG_F("rate", 0.25),
             LOG_C("why", "too \"large\"\n"), LOG_C("empty", NULL), LOG_S("zh", STR("\xE5\x8E\x8B")),
             LOG_S("bad", STR("\xFF=")));
    capture_end(&out);
    Str head, tail;
    CHECK(str_cut(buf_view(&out), ' ', &head, &tail));
    CHECK(str_starts(head, STR("ts=20")) && str_ends(head, STR("Z")));
    CHECK_STR(tail,
              STR("level=warn event=mqtt.refused device=truck-7 bytes=70000 rate=0.25 why=\"too \\\"large\\\"\\n\" "
                  "empty=\"\" zh=\xE5\x8E\x8B bad=\"\\xff=\"\n"));
    buf_fini(&out);
}

static void test_long_value(void) {
    unit_case("a long value is cut");
    struct buf out = {0};
    char text[5000];
    memset(text, 'x', sizeof text);
    memcpy(text + 1023, "\xE5\x8E\x8B", 3); /* across the cut */
    capture_begin();
    LOG_INFO("test.long", LOG_S("v", str_n(text, sizeof text)));
    capture_end(&out);
    CHECK(out.len < 1200 && str_ends(buf_view(&out), STR("x...\"\n")) && str_is_utf8(buf_view(&out)));
    buf_fini(&out);
}

static void test_level(void) {
    unit_case("levels");
    struct buf out = {0};
    enum log_level level;
    CHECK(log_level_parse(STR("debug"), &level) && level == LOG_LEVEL_DEBUG);
    CHECK(log_level_parse(STR("error"), &level) && level == LOG_LEVEL_ERROR);
    CHECK(!log_level_parse(STR("loud"), &level) && !log_level_parse(STR(""), &level));
    capture_begin();
    LOG_DEBUG("test.quiet", LOG_I("n", 1));
    log_set_level(LOG_LEVEL_ERROR);
    LOG_WARN("test.quiet", LOG_I("n", 2));
    LOG_ERROR("test.heard", LOG_I("n", 3));
    log_set_level(LOG_LEVEL_INFO);
    capture_end(&out);
    CHECK(str_find(buf_view(&out), STR("quiet")) < 0);
    CHECK(str_find(buf_view(&out), STR("level=error event=test.heard n=3\n")) > 0);
    buf_fini(&out);
}

void log_test(void) {
    log_set_level(LOG_LEVEL_INFO);
    test_line();
    test_long_value();
    test_level();
}
