// A made-up fleet for developing and testing pages without a server: 20 machines, four metrics, alarms, predictions and
// work orders, the same at every start. Its clock is a recording's, an hour of which passes in a second.
import type { Doc, ThingItem } from '../src/lib/types'

export const HOUR = 3_600_000
export const DAY = 24 * HOUR
export const START = Date.UTC(2015, 0, 1, 6)
export const NOW = Date.UTC(2015, 2, 8, 6)
export const iso = (t: number) => new Date(t).toISOString().replace('.000Z', 'Z')

export function random(seed: number): () => number {
  let a = seed >>> 0
  return () => {
    a = (a + 0x6d2b79f5) >>> 0
    let r = Math.imul(a ^ (a >>> 15), 1 | a)
    r = (r + Math.imul(r ^ (r >>> 7), 61 | r)) ^ r
    return ((r ^ (r >>> 14)) >>> 0) / 4294967296
  }
}
export const gauss = (r: () => number) => Math.sqrt(-2 * Math.log(1 - r())) * Math.cos(2 * Math.PI * r())

const metrics = [
  { name: 'volt', title_en: 'Voltage', title_zh: '电压', unit: 'V', low: 118, high: 226, component: 'comp1', mean: 171, sd: 15, to: 191 },
  { name: 'rotate', title_en: 'Rotation speed', title_zh: '转速', unit: 'r/min', low: 240, high: 626, component: 'comp2', mean: 446, sd: 50, to: 370 },
  { name: 'pressure', title_en: 'Hydraulic pressure', title_zh: '液压压力', unit: 'bar', low: 67, high: 146, component: 'comp3', mean: 100.6, sd: 11, to: 126 },
  { name: 'vibration', title_en: 'Vibration', title_zh: '振动', unit: 'μm', low: 22.5, high: 63, component: 'comp4', mean: 40.3, sd: 5.3, to: 51 },
]
const components = [
  { name: 'comp1', title_en: 'Drive power unit', title_zh: '驱动电源单元', life_hours: 1500, part: 'PN-1001', skill: 'electrical' },
  { name: 'comp2', title_en: 'Spindle bearing set', title_zh: '主轴轴承组', life_hours: 1300, part: 'PN-2001', skill: 'mechanical' },
  { name: 'comp3', title_en: 'Hydraulic pump', title_zh: '液压泵', life_hours: 1600, part: 'PN-3001', skill: 'hydraulic' },
  { name: 'comp4', title_en: 'Coupling and dampers', title_zh: '联轴器与减振组', life_hours: 1500, part: 'PN-4001', skill: 'mechanical' },
]
const code = { name: 'error', title_en: 'Fault code', title_zh: '故障码', unit: '', low: null, high: null, component: null }
export const models = [1, 2, 3, 4].map((n) => ({ name: `model${n}`, title_en: `Model ${n}`, title_zh: `${n} 型设备`, metrics: [...metrics.map(({ mean: _m, sd: _s, to: _t, ...m }) => m), code], components }))

/** machine → component → when it fails; the metric shifts 48 h before. */
export const failures: [machine: number, component: number, at: number][] = [
  [1, 3, Date.UTC(2015, 0, 5, 6)], [1, 0, Date.UTC(2015, 2, 6, 6)], [4, 1, Date.UTC(2015, 1, 20, 6)], [7, 2, NOW + 20 * HOUR], [12, 0, NOW + 31 * HOUR],
  [16, 1, NOW + 8 * HOUR], [9, 3, Date.UTC(2015, 1, 27, 6)], [18, 2, Date.UTC(2015, 2, 2, 6)],
]
const sites: [number, number, number][] = [[31.32, 120.62, 5], [31.9, 119.97, 4], [32.06, 118.78, 4], [34.26, 117.2, 4], [29.87, 121.55, 3]]

export function valueAt(machine: number, metric: number, t: number): number {
  const m = metrics[metric]!
  const r = random(machine * 7919 + metric * 104_729 + Math.floor(t / HOUR))
  const near = failures.find(([who, c, at]) => who === machine && c === metric && t > at - 48 * HOUR && t < at)
  const shift = near ? (m.to - m.mean) * Math.min(1, (t - (near[2] - 48 * HOUR)) / (8 * HOUR)) : 0
  return Math.round((m.mean + shift + gauss(r) * m.sd) * 1000) / 1000
}
export const metricIndex = (name: string) => metrics.findIndex((m) => m.name === name)
export const metricOf = (i: number) => metrics[i]!
export const componentOf = (i: number) => components[i]!

const replacedAt = (machine: number, c: number) => {
  const failed = failures.filter(([m, k, at]) => m === machine && k === c && at < NOW).map((f) => f[2] + 3 * HOUR)
  return Math.max(...failed, START - (100 + Math.floor(random(machine * 31 + c)() * 1300)) * HOUR + (random(machine * 17 + c)() < .4 ? 900 * HOUR : 0))
}

export interface Sample { things: (ThingItem & { extra: Record<string, unknown> })[]; docs: Record<string, Doc[]> }

export function sample(): Sample {
  const docs: Record<string, Doc[]> = { alarm: [], prediction: [], fault: [], maintenance: [], work_order: [], part: [], reservation: [], technician: [] }
  const prefix: Record<string, string> = { alarm: 'AL', prediction: 'PR', fault: 'FA', maintenance: 'MR', work_order: 'WO', part: 'PA', reservation: 'RS', technician: 'TE' }
  const add = (type: string, state: string, at: number, fields: Record<string, unknown>): Doc => {
    const id = docs[type]!.length + 1
    const d: Doc = { id, number: `${prefix[type]}-${String(id).padStart(6, '0')}`, state, version: 1, created: iso(at), changed: iso(at), created_by: 'system', can: [], ...fields }
    docs[type]!.push(d)
    return d
  }
  const ref = (d: Doc) => ({ id: d.id, number: d.number })
  const people: [string, string, number, number, string | null, string][] = [
    ['李卫东', 'electrical|hydraulic', 31.3, 120.6, 'tech', 'available'], ['王秀兰', 'mechanical', 31.57, 120.3, null, 'busy'], ['张建国', 'mechanical|hydraulic', 32.04, 118.8, null, 'available'],
    ['陈思远', 'electrical|mechanical', 34.27, 117.18, null, 'off_shift'], ['Maria Lindqvist', 'hydraulic|electrical', 29.9, 121.6, null, 'available'],
  ]
  const technicians = people.map(([name, skills, latitude, longitude, user, state], i) => add('technician', state, START, { name, skills, latitude, longitude, user, phone: `0512-5550${100 + i}` }))
  const parts = components.map((c, i) => add('part', 'active', START, { code: c.part, title_en: c.title_en, title_zh: c.title_zh, component: c.name, on_hand: String(6 - i), reserved: i < 2 ? '1' : '0', location: ['苏州中心库', '无锡前置仓', '苏州中心库', '徐州前置仓'][i], latitude: 31.3, longitude: 120.6, reorder_point: '2' }))
  for (let m = 1; m <= 20; m++) for (let c = 0; c < 4; c++) {
    const at = replacedAt(m, c)
    add('maintenance', 'recorded', at, { thing: thingName(m), component: components[c]!.name, done_at: iso(at), kind: failures.some(([a, b, w]) => a === m && b === c && w < at && w > at - DAY) ? 'corrective' : 'planned', text: '' })
  }
  for (const [m, c, at] of [...failures].sort((a, b) => a[2] - b[2])) {
    const comp = components[c]!, met = metrics[c]!, predicted = at - (m === 9 ? -1 : 40) * HOUR
    const technician = technicians[[0, 2, 4, 1][c]!]!
    const past = at < NOW
    if (predicted < at) {
      const p = add('prediction', past ? 'confirmed' : 'open', predicted, { thing: thingName(m), component: comp.name, probability: [.93, .88, .97, .71][c], horizon_hours: 48, predicted_at: iso(predicted), expected_by: iso(predicted + 48 * HOUR), model: 'logistic-1', lead_hours: past ? 40 : null,
        reasons: [{ metric: met.name, weight: 2.3, text_en: `${met.title_en} has been ${met.to > met.mean ? 'above' : 'below'} its own normal for 9 h (${met.to} instead of ${met.mean} ${met.unit})`, text_zh: `${met.title_zh}已连续 9 小时${met.to > met.mean ? '高于' : '低于'}自身正常水平（${met.to}，平时 ${met.mean} ${met.unit}）` },
          { metric: met.name, weight: .6, text_en: `${comp.title_en} has run ${1180 + c * 60} of ${comp.life_hours} planned hours`, text_zh: `${comp.title_zh}已运行 ${1180 + c * 60} 小时，计划寿命 ${comp.life_hours} 小时` }] })
      const requested = predicted + HOUR / 6
      const live: [string, number][] = [['on_site', 3], ['travelling', 1], ['dispatched', .4]]
      const [state, since] = past ? ['confirmed', 0] as const : live[(m + c) % 3]!
      const begun = past ? requested : NOW - since * HOUR
      const w = add('work_order', state, begun, { thing: thingName(m), kind: 'predictive', component: comp.name, title_en: `Replace ${comp.title_en.toLowerCase()} before it fails`, title_zh: `预防性更换${comp.title_zh}`, priority: c === 2 ? 'urgent' : 'high', prediction: ref(p), technician: ref(technician), part: ref(parts[c]!), travel_km: 14 + c * 17,
        requested_at: iso(begun), dispatched_at: iso(begun + HOUR / 12), arrive_by: iso(begun + 2 * HOUR), finish_by: iso(begun + 24 * HOUR), planned_arrival: iso(begun + 1.2 * HOUR),
        arrived_at: past || state === 'on_site' ? iso(begun + 1.4 * HOUR) : null, finished_at: past ? iso(begun + 5 * HOUR) : null, arrival_kept: past || state === 'on_site' ? true : null, completion_kept: past ? true : null,
        finding: past ? '轴承磨损 / worn' : null, remedy: past ? '已更换' : null, signature: past ? '周工' : null })
      p.work_order = ref(w)
      add('reservation', past ? 'used' : 'reserved', begun, { part: ref(parts[c]!), work_order: ref(w), quantity: '1' })
      if (past) p.fault = ref(add('fault', 'repaired', at, { thing: thingName(m), component: comp.name, occurred_at: iso(at), source: 'recording', text: '', foreseen: true, prediction: ref(p) }))
    } else add('fault', past ? 'repaired' : 'reported', at, { thing: thingName(m), component: comp.name, occurred_at: iso(at), source: 'recording', text: '', foreseen: false, prediction: null })
  }
  add('prediction', 'expired', NOW - 12 * DAY, { thing: thingName(3), component: 'comp4', probability: .58, horizon_hours: 48, predicted_at: iso(NOW - 12 * DAY), expected_by: iso(NOW - 10 * DAY), model: 'logistic-1', lead_hours: null, reasons: [{ metric: 'vibration', weight: 1, text_en: 'Vibration above its own normal for 4 h', text_zh: '振动已连续 4 小时高于自身正常水平' }] })
  add('work_order', 'requested', NOW - 2.6 * HOUR, { thing: thingName(5), kind: 'request', component: 'comp3', title_en: 'Oil under the pump', title_zh: '液压泵下方漏油', priority: 'normal', requested_at: iso(NOW - 2.6 * HOUR), arrive_by: iso(NOW - .6 * HOUR), finish_by: iso(NOW + 21.4 * HOUR) })
  add('work_order', 'on_site', NOW - 6 * HOUR, { thing: thingName(2), kind: 'alarm', component: 'comp1', title_en: 'Voltage above limit', title_zh: '电压超上限', priority: 'high', technician: ref(technicians[0]!), part: ref(parts[0]!), travel_km: 6.2, requested_at: iso(NOW - 6 * HOUR), dispatched_at: iso(NOW - 5.9 * HOUR), arrive_by: iso(NOW - 4 * HOUR), finish_by: iso(NOW + 18 * HOUR), arrived_at: iso(NOW - 4.8 * HOUR), arrival_kept: true })
  add('work_order', 'done', NOW - 9 * HOUR, { thing: thingName(14), kind: 'breakdown', component: 'comp2', title_en: 'Spindle does not turn', title_zh: '主轴无法转动', priority: 'urgent', technician: ref(technicians[1]!), part: ref(parts[1]!), requested_at: iso(NOW - 9 * HOUR), dispatched_at: iso(NOW - 8.9 * HOUR), arrive_by: iso(NOW - 7 * HOUR), finish_by: iso(NOW + 15 * HOUR), arrived_at: iso(NOW - 6.5 * HOUR), finished_at: iso(NOW - 2 * HOUR), arrival_kept: false, completion_kept: true, finding: '轴承卡死', remedy: '已更换轴承组并试机' })
  const r = random(99)
  const severity = ['critical', 'high', 'medium', 'low'] as const
  for (let i = 0; i < 26; i++) {
    const m = 1 + Math.floor(r() * 20), k = Math.floor(r() * 4), met = metrics[k]!, sev = severity[Math.min(3, Math.floor(r() * 4.4))]!
    const state = i < 15 ? 'cleared' : i < 18 ? 'returned' : i < 22 ? 'acknowledged' : 'raised'
    const raised = NOW - (i < 15 ? 2 + r() * 30 : r() * 1.3) * DAY
    const high = r() > .4
    add('alarm', state, raised, { thing: thingName(m), kind: 'limit', metric: met.name, component: met.component, severity: sev, value: high ? met.high + 4.2 : met.low - 3.1, raised_at: iso(raised), occurrences: 1 + Math.floor(r() * 4),
      text_en: `${met.title_en} ${high ? `above ${met.high}` : `below ${met.low}`} ${met.unit}`, text_zh: `${met.title_zh}${high ? `高于 ${met.high}` : `低于 ${met.low}`} ${met.unit}`,
      cleared_at: state === 'cleared' || state === 'returned' ? iso(Math.min(NOW, raised + (1 + r() * 9) * HOUR)) : null, acknowledged_at: state === 'acknowledged' || state === 'cleared' ? iso(raised + HOUR) : null, acknowledged_by: state === 'acknowledged' ? 'demo' : null, note: i === 19 ? '已联系现场' : null })
  }
  for (const d of [...docs.alarm!, ...docs.fault!]) d.code = d.code ?? null

  const things = Array.from({ length: 20 }, (_, i) => {
    const m = i + 1
    const site = sites.find((_s, n) => sites.slice(0, n + 1).reduce((a, b) => a + b[2], 0) >= m)!
    const q = random(m * 53)
    const name = thingName(m)
    const alarms = docs.alarm!.filter((d) => d.thing === name && ['raised', 'acknowledged', 'returned'].includes(d.state))
    const p = docs.prediction!.find((d) => d.thing === name && d.state === 'open')
    const w = docs.work_order!.find((d) => d.thing === name && !['confirmed', 'cancelled', 'done'].includes(d.state))
    const bad = alarms.some((a) => a.severity === 'critical' || a.severity === 'high')
    const offline = m === 11
    const health = offline ? null : Math.round(p ? 30 + q() * 25 : bad ? 48 + q() * 20 : 76 + q() * 24)
    return {
      name, model: `model${1 + (m * 7) % 4}`, state: offline ? 'offline' as const : p || bad ? (p && (p.probability as number) > .9 || bad && m % 2 ? 'alarm' as const : 'warning' as const) : 'ok' as const,
      health, latitude: site[0] + (q() - .5) * .35, longitude: site[1] + (q() - .5) * .4, last_seen: iso(offline ? NOW - 31 * HOUR : NOW), open_alarms: alarms.length,
      prediction: p ? { id: p.id, number: p.number, component: p.component as string, probability: p.probability as number, expected_by: p.expected_by as string } : null,
      work_order: w ? { id: w.id, number: w.number, state: w.state } : null,
      extra: { attributes: { age_years: 3 + m % 17, position: 'made up' }, commissioned: iso(START - 300 * DAY) },
    }
  })
  return { things, docs }
}
export const thingName = (m: number) => `press-${String(m).padStart(2, '0')}`
export const wearOf = (m: number, now: number) => components.map((c, i) => {
  const at = replacedAt(m, i), age = (now - at) / HOUR
  return { name: c.name, title_en: c.title_en, title_zh: c.title_zh, age_hours: Math.round(age), life_hours: c.life_hours, wear: age / c.life_hours, replaced_at: iso(at) }
})
