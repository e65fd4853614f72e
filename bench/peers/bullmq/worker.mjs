// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

// Takes deliveries from the queue: a signed POST each (Standard Webhooks), then an
// entry in the log of the webhook. What is not answered with 2xx is tried again.

import { createHmac } from "node:crypto";

import { Worker } from "bullmq";
import { Agent, request } from "undici";

import { connect, queueName } from "./store.mjs";

const redis = connect();
const concurrency = Number(process.env.CONCURRENCY);
const agent = new Agent({
  pipelining: 1,
  keepAliveTimeout: 60_000,
  connect: { timeout: 10_000 },
  headersTimeout: 30_000,
  bodyTimeout: 30_000,
  maxResponseSize: 64 * 1024,
});

const known = new Map();

async function webhook(id) {
  let found = known.get(id);
  if (!found) {
    const { url, secret } = JSON.parse(await redis.hget("webhooks", id));
    const key = Buffer.from(secret.slice("whsec_".length), "base64");
    found = { url, key };
    known.set(id, found);
  }
  return found;
}

async function post(url, headers, body) {
  try {
    const answer = await request(url, {
      method: "POST",
      headers,
      body,
      dispatcher: agent,
    });
    return { status: answer.statusCode, text: await answer.body.text() };
  } catch (error) {
    return { status: 0, text: error.message };
  }
}

async function deliver(job) {
  const { webhook: id, notification, body } = job.data;
  const { url, key } = await webhook(id);
  const message = `msg_${id}_${notification}`;
  const timestamp = Math.floor(Date.now() / 1000);
  const signature = createHmac("sha256", key)
    .update(`${message}.${timestamp}.${body}`)
    .digest("base64");
  const began = performance.now();
  const { status, text } = await post(
    url,
    {
      "content-type": "application/json",
      "user-agent": "bullmq-webhooks/1.0",
      "webhook-id": message,
      "webhook-timestamp": timestamp,
      "webhook-signature": `v1,${signature}`,
    },
    body,
  );
  await redis.xadd(
    `calls:${id}`,
    "MAXLEN",
    "~",
    100_000,
    "*",
    "notification",
    notification,
    "attempt",
    job.attemptsMade + 1,
    "url",
    url,
    "status",
    status,
    "milliseconds",
    (performance.now() - began).toFixed(1),
    "response",
    text,
  );
  if (status < 200 || status > 299) {
    throw new Error(status ? `answered with ${status}` : text);
  }
}

const worker = new Worker(queueName, deliver, {
  connection: connect(),
  concurrency,
  removeOnComplete: { count: 0 }, // the log says what was delivered
  removeOnFail: { age: 30 * 24 * 3600 },
});
worker.on("error", (error) => console.error(error));
process.once("SIGTERM", async () => {
  await worker.close();
  process.exit(0);
});
process.once("disconnect", () => process.exit(1)); // the server is gone

await worker.waitUntilReady();
process.send("ready");
