import { type PathTemplate, parsePathTemplate, splitPath } from "./path_template.ts";

/** What a path and a verb of HTTP lead to. */
export type Match<T> =
  | { kind: "found"; target: T; template: PathTemplate; variables: Map<string, string> }
  | { kind: "wrong method"; allowed: string[] }
  | { kind: "nothing" }
  | { kind: "malformed" };

type Leaf<T> = { template: PathTemplate; targets: Map<string, T> };

class Node<T> {
  readonly literals = new Map<string, Node<T>>();
  one: Node<T> | undefined;
  rest: Node<T> | undefined;
  /** By verb of HTTP and custom verb. */
  readonly leaves = new Map<string, Leaf<T>>();
}

/** Finds the target of a path; words go before `*`, and `*` before `**`. */
export class Routes<T> {
  readonly #root = new Node<T>();

  /**
   * Adds a target, unless another one stands at the same path and verb: then that
   * one is returned.
   */
  add(verb: string, path: string, target: T): T | undefined {
    const leaf = this.#leaf(verb, parsePathTemplate(path));
    const before = leaf.targets.get(verb);
    if (before === undefined) leaf.targets.set(verb, target);
    return before;
  }

  /** Puts a target in the place of whatever is there. */
  replace(verb: string, path: string, target: T): void {
    this.#leaf(verb, parsePathTemplate(path)).targets.set(verb, target);
  }

  #leaf(verb: string, template: PathTemplate): Leaf<T> {
    let node = this.#root;
    for (const segment of template.segments) {
      if (segment.kind === "literal") {
        const next = node.literals.get(segment.text) ?? new Node<T>();
        node.literals.set(segment.text, next);
        node = next;
      } else if (segment.kind === "one") {
        node.one ??= new Node<T>();
        node = node.one;
      } else {
        node.rest ??= new Node<T>();
        node = node.rest;
      }
    }
    // Two templates of one shape may bind other fields, as "name" and "room.name".
    const key = `${verb}:${template.verb}`;
    const leaf = node.leaves.get(key) ?? { template, targets: new Map() };
    node.leaves.set(key, leaf);
    return leaf;
  }

  find(verb: string, path: string): Match<T> {
    const split = splitPath(path);
    if (split === undefined) return { kind: "malformed" };
    const allowed = new Set<string>();
    for (const leaf of walk(this.#root, split.segments, 0, split.verb)) {
      const target = leaf.targets.get(verb);
      if (target !== undefined) {
        const variables = capture(leaf.template, split.segments);
        return { kind: "found", target, template: leaf.template, variables };
      }
      for (const other of leaf.targets.keys()) allowed.add(other);
    }
    return allowed.size > 0
      ? { kind: "wrong method", allowed: [...allowed].sort() }
      : { kind: "nothing" };
  }
}

function* walk<T>(
  node: Node<T>,
  segments: readonly string[],
  at: number,
  verb: string,
): Generator<Leaf<T>> {
  const segment = segments[at];
  if (segment === undefined) {
    for (const leaf of node.leaves.values()) if (leaf.template.verb === verb) yield leaf;
    return;
  }
  const literal = node.literals.get(segment);
  if (literal !== undefined) yield* walk(literal, segments, at + 1, verb);
  if (node.one !== undefined && segment !== "") yield* walk(node.one, segments, at + 1, verb);
  if (node.rest !== undefined) yield* walk(node.rest, segments, segments.length, verb);
}

function capture(template: PathTemplate, segments: readonly string[]): Map<string, string> {
  return new Map(
    template.variables.map(({ field, start, end }) => {
      const toEnd = template.segments[end - 1]?.kind === "rest";
      return [field, segments.slice(start, toEnd ? undefined : end).join("/")];
    }),
  );
}
