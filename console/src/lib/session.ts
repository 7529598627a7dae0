// Who is signed in.
import { api, Problem } from './api'
import { cell } from './cell'
import { draftsOf, dropDrafts } from './draft'
import { startLive, stopLive } from './live'
import { forget } from './query'
import type { Session } from './types'

/** undefined: not known yet; null: nobody. */
export const session = cell<Session | null | undefined>(undefined)

interface RawSession extends Omit<Partial<Session>, 'party'> { user: string; roles: string[]; party: string | { id: number; name: string } }
function shaped(raw: RawSession): Session {
  const party = typeof raw.party === 'string' ? { id: 0, name: raw.party } : raw.party ?? { id: 0, name: '' }
  return {
    user: raw.user, name: raw.name || raw.user, roles: raw.roles ?? [], party: party.name, party_id: party.id, parties: raw.parties ?? [],
    second_factor: Boolean(raw.second_factor), needs: raw.needs ?? null, worker: raw.worker ?? null,
  }
}

export async function findSession() {
  try {
    take(shaped(await api<RawSession>('session')))
  } catch (e) {
    if (e instanceof Problem && e.status === 0) throw e
    take(null)
  }
}
export async function signIn(user: string, password: string, code?: string) {
  const said = await api<RawSession | undefined>('session', { method: 'POST', body: { user, password, ...(code ? { code } : {}) } })
  if (said?.parties) take(shaped(said))
  else await findSession()
}
/** After an invitation or a worker's link was taken: the cookie is set, the rest is asked for. */
export const enter = findSession
export async function switchParty(id: number) {
  await api('session/party', { method: 'POST', body: { party: id } })
  forget()
  await findSession()
}
export async function signOut() {
  try { await api('session', { method: 'DELETE' }) } finally { dropDrafts(); take(null) }
}
export function take(s: Session | null) {
  draftsOf(s?.user ?? '')
  if (s) startLive()
  else { stopLive(); forget() }
  session.set(s)
}

export const hasRole = (...roles: string[]) => Boolean(session.get()?.roles.some((r) => roles.includes(r)))
export const isStaff = () => hasRole('operator', 'manager')
export const isTechnician = () => hasRole('technician') && !isStaff()
export const isManager = () => hasRole('manager', 'operator')
