"""Writes what was measured: as JSON, as a Markdown table, as a picture, and into a page of the project."""
import json
import sys


def keep(name, results, folder):
    """What is measured so far, so that a run that is broken off leaves it; --write-only makes the pages of it."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}.json").write_text(json.dumps(results, indent=1, ensure_ascii=False) + "\n")


def write(name, pages, results, folder, page=None):
    """`pages` is the module that makes table and picture of these results, and that knows their place in `page`."""
    keep(name, results, folder)
    (folder / f"{name}.md").write_text(pages.markdown(results), encoding="utf-8")
    picture = pages.picture(results)
    if picture is not None:
        (folder / f"{name}.svg").write_text(picture, encoding="utf-8")
    if page is not None and not put_into(page, *pages.place_in_page(results)):
        sys.exit(f"{page} has no place for the figures")


def put_into(page, begin, end, words):
    """Replaces what stands between two markers of a page. False: they are not there."""
    text = page.read_text(encoding="utf-8")
    if begin not in text or end not in text:
        return False
    before, rest = text.split(begin, 1)
    page.write_text("\n".join([before + begin, words, end]) + rest.split(end, 1)[1], encoding="utf-8")
    return True
