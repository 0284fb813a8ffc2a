"""The page as its readers meet it: from disk, on a telephone and a desk, in light and dark, by keyboard, on paper.

Each check gives the faults that it finds in words. The report's page has none; a copy with a planted fault has.
"""

import base64
import json
import re
from pathlib import Path
from xml.etree import ElementTree

import pypdfium2
import pytest
from axe_playwright_python.sync_playwright import Axe

from blina.claims.document import load_claims
from blina.linelist.cohort import ROOT

SECTIONS = ["what", "answer", "figures", "response", "safety", "determined", "context", "numbers", "readings", "rerun"]
FIGURES = {path.stem for path in (ROOT / "figures").glob("*.svg")}
NOTEBOOKS = {path.stem: path for path in (ROOT / "notebooks" / "executed").glob("*.ipynb")}
CLAIMS = [claim.id for claim in load_claims(ROOT / "data" / "cohorts" / "tianjin2023" / "claims.yaml").claims]
CONTRAST = Path(__file__).with_name("contrast.js").read_text(encoding="utf-8")
A4 = (210 / 25.4 * 72, 297 / 25.4 * 72)  # points
VIEWS = [(390, "light"), (390, "dark"), (1440, "light"), (1440, "dark")]
ACCESSIBLE = {"runOnly": ["wcag2a", "wcag2aa", "wcag21aa", "best-practice"], "resultTypes": ["violations"],
              "preload": False}  # fmt: skip
ROWS = "#claims tbody tr"


@pytest.fixture(scope="module", params=VIEWS, ids=lambda view: "{}-{}".format(*view))
def view(request, window, site):
    """The report's page, on a telephone and a desk, in light and dark; to be looked at only."""
    return window().open(site / "index.html", *request.param)


@pytest.fixture(scope="module")
def screen(window):
    """One window for all that opens a page afresh."""
    return window()


@pytest.fixture
def report(screen, site):
    """The report's page, on a desk."""
    return screen.open(site / "index.html")


def noise(view):
    """What the page asks for beyond its own file, or would if it could, and what the browser complains of."""
    markup = view.page.content()
    named = view.page.evaluate("""() => [...document.querySelectorAll("[src], [srcset], [poster], link[href], object")]
        .flatMap(e => ["src", "srcset", "poster", "href", "data"].map(name => e.getAttribute(name)))""")
    named += re.findall(r"""url\(["']?([^"')]*)""", "".join(re.findall(r"<style.*?</style>", markup, re.S)))
    outside = [name for name in named if name and not name.startswith(("data:", "#"))]
    return view.asked + outside + view.complaints


def overflow(view):
    """How far the page itself scrolls sideways."""
    wide, room = view.page.evaluate("(({scrollWidth, clientWidth}) => [scrollWidth, clientWidth])"
                                    "(document.documentElement)")  # fmt: skip
    return [f"{wide} px in {room} px"] if wide > room else []


def unseen(view):
    """Images that are broken, without size or without words."""
    return view.page.evaluate("""async () => {
        const bad = [];
        for (const image of document.images) {
            await image.decode().catch(() => null);
            const {width, height} = image.getBoundingClientRect();
            const figure = image.closest("figure");
            const seen = image.naturalWidth > 0 && width > 0 && height > 0 && image.checkVisibility();
            const said = figure?.querySelector("figcaption")?.textContent.trim();
            if (!seen || !image.alt.trim() || !said) bad.push(`${figure?.id}: ${width} x ${height}, ${image.alt}`);
        }
        return bad;
    }""")


def misplaced(view):
    """Sections and figures that are missing, or not where a reader expects them."""
    found = view.page.locator("main section[id]").evaluate_all("all => all.map(one => one.id)")
    order = [name for name in found if name in SECTIONS]
    drawn = view.page.locator("figure[id^=figure-] .scroll img").evaluate_all(
        "all => all.map(one => one.closest('figure').id.replace('figure-', ''))"
    )
    faults = [f"sections {order}"] if order != SECTIONS else []
    return faults + [f"figure {name}" for name in sorted(FIGURES ^ set(drawn))]


def faint(view):
    """Texts with a contrast below 4.5 to 1, and a ground that is not of the theme."""
    found = view.page.evaluate(CONTRAST)
    dark = view.page.evaluate("matchMedia('(prefers-color-scheme: dark)').matches")
    grounded = found["ground"] < 0.05 if dark else found["ground"] > 0.8
    return found["faint"] + ([] if grounded else [f"ground {found['ground']:.2f}"])


def headless(view):
    """Tables without headings, and headings that are empty or do not say what they head."""
    return view.page.evaluate("""() => [...document.querySelectorAll("table")].flatMap(table => {
        const heads = [...table.querySelectorAll("th")];
        const bad = heads.filter(th => !th.textContent.trim() || !/^(col|row)(group)?$/.test(th.scope));
        return heads.length ? bad.map(th => th.outerHTML) : ["a table without th"];
    })""")


def inaccessible(view):
    """What axe-core calls a serious or critical fault."""
    found = Axe().run(view.page, options=ACCESSIBLE).response["violations"]
    return [f"{fault['id']}: {node['target']}" for fault in found if fault["impact"] in ("serious", "critical")
            for node in fault["nodes"]]  # fmt: skip


def lost(view, folder):
    """Links that lead nowhere, and ids that are not unique."""
    ids = view.page.evaluate("() => [...document.querySelectorAll('[id]')].map(one => one.id)")
    faults = [f"id {name}" for name in {one for one in ids if ids.count(one) > 1}]
    for link in view.page.evaluate("() => [...document.links].map(one => one.getAttribute('href'))"):
        name, _, anchor = link.partition("#")
        if re.match(r"https://[\w.-]+/", link):
            continue
        target = (folder / name).read_text(encoding="utf-8") if name and (folder / name).is_file() else ""
        inside = ids if not name else re.findall(r'\bid="([^"]+)"', target)
        if (name and not target) or (anchor and anchor not in inside) or not link.strip("#"):
            faults.append(f"link {link}")
    return faults


def stuck(view):
    """Ways in which the filter of the claims, worked by keyboard alone, does not do what it says."""
    page, keys = view.page, view.page.keyboard
    shown = f"() => [...document.querySelectorAll('{ROWS}')].filter(r => r.checkVisibility()).map(r => r.innerText)"
    counted = "() => Number(document.querySelector('#shown')?.value.match(/\\d+/)?.[0])"
    every = page.evaluate(shown)
    faults = [] if len(every) == len(CLAIMS) else [f"{len(every)} rows for {len(CLAIMS)} claims"]
    faults += [f"no row {one}" for one in CLAIMS if not any(one in re.findall(r"[\w.-]+", row) for row in every)]

    def compare(action, expected):
        rows, count = page.evaluate(shown), page.evaluate(counted)
        if rows != expected or count != len(expected):
            faults.append(f"{action}: {len(rows)} rows, {count} counted, {len(expected)} expected")

    if not tab_to(page, "#filter"):
        return [*faults, "no Tab reaches the filter"]
    if page.evaluate("(s => s.outlineStyle === 'none' && s.boxShadow === 'none')"
                     "(getComputedStyle(document.activeElement))"):  # fmt: skip
        faults.append("one does not see that the filter has the focus")
    wanted = CLAIMS[len(CLAIMS) // 2]
    keys.type(wanted.upper())
    compare(wanted, matching := [row for row in every if wanted in row.lower()])
    keys.press("ControlOrMeta+a")
    keys.type("no claim is called so")
    compare("nonsense", [])
    keys.press("ControlOrMeta+a")
    keys.press("Delete")
    compare("cleared", every)

    if not tab_to(page, "#verdict"):
        return [*faults, "no Tab reaches the verdicts"]
    verdicts = page.locator("#verdict option").evaluate_all("all => all.map(one => [one.value, one.label])")
    kept = []
    for value, label in [one for one in verdicts if one[0]]:
        page.locator("#verdict").select_option(value)
        of_this = [row for row in every if label in re.split(r"[\t\n]+", row)]
        compare(label, of_this)
        kept += of_this
        page.locator("#filter").fill(wanted)
        compare(f"{wanted}, {label}", [row for row in matching if row in of_this])
        page.locator("#filter").fill("")
    if sorted(kept) != sorted(every) or len(verdicts) < 3:
        faults.append(f"{len(kept)} of {len(every)} rows have a verdict of {verdicts}")
    page.locator("#verdict").select_option(verdicts[0][0])
    compare("every verdict", every)
    return faults


def tab_to(page, target):
    """Press Tab until something has the focus; whether it came to have it."""
    for _ in range(400):
        page.keyboard.press("Tab")
        if page.evaluate("target => document.activeElement.matches(target)", target):
            return True
    return False


def margins(page):
    """The blank edges of the printed page, as its style sheet has them: top, right, bottom, left in points."""
    return page.evaluate("""() => {
        const rules = [...document.styleSheets].flatMap(sheet => [...sheet.cssRules])
            .flatMap(rule => rule instanceof CSSMediaRule ? [...rule.cssRules] : [rule]);
        const rule = rules.find(rule => rule instanceof CSSPageRule);
        const probe = document.body.appendChild(document.createElement("div"));
        const sides = ["top", "right", "bottom", "left"].map(side => {
            const margin = rule?.style.getPropertyValue("margin-" + side) || "1cm";
            probe.style.cssText = `position: absolute; width: ${margin}`;
            return probe.getBoundingClientRect().width * 0.75;
        });
        probe.remove();
        return sides;
    }""")


def cut(view):
    """Figures that are not whole on one A4 sheet, and tables that go on behind its edge."""
    page, screen = view.page, view.page.viewport_size
    top, right, bottom, left = margins(page)
    room = (left, bottom, A4[0] - right, A4[1] - top)
    page.emulate_media(media="print")
    page.set_viewport_size({"width": int((room[2] - left) / 0.75), "height": int((room[3] - bottom) / 0.75)})
    faults = page.locator(".scroll").evaluate_all("""all => all.filter(one =>
        getComputedStyle(one).overflow !== "visible" && (one.scrollWidth > one.clientWidth
        || one.scrollHeight > one.clientHeight)).map(one => one.closest("[id]").id + " goes on behind its frame")""")
    images = page.locator("figure img").evaluate_all("""all => all.map(one => [one.closest("figure").id, one.src,
        one.getBoundingClientRect().width * 0.75, one.getBoundingClientRect().height * 0.75])""")
    edges = dict.fromkeys(("top", "right", "bottom", "left"), "1cm")  # unless the style sheet says otherwise
    printed = pypdfium2.PdfDocument(page.pdf(format="A4", prefer_css_page_size=True, margin=edges))
    sheets = [sheet.get_textpage() for sheet in printed]
    page.emulate_media(media="null")
    page.set_viewport_size(screen)
    for name, source, width, height in images:
        drawing = ElementTree.fromstring(base64.b64decode(source.partition("base64,")[2]))
        if width > room[2] - left + 1 or height > room[3] - bottom + 1:
            faults.append(f"{name} is {width:.0f} x {height:.0f} points")
        elif not whole(drawing, width, height, sheets, room):
            faults.append(f"{name} is not whole on any sheet")
    return faults


def whole(drawing, width, height, sheets, room):
    """Whether an SVG drawn `width` x `height` points large is all on one sheet, within its `room` (left to top).

    Its box must have its shape, and its first and its last line must be where they are in it.
    """
    across, down = map(float, drawing.get("viewBox").split()[2:])
    lines = sorted((float(line.get("y")), float(line.get("x")), "".join(line.itertext()))
                   for line in drawing.iter("{http://www.w3.org/2000/svg}text")
                   if line.get("transform", "").startswith("rotate(-0 ") and "start" in line.get("style"))  # fmt: skip
    scale, near = width / across, 3
    if abs(height - scale * down) > near:
        return False
    for sheet in sheets:
        corners = [[(left - scale * x, bottom + scale * y) for left, bottom in places(sheet, text)]
                   for y, x, text in (lines[0], lines[-1])]  # fmt: skip
        for left, top in corners[0]:  # of the drawing, where its first line says that it is
            inside = (left > room[0] - near and left + width < room[2] + near
                      and top < room[3] + near and top - height > room[1] - near)  # fmt: skip
            if inside and any(max(abs(left - x), abs(top - y)) < near for x, y in corners[1]):
                return True
    return False


def places(sheet, text):
    """Where a text stands on a printed sheet: left and bottom of its first letter, in points from the lower left."""
    search = sheet.search(text, match_case=True)
    while found := search.get_next():
        yield sheet.get_charbox(found[0], loose=True)[:2]


def none_of(faults):
    assert not faults, "\n".join(["", *faults])


def test_it_asks_for_nothing_but_its_own_file_and_the_browser_has_no_complaint(view):
    none_of(noise(view))


def test_the_page_never_scrolls_sideways(view):
    none_of(overflow(view))


def test_every_figure_is_seen_and_described(view):
    none_of(unseen(view))


def test_sections_and_figures_are_where_a_reader_expects_them(view):
    none_of(misplaced(view))


def test_every_text_stands_out_from_its_ground(view):
    none_of(faint(view))


def test_nothing_keeps_readers_with_other_means_out(view):
    none_of(inaccessible(view))


def test_the_filter_of_the_claims_works_by_keyboard(screen, site, tmp_path):
    before, table = (site / "index.html").read_text(encoding="utf-8").split('id="claims"', 1)
    one_fails = table.replace(">holds<", ">does not hold<", 1)  # so that there are two verdicts to choose from
    (tmp_path / "index.html").write_text(f'{before}id="claims"{one_fails}', encoding="utf-8")
    none_of(stuck(screen.open(tmp_path / "index.html")))


def test_without_scripts_everything_is_there_and_no_filter(window, site):
    page = window(script=False).open(site / "index.html", 390).page
    assert page.locator(ROWS).evaluate_all("rows => rows.filter(row => row.checkVisibility()).length") == len(CLAIMS)
    assert not any(page.locator(control).is_visible() for control in ("#filter", "#verdict", "#shown"))
    assert page.evaluate("names => names.every(name => document.getElementById(name)?.innerText.trim())", SECTIONS)


def test_the_first_tab_leads_past_the_contents(report):
    page = report.page
    page.keyboard.press("Tab")
    link = page.locator(":focus")
    box = link.bounding_box()
    assert page.evaluate("() => document.querySelector(document.activeElement.getAttribute('href')).matches('main')")
    assert box["x"] >= 0 and box["y"] >= 0 and box["height"] > 10
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.closest('main') !== null")


def test_every_figure_is_printed_whole_on_one_sheet(report):
    none_of(cut(report))


def test_every_link_leads_somewhere_and_every_notebook_is_linked(report, site):
    none_of(lost(report, site))
    linked = report.page.evaluate("() => [...document.links].map(one => one.getAttribute('href').split('#')[0])")
    pages = {path.name for path in site.iterdir()} - {"index.html"}
    assert pages == {f"{name}.html" for name in NOTEBOOKS} and pages <= set(linked)


def test_every_table_has_headings_that_say_what_they_head(report):
    none_of(headless(report))


def test_the_page_is_small_enough_to_be_sent_by_mail(site):
    assert (site / "index.html").stat().st_size < 6e6


@pytest.mark.parametrize("name", sorted(NOTEBOOKS))
def test_a_notebook_is_a_page_of_its_own_with_its_code_folded(screen, site, name):
    page = screen.open(site / f"{name}.html", 390).page
    none_of(noise(screen) + overflow(screen) + headless(screen) + lost(screen, site))
    cells = json.loads(NOTEBOOKS[name].read_text(encoding="utf-8"))["cells"]
    assert page.locator("details.code").count() == sum(cell["cell_type"] == "code" for cell in cells)
    assert page.locator("details.code[open]").count() == 0
    assert tab_to(page, "details.code summary")
    page.keyboard.press("Enter")
    assert page.locator("details.code[open] pre").first.is_visible()


@pytest.mark.parametrize(("width", "theme"), [VIEWS[0], VIEWS[-1]])
def test_a_notebook_is_for_all_readers_as_well(screen, site, width, theme):
    view = screen.open(site / "04-safety.html", width, theme)
    view.page.evaluate("() => document.querySelectorAll('details').forEach(one => { one.open = true; })")
    none_of(inaccessible(view) + faint(view))


def styled(rules):
    """A fault in the style sheet."""
    return "</head>", f"<style>{rules}</style></head>"


def added(markup):
    """A fault in what is added to the text."""
    return "</main>", f"{markup}</main>"


DEAF = "for (const kind of ['input', 'change']) addEventListener(kind, event => event.stopPropagation(), true)"
PLANTED = {  # a check: patterns, what the first occurrence of each becomes, and what the check then says among others
    unseen: [
        (r'(id="figure-burden".*?) alt="[^"]*"', r'\1 alt=""', "figure-burden"),
        (r'(id="figure-response".*?)<figcaption.*?</figcaption>', r"\1", "figure-response"),
        (r'(id="figure-safety".*?)base64,', r"\1base64,AAAA", "figure-safety"),
    ],
    noise: [
        (*added('<img src="https://example.org/a.png" alt="a">'), "https://example.org/a.png"),
        (*added('<script src="https://example.org/a.js"></script>'), "https://example.org/a.js"),
        (*styled("@font-face {font-family: a; src: url(https://example.org/font)}"), "https://example.org/font"),
        (*added('<link rel="stylesheet" href="beside.css">'), "beside.css"),
        (*added('<link rel="preconnect" href="https://early.example.org">'), "https://early.example.org"),
        (*added("<script>fetch('https://example.org/later')</script>"), "https://example.org/later"),
        (*added("<script>console.error('said')</script>"), "said"),
        (*added("<script>nothing.at.all</script>"), "nothing is not defined"),
    ],
    overflow: [(*added('<p style="width: 2000px">a</p>'), "px in 390 px")],
    misplaced: [('id="safety"', 'id="safe"', "sections"), ('id="figure-safety"', 'id="figure-safe"', "figure safe")],
    faint: [
        (*added('<p style="color: #888; background: #777">grey on grey</p>'), "grey on grey"),
        (*styled("body {background: white !important}"), "ground 1.00"),
    ],
    headless: [
        (*added('<table><tr><th scope="col">a</th><th>of what?</th></tr></table>'), "of what?"),
        (*added('<table><tr><th scope="row"></th></tr></table>'), '<th scope="row"></th>'),
        (*added("<table><tr><td>a</td></tr></table>"), "a table without th"),
    ],
    lost: [
        (*added('<p id="safety">a</p>'), "id safety"),
        (*added('<a href="no.html">a</a>'), "link no.html"),
        (*added('<a href="#no">a</a>'), "link #no"),
        (*added('<a href="04-safety.html#no">a</a>'), "link 04-safety.html#no"),
    ],
    inaccessible: [(*added("<button></button>"), "button-name")],
    stuck: [(*added(f"<script>{DEAF}</script>"), "nonsense")],
    cut: [
        (*styled("#figure-burden img {height: 300mm !important; max-height: none !important}"), "figure-burden is"),
        (*styled("#figure-response {overflow: hidden} #figure-response img {min-width: 300mm}"), "figure-response is"),
        (*styled("#figure-determined img {height: 50mm; width: 100%; object-fit: cover}"), "determined is not whole"),
        (*styled("#figure-safety .scroll {height: 50mm; overflow: hidden !important}"), "figure-safety goes on"),
    ],
}  # fmt: skip


@pytest.mark.parametrize("check", PLANTED, ids=lambda check: check.__name__)
def test_planted_faults_are_found(screen, site, tmp_path, check):
    text = (site / "index.html").read_text(encoding="utf-8")
    for before, after, _ in PLANTED[check]:
        spoilt = re.sub(before, after, text, count=1, flags=re.S)
        assert spoilt != text, before
        text = spoilt
    (tmp_path / "index.html").write_text(text, encoding="utf-8")
    for name in NOTEBOOKS:
        (tmp_path / f"{name}.html").hardlink_to(site / f"{name}.html")
    view = screen.open(tmp_path / "index.html", 390, "dark")
    found = check(view, tmp_path) if check is lost else check(view)
    for _, _, words in PLANTED[check]:
        assert any(words in fault for fault in found), (words, found)
