# shellcheck shell=sh
# A PostgreSQL of Debian's package in a folder of its own, reached by a socket there and by nothing else. Sourced.
#     postgresql_start DIR      sets postgresql_url; run as root it runs as the user postgres
#     postgresql_stop
#     postgresql_psql SQL       runs it, and prints the answer bare

postgresql_bin=$(for d in /usr/lib/postgresql/*/bin; do [ -x "$d/postgres" ] && echo "$d"; done | sort -V | tail -n 1)

postgresql_as() {
    if [ "$(id -u)" -eq 0 ]; then (cd / && setpriv --reuid=postgres --regid=postgres --init-groups "$@"); else "$@"; fi
}

postgresql_start() {
    [ -n "$postgresql_bin" ] || { echo "no PostgreSQL here: apt-get install postgresql-15" >&2; return 1; }
    postgresql_dir=$1
    mkdir -p "$postgresql_dir/socket" || return 1
    chmod 755 "$postgresql_dir"
    [ "$(id -u)" -eq 0 ] && chown -R postgres: "$postgresql_dir"
    postgresql_as "$postgresql_bin/initdb" -D "$postgresql_dir/data" -U postgres -A trust -E UTF8 --locale=C.UTF-8 >"$postgresql_dir.log" 2>&1 || {
        cat "$postgresql_dir.log" >&2
        return 1
    }
    # shellcheck disable=SC2086
    postgresql_as "$postgresql_bin/pg_ctl" -D "$postgresql_dir/data" -w -t 60 -l "$postgresql_dir/socket/log" \
        -o "-c listen_addresses= -k $postgresql_dir/socket ${postgresql_options:-}" start >>"$postgresql_dir.log" 2>&1 || {
        cat "$postgresql_dir.log" "$postgresql_dir/socket/log" >&2
        return 1
    }
    postgresql_url="postgresql://postgres@/postgres?host=$postgresql_dir/socket"
}

postgresql_stop() {
    [ -n "${postgresql_dir:-}" ] && [ -f "$postgresql_dir/data/postmaster.pid" ] || return 0
    postgresql_as "$postgresql_bin/pg_ctl" -D "$postgresql_dir/data" -m "${1:-fast}" -w stop >>"$postgresql_dir.log" 2>&1
}

postgresql_psql() { psql -X -A -t -q -v ON_ERROR_STOP=1 "$postgresql_url" -c "$1"; }
