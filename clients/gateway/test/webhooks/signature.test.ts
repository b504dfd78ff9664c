import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { Webhook } from "standardwebhooks";
import { newSecret } from "../../src/webhooks/secrets.ts";
import { signedHeaders } from "../../src/webhooks/sender.ts";
import { ROOT } from "./support.ts";

/** The vectors of docs/api/webhooks.md, as partners read them. */
function vectors() {
  const page = readFileSync(join(ROOT, "docs/api/webhooks.md"), "utf8");
  const json = /<!-- vectors -->\s*```json\n([\s\S]*?)```/.exec(page)?.[1] ?? "[]";
  return JSON.parse(json) as {
    secret: string;
    id: string;
    timestamp: number;
    payload: string;
    signature: string;
  }[];
}

test("the vectors of the documentation are what is sent", () => {
  assert.ok(vectors().length >= 2);
  for (const { secret, id, timestamp, payload, signature } of vectors()) {
    const headers = signedHeaders(id, timestamp * 1000, payload, [secret]);
    assert.deepEqual(headers, {
      "webhook-id": id,
      "webhook-timestamp": String(timestamp),
      "webhook-signature": signature,
    });
    // The same by hand, as the specification says it.
    const key = Buffer.from(secret.replace("whsec_", ""), "base64");
    const mac = createHmac("sha256", key).update(`${id}.${timestamp}.${payload}`).digest("base64");
    assert.equal(signature, `v1,${mac}`);
  }
});

test("during an overlap there is a signature by each secret, and either verifies", () => {
  const [first, second] = [newSecret(), newSecret()];
  const payload = '{"type":"webhook.test"}';
  const headers = signedHeaders("id", Date.now(), payload, [first, second]);
  assert.equal(headers["webhook-signature"]?.split(" ").length, 2);
  for (const secret of [first, second]) new Webhook(secret).verify(payload, headers);
  assert.throws(() => new Webhook(newSecret()).verify(payload, headers));
  assert.throws(() => new Webhook(first).verify(`${payload} `, headers));
});

test("a secret is 32 random bytes in the form of Standard Webhooks", () => {
  const secret = newSecret();
  assert.match(secret, /^whsec_[A-Za-z0-9+/]{43}=$/);
  assert.notEqual(secret, newSecret());
});
