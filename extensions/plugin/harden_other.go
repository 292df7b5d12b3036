//go:build !unix

package plugin

func harden() {}
