-- SPDX-FileCopyrightText: Fanfare contributors
-- SPDX-License-Identifier: Apache-2.0
--
-- What an adapter of bench/peers publishes: a method, a body, then names and values of
-- headers. Each {n} of the body becomes a number that no other request has.
local threads = 0

function setup(thread)
  thread:set("first", threads * 1e9)
  threads = threads + 1
end

function init(args)
  wrk.method = args[1]
  local body, count = args[2], first
  for i = 3, #args, 2 do
    wrk.headers[args[i]] = args[i + 1]
  end
  wrk.body = body
  if body:find("{n}", 1, true) then
    request = function()
      count = count + 1
      return wrk.format(nil, nil, nil, (body:gsub("{n}", string.format("%.0f", count))))
    end
  end
end

dofile("bench/load/result.lua")
