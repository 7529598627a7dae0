// Group-by: which fields documents can be gathered by, and what can be added up.
import type { DocType, Field } from './types'
import { str } from './docs'

export interface Group { keys: unknown[]; count: number; measures: (string | null)[] }
export interface Groups { groups: Group[]; withheld: number }

const GATHERS = new Set(['choice', 'bool', 'ref', 'party', 'thing'])
/** Names as the API takes them: a time by its month. */
export function groupings(type: DocType): { name: string; field: Field | null; month: boolean }[] {
  const out: { name: string; field: Field | null; month: boolean }[] = []
  if (type.states.length > 1) out.push({ name: 'state', field: null, month: false })
  for (const f of type.fields) {
    if (GATHERS.has(f.kind)) out.push({ name: f.name, field: f, month: false })
    else if (f.kind === 'date' || f.kind === 'time') out.push({ name: `${f.name}:month`, field: f, month: true })
  }
  out.push({ name: 'created:month', field: null, month: true })
  return out
}
/** Exact amounts of one currency or unit can be summed; measurements are not. */
export const summable = (type: DocType): Field[] => type.fields.filter((f) => f.kind === 'money' ? Boolean(f.currency) : f.kind === 'decimal')

export function keyText(key: unknown): string {
  return key !== null && typeof key === 'object' ? str((key as { name?: string; number?: string }).name ?? (key as { number?: string }).number) : str(key)
}
