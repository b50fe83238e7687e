"""What layout_test.py checks. A rule yields one sentence for each problem."""
import pathlib
import re

ROOT = pathlib.Path(__file__).resolve().parents[2]
_CODE = {".h", ".cpp", ".ts", ".py", ".sh", ".cjs", ".mjs", ".java", ".css", ".cmake"}
_KEYWORDS = {"DEPENDS", "LIBS", "PUBLIC_LIBS", "TEST_LIBS"}
# Written by the build beside the sources that include it.
_GENERATED = {"parley_assets.h"}


class Tree:
    """One checkout; `root` may be a small made-up one."""

    def __init__(self, root, max_lines=650):
        self.root = root
        self.max_lines = max_lines
        self.arrows = self._arrows()

    def _text(self, name):
        path = self.root / name
        return path.read_text(encoding="utf-8") if path.exists() else ""

    def _arrows(self):
        """Folder → what it may include, from the parley_module() lines."""
        arrows = {}
        text = re.sub(r"#.*", "", self._text("src/CMakeLists.txt"))
        for call in re.findall(r"parley_module\(([^)]*)\)", text):
            name, *words = call.split()
            depends, at = [], None
            for word in words:
                if word in _KEYWORDS:
                    at = word
                elif at == "DEPENDS":
                    depends.append(word)
            arrows[name] = depends
        return arrows

    def _module(self, folder):
        """`adapters/kafka` is a module of its own; everything else is one level deep."""
        parts = folder.parts
        return "/".join(parts[:2]) if parts and parts[0] == "adapters" else (parts[0] if parts else "")

    def _sources(self, *folders):
        for folder in folders:
            yield from sorted(p for p in (self.root / folder).rglob("*") if p.suffix in {".h", ".cpp"})

    def _includes(self, path):
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            found = re.match(r'\s*#\s*include\s+"([^"]+)"', line)
            if found:
                yield number, found.group(1)

    def wrong_includes(self):
        for path in self._sources("src"):
            here = self._module(path.relative_to(self.root / "src").parent)
            is_test = re.search(r"_(test|itest|bench|fuzz)\.cpp$|_fixture\.h$", path.name)
            for number, name in self._includes(path):
                where = f"{path.relative_to(self.root)}:{number}"
                if name in _GENERATED or (is_test and "tests/contract/" in name):
                    continue
                if not (self.root / "src" / name).exists():
                    yield f"{where} includes {name}, which is not below src/"
                    continue
                there = self._module(pathlib.PurePath(name).parent)
                if there != here and there not in self.arrows.get(here, []):
                    yield f"{where} includes {name}: {here} may not use {there}"

    def used_adapters(self):
        for name, depends in self.arrows.items():
            for other in depends:
                if other.startswith("adapters/"):
                    yield f"src/{name} may use {other}: only apps/parley knows adapters"

    def cycles(self):
        done, path = set(), []

        def visit(name):
            if name in path:
                yield " → ".join(path[path.index(name):] + [name])
            elif name not in done:
                path.append(name)
                for other in self.arrows.get(name, []):
                    yield from visit(other)
                path.pop()
                done.add(name)

        for name in self.arrows:
            yield from visit(name)

    def wrong_table(self):
        rows = re.findall(r"^\| `src/([a-z/]+)` \|[^|\n]*\| ([^|\n]*) \|$", self._text("ARCHITECTURE.md"), re.M)
        table = {name: [] if depends.strip() == "–" else depends.split() for name, depends in rows}
        for name in sorted(table.keys() | self.arrows.keys()):
            if table.get(name) != self.arrows.get(name):
                yield f"src/{name}: the table says {table.get(name)}, CMake {self.arrows.get(name)}"

    def bare_folders(self):
        folders = {self._module(p.relative_to(self.root / "src").parent) for p in self._sources("src")}
        for name in sorted(folders - {""}):
            if name not in self.arrows:
                yield f"src/{name} has sources and no parley_module line"
            if not (self.root / "src" / name / "README.md").exists():
                yield f"src/{name} has no README.md"

    def long_files(self):
        for folder in ("src", "apps", "tests", "tools", "web", "clients", "cmake"):
            for path in sorted((self.root / folder).rglob("*")):
                if path.suffix not in _CODE or "node_modules" in path.parts or self._is_fixture(path):
                    continue
                lines = path.read_text(encoding="utf-8").count("\n")
                if lines > self.max_lines:
                    yield f"{path.relative_to(self.root)} has {lines} lines"

    def _is_fixture(self, path):
        return self.root == ROOT and (ROOT / "tests" / "layout" / "broken") in path.parents

    def idle_keys(self):
        header = self._text("src/base/config_keys.h")
        keys = re.findall(r"inline constexpr Key<[^;{]*> (\w+)\{", header)
        # A kind with one choice has its effect in being checked.
        single = re.findall(r'k(\w+)Kinds\[\] = \{"[^",]*"\}', header)
        keys = [key for key in keys if key not in {f"{name.lower()}_kind" for name in single}]
        users = "".join(p.read_text(encoding="utf-8") for p in self._sources("src", "apps")
                        if not p.name.startswith("config") and not re.search(r"_i?test\.cpp$", p.name))
        for key in keys:
            if not re.search(rf"keys::{key}\b", users):
                yield key

    def unnamed_codes(self):
        protocol = self._text("docs/protocol.md")
        for code in re.findall(r'ErrorInfo\{Code::\w+,\s*"([A-Z_]+)"', self._text("src/base/errors.cpp")):
            if not re.search(rf"\b{code}\b", protocol):
                yield code

    def dead_links(self):
        for path in sorted(self.root.rglob("*.md")):
            inside = path.relative_to(self.root).parts
            if inside[0] in {"build", ".git"} or "node_modules" in inside or self._is_fixture(path):
                continue
            for target in re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", path.read_text(encoding="utf-8")):
                if "://" not in target and not (path.parent / target).exists():
                    yield f"{path.relative_to(self.root)} → {target}"

    def sleeping_tests(self):
        for path in self._sources("src"):
            if not re.search(r"_test\.cpp$", path.name):
                continue
            text = path.read_text(encoding="utf-8")
            if re.search(r"\b(sleep_for|sleep_until|usleep|nanosleep)\b|\bsleep\(", text):
                yield f"{path.relative_to(self.root)} sleeps"
            for name in re.findall(r"^TEST(?:_F|_P)?\(\w+, (\w+)\)", text, re.M):
                if re.fullmatch(r"Basic\w*|Test\w{0,4}|\w{1,5}", name):
                    yield f"{path.relative_to(self.root)}: {name} says nothing"
