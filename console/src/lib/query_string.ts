export const enc = encodeURIComponent

/** A query string out of what is set; an array repeats its key. */
export function query(params: Record<string, string | number | string[] | null | undefined>): string {
  const parts: string[] = []
  for (const [key, value] of Object.entries(params)) {
    if (value === undefined || value === null || value === '') continue
    for (const one of Array.isArray(value) ? value : [value]) parts.push(`${enc(key)}=${enc(String(one))}`)
  }
  return parts.length ? '?' + parts.join('&') : ''
}
