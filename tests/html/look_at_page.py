#!/usr/bin/python3
"""Opens a page of dp-plot --html in headless Chromium and looks at it as a reader would.

Usage: look_at_page.py PAGE.html SCREENSHOTS [--expect PICTURE=TEXT]…

Every picture is drawn, no error is on the console, nothing is fetched, a tooltip appears over each picture (and
over PICTURE one with TEXT), text has contrast in light and dark, nothing is wider than a phone. Waits for events only.
SPDX-License-Identifier: MIT
"""
import argparse
import base64
import json
import pathlib
import sys
import tempfile

from selenium import webdriver
from selenium.common.exceptions import TimeoutException
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait

PATIENCE = 120  # seconds for anything that must happen; nothing takes that long unless it fails
HERE = pathlib.Path(__file__).resolve().parent


def fail(message):
    sys.exit(f"FAILED: {message}")


def check(truth, message):
    if not truth:
        fail(message)


class Browser:
    """Chromium with a profile of its own, told to use no network; gone with its folder when left."""

    def __init__(self):
        self.profile = tempfile.TemporaryDirectory(prefix="dp-html-", ignore_cleanup_errors=True)
        options = webdriver.ChromeOptions()
        options.binary_location = "/usr/bin/chromium"
        for flag in ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
                     "--disable-background-networking", "--disable-component-update", "--disable-sync",
                     "--disable-extensions", "--hide-scrollbars", f"--user-data-dir={self.profile.name}"):
            options.add_argument(flag)
        options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
        self.driver = webdriver.Chrome(options=options, service=Service("/usr/bin/chromedriver"))
        self.driver.set_page_load_timeout(PATIENCE)
        self.driver.set_script_timeout(PATIENCE)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.driver.quit()
        self.profile.cleanup()

    def run(self, script, *arguments):
        return self.driver.execute_script(script, *arguments)

    def protocol(self, command, **arguments):
        return self.driver.execute_cdp_cmd(command, arguments)

    def wait(self, what, condition, seconds=PATIENCE):
        try:
            return WebDriverWait(self.driver, seconds, poll_frequency=0.05).until(lambda _: condition())
        except TimeoutException:
            fail(f"waited {seconds} s until {what}")

    def look(self, width, scheme="light", height=900, media=""):
        """What the page looks like from now on."""
        self.protocol("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1,
                      mobile=width < 600)
        self.protocol("Emulation.setEmulatedMedia", media=media,
                      features=[{"name": "prefers-color-scheme", "value": scheme}])
        self.wait(f"{width} px in {scheme}", lambda: self.run(
            "return matchMedia(`(prefers-color-scheme: ${arguments[0]})`).matches && innerWidth >= arguments[1]",
            scheme, width))

    def photograph(self, path):
        picture = self.protocol("Page.captureScreenshot", format="png", captureBeyondViewport=True,
                                clip=self.run("const r = document.documentElement; return {x: 0, y: 0,"
                                              " width: r.scrollWidth, height: r.scrollHeight, scale: 1}"))
        path.write_bytes(base64.b64decode(picture["data"]))


def check_drawn(browser):
    """As many pictures as the page holds, each with axes or marks of a size. Returns their names."""
    browser.wait("the pictures are drawn", lambda: browser.run("return document.documentElement.dataset.drawn"))
    pictures = browser.run("return JSON.parse(document.getElementById('pictures').textContent).map((p) => p.name)")
    check(pictures, "the page holds no picture")
    for name in pictures:
        seen = browser.run(
            "const svg = document.querySelectorAll(`[id='${arguments[0]}'] svg.marks`);"
            "if (svg.length !== 1) return {drawn: svg.length};"
            "const box = svg[0].getBoundingClientRect();"
            "const shapes = svg[0].querySelectorAll('[role=graphics-symbol] path, path[aria-roledescription],"
            " g[class*=role-mark] path, g[class*=role-mark] text, g[class*=role-mark] line');"
            "return {drawn: 1, width: box.width, height: box.height, marks: shapes.length}", name)
        check(seen["drawn"] == 1, f"{name}: {seen['drawn']} pictures in its figure")
        check(seen["width"] > 200 and seen["height"] > 100, f"{name}: drawn {seen['width']} × {seen['height']}")
        check(seen["marks"] > 0, f"{name}: is empty")
    figures = browser.run("return document.querySelectorAll('figure').length")
    check(figures == len(pictures), f"{figures} figures for {len(pictures)} pictures")
    return pictures


def tooltip(browser):
    return browser.run("const t = document.querySelector('#vg-tooltip-element.visible'); return t && t.innerText")


def tooltips_of(browser, name, texts, most):
    """The tooltips under the mouse when it passes over up to `most` marks of a picture, until all `texts` were seen."""
    marks = browser.driver.find_elements(
        By.CSS_SELECTOR, f"[id='{name}'] svg g[class*=role-mark]:is(.mark-rect, .mark-symbol, .mark-arc, .mark-area, .mark-line,"
        " .mark-rule) > *")
    told = []
    for mark in marks[:most]:
        browser.run("arguments[0].scrollIntoView({block: 'center', inline: 'center', behavior: 'instant'})", mark)
        ActionChains(browser.driver, duration=0).move_to_element(mark).perform()
        if text := tooltip(browser):
            told.append(text)
            if all(any(wanted in t.replace(",", "") for t in told) for wanted in texts):
                break
    return told


def check_tooltips(browser, pictures, expected):
    for name in pictures:
        told = tooltips_of(browser, name, expected.get(name, []), 40)
        check(told, f"{name}: no tooltip over any mark")
        for text in expected.get(name, []):
            check(any(text in t.replace(",", "") for t in told), f"{name}: no tooltip says {text!r}, but {told}")
    for name in expected:
        check(name in pictures, f"no picture {name}, but {pictures}")


def check_contrast(browser, scheme):
    """WCAG's 4.5 : 1 for all text but what is drawn."""
    poor = browser.run((HERE / "contrast.js").read_text())
    check(not poor, f"too little contrast in {scheme}: {poor}")


def check_widths(browser, width):
    wide = browser.run(
        "const w = document.documentElement.clientWidth;"
        "return {page: document.documentElement.scrollWidth, screen: w, wider: [...document.body.querySelectorAll('*')]"
        ".filter((e) => !e.closest('.scroll, .chart, pre, nav, #vg-tooltip-element') && e.getBoundingClientRect().right > w + 1)"
        ".slice(0, 5).map((e) => e.outerHTML.slice(0, 80))}")
    check(wide["screen"] == width, f"the screen is {wide['screen']} px wide, not {width}")
    check(wide["page"] <= width and not wide["wider"], f"wider than {width} px: {wide}")


def check_legible(browser):
    """No picture is shrunk below four fifths of its size: it is scrolled in its box instead."""
    small = browser.run(
        "return [...document.querySelectorAll('svg.marks')].map((s) => ({name: s.closest('figure').id,"
        " scale: s.getBoundingClientRect().width / s.viewBox.baseVal.width})).filter((s) => s.scale < 0.8)")
    check(not small, f"too small to read: {small}")


def check_silence(browser, page):
    """No error on the console (Vega warns of layers without rows), and nothing but the page was asked for (Chromium's
    own first page is chrome:)."""
    said = [entry["message"] for entry in browser.driver.get_log("browser") if entry["level"] == "SEVERE"]
    check(not said, f"on the console: {said}")
    asked = []
    for entry in browser.driver.get_log("performance"):
        message = json.loads(entry["message"])["message"]
        if message["method"] == "Network.requestWillBeSent":
            asked.append(message["params"]["request"]["url"])
    other = [url for url in asked if url != page.as_uri() and not url.startswith(("data:", "blob:", "chrome:"))]
    check(not other, f"asked for {other}")
    check(page.as_uri() in asked, f"the log of requests misses the page itself: {asked}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("page", type=lambda p: pathlib.Path(p).resolve())
    parser.add_argument("screenshots", type=pathlib.Path)
    parser.add_argument("--expect", action="append", default=[], metavar="PICTURE=TEXT")
    arguments = parser.parse_args()
    arguments.screenshots.mkdir(parents=True, exist_ok=True)
    expected = {}
    for pair in arguments.expect:
        expected.setdefault(pair.partition("=")[0], []).append(pair.partition("=")[2])
    with Browser() as browser:
        browser.look(1280)
        browser.driver.get(arguments.page.as_uri())
        pictures = check_drawn(browser)
        for name, width, scheme, media in (("desktop", 1280, "light", ""), ("dark", 1280, "dark", ""), ("phone", 360, "light", ""),
                                           ("phone-dark", 360, "dark", ""), ("paper", 700, "light", "print")):
            browser.look(width, scheme, media=media)
            check_widths(browser, width)
            check_contrast(browser, name)
            if media != "print":
                check_legible(browser)
            browser.photograph(arguments.screenshots / f"{name}.png")
        browser.look(1280)
        check_tooltips(browser, pictures, expected)
        browser.photograph(arguments.screenshots / "tooltip.png")
        check_silence(browser, arguments.page)
    print(f"{len(pictures)} pictures: {', '.join(pictures)}")


if __name__ == "__main__":
    main()
