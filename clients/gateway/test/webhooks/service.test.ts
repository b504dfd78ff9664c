import assert from "node:assert/strict";
import { test } from "node:test";
import { Code, ConnectError } from "@connectrpc/connect";
import { Errors } from "../../src/errors.ts";
import {
  ACTIVE,
  DELIVERED,
  DISABLED,
  Failure,
  GIVEN_UP,
  PAUSED,
  PENDING,
} from "../../src/webhooks/record.ts";
import { createAbsentWebhookTransport } from "../../src/webhooks/service.ts";
import { row } from "./rows.ts";
import {
  CALLERS,
  CONTACT,
  contract,
  type Method,
  quiet,
  Receiver,
  refusal,
  settle,
  status,
  until,
  World,
} from "./support.ts";

const URL_ = "https://partner.example/hook";
const BODY = "bodies/opale";
const ID = "8f14e45f-ceea-467f-a8c3-0f2e2b1d8a11";
const OTHER_ID = "8f14e45f-ceea-467f-a8c3-0f2e2b1d8a12";

const allowed = { policy: { resolve: async () => [{ address: "93.184.215.14", family: 4 }] } };

test("a webhook is created, read, changed and deleted; its secret is shown once", async (t) => {
  const world = await World.start(t, allowed);
  const me = world.as("coordinator");
  const { webhook, secret } = await world.webhook(URL_, {
    kinds: ["application"],
    services: [1],
    description: "De\u0301claratif",
  });
  assert.match(secret, /^whsec_/);
  assert.match(webhook.name, /^bodies\/opale\/webhooks\/[0-9a-f]{24}$/);
  assert.equal(webhook.state, ACTIVE);
  assert.equal(webhook.creator, "camille");
  assert.equal(webhook.description, "D\u00e9claratif");
  assert.deepEqual(
    { ...webhook.contact, $typeName: undefined },
    { ...CONTACT, $typeName: undefined },
  );
  const read = await me.getWebhook({ name: webhook.name });
  assert.deepEqual(read, webhook);
  assert.ok(!JSON.stringify(read, big).includes(secret));
  assert.ok(!JSON.stringify(await me.listWebhooks({ parent: BODY }), big).includes(secret));

  world.manual.advance(1000);
  const updated = await me.updateWebhook({
    webhook: {
      name: webhook.name,
      etag: webhook.etag,
      url: `${URL_}2`,
      contact: { name: "Autre" },
    },
    updateMask: { paths: ["url", "contact.name"] },
  });
  assert.equal(updated.url, `${URL_}2`);
  assert.equal(updated.contact.name, "Autre");
  assert.equal(updated.contact.email, CONTACT.email);
  assert.deepEqual(updated.kinds, ["application"]);
  assert.notEqual(updated.etag, webhook.etag);
  assert.ok(updated.updateTime.seconds > webhook.updateTime.seconds);
  // Without a mask what is set; with "*" everything.
  const set = await me.updateWebhook({ webhook: { name: webhook.name, state: PAUSED } });
  assert.equal(set.state, PAUSED);
  assert.equal(set.url, `${URL_}2`);
  const all = await me.updateWebhook({
    webhook: { name: webhook.name, url: URL_, contact: CONTACT },
    updateMask: { paths: ["*"] },
  });
  assert.deepEqual([all.kinds, all.services, all.description, all.state], [[], [], "", ACTIVE]);

  for (const call of [
    me.updateWebhook({ webhook: { name: webhook.name, etag: webhook.etag, url: URL_ } }),
    me.deleteWebhook({ name: webhook.name, etag: webhook.etag }),
    me.rotateWebhookSecret({ name: webhook.name, etag: webhook.etag }),
  ]) {
    assert.equal((await refusal(call)).reason, "ETAG_MISMATCH");
  }
  await me.deleteWebhook({ name: webhook.name, etag: all.etag });
  assert.equal((await refusal(me.getWebhook({ name: webhook.name }))).reason, "PERMISSION_DENIED");
});

const big = (_: string, value: unknown) => (typeof value === "bigint" ? String(value) : value);

test("everything that is wrong is said at once, in both languages", async (t) => {
  const world = await World.start(t, allowed);
  const me = world.as("coordinator");
  const call = me.createWebhook({
    parent: "bodies/Opale",
    webhook: {
      url: "https://user@partner.example/",
      kinds: ["half-day", "halfDay", "a\u0007"],
      services: [9, 0],
      description: "x".repeat(501),
      contact: { email: "nobody" },
      state: DISABLED,
    },
    requestId: "1",
  });
  const { code, reason, fields } = await refusal(call);
  assert.equal(code, "InvalidArgument");
  assert.equal(reason, "INVALID_FIELDS");
  assert.deepEqual(fields, {
    parent: "FIELD_MALFORMED",
    "webhook.url": "FIELD_MALFORMED",
    "webhook.kinds[0]": "FIELD_MALFORMED",
    "webhook.kinds[2]": "FIELD_FORBIDDEN_CHARACTER",
    "webhook.services[0]": "UNKNOWN_ENUM_VALUE",
    "webhook.services[1]": "UNKNOWN_ENUM_VALUE",
    "webhook.description": "FIELD_TOO_LONG",
    "webhook.contact.name": "FIELD_REQUIRED",
    "webhook.contact.email": "FIELD_MALFORMED",
    "webhook.state": "FIELD_MALFORMED",
    request_id: "FIELD_MALFORMED",
  });
  const error = ConnectError.from(await call.catch((caught: unknown) => caught));
  const json = JSON.stringify(new Errors(contract(), quiet).toJson(error));
  assert.match(json, /is not a URL without a user/);
  assert.match(json, /n’a pas la forme attendue/);
  assert.ok(!json.includes("partner.example"), "an error does not repeat what was sent");
});

test("what else may be wrong with a request", async (t) => {
  const world = await World.start(t, allowed);
  const me = world.as("coordinator");
  const { webhook } = await world.webhook(URL_);
  const { name } = webhook;
  const cases: [Method, object, Record<string, string>][] = [
    ["createWebhook", {}, { parent: "FIELD_REQUIRED", webhook: "FIELD_REQUIRED" }],
    [
      "createWebhook",
      { parent: BODY, webhook: {} },
      { "webhook.url": "FIELD_REQUIRED", "webhook.contact": "FIELD_REQUIRED" },
    ],
    [
      "createWebhook",
      { parent: BODY, webhook: { url: URL_, contact: CONTACT, kinds: Array(51).fill("a") } },
      { "webhook.kinds": "FIELD_MALFORMED" },
    ],
    [
      "createWebhook",
      {
        parent: BODY,
        webhook: { url: `https://partner.example/${"x".repeat(2000)}`, contact: CONTACT },
      },
      { "webhook.url": "FIELD_TOO_LONG" },
    ],
    ["getWebhook", { name: "bodies/opale" }, { name: "FIELD_MALFORMED" }],
    ["getWebhook", { name: "" }, { name: "FIELD_REQUIRED" }],
    ["listWebhooks", { parent: BODY, pageSize: -1 }, { page_size: "FIELD_NEGATIVE" }],
    ["listWebhookDeliveries", { parent: name, state: 9 }, { state: "UNKNOWN_ENUM_VALUE" }],
    [
      "updateWebhook",
      { webhook: { name }, updateMask: { paths: ["name", "secret"] } },
      { update_mask: "UPDATE_MASK_INVALID" },
    ],
    [
      "updateWebhook",
      { webhook: { name }, updateMask: { paths: ["url", "contact"] } },
      { "webhook.url": "FIELD_REQUIRED", "webhook.contact": "FIELD_REQUIRED" },
    ],
    ["updateWebhook", { webhook: { url: URL_ } }, { "webhook.name": "FIELD_REQUIRED" }],
    [
      "updateWebhook",
      { webhook: { name: "bodies/opale/webhooks/A", url: "ftp://partner.example/" } },
      { "webhook.name": "FIELD_MALFORMED", "webhook.url": "FIELD_MALFORMED" },
    ],
    [
      "rotateWebhookSecret",
      { name, overlap: { seconds: 604_801n, nanos: 0 } },
      { overlap: "FIELD_OUT_OF_RANGE" },
    ],
    [
      "rotateWebhookSecret",
      { name, overlap: { seconds: -1n, nanos: 0 } },
      { overlap: "FIELD_OUT_OF_RANGE" },
    ],
    ["getWebhookDelivery", { name }, { name: "FIELD_MALFORMED" }],
  ];
  for (const [method, request, fields] of cases) {
    const refused = await refusal(me[method](request));
    assert.deepEqual(refused.fields, fields, `${method} ${JSON.stringify(request, big)}`);
    assert.equal(refused.code, "InvalidArgument");
  }
});

test("a host with an address that is not public is refused when it is named", async (t) => {
  const answers: Record<string, { address: string; family: number }[]> = {
    "inside.example": [{ address: "10.0.0.1", family: 4 }],
    "both.example": [
      { address: "93.184.215.14", family: 4 },
      { address: "fd00::1", family: 6 },
    ],
    "partner.example": [{ address: "93.184.215.14", family: 4 }],
  };
  const world = await World.start(t, {
    policy: {
      allowLoopback: false,
      resolve: async (host) => {
        const found = answers[host];
        if (found !== undefined) return found;
        const code = host === "later.example" ? "EAI_AGAIN" : "ENOTFOUND";
        throw Object.assign(new Error(code), { code });
      },
    },
  });
  for (const url of [
    "https://inside.example/",
    "https://both.example/",
    "https://absent.example/",
    "https://127.0.0.1/",
    "https://0x7f.1/",
    "https://[::ffff:a9fe:a9fe]/",
    "http://partner.example/",
  ]) {
    assert.deepEqual(
      (await refusal(world.webhook(url))).fields,
      { "webhook.url": "FIELD_MALFORMED" },
      url,
    );
  }
  const { webhook } = await world.webhook(URL_);
  await world.webhook("https://later.example/");
  const moved = world.as("coordinator").updateWebhook({
    webhook: { name: webhook.name, url: "https://inside.example/" },
  });
  assert.deepEqual((await refusal(moved)).fields, { "webhook.url": "FIELD_MALFORMED" });
});

test("who may do what, on what is their own, another's and another body's", async (t) => {
  const world = await World.start(t, allowed);
  const ofBody = (await world.webhook(URL_)).webhook.name as string;
  const ofFunder = (await world.webhook(URL_, {}, "funder")).webhook.name as string;
  const elsewhere = (await world.webhook(URL_, {}, "other-coordinator")).webhook.name as string;
  const absent = `${BODY}/webhooks/absent`;
  const seen: Record<string, boolean[]> = {};
  for (const token of Object.keys(CALLERS)) {
    seen[token] = [];
    for (const name of [ofBody, ofFunder, elsewhere]) {
      const delivery = `${name}/deliveries/none`;
      const me = world.as(token);
      const calls: [Method, object][] = [
        ["getWebhook", { name }],
        ["updateWebhook", { webhook: { name, description: "Essai" } }],
        ["rotateWebhookSecret", { name }],
        ["listWebhookDeliveries", { parent: name }],
      ];
      const outcomes: boolean[] = [];
      for (const [method, request] of calls) {
        try {
          await me[method](request);
          outcomes.push(true);
        } catch (error) {
          assert.equal(ConnectError.from(error).code, Code.PermissionDenied);
          outcomes.push(false);
        }
      }
      assert.equal(new Set(outcomes).size, 1, `${token} ${name}`);
      seen[token].push(outcomes[0] as boolean);
      // Absent and forbidden are one answer.
      const refused = await refusal(me.getWebhookDelivery({ name: delivery }));
      if (token !== "administrator") assert.equal(refused.reason, "PERMISSION_DENIED");
    }
    const missing = await refusal(world.as(token).getWebhook({ name: absent }));
    assert.equal(missing.reason, token === "administrator" ? "NOT_FOUND" : "PERMISSION_DENIED");
  }
  assert.deepEqual(seen, {
    coordinator: [true, true, false],
    "other-coordinator": [false, false, true],
    funder: [false, true, false],
    "other-funder": [false, false, false],
    "nameless-funder": [false, false, false],
    learner: [false, false, false],
    both: [true, true, false],
    administrator: [true, true, true],
    "body-administrator": [true, true, false],
    bodiless: [false, false, false],
  });

  const lists = async (token: string, parent = BODY) =>
    (await world.as(token).listWebhooks({ parent })).webhooks.map(
      (one: { name: string }) => one.name,
    );
  assert.deepEqual(await lists("coordinator"), [ofBody, ofFunder].sort());
  assert.deepEqual(await lists("funder"), [ofFunder]);
  assert.deepEqual(await lists("other-funder"), []);
  assert.deepEqual(await lists("administrator", "bodies/exemple"), [elsewhere]);
  for (const call of [
    lists("coordinator", "bodies/exemple"),
    world.as("funder").createWebhook({
      parent: "bodies/exemple",
      webhook: { url: URL_, contact: CONTACT },
    }),
  ]) {
    assert.equal((await refusal(call)).reason, "PERMISSION_DENIED");
  }
  for (const token of ["", "forged"]) {
    const refused = await refusal(world.as(token).listWebhooks({ parent: BODY }));
    assert.deepEqual([refused.code, refused.reason], ["Unauthenticated", "UNAUTHENTICATED"]);
  }
  // Of a body that is not there nobody but who sees all is told.
  const nowhere = (parent: string) =>
    world.as("administrator").createWebhook({ parent, webhook: { url: URL_, contact: CONTACT } });
  assert.equal((await refusal(nowhere("bodies/absent"))).reason, "NOT_FOUND");
  assert.equal((await nowhere(BODY)).webhook.funderId, "");
});

test("a request id makes one webhook, also when calls come at once", async (t) => {
  const world = await World.start(t, allowed);
  const me = world.as("coordinator");
  const request = { parent: BODY, webhook: { url: URL_, contact: CONTACT }, requestId: ID };
  const answers = await Promise.all(Array.from({ length: 8 }, () => me.createWebhook(request)));
  assert.equal(new Set(answers.map(({ webhook }) => webhook.name)).size, 1);
  assert.equal(answers.filter(({ secret }) => secret !== "").length, 1);
  assert.equal(world.store.countWebhooks(BODY, undefined), 1);
  // In the other case of letters it is the same id; with another request it is refused.
  const again = await me.createWebhook({ ...request, requestId: ID });
  assert.equal(again.secret, "");
  const other = { ...request, webhook: { url: `${URL_}2`, contact: CONTACT } };
  assert.equal((await refusal(me.createWebhook(other))).reason, "REQUEST_ID_REUSED");
  // Ids are the caller's own.
  const { webhook } = await world.as("both").createWebhook(request);
  assert.notEqual(webhook.name, answers[0].webhook.name);

  const name = answers[0].webhook.name;
  const first = await me.rotateWebhookSecret({ name, requestId: OTHER_ID });
  const second = await me.rotateWebhookSecret({ name, requestId: OTHER_ID });
  assert.notEqual(first.secret, "");
  assert.equal(second.secret, "");
  assert.deepEqual(second.webhook, first.webhook);
  const gone = { name, requestId: "8f14e45f-ceea-467f-a8c3-0f2e2b1d8a13" };
  await me.deleteWebhook(gone);
  await me.deleteWebhook(gone);
});

test("lists come in pages whose tokens fit the same list only", async (t) => {
  const world = await World.start(t, allowed);
  const names = Array.from({ length: 7 }, (_, i) => `${BODY}/webhooks/w${i}`);
  for (const name of names) {
    world.store.insertWebhook(
      row(name, { secret: world.key.seal("whsec_c2VjcmV0", name), state: PAUSED }),
    );
  }
  const me = world.as("coordinator");
  const got: string[] = [];
  let token = "";
  do {
    const page = await me.listWebhooks({ parent: BODY, pageSize: 3, pageToken: token });
    got.push(...page.webhooks.map((one: { name: string }) => one.name));
    token = page.nextPageToken;
  } while (token !== "");
  assert.deepEqual(got, names);

  const [first = "", second = ""] = names;
  for (let i = 0; i < 5; i++) {
    world.store.enqueue(
      first,
      {
        type: "enrolment.application.updated",
        resource: `${BODY}/x${i}`,
        orderKey: `${i}`,
        payload: "{}",
      },
      world.clock.now(),
    );
  }
  const page = await me.listWebhookDeliveries({ parent: first, pageSize: 2 });
  const rest = await me.listWebhookDeliveries({
    parent: first,
    pageSize: 9,
    pageToken: page.nextPageToken,
  });
  assert.deepEqual(
    [...page.webhookDeliveries, ...rest.webhookDeliveries].map((one) => one.resource),
    [4, 3, 2, 1, 0].map((i) => `${BODY}/x${i}`),
  );
  assert.equal(rest.nextPageToken, "");
  for (const request of [
    { parent: second, pageToken: page.nextPageToken },
    { parent: first, state: PENDING, pageToken: page.nextPageToken },
    { parent: first, pageToken: "bm9uZQ" },
    { parent: first, pageToken: Buffer.from('["3","0"]').toString("base64url") },
  ]) {
    assert.equal((await refusal(me.listWebhookDeliveries(request))).reason, "PAGE_TOKEN_INVALID");
  }
  const none = await me.listWebhookDeliveries({ parent: first, state: DELIVERED });
  assert.equal(none.webhookDeliveries.length, 0);
});

test("a test is sent at once, in any state, and says what came of it", async (t) => {
  const world = await World.start(t);
  const receiver = await Receiver.start(t);
  const me = world.as("coordinator");
  const { webhook } = await world.webhook(receiver.url(), { state: PAUSED });
  const { name } = webhook;
  const taken = await me.sendTestEvent({ name });
  assert.equal(taken.state, DELIVERED);
  assert.equal(taken.eventType, "webhook.test");
  assert.equal(taken.attempts[0].statusCode, 204);
  assert.deepEqual(receiver.received[0]?.data, { webhook: name });
  assert.equal(taken.name, `${name}/deliveries/${receiver.received[0]?.headers["webhook-id"]}`);
  receiver.answer = status(410);
  const refused = await me.sendTestEvent({ name });
  assert.equal(refused.state, GIVEN_UP);
  assert.equal(refused.attempts[0].failure, Failure.status);
  assert.equal((await me.getWebhook({ name })).state, PAUSED, "a test decides nothing");
  for (let i = 0; i < 8; i++) await me.sendTestEvent({ name });
  const over = await refusal(me.sendTestEvent({ name }));
  assert.deepEqual([over.code, over.reason], ["ResourceExhausted", "QUOTA_EXCEEDED"]);
  world.manual.advance(60_000);
  await me.sendTestEvent({ name });
});

test("a delivery is queued again under its id, whatever came of it", async (t) => {
  const world = await World.start(t);
  const receiver = await Receiver.start(t);
  const me = world.as("coordinator");
  const { webhook } = await world.webhook(receiver.url());
  world.feeds.enrolment.push({ kind: "application", resource: `${BODY}/applications/a` });
  await until(() => world.deliveries(webhook.name)[0]?.state === DELIVERED);
  const [{ name }] = (await me.listWebhookDeliveries({ parent: webhook.name })).webhookDeliveries;
  const request = { name, requestId: ID };
  const queued = await me.redeliverWebhookDelivery(request);
  assert.equal(queued.state, PENDING);
  await receiver.count(2);
  await until(() => world.deliveries(webhook.name)[0]?.state === DELIVERED);
  await me.redeliverWebhookDelivery(request);
  await settle();
  assert.equal(receiver.received.length, 2, "once for a request id");
  const [one, two] = receiver.received;
  assert.equal(one?.headers["webhook-id"], two?.headers["webhook-id"]);
  assert.equal(one?.body, two?.body);
  const shown = await me.getWebhookDelivery({ name });
  assert.equal(shown.attemptCount, 2);
  assert.equal(shown.nextAttemptTime, undefined);
  assert.equal((await me.getWebhook({ name: webhook.name })).pendingCount, 0);

  // One that waits is tried now.
  receiver.answer = status(500);
  world.feeds.enrolment.push({ kind: "application", resource: `${BODY}/applications/b` });
  await until(() => world.deliveries(webhook.name)[1]?.attemptCount === 1);
  receiver.answer = status(204);
  const waiting = `${webhook.name}/deliveries/${world.deliveries(webhook.name)[1]?.id}`;
  await me.redeliverWebhookDelivery({ name: waiting });
  await until(() => world.deliveries(webhook.name)[1]?.state === DELIVERED);
  assert.equal((await me.getWebhook({ name: webhook.name })).pendingCount, 0);

  // Nothing is sent to one that is disabled.
  receiver.answer = status(410);
  world.feeds.enrolment.push({ kind: "application", resource: `${BODY}/applications/c` });
  await until(() => world.store.webhook(webhook.name)?.state === DISABLED);
  assert.equal((await refusal(me.redeliverWebhookDelivery({ name }))).reason, "ILLEGAL_TRANSITION");
});

test("before the place in the feeds is known no webhook is created", async (t) => {
  const world = await World.start(t, { ...allowed, start: false });
  const refused = await refusal(world.webhook(URL_));
  assert.deepEqual([refused.code, refused.reason], ["Unavailable", "OWNER_UNAVAILABLE"]);
  world.store.saveFeedToken("scheduling", "", "a:0");
  await world.webhook(URL_, { services: [2] });
});

test("a body has at most 100 webhooks, a funder 10 of them", async (t) => {
  const world = await World.start(t, allowed);
  for (let i = 0; i < 10; i++) await world.webhook(URL_, {}, "funder");
  assert.equal((await refusal(world.webhook(URL_, {}, "funder"))).reason, "ILLEGAL_TRANSITION");
  for (let i = 0; i < 90; i++) await world.webhook(URL_);
  assert.equal((await refusal(world.webhook(URL_))).reason, "ILLEGAL_TRANSITION");
  await world.webhook(URL_, {}, "other-coordinator");
});

test("changes and reads of contacts stand in the journal", async (t) => {
  const world = await World.start(t, allowed);
  const me = world.as("coordinator");
  const { webhook } = await world.webhook(URL_);
  await me.getWebhook({ name: webhook.name });
  await me.listWebhooks({ parent: BODY });
  await me.listWebhookDeliveries({ parent: webhook.name });
  await me.deleteWebhook({ name: webhook.name, requestId: ID });
  await refusal(me.deleteWebhook({ name: webhook.name }));
  assert.deepEqual(
    world.store.journal().map((one) => [one.subject, one.method, one.resource, one.request_id]),
    [
      ["camille", "CreateWebhook", webhook.name, ""],
      ["camille", "GetWebhook", webhook.name, ""],
      ["camille", "ListWebhooks", BODY, ""],
      ["camille", "DeleteWebhook", webhook.name, ID],
    ],
  );
});

test("without a database every method says that it is not offered", async () => {
  const transport = createAbsentWebhookTransport(contract(), new Errors(contract(), quiet));
  const service = contract().registry.getService("parcours.gateway.v1.WebhookService");
  for (const method of service?.methods ?? []) {
    const call = transport.unary(method as never, undefined, undefined, undefined, {} as never);
    const refused = await refusal(call);
    assert.deepEqual([refused.code, refused.reason], ["Unimplemented", "METHOD_NOT_OFFERED"]);
  }
});
