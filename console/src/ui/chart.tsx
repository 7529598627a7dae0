// One metric over time: its average with the min–max band, the machine's own baseline, its peers' median, the alarm
// limits, and what happened to the machine. uPlot draws; this file says what.
import uPlot from 'uplot'
import 'uplot/dist/uPlot.min.css'
import { useEffect, useRef } from 'preact/hooks'
import { locale, t, title } from '../i18n'
import { useCell } from '../lib/cell'
import { DAY, absolute, dayTime, measured } from '../lib/format'
import { darkNow, lang } from '../lib/prefs'
import type { Metric, Series } from '../lib/types'

export interface Mark { at: number; tone: 'critical' | 'good'; component: string | null }
interface Props { metric: Metric; series: Series; from: number; to: number; marks: Mark[]; sync: string; height: number; onZoom?: (from: number, to: number) => void }

interface Ink { line: string; band: string; own: string; peer: string; limit: string; grid: string; text: string; critical: string; good: string }

function inkOf(el: HTMLElement): Ink {
  const css = getComputedStyle(el)
  const v = (name: string) => css.getPropertyValue(name).trim()
  return {
    line: v('--chart-line'), band: v('--chart-band'), own: v('--chart-own'), peer: v('--chart-peer'), limit: v('--critical'),
    grid: v('--line'), text: v('--text-2'), critical: v('--critical'), good: v('--good'),
  }
}

type Rows = [number[], (number | null)[], (number | null)[], (number | null)[]]
function rows(series: Series): Rows {
  const out: Rows = [[], [], [], []]
  let last = 0
  const gap = Math.max(series.window_s * 1000 * 3, 3 * 3_600_000)
  for (const p of series.points) {
    if (last && p[0] - last > gap) { out[0].push(last + 1); out[1].push(null); out[2].push(null); out[3].push(null) }
    last = p[0]
    out[0].push(p[0])
    out[1].push(p[1] as number | null)
    out[2].push((p.length > 2 ? p[2] : p[1]) as number | null)
    out[3].push((p.length > 2 ? p[3] : p[1]) as number | null)
  }
  return out
}

/** The y axis holds the data and the baseline; a limit joins when it is near. */
function yRange(metric: Metric, series: Series, data: Rows): [number, number] {
  const b = series.baseline
  let low = Infinity, high = -Infinity
  for (let i = 0; i < data[0].length; i++) {
    const min = data[2][i], max = data[3][i]
    if (min !== null && min! < low) low = min!
    if (max !== null && max! > high) high = max!
  }
  if (b) { low = Math.min(low, b.own_median - 3 * b.own_mad); high = Math.max(high, b.own_median + 3 * b.own_mad) }
  if (!Number.isFinite(low)) return [0, 1]
  const span = high - low || Math.abs(high) || 1
  for (const limit of [metric.low, metric.high]) {
    if (limit !== null && limit > low - 0.6 * span && limit < high + 0.6 * span) { low = Math.min(low, limit); high = Math.max(high, limit) }
  }
  const pad = (high - low || 1) * 0.06
  return [low - pad, high + pad]
}

export function Chart(props: Props) {
  const host = useRef<HTMLDivElement>(null)
  const readout = useRef<HTMLSpanElement>(null)
  const plot = useRef<uPlot | null>(null)
  const live = useRef(props)
  live.current = props
  const dark = useCell(darkNow)
  const language = useCell(lang)
  const { metric, series, from, to } = props

  useEffect(() => {
    const el = host.current
    if (!el) return
    const u = plot.current = new uPlot(options(el, live, readout), rows(live.current.series), el)
    const fit = new ResizeObserver(() => u.setSize({ width: el.clientWidth, height: live.current.height }))
    fit.observe(el)
    return () => { fit.disconnect(); u.destroy(); plot.current = null }
  }, [dark, language, metric.name])

  useEffect(() => { plot.current?.setData(rows(series)) }, [series, from, to, props.marks])

  const last = series.points[series.points.length - 1]
  return (
    <figure class="chart">
      <figcaption>
        <strong>{title(metric)}</strong>
        <span class="readout" ref={readout} data-rest={last ? `${measured(last[1])} ${metric.unit ?? ''}` : ''}>{last ? <><b>{measured(last[1])}</b> {metric.unit}</> : '–'}</span>
      </figcaption>
      <div ref={host} class="plot" role="img" aria-label={summary(metric, series)} />
    </figure>
  )
}

function summary(metric: Metric, series: Series): string {
  const values = series.points.map((p) => p[1]).filter((v): v is number => v !== null)
  if (!values.length) return `${title(metric)}: ${t('no_data_range')}`
  return t('chart_summary', {
    metric: title(metric), unit: metric.unit ?? '', last: measured(values[values.length - 1]),
    low: measured(Math.min(...values)), high: measured(Math.max(...values)),
    from: absolute(series.points[0]![0]), to: absolute(series.points[series.points.length - 1]![0]),
  })
}

function options(el: HTMLElement, live: { current: Props }, readout: { current: HTMLSpanElement | null }): uPlot.Options {
  const ink = inkOf(el)
  const font = `12px ${getComputedStyle(el).fontFamily}`
  return {
    width: el.clientWidth,
    height: live.current.height,
    ms: 1,
    legend: { show: false },
    padding: [8, 8, 0, 0],
    cursor: { drag: { x: true, y: false, setScale: false, dist: 6 }, sync: { key: live.current.sync }, points: { size: 7 }, y: false },
    scales: {
      x: { time: true, range: () => [live.current.from, live.current.to] },
      y: { range: () => yRange(live.current.metric, live.current.series, rows(live.current.series)) },
    },
    series: [
      {},
      { stroke: ink.line, width: 1.6, points: { show: false } },
      { stroke: 'transparent', points: { show: false } },
      { stroke: 'transparent', points: { show: false } },
    ],
    bands: [{ series: [3, 2], fill: ink.band }],
    axes: [
      { stroke: ink.text, font, grid: { stroke: ink.grid, width: 1 }, ticks: { show: false }, gap: 6, size: 26, space: 72, values: (_u, splits, _a, _s, incr) => ticks(splits, incr) },
      { stroke: ink.text, font, grid: { stroke: ink.grid, width: 1 }, ticks: { show: false }, gap: 6, size: 46, space: 34, values: (_u, splits) => splits.map((v) => measured(v)) },
    ],
    hooks: {
      drawClear: [(u) => backdrop(u, live.current, ink)],
      draw: [(u) => happenings(u, live.current.marks, ink)],
      setSelect: [(u) => zoomTo(u, live.current)],
      setCursor: [(u) => { if (readout.current) tellCursor(u, live.current, readout.current) }],
    },
  }
}

/** A stretch drawn over a chart becomes the range of all. */
function zoomTo(u: uPlot, { onZoom }: Props) {
  const { left, width } = u.select
  if (width < 6) return
  const from = u.posToVal(left, 'x'), to = u.posToVal(left + width, 'x')
  u.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false)
  if (to > from) onZoom?.(Math.round(from), Math.round(to))
}

function ticks(splits: number[], incr: number): string[] {
  const dayName = new Intl.DateTimeFormat(locale(), { month: 'short', day: 'numeric' })
  const clock = new Intl.DateTimeFormat(locale(), { hour: '2-digit', minute: '2-digit', hour12: false })
  return splits.map((s) => incr >= DAY || new Date(s).getHours() + new Date(s).getMinutes() === 0 ? dayName.format(s) : clock.format(s))
}

function tellCursor(u: uPlot, { metric, series }: Props, out: HTMLSpanElement) {
  const i = u.cursor.idx
  const value = i === null || i === undefined ? null : u.data[1]![i]
  if (i === null || i === undefined || value === null || value === undefined) {
    const last = series.points[series.points.length - 1]
    out.innerHTML = ''
    if (last) { out.append(Object.assign(document.createElement('b'), { textContent: measured(last[1]) }), ` ${metric.unit ?? ''}`) }
    return
  }
  const min = u.data[2]![i], max = u.data[3]![i]
  const spread = min !== max ? ` (${measured(min)} – ${measured(max)})` : ''
  out.innerHTML = ''
  out.append(`${dayTime(u.data[0][i])}  `, Object.assign(document.createElement('b'), { textContent: measured(value) }), ` ${metric.unit ?? ''}${spread}`)
}

function backdrop(u: uPlot, { metric, series }: Props, ink: Ink) {
  const { ctx, bbox } = u
  const y = (v: number) => u.valToPos(v, 'y', true)
  const line = (v: number, color: string, dash: number[]) => {
    const at = y(v)
    if (at < bbox.top || at > bbox.top + bbox.height) return
    ctx.strokeStyle = color
    ctx.lineWidth = 1.3 * devicePixelRatio
    ctx.setLineDash(dash.map((d) => d * devicePixelRatio))
    ctx.beginPath(); ctx.moveTo(bbox.left, at); ctx.lineTo(bbox.left + bbox.width, at); ctx.stroke()
  }
  ctx.save()
  ctx.beginPath(); ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height); ctx.clip()
  const b = series.baseline
  if (b) {
    const top = y(b.own_median + 3 * b.own_mad), bottom = y(b.own_median - 3 * b.own_mad)
    ctx.fillStyle = ink.own
    ctx.fillRect(bbox.left, top, bbox.width, bottom - top)
    if (b.peer_median !== null) line(b.peer_median, ink.peer, [2, 4])
  }
  for (const limit of [metric.low, metric.high]) if (limit !== null) line(limit, ink.limit, [7, 5])
  ctx.restore()
}

function happenings(u: uPlot, marks: Mark[], ink: Ink) {
  const { ctx, bbox } = u
  const s = devicePixelRatio
  ctx.save()
  for (const m of marks) {
    const x = u.valToPos(m.at, 'x', true)
    if (x < bbox.left || x > bbox.left + bbox.width) continue
    const bottom = bbox.top + bbox.height
    ctx.strokeStyle = ctx.fillStyle = ink[m.tone]
    ctx.globalAlpha = 0.5
    ctx.lineWidth = s
    ctx.beginPath(); ctx.moveTo(x, bbox.top); ctx.lineTo(x, bottom); ctx.stroke()
    ctx.globalAlpha = 1
    ctx.beginPath()
    // A repair follows its failure closely: the one hangs from the top, the other stands on the bottom.
    if (m.tone === 'critical') { ctx.moveTo(x - 5 * s, bbox.top); ctx.lineTo(x + 5 * s, bbox.top); ctx.lineTo(x, bbox.top + 8 * s) }
    else ctx.arc(x, bottom - 4 * s, 4 * s, 0, 7)
    ctx.fill()
  }
  ctx.restore()
}
