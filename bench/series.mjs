// See bench/series.sh.
import {spawn, spawnSync} from 'node:child_process';
import fs from 'node:fs';
import http from 'node:http';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import * as queries from './series_queries.mjs';

const flag = (name, fallback) => {
    const at = process.argv.indexOf(name);
    return at < 0 ? fallback : process.argv[at + 1];
};
const scale = flag('--scale', '500');
const hours = flag('--hours', '24');
const times = Number(flag('--times', '50'));
const only = flag('--only', ''); // ingest or queries
const chosen = flag('--peers', '');
const LINES = 5000;
const temp = fs.mkdtempSync(path.join(os.tmpdir(), 'weft-series-'));
const ticks = Number(spawnSync('getconf', ['CLK_TCK']).stdout);
process.on('exit', () => fs.rmSync(temp, {recursive: true, force: true}));
const sleep = (ms) => new Promise((r) => setTimeout(r, ms));
const say = (...words) => process.stderr.write(`${words.join(' ')}\n`);

// ---- the rows, once in line protocol and once in CSV, a body a request
function cut(data) {
    const bodies = [];
    for (let from = 0; from < data.length; ) {
        let at = from;
        for (let i = 0; i < LINES && at < data.length; i++) at = data.indexOf(10, at) + 1 || data.length;
        bodies.push(data.subarray(from, at));
        from = at;
    }
    return bodies;
}
const tables = {
    readings: ['latitude', 'longitude', 'elevation', 'velocity', 'heading', 'grade', 'fuel_consumption'],
    diagnostics: ['fuel_state', 'current_load', 'status'],
};
const tags = ['name', 'fleet', 'driver', 'model', 'device_version', 'load_capacity', 'fuel_capacity', 'nominal_fuel_consumption'];
function csv(bodies, empty) {
    const rows = {readings: [], diagnostics: []};
    const out = [];
    const emit = (table) => out.push({table, body: Buffer.from(rows[table].splice(0).join(''))});
    for (const body of bodies)
        for (const line of body.toString().split('\n')) {
            if (!line) continue;
            const [key, fields, time] = line.split(' ');
            const [table, ...pairs] = key.split(',');
            const known = Object.fromEntries(pairs.map((p) => p.split('=')));
            const values = Object.fromEntries(fields.split(',').map((p) => p.split('=')));
            rows[table].push(
                [time, ...tags.map((t) => known[t] ?? ''), ...tables[table].map((f) => values[f]?.replace('i', '') ?? empty)].join(',') + '\n',
            );
            if (rows[table].length === LINES) emit(table);
        }
    for (const table of Object.keys(rows)) if (rows[table].length) emit(table);
    return out;
}

// ---- HTTP over kept connections
const agents = {};
const post = (port, url, body, headers = {}, clients = 2) =>
    new Promise((done, fail) => {
        agents[port] ??= new http.Agent({keepAlive: true, maxSockets: clients});
        const request = http.request(
            {host: '127.0.0.1', port, path: url, method: 'POST', agent: agents[port], headers: {...headers, 'Content-Length': body.length}},
            (r) => {
                const said = [];
                r.on('data', (d) => said.push(d));
                r.on('end', () => done({status: r.statusCode, text: Buffer.concat(said).toString()}));
            },
        );
        request.on('error', fail);
        request.end(body);
    });
const freePort = () =>
    new Promise((done) => {
        const s = net.createServer().listen(0, '127.0.0.1', () => {
            const {port} = s.address();
            s.close(() => done(port));
        });
    });
/** One kept connection on which questions are sent, one after another, with as little of a client as there can be. */
function question(name, port) {
    const socket = net.connect(port, '127.0.0.1').setNoDelay(true);
    let parts = [];
    let last = '';
    let size = 0;
    let needs = 0; // bytes of the whole answer; 0: not known; -1: until the last chunk
    let done = null;
    socket.on('error', (e) => done?.(e));
    socket.on('data', (d) => {
        parts.push(d);
        size += d.length;
        if (needs === 0) {
            const text = Buffer.concat(parts).toString('latin1');
            const head = text.indexOf('\r\n\r\n');
            if (head < 0) return;
            const length = /content-length: *(\d+)/i.exec(text.slice(0, head));
            needs = length ? head + 4 + Number(length[1]) : -1;
        }
        last = (last + d.subarray(-8).toString('latin1')).slice(-8);
        if (needs > 0 ? size >= needs : last.endsWith('\r\n0\r\n\r\n')) done?.(null);
    });
    const ask = (method, url, body = '', headers = {}) => {
        const lines = Object.entries(headers).map(([k, v]) => `${k}: ${v}\r\n`);
        (parts = []), (size = needs = 0), (last = '');
        return new Promise((good, bad) => {
            done = (e) => {
                const text = Buffer.concat(parts).toString();
                if (e || !text.startsWith('HTTP/1.1 200')) bad(e ?? new Error(`${name}: ${text.slice(0, 600)}`));
                else good(text.slice(text.indexOf('\r\n\r\n') + 4));
            };
            socket.write(`${method} ${url} HTTP/1.1\r\nHost: 127.0.0.1\r\n${lines.join('')}Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`);
        });
    };
    return {ask, close: () => socket.destroy()};
}
async function ready(port, url) {
    for (let i = 0; i < 300; i++) {
        try {
            await post(port, url, Buffer.alloc(0));
            return;
        } catch {
            await sleep(100);
        }
    }
    throw new Error(`nothing listens on port ${port}`);
}

// ---- processes: CPU and peak memory of the server and its children
function family(pid) {
    const all = fs.readdirSync('/proc').filter((p) => /^\d+$/.test(p));
    const parents = new Map();
    for (const p of all)
        try {
            const stat = fs.readFileSync(`/proc/${p}/stat`, 'utf8');
            parents.set(Number(p), Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]));
        } catch {}
    const found = [pid];
    for (let i = 0; i < found.length; i++) for (const [p, parent] of parents) if (parent === found[i]) found.push(p);
    return found;
}
const gone = new Map(); // CPU of children that ended is counted by their parent
function cpu(pid) {
    let sum = 0;
    for (const p of family(pid))
        try {
            const stat = fs.readFileSync(`/proc/${p}/stat`, 'utf8');
            const f = stat.slice(stat.lastIndexOf(')') + 2).split(' ').map(Number);
            sum += (f[11] + f[12] + (p === pid ? f[13] + f[14] : 0)) / ticks;
        } catch {}
    const most = Math.max(sum, gone.get(pid) ?? 0);
    gone.set(pid, most);
    return most;
}
function peak(pid) {
    let kb = 0;
    for (const p of family(pid))
        try {
            kb += Number(/VmHWM:\s+(\d+)/.exec(fs.readFileSync(`/proc/${p}/status`, 'utf8'))?.[1] ?? 0);
        } catch {}
    return kb / 1024;
}
async function untilIdle(pid) {
    for (let quiet = 0, before = cpu(pid), i = 0; quiet < 3 && i < 120; i++) {
        await sleep(1000);
        const now = cpu(pid);
        quiet = now - before < 0.03 ? quiet + 1 : 0;
        before = now;
    }
}
const du = (dir) => Number(spawnSync('du', ['-sb', dir]).stdout.toString().split('\t')[0]);
async function stop(process) {
    const ended = new Promise((done) => process.once('exit', done));
    process.kill('SIGTERM');
    await Promise.race([ended, sleep(60000)]);
    process.kill('SIGKILL');
}
const start = (command, args, options = {}) =>
    spawn(command, args, {stdio: ['ignore', 'ignore', fs.openSync(path.join(temp, 'log'), 'a')], ...options});
const has = (command) => spawnSync('sh', ['-c', `command -v ${command}`]).status === 0;

// ---- the peers: open(dir) → {pid, send(i), bodies, rest(): after the last row, stop()}
const peers = {
    async weft(dir, lines) {
        const port = await freePort();
        const child = start('build/weft', ['serve', '--data', dir, '--http', `127.0.0.1:${port}`, '--mqtt', '127.0.0.1:0']);
        await ready(port, '/ping');
        const token = spawnSync('build/weft', ['token', 'create', '--data', dir, '--user', 'feeder', '--role', 'worker']).stdout.toString().trim();
        return {
            child,
            bodies: lines,
            send: async (body) => {
                const r = await post(port, '/write', body, {Authorization: `Token ${token}`});
                // 400 says that lines without a truck's name went to the dead letters
                if (r.status !== 204 && r.status !== 400) throw new Error(`weft: ${r.status} ${r.text}`);
            },
            rest: async () => spawnSync('build/weft', ['compact', 'series', '--data', dir]),
            questions() {
                const {ask, close} = question('weft', port);
                const headers = {Authorization: `Bearer ${token}`, 'Content-Type': 'application/json'};
                return {text: queries.weft, send: (text) => ask('POST', '/api/v1/series/query', text, headers), close};
            },
        };
    },
    async 'victoria-metrics'(dir, lines) {
        const port = await freePort();
        const child = start('victoria-metrics', [`-storageDataPath=${dir}`, `-httpListenAddr=127.0.0.1:${port}`, '-retentionPeriod=100y']);
        await ready(port, '/write');
        return {
            child,
            bodies: lines,
            send: async (body) => {
                const r = await post(port, '/write', body);
                if (r.status >= 300) throw new Error(`victoria-metrics: ${r.status} ${r.text}`);
            },
            rest: async () => {
                await post(port, '/internal/force_flush', Buffer.alloc(0));
                await post(port, '/internal/force_merge', Buffer.alloc(0));
            },
            questions() {
                const {ask, close} = question('victoria-metrics', port);
                return {
                    text: (name, p) => {
                        const text = queries.text(queries.victoriaMetrics, name, p);
                        return text && `query=${encodeURIComponent(text)}&time=${(p.from === data.from ? p.end : p.to) / 1_000_000_000n}&nocache=1`;
                    },
                    send: (text) => ask('POST', '/api/v1/query', text, {'Content-Type': 'application/x-www-form-urlencoded'}),
                    close,
                };
            },
        };
    },
    async influxdb(dir, lines) {
        const [port, rpc] = [await freePort(), await freePort()];
        const config = path.join(temp, 'influx.conf');
        fs.writeFileSync(
            config,
            `reporting-disabled = true\nbind-address = "127.0.0.1:${rpc}"\n[meta]\ndir = "${dir}/meta"\n[data]\ndir = "${dir}/data"\nwal-dir = "${dir}/wal"\n` +
                `index-version = "tsi1"\nmax-series-per-database = 0\nmax-values-per-tag = 0\n[http]\nbind-address = "127.0.0.1:${port}"\nlog-enabled = false\n`,
        );
        const child = start('influxd', ['-config', config]);
        await ready(port, '/ping');
        await post(port, '/query?q=CREATE%20DATABASE%20b', Buffer.alloc(0));
        return {
            child,
            bodies: lines,
            send: async (body) => {
                const r = await post(port, '/write?db=b', body);
                if (r.status >= 300) throw new Error(`influxdb: ${r.status} ${r.text}`);
            },
            rest: async () => {},
            questions() {
                const {ask, close} = question('influxdb', port);
                return {
                    text: (name, p) => {
                        const text = queries.text(queries.influxdb, name, p);
                        return text && `db=b&epoch=ms&q=${encodeURIComponent(text)}`;
                    },
                    send: (text) => ask('POST', '/query', text, {'Content-Type': 'application/x-www-form-urlencoded'}),
                    close,
                };
            },
        };
    },
    async clickhouse(dir, lines) {
        const [port, tcp, inner] = [await freePort(), await freePort(), await freePort()];
        const config = path.join(temp, 'clickhouse.xml');
        fs.writeFileSync(
            config,
            `<yandex><logger><level>error</level><log>${temp}/ch.log</log><errorlog>${temp}/ch.err</errorlog></logger><http_port>${port}</http_port><tcp_port>${tcp}</tcp_port>` +
                `<interserver_http_port>${inner}</interserver_http_port><listen_host>127.0.0.1</listen_host><path>${dir}/</path><tmp_path>${dir}/tmp/</tmp_path>` +
                `<users_config>${temp}/users.xml</users_config><default_profile>default</default_profile><default_database>default</default_database><mark_cache_size>5368709120</mark_cache_size><keep_alive_timeout>600</keep_alive_timeout></yandex>`,
        );
        fs.writeFileSync(
            path.join(temp, 'users.xml'),
            '<yandex><profiles><default/></profiles><users><default><password></password><networks><ip>127.0.0.1</ip></networks><profile>default</profile><quota>default</quota></default></users><quotas><default/></quotas></yandex>',
        );
        const child = start('clickhouse-server', ['--config-file', config]);
        await ready(port, '/ping');
        const ask = async (text, body = Buffer.alloc(0)) => {
            const r = await post(port, `/?query=${encodeURIComponent(text)}`, body);
            if (r.status >= 300) throw new Error(`clickhouse: ${r.status} ${r.text}`);
        };
        for (const [table, fields] of Object.entries(tables))
            await ask(
                `CREATE TABLE ${table} (time Int64, ${tags.map((t) => `${t} String`).join(', ')}, ${fields.map((f) => `${f} Nullable(Float64)`).join(', ')}) ` +
                    `ENGINE = MergeTree PARTITION BY intDiv(time, 86400000000000) ORDER BY (name, time)`,
            );
        return {
            child,
            bodies: csv(lines, '\\N'),
            send: ({table, body}) => ask(`INSERT INTO ${table} FORMAT CSV`, body),
            rest: async () => {
                for (const table of Object.keys(tables)) await ask(`OPTIMIZE TABLE ${table} FINAL`);
            },
            questions() {
                const {ask, close} = question('clickhouse', port);
                return {text: (name, p) => queries.text(queries.clickhouse, name, p), send: (text) => ask('POST', '/', text), close};
            },
        };
    },
    async postgresql(dir, lines) {
        const bin = '/usr/lib/postgresql/15/bin';
        const port = await freePort();
        const as = process.getuid() === 0 ? ['setpriv', '--reuid=postgres', '--regid=postgres', '--clear-groups'] : [];
        const run = (command, ...args) => {
            const line = [...as, `${bin}/${command}`, ...args];
            const done = spawnSync(line[0], line.slice(1), {cwd: '/'});
            if (done.status !== 0) throw new Error(`${command}: ${done.stderr}`);
        };
        fs.chmodSync(temp, 0o755);
        fs.mkdirSync(dir);
        if (as.length) spawnSync('chown', ['postgres', dir]);
        run('initdb', '-D', `${dir}/pg`, '-A', 'trust', '-U', 'postgres');
        const line = [...as, `${bin}/postgres`, '-D', `${dir}/pg`, '-p', String(port), '-k', dir, '-c', 'listen_addresses=127.0.0.1', '-c', 'max_wal_size=4GB'];
        const child = start(line[0], line.slice(1), {cwd: '/'});
        const psql = (args, output = 'ignore') =>
            spawn('psql', ['-h', '127.0.0.1', '-p', String(port), '-U', 'postgres', '-q', '-v', 'ON_ERROR_STOP=1', ...args], {stdio: ['pipe', output, 'inherit']});
        for (let i = 0; i < 100 && spawnSync('psql', ['-h', '127.0.0.1', '-p', String(port), '-U', 'postgres', '-c', 'select 1']).status !== 0; i++) await sleep(100);
        const sql = Object.entries(tables)
            .map(([t, f]) => `CREATE TABLE ${t} (time bigint, ${tags.map((x) => `${x} text`).join(', ')}, ${f.map((x) => `${x} double precision`).join(', ')}); CREATE INDEX ON ${t} (name, time);`)
            .join('');
        spawnSync('psql', ['-h', '127.0.0.1', '-p', String(port), '-U', 'postgres', '-q', '-c', sql]);
        // one psql a client and table stays open; each body is a COPY of its own
        const sessions = [];
        const take = async () => sessions.pop() ?? psql(['-f', '-']);
        return {
            child,
            bodies: csv(lines, ''),
            send: async ({table, body}) => {
                const session = await take();
                const marker = path.join(temp, `copied-${process.hrtime.bigint()}`);
                session.stdin.write(`COPY ${table} FROM STDIN WITH (FORMAT csv);\n`);
                session.stdin.write(body);
                session.stdin.write(`\\.\n\\o ${marker}\nSELECT 1;\n\\o\n`);
                while (!fs.existsSync(marker) || fs.statSync(marker).size === 0) await sleep(1);
                fs.rmSync(marker);
                sessions.push(session);
            },
            rest: async () => {
                for (const session of sessions) session.stdin.end();
                const trucks = tags.slice(1).map((t) => `(SELECT ${t} FROM (SELECT time, ${t} FROM readings r WHERE r.name = n.name AND ${t} IS NOT NULL ORDER BY time DESC LIMIT 1) x) AS ${t}`);
                const after = `CREATE TABLE trucks AS SELECT n.name, ${trucks.join(', ')} FROM (SELECT DISTINCT name FROM readings WHERE name IS NOT NULL) n; CREATE INDEX ON trucks (name);
                    VACUUM ANALYZE readings; VACUUM ANALYZE diagnostics; VACUUM ANALYZE trucks; CHECKPOINT;`;
                for (const statement of after.split(';')) spawnSync('psql', ['-h', '127.0.0.1', '-p', String(port), '-U', 'postgres', '-q', '-c', statement]);
            },
            questions() {
                // psql's own clock: what a driver in C would see
                const session = psql(['-At', '-f', '-'], 'pipe');
                let text = '', wake = null;
                session.stdout.on('data', (d) => ((text += d), wake?.()));
                session.stdin.write('\\timing on\n');
                const send = async (statement) => {
                    text = '';
                    session.stdin.write(`${statement}\n`);
                    for (;;) {
                        const found = /^Time: ([\d.]+) ms/m.exec(text);
                        if (found) return Object.assign(new String(text), {ms: Number(found[1])});
                        if (session.exitCode !== null) throw new Error('postgresql: psql ended');
                        await new Promise((r) => ((wake = r), setTimeout(r, 1000)));
                    }
                };
                return {text: queries.postgresql, send, close: () => session.stdin.end()};
            },
        };
    },
};
const commands = {weft: 'true', 'victoria-metrics': 'victoria-metrics', influxdb: 'influxd', clickhouse: 'clickhouse-server', postgresql: '/usr/lib/postgresql/15/bin/postgres'};

async function feed(peer, clients) {
    let next = 0;
    const began = process.hrtime.bigint();
    await Promise.all(
        Array.from({length: clients}, async () => {
            while (next < peer.bodies.length) await peer.send(peer.bodies[next++]);
        }),
    );
    return Number(process.hrtime.bigint() - began) / 1e9;
}

const median = (list) => [...list].sort((a, b) => a - b)[list.length >> 1];
/** Each question `times` times with other parameters, over one kept connection: the median of milliseconds. */
async function answer(peer, name) {
    const asked = peer.questions();
    const out = {};
    for (const query of queries.names) {
        if (process.argv.includes('--query') && flag('--query', '') !== query) continue;
        const each = queries.parameters(query, times, data);
        if (asked.text(query, each[0]) === null) {
            out[query] = null;
            continue;
        }
        try {
            const spent = [];
            for (const p of each) {
                const text = asked.text(query, p);
                const began = process.hrtime.bigint();
                const said = await asked.send(text);
                spent.push(said.ms ?? Number(process.hrtime.bigint() - began) / 1e6);
                if (process.argv.includes('--show') && p === each[0]) say(`${name} ${query}: ${String(said).slice(0, 300)}`);
                if (spent.length >= 5 && spent.reduce((a, b) => a + b) > 20000) break; // a slow one: fewer
            }
            out[query] = {ms: median(spent), times: spent.length};
            say(`  ${query}: ${out[query].ms.toFixed(2)} ms`);
        } catch (error) {
            say(`  ${query}: ${error.message}`);
            out[query] = {error: error.message};
        }
    }
    asked.close();
    return out;
}

async function measure(name, lines, count) {
    const row = {name};
    for (const clients of only === 'queries' ? [2] : [1, 2]) {
        const dir = path.join(temp, `${name}-${clients}`);
        const peer = await peers[name](dir, lines);
        const pid = peer.child.pid;
        const before = cpu(pid);
        const seconds = await feed(peer, clients);
        await peer.rest();
        await untilIdle(pid);
        const used = cpu(pid) - before;
        row[`rows_per_s_${clients}`] = Math.round(count.lines / seconds);
        row[`points_per_s_${clients}`] = Math.round(count.values / seconds);
        if (clients === 2) {
            row.points_per_cpu_s = Math.round(count.values / used);
            row.peak_mib = Math.round(peak(pid));
        }
        if (clients === 2 && only !== 'ingest') row.queries = await answer(peer, name);
        await stop(peer.child);
        if (clients === 2) row.bytes_per_point = du(dir) / count.values;
        fs.rmSync(dir, {recursive: true, force: true});
        for (const port of Object.keys(agents)) agents[port].destroy(), delete agents[port];
    }
    return row;
}

const FROM = 1451606400000000000n; // 2016-01-01, where `weft load tsbs` begins
const data = {scale: Number(scale), from: FROM, to: FROM + BigInt(Math.round(Number(hours) * 3600)) * 1_000_000_000n};
const made = spawnSync('build/weft', ['load', 'tsbs', '--scale', scale, '--hours', hours], {maxBuffer: 2 ** 33});
const count = JSON.parse(made.stderr.toString());
const lines = cut(made.stdout);
say(`${count.lines} rows, ${count.values} points, ${Math.round(count.bytes / 2 ** 20)} MiB of line protocol, ${LINES} rows a request`);
const results = [];
for (const name of Object.keys(peers)) {
    if (chosen && !chosen.split(',').includes(name)) continue;
    if (!has(commands[name])) {
        say(`${name} is not here: left out`);
        continue;
    }
    try {
        say(`${name} …`);
        results.push(await measure(name, lines, count));
    } catch (error) {
        say(`${name}: ${error.message}`);
    }
}
const others = results.filter((r) => r.name !== 'weft');
const weft = results.find((r) => r.name === 'weft');
const columns = [
    ['rows_per_s_1', 'rows/s, 1 client', 1],
    ['rows_per_s_2', 'rows/s, 2 clients', 1],
    ['points_per_s_1', 'points/s, 1 client', 1],
    ['points_per_s_2', 'points/s, 2 clients', 1],
    ['points_per_cpu_s', 'points a CPU second', 1],
    ['bytes_per_point', 'bytes a point', -1],
    ['peak_mib', 'peak memory, MiB', -1],
];
/** Twice as fast where the best peer needs more than a millisecond, else within a tenth of one. */
function verdict(query) {
    const mine = weft?.queries?.[query]?.ms;
    const theirs = others.map((r) => r.queries?.[query]?.ms).filter((v) => v !== undefined);
    if (mine === undefined || !theirs.length) return {};
    const best = Math.min(...theirs);
    return {best, ratio: best / mine, holds: best > 1 ? mine * 2 <= best : mine <= best + 0.1};
}
if (process.argv.includes('--json'))
    console.log(JSON.stringify({rows: count.lines, points: count.values, results, verdicts: Object.fromEntries(queries.names.map((q) => [q, verdict(q)]))}));
else {
    const text = (v) => (v === undefined ? '–' : v < 100 ? v.toFixed(2) : Math.round(v).toLocaleString('en'));
    const heads = (title, more) => {
        console.log(`| ${title} | ${results.map((r) => r.name).join(' | ')} | ${more} |`);
        console.log(`|---|${results.map(() => '---').join('|')}|---|`);
    };
    heads('', 'Weft to the best');
    for (const [key, title, better] of columns) {
        if (!weft?.[key] && weft?.[key] !== 0) continue;
        const best = others.length ? (better > 0 ? Math.max : Math.min)(...others.map((r) => r[key])) : NaN;
        console.log(`| ${title} | ${results.map((r) => text(r[key])).join(' | ')} | ${(weft[key] / best).toFixed(2)} × |`);
    }
    if (only !== 'ingest') {
        console.log('');
        heads(`median of ${times}, ms`, 'the best to Weft');
        for (const query of queries.names) {
            const v = verdict(query);
            const cell = (r) => (r.queries?.[query] === null ? 'cannot' : text(r.queries?.[query]?.ms));
            console.log(`| ${query} | ${results.map(cell).join(' | ')} | ${v.ratio === undefined ? '–' : `${v.ratio.toFixed(1)} × ${v.holds ? '' : '(short)'}`} |`);
        }
    }
}
process.exit(0);
