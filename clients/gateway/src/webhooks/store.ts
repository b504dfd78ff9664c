import { randomUUID } from "node:crypto";
import { DatabaseSync, type SQLInputValue, type SQLOutputValue } from "node:sqlite";
import type { Event, Source } from "./events.ts";
import {
  type AttemptRow,
  DELIVERED,
  type DeliveryRow,
  GIVEN_UP,
  PENDING,
  type WebhookRow,
} from "./record.ts";

/**
 * Each is applied once, in order; PRAGMA user_version counts them. One that has
 * been released is never edited.
 */
const MIGRATIONS: readonly string[] = [
  `
  CREATE TABLE webhook (
    name TEXT PRIMARY KEY,
    body TEXT NOT NULL,
    url TEXT NOT NULL,
    kinds TEXT NOT NULL,
    services TEXT NOT NULL,
    description TEXT NOT NULL,
    contact_name TEXT NOT NULL,
    contact_email TEXT NOT NULL,
    state INTEGER NOT NULL,
    disabled_reason INTEGER NOT NULL,
    funder TEXT NOT NULL,
    creator TEXT NOT NULL,
    secret BLOB NOT NULL,
    secret_time INTEGER NOT NULL,
    previous_secret BLOB,
    previous_expires INTEGER,
    last_success INTEGER,
    failing_since INTEGER,
    not_before INTEGER NOT NULL,
    pending INTEGER NOT NULL,
    version INTEGER NOT NULL,
    create_time INTEGER NOT NULL,
    update_time INTEGER NOT NULL
  ) STRICT;
  CREATE INDEX webhook_of_body ON webhook (body, name);

  CREATE TABLE delivery (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT,
    webhook TEXT NOT NULL REFERENCES webhook (name) ON DELETE CASCADE,
    id TEXT NOT NULL,
    type TEXT NOT NULL,
    resource TEXT NOT NULL,
    order_key TEXT NOT NULL,
    payload TEXT NOT NULL,
    state INTEGER NOT NULL,
    ready INTEGER NOT NULL,
    next_attempt INTEGER NOT NULL,
    first_attempt INTEGER,
    tries INTEGER NOT NULL,
    attempt_count INTEGER NOT NULL,
    create_time INTEGER NOT NULL,
    end_time INTEGER
  ) STRICT;
  CREATE UNIQUE INDEX delivery_by_id ON delivery (webhook, id);
  CREATE INDEX delivery_log ON delivery (webhook, sequence);
  CREATE INDEX delivery_due ON delivery (webhook, next_attempt) WHERE state = 1 AND ready = 1;
  CREATE INDEX delivery_order ON delivery (webhook, order_key, sequence) WHERE state = 1;
  CREATE INDEX delivery_ended ON delivery (end_time) WHERE state <> 1;

  CREATE TABLE attempt (
    delivery INTEGER NOT NULL REFERENCES delivery (sequence) ON DELETE CASCADE,
    number INTEGER NOT NULL,
    time INTEGER NOT NULL,
    duration_ms INTEGER NOT NULL,
    status INTEGER NOT NULL,
    failure INTEGER NOT NULL,
    PRIMARY KEY (delivery, number)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE feed (
    source TEXT NOT NULL,
    key TEXT NOT NULL,
    token TEXT NOT NULL,
    PRIMARY KEY (source, key)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE request (
    key TEXT PRIMARY KEY,
    digest TEXT NOT NULL,
    outcome TEXT NOT NULL,
    time INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX request_time ON request (time);

  CREATE TABLE journal (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    time INTEGER NOT NULL,
    subject TEXT NOT NULL,
    method TEXT NOT NULL,
    resource TEXT NOT NULL,
    request_id TEXT NOT NULL
  ) STRICT;
  CREATE INDEX journal_time ON journal (time);
  `,
];

const ATTEMPTS_KEPT = 50;

type Row = Record<string, SQLOutputValue>;

/** Another process has the database. */
export class StoreInUse extends Error {}

/**
 * The record of the webhooks: one SQLite file, held by one process. What a method
 * writes is on disk when it returns; several are one when called in `transaction`.
 */
export class Store {
  readonly #db: DatabaseSync;
  readonly #statements = new Map<string, ReturnType<DatabaseSync["prepare"]>>();
  #depth = 0;

  /** `path`: a file, or ":memory:". Throws StoreInUse when another process has it. */
  constructor(path: string) {
    this.#db = new DatabaseSync(path, { timeout: 0 });
    try {
      // Before the first read, so that the file is never shared with others.
      this.#db.exec("PRAGMA locking_mode = EXCLUSIVE");
      this.#db.exec("PRAGMA journal_mode = WAL");
      this.#db.exec("PRAGMA synchronous = FULL");
      this.#db.exec("PRAGMA foreign_keys = ON");
      this.#db.exec("PRAGMA secure_delete = ON");
      // Takes the lock, which stays until the process ends.
      this.#db.exec("BEGIN IMMEDIATE; COMMIT");
      this.#migrate(path);
    } catch (error) {
      this.#db.close();
      if (error instanceof Error && /database is locked/.test(error.message)) {
        throw new StoreInUse(
          `${path} is in use by another process: one gateway at a time keeps webhooks`,
        );
      }
      throw error;
    }
  }

  close(): void {
    this.#db.close();
  }

  /** All or nothing, and on disk when it returns. */
  transaction<T>(action: () => T): T {
    if (this.#depth > 0) return action();
    this.#db.exec("BEGIN IMMEDIATE");
    this.#depth++;
    try {
      const result = action();
      this.#db.exec("COMMIT");
      return result;
    } catch (error) {
      if (this.#db.isTransaction) this.#db.exec("ROLLBACK");
      throw error;
    } finally {
      this.#depth--;
    }
  }

  // Webhooks.

  insertWebhook(webhook: WebhookRow): void {
    const row = toRow(webhook);
    const columns = Object.keys(row);
    this.#run(
      `INSERT INTO webhook (${columns.join(", ")}) VALUES (${columns.map(() => "?").join(", ")})`,
      ...Object.values(row),
    );
  }

  /** Writes all of a webhook but how much waits. */
  updateWebhook(webhook: WebhookRow): void {
    // `pending` is counted where deliveries change.
    const { name, pending: _, ...row } = toRow(webhook);
    const set = Object.keys(row).map((column) => `${column} = ?`);
    this.#run(
      `UPDATE webhook SET ${set.join(", ")} WHERE name = ?`,
      ...Object.values(row),
      name as string,
    );
  }

  /** With all that belongs to it. */
  deleteWebhook(name: string): void {
    this.#run("DELETE FROM webhook WHERE name = ?", name);
  }

  webhook(name: string): WebhookRow | undefined {
    const row = this.#get("SELECT * FROM webhook WHERE name = ?", name);
    return row === undefined ? undefined : fromRow(row);
  }

  /** By name, after `after`; of one funder unless `funder` is undefined. */
  webhooksOf(body: string, funder: string | undefined, after: string, limit: number): WebhookRow[] {
    return this.#all(
      `SELECT * FROM webhook WHERE body = ? AND name > ? AND (? IS NULL OR funder = ?)
       ORDER BY name LIMIT ?`,
      body,
      after,
      funder ?? null,
      funder ?? null,
      limit,
    ).map(fromRow);
  }

  countWebhooks(body: string, funder: string | undefined): number {
    return this.#count(
      "SELECT COUNT(*) AS n FROM webhook WHERE body = ? AND (? IS NULL OR funder = ?)",
      body,
      funder ?? null,
      funder ?? null,
    );
  }

  /** Every webhook whose changes come by the feed of that key. */
  webhooksByFunder(funder: string): WebhookRow[] {
    return this.#all("SELECT * FROM webhook WHERE funder = ? ORDER BY name", funder).map(fromRow);
  }

  webhooksInState(state: number): WebhookRow[] {
    return this.#all("SELECT * FROM webhook WHERE state = ? ORDER BY name", state).map(fromRow);
  }

  /** The funders that have webhooks. */
  funders(): string[] {
    return this.#all("SELECT DISTINCT funder FROM webhook WHERE funder <> '' ORDER BY funder").map(
      (row) => row.funder as string,
    );
  }

  /** What deliveries say of a receiver. */
  setHealth(
    name: string,
    health: { lastSuccess: number | null; failingSince: number | null; notBefore: number },
  ): void {
    this.#run(
      "UPDATE webhook SET last_success = ?, failing_since = ?, not_before = ? WHERE name = ?",
      health.lastSuccess,
      health.failingSince,
      health.notBefore,
      name,
    );
  }

  // Deliveries.

  /**
   * Queues an event. Before an earlier one of its order key is out of the way it
   * is not ready, unless `ready` says so.
   */
  enqueue(webhook: string, event: Event, now: number, due = now, ready?: boolean): string {
    const id = randomUUID();
    const free =
      ready ??
      this.#get(
        "SELECT 1 FROM delivery WHERE state = 1 AND webhook = ? AND order_key = ? LIMIT 1",
        webhook,
        event.orderKey,
      ) === undefined;
    this.#run(
      `INSERT INTO delivery (webhook, id, type, resource, order_key, payload, state, ready,
         next_attempt, tries, attempt_count, create_time)
       VALUES (?, ?, ?, ?, ?, ?, ${PENDING}, ?, ?, 0, 0, ?)`,
      webhook,
      id,
      event.type,
      event.resource,
      event.orderKey,
      event.payload,
      free ? 1 : 0,
      due,
      now,
    );
    this.#run("UPDATE webhook SET pending = pending + 1 WHERE name = ?", webhook);
    return id;
  }

  /** Keeps a test: it is never queued. */
  insertEnded(webhook: string, id: string, event: Event, attempt: AttemptRow, now: number): void {
    const { lastInsertRowid } = this.#run(
      `INSERT INTO delivery (webhook, id, type, resource, order_key, payload, state, ready,
         next_attempt, first_attempt, tries, attempt_count, create_time, end_time)
       VALUES (?, ?, ?, ?, ?, ?, ?, 0, 0, ?, 1, 1, ?, ?)`,
      webhook,
      id,
      event.type,
      event.resource,
      event.orderKey,
      event.payload,
      attempt.failure === 0 ? DELIVERED : GIVEN_UP,
      attempt.time,
      attempt.time,
      now,
    );
    this.#insertAttempt(Number(lastInsertRowid), 1, attempt);
  }

  delivery(webhook: string, id: string): DeliveryRow | undefined {
    const row = this.#get("SELECT * FROM delivery WHERE webhook = ? AND id = ?", webhook, id);
    return row === undefined ? undefined : deliveryOf(row);
  }

  /** The latest first, before the sequence `before`; in one state unless it is 0. */
  deliveriesOf(webhook: string, state: number, before: number, limit: number): DeliveryRow[] {
    return this.#all(
      `SELECT * FROM delivery WHERE webhook = ? AND sequence < ? AND (? = 0 OR state = ?)
       ORDER BY sequence DESC LIMIT ?`,
      webhook,
      before,
      state,
      state,
      limit,
    ).map(deliveryOf);
  }

  attempts(sequence: number): AttemptRow[] {
    return this.#all("SELECT * FROM attempt WHERE delivery = ? ORDER BY number", sequence).map(
      (row) => ({
        time: row.time as number,
        durationMs: row.duration_ms as number,
        status: row.status as number,
        failure: row.failure as number,
      }),
    );
  }

  /** What may be sent now, the longest due first. */
  due(webhook: string, now: number, limit: number): DeliveryRow[] {
    return this.#all(
      `SELECT * FROM delivery WHERE state = 1 AND ready = 1 AND webhook = ? AND next_attempt <= ?
       ORDER BY next_attempt, sequence LIMIT ?`,
      webhook,
      now,
      limit,
    ).map(deliveryOf);
  }

  /** When something is due after `now`, if anything is. */
  nextDue(webhook: string, now: number): number | undefined {
    const row = this.#get(
      `SELECT next_attempt FROM delivery
       WHERE state = 1 AND ready = 1 AND webhook = ? AND next_attempt > ?
       ORDER BY next_attempt LIMIT 1`,
      webhook,
      now,
    );
    return row?.next_attempt as number | undefined;
  }

  /** Keeps an attempt that failed and will be repeated. */
  retryLater(delivery: DeliveryRow, attempt: AttemptRow, next: number): void {
    if (!this.#waits(delivery)) return;
    this.#recordAttempt(delivery, attempt);
    this.#run("UPDATE delivery SET next_attempt = ? WHERE sequence = ?", next, delivery.sequence);
  }

  /** Keeps the last attempt, and makes the next event of the resource ready. */
  finish(delivery: DeliveryRow, attempt: AttemptRow, state: number, now: number): void {
    if (!this.#waits(delivery)) return;
    this.#recordAttempt(delivery, attempt);
    this.#run(
      "UPDATE delivery SET state = ?, ready = 0, end_time = ? WHERE sequence = ?",
      state,
      now,
      delivery.sequence,
    );
    this.#run("UPDATE webhook SET pending = pending - 1 WHERE name = ?", delivery.webhook);
    this.#run(
      `UPDATE delivery SET ready = 1 WHERE sequence =
         (SELECT MIN(sequence) FROM delivery WHERE state = 1 AND webhook = ? AND order_key = ?)`,
      delivery.webhook,
      delivery.orderKey,
    );
  }

  /** Nothing of a webhook waits any more. */
  giveUpAll(webhook: string, now: number): void {
    this.#run(
      `UPDATE delivery SET state = ${GIVEN_UP}, ready = 0, end_time = ?
       WHERE state = 1 AND webhook = ?`,
      now,
      webhook,
    );
    this.#run("UPDATE webhook SET pending = 0 WHERE name = ?", webhook);
  }

  /** Forgets what waits. */
  dropPending(webhook: string): void {
    this.#run("DELETE FROM delivery WHERE state = 1 AND webhook = ?", webhook);
    this.#run("UPDATE webhook SET pending = 0 WHERE name = ?", webhook);
  }

  /** Queues a delivery again, past all others of its resource. */
  requeue(delivery: DeliveryRow, now: number): void {
    this.#run(
      `UPDATE delivery SET state = ${PENDING}, ready = 1, next_attempt = ?, first_attempt = NULL,
         tries = 0, end_time = NULL WHERE sequence = ?`,
      now,
      delivery.sequence,
    );
    if (delivery.state !== PENDING) {
      this.#run("UPDATE webhook SET pending = pending + 1 WHERE name = ?", delivery.webhook);
    }
  }

  // Feeds.

  /** Where a feed is to go on; nothing before its first position is known. */
  feedToken(source: Source, key: string): string | undefined {
    const row = this.#get("SELECT token FROM feed WHERE source = ? AND key = ?", source, key);
    return row?.token as string | undefined;
  }

  saveFeedToken(source: Source, key: string, token: string): void {
    this.#run(
      `INSERT INTO feed (source, key, token) VALUES (?, ?, ?)
       ON CONFLICT (source, key) DO UPDATE SET token = excluded.token`,
      source,
      key,
      token,
    );
  }

  /** Forgets where the feeds of a key are. */
  forgetFeeds(key: string): void {
    this.#run("DELETE FROM feed WHERE key = ?", key);
  }

  // Repeated requests, journal, retention.

  request(key: string): { digest: string; outcome: string } | undefined {
    const row = this.#get("SELECT digest, outcome FROM request WHERE key = ?", key);
    if (row === undefined) return undefined;
    return { digest: row.digest as string, outcome: row.outcome as string };
  }

  saveRequest(key: string, digest: string, outcome: string, now: number): void {
    this.#run(
      "INSERT INTO request (key, digest, outcome, time) VALUES (?, ?, ?, ?)",
      key,
      digest,
      outcome,
      now,
    );
  }

  /** Who did or read what. */
  note(entry: {
    time: number;
    subject: string;
    method: string;
    resource: string;
    requestId: string;
  }): void {
    this.#run(
      "INSERT INTO journal (time, subject, method, resource, request_id) VALUES (?, ?, ?, ?, ?)",
      entry.time,
      entry.subject,
      entry.method,
      entry.resource,
      entry.requestId,
    );
  }

  journal(): Row[] {
    return this.#all("SELECT * FROM journal ORDER BY number");
  }

  /** Forgets what ended, was requested, was noted or stopped signing before these times. */
  forget(before: { deliveries: number; requests: number; journal: number; secrets: number }): void {
    this.transaction(() => {
      this.#run(
        `UPDATE webhook SET previous_secret = NULL, previous_expires = NULL
         WHERE previous_expires <= ?`,
        before.secrets,
      );
      this.#run("DELETE FROM delivery WHERE state <> 1 AND end_time < ?", before.deliveries);
      this.#run("DELETE FROM request WHERE time < ?", before.requests);
      this.#run("DELETE FROM journal WHERE time < ?", before.journal);
    });
  }

  #migrate(path: string): void {
    const version = this.#get("PRAGMA user_version")?.user_version as number;
    if (version > MIGRATIONS.length) {
      throw new Error(`${path} was written by a later version (${version}) of the gateway`);
    }
    for (const [i, migration] of MIGRATIONS.slice(version).entries()) {
      this.transaction(() => {
        this.#db.exec(migration);
        this.#db.exec(`PRAGMA user_version = ${version + i + 1}`);
      });
    }
  }

  /** Whether it still waits, and was not dropped while it was under way. */
  #waits(delivery: DeliveryRow): boolean {
    return (
      this.#get("SELECT 1 FROM delivery WHERE state = 1 AND sequence = ?", delivery.sequence) !==
      undefined
    );
  }

  #recordAttempt(delivery: DeliveryRow, attempt: AttemptRow): void {
    const number = delivery.attemptCount + 1;
    this.#run(
      `UPDATE delivery SET attempt_count = ?, tries = tries + 1,
         first_attempt = COALESCE(first_attempt, ?) WHERE sequence = ?`,
      number,
      attempt.time,
      delivery.sequence,
    );
    this.#insertAttempt(delivery.sequence, number, attempt);
    this.#run(
      "DELETE FROM attempt WHERE delivery = ? AND number <= ?",
      delivery.sequence,
      number - ATTEMPTS_KEPT,
    );
  }

  #insertAttempt(sequence: number, number: number, attempt: AttemptRow): void {
    this.#run(
      `INSERT INTO attempt (delivery, number, time, duration_ms, status, failure)
       VALUES (?, ?, ?, ?, ?, ?)`,
      sequence,
      number,
      attempt.time,
      attempt.durationMs,
      attempt.status,
      attempt.failure,
    );
  }

  #prepared(sql: string) {
    let statement = this.#statements.get(sql);
    if (statement === undefined) {
      statement = this.#db.prepare(sql);
      this.#statements.set(sql, statement);
    }
    return statement;
  }

  #run(sql: string, ...values: SQLInputValue[]) {
    return this.#prepared(sql).run(...values);
  }

  #get(sql: string, ...values: SQLInputValue[]): Row | undefined {
    return this.#prepared(sql).get(...values);
  }

  #all(sql: string, ...values: SQLInputValue[]): Row[] {
    return this.#prepared(sql).all(...values);
  }

  #count(sql: string, ...values: SQLInputValue[]): number {
    return this.#get(sql, ...values)?.n as number;
  }
}

function toRow(webhook: WebhookRow): Record<string, SQLInputValue> {
  return {
    name: webhook.name,
    body: webhook.body,
    url: webhook.url,
    kinds: JSON.stringify(webhook.kinds),
    services: JSON.stringify(webhook.services),
    description: webhook.description,
    contact_name: webhook.contactName,
    contact_email: webhook.contactEmail,
    state: webhook.state,
    disabled_reason: webhook.disabledReason,
    funder: webhook.funder,
    creator: webhook.creator,
    secret: webhook.secret,
    secret_time: webhook.secretTime,
    previous_secret: webhook.previousSecret,
    previous_expires: webhook.previousExpires,
    last_success: webhook.lastSuccess,
    failing_since: webhook.failingSince,
    not_before: webhook.notBefore,
    pending: webhook.pending,
    version: webhook.version,
    create_time: webhook.createTime,
    update_time: webhook.updateTime,
  };
}

function fromRow(row: Row): WebhookRow {
  return {
    name: row.name as string,
    body: row.body as string,
    url: row.url as string,
    kinds: JSON.parse(row.kinds as string),
    services: JSON.parse(row.services as string),
    description: row.description as string,
    contactName: row.contact_name as string,
    contactEmail: row.contact_email as string,
    state: row.state as number,
    disabledReason: row.disabled_reason as number,
    funder: row.funder as string,
    creator: row.creator as string,
    secret: row.secret as Uint8Array,
    secretTime: row.secret_time as number,
    previousSecret: row.previous_secret as Uint8Array | null,
    previousExpires: row.previous_expires as number | null,
    lastSuccess: row.last_success as number | null,
    failingSince: row.failing_since as number | null,
    notBefore: row.not_before as number,
    pending: row.pending as number,
    version: row.version as number,
    createTime: row.create_time as number,
    updateTime: row.update_time as number,
  };
}

function deliveryOf(row: Row): DeliveryRow {
  return {
    sequence: row.sequence as number,
    webhook: row.webhook as string,
    id: row.id as string,
    type: row.type as string,
    resource: row.resource as string,
    orderKey: row.order_key as string,
    payload: row.payload as string,
    state: row.state as number,
    ready: row.ready === 1,
    nextAttempt: row.next_attempt as number,
    firstAttempt: row.first_attempt as number | null,
    tries: row.tries as number,
    attemptCount: row.attempt_count as number,
    createTime: row.create_time as number,
    endTime: row.end_time as number | null,
  };
}
