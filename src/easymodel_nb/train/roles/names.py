"""Names that people give to columns, the most telling first, in several languages.

They are compared without case, accents and word marks: `reviewText`, `Review Text`
and `review_text` are one name.
"""

import re
import unicodedata
from collections.abc import Iterable, Sequence
from functools import cache

_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_MARKS = re.compile(r"[\u0300-\u036f]")  # accents of Latin, Greek and Cyrillic, not Thai vowels
_WORD = re.compile(r"[\W_]+")


@cache
def normal(name: str) -> str:
    """A name for comparison: `ReviewText` and `review text` both become `review_text`."""
    plain = _MARKS.sub("", unicodedata.normalize("NFKD", _CAMEL.sub("_", name)))
    words = re.sub(r"[\s\-./:]+", "_", unicodedata.normalize("NFC", plain).casefold())
    return words.strip("_")


def words_of(name: str) -> list[str]:
    """The words of a name: `["review", "text"]` of `reviewText`."""
    return [word for word in _WORD.split(normal(name)) if word]


def rank(name: str, names: Sequence[str]) -> int | None:
    """The place of a name in a list, or None; a name with one of the words comes after all."""
    place = _places(tuple(names))
    if (exact := place.get(normal(name))) is not None:
        return exact
    found = [place[word] for word in words_of(name) if word in place]
    return len(names) + min(found) if found else None


@cache
def _places(names: tuple[str, ...]) -> dict[str, int]:
    places: dict[str, int] = {}
    for place, name in enumerate(names):
        places.setdefault(normal(name), place)
    return places


def has_word(name: str, words: Iterable[str]) -> bool:
    """Whether one of the words stands in a name."""
    return not set(words).isdisjoint(words_of(name))


TEXTS = tuple(
    """
    text texts sentence content body review tweet comment message utterance post document article
    passage description abstract statement sms email mail complaint feedback story narrative phrase
    question query prompt input transcript dialogue headline title subject summary snippet quote
    texto mensaje comentario frase contenido descripcion opinion resena oracion
    nachricht kommentar beschreibung satz inhalt anfrage beitrag rezension
    texte phrase commentaire contenu avis message_texte
    mensagem conteudo descricao avaliacao
    testo messaggio commento contenuto descrizione recensione
    tekst zin bericht wiadomosc zdanie komentarz tresc opinia
    metin yorum cumle mesaj teks kalimat ulasan komentar noi_dung van_ban binh_luan
    текст отзыв сообщение комментарий предложение описание
    文本 内容 评论 句子 文章 正文 文 テキスト 本文 文章 レビュー コメント 텍스트 내용 문장 리뷰 댓글
    ข้อความ เนื้อหา ประโยค ความคิดเห็น รีวิว نص النص الجملة تعليق محتوى טקסט पाठ टिप्पणी वाक्य
    """.split()
)

# A column of one of these names is the label; several of them are ranked.
LABELS = tuple(
    """
    label labels gold_label class classes target target_label label_id category_label
    y etiqueta etiquetas clase kategorie klasse etikett etiquette classe rotulo etichetta etiket
    etykieta klasa klas sinif kelas nhan метка класс 标签 類別 类别 ラベル 라벨 레이블 ป้ายกำกับ ป้าย
    التصنيف تصنيف תווית लेबल
    """.split()
)

# These name what is classified: two of them in one table are two tasks.
THEMES = tuple(
    """
    sentiment sentiments intent intents intention emotion emotions polarity stance topic topics
    category categories genre verdict toxic toxicity spam hate offensive sarcasm stars star rating
    is_duplicate duplicate entailment relation subjectivity acceptability department priority
    severity decision gold tag tags type grade overall score outcome annotation answer
    sentimiento sentimientos intencion emocion categoria tema tipo prioridad polaridad
    stimmung absicht thema gefuhl prioritat abteilung einstufung bewertung art
    categorie sujet theme sentiment_global
    sentimento emocao assunto duygu kategori konu sentimen emosi cam_xuc
    тональность категория эмоция тема 类目 分类 情感 情绪 意图 カテゴリ カテゴリー 分類 感情
    카테고리 분류 감정 의도 ความรู้สึก หมวดหมู่ ประเภท อารมณ์ المشاعر الفئة श्रेणी भावना
    """.split()
)

# The two texts of a pair, in this order.
TEXT_PAIRS = (
    ("premise", "hypothesis"), ("sentence1", "sentence2"), ("question1", "question2"),
    ("text_a", "text_b"), ("text1", "text2"), ("sent1", "sent2"), ("sentence", "sentence_pair"),
    ("question", "passage"), ("question", "sentence"), ("question", "context"),
    ("query", "passage"), ("query", "document"), ("query", "text"), ("query", "product_title"),
    ("claim", "evidence"), ("claim", "abstract"), ("text", "text_pair"), ("context", "response"),
)  # fmt: skip

SOURCES = tuple(
    """
    source src source_text input inputs input_text article dialogue dialog document documents
    report conversation prompt instruction question query problem user human mr
    meaning_representation concepts original complex normal incorrect informal passage context
    email_body body content story sentence text transcript review abstract
    frage pregunta pergunta domanda vraag soru вопрос 问题 問題 質問 질문 คำถาม سؤال السؤال
    quelle texto texte testo tekst текст 文本 原文
    """.split()
)
TARGETS = tuple(
    """
    target targets tgt target_text output outputs output_text completion response responses
    answer answers correct_answer best_answer chosen reply assistant gpt bot summary highlights
    summaries abstract_summary tldr ref reference human_reference references solution
    simplified simple simplification simplifications correct corrected correction corrections
    formal paraphrase paraphrases translation story sql code query headline title subject_line
    subject abstract
    antwort respuesta resposta risposta reponse antwoord cevap ответ 答案 回答 答え 답변 답 คำตอบ
    جواب الإجابة ziel zusammenfassung resumen resume resumo riassunto samenvatting ozet 摘要 译文
    """.split()
)
# These name a text of their own more often than an answer to learn.
WEAK_TARGETS = frozenset(("headline", "title", "subject_line", "subject", "abstract", "translation"))
# These name a text that is learned as it is, unless what stands beside it is clearly an answer.
INSTRUCTIONS = (
    "instruction", "prompt", "question", "query", "task",
    "frage", "pregunta", "pergunta", "domanda", "вопрос", "问题", "質問", "질문", "คำถาม",
)  # fmt: skip
CONTEXTS = ("context", "passage", "support", "paragraph", "background", "kontext", "contexto")
EXTRAS = ("input", "inputs", "context")
SYSTEMS = ("system", "system_prompt")
ANSWERS = (
    "answers", "answer", "correct_answer", "best_answer", "final_answer", "output", "outputs",
    "response", "completion", "target", "reply", "long_answer",
    "antwort", "respuesta", "resposta", "risposta", "reponse", "ответ", "答案", "回答", "답변", "คำตอบ",
)  # fmt: skip
PLAIN = (
    "text", "content", "body", "sentence", "document", "article", "utterance", "message", "story",
    "review", "tweet", "comment", "post", "passage", "poem", "lyrics", "code",
    *TEXTS[TEXTS.index("texto"):],
)  # fmt: skip
CHATS = (
    "messages", "conversations", "conversation", "chat", "dialog", "dialogue", "dialogues", "turns",
    "chosen", "utterances",
)  # fmt: skip
WORDS = ("tokens", "words", "token", "word", "sentence", "text", "form", "forms")
TAGS = (
    "ner_tags", "ner", "tags", "labels", "ner_labels", "entities", "slot_tags", "slots", "bio_tags",
    "iob_tags", "tag", "label", "chunk_tags", "pos_tags", "upos", "pos", "xpos",
)  # fmt: skip

IDS = frozenset(
    """id ids idx index uid uuid guid unnamed rowid row number no nr key hash md5 sha doi isbn
    url urls link links uri href file filename path image img""".split()
)
TIMES = frozenset("date time timestamp datetime created updated year month day".split())
MINOR = frozenset(
    """lang language languages locale split fold subset source dataset author user username name
    country region city location timezone version license licence worker annotator domain
    confidence probability count counts length len fixed valid verified""".split()
)

LANGUAGES = frozenset(
    """af am ar az be bg bn bs ca cs cy da de el en eo es et eu fa fi fr fy ga gl gu ha he hi hr hu
    hy id ig is it ja jv ka kk km kn ko ku ky la lb lo lt lv mg mi mk ml mn mr ms mt my nb ne nl nn
    no oc pa pl ps pt ro ru rw sa sd si sk sl so sq sr su sv sw ta te tg th tk tl tr tt ug uk ur uz
    vi wo xh yi yo zh zu eng deu ger fra fre spa por ita nld dut rus zho chi jpn kor ara hin tha tur
    vie pol swe fin dan nor ces cze ell gre heb hun ron rum ukr ind swa cat eus
    english german french spanish portuguese italian dutch russian chinese japanese korean arabic
    hindi thai turkish vietnamese polish swedish finnish danish norwegian czech greek hebrew
    hungarian romanian ukrainian indonesian swahili catalan basque latin
    deutsch englisch franzosisch espanol ingles frances francais anglais allemand italiano
    """.split()
)
