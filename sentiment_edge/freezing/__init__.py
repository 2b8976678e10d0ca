"""For programs that freeze apps, which read this folder when they build one; nothing else of this project imports it."""
