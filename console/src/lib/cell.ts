// One value that many places watch.
import { useEffect, useState } from 'preact/hooks'

export interface Cell<T> {
  get(): T
  set(value: T): void
  watch(fn: (value: T) => void): () => void
}

export function cell<T>(initial: T): Cell<T> {
  let value = initial
  const watchers = new Set<(value: T) => void>()
  return {
    get: () => value,
    set(next) {
      if (Object.is(next, value)) return
      value = next
      for (const fn of [...watchers]) fn(value)
    },
    watch(fn) {
      watchers.add(fn)
      return () => { watchers.delete(fn) }
    },
  }
}

export function useCell<T>(c: Cell<T>): T {
  const [, again] = useState(0)
  const seen = c.get()
  useEffect(() => {
    if (!Object.is(c.get(), seen)) again((n) => n + 1)
    return c.watch(() => again((n) => n + 1))
  }, [c])
  return seen
}
