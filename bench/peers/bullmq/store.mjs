// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

// What the server and its workers share: Redis, and what is kept in it.
//
//   webhooks         hash: id -> JSON {url, secret}
//   next-webhook     counter, as next-notification
//   calls:<webhook>  stream: one entry per call, in order

import { Redis } from "ioredis";

export const queueName = "deliveries";

/** A connection; commands of one turn of the event loop share a round trip. */
export function connect() {
  return new Redis({
    host: "127.0.0.1",
    port: Number(process.env.REDIS_PORT),
    enableAutoPipelining: true,
    maxRetriesPerRequest: null, // BullMQ asks for it: its commands wait instead
  });
}
