import type { DescService } from "@bufbuild/protobuf";
import { type Duration, durationFromMs, type Timestamp, timestampMs } from "@bufbuild/protobuf/wkt";
import { ConnectError, createClient, type Transport } from "@connectrpc/connect";
import type { Contract } from "../contract/contract.ts";
import type { Errors } from "../errors.ts";
import type { Log } from "../log.ts";
import type { Clock } from "./clock.ts";
import type { FeedChange, ResetReason, Source } from "./events.ts";

type Filter = { kinds?: string[]; within?: string[] };

/** parcours.platform.v1.ChangeFeedService, as far as it is used here. */
interface ChangeFeedClient {
  listChanges(
    request: { afterToken: string; filter: Filter },
    options: { signal: AbortSignal },
  ): Promise<{ nextToken: string; more: boolean }>;
  watchChanges(
    request: { afterToken: string; filter?: Filter; heartbeatInterval: Duration },
    options: { signal: AbortSignal },
  ): AsyncIterable<{ changes: Change[]; nextToken: string }>;
}

interface Change {
  kind: string;
  resource: string;
  version: bigint;
  cause: string;
  changeTime?: Timestamp;
  removed: boolean;
}

const HEARTBEAT_MS = 15_000;
/** A stream that is silent for longer is broken. */
const SILENCE_MS = 3 * HEARTBEAT_MS;
const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 30_000;
/** Of this kind there is nothing: for who asks where the head is. */
const NO_KIND = "none";

export interface FollowerOptions {
  readonly source: Source;
  /** "funder:afdas": only what lies within it. Empty: everything. */
  readonly key: string;
  readonly transport: Transport;
  readonly contract: Contract;
  readonly errors: Errors;
  readonly clock: Clock;
  readonly log: Log;
  readonly random: () => number;
  /** Where to go on; nothing at the very first. */
  readonly token: () => string | undefined;
  /** Keeps changes and the position after them, both or neither. */
  readonly keep: (changes: FeedChange[], token: string) => void;
  /** Keeps that changes are missed before the position, and the position. */
  readonly reset: (reason: ResetReason | undefined, token: string) => void;
}

/** Follows one change feed until stopped, through breaks and restarts of the service. */
export class Follower {
  readonly #options: FollowerOptions;
  readonly #client: ChangeFeedClient;
  readonly #stopped = new AbortController();
  #done: Promise<void> | undefined;

  constructor(options: FollowerOptions) {
    this.#options = options;
    const service = options.contract.registry.getService(
      "parcours.platform.v1.ChangeFeedService",
    ) as DescService;
    this.#client = createClient(service, options.transport) as unknown as ChangeFeedClient;
  }

  start(): void {
    this.#done ??= this.#run();
  }

  async stop(): Promise<void> {
    this.#stopped.abort();
    await this.#done;
  }

  async #run(): Promise<void> {
    const { source, key, log } = this.#options;
    let failures = 0;
    while (!this.#stopped.signal.aborted) {
      try {
        const token = this.#options.token();
        if (token === undefined) {
          this.#options.reset(undefined, await this.#head());
        } else {
          await this.#follow(token, () => {
            failures = 0;
          });
        }
      } catch (error) {
        if (this.#stopped.signal.aborted) return;
        const reason = this.#options.errors.reasonOf(ConnectError.from(error));
        if (reason === "FEED_TRIMMED" || reason === "FEED_INCARNATION_CHANGED") {
          try {
            this.#options.reset(reason, await this.#head());
            log.warning("feed begins anew", { source, key, reason });
            continue;
          } catch {
            // The service is away; whether it has begun anew it will say again.
          }
        }
        failures++;
        log.warning("feed broken", { source, key, reason: reason || String(error), failures });
        await this.#pause(failures);
      }
    }
  }

  async #follow(token: string, alive: () => void): Promise<void> {
    const { key } = this.#options;
    const request = {
      afterToken: token,
      heartbeatInterval: durationFromMs(HEARTBEAT_MS),
      ...(key === "" ? {} : { filter: { within: [key] } }),
    };
    let last = token;
    for await (const piece of this.#watch(request)) {
      alive();
      if (piece.changes.length === 0 && piece.nextToken === last) continue;
      this.#options.keep(piece.changes.map(read), piece.nextToken);
      last = piece.nextToken;
    }
  }

  /** Position of the last change that there is. */
  async #head(): Promise<string> {
    const { signal } = this.#stopped;
    let afterToken = "";
    for (;;) {
      const request = { afterToken, filter: { kinds: [NO_KIND] } };
      const { nextToken, more } = await this.#client.listChanges(request, { signal });
      if (!more) return nextToken;
      afterToken = nextToken;
    }
  }

  /** The stream, ended when it is silent for too long. */
  async *#watch(request: Parameters<ChangeFeedClient["watchChanges"]>[0]) {
    const { clock } = this.#options;
    const silence = new AbortController();
    const signal = AbortSignal.any([this.#stopped.signal, silence.signal]);
    const wait = () => clock.after(SILENCE_MS, () => silence.abort());
    let cancel = wait();
    try {
      for await (const piece of this.#client.watchChanges(request, { signal })) {
        cancel();
        yield piece;
        cancel = wait();
      }
    } finally {
      cancel();
      silence.abort();
    }
  }

  #pause(failures: number): Promise<void> {
    const { clock, random } = this.#options;
    const longest = Math.min(FIRST_PAUSE_MS * 2 ** Math.min(failures, 10), LONGEST_PAUSE_MS);
    const { signal } = this.#stopped;
    return new Promise((resolve) => {
      const end = () => {
        cancel();
        signal.removeEventListener("abort", end);
        resolve();
      };
      const cancel = clock.after(longest * (0.5 + random() / 2), end);
      signal.addEventListener("abort", end);
    });
  }
}

function read(change: Change): FeedChange {
  return {
    kind: change.kind,
    resource: change.resource,
    version: change.version,
    cause: change.cause,
    changeTime: change.changeTime === undefined ? 0 : timestampMs(change.changeTime),
    removed: change.removed,
  };
}
