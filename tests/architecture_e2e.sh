#!/bin/sh
# ARCHITECTURE.md follows one sample through the code: every row `file` `function` of it must exist.
set -u
cd "$(dirname "$0")/.." || exit 1
passed=0 failed=0
rows=$(sed -n 's/^|.*`\(src\/[^`]*\.c\)` *| *`\([a-z0-9_]*\)`.*/\1 \2/p' ARCHITECTURE.md)
[ "$(printf '%s\n' "$rows" | wc -l)" -ge 10 ] || { echo "ARCHITECTURE.md: fewer than 10 steps name a file and a function"; failed=1; }
while read -r file function; do
    # a definition starts in the first column and ends its line with an opening brace, a comma or a one-line body
    if grep -qE "^[A-Za-z][A-Za-z0-9_ *]*[ *]$function\(" "$file" 2>/dev/null; then passed=$((passed + 1))
    else echo "ARCHITECTURE.md: no function $function in $file"; failed=$((failed + 1)); fi
done <<EOF
$rows
EOF
echo "architecture: $passed passed, $failed failed"
[ "$failed" -eq 0 ]
