"""The torch-free ground floor: from a bundle to predictions. Needs numpy, tokenizers and one engine."""
