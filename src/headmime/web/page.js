// What gradio's components lack: names of radio groups, scrolling to what is new, a warning
// before unsaved results are lost. Films of motions choose theirs.
(() => {
  let alert = null, unsaved = false;
  const all = (selector) => [...document.querySelectorAll(selector)];
  const still = matchMedia("(prefers-reduced-motion: reduce)");

  const mend = () => {
    for (const group of all("fieldset")) {
      const title = group.querySelector("[data-testid=block-info]");
      if (title) group.setAttribute("aria-label", title.textContent.trim());
      for (const radio of group.querySelectorAll("input[type=radio]")) radio.name = group.id;
    }
    for (const wrong of all("#examples button, .upload-container:not(.icon-mode)"))
      wrong.removeAttribute("aria-label");
    for (const untold of all("[title='common.upload']")) untold.title = untold.ariaLabel = "Add files";
    for (const outer of all("button:has(button)")) outer.setAttribute("role", "group");
    for (const icon of all("svg:not([aria-hidden])")) icon.ariaHidden = "true";
    if (still.matches) for (const film of all("video[autoplay]")) film.autoplay = false;
    const now = document.querySelector("[role=alert]");
    if (now && now !== alert) now.scrollIntoView({ block: "center" });
    alert = now;
  };
  new MutationObserver(mend).observe(document, { childList: true, subtree: true });

  document.addEventListener("click", ({ target }) => {
    const scroll = (id) => document.querySelector(id).scrollIntoView({ block: "nearest" });
    const film = target.closest("#films figure")?.textContent;
    if (film) all("#motion label").find((label) => label.textContent.trim() === film)?.click();
    else if (target.closest("#template")) scroll("#driving");
    else if (target.closest("#make")) {
      unsaved = true;
      scroll("#result");
    } else if (target.closest("#made, #gif")) unsaved = false;
  });
  document.addEventListener("mouseover", ({ target }) => {
    target.closest("#films figure")?.querySelector("video").play();
  });
  window.addEventListener("beforeunload", (event) => {
    if (unsaved && document.querySelector("#result :is(video, img, .progress-text)"))
      event.preventDefault();
  });
})();
