import type { Component } from "vue";

/** One line of a menu. */
export interface MenuItem {
  label: string;
  act: () => void;
  icon?: Component;
  danger?: boolean;
  disabled?: boolean;
  /** Stands below a line. */
  separated?: boolean;
}
