"""Column layouts of well-known public data sets, with rows invented for these tests."""

# ruff: noqa: E501, RUF001  a layout reads best in few lines; the texts are in many scripts

import itertools
import json
from typing import Any

import pyarrow as pa

ROWS = 12

SHORT = [
    "The soup was cold and nobody cared.",
    "Best ferry ride of my life!",
    "It works, more or less.",
    "I would not buy these boots again.",
    "Lovely staff, terrible parking.",
    "Arrived broken, twice.",
    "My daughter laughed all evening.",
    "Neither good nor bad, just there.",
    "They closed ten minutes early.",
    "A quiet place with good bread.",
    "The second act drags on and on.",
    "Five hours of pure joy.",
]
OTHER = [
    "A person is outdoors.",
    "Somebody is eating lunch.",
    "The street is empty.",
    "Two dogs are asleep on the sofa.",
    "It is raining hard.",
    "The boat has left the harbour.",
    "Nobody is watching.",
    "A woman repairs a clock.",
    "The musicians are late.",
    "Children play near a well.",
    "The tower is closed today.",
    "He sells apples.",
]
LONG = [
    f"{a} {b} The council will meet again on Monday, and the mill stays shut until then."
    for a, b in zip(
        SHORT,
        [
            f"Workers at the old mill near Arlen stopped for {n} days this spring."
            for n in range(12)
        ],
        strict=True,
    )
]
BRIEF = [f"Mill shut for {n} days" for n in range(12)]
QUESTIONS = [f"How many days was the mill shut in week {n}?" for n in range(12)]
ANSWERS = [f"{n} days" for n in range(12)]
GERMAN = [f"Die Mühle blieb {n} Tage lang geschlossen." for n in range(12)]
ENGLISH = [f"The mill stayed shut for {n} days." for n in range(12)]
SPANISH = [f"El molino estuvo cerrado {n} días y nadie dijo nada." for n in range(12)]
THAI = [f"โรงสีปิดไปแล้ว{n}วันไม่มีใครบอกอะไรเลย" for n in range(12)]
CHINESE = [f"磨坊已经关闭了{n}天，没有人说什么。" for n in range(12)]
IDS = [f"a{n:05x}f0" for n in range(12)]
URLS = [f"https://example.org/post/{n}" for n in range(12)]
DATES = [f"2021-03-{n + 1:02d}" for n in range(12)]
USERS = [f"user_{n}" for n in range(12)]
NUMBERS = list(range(12))
FLOATS = [round(0.37 * n + 0.11, 3) for n in range(12)]
WORD_LISTS = [["Ada", "slept", "in", "Lund"], ["It", "rained"], ["Call", "Bo", "Ek", "now"]]
NER_NAMES = ["O", "B-PER", "I-PER", "B-LOC"]
NER_TAGS = [[1, 0, 0, 3], [0, 0], [0, 1, 2, 0]]
NER_WORDS = [[NER_NAMES[t] for t in row] for row in NER_TAGS]
POS_TAGS = [["NOUN", "VERB", "ADP", "NOUN"], ["PRON", "VERB"], ["VERB", "NOUN", "NOUN", "ADV"]]
CHAT = [
    [{"role": "user", "content": f"Is the mill open on day {n}?"},
     {"role": "assistant", "content": f"No, day {n} is a holiday."}]
    for n in range(12)
]  # fmt: skip
SHAREGPT = [
    [{"from": "human", "value": turn["content"]} if turn["role"] == "user"
     else {"from": "gpt", "value": turn["content"]} for turn in talk]
    for talk in CHAT
]  # fmt: skip


def table(columns: dict[str, Any], classes: dict[str, Any] | None = None) -> pa.Table:
    """A table of twelve rows; values are repeated, a single one is in every row."""
    made = {
        name: list(itertools.islice(itertools.cycle(v if isinstance(v, list) else [v]), ROWS))
        for name, v in columns.items()
    }
    data = pa.table(made)
    if classes:
        features = {
            name: {"feature": {"names": names, "_type": "ClassLabel"}, "_type": "Sequence"}
            if isinstance(made[name][0], list)
            else {"names": names, "_type": "ClassLabel"}
            for name, names in classes.items()
        }
        meta = json.dumps({"info": {"features": features}})
        data = data.replace_schema_metadata({"huggingface": meta})
    return data


# name of the layout, columns, class names, (text, pair, label)
CLASSIFICATION: list[tuple[str, dict[str, Any], dict[str, Any] | None, tuple[Any, Any, Any]]] = [
    ("imdb", {"text": LONG, "label": [0, 1]}, {"label": ["neg", "pos"]}, ("text", None, "label")),
    ("imdb csv", {"review": LONG, "sentiment": ["positive", "negative"]}, None,
     ("review", None, "sentiment")),
    ("sst2", {"idx": NUMBERS, "sentence": SHORT, "label": [0, 1]}, {"label": ["negative", "positive"]},
     ("sentence", None, "label")),
    ("ag_news csv", {"Class Index": [1, 2, 3, 4], "Title": BRIEF, "Description": LONG}, None,
     ("Description", None, "Class Index")),
    ("dbpedia", {"label": [0, 1, 2], "title": BRIEF, "content": LONG},
     {"label": ["Company", "Artist", "Place"]}, ("content", None, "label")),
    ("yelp", {"label": [0, 1, 2, 3, 4], "text": LONG},
     {"label": ["1 star", "2 star", "3 stars", "4 stars", "5 stars"]}, ("text", None, "label")),
    ("amazon multi", {"review_id": IDS, "product_id": IDS, "reviewer_id": IDS, "stars": [1, 2, 3, 4, 5],
     "review_body": LONG, "review_title": SHORT, "language": "en", "product_category": ["toy", "book"]},
     None, ("review_body", None, "stars")),
    ("amazon 5-core", {"overall": [1.0, 5.0, 4.0], "verified": [True, False], "reviewTime": DATES,
     "reviewerID": IDS, "asin": IDS, "reviewText": LONG, "summary": SHORT, "unixReviewTime": NUMBERS},
     None, ("reviewText", None, "overall")),
    ("airline tweets", {"tweet_id": NUMBERS, "airline_sentiment": ["neutral", "negative", "positive"],
     "airline_sentiment_confidence": FLOATS, "negativereason": [None, "Late Flight"],
     "airline": ["Delta", "United"], "name": USERS, "retweet_count": [0, 0, 3], "text": SHORT,
     "tweet_created": DATES, "tweet_location": ["Lund", None]}, None,
     ("text", None, "airline_sentiment")),
    ("disaster tweets", {"id": NUMBERS, "keyword": [None, "fire"], "location": [None, "Oslo"],
     "text": SHORT, "target": [0, 1]}, None, ("text", None, "target")),
    ("sms spam", {"v1": ["ham", "ham", "spam"], "v2": SHORT}, None, ("v2", None, "v1")),
    ("sms spam, nameless columns", {"v1": ["ham", "ham", "spam"], "v2": SHORT, "Unnamed: 2": None,
     "Unnamed: 3": None}, None, ("v2", None, "v1")),
    ("no header", {"column_0": [0, 4], "column_1": [1467810369 + n for n in range(12)],
     "column_2": DATES, "column_3": "NO_QUERY", "column_4": USERS, "column_5": SHORT}, None,
     ("column_5", None, "column_0")),
    ("tweet_eval", {"text": SHORT, "label": [0, 1, 2]}, {"label": ["negative", "neutral", "positive"]},
     ("text", None, "label")),
    ("emotion csv", {"Unnamed: 0": NUMBERS, "text": SHORT, "emotion": ["joy", "fear", "love"]}, None,
     ("text", None, "emotion")),
    ("go_emotions", {"text": SHORT, "labels": [[0], [1, 2], [2]], "id": IDS},
     {"labels": ["joy", "fear", "love"]}, ("text", None, "labels")),
    ("topics as word lists", {"abstract": LONG, "topics": [["farming"], ["law", "farming"], ["law"]]},
     None, ("abstract", None, "topics")),
    ("setfit", {"text": SHORT, "label": [0, 1], "label_text": ["negative", "positive"]}, None,
     ("text", None, "label")),
    ("mnli", {"premise": SHORT, "hypothesis": OTHER, "label": [0, 1, 2], "idx": NUMBERS},
     {"label": ["entailment", "neutral", "contradiction"]}, ("premise", "hypothesis", "label")),
    ("mrpc", {"sentence1": SHORT, "sentence2": OTHER, "label": [0, 1], "idx": NUMBERS},
     {"label": ["not_equivalent", "equivalent"]}, ("sentence1", "sentence2", "label")),
    ("quora csv", {"id": NUMBERS, "qid1": NUMBERS, "qid2": NUMBERS, "question1": QUESTIONS,
     "question2": OTHER, "is_duplicate": [0, 1]}, None, ("question1", "question2", "is_duplicate")),
    ("qnli", {"question": QUESTIONS, "sentence": LONG, "label": [0, 1], "idx": NUMBERS},
     {"label": ["entailment", "not_entailment"]}, ("question", "sentence", "label")),
    ("boolq", {"question": QUESTIONS, "answer": [True, False], "passage": LONG}, None,
     ("question", "passage", "answer")),
    ("text_a text_b", {"text_a": SHORT, "text_b": OTHER, "label": ["yes", "no"]}, None,
     ("text_a", "text_b", "label")),
    ("snli jsonl", {"annotator_labels": [["neutral"], ["entailment", "neutral"]],
     "captionID": IDS, "gold_label": ["neutral", "entailment"], "pairID": IDS, "sentence1": SHORT,
     "sentence2": OTHER}, None, ("sentence1", "sentence2", "gold_label")),
    ("hate speech", {"Unnamed: 0": NUMBERS, "count": 3, "hate_speech": [0, 1, 2],
     "offensive_language": [3, 0], "neither": [0, 3], "class": [0, 1, 2], "tweet": SHORT}, None,
     ("tweet", None, "class")),
    ("20 newsgroups", {"text": LONG, "label": [0, 1, 2], "label_text": ["space", "cars", "guns"]}, None,
     ("text", None, "label")),
    ("massive", {"id": IDS, "locale": "en-US", "partition": "train", "scenario": [0, 1],
     "intent": [0, 1, 2], "utt": SHORT, "annot_utt": OTHER, "worker_id": IDS}, None,
     ("utt", None, "intent")),
    ("language identification", {"labels": ["de", "es"], "text": GERMAN}, None,
     ("text", None, "labels")),
    ("language only", {"text": GERMAN, "language": ["de", "es"]}, None, ("text", None, "language")),
    ("ag_news without header", {"column_0": [1, 2, 3], "column_1": BRIEF, "column_2": LONG}, None,
     ("column_2", None, "column_0")),
    ("stance", {"ID": NUMBERS, "Target": ["Bread", "Boats"], "Tweet": SHORT,
     "Stance": ["FAVOR", "AGAINST", "NONE"]}, None, ("Tweet", None, "Stance")),
    ("fake news", {"title": BRIEF, "text": LONG, "subject": ["politics", "world"], "date": DATES,
     "class": [0, 1]}, None, ("text", None, "class")),
    ("clothing reviews", {"Unnamed: 0": NUMBERS, "Age": [33, 34, 60], "Title": BRIEF,
     "Review Text": LONG, "Rating": [4, 5, 3], "Recommended IND": [0, 1], "Class Name": ["Top", "Hat"]},
     None, ("Review Text", None, "Rating")),
    ("survey", {"Timestamp": DATES, "What did you like?": SHORT, "Would you come again?": ["Yes", "No"]},
     None, ("What did you like?", None, "Would you come again?")),
    ("spanish csv", {"texto": SPANISH, "etiqueta": ["queja", "elogio"]}, None,
     ("texto", None, "etiqueta")),
    ("german csv", {"Text": GERMAN, "Kategorie": ["Lob", "Tadel"], "Datum": DATES}, None,
     ("Text", None, "Kategorie")),
    ("thai csv", {"ข้อความ": THAI, "ความรู้สึก": ["บวก", "ลบ"]}, None, ("ข้อความ", None, "ความรู้สึก")),
    ("chinese csv", {"评论": CHINESE, "标签": [0, 1]}, None, ("评论", None, "标签")),
    ("unknown names", {"Meldung_xy": GERMAN, "Ablage": ["A", "B", "C"]}, None,
     ("Meldung_xy", None, "Ablage")),
    ("support tickets", {"ticket_id": IDS, "created_at": DATES, "subject": BRIEF, "body": LONG,
     "queue": ["billing", "sales"], "language": ["en", "de"]}, None, ("body", None, "queue")),
    ("complaints", {"Date received": DATES, "Consumer complaint narrative": LONG,
     "Product": ["Loan", "Card"], "ZIP code": ["01234", "99876"]}, None,
     ("Consumer complaint narrative", None, "Product")),
    ("snips slots", {"tokens": WORD_LISTS, "slot_tags": NER_WORDS, "text": SHORT,
     "intent": ["GetWeather", "PlayMusic"]}, None, ("text", None, "intent")),
    ("floats that are whole", {"text": SHORT, "label": [1.0, 0.0]}, None, ("text", None, "label")),
    ("booleans", {"message": SHORT, "is_spam": [True, False]}, None, ("message", None, "is_spam")),
    ("constant beside a label", {"source": "web", "text": SHORT, "label": [0, 1], "split": "train"},
     None, ("text", None, "label")),
    ("financial phrasebank", {"sentence": SHORT, "label": [0, 1, 2]}, None, ("sentence", None, "label")),
    ("clickbait", {"headline": SHORT, "clickbait": [0, 1]}, None, ("headline", None, "clickbait")),
]  # fmt: skip

# What is asked: the name, the columns, and the prompt, target and template that are expected.
CONTEXT_QUESTION = "{context}\n\nQuestion: {question}\nAnswer:"
SQUAD = {"id": IDS, "title": "Mills", "context": LONG, "question": QUESTIONS,
         "answers": [{"text": [a], "answer_start": [3]} for a in ANSWERS]}  # fmt: skip
ALPACA = {"instruction": QUESTIONS, "input": ["", "The mill was shut.", ""], "output": ENGLISH}
DOLLY = {"instruction": QUESTIONS, "context": ["", LONG[0]], "response": ENGLISH,
         "category": ["open_qa", "closed_qa"]}  # fmt: skip

SEQ2SEQ: list[tuple[str, dict[str, Any], tuple[Any, Any, Any]]] = [
    ("wmt", {"translation": [{"de": g, "en": e} for g, e in zip(GERMAN, ENGLISH, strict=True)]},
     ("translation.de", "translation.en", None)),
    ("opus books", {"id": IDS, "translation": [{"en": e, "fr": g} for g, e in
     zip(GERMAN, ENGLISH, strict=True)]}, ("translation.en", "translation.fr", None)),
    ("two language columns", {"en": ENGLISH, "de": GERMAN}, ("en", "de", None)),
    ("spelled languages", {"English": ENGLISH, "German": GERMAN}, ("English", "German", None)),
    ("flores", {"id": NUMBERS, "URL": URLS, "sentence_eng_Latn": ENGLISH, "sentence_deu_Latn": GERMAN},
     ("sentence_eng_Latn", "sentence_deu_Latn", None)),
    ("src tgt", {"src": ENGLISH, "tgt": GERMAN}, ("src", "tgt", None)),
    ("source target", {"source": ENGLISH, "target": GERMAN}, ("source", "target", None)),
    ("input_text target_text", {"prefix": "binary", "input_text": LONG, "target_text": BRIEF},
     ("input_text", "target_text", None)),
    ("cnn_dailymail", {"article": LONG, "highlights": SHORT, "id": IDS}, ("article", "highlights", None)),
    ("xsum", {"document": LONG, "summary": SHORT, "id": IDS}, ("document", "summary", None)),
    ("samsum", {"id": IDS, "dialogue": LONG, "summary": SHORT}, ("dialogue", "summary", None)),
    ("billsum", {"text": LONG, "summary": SHORT, "title": BRIEF}, ("text", "summary", None)),
    ("wikihow", {"text": LONG, "headline": SHORT, "title": BRIEF}, ("text", "headline", None)),
    ("text title", {"text": LONG, "title": BRIEF}, ("text", "title", None)),
    ("news csv", {"Unnamed: 0": NUMBERS, "ctext": LONG, "headlines": BRIEF}, ("ctext", "headlines", None)),
    ("aeslc", {"email_body": LONG, "subject_line": BRIEF}, ("email_body", "subject_line", None)),
    ("pubmed", {"article": LONG, "abstract": SHORT}, ("article", "abstract", None)),
    ("reddit tldr", {"content": LONG, "summary": SHORT, "author": USERS, "subreddit": ["a", "b"]},
     ("content", "summary", None)),
    ("e2e csv", {"mr": [f"name[Mill], days[{n}]" for n in range(12)], "ref": ENGLISH, "fixed": [0, 1],
     "orig_mr": [f"name[Mill], days[{n}], area[x]" for n in range(12)]}, ("mr", "ref", None)),
    ("e2e hub", {"meaning_representation": [f"name[Mill], days[{n}]" for n in range(12)],
     "human_reference": ENGLISH}, ("meaning_representation", "human_reference", None)),
    ("common_gen", {"concept_set_idx": NUMBERS, "concepts": [f"mill shut day {n}" for n in range(12)],
     "target": ENGLISH}, ("concepts", "target", None)),
    ("grammar", {"incorrect": [e.replace("stayed", "stay") for e in ENGLISH], "correct": ENGLISH},
     ("incorrect", "correct", None)),
    ("jfleg", {"sentence": SHORT, "corrections": [[e, e + "!"] for e in ENGLISH]},
     ("sentence", "corrections[0]", None)),
    ("asset", {"original": LONG, "simplifications": [[e, e + "!"] for e in ENGLISH]},
     ("original", "simplifications[0]", None)),
    ("german qa", {"Frage": QUESTIONS, "Antwort": GERMAN}, ("Frage", "Antwort", None)),
    ("text to sql", {"question": QUESTIONS, "query": [f"SELECT days FROM mill WHERE w={n}" for n in
     range(12)], "db_id": ["mills", "farms"]}, ("question", "query", None)),
    ("squad", SQUAD, (None, "answers.text[0]", "question: {question} context: {context}")),
    ("alpaca", ALPACA, (None, "output", "{instruction}\n\n{input?}")),
    ("tatoeba without header", {"column_0": ENGLISH, "column_1": GERMAN, "column_2": "CC-BY 2.0"},
     ("column_0", "column_1", None)),
    ("languages told beside", {"source_language": "en", "target_language": "de",
     "source_sentence": ENGLISH, "target_sentence": GERMAN}, ("source_sentence", "target_sentence", None)),
    ("narrativeqa", {"document": [{"id": "x", "text": t} for t in LONG], "question": [{"text": q} for q in
     QUESTIONS], "answers": [[{"text": a}] for a in ANSWERS]}, (None, "answers[0].text",
     "question: {question.text} context: {document.text}")),
    ("conala", {"intent": QUESTIONS, "snippet": [f"f({n})" for n in range(12)]}, ("intent", "snippet", None)),
    ("unknown names", {"a_text": LONG, "b_text": GERMAN}, ("a_text", "b_text", None)),
    ("gsm8k", {"question": QUESTIONS, "answer": LONG}, ("question", "answer", None)),
    ("paws as paraphrase", {"id": NUMBERS, "sentence1": ENGLISH, "sentence2": OTHER},
     ("sentence1", "sentence2", None)),
]  # fmt: skip

# name, columns, the roles by field
GENERATION: list[tuple[str, dict[str, Any], dict[str, str]]] = [
    ("wikitext", {"text": LONG}, {"text_field": "text"}),
    ("wikipedia", {"id": IDS, "url": URLS, "title": BRIEF, "text": LONG}, {"text_field": "text"}),
    ("c4", {"text": LONG, "timestamp": DATES, "url": URLS}, {"text_field": "text"}),
    ("imdb", {"text": LONG, "label": [0, 1]}, {"text_field": "text"}),
    ("tinystories", {"story": LONG}, {"text_field": "story"}),
    ("quotes", {"quote": SHORT, "author": USERS, "tags": [["a"], ["b", "c"]]}, {"text_field": "quote"}),
    ("spanish", {"texto": SPANISH, "fecha": DATES}, {"text_field": "texto"}),
    ("gsm8k", {"question": QUESTIONS, "answer": LONG}, {"prompt_field": "question", "target_field": "answer"}),
    ("prompt completion", {"prompt": QUESTIONS, "completion": LONG},
     {"prompt_field": "prompt", "target_field": "completion"}),
    ("writing prompts", {"prompt": QUESTIONS, "story": LONG},
     {"prompt_field": "prompt", "target_field": "story"}),
    ("dpo", {"prompt": QUESTIONS, "chosen": LONG, "rejected": SHORT},
     {"prompt_field": "prompt", "target_field": "chosen"}),
    ("squad", SQUAD, {"template": CONTEXT_QUESTION, "target_field": "answers.text[0]"}),
    ("raw squad answers", {**SQUAD, "answers": [[{"text": a, "answer_start": 3}] for a in ANSWERS]},
     {"template": CONTEXT_QUESTION, "target_field": "answers[0].text"}),
    ("trivia", {"question": QUESTIONS, "answer": [{"value": a, "aliases": [a]} for a in ANSWERS]},
     {"prompt_field": "question", "target_field": "answer.value"}),
    ("web questions", {"url": URLS, "question": QUESTIONS, "answers": [[a] for a in ANSWERS]},
     {"prompt_field": "question", "target_field": "answers[0]"}),
    ("sciq", {"question": QUESTIONS, "distractor1": OTHER, "correct_answer": ANSWERS, "support": LONG},
     {"template": CONTEXT_QUESTION.replace("context", "support"), "target_field": "correct_answer"}),
    ("alpaca", ALPACA, {"template": "### Instruction:\n{instruction}\n\n### Input:\n{input?}\n\n"
     "### Response:\n", "target_field": "output"}),
    ("dolly", DOLLY, {"template": "### Instruction:\n{instruction}\n\n### Context:\n{context?}\n\n"
     "### Response:\n", "target_field": "response"}),
    ("openorca", {"id": IDS, "system_prompt": ["", "Be brief.", "Be kind."], "question": QUESTIONS,
     "response": LONG}, {"template": "{system_prompt?}\n\n### Instruction:\n{question}\n\n"
     "### Response:\n", "target_field": "response"}),
    ("instruction output", {"instruction": QUESTIONS, "output": LONG},
     {"prompt_field": "instruction", "target_field": "output"}),
    ("user assistant", {"user": QUESTIONS, "assistant": LONG},
     {"prompt_field": "user", "target_field": "assistant"}),
    ("messages", {"messages": CHAT, "source": "web"}, {"messages_field": "messages"}),
    ("ultrachat", {"prompt": QUESTIONS, "prompt_id": IDS, "messages": CHAT}, {"messages_field": "messages"}),
    ("sharegpt", {"id": IDS, "conversations": SHAREGPT}, {"messages_field": "conversations"}),
    ("chat under another name", {"verlauf": CHAT}, {"messages_field": "verlauf"}),
    ("daily_dialog", {"dialog": [[q, a] for q, a in zip(QUESTIONS, ENGLISH, strict=True)],
     "act": [[1, 2]], "emotion": [[0, 0]]}, {"messages_field": "dialog"}),
    ("snips slots", {"tokens": WORD_LISTS, "slot_tags": NER_WORDS, "text": SHORT,
     "intent": ["GetWeather", "PlayMusic"]}, {"text_field": "text"}),
    ("samsum", {"id": IDS, "dialogue": LONG, "summary": SHORT},
     {"prompt_field": "dialogue", "target_field": "summary"}),
    ("opus", {"translation": [{"en": e, "de": g} for g, e in zip(GERMAN, ENGLISH, strict=True)]},
     {"prompt_field": "translation.en", "target_field": "translation.de"}),
    ("eli5", {"q_id": IDS, "title": QUESTIONS, "selftext": "", "answers": [{"text": [a], "score": [3]}
     for a in LONG]}, {"prompt_field": "title", "target_field": "answers.text[0]"}),
    ("numbers as answers", {"question": QUESTIONS, "answer": NUMBERS},
     {"prompt_field": "question", "target_field": "answer"}),
    ("capybara", {"source": "x", "conversation": [[{"input": q, "output": a}] for q, a in
     zip(QUESTIONS, ENGLISH, strict=True)]}, {"messages_field": "conversation"}),
    ("faq", {"FAQ_Question": QUESTIONS, "FAQ_Answer": LONG, "topic": ["a", "b"]},
     {"prompt_field": "FAQ_Question", "target_field": "FAQ_Answer"}),
    ("math", {"problem": QUESTIONS, "level": ["Level 1", "Level 2"], "type": "Algebra", "solution": LONG},
     {"prompt_field": "problem", "target_field": "solution"}),
    ("chinese qa", {"问题": CHINESE, "答案": [c + "对。" for c in CHINESE]},
     {"prompt_field": "问题", "target_field": "答案"}),
    ("code", {"repo_name": USERS, "path": [f"src/mill_{n}.py" for n in range(12)],
     "content": [f"def days():\n    return {n}\n" for n in range(12)], "license": "mit"},
     {"text_field": "content"}),
]  # fmt: skip

# name, columns, class names, (words, tags)
TOKENS: list[tuple[str, dict[str, Any], dict[str, Any] | None, tuple[str, str]]] = [
    ("conll2003", {"id": ["0", "1", "2"], "tokens": WORD_LISTS, "pos_tags": NER_TAGS,
     "chunk_tags": NER_TAGS, "ner_tags": NER_TAGS}, {"ner_tags": NER_NAMES, "pos_tags": NER_NAMES,
     "chunk_tags": NER_NAMES}, ("tokens", "ner_tags")),
    ("wnut", {"tokens": WORD_LISTS, "tags": NER_WORDS}, None, ("tokens", "tags")),
    ("words labels", {"words": WORD_LISTS, "labels": NER_WORDS}, None, ("words", "labels")),
    ("few_nerd", {"id": IDS, "tokens": WORD_LISTS, "ner_tags": NER_TAGS, "fine_ner_tags": NER_TAGS},
     {"ner_tags": NER_NAMES, "fine_ner_tags": NER_NAMES}, ("tokens", "ner_tags")),
    ("snips slots", {"tokens": WORD_LISTS, "slot_tags": NER_WORDS, "text": SHORT,
     "intent": ["GetWeather", "PlayMusic"]}, None, ("tokens", "slot_tags")),
    ("panx", {"tokens": WORD_LISTS, "ner_tags": NER_TAGS, "langs": [["en"] * 4, ["en"] * 2, ["en"] * 4]},
     {"ner_tags": NER_NAMES}, ("tokens", "ner_tags")),
    ("pos only", {"tokens": WORD_LISTS, "upos": POS_TAGS}, None, ("tokens", "upos")),
    ("unknown names", {"Wort": WORD_LISTS, "Art": NER_WORDS}, None, ("Wort", "Art")),
    ("numbers without names", {"tokens": WORD_LISTS, "ner_tags": NER_TAGS}, None, ("tokens", "ner_tags")),
    ("text beside", {"text": SHORT, "tokens": WORD_LISTS, "labels": NER_WORDS}, None,
     ("tokens", "labels")),
]  # fmt: skip
