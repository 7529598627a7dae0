#include "tests/lib/store_postgresql.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "os/plugin.h"
#include "store/postgresql_driver.h"
#include "tests/unit.h"

static bool execute(const struct postgresql_driver *driver, const char *url, const char *text) {
    struct postgresql_link *link;
    struct postgresql_failure failure;
    if (!driver->open(url, &link, &failure)) {
        CHECK_STR(str_c(failure.text), STR("a connection"));
        return false;
    }
    bool ok = driver->run(link, str_c(text), NULL, 0, &failure);
    if (!ok) CHECK_STR(str_c(failure.text), STR("success"));
    driver->close(link);
    return ok;
}

const char *store_postgresql_url(void) {
    static char urls[400][600];
    static unsigned n;
    const char *server = getenv("WEFT_TEST_POSTGRESQL");
    const void *driver;
    char text[64];
    if (!server || !server[0] || n == sizeof urls / sizeof *urls) return NULL;
    if (!CHECK_OK(plugin_open("postgresql", &driver))) return NULL;
    snprintf(urls[n], sizeof urls[n], "%s&options=-csearch_path%%3Dt%u", server, n);
    snprintf(text, sizeof text, "DROP SCHEMA IF EXISTS t%u CASCADE", n);
    if (!execute(driver, server, text)) return NULL;
    snprintf(text, sizeof text, "CREATE SCHEMA t%u", n);
    return execute(driver, server, text) ? urls[n++] : NULL;
}

const char *store_postgresql_for(const char *dir) {
    static struct {
        char dir[300];
        const char *url;
    } known[400];
    static size_t n;
    for (size_t i = 0; i < n; i++)
        if (strcmp(known[i].dir, dir) == 0) return known[i].url;
    const char *url = store_postgresql_url();
    if (!url || n == sizeof known / sizeof *known) return url;
    snprintf(known[n].dir, sizeof known[n].dir, "%s", dir);
    known[n++].url = url;
    return url;
}
