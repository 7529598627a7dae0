// One question at a time to the server: a new one ends the one before, and a person can stop it.
import { useEffect, useRef, useState } from 'preact/hooks'
import { Problem } from './api'

export type Asking<T> = { state: 'idle' | 'asking' | 'stopped'; since: number; answer?: T; error?: Problem }
export function useAsk<T>() {
  const [now, set] = useState<Asking<T>>({ state: 'idle', since: 0 })
  const abort = useRef<AbortController | null>(null)
  useEffect(() => () => abort.current?.abort(), [])
  /** What was answered last stays in sight while the next is asked. */
  const ask = async (work: (signal: AbortSignal) => Promise<T>) => {
    abort.current?.abort()
    const mine = abort.current = new AbortController()
    set((old) => ({ state: 'asking', since: Date.now(), answer: old.answer }))
    try {
      const answer = await work(mine.signal)
      if (!mine.signal.aborted) set({ state: 'idle', since: 0, answer })
    } catch (e) {
      if (!mine.signal.aborted) set({ state: 'idle', since: 0, error: e instanceof Problem ? e : new Problem(0, 'error', String(e)) })
    }
  }
  const stop = () => { abort.current?.abort(); set({ state: 'stopped', since: 0 }) }
  return { now, ask, stop }
}
