import assert from "node:assert/strict";
import { after, beforeEach, describe, test } from "node:test";
import { create, type Message } from "@bufbuild/protobuf";
import { type Client, Code, ConnectError, createClient, type Transport } from "@connectrpc/connect";
import * as node from "@connectrpc/connect-node";
import * as web from "@connectrpc/connect-web";
import { contractWithEcho } from "./support/contracts.ts";
import {
  type Echo,
  type EchoBehaviour,
  echoBackend,
  echoService,
  startGateway,
} from "./support/gateways.ts";

const contract = contractWithEcho();
const service = echoService(contract);
const output = contract.message("parcours.echo.v1.EchoResponse");
const behaviour: EchoBehaviour = {};
const { url, stop, lines, errors } = await startGateway(contract, [
  echoBackend(contract, behaviour),
]);
after(stop);
beforeEach(() => {
  lines.length = 0;
  for (const key of Object.keys(behaviour)) delete behaviour[key as keyof EchoBehaviour];
});

/** Lets the others of this process get on. */
const turn = () => new Promise((resolve) => setImmediate(resolve));

type Answer = Message & { request: Echo; etag: string };
type EchoClient = {
  get(request: object, options?: object): Promise<Answer>;
  count(request: object, options?: object): AsyncIterable<Answer>;
  gather(requests: AsyncIterable<object>, options?: object): Promise<Answer>;
};

const transports: [string, string, Transport][] = [
  ["Connect of a browser", "connect", web.createConnectTransport({ baseUrl: url })],
  [
    "Connect of a browser, in binary",
    "connect",
    web.createConnectTransport({ baseUrl: `${url}/echo`, useBinaryFormat: true }),
  ],
  ["gRPC-Web of a browser", "grpc-web", web.createGrpcWebTransport({ baseUrl: url })],
  ["gRPC", "grpc", node.createGrpcTransport({ baseUrl: url })],
  [
    "Connect over HTTP/2",
    "connect",
    node.createConnectTransport({ baseUrl: url, httpVersion: "2" }),
  ],
  [
    "gRPC-Web over HTTP/1.1",
    "grpc-web",
    node.createGrpcWebTransport({ baseUrl: `${url}/echo`, httpVersion: "1.1" }),
  ],
];

for (const [name, protocol, transport] of transports) {
  const client = createClient(service, transport) as Client<
    typeof service
  > as unknown as EchoClient;

  describe(name, () => {
    test("answers a unary call", async () => {
      behaviour.get = (_, context) => {
        context.responseHeader.set("x-page", context.requestHeader.get("authorization") ?? "");
        context.responseTrailer.set("parcours-feed-token", "t9");
      };
      const metadata = new Map<string, string>();
      const keep = (headers: Headers) => {
        for (const [key, value] of headers) metadata.set(key, value);
      };
      const answer = await client.get(
        { name: "rooms/1", bigNumber: 9007199254740993n },
        { headers: { authorization: "Bearer t" }, onHeader: keep, onTrailer: keep },
      );
      assert.equal(answer.request.name, "rooms/1");
      assert.equal(
        (answer.request as unknown as { bigNumber: bigint }).bigNumber,
        9007199254740993n,
      );
      assert.equal(metadata.get("x-page"), "Bearer t");
      assert.equal(metadata.get("parcours-feed-token"), "t9");
      while (!lines.some((line) => line.msg === "call")) await turn();
      assert.equal(lines.at(-1)?.protocol, protocol);
    });

    test("answers a stream", async () => {
      const etags: string[] = [];
      for await (const { etag } of client.count({ number: 4 })) etags.push(etag);
      assert.deepEqual(etags, ["1", "2", "3", "4"]);
    });

    test("carries the details of an error", async () => {
      behaviour.get = () => {
        throw errors.make("NOT_FOUND", { resource: "rooms/1" });
      };
      const error = await client.get({}).then(
        () => assert.fail("it did not fail"),
        (cause: unknown) => ConnectError.from(cause),
      );
      assert.equal(error.code, Code.NotFound);
      assert.equal(error.rawMessage, "rooms/1 does not exist.");
      const [info] = error.findDetails(contract.message("google.rpc.ErrorInfo")) as unknown as {
        reason: string;
        metadata: Record<string, string>;
      }[];
      assert.equal(info?.reason, "NOT_FOUND");
      assert.deepEqual(info?.metadata, { resource: "rooms/1" });
    });

    test("shows nothing of what goes wrong inside", async () => {
      behaviour.get = () => {
        throw new Error("secret");
      };
      const error = await client.get({}).catch(ConnectError.from);
      assert.ok(error instanceof ConnectError);
      assert.equal(error.code, Code.Internal);
      assert.doesNotMatch(error.message, /secret/);
    });

    test("passes the deadline on, and the end of a client", async () => {
      let left: number | undefined;
      let told = false;
      behaviour.count = async function* (_, context) {
        left = context.timeoutMs();
        context.signal.addEventListener("abort", () => {
          told = true;
        });
        for (let n = 0; ; ++n) {
          yield create(output, { etag: `${n}` });
          await turn();
        }
      };
      const end = new AbortController();
      await assert.rejects(async () => {
        for await (const _ of client.count({}, { timeoutMs: 3_000, signal: end.signal })) {
          end.abort();
        }
      });
      assert.ok(left !== undefined && left > 100 && left <= 3_000, String(left));
      while (!told) await turn();
    });

    test("has no deadline on a stream unless it is given", async () => {
      let left: number | undefined = 1;
      behaviour.count = async function* (_, context) {
        left = context.timeoutMs();
        yield create(output);
      };
      for await (const _ of client.count({}));
      assert.equal(left, undefined);
    });

    if (name === "gRPC" || name === "Connect over HTTP/2") {
      test("sends a stream", async () => {
        const answer = await client.gather(
          (async function* () {
            for (const text of ["one ", "two"]) yield { data: Buffer.from(text) };
          })(),
        );
        assert.equal(Buffer.from(answer.request.data).toString(), "one two");
      });
    }
  });
}

test("Connect in JSON refuses an unknown key", async () => {
  const response = await fetch(`${url}/parcours.echo.v1.EchoService/Get`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: '{"colour":"red"}',
  });
  assert.equal(response.status, 400);
  assert.match(await response.text(), /"code":"invalid_argument".*colour/);
  while (!lines.some((line) => line.msg === "call")) await turn();
  assert.equal(lines.at(-1)?.code, "INVALID_ARGUMENT");
});

test("a hundred calls at once are answered, each its own", async () => {
  const clients = transports.map(
    ([, , transport]) => createClient(service, transport) as unknown as EchoClient,
  );
  const names = await Promise.all(
    Array.from({ length: 100 }, async (_, i) => {
      const client = clients[i % clients.length] as EchoClient;
      return (await client.get({ name: `rooms/${i}` })).request.name;
    }),
  );
  names.forEach((name, i) => {
    assert.equal(name, `rooms/${i}`);
  });
});
