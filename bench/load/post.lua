-- SPDX-FileCopyrightText: Fanfare contributors
-- SPDX-License-Identifier: Apache-2.0
--
-- What wrk sends as "the limit of the machine": the headers and the body of one
-- of Fanfare's signed calls, always the same one.
wrk.method = "POST"
wrk.body = '{"notification_id": 123456, "organizer": "bench", "event": "democon", "code": "ABC23", "action": "pretix.event.order.placed"}'
wrk.headers["Content-Type"] = "application/json"
wrk.headers["Accept"] = "*/*"
wrk.headers["Accept-Encoding"] = "identity"
wrk.headers["User-Agent"] = "Fanfare/0.1.0"
wrk.headers["webhook-id"] = "msg_1_123456"
wrk.headers["webhook-timestamp"] = "1790000000"
wrk.headers["webhook-signature"] = "v1,K5oZfzN95Z9UVu1EsfQmfVNQhnkZ2pj9o9NDN/H/pI4="

dofile("bench/load/result.lua")
