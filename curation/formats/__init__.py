"""The layouts in which datasets leave and come in; one module each, with `write` and `read`.

    kohya         folders of pictures with a .txt beside each
    musubi        one JSON line a picture
    imagefolder   Hugging Face's folder with metadata.jsonl
    archive       our own: lineage and decisions too
    preferences   pairs of pictures as a Parquet table, for preference learning

They know pieces and archives; nothing of requests, and nothing of who may have what.
"""
