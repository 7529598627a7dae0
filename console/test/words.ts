// The dictionary and the figures that need no browser.
import { words } from '../src/i18n/words'
import { query } from '../src/lib/query_string'
import { equal, test, truth } from './harness'

test('words: the same blanks in both languages', () => {
  const blanks = (s: string) => [...s.matchAll(/\{(\w+)\}/g)].map((m) => m[1]).sort()
  for (const [key, [zh, en]] of Object.entries(words)) {
    truth(zh.trim() && en.trim(), `"${key}" has both languages`)
    equal(blanks(zh), blanks(en), `blanks of "${key}"`)
  }
})
test('words: Chinese is Chinese and English is English', () => {
  const same = new Set(['unit_degree', 'metrics_hint'])
  for (const [key, [zh, en]] of Object.entries(words)) {
    truth(same.has(key) || /[\u4e00-\u9fff]/.test(zh), `"${key}" in Chinese: ${zh}`)
    truth(!/[\u4e00-\u9fff]/.test(en), `"${key}" in English: ${en}`)
  }
})
test('query string: repeats arrays, drops what is not set, escapes', () => {
  equal(query({ state: ['a', 'b'], q: 'x&y=1', none: null, empty: '' }), '?state=a&state=b&q=x%26y%3D1')
  equal(query({}), '')
})
