// Exact decimals stay texts: never through a binary float, not even for display.
const PLAIN = /^-?\d+(\.\d+)?$/

/** "1234567.50" as "1,234,567.50"; what is no decimal stands for itself. */
export function grouped(text: string): string {
  if (!PLAIN.test(text)) return text
  const [whole = '', rest] = text.replace('-', '').split('.')
  return (text.startsWith('-') ? '−' : '') + whole.replace(/\B(?=(\d{3})+(?!\d))/g, ',') + (rest ? '.' + rest : '')
}

/** What a person typed, "1,234.5" or full-width digits, as the API wants it; not a number: as typed, for the server to say why. */
export function typed(text: string): string {
  const half = text.trim().replace(/[０-９．，－]/g, (c) => String.fromCharCode(c.charCodeAt(0) - 0xfee0)).replace('−', '-')
  const bare = half.replace(/(\d),(?=\d{3}(\D|$))/g, '$1').replace(/\s/g, '')
  return PLAIN.test(bare) ? bare : PLAIN.test(bare.replace(',', '.')) ? bare.replace(',', '.') : half
}

const symbols: Record<string, string> = { CNY: '¥', USD: '$', EUR: '€', GBP: '£', JPY: 'JP¥' }
export function moneyText(amount: string, currency: string | null | undefined): string {
  const text = grouped(amount)
  const sign = currency ? symbols[currency] : undefined
  return sign ? text.startsWith('−') ? `−${sign}${text.slice(1)}` : sign + text : `${text}${currency ? ' ' + currency : ''}`
}

/** The length of a bar, nothing more: figures themselves are shown exact. */
export const roughly = (text: unknown): number => { const n = Number(typeof text === 'object' && text !== null && 'amount' in text ? (text as { amount: string }).amount : text); return Number.isFinite(n) ? n : 0 }

/** Sums of exact decimals, as big integers at the finest scale seen. */
export function sumOf(texts: (string | null | undefined)[]): string {
  const given = texts.filter((x): x is string => Boolean(x) && /^-?\d+(\.\d+)?$/.test(x!))
  const scale = Math.max(0, ...given.map((x) => (x.split('.')[1] ?? '').length))
  const whole = (x: string) => { const [a = '0', b = ''] = x.split('.'); return BigInt(a.replace('-', '') + b.padEnd(scale, '0')) * (x.startsWith('-') ? -1n : 1n) }
  const total = given.reduce((n, x) => n + whole(x), 0n)
  const text = (total < 0n ? -total : total).toString().padStart(scale + 1, '0')
  return (total < 0n ? '-' : '') + (scale ? `${text.slice(0, -scale)}.${text.slice(-scale)}` : text)
}
