// The fleet, kept current by what the server tells.
import { useEffect, useMemo, useState } from 'preact/hooks'
import { api, query } from './api'
import { on } from './live'
import { useQuery, type Answer } from './query'
import type { Dashboard, Page, Thing, ThingItem } from './types'

export interface ThingFilter { q?: string; state?: string; model?: string; sort?: string; limit?: number }

const PAGE = 500

/** The fleet in the server's order, a page at a time; what is shown stays current by what the server tells. */
export function useThings(filter: ThingFilter = {}): Answer<Page<ThingItem>> & { more: (() => Promise<void>) | null } {
  const path = 'things' + query({ limit: filter.limit ?? PAGE, q: filter.q, state: filter.state, model: filter.model, sort: filter.sort })
  const answer = useQuery<Page<ThingItem>>(path, { live: ['things'], every: 15_000, keep: true })
  const [rest, setRest] = useState<{ path: string; items: ThingItem[]; next: string | null }>({ path: '', items: [], next: null })
  const [changed, setChanged] = useState<ReadonlyMap<string, ThingItem>>(new Map())
  useEffect(() => on('things', (payload) => setChanged((old) => {
    const next = new Map(old)
    for (const item of payload as ThingItem[]) next.set(item.name, item)
    return next
  })), [])
  useEffect(() => setChanged(new Map()), [answer.data])
  const further = rest.path === path ? rest : { path, items: [], next: answer.data?.next ?? null }
  const data = useMemo(() => {
    if (!answer.data) return undefined
    const first = new Set(answer.data.items.map((i) => i.name))
    return { ...answer.data, items: [...answer.data.items, ...further.items.filter((i) => !first.has(i.name))].map((i) => changed.get(i.name) ?? i) }
  }, [answer.data, changed, rest, path])
  const more = further.next === null ? null : async () => {
    const page = await api<Page<ThingItem>>(path + '&cursor=' + encodeURIComponent(further.next!))
    setRest({ path, items: [...further.items, ...page.items], next: page.next })
  }
  return { ...answer, data, more }
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
