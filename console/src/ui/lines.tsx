// Lines of a document: a grid to type in, with a row that opens by itself and paste from a spreadsheet; cards on a phone.
import { useRef } from 'preact/hooks'
import { t, title } from '../i18n'
import { str } from '../lib/docs'
import { lang } from '../lib/prefs'
import { unitSymbol } from '../lib/units'
import type { Field } from '../lib/types'
import { FieldValue } from '../pages/value'
import { Button, usePhone } from './bits'
import { FieldInput, lineFilled } from './inputs'

type Row = Record<string, unknown>
interface Props { field: Field; id: string; value: unknown; onInput: (v: unknown) => void; label: string }

export function LinesInput({ field, id, value, onInput, label }: Props) {
  const phone = usePhone()
  const box = useRef<HTMLDivElement>(null)
  const given = Array.isArray(value) ? value as Row[] : []
  // One empty row always waits at the end of the grid; cards get theirs by the button.
  const rows = phone && given.length ? given : given.length && !lineFilled(field, given[given.length - 1]!) ? given : [...given, {}]
  const columns = field.fields ?? []
  const set = (i: number, name: string, v: unknown) => onInput(rows.map((r, k) => k === i ? { ...r, [name]: v } : r))
  const remove = (i: number) => onInput(rows.filter((_, k) => k !== i).filter((r) => lineFilled(field, r)))
  const focus = (row: number, name: string) => requestAnimationFrame(() => (box.current?.querySelector(`#${CSS.escape(`${id}-${row}-${name}`)}`) as HTMLElement | null)?.focus())
  const add = () => { onInput([...given.filter((r) => lineFilled(field, r)), {}]); const first = columns.find((f) => !f.computed); if (first) focus(given.length, first.name) }
  const key = (e: KeyboardEvent, i: number, name: string) => {
    if (e.key === 'Enter' && !(e.target instanceof HTMLTextAreaElement)) {
      e.preventDefault()
      if (i === rows.length - 1) add()
      else focus(i + 1, name)
    } else if (e.key === 'ArrowDown' && (e.altKey || e.ctrlKey)) { e.preventDefault(); focus(i + 1, name) }
    else if (e.key === 'ArrowUp' && (e.altKey || e.ctrlKey)) { e.preventDefault(); focus(i - 1, name) }
  }
  /** A block copied from a spreadsheet fills the grid from this cell on. */
  const paste = (e: ClipboardEvent, i: number, name: string) => {
    const text = e.clipboardData?.getData('text/plain') ?? ''
    if (!/[\t\n]/.test(text.trim())) return
    e.preventDefault()
    const fill = columns.filter((f) => !f.computed)
    const from = fill.findIndex((f) => f.name === name)
    const next = [...rows]
    text.replace(/\r/g, '').replace(/\n$/, '').split('\n').forEach((line, dy) => {
      const row: Row = { ...next[i + dy] }
      line.split('\t').forEach((cell, dx) => { const f = fill[from + dx]; if (f) row[f.name] = cellOf(f, cell.trim()) })
      next[i + dy] = row
    })
    onInput(next)
  }
  const cell = (f: Field, row: Row, i: number) => f.computed
    ? <span class="computed num"><FieldValue field={f} value={row[f.name]} plain /></span>
    : <FieldInput field={f} id={`${id}-${i}-${f.name}`} compact value={row[f.name]} required={false} label={`${title(f)}, ${t('line_n', { n: i + 1 })}`} onInput={(v) => set(i, f.name, v)} />
  const unit = (f: Field) => { const u = f.kind === 'money' ? f.currency ?? '' : unitSymbol(f.unit, lang.get() === 'zh'); return u ? <small class="faint"> {u}</small> : null }
  const bin = (i: number) => <Button kind="quiet" small icon="trash" aria-label={t('remove_line', { n: i + 1 })} onClick={() => remove(i)} />
  if (phone) return (
    <div class="line-cards" ref={box} id={id} role="group" aria-label={label}>
      {rows.map((row, i) => (
        <fieldset key={i}><legend>{t('line_n', { n: i + 1 })}</legend>
          {columns.map((f) => <div class={`field k-${f.kind}`}><label for={`${id}-${i}-${f.name}`}>{title(f)}{unit(f)}{f.required && <span class="req" aria-hidden="true"> *</span>}</label>{cell(f, row, i)}</div>)}
          {lineFilled(field, row) && bin(i)}
        </fieldset>))}
      <Button icon="plus" class="wide" onClick={add}>{t('add_line')}</Button>
    </div>
  )
  return (
    <div class="line-grid" ref={box} id={id} role="group" aria-label={label}>
      <div class="scroll-grid" tabIndex={0} role="region" aria-label={label}>
        <table>
          <thead><tr><th scope="col" class="nr"><span class="vh">{t('line')}</span></th>{columns.map((f) => <th scope="col" class={`k-${f.kind}`}>{title(f)}{unit(f)}{f.required && <span class="req" aria-hidden="true"> *</span>}</th>)}<th><span class="vh">{t('remove')}</span></th></tr></thead>
          <tbody>{rows.map((row, i) => (
            <tr key={i}><td class="nr faint num">{i + 1}</td>
              {columns.map((f) => <td class={`k-${f.kind}`} onKeyDown={(e) => key(e, i, f.name)} onPaste={(e) => paste(e, i, f.name)}>{cell(f, row, i)}</td>)}
              <td>{lineFilled(field, row) && bin(i)}</td></tr>))}</tbody>
        </table>
      </div>
      <div class="grid-foot"><Button small icon="plus" onClick={add}>{t('add_line')}</Button><span class="faint">{t('paste_hint')}</span></div>
    </div>
  )
}

function cellOf(f: Field, text: string): unknown {
  if (f.kind === 'money') return text ? { amount: text.replace(/^[¥$€£]/, ''), currency: f.currency ?? 'CNY' } : null
  if (f.kind === 'choice') return f.choices.find((c) => [c.name, c.title_en, c.title_zh].includes(text))?.name ?? text
  if (f.kind === 'bool') return /^(1|true|yes|y|是|√)$/i.test(text)
  return text
}

/** Lines as they stand: a table, cards on a phone. */
export function LinesTable({ field, value, columns }: { field: Field; value: unknown; columns?: Field[] }) {
  const phone = usePhone()
  const rows = Array.isArray(value) ? value as Row[] : []
  const shown = (columns ?? field.fields ?? []).filter((f) => rows.some((r) => r[f.name] !== undefined && r[f.name] !== null))
  if (!rows.length) return <p class="faint pad">{t('no_lines')}</p>
  const numeric = (f: Field) => ['int', 'number', 'decimal', 'money'].includes(f.kind)
  if (phone) return <ol class="line-list">{rows.map((r) => <li><dl>{shown.map((f) => <div><dt>{title(f)}</dt><dd><FieldValue field={f} value={r[f.name]} plain /></dd></div>)}</dl></li>)}</ol>
  return (
    <div class="table-card"><table class="still"><thead><tr>{shown.map((f) => <th scope="col" class={numeric(f) ? 'right' : ''}>{title(f)}</th>)}</tr></thead>
      <tbody>{rows.map((r) => <tr>{shown.map((f) => <td class={numeric(f) ? 'right num' : ''}><FieldValue field={f} value={r[f.name]} plain /></td>)}</tr>)}</tbody></table></div>
  )
}
export const lineCount = (v: unknown) => Array.isArray(v) ? v.length : str(v) ? 1 : 0
