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

// The viewer adds a style sheet for buttons that are not used here, unless it finds one; the page's
// policy allows none. This element is none either, but is found.
{
  const found = document.createElementNS("urn:panfocus", "style");
  found.setAttribute("data-openseadragon-mobile-css", "");
  document.head.append(found);
}
