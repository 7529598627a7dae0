// Somebody was faster: what each of us changed, side by side. What only one changed is kept; the rest is chosen.
import { useState } from 'preact/hooks'
import { t, title } from '../i18n'
import { changeDoc } from '../lib/docs'
import type { Doc, DocType } from '../lib/types'
import { Button, ErrorBox, toast } from '../ui/bits'
import { Dialog } from '../ui/dialog'
import { outgoing } from '../ui/inputs'
import { LinesTable } from '../ui/lines'
import { FieldValue } from './value'

interface Props { type: DocType; base: Doc; mine: Record<string, unknown>; theirs: Doc; close: () => void; saved: () => void }

export function Conflict({ type, base, mine, theirs, close, saved }: Props) {
  const fields = type.fields.filter((f) => !f.computed)
  const same = (a: unknown, b: unknown) => JSON.stringify(a ?? null) === JSON.stringify(b ?? null)
  const out = (f: (typeof fields)[number], d: Doc) => outgoing(f, d[f.name])
  const both = fields.filter((f) => f.name in mine && !same(out(f, base), out(f, theirs)) && !same(mine[f.name], out(f, theirs)))
  const onlyMine = fields.filter((f) => f.name in mine && !both.includes(f))
  const onlyTheirs = fields.filter((f) => !(f.name in mine) && !same(out(f, base), out(f, theirs)))
  const [take, setTake] = useState<Record<string, 'mine' | 'theirs'>>({})
  const [error, setError] = useState<unknown>(null)
  const [busy, setBusy] = useState(false)
  const open = both.filter((f) => !take[f.name])
  const save = async () => {
    setBusy(true)
    setError(null)
    const body = Object.fromEntries([...onlyMine, ...both.filter((f) => take[f.name] === 'mine')].map((f) => [f.name, mine[f.name]]))
    try { if (Object.keys(body).length) await changeDoc(type.name, theirs, body); toast(t('saved')); saved() } catch (e) { setError(e); setBusy(false) }
  }
  const shown = (f: (typeof fields)[number], v: unknown) => f.kind === 'lines' ? <LinesTable field={f} value={v} /> : <FieldValue field={f} value={v} plain />
  return (
    <Dialog wide title={t('conflict_title', { n: theirs.number })} onClose={close}>
      <div class="conflict">
        <p>{t('conflict_hint')}</p>
        {both.map((f) => (
          <fieldset key={f.name}><legend>{title(f)}</legend>
            <label><input type="radio" name={f.name} checked={take[f.name] === 'mine'} onChange={() => setTake({ ...take, [f.name]: 'mine' })} /><span><b>{t('your_version')}</b>{shown(f, mine[f.name])}</span></label>
            <label><input type="radio" name={f.name} checked={take[f.name] === 'theirs'} onChange={() => setTake({ ...take, [f.name]: 'theirs' })} /><span><b>{t('their_version')}</b>{shown(f, theirs[f.name])}</span></label>
          </fieldset>))}
        {onlyMine.length > 0 && <section><h3>{t('only_you_changed')}</h3><dl class="rows">{onlyMine.map((f) => <div><dt>{title(f)}</dt><dd>{shown(f, mine[f.name])}</dd></div>)}</dl></section>}
        {onlyTheirs.length > 0 && <section><h3>{t('only_they_changed')}</h3><dl class="rows">{onlyTheirs.map((f) => <div><dt>{title(f)}</dt><dd>{shown(f, theirs[f.name])}</dd></div>)}</dl></section>}
        <ErrorBox error={error} />
        <footer class="dialog-foot"><Button kind="quiet" onClick={close}>{t('cancel')}</Button><Button kind="primary" busy={busy} disabled={open.length > 0} onClick={() => void save()}>{open.length ? t('choose_n', { n: open.length }) : t('save')}</Button></footer>
      </div>
    </Dialog>
  )
}
