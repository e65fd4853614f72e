-- What wrk sends: the body and the headers of one of Fanfare's calls.
wrk.method = "POST"
wrk.body = '{"notification_id": 123, "organizer": "bench", "event": "democon", "code": "ABC23", "action": "pretix.event.order.placed"}'
wrk.headers["Content-Type"] = "application/json"
wrk.headers["Accept"] = "*/*"
wrk.headers["Accept-Encoding"] = "identity"
wrk.headers["User-Agent"] = "Fanfare/bench"
