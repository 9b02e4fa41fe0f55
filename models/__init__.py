"""CLIP: load an encoder, train the small one, measure retrieval. The only folder that imports torch."""
