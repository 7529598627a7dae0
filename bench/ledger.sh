#!/bin/sh
# The ledger beside the disk's own limit, in a fresh folder under build/.
cd "$(dirname "$0")/.." || exit 1
make -s build/release/bench/ledger_append || exit 1
rm -rf build/bench-ledger
build/release/bench/ledger_append build/bench-ledger
rm -rf build/bench-ledger
