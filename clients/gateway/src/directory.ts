import type { DescMethod, DescService } from "@bufbuild/protobuf";
import type { Backend } from "./backend/backend.ts";
import { type Contract, type HttpBinding, packageOf } from "./contract/contract.ts";

/** A method at a backend. */
export type Place = { backend: Backend; method: DescMethod };

/** A binding of a method to a path at a backend. */
export type BoundPlace = Place & { binding: HttpBinding };

/**
 * Who answers which service: the package parcours.<name>.v1 is the backend's of that
 * name, parcours.platform.v1 is offered by every service, for its own record.
 */
export class Directory {
  readonly backends: readonly Backend[];
  readonly #contract: Contract;

  constructor(contract: Contract, backends: readonly Backend[]) {
    this.#contract = contract;
    this.backends = backends;
  }

  /** Those that answer a service. */
  of(service: DescService): Backend[] {
    const name = packageOf(service);
    return this.backends.filter(
      (backend) => backend.name === name || (name === "platform" && backend.platform),
    );
  }

  /** Every method at every backend that answers it. */
  *places(): Generator<Place> {
    for (const service of this.#contract.services) {
      for (const backend of this.of(service)) {
        for (const method of service.methods) yield { backend, method };
      }
    }
  }

  /** Every path at every backend. */
  *boundPlaces(): Generator<BoundPlace> {
    for (const place of this.places()) {
      for (const binding of this.#contract.bindings(place.method)) yield { ...place, binding };
    }
  }

  /** Whether a method needs no backend before its path: only one answers it. */
  isAlone(method: DescMethod): boolean {
    return this.of(method.parent).length === 1;
  }
}
