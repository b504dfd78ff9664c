import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { callerAddress, continueTrace, isForwarded, isLoopback } from "./metadata.ts";

describe("the address of a call is", () => {
  for (const [name, peer, forwarded, proxies, expected] of [
    ["its peer's", "192.0.2.1", undefined, [], "192.0.2.1"],
    ["its peer's, whatever it says", "192.0.2.1", "198.51.100.7", [], "192.0.2.1"],
    ["its peer's, written as IPv6", "::ffff:192.0.2.1", undefined, [], "192.0.2.1"],
    ["what a proxy says", "192.0.2.1", "198.51.100.7", ["192.0.2.1"], "198.51.100.7"],
    ["what a proxy says last", "::1", "203.0.113.9, 198.51.100.7", ["loopback"], "198.51.100.7"],
    ["an IPv6 one in brackets", "127.0.0.1", "[2001:db8::1]", ["loopback"], "2001:db8::1"],
    ["the proxy's that says nothing", "127.0.0.1", undefined, ["loopback"], "127.0.0.1"],
    ["the proxy's that says nonsense", "127.0.0.1", "unknown", ["loopback"], "127.0.0.1"],
    ["another peer's than the proxy", "192.0.2.2", "198.51.100.7", ["192.0.2.1"], "192.0.2.2"],
  ] as const) {
    test(name, () => assert.equal(callerAddress(peer, forwarded, proxies), expected));
  }
});

test("headers of the caller pass, those of the way do not", () => {
  for (const name of [
    "authorization",
    "accept-language",
    "traceparent",
    "tracestate",
    "parcours-feed-token",
    "x-purpose",
  ]) {
    assert.ok(isForwarded(name), name);
  }
  for (const name of [
    "connection",
    "cookie",
    "host",
    "te",
    "forwarded",
    "grpc-timeout",
    "grpc-trace-bin",
    "x-binary-bin",
    "x-forwarded-for",
    "x-forwarded-proto",
    "x-real-ip",
    "x-client-cert",
    "x-envoy-original-path",
    "x-http-method-override",
    "proxy-authorization",
    ":authority",
  ]) {
    assert.ok(!isForwarded(name), name);
  }
});

test("a trace goes on where there is one, and begins where there is none", () => {
  const trace = `00-${"a".repeat(32)}-${"b".repeat(16)}-01`;
  assert.deepEqual(continueTrace(trace), { traceparent: trace, traceId: "a".repeat(32) });
  for (const wrong of [
    undefined,
    "",
    "nonsense",
    trace.replaceAll("a", "0"),
    `${trace}, ${trace}`,
  ]) {
    const { traceparent, traceId } = continueTrace(wrong);
    assert.match(traceparent, /^00-[0-9a-f]{32}-[0-9a-f]{16}-00$/);
    assert.equal(traceparent.slice(3, 35), traceId);
    assert.notEqual(traceparent, trace);
  }
});

test("loopback is this machine and no name that looks like it", () => {
  for (const host of ["127.0.0.1", "127.1.2.3", "::1", "localhost"]) assert.ok(isLoopback(host));
  for (const host of ["127.evil.example", "0.0.0.0", "::", "128.0.0.1"]) {
    assert.ok(!isLoopback(host), host);
  }
});
