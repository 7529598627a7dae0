// Every string of the console, in both languages, by key. A key that is missing, or has one language only, does not compile.
import { lang } from '../lib/prefs'
import type { Titled } from '../lib/types'
import { words } from './words'

export type Key = keyof typeof words

export function t(key: Key, values?: Record<string, string | number>): string {
  const text: string = words[key][lang.get() === 'zh' ? 0 : 1]
  return values ? text.replace(/\{(\w+)\}/g, (_, name: string) => String(values[name] ?? '')) : text
}

/** The title of something the server describes; its name when it has none. */
export function title(of: (Partial<Titled> & { name?: string }) | null | undefined, fallback = ''): string {
  if (!of) return fallback
  const text = lang.get() === 'zh' ? of.title_zh || of.title_en : of.title_en || of.title_zh
  return text || of.name || fallback
}
export function said(of: object | null | undefined): string {
  const texts = of as { text_en?: unknown; text_zh?: unknown } | null | undefined
  const [first, second] = lang.get() === 'zh' ? [texts?.text_zh, texts?.text_en] : [texts?.text_en, texts?.text_zh]
  const text = String(first || second || '')
  return text.charAt(0).toUpperCase() + text.slice(1)
}
export const locale = () => lang.get() === 'zh' ? 'zh-CN' : 'en-GB'
