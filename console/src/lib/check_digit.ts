// Published check digits: GB 32100 and GS1.
export const USCC = '0123456789ABCDEFGHJKLMNPQRTUWXY'
const WEIGHTS = [1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28]

/** GB 32100: the check character of the first 17. */
export function usccCheck(text: string): string | null {
  let sum = 0
  for (let i = 0; i < 17; i++) {
    const n = USCC.indexOf(text[i] ?? '')
    if (n < 0) return null
    sum += n * WEIGHTS[i]!
  }
  return USCC[(31 - sum % 31) % 31]!
}
/** GS1: the check digit of all digits before it. */
export function gs1Check(text: string): string | null {
  if (!/^\d+$/.test(text)) return null
  let sum = 0
  for (let i = 0; i < text.length; i++) sum += Number(text[text.length - 1 - i]) * (i % 2 ? 1 : 3)
  return String((10 - sum % 10) % 10)
}
