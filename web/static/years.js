// Two handles on the histogram of years. They are plain range inputs, so arrow keys move them too; what they say
// stands in the two fields below, which is what the form sends. A handle at its end means: no limit there.

export function dragYears(histogram) {
    const bars = [...histogram.querySelectorAll("rect")];
    const fields = [document.getElementById("from"), document.getElementById("to")];
    const edges = [...bars.map((bar) => Number(bar.dataset.first)), Number(histogram.dataset.last) + 1];
    const handles = ["Earliest year", "Latest year"].map((name) => {
        const handle = document.createElement("input");
        Object.assign(handle, { type: "range", min: 0, max: bars.length, step: 1 });
        handle.setAttribute("aria-label", name);
        histogram.append(handle);
        return handle;
    });

    function placeOf(text, otherwise, isEnd) {
        const year = Number.parseInt(text, 10);
        if (Number.isNaN(year)) return otherwise;
        const place = edges.findIndex((edge) => edge > year);
        if (place < 0) return bars.length;
        return isEnd ? place : Math.max(0, place - 1);
    }

    function shade() {
        const [from, to] = handles.map((handle) => Number(handle.value));
        bars.forEach((bar, i) => bar.classList.toggle("out", i < from || i >= to));
        handles[0].setAttribute("aria-valuetext", from === 0 ? "no limit" : String(edges[from]));
        handles[1].setAttribute("aria-valuetext", to === bars.length ? "no limit" : String(edges[to] - 1));
    }

    function fromFields() {
        handles[0].value = placeOf(fields[0].value, 0, false);
        handles[1].value = placeOf(fields[1].value, bars.length, true);
        shade();
    }

    function fromHandles(moved) {
        const [from, to] = handles.map((handle) => Number(handle.value));
        if (from >= to) moved.value = moved === handles[0] ? to - 1 : from + 1;
        const first = Number(handles[0].value);
        const last = Number(handles[1].value);
        fields[0].value = first === 0 ? "" : edges[first];
        fields[1].value = last === bars.length ? "" : edges[last] - 1;
        shade();
    }

    for (const handle of handles) handle.addEventListener("input", () => fromHandles(handle));
    for (const field of fields) field.addEventListener("input", fromFields);
    fromFields();
}
