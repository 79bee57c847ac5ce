/** What a person is told about a problem, in their language. */
import { i18n } from "@/locales/index.ts";
import { type Problem, problemOf } from "./problem.ts";

/** The words for a problem: those of its code, else what the server said. */
export function words(problem: Problem): string {
  const say = i18n.global;
  // What a field may be is told beside the field; here stands the first of them, with its name.
  const [first] = problem.errors;
  if (first && problem.code === "invalid") return `${first.field}: ${first.message}`;
  const key = `problems.${problem.code}`;
  return say.te(key) ? say.t(key) : problem.message;
}

export function useWords(): (error: unknown) => string {
  return (error) => words(problemOf(error));
}
