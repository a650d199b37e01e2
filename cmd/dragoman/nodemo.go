//go:build nodemo

package main

import "github.com/spf13/cobra"

// demoCommands is empty in released binaries: neither the demo nor a fake server is in them.
func demoCommands() []*cobra.Command { return nil }
