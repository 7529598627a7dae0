// The map: land without borders, machines as shapes by state, clusters where they crowd. Everything is SVG; the land is
// drawn once and moved by a transform.
import type { ComponentChildren } from 'preact'
import { useEffect, useMemo, useRef, useState } from 'preact/hooks'
import { t } from '../i18n'
import { useCell } from '../lib/cell'
import { number } from '../lib/format'
import { lang } from '../lib/prefs'
import type { State } from '../lib/types'
import { Button } from './bits'
import { cities } from './cities'
import { stateMark, stateShape } from './icons'

export interface Pin { id: string; latitude: number; longitude: number; state: State | 'person'; label: string; href?: string }
interface Props { pins: Pin[]; lines?: [Pin, Pin][]; tip?: (id: string) => ComponentChildren; label: string; selected?: string | null; onHover?: (id: string | null) => void; note?: ComponentChildren; small?: boolean; onPick?: (latitude: number, longitude: number) => void }

type Land = typeof import('land:paths')
const SIZE = 65536
interface View { x: number; y: number; k: number }
interface Box { w: number; h: number }
const MAX_K = 6     // px per unit: about 100 m a pixel
const worst: (State | 'person')[] = ['alarm', 'warning', 'offline', 'ok', 'person']

const mx = (longitude: number) => (longitude + 180) / 360 * SIZE
const my = (latitude: number) => (1 - Math.log(Math.tan(Math.PI / 4 + Math.max(-85, Math.min(85, latitude)) * Math.PI / 360)) / Math.PI) / 2 * SIZE
const latitudeOf = (y: number) => Math.atan(Math.sinh(Math.PI * (1 - 2 * y / SIZE))) * 180 / Math.PI

function clamp(v: View, { w, h }: Box): View {
  const k = Math.min(MAX_K, Math.max(Math.max(w, h) / SIZE, v.k))
  const half = (n: number) => n / 2 / k
  const within = (n: number, pad: number) => pad * 2 >= SIZE ? SIZE / 2 : Math.min(SIZE - pad, Math.max(pad, n))
  return { k, x: within(v.x, half(w)), y: within(v.y, half(h)) }
}

function fit(pins: Pin[], box: Box, pad = 56): View {
  const least = pins.length > 1 ? 30 : 160   // units shown at least, so that a single pin still has a coast or a town near it
  if (!pins.length) return clamp({ x: mx(110), y: my(33), k: box.w / SIZE * 6 }, box)
  const xs = pins.map((p) => mx(p.longitude)), ys = pins.map((p) => my(p.latitude))
  const [x0, x1, y0, y1] = [Math.min(...xs), Math.max(...xs), Math.min(...ys), Math.max(...ys)]
  const k = Math.min((box.w - 2 * pad) / Math.max(x1 - x0, least), (box.h - 2 * pad) / Math.max(y1 - y0, least))
  return clamp({ x: (x0 + x1) / 2, y: (y0 + y1) / 2, k: Math.max(k, 1e-6) }, box)
}

interface Cluster { x: number; y: number; pins: Pin[]; worst: State | 'person' }
function cluster(pins: Pin[], at: (p: Pin) => [number, number], reach: number): Cluster[] {
  const out: Cluster[] = []
  const sorted = [...pins].sort((a, b) => worst.indexOf(a.state) - worst.indexOf(b.state))
  for (const p of sorted) {
    const [x, y] = at(p)
    const near = p.state === 'person' ? undefined : out.find((c) => c.worst !== 'person' && Math.hypot(c.x - x, c.y - y) < reach)
    if (!near) { out.push({ x, y, pins: [p], worst: p.state }); continue }
    near.x += (x - near.x) / (near.pins.length + 1)
    near.y += (y - near.y) / (near.pins.length + 1)
    near.pins.push(p)
  }
  return apart(out, reach)
}

/** A crowd drifts as it grows: those that came to overlap become one. */
function apart(all: Cluster[], reach: number): Cluster[] {
  const out: Cluster[] = []
  for (const c of all) {
    const near = c.worst === 'person' ? undefined : out.find((o) => o.worst !== 'person' && (o.pins.length > 1 || c.pins.length > 1) && Math.hypot(o.x - c.x, o.y - c.y) < reach + 8)
    if (!near) { out.push(c); continue }
    const share = c.pins.length / (near.pins.length + c.pins.length)
    near.x += (c.x - near.x) * share
    near.y += (c.y - near.y) * share
    near.pins.push(...c.pins)
  }
  return out.length < all.length ? apart(out, reach) : out
}

/** Pan with one pointer, pinch with two, wheel to zoom. */
function useHands(svg: { current: SVGSVGElement | null }, view: { current: View }, box: { current: Box }, move: (v: View) => void) {
  useEffect(() => {
    const el = svg.current
    if (!el) return
    const down = new Map<number, { x: number; y: number }>()
    const local = (e: { clientX: number; clientY: number }) => {
      const r = el.getBoundingClientRect()
      return { x: e.clientX - r.left, y: e.clientY - r.top }
    }
    const zoomAt = (p: { x: number; y: number }, factor: number) => move(zoomed(view.current, box.current, p, factor))
    const wheel = (e: WheelEvent) => { e.preventDefault(); zoomAt(local(e), Math.exp(-e.deltaY * (e.ctrlKey ? 0.01 : 0.0016))) }
    const start = (e: PointerEvent) => { down.set(e.pointerId, local(e)) }
    const drag = (e: PointerEvent) => {
      const was = down.get(e.pointerId)
      if (!was) return
      const is = local(e)
      const other = [...down].find(([id]) => id !== e.pointerId)?.[1]
      if (other) {
        zoomAt({ x: (is.x + other.x) / 2, y: (is.y + other.y) / 2 }, Math.hypot(is.x - other.x, is.y - other.y) / (Math.hypot(was.x - other.x, was.y - other.y) || 1))
      } else {
        if (!el.hasPointerCapture(e.pointerId)) {
          if (Math.hypot(is.x - was.x, is.y - was.y) < 4) return
          el.setPointerCapture(e.pointerId)
        }
        const v = view.current
        move({ k: v.k, x: v.x - (is.x - was.x) / v.k, y: v.y - (is.y - was.y) / v.k })
      }
      down.set(e.pointerId, is)
    }
    const end = (e: PointerEvent) => { down.delete(e.pointerId) }
    el.addEventListener('wheel', wheel, { passive: false })
    el.addEventListener('pointerdown', start)
    el.addEventListener('pointermove', drag)
    el.addEventListener('pointerup', end)
    el.addEventListener('pointercancel', end)
    el.addEventListener('pointerleave', end)
    return () => {
      el.removeEventListener('wheel', wheel)
      el.removeEventListener('pointerdown', start)
      el.removeEventListener('pointermove', drag)
      el.removeEventListener('pointerup', end)
      el.removeEventListener('pointercancel', end)
      el.removeEventListener('pointerleave', end)
    }
  }, [])
}
function zoomed(v: View, b: Box, p: { x: number; y: number }, factor: number): View {
  const k = Math.min(MAX_K, Math.max(Math.max(b.w, b.h) / SIZE, v.k * factor))
  const dx = p.x - b.w / 2, dy = p.y - b.h / 2
  return { k, x: v.x + dx / v.k - dx / k, y: v.y + dy / v.k - dy / k }
}

export function FleetMap({ pins, lines = [], tip, label, selected, onHover, note, small, onPick }: Props) {
  const holder = useRef<HTMLDivElement>(null)
  const svg = useRef<SVGSVGElement>(null)
  const [land, setLand] = useState<Land | null>(null)
  const [box, setBox] = useState<Box>({ w: 0, h: 0 })
  const [view, setView] = useState<View | null>(null)
  const [hover, setHover] = useState<string | null>(null)
  const touched = useRef(false)
  const chinese = useCell(lang) === 'zh'
  const boxRef = useRef(box)
  boxRef.current = box
  const viewRef = useRef<View>({ x: 0, y: 0, k: 1 })
  const placed = useMemo(() => pins.filter((p) => Number.isFinite(p.latitude) && Number.isFinite(p.longitude)), [pins])

  useEffect(() => {
    void import('land:paths').then(setLand)
    const el = holder.current
    if (!el) return
    const watch = new ResizeObserver(() => setBox({ w: el.clientWidth, h: el.clientHeight }))
    watch.observe(el)
    return () => watch.disconnect()
  }, [])
  const where = placed.map((p) => `${p.longitude},${p.latitude}`).join(' ')
  useEffect(() => { if (box.w > 0 && !touched.current && !(onPick && view)) setView(fit(placed, box, small ? 36 : 64)) }, [where, box])

  const shown = view ?? (box.w ? fit(placed, box) : { x: SIZE / 2, y: SIZE / 2, k: 0.01 })
  viewRef.current = shown
  const move = (v: View) => { touched.current = true; setView(clamp(v, boxRef.current)) }
  useHands(svg, viewRef, boxRef, move)

  const pick = (e: MouseEvent) => {
    const r = svg.current!.getBoundingClientRect()
    const x = shown.x + (e.clientX - r.left - box.w / 2) / shown.k, y = shown.y + (e.clientY - r.top - box.h / 2) / shown.k
    onPick?.(latitudeOf(y), x / SIZE * 360 - 180)
  }
  const px = (longitude: number) => (mx(longitude) - shown.x) * shown.k + box.w / 2
  const py = (latitude: number) => (my(latitude) - shown.y) * shown.k + box.h / 2
  const clusters = useMemo(() => cluster(placed, (p) => [px(p.longitude), py(p.latitude)], shown.k >= MAX_K ? 8 : 26)
    .filter((c) => c.x > -30 && c.y > -30 && c.x < box.w + 30 && c.y < box.h + 30), [placed, shown, box])
  const zoom = (f: number) => move(zoomed(shown, box, { x: box.w / 2, y: box.h / 2 }, f))
  const hovered = hover ? clusters.find((c) => c.pins.some((p) => p.id === hover)) : undefined
  const point = (id: string | null) => { setHover(id); onHover?.(id) }

  return (
    <div class={`map${small ? ' small' : ''}`} ref={holder} role="group" aria-label={label}
      onKeyDown={(e) => { if (e.key === '+' || e.key === '=') zoom(1.6); else if (e.key === '-') zoom(1 / 1.6); else if (e.key === 'Escape') point(null) }}>
      <svg ref={svg} width={box.w} height={box.h} class={onPick ? 'picks' : undefined} onClick={onPick && pick}>
        <g transform={`translate(${box.w / 2 - shown.x * shown.k} ${box.h / 2 - shown.y * shown.k}) scale(${shown.k})`}>
          {land && <Ground land={land} />}
        </g>
        <g class="cities" aria-hidden="true">{cityLabels(shown, box, px, py, chinese, clusters)}</g>
        {lines.map(([a, b]) => <line class="way" x1={px(a.longitude)} y1={py(a.latitude)} x2={px(b.longitude)} y2={py(b.latitude)} />)}
        {clusters.map((c) => c.pins.length === 1
          ? <Marker c={c} pin={c.pins[0]!} on={point} active={selected === c.pins[0]!.id || hover === c.pins[0]!.id} />
          : <Crowd c={c} active={c.pins.some((p) => p.id === selected)} open={() => move(bounded(c, box, shown))} on={point} />)}
      </svg>
      {hovered && tip && <div class="tip" style={{ left: `${Math.min(box.w - 118, Math.max(118, hovered.x))}px`, top: `${hovered.y}px` }} data-below={hovered.y < 150 || undefined}>
        {hovered.pins.length === 1 ? tip(hovered.pins[0]!.id) : <strong>{t('n_machines', { n: hovered.pins.length })}</strong>}
      </div>}
      <div class="map-tools">
        <Button small icon="plus" aria-label={t('zoom_in')} onClick={() => zoom(1.8)} />
        <Button small icon="minus" aria-label={t('zoom_out')} onClick={() => zoom(1 / 1.8)} />
        {!small && <Button small icon="fit" aria-label={t('zoom_fit')} onClick={() => { touched.current = false; setView(fit(placed, box, 64)) }} />}
      </div>
      <div class="map-foot">{note && <span>{note}</span>}<ScaleBar view={shown} box={box} /></div>
    </div>
  )
}

function bounded(c: Cluster, box: Box, now: View): View {
  const to = fit(c.pins, box, 90)
  return to.k > now.k * 1.2 ? to : { ...to, k: now.k * 2.5 }
}

function Ground({ land }: { land: Land }) {
  const [west, north, east, south] = land.region
  return (
    <>
      <path class="land" d={land.world} transform={`scale(${land.worldStep})`} />
      <rect class="sea" x={west} y={north} width={east - west} height={south - north} />
      <path class="land" d={land.fine} transform={`scale(${land.fineStep})`} />
    </>
  )
}

function Marker({ c, pin, on, active }: { c: Cluster; pin: Pin; on: (id: string | null) => void; active: boolean }) {
  const hands = { onMouseEnter: () => on(pin.id), onMouseLeave: () => on(null), onFocus: () => on(pin.id), onBlur: () => on(null) }
  const state = pin.state
  const drawn = (
    <g class={`pin s-${state}${active ? ' active' : ''}`} transform={`translate(${c.x} ${c.y})`}>
      <circle r="18" class="touch" />
      {state === 'person'
        ? <><circle r="9" class="shape" /><path class="mark" d="M0-1.500a2.300 2.300 0 1 0 0-4.600 2.300 2.300 0 0 0 0 4.600zM-4.200 5c.4-3 2-4.400 4.200-4.400s3.800 1.400 4.200 4.400" /></>
        : <g transform={active ? 'scale(1.35)' : 'scale(1.05)'}><path class="shape" d={stateShape[state]} /><path class="mark" d={stateMark[state]} /></g>}
    </g>
  )
  return pin.href ? <a href={pin.href} aria-label={pin.label} draggable={false} {...hands}>{drawn}</a> : <g role="img" aria-label={pin.label} {...hands}>{drawn}</g>
}

function Crowd({ c, open, on, active }: { c: Cluster; open: () => void; on: (id: string | null) => void; active: boolean }) {
  const r = 13 + Math.min(9, Math.sqrt(c.pins.length) * 1.5)
  const around = 2 * Math.PI * r
  let done = 0
  const name = t('cluster_label', { n: c.pins.length })
  return (
    <g class={`crowd${active ? ' active' : ''}`} role="button" tabIndex={0} aria-label={name} transform={`translate(${c.x} ${c.y})`} onClick={open}
      onKeyDown={(e) => { if (e.key === 'Enter' || e.key === ' ') { e.preventDefault(); open() } }}
      onMouseEnter={() => on(c.pins[0]!.id)} onMouseLeave={() => on(null)}>
      <circle r={r + 3} class="back" />
      {worst.map((state) => {
        const n = c.pins.filter((p) => p.state === state).length
        if (!n) return null
        const arc = around * n / c.pins.length
        const from = done
        done += arc
        return <circle r={r} class={`slice s-${state}`} stroke-dasharray={`${Math.max(0.5, arc - 1.5)} ${around}`} stroke-dashoffset={-from} transform="rotate(-90)" />
      })}
      <text text-anchor="middle" dy=".36em">{c.pins.length}</text>
    </g>
  )
}

function cityLabels(view: View, box: Box, px: (n: number) => number, py: (n: number) => number, chinese: boolean, avoid: Cluster[]) {
  const rank = view.k < 0.035 ? 1 : view.k < 0.11 ? 2 : 3
  const taken: [number, number, number, number][] = avoid.map((c) => [c.x - 14, c.y - 14, c.x + 14, c.y + 14])
  // what lies on the map: legend, buttons, note, scale
  taken.push([0, 0, Math.min(box.w, 320), 46], [box.w - 56, 0, box.w, 140], [0, box.h - 34, 190, box.h], [box.w - 110, box.h - 34, box.w, box.h])
  const out = []
  for (const [longitude, latitude, zh, en, r] of cities) {
    if (r > rank) continue
    const x = px(longitude), y = py(latitude)
    if (x < 0 || y < 10 || x > box.w || y > box.h - 20) continue
    const name = chinese ? zh : en
    const rect: [number, number, number, number] = [x - 4, y - 9, x + 10 + name.length * (chinese ? 12 : 6.5), y + 9]
    if (rect[2] > box.w || taken.some((b) => b[0] < rect[2] && b[2] > rect[0] && b[1] < rect[3] && b[3] > rect[1])) continue
    taken.push(rect)
    out.push(<g transform={`translate(${x} ${y})`}><circle r="2" /><text x="6" dy=".35em">{name}</text></g>)
  }
  return out
}

function ScaleBar({ view, box }: { view: View; box: Box }) {
  if (!box.w) return null
  const kmPerPx = 40_075 * Math.cos(latitudeOf(view.y) * Math.PI / 180) / SIZE / view.k
  const raw = kmPerPx * 90
  const step = 10 ** Math.floor(Math.log10(raw))
  const km = [5, 2, 1].map((n) => n * step).find((n) => n <= raw) ?? step
  return <span class="scale" style={{ width: `${km / kmPerPx}px` }}>{number(km, 2)} km</span>
}
