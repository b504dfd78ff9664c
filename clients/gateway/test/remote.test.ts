import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import {
  createSecureServer,
  createServer,
  type Http2Server,
  type ServerHttp2Session,
} from "node:http2";
import type { AddressInfo } from "node:net";
import { after, describe, test } from "node:test";
import { create, type DescMethodServerStreaming, type DescMethodUnary } from "@bufbuild/protobuf";
import { ConnectError, createClient } from "@connectrpc/connect";
import { connectNodeAdapter, createGrpcTransport } from "@connectrpc/connect-node";
import { RemoteBackend } from "../src/backend/remote.ts";
import { onlyReads } from "../src/contract/contract.ts";
import { Errors } from "../src/errors.ts";
import type { Address } from "../src/flags.ts";
import { Log } from "../src/log.ts";
import type { TlsFiles } from "../src/options.ts";
import { listenTls } from "../src/server/listen.ts";
import { Authority } from "./support/certificates.ts";
import { contractWithEcho } from "./support/contracts.ts";
import {
  type EchoBehaviour,
  echoImplementation,
  echoService,
  startGateway,
} from "./support/gateways.ts";

const contract = contractWithEcho();
const service = echoService(contract);
const errors = new Errors(contract, new Log("error", () => {}));
const cleanups: (() => unknown)[] = [];
after(async () => {
  for (const cleanup of cleanups.reverse()) await cleanup();
});

/** A replica of the echo service that speaks gRPC, and counts its calls. */
class Replica {
  readonly behaviour: EchoBehaviour = {};
  calls = 0;
  readonly server: Http2Server;

  constructor(tls?: { authority: Authority; file: string }) {
    const handler = connectNodeAdapter({
      routes: (router) => {
        router.service(service, echoImplementation(contract, this.behaviour) as never);
      },
    });
    const counted: typeof handler = (request, response) => {
      ++this.calls;
      handler(request, response);
    };
    this.server =
      tls === undefined
        ? createServer(counted)
        : (createSecureServer(
            {
              cert: readFileSync(tls.file),
              key: readFileSync(tls.file),
              ca: readFileSync(tls.authority.ca),
              requestCert: true,
              rejectUnauthorized: true,
            },
            counted,
          ) as unknown as Http2Server);
    this.server.on("session", (session) => {
      session.on("error", () => {});
      cleanups.push(() => session.destroy());
    });
    cleanups.push(() => this.server.close());
  }

  async listen(): Promise<Address> {
    await new Promise<void>((resolve) => this.server.listen(0, "127.0.0.1", resolve));
    return { host: "127.0.0.1", port: (this.server.address() as AddressInfo).port };
  }
}

function backend(addresses: Address[], tls?: TlsFiles, name = "echo"): RemoteBackend {
  const remote = new RemoteBackend({
    name,
    addresses,
    tls,
    maxMessageBytes: 1 << 20,
    isRead: (method) => onlyReads(contract, method),
    isAnswer: (error) => errors.reasonOf(error) !== "",
  });
  cleanups.push(() => remote.close());
  return remote;
}

/** A port where nobody listens. */
async function deadAddress(): Promise<Address> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return { host: "127.0.0.1", port };
}

const get = service.methods.find((method) => method.name === "Get") as DescMethodUnary;
const change = { ...get, name: "Change" } as DescMethodUnary;

function call(remote: RemoteBackend, method = get) {
  return remote.transport.unary(method, undefined, 5000, undefined, create(get.input));
}

describe("replicas", () => {
  test("take turns", async () => {
    const replicas = [new Replica(), new Replica()];
    const remote = backend(await Promise.all(replicas.map((replica) => replica.listen())));
    for (let i = 0; i < 10; ++i) await call(remote);
    assert.deepEqual(
      replicas.map(({ calls }) => calls),
      [5, 5],
    );
  });

  test("that are not there are passed over by reads", async () => {
    const replica = new Replica();
    const remote = backend([await deadAddress(), await replica.listen(), await deadAddress()]);
    for (let i = 0; i < 6; ++i) await call(remote);
    assert.equal(replica.calls, 6);
    const count = service.methods.find(
      (method) => method.name === "Count",
    ) as DescMethodServerStreaming;
    for (let i = 0; i < 3; ++i) {
      const requests = (async function* () {
        yield create(count.input, { number: 2 });
      })();
      const answer = await remote.transport.stream(count, undefined, 5000, undefined, requests);
      assert.equal((await Array.fromAsync(answer.message)).length, 2);
    }
  });

  test("are not passed over by changes", async () => {
    const remote = backend([await deadAddress(), await deadAddress()]);
    const replica = new Replica();
    const mixed = backend([await replica.listen(), await deadAddress()]);
    await assert.rejects(call(remote, change));
    // Not bound to a path, and thus no read.
    await assert.rejects(call(mixed, change));
  });

  test("whose answer is an error have answered", async () => {
    const replicas = [new Replica(), new Replica()];
    for (const { behaviour } of replicas) {
      behaviour.get = () => {
        throw errors.make("DATABASE_UNAVAILABLE");
      };
    }
    const remote = backend(await Promise.all(replicas.map((replica) => replica.listen())));
    const error = await call(remote).catch(ConnectError.from);
    assert.ok(error instanceof ConnectError);
    assert.equal(errors.reasonOf(error), "DATABASE_UNAVAILABLE");
    assert.equal((replicas[0]?.calls ?? 0) + (replicas[1]?.calls ?? 0), 1);
  });

  test("that end in the middle are 503, as those that were never there", async () => {
    const replica = new Replica();
    const gateway = await startGateway(contract, [backend([await replica.listen()])]);
    cleanups.push(() => gateway.stop());
    const sessions: ServerHttp2Session[] = [];
    replica.server.on("session", (session) => sessions.push(session));
    const lose = () => {
      for (const session of sessions.splice(0)) session.destroy();
      return new Promise(() => {});
    };
    replica.behaviour.get = lose;
    const lost = await fetch(`${gateway.url}/v1/rooms/1`, {
      method: "PUT",
      headers: { "request-timeout": "5" },
    });
    assert.equal(lost.status, 503);
    assert.match(await lost.text(), /OWNER_UNAVAILABLE/);
    replica.behaviour.count = async function* () {
      yield create(contract.message("parcours.echo.v1.EchoResponse"), { etag: "1" });
      await lose();
    };
    const lines = (await (await fetch(`${gateway.url}/v1/rooms/1:count`)).text()).split("\n");
    assert.match(lines[0] ?? "", /"etag":"1"/);
    assert.match(lines[1] ?? "", /OWNER_UNAVAILABLE/);
  });

  test("none of which is there are 503, and nothing of their address is shown", async () => {
    const address = await deadAddress();
    const gateway = await startGateway(contract, [backend([address])]);
    cleanups.push(() => gateway.stop());
    const response = await fetch(`${gateway.url}/v1/rooms/1`);
    assert.equal(response.status, 503);
    const text = await response.text();
    assert.match(text, /OWNER_UNAVAILABLE/);
    assert.doesNotMatch(text, new RegExp(`${address.port}|ECONN|127\\.`));
    assert.equal((await fetch(`${gateway.url}/readyz`)).status, 503);
  });
});

describe("TLS", () => {
  test("to services is mutual, and holds them to their name", async () => {
    const authority = new Authority();
    cleanups.push(() => authority.remove());
    const own = authority.issue("gateway", "DNS:gateway.parcours.internal");
    const right = authority.issue("echo", "DNS:echo.parcours.internal");
    const files = { certificate: own, key: own, ca: authority.ca };

    const replica = new Replica({ authority, file: right });
    const address = await replica.listen();
    await call(backend([address], files));
    assert.equal(replica.calls, 1);
    await assert.rejects(call(backend([address], files, "enrolment")));

    const stranger = new Authority();
    cleanups.push(() => stranger.remove());
    const foreign = stranger.issue("gateway", "DNS:gateway.parcours.internal");
    await assert.rejects(
      call(backend([address], { certificate: foreign, key: foreign, ca: authority.ca })),
    );
    await assert.rejects(call(backend([address], { ...files, ca: stranger.ca })));
    assert.equal(replica.calls, 1);
  });

  test("for clients speaks HTTP/2 and HTTP/1.1, and reads its files again", async () => {
    const authority = new Authority();
    cleanups.push(() => authority.remove());
    const file = authority.issue("page", "DNS:localhost");
    const gateway = await startGateway(contract, []);
    cleanups.push(() => gateway.stop());
    const listener = await listenTls(
      { host: "127.0.0.1", port: 0 },
      { certificate: file, key: file, ca: "" },
      50,
      gateway.gateway.handle.bind(gateway.gateway),
    );
    cleanups.push(() => {
      listener.drain();
      listener.destroy();
    });
    const { connect } = await import("node:tls");
    const { get: getOverHttp1 } = await import("node:https");
    const ca = readFileSync(authority.ca);
    const inspect = (protocol: string) =>
      new Promise<{ alpn: unknown; serial: string }>((resolve, reject) => {
        const socket = connect(
          {
            host: "127.0.0.1",
            servername: "localhost",
            port: listener.port,
            ca,
            ALPNProtocols: [protocol],
          },
          () => {
            resolve({
              alpn: socket.alpnProtocol,
              serial: socket.getPeerCertificate().serialNumber,
            });
            socket.destroy();
          },
        );
        socket.on("error", reject);
      });
    const before = await inspect("h2");
    assert.equal(before.alpn, "h2");
    assert.equal((await inspect("http/1.1")).alpn, "http/1.1");
    const status = await new Promise((resolve, reject) => {
      getOverHttp1(
        `https://localhost:${listener.port}/healthz`,
        { ca, agent: false },
        (response) => {
          response.resume();
          resolve(response.statusCode);
        },
      ).on("error", reject);
    });
    assert.equal(status, 200);
    const client = createClient(
      service,
      createGrpcTransport({ baseUrl: `https://localhost:${listener.port}`, nodeOptions: { ca } }),
    ) as unknown as { get(request: object): Promise<unknown> };
    await assert.rejects(client.get({}), /unimplemented|404/i);

    authority.issue("page", "DNS:localhost");
    while ((await inspect("h2")).serial === before.serial);
  });
});
