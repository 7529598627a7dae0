// Reads with memory: what was seen last shows at once while it is asked for again; live events ask again, at a calm pace.
import { useCallback, useEffect, useRef, useState } from 'preact/hooks'
import { api, Problem } from './api'
import { on, type Topic } from './live'

const memory = new Map<string, unknown>()
export function forget() { memory.clear() }

export interface Answer<T> { data: T | undefined; error: Problem | undefined; busy: boolean; reload: () => void }

interface Options<T> {
  live?: Topic[]
  every?: number      // ms between two reads caused by live events
  shape?: (raw: never) => T
  keep?: boolean      // while a new path loads, show the old path's data
}

export function useQuery<T>(path: string | null, options: Options<T> = {}): Answer<T> {
  const [, again] = useState(0)
  const box = useRef<{ path: string | null; data?: T; error?: Problem; busy: boolean; asked: number; waiting?: ReturnType<typeof setTimeout>; abort?: AbortController }>(
    { path: null, busy: false, asked: 0 })
  const me = box.current
  if (me.path !== path) {
    const seen = path === null ? undefined : memory.get(path) as T | undefined
    me.path = path
    me.data = seen ?? (options.keep ? me.data : undefined)
    me.error = undefined
    me.busy = path !== null
  }

  const ask = useCallback(async () => {
    if (path === null) return
    clearTimeout(me.waiting)
    me.waiting = undefined
    me.abort?.abort()
    const abort = me.abort = new AbortController()
    me.asked = Date.now()
    me.busy = true
    try {
      const raw = await api<never>(path, { signal: abort.signal })
      const data = options.shape ? options.shape(raw) : raw as T
      memory.set(path, data)
      if (memory.size > 200) memory.delete(memory.keys().next().value as string)
      if (me.path === path) { me.data = data; me.error = undefined }
    } catch (e) {
      if (abort.signal.aborted) return
      if (me.path === path) me.error = e instanceof Problem ? e : new Problem(0, 'error', String(e))
    }
    if (me.path === path) { me.busy = false; again((n) => n + 1) }
  }, [path])

  useEffect(() => {
    void ask()
    const soon = () => {
      if (me.waiting) return
      const wait = Math.max(0, me.asked + (options.every ?? 1500) - Date.now())
      me.waiting = setTimeout(() => { me.waiting = undefined; if (!document.hidden) void ask() }, wait)
    }
    const offs = [...(options.live ?? []), 'again' as Topic].map((topic) => on(topic, soon))
    const shown = () => { if (!document.hidden && options.live?.length) soon() }
    document.addEventListener('visibilitychange', shown)
    return () => {
      offs.forEach((off) => off())
      document.removeEventListener('visibilitychange', shown)
      clearTimeout(me.waiting)
      me.waiting = undefined
      me.abort?.abort()
    }
  }, [ask])

  return { data: me.data, error: me.error, busy: me.busy, reload: ask }
}
