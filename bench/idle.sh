#!/bin/sh
# What an idle server costs: time from start to ready on an empty data folder, resident memory then and after 3 s, size of the
# folder. Five starts; beside them, starts of `sqlite3` making an empty database, as a measure of the machine.
set -eu
cd "$(dirname "$0")/.."
[ -x build/weft ] || make -s
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
now() { date +%s%N; }
printf '%-6s %12s %12s %12s %12s\n' start ready_ms sqlite_ms rss_kB rss_3s_kB
for i in 1 2 3 4 5; do
    data=$scratch/$i
    began=$(now)
    build/weft serve --data "$data" --http 127.0.0.1:0 --mqtt 127.0.0.1:0 >"$scratch/$i.out" 2>"$scratch/err" &
    pid=$!
    until grep -q ready "$scratch/$i.out"; do sleep 0.002; done
    ready=$((($(now) - began) / 1000))
    rss=$(awk '/VmRSS/ {print $2}' /proc/$pid/status)
    sleep 3
    rss3=$(awk '/VmRSS/ {print $2}' /proc/$pid/status)
    kill $pid
    wait $pid || true
    sqlite=-
    if command -v sqlite3 >/dev/null; then
        began=$(now)
        sqlite3 "$scratch/$i.db" 'pragma journal_mode=wal; create table t(x); insert into t values(1);' >/dev/null
        sqlite=$((($(now) - began) / 1000))
    fi
    printf '%-6s %12s %12s %12s %12s\n' "$i" "$((ready / 1000)).$((ready % 1000 / 100))" \
        "$([ "$sqlite" = - ] && echo - || echo "$((sqlite / 1000)).$((sqlite % 1000 / 100))")" "$rss" "$rss3"
done
