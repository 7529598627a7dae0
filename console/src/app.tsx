// The frame around every page: navigation, clock, notices; and which page the address means.
import type { ComponentChildren } from 'preact'
import { useEffect, useRef, useState } from 'preact/hooks'
import { t, title, type Key } from './i18n'
import { signedOut, underway } from './lib/api'
import { useCell } from './lib/cell'
import { useNow } from './lib/clock'
import { absolute, percent } from './lib/format'
import { online, status } from './lib/live'
import { SERVICE, useTypes } from './lib/docs'
import { lang } from './lib/prefs'
import { useQuery } from './lib/query'
import type { Agreement, DocType, PackInfo } from './lib/types'
import { findSession, isStaff, isTechnician, session, signOut, take } from './lib/session'
import { useDashboard } from './lib/things'
import { Alarms } from './pages/alarms'
import { Fleet } from './pages/fleet'
import { Machine } from './pages/machine'
import { More } from './pages/more'
import { useNotifications } from './pages/notices'
import { OrderPage } from './pages/order'
import { MyWork, Orders } from './pages/orders'
import { SignIn } from './pages/signin'
import { currentRoute, link, useRoute, type Route } from './router'
import { Button, ErrorBox, Toasts } from './ui/bits'
import { Choices } from './ui/choices'
import { Guard } from './ui/guard'
import { Icon, Logo, type IconName } from './ui/icons'
import { PageHead } from './ui/page'
import { lazy } from './ui/lazy'

const Predictions = lazy(() => import('./pages/predictions').then((m) => m.Predictions))
const DocsPage = lazy(() => import('./pages/docs').then((m) => m.DocsPage))
const DocPage = lazy(() => import('./pages/doc').then((m) => m.DocPage))
const ImportPage = lazy(() => import('./pages/imports').then((m) => m.ImportPage))
const Sharing = lazy(() => import('./pages/sharing').then((m) => m.Sharing))
const AgreementPage = lazy(() => import('./pages/agreement').then((m) => m.AgreementPage))
const AgreementNew = lazy(() => import('./pages/agreement').then((m) => m.AgreementNew))
const Operations = lazy(() => import('./pages/operations').then((m) => m.Operations))
const People = lazy(() => import('./pages/people').then((m) => m.People))
const Account = lazy(() => import('./pages/account').then((m) => m.Account))
const Factor = lazy(() => import('./pages/account').then((m) => m.Factor))
const PasswordForm = lazy(() => import('./pages/account').then((m) => m.PasswordForm))
const Packs = lazy(() => import('./pages/packs').then((m) => m.Packs))
const Explore = lazy(() => import('./pages/explore').then((m) => m.Explore))
const SqlPage = lazy(() => import('./pages/sql').then((m) => m.SqlPage))
const Notices = lazy(() => import('./pages/notices').then((m) => m.Notices))
const Join = lazy(() => import('./pages/join').then((m) => m.Join))
const WorkLink = lazy(() => import('./pages/join').then((m) => m.WorkLink))
const Workplace = lazy(() => import('./pages/join').then((m) => m.Workplace))

interface Place { key: Key; tab?: Key; icon: IconName; href: string; heads: string[]; count?: number }

export function App() {
  useCell(lang)
  const who = useCell(session)
  const out = useCell(signedOut)
  const [error, setError] = useState<unknown>(null)
  const find = () => { setError(null); findSession().catch(setError) }
  useEffect(find, [])
  useEffect(() => { if (out > 0) take(null) }, [out])
  const [head = '', code] = useRoute().path
  if (JOINS.has(head) && code) return <><Join key={code} code={code} reset={head === 'reset'} /><Toasts /></>
  if ((WORKS.has(head) || head === 'work') && code) return <><WorkLink key={code} code={code} /><Toasts /></>
  if (error) return <div class="signin"><main><ErrorBox error={error} retry={find} /></main></div>
  if (who === undefined) return null
  return <>{who === null ? <SignIn /> : who.needs ? <Needs what={who.needs} /> : who.worker ? <Workplace /> : <Frame />}<Toasts /></>
}
/** Addresses of links in people's hands. */
const JOINS = new Set(['join', 'invite', 'invitation', 'invitations', 'reset'])
const WORKS = new Set(['w', 'worker', 'worker-link', 'worker-links'])

/** What must be done before anything else. */
function Needs({ what }: { what: 'second_factor' | 'new_password' }) {
  return (
    <div class="signin"><main>
      <div class="brand"><Logo size={44} /><h1>Weft <span lang="zh-CN">经纬</span></h1></div>
      <h2>{t(what === 'new_password' ? 'must_change_password' : 'must_set_factor')}</h2>
      {what === 'new_password' ? <PasswordForm /> : <Factor />}
      <Button icon="out" kind="quiet" onClick={() => void signOut()}>{t('sign_out')}</Button>
    </main></div>
  )
}

const SERVED = ['part', 'reservation', 'technician', 'alarm', 'prediction']

function places(alarms: number | undefined, orders: number | undefined, waiting: number | undefined): Place[] {
  const all: Place[] = [
    { key: 'nav_fleet', icon: 'fleet', href: '#/', heads: ['', 'things'] },
    { key: 'nav_alarms', icon: 'alarm', href: '#/alarms', heads: ['alarms', 'docs/alarm'], count: alarms },
    { key: 'nav_predictions', icon: 'predict', href: '#/predictions', heads: ['predictions', 'docs/prediction'] },
    isTechnician() ? { key: 'nav_my_work', icon: 'order', href: '#/work', heads: ['work', 'orders'] }
      : { key: 'nav_orders', tab: 'tab_orders', icon: 'order', href: '#/orders', heads: ['orders', 'work'], count: orders },
    { key: 'nav_parts', icon: 'part', href: '#/docs/part', heads: ['docs/part', 'docs/reservation'] },
    { key: 'nav_technicians', icon: 'person', href: '#/docs/technician', heads: ['docs/technician'] },
    { key: 'nav_docs', icon: 'docs', href: '#/docs', heads: ['docs', 'import'] },
    { key: 'nav_explore', icon: 'chart', href: '#/explore', heads: ['explore'] },
    { key: 'nav_sql', icon: 'sql', href: '#/sql', heads: ['sql'] },
    { key: 'nav_sharing', icon: 'share', href: '#/sharing', heads: ['sharing'], count: waiting },
  ]
  if (isStaff()) all.push({ key: 'nav_people', icon: 'people', href: '#/people', heads: ['people'] }, { key: 'nav_packs', icon: 'pack', href: '#/packs', heads: ['packs'] },{ key: 'nav_operations', icon: 'ops', href: '#/operations', heads: ['operations'] })
  return all
}

function at(place: Place, route: Route): boolean {
  const [head = '', second = ''] = route.path
  const both = `${head}/${second}`
  return place.heads.includes(both) || (place.heads.includes(head) && !(head === 'docs' && SERVED.includes(second)))
}

function Frame() {
  const route = useRoute()
  const main = useRef<HTMLElement>(null)
  const board = useDashboard().data
  const alarms = board && Object.values(board.open_alarms).reduce((a, b) => a + b, 0)
  const orders = board && Object.entries(board.work_orders).reduce((a, [s, n]) => a + (['done', 'confirmed', 'cancelled'].includes(s) ? 0 : n), 0)
  const waiting = useQuery<{ items: Agreement[] }>('agreements', { live: ['doc:agreement'], every: 5000 }).data?.items.filter((a) => ['proposed', 'negotiating'].includes(a.state) && a.can.includes('accept')).length
  const all = places(alarms, orders, waiting)
  const groups = usePackTypes()
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
          {all.map((p) => <><NavLink place={p} on={at(p, route) && !(p.key === 'nav_docs' && packOf(groups, route))} />{p.key === 'nav_docs' && groups.map((g) => <PackMenu of={g} route={route} />)}</>)}
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

interface PackGroup { name: string; label: string; types: DocType[] }
/** Types of packs that have no pages of their own here: the menu grows with what is installed. */
export function usePackTypes(): PackGroup[] {
  const types = useTypes().data
  const packs = useQuery<{ items: PackInfo[] }>('packs').data
  const by = new Map<string, DocType[]>()
  for (const d of types ?? []) if (d.pack && !SERVICE.has(d.name)) by.set(d.pack, [...by.get(d.pack) ?? [], d])
  return [...by].map(([name, all]) => ({ name, label: title(packs?.items.find((p) => p.name === name), name), types: all }))
}
const packOf = (groups: PackGroup[], { path: [head, type] }: Route): boolean => (head === 'docs' || head === 'import') && groups.some((g) => g.types.some((d) => d.name === type))

function PackMenu({ of, route }: { of: PackGroup; route: Route }) {
  const [, type] = route.path
  const inside = packOf([of], route)
  return (
    <details class="pack-menu" open={inside || of.types.length <= 6}>
      <summary>{of.label}</summary>
      {of.types.map((d) => <a href={link('docs', d.name)} title={title(d)} aria-current={inside && type === d.name ? 'page' : undefined}><span>{title(d)}</span></a>)}
    </details>
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
  const unread = useNotifications().data?.unread ?? 0
  if (!who) return null
  return (
    <div class="who">
      <a class="who-link" href="#/account" title={t('my_account')}><span class="avatar" aria-hidden="true">{who.name.slice(0, 1).toUpperCase()}</span>
        <span class="names"><strong>{who.name}</strong><span class="faint">{who.party}{who.parties.length > 1 && <Icon name="swap" size={13} class="inline-icon" />}</span></span></a>
      <a class="btn quiet square small bell" href="#/notifications" aria-label={unread ? t('n_unread', { n: unread }) : t('notifications')} title={t('notifications')}><Icon name="bell" size={19} />{unread > 0 && <span class="count" aria-hidden="true">{unread > 99 ? '99+' : unread}</span>}</a>
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

const heads: Record<string, Key> = { '': 'nav_fleet', things: 'nav_fleet', alarms: 'nav_alarms', predictions: 'nav_predictions', orders: 'nav_orders', work: 'nav_my_work', docs: 'nav_docs', operations: 'nav_operations', more: 'nav_more', explore: 'nav_explore', sql: 'nav_sql', import: 'imp_step_file', sharing: 'nav_sharing', people: 'nav_people', packs: 'nav_packs', account: 'my_account', notifications: 'notifications' }
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
    case 'import': return one ? <ImportPage key={one} type={one} /> : <DocsPage type={undefined} />
    case 'sharing': return one === 'new' ? <AgreementNew /> : one && /^(\d+|AG-.*)$/.test(one) ? <AgreementPage key={one} id={one} /> : <Sharing tab={one} />
    case 'people': return <People tab={one} />
    case 'explore': return <Explore />
    case 'sql': return <SqlPage />
    case 'packs': return <Packs />
    case 'account': return <Account />
    case 'notifications': return <Notices tab={one} />
    case 'operations': return <Operations tab={one} />
    case 'more': return <More />
    default: return <div class="page"><PageHead title={t('not_found')} /><p><a href={link()}>{t('to_fleet')}</a></p></div>
  }
}
