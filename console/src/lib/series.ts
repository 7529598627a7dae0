// One metric's points for a span that ends now: read whole once, then only the new end.
import { useEffect, useRef, useState } from 'preact/hooks'
import { api, Problem, query } from './api'
import { on } from './live'
import type { Series } from './types'

interface Box { key: string; series?: Series; error?: Problem; asking: boolean; whole: number }
export interface Spanned { series: Series | undefined; error: Problem | undefined; from: number; to: number }

const iso = (at: number) => new Date(at).toISOString()
const EVERY = 2000
const AFRESH = 60_000     // ms after which all is read again: windows and baselines move on

/** A week and less as fine as the server likes; longer spans so that a shift stands out of the noise: about 150 points. */
const WINDOWS = [1, 2, 3, 6, 12, 24, 48, 96, 168, 336, 720]
function windowFor(span: number): string {
  const hours = span / 3_600_000
  return hours > 200 ? `${WINDOWS.find((w) => hours / w <= 190) ?? 720}h` : 'auto'
}
const windowText = (seconds: number) => seconds > 0 ? `${seconds}s` : '0'

/** The day of the oldest sample: "all" begins there, so that the windows are as fine as can be. */
async function firstDay(thing: string, metric: string, signal: AbortSignal): Promise<string> {
  const days = await api<Series>('series' + query({ thing, metric, from: '1980-01-01T00:00:00Z', window: '1d' }), { signal, quiet: true })
  return iso(days.points[0]?.[0] ?? Date.UTC(1980, 0))
}

/** `fixed`: exactly this stretch, which does not move on. */
export function useSeries(thing: string, metric: string, span: number, end: number, fixed?: readonly [number, number] | null): Spanned {
  const key = `${thing}\n${metric}\n${fixed ? fixed.join('-') : span}`
  const box = useRef<Box>({ key: '', asking: false, whole: 0 })
  const [, again] = useState(0)
  if (box.current.key !== key) box.current = { key, asking: false, whole: 0 }
  const latest = useRef(end)
  latest.current = end

  useEffect(() => {
    const me = box.current
    const abort = new AbortController()
    let timer: ReturnType<typeof setTimeout> | undefined
    const ask = async () => {
      timer = undefined
      if (me.asking || document.hidden) return
      me.asking = true
      try {
        if (fixed) {
          if (me.series) { me.asking = false; return }
          const length = fixed[1] - fixed[0]
          me.series = await api<Series>('series' + query({ thing, metric, from: iso(fixed[0] - length / 20), to: iso(fixed[1] + length / 20), window: windowFor(length) }), { signal: abort.signal, quiet: true })
          me.asking = false
          again((n) => n + 1)
          return
        }
        const last = me.series?.points[me.series.points.length - 1]?.[0]
        const fresh = last === undefined || Date.now() - me.whole > AFRESH || (span > 0 && latest.current - last > span / 4)
        const from = fresh ? (span > 0 ? (latest.current > 0 ? iso(latest.current - span) : undefined) : await firstDay(thing, metric, abort.signal)) : iso(last)
        const window = fresh ? windowFor(span > 0 ? span : latest.current - Date.parse(from ?? '')) : windowText(me.series!.window_s)
        const got = await api<Series>('series' + query({ thing, metric, from, window }), { signal: abort.signal, quiet: true })
        me.series = fresh || !me.series ? got : joined(me.series, got, span > 0 ? latest.current - span : 0)
        if (fresh) me.whole = Date.now()
        me.error = undefined
      } catch (e) {
        if (abort.signal.aborted) return
        if (e instanceof Problem && !me.series) me.error = e
      }
      me.asking = false
      again((n) => n + 1)
    }
    const soon = () => { timer ??= setTimeout(ask, EVERY) }
    void ask()
    const offs = [on('status', soon), on('again', soon)]
    return () => { offs.forEach((off) => off()); clearTimeout(timer); abort.abort(); me.asking = false }
  }, [key, end > 0])

  const { series, error } = box.current
  if (fixed) return { series, error, from: fixed[0], to: fixed[1] }
  const points = series?.points ?? []
  const first = points[0]?.[0] ?? end, last = Math.max(end, points[points.length - 1]?.[0] ?? 0)
  return { series, error, from: span > 0 ? last - span : first, to: last }
}

/** The new points replace those of the same window and follow; what slid out of the span goes. */
function joined(old: Series, more: Series, from: number): Series {
  const start = more.points[0]?.[0] ?? Infinity
  return { ...more, baseline: more.baseline ?? old.baseline, points: [...old.points.filter((p) => p[0] >= from && p[0] < start), ...more.points] }
}
