// Who is signed in.
import { api, Problem } from './api'
import { cell } from './cell'
import { startLive, stopLive } from './live'
import { forget } from './query'
import type { Session } from './types'

/** undefined: not known yet; null: nobody. */
export const session = cell<Session | null | undefined>(undefined)

export async function findSession() {
  try {
    take(await api<Session>('session'))
  } catch (e) {
    if (e instanceof Problem && e.status === 0) throw e
    take(null)
  }
}
export async function signIn(user: string, password: string) {
  take(await api<Session>('session', { method: 'POST', body: { user, password } }))
}
export async function signOut() {
  try { await api('session', { method: 'DELETE' }) } finally { take(null) }
}
export function take(s: Session | null) {
  if (s) startLive()
  else { stopLive(); forget() }
  session.set(s)
}

export const hasRole = (...roles: string[]) => Boolean(session.get()?.roles.some((r) => roles.includes(r)))
export const isStaff = () => hasRole('operator', 'manager')
export const isTechnician = () => hasRole('technician') && !isStaff()
