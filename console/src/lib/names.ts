// Titles of things that other records only name: components, metrics, technicians, parts.
import { t, title, type Key } from '../i18n'
import { useModels } from './docs'
import { lang } from './prefs'
import { useQuery } from './query'
import { str } from './docs'
import type { Component, Doc, DocType, Metric, Model, Page } from './types'

const CJK = /[\u3400-\u9fff]/
/** A text written in both languages, "徐州中心库 · Xuzhou central store" or "replaced / 已更换", in the reader's. */
export function pick(text: unknown): string {
  const whole = str(text)
  const cut = / [·/] /.exec(whole)
  if (!cut) return whole
  const halves = [whole.slice(0, cut.index), whole.slice(cut.index + 3)] as const
  const chinese = halves.findIndex((h) => CJK.test(h))
  if (chinese < 0 || CJK.test(halves[1 - chinese]!)) return whole
  return halves[lang.get() === 'zh' ? chinese : 1 - chinese]!
}

export function docName(d: Doc, type?: DocType): string {
  const label = type?.label ? d[type.label] : undefined
  const said = typeof label === 'object' && label !== null ? str((label as { name?: string; number?: string }).name ?? (label as { number?: string }).number) : pick(label)
  const name = said || pick(d.name) || title({ title_en: str(d.title_en), title_zh: str(d.title_zh) }) || str(d.code) || str(d.thing)
  return name ? `${name} · ${d.number}` : d.number
}

const skills: Record<string, Key> = { electrical: 'skill_electrical', mechanical: 'skill_mechanical', hydraulic: 'skill_hydraulic', pneumatic: 'skill_pneumatic', control: 'skill_control' }
/** "electrical|hydraulic" in words. */
export function skillNames(joined: unknown, between = ' · '): string {
  return str(joined).split('|').filter(Boolean).map((s) => skills[s] ? t(skills[s]!) : s).join(between)
}

export interface Names {
  component: (name: unknown) => string
  metric: (name: unknown) => string
  model: (name: unknown) => string
  metricOf: (model: string | undefined, name: string) => Metric | undefined
  components: Component[]
  componentOf: (model: string | undefined, name: string) => Component | undefined
}

/** Titles from the models; a name that no model knows stands for itself. */
export function useNames(): Names {
  const models: Model[] = useModels().data ?? []
  const find = <T extends { name: string }>(all: (m: Model) => T[], name: string): T | undefined => {
    for (const m of models) { const hit = all(m).find((x) => x.name === name); if (hit) return hit }
    return undefined
  }
  return {
    component: (n) => title(find((m) => m.components, str(n)), str(n)),
    metric: (n) => title(find((m) => m.metrics, str(n)), str(n)),
    model: (n) => title(models.find((m) => m.name === n), str(n)),
    components: models.flatMap((m) => m.components).filter((c, i, all) => all.findIndex((x) => x.name === c.name) === i),
    metricOf: (model, name) => models.find((m) => m.name === model)?.metrics.find((x) => x.name === name) ?? find((m) => m.metrics, name),
    componentOf: (model, name) => models.find((m) => m.name === model)?.components.find((x) => x.name === name) ?? find((m) => m.components, name),
  }
}

/** All documents of a small type, by id: to show a technician's or part's name where a record only refers to it. */
export function useAll(type: string | null, live = true): Map<number, Doc> {
  const q = useQuery<Page<Doc>>(type === null ? null : `docs/${type}?limit=500`, { live: live && type !== null ? [`doc:${type}`] : [], every: 4000 })
  return new Map(q.data?.items.map((d) => [d.id, d]))
}
