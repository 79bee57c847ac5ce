/** The typed client of the API. Every path, field and answer is checked against the committed document. */
import createClient from "openapi-fetch";
import type { components, paths } from "../../client/src/api.ts";
import { Problem } from "./problem.ts";

export type Schemas = components["schemas"];

/** What a request says about whose it is. The session sets it. */
export const caller = {
  csrfToken: "",
  workspace: "",
  /** Called when the session has ended. */
  onSignedOut: (): void => undefined,
};

export const http = createClient<paths>({
  baseUrl: location.origin,
  fetch: async (request) => {
    try {
      return await fetch(request);
    } catch {
      throw Problem.unreached();
    }
  },
});

http.use({
  onRequest({ request }) {
    if (caller.csrfToken !== "") request.headers.set("x-csrf-token", caller.csrfToken);
    if (caller.workspace !== "") request.headers.set("x-workspace", caller.workspace);
    return request;
  },
  async onResponse({ response }) {
    // A wrong password is refused with the same status, and ends no session.
    if (response.status !== 401) return;
    const body: unknown = await response.clone().json().catch(() => undefined);
    if (Problem.of(401, body).code === "unauthenticated") caller.onSignedOut();
  },
});

interface Answer<T> {
  data?: T;
  error?: unknown;
  response: Response;
}

/** The body of an answer; throws the problem of a refusal. */
export async function ask<T>(answer: Promise<Answer<T>>): Promise<NonNullable<T>> {
  const { data, error, response } = await answer;
  if (!response.ok) throw Problem.of(response.status, error);
  // An answer without a body is asked for by callers that do not look at it.
  return data as NonNullable<T>;
}

/** Names one intent, so that asking twice does it once. */
export function intent(): { header: { "Idempotency-Key": string } } {
  return { header: { "Idempotency-Key": crypto.randomUUID() } };
}
