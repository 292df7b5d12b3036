package plugintest

func outputFaults() []fault {
	return []fault{{
		"writes on standard output",
		"After the handshake nothing comes on standard output, in this case or in any before it.",
		func(x *examination) {
			s := x.used(newMarker(), nil)
			for _, logs := range []*transcript{s.logs, x.logs} {
				if bytes := logs.stray(); bytes != "" {
					x.Errorf("it wrote %s bytes", bytes)
					return
				}
			}
		},
	}}
}
