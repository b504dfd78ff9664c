import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { overlap, parsePathTemplate, splitPath } from "./path_template.ts";

const text = (template: string) =>
  parsePathTemplate(template)
    .segments.map((segment) =>
      segment.kind === "literal" ? segment.text : segment.kind === "one" ? "*" : "**",
    )
    .join("/");

describe("a path template", () => {
  for (const [template, segments, variables, verb] of [
    ["/v1/time", "v1/time", [], ""],
    ["/v1/time:advance", "v1/time", [], "advance"],
    ["/v1/{id}", "v1/*", [["id", 1, 2]], ""],
    ["/v1/{name=bodies/*}", "v1/bodies/*", [["name", 1, 3]], ""],
    ["/v1/{name=bodies/*/cohorts/*}:open", "v1/bodies/*/cohorts/*", [["name", 1, 5]], "open"],
    ["/v1/{room.name=bodies/*/rooms/*}", "v1/bodies/*/rooms/*", [["room.name", 1, 5]], ""],
    ["/v1/{parent=bodies/*}/cohorts", "v1/bodies/*/cohorts", [["parent", 1, 3]], ""],
    [
      "/v1/{a}/{b=c/**}",
      "v1/*/c/**",
      [
        ["a", 1, 2],
        ["b", 2, 4],
      ],
      "",
    ],
    ["/v1/*/x/**", "v1/*/x/**", [], ""],
  ] as const) {
    test(template, () => {
      const parsed = parsePathTemplate(template);
      assert.equal(text(template), segments);
      assert.deepEqual(
        parsed.variables.map(({ field, start, end }) => [field, start, end]),
        variables,
      );
      assert.equal(parsed.verb, verb);
    });
  }

  for (const [template, why] of [
    ["v1/time", /begin with/],
    ["/", /empty/],
    ["/v1/", /segment is empty/],
    ["/v1//time", /no segment/],
    ["/v1/{name", /not closed/],
    ["/v1/{Name}", /no field/],
    ["/v1/{name=**}/x", /not last/],
    ["/v1/{name}/{name}", /bound twice/],
    ["/v1/a b", /no segment/],
    ["/v1/time:", /no verb/],
    ["/v1/{name}x", /segment is empty/],
  ] as const) {
    test(`is refused: ${template}`, () => assert.throws(() => parsePathTemplate(template), why));
  }
});

test("a path is split into decoded segments and a verb", () => {
  assert.deepEqual(splitPath("/v1/bodies/opale:open"), {
    segments: ["v1", "bodies", "opale"],
    verb: "open",
  });
  assert.deepEqual(splitPath("/v1/caf%C3%A9/a%2Fb"), {
    segments: ["v1", "café", "a%2Fb"],
    verb: "",
  });
  assert.deepEqual(splitPath("/a:b/c"), { segments: ["a:b", "c"], verb: "" });
  assert.equal(splitPath("/v1/%ff"), undefined);
  assert.equal(splitPath("/v1/%"), undefined);
});

describe("two templates", () => {
  for (const [a, b, both] of [
    ["/v1/{name=bodies/*}", "/v1/{other=bodies/*}", true],
    ["/v1/{name=bodies/*}", "/v1/bodies/opale", true],
    ["/v1/{name=bodies/*}", "/v1/{name=bodies/*}:open", false],
    ["/v1/{name=bodies/*}", "/v1/{name=bodies/*/cohorts/*}", false],
    ["/v1/{name=**}", "/v1/{name=bodies/*/cohorts/*}", true],
    ["/v1/a", "/v1/b", false],
  ] as const) {
    test(`${a} and ${b} ${both ? "overlap" : "do not overlap"}`, () => {
      assert.equal(overlap(parsePathTemplate(a), parsePathTemplate(b)), both);
      assert.equal(overlap(parsePathTemplate(b), parsePathTemplate(a)), both);
    });
  }
});
