import { type Ref, onScopeDispose, ref, watch } from "vue";

/** Follows a value once it has stayed the same for a while. */
export function refDebounced<T>(value: Readonly<Ref<T>>, milliseconds: number): Readonly<Ref<T>> {
  const later = ref(value.value) as Ref<T>;
  let timer: ReturnType<typeof setTimeout> | undefined;
  watch(value, (now) => {
    clearTimeout(timer);
    timer = setTimeout(() => (later.value = now), milliseconds);
  });
  onScopeDispose(() => clearTimeout(timer));
  return later;
}
