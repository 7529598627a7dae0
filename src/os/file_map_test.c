#include "os/file_map.h"

#include <stdio.h>
#include <string.h>

#include "tests/unit.h"

void file_map_test(void);

#define PAGE 4096

static struct file *make(const char *dir, size_t pages) {
    char path[512], bytes[PAGE];
    struct file *file = NULL;
    snprintf(path, sizeof path, "%s/mapped", dir);
    CHECK_OK(file_open(file_disk, path, FILE_READ | FILE_WRITE | FILE_CREATE | FILE_TRUNCATE, &file));
    for (size_t i = 0; i < pages; i++) {
        memset(bytes, 'a' + (int)i, sizeof bytes);
        CHECK_OK(file_write(file, bytes, sizeof bytes, i * PAGE));
    }
    return file;
}

static void seen_case(void) {
    unit_case("a file's bytes as memory");
    struct file *file = make(unit_temp_dir(), 3);
    struct file_map *map = file_map_new(file, 2 * PAGE + 5), *other = file_map_new(file, PAGE);
    if (!CHECK(map != NULL) || !CHECK(other != NULL)) return;
    file_close(file);
    Str bytes = file_map_bytes(map);
    CHECK_INT(bytes.len, 2 * PAGE + 5);
    CHECK_INT(bytes.ptr[0], 'a');
    CHECK_INT(bytes.ptr[2 * PAGE + 4], 'c');
    file_map_free(map);
    CHECK_INT(file_map_bytes(other).ptr[PAGE - 1], 'a');
    file_map_free(other);
    file_map_free(NULL);
}

static void missing_case(void) {
    unit_case("what is not there any more reads as zeroes");
    struct file *file = make(unit_temp_dir(), 3);
    struct file_map *map = file_map_new(file, 3 * PAGE);
    if (!CHECK(map != NULL)) return;
    CHECK_OK(file_truncate(file, PAGE));
    const volatile char *at = file_map_bytes(map).ptr;
    CHECK_INT(at[10], 'a');
    CHECK_INT(at[PAGE + 10], 0);
    CHECK_INT(at[2 * PAGE], 0);
    CHECK_INT(at[PAGE - 1], 'a');
    file_map_free(map);
    CHECK(file_map_new(file, 0) == NULL);
    file_close(file);
}

void file_map_test(void) {
    seen_case();
    missing_case();
}
