import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { Webhook } from "standardwebhooks";
import { retryDelay } from "../../src/webhooks/dispatcher.ts";
import {
  ACTIVE,
  DELIVERED,
  DISABLED,
  FAILING,
  Failure,
  GIVEN_UP,
  GONE,
  PENDING,
} from "../../src/webhooks/record.ts";
import { retryAfter } from "../../src/webhooks/sender.ts";
import {
  type FakeChange,
  type Received,
  Receiver,
  settle,
  status,
  stepUntil,
  until,
  World,
  type WorldOptions,
} from "./support.ts";

const SECOND = 1000;
const HOUR = 3600 * SECOND;
const DAY = 24 * HOUR;

function application(id: string, version = 1): FakeChange {
  const resource = `bodies/opale/cohorts/c/applications/${id}`;
  return { kind: "application", resource, version, cause: "SubmitApplication" };
}

async function start(test: TestContext, options: WorldOptions = {}, fields: object = {}) {
  const receiver = await Receiver.start(test);
  const world = await World.start(test, options);
  const { webhook, secret } = await world.webhook(receiver.url("/hook"), fields);
  return { receiver, world, name: webhook.name as string, secret: secret as string };
}

/** Waits until an attempt is kept. */
function attempted(world: World, name: string, attempts: number, index = 0): Promise<void> {
  return until(
    () => (world.deliveries(name)[index]?.attemptCount ?? 0) >= attempts,
    `attempt ${attempts}`,
  );
}

test("a change becomes a signed event that names the resource and holds nothing of it", async (t) => {
  const { receiver, world, name, secret } = await start(t);
  world.feeds.enrolment.push(application("a1", 7));
  await receiver.count(1);
  const [event] = receiver.received;
  assert.ok(event);
  assert.equal(event.path, "/hook");
  assert.equal(event.headers["content-type"], "application/json");
  assert.deepEqual(JSON.parse(event.body), {
    type: "enrolment.application.updated",
    timestamp: "2026-03-02T09:30:00.000Z",
    data: {
      service: "enrolment",
      kind: "application",
      resource: "bodies/opale/cohorts/c/applications/a1",
      version: 7,
      cause: "SubmitApplication",
      feedToken: "a:1",
    },
  });
  const seconds = Math.floor(world.clock.now() / 1000);
  assert.equal(event.headers["webhook-timestamp"], String(seconds));
  // The library refuses old events by the real clock: the signature alone is looked at.
  const signature = new Webhook(secret).sign(
    event.headers["webhook-id"] as string,
    new Date(world.clock.now()),
    event.body,
  );
  assert.equal(event.headers["webhook-signature"], signature);
  await until(() => world.deliveries(name)[0]?.state === DELIVERED);
  const [delivery] = world.deliveries(name);
  assert.equal(delivery?.id, event.headers["webhook-id"]);
  assert.equal(delivery?.payload, event.body);
  const webhook = world.store.webhook(name);
  assert.equal(webhook?.pending, 0);
  assert.equal(webhook?.lastSuccess, world.clock.now());
});

test("what has left the reader's sight is removed", async (t) => {
  const { receiver, world } = await start(t);
  world.feeds.scheduling.push({
    kind: "room",
    resource: "bodies/opale/venues/v/rooms/r",
    removed: true,
  });
  await receiver.count(1);
  assert.equal(receiver.received[0]?.type, "scheduling.room.removed");
});

test("the waits grow from 5 s to 12 h, with a fifth of jitter either way", () => {
  assert.deepEqual(
    Array.from({ length: 9 }, (_, i) => retryDelay(i + 1, 0.5)),
    [5, 20, 80, 320, 1280, 5120, 20_480, 43_200, 43_200].map((seconds) => seconds * SECOND),
  );
  assert.equal(retryDelay(1, 0), 4000);
  assert.ok(retryDelay(1, 0.999) < 6000 + 1);
  assert.equal(retryDelay(50, 0.5), 12 * HOUR);
});

test("an event that is not taken is tried again, later each time, under one id", async (t) => {
  const { receiver, world, name } = await start(t);
  receiver.answer = status(500);
  world.feeds.enrolment.push(application("a1"));
  for (const [i, wait] of [5, 20, 80, 320].entries()) {
    await attempted(world, name, i + 1);
    world.manual.advance(wait * SECOND - 1);
    await settle();
    assert.equal(receiver.received.length, i + 1, "not before its time");
    world.manual.advance(1);
    await receiver.count(i + 2);
  }
  receiver.answer = status(200);
  await attempted(world, name, 5);
  world.manual.advance(1280 * SECOND);
  await until(() => world.deliveries(name)[0]?.state === DELIVERED);
  assert.equal(new Set(receiver.received.map((one) => one.headers["webhook-id"])).size, 1);
  assert.equal(new Set(receiver.received.map((one) => one.body)).size, 1);
  // Each attempt is signed for its own time.
  assert.equal(new Set(receiver.received.map((one) => one.headers["webhook-timestamp"])).size, 6);
  const attempts = world.store.attempts(world.deliveries(name)[0]?.sequence ?? 0);
  assert.deepEqual(
    attempts.map((one) => [one.status, one.failure]),
    [...Array(5).fill([500, Failure.status]), [200, Failure.none]],
  );
  assert.equal(world.store.webhook(name)?.failingSince, null);
});

test("after 72 h a delivery is given up, and after five days of failures the webhook is disabled", async (t) => {
  const { receiver, world, name } = await start(t);
  receiver.answer = status(503);
  world.feeds.enrolment.push(application("a1", 1), application("a1", 2));
  await receiver.count(1);
  const began = world.clock.now();
  const ended = new Map<number, number>();
  for (let hours = 0; hours < 130 && world.store.webhook(name)?.state === ACTIVE; hours++) {
    await settle();
    await until(
      () =>
        world.store.webhook(name)?.state !== ACTIVE ||
        world.store.due(name, world.clock.now(), 1).length === 0,
    );
    for (const [i, delivery] of world.deliveries(name).entries()) {
      if (delivery.state !== PENDING && !ended.has(i)) ended.set(i, world.clock.now() - began);
    }
    // By small steps at first, as waits are short then.
    for (let i = 0; i < 12; i++) {
      world.manual.advance(HOUR / 12);
      await settle();
    }
  }
  const [first, second] = world.deliveries(name);
  assert.equal(first?.state, GIVEN_UP);
  assert.ok((ended.get(0) ?? 0) > 48 * HOUR && (ended.get(0) ?? 0) <= 72 * HOUR);
  assert.equal(second?.state, GIVEN_UP);
  const webhook = world.store.webhook(name);
  assert.equal(webhook?.state, DISABLED);
  assert.equal(webhook?.disabledReason, FAILING);
  const lived = world.clock.now() - began;
  assert.ok(lived >= 5 * DAY && lived <= 6 * DAY, `${lived / DAY} days`);
  const shown = await world.as("coordinator").getWebhook({ name });
  assert.equal(shown.state, DISABLED);
  assert.equal(shown.disabledReason, FAILING);
  assert.equal(shown.pendingCount, 0);

  // Nothing is queued for it, and when it goes on it is told to read again.
  const before = world.deliveries(name).length;
  world.feeds.enrolment.push(application("a2"));
  await until(() => world.store.feedToken("enrolment", "") === "a:3");
  assert.equal(world.deliveries(name).length, before);
  receiver.answer = status(204);
  receiver.received.length = 0;
  const enabled = await world.as("coordinator").updateWebhook({
    webhook: { name, state: ACTIVE },
    updateMask: { paths: ["state"] },
  });
  assert.equal(enabled.state, ACTIVE);
  assert.equal(enabled.disabledReason, 0);
  assert.equal(enabled.failingSinceTime, undefined);
  await receiver.count(3);
  assert.deepEqual(
    receiver.received
      .map(({ type, data }) => [type, data.service, data.reason, data.feedToken])
      .sort(),
    [
      ["feed.reset", "enrolment", "WEBHOOK_ENABLED", "a:3"],
      ["feed.reset", "evaluation", "WEBHOOK_ENABLED", "a:0"],
      ["feed.reset", "scheduling", "WEBHOOK_ENABLED", "a:0"],
    ],
  );
});

test("410 disables at once", async (t) => {
  const { receiver, world, name } = await start(t);
  receiver.answer = status(410);
  world.feeds.enrolment.push(application("a1"), application("a2"));
  await until(() => world.store.webhook(name)?.state === DISABLED);
  assert.equal(world.store.webhook(name)?.disabledReason, GONE);
  assert.deepEqual(
    world.deliveries(name).map((one) => one.state),
    [GIVEN_UP, GIVEN_UP],
  );
  const sent = receiver.received.length;
  world.manual.advance(DAY);
  await settle();
  assert.equal(receiver.received.length, sent);
});

test("429 and 503 hold the whole webhook as long as the receiver asks", async (t) => {
  for (const code of [429, 503]) {
    const { receiver, world, name } = await start(t);
    receiver.answer = status(code, { "retry-after": "600" });
    world.feeds.enrolment.push(application("a1"));
    await attempted(world, name, 1);
    receiver.answer = status(204);
    world.feeds.enrolment.push(application("a2"));
    await until(() => world.deliveries(name).length === 2);
    world.manual.advance(599 * SECOND);
    await settle();
    assert.equal(receiver.received.length, 1);
    world.manual.advance(SECOND);
    await receiver.count(3);
    await until(() => world.store.webhook(name)?.pending === 0);
  }
  const now = Date.parse("2026-11-23T08:00:00Z");
  assert.equal(retryAfter("120", now), 120_000);
  assert.equal(retryAfter("Mon, 23 Nov 2026 08:01:00 GMT", now), 60_000);
  assert.equal(retryAfter("9999999999", now), DAY);
  for (const header of ["", "-5", "soon", undefined, "0", "Mon, 23 Nov 2026 07:00:00 GMT"]) {
    assert.equal(retryAfter(header, now), undefined);
  }
});

test("events of one resource wait for each other, those of others do not", async (t) => {
  const { receiver, world, name } = await start(t);
  receiver.answer = (response, { data }) =>
    status(String(data.resource).endsWith("/a1") ? 500 : 204)(response);
  const changes = [
    application("a1", 1),
    application("a1", 2),
    application("a2", 1),
    application("a1", 3),
    application("a2", 2),
  ];
  world.feeds.enrolment.push(...changes);
  await receiver.count(3);
  await until(() => world.store.webhook(name)?.pending === 3);
  const versions = (id: string) =>
    receiver.received
      .filter(({ data }) => String(data.resource).endsWith(id))
      .map(({ data }) => data.version);
  assert.deepEqual(versions("/a2"), [1, 2]);
  assert.deepEqual(versions("/a1"), [1]);
  receiver.answer = status(204);
  world.manual.advance(5 * SECOND);
  await until(() => world.store.webhook(name)?.pending === 0);
  assert.deepEqual(versions("/a1"), [1, 1, 2, 3]);
});

test("at most 8 are under way to one receiver, 1 when it fails, and others are not kept waiting", async (t) => {
  const { receiver, world, name } = await start(t);
  const other = await Receiver.start(t);
  await world.webhook(other.url(), { kinds: ["cohort"] });
  const open: (() => void)[] = [];
  receiver.answer = (response) => open.push(() => response.writeHead(204).end());
  world.feeds.enrolment.push(...Array.from({ length: 20 }, (_, i) => application(`a${i}`)));
  await receiver.count(8);
  world.feeds.enrolment.push({ kind: "cohort", resource: "bodies/opale/cohorts/c" });
  await other.count(1);
  await settle();
  assert.equal(receiver.received.length, 8);
  for (const end of open.splice(0)) end();
  await receiver.count(16);
  await settle();
  assert.equal(receiver.received.length, 16);
  receiver.answer = (response) => response.writeHead(500).end();
  for (const end of open.splice(0)) end();
  await receiver.count(21);
  await until(() => (world.store.webhook(name)?.failingSince ?? null) !== null);
  await settle();
  receiver.received.length = 0;
  open.length = 0;
  receiver.answer = (response) => open.push(() => response.writeHead(500).end());
  world.manual.advance(5 * SECOND);
  await receiver.count(1);
  await settle();
  assert.equal(receiver.received.length, 1);
  for (const end of open.splice(0)) end();
});

test("what is paused is queued and sent when it goes on", async (t) => {
  const { receiver, world, name } = await start(t, {}, { state: 2 });
  world.feeds.enrolment.push(application("a1"));
  await until(() => world.store.webhook(name)?.pending === 1);
  await settle();
  assert.equal(receiver.received.length, 0);
  await world.as("coordinator").updateWebhook({ webhook: { name, state: ACTIVE } });
  await receiver.count(1);
});

test("too much that waits is replaced by the order to read again", async (t) => {
  const { receiver, world, name } = await start(t, { mostPending: 10 }, { state: 2 });
  for (let i = 0; i < 10; i++) world.feeds.enrolment.push(application(`a${i}`));
  await until(() => world.store.webhook(name)?.pending === 10);
  world.feeds.enrolment.push(application("a10"));
  await until(() => world.store.feedToken("enrolment", "") === "a:11");
  assert.equal(world.store.webhook(name)?.pending, 3);
  await world.as("coordinator").updateWebhook({ webhook: { name, state: ACTIVE } });
  await receiver.count(3);
  assert.ok(receiver.received.every(({ data }) => data.reason === "BACKLOG_DROPPED"));
  assert.equal(
    receiver.received.find(({ data }) => data.service === "enrolment")?.data.feedToken,
    "a:11",
  );
});

test("a receiver that says nothing is left after 15 s", async (t) => {
  const { receiver, world, name } = await start(t);
  receiver.answer = () => {};
  world.feeds.enrolment.push(application("a1"));
  await receiver.count(1);
  world.manual.advance(14_999);
  await settle();
  assert.equal(world.deliveries(name)[0]?.attemptCount, 0);
  world.manual.advance(1);
  await attempted(world, name, 1);
  const [attempt] = world.store.attempts(world.deliveries(name)[0]?.sequence ?? 0);
  assert.deepEqual(attempt, {
    time: world.clock.now() - 15_000,
    durationMs: 15_000,
    status: 0,
    failure: Failure.timeout,
  });
});

test("answers that are huge, endless or slow are not read to their end", async (t) => {
  const { receiver, world, name } = await start(t);
  // Headers that drip, and never end.
  receiver.answer = (response) => {
    response.socket?.write("HTTP/1.1 200 OK\r\nx-a: ");
  };
  world.feeds.enrolment.push(application("drip"));
  await receiver.count(1);
  world.manual.advance(15_000);
  await attempted(world, name, 1);
  // A body without end, as fast as it is read.
  let sent = 0;
  receiver.answer = (response) => {
    response.writeHead(200);
    const chunk = Buffer.alloc(64 * 1024, "x");
    const more = () => {
      while (!response.destroyed && response.write(chunk)) sent += chunk.length;
      if (!response.destroyed) response.once("drain", more);
    };
    response.on("error", () => {});
    more();
  };
  world.feeds.enrolment.push(application("endless"));
  await attempted(world, name, 1, 1);
  assert.equal(world.deliveries(name)[1]?.state, DELIVERED);
  assert.ok(sent < 64 * 1024 * 1024, `${sent} bytes`);
  // Headers of a megabyte.
  receiver.answer = (response) => {
    response.socket?.write(`HTTP/1.1 200 OK\r\nx-a: ${"y".repeat(1024 * 1024)}\r\n\r\n`);
  };
  world.feeds.enrolment.push(application("headers"));
  await attempted(world, name, 1, 2);
  const attempts = world.store.attempts(world.deliveries(name)[2]?.sequence ?? 0);
  assert.equal(attempts[0]?.failure, Failure.answerMalformed);
});

test("what is not HTTP, a cut connection and a closed port fail as what they are", async (t) => {
  const { receiver, world, name } = await start(t);
  const failures: (number | undefined)[] = [];
  const attempt = async (id: string) => {
    world.feeds.enrolment.push(application(id));
    await attempted(world, name, 1, failures.length);
    const delivery = world.deliveries(name)[failures.length];
    failures.push(world.store.attempts(delivery?.sequence ?? 0)[0]?.failure);
  };
  receiver.answer = (response) => response.socket?.end("SSH-2.0-OpenSSH\r\n");
  await attempt("ssh");
  receiver.answer = (response) => response.socket?.destroy();
  await attempt("cut");
  assert.deepEqual(failures, [Failure.answerMalformed, Failure.connection]);
});

test("redirects are not followed", async (t) => {
  const { receiver, world, name } = await start(t);
  const target = await Receiver.start(t);
  for (const code of [301, 302, 303, 307, 308]) {
    receiver.answer = status(code, { location: target.url() });
    world.feeds.enrolment.push(application(`a${code}`));
  }
  await receiver.count(5);
  await until(() => world.deliveries(name).every((one) => one.attemptCount === 1));
  assert.equal(target.received.length, 0);
  assert.ok(world.deliveries(name).every((one) => one.state === PENDING));
});

test("nothing of what a receiver answers is kept or logged", async (t) => {
  const { receiver, world, name } = await start(t);
  receiver.answer = (response) => {
    response.writeHead(500, { "x-planted": "Plantée" }).end("Camille Plantée, 3 rue des Essais");
  };
  world.feeds.enrolment.push(application("a1"));
  await attempted(world, name, 1);
  const shown = await world.as("coordinator").listWebhookDeliveries({ parent: name });
  assert.equal(shown.webhookDeliveries.length, 1);
  const text = JSON.stringify([shown, world.lines], (_, value) =>
    typeof value === "bigint" ? String(value) : value,
  );
  assert.ok(!text.includes("Plantée"));
});

test("during the overlap of a rotation both secrets sign, and then the new one alone", async (t) => {
  const { receiver, world, name, secret } = await start(t);
  const rotated = await world.as("coordinator").rotateWebhookSecret({
    name,
    overlap: { seconds: 3600n, nanos: 0 },
  });
  assert.notEqual(rotated.secret, secret);
  const signedBy = (index: number) => {
    const { headers, body } = receiver.received[index] as Received;
    const at = new Date(Number(headers["webhook-timestamp"]) * 1000);
    const id = String(headers["webhook-id"]);
    return String(headers["webhook-signature"])
      .split(" ")
      .map((signature) =>
        [secret, rotated.secret].findIndex(
          (one) => new Webhook(one).sign(id, at, body) === signature,
        ),
      );
  };
  world.feeds.enrolment.push(application("a1"));
  await receiver.count(1);
  assert.deepEqual(signedBy(0), [1, 0]);
  // The feed's stream is silent for too long meanwhile, and is opened again.
  world.manual.advance(3500 * SECOND);
  world.feeds.enrolment.push(application("a2"));
  await stepUntil(world, () => receiver.received.length === 2);
  assert.deepEqual(signedBy(1), [1, 0]);
  world.manual.advance(100 * SECOND);
  world.feeds.enrolment.push(application("a3"));
  await stepUntil(world, () => receiver.received.length === 3);
  assert.deepEqual(signedBy(2), [1]);
  // Within the hour the former secret is gone from the record.
  world.manual.advance(HOUR);
  assert.equal(world.store.webhook(name)?.previousSecret, null);
});

test("while what came of a delivery cannot be kept, receivers are not called again and again", async (t) => {
  const { receiver, world, name } = await start(t);
  const finish = world.store.finish.bind(world.store);
  world.store.finish = () => {
    throw new Error("disk full");
  };
  world.feeds.enrolment.push(application("a1"));
  await until(() => world.lines.some((line) => line.includes("delivery not kept")));
  await settle();
  assert.equal(receiver.received.length, 1);
  world.store.finish = finish;
  world.manual.advance(10 * SECOND);
  await until(() => world.deliveries(name)[0]?.state === DELIVERED);
  const ids = receiver.received.map(({ headers }) => headers["webhook-id"]);
  assert.equal(ids.length, 2);
  assert.equal(new Set(ids).size, 1);
});

test("sandboxes: every event twice", async (t) => {
  const { receiver, world } = await start(t, { faults: { duplicate: true } });
  world.feeds.enrolment.push(application("a1"));
  await receiver.count(2);
  await settle();
  assert.equal(receiver.received.length, 2);
  assert.equal(
    receiver.received[0]?.headers["webhook-id"],
    receiver.received[1]?.headers["webhook-id"],
  );
});

test("sandboxes: events out of their order", async (t) => {
  const { receiver, world } = await start(t, { faults: { outOfOrder: true } });
  world.feeds.enrolment.push(application("a1", 1), application("a1", 2));
  await receiver.count(1);
  world.manual.advance(2 * SECOND);
  await receiver.count(2);
  assert.deepEqual(
    receiver.received.map(({ data }) => data.version),
    [2, 1],
  );
});

test("what ended 30 days ago is forgotten", async (t) => {
  const { receiver, world, name } = await start(t);
  world.feeds.enrolment.push(application("a1"));
  await receiver.count(1);
  await until(() => world.deliveries(name)[0]?.state === DELIVERED);
  world.manual.advance(30 * DAY - HOUR);
  assert.equal(world.deliveries(name).length, 1);
  world.manual.advance(2 * HOUR);
  assert.equal(world.deliveries(name).length, 0);
});
