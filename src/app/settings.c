/* The INI syntax is inih's; this file is the only one that includes it. Lines longer than inih's buffer are refused
 * before it sees them, because it would silently read the rest as another line; leading blanks are taken away, because
 * it would take an indented line for more of the value above. */
#include "app/settings.h"

#include <ctype.h>
#include <ini.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "os/file.h"

enum kind { TEXT, INT, BOOL, LIST };

struct row {
    const char *section, *key;
    enum kind kind;
    const char *fallback;
    int64_t low, high;
    const char *alias, *help;
};

static const struct row rows[SETTING_COUNT] = {
#define SETTING(section, key, kind, fallback, low, high, alias, help)                                                  \
    {#section, #key, kind, fallback, low, high, alias, help},
#include "app/settings.def"
#undef SETTING
};

#define LINE_MAX_BYTES 190 /* inih's line buffer holds 200 */

static bool parse_bool(Str text, int64_t *out) {
    static const char *const words[] = {"false", "true", "no", "yes", "off", "on", "0", "1"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (str_eq_nocase(text, str_c(words[i]))) return *out = (int64_t)(i & 1), true;
    return false;
}

/* where: "weft.ini:3", "WEFT_HTTP_LISTEN" or "--http". */
static Err set(struct settings *s, int i, Str value, const char *where) {
    const struct row *row = &rows[i];
    int64_t number = 0;
    if (row->kind == INT && !str_to_i64(value, &number))
        return err_make(ERR_INVALID, "%s: '" STR_FMT "' is no whole number: give %s.%s a number from %lld to %lld",
                        where, STR_ARG(value), row->section, row->key, (long long)row->low, (long long)row->high);
    if (row->kind == INT && (number < row->low || number > row->high))
        return err_make(ERR_INVALID, "%s: %lld is out of range: %s.%s goes from %lld to %lld", where, (long long)number,
                        row->section, row->key, (long long)row->low, (long long)row->high);
    if (row->kind == BOOL && !parse_bool(value, &number))
        return err_make(ERR_INVALID, "%s: '" STR_FMT "' is neither true nor false: mend %s.%s", where, STR_ARG(value),
                        row->section, row->key);
    if (!str_is_utf8(value) || memchr(value.ptr, 0, value.len))
        return err_make(ERR_INVALID, "%s: the value of %s.%s is not UTF-8 text: save it as UTF-8", where, row->section,
                        row->key);
    s->text[i] = arena_str(&s->arena, value);
    s->number[i] = number;
    return err_none();
}

void settings_init(struct settings *settings) {
    *settings = (struct settings){0};
    arena_init(&settings->arena, 0);
    for (int i = 0; i < SETTING_COUNT; i++) {
        Err err = set(settings, i, str_c(rows[i].fallback), "default");
        ASSERT(err.code == ERR_NONE);
    }
}

void settings_fini(struct settings *settings) { arena_fini(&settings->arena); }

static int find(Str section, Str key) {
    for (int i = 0; i < SETTING_COUNT; i++)
        if (str_eq_c(section, rows[i].section) && str_eq_c(key, rows[i].key)) return i;
    return -1;
}

/* ---- the file */
struct reading {
    struct settings *settings;
    Str rest;
    const char *name;
    int line;
    Err err;
    int err_line; /* where it was seen */
};

static char *read_line(char *into, int room, void *ctx) {
    struct reading *r = ctx;
    if (r->rest.len == 0 || r->err.code != ERR_NONE) return NULL;
    Str line;
    if (!str_cut(r->rest, '\n', &line, &r->rest)) r->rest = (Str){0};
    r->line++;
    while (line.len > 0 && (line.ptr[0] == ' ' || line.ptr[0] == '\t')) line = str_slice(line, 1, line.len);
    if (line.len > LINE_MAX_BYTES || line.len + 2 > (size_t)room || memchr(line.ptr, 0, line.len)) {
        r->err = err_make(ERR_INVALID,
                          "%s:%d: line of %zu bytes is too long or holds a NUL: a line has at most %d bytes of text",
                          r->name, r->line, line.len, LINE_MAX_BYTES);
        r->err_line = r->line;
        return NULL;
    }
    memcpy(into, line.ptr, line.len);
    memcpy(into + line.len, "\n", 2);
    return into;
}

static int on_pair(void *ctx, const char *section, const char *key, const char *value) {
    struct reading *r = ctx;
    if (r->err.code != ERR_NONE) return 0;
    char where[128];
    snprintf(where, sizeof where, "%.100s:%d", r->name, r->line);
    int i = find(str_c(section), str_c(key));
    if (i < 0)
        r->err = err_make(ERR_INVALID, "%s: unknown setting '%.50s' in section [%.50s]: 'weft serve --help' lists all",
                          where, key, section);
    else
        r->err = set(r->settings, i, str_c(value), where);
    if (r->err.code != ERR_NONE) r->err_line = r->line;
    return r->err.code == ERR_NONE;
}

Err settings_parse(struct settings *settings, Str text, const char *name) {
    struct reading r = {.settings = settings, .rest = text, .name = name, .err = err_none()};
    int bad_line = ini_parse_stream(read_line, &r, on_pair, &r);
    bool first = bad_line != 0 && (r.err.code == ERR_NONE || bad_line < r.err_line);
    if (r.err.code != ERR_NONE && !first) return r.err;
    if (first)
        return err_make(ERR_INVALID, "%s:%d: not '[section]', 'key = value' or '; comment': mend the line", name,
                        bad_line);
    return err_none();
}

Err settings_load(struct settings *settings, const char *path) {
    struct buf text = {0};
    Err err = file_load(file_disk, path, SETTINGS_FILE_MAX, &text);
    if (err.code == ERR_NONE) err = settings_parse(settings, buf_view(&text), path);
    buf_fini(&text);
    return err;
}

/* ---- environment and flags */
static void spell(int i, const char *prefix, char separator, bool upper, char out[96]) {
    snprintf(out, 96, "%s%s%c%s", prefix, rows[i].section, separator, rows[i].key);
    for (char *c = out; *c; c++) {
        if (*c == '_' || *c == '-') *c = separator;
        if (upper) *c = (char)toupper((unsigned char)*c);
    }
}

Err settings_environment(struct settings *settings) {
    for (int i = 0; i < SETTING_COUNT; i++) {
        char name[96];
        spell(i, "WEFT_", '_', true, name);
        const char *value = getenv(name);
        if (value) TRY(set(settings, i, str_c(value), name));
    }
    return err_none();
}

Err settings_flag(struct settings *settings, int argc, char **argv, int at, int *used) {
    Str arg = str_c(argv[at]), name, value;
    bool joined = str_cut(arg, '=', &name, &value);
    *used = 0;
    for (int i = 0; i < SETTING_COUNT; i++) {
        char flag[96];
        spell(i, "--", '-', false, flag);
        if (!str_eq_c(name, flag) && !(rows[i].alias && str_eq_c(name, rows[i].alias))) continue;
        bool bare = !joined && rows[i].kind == BOOL;
        if (!joined && !bare && at + 1 >= argc)
            return err_make(ERR_INVALID, "%s needs a value: %s", flag, rows[i].help);
        *used = joined || bare ? 1 : 2;
        if (!joined) value = bare ? STR("true") : str_c(argv[at + 1]);
        return set(settings, i, value, argv[at]);
    }
    return err_none();
}

void settings_help(void) {
    for (int i = 0; i < SETTING_COUNT; i++) {
        char flag[96], env[96];
        spell(i, "--", '-', false, flag);
        spell(i, "WEFT_", '_', true, env);
        if (rows[i].alias)
            printf("  %s (%s)", rows[i].alias, flag);
        else
            printf("  %s", flag);
        printf("%s\n      %s\n", rows[i].kind == BOOL ? "" : " VALUE", rows[i].help);
        printf("      file: [%s] %s   environment: %s   default: %s", rows[i].section, rows[i].key, env,
               *rows[i].fallback ? rows[i].fallback : "(none)");
        if (rows[i].kind == INT) printf("   range: %lld to %lld", (long long)rows[i].low, (long long)rows[i].high);
        printf("\n");
    }
}

Str settings_text(const struct settings *settings, enum setting setting) { return settings->text[setting]; }
const char *settings_c(const struct settings *settings, enum setting setting) { return settings->text[setting].ptr; }

int64_t settings_int(const struct settings *settings, enum setting setting) {
    ASSERT(rows[setting].kind == INT);
    return settings->number[setting];
}

bool settings_bool(const struct settings *settings, enum setting setting) {
    ASSERT(rows[setting].kind == BOOL);
    return settings->number[setting] != 0;
}
