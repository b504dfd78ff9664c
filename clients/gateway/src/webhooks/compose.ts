import type { Transport } from "@connectrpc/connect";
import { type Backend, localBackend } from "../backend/backend.ts";
import { RemoteBackend } from "../backend/remote.ts";
import { type Contract, onlyReads } from "../contract/contract.ts";
import type { Errors } from "../errors.ts";
import type { Log } from "../log.ts";
import { watchFiles } from "../server/listen.ts";
import { localResolve, publicResolve } from "./addresses.ts";
import { realClock } from "./clock.ts";
import { type Faults, WebhookDispatcher } from "./dispatcher.ts";
import { SOURCES, type Source } from "./events.ts";
import type { WebhookOptions } from "./options.ts";
import { MasterKey } from "./secrets.ts";
import { Sender } from "./sender.ts";
import { createAbsentWebhookTransport, createWebhookTransport } from "./service.ts";
import { Store } from "./store.ts";

/** Largest message of a feed; a piece has 100 changes at most. */
const FEED_MESSAGE_BYTES = 1024 * 1024;

const BACKEND = "gateway";

/** Webhooks within the gateway's process. */
export type Webhooks = {
  /** Who answers parcours.gateway.v1. */
  readonly backend: Backend;
  /** What is under way is cut off and will be sent again. */
  stop(): Promise<void>;
};

/**
 * Opens the record and begins to follow and to send. Throws what keeps it from that,
 * in a text for the operator. Without options every method is METHOD_NOT_OFFERED.
 */
export function startWebhooks(parts: {
  options: WebhookOptions | undefined;
  contract: Contract;
  errors: Errors;
  log: Log;
  /** To enrolment, in the name of callers. */
  enrolment: Transport | undefined;
  tlsReloadMs: number;
  faults?: Faults;
}): Webhooks {
  const { options, contract, errors, log, enrolment } = parts;
  if (options === undefined || enrolment === undefined) {
    const transport = createAbsentWebhookTransport(contract, errors);
    return { backend: localBackend(BACKEND, transport), stop: async () => {} };
  }
  const key = MasterKey.fromFile(options.keyFile);
  const store = new Store(options.database);
  const { allowLoopback } = options;
  const policy = { allowLoopback, resolve: allowLoopback ? localResolve : publicResolve };
  const sender = new Sender({ clock: realClock, policy });
  const feeds = SOURCES.map(
    (name) =>
      new RemoteBackend({
        name,
        addresses: options.feeds[name],
        tls: options.feedTls,
        maxMessageBytes: FEED_MESSAGE_BYTES,
        isRead: (method) => onlyReads(contract, method),
        isAnswer: (error) => errors.reasonOf(error) !== "",
      }),
  );
  const unwatch = watchFiles(
    [...new Set(Object.values(options.feedTls))],
    parts.tlsReloadMs,
    () => {
      for (const feed of feeds) feed.reload();
    },
  );
  const dispatcher = new WebhookDispatcher({
    store,
    key,
    sender,
    clock: realClock,
    log,
    contract,
    errors,
    feeds: Object.fromEntries(feeds.map((feed) => [feed.name, feed.transport])) as Record<
      Source,
      Transport
    >,
    ...(parts.faults === undefined ? {} : { faults: parts.faults }),
  });
  const transport = createWebhookTransport({
    contract,
    errors,
    clock: realClock,
    store,
    key,
    policy,
    dispatcher,
    enrolment,
  });
  if (allowLoopback) log.warning("webhooks may go to this machine: for sandboxes only");
  dispatcher.start();
  return {
    backend: localBackend(BACKEND, transport),
    stop: async () => {
      unwatch();
      await dispatcher.stop();
      await sender.close();
      for (const feed of feeds) feed.close();
      store.close();
    },
  };
}
