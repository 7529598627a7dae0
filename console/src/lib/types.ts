// What the API says, as types. Fields the console does not read are left out.
export type State = 'ok' | 'warning' | 'alarm' | 'offline'
export type Severity = 'low' | 'medium' | 'high' | 'critical'
export interface Titled { title_en: string; title_zh: string }

export interface PartyRef { id: number; name: string }
/** Who is signed in, and for whom. A server that knows one party only says its name alone. */
export interface Session {
  user: string
  name: string
  roles: string[]
  party: string
  party_id: number
  parties: { id: number; name: string; roles: string[] }[]
  second_factor: boolean
  needs: null | 'second_factor' | 'new_password'
  worker: null | { docs: string[]; until: string | null; label: string }
}

export interface Status {
  version: string
  now: string
  clock: 'system' | 'recording'
  party: string
  things: number
  uptime_s: number
  rows_kept: number
  replay: null | { from: string; to: string; at: string; speed: number; done: boolean }
}

export interface Metric extends Titled { name: string; unit: string | null; low: number | null; high: number | null; component: string | null }
export interface Component extends Titled { name: string; life_hours: number; part: string | null; skill: string | null }
export interface Model extends Titled { name: string; metrics: Metric[]; components: Component[] }

export interface ThingItem {
  name: string
  model: string
  state: State
  health: number | null
  latitude: number | null
  longitude: number | null
  last_seen: string | null
  open_alarms: number
  prediction: null | { id: number; number: string; component: string; probability: number; expected_by: string }
  work_order: null | { id: number; number: string; state: string }
}

export interface Contributor {
  metric: string
  points_lost: number
  own_z: number | null
  peer_z: number | null
  value: number | null
  own_median: number | null
  peer_median: number | null
  text_en: string
  text_zh: string
}

export interface Wear extends Titled { name: string; age_hours: number | null; life_hours: number; wear: number | null; replaced_at: string | null }

export interface Thing extends ThingItem {
  attributes: Record<string, unknown> | null
  commissioned: string | null
  latest: { metric: string; time: string; value: number | string | boolean }[]
  failure: { component: string; probability: number }[]
  components: Wear[]
  health_detail: { index: number | null; contributors: Contributor[] } | null
}

export interface Series {
  thing: string
  metric: string
  unit: string | null
  window_s: number
  points: ([ms: number, avg: number | null, min: number | null, max: number | null] | [ms: number, value: number | null])[]
  baseline: null | { own_median: number; own_mad: number; peer_median: number | null; peer_mad: number | null }
}

export type FieldKind = 'text' | 'int' | 'number' | 'decimal' | 'bool' | 'time' | 'choice' | 'ref' | 'thing' | 'json' | 'money' | 'date' | 'party' | 'file' | 'geometry' | 'lines'
export type Share = 'own' | 'partners' | 'public' | 'secret'
export type Reveals = 'person' | 'customer' | 'price' | 'output'
export interface Choice extends Titled { name: string }
export interface Field extends Titled {
  name: string
  kind: FieldKind
  required: boolean
  computed: boolean
  unit: string | null
  choices: Choice[]
  ref: string | null
  scale: number
  help_en?: string | null
  help_zh?: string | null
  format?: string | null
  currency?: string | null
  compute?: boolean
  share?: Share
  reveals?: Reveals | null
  custom?: boolean
  fields?: Field[]        // of kind "lines"
}
export type Tone = 'neutral' | 'info' | 'good' | 'warning' | 'critical'
export interface DocState extends Titled { name: string; final: boolean; tone: Tone }
export interface Transition extends Titled { name: string; from: string[]; to: string | null; needs: string[]; takes: string[]; roles?: string[] }
export interface DocType extends Titled {
  name: string
  fields: Field[]
  states: DocState[]
  transitions: Transition[]
  create_roles: string[]
  change_roles: string[]
  pack: string | null
  label: string | null
  help_en?: string | null
  help_zh?: string | null
  immutable: boolean
  may_delete: boolean
}

export interface Ref { id: number; number: string }
export interface Doc {
  id: number
  number: string
  state: string
  version: number
  created: string
  changed: string
  created_by: string
  can: string[]
  [field: string]: unknown
}
export interface Page<T> { items: T[]; total: number; next: string | null; agreement?: { id: number; number: string; owner: PartyRef; purpose: string } }
export interface Counts { counts: { key: string | null; count: number }[] }

export interface Kept { kept: number; missed: number }
export interface Dashboard {
  now: string
  fleet: Record<State, number>
  open_alarms: Record<Severity, number>
  work_orders: Record<string, number>
  promises: { arrival: Kept; completion: Kept }
  predictions: { open: number; confirmed: number; expired: number; precision: number | null; recall: number | null; faults?: number; foreseen?: number }
  backtest: null | {
    trained_at: string; models: number; things: number; failures: number; tested: number; foreseen: number; foreseen_24h: number; false_alarms: number
    machine_months: number; recall: number | null; recall_24h: number | null; false_alarms_per_machine_month: number | null
  }
}

export interface LiveDoc { type: string; id: number; number: string; state: string; thing?: string | null }

export interface View extends Titled { name: string; pack: string; kind: 'list' | 'board' | 'form' | 'map' | 'chart' | 'calendar'; type: string; spec: Record<string, unknown> }
export interface PackInfo extends Titled {
  name: string; version: string; builtin: boolean; needs: string[]; types: string[]; models: string[]
  rules: (Titled & { name: string; when?: string })[]; templates: string[]; views: string[]
}

export interface RowTerm { field: string; op: 'eq' | 'ne' | 'lt' | 'le' | 'gt' | 'ge'; value: string }
export interface TypeTerms { type: string; fields: string[]; rows: RowTerm[]; aggregates?: boolean }
export interface SeriesTerms { things: string[] | null; model: string | null; metrics: string[] | null; resolution: 'raw' | 'hourly' | 'index' }
export interface Terms {
  types: TypeTerms[]; series: SeriesTerms[]; purpose: string; from: string | null; to: string | null
  onward: boolean; min_group: number; confidentiality: string | null
}
export type AgreementState = 'proposed' | 'negotiating' | 'agreed' | 'active' | 'suspended' | 'ended'
export interface Signature { who: string; at: string }
export interface Agreement {
  id: number; number: string; state: AgreementState; owner: PartyRef; receiver: PartyRef; title: string; terms: Terms; version: number
  proposed_by: PartyRef | null; agreed: { owner: Signature | null; receiver: Signature | null }; basis: 'consent' | 'law'; dsp: string; can: string[]
  reason?: string
  legal_reference?: string | null
  confidentiality_accepted?: Signature | null
  versions?: { version: number; at: string; who: string; by: PartyRef; terms: Terms; reason: string }[]
}
export interface Warning { severity: 'info' | 'warning' | 'serious'; text_en: string; text_zh: string; fields: string[] }
export interface Preview {
  types: { type: string; fields: (Titled & { name: string; reveals?: Reveals | null; share?: Share })[]; rows: number | null; aggregates?: boolean; sample: Doc[] }[]
  series: { model: string | null; resolution: SeriesTerms['resolution']; metrics: string[] | null; things: number; sample: string[] }[]
  warnings: Warning[]
}
