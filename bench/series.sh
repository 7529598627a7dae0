#!/bin/sh
# The series store beside its peers on the fleet workload: the same seeded rows to each, in its own fastest documented form.
# Installs the peers from Debian (as root) when they are missing, and starts each on loopback, alone.
#
#     bench/series.sh [--scale TRUCKS] [--hours H] [--json]        default: 4000 trucks, 1 hour (14.4 million points before losses)
#
# Printed for each: rows and points a second with one and two clients, points a server CPU second until background work is idle,
# bytes a point on disk after its own flush and merge (log included), peak memory. Weft acknowledges what is on the disk; the
# others do not wait for it. PostgreSQL is fed by COPY.
set -u
cd "$(dirname "$0")/.." || exit 1
make -s build/weft || exit 1
missing=
for package in victoria-metrics influxdb clickhouse-server postgresql-15; do
    [ "$(dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null)" = installed ] || missing="$missing $package"
done
if [ -n "$missing" ]; then
    echo "installing$missing" >&2
    # shellcheck disable=SC2086
    DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends $missing >/dev/null 2>&1 || echo "could not install$missing: they are left out" >&2
fi
exec node bench/series.mjs "$@"
