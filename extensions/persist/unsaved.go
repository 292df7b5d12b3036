package persist

// Unsaved tells how many changes the store would not take so far. They are part
// of the cache as this process sees it, and gone with the process unless a later
// write or Close stores them. It does no I/O.
func (c *PersistedTokenCache) Unsaved() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.pending)
}
