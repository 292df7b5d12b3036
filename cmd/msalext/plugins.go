package main

import "github.com/spf13/cobra"

// plugins is what concerns plugins themselves.
func (c *command) plugins() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "plugins",
		Short: "Write, judge, list, trust and install plugins",
	}
	cmd.AddCommand(c.pluginsList(), c.pluginsInfo(), c.pluginsVerify(), c.pluginsInstall(), c.pluginsTrust(), c.pluginsUntrust(),
		c.pluginsRemove(), c.pluginsNew(), c.pluginsTest())
	return family(cmd)
}
