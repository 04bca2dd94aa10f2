"use strict";
// Buttons in the headings of tables, which sort their rows; nothing else needs this script.
for (const table of document.querySelectorAll("table[data-sortable]")) {
  const body = table.tBodies[0];
  const heads = [...table.tHead.rows[0].cells];
  if (body.rows.length < 3) continue;
  heads.forEach((head, column) => {
    const name = head.textContent.trim();
    const button = document.createElement("button");
    button.type = "button";
    button.className = "sort";
    button.setAttribute("aria-label", `Sort by ${name}`);
    head.append(button);
    button.addEventListener("click", () => {
      const first = head.dataset.first ?? "ascending";
      const other = first === "ascending" ? "descending" : "ascending";
      const order = head.getAttribute("aria-sort") === first ? other : first;
      for (const each of heads) each.removeAttribute("aria-sort");
      head.setAttribute("aria-sort", order);
      const sign = order === "ascending" ? 1 : -1;
      const keyed = [...body.rows].map((row) => [row, keyOf(row.cells[column])]);
      // What has no value stands last, whichever way.
      keyed.sort(([, a], [, b]) =>
        a === null || b === null ? (a === null) - (b === null) : sign * compare(a, b));
      for (const [row] of keyed) body.append(row);
    });
  });
}
function keyOf(cell) {
  if ("value" in cell.dataset) return cell.dataset.value === "" ? null : Number(cell.dataset.value);
  return cell.querySelector(".value")?.textContent.trim() ?? cell.textContent.trim();
}
function compare(a, b) {
  return typeof a === "number" && typeof b === "number" ? a - b : String(a).localeCompare(String(b));
}
