import assert from "node:assert/strict";
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { ROOT } from "../support/contracts.ts";

const BINARIES = process.env.PARCOURS_BINARIES ?? "build/release";

/** The three services as a simulation, and the gateway before them, as processes. */
export class System {
  readonly folder = mkdtempSync(join(tmpdir(), "parcours-gateway-"));
  readonly state = join(this.folder, "system");
  readonly contractDir = join(this.folder, "contract");
  #simulation: ChildProcess | undefined;
  #gateway: ChildProcess | undefined;
  url = "";
  metricsUrl = "";

  async start(): Promise<void> {
    this.#node(["clients/gateway/src/contract/build.ts", this.contractDir]);
    this.#simulation = spawn("tests/end_to_end/simulation.sh", [this.state], {
      cwd: ROOT,
      env: { ...process.env, PARCOURS_BINARIES: BINARIES },
      stdio: ["pipe", "pipe", "inherit"],
    });
    const [said] = await Promise.race([
      once(this.#simulation.stdout as NodeJS.ReadableStream, "data"),
      once(this.#simulation, "exit"),
    ]);
    assert.equal(String(said), "ready\n", "the simulation did not start");
    await this.#startGateway();
  }

  async stop(): Promise<void> {
    await this.stopGateway();
    if (this.#simulation?.exitCode === null) {
      const ended = once(this.#simulation, "exit");
      this.#simulation.stdin?.end();
      await ended;
    }
    rmSync(this.folder, { recursive: true });
  }

  /** Asks the gateway to end. Returns how it did. */
  async stopGateway(): Promise<number | null> {
    if (this.#gateway === undefined || this.#gateway.exitCode !== null) return null;
    const ended = once(this.#gateway, "exit");
    this.#gateway.kill("SIGTERM");
    const [code] = await ended;
    return code;
  }

  /** Ends one of the services, at once. */
  kill(service: string): void {
    const [pid] = readFileSync(join(this.state, "run", `${service}.pid`), "utf8").split(" ");
    process.kill(Number(pid), "SIGKILL");
  }

  /** Lines of a service's log, parsed; those that are no JSON are left out. */
  log(service: string): Record<string, unknown>[] {
    const text = readFileSync(join(this.state, "log", `${service}.log`), "utf8");
    return text.split("\n").flatMap((line) => {
      try {
        return [JSON.parse(line)];
      } catch {
        return [];
      }
    });
  }

  administrator(): string {
    return readFileSync(join(this.state, "authority/token"), "utf8").trim();
  }

  /** A token of the local authority for one role. */
  mint(role: string, ...claims: string[]): string {
    const out = join(this.folder, `token-${role}`);
    execFileSync(join(resolve(ROOT, BINARIES), "clients/cli/parcours"), [
      "token",
      `--as=${role}`,
      `--subject=gateway-${role}`,
      ...claims,
      `--signing_key_file=${this.state}/authority/signing-key.json`,
      `--out=${out}`,
    ]);
    return readFileSync(out, "utf8").trim();
  }

  async #startGateway(): Promise<void> {
    const port = join(this.folder, "port");
    const metricsPort = join(this.folder, "metrics-port");
    const addresses = ["enrolment", "scheduling", "evaluation"].map((service) => {
      const at = readFileSync(join(this.state, "run", `${service}.port`), "utf8").trim();
      return `--${service}_address=127.0.0.1:${at}`;
    });
    this.#gateway = spawn(
      process.execPath,
      [
        "--disable-warning=ExperimentalWarning",
        "clients/gateway/src/main.ts",
        "--listen_address=127.0.0.1:0",
        `--port_file=${port}`,
        "--metrics_address=127.0.0.1:0",
        `--metrics_port_file=${metricsPort}`,
        `--contract_dir=${this.contractDir}`,
        ...addresses,
      ],
      { cwd: ROOT, stdio: ["ignore", "ignore", "pipe"] },
    );
    let log = "";
    this.#gateway.stderr?.on("data", (chunk) => {
      log += chunk;
    });
    while (!existsSync(port) || readFileSync(port, "utf8") === "") {
      assert.equal(this.#gateway.exitCode, null, `the gateway did not start: ${log}`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    this.url = `http://127.0.0.1:${readFileSync(port, "utf8").trim()}`;
    this.metricsUrl = `http://127.0.0.1:${readFileSync(metricsPort, "utf8").trim()}/metrics`;
  }

  #node(argv: string[]): void {
    execFileSync(process.execPath, ["--disable-warning=ExperimentalWarning", ...argv], {
      cwd: ROOT,
    });
  }
}
