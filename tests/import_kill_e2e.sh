#!/bin/sh
# SIGKILL at random moments during imports, transitions and reactions, KILL_ROUNDS times (20): all or nothing, each
# reaction's effect once.
set -u
cd "$(dirname "$0")/.." || exit 1
rounds=${KILL_ROUNDS:-20}
seed=${KILL_SEED:-$(date +%s)}
make -s build/weft build/release/tests/import_kill_driver || { echo "import_kill: 0 passed, 1 failed"; exit 1; }
data=$(mktemp -d "${TMPDIR:-/tmp}/weft-import-kill-XXXXXX") || exit 1
echo "seed $seed (KILL_SEED=$seed repeats the moments)"
build/release/tests/import_kill_driver build/weft "$data/data" "$rounds" "$seed" 2>"$data/log"
status=$?
if [ $status -eq 0 ]; then rm -rf "$data"; else echo "the folder and the servers' log are in $data"; fi
exit $status
