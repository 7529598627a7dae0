// A place: a point picked on the map, typed, or where the device is; other geometries are shown and edited as GeoJSON.
import { useState } from 'preact/hooks'
import { t } from '../i18n'
import { str } from '../lib/docs'
import { Button, toast } from './bits'
import type { Common } from './inputs'
import { FleetMap, type Pin } from './map'

interface Point { type: 'Point'; coordinates: [number, number] }
type Geometry = { type: string; coordinates: unknown }
const point = (v: unknown): Point | null => v !== null && typeof v === 'object' && (v as Geometry).type === 'Point' ? v as Point : null
const round = (n: number) => Math.round(n * 1e6) / 1e6

/** The middle of any geometry, for its pin. */
export function middle(v: unknown): { longitude: number; latitude: number } | null {
  if (v === null || typeof v !== 'object') return null
  const flat: [number, number][] = []
  const walk = (c: unknown) => { if (Array.isArray(c)) { if (typeof c[0] === 'number') flat.push([c[0], c[1] as number]); else c.forEach(walk) } }
  walk((v as Geometry).coordinates)
  if (!flat.length) return null
  return { longitude: flat.reduce((n, p) => n + p[0], 0) / flat.length, latitude: flat.reduce((n, p) => n + p[1], 0) / flat.length }
}

export function PlaceInput({ id, value, onInput, common }: { id: string; value: unknown; onInput: (v: unknown) => void; common: Common }) {
  const p = point(value)
  const [texts, setTexts] = useState<[string, string]>([p ? str(p.coordinates[1]) : '', p ? str(p.coordinates[0]) : ''])
  const set = (latitude: number, longitude: number) => {
    setTexts([str(round(latitude)), str(round(longitude))])
    onInput({ type: 'Point', coordinates: [round(longitude), round(latitude)] })
  }
  const typedIn = (i: 0 | 1, text: string) => {
    const next: [string, string] = i === 0 ? [text, texts[1]] : [texts[0], text]
    setTexts(next)
    const [a, o] = next.map(Number) as [number, number]
    if (!next[0] && !next[1]) onInput(null)
    else if (next[0] && next[1] && Number.isFinite(a) && Number.isFinite(o)) onInput({ type: 'Point', coordinates: [o, a] })
  }
  if (value && !p) return <textarea {...common} rows={4} class="mono" value={typeof value === 'string' ? value : JSON.stringify(value)} onInput={(e) => onInput(e.currentTarget.value)} />
  const pin: Pin[] = p ? [{ id, latitude: p.coordinates[1], longitude: p.coordinates[0], state: 'ok', label: t('place') }] : []
  const here = () => navigator.geolocation?.getCurrentPosition((g) => set(g.coords.latitude, g.coords.longitude), () => toast(t('no_position'), 'critical'))
  return (
    <div class="place-input">
      <FleetMap small label={t('pick_place')} pins={pin} onPick={set} note={t('pick_place')} />
      <div class="with-unit">
        <input {...common} aria-label={t('latitude')} inputMode="decimal" placeholder={t('latitude')} value={texts[0]} onInput={(e) => typedIn(0, e.currentTarget.value)} />
        <input aria-label={t('longitude')} inputMode="decimal" placeholder={t('longitude')} value={texts[1]} onInput={(e) => typedIn(1, e.currentTarget.value)} />
        {'geolocation' in navigator && <Button icon="pin" aria-label={t('my_position')} title={t('my_position')} onClick={here} />}
      </div>
    </div>
  )
}
