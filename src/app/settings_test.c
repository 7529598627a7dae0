#include "app/settings.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit.h"

struct bad_case {
    const char *text, *says;
};

static const struct bad_case bad[] = {
    {"[mqtt]\nserver_keep_alive = soon\n", "t.ini:2: 'soon' is no whole number"},
    {"[mqtt]\nserver_keep_alive = 65536\n", "t.ini:2: 65536 is out of range"},
    {"[mqtt]\nserver_keep_alive = 99999999999999999999\n", "is no whole number"},
    {"[mqtt]\nallow_anonymous = perhaps\n", "t.ini:2: 'perhaps' is neither true nor false"},
    {"\n\n[http]\nlissten = x\n", "t.ini:4: unknown setting 'lissten' in section [http]"},
    {"[nowhere]\nlisten = x\n", "unknown setting 'listen' in section [nowhere]"},
    {"[http\nlisten = x\n", "t.ini:1: not '[section]'"},
    {"[http]\nlisten\n", "t.ini:2: not '[section]'"},
    {"[http]\nlisten = \xff\xfe\n", "is not UTF-8"},
};

static void refuses(void) {
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct settings s;
        settings_init(&s);
        Err err = settings_parse(&s, str_c(bad[i].text), "t.ini");
        CHECK_INT(err.code, ERR_INVALID);
        if (!strstr(err.text, bad[i].says)) CHECK_STR(str_c(err.text), str_c(bad[i].says));
        settings_fini(&s);
    }
}

static void too_long(void) {
    char text[400] = "[http]\nlisten = ";
    memset(text + strlen(text), 'a', 250);
    struct settings s;
    settings_init(&s);
    Err err = settings_parse(&s, str_c(text), "t.ini");
    CHECK_INT(err.code, ERR_INVALID);
    CHECK(strstr(err.text, "t.ini:2: line of 259 bytes") != NULL);
    settings_fini(&s);
}

static void reads(void) {
    struct settings s;
    settings_init(&s);
    CHECK_STR(settings_text(&s, SETTING_http_listen), STR("127.0.0.1:8080"));
    CHECK_OK(
        settings_parse(&s,
                       STR("\xef\xbb\xbf; note\r\n[mqtt]\r\n  server_keep_alive = 60\r\ndeny_subscribe = a, b/#\r\n"
                           "[store]\nmemory_mb=8"),
                       "t.ini"));
    CHECK_INT(settings_int(&s, SETTING_mqtt_server_keep_alive), 60);
    CHECK_INT(settings_int(&s, SETTING_store_memory_mb), 8);
    CHECK_STR(settings_text(&s, SETTING_mqtt_deny_subscribe), STR("a, b/#"));
    settings_fini(&s);
}

static void later_wins(void) {
    struct settings s;
    settings_init(&s);
    CHECK_OK(settings_parse(&s, STR("[http]\nworkers = 2\n[mqtt]\nthreads = 7\n"), "t.ini"));
    setenv("WEFT_HTTP_WORKERS", "3", 1);
    CHECK_OK(settings_environment(&s));
    unsetenv("WEFT_HTTP_WORKERS");
    CHECK_INT(settings_int(&s, SETTING_http_workers), 3);
    char *argv[] = {"--http-workers=5", "--http", "127.0.0.1:0", "--mqtt-allow-anonymous", "--mqtt-threads", "--other"};
    int used;
    CHECK_OK(settings_flag(&s, 6, argv, 0, &used));
    CHECK_INT(used, 1);
    CHECK_INT(settings_int(&s, SETTING_http_workers), 5);
    CHECK_OK(settings_flag(&s, 6, argv, 1, &used));
    CHECK_INT(used, 2);
    CHECK_STR(settings_text(&s, SETTING_http_listen), STR("127.0.0.1:0"));
    CHECK_OK(settings_flag(&s, 6, argv, 3, &used));
    CHECK_INT(used, 1);
    CHECK(settings_bool(&s, SETTING_mqtt_allow_anonymous));
    CHECK_ERR(settings_flag(&s, 5, argv, 4, &used), ERR_INVALID);
    CHECK_OK(settings_flag(&s, 6, argv, 5, &used));
    CHECK_INT(used, 0);
    CHECK_INT(settings_int(&s, SETTING_mqtt_threads), 7);
    settings_fini(&s);
}

void settings_test(void) {
    unit_case("bad settings are refused with where and how");
    refuses();
    unit_case("a line longer than the buffer is refused, not cut");
    too_long();
    unit_case("a file is read, with a mark, comments and blanks");
    reads();
    unit_case("file, then environment, then flags");
    later_wins();
}
