export const templates = {
  buttons: "Buttons",
  copyCode: "Copy code",
  preview: "As it looks on a phone",
};
