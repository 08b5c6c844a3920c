"""One file to pixels or a reason why not; a folder to pictures in order, read ahead by threads."""
