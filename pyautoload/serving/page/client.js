// Keeps an open page up to date: reloads it when the server says that something has changed, and shows what is wrong.
"use strict";
(() => {
  const script = document.currentScript;
  const wants = new Set((script.dataset.wants || "").split(" "));
  const events = new URL("events", script.src).href;
  const SEEN = "pyautoload-reloaded-for";
  // What the page was made with.
  let known = script.dataset.version;
  let host = null;

  // Should the page come from a cache as it was, to reload it once has to be enough.
  function isFirstTimeFor(version) {
    try {
      const before = sessionStorage.getItem(SEEN);
      sessionStorage.setItem(SEEN, version);
      return before !== version;
    } catch {
      return true; // the browser is told to store nothing
    }
  }

  function hear(news) {
    if (known !== news.version && wants.has("refresh")) {
      if (isFirstTimeFor(news.version)) {
        location.reload();
        return;
      }
    }
    known = news.version;
    if (wants.has("overlay")) show(news.troubles);
  }

  function element(name, text, ...children) {
    const made = document.createElement(name);
    if (text) made.textContent = text;
    made.append(...children);
    return made;
  }

  function linked(shown, link) {
    const place = element("code", shown);
    if (!link) return place;
    const made = element("a", "", place);
    made.href = link;
    return made;
  }

  // A line is a block: the one after the marked one has to begin below it.
  function code(lines, here, mark) {
    const made = element("pre");
    for (const [number, text] of lines) {
      const line = element("span", String(number).padStart(5) + "  " + text + "\n");
      if (number === here) line.className = "here";
      made.append(line);
      if (number === here && mark) {
        const below = element("span", " ".repeat(7) + mark + "\n");
        below.className = "here";
        made.append(below);
      }
    }
    return made;
  }

  function frame(of) {
    const place = element("p", "", linked(of.shown + ":" + of.line, of.link));
    if (of.name) place.append(" in ", element("code", of.name));
    const made = element("div", "", place);
    made.className = "frame";
    if (of.source.length) made.append(code(of.source, of.line, of.mark));
    return made;
  }

  // The user's frames, and those of libraries folded.
  const isShownIn = (trouble) => (one) => trouble.source.length && one.shown === trouble.file && one.line === trouble.line;

  function part(of, trouble) {
    const made = element("section");
    if (of.relation) {
      const relation = element("p", of.relation);
      relation.className = "relation";
      made.append(relation, element("h2", of.summary));
    }
    const isShown = isShownIn(trouble);
    made.append(...of.frames.filter((one) => !one.library && !isShown(one)).map(frame));
    const others = of.frames.filter((one) => one.library);
    if (others.length) {
      const count = others.length + " frame" + (others.length > 1 ? "s" : "") + " of libraries";
      made.append(element("details", "", element("summary", count), ...others.map(frame)));
    }
    return made;
  }

  function section(trouble) {
    const place = trouble.file ? trouble.file + (trouble.line ? ":" + trouble.line : "") : "";
    const made = element("section", "", element("h2", trouble.title), element("p", trouble.summary));
    if (place) made.append(element("p", "", linked(place, trouble.link)));
    const frames = trouble.parts.flatMap((each) => each.frames);
    const mark = (frames.find(isShownIn(trouble)) || {}).mark;
    if (trouble.source.length) made.append(code(trouble.source, trouble.line, mark));
    made.append(...trouble.parts.map((each) => part(each, trouble)), element("p", trouble.hint));
    return made;
  }

  // Everything is text, never markup, and the style sheet is made here: nothing that a policy could forbid.
  function show(troubles) {
    if (host) host.remove();
    host = null;
    if (!troubles.length) return;
    host = element("div");
    host.id = "pyautoload-overlay";
    host.setAttribute("role", "alert");
    const root = host.attachShadow({ mode: "open" });
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(`
      :host { all: initial; position: fixed; right: 1rem; bottom: 1rem; z-index: 2147483647; color-scheme: light dark;
        max-width: min(46rem, calc(100vw - 2rem)); max-height: 60vh; overflow: auto; border-radius: 6px;
        border-left: 5px solid #cf222e; background: Canvas; color: CanvasText; box-shadow: 0 4px 24px #0006; }
      .panel > section { padding: .6rem 2.2rem .6rem 1rem; }
      button { position: absolute; top: .4rem; right: .4rem; border: 0; background: none; color: inherit;
        font: inherit; cursor: pointer; }
      PANEL_SHEET`);
    root.adoptedStyleSheets = [sheet];
    const close = element("button", "\u00d7");
    close.title = "Hide";
    close.addEventListener("click", () => host.remove());
    const panel = element("div", "", close, ...troubles.map(section));
    panel.className = "panel";
    root.append(panel);
    document.documentElement.append(host);
  }

  // A browser keeps six connections to a server. So that six open tabs leave it some, one tab listens and tells the
  // others; where locks are not to be had, each tab listens while it is looked at.
  let stream = null;
  const channel = "BroadcastChannel" in window ? new BroadcastChannel("pyautoload " + events) : null;
  let last = null;

  // The server does not tell everybody: it says whom, and how to be among them.
  async function explain() {
    try {
      const answer = await fetch(events);
      if (answer.status === 403) console.info("pyautoload: " + (await answer.text()));
    } catch {
      // it has gone
    }
  }

  function listen() {
    if (stream) return;
    stream = new EventSource(events);
    stream.onerror = () => {
      if (stream && stream.readyState === EventSource.CLOSED) explain();
    };
    stream.onmessage = (event) => {
      last = JSON.parse(event.data);
      if (channel) channel.postMessage({ news: last });
      hear(last);
    };
  }

  function stop() {
    if (stream) stream.close();
    stream = null;
  }

  if (channel && navigator.locks) {
    channel.onmessage = ({ data }) => {
      if (data.news) hear(data.news);
      else if (stream && stream.readyState === EventSource.OPEN && last) channel.postMessage({ news: last });
    };
    channel.postMessage({ asks: true });
    navigator.locks.request("pyautoload " + events, () => {
      listen();
      return new Promise(() => {}); // until the page is gone
    }).catch(listen);
  } else {
    const look = () => (document.hidden ? stop() : listen());
    document.addEventListener("visibilitychange", look);
    look();
  }
  // A page that goes back into view from the browser's memory asks anew.
  addEventListener("pageshow", (event) => {
    if (event.persisted) location.reload();
  });
})();
