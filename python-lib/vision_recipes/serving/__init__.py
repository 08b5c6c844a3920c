"""Pictures that are posted, one or a few at a time: the same answers as vision-classify gives for files."""
