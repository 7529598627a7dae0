// The platform's clock. In a replay it runs faster than the wall's: the pace is learnt from what the server says, and
// between two statuses time flows on smoothly, never past what the pace allows.
import { useEffect, useState } from 'preact/hooks'
import { cell, useCell } from './cell'

/** Set once the platform's time is known: what showed absolute times until then shows relative ones. */
const known = cell(false)
let base = 0
let heardAt = 0
let pace = 1

export function hear(now: string, wall = Date.now()) {
  const at = Date.parse(now)
  if (Number.isNaN(at)) return
  const gone = wall - heardAt
  if (base > 0 && at === base && gone < 30_000) { if (gone > 5000) pace = 0; return }
  if (base > 0 && gone > 500) {
    const seen = (at - base) / gone
    pace = seen < 0 || seen > 1e7 ? 1 : Math.abs(seen - 1) < 0.2 ? 1 : seen
  }
  base = at
  heardAt = wall
  known.set(true)
}

/** Platform time in ms; 0 before the first status. */
export function platformNow(wall = Date.now()): number {
  if (base === 0) return 0
  return base + Math.min(wall - heardAt, 4000) * pace + Math.max(0, wall - heardAt - 4000) * Math.min(pace, 1)
}

/** One beat a second for everything that ticks; it rests while nothing does. */
const beat = cell(0)
let listeners = 0
let pulse: ReturnType<typeof setInterval> | undefined
function listen(fn: (n: number) => void): () => void {
  if (listeners++ === 0) pulse = setInterval(() => beat.set(beat.get() + 1), 1000)
  const off = beat.watch(fn)
  return () => { off(); if (--listeners === 0) clearInterval(pulse) }
}

/** The platform's time; re-renders every so many ms, a whole number of seconds. */
export function useNow(every = 1000): number {
  const [, again] = useState(0)
  useCell(known)
  useEffect(() => listen((n) => { if (n % Math.round(every / 1000) === 0) again(n) }), [every])
  return platformNow()
}
