// The map of the collection on a canvas: drag, wheel or pinch to move, arrow keys to go from picture to picture.
// From close by, points become the pictures themselves.

const plane = document.getElementById("map");
const canvas = plane.querySelector("canvas");
const tip = plane.querySelector(".tip");
const said = document.getElementById("here");
const pen = canvas.getContext("2d");
const view = { x: 0.5, y: 0.5, zoom: 1 };
const pictures = new Map();
const dots = new Map();
const MOST_PICTURES = 60;
const LARGEST_ZOOM = 200;
let points = null;
let current = -1;
let isWaiting = false;
let extent = 1;
let colours = [];

// The points lie within a square, broader than high: as large as they fit.
const scale = () => Math.min(canvas.clientWidth - 40, (canvas.clientHeight - 40) / extent) * view.zoom;
const screenX = (i) => places().x(i);
const screenY = (i) => places().y(i);
const address = (i) => `${plane.dataset.root}samples/${encodeURIComponent(points.ids[i])}`;
const small = (i) => `${plane.dataset.root}pictures/${encodeURIComponent(points.ids[i])}?size=grid`;

// Where points lie on the canvas now; its size is asked for once, not for every point.
function places() {
    const [factor, left, top] = [scale(), canvas.clientWidth / 2, canvas.clientHeight / 2];
    return {
        x: (i) => (points.x[i] - view.x) * factor + left,
        y: (i) => (points.y[i] - view.y) * factor + top,
    };
}

function draw() {
    if (isWaiting) return;
    isWaiting = true;
    requestAnimationFrame(() => {
        isWaiting = false;
        const ratio = devicePixelRatio || 1;
        const [width, height] = [canvas.clientWidth, canvas.clientHeight];
        if (canvas.width !== Math.round(width * ratio)) canvas.width = Math.round(width * ratio);
        if (canvas.height !== Math.round(height * ratio)) canvas.height = Math.round(height * ratio);
        pen.setTransform(ratio, 0, 0, ratio, 0, 0);
        pen.clearRect(0, 0, width, height);
        const shown = inView(width, height);
        if (shown.length <= MOST_PICTURES) drawPictures(shown);
        else drawDots(shown);
        drawCurrent();
    });
}

function inView(width, height) {
    const shown = [];
    const at = places();
    for (let i = 0; i < points.ids.length; i += 1) {
        const x = at.x(i);
        const y = at.y(i);
        if (x > -60 && y > -60 && x < width + 60 && y < height + 60) shown.push(i);
    }
    return shown;
}

function drawDots(shown) {
    const size = Math.min(7, Math.max(2.4, 2.4 * Math.sqrt(view.zoom) * Math.sqrt(1500 / points.ids.length)));
    const byColour = new Map();
    for (const i of shown) {
        const colour = points.label[i];
        if (!byColour.has(colour)) byColour.set(colour, []);
        byColour.get(colour).push(i);
    }
    const ratio = devicePixelRatio || 1;
    const at = places();
    pen.setTransform(1, 0, 0, 1, 0, 0);
    for (const [colour, members] of [...byColour].sort((a, b) => a[0] - b[0])) {
        const dot = dotOf(colour < 0 ? colours.at(-1) : colours[colour], size * ratio);
        const half = dot.width / 2;
        for (const i of members) {
            pen.drawImage(dot, Math.round(at.x(i) * ratio - half), Math.round(at.y(i) * ratio - half));
        }
    }
    pen.setTransform(ratio, 0, 0, ratio, 0, 0);
}

// A dot is painted once and stamped: many times faster than as many circles.
function dotOf(colour, radius) {
    const key = `${colour} ${radius}`;
    if (!dots.has(key)) {
        if (dots.size > 200) dots.clear();
        const dot = document.createElement("canvas");
        dot.width = dot.height = 2 * Math.ceil(radius) + 2;
        const brush = dot.getContext("2d");
        brush.fillStyle = colour;
        brush.globalAlpha = 0.8;
        brush.arc(dot.width / 2, dot.height / 2, radius, 0, 7);
        brush.fill();
        dots.set(key, dot);
    }
    return dots.get(key);
}

function drawPictures(shown) {
    for (const i of shown) {
        const image = pictureOf(i);
        const [x, y] = [screenX(i), screenY(i)];
        if (!image.complete || !image.naturalWidth) {
            pen.fillStyle = colours.at(-1);
            pen.fillRect(x - 3, y - 3, 6, 6);
            continue;
        }
        const shrink = 84 / Math.max(image.naturalWidth, image.naturalHeight);
        const [w, h] = [image.naturalWidth * shrink, image.naturalHeight * shrink];
        pen.drawImage(image, x - w / 2, y - h / 2, w, h);
    }
}

function pictureOf(i) {
    if (!pictures.has(i)) {
        const image = new Image();
        image.addEventListener("load", draw);
        image.src = small(i);
        pictures.set(i, image);
        if (pictures.size > 400) pictures.delete(pictures.keys().next().value);
    }
    return pictures.get(i);
}

function drawCurrent() {
    if (current < 0) return;
    pen.strokeStyle = getComputedStyle(canvas).getPropertyValue("--ink");
    pen.lineWidth = 2.5;
    pen.beginPath();
    pen.arc(screenX(current), screenY(current), 11, 0, 7);
    pen.stroke();
}

async function choose(i, speak) {
    if (i === current && !speak) return;
    current = i;
    draw();
    if (i < 0) {
        tip.hidden = true;
        return;
    }
    const answer = await fetch(`${plane.dataset.root}api/samples/${encodeURIComponent(points.ids[i])}`);
    if (current !== i) return;
    if (!answer.ok) {
        tip.hidden = true;    // it would show another picture's title
        if (speak) said.textContent = "This picture is no longer in the collection";
        return;
    }
    const sample = await answer.json();
    const words = [sample.title || "Untitled picture", sample.date].filter(Boolean).join(", ");
    if (current !== i) return;
    tip.href = address(i);
    tip.classList.remove("gone");    // what was shown before may have been
    tip.querySelector("img").src = small(i);
    tip.querySelector("span").textContent = words;
    tip.hidden = false;
    if (speak) said.textContent = words;
}

function nearest(x, y, within) {
    let best = -1;
    let least = within ** 2;
    const at = places();
    for (let i = 0; i < points.ids.length; i += 1) {
        const away = (at.x(i) - x) ** 2 + (at.y(i) - y) ** 2;
        if (away < least) [best, least] = [i, away];
    }
    return best;
}

// The closest picture that lies more or less in this direction.
function towards(dx, dy) {
    if (current < 0) return nearest(canvas.clientWidth / 2, canvas.clientHeight / 2, Infinity);
    let best = current;
    let least = Infinity;
    for (let i = 0; i < points.ids.length; i += 1) {
        const x = points.x[i] - points.x[current];
        const y = points.y[i] - points.y[current];
        const along = x * dx + y * dy;
        const aside = Math.abs(x * dy) + Math.abs(y * dx);
        if (i === current || along <= 0 || aside > along) continue;
        const away = along + 2 * aside;
        if (away < least) [best, least] = [i, away];
    }
    return best;
}

// Around a place of the canvas; without one, around the picture chosen, or the middle.
function zoomBy(factor, x = middle()[0], y = middle()[1]) {
    const before = scale();
    view.zoom = Math.min(LARGEST_ZOOM, Math.max(1, view.zoom * factor));
    const change = 1 / before - 1 / scale();
    view.x += (x - canvas.clientWidth / 2) * change;
    view.y += (y - canvas.clientHeight / 2) * change;
    draw();
}

function middle() {
    return current < 0 ? [canvas.clientWidth / 2, canvas.clientHeight / 2] : [screenX(current), screenY(current)];
}

function keepInView(i) {
    const [x, y] = [screenX(i), screenY(i)];
    const margin = 50;
    if (x > margin && y > margin && x < canvas.clientWidth - margin && y < canvas.clientHeight - margin) return;
    [view.x, view.y] = [points.x[i], points.y[i]];
}

const STEPS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

function listenToKeys(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (STEPS[event.key]) {
        const i = towards(...STEPS[event.key]);
        keepInView(i);
        choose(i, true);
    } else if (event.key === "Enter" && current >= 0) location.href = address(current);
    else if (event.key === "+" || event.key === "=") zoomBy(1.5);
    else if (event.key === "-") zoomBy(1 / 1.5);
    else if (event.key === "Escape") choose(-1);
    else return;
    event.preventDefault();
}

function listenToPointers() {
    const down = new Map();
    let moved = 0;
    canvas.addEventListener("pointerdown", (event) => {
        canvas.setPointerCapture(event.pointerId);
        down.set(event.pointerId, [event.offsetX, event.offsetY]);
        moved = 0;
    });
    canvas.addEventListener("pointermove", (event) => {
        const [x, y] = [event.offsetX, event.offsetY];
        if (!down.has(event.pointerId)) {
            choose(nearest(x, y, 14));
            return;
        }
        const before = spread(down);
        const [oldX, oldY] = down.get(event.pointerId);
        down.set(event.pointerId, [x, y]);
        moved += Math.abs(x - oldX) + Math.abs(y - oldY);
        view.x -= (x - oldX) / scale() / down.size;
        view.y -= (y - oldY) / scale() / down.size;
        if (down.size === 2 && before > 0) zoomBy(spread(down) / before, ...between(down));
        draw();
    });
    for (const kind of ["pointerup", "pointercancel"]) {
        canvas.addEventListener(kind, (event) => {
            down.delete(event.pointerId);
            if (kind === "pointerup" && moved < 6) tap(event);
        });
    }
    canvas.addEventListener("wheel", (event) => {
        event.preventDefault();
        zoomBy(Math.exp(-event.deltaY / 400), event.offsetX, event.offsetY);
    }, { passive: false });
}

function spread(down) {
    const [a, b] = [...down.values()];
    return b ? Math.hypot(a[0] - b[0], a[1] - b[1]) : 0;
}

// Where two fingers are, the picture between them stays there.
function between(down) {
    const [a, b] = [...down.values()];
    return [(a[0] + b[0]) / 2, (a[1] + b[1]) / 2];
}

// A mouse has shown the picture before the click, a finger shows it now and opens it by the card below.
function tap(event) {
    const i = nearest(event.offsetX, event.offsetY, 24);
    if (event.pointerType === "mouse" && i >= 0) location.href = address(i);
    else choose(i);
}

function readColours() {
    const style = getComputedStyle(document.documentElement);
    colours = [...Array(10).keys(), "x"].map((i) => style.getPropertyValue(`--c${i}`).trim());
}

async function start() {
    const answer = await fetch(plane.dataset.points);
    if (!answer.ok) return;
    points = await answer.json();
    extent = Math.max(0.2, points.y.reduce((a, b) => Math.max(a, b), 0) - points.y.reduce((a, b) => Math.min(a, b), 1));
    plane.hidden = false;
    document.querySelector(".legend").hidden = false;
    readColours();
    canvas.addEventListener("keydown", listenToKeys);
    listenToPointers();
    for (const button of plane.querySelectorAll("[data-zoom]")) {
        button.addEventListener("click", () => {
            if (button.dataset.zoom === "all") Object.assign(view, { x: 0.5, y: 0.5, zoom: 1 });
            zoomBy({ in: 1.5, out: 1 / 1.5, all: 1 }[button.dataset.zoom]);
        });
    }
    new ResizeObserver(draw).observe(canvas);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => { readColours(); draw(); });
    draw();
    plane.dataset.ready = "yes";
}

start();
