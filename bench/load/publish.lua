-- SPDX-FileCopyrightText: Fanfare contributors
-- SPDX-License-Identifier: Apache-2.0
--
-- What wrk publishes: notifications as a publisher would send them, one or, with
-- an argument, an array of so many.
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
end

dofile("bench/load/result.lua")
