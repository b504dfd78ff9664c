import { randomBytes } from "node:crypto";
import {
  create,
  type DescMethod,
  type DescService,
  type Message,
  toBinary,
} from "@bufbuild/protobuf";
import { type Duration, durationFromMs, timestampFromMs } from "@bufbuild/protobuf/wkt";
import { createRouterTransport, type HandlerContext, type Transport } from "@connectrpc/connect";
import type { Contract } from "../contract/contract.ts";
import type { Errors, Violation } from "../errors.ts";
import { type Caller, Gate, type Reach } from "./access.ts";
import {
  type AddressPolicy,
  AddressRefused,
  checkedAddresses,
  literalOf,
  malformation,
} from "./addresses.ts";
import type { Clock } from "./clock.ts";
import { feedKey, sourcesOf, type WebhookDispatcher } from "./dispatcher.ts";
import { ACTIVE, type DeliveryRow, DISABLED, PAUSED, PENDING, type WebhookRow } from "./record.ts";
import { type MasterKey, newSecret } from "./secrets.ts";
import type { Store } from "./store.ts";
import { RequestRules } from "./validation.ts";

export interface WebhookServiceOptions {
  readonly contract: Contract;
  readonly errors: Errors;
  readonly clock: Clock;
  readonly store: Store;
  readonly key: MasterKey;
  readonly policy: AddressPolicy;
  readonly dispatcher: WebhookDispatcher;
  /** Who says who calls. */
  readonly enrolment: Transport;
}

const SERVICE = "parcours.gateway.v1.WebhookService";

const MOST_OF_BODY = 100;
const MOST_OF_FUNDER = 10;
const OVERLAP_MS = 24 * 3600 * 1000;
const LONGEST_OVERLAP_MS = 7 * OVERLAP_MS;
const TESTS_A_MINUTE = 10;
const MINUTE_MS = 60_000;
const DEFAULT_PAGE = 50;
const LONGEST_PAGE = 500;

/** What a caller may write, by its path in update_mask. */
const WRITABLE = [
  "url",
  "kinds",
  "services",
  "description",
  "contact",
  "contact.name",
  "contact.email",
  "state",
];

// The messages of the contract, as far as requests are read here.
interface WebhookMessage {
  name: string;
  url: string;
  kinds: string[];
  services: number[];
  description: string;
  contact?: { name: string; email: string };
  state: number;
  etag: string;
}
interface CreateRequest {
  parent: string;
  webhook: WebhookMessage;
  requestId: string;
}
interface UpdateRequest {
  webhook: WebhookMessage;
  updateMask?: { paths: string[] };
  requestId: string;
}
interface NameRequest {
  name: string;
  etag: string;
  requestId: string;
}
interface RotateRequest extends NameRequest {
  overlap?: Duration;
}
interface ListRequest {
  parent: string;
  pageSize: number;
  pageToken: string;
  state: number;
}

/** One call: who, within what, and which method. */
interface Call {
  readonly method: DescMethod;
  readonly caller: Caller;
  readonly reach: Reach;
  readonly headers: Headers;
  readonly signal: AbortSignal;
}

/** The methods of WebhookService, over a transport within this process. */
export function createWebhookTransport(options: WebhookServiceOptions): Transport {
  const desc = options.contract.registry.getService(SERVICE) as DescService;
  const methods = new WebhookMethods(options);
  return createRouterTransport(({ service }) => {
    service(desc, methods.implementation(desc) as never);
  });
}

/** The same without a record: every method is METHOD_NOT_OFFERED. */
export function createAbsentWebhookTransport(contract: Contract, errors: Errors): Transport {
  const desc = contract.registry.getService(SERVICE) as DescService;
  const refuse = () => {
    throw errors.make("METHOD_NOT_OFFERED");
  };
  return createRouterTransport(({ service }) => {
    const all = desc.methods.map((method) => [method.localName, refuse]);
    service(desc, Object.fromEntries(all) as never);
  });
}

class WebhookMethods {
  readonly #options: WebhookServiceOptions;
  readonly #gate: Gate;
  readonly #rules: RequestRules;
  /** When tests were sent within the last minute, by webhook. */
  readonly #tests = new Map<string, number[]>();

  constructor(options: WebhookServiceOptions) {
    this.#options = options;
    this.#gate = new Gate(options.contract, options.errors, options.enrolment);
    this.#rules = new RequestRules(options.contract);
  }

  implementation(desc: DescService) {
    const handlers: Record<string, (call: Call, request: never) => unknown> = {
      createWebhook: (call, request) => this.#create(call, request),
      getWebhook: (call, request) => this.#get(call, request),
      listWebhooks: (call, request) => this.#list(call, request),
      updateWebhook: (call, request) => this.#update(call, request),
      deleteWebhook: (call, request) => this.#delete(call, request),
      rotateWebhookSecret: (call, request) => this.#rotate(call, request),
      sendTestEvent: (call, request) => this.#sendTest(call, request),
      listWebhookDeliveries: (call, request) => this.#listDeliveries(call, request),
      getWebhookDelivery: (call, request) => this.#getDelivery(call, request),
      redeliverWebhookDelivery: (call, request) => this.#redeliver(call, request),
    };
    return Object.fromEntries(
      desc.methods.map((method) => [
        method.localName,
        async (request: Message, context: HandlerContext) => {
          const handler = handlers[method.localName];
          if (handler === undefined) throw this.#options.errors.make("METHOD_NOT_OFFERED");
          const { requestHeader: headers, signal } = context;
          const caller = await this.#gate.caller(headers, signal);
          const reach = this.#gate.reach(method, caller);
          this.#check(method, request);
          const call = { method, caller, reach, headers, signal };
          return create(
            method.output,
            (await handler(call, request as never)) as Record<string, unknown>,
          );
        },
      ]),
    );
  }

  // The methods.

  async #create(call: Call, request: CreateRequest) {
    const { store, clock, key, dispatcher } = this.#options;
    this.#checkWithin(call, request.parent);
    await this.#checkUrl(request.webhook.url, "webhook.url");
    if (call.reach.body === "")
      await this.#gate.checkBody(request.parent, call.headers, call.signal);
    const secret = newSecret();
    const { name, repeated } = this.#once(call, request.requestId, request, () => {
      const funder = call.reach.funder ?? "";
      this.#checkRoom(call, request.parent, funder);
      const now = clock.now();
      const name = `${request.parent}/webhooks/${randomBytes(12).toString("hex")}`;
      const { webhook } = request;
      this.#follow(webhook.services, funder);
      store.insertWebhook({
        name,
        body: request.parent,
        url: webhook.url,
        kinds: webhook.kinds,
        services: webhook.services,
        description: webhook.description.normalize("NFC"),
        contactName: (webhook.contact?.name ?? "").normalize("NFC"),
        contactEmail: webhook.contact?.email ?? "",
        state: webhook.state || ACTIVE,
        disabledReason: 0,
        funder,
        creator: call.caller.subject,
        secret: key.seal(secret, name),
        secretTime: now,
        previousSecret: null,
        previousExpires: null,
        lastSuccess: null,
        failingSince: null,
        notBefore: 0,
        pending: 0,
        version: 1,
        createTime: now,
        updateTime: now,
      });
      return name;
    });
    dispatcher.followFeeds();
    return {
      webhook: this.#message(this.#find(call, name)),
      secret: repeated ? "" : secret,
    };
  }

  #get(call: Call, request: NameRequest) {
    const webhook = this.#find(call, request.name);
    this.#noteRead(call, webhook.name);
    return this.#message(webhook);
  }

  #list(call: Call, request: ListRequest) {
    this.#checkWithin(call, request.parent);
    const size = pageSize(request);
    const after = this.#readPageToken(call, request) ?? "";
    const found = this.#options.store.webhooksOf(
      request.parent,
      call.reach.funder,
      after,
      size + 1,
    );
    const page = found.slice(0, size);
    this.#noteRead(call, request.parent);
    return {
      webhooks: page.map((webhook) => this.#message(webhook)),
      nextPageToken:
        found.length > size ? this.#pageToken(call, request, page.at(-1)?.name as string) : "",
    };
  }

  async #update(call: Call, request: UpdateRequest) {
    const { store, clock, dispatcher } = this.#options;
    const mask = maskOf(request);
    const { webhook: wanted } = request;
    if (mask.has("url")) {
      this.#find(call, wanted.name);
      await this.#checkUrl(wanted.url, "webhook.url");
    }
    const { name } = this.#once(call, request.requestId, request, () => {
      const webhook = this.#find(call, wanted.name);
      this.#checkEtag(webhook, wanted.etag);
      const now = clock.now();
      const changed: WebhookRow = { ...webhook, version: webhook.version + 1, updateTime: now };
      if (mask.has("url")) changed.url = wanted.url;
      if (mask.has("kinds")) changed.kinds = wanted.kinds;
      if (mask.has("services")) changed.services = wanted.services;
      if (mask.has("description")) changed.description = wanted.description.normalize("NFC");
      if (mask.has("contact") || mask.has("contact.name")) {
        changed.contactName = (wanted.contact?.name ?? "").normalize("NFC");
      }
      if (mask.has("contact") || mask.has("contact.email")) {
        changed.contactEmail = wanted.contact?.email ?? "";
      }
      if (mask.has("services")) this.#follow(changed.services, changed.funder);
      if (mask.has("state")) {
        changed.state = wanted.state || ACTIVE;
        changed.disabledReason = 0;
        if (webhook.state === DISABLED) {
          changed.failingSince = null;
          changed.notBefore = 0;
        }
      }
      store.updateWebhook(changed);
      // What happened while it was disabled was not queued.
      if (webhook.state === DISABLED && changed.state !== DISABLED) {
        dispatcher.queueResets(changed, "WEBHOOK_ENABLED");
      }
      return webhook.name;
    });
    dispatcher.wake();
    return this.#message(this.#find(call, name));
  }

  #delete(call: Call, request: NameRequest) {
    const { store, dispatcher } = this.#options;
    this.#once(call, request.requestId, request, () => {
      const webhook = this.#find(call, request.name);
      this.#checkEtag(webhook, request.etag);
      store.deleteWebhook(webhook.name);
      if (webhook.funder !== "" && store.webhooksByFunder(webhook.funder).length === 0) {
        store.forgetFeeds(feedKey(webhook.funder));
      }
      return webhook.name;
    });
    this.#tests.delete(request.name);
    dispatcher.followFeeds();
    return {};
  }

  #rotate(call: Call, request: RotateRequest) {
    const { store, clock, key } = this.#options;
    const overlap = request.overlap === undefined ? OVERLAP_MS : milliseconds(request.overlap);
    const secret = newSecret();
    const { name, repeated } = this.#once(call, request.requestId, request, () => {
      const webhook = this.#find(call, request.name);
      this.#checkEtag(webhook, request.etag);
      const now = clock.now();
      store.updateWebhook({
        ...webhook,
        secret: key.seal(secret, webhook.name),
        secretTime: now,
        previousSecret: overlap > 0 ? webhook.secret : null,
        previousExpires: overlap > 0 ? now + overlap : null,
        version: webhook.version + 1,
        updateTime: now,
      });
      return webhook.name;
    });
    return {
      webhook: this.#message(this.#find(call, name)),
      secret: repeated ? "" : secret,
    };
  }

  async #sendTest(call: Call, request: NameRequest) {
    const { dispatcher, store } = this.#options;
    const webhook = this.#find(call, request.name);
    this.#countTest(webhook.name);
    store.transaction(() => this.#note(call, webhook.name, ""));
    const id = await dispatcher.sendTest(webhook);
    const delivery = store.delivery(webhook.name, id);
    if (delivery === undefined) throw this.#absent(call, webhook.name);
    return this.#deliveryMessage(delivery);
  }

  #listDeliveries(call: Call, request: ListRequest) {
    const webhook = this.#find(call, request.parent);
    const size = pageSize(request);
    const before = this.#readPageToken(call, request);
    const found = this.#options.store.deliveriesOf(
      webhook.name,
      request.state,
      before === undefined ? Number.MAX_SAFE_INTEGER : Number(before),
      size + 1,
    );
    const page = found.slice(0, size);
    return {
      webhookDeliveries: page.map((delivery) => this.#deliveryMessage(delivery)),
      nextPageToken:
        found.length > size ? this.#pageToken(call, request, String(page.at(-1)?.sequence)) : "",
    };
  }

  #getDelivery(call: Call, request: NameRequest) {
    return this.#deliveryMessage(this.#findDelivery(call, request.name));
  }

  #redeliver(call: Call, request: NameRequest) {
    const { store, clock, dispatcher, errors } = this.#options;
    this.#once(call, request.requestId, request, () => {
      const delivery = this.#findDelivery(call, request.name);
      const webhook = this.#find(call, delivery.webhook);
      if (webhook.state === DISABLED) {
        throw errors.make("ILLEGAL_TRANSITION", {
          resource: webhook.name,
          state: "DISABLED",
          action: "RedeliverWebhookDelivery",
        });
      }
      store.requeue(delivery, clock.now());
      return request.name;
    });
    dispatcher.wake();
    return this.#deliveryMessage(this.#findDelivery(call, request.name));
  }

  // What is checked.

  #check(method: DescMethod, request: Message): void {
    const { errors, policy } = this.#options;
    const update =
      method.localName === "updateWebhook" ? (request as never as UpdateRequest) : undefined;
    const masked = update === undefined ? undefined : { field: "webhook", mask: maskOf(update) };
    const found: Violation[] = this.#rules.violations(method.input, request, masked);
    const isNew = (field: string) => !found.some((one) => one.field === field);
    const webhook = (request as never as { webhook?: WebhookMessage }).webhook;
    if (
      update !== undefined &&
      webhook !== undefined &&
      webhook.name === "" &&
      isNew("webhook.name")
    ) {
      found.push({ field: "webhook.name", reason: "FIELD_REQUIRED" });
    } else if (
      update !== undefined &&
      webhook !== undefined &&
      !/^bodies\/[a-z0-9-]{1,63}\/webhooks\/[a-z0-9-]{1,63}$/.test(webhook.name)
    ) {
      found.push({
        field: "webhook.name",
        reason: "FIELD_MALFORMED",
        metadata: { expected: "a name bodies/*/webhooks/*" },
      });
    }
    if (webhook !== undefined && webhook.url !== "" && isNew("webhook.url")) {
      const expected = malformation(policy, webhook.url);
      if (expected !== undefined) {
        found.push({ field: "webhook.url", reason: "FIELD_MALFORMED", metadata: { expected } });
      }
    }
    for (const [i, kind] of (webhook?.kinds ?? []).entries()) {
      if (isNew(`webhook.kinds[${i}]`) && !/^[A-Za-z_]{1,63}$/.test(kind)) {
        found.push({
          field: `webhook.kinds[${i}]`,
          reason: "FIELD_MALFORMED",
          metadata: { expected: "a kind of the change feed, as application" },
        });
      }
    }
    const mayNotBe = update === undefined || maskOf(update).has("state");
    if (
      webhook !== undefined &&
      mayNotBe &&
      ![0, ACTIVE, PAUSED].includes(webhook.state) &&
      isNew("webhook.state")
    ) {
      found.push({
        field: "webhook.state",
        reason: "FIELD_MALFORMED",
        metadata: { expected: "ACTIVE or PAUSED" },
      });
    }
    for (const path of update?.updateMask?.paths ?? []) {
      if (path !== "*" && !WRITABLE.includes(path)) {
        found.push({ field: "update_mask", reason: "UPDATE_MASK_INVALID", metadata: { path } });
      }
    }
    const { overlap } = request as never as RotateRequest;
    if (overlap !== undefined) {
      const asked = milliseconds(overlap);
      if (asked < 0 || asked > LONGEST_OVERLAP_MS) {
        found.push({
          field: "overlap",
          reason: "FIELD_OUT_OF_RANGE",
          metadata: { minimum: "0s", maximum: `${LONGEST_OVERLAP_MS / 1000}s` },
        });
      }
    }
    if (found.length > 0) throw errors.invalid(found);
  }

  /** Every address that the host has now must be allowed; later ones are checked when used. */
  async #checkUrl(text: string, field: string): Promise<void> {
    const { policy, errors } = this.#options;
    const url = new URL(text);
    if (literalOf(url) !== undefined) return;
    let expected: string | undefined;
    try {
      await checkedAddresses(policy, url.hostname);
    } catch (error) {
      if (error instanceof AddressRefused) expected = "a URL with a public address";
      // A resolver that is away for a moment decides nothing.
      else if (/^(ENOTFOUND|ENODATA)$/.test(String((error as NodeJS.ErrnoException).code))) {
        expected = "a URL whose host has an address";
      }
    }
    if (expected !== undefined) {
      throw errors.invalid([{ field, reason: "FIELD_MALFORMED", metadata: { expected } }]);
    }
  }

  #checkWithin(call: Call, body: string): void {
    if (call.reach.body !== "" && call.reach.body !== body) {
      throw this.#options.errors.make("PERMISSION_DENIED");
    }
  }

  #checkEtag(webhook: WebhookRow, etag: string): void {
    if (etag === "" || etag === etagOf(webhook)) return;
    throw this.#options.errors.make("ETAG_MISMATCH", { resource: webhook.name });
  }

  #checkRoom(call: Call, body: string, funder: string): void {
    const { store, errors } = this.#options;
    const full = (limit: number, of: string) =>
      errors.make("ILLEGAL_TRANSITION", {
        resource: of,
        state: {
          en: `at its limit of ${limit} webhooks`,
          fr: `à sa limite de ${limit} webhooks`,
        },
        action: call.method.name,
      });
    if (funder !== "" && store.countWebhooks(body, funder) >= MOST_OF_FUNDER) {
      throw full(MOST_OF_FUNDER, funder);
    }
    if (store.countWebhooks(body, undefined) >= MOST_OF_BODY) throw full(MOST_OF_BODY, body);
  }

  /** Before the place in a feed is known, nothing can be promised from there on. */
  #follow(services: number[], funder: string): void {
    const { store, errors } = this.#options;
    const unknown = sourcesOf({ services }).filter(
      (source) => store.feedToken(source, "") === undefined,
    );
    if (unknown.length > 0) {
      throw errors.make("OWNER_UNAVAILABLE", {
        resource: {
          en: `the change feed of ${unknown.join(", ")}`,
          fr: `le flux de changements de ${unknown.join(", ")}`,
        },
      });
    }
    if (funder === "") return;
    const key = feedKey(funder);
    for (const source of sourcesOf({ services: [] })) {
      const token = store.feedToken(source, "");
      if (token !== undefined && store.feedToken(source, key) === undefined) {
        store.saveFeedToken(source, key, token);
      }
    }
  }

  #countTest(webhook: string): void {
    const { clock, errors } = this.#options;
    const now = clock.now();
    const recent = (this.#tests.get(webhook) ?? []).filter((time) => time > now - MINUTE_MS);
    if (recent.length >= TESTS_A_MINUTE) {
      const wait = Math.ceil(((recent[0] as number) + MINUTE_MS - now) / 1000);
      throw errors.later("QUOTA_EXCEEDED", wait, { seconds: String(wait) });
    }
    this.#tests.set(webhook, [...recent, now]);
  }

  // What is found.

  #find(call: Call, name: string): WebhookRow {
    const webhook = this.#options.store.webhook(name);
    const { body, funder } = call.reach;
    const within =
      webhook !== undefined &&
      (body === "" || webhook.body === body) &&
      (funder === undefined || webhook.funder === funder);
    if (!within) throw this.#absent(call, name);
    return webhook;
  }

  #findDelivery(call: Call, name: string): DeliveryRow {
    const [parent, id] = name.split("/deliveries/") as [string, string];
    const webhook = this.#find(call, parent);
    const delivery = this.#options.store.delivery(webhook.name, id);
    if (delivery === undefined) throw this.#absent(call, name);
    return delivery;
  }

  /** Absent and forbidden are one answer to who does not see everything. */
  #absent(call: Call, resource: string) {
    const { errors } = this.#options;
    return call.reach.body === ""
      ? errors.make("NOT_FOUND", { resource })
      : errors.make("PERMISSION_DENIED");
  }

  /**
   * Makes a change once for a request id, with its entry in the journal; the name of
   * what it made, or had made.
   */
  #once(
    call: Call,
    requestId: string,
    request: unknown,
    change: () => string,
  ): { name: string; repeated: boolean } {
    const { store, clock, key, errors } = this.#options;
    return store.transaction(() => {
      const id = key.digest(call.caller.subject, call.method.name, requestId.toLowerCase());
      const digest = key.digest(toBinary(call.method.input, request as Message));
      const before = requestId === "" ? undefined : store.request(id);
      if (before !== undefined) {
        if (before.digest !== digest) throw errors.make("REQUEST_ID_REUSED");
        return { name: before.outcome, repeated: true };
      }
      const name = change();
      if (requestId !== "") store.saveRequest(id, digest, name, clock.now());
      this.#note(call, name, requestId);
      return { name, repeated: false };
    });
  }

  #noteRead(call: Call, resource: string): void {
    if (this.#gate.isJournalled(call.method)) this.#note(call, resource, "");
  }

  #note(call: Call, resource: string, requestId: string): void {
    this.#options.store.note({
      time: this.#options.clock.now(),
      subject: call.caller.subject,
      method: call.method.name,
      resource,
      requestId,
    });
  }

  // Pages.

  #pageToken(call: Call, request: ListRequest, last: string): string {
    return Buffer.from(JSON.stringify([last, this.#pageDigest(call, request, last)])).toString(
      "base64url",
    );
  }

  #readPageToken(call: Call, request: ListRequest): string | undefined {
    if (request.pageToken === "") return undefined;
    try {
      const [last, digest] = JSON.parse(Buffer.from(request.pageToken, "base64url").toString());
      if (typeof last === "string" && digest === this.#pageDigest(call, request, last)) return last;
    } catch {
      // Not one of ours.
    }
    throw this.#options.errors.make("PAGE_TOKEN_INVALID");
  }

  #pageDigest(call: Call, request: ListRequest, last: string): string {
    return this.#options.key
      .digest("page", call.method.name, request.parent, String(request.state ?? 0), last)
      .slice(0, 32);
  }

  // Messages of answers.

  #message(webhook: WebhookRow) {
    const now = this.#options.clock.now();
    const overlaps = webhook.previousExpires !== null && webhook.previousExpires > now;
    return {
      name: webhook.name,
      url: webhook.url,
      kinds: webhook.kinds,
      services: webhook.services,
      description: webhook.description,
      contact: { name: webhook.contactName, email: webhook.contactEmail },
      state: webhook.state,
      disabledReason: webhook.disabledReason,
      funderId: webhook.funder,
      creator: webhook.creator,
      secretCreateTime: timestampFromMs(webhook.secretTime),
      ...(overlaps
        ? { previousSecretExpireTime: timestampFromMs(webhook.previousExpires as number) }
        : {}),
      ...(webhook.lastSuccess === null
        ? {}
        : { lastSuccessTime: timestampFromMs(webhook.lastSuccess) }),
      ...(webhook.failingSince === null
        ? {}
        : { failingSinceTime: timestampFromMs(webhook.failingSince) }),
      pendingCount: webhook.pending,
      etag: etagOf(webhook),
      createTime: timestampFromMs(webhook.createTime),
      updateTime: timestampFromMs(webhook.updateTime),
    };
  }

  #deliveryMessage(delivery: DeliveryRow) {
    const attempts = this.#options.store.attempts(delivery.sequence);
    return {
      name: `${delivery.webhook}/deliveries/${delivery.id}`,
      eventType: delivery.type,
      resource: delivery.resource,
      payload: delivery.payload,
      state: delivery.state,
      attempts: attempts.map((attempt) => ({
        attemptTime: timestampFromMs(attempt.time),
        duration: durationFromMs(attempt.durationMs),
        statusCode: attempt.status,
        failure: attempt.failure,
      })),
      attemptCount: delivery.attemptCount,
      ...(delivery.state === PENDING && delivery.ready
        ? { nextAttemptTime: timestampFromMs(delivery.nextAttempt) }
        : {}),
      createTime: timestampFromMs(delivery.createTime),
      ...(delivery.endTime === null ? {} : { endTime: timestampFromMs(delivery.endTime) }),
    };
  }
}

function etagOf(webhook: WebhookRow): string {
  return `"v${webhook.version}"`;
}

function pageSize(request: ListRequest): number {
  return Math.min(request.pageSize || DEFAULT_PAGE, LONGEST_PAGE);
}

function milliseconds({ seconds, nanos }: Duration): number {
  return Number(seconds) * 1000 + nanos / 1e6;
}

/** The paths that an update writes: those that are named, all, or those that are set. */
function maskOf({ updateMask, webhook }: UpdateRequest): ReadonlySet<string> {
  if (updateMask !== undefined && updateMask.paths.length > 0) {
    if (updateMask.paths.includes("*")) return new Set(WRITABLE);
    return new Set(updateMask.paths);
  }
  const set: string[] = [];
  if (webhook === undefined) return new Set();
  if (webhook.url !== "") set.push("url");
  if (webhook.kinds.length > 0) set.push("kinds");
  if (webhook.services.length > 0) set.push("services");
  if (webhook.description !== "") set.push("description");
  if (webhook.contact !== undefined) set.push("contact");
  if (webhook.state !== 0) set.push("state");
  return new Set(set);
}
