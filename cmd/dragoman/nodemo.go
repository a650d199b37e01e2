//go:build nodemo

package main

import "github.com/spf13/cobra"

// demoCommands returns nothing in released binaries: they contain neither the demo nor the fake servers.
func demoCommands() []*cobra.Command { return nil }
