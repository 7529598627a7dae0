#!/bin/sh
# Makes the demo's recording from the original tables: tools/recording.sh FOLDER packs/machinery/demo
# FOLDER holds PdM_machines.csv PdM_errors.csv PdM_failures.csv PdM_maint.csv and PdM_telemetry.csv (or
# PdM_telemetry_m1-20_q1.csv.xz, the part of it that is used). Needs awk, sort, zstd and, for .xz, xz.
# Numbers are moved as text: no digit is read, rounded or written anew.
set -eu
from=$1 to=$2
machines=20
first=2015-01-01T06:00:00Z
last=2015-04-01T05:00:00Z # 90 days of hours
mkdir -p "$to"

# machine, latitude, longitude, site: MADE UP. The original tables have no positions.
positions() {
    cat <<'ROWS'
1,34.2857,117.3352,Xuzhou Economic Development Zone,徐州经开区
2,34.2351,117.0948,"Quanshan, Xuzhou",徐州泉山
3,34.1653,117.1957,"Tongshan, Xuzhou",徐州铜山
4,34.4462,117.4561,"Jiawang, Xuzhou",徐州贾汪
5,34.7264,116.9153,"Peixian, Xuzhou",徐州沛县
6,34.6958,116.6049,"Fengxian, Xuzhou",徐州丰县
7,34.3459,117.9862,"Pizhou, Xuzhou",徐州邳州
8,34.3661,118.3458,"Xinyi, Xuzhou",徐州新沂
9,33.9054,117.9363,"Suining, Xuzhou",徐州睢宁
10,33.9452,118.2659,Suqian,宿迁
11,34.5656,119.1551,"Haizhou, Lianyungang",连云港海州
12,33.6053,119.0354,Huai'an,淮安
13,33.3458,120.1456,Yancheng,盐城
14,34.8152,117.3259,Zaozhuang,枣庄
15,35.0757,117.1461,"Tengzhou, Zaozhuang",枣庄滕州
16,35.4051,116.6057,Jining,济宁
17,35.0553,118.3462,Linyi,临沂
18,32.4059,119.4253,Yangzhou,扬州
19,31.8054,119.9658,Changzhou,常州
20,36.1652,117.1056,Tai'an,泰安
ROWS
}

telemetry() {
    if [ -f "$from/PdM_telemetry.csv" ]; then cat "$from/PdM_telemetry.csv"; else xz -dc "$from/PdM_telemetry_m1-20_q1.csv.xz"; fi
}

# Rows of the machines up to $last: quotes go, the time becomes RFC 3339, the machine gets its name; by time, machine.
rows() { # first time, header
    echo "$2"
    awk -F, -v machines=$machines -v first="$1" -v last="$last" '
        NR > 1 && $2 + 0 <= machines {
            gsub(/"/, ""); sub(/\r$/, "")
            at = substr($1, 1, 10) "T" substr($1, 12) "Z"
            if (at < first || at > last) next
            printf "%s,m-%02d", at, $2
            for (i = 3; i <= NF; i++) printf ",%s", $i
            print ""
        }' | LC_ALL=C sort -s -t, -k1,2
}

telemetry | rows $first time,machine,volt,rotate,pressure,vibration | zstd -q -19 --check -f -o "$to/telemetry.csv.zst"
rows $first time,machine,code < "$from/PdM_errors.csv" > "$to/errors.csv"
rows $first time,machine,component < "$from/PdM_failures.csv" > "$to/failures.csv"
rows 2014-01-01T00:00:00Z time,machine,component < "$from/PdM_maint.csv" > "$to/maintenance.csv"
{
    echo machine,model,age_years,latitude,longitude,site_en,site_zh
    positions | while IFS=, read -r number place; do
        awk -F, -v n="$number" -v place="$place" '
            NR > 1 && $1 == n { gsub(/"/, ""); sub(/\r$/, ""); printf "m-%02d,%s,%s,%s\n", $1, $2, $3, place }
        ' "$from/PdM_machines.csv"
    done
} > "$to/machines.csv"
