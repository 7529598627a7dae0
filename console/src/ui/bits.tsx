// Small pieces that every page uses.
import type { ComponentChildren, JSX } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import { t } from '../i18n'
import type { Key } from '../i18n'
import { Problem } from '../lib/api'
import { cell, useCell } from '../lib/cell'
import { useNow } from '../lib/clock'
import { absolute, ms, number, relative } from '../lib/format'
import type { Severity, State, Tone } from '../lib/types'
import { Icon, StateIcon, type IconName } from './icons'

export const stateWord: Record<State, Key> = { ok: 'state_ok', warning: 'state_warning', alarm: 'state_alarm', offline: 'state_offline' }
export const severities: Severity[] = ['critical', 'high', 'medium', 'low']
export const severityWord: Record<Severity, Key> = { critical: 'sev_critical', high: 'sev_high', medium: 'sev_medium', low: 'sev_low' }
const severityTone: Record<Severity, Tone> = { critical: 'critical', high: 'critical', medium: 'warning', low: 'info' }

export function Badge({ tone = 'neutral', icon, children, solid, title }: { tone?: Tone; icon?: IconName; children: ComponentChildren; solid?: boolean; title?: string }) {
  return <span class={`badge t-${tone}${solid ? ' solid' : ''}`} title={title}>{icon && <Icon name={icon} size={13} />}{children}</span>
}

export function StateBadge({ state }: { state: State }) {
  return <span class={`state s-${state}`}><StateIcon state={state} />{t(stateWord[state])}</span>
}

function SeverityBars({ severity }: { severity: Severity }) {
  const level = 4 - severities.indexOf(severity)
  return (
    <svg viewBox="0 0 14 12" width="13" height="11" aria-hidden="true">
      {[0, 1, 2, 3].map((i) => <rect x={i * 3.6} y={9 - i * 3} width="2.6" height={3 + i * 3} rx=".8" fill="currentColor" opacity={i < level ? 1 : 0.28} />)}
    </svg>
  )
}
/** Severity by number of bars as well as colour; with `n`, only how many. */
export function SeverityBadge({ severity, n }: { severity: Severity; n?: number }) {
  const name = severityWord[severity] ? t(severityWord[severity]) : severity
  return (
    <span class={`badge t-${severityTone[severity] ?? 'neutral'}${severity === 'critical' ? ' solid' : ''}`} title={n === undefined ? undefined : name}>
      <SeverityBars severity={severity} />{n === undefined ? name : <><span class="vh">{name}</span><span class="num">{n}</span></>}
    </span>
  )
}

export function healthTone(health: number | null): State {
  return health === null ? 'offline' : health >= 75 ? 'ok' : health >= 50 ? 'warning' : 'alarm'
}
export function HealthBar({ health }: { health: number | null }) {
  return (
    <span class="health" title={`${t('health')} ${number(health, 0)}`}>
      <span class={`track s-${healthTone(health)}`}><span style={{ width: `${health ?? 0}%` }} /></span>
      <span class="num">{number(health, 0)}</span>
    </span>
  )
}

/** A moment, relative in sight and absolute in the tooltip; `both` shows both. What is `past` for sure is never "in 5 min", though the clock here may lag. */
export function Time({ at, both, past }: { at: unknown; both?: boolean; past?: boolean }) {
  const now = useNow(5000)
  const when = ms(at)
  if (when === null) return <span class="faint">–</span>
  const rel = now ? relative(past ? Math.min(when, now) : when, now) : absolute(when)
  return <time dateTime={new Date(when).toISOString()} title={absolute(when)}>{both ? <>{absolute(when)} <span class="faint nowrap">· {rel}</span></> : rel}</time>
}

export function Card({ title, action, children, class: extra = '', id }: { title?: ComponentChildren; action?: ComponentChildren; children: ComponentChildren; class?: string; id?: string }) {
  return (
    <section class={`card ${extra}`} id={id}>
      {(title || action) && <header><h2>{title}</h2>{action}</header>}
      {children}
    </section>
  )
}

export function Skeleton({ rows = 3, height = 18 }: { rows?: number; height?: number }) {
  return (
    <div class="skeleton" role="status" aria-label={t('loading')}>
      {Array.from({ length: rows }, (_, i) => <span style={{ height: `${height}px`, width: `${100 - (i * 17) % 38}%` }} />)}
    </div>
  )
}

export function Empty({ icon = 'check', title, children }: { icon?: IconName; title: string; children?: ComponentChildren }) {
  return <div class="empty"><Icon name={icon} size={28} /><strong>{title}</strong>{children && <p>{children}</p>}</div>
}

export function ErrorBox({ error, retry }: { error: unknown; retry?: () => void }) {
  if (!error) return null
  const p = error instanceof Problem ? error : new Problem(0, t('error'), String(error))
  return (
    <div class="problem" role="alert">
      <Icon name="alarm" />
      <div><strong>{p.title}</strong>{p.detail && <p>{p.detail}</p>}</div>
      {retry && <button class="btn small" onClick={retry}>{t('retry')}</button>}
    </div>
  )
}

/** Data, or its skeleton, or its problem. A problem with older data at hand is shown above that data. */
export function Loaded<T>({ of, rows, children }: { of: { data: T | undefined; error: Problem | undefined; reload: () => void }; rows?: number; children: (data: T) => ComponentChildren }) {
  return (
    <>
      {of.error && <ErrorBox error={of.error} retry={of.reload} />}
      {of.data === undefined ? !of.error && <Skeleton rows={rows} /> : children(of.data)}
    </>
  )
}

type ButtonProps = Omit<JSX.ButtonHTMLAttributes<HTMLButtonElement>, 'icon'> & { kind?: 'primary' | 'plain' | 'quiet' | 'danger'; icon?: IconName; small?: boolean; busy?: boolean }
export function Button({ kind = 'plain', icon, small, busy, children, class: extra, ...rest }: ButtonProps) {
  return (
    <button type="button" {...rest} disabled={busy || rest.disabled} aria-busy={busy || undefined}
      class={`btn ${kind}${small ? ' small' : ''}${children ? '' : ' square'} ${extra ?? ''}`}>
      {icon && <Icon name={icon} size={small ? 16 : 18} />}{children}
    </button>
  )
}

export interface Option<T extends string> { value: T; label: ComponentChildren; count?: number }
/** One of a few: buttons that say which is pressed. */
export function Chips<T extends string>({ label, options, value, onPick }: { label: string; options: Option<T>[]; value: T; onPick: (value: T) => void }) {
  return (
    <div class="chips" role="group" aria-label={label}>
      {options.map((o) => (
        <button type="button" class="chip" aria-pressed={o.value === value} onClick={() => onPick(o.value)}>
          {o.label}{o.count !== undefined && <span class="count">{number(o.count, 0)}</span>}
        </button>
      ))}
    </div>
  )
}
export function Segments<T extends string>({ label, options, value, onPick }: { label: string; options: Option<T>[]; value: T; onPick: (value: T) => void }) {
  return (
    <div class="segments" role="group" aria-label={label}>
      {options.map((o) => <button type="button" aria-pressed={o.value === value} onClick={() => onPick(o.value)}>{o.label}</button>)}
    </div>
  )
}

/** Promise clock, health dial: a ring filled to `part` of the whole. */
export function Ring({ part, tone, size = 64, width = 7, children, label }: { part: number; tone: Tone; size?: number; width?: number; children?: ComponentChildren; label: string }) {
  const r = (size - width) / 2
  const around = 2 * Math.PI * r
  return (
    <div class={`ring t-${tone}`} role="img" aria-label={label} style={{ width: `${size}px`, height: `${size}px` }}>
      <svg width={size} height={size} aria-hidden="true">
        <circle cx={size / 2} cy={size / 2} r={r} fill="none" class="rail" stroke-width={width} />
        <circle cx={size / 2} cy={size / 2} r={r} fill="none" class="fill" stroke-width={width} stroke-linecap="round"
          stroke-dasharray={`${around * Math.min(1, Math.max(0.001, part))} ${around}`} transform={`rotate(-90 ${size / 2} ${size / 2})`} />
      </svg>
      <div>{children}</div>
    </div>
  )
}

/** A horizontal bar with a text that says the same. */
export function Bar({ part, tone }: { part: number; tone: Tone }) {
  return <span class={`bar t-${tone}`}><span style={{ width: `${Math.max(0, Math.min(1, part)) * 100}%` }} /></span>
}

interface Note { text: string; tone: Tone; id: number }
const notes = cell<Note[]>([])
let noteId = 0
export function toast(text: string, tone: Tone = 'good') {
  const note = { text, tone, id: ++noteId }
  notes.set([...notes.get().slice(-2), note])
  setTimeout(() => notes.set(notes.get().filter((n) => n !== note)), 5000)
}
export function Toasts() {
  const all = useCell(notes)
  return <div class="toasts" role="status" aria-live="polite">{all.map((n) => <div key={n.id} class={`toast t-${n.tone}`}><Icon name={n.tone === 'critical' ? 'alarm' : 'check'} size={18} />{n.text}</div>)}</div>
}

/** True while a media query holds. */
export function useMedia(query: string): boolean {
  const [match, set] = useState(() => matchMedia(query).matches)
  useEffect(() => {
    const m = matchMedia(query)
    const hear = () => set(m.matches)
    hear()
    m.addEventListener('change', hear)
    return () => m.removeEventListener('change', hear)
  }, [query])
  return match
}
export const usePhone = () => useMedia('(max-width: 760px)')
