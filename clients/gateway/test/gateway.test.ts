import assert from "node:assert/strict";
import { once } from "node:events";
import { request as httpRequest } from "node:http";
import { connect as connectTcp } from "node:net";
import { after, beforeEach, describe, test } from "node:test";
import { create } from "@bufbuild/protobuf";
import { Code, ConnectError, type HandlerContext } from "@connectrpc/connect";
import { contractWithEcho } from "./support/contracts.ts";
import { type Echo, type EchoBehaviour, echoBackend, startGateway } from "./support/gateways.ts";

const contract = contractWithEcho();
const output = contract.message("parcours.echo.v1.EchoResponse");
const behaviour: EchoBehaviour = {};
let ready = true;
const running = await startGateway(contract, [echoBackend(contract, behaviour, () => ready)]);
const { url, lines, errors } = running;
after(() => running.stop());
beforeEach(() => {
  for (const key of Object.keys(behaviour)) delete behaviour[key as keyof EchoBehaviour];
  lines.length = 0;
});

const JSON_TYPE = { "content-type": "application/json" };

// biome-ignore lint/suspicious/noExplicitAny: bodies are looked into as a client would.
async function json(response: Response): Promise<any> {
  assert.match(response.headers.get("content-type") ?? "", /^application\/json/);
  return response.json();
}

function post(path: string, body: unknown, headers: Record<string, string> = JSON_TYPE) {
  return fetch(`${url}${path}`, {
    method: "POST",
    headers,
    body: typeof body === "string" ? body : JSON.stringify(body),
  });
}

/** The reason of an error's ErrorInfo. */
async function reasonOf(response: Response): Promise<string> {
  const { error } = await json(response);
  assert.equal(error.code, response.status);
  return error.details?.[0]?.reason ?? "";
}

/** Waits until something is so, as other processes of this one get on. */
async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setImmediate(resolve));
}

describe("paths of JSON", () => {
  test("a method answers at its path, and below its backend", async () => {
    for (const prefix of ["", "/echo"]) {
      const response = await fetch(`${url}${prefix}/v1/rooms/1?number=3&inner.texts=a`);
      assert.equal(response.status, 200);
      assert.equal(response.headers.get("etag"), '"v7"');
      assert.equal(response.headers.get("cache-control"), "no-store");
      const body = await json(response);
      assert.deepEqual(body.request, { name: "rooms/1", number: 3, inner: { texts: ["a"] } });
    }
  });

  test("so it does at its additional bindings", async () => {
    const deep = await json(await fetch(`${url}/v1/rooms/1/doors/a/b/c`));
    assert.equal(deep.request.name, "rooms/1/doors/a/b/c");
    const verb = await json(await post("/v1/rooms/1:echo", { yes: true, data: "aGk=" }));
    assert.deepEqual(verb.request, { name: "rooms/1", yes: true, data: "aGk=" });
    const put = await fetch(`${url}/v1/rooms/1?yes=true`, {
      method: "PUT",
      headers: { ...JSON_TYPE, "if-match": '"v3"' },
      body: '{"texts":["a"]}',
    });
    assert.deepEqual((await json(put)).request, {
      yes: true,
      inner: { name: "rooms/1", texts: ["a"], etag: '"v3"' },
    });
    const part = await fetch(`${url}/v1/rooms/1:inner?inner.texts=a`);
    assert.deepEqual(await json(part), { texts: ["a"] });
  });

  test("HEAD has the headers of GET and no body", async () => {
    const response = await fetch(`${url}/v1/rooms/1`, { method: "HEAD" });
    assert.equal(response.status, 200);
    assert.equal(response.headers.get("etag"), '"v7"');
    assert.equal(await response.text(), "");
  });

  for (const [what, path, init, status, reason] of [
    ["an unknown path", "/v1/doors/1", {}, 404, "PATH_UNKNOWN"],
    ["an unknown verb", "/v1/rooms/1:shut", {}, 404, "PATH_UNKNOWN"],
    ["an unknown backend", "/other/v1/rooms/1", {}, 404, "PATH_UNKNOWN"],
    ["no path", "/", {}, 404, "PATH_UNKNOWN"],
    ["an escape that is no UTF-8", "/v1/rooms/%ff", {}, 404, "PATH_UNKNOWN"],
    ["another method", "/v1/rooms/1", { method: "DELETE" }, 405, "METHOD_NOT_ALLOWED"],
    ["an unknown method", "/v1/rooms/1", { method: "PROPFIND" }, 405, "METHOD_NOT_ALLOWED"],
    ["an unknown parameter", "/v1/rooms/1?colour=red", {}, 400, "FIELD_UNKNOWN"],
    ["an absurd address", `/v1/rooms/1?name=${"a".repeat(9000)}`, {}, 414, "URL_TOO_LONG"],
    [
      "a wrong deadline",
      "/v1/rooms/1",
      { headers: { "request-timeout": "soon" } },
      400,
      "FIELD_MALFORMED",
    ],
    [
      "a body that is no JSON",
      "/v1/rooms/1:echo",
      { method: "POST", headers: JSON_TYPE, body: "{" },
      400,
      "BODY_MALFORMED",
    ],
    [
      "a body that is no UTF-8",
      "/v1/rooms/1:echo",
      { method: "POST", headers: JSON_TYPE, body: new Uint8Array([0x22, 0xff, 0x22]) },
      400,
      "BODY_MALFORMED",
    ],
    [
      "an unknown key",
      "/v1/rooms/1:echo",
      { method: "POST", headers: JSON_TYPE, body: '{"colour":1}' },
      400,
      "FIELD_UNKNOWN",
    ],
    [
      "a body of another type",
      "/v1/rooms/1:echo",
      { method: "POST", headers: { "content-type": "text/plain" }, body: "{}" },
      415,
      "MEDIA_TYPE_NOT_SUPPORTED",
    ],
    [
      "a body without a type",
      "/v1/rooms/1:echo",
      { method: "POST", body: new Uint8Array([0x7b, 0x7d]) },
      415,
      "MEDIA_TYPE_NOT_SUPPORTED",
    ],
    [
      "another charset",
      "/v1/rooms/1:echo",
      {
        method: "POST",
        headers: { "content-type": "application/json; charset=latin1" },
        body: "{}",
      },
      415,
      "MEDIA_TYPE_NOT_SUPPORTED",
    ],
    [
      "a packed body",
      "/v1/rooms/1:echo",
      { method: "POST", headers: { ...JSON_TYPE, "content-encoding": "gzip" }, body: "{}" },
      415,
      "MEDIA_TYPE_NOT_SUPPORTED",
    ],
    [
      "too large a body",
      "/v1/rooms/1:echo",
      { method: "POST", headers: JSON_TYPE, body: `{"name":"${"a".repeat(70_000)}"}` },
      413,
      "BODY_TOO_LARGE",
    ],
  ] as [string, string, RequestInit, number, string][]) {
    test(`${what} is ${status}`, async () => {
      const response = await fetch(`${url}${path}`, init);
      assert.equal(response.status, status);
      assert.equal(await reasonOf(response), reason);
    });
  }

  test("a body without announced length is cut off as well", async () => {
    const response = await fetch(`${url}/v1/rooms/1:echo`, {
      method: "POST",
      headers: JSON_TYPE,
      duplex: "half",
      body: new ReadableStream({
        start(controller) {
          for (let i = 0; i < 5; ++i) controller.enqueue(new Uint8Array(20_000).fill(32));
          controller.close();
        },
      }),
    } as RequestInit);
    assert.equal(response.status, 413);
  });

  test("a body where none is wanted is refused", async () => {
    const request = httpRequest(`${url}/v1/rooms/1`, { headers: JSON_TYPE, method: "GET" });
    request.end("{}");
    const [response] = await once(request, "response");
    assert.equal(response.statusCode, 400);
    response.resume();
  });

  test("405 and OPTIONS say what is allowed", async () => {
    const wrong = await fetch(`${url}/v1/rooms/1`, { method: "DELETE" });
    assert.equal(wrong.headers.get("allow"), "GET, HEAD, PUT");
    const options = await fetch(`${url}/v1/rooms/1`, { method: "OPTIONS" });
    assert.equal(options.status, 204);
    assert.equal(options.headers.get("allow"), "OPTIONS, GET, HEAD, PUT");
  });

  test("what is no HTTP gets 400 and the connection ends", async () => {
    const socket = connectTcp(Number(new URL(url).port), "127.0.0.1");
    socket.end("nonsense\r\n\r\n");
    const [bytes] = await once(socket, "data");
    assert.match(String(bytes), /^HTTP\/1\.1 400/);
  });
});

describe("errors", () => {
  test("of a service keep their details", async () => {
    behaviour.get = () => {
      const error = errors.make("QUOTA_EXCEEDED", { seconds: "7" });
      error.details.push({
        desc: contract.message("google.rpc.RetryInfo"),
        value: { retryDelay: { seconds: 6n, nanos: 5 } },
      });
      throw error;
    };
    const response = await fetch(`${url}/v1/rooms/1`);
    assert.equal(response.status, 429);
    assert.equal(response.headers.get("retry-after"), "7");
    const { error } = await json(response);
    assert.equal(error.status, "RESOURCE_EXHAUSTED");
    assert.equal(error.message, "Too many calls; the next one passes in 7 s.");
    assert.deepEqual(error.details, [
      {
        "@type": "type.googleapis.com/google.rpc.ErrorInfo",
        reason: "QUOTA_EXCEEDED",
        domain: "parcours",
        metadata: { seconds: "7" },
      },
      {
        "@type": "type.googleapis.com/google.rpc.LocalizedMessage",
        locale: "fr",
        message: "Trop d’appels ; le prochain passera dans 7 s.",
      },
      { "@type": "type.googleapis.com/google.rpc.RetryInfo", retryDelay: "6.000000005s" },
    ]);
    assert.equal(lines.at(-1)?.reason, "QUOTA_EXCEEDED");
  });

  for (const [cause, status, code, reason] of [
    [new Error("password=secret at /srv/x.ts:5"), 500, "INTERNAL", "INTERNAL"],
    [new ConnectError("secret", Code.Unknown), 500, "INTERNAL", "INTERNAL"],
    [new ConnectError("secret", Code.DataLoss), 500, "INTERNAL", "INTERNAL"],
    [
      new ConnectError("connect secret:5", Code.Unavailable),
      503,
      "UNAVAILABLE",
      "OWNER_UNAVAILABLE",
    ],
    [new ConnectError("secret", Code.Unimplemented), 501, "UNIMPLEMENTED", "METHOD_NOT_OFFERED"],
    [
      new ConnectError("secret", Code.DeadlineExceeded),
      504,
      "DEADLINE_EXCEEDED",
      "DEADLINE_EXCEEDED",
    ],
  ] as [Error, number, string, string][]) {
    test(`${String(cause)} shows nothing of itself`, async () => {
      behaviour.get = () => {
        throw cause;
      };
      const response = await fetch(`${url}/v1/rooms/1`);
      assert.equal(response.status, status);
      const text = await response.text();
      assert.doesNotMatch(text, /secret/);
      const { error } = JSON.parse(text);
      assert.equal(error.status, code);
      assert.equal(error.details[0].reason, reason);
      const { reference } = error.details[0].metadata ?? {};
      if (status === 500) assert.ok(lines.some((line) => line.reference === reference));
    });
  }
});

describe("metadata", () => {
  test("that is the caller's is passed on, and no other", async () => {
    let seen: Headers | undefined;
    behaviour.get = (_, context: HandlerContext) => {
      seen = context.requestHeader;
      context.responseHeader.set("x-page", "1");
      context.responseHeader.set("set-cookie", "a=b");
      context.responseTrailer.set("parcours-feed-token", "t9");
      context.responseTrailer.set("authorization", "never");
    };
    const response = await fetch(`${url}/v1/rooms/1`, {
      headers: {
        authorization: "Bearer t",
        "accept-language": "fr",
        "parcours-feed-token": "t1",
        "x-purpose": "test",
        "x-forwarded-for": "192.0.2.9",
        "x-forwarded-client-cert": "URI=spiffe://parcours/service/enrolment",
        "x-real-ip": "192.0.2.9",
        "x-evil-bin": "AAAA",
        cookie: "a=b",
        "grpc-timeout": "1S",
        te: "trailers",
      },
    });
    assert.equal(response.status, 200);
    assert.equal(response.headers.get("x-page"), "1");
    assert.equal(response.headers.get("parcours-feed-token"), "t9");
    assert.equal(response.headers.get("set-cookie"), null);
    assert.equal(response.headers.get("authorization"), null);
    assert.ok(seen);
    const passed = Object.fromEntries(seen);
    assert.equal(passed.authorization, "Bearer t");
    assert.equal(passed["accept-language"], "fr");
    assert.equal(passed["parcours-feed-token"], "t1");
    assert.equal(passed["x-purpose"], "test");
    assert.equal(passed["x-forwarded-for"], "127.0.0.1");
    assert.match(passed.traceparent ?? "", /^00-[0-9a-f]{32}-[0-9a-f]{16}-00$/);
    for (const name of ["cookie", "x-forwarded-client-cert", "x-real-ip", "x-evil-bin"]) {
      assert.equal(passed[name], undefined, name);
    }
  });

  test("a trace goes on", async () => {
    const trace = `00-${"a".repeat(32)}-${"b".repeat(16)}-01`;
    let seen = "";
    behaviour.get = (_, context) => {
      seen = context.requestHeader.get("traceparent") ?? "";
    };
    await fetch(`${url}/v1/rooms/1`, { headers: { traceparent: trace } });
    assert.equal(seen, trace);
    assert.equal(lines.at(-1)?.trace_id, "a".repeat(32));
  });

  test("a proxy that is trusted says whose call it is", async () => {
    const trusting = await startGateway(contract, [echoBackend(contract, behaviour)], {
      trustedProxies: ["loopback"],
    });
    let seen = "";
    behaviour.get = (_, context) => {
      seen = context.requestHeader.get("x-forwarded-for") ?? "";
    };
    await fetch(`${trusting.url}/v1/rooms/1`, {
      headers: { "x-forwarded-for": "203.0.113.1, 192.0.2.9" },
    });
    assert.equal(seen, "192.0.2.9");
    await trusting.stop();
  });
});

describe("deadlines and ends", () => {
  test("a call has 30 s when nobody says", async () => {
    let left: number | undefined;
    behaviour.get = (_, context) => {
      left = context.timeoutMs();
    };
    await fetch(`${url}/v1/rooms/1`);
    assert.ok(left !== undefined && left > 20_000 && left <= 30_000, String(left));
    await fetch(`${url}/v1/rooms/1`, { headers: { "request-timeout": "4.5" } });
    assert.ok(left !== undefined && left > 1_000 && left <= 4_500, String(left));
  });

  test("past its deadline it is 504, and the service is told", async () => {
    let told = false;
    behaviour.get = async (_, context) => {
      await new Promise((resolve) => context.signal.addEventListener("abort", resolve));
      told = true;
    };
    const response = await fetch(`${url}/v1/rooms/1`, { headers: { "request-timeout": "0.05" } });
    assert.equal(response.status, 504);
    assert.equal(await reasonOf(response), "DEADLINE_EXCEEDED");
    await until(() => told);
  });

  test("the service is told when the client has gone", async () => {
    let called = false;
    let told = false;
    behaviour.get = async (_, context) => {
      called = true;
      await new Promise((resolve) => context.signal.addEventListener("abort", resolve));
      told = true;
    };
    const controller = new AbortController();
    const gone = fetch(`${url}/v1/rooms/1`, { signal: controller.signal });
    await until(() => called);
    controller.abort();
    await assert.rejects(gone);
    await until(() => told);
    await until(() => lines.length > 0);
    assert.equal(lines.at(-1)?.code, "CANCELLED");
  });
});

describe("streams", () => {
  test("are lines of JSON", async () => {
    const response = await fetch(`${url}/v1/rooms/1:count?number=3`);
    assert.equal(response.headers.get("content-type"), "application/x-ndjson");
    assert.deepEqual(
      (await response.text())
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line).etag),
      ["1", "2", "3"],
    );
  });

  test("or events, which go on after the last one", async () => {
    const response = await fetch(`${url}/v1/rooms/1:count?number=4`, {
      headers: { accept: "text/event-stream", "last-event-id": "2" },
    });
    assert.equal(response.headers.get("content-type"), "text/event-stream");
    assert.equal(
      await response.text(),
      'id: 3\ndata: {"etag":"3","nextToken":"3"}\n\nid: 4\ndata: {"etag":"4","nextToken":"4"}\n\n',
    );
  });

  test("that fail at once say so by their status", async () => {
    // biome-ignore lint/correctness/useYield: it fails before.
    behaviour.count = async function* () {
      throw errors.make("FEED_TRIMMED");
    };
    const response = await fetch(`${url}/v1/rooms/1:count`);
    assert.equal(response.status, 400);
    assert.equal(await reasonOf(response), "FEED_TRIMMED");
  });

  test("that break say so at their end", async () => {
    behaviour.count = async function* () {
      yield create(output, { etag: "1" });
      throw errors.make("DRAINING");
    };
    const lined = await (await fetch(`${url}/v1/rooms/1:count`)).text();
    const [first, last] = lined
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
    assert.equal(first.etag, "1");
    assert.equal(last.error.details[0].reason, "DRAINING");
    const events = await fetch(`${url}/v1/rooms/1:count`, {
      headers: { accept: "text/event-stream" },
    });
    assert.match(await events.text(), /\n\nevent: error\ndata: \{"error":\{"code":503/);
  });

  test("that are silent begin all the same", async () => {
    let release = () => {};
    behaviour.count = async function* () {
      await new Promise<void>((resolve) => {
        release = resolve;
      });
      yield create(output, { etag: "1" });
    };
    const response = await fetch(`${url}/v1/rooms/1:count`);
    assert.equal(response.status, 200);
    release();
    assert.match(await response.text(), /"etag":"1"/);
  });

  test("wait for a client that does not read", async () => {
    let made = 0;
    let ended = false;
    behaviour.count = async function* (_, context) {
      context.signal.addEventListener("abort", () => {
        ended = true;
      });
      for (; made < 100_000; ++made) {
        yield create(output, { etag: "x".repeat(10_000) });
      }
    };
    const socket = connectTcp(Number(new URL(url).port), "127.0.0.1");
    socket.write("GET /v1/rooms/1:count HTTP/1.1\r\nhost: x\r\n\r\n");
    await once(socket, "readable");
    // Nobody reads: it must come to rest long before the end.
    let before = -1;
    while (made !== before) {
      before = made;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    assert.ok(made < 10_000, String(made));
    socket.destroy();
    await until(() => ended);
  });

  test("of a client come as lines", async () => {
    const bytes = (text: string) => Buffer.from(text).toString("base64");
    const body = `{"data":"${bytes("one ")}"}\n\n{"data":"${bytes("two")}"}`;
    const response = await post("/v1/rooms/1:gather", body, {
      "content-type": "application/x-ndjson",
    });
    assert.deepEqual((await json(response)).request, { name: "rooms/1", data: bytes("one two") });
  });

  test("of a client are refused at the first wrong line", async () => {
    for (const [body, reason] of [
      ['{"data":"aGk="}\n{"colour":1}\n', "FIELD_UNKNOWN"],
      ['{"data":"aGk="}\n{', "BODY_MALFORMED"],
      [`{"data":"${"a".repeat(70_000)}`, "BODY_TOO_LARGE"],
    ] as const) {
      const response = await post("/v1/rooms/1:gather", body, {
        "content-type": "application/x-ndjson",
      });
      assert.equal(await reasonOf(response), reason);
    }
    const typed = await post("/v1/rooms/1:gather", "{}", { "content-type": "text/plain" });
    assert.equal(typed.status, 415);
  });
});

describe("web pages", () => {
  test("of an allowed origin may call", async () => {
    const preflight = await fetch(`${url}/v1/rooms/1`, {
      method: "OPTIONS",
      headers: {
        origin: "https://pages.example",
        "access-control-request-method": "PUT",
        "access-control-request-headers": "authorization",
      },
    });
    assert.equal(preflight.status, 204);
    assert.equal(preflight.headers.get("access-control-allow-origin"), "https://pages.example");
    assert.match(preflight.headers.get("access-control-allow-methods") ?? "", /PUT/);
    assert.equal(preflight.headers.get("access-control-allow-headers"), "authorization");
    const call = await fetch(`${url}/v1/rooms/1`, { headers: { origin: "https://pages.example" } });
    assert.equal(call.headers.get("access-control-allow-origin"), "https://pages.example");
    assert.match(call.headers.get("access-control-expose-headers") ?? "", /etag/);
  });

  test("of another origin may not", async () => {
    for (const method of ["OPTIONS", "GET"]) {
      const response = await fetch(`${url}/v1/rooms/1`, {
        method,
        headers: { origin: "https://other.example", "access-control-request-method": "GET" },
      });
      assert.equal(response.headers.get("access-control-allow-origin"), null);
      assert.equal(response.headers.get("vary"), "Origin");
    }
  });
});

describe("the gateway itself", () => {
  test("lives, is ready when its backends are, and counts", async () => {
    assert.equal((await fetch(`${url}/healthz`)).status, 200);
    assert.equal((await fetch(`${url}/readyz`)).status, 200);
    await fetch(`${url}/v1/rooms/1`);
    const text = await running.metrics.registry.metrics();
    assert.match(
      text,
      /parcours_gateway_duration_seconds_count\{method="parcours\.echo\.v1\.EchoService\/Get",backend="echo",protocol="json",code="OK"\} \d/,
    );
  });

  test("is not ready when a backend is not", async () => {
    ready = false;
    const other = await startGateway(contract, [echoBackend(contract, behaviour, () => ready)]);
    assert.equal((await fetch(`${other.url}/readyz`)).status, 503);
    await other.stop();
    ready = true;
  });

  test("drains: running calls end, streams are told, nothing new comes", async () => {
    const own: EchoBehaviour = {};
    const other = await startGateway(contract, [echoBackend(contract, own)]);
    let release = () => {};
    let called = false;
    own.get = () => {
      called = true;
      return new Promise<void>((resolve) => {
        release = resolve;
      });
    };
    own.count = async function* (_: Echo, context: HandlerContext) {
      yield create(output, { etag: "1" });
      await new Promise((_, reject) =>
        context.signal.addEventListener("abort", () => reject(context.signal.reason)),
      );
    };
    const call = fetch(`${other.url}/v1/rooms/1`);
    const stream = await fetch(`${other.url}/v1/rooms/1:count`);
    await until(() => called);
    other.gateway.stop();
    other.listener.drain();
    assert.match(await stream.text(), /"reason":"DRAINING"/);
    release();
    assert.equal((await call).status, 200);
    await other.listener.closed;
    await assert.rejects(fetch(`${other.url}/healthz`));
  });
});
