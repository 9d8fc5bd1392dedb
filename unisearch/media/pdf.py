"""The text of PDF files, page by page, through pdfium."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pypdfium2

from unisearch.errors import Unreadable
from unisearch.media import markup
from unisearch.media.damage import Damage
from unisearch.media.files import opened
from unisearch.media.tags import labels_of, words_of
from unisearch.records import ReadOptions

_TOLD = ("Title", "Subject", "Author", "Keywords")


def pages(path: Path, options: ReadOptions) -> Iterator[str]:
    """The paragraphs of all pages.

    Raises Unreadable for a PDF that asks for a password or whose text is too large, and
    Damage.
    """
    total = 0
    with opened(path, options.max_file_bytes) as file:
        document = _document(path, file)
        try:
            for number in range(len(document)):
                try:
                    text = _page(document, number)
                except pypdfium2.PdfiumError as error:
                    raise Damage(f"page {number + 1} of the PDF is damaged") from error
                total += len(text)
                if total > options.max_text_bytes:
                    reason = f"its text is larger than the limit of {options.max_text_bytes:,}"
                    raise Unreadable(path, "too_large", reason)
                yield from markup.plain(text)
        finally:
            document.close()


def tags(path: Path, options: ReadOptions) -> tuple[str, dict[str, tuple[str, ...]]]:
    """(words, labels) of what the PDF says of itself; nothing where that is damaged."""
    with opened(path, options.max_file_bytes) as file:
        document = _document(path, file)
        try:
            found = document.get_metadata_dict(skip_empty=True)
        except pypdfium2.PdfiumError:
            return "", {}
        finally:
            document.close()
    keywords = re.split("[,;]", found.get("Keywords", ""))
    labels = {"title": [found.get("Title")], "artist": [found.get("Author")], "keyword": keywords}
    return words_of(found.get(name) for name in _TOLD), labels_of(labels)


def _document(path: Path, file: object) -> pypdfium2.PdfDocument:
    try:
        return pypdfium2.PdfDocument(file)
    except pypdfium2.PdfiumError as error:
        if "password" in str(error).lower():
            raise Unreadable(path, "unsupported", "the PDF asks for a password") from error
        raise Damage("the PDF's structure is damaged") from error


def _page(document: pypdfium2.PdfDocument, number: int) -> str:
    page = document[number]
    try:
        textpage = page.get_textpage()
        try:
            # pdfium marks a hyphen at a line's end with U+FFFE or U+0002: the word goes on.
            text = str(textpage.get_text_bounded())
            return text.replace("\ufffe\r\n", "").replace("\ufffe", "").replace("\x02", "")
        finally:
            textpage.close()
    finally:
        page.close()
