import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { type JsonValue, toJson } from "@bufbuild/protobuf";
import { RequestDecoder } from "../src/transcoding/request.ts";
import { contractWithEcho } from "./support/contracts.ts";

const { registry } = contractWithEcho();
const desc = registry.getMessage("parcours.echo.v1.EchoRequest");
assert.ok(desc);

type Said = {
  binding?: string;
  path?: Record<string, string>;
  query?: string;
  body?: JsonValue;
};

function decode({ binding = "", path = {}, query = "", body }: Said) {
  assert.ok(desc);
  return new RequestDecoder(desc, binding, registry).decode({
    variables: new Map(Object.entries(path)),
    query: new URLSearchParams(query),
    ...(body === undefined ? {} : { body }),
  });
}

describe("a request is read from", () => {
  const cases: [string, Said, JsonValue][] = [
    ["nothing", {}, {}],
    ["the path", { path: { name: "rooms/1" } }, { name: "rooms/1" }],
    ["the path, deeper", { path: { "inner.name": "rooms/1" } }, { inner: { name: "rooms/1" } }],
    ["a text of the query", { query: "name=a%20b%2Bc+d" }, { name: "a b+c d" }],
    [
      "a name in either form",
      { query: "big_number=1&afterToken=x" },
      { bigNumber: "1", afterToken: "x" },
    ],
    ["a number", { query: "number=-5&fraction=1.5" }, { number: -5, fraction: 1.5 }],
    ["64 bits", { query: "bigNumber=9223372036854775807" }, { bigNumber: "9223372036854775807" }],
    ["a boolean", { query: "yes=true" }, { yes: true }],
    ["bytes", { query: "data=aGk%3D" }, { data: "aGk=" }],
    ["bytes for URLs", { query: "data=_-8" }, { data: "/+8=" }],
    ["an enum by name", { query: "kind=KIND_TWO" }, { kind: "KIND_TWO" }],
    ["an enum by number", { query: "kind=2" }, { kind: "KIND_TWO" }],
    ["repeated enums", { query: "kinds=KIND_ONE&kinds=2" }, { kinds: ["KIND_ONE", "KIND_TWO"] }],
    ["repeated numbers", { query: "numbers=1&numbers=2" }, { numbers: [1, 2] }],
    [
      "nested fields",
      { query: "inner.texts=a&inner.texts=b&inner.deeper.name=c" },
      { inner: { texts: ["a", "b"], deeper: { name: "c" } } },
    ],
    [
      "a day",
      { query: "inner.day.year=2026&inner.day.month=11" },
      { inner: { day: { year: 2026, month: 11 } } },
    ],
    ["an instant", { query: "time=2026-11-23T08:00:00%2B01:00" }, { time: "2026-11-23T07:00:00Z" }],
    ["a while", { query: "while=1.5s" }, { while: "1.500s" }],
    ["a mask", { query: "mask=bigNumber,inner.name" }, { mask: "bigNumber,inner.name" }],
    ["a number or none", { query: "maybeNumber=0" }, { maybeNumber: 0 }],
    ["a yes or none", { query: "maybeYes=false" }, { maybeYes: false }],
    ["one of two", { query: "left=a" }, { left: "a" }],
    [
      "a body",
      { binding: "*", body: { number: 3, inners: [{ name: "a" }] } },
      { number: 3, inners: [{ name: "a" }] },
    ],
    [
      "a body in the names of the contract",
      { binding: "*", body: { big_number: 3 } },
      { bigNumber: "3" },
    ],
    [
      "a body and the path",
      { binding: "*", path: { name: "rooms/1" }, body: { yes: true } },
      { name: "rooms/1", yes: true },
    ],
    [
      "the same in body and path",
      { binding: "*", path: { name: "rooms/1" }, body: { name: "rooms/1" } },
      { name: "rooms/1" },
    ],
    [
      "no body where one is possible",
      { binding: "*", path: { name: "rooms/1" } },
      { name: "rooms/1" },
    ],
    [
      "a field as the body",
      {
        binding: "inner",
        path: { "inner.name": "rooms/1" },
        query: "yes=true",
        body: { texts: ["a"] },
      },
      { yes: true, inner: { name: "rooms/1", texts: ["a"] } },
    ],
    [
      "a map and anything",
      { binding: "*", body: { labels: { a: "b" }, anything: { x: [1, null] } } },
      { labels: { a: "b" }, anything: { x: [1, null] } },
    ],
    ["null for no value", { binding: "*", body: { number: null, inner: null } }, {}],
  ];
  for (const [name, said, expected] of cases) {
    test(name, () => {
      const decoded = decode(said);
      if (!decoded.ok) assert.fail(JSON.stringify(decoded.violations));
      assert.ok(desc);
      assert.deepEqual(toJson(desc, decoded.message, { registry }), expected);
    });
  }
});

describe("what is wrong is named:", () => {
  const cases: [string, Said, [field: string, reason: string][]][] = [
    ["an unknown parameter", { query: "nmae=a" }, [["nmae", "FIELD_UNKNOWN"]]],
    ["one that is no name", { query: "%3Cscript%3E=a" }, [["(a name)", "FIELD_UNKNOWN"]]],
    [
      "__proto__",
      { query: "__proto__=a&constructor=b" },
      [
        ["__proto__", "FIELD_UNKNOWN"],
        ["constructor", "FIELD_UNKNOWN"],
      ],
    ],
    ["an unknown one inside", { query: "inner.nmae=a" }, [["inner.nmae", "FIELD_UNKNOWN"]]],
    ["more inside of a text", { query: "name.x=a" }, [["name.x", "FIELD_UNKNOWN"]]],
    ["a message as a text", { query: "inner=a" }, [["inner", "FIELD_UNKNOWN"]]],
    ["a map", { query: "labels=a" }, [["labels", "FIELD_UNKNOWN"]]],
    ["messages in a list", { query: "inners.name=a" }, [["inners.name", "FIELD_UNKNOWN"]]],
    ["anything", { query: "anything=a" }, [["anything", "FIELD_UNKNOWN"]]],
    [
      "what the path has said",
      { path: { name: "a" }, query: "name=b" },
      [["name", "FIELD_UNKNOWN"]],
    ],
    [
      "a parameter beside a whole body",
      { binding: "*", query: "number=1", body: {} },
      [["number", "FIELD_UNKNOWN"]],
    ],
    [
      "a parameter of the body's field",
      { binding: "inner", query: "inner.name=a", body: {} },
      [["inner.name", "FIELD_UNKNOWN"]],
    ],
    ["the same twice", { query: "number=1&number=2" }, [["number", "FIELD_REPEATED"]]],
    [
      "the same in both forms",
      { query: "bigNumber=1&big_number=2" },
      [["big_number", "FIELD_REPEATED"]],
    ],
    ["no number", { query: "number=x" }, [["number", "FIELD_MALFORMED"]]],
    ["no whole number", { query: "number=1.5" }, [["number", "FIELD_MALFORMED"]]],
    ["too large a number", { query: "number=2147483648" }, [["number", "FIELD_MALFORMED"]]],
    ["no boolean", { query: "yes=1" }, [["yes", "FIELD_MALFORMED"]]],
    ["no such kind", { query: "kind=KIND_THREE" }, [["kind", "UNKNOWN_ENUM_VALUE"]]],
    ["no instant", { query: "time=yesterday" }, [["time", "FIELD_MALFORMED"]]],
    ["no mask", { query: "mask=big_number" }, [["mask", "FIELD_MALFORMED"]]],
    [
      "all of it at once",
      { query: "number=x&foo=1&yes=2&yes=3" },
      [
        ["foo", "FIELD_UNKNOWN"],
        ["yes", "FIELD_REPEATED"],
        ["number", "FIELD_MALFORMED"],
        ["yes", "FIELD_MALFORMED"],
      ],
    ],
    ["a body that is no object", { binding: "*", body: [1] }, [["body", "FIELD_MALFORMED"]]],
    [
      "unknown keys of a body",
      { binding: "*", body: { a: 1, inner: { b: 2 }, inners: [{}, { c: 3 }] } },
      [
        ["a", "FIELD_UNKNOWN"],
        ["inner.b", "FIELD_UNKNOWN"],
        ["inners[1].c", "FIELD_UNKNOWN"],
      ],
    ],
    [
      "wrong types of a body",
      { binding: "*", body: { number: "x", name: 1, inner: 5, kinds: "KIND_ONE", numbers: [-1] } },
      [
        ["number", "FIELD_MALFORMED"],
        ["name", "FIELD_MALFORMED"],
        ["inner", "FIELD_MALFORMED"],
        ["kinds", "FIELD_MALFORMED"],
        ["numbers", "FIELD_MALFORMED"],
      ],
    ],
    ["a field that is the body", { binding: "inner", body: 7 }, [["inner", "FIELD_MALFORMED"]]],
    [
      "another name than the path's",
      { binding: "*", path: { name: "rooms/1" }, body: { name: "rooms/2" } },
      [["name", "FIELD_MALFORMED"]],
    ],
    ["half a surrogate", { binding: "*", body: { name: "\ud800" } }, [["name", "FIELD_MALFORMED"]]],
  ];
  for (const [name, said, expected] of cases) {
    test(name, () => {
      const decoded = decode(said);
      assert.ok(!decoded.ok);
      assert.deepEqual(
        decoded.violations.map(({ field, reason }) => [field, reason]),
        expected,
      );
    });
  }
});

test("a binding to a field that is not there does not start", () => {
  assert.ok(desc);
  assert.throws(() => new RequestDecoder(desc, "nothing", registry), /no field nothing/);
});
