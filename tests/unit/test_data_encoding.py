"""Letters come back as they were written, or a sentence says that they may not."""

import contextlib
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from easymodel_nb.errors import StudioError

SAMPLES = {
    "cp1252": "Le café était très bon, l’hôtel bien situé – près de la gare… 5 €",  # noqa: RUF001
    "cp1250": "Zażółć gęślą jaźń, świetny produkt polecam wszystkim, zwróciłem go",
    "cp1251": "Отличный товар, всем рекомендую! На следующий день не работает",  # noqa: RUF001
    "koi8-r": "Отличный товар, всем рекомендую! На следующий день не работает",  # noqa: RUF001
    "cp1253": "Πολύ καλό προϊόν το συνιστώ σε όλους. Δεν δουλεύει καθόλου",
    "cp1254": "Çok güzel bir ürün, herkese tavsiye ederim şiddetle ğ ı değil",  # noqa: RUF001
    "cp1256": "منتج رائع أنصح به الجميع لا يعمل على الإطلاق",
    "cp874": "สินค้าดีมากครับ แนะนำเลย ใช้ไม่ได้ ผิดหวังมาก",
    "shift_jis": "とても良い商品です。おすすめします。すぐに壊れました。",
    "euc_jp": "とても良い商品です。おすすめします。すぐに壊れました。",
    "gb18030": "非常好的产品，推荐给大家。第二天就坏了，很失望。",  # noqa: RUF001
    "big5": "非常好的產品，推薦給大家。第二天就壞了，很失望。",  # noqa: RUF001
    "euc_kr": "정말 좋은 제품입니다 추천합니다 다음날 고장났어요 실망입니다",
}


@pytest.mark.parametrize("encoding", SAMPLES)
@pytest.mark.parametrize("name", ["a.csv", "a.txt", "a.jsonl"])
def test_what_is_not_unicode_is_found_and_told(reads: Any, encoding: str, name: str):
    text = {
        "a.csv": f'text,label\n"{SAMPLES[encoding]}",pos\n',
        "a.txt": f"{SAMPLES[encoding]}\n",
        "a.jsonl": f'{{"text": "{SAMPLES[encoding]}"}}\n',
    }[name]
    assert reads.rows(name, text.encode(encoding))[0]["text"] == SAMPLES[encoding]
    assert reads.guess("format.encoding") is not None


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-32"])
def test_unicode_in_its_encodings(reads: Any, encoding: str):
    text = "naïve café 日本 😀 and some more words in plain English"
    assert reads.rows("a.csv", f"text,n\n{text},1\n".encode(encoding))[0]["text"] == text


@pytest.mark.parametrize("word", ["café", "naïve", "Müller", "señor", "£5", "garçon"])
def test_a_single_letter_is_western_and_told(reads: Any, word: str):
    lines = "the product is very good,pos\n" * 50
    rows = reads.rows("a.csv", f"text,label\n{lines}{word},neg\n".encode("cp1252"))
    assert rows[-1]["text"] == word
    assert reads.guess("format.encoding") == "cp1252"


def test_a_letter_far_down_is_seen(reads: Any):
    lines = "only plain letters here,pos\n" * 60_000
    rows = reads.rows("a.csv", f"text,label\n{lines}Grüße aus Köln,neg\n".encode("cp1252"))
    assert rows[-1]["text"] == "Grüße aus Köln"


def test_utf8_with_a_broken_byte_is_not_read_as_something_else(reads: Any):
    good = "".join(f"schöne Grüße Nummer {n}, naïve,pos\n" for n in range(30))
    rows = reads.rows("a.tsv", b"text\n" + good.encode() + b"caf\xe9,neg\n")
    assert rows[0]["text"].startswith("schöne Grüße")
    assert rows[-1]["text"] == "café,neg"
    (note,) = [n for n in reads.reading.notes if n.code == "encoding.damaged"]
    assert "1 broken byte, the first in line 32" in note.message
    assert note.field == "format"


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(st.characters(codec="cp1252", exclude_categories=["Cc"]), min_size=1))
def test_a_named_encoding_always_holds(reads: Any, text: str):
    content = f"a\n{text}x\n".encode("cp1252")
    assert reads.rows("a.tsv", content, encoding="cp1252", header=True)[0] == {"a": f"{text}x"}


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(min_size=1, max_size=200))
def test_any_bytes_are_rows_or_a_sentence(reads: Any, content: bytes):
    for name in ("a.csv", "a.txt", "a.jsonl", "a.json", "a.conll", "a.parquet", "a.arrow"):
        with contextlib.suppress(StudioError):  # and nothing else
            reads.splits(name, content)


def test_a_wrong_encoding_names_the_field(reads: Any):
    problem = reads.refused("a.csv", "text\ncafé\n".encode("latin-1"), encoding="utf-8")
    assert (problem.code, problem.field) == ("format.encoding", "format")
    for name in ("klingon", "base64", "rot13"):
        assert reads.refused("a.csv", "text\nx\n", encoding=name).code == "format.encoding"


def test_a_mark_is_no_letter_when_utf8_is_named(reads: Any):
    assert reads.rows("a.csv", "a,b\nx,y\n".encode("utf-8-sig"), encoding="utf-8") == [
        {"a": "x", "b": "y"}
    ]


def test_what_is_no_text(reads: Any):
    assert reads.refused("a.csv", b"\xff\x00\x81\x00\x01").code == "file.unreadable"


def test_what_excel_for_the_mac_wrote(reads: Any):
    rows = [("Größe völlig falsch", "schlecht"), ("très bien, déjà reçu", "gut")] * 9
    text = "\r".join(["text;label", *(";".join(row) for row in rows)])
    found = reads.rows("a.csv", text.encode("mac_roman"))
    assert [(row["text"], row["label"]) for row in found] == rows
    assert reads.guess("format.encoding") == "mac_roman"
    assert reads.notes == ["encoding.unsure"]
