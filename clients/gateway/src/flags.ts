/** One flag: its name in snake_case, its value when nobody says one, its help. */
export type FlagSpec = { name: string; default: string; help: string };

/** Values by the names of the flags. */
export type FlagValues = ReadonlyMap<string, string>;

/** What the command line asks for. */
export type FlagsResult =
  | { kind: "help"; text: string }
  | { kind: "wrong"; problems: string[] }
  | { kind: "flags"; values: FlagValues };

/**
 * Reads `--name=value`, `--name value`, `--name` and `--noname` as the services do,
 * and the environment variable PARCOURS_NAME where a flag is not given. Finds every
 * unknown one, not the first.
 */
export function readFlags(
  description: string,
  specs: readonly FlagSpec[],
  argv: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): FlagsResult {
  const values = new Map<string, string>();
  for (const spec of specs) {
    values.set(spec.name, env[`PARCOURS_${spec.name.toUpperCase()}`] ?? spec.default);
  }
  const problems: string[] = [];
  for (let i = 0; i < argv.length; ++i) {
    const argument = argv[i] as string;
    const match = /^--?([a-z_]+)(?:=([\s\S]*))?$/.exec(argument);
    const name = match?.[1] ?? "";
    if (name === "help") return { kind: "help", text: helpText(description, specs) };
    if (match === null) {
      problems.push(`unexpected argument ${argument}`);
    } else if (values.has(name)) {
      const isSwitch = ["true", "false"].includes(
        specs.find((s) => s.name === name)?.default ?? "",
      );
      const value = match[2] ?? (isSwitch ? "true" : argv[++i]);
      if (value === undefined) problems.push(`--${name} has no value`);
      else values.set(name, value);
    } else if (match[2] === undefined && values.has(name.replace(/^no/, ""))) {
      values.set(name.replace(/^no/, ""), "false");
    } else {
      problems.push(`unknown flag --${name}`);
    }
  }
  return problems.length > 0 ? { kind: "wrong", problems } : { kind: "flags", values };
}

function helpText(description: string, specs: readonly FlagSpec[]): string {
  const flags = specs.map(
    (spec) => `  --${spec.name} (${wrap(spec.help)});\n      default: "${spec.default}";`,
  );
  return [
    description,
    "Every flag --name has an environment variable PARCOURS_NAME, which counts where",
    "the flag is not given.",
    "",
    ...flags,
    "",
  ].join("\n");
}

function wrap(text: string): string {
  return text.replace(/(.{1,66})(?: +|$)/g, "$1\n      ").trim();
}

/** Reads values and gathers what is wrong with them. */
export class FlagReader {
  readonly problems: string[] = [];
  readonly #values: FlagValues;

  constructor(values: FlagValues) {
    this.#values = values;
  }

  text(name: string): string {
    return this.#values.get(name) ?? "";
  }

  list(name: string): string[] {
    return this.text(name)
      .split(",")
      .map((item) => item.trim())
      .filter((item) => item !== "");
  }

  boolean(name: string): boolean {
    const value = this.text(name);
    if (["true", "1", "yes"].includes(value)) return true;
    if (!["false", "0", "no", ""].includes(value)) this.#wrong(name, `${value} is no boolean`);
    return false;
  }

  integer(name: string, minimum: number, maximum: number): number {
    const value = Number(this.text(name));
    if (this.text(name) !== "" && Number.isInteger(value) && value >= minimum && value <= maximum) {
      return value;
    }
    this.#wrong(name, `is not a whole number from ${minimum} to ${maximum}`);
    return minimum;
  }

  /** Milliseconds of "500ms", "20s", "10m" or "1h". */
  duration(name: string, minimum: number): number {
    const match = /^(\d+(?:\.\d+)?)(ms|s|m|h)$/.exec(this.text(name));
    const unit = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 }[match?.[2] ?? "ms"] ?? 1;
    const value = match === null ? Number.NaN : Number(match[1]) * unit;
    if (value >= minimum) return value;
    this.#wrong(name, `is no duration of ${minimum} ms or more, as "20s"`);
    return minimum;
  }

  /** host:port; undefined when it is empty or "none". */
  address(name: string): Address | undefined {
    const value = this.text(name);
    if (value === "" || value === "none") return undefined;
    const address = parseAddress(value);
    if (address === undefined) this.#wrong(name, `${value} is not host:port`);
    return address;
  }

  addresses(name: string): Address[] {
    return this.list(name).flatMap((value) => {
      const address = parseAddress(value);
      if (address !== undefined && address.port !== 0) return [address];
      this.#wrong(name, `${value} is not host:port`);
      return [];
    });
  }

  #wrong(name: string, why: string): void {
    this.problems.push(`--${name}: ${why}`);
  }
}

export type Address = { host: string; port: number };

function parseAddress(text: string): Address | undefined {
  const match = /^(?:\[([0-9a-fA-F:]+)\]|([A-Za-z0-9._-]+)):(\d{1,5})$/.exec(text);
  const port = Number(match?.[3]);
  if (match === null || port > 65_535) return undefined;
  return { host: (match[1] ?? match[2]) as string, port };
}

/** As it stands in a URL. */
export function formatAddress({ host, port }: Address): string {
  return `${host.includes(":") ? `[${host}]` : host}:${port}`;
}
