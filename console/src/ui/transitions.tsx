// What can be done with a document now, as buttons; each opens a form of what the transition needs and takes.
import { useState } from 'preact/hooks'
import { t, title } from '../i18n'
import { moveDoc, str, transition } from '../lib/docs'
import type { Doc, DocType, Field, Transition } from '../lib/types'
import { Button, toast } from './bits'
import { Dialog } from './dialog'
import { DocForm, type Values } from './form'
import type { IconName } from './icons'

const icons: Record<string, IconName> = { acknowledge: 'check', dispatch: 'person', reassign: 'person', depart: 'truck', arrive: 'pin', finish: 'check', confirm: 'check', repair: 'wrench', ship: 'truck', deliver: 'truck', accept: 'check', approve: 'check', release: 'check' }
const away = new Set(['cancel', 'withdraw', 'retire', 'expire', 'reject', 'refuse', 'void'])

interface Props {
  type: DocType
  doc: Doc
  done: (doc: Doc) => void
  only?: (name: string) => boolean
  suggest?: Record<string, string[]>
  refLabel?: Record<string, (doc: Doc) => string>
  initial?: Values
  small?: boolean
  most?: number      // buttons shown at most
}

export function possible(type: DocType, doc: Doc): Transition[] {
  const seen = new Set<string>()
  const all = (doc.can ?? []).map((name) => transition(type, doc, name)).filter((x): x is Transition => Boolean(x) && !seen.has(x!.name) && Boolean(seen.add(x!.name)))
  const order = (x: Transition) => type.transitions.findIndex((y) => y.name === x.name)
  const forth = (x: Transition) => away.has(x.name) ? 2 : x.to ? 0 : 1
  return all.sort((a, b) => forth(a) - forth(b) || order(a) - order(b))
}

const fieldsOf = (type: DocType, x: Transition): Field[] =>
  [...x.needs, ...x.takes].map((n) => type.fields.find((f) => f.name === n)).filter((f): f is Field => f !== undefined && !f.computed)

/** A person is asked when something must be said, when words are welcome, and before what cannot be undone. */
export const wantsWords = (type: DocType, x: Transition): boolean => x.needs.length > 0 || away.has(x.name) || fieldsOf(type, x).some((f) => f.kind === 'text')

type AskProps = Pick<Props, 'type' | 'doc' | 'suggest' | 'refLabel' | 'initial' | 'done'> & { move: Transition; close: () => void }
export function TransitionDialog({ type, doc, move, close, done, suggest, refLabel, initial }: AskProps) {
  const send = async (values: Values) => {
    const next = await moveDoc(type.name, doc.id, move.name, values)
    toast(t('done_to', { n: doc.number, what: title(move) }))
    done(next)
  }
  const words = str(doc.title_en) || str(doc.text_en) ? title({ title_en: str(doc.title_en) || str(doc.text_en), title_zh: str(doc.title_zh) || str(doc.text_zh) }) : undefined
  return (
    <Dialog title={`${title(move)} · ${doc.number}`} onClose={close} wide={fieldsOf(type, move).some((f) => f.kind === 'lines')}>
      <DocForm fields={fieldsOf(type, move)} needs={move.needs} initial={Object.fromEntries([...move.needs, ...move.takes].map((n) => [n, doc[n] ?? initial?.[n]]))}
        intro={move.needs.length + move.takes.length === 0 ? t('sure', { what: title(move), n: doc.number }) : words} draft={`${type.name}.${doc.id}.${move.name}`} about={{ type: type.name, id: doc.id }}
        suggest={suggest} refLabel={refLabel} submit={title(move)} danger={away.has(move.name)} cancel={close} send={send} />
    </Dialog>
  )
}

export function Transitions({ type, doc, done, only, suggest, refLabel, initial, small, most }: Props) {
  const [open, setOpen] = useState<Transition | null>(null)
  const [busy, setBusy] = useState<string | null>(null)
  const moves = possible(type, doc).filter((x) => !only || only(x.name)).slice(0, most)
  const press = (x: Transition) => {
    if (wantsWords(type, x)) { setOpen(x); return }
    setBusy(x.name)
    moveDoc(type.name, doc.id, x.name, {}).then((next) => { toast(t('done_to', { n: doc.number, what: title(x) })); done(next) })
      .catch((e: unknown) => toast(e instanceof Error ? e.message : String(e), 'critical')).finally(() => setBusy(null))
  }
  return (
    <>
      {moves.map((x, i) => (
        <Button key={x.name} small={small} kind={away.has(x.name) ? 'quiet' : i === 0 && x.to ? 'primary' : 'plain'} icon={icons[x.name]} busy={busy === x.name}
          onClick={(e) => { e.preventDefault(); e.stopPropagation(); press(x) }}>{title(x)}</Button>))}
      {open && <TransitionDialog type={type} doc={doc} move={open} close={() => setOpen(null)} done={(d) => { setOpen(null); done(d) }} suggest={suggest} refLabel={refLabel} initial={initial} />}
    </>
  )
}
