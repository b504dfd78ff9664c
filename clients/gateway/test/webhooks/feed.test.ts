import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { createServer } from "node:http2";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { test } from "node:test";
import { connectNodeAdapter } from "@connectrpc/connect-node";
import { MasterKey } from "../../src/webhooks/secrets.ts";
import { Store } from "../../src/webhooks/store.ts";
import { row } from "./rows.ts";
import {
  contract,
  type FakeChange,
  FakeFeed,
  folder,
  Receiver,
  ROOT,
  settle,
  stepUntil,
  until,
  World,
} from "./support.ts";

function change(body: string, id: string, fields: Partial<FakeChange> = {}): FakeChange {
  return { kind: "application", resource: `${body}/cohorts/c/applications/${id}`, ...fields };
}

const resources = (receiver: Receiver) =>
  receiver.received.map(({ data }) => String(data.resource).split("/").at(-1));

test("a webhook gets what is committed after it was created, and nothing from before", async (t) => {
  const receiver = await Receiver.start(t);
  const feeds = {
    enrolment: new FakeFeed(contract()),
    scheduling: new FakeFeed(contract()),
    evaluation: new FakeFeed(contract()),
  };
  for (let i = 0; i < 5; i++) feeds.enrolment.push(change("bodies/opale", `old${i}`));
  const world = await World.start(t, { feeds });
  await world.webhook(receiver.url());
  feeds.enrolment.push(change("bodies/opale", "new"));
  await receiver.count(1);
  await settle();
  assert.deepEqual(resources(receiver), ["new"]);
});

test("bodies, kinds and services keep apart", async (t) => {
  const world = await World.start(t);
  const receivers: Record<string, Receiver> = {};
  for (const [name, token, fields] of [
    ["all", "coordinator", {}],
    ["other", "other-coordinator", {}],
    ["cohorts", "coordinator", { kinds: ["cohort", "body"] }],
    ["scheduling", "coordinator", { services: [2] }],
  ] as const) {
    const receiver = await Receiver.start(t);
    receivers[name] = receiver;
    await world.webhook(receiver.url(), fields, token);
  }
  world.feeds.enrolment.push(
    change("bodies/opale", "a"),
    change("bodies/exemple", "b"),
    // A body whose name another's begins with.
    change("bodies/opale-bis", "c"),
    { kind: "cohort", resource: "bodies/opale/cohorts/d" },
    { kind: "body", resource: "bodies/opale" },
    { kind: "body", resource: "bodies/exemple" },
  );
  world.feeds.scheduling.push({ kind: "venue", resource: "bodies/opale/venues/e" });
  await receivers.all?.count(4);
  await receivers.other?.count(2);
  await receivers.cohorts?.count(2);
  await receivers.scheduling?.count(1);
  await settle();
  const got = Object.fromEntries(
    Object.entries(receivers).map(([name, receiver]) => [name, resources(receiver).sort()]),
  );
  assert.deepEqual(got, {
    all: ["a", "d", "e", "opale"],
    other: ["b", "exemple"],
    cohorts: ["d", "opale"],
    scheduling: ["e"],
  });
});

test("a funder's webhook follows what is the funder's own, in its body", async (t) => {
  const receiver = await Receiver.start(t);
  const world = await World.start(t);
  const { webhook } = await world.webhook(receiver.url(), {}, "funder");
  assert.equal(webhook.funderId, "afdas");
  const own = { scopes: ["funder:afdas"] };
  world.feeds.enrolment.push(
    change("bodies/opale", "foreign"),
    change("bodies/opale", "other", { scopes: ["funder:uniformation"] }),
    change("bodies/opale", "own", own),
    change("bodies/exemple", "elsewhere", own),
    change("bodies/opale", "left", { ...own, removed: true }),
  );
  await receiver.count(2);
  await settle();
  assert.deepEqual(resources(receiver), ["own", "left"]);
  assert.equal(receiver.received[1]?.type, "enrolment.application.removed");
  assert.ok(
    world.feeds.enrolment.calls.some((call) => call.within.join() === "funder:afdas"),
    "the feed is asked for the funder's changes only",
  );
  // With the last webhook of the funder goes the stream.
  await world.as("funder").deleteWebhook({ name: webhook.name });
  assert.equal(world.store.feedToken("enrolment", "funder:afdas"), undefined);
  world.feeds.enrolment.push(change("bodies/opale", "late", own));
  await until(() => world.store.feedToken("enrolment", "") === "a:6");
  assert.equal(world.store.feedToken("enrolment", "funder:afdas"), undefined);
});

test("a funder's webhook misses nothing between its creation and its stream", async (t) => {
  const receiver = await Receiver.start(t);
  const world = await World.start(t);
  const own = { scopes: ["funder:afdas"] };
  world.feeds.enrolment.push(change("bodies/opale", "before", own));
  await until(() => world.store.feedToken("enrolment", "") === "a:1");
  const created = world.webhook(receiver.url(), {}, "funder");
  await created;
  world.feeds.enrolment.push(change("bodies/opale", "after", own));
  await receiver.count(1);
  await settle();
  assert.deepEqual(resources(receiver), ["after"]);
});

test("a stream that ends or breaks goes on from the last position", async (t) => {
  const receiver = await Receiver.start(t);
  const world = await World.start(t);
  await world.webhook(receiver.url());
  const feed = world.feeds.enrolment;
  feed.push(change("bodies/opale", "a"));
  await receiver.count(1);
  feed.breakStreams();
  feed.push(change("bodies/opale", "b"));
  await receiver.count(2);
  feed.down = true;
  feed.breakStreams();
  await until(() => world.lines.some((line) => line.includes("feed broken")));
  feed.down = false;
  feed.push(change("bodies/opale", "c"));
  await stepUntil(world, () => receiver.received.length >= 3);
  await settle();
  assert.deepEqual(resources(receiver), ["a", "b", "c"]);
});

for (const [reason, begin] of [
  ["FEED_TRIMMED", (feed: FakeFeed) => (feed.floor = 3)],
  ["FEED_INCARNATION_CHANGED", (feed: FakeFeed) => (feed.incarnation = "b")],
] as const) {
  test(`${reason}: receivers are told to read again, and the feed goes on from its head`, async (t) => {
    const receiver = await Receiver.start(t);
    const other = await Receiver.start(t);
    const world = await World.start(t);
    await world.webhook(receiver.url(), { kinds: ["application"] });
    await world.webhook(other.url(), { services: [2] });
    const feed = world.feeds.enrolment;
    feed.down = true;
    feed.breakStreams();
    await until(() => world.lines.some((line) => line.includes("feed broken")));
    feed.changes.push(...["m1", "m2", "m3"].map((id) => change("bodies/opale", id)));
    begin(feed);
    feed.down = false;
    await stepUntil(world, () => receiver.received.length >= 1);
    const [reset] = receiver.received;
    assert.equal(reset?.type, "feed.reset");
    assert.deepEqual(reset?.data, {
      service: "enrolment",
      reason,
      feedToken: `${feed.incarnation}:3`,
    });
    feed.push(change("bodies/opale", "next"));
    await receiver.count(2);
    await settle();
    assert.equal(resources(receiver)[1], "next");
    assert.equal(receiver.received.length, 2);
    assert.equal(other.received.length, 0, "who does not get the service's changes is not told");
  });
}

test("events and position are kept together or not at all", async (t) => {
  const world = await World.start(t);
  const receiver = await Receiver.start(t);
  const { webhook } = await world.webhook(receiver.url(), { state: 2 });
  const enqueue = world.store.enqueue.bind(world.store);
  let calls = 0;
  world.store.enqueue = (...given) => {
    if (++calls === 2) throw new Error("disk full");
    return enqueue(...given);
  };
  world.feeds.enrolment.push(change("bodies/opale", "a"), change("bodies/opale", "b"));
  await until(() => world.lines.some((line) => line.includes("disk full")));
  assert.equal(world.deliveries(webhook.name).length, 0);
  assert.equal(world.store.feedToken("enrolment", ""), "a:0");
  await stepUntil(world, () => world.deliveries(webhook.name).length >= 2);
  assert.deepEqual(
    world.deliveries(webhook.name).map((one) => one.resource.split("/").at(-1)),
    ["a", "b"],
  );
});

test("a process that is killed again and again loses no event and skips none", async (t) => {
  const path = folder(t);
  const database = join(path, "webhooks.db");
  const keyFile = join(path, "key");
  const receiver = await Receiver.start(t);
  const feed = new FakeFeed(contract());
  const server = createServer(connectNodeAdapter({ routes: feed.routes }));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.after(() => server.close());
  const sessions = new Set<{ destroy(): void }>();
  server.on("session", (session) => sessions.add(session));
  t.after(() => {
    for (const session of sessions) session.destroy();
  });

  // The webhook and where the feeds are, before the first process.
  const key = MasterKey.fromFile(keyFile);
  const store = new Store(database);
  const name = "bodies/opale/webhooks/a";
  store.insertWebhook(
    row(name, { url: receiver.url(), services: [1], secret: key.seal("whsec_c2VjcmV0", name) }),
  );
  store.saveFeedToken("enrolment", "", feed.token(0));
  store.close();

  const total = 300;
  const resourcesOf = 12;
  let child: ChildProcess | undefined;
  const run = () => {
    const process_ = spawn(
      process.execPath,
      [
        "--disable-warning=ExperimentalWarning",
        join(ROOT, "clients/gateway/test/webhooks/dispatching_process.ts"),
        database,
        keyFile,
        `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
      ],
      { stdio: ["ignore", "inherit", "inherit"] },
    );
    child = process_;
    return new Promise<void>((resolve) => process_.once("exit", () => resolve()));
  };
  t.after(() => child?.kill("SIGKILL"));

  let kills = 0;
  let pushed = 0;
  let killAt = 20;
  const push = () => {
    for (let i = 0; i < 30 && pushed < total; i++, pushed++) {
      feed.push(
        change("bodies/opale", `a${pushed % resourcesOf}`, {
          version: Math.floor(pushed / resourcesOf) + 1,
        }),
      );
    }
  };
  receiver.answer = (response) => {
    push();
    if (receiver.received.length >= killAt && kills < 6) {
      kills++;
      killAt += 37;
      // Not answered: the process dies not knowing what became of it.
      child?.kill("SIGKILL");
      return;
    }
    response.writeHead(204).end();
  };
  push();
  let running = run();
  const distinct = () =>
    new Set(receiver.received.map(({ data }) => `${data.resource}@${data.version}`)).size;
  while (distinct() < total) {
    const before = kills;
    await Promise.race([running, until(() => distinct() >= total, "every event")]);
    if (kills > before || child?.exitCode !== null || child?.signalCode !== null) running = run();
  }
  child?.kill("SIGTERM");
  await running;
  assert.equal(kills, 6);
  // In order of each resource, when what came again is left out.
  for (let i = 0; i < resourcesOf; i++) {
    const versions = receiver.received
      .filter(({ data }) => String(data.resource).endsWith(`/a${i}`))
      .map(({ data }) => data.version as number);
    const first = [...new Set(versions)];
    assert.deepEqual(
      first,
      [...first].sort((a, b) => a - b),
    );
    assert.equal(first.length, total / resourcesOf);
  }
  // Each event is queued once: what comes again, comes under its id.
  const ids = new Map<string, Set<unknown>>();
  for (const { data, headers } of receiver.received) {
    const event = `${data.resource}@${data.version}`;
    ids.set(event, (ids.get(event) ?? new Set()).add(headers["webhook-id"]));
  }
  assert.ok([...ids.values()].every((one) => one.size === 1));
});
