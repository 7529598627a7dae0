/* Blobs over a real folder, and over a disk that loses power at any moment. */
#include "store/blobs.h"

#include <stdio.h>
#include <string.h>

#include "tests/lib/store_cutfs.h"
#include "tests/unit.h"

void blobs_test(void);

#define BLOBS 40

static Str content(unsigned number, char out[6000]) {
    size_t n = 1 + number * 137 % 5000;
    for (size_t i = 0; i < n; i++) out[i] = (char)(number * 31 + i * (number + 7) / 3);
    return str_n(out, n);
}

static void keeps_files(void) {
    struct blobs *blobs;
    struct arena arena;
    BlobId id, again, absent = {{1}};
    Str got;
    char path[600], name[70] = "";
    const char *dir = unit_temp_dir();
    if (!CHECK_OK(blobs_open(dir, NULL, &blobs))) return;
    arena_init(&arena, 0);
    unit_case("what is put is got, under its hash, once");
    CHECK_OK(blobs_put(blobs, STR("abc"), &id));
    CHECK_OK(blobs_put(blobs, STR("abc"), &again));
    CHECK(memcmp(&id, &again, sizeof id) == 0);
    for (size_t i = 0; i < sizeof id.hash; i++) snprintf(name + strlen(name), 5, i ? "%02x" : "%02x/", id.hash[i]);
    CHECK_STR(str_c(name), STR("ba/7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"));
    snprintf(path, sizeof path, "%s/blobs/%s", dir, name);
    CHECK(file_exists(file_disk, path));
    CHECK_OK(blobs_get(blobs, id, &arena, &got));
    CHECK_STR(got, STR("abc"));
    unit_case("nothing is a blob too");
    CHECK_OK(blobs_put(blobs, STR(""), &again));
    CHECK_OK(blobs_get(blobs, again, &arena, &got));
    CHECK_INT(got.len, 0);
    unit_case("absent");
    CHECK_ERR(blobs_get(blobs, absent, &arena, &got), ERR_NOT_FOUND);
    CHECK_OK(blobs_remove(blobs, absent));
    unit_case("spoilt bytes are told, and mended by putting them again");
    CHECK_OK(file_replace(file_disk, path, STR("abd"), "test"));
    CHECK_ERR(blobs_get(blobs, id, &arena, &got), ERR_CORRUPT);
    CHECK_OK(blobs_put(blobs, STR("abc"), &id));
    CHECK_OK(blobs_get(blobs, id, &arena, &got));
    unit_case("removed");
    CHECK_OK(blobs_remove(blobs, id));
    CHECK_ERR(blobs_get(blobs, id, &arena, &got), ERR_NOT_FOUND);
    CHECK_OK(blobs_get(blobs, again, &arena, &got));
    blobs_close(blobs);
    arena_fini(&arena);
}

struct world {
    struct store_cutfs *disk;
    BlobId ids[BLOBS];
    bool kept[BLOBS], gone[BLOBS]; /* acknowledged */
};

/* Puts and removes until the power goes. */
static void work(struct world *w, unsigned from) {
    struct blobs *blobs;
    char text[6000];
    if (blobs_open("/data", store_cutfs_fs(w->disk), &blobs).code != ERR_NONE) return;
    for (unsigned i = 0; i < BLOBS && !store_cutfs_is_off(w->disk); i++) {
        unsigned number = (from + i * 7) % BLOBS;
        bool removes = w->kept[number] && (from + i) % 3 == 0;
        if (removes) w->kept[number] = false; /* from here on it may be either */
        if (!removes) w->gone[number] = false;
        Err err =
            removes ? blobs_remove(blobs, w->ids[number]) : blobs_put(blobs, content(number, text), &w->ids[number]);
        if (err.code != ERR_NONE) continue;
        w->kept[number] = !removes;
        w->gone[number] = removes;
    }
    blobs_close(blobs);
}

/* The first thing that is wrong, or 0. */
static const char *look(struct world *w) {
    struct blobs *blobs;
    struct arena arena;
    char text[6000];
    const char *wrong = NULL;
    if (blobs_open("/data", store_cutfs_fs(w->disk), &blobs).code != ERR_NONE) return "it does not open";
    arena_init(&arena, 0);
    for (unsigned i = 0; i < BLOBS && !wrong; i++) {
        Str got, want = content(i, text);
        Err err = blobs_get(blobs, w->ids[i], &arena, &got);
        if (err.code == ERR_NOT_FOUND && w->kept[i]) wrong = "a blob is lost";
        if (err.code != ERR_NOT_FOUND && err.code != ERR_NONE) wrong = "a blob is damaged";
        if (err.code == ERR_NONE && w->gone[i]) wrong = "a removed blob is back";
        if (err.code == ERR_NONE && !str_eq(got, want)) wrong = "a blob has other bytes";
        arena_reset(&arena);
    }
    arena_fini(&arena);
    blobs_close(blobs);
    return wrong;
}

static const char *cut_once(uint64_t seed, const char *ignored) {
    static struct world w;
    char text[6000];
    w = (struct world){.disk = store_cutfs_new(seed)};
    const char *wrong = NULL;
    if (ignored) store_cutfs_ignore(w.disk, ignored);
    for (unsigned i = 0; i < BLOBS; i++) { /* their names, by another disk */
        struct blobs *blobs;
        struct store_cutfs *other = store_cutfs_new(1);
        if (blobs_open("/d", store_cutfs_fs(other), &blobs).code == ERR_NONE) {
            blobs_put(blobs, content(i, text), &w.ids[i]);
            blobs_close(blobs);
        }
        store_cutfs_free(other);
    }
    for (unsigned cycle = 0; cycle < 4 && !wrong; cycle++) {
        static const enum store_cutfs_left left[] = {STORE_CUTFS_SYNCED, STORE_CUTFS_SOME, STORE_CUTFS_ALL,
                                                     STORE_CUTFS_KILLED};
        store_cutfs_cut_at(w.disk, 1 + (seed * 2654435761u + cycle * 40503u) % 150);
        work(&w, (unsigned)seed + cycle);
        store_cutfs_power_on(w.disk, left[(seed + cycle) % 4]);
        wrong = look(&w);
    }
    store_cutfs_free(w.disk);
    return wrong;
}

static void survives_cuts(void) {
    static const char *const sites[] = {"blobs.data", "blobs.dir", "blobs.folder"};
    unit_case("the power goes at any moment");
    for (uint64_t seed = 1; seed <= 150; seed++) {
        const char *wrong = cut_once(seed, NULL);
        if (wrong) CHECK_STR(str_c(wrong), STR("nothing wrong"));
    }
    for (size_t i = 0; i < sizeof sites / sizeof *sites; i++) {
        bool missed = false;
        unit_case(sites[i]);
        for (uint64_t seed = 1; seed <= 300 && !missed; seed++) missed = cut_once(seed, sites[i]) != NULL;
        CHECK(missed); /* without this sync something is lost */
    }
}

static bool count_bad(void *ctx, const char *file, const char *what) {
    CHECK(str_starts(str_c(file), STR("blobs/")) && what[0]);
    ++*(int *)ctx;
    return true;
}

static void checks_files(void) {
    struct store_cutfs *disk = store_cutfs_new(9);
    struct file_system *fs = store_cutfs_fs(disk);
    struct blobs *blobs;
    struct blobs_count count;
    BlobId id;
    int bad = 0;
    char path[128] = "/b/blobs/";
    unit_case("every file is compared with its name");
    CHECK_OK(blobs_open("/b", fs, &blobs));
    for (int i = 0; i < 20; i++) {
        char text[32];
        int n = snprintf(text, sizeof text, "file %d", i);
        CHECK_OK(blobs_put(blobs, str_n(text, (size_t)n), &id));
    }
    blobs_close(blobs);
    CHECK_OK(blobs_check("/b", fs, count_bad, &bad, &count));
    CHECK(count.files == 20 && count.bad == 0 && bad == 0);
    for (size_t i = 0; i < 32; i++) snprintf(path + strlen(path), 4, i == 0 ? "%02x/" : "%02x", id.hash[i]);
    CHECK(store_cutfs_flip(disk, path, 2));
    CHECK_OK(file_replace(fs, "/b/blobs/00.txt", STR("x"), "x"));
    CHECK_OK(file_make_dirs(fs, "/b/blobs/aa", "x"));
    CHECK_OK(file_replace(fs, "/b/blobs/aa/readme", STR("x"), "x"));
    CHECK_OK(blobs_check("/b", fs, count_bad, &bad, &count));
    CHECK(count.files == 20 && count.bad == 2 && bad == 2);
    store_cutfs_free(disk);
}

void blobs_test(void) {
    keeps_files();
    checks_files();
    survives_cuts();
}
