import { collectDefaultMetrics, Gauge, Histogram, Registry } from "prom-client";
import type { CallRecord } from "../call.ts";

/** What is counted, in the text format of Prometheus. */
export class Metrics {
  readonly registry = new Registry();
  readonly #duration: Histogram<"method" | "backend" | "protocol" | "code">;
  readonly #inFlight: Gauge;

  constructor() {
    collectDefaultMetrics({ register: this.registry });
    this.#duration = new Histogram({
      name: "parcours_gateway_duration_seconds",
      help: "Duration of calls through the gateway, streams included.",
      labelNames: ["method", "backend", "protocol", "code"],
      buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 60],
      registers: [this.registry],
    });
    this.#inFlight = new Gauge({
      name: "parcours_gateway_calls_in_flight",
      help: "Calls that are under way, streams included.",
      registers: [this.registry],
    });
  }

  begin(): void {
    this.#inFlight.inc();
  }

  end(record: CallRecord, seconds: number): void {
    this.#inFlight.dec();
    const { method, backend, protocol, code = "UNKNOWN" } = record;
    this.#duration.observe({ method, backend, protocol, code }, seconds);
  }
}
