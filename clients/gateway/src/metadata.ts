import { randomBytes } from "node:crypto";
import type { IncomingHttpHeaders } from "node:http";
import { isIP } from "node:net";

const FORWARDED = new Set(["authorization", "accept-language", "traceparent", "tracestate"]);

/** Who was called by whom is said by the gateway, or by nobody. */
const INTERNAL = /^x-(?:forwarded|real|client|original|envoy|amzn|cluster|http-method)/;

const TRACEPARENT = /^00-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}$/;

/** Whether a header of this name, in lower case, is passed on, in either direction. */
export function isForwarded(name: string): boolean {
  if (FORWARDED.has(name)) return true;
  if (name.endsWith("-bin")) return false;
  return (name.startsWith("x-") || name.startsWith("parcours-")) && !INTERNAL.test(name);
}

/** Adds what may be passed on of `from`, and never a credential, to an answer's headers. */
export function copyForwarded(from: Headers, to: Headers): void {
  from.forEach((value, name) => {
    if (name !== "authorization" && isForwarded(name)) to.set(name, value);
  });
}

/** What a backend is told besides the request: the caller's own headers and address. */
export function upstreamHeaders(
  headers: IncomingHttpHeaders,
  address: string,
  traceparent: string,
): Headers {
  const passed = new Headers();
  for (const [name, value] of Object.entries(headers)) {
    if (value === undefined || !isForwarded(name)) continue;
    passed.set(name, Array.isArray(value) ? value.join(", ") : value);
  }
  passed.set("traceparent", traceparent);
  if (address !== "") passed.set("x-forwarded-for", address);
  return passed;
}

/** The caller's trace, or a new one where they began none. */
export function continueTrace(traceparent: string | undefined): {
  traceparent: string;
  traceId: string;
} {
  const match = TRACEPARENT.exec(traceparent ?? "");
  if (match !== null) {
    return { traceparent: match[0], traceId: match[1] as string };
  }
  const traceId = randomBytes(16).toString("hex");
  return { traceparent: `00-${traceId}-${randomBytes(8).toString("hex")}-00`, traceId };
}

/**
 * The address that a call counts for: the peer's, or, where the peer is one of
 * `proxies`, the last in its X-Forwarded-For, which is what that proxy added. The
 * same rule as the services' (common/quota/address.h), to whom the gateway is a
 * proxy.
 */
export function callerAddress(
  peer: string,
  forwarded: string | undefined,
  proxies: readonly string[],
): string {
  const plain = peer.replace(/^::ffff:(?=\d+\.)/, "");
  const trusted = proxies.some((proxy) =>
    proxy === "loopback" ? isLoopback(plain) : proxy === plain,
  );
  const last =
    forwarded
      ?.split(",")
      .at(-1)
      ?.trim()
      .replace(/^\[|\]$/g, "") ?? "";
  return trusted && isIP(last) !== 0 ? last : plain;
}

/** Whether a host is this very machine. */
export function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || /^127(?:\.\d{1,3}){3}$/.test(host);
}
