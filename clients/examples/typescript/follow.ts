import { setTimeout as sleep } from "node:timers/promises";
import { Code, ConnectError } from "@connectrpc/connect";
import { backoffMs, type Connection, isPassing, reasonOf } from "./connection.ts";
import type { WatchChangesResponse } from "./generated/parcours/platform/v1/change_feed_pb.js";
import { LocalCopy, type Source, sourceOf } from "./local_copy.ts";

export const SUMMARY = "Keeps a copy of the list in a file, and follows every change.";
export const HELP = `  --kind       what to follow: an application or an enrolment of the cohort [application]
  --copy       the file of the copy [copy.json]
  --heartbeat  seconds, 1 to 60, after which a silent stream says that it lives [15]
`;
export const OPTIONS = {
  kind: { type: "string", default: "application" },
  copy: { type: "string", default: "copy.json" },
  heartbeat: { type: "string", default: "15" },
} as const;

/** The position is not kept for ever, and not across a restored backup. */
export const POSITION_LOST = ["FEED_TRIMMED", "FEED_INCARNATION_CHANGED"];

export async function run(connection: Connection, options: Record<string, string>): Promise<void> {
  const { kind, cohort, copy: path } = options as { kind: string; cohort: string; copy: string };
  const source = sourceOf(connection, kind, cohort);
  const copy = new LocalCopy(path, kind, cohort);
  for (let failures = 0; ; ) {
    try {
      if (copy.feedToken === "") {
        await copy.fill(source);
        console.log(`Read the list: ${copy.size} in ${path}`);
      } else {
        console.log(`Going on with ${copy.size} in ${path}`);
      }
      for await (const piece of watch(connection, copy, Number(options.heartbeat))) {
        failures = 0;
        await dealWith(piece, copy, source);
      }
      console.log("The stream ended, as it does every ten minutes");
    } catch (cause) {
      if (!(cause instanceof ConnectError)) throw cause;
      const expired = cause.code === Code.Unauthenticated && failures === 0;
      if (POSITION_LOST.includes(reasonOf(cause))) {
        console.log(`${reasonOf(cause)}: reading the list again`);
        copy.feedToken = "";
      } else if (isPassing(cause) || expired) {
        if (expired) connection.forgetToken();
        const wait = backoffMs(failures++, cause);
        const why = reasonOf(cause) || Code[cause.code];
        console.error(`The stream broke (${why}); again in ${(wait / 1000).toFixed(1)} s`);
        await sleep(wait);
      } else {
        throw cause;
      }
    }
  }
}

/** The pieces of the stream after the token of the copy, until it ends. */
async function* watch(
  connection: Connection,
  copy: LocalCopy,
  heartbeat: number,
): AsyncIterable<WatchChangesResponse> {
  const broken = new AbortController();
  const request = {
    afterToken: copy.feedToken,
    filter: { kinds: [copy.kind], within: [copy.parent] },
    heartbeatInterval: { seconds: BigInt(heartbeat) },
  };
  // A connection can break without a word: silence for much longer than heartbeats may
  // be apart ends it.
  const tooLong = setTimeout(() => broken.abort(), 3000 * heartbeat);
  try {
    const headers = await connection.headers();
    for await (const piece of connection.feed.watchChanges(request, {
      headers,
      signal: broken.signal,
    })) {
      tooLong.refresh();
      yield piece;
      tooLong.refresh();
    }
  } catch (cause) {
    throw broken.signal.aborted ? new ConnectError("no heartbeat", Code.Unavailable) : cause;
  } finally {
    clearTimeout(tooLong);
  }
}

/**
 * Takes a piece over, then keeps its token: after a crash the same piece comes again,
 * and does the same again.
 */
async function dealWith(
  piece: WatchChangesResponse,
  copy: LocalCopy,
  source: Source,
): Promise<void> {
  const last = new Map(piece.changes.map((change) => [change.resource, change]));
  for (const [name, { removed }] of last) {
    await copy.refresh(source, name, removed, piece.nextToken);
  }
  copy.feedToken = piece.nextToken;
  copy.store();
  for (const [name, { cause }] of last) {
    console.log(`${name in copy.resources ? "+" : "-"} ${name}  ${cause}`);
  }
}
