// The page of the study. It knows which images to show, but not which of them is generated.
"use strict";

const CODE = "headmime study code";
const SECONDS_EACH = 6; // for the estimate on the first page
const SHOW_CHOICE = 180; // milliseconds for which a choice stays outlined

const $ = (id) => document.getElementById(id);
const wait = (milliseconds) => new Promise((done) => setTimeout(done, milliseconds));

let annotator = null;
let study = null;
let trial = null; // what is being shown, from the moment it can be answered until it is
let turn = 0; // counts what is under way: "Stop" and failures end it, whatever is still loading

class Told extends Error {} // a sentence of the server's

async function ask(path, content) {
  const options = content && {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(content),
  };
  const response = await fetch(path, options);
  const answer = await response.json();
  if (!response.ok) throw Object.assign(new Told(answer.error), { status: response.status });
  return answer;
}

function show(page) {
  for (const main of document.querySelectorAll("main")) main.hidden = main.id !== page;
  for (const place of document.querySelectorAll(".own-code")) place.textContent = annotator ?? "";
  const heading = $(page).querySelector("h1[tabindex]");
  if (heading) heading.focus();
}

// What was being shown is over, unanswered; so is whatever is still loading.
function leave() {
  trial = null;
  turn += 1;
  $("pictures").replaceChildren();
}

// Runs `task`; if it fails, says so and offers to try again from where the server knows us to be.
async function guarded(task) {
  try {
    await task();
  } catch (error) {
    leave();
    const told = error instanceof Told;
    if (told && (error.status === 401 || error.status === 410)) return intro(error.message);
    $("trouble-text").textContent = told
      ? error.message
      : "The study's server does not answer. Please tell the person who runs the study.";
    show("trouble");
  }
}

function describeSequences({ videos, clips, moments }) {
  const parts = [];
  if (videos) parts.push(`in ${videos} triplets the three pictures are from three different videos`);
  if (clips) parts.push(`in ${clips} they are from three different clips`);
  if (moments) {
    parts.push(`in ${moments} they are from fewer than three clips, as the data has no more of that person`);
  }
  if (parts.length === 1 && videos) return "The three pictures are from three different videos.";
  if (parts.length === 1 && clips) return "The three pictures are from three different clips.";
  if (parts.length === 1) {
    return "The three pictures are from fewer than three clips: the data has no more of each person.";
  }
  const text = parts.join("; ");
  return `${text[0].toUpperCase()}${text.slice(1)}.`;
}

async function intro(problem = "") {
  study ??= await ask("/api/study");
  document.documentElement.style.setProperty("--most", `${Math.min(384, 4 * study.size)}px`);
  $("title").textContent = study.title;
  document.title = study.title;
  $("count").textContent = study.triplets;
  const minutes = Math.max(1, Math.round((study.triplets * SECONDS_EACH) / 60));
  $("minutes").textContent = minutes === 1 ? "a minute" : `${minutes} minutes`;
  $("sequences").textContent = describeSequences(study.sequences);
  if (study.consent.length) {
    $("consent-text").replaceChildren(
      ...study.consent.map((text) => Object.assign(document.createElement("p"), { textContent: text })),
    );
  }
  $("code").value = problem ? "" : (localStorage.getItem(CODE) ?? "");
  $("begin-error").textContent = problem;
  $("begin-error").hidden = !problem;
  show("intro");
}

async function begin(event) {
  event.preventDefault();
  try {
    const answer = await ask("/api/begin", { annotator: $("code").value, consent: $("consent").checked });
    annotator = answer.annotator;
    localStorage.setItem(CODE, annotator);
  } catch (error) {
    if (!(error instanceof Told)) return guarded(() => { throw error; });
    return intro(error.message);
  }
  await guarded(next);
}

async function next() {
  const mine = ++turn;
  const answer = await ask("/api/next", { annotator });
  if (mine !== turn) return;
  $("bar").max = answer.triplets;
  $("bar").value = answer.done;
  if (!answer.triplet) return end(answer);
  $("place").textContent = `Triplet ${answer.done + 1} of ${answer.triplets}`;
  $("pictures").replaceChildren();
  show("trial");
  const choices = answer.pictures.map(choice);
  // All three are decoded before the first is seen: how long one takes to load tells nothing.
  await Promise.all([wait(answer.pause), ...choices.map((made) => made.querySelector("img").decode())]);
  if (mine !== turn) return;
  $("pictures").replaceChildren(...choices);
  trial = { ...answer, shown: performance.now() };
}

function end({ done, triplets }) {
  $("answered").textContent = done === triplets ? `all ${triplets}` : `${done} of ${triplets}`;
  $("go-on").hidden = done === triplets;
  show("end");
}

function choice(picture, place) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "choice";
  button.setAttribute("aria-label", `Picture ${place + 1}`);
  const image = Object.assign(document.createElement("img"), { src: picture, alt: "", draggable: false });
  const key = Object.assign(document.createElement("kbd"), { textContent: place + 1 });
  button.append(image, key);
  button.addEventListener("click", () => pick(place));
  return button;
}

function pick(place) {
  if (!trial) return;
  const { triplet, pictures, shown } = trial;
  const mine = turn;
  trial = null; // one answer each, however fast the keys
  const milliseconds = Math.round(performance.now() - shown);
  $("pictures").children[place].classList.add("picked");
  guarded(async () => {
    try {
      await ask("/api/answer", { annotator, triplet, picked: pictures[place], milliseconds });
    } catch (error) {
      if (error.status !== 409) throw error; // answered in another window: go on with the next
    }
    await wait(SHOW_CHOICE);
    if (mine === turn) await next();
  });
}

document.addEventListener("keydown", (event) => {
  if (event.repeat || event.ctrlKey || event.altKey || event.metaKey) return;
  const place = ["1", "2", "3"].indexOf(event.key);
  if (place >= 0 && !$("trial").hidden) {
    event.preventDefault();
    pick(place);
  }
});
$("begin").addEventListener("submit", begin);
$("retry").addEventListener("click", () => guarded(annotator ? next : intro));
$("stop").addEventListener("click", () => guarded(async () => {
  leave();
  end(await ask("/api/next", { annotator }));
}));
$("go-on").addEventListener("click", () => guarded(next));
$("withdraw").addEventListener("click", () => guarded(async () => {
  await ask("/api/withdraw", { annotator });
  localStorage.removeItem(CODE);
  show("withdrawn");
}));
guarded(intro);
