// Sorts a table by one of its columns: up, down, and as it was at first. What a cell sorts by is in its data-value;
// without that by its text. A cell without a number stays last in a column of numbers.
const NEXT = { none: "ascending", ascending: "descending", descending: "none" };

for (const table of document.querySelectorAll("table.sortable")) {
  const body = table.tBodies[0];
  const atFirst = [...body.rows];
  const headings = [...table.tHead.rows[0].cells];
  headings.forEach((heading, column) => {
    const button = heading.querySelector("button");
    button.hidden = false;
    button.addEventListener("click", () => {
      const how = NEXT[heading.getAttribute("aria-sort") ?? "none"];
      headings.forEach((other) => other.removeAttribute("aria-sort"));
      if (how !== "none") heading.setAttribute("aria-sort", how);
      body.append(...(how === "none" ? atFirst : sorted(atFirst, column, how === "ascending" ? 1 : -1)));
    });
  });
}

function sorted(rows, column, sign) {
  const numbers = rows.some((row) => "value" in row.cells[column].dataset);
  const keyed = rows.map((row) => [key(row.cells[column], numbers), row]);
  keyed.sort(([one], [other]) => {
    if (one === null || other === null) return (one === null) - (other === null);
    return sign * (numbers ? one - other : one.localeCompare(other));
  });
  return keyed.map(([, row]) => row);
}

function key(cell, numbers) {
  if (!numbers) return cell.textContent;
  return "value" in cell.dataset ? Number(cell.dataset.value) : null;
}
