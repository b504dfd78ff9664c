import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import { changeEvent } from "../../src/webhooks/events.ts";
import { MasterKey, newSecret } from "../../src/webhooks/secrets.ts";
import { Store, StoreInUse } from "../../src/webhooks/store.ts";
import { row } from "./rows.ts";
import { folder, ROOT } from "./support.ts";

const change = (resource: string) =>
  changeEvent(
    "enrolment",
    { kind: "application", resource, version: 1n, cause: "", changeTime: 0, removed: false },
    "token",
  );

test("what was written is there after a restart", (t) => {
  const path = join(folder(t), "webhooks.db");
  const first = new Store(path);
  const webhook = row("bodies/opale/webhooks/a", {
    kinds: ["application"],
    services: [1, 3],
    previousSecret: new Uint8Array([2, 0, 3]),
    previousExpires: 2 ** 45,
    failingSince: 7,
  });
  first.insertWebhook(webhook);
  first.saveFeedToken("enrolment", "", "t1");
  const id = first.enqueue(webhook.name, change("bodies/opale/x"), 5);
  first.close();

  const second = new Store(path);
  t.after(() => second.close());
  assert.deepEqual(second.webhook(webhook.name), { ...webhook, pending: 1 });
  assert.equal(second.feedToken("enrolment", ""), "t1");
  assert.equal(second.delivery(webhook.name, id)?.resource, "bodies/opale/x");
});

test("a second process is refused with a text that says why", (t) => {
  const path = join(folder(t), "webhooks.db");
  const store = new Store(path);
  t.after(() => store.close());
  assert.throws(
    () => new Store(path),
    (error) => error instanceof StoreInUse && error.message.includes("one gateway at a time"),
  );
  const other = spawnSync(
    process.execPath,
    [
      "--input-type=module-typescript",
      "--disable-warning=ExperimentalWarning",
      "-e",
      `import { Store } from "${ROOT}/clients/gateway/src/webhooks/store.ts";
       try { new Store(${JSON.stringify(path)}); } catch (error) { console.log(error.message); }`,
    ],
    { encoding: "utf8" },
  );
  assert.match(other.stdout, /in use by another process/, other.stderr);
  // The refusal has not harmed the holder.
  store.saveFeedToken("enrolment", "", "t");
});

test("a database of a later version is refused", (t) => {
  const path = join(folder(t), "webhooks.db");
  new Store(path).close();
  const raw = new DatabaseSync(path);
  raw.exec("PRAGMA user_version = 99");
  raw.close();
  assert.throws(() => new Store(path), /later version \(99\)/);
});

test("secrets and addresses of the network stand nowhere in the files but sealed", (t) => {
  const path = folder(t);
  const key = new MasterKey(Buffer.alloc(32, 9));
  const store = new Store(join(path, "webhooks.db"));
  t.after(() => store.close());
  const secret = newSecret();
  const name = "bodies/opale/webhooks/a";
  store.insertWebhook(row(name, { secret: key.seal(secret, name) }));
  for (const file of readdirSync(path)) {
    const bytes = readFileSync(join(path, file));
    assert.ok(!bytes.includes(secret), file);
    assert.ok(!bytes.includes(Buffer.from(secret.slice(6), "base64")), file);
  }
});

test("a transaction is all or nothing, within another too", (t) => {
  const store = new Store(":memory:");
  t.after(() => store.close());
  assert.throws(() =>
    store.transaction(() => {
      store.transaction(() => store.saveFeedToken("enrolment", "", "t1"));
      throw new Error("no");
    }),
  );
  assert.equal(store.feedToken("enrolment", ""), undefined);
});

test("with a webhook goes all that is its own", (t) => {
  const store = new Store(":memory:");
  t.after(() => store.close());
  const name = "bodies/opale/webhooks/a";
  store.insertWebhook(row(name));
  const id = store.enqueue(name, change("bodies/opale/x"), 1);
  const delivery = store.delivery(name, id);
  assert.ok(delivery);
  store.retryLater(delivery, { time: 1, durationMs: 1, status: 500, failure: 1 }, 2);
  store.deleteWebhook(name);
  assert.equal(store.delivery(name, id), undefined);
  assert.deepEqual(store.attempts(delivery.sequence), []);
  // What was under way when it went is not kept either.
  store.finish(delivery, { time: 1, durationMs: 1, status: 204, failure: 0 }, 2, 3);
  store.retryLater(delivery, { time: 1, durationMs: 1, status: 500, failure: 1 }, 4);
  assert.deepEqual(store.attempts(delivery.sequence), []);
});

test("of many attempts the last 50 are kept", (t) => {
  const store = new Store(":memory:");
  t.after(() => store.close());
  const name = "bodies/opale/webhooks/a";
  store.insertWebhook(row(name));
  const id = store.enqueue(name, change("bodies/opale/x"), 1);
  for (let time = 1; time <= 60; time++) {
    const delivery = store.delivery(name, id);
    assert.ok(delivery);
    store.retryLater(delivery, { time, durationMs: 1, status: 500, failure: 1 }, time);
  }
  const delivery = store.delivery(name, id);
  assert.equal(delivery?.attemptCount, 60);
  assert.deepEqual(
    store.attempts(delivery?.sequence ?? 0).map((attempt) => attempt.time),
    Array.from({ length: 50 }, (_, i) => i + 11),
  );
});
