// Dark or light, settled before anything is drawn: as the system says, or as was chosen here.
(() => {
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const read = () => { try { return localStorage.getItem("panfocus-theme"); } catch { return null; } };
  const apply = () => {
    const chosen = read() ?? (dark.matches ? "dark" : "light");
    document.documentElement.dataset.theme = chosen;
  };
  dark.addEventListener("change", apply);
  addEventListener("panfocus-theme", apply);
  apply();
})();
