// What gradio's components lack: names of radio groups, scrolling to what is new, a warning
// before unsaved results are lost.
(() => {
  let alert = null, unsaved = false;
  const all = (selector) => document.querySelectorAll(selector);

  const mend = () => {
    for (const group of all("fieldset")) {
      const title = group.querySelector("[data-testid=block-info]");
      if (title) group.setAttribute("aria-label", title.textContent.trim());
      for (const radio of group.querySelectorAll("input[type=radio]")) radio.name = group.id;
    }
    for (const wrong of all(".empty[aria-label], #examples button, .upload-container:not(.icon-mode)"))
      wrong.removeAttribute("aria-label");
    for (const outer of all("button:has(button)")) outer.setAttribute("role", "group");
    for (const image of all(".image-container > button")) image.setAttribute("aria-label", "Image");
    const now = document.querySelector("[role=alert]");
    if (now && now !== alert) now.scrollIntoView({ block: "center" });
    alert = now;
  };
  new MutationObserver(mend).observe(document, { childList: true, subtree: true });

  document.addEventListener("click", ({ target }) => {
    if (target.closest("#make")) {
      unsaved = true;
      document.querySelector("#result").scrollIntoView({ block: "nearest" });
    } else if (target.closest("#mp4, #gif")) unsaved = false;
  });
  window.addEventListener("beforeunload", (event) => {
    if (unsaved && document.querySelector("#result :is(video, .progress-text)")) event.preventDefault();
  });
})();
