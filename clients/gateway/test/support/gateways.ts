import type { DescService, Message } from "@bufbuild/protobuf";
import { create } from "@bufbuild/protobuf";
import { createRouterTransport, type HandlerContext } from "@connectrpc/connect";
import { type Backend, localBackend } from "../../src/backend/backend.ts";
import type { Contract } from "../../src/contract/contract.ts";
import { Directory } from "../../src/directory.ts";
import { Errors } from "../../src/errors.ts";
import { Log } from "../../src/log.ts";
import { Gateway, type GatewayOptions } from "../../src/server/gateway.ts";
import { type Listener, listenPlain } from "../../src/server/listen.ts";
import { Metrics } from "../../src/server/metrics.ts";

/** A gateway on a free port of this process. */
export type RunningGateway = {
  url: string;
  gateway: Gateway;
  listener: Listener;
  errors: Errors;
  metrics: Metrics;
  /** Lines of its log, parsed. */
  lines: Record<string, unknown>[];
  stop(): Promise<void>;
};

export async function startGateway(
  contract: Contract,
  backends: readonly Backend[],
  options: Partial<GatewayOptions> = {},
): Promise<RunningGateway> {
  const lines: Record<string, unknown>[] = [];
  const log = new Log("debug", (line) => lines.push(JSON.parse(line)));
  const errors = new Errors(contract, log);
  const metrics = new Metrics();
  const gateway = new Gateway({
    contract,
    directory: new Directory(contract, backends),
    errors,
    log,
    metrics,
    docs: undefined,
    trustedProxies: [],
    allowOrigins: ["https://pages.example"],
    maxBodyBytes: 64 * 1024,
    defaultTimeoutMs: 30_000,
    ...options,
  });
  const listener = await listenPlain({ host: "127.0.0.1", port: 0 }, gateway.handle.bind(gateway));
  return {
    url: `http://127.0.0.1:${listener.port}`,
    gateway,
    listener,
    errors,
    metrics,
    lines,
    async stop() {
      gateway.stop();
      listener.drain();
      listener.destroy();
      await listener.closed;
    },
  };
}

/** A request of parcours.echo.v1, as far as tests look at it. */
export type Echo = Message & {
  name: string;
  number: number;
  data: Uint8Array;
  afterToken: string;
  inner?: { etag: string };
};

/** What the echo service does; it answers with what it was asked where nothing is said. */
export type EchoBehaviour = {
  get?: (request: Echo, context: HandlerContext) => unknown;
  count?: (request: Echo, context: HandlerContext) => AsyncIterable<unknown>;
  gather?: (requests: AsyncIterable<Echo>, context: HandlerContext) => unknown;
};

export function echoService(contract: Contract): DescService {
  const service = contract.registry.getService("parcours.echo.v1.EchoService");
  if (service === undefined) throw new Error("the contract has no echo");
  return service;
}

/** The implementation of the echo service; `behaviour` is looked at on each call. */
export function echoImplementation(contract: Contract, behaviour: EchoBehaviour) {
  const output = contract.message("parcours.echo.v1.EchoResponse");
  return {
    async get(request: Echo, context: HandlerContext) {
      const said = await behaviour.get?.(request, context);
      return said ?? create(output, { request, inner: request.inner, etag: '"v7"' });
    },
    async *count(request: Echo, context: HandlerContext) {
      if (behaviour.count !== undefined) {
        yield* behaviour.count(request, context) as AsyncIterable<never>;
        return;
      }
      const first = Number(request.afterToken || 0) + 1;
      for (let n = first; n <= request.number; ++n) {
        yield create(output, { etag: `${n}`, nextToken: `${n}` });
      }
    },
    async gather(requests: AsyncIterable<Echo>, context: HandlerContext) {
      const said = await behaviour.gather?.(requests, context);
      if (said !== undefined) return said;
      let text = "";
      let name = "";
      for await (const request of requests) {
        text += Buffer.from(request.data).toString();
        name = request.name;
      }
      return create(output, { request: { name, data: Buffer.from(text) } });
    },
  };
}

/** The echo service in this process, as a backend. */
export function echoBackend(
  contract: Contract,
  behaviour: EchoBehaviour,
  ready?: () => boolean,
): Backend {
  const transport = createRouterTransport((router) => {
    router.service(echoService(contract), echoImplementation(contract, behaviour) as never);
  });
  return localBackend("echo", transport, ready);
}
