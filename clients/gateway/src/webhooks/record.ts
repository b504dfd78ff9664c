/** What of a webhook is kept; the contract's numbers stand for its enums. */
export interface WebhookRow {
  readonly name: string;
  readonly body: string;
  url: string;
  /** Empty: all. */
  kinds: string[];
  /** Numbers of Webhook.Service. Empty: all. */
  services: number[];
  description: string;
  contactName: string;
  contactEmail: string;
  state: number;
  disabledReason: number;
  /** Whose changes: the id of a funder, or empty for the whole body. */
  readonly funder: string;
  readonly creator: string;
  /** Sealed for the webhook's name. */
  secret: Uint8Array;
  secretTime: number;
  previousSecret: Uint8Array | null;
  previousExpires: number | null;
  lastSuccess: number | null;
  failingSince: number | null;
  /** Nothing is sent before, because the receiver asked for it. */
  notBefore: number;
  pending: number;
  version: number;
  readonly createTime: number;
  updateTime: number;
}

export const ACTIVE = 1;
export const PAUSED = 2;
export const DISABLED = 3;

export const GONE = 1;
export const FAILING = 2;

export const PENDING = 1;
export const DELIVERED = 2;
export const GIVEN_UP = 3;

/** Numbers of WebhookAttempt.Failure. */
export const Failure = {
  none: 0,
  status: 1,
  nameNotResolved: 2,
  addressRefused: 3,
  connection: 4,
  certificate: 5,
  timeout: 6,
  answerMalformed: 7,
} as const;

export interface DeliveryRow {
  readonly sequence: number;
  readonly webhook: string;
  /** The `webhook-id`. */
  readonly id: string;
  readonly type: string;
  readonly resource: string;
  readonly orderKey: string;
  readonly payload: string;
  readonly state: number;
  /** Whether no earlier event of its resource is in its way. */
  readonly ready: boolean;
  readonly nextAttempt: number;
  /** Begin of the 72 hours, null before the first attempt. */
  readonly firstAttempt: number | null;
  /** Attempts since it was queued, or queued again. */
  readonly tries: number;
  readonly attemptCount: number;
  readonly createTime: number;
  readonly endTime: number | null;
}

export interface AttemptRow {
  readonly time: number;
  readonly durationMs: number;
  readonly status: number;
  readonly failure: number;
}
