// Document types and what can be done with documents, all from the server's descriptors.
import { api, enc } from './api'
import { useQuery } from './query'
import type { Doc, DocState, DocType, Field, Model, Ref, Tone, Transition } from './types'

const list = (v: unknown): string[] => Array.isArray(v) ? v.map(String) : typeof v === 'string' && v ? v.split('|') : []

function shapeTypes(raw: { items: Record<string, unknown>[] }): DocType[] {
  return raw.items.map((r) => ({
    ...(r as unknown as DocType),
    fields: shapeFields(r.fields),
    states: (r.states ?? []) as DocState[],
    transitions: ((r.transitions ?? []) as Record<string, unknown>[]).map((x) => ({
      ...(x as unknown as Transition), from: list(x.from), needs: list(x.needs), takes: list(x.takes), to: (x.to ?? null) as string | null,
    })),
    create_roles: list(r.create_roles), change_roles: list(r.change_roles),
    pack: (r.pack ?? null) as string | null, label: (r.label ?? null) as string | null, immutable: Boolean(r.immutable), may_delete: Boolean(r.delete),
  }))
}
function shapeFields(raw: unknown): Field[] {
  return (Array.isArray(raw) ? raw as Record<string, unknown>[] : []).map((f) => ({
    ...(f as unknown as Field), kind: f.kind as Field['kind'], choices: (f.choices ?? []) as Field['choices'],
    required: Boolean(f.required), computed: Boolean(f.computed) || Boolean(f.compute), unit: (f.unit ?? null) as string | null,
    ref: (f.ref ?? null) as string | null, scale: Number(f.scale ?? 0),
    fields: f.kind === 'lines' ? shapeFields(Array.isArray(f.lines) ? f.lines : (f.lines as { fields?: unknown } | undefined)?.fields) : undefined,
  }))
}

export const useTypes = () => useQuery<DocType[]>('docs', { shape: shapeTypes as (raw: never) => DocType[] })
export function useType(name: string): DocType | undefined {
  return useTypes().data?.find((d) => d.name === name)
}

export const useModels = () => useQuery<Model[]>('models', { shape: ((raw: { items: Model[] }) => raw.items) as (raw: never) => Model[] })
export function useModel(name: string | undefined): Model | undefined {
  return useModels().data?.find((m) => m.name === name)
}

/** The transition of that name that leads on from the document's state. */
export function transition(type: DocType, doc: Doc, name: string): Transition | undefined {
  const of = type.transitions.filter((x) => x.name === name)
  return of.find((x) => x.from.includes(doc.state) || x.from.includes('*')) ?? of[0]
}
export function stateOf(type: DocType | undefined, name: string): DocState | undefined {
  return type?.states.find((s) => s.name === name)
}
export function toneOf(type: DocType | undefined, state: string): Tone {
  return stateOf(type, state)?.tone ?? 'neutral'
}

export const createDoc = (type: string, body: unknown) => api<Doc>(`docs/${type}`, { method: 'POST', body })
export const changeDoc = (type: string, doc: Doc, body: unknown) => api<Doc>(`docs/${type}/${doc.id}`, { method: 'PATCH', body, version: doc.version })
export const moveDoc = (type: string, id: number, name: string, body: unknown) => api<Doc>(`docs/${type}/${id}/${enc(name)}`, { method: 'POST', body })

export const removeDoc = (type: string, doc: Doc) => api(`docs/${type}/${doc.id}`, { method: 'DELETE', version: doc.version })

export const str = (v: unknown): string => v === null || v === undefined ? '' : String(v)
export const num = (v: unknown): number | null => v === null || v === undefined || v === '' || Number.isNaN(Number(v)) ? null : Number(v)
export function ref(v: unknown): Ref | null {
  return v && typeof v === 'object' && 'id' in v ? v as Ref : null
}

/** Types of packs beside the service business that the pages above know by name. */
export const SERVICE = new Set(['alarm', 'prediction', 'fault', 'maintenance', 'work_order', 'part', 'reservation', 'technician'])
export function docHref(type: string, id: number | string, agreement?: string | null): string {
  const base = type === 'work_order' && !agreement ? `#/orders/${enc(String(id))}` : `#/docs/${enc(type)}/${enc(String(id))}`
  return agreement ? `${base}?agreement=${enc(agreement)}` : base
}
