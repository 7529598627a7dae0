// Check digits while they are typed; the server checks again.
import { t } from '../i18n'
import { gs1Check, USCC, usccCheck } from './check_digit'

/** What is wrong with it, in words; '' when it is right; null when there is nothing to say. */
export function identFault(kind: 'uscc' | 'gln', raw: string): string | null {
  const text = raw.trim().toUpperCase()
  if (!text) return null
  const alphabet = kind === 'uscc' ? USCC : '0123456789', length = kind === 'uscc' ? 18 : 13
  const odd = [...text].find((c) => !alphabet.includes(c))
  if (odd) return t('ident_char', { c: odd })
  if (text.length !== length) return t('ident_short', { n: length, m: text.length })
  const want = kind === 'uscc' ? usccCheck(text) : gs1Check(text.slice(0, 12))
  return want === text[length - 1] ? '' : t('ident_check', { c: want ?? '?' })
}
