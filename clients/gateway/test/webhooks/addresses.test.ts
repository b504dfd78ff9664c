import assert from "node:assert/strict";
import type { LookupAddress } from "node:dns";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import {
  type AddressPolicy,
  isPublic,
  literalOf,
  malformation,
  publicResolve,
} from "../../src/webhooks/addresses.ts";
import { realClock } from "../../src/webhooks/clock.ts";
import { Failure } from "../../src/webhooks/record.ts";
import { newSecret } from "../../src/webhooks/secrets.ts";
import { Sender } from "../../src/webhooks/sender.ts";

const STRICT: AddressPolicy = { allowLoopback: false, resolve: publicResolve };
const LOOSE: AddressPolicy = { allowLoopback: true, resolve: publicResolve };

const NOT_PUBLIC = [
  "0.0.0.0",
  "0.1.2.3",
  "10.0.0.1",
  "10.255.255.255",
  "100.64.0.1",
  "100.127.255.254",
  "127.0.0.1",
  "127.255.0.1",
  "168.63.129.16",
  "169.254.0.1",
  "169.254.169.254",
  "169.254.170.2",
  "172.16.0.1",
  "172.31.255.255",
  "192.0.0.1",
  "192.0.0.192",
  "192.0.2.1",
  "192.88.99.1",
  "192.168.0.1",
  "198.18.0.1",
  "198.19.255.255",
  "198.51.100.1",
  "203.0.113.1",
  "224.0.0.1",
  "239.255.255.255",
  "240.0.0.1",
  "255.255.255.255",
  "::",
  "::1",
  "::ffff:10.0.0.1",
  "::ffff:127.0.0.1",
  "::ffff:169.254.169.254",
  "::ffff:7f00:1",
  "::127.0.0.1",
  "::7f00:1",
  "64:ff9b::7f00:1",
  "64:ff9b::a9fe:a9fe",
  "64:ff9b:1::1",
  "100::1",
  "2001::1",
  "2001:0:7f00:1::",
  "2001:db8::1",
  "2002:7f00:1::",
  "2002:a9fe:a9fe::1",
  "3fff::1",
  "5f00::1",
  "fc00::1",
  "fd00:ec2::254",
  "fdff::1",
  "fe80::1",
  "fe80::1%eth0",
  "fec0::1",
  "ff02::1",
  "ff0e::1",
  "4000::1",
  "not an address",
  "",
];
const PUBLIC = [
  "1.1.1.1",
  "8.8.8.8",
  "93.184.215.14",
  "100.63.255.255",
  "100.128.0.1",
  "172.15.255.255",
  "172.32.0.1",
  "192.0.1.1",
  "198.17.255.255",
  "198.20.0.1",
  "223.255.255.255",
  "2606:4700:4700::1111",
  "2a00:1450:4007::1",
  "::ffff:8.8.8.8",
];

test("addresses that are not public", () => {
  for (const address of NOT_PUBLIC) assert.equal(isPublic(address), false, address);
  for (const address of PUBLIC) assert.equal(isPublic(address), true, address);
});

test("URLs that point inside, however they are written", () => {
  for (const host of [
    "127.0.0.1",
    "127.1",
    "127.0.1",
    "2130706433",
    "0x7f000001",
    "0x7f.0.0.1",
    "0x7f.1",
    "0177.0.0.1",
    "017700000001",
    "0177.1",
    "127.0.0.1.",
    "127.0x0.0.1",
    "0",
    "0.0.0.0",
    "0x0",
    "10.1",
    "0xa000001",
    "012.0.0.1",
    "167772161",
    "3232235521",
    "0xc0a80001",
    "2852039166",
    "0xa9fea9fe",
    "0251.0376.0251.0376",
    "169.254.169.254",
    "100.100.100.200",
    "[::1]",
    "[::]",
    "[0:0:0:0:0:0:0:1]",
    "[::ffff:127.0.0.1]",
    "[::ffff:7f00:1]",
    "[::ffff:a9fe:a9fe]",
    "[64:ff9b::7f00:1]",
    "[2002:7f00:1::]",
    "[fd00:ec2::254]",
    "[fe80::1]",
    "%31%32%37.0.0.1",
    "127%2e0.0.1",
  ]) {
    assert.notEqual(malformation(STRICT, `https://${host}/hook`), undefined, host);
    assert.notEqual(malformation(STRICT, `https://${host}:8443/hook`), undefined, host);
  }
});

test("what a URL must be", () => {
  for (const [url, expected] of [
    ["https://partner.example/hook", undefined],
    ["https://partner.example:8443/hook?a=b", undefined],
    ["https://partner.example:443/", undefined],
    ["https://93.184.215.14/hook", undefined],
    ["https://[2606:4700:4700::1111]/hook", undefined],
    ["https://xn--caf-dma.example/", undefined],
    ["http://partner.example/", "an https URL"],
    ["ftp://partner.example/", "an https URL"],
    ["file:///etc/passwd", "an https URL"],
    ["partner.example/hook", "an https URL"],
    ["//partner.example/hook", "an https URL"],
    ["https://", "an https URL"],
    ["https://café.example/", "an https URL"],
    ["https://partner.example/a b", "an https URL"],
    ["https://partner.example\\@10.0.0.1/", "an https URL"],
    ["https://part\tner.example/", "an https URL"],
    ["https://user:password@partner.example/", "a URL without a user"],
    ["https://user@partner.example/", "a URL without a user"],
    ["https://@partner.example/", "a URL without a user"],
    ["https://partner.example/#fragment", "a URL without a fragment"],
    ["https://partner.example:22/", "a URL with port 443, or 1024 and above"],
    ["https://partner.example:80/", "a URL with port 443, or 1024 and above"],
    ["https://partner.example:0/", "a URL with port 443, or 1024 and above"],
    ["https://partner.example:65536/", "an https URL"],
    ["https://10.0.0.1/", "a URL with a public address"],
  ] as const) {
    assert.equal(malformation(STRICT, url), expected, url);
  }
  assert.equal(malformation(LOOSE, "http://127.0.0.1:8080/"), undefined);
  assert.equal(malformation(LOOSE, "http://[::1]:8080/"), undefined);
  assert.equal(malformation(LOOSE, "http://10.0.0.1/"), "a URL with a public address");
  assert.equal(malformation(LOOSE, "http://169.254.169.254/"), "a URL with a public address");
});

test("an address in a URL is found in any of its forms", () => {
  assert.equal(literalOf(new URL("https://0x7f.1/")), "127.0.0.1");
  assert.equal(literalOf(new URL("https://[::1]/")), "::1");
  assert.equal(literalOf(new URL("https://partner.example/")), undefined);
});

/** What comes of sending to a URL when its host resolves to these, one after another. */
async function failureWith(
  url: string,
  answers: (LookupAddress[] | NodeJS.ErrnoException)[],
  allowLoopback = false,
): Promise<number[]> {
  const sender = new Sender({
    clock: realClock,
    policy: {
      allowLoopback,
      resolve: async () => {
        const answer = answers.shift() ?? [];
        if (answer instanceof Error) throw answer;
        return answer;
      },
    },
  });
  const failures: number[] = [];
  try {
    for (let left = answers.length; left > 0; left--) {
      failures.push((await sender.send(url, "id", "{}", [newSecret()])).failure);
    }
  } finally {
    await sender.close();
  }
  return failures;
}

test("a name that resolves to an address inside is refused at the connection", async () => {
  let connections = 0;
  const server = createServer((_, response) => response.end());
  server.on("connection", () => connections++);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  try {
    const inside = { address: "127.0.0.1", family: 4 };
    const url = `https://rebound.example:${port}/`;
    assert.deepEqual(
      await failureWith(url, [
        [inside],
        // One bad address among good ones is enough.
        [{ address: "93.184.215.14", family: 4 }, inside],
        [{ address: "::ffff:127.0.0.1", family: 6 }],
        [{ address: "fd00:ec2::254", family: 6 }],
        [{ address: "169.254.169.254", family: 4 }],
        [{ address: "10.0.0.1", family: 4 }],
      ]),
      Array(6).fill(Failure.addressRefused),
    );
    // The URL itself, should it ever have got into the record.
    assert.deepEqual(await failureWith(`http://127.0.0.1:${port}/`, [[]]), [
      Failure.addressRefused,
    ]);
    assert.deepEqual(await failureWith(`http://[::ffff:127.0.0.1]:${port}/`, [[]]), [
      Failure.addressRefused,
    ]);
    assert.equal(connections, 0);
    // Where loopback is allowed nothing else is.
    assert.deepEqual(await failureWith(`http://partner.example:${port}/`, [[inside]], true), [
      Failure.none,
    ]);
    assert.deepEqual(
      await failureWith(
        `http://partner.example:${port}/`,
        [[{ address: "10.0.0.1", family: 4 }]],
        true,
      ),
      [Failure.addressRefused],
    );
    assert.equal(connections, 1);
  } finally {
    server.closeAllConnections();
    server.close();
  }
});

test("a name without an address", async () => {
  const absent = Object.assign(new Error("absent"), { code: "ENOTFOUND" });
  const silent = Object.assign(new Error("silent"), { code: "ETIMEOUT", syscall: "queryA" });
  const down = Object.assign(new Error("down"), { code: "ECONNREFUSED", syscall: "queryA" });
  assert.deepEqual(
    await failureWith("https://absent.example/", [absent, [], silent, down]),
    Array(4).fill(Failure.nameNotResolved),
  );
});
