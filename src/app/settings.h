/*
 * Settings: one table (app/settings.def), read from an INI file, the environment and flags, in that order; later wins.
 * Unknown names and values out of range are refused with where they stand and what is possible.
 */
#ifndef APP_SETTINGS_H
#define APP_SETTINGS_H

#include "base/arena.h"
#include "base/err.h"

enum setting {
#define SETTING(section, key, kind, fallback, low, high, alias, help) SETTING_##section##_##key,
#include "app/settings.def"
#undef SETTING
    SETTING_COUNT
};

#define SETTINGS_FILE_MAX (256 * 1024) /* bytes */

struct settings {
    struct arena arena;
    Str text[SETTING_COUNT];
    int64_t number[SETTING_COUNT]; /* of INT and BOOL settings */
};

void settings_init(struct settings *settings); /* all at their defaults */
void settings_fini(struct settings *settings);
/* name: what errors call the text, for instance its path. */
Err settings_parse(struct settings *settings, Str text, const char *name);
Err settings_load(struct settings *settings, const char *path);
Err settings_environment(struct settings *settings);
/* Takes one flag with its value; *used tells how many of argv were taken (0: not a setting). */
Err settings_flag(struct settings *settings, int argc, char **argv, int at, int *used);
void settings_help(void); /* every setting, on standard output */

Str settings_text(const struct settings *settings, enum setting setting);
const char *settings_c(const struct settings *settings, enum setting setting); /* the same, ended with NUL */
int64_t settings_int(const struct settings *settings, enum setting setting);
bool settings_bool(const struct settings *settings, enum setting setting);

#endif
