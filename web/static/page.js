// What the page can do more with JavaScript: take a picture that is dropped or pasted, drag the years, say what is
// chosen and which picture is gone. Without it every part of the page works all the same.

import { dragYears } from "./years.js";

const form = document.getElementById("search");
const upload = document.getElementById("upload");

function sendPicture(files) {
    const picture = [...files].find((file) => file.type.startsWith("image/"));
    if (!picture) return false;
    const chosen = new DataTransfer();
    chosen.items.add(picture);
    upload.files = chosen.files;
    form.requestSubmit();
    return true;
}

// A picture of this page leads to others like it; one of another page is fetched, where the server does that.
function sendAddress(text) {
    const sample = ownSample(text);
    if (sample) {
        location.href = `${form.getAttribute("action").replace(/search$/, "")}?like=${sample}`;
        return;
    }
    const field = document.getElementById("picture_url");
    if (!field || !/^https?:\/\//.test(text)) return;
    field.value = text;
    form.requestSubmit();
}

function ownSample(text) {
    const address = URL.canParse(text) ? new URL(text) : location;
    return address.origin === location.origin && address.pathname.match(/\/(?:samples|pictures)\/([^/]+)$/)?.[1];
}

function takePictures() {
    document.querySelector("#drop .hint").hidden = matchMedia("(pointer: coarse)").matches;
    const body = document.body.classList;
    addEventListener("dragover", (event) => { event.preventDefault(); body.add("dropping"); });
    addEventListener("dragleave", (event) => { if (!event.relatedTarget) body.remove("dropping"); });
    addEventListener("drop", (event) => {
        event.preventDefault();
        body.remove("dropping");
        const address = event.dataTransfer.getData("text/uri-list").split(/\s/)[0];
        if (ownSample(address) || !sendPicture(event.dataTransfer.files)) sendAddress(address);
    });
    addEventListener("paste", (event) => {
        if (sendPicture(event.clipboardData.files)) event.preventDefault();
    });
    upload.addEventListener("change", () => { if (upload.files.length) form.requestSubmit(); });
}

// Chosen pictures are remembered while the tab is open, so that a selection may span pages.
function rememberChoice(take) {
    const boxes = [...document.querySelectorAll('input[form="chosen"]')];
    const here = new Set(boxes.map((box) => box.value));
    let chosen;
    const show = () => {
        for (const old of take.querySelectorAll("input.elsewhere")) old.remove();
        for (const id of chosen) {
            if (here.has(id)) continue;
            const field = Object.assign(document.createElement("input"), { type: "hidden", name: "id", value: id });
            field.className = "elsewhere";
            take.append(field);
        }
        const said = chosen.size ? take.dataset.chosen.replace("{n}", chosen.size) : take.dataset.all;
        take.querySelector(".what").textContent = said;
        forget.hidden = !chosen.size;
    };
    const forget = Object.assign(document.createElement("button"), { type: "button", textContent: "Choose none" });
    forget.className = "quiet";
    forget.addEventListener("click", () => {
        chosen.clear();
        for (const box of boxes) box.checked = false;
        keep();
    });
    const keep = () => {
        try {
            sessionStorage.setItem("chosen", JSON.stringify([...chosen]));
        } catch {    // where nothing may be kept, what is chosen counts on this page
        }
        show();
    };
    const recall = () => {
        try {
            chosen = new Set(JSON.parse(sessionStorage.getItem("chosen") || "[]"));
        } catch {
            chosen = new Set();
        }
        for (const box of boxes) box.checked = chosen.has(box.value);
        show();
    };
    for (const box of boxes) {
        box.addEventListener("change", () => {
            if (box.checked) chosen.add(box.value); else chosen.delete(box.value);
            keep();
        });
    }
    take.append(forget);
    recall();
    addEventListener("pageshow", recall);    // one comes back here from a page on which others were chosen
}

// A picture whose file is gone or broken says so, instead of the browser's torn little sign.
function sayGone(image) {
    image.parentElement.classList.add("gone");
}

document.addEventListener("error", (event) => { if (event.target.matches?.("main img")) sayGone(event.target); }, true);
for (const image of document.querySelectorAll("main img")) {
    if (image.complete && image.getAttribute("src") && !image.naturalWidth) sayGone(image);
}

// What is wrong with a field that is folded away can be neither said nor mended there.
form?.addEventListener("invalid", (event) => {
    const fold = event.target.closest("details");
    if (fold) fold.open = true;
}, true);

if (form && upload) takePictures();
for (const histogram of document.querySelectorAll(".histogram")) dragYears(histogram);
const take = document.getElementById("chosen");
if (take) rememberChoice(take);
const facets = document.querySelector(".facets");
if (facets && matchMedia("(min-width: 64rem)").matches) facets.open = true;
