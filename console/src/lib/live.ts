// What the server tells by itself: its clock, changed machines, changed documents. Reconnects for ever.
import { api } from './api'
import { cell } from './cell'
import { hear } from './clock'
import type { LiveDoc, Status, ThingItem } from './types'

export type Topic = 'status' | 'things' | `doc:${string}` | 'again'
type Listener = (payload: unknown) => void

export const online = cell(true)
export const status = cell<Status | null>(null)

const listeners = new Map<Topic, Set<Listener>>()
let source: EventSource | null = null
let retry = 0
let lastHeard = 0
let watchdog: ReturnType<typeof setInterval> | undefined
let timer: ReturnType<typeof setTimeout> | undefined

export function on(topic: Topic, fn: Listener): () => void {
  const set = listeners.get(topic) ?? new Set()
  listeners.set(topic, set.add(fn))
  return () => { set.delete(fn) }
}

function tell(topic: Topic, payload: unknown) {
  for (const fn of [...(listeners.get(topic) ?? [])]) fn(payload)
}

/** Everything on the screen is asked for again: what documents there are has changed. */
export const askAgain = () => tell('again', null)

export function takeStatus(s: Status) {
  hear(s.now)
  status.set(s)
  tell('status', s)
}

const SILENCE_MS = 12_000

export function startLive() {
  if (source || timer) return
  api<Status>('status', { quiet: true }).then(takeStatus).catch(() => {})   // the stream tells it every two seconds; the first is wanted now
  watchdog ??= setInterval(() => { if (source && Date.now() - lastHeard > SILENCE_MS) drop() }, 3000)
  connect()
}

export function stopLive() {
  clearInterval(watchdog)
  clearTimeout(timer)
  watchdog = timer = undefined
  source?.close()
  source = null
  retry = 0
  online.set(true)
}

function connect() {
  timer = undefined
  lastHeard = Date.now()
  const s = source = new EventSource('/api/v1/live')
  const heard = <T>(name: string, take: (payload: T) => void) => s.addEventListener(name, (e) => {
    lastHeard = Date.now()
    try { take(JSON.parse((e as MessageEvent<string>).data)) } catch (err) { console.error('live', name, err) }
  })
  s.onopen = () => {
    lastHeard = Date.now()
    if (retry > 0) tell('again', null)
    retry = 0
    online.set(true)
  }
  s.onerror = drop
  heard<Status>('status', takeStatus)
  heard<ThingItem[] | { items: ThingItem[] }>('things', (p) => tell('things', Array.isArray(p) ? p : p.items))
  heard<LiveDoc>('doc', (p) => tell(`doc:${p.type}`, p))
}

function drop() {
  source?.close()
  source = null
  if (timer) return
  retry++
  if (retry > 1) online.set(false)
  timer = setTimeout(connect, Math.min(500 * 2 ** retry, 10_000))
}
