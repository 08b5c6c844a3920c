"""Models made elsewhere, read as data: Keras files, Teachable Machine exports, folders of the predecessor plugin."""
