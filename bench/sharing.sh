#!/bin/sh
# Disclosures a second and what a lens costs, in a fresh folder under build/.
cd "$(dirname "$0")/.." || exit 1
make -s build/release/bench/disclosure_rate || exit 1
rm -rf build/bench-sharing
build/release/bench/disclosure_rate build/bench-sharing
rm -rf build/bench-sharing
