"""The report in a real browser: what moves, what can be taken along, and what can not get in or out."""

import csv
import dataclasses
import http.server
import io
import itertools
import json
import re
import threading
import time
from xml.etree import ElementTree

import numpy as np
import pytest

from rlsoftmax.report import page
from rlsoftmax.store.data import Failure
from tests import simulated
from tests.browser import browser, needed

WIDTH, HEIGHT = 1200, 900
EVIL = "<img src=x onerror=window.bad=1>"


@pytest.fixture(scope="module")
def downloads(tmp_path_factory):
    return tmp_path_factory.mktemp("downloads")


@pytest.fixture(scope="module")
def driver(downloads):
    needed()
    with browser(downloads) as driver:
        command(driver, "Browser.grantPermissions", permissions=["clipboardReadWrite", "clipboardSanitizedWrite"])
        yield driver


@pytest.fixture(scope="module")
def study():
    return simulated.union(runs=30, temperatures=(1 / 64, 1 / 16, 1 / 4, 1.0, 4.0))


@pytest.fixture(scope="module")
def file(study, tmp_path_factory):
    return written(study, tmp_path_factory.mktemp("page"))


@pytest.fixture
def opened(driver, file):
    """Return the driver with the page just opened; afterwards nothing was complained of and nothing was asked for."""
    look(driver, file)
    yield driver
    assert complaints(driver) == []
    assert requests(driver) == []


def written(study, folder):
    path = folder / "report.html"
    path.write_text(page.html(study), encoding="utf-8")
    return path


def command(driver, name, **arguments):
    return driver.execute_cdp_cmd(name, arguments)


def look(driver, file, scheme="light", media="screen", width=WIDTH):
    features = [{"name": "prefers-color-scheme", "value": scheme}]
    command(driver, "Emulation.setEmulatedMedia", media=media, features=features)
    command(driver, "Emulation.setDeviceMetricsOverride", width=width, height=HEIGHT, deviceScaleFactor=1, mobile=False)
    driver.get_log("browser"), driver.get_log("performance")  # those of the page before
    driver.get(file.as_uri())


def complaints(driver):
    return [entry["message"] for entry in driver.get_log("browser")]


def requests(driver):
    """Return the addresses that were asked for, but the page itself and what is inside it."""
    messages = [json.loads(entry["message"])["message"] for entry in driver.get_log("performance")]
    urls = [m["params"]["request"]["url"] for m in messages if m["method"] == "Network.requestWillBeSent"]
    return [url for url in urls if not url.startswith(("file:", "data:", "blob:"))]


def find(driver, selector):
    return driver.find_element("css selector", selector)


def all_of(driver, selector):
    return driver.find_elements("css selector", selector)


def seen(driver, selector):
    return [element for element in all_of(driver, selector) if element.is_displayed()]


def over(driver, element, x=0, y=0):
    from selenium.webdriver import ActionChains

    driver.execute_script("arguments[0].scrollIntoView({block: 'center'})", element)
    return ActionChains(driver).move_to_element_with_offset(element, x, y)


def press(element, key):
    from selenium.webdriver import Keys

    element.send_keys(getattr(Keys, key))


def choose(driver, name, value):
    find(driver, f"input[name={name}][value={value}]").click()


def chosen(driver):
    """Return (name, curve, band, row) of what is selected: they must agree."""
    line = find(driver, '[data-chart="learning-0"] .line.on').get_attribute("data-item")
    (row,) = all_of(driver, "#listing tr.on")
    return find(driver, "#name").text, int(line), int(row.get_attribute("data-item"))


# --- selecting --------------------------------------------------------------------------------------------------------


def test_the_page_opens_with_the_best_temperature(opened):
    assert chosen(opened) == ("τ = 1/4", 2, 2)
    assert "best" in find(opened, "#facts").text


def test_the_slider_walks_through_the_temperatures_and_takes_everything_with_it(opened):
    slider = find(opened, "#slider")
    before = find(opened, '[data-chart="learning-0"] .band').get_attribute("d")
    press(slider, "ARROW_RIGHT")
    assert chosen(opened) == ("τ = 1", 3, 3)
    assert find(opened, '[data-chart="learning-0"] .band').get_attribute("d") != before
    assert find(opened, '[data-chart="actions-0"] .line.on').get_attribute("data-item") == "3"
    assert {dot.get_attribute("data-item") for dot in all_of(opened, ".dot.on, .column.on")} == {"3"}
    press(slider, "HOME")
    assert chosen(opened)[0] == "τ = 1/64"
    assert slider.get_attribute("aria-valuetext") == "τ = 1/64"


def test_the_selected_curve_is_named_where_it_ends_and_no_name_lies_on_another(opened):
    press(find(opened, "#slider"), "END")
    names = seen(opened, '[data-chart="learning-0"] .ends text')
    assert "τ = 4" in [name.text for name in names]
    boxes = sorted((name.rect["y"], name.rect["y"] + name.rect["height"]) for name in names)
    assert all(low[1] <= high[0] + 4 for low, high in itertools.pairwise(boxes))


@pytest.mark.parametrize(
    ("selector", "place"),
    [
        ('.axis-log.only-online .dot[data-item="0"] .catch', 0),
        ('.only-online .column[data-item="4"] .catch', 4),
        ('#listing tr[data-item="1"]', 1),
    ],
)
def test_a_click_selects(opened, selector, place):
    over(opened, find(opened, selector)).click().perform()
    assert chosen(opened)[1:] == (place, place)


def test_a_click_on_a_curve_selects_it_and_hovering_says_its_numbers(opened, study):
    svg = find(opened, '[data-chart="learning-0"]')
    end = find(opened, '[data-chart="learning-0"] .ends text[data-item="4"]')
    away = end.rect["x"] - 12 - svg.rect["x"] - svg.rect["width"] / 2
    middle = end.rect["y"] + end.rect["height"] / 2 - svg.rect["y"] - svg.rect["height"] / 2
    over(opened, svg, round(away), round(middle)).perform()
    words = find(opened, "#tip").text
    mean = study.cells[4].metric("reward")[:, -1].mean()
    assert re.fullmatch(r"τ = 4\nsteps 145 to 199: (\S+) ± \S+", words), words
    assert float(re.search(r": (\S+)", words)[1]) == pytest.approx(mean, abs=0.006)
    over(opened, svg, round(away), round(middle)).click().perform()
    assert chosen(opened)[1] == 4
    over(opened, find(opened, "h1")).perform()
    assert not find(opened, "#tip").is_displayed()


def test_other_kinds_are_one_group_of_the_choice(opened):
    from selenium.webdriver.support.select import Select

    Select(find(opened, "#group")).select_by_visible_text("other kinds")
    name, line, row = chosen(opened)
    assert name.startswith("ε-greedy")
    assert line == row
    curves = {curve.get_attribute("data-item") for curve in seen(opened, '[data-chart="learning-0"] .line')}
    assert {"0", "4"} <= curves, "the temperatures stay, to be compared with"


# --- toggles ----------------------------------------------------------------------------------------------------------


def test_the_score_can_be_that_of_the_greedy_policy(opened):
    assert [figure.text for figure in seen(opened, "#study .only-greedy")] == []
    choose(opened, "score", "greedy")
    assert {figure.text for figure in seen(opened, "#study figure figcaption")} >= {"value of the final greedy policy"}
    assert seen(opened, "#verdict .only-greedy")
    assert not seen(opened, ".only-online")


def test_steps_can_be_linear(opened):
    line = find(opened, '[data-chart="learning-0"] .line.on')
    assert seen(opened, '[data-chart="learning-0"] .steps-log text')
    log = numbers(line.get_attribute("d"))
    choose(opened, "steps", "linear")
    linear = numbers(line.get_attribute("d"))
    np.testing.assert_allclose(linear[:, 1], log[:, 1], atol=0.11)  # heights stay; Python and the script round alike
    edges = simulated.EDGES
    share = (linear[:, 0] - 46) / (linear[-1, 0] - 46)
    middles = (edges[1:] + edges[:-1]) / 2
    np.testing.assert_allclose(share, middles / middles[-1], atol=1e-3)
    assert not seen(opened, '[data-chart="learning-0"] .steps-log text')
    choose(opened, "steps", "log")
    np.testing.assert_allclose(numbers(line.get_attribute("d")), log, atol=0.11)


def numbers(path):
    return np.array(re.findall(r"[-.\d]+", path), dtype=float).reshape(-1, 2)


def test_the_axis_of_temperatures_can_be_linear(opened):
    choose(opened, "axis", "linear")
    (caption,) = [text.text for text in seen(opened, "#study .axis-linear .label")]
    assert "linear scale" in caption
    assert not seen(opened, ".axis-log")


# --- the table --------------------------------------------------------------------------------------------------------


def test_the_table_sorts_by_number_both_ways(opened, study):
    means = {at: float(cell.scores().mean()) for at, cell in enumerate(study.cells)}
    button = next(b for b in all_of(opened, "#listing th button") if b.text.startswith("average reward"))
    button.click()
    assert order(opened) == sorted(means, key=lambda at: -means[at])
    assert button.find_element("xpath", "..").get_attribute("aria-sort") == "descending"
    button.click()
    assert order(opened) == sorted(means, key=lambda at: means[at])
    all_of(opened, "#listing th button")[0].click()
    assert order(opened) == sorted(means)


def order(driver):
    """Return the rows by cell of the study: the page orders them by policy and number, and so does this study."""
    return [int(row.get_attribute("data-item")) for row in all_of(driver, "#listing tbody tr")]


def copied(driver, what):
    over(driver, find(driver, f"[data-copy={what}]")).click().perform()
    for _ in range(50):
        if find(driver, f"[data-copy={what}]").text == "copied":
            break
        time.sleep(0.05)
    return driver.execute_async_script("navigator.clipboard.readText().then(arguments[0])")


def test_the_table_is_copied_as_csv_with_all_digits_in_the_order_that_is_seen(opened, study):
    next(b for b in all_of(opened, "#listing th button") if b.text.startswith("average reward")).click()
    rows = list(csv.DictReader(io.StringIO(copied(opened, "csv"))))
    best = sorted((float(cell.scores().mean()) for cell in study.cells), reverse=True)
    assert [float(row["score"]) for row in rows] == pytest.approx(best, rel=1e-12)


def test_the_table_is_copied_as_latex_and_markdown(opened, study):
    latex = copied(opened, "latex").splitlines()
    assert latex[0] == r"\begin{tabular}{l" + "r" * (len(all_of(opened, "#listing th")) - 1) + "}"
    assert latex[1] == r"\toprule"
    assert latex[4].startswith(r"$\tau$ = 1/64 & ")
    assert latex[4].count(" & ") == latex[2].count(" & ")
    assert r"$\pm$" in latex[4]
    assert not re.search(r"(?<!\\)[%#_]", "".join(latex)), "what LaTeX would read as a command"
    markdown = copied(opened, "markdown").splitlines()
    assert markdown[0].startswith("| cell | ")
    assert len(markdown) == len(study.cells) + 2
    assert {line.count("|") for line in markdown} == {markdown[0].count("|")}


# --- to take along ----------------------------------------------------------------------------------------------------


def saved(downloads, name):
    for _ in range(100):
        if (downloads / name).is_file() and (downloads / name).stat().st_size:
            return (downloads / name).read_text(encoding="utf-8")
        time.sleep(0.05)
    raise AssertionError(f"{name} was not saved")


def test_pictures_and_numbers_are_saved_as_files(opened, downloads, study):
    for button in all_of(opened, "#pictures button"):
        over(opened, button).click().perform()
        root = ElementTree.fromstring(saved(downloads, button.text))
        assert root.tag == "{http://www.w3.org/2000/svg}svg"
        assert "--page" in root.find("{http://www.w3.org/2000/svg}style").text
    for link in ("#csv", "#data"):
        over(opened, find(opened, link)).click().perform()
    assert saved(downloads, "table.csv").count("\n") == len(study.cells) + 1
    assert json.loads(saved(downloads, "report-data.json"))["study"] == "simulated"


# --- what cannot get in or out ----------------------------------------------------------------------------------------


def test_names_with_markup_show_as_text(driver, tmp_path):
    study = hostile()
    look(driver, written(study, tmp_path))
    assert find(driver, "h1").text == f"{EVIL}</script>"
    assert "onerror" in find(driver, "#listing").text
    over(driver, all_of(driver, "#listing tbody tr")[1]).click().perform()
    assert "onerror" in find(driver, "#name").text + find(driver, "#study").text
    assert not all_of(driver, "img")
    assert driver.execute_script("return window.bad") is None
    assert complaints(driver) == []
    assert requests(driver) == []


def hostile():
    """Return a study whose names, reasons and command are markup."""
    study = simulated.ten_arms(runs=5)
    cells = [
        dataclasses.replace(
            cell,
            config={**cell.config, "agent": {"name": EVIL + str(at % 2)}},
            overrides={"agent": EVIL + str(at % 2), **cell.overrides},
            failures=(Failure(9, 1, 0, 0, f"</pre>{EVIL}"),),
        )
        for at, cell in enumerate(study.cells)
    ]
    axes = ("agent", *study.axes)
    name = f"{EVIL}</script>"
    return dataclasses.replace(study, name=name, cells=tuple(cells), axes=axes, command=f"rlsoftmax {EVIL}")


@pytest.fixture
def server():
    """Return (address, what was asked for) of a server on this machine."""
    asked = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append(self.path)
            self.send_error(404)

        def log_message(self, *_):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}", asked
        server.shutdown()
        thread.join()


_BREAK_OUT = """
    const [address, done] = arguments, refused = [];
    document.addEventListener("securitypolicyviolation", event => refused.push(event.effectiveDirective));
    const script = document.createElement("script"), outside = document.createElement("script"), image = new Image();
    script.textContent = "window.bad = 1";
    outside.src = address + "/script";
    image.src = address + "/image";
    document.body.append(script, outside, image);
    document.body.insertAdjacentHTML("beforeend", "<b onclick='window.bad = 2'>x</b>");
    document.body.lastElementChild.click();
    fetch(address + "/fetch").catch(() => 0);
    setTimeout(() => done(refused), 300);
"""


def test_no_other_script_runs_and_no_request_leaves(driver, file, server):
    address, asked = server
    look(driver, file)
    refused = driver.execute_async_script(_BREAK_OUT, address)
    assert {"script-src-elem", "script-src-attr", "img-src", "connect-src"} <= set(refused)
    assert driver.execute_script("return window.bad") is None
    assert asked == []


def test_the_same_attempt_succeeds_on_a_page_without_the_policy(driver, server, tmp_path):
    """So that the test above can fail."""
    address, asked = server
    (tmp_path / "open.html").write_text("<!doctype html><body>")
    look(driver, tmp_path / "open.html")
    assert driver.execute_async_script(_BREAK_OUT, address) == []
    assert driver.execute_script("return window.bad") == 2
    assert {"/script", "/image", "/fetch"} <= set(asked)


# --- how it looks -----------------------------------------------------------------------------------------------------


def background(driver):
    return driver.execute_script("return getComputedStyle(document.body).backgroundColor")


def test_the_page_is_light_dark_and_always_light_on_paper(driver, file):
    look(driver, file)
    assert background(driver) == "rgb(255, 255, 255)"
    look(driver, file, scheme="dark")
    assert background(driver) == "rgb(20, 23, 28)"
    color = "return getComputedStyle(document.querySelector('.line.on')).stroke"
    dark = driver.execute_script(color)
    look(driver, file, scheme="dark", media="print")
    assert background(driver) == "rgb(255, 255, 255)"
    assert driver.execute_script(color) != dark
    assert not seen(driver, ".controls, #downloads")


@pytest.mark.parametrize("width", [360, 800, 1200])
def test_nothing_is_wider_than_the_window(driver, file, width):
    look(driver, file, width=width)
    assert driver.execute_script("return document.documentElement.scrollWidth") <= width


def test_everything_is_readable_without_javascript(driver, file):
    command(driver, "Emulation.setScriptExecutionDisabled", value=True)
    try:
        look(driver, file)
        text = driver.page_source  # read by the driver, not by the page
        assert not re.search(r"<body[^>]*\bjs\b", text)
        shown = visible(driver)
        assert {"value of the final greedy policy", "average reward while learning", "copy as CSV"} & shown == {
            "value of the final greedy policy",
            "average reward while learning",
        }
    finally:
        command(driver, "Emulation.setScriptExecutionDisabled", value=False)


def visible(driver):
    """Return the texts of a page that have a place on the screen, as its accessibility tree knows them."""
    nodes = command(driver, "Accessibility.getFullAXTree")["nodes"]
    return {node["name"]["value"] for node in nodes if not node["ignored"] and "name" in node}


@pytest.mark.parametrize(
    "make",
    [
        simulated.lake,
        simulated.grid,
        simulated.conditions,
        simulated.broken,
        lambda: simulated.half_done(simulated.conditions()),
        lambda: simulated.ten_arms(runs=2),
    ],
    ids=["groups", "grid", "conditions", "unfinished", "a-condition-without-runs", "two-runs"],
)
def test_other_studies_open_without_a_complaint(driver, make, tmp_path):
    look(driver, written(make(), tmp_path))
    slider = find(driver, "#slider")
    for key in ("HOME", "ARROW_RIGHT", "END"):
        press(slider, key)
    for choice in seen(driver, "input[type=radio]"):
        choice.click()
    for row in all_of(driver, "#listing tbody tr")[::5]:
        over(driver, row).click().perform()
        assert find(driver, "#name").text
    assert complaints(driver) == []
    assert requests(driver) == []
