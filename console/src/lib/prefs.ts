// Language and theme: chosen by the browser and the system until the person chooses.
import { cell } from './cell'

export type Lang = 'zh' | 'en'
export type Theme = 'system' | 'light' | 'dark'

function stored(key: string): string | null {
  try { return localStorage.getItem('weft.' + key) } catch { return null }
}
function keep(key: string, value: string | null) {
  try { value === null ? localStorage.removeItem('weft.' + key) : localStorage.setItem('weft.' + key, value) } catch { /* not kept */ }
}

const root = document.documentElement
const dark = matchMedia('(prefers-color-scheme: dark)')

export const lang = cell<Lang>(root.lang.startsWith('zh') ? 'zh' : 'en')
export const theme = cell<Theme>((root.dataset.theme as Theme | undefined) ?? 'system')
/** What the eye sees now; charts repaint when it changes. */
export const darkNow = cell(isDark())
function isDark() { const th = root.dataset.theme; return th ? th === 'dark' : dark.matches }
dark.addEventListener('change', () => darkNow.set(isDark()))

export function chooseLang(next: Lang) {
  root.lang = next === 'zh' ? 'zh-CN' : 'en'
  keep('lang', root.lang)
  lang.set(next)
}
export function chooseTheme(next: Theme) {
  if (next === 'system') delete root.dataset.theme
  else root.dataset.theme = next
  keep('theme', next === 'system' ? null : next)
  theme.set(next)
  darkNow.set(isDark())
}
export const remembered = { get: stored, set: keep }
