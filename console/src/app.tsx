// The frame around every page: navigation, clock, notices; and which page the address means.
import type { ComponentChildren } from 'preact'
import { useEffect, useRef, useState } from 'preact/hooks'
import { t, type Key } from './i18n'
import { signedOut, underway } from './lib/api'
import { useCell } from './lib/cell'
import { useNow } from './lib/clock'
import { absolute, percent } from './lib/format'
import { online, status } from './lib/live'
import { lang } from './lib/prefs'
import { findSession, isStaff, isTechnician, session, signOut, take } from './lib/session'
import { useDashboard } from './lib/things'
import { Alarms } from './pages/alarms'
import { DocPage, DocsPage } from './pages/docs'
import { Fleet } from './pages/fleet'
import { Machine } from './pages/machine'
import { More } from './pages/more'
import { Operations } from './pages/operations'
import { OrderPage } from './pages/order'
import { MyWork, Orders } from './pages/orders'
import { Predictions } from './pages/predictions'
import { SignIn } from './pages/signin'
import { currentRoute, link, useRoute, type Route } from './router'
import { Button, ErrorBox, Toasts } from './ui/bits'
import { Choices } from './ui/choices'
import { Guard } from './ui/guard'
import { Icon, Logo, type IconName } from './ui/icons'
import { PageHead } from './ui/page'

interface Place { key: Key; tab?: Key; icon: IconName; href: string; heads: string[]; count?: number }

export function App() {
  useCell(lang)
  const who = useCell(session)
  const out = useCell(signedOut)
  const [error, setError] = useState<unknown>(null)
  const find = () => { setError(null); findSession().catch(setError) }
  useEffect(find, [])
  useEffect(() => { if (out > 0) take(null) }, [out])
  if (error) return <div class="signin"><main><ErrorBox error={error} retry={find} /></main></div>
  if (who === undefined) return null
  return <>{who === null ? <SignIn /> : <Frame />}<Toasts /></>
}

function places(alarms: number | undefined, orders: number | undefined): Place[] {
  const all: Place[] = [
    { key: 'nav_fleet', icon: 'fleet', href: '#/', heads: ['', 'things'] },
    { key: 'nav_alarms', icon: 'alarm', href: '#/alarms', heads: ['alarms', 'docs/alarm'], count: alarms },
    { key: 'nav_predictions', icon: 'predict', href: '#/predictions', heads: ['predictions', 'docs/prediction'] },
    isTechnician() ? { key: 'nav_my_work', icon: 'order', href: '#/work', heads: ['work', 'orders'] }
      : { key: 'nav_orders', tab: 'tab_orders', icon: 'order', href: '#/orders', heads: ['orders', 'work'], count: orders },
    { key: 'nav_parts', icon: 'part', href: '#/docs/part', heads: ['docs/part', 'docs/reservation'] },
    { key: 'nav_technicians', icon: 'person', href: '#/docs/technician', heads: ['docs/technician'] },
    { key: 'nav_docs', icon: 'docs', href: '#/docs', heads: ['docs'] },
  ]
  if (isStaff()) all.push({ key: 'nav_operations', icon: 'ops', href: '#/operations', heads: ['operations'] })
  return all
}

function at(place: Place, route: Route): boolean {
  const [head = '', second = ''] = route.path
  const both = `${head}/${second}`
  return place.heads.includes(both) || (place.heads.includes(head) && !(head === 'docs' && ['part', 'reservation', 'technician', 'alarm', 'prediction'].includes(second)))
}

function Frame() {
  const route = useRoute()
  const main = useRef<HTMLElement>(null)
  const board = useDashboard().data
  const alarms = board && Object.values(board.open_alarms).reduce((a, b) => a + b, 0)
  const orders = board && Object.entries(board.work_orders).reduce((a, [s, n]) => a + (['done', 'confirmed', 'cancelled'].includes(s) ? 0 : n), 0)
  const all = places(alarms, orders)
  const here = route.path.join('/')
  const language = useCell(lang)
  useEffect(() => { document.title = `${pageName(route)} – Weft` }, [here, language])
  useEffect(() => scrollTo(0, 0), [here])
  const first = useRef(true)
  useEffect(() => { if (first.current) first.current = false; else main.current?.focus({ preventScroll: true }) }, [here])
  useEffect(() => { if (!currentRoute().path.length && isTechnician()) location.replace('#/work') }, [])

  return (
    <div class="frame">
      <a class="skip" href="#main" onClick={(e) => { e.preventDefault(); main.current?.focus() }}>{t('skip')}</a>
      <ProgressBar />
      <aside class="side">
        <a class="brand" href="#/" aria-label="Weft 经纬"><Logo /><span>Weft <small lang="zh-CN">经纬</small></span></a>
        <nav aria-label={t('navigation')}>
          {all.map((p) => <NavLink place={p} on={at(p, route)} />)}
          <NavLink place={more} on={route.path[0] === 'more'} class="narrow-only" />
        </nav>
        <PlatformClock />
        <Choices />
        <Who />
      </aside>
      <div class="content">
        <Offline />
        <main ref={main} id="main" tabIndex={-1}><Guard at={here}>{page(route)}</Guard></main>
      </div>
      <nav class="tabs" aria-label={t('navigation')}>
        {all.slice(0, 4).map((p) => <NavLink place={{ ...p, key: p.tab ?? p.key }} on={at(p, route)} />)}
        <NavLink place={more} on={route.path[0] === 'more' || !all.slice(0, 4).some((p) => at(p, route))} />
      </nav>
    </div>
  )
}

const more: Place = { key: 'nav_more', icon: 'menu', href: '#/more', heads: ['more'] }

function NavLink({ place, on, class: extra }: { place: Place; on: boolean; class?: string }) {
  return (
    <a href={place.href} class={extra} title={t(place.key)} aria-current={on ? 'page' : undefined}>
      <Icon name={place.icon} size={21} /><span>{t(place.key)}</span>
      {place.count ? <span class="count">{place.count > 999 ? '999+' : place.count}</span> : null}
    </a>
  )
}

function Who() {
  const who = useCell(session)
  if (!who) return null
  return (
    <div class="who">
      <span class="avatar" aria-hidden="true">{who.user.slice(0, 1).toUpperCase()}</span>
      <span class="names"><strong>{who.user}</strong><span class="faint">{who.party}</span></span>
      <Button kind="quiet" icon="out" small aria-label={t('sign_out')} title={t('sign_out')} onClick={() => void signOut()} />
    </div>
  )
}

export function PlatformClock() {
  const s = useCell(status)
  const now = useNow(1000)
  if (!s) return null
  const r = s.replay
  const part = r ? Math.max(0, Math.min(1, (Date.parse(r.at) - Date.parse(r.from)) / (Date.parse(r.to) - Date.parse(r.from) || 1))) : 0
  return (
    <div class="clock">
      <span class="faint">{s.clock === 'recording' ? t('clock_recording') : t('clock_platform')}</span>
      <strong class="num">{absolute(now)}</strong>
      {r && <>
        <span class="bar t-info" role="progressbar" aria-label={t('replay')} aria-valuemin={0} aria-valuemax={100} aria-valuenow={Math.round(part * 100)}><span style={{ width: `${part * 100}%` }} /></span>
        <span class="faint">{r.done ? t('replay_done') : t('replay_part', { part: percent(part) })}</span>
      </>}
    </div>
  )
}

function Offline() {
  const on = useCell(online)
  return <div role="status" aria-live="polite">{!on && <div class="offline"><Icon name="alarm" size={18} />{t('offline_notice')}</div>}</div>
}

/** Shown once something takes longer than two seconds. */
function ProgressBar() {
  const calls = useCell(underway)
  const [slow, setSlow] = useState(false)
  useEffect(() => {
    if (!calls.size) { setSlow(false); return }
    const oldest = Math.min(...calls.values())
    const id = setTimeout(() => setSlow(true), Math.max(0, oldest + 2000 - Date.now()))
    return () => clearTimeout(id)
  }, [calls])
  return slow ? <div class="progress" role="progressbar" aria-label={t('loading')} /> : null
}

const heads: Record<string, Key> = { '': 'nav_fleet', things: 'nav_fleet', alarms: 'nav_alarms', predictions: 'nav_predictions', orders: 'nav_orders', work: 'nav_my_work', docs: 'nav_docs', operations: 'nav_operations', more: 'nav_more' }
function pageName({ path }: Route): string {
  const [head = '', second] = path
  return head === 'things' && second ? second : t(heads[head] ?? 'not_found')
}

function page(route: Route): ComponentChildren {
  const [head = '', one, two] = route.path
  switch (head) {
    case '': return <Fleet />
    case 'things': return one ? <Machine key={one} name={one} /> : <Fleet />
    case 'alarms': return <Alarms />
    case 'predictions': return <Predictions />
    case 'orders': return one ? <OrderPage key={one} id={one} /> : <Orders />
    case 'work': return <MyWork />
    case 'docs': return one && two ? <DocPage key={one + two} type={one} id={two} /> : <DocsPage key={one} type={one} />
    case 'operations': return <Operations tab={one} />
    case 'more': return <More />
    default: return <div class="page"><PageHead title={t('not_found')} /><p><a href={link()}>{t('to_fleet')}</a></p></div>
  }
}
