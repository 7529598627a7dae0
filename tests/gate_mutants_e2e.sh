#!/bin/sh
# Does the gate's test notice when a rule of the gate is missing? For each row of src/model/gate_rules.def the sources that
# hold a rule are built without it (-DGATE_WITHOUT=…), linked before the product's own objects, and the test must fail.
# Usage: gate_mutants_e2e.sh [RULE…]; GATE_ROUNDS (150) rounds each.
set -u
B=${BUILD:-build/release}
OUT=build/gate-mutants
passed=0 failed=0
rules=${*:-$(sed -n 's/^GATE_RULE(\([A-Z_]*\),.*/\1/p' src/model/gate_rules.def)}
sources=$(grep -lw GATE_RULE_ON src/*/*.c)
[ -d /dev/shm ] && [ -w /dev/shm ] && export TMPDIR=/dev/shm # many small commits
export WEFT_GATE_ROUNDS=${GATE_ROUNDS:-150}
mkdir -p "$OUT"

make -s "$B/tests/gate" >"$OUT/build.log" 2>&1 || { tail -5 "$OUT/build.log" >&2; echo 'gate_mutants: 0 passed, 1 failed'; exit 1; }
if ! "$B/tests/gate" >"$OUT/whole.log" 2>&1; then
    tail -5 "$OUT/whole.log" >&2
    echo 'FAIL gate_mutants: the test fails with every rule in force' >&2
    failed=$((failed + 1))
fi

# mutant RULE: builds and runs it; 0 when the test noticed
mutant() {
    dir=$OUT/$1 objects=
    mkdir -p "$dir"
    for source in $sources; do
        grep -q "GATE_RULE_ON($1)" "$source" || continue
        object=$dir/$(basename "$source" .c).o
        ${CC:-gcc} -std=c17 -D_GNU_SOURCE -O1 -w -Isrc -I. -I"$B/gen" -DGATE_WITHOUT="GATE_RULE_$1" -c -o "$object" "$source" || return 1
        objects="$objects $object"
    done
    [ -n "$objects" ] || { echo "FAIL gate_mutants $1: no source holds it" >&2; return 1; }
    rm -f "$dir/gate"
    make -s "MUTANT=$objects" "GATE_PROGRAM=$dir/gate" gate-mutant >"$dir/link.log" 2>&1 || { tail -3 "$dir/link.log" >&2; return 1; }
    timeout 600 "$dir/gate" >"$dir/log" 2>&1 && { echo "FAIL gate_mutants $1: nobody noticed that this rule is missing" >&2; return 1; }
    grep -q '^FAIL' "$dir/log" || { echo "FAIL gate_mutants $1: the test ended without a finding" >&2; tail -3 "$dir/log" >&2; return 1; }
}

for rule in $rules; do
    if mutant "$rule"; then passed=$((passed + 1)); else failed=$((failed + 1)); fi
done
echo "gate_mutants: $passed passed, $failed failed"
[ "$failed" -eq 0 ]
