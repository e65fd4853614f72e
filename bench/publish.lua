-- What wrk publishes: notifications as a publisher would send them, one or, with
-- an argument, an array of so many. Afterwards it prints the results in one line.
local one = '{"action": "pretix.event.order.placed", "event": "democon", "code": "ABC23"}'

function init(args)
  local count = tonumber(args[1]) or 0
  wrk.method = "POST"
  wrk.body = one
  if count > 0 then
    local items = {}
    for i = 1, count do
      items[i] = one
    end
    wrk.body = "[" .. table.concat(items, ",") .. "]"
  end
  wrk.headers["Authorization"] = "Token " .. os.getenv("FANFARE_ADMIN_TOKEN")
  wrk.headers["Content-Type"] = "application/json"
  request_text = wrk.format()
end

function request()
  return request_text
end

function done(summary, latency)
  local e = summary.errors
  print(string.format(
    'result {"requests": %d, "seconds": %.6f, "p50_ms": %.3f, "p99_ms": %.3f, "failed": %d}',
    summary.requests, summary.duration / 1e6, latency:percentile(50) / 1e3,
    latency:percentile(99) / 1e3, e.connect + e.read + e.write + e.timeout + e.status))
end
