// The thirteen questions of the fleet workload, in the words of each peer; null: it cannot be asked that (why stands beside it).
// {fleet} {truck} {from} {to}: texts, ns. Weft's and PostgreSQL's are those that the tests hold against each other.
import fs from 'node:fs';

const MIN = 60_000_000_000n;
const HOUR = 60n * MIN;
const fill = (text, p) => text.replace(/\{(\w+)\}/g, (_, k) => p[k]);

// ---- what is asked for, at random but the same for every peer: a window inside the data
const windows = {'stationary-trucks': 10n * MIN, 'long-driving-sessions': 4n * HOUR, 'long-daily-sessions': 24n * HOUR};
export const names = [
    'last-loc', 'single-last-loc', 'low-fuel', 'high-load', 'stationary-trucks', 'long-driving-sessions', 'long-daily-sessions',
    'avg-vs-projected-fuel-consumption', 'avg-daily-driving-duration', 'avg-daily-driving-session', 'avg-load', 'daily-activity', 'breakdown-frequency',
];
export function parameters(name, count, {scale, from, to}) {
    let seed = names.indexOf(name) + 1;
    const random = (n) => (seed = (seed * 48271) % 2147483647) % n;
    return Array.from({length: count}, () => {
        const long = windows[name] ?? to - from;
        const slack = Number((to - from - long) / MIN);
        const begin = from + (slack > 0 ? BigInt(random(slack + 1)) * MIN : 0n);
        return {
            fleet: ['East', 'West', 'North', 'South'][random(4)], truck: `truck_${random(scale)}`, from: begin, to: begin + long,
            end: to, seconds: (to - from) / 1_000_000_000n, long: long / 1_000_000_000n,
        };
    });
}

// ---- Weft: tests/data/tsbs-queries.json
const file = 'tests/data/tsbs-queries.json';
const asked = fs.existsSync(file) ? JSON.parse(fs.readFileSync(file, 'utf8')) : {};
const iso = (ns) => new Date(Number(ns / 1_000_000n)).toISOString();
export const weft = (name, p) => (asked[name] ?? null) && fill(JSON.stringify(asked[name]), {...p, from: iso(p.from), to: iso(p.to)});

// ---- PostgreSQL: tests/data/tsbs-postgresql.sql
const sql = Object.fromEntries(
    fs.readFileSync('tests/data/tsbs-postgresql.sql', 'utf8').split('-- name: ').slice(1).map((part) => {
        const end = part.indexOf('\n');
        return [part.slice(0, end).trim(), part.slice(end + 1).trim().replace(/\s+/g, ' ')];
    }),
);
export const postgresql = (name, p) =>
    sql[name].replace(/:'fleet'/g, `'${p.fleet}'`).replace(/:'truck'/g, `'${p.truck}'`).replace(/:from/g, p.from).replace(/:to/g, p.to);

// ---- ClickHouse 18: no window functions; sequences by arrays
const slices = 'intDiv(time, 600000000000)';
const driven = (more) => `SELECT name, driver, count() AS n FROM (SELECT name, any(driver) AS driver, ${slices} AS s, avg(velocity) AS v FROM readings
    WHERE fleet = '{fleet}' AND time >= {from} AND time < {to} GROUP BY name, s HAVING v > 1) GROUP BY name, driver HAVING n > ${more}`;
const last = (table, what, where) => `SELECT name, any(driver), ${what} FROM ${table} WHERE ${where} AND name != '' GROUP BY name`;
export const clickhouse = {
    'last-loc': last('readings', 'argMax(longitude, time), argMax(latitude, time)', "fleet = '{fleet}'"),
    'single-last-loc': last('readings', 'argMax(longitude, time), argMax(latitude, time)', "name = '{truck}'"),
    'low-fuel': `${last('diagnostics', 'argMax(fuel_state, time) AS f', "fleet = '{fleet}'")} HAVING f < 0.1`,
    'high-load': `${last('diagnostics', 'argMax(current_load, time) AS l, any(toFloat64OrZero(load_capacity)) AS c', "fleet = '{fleet}'")} HAVING l / c > 0.9`,
    'stationary-trucks': `SELECT name, any(driver), avg(velocity) AS v FROM readings WHERE fleet = '{fleet}' AND time >= {from} AND time < {to} GROUP BY name HAVING v < 1`,
    'long-driving-sessions': driven(22),
    'long-daily-sessions': driven(60),
    'avg-vs-projected-fuel-consumption': "SELECT fleet, avg(fuel_consumption), avg(toFloat64OrZero(nominal_fuel_consumption)) FROM readings WHERE velocity > 1 AND fleet != '' GROUP BY fleet",
    'avg-daily-driving-duration': `SELECT fleet, name, driver, avg(h) FROM (SELECT any(fleet) AS fleet, name, any(driver) AS driver, intDiv(s, 144) AS d, count() / 6 AS h FROM
        (SELECT any(fleet) AS fleet, name, any(driver) AS driver, ${slices} AS s, avg(velocity) AS v FROM readings WHERE name != '' GROUP BY name, s HAVING v > 1) GROUP BY name, d)
        GROUP BY fleet, name, driver`,
    'avg-daily-driving-session': `SELECT name, intDiv(begin, 144) AS day, avg(stop - begin) * 600 FROM (SELECT name, (arrayJoin(arrayZip2) AS z).1 AS begin, z.2 AS stop FROM (
        SELECT name, arrayFilter((s, d, p) -> d != p, ss, dd, pp) AS starts, arrayFilter((d, p) -> d != p, dd, pp) AS kinds,
        arrayMap((i) -> (starts[i], starts[i + 1]), arrayFilter((i) -> kinds[i] = 1 AND i < length(starts), arrayEnumerate(starts))) AS arrayZip2 FROM (
        SELECT name, groupArray(s) AS ss, groupArray(v > 5) AS dd, arrayPushFront(arrayPopBack(dd), dd[1]) AS pp FROM (
        SELECT name, ${slices} AS s, avg(velocity) AS v FROM readings WHERE name != '' GROUP BY name, s ORDER BY name, s) GROUP BY name))) GROUP BY name, day`,
    'avg-load': `SELECT fleet, model, avg(l / c) FROM (SELECT any(fleet) AS fleet, any(model) AS model, any(toFloat64OrZero(load_capacity)) AS c, avg(current_load) AS l
        FROM diagnostics WHERE name != '' GROUP BY name) GROUP BY fleet, model`,
    'daily-activity': `SELECT fleet, model, intDiv(s, 144) AS day, sum(n) / 144 FROM (SELECT any(fleet) AS fleet, any(model) AS model, ${slices} AS s, count() AS n, avg(status) AS a
        FROM diagnostics WHERE name != '' GROUP BY name, s HAVING a < 1) GROUP BY fleet, model, day`,
    'breakdown-frequency': `SELECT model, sum(r) FROM (SELECT model, arraySum(arrayMap((b, p) -> b > p, bb, arrayPushFront(arrayPopBack(bb), bb[1]))) AS r FROM (
        SELECT any(model) AS model, name, groupArray(b) AS bb FROM (SELECT any(model) AS model, name, ${slices} AS s, countIf(status = 0) >= 0.5 * count() AS b
        FROM diagnostics WHERE name != '' GROUP BY name, s ORDER BY name, s) GROUP BY name)) GROUP BY model`,
};

// ---- InfluxQL: subqueries, but no arithmetic with tags and no comparison with the row before in a group of groups
const inner = (from, to) => `SELECT mean(velocity) AS v FROM readings WHERE ${from ? `fleet = '{fleet}' AND ` : ''}time >= {from} AND time < {to} GROUP BY time(10m), "name", driver`;
const over = (more) => `SELECT n FROM (SELECT count(v) AS n FROM (${inner(true)}) WHERE v > 1 GROUP BY "name", driver) WHERE n > ${more}`;
export const influxdb = {
    'last-loc': `SELECT last(latitude), last(longitude) FROM readings WHERE fleet = '{fleet}' GROUP BY "name", driver`,
    'single-last-loc': `SELECT last(latitude), last(longitude) FROM readings WHERE "name" = '{truck}' GROUP BY "name", driver`,
    'low-fuel': `SELECT f FROM (SELECT last(fuel_state) AS f FROM "diagnostics" WHERE fleet = '{fleet}' GROUP BY "name", driver) WHERE f < 0.1`,
    'high-load': null, // load_capacity is a tag, and tags are texts
    'stationary-trucks': `SELECT v FROM (SELECT mean(velocity) AS v FROM readings WHERE fleet = '{fleet}' AND time >= {from} AND time < {to} GROUP BY "name", driver) WHERE v < 1`,
    'long-driving-sessions': over(22),
    'long-daily-sessions': over(60),
    'avg-vs-projected-fuel-consumption': null, // as high-load
    'avg-daily-driving-duration': `SELECT mean(h) FROM (SELECT count(v) / 6 AS h FROM (${inner(false)}) WHERE v > 1 AND time >= {from} AND time < {to} GROUP BY time(1d), "name", driver, fleet) GROUP BY fleet, "name", driver`,
    'avg-daily-driving-session': null, // no row before
    'avg-load': null, // as high-load
    'daily-activity': `SELECT sum(n) / 144 FROM (SELECT count(status) AS n, mean(status) AS a FROM "diagnostics" WHERE time >= {from} AND time < {to} GROUP BY time(10m), "name", fleet, model) WHERE a < 1 AND time >= {from} AND time < {to} GROUP BY time(1d), fleet, model`,
    'breakdown-frequency': null, // no count of a condition beside a count of all
};

// ---- MetricsQL, at a moment: the end of what is asked for
const drivenTimes = (more) => `count_over_time((avg_over_time(readings_velocity{fleet="{fleet}"}[10m]) > 1)[{long}s:10m]) > ${more}`;
export const victoriaMetrics = {
    'last-loc': `last_over_time({__name__=~"readings_(latitude|longitude)",fleet="{fleet}"}[{seconds}s])`,
    'single-last-loc': `last_over_time({__name__=~"readings_(latitude|longitude)",name="{truck}"}[{seconds}s])`,
    'low-fuel': `last_over_time(diagnostics_fuel_state{fleet="{fleet}"}[{seconds}s]) < 0.1`,
    'high-load': `(last_over_time(diagnostics_current_load{fleet="{fleet}"}[{seconds}s]) / label_value(last_over_time(diagnostics_current_load{fleet="{fleet}"}[{seconds}s]), "load_capacity")) > 0.9`,
    'stationary-trucks': `avg_over_time(readings_velocity{fleet="{fleet}"}[10m]) < 1`,
    'long-driving-sessions': drivenTimes(22),
    'long-daily-sessions': drivenTimes(60),
    'avg-vs-projected-fuel-consumption': null, // two metrics of one row cannot be met at 10 s without the store's own timestamps
    'avg-daily-driving-duration': `count_over_time((avg_over_time(readings_velocity[10m]) > 1)[{seconds}s:10m]) / 6`,
    'avg-daily-driving-session': null, // no length of a stretch
    'avg-load': `avg by (fleet, model) (avg_over_time(diagnostics_current_load[{seconds}s]) / label_value(avg_over_time(diagnostics_current_load[{seconds}s]), "load_capacity"))`,
    'daily-activity': `sum by (fleet, model) (sum_over_time((count_over_time(diagnostics_status[10m]) if (avg_over_time(diagnostics_status[10m]) < 1))[{seconds}s:10m])) / 144`,
    'breakdown-frequency': `sum by (model) (increases_over_time((share_le_over_time(diagnostics_status[10m], 0) >= bool 0.5)[{seconds}s:10m]))`,
};
export const text = (table, name, p) => (table[name] === null ? null : fill(table[name], p));
