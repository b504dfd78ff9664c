/** What the tests of webhooks share: a contract, a clock, services and receivers. */
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import {
  createServer,
  type IncomingHttpHeaders,
  type Server,
  type ServerResponse,
} from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { fileURLToPath } from "node:url";
import { create, type DescService } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import {
  Code,
  ConnectError,
  type ConnectRouter,
  createClient,
  createRouterTransport,
  type HandlerContext,
  type Transport,
} from "@connectrpc/connect";
import { Contract } from "../../src/contract/contract.ts";
import { Errors } from "../../src/errors.ts";
import { Log } from "../../src/log.ts";
import type { AddressPolicy } from "../../src/webhooks/addresses.ts";
import { type Clock, realClock } from "../../src/webhooks/clock.ts";
import { type Faults, WebhookDispatcher } from "../../src/webhooks/dispatcher.ts";
import { SOURCES, type Source } from "../../src/webhooks/events.ts";
import { MasterKey } from "../../src/webhooks/secrets.ts";
import { Sender } from "../../src/webhooks/sender.ts";
import { createWebhookTransport } from "../../src/webhooks/service.ts";
import { Store } from "../../src/webhooks/store.ts";

export const ROOT = fileURLToPath(new URL("../../../..", import.meta.url));

let built: Contract | undefined;

/** The contract of this tree. */
export function contract(): Contract {
  if (built === undefined) {
    const machine = process.arch === "arm64" ? "aarch64" : process.arch;
    const buf = join(ROOT, `node_modules/@bufbuild/buf-linux-${machine}/bin/buf`);
    built = new Contract(
      execFileSync(buf, ["build", "--as-file-descriptor-set", "-o", "-"], {
        cwd: ROOT,
        maxBuffer: 64 * 1024 * 1024,
      }),
    );
  }
  return built;
}

export const quiet = new Log("error", () => {});

/** A folder of the test's own. */
export function folder(test: TestContext): string {
  const path = mkdtempSync(join(tmpdir(), "parcours-webhooks-"));
  test.after(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

/** Resolves once `condition` holds; fails when it does not come true. */
export async function until(condition: () => boolean, what = "the condition"): Promise<void> {
  const end = performance.now() + 20_000;
  while (!condition()) {
    if (performance.now() > end) throw new Error(`${what} did not come true`);
    await new Promise((resolve) => setImmediate(resolve));
  }
}

/** Lets everything run that is ready to run. */
export async function settle(): Promise<void> {
  for (let i = 0; i < 20; i++) await new Promise((resolve) => setImmediate(resolve));
}

/** Moves the clock by seconds until `condition` holds. */
export async function stepUntil(world: World, condition: () => boolean): Promise<void> {
  for (let i = 0; i < 90 && !condition(); i++) {
    world.manual.advance(1000);
    await settle();
  }
  await until(condition);
}

/** A clock that moves when it is told to. */
export class ManualClock implements Clock {
  #now = Date.parse("2026-11-23T08:00:00Z");
  readonly #timers = new Set<{ time: number; action: () => void }>();

  now(): number {
    return this.#now;
  }

  after(milliseconds: number, action: () => void): () => void {
    const timer = { time: this.#now + milliseconds, action };
    this.#timers.add(timer);
    return () => this.#timers.delete(timer);
  }

  /** Moves on, and does what is due on the way, each at its time. */
  advance(milliseconds: number): void {
    const end = this.#now + milliseconds;
    for (;;) {
      const next = [...this.#timers]
        .filter((timer) => timer.time <= end)
        .sort((a, b) => a.time - b.time)[0];
      if (next === undefined) break;
      this.#timers.delete(next);
      this.#now = Math.max(this.#now, next.time);
      next.action();
    }
    this.#now = end;
  }
}

export interface FakeChange {
  kind: string;
  resource: string;
  version?: number;
  cause?: string;
  /** Scopes, as "funder:afdas", beside the names that the resource begins with. */
  scopes?: string[];
  removed?: boolean;
}

/** A service's change feed, as the contract of ChangeFeedService says it. */
export class FakeFeed {
  incarnation = "a";
  floor = 0;
  /** Fails calls while it is set. */
  down = false;
  calls: { afterToken: string; kinds: string[]; within: string[] }[] = [];
  readonly changes: FakeChange[] = [];
  #waiting = new Set<() => void>();
  readonly #contract: Contract;
  readonly #errors: Errors;

  constructor(ofContract: Contract) {
    this.#contract = ofContract;
    this.#errors = new Errors(ofContract, quiet);
  }

  push(...changes: FakeChange[]): void {
    this.changes.push(...changes);
    this.#wake();
  }

  token(position = this.changes.length): string {
    return `${this.incarnation}:${position}`;
  }

  /** Ends all streams, as a service that drains does. */
  breakStreams(): void {
    this.incarnation += "";
    this.#broken++;
    this.#wake();
  }

  #broken = 0;

  #wake(): void {
    for (const wake of this.#waiting) wake();
  }

  readonly routes = ({ service }: ConnectRouter): void => {
    const desc = this.#contract.registry.getService(
      "parcours.platform.v1.ChangeFeedService",
    ) as DescService;
    const watch = (request: Request, context: HandlerContext) => this.#watch(request, context);
    const list = (request: Request) => this.#list(request);
    service(desc, { listChanges: list, watchChanges: watch } as never);
  };

  /** Looks at two positions in one call, as a service does at so many. */
  #list(request: Request) {
    if (this.down) throw new ConnectError("down", Code.Unavailable);
    const [, after = "0"] = request.afterToken.split(":");
    const position = Math.min(Number(after) + 2, this.changes.length);
    return create(this.#contract.message("parcours.platform.v1.ListChangesResponse"), {
      nextToken: this.token(position),
      more: position < this.changes.length,
    } as never);
  }

  transport(): Transport {
    return createRouterTransport(this.routes);
  }

  async *#watch(request: Request, context: HandlerContext) {
    const kinds = request.filter?.kinds ?? [];
    const within = request.filter?.within ?? [];
    this.calls.push({ afterToken: request.afterToken, kinds, within });
    if (this.down) throw new ConnectError("down", Code.Unavailable);
    const [incarnation, after] = request.afterToken.split(":");
    if (request.afterToken !== "" && incarnation !== this.incarnation) {
      throw this.#errors.make("FEED_INCARNATION_CHANGED");
    }
    let position = Number(after ?? 0);
    if (request.afterToken !== "" && position < this.floor) throw this.#errors.make("FEED_TRIMMED");
    const broken = this.#broken;
    for (let first = true; broken === this.#broken && !context.signal.aborted; first = false) {
      const batch: unknown[] = [];
      let next = position;
      for (; next < this.changes.length && batch.length < 100; next++) {
        const change = this.changes[next] as FakeChange;
        if (kinds.length > 0 && !kinds.includes(change.kind)) continue;
        if (within.length > 0 && !within.some((key) => change.scopes?.includes(key))) continue;
        batch.push({
          position: BigInt(next + 1),
          kind: change.kind,
          resource: change.resource,
          version: BigInt(change.version ?? 1),
          cause: change.cause ?? "",
          changeTime: timestampFromMs(Date.parse("2026-03-02T09:30:00Z")),
          removed: change.removed ?? false,
        });
      }
      if (first || batch.length > 0) {
        position = next;
        yield create(this.#contract.message("parcours.platform.v1.WatchChangesResponse"), {
          changes: batch,
          nextToken: this.token(position),
          headPosition: BigInt(this.changes.length),
        } as never);
        continue;
      }
      await new Promise<void>((resolve) => {
        const wake = () => {
          this.#waiting.delete(wake);
          context.signal.removeEventListener("abort", wake);
          resolve();
        };
        this.#waiting.add(wake);
        context.signal.addEventListener("abort", wake);
      });
    }
  }
}

type Request = { afterToken: string; filter?: { kinds: string[]; within: string[] } };

export interface FakeCaller {
  subject: string;
  roles: string[];
  body?: string;
  funder?: string;
}

/** Accounts by their tokens. */
export const CALLERS: Record<string, FakeCaller> = {
  coordinator: { subject: "camille", roles: ["COORDINATOR"], body: "bodies/opale" },
  "other-coordinator": { subject: "other", roles: ["COORDINATOR"], body: "bodies/exemple" },
  funder: { subject: "afdas-program", roles: ["FUNDER"], body: "bodies/opale", funder: "afdas" },
  "other-funder": {
    subject: "opco",
    roles: ["FUNDER"],
    body: "bodies/opale",
    funder: "uniformation",
  },
  "nameless-funder": { subject: "nobody", roles: ["FUNDER"], body: "bodies/opale" },
  learner: { subject: "learner", roles: ["LEARNER"], body: "bodies/opale" },
  both: {
    subject: "both",
    roles: ["FUNDER", "COORDINATOR"],
    body: "bodies/opale",
    funder: "afdas",
  },
  administrator: { subject: "root", roles: ["ADMINISTRATOR"] },
  "body-administrator": { subject: "admin", roles: ["ADMINISTRATOR"], body: "bodies/opale" },
  bodiless: { subject: "nowhere", roles: ["COORDINATOR"] },
};

/** Enrolment, as far as it says who calls and which bodies there are. */
export function fakeEnrolment(ofContract: Contract): Transport {
  const errors = new Errors(ofContract, quiet);
  const roles = ofContract.registry.getEnum("parcours.type.v1.Role");
  const number = (role: string) =>
    roles?.values.find((value) => value.name === `ROLE_${role}`)?.number as number;
  const get = (name: string) => ofContract.registry.getService(name) as DescService;
  return createRouterTransport(({ service }) => {
    service(get("parcours.platform.v1.CallerService"), {
      getCaller: (_: unknown, context: HandlerContext) => {
        const token = context.requestHeader.get("authorization")?.replace("Bearer ", "") ?? "";
        const caller = CALLERS[token];
        if (caller === undefined) throw errors.make("UNAUTHENTICATED");
        return create(ofContract.message("parcours.platform.v1.GetCallerResponse"), {
          ...caller,
          roles: caller.roles.map(number),
        } as never);
      },
    } as never);
    service(get("parcours.enrolment.v1.ProgrammeService"), {
      getBody: (request: { name: string }) => {
        if (request.name !== "bodies/opale") {
          throw errors.make("NOT_FOUND", { resource: request.name });
        }
        return create(ofContract.message("parcours.enrolment.v1.Body"), request as never);
      },
    } as never);
  });
}

export interface Received {
  path: string;
  headers: IncomingHttpHeaders;
  body: string;
  type: string;
  data: Record<string, unknown>;
}

/** A partner's server on loopback. */
export class Receiver {
  readonly received: Received[] = [];
  /** What is answered; 204 to everything by default. */
  answer: (response: ServerResponse, received: Received) => void = (response) => {
    response.writeHead(204).end();
  };
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server;
  }

  static async start(test: TestContext): Promise<Receiver> {
    const server = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on("data", (chunk) => chunks.push(chunk));
      request.on("error", () => {});
      request.on("end", () => {
        const body = Buffer.concat(chunks).toString();
        const { type, data } = JSON.parse(body);
        const received = { path: request.url ?? "", headers: request.headers, body, type, data };
        receiver.received.push(received);
        receiver.answer(response, received);
      });
    });
    const receiver = new Receiver(server);
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    test.after(() => {
      server.closeAllConnections();
      server.close();
    });
    return receiver;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  url(path = "/"): string {
    return `http://127.0.0.1:${this.port}${path}`;
  }

  /** Resolves once there were so many requests. */
  async count(number: number): Promise<void> {
    await until(() => this.received.length >= number, `request ${number}`);
  }
}

/** Answers with a status, and headers. */
export function status(code: number, headers: Record<string, string> = {}) {
  return (response: ServerResponse) => {
    response.writeHead(code, headers).end();
  };
}

export type Method =
  | "createWebhook"
  | "getWebhook"
  | "listWebhooks"
  | "updateWebhook"
  | "deleteWebhook"
  | "rotateWebhookSecret"
  | "sendTestEvent"
  | "listWebhookDeliveries"
  | "getWebhookDelivery"
  | "redeliverWebhookDelivery";

// biome-ignore lint/suspicious/noExplicitAny: the contract is read when it runs
export type Client = Record<Method, (request: object) => Promise<any>>;

export interface WorldOptions {
  clock?: Clock;
  policy?: Partial<AddressPolicy>;
  faults?: Faults;
  mostPending?: number;
  database?: string;
  key?: MasterKey;
  feeds?: Record<Source, FakeFeed>;
  totalTimeoutMs?: number;
  start?: boolean;
}

/** All of it together, on fakes of the services. */
export class World {
  readonly contract = contract();
  readonly errors = new Errors(this.contract, quiet);
  readonly clock: Clock;
  readonly key: MasterKey;
  readonly store: Store;
  readonly feeds: Record<Source, FakeFeed>;
  readonly dispatcher: WebhookDispatcher;
  readonly sender: Sender;
  readonly transport: Transport;
  readonly policy: AddressPolicy;
  readonly lines: string[] = [];
  #closed = false;

  private constructor(options: WorldOptions) {
    this.clock = options.clock ?? new ManualClock();
    this.key = options.key ?? new MasterKey(Buffer.alloc(32, 7));
    this.store = new Store(options.database ?? ":memory:");
    this.feeds =
      options.feeds ??
      (Object.fromEntries(SOURCES.map((source) => [source, new FakeFeed(this.contract)])) as Record<
        Source,
        FakeFeed
      >);
    this.policy = {
      allowLoopback: true,
      resolve: async () => [{ address: "127.0.0.1", family: 4 }],
      ...options.policy,
    };
    this.sender = new Sender({
      clock: this.clock,
      policy: this.policy,
      ...(options.totalTimeoutMs === undefined ? {} : { totalTimeoutMs: options.totalTimeoutMs }),
    });
    this.dispatcher = new WebhookDispatcher({
      store: this.store,
      key: this.key,
      sender: this.sender,
      clock: this.clock,
      log: new Log("debug", (line) => this.lines.push(line)),
      contract: this.contract,
      errors: this.errors,
      feeds: Object.fromEntries(
        SOURCES.map((source) => [source, this.feeds[source].transport()]),
      ) as Record<Source, Transport>,
      random: () => 0.5,
      ...(options.faults === undefined ? {} : { faults: options.faults }),
      ...(options.mostPending === undefined ? {} : { mostPending: options.mostPending }),
    });
    this.transport = createWebhookTransport({
      contract: this.contract,
      errors: this.errors,
      clock: this.clock,
      store: this.store,
      key: this.key,
      policy: this.policy,
      dispatcher: this.dispatcher,
      enrolment: fakeEnrolment(this.contract),
    });
  }

  static async start(test: TestContext, options: WorldOptions = {}): Promise<World> {
    const world = new World(options);
    test.after(() => world.stop());
    if (options.start !== false) {
      world.dispatcher.start();
      await until(
        () => SOURCES.every((source) => world.store.feedToken(source, "") !== undefined),
        "the position of every feed",
      );
    }
    return world;
  }

  get manual(): ManualClock {
    return this.clock as ManualClock;
  }

  async stop(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await this.dispatcher.stop();
    await this.sender.close();
    this.store.close();
  }

  /** Calls as the account with that token. */
  as(token: string): Client {
    const desc = this.contract.registry.getService(
      "parcours.gateway.v1.WebhookService",
    ) as DescService;
    const client = createClient(desc, this.transport) as unknown as Record<
      string,
      (request: object, options: object) => Promise<unknown>
    >;
    const headers: Record<string, string> =
      token === "" ? {} : { authorization: `Bearer ${token}` };
    return Object.fromEntries(
      desc.methods.map(({ localName }) => [
        localName,
        (request: object) =>
          (client[localName] as (request: object, options: object) => Promise<unknown>)(request, {
            headers,
          }),
      ]),
    ) as Client;
  }

  /** A webhook of a coordinator, or of somebody else. */
  async webhook(url: string, fields: object = {}, token = "coordinator") {
    return await this.as(token).createWebhook({
      parent: CALLERS[token]?.body ?? "bodies/opale",
      webhook: { url, contact: CONTACT, ...fields },
    });
  }

  deliveries(name: string) {
    return this.store.deliveriesOf(name, 0, Number.MAX_SAFE_INTEGER, 1000).reverse();
  }
}

export const CONTACT = { name: "Contact d’essai", email: "essai@exemple.fr" };

export const REAL = realClock;

/** The reason of an error and what it says of fields. */
export function reasonsOf(error: unknown): { reason: string; fields: Record<string, string> } {
  const errors = new Errors(contract(), quiet);
  const connect = ConnectError.from(error);
  const json = errors.toJson(connect).error as {
    details?: {
      "@type": string;
      reason?: string;
      fieldViolations?: { field: string; reason: string }[];
    }[];
  };
  const fields: Record<string, string> = {};
  for (const detail of json.details ?? []) {
    for (const one of detail.fieldViolations ?? []) fields[one.field] = one.reason;
  }
  return { reason: errors.reasonOf(connect), fields };
}

/** The reason with which a call is refused. */
export async function refusal(call: Promise<unknown> | undefined) {
  try {
    await call;
  } catch (error) {
    return { code: Code[ConnectError.from(error).code], ...reasonsOf(error) };
  }
  throw new Error("the call was not refused");
}
