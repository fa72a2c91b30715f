// Helpers to find and copy elements that the server has rendered.

/**
 * Returns the element that `selector` matches. It throws without one, because the page and the script do not fit then.
 * @template {Element} T
 * @param {ParentNode} root
 * @param {string} selector
 * @param {new () => T} type
 * @returns {T}
 */
export function need(root, selector, type) {
  const found = root.querySelector(selector);
  if (!(found instanceof type)) throw new Error(`${selector} is missing`);
  return found;
}

/**
 * Copies the content of `<template data-template="name">`.
 * @param {string} name
 */
export function copyOf(name) {
  const template = need(document, `[data-template="${name}"]`, HTMLTemplateElement);
  const copy = document.importNode(template.content, true).firstElementChild;
  if (!(copy instanceof HTMLElement)) throw new Error(`the template ${name} is empty`);
  return copy;
}

/**
 * Sets a person's colour as `--person` on an element.
 * @param {Element} element
 * @param {string} color `#rrggbb`
 */
export function paint(element, color) {
  for (const name of [...element.classList]) {
    if (/^c-[0-9a-f]{6}$/.test(name)) element.classList.remove(name);
  }
  element.classList.add(colorClass(color));
}

/** @param {string} color `#rrggbb` */
export function colorClass(color) {
  return `c-${color.slice(1)}`;
}
