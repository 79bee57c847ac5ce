/** A form that is being sent: whether it is, and what was refused, by field. */
import { type Ref, ref } from "vue";
import { type Problem, problemOf } from "@/api/problem.ts";
import { words } from "@/api/words.ts";

export interface Form {
  busy: Ref<boolean>;
  problem: Ref<Problem | undefined>;
  /** What is wrong with a field. */
  fault: (field: string) => string | undefined;
  /** What is wrong and belongs to none of these fields. */
  rest: (...fields: string[]) => string | undefined;
  /** Does what the form is for, once at a time; answers whether it was done. */
  send: (act: () => Promise<unknown>) => Promise<boolean>;
}

export function useForm(): Form {
  const busy = ref(false);
  const problem = ref<Problem>();
  return {
    busy,
    problem,
    fault: (field) => problem.value?.of(field),
    rest: (...fields) => {
      const refused = problem.value;
      if (!refused) return undefined;
      const shown = (field: string): boolean =>
        fields.some((own) => field === own || field.startsWith(`${own}.`));
      const isShown = refused.errors.length > 0 && refused.errors.every((e) => shown(e.field));
      return isShown ? undefined : words(refused);
    },
    send: async (act) => {
      if (busy.value) return false;
      busy.value = true;
      problem.value = undefined;
      try {
        await act();
        return true;
      } catch (error) {
        problem.value = problemOf(error);
        return false;
      } finally {
        busy.value = false;
      }
    },
  };
}
