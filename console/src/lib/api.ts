// Calls to the server. A failure is always a Problem with a title and a detail that can be shown as they are.
import { cell } from './cell'
import { lang } from './prefs'
import { t, type Key } from '../i18n'

export class Problem extends Error {
  constructor(readonly status: number, readonly title: string, readonly detail: string, readonly type = '') {
    super(detail || title)
  }
}

/** Calls under way, with the time each began: the progress bar watches the oldest. */
export const underway = cell<ReadonlyMap<number, number>>(new Map())
/** Set when the server says that nobody is signed in. */
export const signedOut = cell(0)

let serial = 0
function begin(): () => void {
  const id = ++serial
  underway.set(new Map(underway.get()).set(id, Date.now()))
  return () => {
    const rest = new Map(underway.get())
    rest.delete(id)
    underway.set(rest)
  }
}

export interface Ask { method?: string; body?: unknown; version?: number; signal?: AbortSignal; quiet?: boolean }

export async function api<T>(path: string, ask: Ask = {}): Promise<T> {
  const headers: Record<string, string> = { Accept: 'application/json' }
  if (ask.method && ask.method !== 'GET') headers['X-Weft'] = '1'
  if (ask.body !== undefined) headers['Content-Type'] = 'application/json'
  if (ask.version !== undefined) headers['If-Match'] = `"${ask.version}"`
  const end = ask.quiet ? () => {} : begin()
  try {
    const response = await reach(path, {
      method: ask.method ?? 'GET', headers, signal: ask.signal, credentials: 'same-origin',
      body: ask.body === undefined ? undefined : JSON.stringify(ask.body),
    })
    const text = await response.text()
    if (!response.ok) throw problem(path, response.status, text)
    return (text ? JSON.parse(text) : undefined) as T
  } finally {
    end()
  }
}

async function reach(path: string, init: RequestInit): Promise<Response> {
  try {
    return await fetch('/api/v1/' + path, init)
  } catch (e) {
    if (e instanceof DOMException && e.name === 'AbortError') throw e
    throw new Problem(0, t('unreachable'), t('unreachable_detail'))
  }
}

const titles: Record<number, Key> = {
  0: 'problem_sign_in', 400: 'problem_input', 401: 'problem_signed_out', 403: 'problem_forbidden', 404: 'problem_missing', 409: 'problem_conflict',
  412: 'problem_changed', 413: 'problem_large', 422: 'problem_input', 428: 'problem_changed', 429: 'problem_often', 500: 'problem_server', 503: 'problem_busy',
}

export function problem(path: string, status: number, text: string): Problem {
  let said: { title?: string; detail?: string; type?: string } = {}
  try { said = JSON.parse(text) } catch { /* not a problem document: the status speaks */ }
  if (status === 401 && path !== 'session') signedOut.set(signedOut.get() + 1)
  // The server speaks English; what kind of failure it is, everybody can read.
  const word = lang.get() === 'zh' && titles[path === 'session' && status === 401 ? 0 : status]
  return new Problem(status, word ? t(word) : said.title ?? t('problem_status', { n: status }), said.detail ?? '', said.type)
}

export { enc, query } from './query_string'
