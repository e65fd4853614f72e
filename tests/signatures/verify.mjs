// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

// Signatures by implementations that are not ours. Reads lines of JSON and
// prints one line for each.
//
//   node verify.mjs         {"package", "secret", "headers", "body"}
//                           "accepted", or "refused: " and why
//   node verify.mjs --sign  {"package", "secret", "id", "timestamp", "body"}
//                           the value of webhook-signature, or "failed: …"
//
// "package" is "standardwebhooks" or "svix", which know v1 only, or
// "node:crypto" for v1a: Ed25519 by Node itself, after the specification's text.

import { createPrivateKey, createPublicKey, sign, verify } from "node:crypto";
import { createInterface } from "node:readline";

import { Webhook as StandardWebhook } from "standardwebhooks";
import { Webhook as SvixWebhook } from "svix";

const toleranceInSeconds = 300;

// What stands before the bytes of a key in PKCS #8 and in SPKI (RFC 8410).
const pkcs8Head = Buffer.from("302e020100300506032b657004220420", "hex");
const spkiHead = Buffer.from("302a300506032b6570032100", "hex");

class Ed25519Webhook {
  constructor(text) {
    const [kind, base64] = text.split("_");
    const bytes = Buffer.from(base64, "base64");
    if (kind === "whsk" && bytes.length === 64) {
      this.privateKey = createPrivateKey({
        key: Buffer.concat([pkcs8Head, bytes.subarray(0, 32)]),
        format: "der",
        type: "pkcs8",
      });
      this.publicKey = createPublicKey(this.privateKey);
    } else if (kind === "whpk" && bytes.length === 32) {
      this.publicKey = createPublicKey({
        key: Buffer.concat([spkiHead, bytes]),
        format: "der",
        type: "spki",
      });
    } else {
      throw new Error("neither a private nor a public key");
    }
  }

  sign(id, date, body) {
    const seconds = Math.floor(date.getTime() / 1000);
    const signature = sign(
      null,
      Buffer.from(`${id}.${seconds}.${body}`),
      this.privateKey,
    );
    return `v1a,${signature.toString("base64")}`;
  }

  verify(body, headers) {
    const id = headers["webhook-id"];
    const timestamp = headers["webhook-timestamp"];
    const age = Math.abs(Date.now() / 1000 - Number(timestamp));
    if (!(age <= toleranceInSeconds)) {
      throw new Error("Message timestamp too old or too new");
    }
    const text = Buffer.from(`${id}.${timestamp}.${body}`);
    for (const one of headers["webhook-signature"].split(" ")) {
      const [version, base64] = one.split(",");
      if (
        version === "v1a" &&
        verify(null, text, this.publicKey, Buffer.from(base64, "base64"))
      ) {
        return;
      }
    }
    throw new Error("No matching signature found");
  }
}

const implementations = {
  standardwebhooks: StandardWebhook,
  svix: SvixWebhook,
  "node:crypto": Ed25519Webhook,
};

function implementationOf(request) {
  const Implementation = implementations[request.package];
  if (Implementation === undefined) {
    throw new Error(`unknown package ${request.package}`);
  }
  return new Implementation(request.secret);
}

function verdict(request) {
  try {
    implementationOf(request).verify(request.body, request.headers);
    return "accepted";
  } catch (error) {
    return `refused: ${error.message}`;
  }
}

function signature(request) {
  try {
    return implementationOf(request).sign(
      request.id,
      new Date(Number(request.timestamp) * 1000),
      request.body,
    );
  } catch (error) {
    return `failed: ${error.message}`;
  }
}

const answer = process.argv[2] === "--sign" ? signature : verdict;
for await (const line of createInterface({ input: process.stdin })) {
  console.log(answer(JSON.parse(line)));
}
