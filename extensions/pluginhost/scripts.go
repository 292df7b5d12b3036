package pluginhost

// find returns the program that serves a backend, checked and held open.
func (h *Host) find(name string) (*program, error) {
	p, err := h.around.find(&h.options, name)
	if err != nil {
		return nil, err
	}
	if err := h.options.refusesScript(p); err != nil {
		p.Close()
		return nil, err
	}
	return p, nil
}

func (o *Options) refusesScript(p *program) error {
	if o.AllowScripts || !p.isScript() {
		return nil
	}
	return refused(p.name, p.path, "install a plugin that is a program by itself, or have the application allow scripts",
		"it is a script, and its hash would say nothing of the interpreter and the files that it runs")
}

// isScript tells whether the file names an interpreter, which has to be able
// to open it again.
func (p *program) isScript() bool {
	if p.file == nil {
		return false
	}
	var head [2]byte
	n, _ := p.file.ReadAt(head[:], 0)
	return string(head[:n]) == "#!"
}
