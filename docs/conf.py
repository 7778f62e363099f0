"""How Sphinx makes the site from the sources that ``impact.report`` writes."""

import re

import latex2mathml.converter
from docutils import nodes

project = "impact"
html_title = "impact"
language = "en"
extensions = ["myst_nb", "sphinx.ext.autodoc", "sphinx.ext.autosummary", "numpydoc"]

myst_enable_extensions = ["colon_fence", "dollarmath", "deflist"]
myst_heading_anchors = 3
nb_execution_mode = "off"  # impact.report runs them
nb_merge_streams = True
nb_code_prompt_show = "Show the code"
nb_code_prompt_hide = "Hide the code"

default_role = "py:obj"
autodoc_typehints = "none"  # the docstring says it, with shapes and units
autosummary_generate = False
numpydoc_show_class_members = False
numpydoc_xref_param_type = False

html_theme = "furo"
html_theme_options = {"navigation_with_keys": False}
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_js_files = [("site.js", {"defer": "defer"})]
html_copy_source = False
html_show_sourcelink = False
html_show_copyright = False
html_show_sphinx = False
html_math_renderer = "mathml"


def _inline(translator, node):
    translator.body.append(latex2mathml.converter.convert(node.astext()))
    raise nodes.SkipNode


def _block(translator, node):
    formula = latex2mathml.converter.convert(node.astext(), display="block")
    translator.body.append(f'<div class="math">{formula}</div>')
    raise nodes.SkipNode


def _absolute_values(app, what, name, thing, options, lines):
    """In a docstring |z| is a number; Sphinx would look for a text of that name."""
    for number, line in enumerate(lines):
        if not line.lstrip().startswith((">>>", "...")):
            lines[number] = re.sub(r"(``.*?``)|\|", lambda bar: bar[1] or r"\|", line)


def _one_chapter(app, name, template, context, doctree):
    """Let the side bar list the pages of the open chapter: all of them make a third of a page."""
    if "toctree" in context:
        whole = context["toctree"]
        context["toctree"] = lambda **asked: whole(**{**asked, "collapse": True})


def setup(app):
    """Formulas become MathML, which any browser shows without a script."""
    app.connect("autodoc-process-docstring", _absolute_values, priority=900)
    app.connect("html-page-context", _one_chapter, priority=400)  # before furo asks
    app.add_html_math_renderer("mathml", (_inline, None), (_block, None))
    return {"parallel_read_safe": True, "parallel_write_safe": True}
