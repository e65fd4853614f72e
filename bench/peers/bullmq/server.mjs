// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

// A webhook server on BullMQ: takes notifications over HTTP, and adds a job per
// webhook to the queue that worker.mjs works on, in processes of their own.
//
//   POST /webhooks           {"url"} -> 201 {"id", "secret"}
//   POST /notifications      {…}     -> 202 {"id"}, once its jobs are in Redis
//   GET  /webhooks/ID/calls          -> 200 {"count"}
//
// Environment: REDIS_PORT, PORT (0: any), WORKERS (processes), CONCURRENCY (jobs at
// a time, each). Prints "listening on URL" when it is ready. SIGTERM ends it when
// the jobs at work are done.

import { fork } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:http";
import { json } from "node:stream/consumers";

import { Queue } from "bullmq";

import { connect, queueName } from "./store.mjs";

const redis = connect();
const queue = new Queue(queueName, {
  connection: connect(),
  defaultJobOptions: {
    attempts: 13, // the last one is three days after the first
    backoff: { type: "exponential", delay: 60_000 },
  },
});

const webhooks = Object.keys(await redis.hgetall("webhooks"));

async function register({ url }) {
  const id = String(await redis.incr("next-webhook"));
  const secret = `whsec_${randomBytes(32).toString("base64")}`;
  await redis.hset("webhooks", id, JSON.stringify({ url, secret }));
  webhooks.push(id);
  return [201, { id, secret }];
}

async function publish(notification) {
  const id = await redis.incr("next-notification");
  const body = JSON.stringify({ notification_id: id, ...notification });
  await queue.addBulk(
    webhooks.map((webhook) => ({
      name: "deliver",
      data: { webhook, notification: id, body },
    })),
  );
  return [202, { id }];
}

async function calls(webhook) {
  return [200, { count: await redis.xlen(`calls:${webhook}`) }];
}

async function answer(request) {
  const route = `${request.method} ${request.url}`;
  if (route === "POST /webhooks") {
    return register(await json(request));
  }
  if (route === "POST /notifications") {
    return publish(await json(request));
  }
  const webhook = /^GET \/webhooks\/(\d+)\/calls$/.exec(route)?.[1];
  return webhook ? calls(webhook) : [404, { detail: "There is no such thing." }];
}

const server = createServer(async (request, response) => {
  let result;
  try {
    result = await answer(request);
  } catch (error) {
    console.error(error);
    result = [500, { detail: error.message }];
  }
  response.writeHead(result[0], { "content-type": "application/json" });
  response.end(JSON.stringify(result[1]));
});

const workers = Array.from({ length: Number(process.env.WORKERS) }, () =>
  fork(new URL("worker.mjs", import.meta.url)),
);
for (const worker of workers) {
  worker.once("exit", (code) => process.exit(code ?? 1));
}
await Promise.all(workers.map((worker) => once(worker, "message")));
server.listen(Number(process.env.PORT), "127.0.0.1");
await once(server, "listening");
console.log(`listening on http://127.0.0.1:${server.address().port}`);

process.once("SIGTERM", async () => {
  server.close();
  server.closeAllConnections();
  await Promise.all(
    workers.map((worker) => {
      worker.removeAllListeners("exit");
      worker.kill();
      return once(worker, "exit");
    }),
  );
  process.exit(0);
});
