/** One field that was refused, by its path in JSON: `content.text`. */
export interface FieldProblem {
  field: string;
  message: string;
}

/** What the API answers when it refuses, as one thing to throw, catch and show. */
export class Problem extends Error {
  override readonly name = "Problem";

  constructor(
    /** The HTTP status; 0 when the server was not reached. */
    readonly status: number,
    /** What programs tell refusals apart by: `window_closed`. */
    readonly code: string,
    detail: string,
    readonly errors: FieldProblem[] = [],
  ) {
    super(detail);
  }

  /** Whether the same call may succeed later without anybody changing anything. */
  get isPassing(): boolean {
    return this.status === 0 || this.status === 429 || this.status >= 500;
  }

  /** What is wrong with a field, or with anything below it. */
  of(field: string): string | undefined {
    const error = this.errors.find((e) => e.field === field || e.field.startsWith(`${field}.`));
    return error?.message;
  }

  /** The server was not reached. */
  static unreached(): Problem {
    return new Problem(0, "unreached", "The server cannot be reached.");
  }

  /** Reads the body of an answer, which may also come from something that stands in between. */
  static of(status: number, body: unknown): Problem {
    const given = (typeof body === "object" && body !== null ? body : {}) as Record<string, unknown>;
    const text = (value: unknown, otherwise: string): string =>
      typeof value === "string" && value !== "" ? value : otherwise;
    const errors = Array.isArray(given["errors"]) ? (given["errors"] as FieldProblem[]) : [];
    const detail = text(given["detail"], text(given["title"], `HTTP ${status}`));
    return new Problem(status, text(given["code"], "unexpected"), detail, errors);
  }
}

/** Whatever was thrown, as a problem. */
export function problemOf(error: unknown): Problem {
  if (error instanceof Problem) return error;
  return new Problem(0, "unexpected", error instanceof Error ? error.message : String(error));
}
