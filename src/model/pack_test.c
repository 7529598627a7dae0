#include "model/pack.h"

#include <stdio.h>
#include <string.h>

#include "model/machinery.h"
#include "tests/unit.h"

static struct catalog *builtin(struct arena *arena) {
    struct pack_faults faults = {.arena = arena};
    struct pack_source *sources;
    size_t n = pack_load_builtin(arena, &sources);
    struct catalog *catalog;
    CHECK(pack_compile(sources, n, &(struct pack_compile_options){.version = 1}, arena, &faults, &catalog));
    for (size_t i = 0; i < faults.n; i++)
        fprintf(stderr, "%s:%u:%u: %s (%s)\n", faults.items[i].file, faults.items[i].line, faults.items[i].column,
                faults.items[i].message, faults.items[i].suggestion ? faults.items[i].suggestion : "");
    CHECK_INT(faults.n, 0);
    return catalog;
}

static void names(void) {
    unit_case("the built-in packs compile without a word, and the generated names are theirs");
    struct arena arena;
    arena_init(&arena, 0);
    struct catalog *catalog = builtin(&arena);
    static const struct {
        const char *type, *section, *name;
    } all[] = {
#define ROW(type, section, name) {type, section, name},
        MACHINERY_NAMES(ROW)
#undef ROW
    };
    size_t fields = 0, want = 0;
    for (size_t i = 0; catalog && i < sizeof all / sizeof *all; i++) {
        const struct doctype *type = catalog_type(catalog, str_c(all[i].type));
        if (!CHECK(type)) continue;
        Str name = str_c(all[i].name);
        CHECK(all[i].section[0] == 'f'   ? doctype_field(type, name) >= 0
              : all[i].section[0] == 's' ? doctype_state(type, name) >= 0
                                         : doctype_transition(type, name) != NULL);
        fields += all[i].section[0] == 'f';
    }
    for (const struct doctype *const *t = catalog ? catalog->types : NULL; t && *t; t++)
        if (strcmp((*t)->pack, "machinery") == 0) want += (*t)->n_fields;
    CHECK_INT(fields, want);
    arena_fini(&arena);
}

/* ---- faults: one pack in one file each; what is said of it */
#define HEAD "name: t\ntitle: {zh: 测, en: T}\nversion: 1.0.0\n"
static const struct {
    const char *text, *message, *suggestion;
    unsigned line, column; /* 0: not looked at */
} faulty[] = {
    {"", "is nothing here", NULL, 0, 0},
    {"name: Bad Name\ntitle: t\nversion: 1", "cannot be a pack's name", NULL, 1, 7},
    {"name: t\ntitle: t\nversion: one", "'one' is no version", "1.0.0", 3, 10},
    {HEAD "recods: {}", "'recods'", "did you mean 'records'?", 4, 1},
    {HEAD "needs: [machnery]", "'machnery' is not here", NULL, 4, 9},
    {HEAD "records:\n  Order: {fields: {}}", "'Order' cannot be a name", NULL, 5, 3},
    {HEAD "records:\n  a: {title: {zh: 甲}, fields: {}}", "has no 'en'", NULL, 5, 14},
    {HEAD "records:\n  a: {}", "'a' has no 'fields'", NULL, 5, 6},
    {HEAD "records:\n  a: {fields: {x: {kind: integer}}}", "no kind 'integer'", "'int'", 5, 26},
    {HEAD "records:\n  a: {fields: {x: {kind: float}}}", "no kind 'float'", "'number'", 0, 0},
    {HEAD "records:\n  a: {fields: {x: {required: yes}}}", "takes true or false", NULL, 5, 30},
    {HEAD "records:\n  a: {fields: {state: {}}}", "has 'state' already", NULL, 5, 16},
    {HEAD "records:\n  a: {fields: {x: {unit: KG}}}", "belongs to fields of kind decimal", NULL, 0, 0},
    {HEAD "records:\n  a: {fields: {x: {kind: decimal, unit: KGN}}}", "no unit 'KGN'", "'KGM'", 0, 0},
    {HEAD "records:\n  a: {fields: {x: {kind: ref, to: b}}}", "no document type 'b'", NULL, 0, 0},
    {HEAD "records:\n  a: {fields: {x: {kind: ref}}}", "leads nowhere", NULL, 0, 0},
    {HEAD "records:\n  a: {fields: {x: {kind: choice}}}", "has no 'choices'", NULL, 0, 0},
    {HEAD "records:\n  a: {fields: {x: {kind: choice, choices: [u, v], default: w}}}", "is no value of 'x'", NULL, 0,
     0},
    {HEAD "records:\n  a: {fields: {x: {kind: decimal, scale: 2, default: 1.234}}}", "at most 2 digits", NULL, 0, 0},
    {HEAD "records:\n  a: {fields: {x: {kind: money, currency: yuan}}}", "no currency code", "CNY", 0, 0},
    {HEAD "records:\n  a: {fields: {x: {format: gtinn}}}", "no format 'gtinn'", "'gtin'", 0, 0},
    {HEAD "records:\n  a: {fields: {x: {compute: f}}}", "no logic.lua with a function 'f'", "function f(doc)", 0, 0},
    {HEAD "records:\n  a: {fields: {x: {share: secret, index: true}}}", "is secret", NULL, 0, 0},
    {HEAD "records:\n  a: {number: 'A-{yyy}', fields: {x: {}}}", "not known", NULL, 0, 0},
    {HEAD "records:\n  a: {number: 'A-{yyyy}', fields: {x: {}}}", "running number once", NULL, 0, 0},
    {HEAD "records:\n  a: {fields: {x: {}}, read: evrybody}", "no role 'evrybody'", NULL, 0, 0},
    {HEAD "records:\n  a: {fields: {x: {}}, checks: x is good}", "is no comparison", NULL, 0, 0},
    {HEAD "records:\n  a: {fields: {quantity: {kind: int}}, checks: quantty > 0}", "no field 'quantty'", "'quantity'",
     0, 0},
    {HEAD "records:\n  a: {fields: {q: {kind: int}}, checks: q > many}", "takes a whole number", NULL, 0, 0},
    {HEAD "records:\n  a: {fields: {q: {kind: int}, d: {kind: date}}, checks: q > d}", "different kinds", NULL, 0, 0},
    {HEAD
     "records:\n  a: {fields: {x: {}}, states: {draft: {}, sent: {}}, transitions: {send: {from: draft, to: snet}}}",
     "no state 'snet'", "'sent'", 0, 0},
    {HEAD "records:\n  a: {fields: {x: {}}, states: {draft: {}, sent: {}}}", "no transition leads to the state 'sent'",
     NULL, 0, 0},
    {HEAD "records:\n  a: {fields: {x: {}}, transitions: {go: {needs: y}}}", "no field 'y'", NULL, 0, 0},
    {HEAD "records:\n  a: {fields: {x: {}}, transitions: {go: {stamps: x}}}", "no field of kind time", NULL, 0, 0},
    {HEAD "records:\n  a: {fields: {l: {kind: lines, fields: {m: {kind: lines, fields: {}}}}}}",
     "lines cannot have lines", NULL, 0, 0},
    {HEAD "things:\n  k: {metrics: {t: {low: 9, high: 3}}}", "'low' is not below 'high'", NULL, 0, 0},
    {HEAD "things:\n  k: {keep: {rav: 90d}}", "no samples or roll-ups called 'rav'", "'raw'", 0, 0},
    {HEAD "things:\n  k: {metrics: {t: {keep: {1h: 5 years}}}}", "'5 years' is no time to keep something", "write 36h",
     0, 0},
    {HEAD "things:\n  k: {metrics: {t: {component: burnr}}, components: {burner: {}}}", "no component 'burnr'",
     "'burner'", 0, 0},
    {HEAD "records:\n  a: {fields: {x: {}}}\nrules:\n  r: {when: {change: b}, do: []}", "no document type 'b'", NULL, 0,
     0},
    {HEAD "records:\n  a: {fields: {x: {}}}\nrules:\n  r: {when: {change: a, what: destroy}, do: []}",
     "nothing called 'destroy'", NULL, 0, 0},
    {HEAD "records:\n  a: {fields: {x: {}}}\nrules:\n  r: {when: {every: soon, each: a}, do: []}", "no span of time",
     "15m", 0, 0},
    {HEAD "records:\n  a: {fields: {x: {}}}\nrules:\n  r: {when: {change: a}, do: [{create: a, set: {y: '{z}'}}]}",
     "no field 'z'", NULL, 0, 0},
    {HEAD "records:\n  a: {fields: {x: {}}}\nrules:\n  r: {when: {change: a}, do: [{notify: everybody, text: t}]}",
     "nobody to notify", NULL, 0, 0},
    {HEAD "records:\n  a: {fields: {x: {}}}\nviews:\n  v: {kind: kanban, type: a}", "no kind 'kanban'", "'board'", 0,
     0},
    {HEAD "records:\n  a: {fields: {x: {share: secret}}}\nagreements:\n  g: {purpose: p, types: {a: [x]}}",
     "is never shared", NULL, 0, 0},
    {HEAD "records:\n  a: &a\n    fields: {x: {}}\n  a: *a", "stands here twice", NULL, 7, 3},
    {HEAD "x: &a [1, *a]", "no anchor", NULL, 4, 11},
    {HEAD "x: !!set {a, b}", "tags are not taken", NULL, 0, 0},
    {HEAD "x: &a {y: 1}\nz: {<<: *a}", "merge keys", NULL, 5, 5},
    {HEAD "---\nx: 1", "a second document", NULL, 5, 1},
    {"name: [", "", NULL, 0, 0},
    {"\xff\xfe", "not UTF-8", NULL, 0, 0},
    {HEAD "x: &a [1,1,1,1,1,1,1,1,1,1]\ny: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a,*a]\nz: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b,*b]\n"
          "u: &d [*c,*c,*c,*c,*c,*c,*c,*c,*c,*c]\nv: &e [*d,*d,*d,*d,*d,*d,*d,*d,*d,*d]\n",
     "more than 50000 values", NULL, 0, 0},
};

static const struct pack_fault *find_fault(const struct pack_faults *faults, const char *message) {
    for (size_t i = 0; i < faults->n; i++)
        if (strstr(faults->items[i].message, message)) return &faults->items[i];
    return NULL;
}

static void faults(void) {
    for (size_t i = 0; i < sizeof faulty / sizeof *faulty; i++) {
        struct arena arena;
        arena_init(&arena, 0);
        struct pack_faults found = {.arena = &arena};
        struct pack_file file = {STR("pack.yaml"), str_c(faulty[i].text)};
        struct pack_source source = {.where = "t", .files = &file, .n = 1};
        struct catalog *catalog;
        unit_case(faulty[i].message);
        pack_compile(&source, 1, &(struct pack_compile_options){.check_only = true}, &arena, &found, &catalog);
        const struct pack_fault *f = find_fault(&found, faulty[i].message);
        for (size_t k = 0; !f && k < found.n; k++)
            fprintf(stderr, "%u:%u: %s\n", found.items[k].line, found.items[k].column, found.items[k].message);
        if (!CHECK(f != NULL)) fprintf(stderr, "%s\n", faulty[i].text);
        if (f && faulty[i].line) {
            CHECK_INT(f->line, faulty[i].line);
            CHECK_INT(f->column, faulty[i].column);
        }
        if (f && faulty[i].suggestion) CHECK(f->suggestion && strstr(f->suggestion, faulty[i].suggestion));
        arena_fini(&arena);
    }
}

/* ---- several packs */
static bool compile_two(const char *a, const char *b, const char *message) {
    struct arena arena;
    arena_init(&arena, 0);
    struct pack_faults found = {.arena = &arena};
    struct pack_file files[] = {{STR("pack.yaml"), str_c(a)}, {STR("pack.yaml"), str_c(b)}};
    struct pack_source sources[] = {{.where = "a", .files = &files[0], .n = 1},
                                    {.where = "b", .files = &files[1], .n = 1}};
    struct catalog *catalog;
    bool good = pack_compile(sources, 2, &(struct pack_compile_options){.check_only = true}, &arena, &found, &catalog);
    bool said = message && find_fault(&found, message);
    arena_fini(&arena);
    return message ? !good && said : good;
}

static void several(void) {
    unit_case("packs stand on each other, and never in a circle");
#define A "name: a\ntitle: t\nversion: 1\n"
#define B "name: b\ntitle: t\nversion: 1\n"
#define TYPE_A "records: {one: {fields: {x: {}}}}\n"
#define USES_A "records: {two: {fields: {y: {kind: ref, to: one}}}}\n"
    CHECK(compile_two(A TYPE_A, B "needs: a\n" USES_A, NULL));
    CHECK(compile_two(A TYPE_A, B USES_A, "no document type 'one'"));
    CHECK(compile_two(A "needs: b\n", B "needs: a\n", "need each other"));
    CHECK(compile_two(A, A, "a pack 'a' already"));
    CHECK(compile_two(A TYPE_A, B TYPE_A, "'one' is declared already"));
}

static void lua(void) {
    unit_case("a function of Lua: known, short, and sound");
    char text[600] = "function f(doc)\n";
    for (size_t i = 0; i < 40; i++) strcat(text, "-- x\n");
    strcat(text, "return 1 end\nend\n");
    static const char pack[] = HEAD "records: {a: {fields: {x: {kind: int, compute: f}}}}";
    const struct {
        const char *lua, *message;
        unsigned line;
    } cases[] = {{"function f(doc) return 1 end", NULL, 0},
                 {"function g(doc) return 1 end", "no function 'f'", 0},
                 {"\nfunction f(doc retrun end", "", 2},
                 {text, "at most 40", 1}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct arena arena;
        arena_init(&arena, 0);
        struct pack_faults found = {.arena = &arena};
        struct pack_file files[] = {{STR("pack.yaml"), str_c(pack)}, {STR("logic.lua"), str_c(cases[i].lua)}};
        struct pack_source source = {.where = "t", .files = files, .n = 2};
        struct catalog *catalog;
        bool good =
            pack_compile(&source, 1, &(struct pack_compile_options){.check_only = true}, &arena, &found, &catalog);
        CHECK_INT(good, cases[i].message == NULL);
        const struct pack_fault *f = cases[i].message ? find_fault(&found, cases[i].message) : NULL;
        CHECK((f != NULL) == (cases[i].message != NULL));
        if (f && cases[i].line) CHECK_INT(f->line, cases[i].line);
        arena_fini(&arena);
    }
}

void pack_test(void) {
    names();
    faults();
    several();
    lua();
}
