import assert from "node:assert/strict";
import { chmodSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { MasterKey } from "../../src/webhooks/secrets.ts";
import { folder } from "./support.ts";

test("a sealed secret is opened at its place, under its key, unchanged, and nowhere else", () => {
  const key = new MasterKey(Buffer.alloc(32, 1));
  const sealed = key.seal("whsec_secret", "bodies/opale/webhooks/a");
  assert.equal(key.open(sealed, "bodies/opale/webhooks/a"), "whsec_secret");
  assert.ok(!Buffer.from(sealed).includes("whsec_"));
  assert.notDeepEqual(key.seal("whsec_secret", "bodies/opale/webhooks/a"), sealed);
  assert.throws(() => key.open(sealed, "bodies/opale/webhooks/b"));
  assert.throws(() => new MasterKey(Buffer.alloc(32, 2)).open(sealed, "bodies/opale/webhooks/a"));
  for (let i = 0; i < sealed.length; i++) {
    const altered = Buffer.from(sealed);
    altered[i] = (altered[i] as number) ^ 1;
    assert.throws(() => key.open(altered, "bodies/opale/webhooks/a"), `byte ${i}`);
  }
  assert.throws(() => key.open(sealed.subarray(0, 20), "bodies/opale/webhooks/a"));
});

test("the file of the key is made for its owner alone, and kept", (t) => {
  const path = join(folder(t), "key");
  const sealed = MasterKey.fromFile(path).seal("secret", "place");
  assert.equal(statSync(path).mode & 0o777, 0o600);
  const content = readFileSync(path, "utf8");
  assert.equal(MasterKey.fromFile(path).open(sealed, "place"), "secret");
  assert.equal(readFileSync(path, "utf8"), content);
});

test("a key that others may read, or that is none, is refused", (t) => {
  const path = join(folder(t), "key");
  MasterKey.fromFile(path);
  chmodSync(path, 0o640);
  assert.throws(() => MasterKey.fromFile(path), /may be read by others/);
  chmodSync(path, 0o600);
  writeFileSync(path, "short\n");
  assert.throws(() => MasterKey.fromFile(path), /64 hexadecimal digits/);
});

test("no two lists of parts have one digest", () => {
  const key = new MasterKey(Buffer.alloc(32, 1));
  assert.notEqual(key.digest("ab", "c"), key.digest("a", "bc"));
  assert.equal(key.digest("ab", "c"), key.digest("ab", "c"));
});
