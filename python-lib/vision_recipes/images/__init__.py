"""One file -> pixels or a reason why not; a folder -> pictures in order, read ahead by threads."""
