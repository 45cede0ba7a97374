// For readers without a mouse: what is wider than its box is reached, and scrolled, by keyboard; captions have a level.
function reach() {
  for (const box of document.querySelectorAll("pre, .math, table.docutils"))
    if (box.scrollWidth > box.clientWidth) box.tabIndex = 0;
    else box.removeAttribute("tabindex");
}
addEventListener("load", reach);
addEventListener("resize", reach);
addEventListener("DOMContentLoaded", () => {
  for (const caption of document.querySelectorAll(".caption[role=heading]")) caption.setAttribute("aria-level", "2");
});
