#!/bin/sh
# The fleet workload's thirteen questions, asked of a whole server and of PostgreSQL over the same rows: the answers must be
# equal, to rounding. Rows are written, flushed, compressed for good and read again after a kill, and asked each time.
set -u
cd "$(dirname "$0")/.." || exit 1
. tests/lib/postgresql.sh
[ -n "$postgresql_bin" ] || { echo "tsbs: 0 passed, 0 failed, 1 skipped"; echo "SKIP tsbs: no PostgreSQL here: apt-get install postgresql-15"; exit 0; }
make -s build/weft || { echo "tsbs: 0 passed, 1 failed"; exit 1; }
work=$(mktemp -d "${TMPDIR:-/tmp}/weft-tsbs-XXXXXX") || exit 1
chmod 755 "$work"
trap 'postgresql_stop immediate; rm -rf "$work"' EXIT
trap 'exit 1' INT TERM
postgresql_start "$work/server" || { echo "tsbs: 0 passed, 1 failed"; exit 1; }
node tests/tsbs.mjs build/weft "$work" "$postgresql_url"
