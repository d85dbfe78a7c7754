// Makes the pages quicker; all of them work without it. Links and forms with `data-region` replace <main> instead of the
// whole page. Any failure becomes an ordinary navigation.
"use strict";

const policy = window.trustedTypes?.createPolicy("console", { createHTML: (html) => html });
const trusted = (html) => (policy ? policy.createHTML(html) : html);
const SEARCH_PAUSE_MS = 150;
const BUSY_AFTER_MS = 150;
let running = null;

const announce = (text) => {
  const status = document.querySelector(".status");
  if (status) status.textContent = text;
};

async function replace(url, { push = true, focus = true } = {}) {
  running?.abort();
  const controller = (running = new AbortController());
  const busy = setTimeout(() => document.querySelector("main").setAttribute("aria-busy", "true"), BUSY_AFTER_MS);
  try {
    const answer = await fetch(url, { signal: controller.signal, headers: { accept: "text/html" } });
    const html = await answer.text();
    if (!answer.headers.get("content-type")?.startsWith("text/html") || answer.redirected) {
      location.assign(url);
      return;
    }
    const page = new DOMParser().parseFromString(trusted(html), "text/html");
    const [from, to] = [page.querySelector("main"), document.querySelector("main")];
    if (!from || !to) {
      location.assign(url);
      return;
    }
    const field = document.activeElement;
    const [id, at] = [field?.id, field?.selectionStart];
    to.replaceWith(from);
    document.title = page.title;
    if (push) history.pushState(null, "", url);
    const again = id && document.getElementById(id);
    if (again && from.contains(again)) {
      again.focus();
      if (typeof at === "number") again.setSelectionRange?.(at, at);
    } else if (focus) {
      from.focus();
      scrollTo(0, 0);
    }
    announce(from.querySelector("caption")?.textContent ?? document.title);
  } catch (error) {
    if (error.name !== "AbortError") location.assign(url);
  } finally {
    clearTimeout(busy);
    document.querySelector("main").removeAttribute("aria-busy");
  }
}

document.addEventListener("click", (event) => {
  const link = event.target.closest("a[data-region]");
  if (!link || event.button || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
  event.preventDefault();
  replace(link.href);
});

const target = (form) => `${form.action.split("?")[0]}?${new URLSearchParams(new FormData(form))}`;

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.method !== "get") {
    // A second click must not send the form again.
    for (const button of form.querySelectorAll("button")) setTimeout(() => (button.disabled = true));
    return;
  }
  if (!form.matches("form[data-region]")) return;
  event.preventDefault();
  replace(target(form));
});

let typing;
document.addEventListener("input", (event) => {
  const form = event.target.closest("form[data-region]");
  if (event.target.type === "search" && form) {
    clearTimeout(typing);
    typing = setTimeout(() => replace(target(form), { focus: false }), SEARCH_PAUSE_MS);
  }
  if (event.target.matches("[data-select-all]")) {
    const all = event.target.closest("table").querySelectorAll("tbody input[type=checkbox]");
    for (const box of all) box.checked = event.target.checked;
  }
  if (event.target.type !== "checkbox") return;
  const count = document.querySelectorAll("tbody input[type=checkbox]:checked").length;
  for (const shown of document.querySelectorAll("[data-selected]")) {
    shown.textContent = `${count} selected`;
  }
});

addEventListener("popstate", () => replace(location.href, { push: false }));
// A page that the browser kept may show buttons that were disabled.
addEventListener("pageshow", () => {
  for (const button of document.querySelectorAll("button:disabled")) button.disabled = false;
});

// Keys: / search, j and k rows, Enter opens, x selects, n and p pages, g and a letter goes to a page.
const PLACES = { g: "groups", u: "users", p: "projects", r: "roles", a: "audit", k: "keys", h: "" };
let before = "";
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest("input, select, textarea")) return;
  const links = [...document.querySelectorAll("tbody tr")].map((row) => row.querySelector("a[href]")).filter(Boolean);
  const row = document.activeElement?.closest("tbody tr");
  const at = links.indexOf(row?.querySelector("a[href]"));
  const key = event.key;
  const previous = before;
  before = key;
  if (previous === "g" && key in PLACES) {
    location.assign(PLACES[key] ? `/console/${PLACES[key]}` : "/console");
  } else if (key === "/") {
    (document.querySelector("main input[type=search]") ?? document.querySelector(".find input"))?.focus();
  } else if (key === "j" || key === "k") {
    links[Math.max(0, Math.min(links.length - 1, at + (key === "j" ? 1 : -1)))]?.focus();
  } else if (key === "x") {
    row?.querySelector("input[type=checkbox]")?.click();
  } else if (key === "n" || key === "p") {
    document.querySelector(key === "n" ? "a[rel=next]" : "a[rel=start]")?.click();
  } else {
    return;
  }
  event.preventDefault();
});

// A live part is read again while it is visible. A session that has ended leads to the sign-in page.
const FOLLOW_EVERY_MS = 3000;
const follow = async () => {
  const live = document.querySelector("[data-live]");
  if (!live || document.hidden || live.contains(document.activeElement)) return;
  const headers = { accept: "text/html", "x-console-poll": "1" };
  const signal = AbortSignal.timeout(10 * FOLLOW_EVERY_MS);
  const answer = await fetch(location.href, { headers, signal }).catch(() => null);
  if (!answer?.ok) return;
  if (answer.redirected) return location.reload();
  const page = new DOMParser().parseFromString(trusted(await answer.text()), "text/html");
  const next = page.querySelector("[data-live]");
  if (!next || !live.isConnected || next.innerHTML === live.innerHTML) return;
  live.replaceWith(next);
  announce("New events");
};
// The next request waits for the answer to this one.
const followAgain = () => setTimeout(() => follow().catch(() => {}).then(followAgain), FOLLOW_EVERY_MS);
followAgain();
