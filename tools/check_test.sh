#!/bin/sh
# Does `make check` see what it should? Plants faults in a scratch copy of base and os, and requires that each is named.
set -u
temp=$(mktemp -d "${TMPDIR:-/tmp}/weft-check-test-XXXXXX") || exit 2
trap 'rm -rf "$temp"' EXIT
passed=0 failed=0

fresh() {
    rm -rf "$temp/copy"
    mkdir -p "$temp/copy/src" "$temp/copy/tools" "$temp/copy/tests" "$temp/copy/console"
    cp -r src/base src/os "$temp/copy/src/"
    cp Makefile .clang-format "$temp/copy/"
    cp tools/*.sh tools/*.mk "$temp/copy/tools/"
    cp tests/unit.[ch] tests/main.sh "$temp/copy/tests/"
    mkdir -p "$temp/copy/src/store"
}

# expect NAME PATTERN: make check must fail and print a line that matches
expect() {
    out=$(cd "$temp/copy" && unset MAKEFLAGS MAKELEVEL && make -s check 2>&1)
    status=$?
    if [ "$status" -ne 0 ] && echo "$out" | grep -qE "$2"; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        printf 'FAIL %s: exit %d, and no line like "%s" in:\n%s\n' "$1" "$status" "$2" "$out"
    fi
}

# All objects are built once; each plant after that compiles a file or two.
fresh
plant() { cat >"$temp/copy/$1"; }
drop() { for f in "$@"; do rm -f "$temp/copy/$f"; done; }

plant src/store/planted_right.h </dev/null
printf '#include "base/str.h"\n#include "store/planted_right.h"\n' | plant src/base/planted_include.c
expect 'right-pointing include' '^FAIL include: src/base/planted_include.c:2: .*"store/planted_right.h"'
drop src/base/planted_include.c src/store/planted_right.h

printf '#include "../base/str.h"\n' | plant src/os/planted_dots.c
expect 'include with dots' '^FAIL include: src/os/planted_dots.c:1: '
drop src/os/planted_dots.c

printf 'int planted_up_go(void);\nint planted_up_go(void) { return 1; }\n' | plant src/store/planted_up.c
printf 'int planted_up_go(void);\nint planted_low_go(void);\nint planted_low_go(void) { return planted_up_go(); }\n' | plant src/base/planted_low.c
expect 'upward link' '^FAIL link: src/base/planted_low.c:1: .*"planted_up_go" of room "store"'
drop src/base/planted_low.c src/store/planted_up.c

printf 'int bare_name(void);\nint bare_name(void) { return 1; }\n' | plant src/os/planted_export.c
expect 'exported symbol without prefix' '^FAIL exports: src/os/planted_export.c:1: .*"bare_name"'
drop src/os/planted_export.c

printf '#include <unistd.h>\n' | plant src/base/planted_os.c
expect 'os header outside os' '^FAIL os headers: src/base/planted_os.c:1: .*unistd.h'
drop src/base/planted_os.c

printf '#include <jansson.h>\n' | plant src/os/planted_library.c
expect 'library outside its adapter' '^FAIL adapters: src/os/planted_library.c:1: .*jansson.h'
drop src/os/planted_library.c

mkdir -p "$temp/copy/src/serve"
printf '#include "store/planted_rows.h"\n' | plant src/serve/planted_rows_reader.c
printf 'typedef int PlantedRows;\n' | plant src/store/planted_rows.h
expect 'store behind the gate' '^FAIL store: src/serve/planted_rows_reader.c:1: .*"store/planted_rows.h"'
drop src/serve/planted_rows_reader.c src/store/planted_rows.h

printf 'struct lens { int party; };\nstruct lens gate_lens_system(const char *);\nint planted_eyes_go(void);\nint planted_eyes_go(void) { return gate_lens_system("x").party; }\n' | plant src/serve/planted_eyes.c
expect 'the eyes of the system' '^FAIL lens: src/serve/planted_eyes.c:2: '
printf 'struct lens { int party; };\nint planted_eyes_go(void);\nint planted_eyes_go(void) { return (struct lens){.party = 1}.party; }\n' | plant src/serve/planted_eyes.c
expect 'a lens of its own' '^FAIL lens: src/serve/planted_eyes.c:3: builds a lens'
drop src/serve/planted_eyes.c

printf '#define HTTP_GET 0\nint planted_routes_n = 0;\n/* {HTTP_GET, "/api/v1/planted/{id}",\n    "readPlanted", "x"}, */\n' | plant src/serve/planted_routes.c
printf 'GATE_PATH(readPlanted, OWN)\nGATE_PATH(readGone, OWN)\n' | plant src/serve/gate_paths.def
expect 'a table with a path that is none' '^FAIL gate: src/serve/gate_paths.def:1: path "readGone"'
printf 'GATE_PATH(readOther, OWN)\n' | plant src/serve/gate_paths.def
expect 'a path that reads past the table' '^FAIL gate: src/serve/planted_routes.c:3: "readPlanted"'
drop src/serve/planted_routes.c src/serve/gate_paths.def

{
    echo 'void planted_long_go(int *x);'
    echo 'void planted_long_go(int *x) {'
    i=0
    while [ $i -lt 90 ]; do echo '    (*x)++;' && i=$((i + 1)); done
    echo '}'
} | plant src/os/planted_long.c
expect 'function over 80 lines' '^FAIL length: src/os/planted_long.c:2: function of 92 lines'
drop src/os/planted_long.c

printf 'int    planted_ugly_x=1;\n' | plant src/os/planted_ugly.c
if command -v clang-format >/dev/null 2>&1; then expect 'unformatted file' '^FAIL format: src/os/planted_ugly.c:1: '; fi
drop src/os/planted_ugly.c

printf '/* TOD%s: later */\ntypedef int PlantedTwin;\n' O | plant src/os/str.c
expect 'duplicate name' '^FAIL names: src/os/str.c:1: .*"str" is taken'
expect 'unfinished work' '^FAIL words: src/os/str.c:1: '
drop src/os/str.c

printf 'ERR(ERR_PLANTED, "planted", 400, "planted")\n' >>"$temp/copy/src/base/err.def"
expect 'unused error' '^FAIL errors: src/base/err.def:[0-9]+: error "ERR_PLANTED"'

echo "check_test: $passed passed, $failed failed"
[ "$failed" -eq 0 ]
