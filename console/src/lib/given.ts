// What other owners gave us: the active agreements received, and which types each opens.
import { useQuery } from './query'
import type { Agreement } from './types'

export function useGiven(type?: string): Agreement[] {
  const list = useQuery<{ items: Agreement[] }>('agreements?side=received&state=active', { live: ['doc:agreement'], every: 10_000 })
  return (list.data?.items ?? []).filter((a) => a.state === 'active' && (!type || a.terms.types.some((x) => x.type === type)))
}
