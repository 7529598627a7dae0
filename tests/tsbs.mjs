// See tests/tsbs_e2e.sh: node tests/tsbs.mjs WEFT FOLDER POSTGRESQL-URL
import {spawn, spawnSync} from 'node:child_process';
import fs from 'node:fs';

const [weft, work, url] = process.argv.slice(2);
let passed = 0;
let failed = 0;
const check = (name, fault) => {
    if (fault) console.log(`FAIL ${name}: ${fault}`), failed++;
    else passed++;
};
const run = (command, args, input) => {
    const done = spawnSync(command, args, {input, maxBuffer: 2 ** 30});
    if (done.status !== 0) throw new Error(`${command} ${args.join(' ').slice(0, 300)}: ${done.stderr}`);
    return done.stdout.toString();
};
const sleep = (ms) => new Promise((r) => setTimeout(r, ms));

// ---- the rows, and the same in PostgreSQL
const INTERVAL = '30';
const HOURS = 50;
const FROM = 1451606400000000000n;
const lines = run(weft, ['load', 'tsbs', '--scale', '24', '--hours', String(HOURS), '--interval', INTERVAL, '--seed', process.env.WEFT_SEED ?? '7']).trim().split('\n');
const tags = ['name', 'fleet', 'driver', 'model', 'device_version', 'load_capacity', 'fuel_capacity', 'nominal_fuel_consumption'];
const tables = {
    readings: ['latitude', 'longitude', 'elevation', 'velocity', 'heading', 'grade', 'fuel_consumption'],
    diagnostics: ['fuel_state', 'current_load', 'status'],
};
const psql = (sql, ...more) => run('psql', ['-X', '-q', '-At', '-v', 'ON_ERROR_STOP=1', ...more, '-f', '-', url], sql);
const pairs = (text) => Object.fromEntries(text.split(',').map((p) => p.split('=')));
let sql = '';
for (const [table, fields] of Object.entries(tables)) {
    sql += `CREATE TABLE ${table} (time bigint, ${tags.map((t) => `${t} text`).join(', ')}, ${fields.map((f) => `${f} float8`).join(', ')});\nCOPY ${table} FROM STDIN WITH (FORMAT csv);\n`;
    for (const line of lines) {
        const [key, values, time] = line.split(' ');
        const comma = key.indexOf(',');
        if ((comma < 0 ? key : key.slice(0, comma)) !== table) continue;
        const [t, v] = [comma < 0 ? {} : pairs(key.slice(comma + 1)), pairs(values)];
        sql += [time, ...tags.map((x) => t[x] ?? ''), ...fields.map((x) => v[x]?.replace('i', '') ?? '')].join(',') + '\n';
    }
    sql += `\\.\nCREATE INDEX ON ${table} (name, time);\n`;
}
// a truck's tags: the newest of each, whichever of the two tables says it
const newest = tags.slice(1).map((t) => `(SELECT ${t} FROM both_tags b WHERE b.name = n.name AND ${t} IS NOT NULL ORDER BY time DESC LIMIT 1) AS ${t}`);
sql += `CREATE TABLE both_tags AS SELECT time, ${tags.join(', ')} FROM readings UNION ALL SELECT time, ${tags.join(', ')} FROM diagnostics; CREATE INDEX ON both_tags (name, time);
    CREATE TABLE trucks AS SELECT n.name, ${newest.join(', ')} FROM (SELECT DISTINCT name FROM both_tags WHERE name IS NOT NULL) n;\n`;
psql(sql);

const asked = Object.fromEntries(
    fs.readFileSync('tests/data/tsbs-postgresql.sql', 'utf8').split('-- name: ').slice(1).map((part) => [part.slice(0, part.indexOf('\n')).trim(), part.slice(part.indexOf('\n') + 1)]),
);
const own = JSON.parse(fs.readFileSync('tests/data/tsbs-queries.json', 'utf8'));

// ---- the server
let child;
let http;
async function start() {
    child = spawn(weft, ['serve', '--data', `${work}/data`, '--http', '127.0.0.1:0', '--mqtt', '127.0.0.1:0'], {stdio: ['ignore', 'pipe', fs.openSync(`${work}/log`, 'a')]});
    http = await new Promise((found, fail) => {
        let text = '';
        child.stdout.on('data', (d) => {
            const at = /"http":"([^"]*)"/.exec((text += d));
            if (at) found(at[1]);
        });
        child.on('exit', () => fail(new Error(`the server ended: ${fs.readFileSync(`${work}/log`, 'utf8').slice(-500)}`)));
    });
}
const stop = (signal) => new Promise((done) => (child.removeAllListeners('exit'), child.once('exit', done), child.kill(signal)));
await start();
const token = run(weft, ['token', 'create', '--data', `${work}/data`, '--user', 'feeder', '--role', 'worker']).trim();
for (let i = 0; i < lines.length; i += 5000) {
    const r = await fetch(`http://${http}/write`, {method: 'POST', body: lines.slice(i, i + 5000).join('\n'), headers: {Authorization: `Token ${token}`}});
    if (r.status !== 204 && r.status !== 400) throw new Error(`write: ${r.status} ${await r.text()}`);
}

// ---- asking both
const iso = (ns) => new Date(Number(ns / 1000000n)).toISOString();
function fromPostgresql(name, p) {
    const text = psql(asked[name], '-F', '\t', '-v', `fleet=${p.fleet}`, '-v', `truck=${p.truck}`, '-v', `from=${p.from}`, '-v', `to=${p.to}`);
    return text.split('\n').filter(Boolean).map((row) => row.split('\t').map((v) => (v === '' ? null : /^-?[\d.]+(e[+-]?\d+)?$/.test(v) ? Number(v) : v)));
}
async function fromWeft(name, p) {
    const body = JSON.stringify(own[name]).replace(/\{(\w+)\}/g, (_, k) => ({...p, from: iso(p.from), to: iso(p.to)})[k]);
    const r = await fetch(`http://${http}/api/v1/series/query`, {method: 'POST', body, headers: {Authorization: `Bearer ${token}`, 'Content-Type': 'application/json'}});
    if (r.status !== 200) throw new Error(`${r.status} ${await r.text()}`);
    const answer = await r.json();
    return answer.rows.map((row) => row.map((v) => (typeof v === 'string' && /^\d{4}-\d\d-\d\dT/.test(v) ? Math.floor(Date.parse(v) / 86400000) : typeof v === 'string' && /^[\d.]+$/.test(v) ? Number(v) : v)));
}
const key = (row) => row.filter((v) => typeof v === 'string' || Number.isInteger(v)).join('\t');
const near = (a, b) => a === b || (typeof a === 'number' && typeof b === 'number' && Math.abs(a - b) <= 1e-9 * Math.max(1, Math.abs(a), Math.abs(b)));
function difference(mine, theirs) {
    if (mine.length !== theirs.length) return `${mine.length} rows, PostgreSQL ${theirs.length}; first ${JSON.stringify(mine[0])} and ${JSON.stringify(theirs[0])}`;
    for (const rows of [mine, theirs]) rows.sort((a, b) => (key(a) < key(b) ? -1 : 1));
    for (let i = 0; i < mine.length; i++)
        if (mine[i].length !== theirs[i].length || !mine[i].every((v, k) => near(v, theirs[i][k]))) return `row ${i + 1}: ${JSON.stringify(mine[i])}, PostgreSQL ${JSON.stringify(theirs[i])}`;
    return '';
}
const MIN = 60000000000n;
let seed = 42;
const random = (n) => (seed = (seed * 48271) % 2147483647) % n;
const windows = {'stationary-trucks': 10n, 'long-driving-sessions': 240n, 'long-daily-sessions': 1440n};
const total = BigInt(HOURS * 60);
const cases = Object.keys(asked).flatMap((name) => {
    const long = windows[name] ?? total;
    const wanted = /fleet'|truck'|:from/.test(asked[name]) ? 4 : 1; // with others of each
    return Array.from({length: wanted}, (_, i) => {
        const begin = FROM + BigInt(random(Number(total - long) + 1)) * MIN; // any minute: first and last buckets are cut
        return {name, p: {fleet: ['East', 'West', 'North', 'South'][i], truck: `truck_${random(24)}`, from: begin, to: begin + long * MIN}};
    });
});
let rowsSeen = 0;
const truth = cases.map(({name, p}) => fromPostgresql(name, p));
async function ask(when) {
    for (const [i, {name, p}] of cases.entries()) {
        let fault;
        try {
            const mine = await fromWeft(name, p);
            rowsSeen += mine.length;
            fault = difference(mine, truth[i]);
        } catch (error) {
            fault = error.message;
        }
        check(`${when}: ${name} ${p.fleet} ${p.truck} ${iso(p.from)}`, fault);
    }
}
await ask('as written');
run(weft, ['compact', 'series', '--data', `${work}/data`]);
await ask('compressed for good');
await stop('SIGKILL');
await start();
await ask('after a kill');
check('questions had answers', rowsSeen > 300 ? '' : `only ${rowsSeen} rows`);
await stop('SIGTERM');
console.log(`tsbs: ${passed} passed, ${failed} failed`);
process.exit(failed ? 1 : 0);
