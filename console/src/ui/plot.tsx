// Many lines over time with a legend that hides and shows them; a stretch drawn over the plot becomes the range.
import uPlot from 'uplot'
import 'uplot/dist/uPlot.min.css'
import { useEffect, useMemo, useRef, useState } from 'preact/hooks'
import { locale, t } from '../i18n'
import { useCell } from '../lib/cell'
import type { Line } from '../lib/explore'
import { absolute, DAY, dayTime, measured } from '../lib/format'
import { darkNow, lang } from '../lib/prefs'

/** Told apart by people who see few colours, too (after Okabe and Ito); the second ten are dashed. */
const DAYLIGHT = ['#1f4fd8', '#b4500a', '#0b7a53', '#a5307f', '#5b6472', '#0b7f96', '#8a6a00', '#6a3fc0', '#b3263a', '#3d7a12']
const NIGHT = ['#86a9ff', '#ffa25e', '#4fd0a0', '#f08bd0', '#b3bfcd', '#5fd0e6', '#e6c34a', '#b79bff', '#ff8a92', '#9cd66a']
const BANDED = 4   // more lines than this have no band: it would hide them

interface Props { title: string; unit: string; lines: Line[]; from: number; to: number; step: number; height: number; onZoom?: (from: number, to: number) => void }
type Rows = (number | null)[][]

/** One column of times for all; where a line has no window, a gap. */
function rowsOf(lines: Line[], step: number): Rows {
  const all = new Set<number>()
  for (const l of lines) for (const p of l.points) all.add(p.at)
  const times = [...all].sort((a, b) => a - b)
  const whole: number[] = []
  for (const at of times) {
    const before = whole[whole.length - 1]
    if (before !== undefined && at - before > step * 3) whole.push(before + step)
    whole.push(at)
  }
  const place = new Map(whole.map((at, i) => [at, i]))
  const rows: Rows = [whole]
  for (const l of lines) {
    const v = new Array<number | null>(whole.length).fill(null), low = [...v], high = [...v]
    for (const p of l.points) { const i = place.get(p.at)!; v[i] = p.v; low[i] = p.low; high[i] = p.high }
    rows.push(v, low, high)
  }
  return rows
}

export function Plot(props: Props) {
  const { title, unit, lines, from, to, step, height } = props
  const host = useRef<HTMLDivElement>(null)
  const live = useRef(props)
  live.current = props
  const dark = useCell(darkNow)
  const language = useCell(lang)
  const [hidden, setHidden] = useState<ReadonlySet<string>>(new Set())
  const [at, setAt] = useState<number | null>(null)
  const colours = dark ? NIGHT : DAYLIGHT
  const shown = useMemo(() => lines.filter((l) => !hidden.has(l.name)), [lines, hidden])
  const rows = useMemo(() => rowsOf(shown, step), [shown, step])
  const colourOf = (name: string) => colours[lines.findIndex((l) => l.name === name) % colours.length]!
  const dashed = (name: string) => lines.findIndex((l) => l.name === name) >= colours.length

  useEffect(() => {
    const el = host.current
    if (!el) return
    const css = getComputedStyle(el), ink = (name: string) => css.getPropertyValue(name).trim()
    const font = `12px ${css.fontFamily}`
    const axis = { stroke: ink('--text-2'), font, grid: { stroke: ink('--line'), width: 1 }, ticks: { show: false }, gap: 6 }
    const banded = shown.length <= BANDED
    const u = new uPlot({
      width: el.clientWidth, height, ms: 1, legend: { show: false }, padding: [8, 10, 0, 0],
      cursor: { drag: { x: true, y: false, setScale: false, dist: 6 }, points: { size: 6 }, y: false },
      scales: { x: { time: true, range: () => [live.current.from, live.current.to] }, y: { range: (_u, low, high) => padded(low, high) } },
      series: [{}, ...shown.flatMap((l): uPlot.Series[] => [
        { stroke: colourOf(l.name), width: 1.7, dash: dashed(l.name) ? [6, 4] : undefined, points: { show: l.points.length < 2 } },
        { stroke: 'transparent', points: { show: false }, show: banded }, { stroke: 'transparent', points: { show: false }, show: banded },
      ])],
      bands: banded ? shown.map((l, i) => ({ series: [3 * i + 3, 3 * i + 2] as [number, number], fill: colourOf(l.name) + '26' })) : [],
      axes: [
        { ...axis, size: 26, space: 72, values: (_u, splits, _a, _s, incr) => ticks(splits, incr) },
        { ...axis, size: 54, space: 34, values: (_u, splits) => splits.map((v) => measured(v)) },
      ],
      hooks: {
        setSelect: [(u) => zoomed(u, live.current)],
        setCursor: [(u) => setAt(u.cursor.idx ?? null)],
      },
    }, rows as uPlot.AlignedData, el)
    const fit = new ResizeObserver(() => u.setSize({ width: el.clientWidth, height }))
    fit.observe(el)
    return () => { fit.disconnect(); u.destroy() }
  }, [rows, dark, language, height, from, to])

  const toggle = (name: string) => setHidden((old) => { const next = new Set(old); if (!next.delete(name)) next.add(name); return next })
  const value = (name: string): string => {
    const i = shown.findIndex((l) => l.name === name)
    if (i < 0) return ''
    const points = shown[i]!.points
    const v = at === null ? points[points.length - 1]?.v : rows[3 * i + 1]![at]
    return v === null || v === undefined ? '–' : measured(v)
  }
  return (
    <figure class="plot-many">
      <figcaption><strong>{title}</strong>{unit && <span class="faint">{unit}</span>}<span class="readout num">{at === null ? t('x_newest') : dayTime(rows[0]![at])}</span></figcaption>
      <div ref={host} class="plot" role="img" aria-label={summary(title, unit, shown, from, to)} style={{ minHeight: `${height}px` }} />
      {(lines.length > 1 || lines[0]?.name) && (
        <ul class="plot-legend" aria-label={t('x_lines')}>{lines.map((l) => (
          <li><button type="button" aria-pressed={!hidden.has(l.name)} onClick={() => toggle(l.name)}>
            <i style={{ borderColor: colourOf(l.name), borderTopStyle: dashed(l.name) ? 'dashed' : 'solid' }} /><span>{l.name || t('x_all')}</span><b class="num">{value(l.name)}</b></button></li>))}</ul>)}
    </figure>
  )
}

function padded(low: number | null, high: number | null): [number, number] {
  if (low === null || high === null || !Number.isFinite(low) || !Number.isFinite(high)) return [0, 1]
  const pad = (high - low || Math.abs(high) || 1) * 0.06
  return [low - pad, high + pad]
}
function zoomed(u: uPlot, { onZoom }: Props) {
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
function summary(title: string, unit: string, lines: Line[], from: number, to: number): string {
  let low = Infinity, high = -Infinity
  for (const l of lines) for (const p of l.points) if (p.v !== null) { low = Math.min(low, p.v); high = Math.max(high, p.v) }
  if (!Number.isFinite(low)) return `${title}: ${t('no_data_range')}`
  return t('x_summary', { metric: title, unit, n: lines.length, low: measured(low), high: measured(high), from: absolute(from), to: absolute(to) })
}
