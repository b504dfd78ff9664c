/** One segment of a path: a word, any one segment, or all that follows. */
export type Segment = { kind: "literal"; text: string } | { kind: "one" } | { kind: "rest" };

/** A field that is bound to the segments from `start` up to `end`. */
export type Variable = { field: string; start: number; end: number };

/** A path template of google.api.http, taken apart. */
export type PathTemplate = {
  segments: Segment[];
  variables: Variable[];
  /** What stands after the last colon, "open" of "/v1/{name=bodies/*}:open"; or nothing. */
  verb: string;
};

const LITERAL = /^[A-Za-z0-9._~-]+$/;
const FIELD_PATH = /^[a-z][a-z0-9_]*(?:\.[a-z][a-z0-9_]*)*$/;

/**
 * Reads a template after the grammar in google/api/http.proto. Fails with an Error
 * that says what is wrong.
 */
export function parsePathTemplate(template: string): PathTemplate {
  const wrong = (why: string) => new Error(`path template ${template}: ${why}`);
  if (!template.startsWith("/")) throw wrong("does not begin with /");

  let rest = template.slice(1);
  let verb = "";
  const colon = rest.lastIndexOf(":");
  if (colon > rest.lastIndexOf("}") && colon > rest.lastIndexOf("/")) {
    verb = rest.slice(colon + 1);
    rest = rest.slice(0, colon);
    if (!LITERAL.test(verb)) throw wrong(`"${verb}" is no verb`);
  }

  const segments: Segment[] = [];
  const variables: Variable[] = [];
  const add = (text: string) => {
    if (segments.at(-1)?.kind === "rest") throw wrong("** is not last");
    if (text === "*") segments.push({ kind: "one" });
    else if (text === "**") segments.push({ kind: "rest" });
    else if (LITERAL.test(text)) segments.push({ kind: "literal", text });
    else throw wrong(`"${text}" is no segment`);
  };
  while (rest !== "") {
    const end = rest.startsWith("{") ? rest.indexOf("}") + 1 : rest.indexOf("/");
    if (end === 0 && rest.startsWith("{")) throw wrong("a brace is not closed");
    const piece = end === -1 ? rest : rest.slice(0, end);
    if (piece.startsWith("{")) {
      const [field = "", pattern = "*"] = piece.slice(1, -1).split("=", 2);
      if (!FIELD_PATH.test(field)) throw wrong(`"${field}" is no field`);
      if (variables.some((variable) => variable.field === field)) {
        throw wrong(`${field} is bound twice`);
      }
      const start = segments.length;
      for (const text of pattern.split("/")) add(text);
      variables.push({ field, start, end: segments.length });
    } else {
      add(piece);
    }
    rest = rest.slice(piece.length);
    if (rest === "") break;
    if (!rest.startsWith("/") || rest === "/") throw wrong("a segment is empty");
    rest = rest.slice(1);
  }
  if (segments.length === 0) throw wrong("it is empty");
  return { segments, variables, verb };
}

/**
 * The segments of a path as it stands in a request line, decoded, and its verb.
 * Nothing when an escape is not UTF-8. An escaped slash stays escaped: it is part of
 * a segment.
 */
export function splitPath(path: string): { segments: string[]; verb: string } | undefined {
  let rest = path.slice(1);
  let verb = "";
  const colon = rest.lastIndexOf(":");
  if (colon > rest.lastIndexOf("/")) {
    verb = rest.slice(colon + 1);
    rest = rest.slice(0, colon);
  }
  try {
    const segments = rest
      .split("/")
      .map((segment) => segment.split(/%2f/i).map(decodeURIComponent).join("%2F"));
    return { segments, verb: decodeURIComponent(verb) };
  } catch {
    return undefined;
  }
}

/** Whether some path fits both templates. */
export function overlap(a: PathTemplate, b: PathTemplate): boolean {
  if (a.verb !== b.verb) return false;
  for (let i = 0; ; ++i) {
    const [left, right] = [a.segments[i], b.segments[i]];
    if (left?.kind === "rest" || right?.kind === "rest") return true;
    if (left === undefined || right === undefined) return left === right;
    if (left.kind === "literal" && right.kind === "literal" && left.text !== right.text) {
      return false;
    }
  }
}
