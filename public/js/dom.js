// Finding the parts of the page that the server rendered for a script to work with.

/**
 * The part that `selector` names. A page without it is broken, so this throws.
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
 * A copy of the partial that the server put into `<template data-template="name">`.
 * @param {string} name
 */
export function copyOf(name) {
  const template = need(document, `[data-template="${name}"]`, HTMLTemplateElement);
  const copy = document.importNode(template.content, true).firstElementChild;
  if (!(copy instanceof HTMLElement)) throw new Error(`the template ${name} is empty`);
  return copy;
}

/**
 * Gives an element a person's colour, as `--person`.
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
