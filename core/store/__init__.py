"""The program's memory on disk: TinyDB over a transactional file, locks, and the run log."""
