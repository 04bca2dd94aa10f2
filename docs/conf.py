"""How Sphinx builds the site: ``sphinx-build -W --keep-going docs site``.

What code knows already is not written a second time: pages of methods, recipes, measures and the
reference are made anew from the package at each build, by the files of ``_pages/``.
"""

import os
import sys
from pathlib import Path

from sphinx.application import Sphinx

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))
# Of the backends that Keras may take, the one that is here.
os.environ.setdefault("KERAS_BACKEND", "torch")
# The gallery's models are small; more threads only wait for each other.
os.environ.setdefault("OMP_NUM_THREADS", "1")

from _pages import (  # noqa: E402
    audit,
    findings,
    gallery,
    measures,
    methods,
    outside,
    recipes,
    reference,
)
from maxsup import __version__  # noqa: E402

project = "maxsup"
author = "The maxsup developers"
copyright = "The maxsup developers, Apache-2.0"
version = release = __version__

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "sphinx_design",
    "sphinx_gallery.gen_gallery",
]
templates_path = ["_templates"]
exclude_patterns = [
    "_templates",
    "generated",
    "_pages",
    "examples",
    "findings/README.md",
    # The gallery's page is written by hand, and what its scripts leave is no page.
    "gallery/GALLERY_HEADER.rst",
    "gallery/made/index.rst",
    "gallery/runs",
]
sphinx_gallery_conf = gallery.SETTINGS

myst_enable_extensions = ["colon_fence", "attrs_inline"]
myst_heading_anchors = 4
suppress_warnings = [
    # Cards and README begin where they are included, not at the page's own title.
    "myst.header",
    # Types in signatures are named without their room, and some rooms have one of the same name.
    "ref.python",
    # What is made of a script lies below the scripts.
    "sphinx_gallery.duplicate_filename",
]

autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_preserve_defaults = True
autodoc_mock_imports = reference.BESIDE
napoleon_google_docstring = True
napoleon_numpy_docstring = False
napoleon_use_rtype = False
default_role = "code"

html_title = "maxsup"
html_theme = "pydata_sphinx_theme"
html_static_path = ["_static", "generated/static"]
html_extra_path = ["generated/beside"]
html_css_files = ["figures.css", "site.css"]
html_context = {"default_mode": "auto"}
html_copy_source = False
html_show_sourcelink = False
html_sidebars = {"reading-the-page": [], "design": [], "audit": []}  # pages without others below
html_theme_options = {
    "header_links_before_dropdown": 6,
    "show_prev_next": True,
    "secondary_sidebar_items": ["page-toc"],
    "footer_start": ["copyright"],
    "footer_end": [],
    "navigation_with_keys": True,
}


def setup(app: Sphinx) -> None:
    """Write what is made from the package, and lead links out of ``docs/`` to pages."""
    for pages in (methods, recipes, measures, gallery, reference, audit, findings):
        pages.write(HERE)
    measures.setup(app)
    gallery.setup(app)
    app.connect("source-read", lead_on)
    app.connect("include-read", outside.relink_included)


def lead_on(app: Sphinx, name: str, source: list[str]) -> None:
    """Lead a page's links to where the site has what they mean, and a finding to its studies."""
    if name.startswith("findings/"):
        source[0] = findings.links_in(source[0])
    # An example that is tested ends with an empty line, which a reader need not see.
    source[0] = source[0].replace("\n\n```\n", "\n```\n")
    outside.relink(app, name, source)
