//go:build !linux

package pluginhost

// await waits for the process and then ends its group. Its id could name
// another group only if the system went through all its ids in between.
func (c *child) await() {
	_ = c.cmd.Wait()
	c.mu.Lock()
	defer c.mu.Unlock()
	c.group.kill(c.pid)
	c.over = true
}

// stopped isn't known here: a plugin that is stopped answers nothing.
func stopped(int) bool { return false }
