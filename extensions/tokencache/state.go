package tokencache

// HasStateChanged reports whether Add, Modify, Remove or RemoveAccount changed
// anything since the last Serialize or Deserialize: whether there is something
// to save. It is has_state_changed of MSAL Python's SerializableTokenCache,
// but for calls that find nothing to change, which Python counts too.
func (c *TokenCache) HasStateChanged() bool { return c.changed }

// OnChange has fn called after each call that changed the cache, once per
// call, in the order in which hooks were added. It is what MSAL Python's users
// override add and modify for. fn may read the cache and serialize it, and must
// not change it. The hooks outlive Deserialize, which calls none; nil is
// ignored.
func (c *TokenCache) OnChange(fn func()) {
	if fn != nil {
		c.onChange = append(c.onChange, fn)
	}
}

func (c *TokenCache) stateChanged() {
	c.changed = true
	for _, fn := range c.onChange {
		fn()
	}
}
