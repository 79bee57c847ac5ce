export { useOutbox } from "./outbox.ts";
