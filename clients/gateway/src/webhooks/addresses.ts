import type { LookupAddress } from "node:dns";
import { lookup, Resolver } from "node:dns/promises";
import type { LookupFunction } from "node:net";
import ipaddr from "ipaddr.js";

/** All addresses of a host. */
export type Resolve = (hostname: string) => Promise<LookupAddress[]>;

/** As the system does, with the names that this machine gives itself. */
export const localResolve: Resolve = (hostname) =>
  lookup(hostname, { all: true, order: "verbatim" });

/**
 * By the name servers alone, each query for itself: the system's own resolver has few
 * threads, which one receiver with a slow name server could hold for all.
 */
export const publicResolve: Resolve = async (hostname) => {
  const resolver = new Resolver({ timeout: 2_000, tries: 2 });
  const [four, six] = await Promise.allSettled([
    resolver.resolve4(hostname),
    resolver.resolve6(hostname),
  ]);
  if (four.status === "rejected" && six.status === "rejected") throw four.reason;
  const found = (answer: PromiseSettledResult<string[]>, family: number) =>
    answer.status === "rejected" ? [] : answer.value.map((address) => ({ address, family }));
  return [...found(four, 4), ...found(six, 6)];
};

/** One of a host's addresses is not public. */
export class AddressRefused extends Error {
  readonly code = "ADDRESS_REFUSED";
  constructor() {
    super("the host has an address that is not public");
  }
}

/** Where events may go. */
export interface AddressPolicy {
  /** http and loopback addresses too: for tests and sandboxes. */
  readonly allowLoopback: boolean;
  readonly resolve: Resolve;
}

// Of global unicast space (RFC 4291) but with another address inside, or not
// routed: what ipaddr.js takes for unicast in one of its versions or another.
const NOT_PUBLIC = (
  [
    "64:ff9b::/96", // NAT64 (RFC 6052)
    "64:ff9b:1::/48", // NAT64, local (RFC 8215)
    "100::/64", // discard (RFC 6666)
    "2001::/23", // protocol assignments, Teredo among them (RFC 2928)
    "2001:db8::/32", // documentation
    "2002::/16", // 6to4 (RFC 3056)
    "3fff::/20", // documentation (RFC 9637)
    "5f00::/16", // segment routing (RFC 9602)
    "192.0.0.0/24", // protocol assignments
    "192.88.99.0/24", // 6to4 relays (RFC 7526)
    "192.31.196.0/24", // AS112
    "192.52.193.0/24", // AMT
    "192.175.48.0/24", // AS112
    "198.18.0.0/15", // benchmarks (RFC 2544)
    "168.63.129.16/32", // metadata of Azure, a public address by its number
  ] as const
).map((range) => ipaddr.parseCIDR(range));

const GLOBAL_UNICAST = ipaddr.IPv6.parseCIDR("2000::/3");

/** Whether anybody on the Internet could mean this address. */
export function isPublic(address: string): boolean {
  if (!ipaddr.isValid(address)) return false;
  // Mapped addresses (::ffff:10.0.0.1) are what they map.
  const parsed = ipaddr.process(address);
  if (parsed.range() !== "unicast") return false;
  if (parsed instanceof ipaddr.IPv6) {
    if (!parsed.match(GLOBAL_UNICAST) || parsed.zoneId) return false;
  }
  return !NOT_PUBLIC.some(
    ([range, bits]) => range.kind() === parsed.kind() && parsed.match([range, bits] as never),
  );
}

function isLoopback(address: string): boolean {
  return ipaddr.isValid(address) && ipaddr.process(address).range() === "loopback";
}

export function isAllowed(policy: AddressPolicy, address: string): boolean {
  return isPublic(address) || (policy.allowLoopback && isLoopback(address));
}

/** What is wrong with the form of a URL, as "is not …"; nothing when it is good. */
export function malformation(policy: AddressPolicy, text: string): string | undefined {
  const expected = policy.allowLoopback ? "an http or https URL" : "an https URL";
  // URL() forgives blanks, tabs and backslashes; whoever reads the text does not.
  if (!/^[\x21-\x5b\x5d-\x7e]+$/.test(text) || !URL.canParse(text)) return expected;
  const url = new URL(text);
  if (url.protocol !== "https:" && !(policy.allowLoopback && url.protocol === "http:")) {
    return expected;
  }
  if (url.username !== "" || url.password !== "" || /^[^/]*\/\/[^/?#]*@/.test(text)) {
    return "a URL without a user";
  }
  if (text.includes("#")) return "a URL without a fragment";
  const port = Number(url.port || "443");
  if (port !== 443 && port < 1024 && !(policy.allowLoopback && url.protocol === "http:")) {
    return "a URL with port 443, or 1024 and above";
  }
  const literal = literalOf(url);
  if (literal !== undefined && !isAllowed(policy, literal)) return "a URL with a public address";
  if (literal === undefined && !/^[a-z0-9-]+(\.[a-z0-9-]+)*\.?$/.test(url.hostname)) {
    return expected;
  }
  return undefined;
}

/** The address that stands in a URL instead of a name; URL() has made one of 0x7f.1. */
export function literalOf(url: URL): string | undefined {
  const host = url.hostname.replace(/^\[|\]$/g, "");
  return ipaddr.isValid(host) ? host : undefined;
}

/** The addresses of a host, when all of them are allowed; else AddressRefused. */
export async function checkedAddresses(
  policy: AddressPolicy,
  hostname: string,
): Promise<LookupAddress[]> {
  const addresses = await policy.resolve(hostname);
  if (addresses.length === 0) {
    throw Object.assign(new Error("the host has no address"), { code: "ENOTFOUND" });
  }
  if (!addresses.every(({ address }) => isAllowed(policy, address))) throw new AddressRefused();
  return addresses;
}

/**
 * For net.connect: gives the addresses that were checked, and no others, so that
 * a name that changes between check and connection gains nothing.
 */
export function checkedLookup(policy: AddressPolicy): LookupFunction {
  return (hostname, options, callback) => {
    checkedAddresses(policy, hostname).then(
      (addresses) => {
        const first = addresses[0] as LookupAddress;
        if (options.all) callback(null, addresses);
        else callback(null, first.address, first.family);
      },
      (error: NodeJS.ErrnoException) => callback(error, options.all ? [] : ""),
    );
  };
}
