package main

import "runtime/debug"

// thisBuild is what this program was built from, as far as Go noted it.
func thisBuild() *build {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return &build{Version: "of an unknown version"}
	}
	return newBuild(info)
}

// String is one line: "v0.3.0, built with go1.26.0 for linux/amd64".
func (b *build) String() string { return b.Version + ", built " + b.made() }
