// Where we are: the address's hash, as a path and its parameters. #/things/press-4?range=7d
import { cell, useCell } from './lib/cell'

export interface Route { path: string[]; params: URLSearchParams; text: string }

function read(): Route {
  const text = location.hash.replace(/^#\/?/, '')
  const [path = '', search = ''] = text.split('?')
  return { path: path.split('/').filter(Boolean).map(decode), params: new URLSearchParams(search), text }
}
function decode(s: string) { try { return decodeURIComponent(s) } catch { return s } }

const route = cell(read())
addEventListener('hashchange', () => route.set(read()))

export const useRoute = () => useCell(route)
export const currentRoute = () => route.get()

export function link(...path: (string | number)[]): string {
  return '#/' + path.map((p) => encodeURIComponent(String(p))).join('/')
}
export function go(to: string, replace = false) {
  if (replace) { history.replaceState(null, '', to); route.set(read()) } else location.hash = to
}
/** Changes parameters of the page in place, without a new history entry. */
export function setParams(changes: Record<string, string | null>) {
  const { path, params } = read()
  for (const [key, value] of Object.entries(changes)) value === null || value === '' ? params.delete(key) : params.set(key, value)
  const search = params.toString()
  go(link(...path) + (search ? '?' + search : ''), true)
}
