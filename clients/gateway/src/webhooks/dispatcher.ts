import { randomUUID } from "node:crypto";
import type { Transport } from "@connectrpc/connect";
import type { Contract } from "../contract/contract.ts";
import type { Errors } from "../errors.ts";
import type { Log } from "../log.ts";
import type { Clock } from "./clock.ts";
import {
  changeEvent,
  type Event,
  type FeedChange,
  type ResetReason,
  resetEvent,
  SOURCES,
  type Source,
  testEvent,
} from "./events.ts";
import { Follower } from "./follower.ts";
import {
  ACTIVE,
  DELIVERED,
  type DeliveryRow,
  DISABLED,
  FAILING,
  Failure,
  GIVEN_UP,
  GONE,
  type WebhookRow,
} from "./record.ts";
import type { MasterKey } from "./secrets.ts";
import type { Outcome, Sender } from "./sender.ts";
import type { Store } from "./store.ts";

const HOUR_MS = 3600 * 1000;
const DAY_MS = 24 * HOUR_MS;

const FIRST_RETRY_MS = 5_000;
const RETRY_FACTOR = 4;
const LONGEST_RETRY_MS = 12 * HOUR_MS;
/** From its first attempt on, a delivery is tried this long. */
export const GIVE_UP_AFTER_MS = 72 * HOUR_MS;
/** A webhook that does nothing but fail is disabled after this. */
export const DISABLE_AFTER_MS = 5 * DAY_MS;
/** What ended is kept this long, and request ids. */
export const KEPT_MS = 30 * DAY_MS;
const JOURNAL_KEPT_MS = 365 * DAY_MS;
export const MOST_PENDING = 10_000;
const AT_ONCE_FOR_ONE = 8;
const AT_ONCE = 64;
const SWAPPED_BY_MS = 2_000;
/** After what came of a delivery could not be kept: receivers are not to pay for it. */
const HOLD_MS = 10_000;

/** Misbehaviour that receivers must bear: for sandboxes. */
export interface Faults {
  /** Every event that was taken is sent again at once. */
  readonly duplicate?: boolean;
  /** Every other event is held for 2 s, and no event waits for an earlier one. */
  readonly outOfOrder?: boolean;
}

export interface DispatcherOptions {
  readonly store: Store;
  readonly key: MasterKey;
  readonly sender: Sender;
  readonly clock: Clock;
  readonly log: Log;
  readonly contract: Contract;
  readonly errors: Errors;
  /** To each service, with a certificate that may read all of its feed. */
  readonly feeds: Record<Source, Transport>;
  /** In [0, 1). */
  readonly random?: () => number;
  readonly faults?: Faults;
  readonly mostPending?: number;
}

/** How long to wait after the attempt with that number, the first being 1. */
export function retryDelay(tries: number, random: number): number {
  const delay = Math.min(FIRST_RETRY_MS * RETRY_FACTOR ** (tries - 1), LONGEST_RETRY_MS);
  return Math.round(delay * (0.8 + 0.4 * random));
}

/** The key by which a webhook's changes come: empty for the whole body's. */
export function feedKey(funder: string): string {
  return funder === "" ? "" : `funder:${funder}`;
}

/** The services whose changes a webhook gets. */
export function sourcesOf(webhook: Pick<WebhookRow, "services">): Source[] {
  return SOURCES.filter(
    (_, i) => webhook.services.length === 0 || webhook.services.includes(i + 1),
  );
}

/** Whether a webhook gets a change of what its feed gives. */
export function concerns(webhook: WebhookRow, source: Source, change: FeedChange): boolean {
  return (
    webhook.state !== DISABLED &&
    (change.resource === webhook.body || change.resource.startsWith(`${webhook.body}/`)) &&
    (webhook.kinds.length === 0 || webhook.kinds.includes(change.kind)) &&
    sourcesOf(webhook).includes(source)
  );
}

/**
 * Follows the change feeds, queues what concerns each webhook in the transaction
 * that keeps the position, and sends what is queued.
 */
export class WebhookDispatcher {
  readonly #options: DispatcherOptions;
  readonly #random: () => number;
  readonly #followers = new Map<string, Follower[]>();
  /** By webhook: the order keys of what is under way. */
  readonly #underWay = new Map<string, Set<string>>();
  readonly #sending = new Set<Promise<void>>();
  readonly #stopped = new AbortController();
  #started = false;
  #pumping = false;
  #turn = 0;
  #queued = 0;
  #holdUntil = 0;
  #cancelWake: () => void = () => {};
  #cancelCleaning: () => void = () => {};

  constructor(options: DispatcherOptions) {
    this.#options = options;
    this.#random = options.random ?? Math.random;
  }

  start(): void {
    if (this.#started) return;
    this.#started = true;
    this.followFeeds();
    this.#clean();
    this.wake();
  }

  /** What is under way is cut off and will be sent again. */
  async stop(): Promise<void> {
    this.#stopped.abort();
    this.#cancelWake();
    this.#cancelCleaning();
    await Promise.all([...this.#followers.values()].flat().map((follower) => follower.stop()));
    await Promise.all(this.#sending);
  }

  /** Follows the feeds that webhooks need, and no others. */
  followFeeds(): void {
    if (!this.#started || this.#stopped.signal.aborted) return;
    const { store, log } = this.#options;
    const wanted = new Set(["", ...store.funders().map(feedKey)]);
    for (const [key, followers] of this.#followers) {
      if (wanted.has(key)) continue;
      this.#followers.delete(key);
      for (const follower of followers) {
        follower.stop().catch((error) => log.error("feed not left", { error: String(error) }));
      }
    }
    for (const key of wanted) {
      if (this.#followers.has(key)) continue;
      const followers = SOURCES.map((source) => this.#follower(source, key));
      this.#followers.set(key, followers);
      for (const follower of followers) follower.start();
    }
  }

  /** Looks at once for what may be sent. */
  wake(): void {
    if (!this.#started || this.#stopped.signal.aborted || this.#pumping) return;
    this.#pumping = true;
    queueMicrotask(() => {
      this.#pumping = false;
      if (this.#stopped.signal.aborted) return;
      try {
        this.#pump();
      } catch (error) {
        this.#options.log.error("webhooks are not sent", { error: String(error) });
        this.#wakeAfter(1_000);
      }
    });
  }

  /** Sends a test and keeps what came of it. */
  async sendTest(webhook: WebhookRow): Promise<string> {
    const { store, clock } = this.#options;
    const id = randomUUID();
    const event = testEvent(webhook.name, clock.now());
    const outcome = await this.#send(webhook, id, event.payload);
    store.transaction(() => {
      if (store.webhook(webhook.name) === undefined) return;
      store.insertEnded(webhook.name, id, event, outcome, clock.now());
    });
    return id;
  }

  /** Queues "read the lists again" of each of a webhook's services. */
  queueResets(webhook: WebhookRow, reason: ResetReason): void {
    const { store, clock } = this.#options;
    for (const source of sourcesOf(webhook)) {
      const token = store.feedToken(source, feedKey(webhook.funder)) ?? "";
      this.#enqueue(webhook.name, resetEvent(source, reason, token, clock.now()));
    }
  }

  #follower(source: Source, key: string): Follower {
    const { store, contract, errors, clock, log, feeds } = this.#options;
    return new Follower({
      source,
      key,
      transport: feeds[source],
      contract,
      errors,
      clock,
      log,
      random: this.#random,
      token: () => store.feedToken(source, key),
      keep: (changes, token) => this.#keep(source, key, changes, token),
      reset: (reason, token) => this.#reset(source, key, reason, token),
    });
  }

  #keep(source: Source, key: string, changes: readonly FeedChange[], token: string): void {
    const { store } = this.#options;
    store.transaction(() => {
      const webhooks = store.webhooksByFunder(key.replace(/^funder:/, ""));
      // The last webhook of a funder is gone, and with it the place in the feed.
      if (key !== "" && webhooks.length === 0) return;
      store.saveFeedToken(source, key, token);
      for (const webhook of webhooks) {
        const events = changes
          .filter((change) => concerns(webhook, source, change))
          .map((change) => changeEvent(source, change, token));
        if (events.length === 0) continue;
        const most = this.#options.mostPending ?? MOST_PENDING;
        if (webhook.pending + events.length > most) {
          store.dropPending(webhook.name);
          this.queueResets(webhook, "BACKLOG_DROPPED");
        } else {
          for (const event of events) this.#enqueue(webhook.name, event);
        }
      }
    });
    if (changes.length > 0) this.wake();
  }

  #reset(source: Source, key: string, reason: ResetReason | undefined, token: string): void {
    const { store, clock } = this.#options;
    store.transaction(() => {
      const webhooks = store.webhooksByFunder(key.replace(/^funder:/, ""));
      if (key !== "" && webhooks.length === 0) return;
      store.saveFeedToken(source, key, token);
      // Before the first position nobody was promised anything.
      if (reason === undefined) return;
      for (const webhook of webhooks) {
        if (webhook.state === DISABLED || !sourcesOf(webhook).includes(source)) continue;
        this.#enqueue(webhook.name, resetEvent(source, reason, token, clock.now()));
      }
    });
    this.wake();
  }

  #enqueue(webhook: string, event: Event): void {
    const { store, clock, faults } = this.#options;
    const now = clock.now();
    if (faults?.outOfOrder === true) {
      const held = this.#queued++ % 2 === 0;
      store.enqueue(webhook, event, now, held ? now + SWAPPED_BY_MS : now, true);
    } else {
      store.enqueue(webhook, event, now);
    }
  }

  #pump(): void {
    const { store, clock } = this.#options;
    this.#cancelWake();
    const now = clock.now();
    if (this.#holdUntil > now) {
      this.#wakeAfter(this.#holdUntil - now);
      return;
    }
    const webhooks = store.webhooksInState(ACTIVE).filter((webhook) => webhook.pending > 0);
    let next = Number.POSITIVE_INFINITY;
    // Whose turn is first changes, so that nobody is always last.
    this.#turn = webhooks.length === 0 ? 0 : (this.#turn + 1) % webhooks.length;
    for (let i = 0; i < webhooks.length; i++) {
      const webhook = webhooks[(this.#turn + i) % webhooks.length] as WebhookRow;
      if (webhook.notBefore > now) {
        next = Math.min(next, webhook.notBefore);
        continue;
      }
      const keys = this.#underWay.get(webhook.name) ?? new Set();
      // One that fails is asked by one at a time.
      const cap = webhook.failingSince === null ? AT_ONCE_FOR_ONE : 1;
      let free = Math.min(cap - keys.size, AT_ONCE - this.#sending.size);
      if (free > 0) {
        for (const delivery of store.due(webhook.name, now, free + keys.size)) {
          if (free === 0) break;
          if (keys.has(orderKeyOf(delivery, this.#options.faults))) continue;
          this.#begin(webhook, delivery);
          free--;
        }
      }
      next = Math.min(next, store.nextDue(webhook.name, now) ?? Number.POSITIVE_INFINITY);
    }
    // What is due and found no room begins when something ends.
    if (next !== Number.POSITIVE_INFINITY) this.#wakeAfter(next - now);
  }

  #wakeAfter(milliseconds: number): void {
    this.#cancelWake();
    this.#cancelWake = this.#options.clock.after(milliseconds, () => this.wake());
  }

  #begin(webhook: WebhookRow, delivery: DeliveryRow): void {
    const keys = this.#underWay.get(webhook.name) ?? new Set<string>();
    this.#underWay.set(webhook.name, keys);
    const key = orderKeyOf(delivery, this.#options.faults);
    keys.add(key);
    const sending = this.#attempt(webhook, delivery)
      .catch((error) => {
        // Nothing was kept: it is due still, and tried again a little later.
        this.#options.log.error("delivery not kept", { error: String(error) });
        this.#holdUntil = this.#options.clock.now() + HOLD_MS;
      })
      .finally(() => {
        keys.delete(key);
        if (keys.size === 0) this.#underWay.delete(webhook.name);
        this.#sending.delete(sending);
        this.wake();
      });
    this.#sending.add(sending);
  }

  async #attempt(webhook: WebhookRow, delivery: DeliveryRow): Promise<void> {
    const outcome = await this.#send(webhook, delivery.id, delivery.payload);
    if (this.#stopped.signal.aborted && outcome.failure !== Failure.none) return;
    this.#options.store.transaction(() => this.#settle(delivery, outcome));
    if (this.#options.faults?.duplicate === true && outcome.failure === Failure.none) {
      await this.#send(webhook, delivery.id, delivery.payload);
    }
  }

  #settle(delivery: DeliveryRow, outcome: Outcome): void {
    const { store, clock, log } = this.#options;
    const webhook = store.webhook(delivery.webhook);
    if (webhook === undefined) return;
    const now = clock.now();
    if (outcome.failure === Failure.none) {
      store.finish(delivery, outcome, DELIVERED, now);
      store.setHealth(webhook.name, { lastSuccess: now, failingSince: null, notBefore: 0 });
      return;
    }
    const failingSince = webhook.failingSince ?? outcome.time;
    const notBefore = outcome.retryAfterMs === undefined ? 0 : now + outcome.retryAfterMs;
    store.setHealth(webhook.name, { lastSuccess: webhook.lastSuccess, failingSince, notBefore });
    const disabled =
      outcome.status === 410 ? GONE : now - failingSince >= DISABLE_AFTER_MS ? FAILING : undefined;
    if (disabled !== undefined && webhook.state !== DISABLED) {
      store.finish(delivery, outcome, GIVEN_UP, now);
      store.updateWebhook({
        ...webhook,
        failingSince,
        notBefore: 0,
        state: DISABLED,
        disabledReason: disabled,
        version: webhook.version + 1,
        updateTime: now,
      });
      store.giveUpAll(webhook.name, now);
      log.warning("webhook disabled", {
        webhook: webhook.name,
        reason: disabled === GONE ? "GONE" : "FAILING",
      });
      return;
    }
    const delay = retryDelay(delivery.tries + 1, this.#random());
    const next = Math.max(now + delay, notBefore);
    if (next - (delivery.firstAttempt ?? outcome.time) > GIVE_UP_AFTER_MS) {
      store.finish(delivery, outcome, GIVEN_UP, now);
    } else {
      store.retryLater(delivery, outcome, next);
    }
  }

  /** As the webhook is when it is sent, with the signatures of that moment. */
  #send(webhook: WebhookRow, id: string, payload: string): Promise<Outcome> {
    const { key, sender, clock } = this.#options;
    const secrets = [key.open(webhook.secret, webhook.name)];
    if (webhook.previousSecret !== null && (webhook.previousExpires ?? 0) > clock.now()) {
      secrets.push(key.open(webhook.previousSecret, webhook.name));
    }
    return sender.send(webhook.url, id, payload, secrets, this.#stopped.signal);
  }

  #clean(): void {
    const { store, clock, log } = this.#options;
    const now = clock.now();
    try {
      store.forget({
        deliveries: now - KEPT_MS,
        requests: now - KEPT_MS,
        journal: now - JOURNAL_KEPT_MS,
        secrets: now,
      });
    } catch (error) {
      log.error("webhooks are not cleaned", { error: String(error) });
    }
    this.#cancelCleaning = clock.after(HOUR_MS, () => this.#clean());
  }
}

/** With `outOfOrder`, nothing waits for anything. */
function orderKeyOf(delivery: DeliveryRow, faults: Faults | undefined): string {
  return faults?.outOfOrder === true ? delivery.id : delivery.orderKey;
}
