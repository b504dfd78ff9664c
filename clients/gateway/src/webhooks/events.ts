/** The services whose changes are sent, in the order of Webhook.Service. */
export const SOURCES = ["enrolment", "scheduling", "evaluation"] as const;

export type Source = (typeof SOURCES)[number];

/** A change as the feed tells it: what becomes of it here and nothing more. */
export interface FeedChange {
  readonly kind: string;
  readonly resource: string;
  readonly version: bigint;
  readonly cause: string;
  /** Business time, milliseconds since the epoch. */
  readonly changeTime: number;
  readonly removed: boolean;
}

/** What is sent, before it is addressed to anybody. */
export interface Event {
  readonly type: string;
  /** Empty for what is about no resource. */
  readonly resource: string;
  /** Events of one webhook with the same key are delivered one after another. */
  readonly orderKey: string;
  /** JSON, byte for byte. */
  readonly payload: string;
}

/** Why a receiver has to read the lists again. */
export type ResetReason =
  | "FEED_TRIMMED"
  | "FEED_INCARNATION_CHANGED"
  | "BACKLOG_DROPPED"
  | "WEBHOOK_ENABLED";

function payload(type: string, timestamp: number, data: Record<string, unknown>): string {
  return JSON.stringify({ type, timestamp: new Date(timestamp).toISOString(), data });
}

/**
 * A change says which resource, never what is in it. `feedToken` is a position
 * not before the change.
 */
export function changeEvent(source: Source, change: FeedChange, feedToken: string): Event {
  const type = `${source}.${change.kind}.${change.removed ? "removed" : "updated"}`;
  return {
    type,
    resource: change.resource,
    orderKey: change.resource,
    payload: payload(type, change.changeTime, {
      service: source,
      kind: change.kind,
      resource: change.resource,
      version: Number(change.version),
      ...(change.cause === "" ? {} : { cause: change.cause }),
      feedToken,
    }),
  };
}

export function resetEvent(
  source: Source,
  reason: ResetReason,
  feedToken: string,
  now: number,
): Event {
  const type = "feed.reset";
  return {
    type,
    resource: "",
    orderKey: `feed.reset/${source}`,
    payload: payload(type, now, { service: source, reason, feedToken }),
  };
}

export function testEvent(webhook: string, now: number): Event {
  const type = "webhook.test";
  return {
    type,
    resource: "",
    orderKey: "webhook.test",
    payload: payload(type, now, { webhook }),
  };
}
