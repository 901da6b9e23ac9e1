"use strict";

const element = (name, attributes = {}, ...children) => {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
};

/* The schema a reference points to, beside what is said with it. */
const resolved = (schema, document_) => schema && schema.$ref
  ? schema.$ref.split("/").slice(1).reduce((place, key) => place[key], document_) : schema;

function typeOf(given, document_) {
  const schema = resolved(given, document_);
  if (!schema) return "anything";
  if (schema.anyOf) return schema.anyOf.map((each) => typeOf(each, document_)).join(" or ");
  if (schema.type === "array") return `list of ${typeOf(schema.items, document_)}`;
  const type = Array.isArray(schema.type) ? schema.type.join(" or ") : schema.type;
  return schema.title && schema.properties ? schema.title : type || "anything";
}

function fields(given, document_) {
  const schema = resolved(given, document_);
  if (!schema || !schema.properties) return element("p", { class: "hint" }, typeOf(given, document_));
  const list = element("dl");
  for (const [name, field] of Object.entries(schema.properties)) {
    const wanted = (schema.required || []).includes(name) ? " (needed)" : "";
    list.append(element("dt", {}, element("code", {}, name)),
      element("dd", {}, `${typeOf(field, document_)}${wanted}${field.description ? `: ${field.description}` : ""}`));
    const inner = resolved(field.items || field, document_);
    if (inner && inner.properties) list.append(element("dt", {}, ""), element("dd", {}, fields(inner, document_)));
  }
  return list;
}

function examples(given, document_) {
  return (resolved(given, document_).examples || []).flatMap((each) =>
    [element("p", {}, "For example"), element("pre", {}, JSON.stringify(each, null, 1))]);
}

function route(path, method, operation, document_) {
  const parts = [];
  if (operation.requestBody) {
    for (const [kind, { schema }] of Object.entries(operation.requestBody.content)) {
      parts.push(element("p", {}, "Body ", element("code", {}, kind)), fields(schema, document_), ...examples(schema, document_));
    }
    if (operation.requestBody.description) parts.push(element("p", { class: "hint" }, operation.requestBody.description));
  }
  const answers = element("dl");
  for (const [status, { description }] of Object.entries(operation.responses)) {
    answers.append(element("dt", {}, status), element("dd", {}, description));
  }
  return element("details", {},
    element("summary", {}, element("span", { class: "method" }, method.toUpperCase()), element("code", {}, path),
      ` ${operation.summary || ""}`),
    ...parts, element("p", {}, "Answers"), answers);
}

async function load() {
  const token = sessionStorage.getItem("token"), state = document.getElementById("state");
  try {
    const response = await fetch("/openapi.json", { headers: token ? { Authorization: `Bearer ${token}` } : {} });
    const content = await response.json();
    if (!response.ok) throw new Error(response.status === 401 ? "unlock the page first: this server asks for a token" : content.error);
    document.getElementById("title").textContent = content.info.title;
    document.getElementById("routes").replaceChildren(...Object.entries(content.paths).flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, operation]) => route(path, method, operation, content))));
  } catch (error) {
    state.textContent = error.message;
  }
}

load();
