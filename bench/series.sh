#!/bin/sh
# The series store beside its peers on the fleet workload: the same seeded rows to each, in its own fastest documented form.
# Installs the peers from Debian (as root) when they are missing, and starts each on loopback, alone.
#
#     bench/series.sh [--scale TRUCKS] [--hours H] [--json] [--only ingest|queries] [--peers weft,clickhouse] [--query NAME] [--times N] [--show]
#
# Default: 500 trucks, 24 hours (43 million points before losses).
# Printed for each: rows and points a second with one and two clients, points a server CPU second until background work is idle,
# bytes a point on disk after its own flush and merge (log included), peak memory. Weft acknowledges what is on the disk; the
# others do not wait for it. PostgreSQL is fed by COPY. Then the workload's thirteen questions, each 50 times with other trucks,
# fleets and windows over one kept connection (bench/series_queries.mjs has their words): medians, and whether Weft is twice as
# fast as the best peer where that needs more than a millisecond, else within 0.1 ms of it. `cannot`: that peer has no words for it.
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
