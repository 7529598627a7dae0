// The fleet, kept current by what the server tells.
import { useEffect, useMemo, useState } from 'preact/hooks'
import { query } from './api'
import { on } from './live'
import { useQuery, type Answer } from './query'
import type { Dashboard, Page, Thing, ThingItem } from './types'

export interface ThingFilter { q?: string; state?: string; model?: string; limit?: number }

export function useThings(filter: ThingFilter = {}): Answer<Page<ThingItem>> {
  const answer = useQuery<Page<ThingItem>>('things' + query({ limit: filter.limit ?? 500, q: filter.q, state: filter.state, model: filter.model }), { live: ['things'], every: 15_000, keep: true })
  const [changed, setChanged] = useState<ReadonlyMap<string, ThingItem>>(new Map())
  useEffect(() => on('things', (payload) => setChanged((old) => {
    const next = new Map(old)
    for (const item of payload as ThingItem[]) next.set(item.name, item)
    return next
  })), [])
  useEffect(() => setChanged(new Map()), [answer.data])
  const data = useMemo(() => answer.data && changed.size ? { ...answer.data, items: answer.data.items.map((i) => changed.get(i.name) ?? i) } : answer.data, [answer.data, changed])
  return { ...answer, data }
}

interface RawThing extends Omit<Thing, 'health' | 'health_detail'> { health: number | null | Thing['health_detail'] }
function shapeThing(raw: RawThing): Thing {
  const detail = raw.health !== null && typeof raw.health === 'object' ? raw.health : null
  return { ...raw, health: detail ? detail.index : raw.health as number | null, health_detail: detail }
}
export function useThing(name: string | null): Answer<Thing> {
  return useQuery<Thing>(name === null ? null : `things/${encodeURIComponent(name)}`, { live: ['things', 'doc:alarm', 'doc:work_order', 'doc:prediction'], every: 2000, shape: shapeThing as (raw: never) => Thing })
}

export const useDashboard = () => useQuery<Dashboard>('dashboard', { live: ['status', 'doc:alarm', 'doc:work_order', 'doc:prediction'], every: 4000 })

/** Whether an attribute says that the machine's place is invented. */
export function saysMadeUp(key: string, value: unknown): boolean {
  return value !== false && /position|location|coordinates|latitude/i.test(key) && /made.?up|invented|fict|synthetic|simulated|虚构/i.test(`${key} ${String(value)}`)
}
export function madeUpPosition(thing: Thing | undefined): boolean {
  return Object.entries(thing?.attributes ?? {}).some(([k, v]) => saysMadeUp(k, v))
}
