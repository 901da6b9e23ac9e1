"use strict";

const get = (id) => document.getElementById(id);
const MOST_SHOWN = 20, MOST_CLASSES = 8;
let card = null;

/* The token is kept for this tab alone. */
const headers = () => {
  const token = sessionStorage.getItem("token");
  return token ? { Authorization: `Bearer ${token}` } : {};
};

const element = (name, attributes = {}, ...children) => {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
};

const percent = (value) => (value > 0 && value < 0.001 ? "< 0.1 %" : `${(100 * value).toFixed(1)} %`);

const className = (index) => (card && card.class_names ? card.class_names[index] : `class ${index}`);

function bar(share) {
  const space = "http://www.w3.org/2000/svg";
  const svg = document.createElementNS(space, "svg"), rect = document.createElementNS(space, "rect");
  svg.setAttribute("aria-hidden", "true");
  rect.setAttribute("width", `${100 * share}%`);
  rect.setAttribute("height", "100%");
  svg.append(rect);
  return svg;
}

function problem(text) {
  get("error").textContent = text;
  get("error").hidden = !text;
  get("given").setAttribute("aria-invalid", String(Boolean(text)));
}

async function ask(path, options = {}) {
  let response;
  try {
    response = await fetch(path, { ...options, headers: { ...headers(), ...options.headers } });
  } catch {
    throw new Error("The server does not answer. Is it still running?");
  }
  const text = await response.text();
  let content;
  try {
    content = JSON.parse(text);
  } catch {
    content = { error: text || `The server answered ${response.status}.` };
  }
  if (response.status === 401) {
    get("unlock").hidden = false;
    get("main").hidden = true;
    throw new Error(sessionStorage.getItem("token") ? "That token is not right." : "This server asks for a token.");
  }
  if (!response.ok) throw new Error(content.error || `The server answered ${response.status}.`);
  return content;
}

/* The first line, where it names every feature; values are taken by name then. */
function columnsOf(text) {
  const cells = text.trim().split(/\n/, 1)[0].split(/[,;\t]/).map((cell) => cell.trim());
  return card.feature_names && card.feature_names.every((name) => cells.includes(name)) ? cells : null;
}

/* Lines of numbers, with commas, semicolons, tabs or blanks between them; or JSON. */
function rowsOf(text) {
  const trimmed = text.trim();
  if (!trimmed) throw new Error("Paste at least one row first.");
  if (/^[[{]/.test(trimmed)) {
    let found;
    try {
      found = JSON.parse(trimmed);
    } catch {
      throw new Error("This begins like JSON, but is none: check brackets and commas.");
    }
    return Array.isArray(found) && (Array.isArray(found[0]) || isNamed(found[0])) ? found : [found];
  }
  return trimmed.split(/\n+/).map((line, place) => numbersOf(line, `line ${place + 1}`));
}

const isNamed = (row) => typeof row === "object" && row !== null && !Array.isArray(row);

/* Lines of cells by name, for a model that encodes raw columns: an empty cell is missing. */
function namedOf(text, columns) {
  return text.trim().split(/\n+/).map((line) => {
    const cells = line.split(/[,;\t]/).map((cell) => cell.trim());
    return Object.fromEntries(columns.map((name, place) => {
      const cell = cells[place] || null, value = Number(cell);
      return [name, cell && card.columns[name] === "number" && Number.isFinite(value) ? value : cell];
    }).filter(([name]) => name in card.columns));
  });
}

function numbersOf(line, where) {
  return line.split(/[\s,;]+/).filter(Boolean).map((word) => {
    const value = Number(word);
    if (!Number.isFinite(value)) throw new Error(`“${word.slice(0, 30)}” in ${where} is no number.`);
    return value;
  });
}

function nodesOf(text) {
  if (card.node_ids && text.trim().startsWith("[")) return JSON.parse(text);
  if (card.node_ids === "both") throw new Error('Ids here are texts and numbers: give JSON, such as ["a", 7].');
  if (card.node_ids === "text") {
    const ids = text.split(/[,;\n]+/).map((id) => id.trim()).filter(Boolean);
    if (!ids.length) throw new Error("Give at least one node id first.");
    return ids;
  }
  const found = numbersOf(text.replace(/[[\]]/g, " "), "the ids");
  if (!found.length) throw new Error("Give at least one node id first.");
  const odd = found.find((value) => !Number.isSafeInteger(value) || value < 0);
  if (odd !== undefined) throw new Error(`${odd} is no node id: ids are whole numbers from 0.`);
  return found;
}

function question() {
  const kind = document.querySelector("input[name=kind]:checked").value;
  if (kind === "nodes") return { nodes: nodesOf(get("given").value) };
  const text = get("given").value, propagated = get("propagated").checked;
  const columns = propagated ? null : columnsOf(text);
  const body = columns ? text.trim().replace(/^.*\n?/, "") : text;
  if (columns && card.columns) return { rows: namedOf(body, columns) };
  const rows = rowsOf(body);
  if (rows.some(isNamed)) return { rows };
  if (card.columns && !propagated) throw new Error(`Begin with a line of names: ${card.feature_names.join(", ")}.`);
  const wanted = columns ? columns.length : propagated ? card.propagated_features : card.features;
  const odd = rows.findIndex((row) => !Array.isArray(row) || row.length !== wanted);
  if (odd >= 0) {
    const has = Array.isArray(rows[odd]) ? rows[odd].length : "no";
    throw new Error(`Row ${odd + 1} has ${has} numbers; this model takes ${wanted}.`);
  }
  if (columns) return { rows, columns };
  return propagated ? { rows, propagated } : { rows };
}

function numbers(values, title) {
  const rows = Object.entries(values).map(([name, value]) => element("li", {},
    element("span", { class: "label", title: name }, name), element("span", { class: "value" }, value.toPrecision(6))));
  return element("div", { class: "prediction" }, element("h3", {}, title), element("ul", { class: "bars" }, ...rows));
}

function shown(prediction, title) {
  if (prediction.values) return numbers(prediction.values, title);
  const several = prediction.labels;
  const order = prediction.probabilities.map((value, index) => [value, index]).sort((a, b) => b[0] - a[0]);
  const list = element("ul", { class: "bars" });
  for (const [value, index] of order.slice(0, MOST_CLASSES)) {
    const name = className(index), best = several ? value > 0.5 : index === prediction.class;
    list.append(element("li", best ? { class: "best" } : {},
      element("span", { class: "label", title: name }, name), bar(value),
      element("span", { class: "value" }, percent(value))));
  }
  const best = several ? several.join(", ") || "no label" : prediction.name || className(prediction.class);
  const heading = element("h3", {}, `${title}: ${best}`);
  const rest = order.length > MOST_CLASSES
    ? [element("p", { class: "hint" }, `${order.length - MOST_CLASSES} less likely classes are not shown`)] : [];
  return element("div", { class: "prediction" }, heading, list, ...rest);
}

function answer(found, asked, round) {
  const all = found.predictions;
  get("times").textContent =
    `${all.length} ${all.length === 1 ? "row" : "rows"} in ${round.toFixed(1)} ms, ` +
    `of which ${found.milliseconds.toFixed(2)} ms in the server (${found.runtime})`;
  get("predictions").replaceChildren(...all.slice(0, MOST_SHOWN).map((each, place) =>
    shown(each, asked.nodes ? `Node ${asked.nodes[place]}` : `Row ${place + 1}`)));
  if (all.length > MOST_SHOWN) {
    get("predictions").append(element("p", { class: "hint" }, `the first ${MOST_SHOWN} are shown`));
  }
  get("answer").hidden = false;
}

async function predict() {
  problem("");
  get("answer").hidden = true;
  get("send").disabled = true;
  try {
    if (!card) await load();
    const asked = question(), begin = performance.now();
    const found = await ask("/predict", {
      method: "POST", body: JSON.stringify(asked), headers: { "Content-Type": "application/json" },
    });
    answer(found, asked, performance.now() - begin);
  } catch (error) {
    problem(error.message);
    get("given").focus();
  } finally {
    get("send").disabled = false;
  }
}

function switched() {
  const nodes = document.querySelector("input[name=kind]:checked").value === "nodes";
  get("given-label").textContent = nodes ? "Node ids" : "Rows";
  const row = card && card.example && card.example.rows && card.example.rows[0];
  get("given").placeholder = nodes ? "12, 40" : isNamed(row) ? JSON.stringify(row) : "0.5, 1, 0, …";
  get("propagated-label").hidden = nodes || !card || !(card.hops || card.positions);
  const width = card ? (get("propagated").checked ? card.propagated_features : card.features) : 0;
  get("given-hint").textContent = !card ? "" : nodes
    ? (card.node_ids ? "Ids of the data, with commas between them; or JSON." : "Ids of the feature store, with commas or blanks between them.")
    : card.columns ? "A line of names and a line per row, as from a spreadsheet or CSV; or JSON objects."
    : `A line per row, ${width} numbers in each, as from a spreadsheet or CSV; or JSON.`
      + (card.hops ? ` This model looks ${card.hops} hops far: raw rows do not do.`
        : card.positions ? " This model reads positions of nodes: raw rows do not do." : "");
  problem("");
}

function facts() {
  const known = card.card || {}, hidden = new Set(["teacher_scores", "student_scores", "versions", "none"]);
  const rows = Object.entries(known).filter(([key, value]) => !hidden.has(key) && value !== "none" && typeof value !== "object");
  rows.push(["runtime", card.runtime], ["features", card.features]);
  if (card.hops) rows.push(["hops", card.hops]);
  if (card.positions) rows.push(["numbers of a position", card.positions]);
  rows.push(["classes", card.class_names ? `${card.classes}: ${card.class_names.slice(0, 12).join(", ")}${card.classes > 12 ? ", …" : ""}` : card.classes]);
  if (known.versions && known.versions.graphkd) rows.push(["made with", `graphkd ${known.versions.graphkd}`]);
  get("facts").replaceChildren(...rows.flatMap(([key, value]) =>
    [element("dt", {}, key.replaceAll("_", " ")), element("dd", {}, String(value))]));
}

function table(caption, head, lines) {
  const row = (kind, cells) => element("tr", {}, element("th", { scope: kind === "th" ? "col" : "row" }, cells[0]),
    ...cells.slice(1).map((cell) => element(kind, kind === "th" ? { scope: "col" } : {}, cell)));
  return element("table", {}, element("caption", {}, caption),
    element("thead", {}, row("th", head)), element("tbody", {}, ...lines.map((line) => row("td", line))));
}

function scores() {
  const known = card.card || {}, parts = [["teacher", known.teacher_scores], ["student", known.student_scores]];
  const names = [...new Set(parts.flatMap(([, found]) => Object.keys(found || {})))];
  const tables = [];
  if (names.length) {
    const metric = card.scores ? card.scores.metric.replaceAll("_", " ") : "scores";
    const lines = names.map((name) => [name.replaceAll("_", " "), ...parts.map(([, found]) => found && name in found ? percent(found[name]) : "–")]);
    tables.push(table(`This model (${metric}, seed ${known.seed ?? "?"})`, ["", "teacher", "student"], lines));
  }
  if (card.scores && card.scores.seeds > 1) {
    const lines = Object.entries(card.scores.mean).map(([name, mean]) =>
      [name.replaceAll("_", " "), `${percent(mean)} ± ${(100 * card.scores.std[name]).toFixed(1)}`]);
    tables.push(table(`Over ${card.scores.seeds} seeds`, ["", "mean ± spread"], lines));
  }
  get("scores").replaceChildren(...tables);
}

async function load() {
  card = await ask("/card");
  get("unlock").hidden = true;
  get("main").hidden = false;
  document.title = `${card.name} · graphkd`;
  get("name").textContent = card.name;
  const known = card.card || {};
  get("line").textContent = [known.method && known.teacher ? `${known.student} taught by ${known.teacher} (${known.method})` : "a student",
    known.dataset && `on ${known.dataset}`, known.split && `${known.split} split`, known.setting].filter(Boolean).join(" · ");
  const nodes = document.querySelector("input[value=nodes]");
  nodes.disabled = !card.nodes;
  nodes.parentElement.title = card.nodes ? "" : "start the server with --store to ask by node id";
  if (card.nodes && (card.hops || card.positions)) nodes.checked = true;
  facts();
  scores();
  switched();
}

const begin = () => load().catch((error) => {
  get("line").textContent = error.message;
  if (!get("unlock").hidden) get("token").focus();
});

get("ask").addEventListener("submit", (event) => { event.preventDefault(); predict(); });
get("given").addEventListener("keydown", (event) => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) { event.preventDefault(); predict(); }
});
get("kinds").addEventListener("change", switched);
get("propagated").addEventListener("change", switched);
get("unlock").addEventListener("submit", (event) => {
  event.preventDefault();
  sessionStorage.setItem("token", get("token").value.trim());
  begin();
});
begin();
