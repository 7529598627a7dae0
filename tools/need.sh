# shellcheck shell=sh disable=SC2034
# What Weft needs of the machine, installed when it is missing. Sourced by ./demo and ./test, from the repository's root.

# ---- tables: Debian package|what shows that it is there (a command, or - for the package itself)|why
need_to_build='
make|make|builds everything
gcc|gcc|the C compiler
libc6-dev|-|headers of the C library
libmicrohttpd-dev|-|HTTP
libsqlite3-dev|-|records and their search
libsodium-dev|-|passwords, keys and signatures
libzstd-dev|-|compression of what is kept
libjansson-dev|-|JSON of the interface
zlib1g-dev|-|gzip over HTTP
liblua5.4-dev|-|the small functions of packs
libinih-dev|-|the settings file
libyaml-dev|-|packs, which are YAML
libpcre2-dev|-|regular expressions of PromQL
libxxhash-dev|-|checksums and hash tables
libpq-dev|-|records in PostgreSQL, in a plugin of their own
libminizip-dev|-|XLSX: the archive
libexpat1-dev|-|XLSX: the XML
libqrencode-dev|-|QR codes
libssl-dev|-|keys and signatures of other servers (lib/weft-jose.so)
libcurl4-openssl-dev|-|HTTP and mail out (lib/weft-fetch.so)
libpango1.0-dev|-|printing: texts on a page
libcairo2-dev|-|printing: the page as PDF
fonts-noto-cjk|-|printing: Chinese on paper
tzdata|-|windows in the calendar of any time zone
pkg-config|pkg-config|finds the headers of pango
nodejs|node|builds the console
npm|npm|fetches what the console is built from
ca-certificates|-|lets npm trust what it fetches
'
need_to_test='
clang|clang|the second compiler
clang-format|clang-format|the house format
clang-tidy|clang-tidy|static analysis
libclang-rt-14-dev|-|fuzzing and sanitizers of clang
chromium|chromium|drives the console as a person would
fonts-noto-cjk|-|Chinese on the pages it draws
poppler-utils|pdftotext|reads what was printed
zbar-tools|zbarimg|reads the QR code that was printed
mosquitto|mosquitto|a broker to be measured against (Debian also starts it, for this machine alone, on port 1883)
mosquitto-clients|mosquitto_pub|a foreign MQTT client
postgresql-15|-|records in a real PostgreSQL, started by the test itself
sqlite3|sqlite3|looks into stored records from outside
zstd|zstd|unpacks the recording to count its rows from outside
openssl|openssl|certificates of stand-in servers
zip|zip|hostile archives for the imports
curl|curl|speaks HTTP to the server
'

need_fail() { printf '%s\n' "$@" >&2; exit 1; }

need_has() {
    if [ "$2" = - ]; then
        [ "$(dpkg-query -W -f='${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
    else
        command -v "$2" >/dev/null 2>&1
    fi
}

# need_root COMMAND…: as root, by sudo only where that is needed
need_root() {
    if [ "$(id -u)" -eq 0 ]; then "$@"; else sudo "$@"; fi
}

# need_packages TABLE…: installs what is missing of the tables, saying what and why; says nothing when all is there
need_packages() {
    need_missing='' need_why=''
    # each row of the tables, without the shell splitting its words
    while IFS='|' read -r package shows why; do
        [ -n "$package" ] || continue
        need_has "$package" "$shows" && continue
        need_missing="$need_missing $package"
        need_why="$need_why  $(printf '%-20s %s' "$package" "$why")
"
    done <<TABLES
$(printf '%s\n' "$@")
TABLES
    [ -n "$need_missing" ] || return 0
    command -v apt-get >/dev/null 2>&1 ||
        need_fail "this needs Debian's packages$need_missing, and there is no apt-get here: install their like by hand"
    if [ "$(id -u)" -ne 0 ] && ! command -v sudo >/dev/null 2>&1; then
        need_fail 'some packages are missing, and this is neither root nor is there sudo. As root:' "  apt-get install$need_missing"
    fi
    echo 'Installing from Debian:'
    printf '%s' "$need_why"
    mkdir -p build
    : >build/packages.log
    need_root env DEBIAN_FRONTEND=noninteractive apt-get update >>build/packages.log 2>&1
    # shellcheck disable=SC2086
    if ! need_root env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends $need_missing >>build/packages.log 2>&1; then
        tail -n 5 build/packages.log >&2
        need_fail 'the packages could not be installed (all of it: build/packages.log). Is there a network? By hand:' \
            "  apt-get update && apt-get install$need_missing"
    fi
}

# What the console is built from, in console/node_modules; again only when package-lock.json or node changed.
need_console() {
    [ -f console/package-lock.json ] || return 0
    need_stamp="$(sha256sum <console/package-lock.json | cut -d' ' -f1) $(node --version)"
    [ "$(cat console/node_modules/.weft-stamp 2>/dev/null)" = "$need_stamp" ] && return 0
    case $(node --version) in
        v[0-9].* | v1[0-7].*) need_fail "node $(node --version) is too old for the console: install 18 or newer" ;;
    esac
    echo 'Fetching what the console is built from (npm ci)'
    mkdir -p build
    if ! (cd console && npm ci --no-audit --no-fund) >build/npm.log 2>&1; then
        tail -n 8 build/npm.log >&2
        need_fail "'npm ci' failed in console/ (all of it: build/npm.log). Is there a network?"
    fi
    echo "$need_stamp" >console/node_modules/.weft-stamp
    rm -f build/*/gen/console_files.c
}
