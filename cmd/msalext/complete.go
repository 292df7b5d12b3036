package main

import (
	"slices"

	"github.com/spf13/cobra"

	"github.com/msalext/msalext/extensions/pluginhost"
)

// complete offers values for a flag; nil offers none, not even files.
func complete(cmd *cobra.Command, flag string, values func() []string) {
	_ = cmd.RegisterFlagCompletionFunc(flag, offer(values)) // the flag is there
}

// offer completes with values where there are some, and never with files.
func offer(values func() []string) cobra.CompletionFunc {
	return func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
		if values == nil {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		return values(), cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveNoSpace*ending(values())
	}
}

// ending is 1 where what was completed goes on, as "file:" does.
func ending(values []string) cobra.ShellCompDirective {
	if slices.ContainsFunc(values, func(v string) bool { return v[len(v)-1] == ':' }) {
		return 1
	}
	return 0
}

// once offers values for a single argument.
func once(values func() []string) cobra.CompletionFunc {
	return func(cmd *cobra.Command, args []string, word string) ([]string, cobra.ShellCompDirective) {
		if len(args) > 0 {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		return offer(values)(cmd, args, word)
	}
}

// backends are those of msalext itself, and of the plugins that are installed.
func (c *command) backends() []string { return append(slices.Clone(stores), c.installed()...) }

// installed are the names of the plugins that are installed.
func (c *command) installed() []string {
	h := c.surveyor()
	defer h.Close()
	var names []string
	for _, found := range h.Survey() {
		if !slices.Contains(stores, found.Name) && !slices.Contains(names, found.Name) {
			names = append(names, found.Name)
		}
	}
	return names
}

// trusted are the names of the plugins that are trusted.
func trusted() []string {
	all, _ := pluginhost.TrustedPlugins() // without them nothing is offered
	var names []string
	for _, t := range all {
		names = append(names, t.Name)
	}
	slices.Sort(names)
	return slices.Compact(names)
}
