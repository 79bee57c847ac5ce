/** The address to go on to after signing in; one that leads elsewhere is not followed. */
export function within(to: unknown): string {
  return typeof to === "string" && /^\/(?![/\\])/u.test(to) ? to : "/";
}

/** The token that a link carries behind `#`, where no server and no log sees it. */
export function tokenOf(hash: string): string {
  return hash.replace(/^#/u, "");
}
