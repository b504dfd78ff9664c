import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, statSync } from "node:fs";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { ConnectError } from "@connectrpc/connect";
import { Webhook } from "standardwebhooks";
import { backoffMs, type Connection, describe, reasonOf } from "./connection.ts";
import { POSITION_LOST } from "./follow.ts";
import { LocalCopy, type Source, sourceOf, writeWhole } from "./local_copy.ts";

export const SUMMARY = "Receives webhooks, checks that they are genuine, and keeps a copy by them.";
export const HELP = `  --listen       host:port; port 0: a free one [127.0.0.1:8091]
  --secret-file  the secret, whsec_…; during a rotation both, one on a line [webhook.secret]
  --inbox        folder of the events that came [inbox]
  --kind         an application or an enrolment of the cohort [application]
  --copy         the file of the copy [copy.json]
`;
export const OPTIONS = {
  listen: { type: "string", default: "127.0.0.1:8091" },
  "secret-file": { type: "string", default: "webhook.secret" },
  inbox: { type: "string", default: "inbox" },
  kind: { type: "string", default: "application" },
  copy: { type: "string", default: "copy.json" },
} as const;

const MOST_BYTES = 64 * 1024;

/** What events of all types may say; docs/api/webhooks.md has the rest. */
type Event = {
  type: string;
  data: {
    service?: string;
    resource?: string;
    version?: number;
    cause?: string;
    reason?: string;
    feedToken?: string;
  };
};

export async function run(connection: Connection, options: Record<string, string>): Promise<void> {
  const {
    kind,
    cohort,
    copy: path,
    inbox: folder,
    listen,
  } = options as Record<string, string> & {
    kind: string;
    cohort: string;
    copy: string;
    inbox: string;
    listen: string;
  };
  const source = sourceOf(connection, kind, cohort);
  const copy = new LocalCopy(path, kind, cohort);
  const inbox = new Inbox(folder);
  const server = createServer((request, response) => {
    receive(request, inbox, options["secret-file"] as string)
      .catch((error: Error) => [500, error.message] as const)
      .then(([status, word]) => answer(request, response, status, word));
  });
  const [, host, port] = /^(.*):(\d+)$/.exec(listen) ?? [];
  server.listen(Number(port), host, () => {
    console.log(`Listening on http://${host}:${(server.address() as AddressInfo).port}/`);
  });
  await work(inbox, copy, source);
}

/** Checks an event and writes it down: the work comes after the answer. */
async function receive(
  request: IncomingMessage,
  inbox: Inbox,
  secretFile: string,
): Promise<readonly [status: number, word: string]> {
  if (request.method !== "POST") return [405, "POST only"];
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request) {
    chunks.push(chunk);
    size += chunk.length;
    if (size > MOST_BYTES) return [413, "too large"];
  }
  const body = Buffer.concat(chunks).toString();
  // Read each time, so that a rotation needs no restart.
  const secrets = readFileSync(secretFile, "ascii").split(/\s+/).filter(Boolean);
  const event = verified(request, body, secrets);
  if (event === undefined) return [401, "not genuine, too old or too new"];
  return inbox.add(String(request.headers["webhook-id"]), event)
    ? [204, event.type]
    : [200, "already here"];
}

function answer(request: IncomingMessage, response: ServerResponse, status: number, word: string) {
  console.log(`${status} ${request.headers["webhook-id"] ?? "-"} ${word}`);
  // What was not read of the request is not waited for.
  response.writeHead(status, request.complete ? {} : { connection: "close" }).end();
}

/**
 * The event, when somebody who has one of the secrets sent it within the last five
 * minutes (https://www.standardwebhooks.com). The library compares in constant time;
 * during a rotation there are two signatures, and there may be two secrets.
 */
function verified(
  request: IncomingMessage,
  body: string,
  secrets: readonly string[],
): Event | undefined {
  const headers = Object.fromEntries(
    Object.entries(request.headers).map(([name, value]) => [name, String(value)]),
  );
  for (const secret of secrets) {
    try {
      return new Webhook(secret).verify(body, headers) as Event;
    } catch {
      // Perhaps the other secret.
    }
  }
  return undefined;
}

/**
 * Events as files: FOLDER/new until dealt with, FOLDER/done from then on. An event that
 * was answered for is not lost when this program ends, nor dealt with twice.
 */
class Inbox {
  readonly #new: string;
  readonly #done: string;
  readonly #waiting: string[];
  #wake = () => {};

  constructor(folder: string) {
    this.#new = join(folder, "new");
    this.#done = join(folder, "done");
    for (const path of [this.#new, this.#done]) mkdirSync(path, { recursive: true });
    const time = (name: string) => statSync(join(this.#new, name)).mtimeMs;
    this.#waiting = readdirSync(this.#new)
      .filter((name) => name.endsWith(".json"))
      .sort((a, b) => time(a) - time(b));
  }

  /** False when the event is there already. */
  add(id: string, event: Event): boolean {
    // The id becomes the name of a file, whatever is in it.
    const name = `${encodeURIComponent(id)}.json`;
    if (existsSync(join(this.#new, name)) || existsSync(join(this.#done, name))) return false;
    writeWhole(join(this.#new, name), event);
    this.#waiting.push(name);
    this.#wake();
    return true;
  }

  /** Waits for an event. */
  async next(): Promise<{ name: string; event: Event }> {
    while (this.#waiting.length === 0) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    const name = this.#waiting.shift() as string;
    return { name, event: JSON.parse(readFileSync(join(this.#new, name), "utf8")) };
  }

  finish(name: string): void {
    renameSync(join(this.#new, name), join(this.#done, name));
  }
}

/** Deals with events, one after another, for ever. */
async function work(inbox: Inbox, copy: LocalCopy, source: Source): Promise<never> {
  // The webhook was there before: what changes after the list comes as an event.
  if (copy.feedToken === "") {
    await untilDone(() => copy.fill(source));
    console.log(`Read the list: ${copy.size} in ${copy.path}`);
  }
  for (;;) {
    const { name, event } = await inbox.next();
    await untilDone(() => dealWith(event, copy, source));
    inbox.finish(name);
  }
}

async function untilDone(what: () => Promise<void>): Promise<void> {
  for (let failures = 0; ; ++failures) {
    try {
      return await what();
    } catch (cause) {
      if (!(cause instanceof ConnectError)) throw cause;
      console.error(describe(cause));
      await sleep(backoffMs(failures, cause));
    }
  }
}

/** Takes an event over: it says what has changed, and nothing of its content. */
async function dealWith({ type, data }: Event, copy: LocalCopy, source: Source): Promise<void> {
  const { service = "", resource = "", feedToken = "", reason = "", cause = "" } = data;
  const isOurs = resource.startsWith(`${copy.parent}/`);
  if (type === "webhook.test") {
    console.log("A test event: it works");
  } else if (type === "feed.reset" && service === "enrolment") {
    await copy.fill(source);
    console.log(`Read the list again (${reason}): ${copy.size}`);
  } else if (new RegExp(`^enrolment\\.${copy.kind}\\.(updated|removed)$`).test(type) && isOurs) {
    // Events may come late or in another order: what a later one has said stands.
    const { version = 0 } = data;
    if (version < (copy.versions[resource] ?? 0)) return;
    // With the token, what is read is never older than the event.
    try {
      await copy.refresh(source, resource, type.endsWith(".removed"), feedToken);
    } catch (error) {
      if (!POSITION_LOST.includes(reasonOf(ConnectError.from(error)))) throw error;
      await copy.fill(source);
    }
    copy.versions[resource] = version;
    copy.store();
    console.log(`${resource in copy.resources ? "+" : "-"} ${resource}  ${cause}`);
  }
  // Anything else is of a later version, or not for this program.
}
