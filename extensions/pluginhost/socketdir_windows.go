package pluginhost

// A socketDir is what Windows doesn't need: plugins listen on a loopback port.
type socketDir struct{ path string }

func newSocketDir([]string) (*socketDir, error) { return &socketDir{}, nil }

func socketBases() []string { return nil }

func (*socketDir) remove() {}

func sweep([]string) {}
