#!/bin/sh
# The laws of the house, checked: `make check`. Each finding says where and what to do. Run from the repository's root, after
# the objects are built (BUILD, default build/release). The rooms are read from the Makefile.
set -u
BUILD=${BUILD:-build/release}

# ---- tables ------------------------------------------------------------------------------------------------------------

# A library's header (as a pattern) and the files that may include it: the adapters.
adapters='
jansson\.h|src/base/json.c
qrencode\.h|src/base/qr.c
xxhash\.h|src/base/hash.c
zlib\.h|src/os/gzip.c
microhttpd\.h|src/os/http.c
ini\.h|src/app/settings.c
sodium.*|src/base/sha256.c src/trust/secret.c
sqlite3(ext)?\.h|src/store/records_sqlite.c src/store/sqlite_vfs.c src/os/sqlheap.c src/serve/sql_inner.h
libpq.*|plugins/postgresql/postgresql.c
zstd.*|src/base/zst.c
yaml\.h|src/model/pack_yaml.c
pcre2\.h|src/serve/prometheus_regex.c
l(ua)?(aux)?(lib)?\.h|src/model/script.c src/model/script_decimal.c
'

# Who may build a lens, and why.
lens_makers='
src/trust/gate.c|the gate itself
src/store/records_system.c|the store reads its own tables to migrate them
'

# Who may read with the system's own eyes (gate_lens_system), and why.
system_readers='
src/trust/gate.c|makes it
src/trust/people.c|knows a person before anybody is signed in
src/trust/people_memory.c|loads who everybody is
src/trust/people_session.c|knows a session before anybody is signed in
src/trust/people_link.c|knows a link before anybody is signed in
src/trust/device.c|knows a device before it has said whose it is
src/trust/agreements.c|loads the agreements of every party into memory
src/trust/ledger_entries.c|enters what happened in every party in the ledger
src/trust/disclosures.c|enters what was read of every party in the ledger
src/document/things.c|loads the things of every party into memory
src/document/doc_outbox.c|hands on what happened in every party
src/document/doc_engine.c|names the number of a document that a reader was shown a reference to
src/document/doc_search.c|makes the words that every party finds its documents by
src/document/doc_batch.c|knows at the start whether any import is not shown
src/document/packs_rows.c|an upgrade of a pack brings the documents of every party along
src/act/notify_send.c|sends what waits in every party
src/act/rules.c|schedules run for every party
src/act/alarms.c|alarms rise and clear by themselves
src/domain/service/service_doc.c|promises and predictions run out by themselves
src/domain/service/service_history.c|insight learns from what is on record
'

# Headers of the operating system, for os/ and tests alone.
os_headers='(pthread|unistd|fcntl|dirent|poll|signal|sched|semaphore|dlfcn|termios|pwd|grp|syslog|netdb|ifaddrs|ucontext|execinfo|spawn|ftw|glob|fnmatch|wordexp|mqueue|aio|libgen)\.h|(sys|netinet|arpa|net|linux|asm)/[a-z0-9_/]*\.h'

FILE_LINES_MAX=1000
FUNCTION_LINES_MAX=80

# ---- frame -------------------------------------------------------------------------------------------------------------

temp=$(mktemp -d "${TMPDIR:-/tmp}/weft-check-XXXXXX") || exit 2
trap 'rm -rf "$temp"' EXIT
passed=0 failed=0 skipped=0

# rule NAME FUNCTION: passes when the function prints nothing; a line "skip: …" says that it could not be tried.
rule() {
    "$2" >"$temp/findings" 2>&1
    if [ ! -s "$temp/findings" ]; then
        passed=$((passed + 1))
    elif grep -q '^skip: ' "$temp/findings"; then
        skipped=$((skipped + 1))
        sed "s/^skip: /SKIP $1: /" "$temp/findings"
    else
        failed=$((failed + 1))
        sed "s/^/FAIL $1: /" "$temp/findings"
    fi
}

rooms=$(sed -n 's/^ROOMS *:= *//p' Makefile)
[ -n "$rooms" ] || { echo "check: no ROOMS in the Makefile: run from the repository's root" >&2; exit 2; }

# every file that belongs to the repository
if [ -e .git ] && command -v git >/dev/null 2>&1; then
    git ls-files -co --exclude-standard | while read -r f; do [ -f "$f" ] && echo "$f"; done >"$temp/files"
else
    find . \( -name .git -o -name build -o -name node_modules \) -prune -o -type f -print | sed 's|^\./||' >"$temp/files"
fi
LC_ALL=C sort -o "$temp/files" "$temp/files"
grep -E '^src/.*\.[ch]$' "$temp/files" >"$temp/sources"
grep -vE '_(test|fuzz)\.c$' "$temp/sources" >"$temp/product"
grep -E '^(src|tests|bench|plugins)/.*\.[ch]$' "$temp/files" >"$temp/code"


# ---- rules -------------------------------------------------------------------------------------------------------------

includes_point_left() {
    xargs awk -v rooms="$rooms" '
        BEGIN { n = split(rooms, r, " "); for (i = 1; i <= n; i++) rank[r[i]] = i }
        FNR == 1 { split(FILENAME, own, "/"); test = FILENAME ~ /_test\.c$/ }
        !/^[ \t]*#[ \t]*include[ \t]*"/ { next }
        { name = $0; sub(/^[^"]*"/, "", name); sub(/".*/, "", name); parts = split(name, to, "/") }
        name ~ /(^|\/)\.\.\// || parts < 2 { print FILENAME ":" FNR ": include \"" name "\" does not name its room: write \"room/file.h\""; next }
        to[1] == "tests" && test { next }
        !(to[1] in rank) { print FILENAME ":" FNR ": include \"" name "\": there is no room \"" to[1] "\""; next }
        rank[to[1]] > rank[own[2]] {
            print FILENAME ":" FNR ": room \"" own[2] "\" includes \"" name "\" to its right: declare a function-pointer type here and let app/ wire it"
        }
        own[2] == "domain" && to[1] == "domain" && to[2] != own[3] {
            print FILENAME ":" FNR ": domain/" own[3] " includes another business, \"" name "\": meet in act/ or app/"
        }' <"$temp/sources"
}

# nm of every object that has a source, with the source's name in front: "src/room/x.c TYPE SYMBOL"
symbols() {
    grep -E '\.c$' "$temp/product" | while read -r source; do
        object=$BUILD/${source%.c}.o
        if [ -f "$object" ]; then echo "$object"; else echo "$source" >>"$temp/no_object"; fi
    done >"$temp/objects"
    xargs nm -A <"$temp/objects" | awk -v cut="$(($(printf %s "$BUILD/" | wc -c) + 1))" '
        { split($1, at, ":"); file = substr(at[1], cut); sub(/\.o$/, ".c", file); print file, $(NF - 1), $NF }' >"$temp/symbols"
}

objects_are_built() {
    [ ! -f "$temp/no_object" ] || sed 's/$/:1: not compiled: run make objects/' "$temp/no_object"
}

links_point_left() {
    awk -v rooms="$rooms" '
        BEGIN { n = split(rooms, r, " "); for (i = 1; i <= n; i++) rank[r[i]] = i }
        { split($1, path, "/"); room = path[2] }
        FNR == NR { if ($2 ~ /^[TDBRVW]$/ && (!($3 in home) || rank[room] < rank[home[$3]])) home[$3] = room; next }
        ($2 == "U" || $2 == "w") && ($3 in home) && rank[home[$3]] > rank[room] { print $1, $3, home[$3] }
    ' "$temp/symbols" "$temp/symbols" | while read -r source symbol right; do
        line=$(grep -nw "$symbol" "$source" | head -n 1 | cut -d: -f1)
        echo "$source:${line:-1}: links upward to \"$symbol\" of room \"$right\": take it as a function pointer"
    done
}

errors_are_used() {
    [ -f src/base/err.def ] || return 0
    awk -F'[(,]' '/^ERR\(/ && $2 != "ERR_NONE" { print FNR, $2 }' src/base/err.def | while read -r line code; do
        [ -n "$(xargs grep -lw "$code" <"$temp/product")" ] ||
            echo "src/base/err.def:$line: error \"$code\" is used nowhere: use it or drop the row"
    done
}

exports_bear_their_file() {
    awk '$2 ~ /^[TDBRVC]$/ {
        name = $1; sub(/.*\//, "", name); sub(/\.c$/, "", name)
        if (index($3, name "_") == 1 || $3 == name) next
        if ($1 == "src/app/main.c" && $3 == "main") next
        print $1, $3, name
    }' "$temp/symbols" | while read -r source symbol name; do
        line=$(grep -nw "$symbol" "$source" | head -n 1 | cut -d: -f1)
        echo "$source:${line:-1}: exported \"$symbol\" does not begin with \"${name}_\": rename it, or make it static"
    done
}

os_headers_stay_in_os() {
    grep -v '^src/os/' "$temp/product" | xargs grep -nE "^[ 	]*#[ 	]*include[ 	]*<($os_headers)>" /dev/null |
        sed 's/^\([^:]*:[0-9]*\):.*<\(.*\)>.*/\1: header <\2> of the operating system outside os\/: call what os\/ offers, or add it there/'
}

libraries_have_one_adapter() {
    echo "$adapters" | while IFS='|' read -r header files; do
        [ -n "$header" ] || continue
        xargs grep -nE "^[ 	]*#[ 	]*include[ 	]*<$header>" /dev/null <"$temp/product" | while IFS=: read -r file line text; do
            case " $files " in *" $file "*) continue ;; esac
            echo "$file:$line: $(echo "$text" | sed 's/.*</</') belongs to $files: call that, or amend the table of adapters in tools/check.sh"
        done
    done
}

serve_and_domain_keep_off_the_store() {
    grep -E '^src/(serve|domain)/' "$temp/product" | xargs grep -nE '#[ 	]*include[ 	]*"store/' /dev/null |
        sed 's/^\([^:]*:[0-9]*\):.*"\(.*\)".*/\1: "\2" reads past the gate: go through document\/, insight\/ or act\//'
}

lenses_are_built_at_the_gate() {
    xargs grep -nE \
        '\(struct lens\)[ ]*\{|struct lens [a-z_]+ *= *\{|lens(\.|->)(party|every_party|fields|resolution|from|to|purpose) *=[^=]' /dev/null <"$temp/product" |
        unlisted "$lens_makers" 'builds a lens: take one from the caller or from gate_lens'
    xargs grep -nE 'gate_lens_system\(' /dev/null <"$temp/product" | grep -vE '^[^:]*\.h:' |
        unlisted "$system_readers" "reads with the system's eyes: use the caller's lens, or list this file with its reason in tools/check.sh"
}
# unlisted TABLE WHAT: of grep's lines, those whose file the table does not name
unlisted() {
    while IFS=: read -r file line text; do
        echo "$1" | grep -qF "$file|" || echo "$file:$line: $2"
    done
}

files_and_functions_are_short() {
    xargs awk -v file_max=$FILE_LINES_MAX -v function_max=$FUNCTION_LINES_MAX '
        function ended() { if (lines > file_max) print before ":" lines ": file of " lines " lines, at most " file_max ": part it" }
        FNR == 1 { ended(); before = FILENAME; start = 0 }
        { lines = FNR }
        /^[A-Za-z_].*[({,]$/ && !start { head = FNR }                 # a signature may run over lines
        /^[A-Za-z_ ].*\) \{$/ && !start { start = /^[A-Za-z_]/ ? FNR : head }
        /^\}/ { if (start && FNR - start + 1 > function_max) print FILENAME ":" start ": function of " FNR - start + 1 " lines, at most " function_max ": part it"; start = 0 }
        END { ended() }' <"$temp/sources"
}

code_is_formatted() {
    command -v clang-format >/dev/null 2>&1 || { echo 'skip: clang-format is not installed (./test installs it)'; return; }
    xargs -P "$(nproc)" -n 40 clang-format --dry-run <"$temp/code" 2>&1 | grep -E ' warning: ' |
        sed 's/^\([^:]*:[0-9]*\):.*/\1: not formatted: run clang-format -i on it/' | awk -F: '!seen[$1]++'
}

names_are_unique() {
    awk -F/ '{
        stem = $NF; sub(/\.[ch]$/, "", stem)
        folder = $0; sub(/\/[^\/]*$/, "", folder)
        if (stem in at && at[stem] != folder) print $0 ":1: file name \"" stem "\" is taken by " at[stem] ": choose another"
        else at[stem] = folder
    }' "$temp/sources"
}

# The patterns are written so that they do not match themselves.
words_belong_to_the_product() {
    grep -vE '^LICENSE$|\.(png|jpg|webp|woff2|ico|gz|zst|bin)$|^tests/corpus/' "$temp/files" >"$temp/texts"
    xargs grep -nIE '(^|[^A-Za-z0-9_./])/(wor[k]|hom[e]|roo[t]|User[s])/' /dev/null <"$temp/texts" | place 'a path of one machine: make it relative'
    xargs grep -nIE 'npmjs[.]|npmmirror[.]|pypi[.]org|crates[.]io|proxy[.]golang|(deb|security|snapshot)[.]debian[.]org|mirrors?[.][a-z0-9-]+[.](com|cn|org|edu)' /dev/null <"$temp/texts" |
        place 'a package registry by name: leave the choice to the machine'
    xargs grep -nIwE 'TOD[O]|FIXM[E]|XX[X]|HAC[K]' /dev/null <"$temp/texts" | place 'unfinished work: finish it, or open an issue'
}
place() { sed "s|^\([^:]*:[0-9]*\):.*|\1: $1|"; }

# Every route that reads stands in the table that the gate's property test walks, and the table names no other.
reading_paths_are_gated() {
    table=src/serve/gate_paths.def
    [ -f "$table" ] || { ls src/serve/*.c >/dev/null 2>&1 && grep -l 'HTTP_GET, "' src/serve/*.c | sed "s|\$|:1: routes that read, and no $table|"; return; }
    sed -n 's/^GATE_PATH(\([A-Za-z0-9_]*\),.*/\1/p' "$table" | LC_ALL=C sort >"$temp/gated"
    LC_ALL=C uniq -d "$temp/gated" | sed "s|.*|$table:1: path \"&\" stands there twice|"
    grep '^src/serve/.*[.]c$' "$temp/product" | while read -r file; do
        awk -v file="$file" '
            { text = text $0 "\n" }
            END {
                while (match(text, /\{[ \n]*HTTP_GET,[^",]*"[^"]*",[ \n]*"[^"]*"|[.]method = HTTP_GET,[^;]*[.]id = "[^"]*"/)) {
                    before = before substr(text, 1, RSTART - 1)
                    row = substr(text, RSTART, RLENGTH)
                    text = substr(text, RSTART + RLENGTH)
                    line = 1 + gsub(/\n/, "\n", before)
                    at += line - 1; before = row
                    if (row ~ /^[.]method/) { sub(/[.]method = HTTP_GET,/, "", row); if (match(row, /[.]id = "[^"]*"/)) id = substr(row, RSTART + 7, RLENGTH - 8) }
                    else { n = split(row, part, "\""); id = part[4] }
                    print file ":" at + 1, id
                }
            }' "$file"
    done >"$temp/readers"
    while read -r place id; do
        grep -qx "$id" "$temp/gated" || echo "$place: \"$id\" reads and is not in $table: add it with its kind, and a driver to gate_paths_test.c if it is SHARED"
        echo "$id" >>"$temp/reading"
    done <"$temp/readers"
    while read -r id; do
        grep -qx "$id" "$temp/reading" || grep -q "\"$id\"" src/serve/*.c || echo "$table:1: path \"$id\" is no route with HTTP_GET: drop it"
    done <"$temp/gated"
}

rule 'include' includes_point_left
symbols
rule 'objects' objects_are_built
rule 'link' links_point_left
rule 'errors' errors_are_used
rule 'exports' exports_bear_their_file
rule 'os headers' os_headers_stay_in_os
rule 'adapters' libraries_have_one_adapter
rule 'store' serve_and_domain_keep_off_the_store
rule 'lens' lenses_are_built_at_the_gate
rule 'gate' reading_paths_are_gated
rule 'length' files_and_functions_are_short
rule 'format' code_is_formatted
rule 'names' names_are_unique
rule 'words' words_belong_to_the_product

echo "check: $passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ]
