// The same samples in Weft and in a real Prometheus, the same questions to both, and the answers side by side.
//   node tests/prometheus_peer.mjs data DIR          writes DIR/lines (line protocol) and DIR/openmetrics
//   node tests/prometheus_peer.mjs ask WEFT TOKEN PROMETHEUS
// Samples lie off whole seconds, so that none falls on the edge of a window: there Prometheus 2 and 3 differ.
import { writeFileSync } from 'node:fs'

const start = 1700000000, seconds = 3 * 3600
const things = ['press-1', 'press-2', 'oven-1', 'oven-2', 'mill-1']
const site = (i) => (i % 2 ? 'north' : 'south')
// metric: value of thing i at its k-th sample, or nothing; every `gap` seconds
const metrics = {
    w_temperature: { gap: 15, value: (i, k) => (k % 37 === 5 ? null : 20 + i * 3 + 5 * Math.sin((k + i) / 20) + ((k * 7919) % 13) / 10) },
    w_parts: { gap: 15, value: (i, k) => ((k + i * 50) % 240) * (i + 1) }, // a counter that starts again each hour
    w_load: { gap: 60, value: (i, k) => (i === 4 && k > 60 && k < 100 ? null : (k * (i + 3)) % 17) },
    w_still: { gap: 30, value: (i) => i },
}
function* samples() {
    for (const [name, m] of Object.entries(metrics))
        for (let i = 0; i < things.length; i++)
            for (let k = 0; k * m.gap < seconds; k++) {
                const v = m.value(i, k)
                if (v !== null) yield { name, i, at: (start + k * m.gap) * 1000 + 137 + 211 * i, v }
            }
}

const questions = [
    'w_temperature', 'w_temperature{site="north"}', 'w_temperature{thing=~"press-.*"}', 'w_temperature{thing!~"oven-.|mill.*"}',
    'w_temperature{site!="north"} offset 10m', 'w_load', 'timestamp(w_load)', '{__name__=~"w_(load|still)", thing="oven-1"}', 'w_nothing',
    'w_temperature @ 1700003600', 'w_temperature @ end() - w_temperature', 'rate(w_parts[5m])', 'rate(w_parts[10m] offset 20m)',
    'increase(w_parts[30m])', 'increase(w_parts[1h])', 'delta(w_temperature[15m])', 'irate(w_parts[2m])', 'idelta(w_temperature[2m])',
    'deriv(w_temperature[20m])', 'predict_linear(w_temperature[20m], 600)', 'changes(w_load[30m])', 'resets(w_parts[2h])',
    'avg_over_time(w_temperature[10m])', 'min_over_time(w_temperature[10m])', 'max_over_time(w_temperature[10m])',
    'sum_over_time(w_load[30m])', 'count_over_time(w_temperature[10m])', 'stddev_over_time(w_temperature[10m])',
    'stdvar_over_time(w_temperature[10m])', 'last_over_time(w_load[30m])', 'quantile_over_time(0.9, w_temperature[10m])',
    'quantile_over_time(0.25, w_load[1h])', 'present_over_time(w_load[5m])', 'absent_over_time(w_nothing{a="b"}[5m])',
    'absent(w_nothing{thing="x", a=~"b"})', 'absent(w_load)', 'sum(w_temperature)', 'sum by (site) (w_temperature)',
    'avg without (thing) (w_temperature)', 'min by (site) (w_load)', 'max(w_load)', 'count(w_load)', 'count by (site) (w_temperature > 25)',
    'stddev(w_temperature)', 'stdvar by (site) (w_temperature)', 'quantile(0.5, w_temperature)', 'quantile by (site) (0.9, w_load)',
    'group by (site) (w_load)', 'topk(2, w_temperature)', 'topk by (site) (1, w_temperature)', 'bottomk(2, w_parts)',
    'count_values("n", w_still)', 'w_temperature * 2 + 1', '2 ^ 3 ^ 2 % 7', '-w_temperature', 'w_temperature > 25', '25 < w_temperature',
    'w_temperature > bool 25', 'w_temperature - w_load', 'w_temperature / on (thing, site) w_parts', 'w_load / ignoring (site, model) w_still',
    'w_temperature - on (site) group_left () avg by (site) (w_temperature)', 'avg by (site) (w_load) * on (site) group_right () w_load',
    'w_temperature and w_load > 10', 'w_temperature unless on (thing) w_load > 8', 'w_load or w_still', 'w_temperature > w_load * 3',
    'abs(w_temperature - 30)', 'ceil(w_temperature)', 'floor(w_temperature)', 'round(w_temperature)', 'round(w_temperature, 0.5)',
    'clamp(w_temperature, 22, 30)', 'clamp_min(w_temperature, 25)', 'clamp_max(w_temperature, 25)', 'sqrt(w_temperature)', 'ln(w_load)',
    'log2(w_parts)', 'log10(w_temperature)', 'exp(w_still)', 'sgn(w_temperature - 30)', 'sin(w_temperature)', 'deg(w_still)', 'pi()', 'time()',
    'vector(1)', 'scalar(w_load{thing="oven-1"})', 'scalar(w_load)', 'hour()', 'minute(vector(time()))', 'day_of_week()', 'day_of_year()',
    'days_in_month()', 'month()', 'year()', 'day_of_month()', 'label_replace(w_load, "kind", "$1", "thing", "(\\\\w+)-\\\\d")',
    'label_replace(w_load, "site", "", "thing", "oven.*")', 'label_join(w_load, "both", "/", "site", "thing")',
    'sum by (kind) (label_replace(w_load, "kind", "$1", "thing", "(.*)-.*"))', 'max_over_time(sum(w_temperature)[30m:1m])',
    'avg_over_time(rate(w_parts[5m])[20m:2m])', 'max_over_time(w_temperature[30m:5m] offset 7m)', 'sum(rate(w_parts[5m])) by (site)',
    'avg(w_temperature) by (site) > 25', '1 - sum(w_load) / count(w_load) / 17', '(w_temperature > 30) * 0 + 1', 'w_load % 5', '0 + (w_load atan2 w_still)',
    'sum(w_load) > bool 10', '1 > bool 2', 'NaN', '-Inf', '1e-7', '1 / 3', '0.1 + 0.2', '1e21', 'w_temperature{thing="press-1"} / 0',
    'sort(w_temperature)', 'sort_desc(w_temperature)', 'topk(3, w_still)', 'bottomk(3, w_still)', '"a text"', 'w_load[5m]',
]
const instants = [start + 1800, start + 5400.5, start + 10000.25]
const spans = [{ start: start + 600, end: start + 7200, step: 60 }, { start: start - 600, end: start + 12000, step: 421 }]
const ordered = /^(sort|topk\(|bottomk\()/
// what Prometheus refuses, Weft must refuse
const refused = ['sum(', 'w_load{', 'rate(w_load)', '{}', 'w_load + on (site) w_temperature', 'rate({__name__=~"w_.*"}[5m])', '1 == 2']

async function ask(base, headers, path, params) {
    const answer = await fetch(`${base}/api/v1/${path}`, {
        method: 'POST', headers: { ...headers, 'Content-Type': 'application/x-www-form-urlencoded' }, body: new URLSearchParams(params) })
    return answer.json()
}
const name = (metric) => {
    const { metric: _, unit: __, ...rest } = metric
    return JSON.stringify(Object.entries(rest).sort())
}
const near = (a, b) => a === b || Math.abs(Number(a) - Number(b)) <= 1e-9 * Math.max(1, Math.abs(Number(b))) || (a === 'NaN' && b === 'NaN')
function difference(ours, theirs, inOrder) {
    if (ours.status !== theirs.status) return `${ours.status} ${ours.error ?? ''}, not ${theirs.status} ${theirs.error ?? ''}`
    if (ours.status === 'error') return null
    const a = ours.data, b = theirs.data
    if (a.resultType !== b.resultType) return `${a.resultType}, not ${b.resultType}`
    const flat = (r) => a.resultType === 'scalar' || a.resultType === 'string' ? [['', [r]]]
        : r.map((s) => [name(s.metric), s.values ?? [s.value]])
    const x = flat(a.result), y = flat(b.result)
    if (!inOrder) for (const list of [x, y]) list.sort((p, q) => (p[0] < q[0] ? -1 : 1))
    if (x.length !== y.length) return `${x.length} series, not ${y.length}`
    for (let i = 0; i < x.length; i++) {
        if (x[i][0] !== y[i][0]) return `series ${x[i][0]}, not ${y[i][0]}`
        if (x[i][1].length !== y[i][1].length) return `${x[i][1].length} points of ${x[i][0]}, not ${y[i][1].length}`
        for (let k = 0; k < x[i][1].length; k++) {
            const [t, v] = x[i][1][k], [u, z] = y[i][1][k]
            if (t !== u || (a.resultType === 'string' ? v !== z : !near(v, z))) return `${x[i][0]}: [${t},${v}], not [${u},${z}]`
        }
    }
    return null
}

async function compare(weft, token, prometheus) {
    const headers = { Authorization: `Basic ${Buffer.from(`grafana:${token}`).toString('base64')}` }
    let passed = 0, failed = 0
    const check = async (query, path, params, inOrder) => {
        const wrong = difference(await ask(`${weft}/prometheus`, headers, path, { query, ...params }), await ask(prometheus, {}, path, { query, ...params }), inOrder)
        if (!wrong) passed++
        else if (++failed <= 30) console.log(`FAIL as Prometheus: ${query} ${JSON.stringify(params)}\n  ${wrong}`)
    }
    for (const query of questions) {
        for (const time of instants) await check(query, 'query', { time }, ordered.test(query))
        if (query !== '"a text"' && query !== 'w_load[5m]') for (const span of spans) await check(query, 'query_range', span, false)
    }
    for (const query of refused) await check(query, 'query', { time: instants[0] }, false)
    console.log(`peer: ${passed} passed, ${failed} failed`)
    process.exitCode = failed ? 1 : 0
}

const [what, ...rest] = process.argv.slice(2)
if (what === 'data') {
    const lines = [], open = []
    let last = ''
    for (const s of samples()) {
        const [measurement, field] = s.name.split('_')
        if (s.name !== last) open.push(`# TYPE ${s.name} gauge`)
        last = s.name
        lines.push(`${measurement},thing=${things[s.i]},site=${site(s.i)} ${field}=${s.v} ${s.at}000000`)
        open.push(`${s.name}{thing="${things[s.i]}",model="open",site="${site(s.i)}"} ${s.v} ${(s.at / 1000).toFixed(3)}`)
    }
    writeFileSync(`${rest[0]}/lines`, lines.join('\n'))
    writeFileSync(`${rest[0]}/openmetrics`, `${open.join('\n')}\n# EOF\n`)
} else {
    await compare(...rest)
}
