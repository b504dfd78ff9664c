const LEVELS = ["debug", "info", "warning", "error"] as const;

export type LogLevel = (typeof LEVELS)[number];

/** One field of a line. Never personal data: ids of records, codes, durations. */
export type LogFields = Record<string, string | number | boolean>;

/** The level of that name, if there is one. */
export function parseLogLevel(name: string): LogLevel | undefined {
  return LEVELS.find((level) => level === name);
}

/** Writes lines of the form that the services write: common/telemetry/log.h. */
export class Log {
  readonly #lowest: number;
  readonly #write: (line: string) => unknown;

  constructor(
    lowest: LogLevel,
    write: (line: string) => unknown = (line) => process.stderr.write(line),
  ) {
    this.#lowest = LEVELS.indexOf(lowest);
    this.#write = write;
  }

  debug(message: string, fields: LogFields = {}): void {
    this.#line("debug", message, fields);
  }

  info(message: string, fields: LogFields = {}): void {
    this.#line("info", message, fields);
  }

  warning(message: string, fields: LogFields = {}): void {
    this.#line("warning", message, fields);
  }

  error(message: string, fields: LogFields = {}): void {
    this.#line("error", message, fields);
  }

  #line(level: LogLevel, msg: string, fields: LogFields): void {
    if (LEVELS.indexOf(level) < this.#lowest) return;
    const ts = new Date().toISOString();
    this.#write(`${JSON.stringify({ ts, level, service: "gateway", msg, ...fields })}\n`);
  }
}
