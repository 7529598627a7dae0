-- The ceramics town's sums. Money and quantities are exact decimals.
function line_amount(line)
  if not line.quantity or not line.price then return nil end
  return (line.quantity * line.price):round(2)
end

function order_total(order)
  local sum = decimal("0.00")
  for _, line in ipairs(order.lines or {}) do
    if line.quantity and line.price then sum = sum + line.quantity * line.price end
  end
  local rest = decimal("100") - (order.discount or decimal("0"))
  return (sum * rest):div(100, 2)
end

function firing_yield(firing)
  if not firing.good or not firing.loaded or firing.loaded == 0 then return nil end
  return decimal(firing.good * 100):div(firing.loaded, 1)
end
