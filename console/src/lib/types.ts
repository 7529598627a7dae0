// What the API says, as types. Fields the console does not read are left out.
export type State = 'ok' | 'warning' | 'alarm' | 'offline'
export type Severity = 'low' | 'medium' | 'high' | 'critical'
export interface Titled { title_en: string; title_zh: string }

export interface Session { user: string; roles: string[]; party: string }

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

export type FieldKind = 'text' | 'int' | 'number' | 'decimal' | 'bool' | 'time' | 'choice' | 'ref' | 'thing' | 'json'
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
}
export type Tone = 'neutral' | 'info' | 'good' | 'warning' | 'critical'
export interface DocState extends Titled { name: string; final: boolean; tone: Tone }
export interface Transition extends Titled { name: string; from: string[]; to: string | null; needs: string[]; takes: string[] }
export interface DocType extends Titled {
  name: string
  fields: Field[]
  states: DocState[]
  transitions: Transition[]
  create_roles: string[]
  change_roles: string[]
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
export interface Page<T> { items: T[]; total: number; next: string | null }
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
