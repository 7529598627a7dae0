// A made-up pack for the mock: a ceramics works that takes orders, keeps products and ships. Every kind of field is in it.
import type { Doc } from '../src/lib/types'
import { DAY, iso, NOW, random } from './sample'

type Titles = { title_en: string; title_zh: string }
const T = (en: string, zh: string): Titles => ({ title_en: en, title_zh: zh })
interface F { [key: string]: unknown; name: string; kind: string }
const f = (name: string, en: string, zh: string, kind: string, more: Record<string, unknown> = {}): F => ({ name, ...T(en, zh), kind, required: false, computed: false, unit: null, scale: kind === 'money' ? 2 : kind === 'decimal' ? 3 : 0, share: 'own', ...more })
const s = (name: string, en: string, zh: string, tone: string, final = false) => ({ name, ...T(en, zh), final, tone })
const all = ['operator', 'manager', 'technician', 'worker']
const x = (name: string, en: string, zh: string, from: string, to: string | null, more: Record<string, unknown> = {}) => ({ name, ...T(en, zh), from, to, roles: all, needs: null, takes: null, stamps: null, ...more })

export const tradeTypes = [
  {
    name: 'product', ...T('Product', '产品'), prefix: 'PD', pack: 'ceramics', label: 'name', immutable: false, checks: [], delete: true,
    fields: [
      f('name', 'Name', '名称', 'text', { required: true, share: 'public' }), f('code', 'GTIN', '商品条码', 'text', { format: 'gtin', help_en: '13 digits from under the bars; the last one is checked.', help_zh: '条码下方的 13 位数字，最后一位会自动校验。', share: 'public' }),
      f('glaze', 'Glaze', '釉色', 'choice', { choices: [{ name: 'white', ...T('White', '白釉') }, { name: 'celadon', ...T('Celadon', '青釉') }, { name: 'blue', ...T('Blue and white', '青花') }] }),
      f('weight', 'Weight', '重量', 'decimal', { unit: 'KGM' }), f('price', 'List price', '标价', 'money', { currency: 'CNY', share: 'partners', reveals: 'price' }),
    ],
    states: [s('active', 'On sale', '在售', 'good'), s('ended', 'Discontinued', '停产', 'neutral', true)], transitions: [x('end', 'Discontinue', '停产', 'active', 'ended')], create_roles: ['operator', 'manager'], change_roles: ['operator', 'manager'],
  },
  {
    name: 'order', ...T('Order', '订单'), prefix: 'SO', pack: 'ceramics', label: 'title', immutable: false, delete: true,
    checks: [{ transition: null, message_en: 'delivery lies before the order', message_zh: '交期早于订单日期' }],
    fields: [
      f('title', 'What', '内容', 'text', { required: true, share: 'partners' }), f('customer', 'Customer', '客户', 'party', { required: true, share: 'partners', reveals: 'customer' }),
      f('ordered', 'Ordered', '订单日期', 'date', { share: 'partners' }), f('deliver_by', 'Deliver by', '交期', 'date', { required: true, share: 'partners' }),
      f('priority', 'Priority', '优先级', 'choice', { choices: [{ name: 'normal', ...T('Normal', '普通') }, { name: 'urgent', ...T('Urgent', '加急') }], share: 'partners' }),
      f('amount', 'Amount', '金额', 'money', { currency: 'CNY', computed: true, compute: true, reveals: 'price', share: 'partners' }), f('weight', 'Weight', '总重量', 'decimal', { unit: 'KGM', share: 'partners', reveals: 'output', help_en: 'Type tonnes if you like: it is converted.', help_zh: '可以按吨填写，会自动换算。' }),
      f('contact', 'Contact', '联系人', 'text', { reveals: 'person', share: 'partners' }), f('phone', 'Phone', '电话', 'text', { format: 'phone', reveals: 'person', share: 'own' }),
      f('paid', 'Paid', '已付款', 'bool'), f('cost', 'Cost price', '成本', 'money', { share: 'secret', reveals: 'price' }),
      f('lines', 'Lines', '明细', 'lines', { share: 'partners', lines: { fields: [f('product', 'Product', '产品', 'ref', { ref: 'product', required: true }), f('quantity', 'Quantity', '数量', 'decimal', { unit: 'H87', required: true }), f('price', 'Price', '单价', 'money', { currency: 'CNY', reveals: 'price' }), f('sum', 'Sum', '小计', 'money', { currency: 'CNY', computed: true, compute: true }), f('remark', 'Remark', '备注', 'text')] } }),
      f('place', 'Delivery to', '送货地点', 'geometry', { share: 'partners' }), f('contract', 'Contract', '合同', 'file'), f('note', 'Note', '备注', 'text'), f('shipped_at', 'Shipped', '发货时间', 'time', { computed: true }),
    ],
    states: [s('draft', 'Draft', '草稿', 'neutral'), s('confirmed', 'Confirmed', '已确认', 'info'), s('production', 'In production', '生产中', 'warning'), s('shipped', 'Shipped', '已发货', 'info'), s('done', 'Delivered', '已交付', 'good', true), s('cancelled', 'Cancelled', '已取消', 'neutral', true)],
    transitions: [x('confirm', 'Confirm', '确认', 'draft', 'confirmed'), x('start', 'Start production', '开始生产', 'confirmed', 'production'), x('ship', 'Ship', '发货', 'production', 'shipped', { needs: 'weight', takes: 'note', stamps: 'shipped_at' }), x('deliver', 'Delivered', '已交付', 'shipped', 'done'), x('cancel', 'Cancel', '取消订单', 'draft|confirmed', 'cancelled', { needs: 'note' })],
    create_roles: all, change_roles: all,
  },
  {
    name: 'report', ...T('Work report', '报工'), prefix: 'RP', pack: 'ceramics', label: null, immutable: true, checks: [], delete: false,
    fields: [f('order', 'Order', '订单', 'ref', { ref: 'order', required: true }), f('good', 'Good pieces', '合格数', 'int', { required: true, unit: 'H87' }), f('scrap', 'Scrap', '废品数', 'int', { unit: 'H87' }), f('kiln', 'Kiln', '窑', 'thing'), f('note', 'Note', '备注', 'text')],
    states: [s('recorded', 'Recorded', '已记录', 'good')], transitions: [], create_roles: all, change_roles: [],
  },
]

export const partyNames = ['demo', '衡信卫浴', '景陶瓷砖', 'Nordlicht Keramik', '江州物流']
export const parties = partyNames.map((name, i) => ({ id: i + 1, name, title: name, uscc: ['91320500MA1ABCDE00', '91330100MA27XXXX1A', '91360200MA35YYYY2B', null, '91320100MA1ZZZZZ3C'][i], gln: ['6901234000009', '6901234000016', null, '4012345000009', null][i] }))
export const partyRef = (id: number) => ({ id, name: partyNames[id - 1]! })

export function tradeDocs(): Record<string, Doc[]> {
  const r = random(7)
  const names: [string, string, string][] = [['白釉浴缸 1.5 m', 'white', '1280.00'], ['青釉洗手盆', 'celadon', '268.00'], ['青花地砖 300×300', 'blue', '18.50'], ['白釉马桶', 'white', '860.00'], ['墙砖 200×100', 'white', '6.20']]
  const doc = (prefix: string, id: number, state: string, at: number, fields: Record<string, unknown>): Doc => ({ id, number: `${prefix}-${String(id).padStart(6, '0')}`, state, version: 1, created: iso(at), changed: iso(at), created_by: 'demo', can: [], ...fields })
  const product = names.map(([name, glaze, price], i) => doc('PD', i + 1, i === 4 ? 'ended' : 'active', NOW - 200 * DAY, { name, glaze, code: `690123400000${i}`, weight: `${12 + i * 3}.500`, price: { amount: price, currency: 'CNY' } }))
  const states = ['draft', 'confirmed', 'production', 'shipped', 'done', 'done', 'cancelled']
  const places: [number, number][] = [[120.15, 30.28], [117.2, 29.27], [116.36, 27.95], [118.8, 32.05], [121.47, 31.23]]
  const order: Doc[] = []
  for (let i = 1; i <= 64; i++) {
    const p = product[Math.floor(r() * 5)]!, q = 5 + Math.floor(r() * 400), price = (p.price as { amount: string }).amount
    const sum = (Math.round(Number(price) * 100) * q / 100).toFixed(2), at = NOW - (64 - i) * 1.7 * DAY
    const [lon, lat] = places[i % 5]!
    order.push(doc('SO', i, i > 56 ? states[i % 3]! : states[Math.floor(r() * 7)]!, at, {
      title: `${(p.name as string).split(' ')[0]} × ${q}`, customer: partyRef(2 + i % 4), ordered: iso(at).slice(0, 10), deliver_by: iso(at + 21 * DAY).slice(0, 10), priority: i % 5 ? 'normal' : 'urgent', amount: { amount: sum, currency: 'CNY' },
      weight: `${(q * 12.5).toFixed(3)}`, contact: ['王敏', '刘洋', 'A. Berg', '陈晨'][i % 4], phone: `0571-8888${1000 + i}`, paid: i % 3 === 0, cost: i % 2 ? { amount: (Number(sum) * .6).toFixed(2), currency: 'CNY' } : null,
      lines: [{ product: { id: p.id, number: p.number }, quantity: String(q), price: p.price, sum: { amount: sum, currency: 'CNY' }, remark: i % 4 ? null : '木箱包装' }], place: { type: 'Point', coordinates: [lon! + r() * .3, lat! + r() * .3] }, contract: null, note: i % 6 ? null : '客户要求提前通知', shipped_at: null,
    }))
  }
  const report = Array.from({ length: 9 }, (_, i) => doc('RP', i + 1, 'recorded', NOW - (9 - i) * DAY / 3, { order: { id: 60 + i % 4, number: `SO-0000${60 + i % 4}` }, good: 80 + i * 7, scrap: i % 3, kiln: 'press-03', note: null }))
  return { product, order, report }
}

export const tradePacks = [
  { name: 'machinery', version: '1.0.0', ...T('Machinery service', '装备服务'), builtin: true, needs: [], types: ['alarm', 'prediction', 'fault', 'maintenance', 'work_order', 'part', 'reservation', 'technician'], models: ['model1', 'model2', 'model3', 'model4'], rules: [], templates: [], views: [] },
  { name: 'ceramics', version: '0.3.0', ...T('Ceramics works', '陶瓷工厂'), builtin: false, needs: ['machinery'], types: ['product', 'order', 'report'], models: [], rules: [{ name: 'late_order', ...T('Remind of late orders', '订单临期提醒'), when: 'schedule' }, { name: 'big_order', ...T('Tell the manager of big orders', '大额订单通知经理'), when: 'change' }], templates: ['customer_order', 'bank_output'], views: ['orders_open'] },
]
export const tradeViews = [
  { name: 'orders_open', ...T('Orders', '订单'), pack: 'ceramics', kind: 'list', type: 'order', spec: { columns: ['title', 'customer', 'deliver_by', 'amount', 'lines', 'priority'], sort: '-id' } },
  { name: 'orders_board', ...T('Orders by state', '订单看板'), pack: 'ceramics', kind: 'board', type: 'order', spec: { card: ['customer', 'deliver_by', 'amount'] } },
]
export const tradeTemplates = [
  { name: 'customer_order', ...T('A customer follows its orders', '客户跟踪自己的订单'), pack: 'ceramics', purpose_en: 'follow the progress of own orders', purpose_zh: '跟踪自己订单的进度', terms: { types: [{ type: 'order', fields: ['number', 'state', 'title', 'deliver_by', 'lines.quantity'], rows: [] }], series: [], purpose: '跟踪自己订单的进度', from: null, to: null, onward: false, min_group: 5, confidentiality: null } },
  { name: 'bank_output', ...T('A bank sees output, not customers', '银行查看产量，不含客户'), pack: 'ceramics', purpose_en: 'assess a loan', purpose_zh: '贷款评估', terms: { types: [{ type: 'order', fields: ['state', 'ordered', 'weight'], rows: [{ field: 'state', op: 'eq', value: 'done' }] }], series: [{ things: null, model: 'model1', metrics: ['volt'], resolution: 'hourly' }], purpose: '贷款评估', from: null, to: null, onward: false, min_group: 5, confidentiality: '数据仅用于贷款评估，不得提供给第三方。' } },
]
