// Dark where the reader's system is; paper is light.
{
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const follow = () => (document.body.dataset.jpThemeLight = String(!dark.matches));
  dark.addEventListener("change", follow);
  addEventListener("beforeprint", () => (document.body.dataset.jpThemeLight = "true"));
  addEventListener("afterprint", follow);
  follow();
}
